package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"leadgate/channels/channeltest"
	"leadgate/intake"
)

// running is a mailbox that fetches from a server in memory, possibly through a proxy.
type running struct {
	box    *Mailbox
	server *imapServer
	sink   *channeltest.Sink
	ctx    context.Context
}

var allCaps = []imap.Cap{imap.CapMove, imap.CapUIDPlus, imap.CapIdle}

// runIMAP starts a mailbox on server at addr, after prepare had a look at it.
func runIMAP(t *testing.T, server *imapServer, addr string, prepare func(*Mailbox)) *running {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	r := &running{server: server, sink: channeltest.NewSink(), ctx: ctx}
	r.box, _ = newTestMailbox(t, Config{IMAP: imapConfig(addr)})
	quick(r.box)
	if prepare != nil {
		prepare(r.box)
	}
	done := make(chan error, 1)
	go func() { done <- r.box.Run(ctx, r.sink) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

func (r *running) wait(t *testing.T, cond func(channeltest.State) bool) channeltest.State {
	t.Helper()
	s, err := r.sink.Wait(r.ctx, cond)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (r *running) filed(t *testing.T, processed, aside, inbox int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d are processed, %d aside, %d left", processed, aside, inbox), 10*time.Second, func() bool {
		return r.server.count(t, "Processed") == processed && r.server.count(t, "Set aside") == aside && r.server.count(t, "INBOX") == inbox
	})
}

func TestFetchedMailIsFiled(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	server.append(t, leadMail(1, "New lead"))
	server.append(t, robotMail(2))
	r := runIMAP(t, server, server.addr, nil)
	s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 1 && len(s.Asides) == 1 })
	r.filed(t, 1, 1, 0)
	sub := s.Accepted[0]
	if sub.Key != "imap:"+testAddress+"@127.0.0.1:INBOX:1:1" || !sub.ReceivedAt.Equal(testNow.Add(-time.Hour)) {
		t.Errorf("key %s, received at %v", sub.Key, sub.ReceivedAt)
	}
	if !bytes.Equal(r.sink.Raw(sub.Raw), leadMail(1, "New lead")) {
		t.Error("the stored payload is not the mail")
	}
	eventually(t, "the health says so", 5*time.Second, func() bool { return r.box.Health() == Health{LastSuccess: testNow, State: StateOK} })
	server.append(t, leadMail(3, "pushed")) // the idling client is told
	r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 2 })
	r.filed(t, 2, 1, 0)
}

func TestDeletedMailOfOthersIsLeftAlone(t *testing.T) {
	for name, caps := range map[string][]imap.Cap{"with UIDPLUS": {imap.CapUIDPlus, imap.CapIdle}, "with neither": {imap.CapIdle}} {
		t.Run(name, func(t *testing.T) {
			server := newIMAPServer(t, caps...)
			server.append(t, leadMail(1, "deleted by a person"), imap.FlagDeleted)
			server.append(t, leadMail(2, "New lead"))
			r := runIMAP(t, server, server.addr, nil)
			s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) > 0 })
			if name == "with UIDPLUS" {
				r.filed(t, 1, 0, 1)
			} else {
				eventually(t, "ours is marked", 5*time.Second, func() bool { return server.marked(t) == 1 })
				r.filed(t, 0, 0, 2)
			}
			if len(s.Accepted) != 1 || s.Accepted[0].Subject != "New lead" {
				t.Errorf("accepted %d", len(s.Accepted))
			}
		})
	}
}

func TestBrokenFetchCommitsNothing(t *testing.T) {
	message := leadMail(1, "New lead")
	for _, k := range []int{0, 1, len(message) / 2, len(message) - 1} {
		t.Run(fmt.Sprintf("after %d bytes", k), func(t *testing.T) {
			server := newIMAPServer(t, allCaps...)
			server.append(t, message)
			var broken atomic.Bool
			p := newProxy(t, server.addr, func(_ int, b []byte) ([]byte, bool) {
				// The literal begins after its announced size.
				i := bytes.Index(b, fmt.Appendf(nil, "{%d}\r\n", len(message)))
				if i < 0 || broken.Swap(true) {
					return b, true
				}
				end := i + len(fmt.Sprintf("{%d}\r\n", len(message))) + k
				return b[:min(end, len(b))], false
			})
			r := runIMAP(t, server, p.addr, nil)
			s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted)+len(s.Asides) > 0 })
			r.filed(t, 1, 0, 0)
			if len(s.Accepted) != 1 || s.Attempts != 1 || !broken.Load() {
				t.Fatalf("%d accepted in %d attempts, broken %v", len(s.Accepted), s.Attempts, broken.Load())
			}
			if !bytes.Equal(r.sink.Raw(s.Accepted[0].Raw), message) {
				t.Error("not the whole mail was stored")
			}
		})
	}
}

func TestMessageThatKillsTheConnectionIsSetAsideAndOthersGoOn(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	poison := mailOf("From: jane@partner.example", "Subject: POISON", "", "Company: Acme")
	server.append(t, poison)
	server.append(t, leadMail(2, "healthy"))
	var kills atomic.Int32
	p := newProxy(t, server.addr, func(_ int, b []byte) ([]byte, bool) {
		if i := bytes.Index(b, []byte("POISON")); i >= 0 {
			kills.Add(1)
			return b[:i], false
		}
		return b, true
	})
	r := runIMAP(t, server, p.addr, nil)
	s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 1 && len(s.Asides) == 1 })
	if a := s.Asides[0]; a.Reason != intake.AsideRepeatedFailed || a.Key != "imap:"+testAddress+"@127.0.0.1:INBOX:1:1" || a.Raw.Size == 0 || a.From != "jane@partner.example" {
		t.Errorf("%+v", a)
	}
	eventually(t, "it is marked", 5*time.Second, func() bool { return server.marked(t) == 1 })
	r.filed(t, 1, 0, 1)
	if n := kills.Load(); n != maxBlame {
		t.Errorf("fetched %d times", n)
	}
}

func TestUnknownAnswersOfTheServerAreSurvived(t *testing.T) {
	for name, line := range map[string]string{
		"an unknown untagged answer": "* XVENDOR something\r\n",
		"an unsolicited FETCH":       "* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n",
		"noise":                      "\x00\x01\x02\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			server := newIMAPServer(t, allCaps...)
			server.append(t, leadMail(1, "New lead"))
			var once atomic.Bool
			p := newProxy(t, server.addr, func(_ int, b []byte) ([]byte, bool) {
				if bytes.Contains(b, []byte(" FETCH (")) && !once.Swap(true) {
					return append([]byte(line), b...), true
				}
				return b, true
			})
			r := runIMAP(t, server, p.addr, nil)
			s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted)+len(s.Asides) > 0 })
			r.filed(t, 1, 0, 0)
			if len(s.Accepted) != 1 || !bytes.Equal(r.sink.Raw(s.Accepted[0].Raw), leadMail(1, "New lead")) {
				t.Errorf("%d accepted, %d aside", len(s.Accepted), len(s.Asides))
			}
		})
	}
}

func TestLostConnectionAfterTheCommitMakesNoSecondCase(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	server.append(t, leadMail(1, "New lead"))
	var once atomic.Bool
	p := newProxy(t, server.addr, func(_ int, b []byte) ([]byte, bool) {
		if bytes.Contains(b, []byte("COPYUID")) && !once.Swap(true) {
			return nil, false // the message is moved, but we are not told
		}
		return b, true
	})
	r := runIMAP(t, server, p.addr, nil)
	r.filed(t, 1, 0, 0)
	eventually(t, "the connection is lost", 5*time.Second, once.Load)
	// If the end of the connection goes unnoticed, the watchdog ends it after 5 s.
	eventually(t, "the mailbox is connected again", 15*time.Second, func() bool { return r.box.Health().State == StateOK })
	if s := r.sink.State(); len(s.Accepted) != 1 {
		t.Errorf("%d accepted", len(s.Accepted))
	}
}

func TestSilentServerIsGivenUp(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	server.append(t, leadMail(1, "New lead"))
	p := newProxy(t, server.addr, func(n int, b []byte) ([]byte, bool) {
		if n == 0 && bytes.Contains(b, []byte("SEARCH")) {
			return nil, true // nothing comes any more
		}
		return b, true
	})
	r := runIMAP(t, server, p.addr, func(m *Mailbox) { m.imap.times.command = 100 * time.Millisecond })
	r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 1 })
	r.filed(t, 1, 0, 0)
}

func TestStandstillInTheMiddleOfAMessageIsGivenUp(t *testing.T) {
	message := mailOf("From: jane@partner.example", "Subject: long", "Message-ID: <1@x>", "", "Company: Acme", strings.Repeat("x", 200_000))
	server := newIMAPServer(t, allCaps...)
	server.append(t, message)
	var sent atomic.Int64
	p := newProxy(t, server.addr, func(n int, b []byte) ([]byte, bool) {
		if n == 0 && sent.Add(int64(len(b))) > 100_000 {
			return nil, true
		}
		return b, true
	})
	r := runIMAP(t, server, p.addr, func(m *Mailbox) { m.imap.times.progress = 100 * time.Millisecond })
	s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 1 })
	if !bytes.Equal(r.sink.Raw(s.Accepted[0].Raw), message) {
		t.Error("not the whole mail was stored")
	}
}

func TestOfMailAboveTheLimitTheBeginningIsRead(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	server.append(t, mailOf("From: jane@partner.example", "Subject: huge", "Message-ID: <1@x>", "", "Company: Acme", strings.Repeat("x", 5000)))
	server.append(t, leadMail(2, "small"))
	r := runIMAP(t, server, server.addr, func(m *Mailbox) { m.cfg.MaxSize = 4000 })
	s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 1 && len(s.Asides) == 1 })
	r.filed(t, 1, 1, 0)
	a := s.Asides[0]
	if a.Reason != intake.AsideTooLarge || a.Subject != "huge" || a.Raw.Size != 4000 || !bytes.Contains(r.sink.Raw(a.Raw), []byte("Company: Acme")) {
		t.Errorf("%+v", a)
	}
}

// Some servers guess the size of a message.
func TestAMessageThatIsLargerThanTheServerSaidIsReadToItsLimit(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	server.append(t, mailOf("From: jane@partner.example", "Subject: huge", "Message-ID: <1@x>", "", strings.Repeat("x", 5000)))
	server.append(t, leadMail(2, "small"))
	p := newProxy(t, server.addr, func(_ int, b []byte) ([]byte, bool) {
		if i := bytes.Index(b, []byte("* SEARCH 1")); i >= 0 && !bytes.Contains(b, []byte("* SEARCH 1 2")) {
			b = bytes.Replace(b, []byte("* SEARCH 1"), []byte("* SEARCH"), 1) // none is larger than the limit, it says
		}
		return b, true
	})
	r := runIMAP(t, server, p.addr, func(m *Mailbox) { m.cfg.MaxSize = 4000 })
	s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 1 && len(s.Asides) == 1 })
	r.filed(t, 1, 1, 0)
	if a := s.Asides[0]; a.Reason != intake.AsideTooLarge || a.Subject != "huge" || a.Raw.Size != 4000 {
		t.Errorf("%+v", a)
	}
}

func TestStoreThatRefusesOneMessageTakesTheOthers(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	for n := range 4 {
		server.append(t, leadMail(n, "lead"))
	}
	r := runIMAP(t, server, server.addr, nil)
	r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 4 })
	r.sink.FailNext(2)
	for n := range 4 {
		server.append(t, leadMail(10+n, "lead"))
	}
	r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 8 })
	r.filed(t, 8, 0, 0)
}

// picky is a store that takes no registration of some senders.
type picky struct {
	*channeltest.Sink
	refuses string // what their addresses begin with
}

func (p picky) Accept(ctx context.Context, s intake.Submission) (intake.Receipt, error) {
	if strings.HasPrefix(s.Sender.Address, p.refuses) {
		return intake.Receipt{}, errors.New("write record: key too large")
	}
	return p.Sink.Accept(ctx, s)
}

// TestMessagesThatAreNeverStoredHoldUpNoOthersAndAreSetAside: as many as end a drain lie before
// the others in the folder.
func TestMessagesThatAreNeverStoredHoldUpNoOthersAndAreSetAside(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	for n := range maxSinkErrors {
		server.append(t, mailOf("From: poison@partner.example", "To: "+testAddress, fmt.Sprintf("Subject: %d", n), "", "Company: Acme"))
	}
	box, _ := newTestMailbox(t, Config{IMAP: imapConfig(server.addr)})
	quick(box)
	r := &running{box: box, server: server, sink: channeltest.NewSink(), ctx: t.Context()}
	runBox(t, box, picky{r.sink, "poison"})
	leads := 0
	for s := (channeltest.State{}); len(s.Asides) < maxSinkErrors; leads++ {
		if leads == 100 {
			t.Fatalf("of %d bad messages %d are set aside", maxSinkErrors, len(s.Asides))
		}
		server.append(t, leadMail(leads, "lead"))
		s = accepted(t, r.sink, leads+1, 10*time.Second)
	}
	r.filed(t, leads, maxSinkErrors, 0)
	for _, a := range r.sink.State().Asides {
		if a.Reason != intake.AsideRepeatedFailed || a.From != "poison@partner.example" || a.Raw.Size == 0 {
			t.Errorf("%+v", a)
		}
	}
}

// TestAStoreThatIsDownSetsNothingAside: that is no fault of a message, however often it is
// refused.
func TestAStoreThatIsDownSetsNothingAside(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	for n := range maxSinkErrors {
		server.append(t, leadMail(n, "lead"))
	}
	r := runIMAP(t, server, server.addr, func(m *Mailbox) { m.imap.taken = 1 })
	r.sink.FailNext(5 * maxSinkErrors * maxRefusals)
	if s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == maxSinkErrors }); len(s.Asides) != 0 {
		t.Errorf("set aside: %+v", s.Asides)
	}
	r.filed(t, maxSinkErrors, 0, 0)
}

func TestWrongPasswordShowsInTheHealthAndNotTheSecret(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	r := runIMAP(t, server, server.addr, func(m *Mailbox) { m.imap.cfg.Password = testPassword + "x" })
	eventually(t, "the health says so", 5*time.Second, func() bool { return strings.Contains(r.box.Health().Problem, "log in") })
	if h := r.box.Health(); strings.Contains(h.Problem, testPassword) || !h.LastSuccess.IsZero() {
		t.Errorf("%+v", h)
	}
}

func TestServerWithoutTLSIsRefused(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	for _, protection := range []TLS{TLSImplicit, TLSStart} {
		r := runIMAP(t, server, server.addr, func(m *Mailbox) { m.imap.cfg.TLS = protection; m.imap.times.login = 200 * time.Millisecond })
		eventually(t, "the health says so", 10*time.Second, func() bool { return r.box.Health().Problem != "" })
		if s := r.sink.State(); s.Attempts != 0 {
			t.Errorf("%s: mail was fetched", protection)
		}
	}
}

func TestServerThatHangsWhenFilingKeepsNothingFromBeingStored(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	for n := range 5 {
		server.append(t, leadMail(n, "lead"))
	}
	var hang atomic.Bool
	hang.Store(true)
	p := newProxy(t, server.addr, func(_ int, b []byte) ([]byte, bool) {
		if hang.Load() && bytes.Contains(b, []byte("COPYUID")) {
			return nil, true
		}
		return b, true
	})
	r := runIMAP(t, server, p.addr, func(m *Mailbox) { m.imap.times.command = 50 * time.Millisecond })
	r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 5 })
	hang.Store(false)
	eventually(t, "the inbox is empty", 10*time.Second, func() bool { return server.count(t, "INBOX") == 0 })
}
