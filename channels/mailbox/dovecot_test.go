package mailbox

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"leadgate/channels/channeltest"
	"leadgate/channels/channeltest/mailserver"
)

// dovecotAccount is how a user of the server is fetched for.
func dovecotAccount(d *mailserver.Dovecot, user string) *IMAP {
	return &IMAP{Host: "127.0.0.1", Port: d.IMAP, TLS: TLSNone, Username: user, Password: mailserver.Password}
}

// deliverTo hands a mail to the server by LMTP.
func deliverTo(t *testing.T, d *mailserver.Dovecot, to string, message []byte) {
	t.Helper()
	if _, err := deliver(mailserver.Loopback(d.LMTP), ProtocolLMTP, "jane@partner.example", []string{to}, message); err != nil {
		t.Errorf("deliver to Dovecot: %v", err)
	}
}

// dovecotWire is a mailbox that fetches from a real Dovecot, each as a user of its own.
type dovecotWire struct {
	ends
	server *mailserver.Dovecot
	proxy  *proxy
	user   string
}

func (w *dovecotWire) Deliver(t *testing.T, message []byte) { deliverTo(t, w.server, w.user, message) }
func (w *dovecotWire) Retry(*testing.T)                     {}
func (w *dovecotWire) Silence(*testing.T)                   { close(w.proxy.stall) }

func (w *dovecotWire) Unacknowledged(t *testing.T) int {
	return w.server.Count(t, w.user, "INBOX", &imap.SearchCriteria{NotFlag: []imap.Flag{keywordDone}})
}

func TestChannelByDovecot(t *testing.T) {
	for name, capability := range map[string]string{
		"as it is":                  "",
		"without MOVE":              mailserver.Capability("IMAP4rev1 IDLE UIDPLUS LITERAL+"),
		"without MOVE and UIDPLUS":  mailserver.Capability("IMAP4rev1 IDLE LITERAL+"),
		"with no extensions at all": mailserver.Capability("IMAP4rev1"),
	} {
		t.Run(name, func(t *testing.T) {
			server := mailserver.StartDovecot(t, capability)
			users := 0
			channeltest.Run(t, func(t *testing.T) channeltest.Wire {
				users++
				w := &dovecotWire{server: server, user: fmt.Sprintf("user%d@vendor.example", users)}
				w.proxy = newProxy(t, mailserver.Loopback(server.IMAP), nil)
				w.answers = newSMTPSink(t)
				cfg := dovecotAccount(server, w.user)
				cfg.Port = func() int { _, p := hostPort(w.proxy.addr); return p }()
				w.box, _ = newTestMailbox(t, Config{IMAP: cfg, SMTP: w.answers.config()})
				quick(w.box)
				w.box.imap.cfg.Poll = 50 * time.Millisecond
				return w
			})
		})
	}
}

// runDovecot starts a mailbox for a user of the server.
func runDovecot(t *testing.T, d *mailserver.Dovecot, user string, sink *channeltest.Sink, prepare func(*Mailbox)) *Mailbox {
	t.Helper()
	box, _ := newTestMailbox(t, Config{IMAP: dovecotAccount(d, user)})
	quick(box)
	if prepare != nil {
		prepare(box)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- box.Run(ctx, sink) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return box
}

// TestCrashesOfTheServerLoseAndDoubleNothing delivers 200 mails while the process that
// serves us is killed in the middle of messages and the whole server is restarted.
func TestCrashesOfTheServerLoseAndDoubleNothing(t *testing.T) {
	const mails = 200
	d := mailserver.StartDovecot(t, "")
	user := "crash@vendor.example"
	for n := range mails / 2 {
		deliverTo(t, d, user, leadMail(n, "lead"))
	}
	var armed, kills atomic.Int32
	p := newProxy(t, mailserver.Loopback(d.IMAP), func(_ int, b []byte) ([]byte, bool) {
		i := bytes.Index(b, []byte("Company: Acme"))
		if i < 0 || armed.Swap(0) == 0 {
			return b, true
		}
		kills.Add(int32(d.SignalIMAP(t, syscall.SIGKILL)))
		return b[:i], false
	})
	sink := channeltest.NewSink()
	_, port := hostPort(p.addr)
	runDovecot(t, d, user, sink, func(m *Mailbox) { m.imap.cfg.Port = port })
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	accepted := func(n int) {
		t.Helper()
		if _, err := sink.Wait(ctx, func(s channeltest.State) bool { return len(s.Accepted) >= n }); err != nil {
			t.Fatal(err)
		}
		armed.Store(1)
	}
	for _, n := range []int{5, 20, 40, 60} {
		accepted(n)
	}
	accepted(70)
	d.Stop(t)
	d.Start(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := mails / 2; n < mails; n++ {
			deliverTo(t, d, user, leadMail(n, "lead"))
		}
	})
	for _, n := range []int{110, 150} {
		accepted(n)
	}
	wg.Wait()
	accepted(mails)
	eventually(t, "all are filed", 20*time.Second, func() bool {
		all := &imap.SearchCriteria{}
		return d.Count(t, user, "INBOX", all) == 0 && d.Count(t, user, "Processed", all) == mails
	})
	s := sink.State()
	seen := make(map[string]bool)
	for _, sub := range s.Accepted {
		seen[sub.Content] = true
		if raw := sink.Raw(sub.Raw); !bytes.HasSuffix(raw, []byte("Acme Secret Body\r\n")) {
			t.Errorf("%s was stored with %d bytes", sub.Key, len(raw))
		}
	}
	if len(s.Accepted) != mails || len(seen) != mails || len(s.Asides) != 0 {
		t.Errorf("%d accepted, %d different, %d aside", len(s.Accepted), len(seen), len(s.Asides))
	}
	if kills.Load() < 4 {
		t.Errorf("%d kills", kills.Load())
	}
	t.Logf("%d kills and a restart, %d attempts for %d mails", kills.Load(), s.Attempts, mails)
}

// TestStalledServerIsGivenUp stops the process that serves us: it is there and says nothing.
func TestStalledServerIsGivenUp(t *testing.T) {
	d := mailserver.StartDovecot(t, "")
	user := "stall@vendor.example"
	sink := channeltest.NewSink()
	box := runDovecot(t, d, user, sink, func(m *Mailbox) {
		m.imap.times.command, m.imap.times.idle, m.imap.times.backoff = 500*time.Millisecond, 200*time.Millisecond, 500*time.Millisecond
	})
	eventually(t, "the mailbox is connected", 10*time.Second, func() bool { return !box.Health().LastSuccess.IsZero() })
	if d.SignalIMAP(t, syscall.SIGSTOP) == 0 {
		t.Fatal("no process to stop")
	}
	eventually(t, "the health says so", 10*time.Second, func() bool { return box.Health().State == StateDegraded && box.Health().Problem != "" })
	deliverTo(t, d, user, leadMail(1, "lead"))
	accepted(t, sink, 1, 20*time.Second)
	eventually(t, "the health is good again", 10*time.Second, func() bool { return box.Health().State == StateOK })
	eventually(t, "it is filed", 10*time.Second, func() bool { return d.Count(t, user, "Processed", &imap.SearchCriteria{}) == 1 })
}

// A process that stops in the middle of a message is given up like one that stops while we
// wait, and does no harm when it goes on: nothing of it was taken in.
func TestAServerThatStopsInTheMiddleOfAMessageIsGivenUp(t *testing.T) {
	d := mailserver.StartDovecot(t, "")
	user := "halt@vendor.example"
	message := bigMail(14 << 20) // more than lies in the buffers between us
	var stopped atomic.Int32
	p := newProxy(t, mailserver.Loopback(d.IMAP), func(_ int, b []byte) ([]byte, bool) {
		if bytes.Contains(b, []byte("Subject: big")) && stopped.Load() == 0 {
			stopped.Add(int32(d.SignalIMAP(t, syscall.SIGSTOP)))
		}
		return b, true
	})
	_, port := hostPort(p.addr)
	sink := channeltest.NewSink()
	box := runDovecot(t, d, user, sink, func(m *Mailbox) {
		m.imap.cfg.Port = port
		m.imap.times.command, m.imap.times.progress, m.imap.times.backoff = 500*time.Millisecond, 500*time.Millisecond, 2*time.Second
		m.imap.times.fetch = time.Minute
	})
	eventually(t, "the mailbox is connected", 10*time.Second, func() bool { return box.Health().State == StateOK })
	deliverTo(t, d, user, message)
	eventually(t, "the health says so", 10*time.Second, func() bool { return box.Health().State == StateDegraded && box.Health().Problem != "" })
	if stopped.Load() == 0 {
		t.Fatal("no process was stopped")
	}
	if n := sink.State().Attempts; n != 0 {
		t.Errorf("half a message was given to the sink %d times", n)
	}
	d.SignalIMAP(t, syscall.SIGCONT)
	s := accepted(t, sink, 1, 30*time.Second)
	eventually(t, "it is filed", 10*time.Second, func() bool { return d.Count(t, user, "Processed", &imap.SearchCriteria{}) == 1 })
	eventually(t, "the health is good again", 10*time.Second, func() bool { return box.Health().State == StateOK })
	if s.Attempts != 1 || !bytes.HasSuffix(sink.Raw(s.Accepted[0].Raw), message) {
		t.Errorf("%d attempts, %d bytes of %d", s.Attempts, len(sink.Raw(s.Accepted[0].Raw)), len(message))
	}
}

func TestPushedMailIsTakenInAtOnceAndFiled(t *testing.T) {
	d := mailserver.StartDovecot(t, "")
	user := "push@vendor.example"
	sink := channeltest.NewSink()
	box := runDovecot(t, d, user, sink, func(m *Mailbox) { m.imap.times.idle = time.Hour })
	eventually(t, "the mailbox is connected", 10*time.Second, func() bool { return box.Health().State == StateOK })
	began := time.Now()
	deliverTo(t, d, user, leadMail(1, "lead"))
	accepted(t, sink, 1, 10*time.Second)
	took := time.Since(began)
	t.Logf("taken in after %v", took.Round(time.Millisecond))
	if took > 2*time.Second {
		t.Errorf("it took %v", took)
	}
	eventually(t, "it is filed", 10*time.Second, func() bool {
		all := &imap.SearchCriteria{}
		return d.Count(t, user, "INBOX", all) == 0 && d.Count(t, user, "Processed", all) == 1
	})
}

func TestAServerThatPushesNothingIsAskedAgainAndAgain(t *testing.T) {
	d := mailserver.StartDovecot(t, mailserver.Capability("IMAP4rev1 MOVE UIDPLUS LITERAL+"))
	user := "poll@vendor.example"
	sink := channeltest.NewSink()
	const poll = 300 * time.Millisecond
	box := runDovecot(t, d, user, sink, func(m *Mailbox) { m.imap.cfg.Poll = poll })
	eventually(t, "the mailbox is connected", 10*time.Second, func() bool { return box.Health().State == StateOK })
	for n := range 3 {
		began := time.Now()
		deliverTo(t, d, user, leadMail(n, "lead"))
		accepted(t, sink, n+1, 10*time.Second)
		if took := time.Since(began); took > poll+time.Second {
			t.Errorf("found after %v, looked for every %v", took, poll)
		}
	}
}

func TestAProcessKilledWhileWeWaitIsReplacedWithinSeconds(t *testing.T) {
	d := mailserver.StartDovecot(t, "")
	user := "killed@vendor.example"
	sink := channeltest.NewSink()
	box := runDovecot(t, d, user, sink, func(m *Mailbox) {
		m.imap.times.idle, m.imap.times.backoff, m.imap.times.settled = time.Hour, time.Second, time.Minute
	})
	eventually(t, "the mailbox is connected", 10*time.Second, func() bool { return box.Health().State == StateOK })
	if d.SignalIMAP(t, syscall.SIGKILL) == 0 {
		t.Fatal("no process to kill")
	}
	began := time.Now()
	deliverTo(t, d, user, leadMail(1, "lead"))
	accepted(t, sink, 1, 20*time.Second)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAFolderThatSomebodyRemovedIsMadeAnew(t *testing.T) {
	d := mailserver.StartDovecot(t, mailserver.Capability("IMAP4rev1 IDLE UIDPLUS LITERAL+"))
	user := "removed@vendor.example"
	sink := channeltest.NewSink()
	box := runDovecot(t, d, user, sink, nil)
	eventually(t, "the mailbox is connected", 10*time.Second, func() bool { return box.Health().State == StateOK })
	other := d.Login(t, user)
	defer other.Close()
	if err := other.Delete("Processed").Wait(); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		deliverTo(t, d, user, leadMail(n, "lead"))
	}
	eventually(t, "the messages are filed", 10*time.Second, func() bool {
		all := &imap.SearchCriteria{}
		return d.Count(t, user, "INBOX", all) == 0 && d.Count(t, user, "Processed", all) == 2
	})
	if s := sink.State(); len(s.Accepted) != 2 || s.Attempts != 2 {
		t.Errorf("%d accepted in %d attempts", len(s.Accepted), s.Attempts)
	}
}

func TestWhatOthersHaveDeletedSurvivesAServerThatCannotMove(t *testing.T) {
	d := mailserver.StartDovecot(t, mailserver.Capability("IMAP4rev1 IDLE LITERAL+"))
	user := "neither@vendor.example"
	deliverTo(t, d, user, leadMail(1, "theirs"))
	other := d.Login(t, user)
	defer other.Close()
	if _, err := other.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := other.Store(imap.SeqSetNum(1), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagDeleted}}, nil).Close(); err != nil {
		t.Fatal(err)
	}
	sink := channeltest.NewSink()
	runDovecot(t, d, user, sink, nil)
	deliverTo(t, d, user, leadMail(2, "ours"))
	accepted(t, sink, 1, 10*time.Second)
	marked := &imap.SearchCriteria{Flag: []imap.Flag{keywordDone}}
	eventually(t, "ours is marked", 10*time.Second, func() bool { return d.Count(t, user, "INBOX", marked) == 1 })
	if n := d.Count(t, user, "INBOX", &imap.SearchCriteria{Flag: []imap.Flag{imap.FlagDeleted}}); n != 1 {
		t.Errorf("%d messages that somebody has deleted are left, want 1", n)
	}
	if s := sink.State(); len(s.Accepted) != 1 || s.Accepted[0].Subject != "ours" {
		t.Errorf("%d accepted", len(s.Accepted))
	}
}

// A full account refuses every message: that is told once, and shown until it is better.
func TestMailThatCannotBeFiledIsToldOnce(t *testing.T) {
	d := mailserver.StartDovecot(t, "")
	user := "unfiled@vendor.example"
	for n := range 3 {
		deliverTo(t, d, user, leadMail(n, "lead"))
	}
	cfg := dovecotAccount(d, user)
	cfg.ProcessedFolder = "impossible//name"
	box, logs := newTestMailbox(t, Config{IMAP: cfg})
	sink := channeltest.NewSink()
	runBox(t, box, sink)
	marked := &imap.SearchCriteria{Flag: []imap.Flag{keywordDone}}
	eventually(t, "all are marked", 10*time.Second, func() bool { return d.Count(t, user, "INBOX", marked) == 3 })
	eventually(t, "the health says so", 10*time.Second, func() bool {
		h := box.Health()
		return h.State == StateDegraded && strings.Contains(h.Problem, "can't be filed") && !h.LastSuccess.IsZero()
	})
	if n := strings.Count(logs.String(), "level=ERROR"); n != 1 {
		t.Errorf("told %d times:\n%s", n, logs)
	}
	deliverTo(t, d, user, robotMail(1)) // goes to another folder, which works
	eventually(t, "the health is good again", 10*time.Second, func() bool { return box.Health().State == StateOK })
	if s := sink.State(); s.Attempts != 4 {
		t.Errorf("%d attempts for 4 messages", s.Attempts)
	}
}

// TestRefusalToMoveLeavesTheMessageMarked: it must neither vanish nor be dealt with again
// and again, whether the server copies and we delete, or the server moves. Somebody is told.
func TestRefusalToMoveLeavesTheMessageMarked(t *testing.T) {
	quota := mailserver.Capability("IMAP4rev1 IDLE UIDPLUS LITERAL+") + mailserver.Quota("30K")
	for name, tt := range map[string]struct{ extra, folder string }{
		"no room for a copy":      {quota, "Processed"},
		"no folder to move it to": {"", "impossible//name"},
	} {
		t.Run(name, func(t *testing.T) {
			d := mailserver.StartDovecot(t, tt.extra)
			user := "full@vendor.example"
			deliverTo(t, d, user, mailOf("From: jane@partner.example", "Subject: big", "Message-ID: <big@x>", "", "Company: Acme", fmt.Sprintf("%020000d", 0)))
			sink := channeltest.NewSink()
			cfg := dovecotAccount(d, user)
			cfg.ProcessedFolder = tt.folder
			box, logs := newTestMailbox(t, Config{IMAP: cfg})
			runBox(t, box, sink)
			marked := &imap.SearchCriteria{Flag: []imap.Flag{keywordDone}}
			eventually(t, "it is marked", 10*time.Second, func() bool { return d.Count(t, user, "INBOX", marked) == 1 })
			deliverTo(t, d, user, robotMail(1))
			eventually(t, "the next one is filed", 10*time.Second, func() bool { return d.Count(t, user, "Set aside", &imap.SearchCriteria{}) == 1 })
			if s := sink.State(); len(s.Accepted) != 1 || len(s.Asides) != 1 || s.Attempts != 2 {
				t.Errorf("%d accepted, %d aside in %d attempts", len(s.Accepted), len(s.Asides), s.Attempts)
			}
			if n := strings.Count(logs.String(), "level=ERROR"); n != 1 {
				t.Errorf("told %d times:\n%s", n, logs)
			}
		})
	}
}
