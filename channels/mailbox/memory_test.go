package mailbox

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"leadgate/channels/channeltest"
	"leadgate/channels/channeltest/mailserver"
	"leadgate/intake"
)

// streaming is a sink that keeps no message in memory, as the real one does not.
type streaming struct{ *channeltest.Sink }

func (s streaming) Keep(_ context.Context, r io.Reader) (intake.Raw, error) {
	n, err := io.Copy(io.Discard, r)
	return intake.Raw{SHA256: "streamed", Size: n}, err
}

// peak watches how much memory is in use until stopped, and returns by how much it grew.
func peak(t *testing.T) (stop func() uint64) {
	t.Helper()
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	runtime.GC()
	idle := inUse()
	highest := idle
	ended := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ended:
				return
			case <-tick.C:
				highest = max(highest, inUse())
			}
		}
	})
	return sync.OnceValue(func() uint64 {
		close(ended)
		wg.Wait()
		return highest - idle
	})
}

// bigMail has an attachment of so many bytes.
func bigMail(size int) []byte {
	head := mailOf("From: Jane Partner <jane@partner.example>", "To: "+testAddress, "Subject: big", "Message-ID: <big@partner.example>",
		"MIME-Version: 1.0", `Content-Type: multipart/mixed; boundary="b"`, "", "--b", "Content-Type: text/plain", "", "Company: Acme", "Country: Germany",
		"--b", "Content-Type: application/pdf; name=plan.pdf", "Content-Disposition: attachment; filename=plan.pdf", "Content-Transfer-Encoding: base64", "")
	line := []byte("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB\r\n")
	return append(append(head, bytes.Repeat(line, size/len(line))...), mailOf("--b--")...)
}

func TestLargeMailNeedsLittleMemory(t *testing.T) {
	const limit = 64 << 20
	d := mailserver.StartDovecot(t, "")
	for name, tt := range map[string]struct {
		size   int
		reason intake.AsideReason // none if it is taken in
	}{
		"above the limit":  {36_800_000, intake.AsideTooLarge},
		"within the limit": {25 << 20, ""},
	} {
		t.Run(name, func(t *testing.T) {
			user := "large@vendor.example"
			if tt.reason == "" {
				user = "big@vendor.example"
			}
			raw := bigMail(tt.size)
			deliverTo(t, d, user, raw)
			box, _ := newTestMailbox(t, Config{IMAP: dovecotAccount(d, user)})
			sink := streaming{channeltest.NewSink()}
			grew := peak(t)
			began := time.Now()
			runBox(t, box, sink)
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			s, err := sink.Wait(ctx, func(s channeltest.State) bool { return len(s.Accepted)+len(s.Asides) == 1 })
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "it is filed", 10*time.Second, func() bool { return d.Count(t, user, "INBOX", &imap.SearchCriteria{}) == 0 })
			used := grew()
			t.Logf("%d bytes need %d KiB above idle, %v", len(raw), used>>10, time.Since(began).Round(time.Millisecond))
			if used > limit {
				t.Errorf("%d MiB above idle, want less than %d", used>>20, limit>>20)
			}
			if tt.reason == "" && (len(s.Accepted) != 1 || s.Accepted[0].Raw.Size < int64(len(raw)) || s.Accepted[0].Lead[intake.FieldCompanyName] != "Acme") {
				t.Errorf("%+v", s)
			}
			if tt.reason != "" && (len(s.Asides) != 1 || s.Asides[0].Reason != tt.reason || s.Asides[0].Subject != "big" || s.Asides[0].Raw.Size != partOfLarge) {
				t.Errorf("%+v", s.Asides)
			}
			runtime.KeepAlive(raw)
		})
	}
}
