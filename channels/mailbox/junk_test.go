package mailbox

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"leadgate/channels/channeltest"
	"leadgate/channels/channeltest/mailserver"
)

func TestJunkIsTakenInOnceAndLeftWhereItIs(t *testing.T) {
	d := mailserver.StartDovecot(t, "")
	first := d.Login(t, testAddress)
	defer first.Close()
	if err := first.Create("Junk", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	cfg := dovecotAccount(d, testAddress)
	cfg.JunkFolder = "Junk"
	box, _ := newTestMailbox(t, Config{IMAP: cfg})
	sink := channeltest.NewSink()
	runBox(t, box, sink)
	put := func(raw []byte) {
		t.Helper()
		other := d.Login(t, testAddress)
		defer other.Close()
		cmd := other.Append("Junk", int64(len(raw)), nil)
		cmd.Write(raw)
		cmd.Close()
		if _, err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	put(leadMail(1, "misjudged"))
	put(robotMail(2))
	deliverTo(t, d, testAddress, leadMail(3, "lead"))
	s := accepted(t, sink, 2, 20*time.Second)
	marked := &imap.SearchCriteria{Flag: []imap.Flag{keywordDone}}
	eventually(t, "junk is marked and mail is filed", 10*time.Second, func() bool {
		return d.Count(t, testAddress, "Junk", marked) == 2 && d.Count(t, testAddress, "Processed", &imap.SearchCriteria{}) == 1
	})
	for _, sub := range s.Accepted {
		junk := sub.Subject == "misjudged"
		if junk != strings.Contains(sub.Key, ":Junk:") || junk != (sub.Mute != "") {
			t.Errorf("%q has the key %s and the reason %q for silence", sub.Subject, sub.Key, sub.Mute)
		}
	}
	d.SignalIMAP(t, syscall.SIGKILL) // what is marked is not read again
	put(leadMail(4, "another"))
	accepted(t, sink, 3, 20*time.Second)
	if s := sink.State(); s.Attempts != 4 {
		t.Errorf("%d attempts for 4 messages", s.Attempts)
	}
}

// A server that forgets the mark would give the same junk again and again.
func TestJunkIsMovedAsideWhereMarksDoNotLast(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	if err := server.user.Create("Junk", nil); err != nil {
		t.Fatal(err)
	}
	r := literal{strings.NewReader(string(leadMail(1, "misjudged")))}
	if _, err := server.user.Append("Junk", r, &imap.AppendOptions{Time: testNow}); err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, server.addr, func(_ int, b []byte) ([]byte, bool) {
		return []byte(strings.ReplaceAll(string(b), `\*`, `\Draft`)), true
	})
	cfg := imapConfig(p.addr)
	cfg.JunkFolder = "Junk"
	box, _ := newTestMailbox(t, Config{IMAP: cfg})
	sink := channeltest.NewSink()
	runBox(t, box, sink)
	accepted(t, sink, 1, 10*time.Second)
	eventually(t, "it is moved", 10*time.Second, func() bool { return server.count(t, "Set aside") == 1 && server.count(t, "Junk") == 0 })
}

func TestAJunkFolderThatIsMissingIsTold(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	server.append(t, leadMail(1, "lead"))
	cfg := imapConfig(server.addr)
	cfg.JunkFolder = "Spam"
	box, _ := newTestMailbox(t, Config{IMAP: cfg})
	sink := channeltest.NewSink()
	runBox(t, box, sink)
	accepted(t, sink, 1, 10*time.Second)
	eventually(t, "the health says so", 10*time.Second, func() bool { return strings.Contains(box.Health().Problem, `junk folder: folder "Spam"`) })
	eventually(t, "mail comes in all the same", 10*time.Second, func() bool { return box.Health().State == StateDegraded && !box.Health().LastSuccess.IsZero() })
}
