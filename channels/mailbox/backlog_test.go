package mailbox

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"leadgate/channels/channeltest"
	"leadgate/channels/channeltest/mailserver"
	"leadgate/intake"
)

// answering is a sink that answers what is new at once, as the gateway does.
type answering struct {
	*channeltest.Sink
	t   *testing.T
	box *Mailbox
	wg  sync.WaitGroup
}

func (a *answering) Accept(ctx context.Context, s intake.Submission) (intake.Receipt, error) {
	r, err := a.Sink.Accept(ctx, s)
	if err != nil || r.Known {
		return r, err
	}
	a.wg.Go(func() {
		msg := testMessage()
		msg.ID, msg.To, msg.Facts.Case = r.Case+".1", s.Reply, r.Case
		if _, err := a.box.Reply(context.Background(), msg); err != nil {
			a.t.Errorf("answer: %v", err)
		}
	})
	return r, err
}

// newAnswering is a mailbox of a user that answers into a sink.
func newAnswering(t *testing.T, d *mailserver.Dovecot, user string) (*answering, *smtpSink) {
	t.Helper()
	out := newSMTPSink(t)
	box, _ := newTestMailbox(t, Config{IMAP: dovecotAccount(d, user), SMTP: out.config()})
	a := &answering{Sink: channeltest.NewSink(), t: t, box: box}
	t.Cleanup(a.wg.Wait)
	return a, out
}

func TestABurstOfMailGivesOneCaseAndOneAnswerEach(t *testing.T) {
	const mails = 200
	d := mailserver.StartDovecot(t, "")
	user := "burst@vendor.example"
	a, out := newAnswering(t, d, user)
	runBox(t, a.box, a)
	began := time.Now()
	var wg sync.WaitGroup
	for part := range 4 {
		wg.Go(func() {
			for n := part; n < mails; n += 4 {
				deliverTo(t, d, user, leadMail(n, "lead"))
			}
		})
	}
	wg.Wait()
	t.Logf("%d mails were delivered in %v", mails, time.Since(began).Round(time.Millisecond))
	accepted(t, a.Sink, mails, 60*time.Second)
	eventually(t, "all are answered", 20*time.Second, func() bool { return len(out.all()) >= mails })
	eventually(t, "all are filed", 20*time.Second, func() bool {
		all := &imap.SearchCriteria{}
		return d.Count(t, user, "INBOX", all) == 0 && d.Count(t, user, "Processed", all) == mails
	})
	t.Logf("all are done after %v", time.Since(began).Round(time.Millisecond))
	if s := a.State(); len(s.Accepted) != mails || s.Attempts != mails || len(out.all()) != mails {
		t.Errorf("%d cases in %d attempts, %d answers", len(s.Accepted), s.Attempts, len(out.all()))
	}
}

func TestOneNewMailAmongTenThousandOldOnesIsFoundAtOnce(t *testing.T) {
	const old = 10_000
	d := mailserver.StartDovecot(t, mailserver.Capability("IMAP4rev1 IDLE LITERAL+")) // nothing can be moved away
	user := "old@vendor.example"
	d.Fill(t, user, old, string(keywordDone), func(n int) []byte { return leadMail(n, "old") })
	sink := channeltest.NewSink()
	box, _ := newTestMailbox(t, Config{IMAP: dovecotAccount(d, user)})
	runBox(t, box, sink)
	eventually(t, "the mailbox is connected", 20*time.Second, func() bool { return box.Health().State == StateOK })
	for n := range 3 {
		began := time.Now()
		deliverTo(t, d, user, leadMail(old+n, "new"))
		accepted(t, sink, n+1, 20*time.Second)
		took := time.Since(began)
		t.Logf("found after %v", took.Round(time.Millisecond))
		if took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	}
	if s := sink.State(); s.Attempts != 3 {
		t.Errorf("%d messages were read, want the 3 new ones", s.Attempts)
	}
}

func TestAWeekWithoutUsIsCaughtUpWithOnce(t *testing.T) {
	const mails = 500
	d := mailserver.StartDovecot(t, "")
	user := "outage@vendor.example"
	d.Fill(t, user, mails, "", func(n int) []byte { return leadMail(n, "lead") })
	sink := channeltest.NewSink()
	box, _ := newTestMailbox(t, Config{IMAP: dovecotAccount(d, user)})
	began := time.Now()
	runBox(t, box, sink)
	s := accepted(t, sink, mails, 60*time.Second)
	t.Logf("%d mails in %v", mails, time.Since(began).Round(time.Millisecond))
	eventually(t, "all are filed", 20*time.Second, func() bool { return d.Count(t, user, "Processed", &imap.SearchCriteria{}) == mails })
	oldest := time.Now()
	for _, sub := range s.Accepted {
		if sub.ReceivedAt.Before(oldest) {
			oldest = sub.ReceivedAt
		}
	}
	if age := time.Since(oldest); len(s.Accepted) != mails || s.Attempts != mails || age < 6*24*time.Hour {
		t.Errorf("%d accepted in %d attempts, the oldest came %v ago", len(s.Accepted), s.Attempts, age)
	}
}

// After a restore of the mail server all its messages are new to it, not to us.
func TestMailThatComesBackUnderNewNumbersMakesNoCaseAndNoAnswer(t *testing.T) {
	const mails = 50
	d := mailserver.StartDovecot(t, "")
	user := "restored@vendor.example"
	a, out := newAnswering(t, d, user)
	runBox(t, a.box, a)
	for n := range mails {
		deliverTo(t, d, user, leadMail(n, "lead"))
	}
	accepted(t, a.Sink, mails, 60*time.Second)
	all := &imap.SearchCriteria{}
	processed := func() bool { return d.Count(t, user, "INBOX", all) == 0 && d.Count(t, user, "Processed", all) == mails }
	eventually(t, "all are filed", 20*time.Second, processed)
	if moved := d.Recreate(t, user, "Processed"); moved != mails {
		t.Fatalf("%d messages came back", moved)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	s, err := a.Wait(ctx, func(s channeltest.State) bool { return s.Attempts >= 2*mails })
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are filed again", 20*time.Second, processed)
	a.wg.Wait()
	if len(s.Accepted) != mails || len(s.Asides) != 0 || len(out.all()) != mails {
		t.Errorf("%d cases, %d aside, %d answers for %d mails", len(s.Accepted), len(s.Asides), len(out.all()), mails)
	}
}

// Two gateways read one account and write to one store, as in the moment of a failover: each
// may fetch what the other is about to file.
func TestTwoWhoReadOneAccountTakeEachMailOnce(t *testing.T) {
	const mails = 60
	for name, capability := range map[string]string{
		"a server that moves":  "",
		"a server that copies": mailserver.Capability("IMAP4rev1 IDLE UIDPLUS LITERAL+"),
		"a server that marks":  mailserver.Capability("IMAP4rev1 IDLE LITERAL+"),
	} {
		t.Run(name, func(t *testing.T) {
			d := mailserver.StartDovecot(t, capability)
			user := "shared@vendor.example"
			first, out := newAnswering(t, d, user)
			box, _ := newTestMailbox(t, Config{IMAP: dovecotAccount(d, user), SMTP: out.config()})
			second := &answering{Sink: first.Sink, t: t, box: box}
			t.Cleanup(second.wg.Wait)
			runBox(t, first.box, first)
			runBox(t, second.box, second)
			for n := range mails {
				deliverTo(t, d, user, leadMail(n, "lead"))
			}
			accepted(t, first.Sink, mails, 60*time.Second)
			eventually(t, "all are dealt with", 20*time.Second, func() bool {
				return d.Count(t, user, "INBOX", &imap.SearchCriteria{NotFlag: []imap.Flag{keywordDone}}) == 0
			})
			eventually(t, "all are answered", 20*time.Second, func() bool { return len(out.all()) >= mails })
			first.wg.Wait()
			second.wg.Wait()
			s := first.State()
			t.Logf("%d mails were read %d times", mails, s.Attempts)
			if len(s.Accepted) != mails || len(s.Asides) != 0 || len(out.all()) != mails {
				t.Errorf("%d cases, %d aside, %d answers for %d mails", len(s.Accepted), len(s.Asides), len(out.all()), mails)
			}
		})
	}
}

// Mail that comes between the look into the folder and the wait for more is not left lying
// until the next look.
func TestMailThatComesJustBeforeWeWaitIsSeen(t *testing.T) {
	const rounds = 100
	d := mailserver.StartDovecot(t, "")
	user := "race@vendor.example"
	var mu sync.Mutex
	sent := 0
	p := newProxy(t, mailserver.Loopback(d.IMAP), func(_ int, b []byte) ([]byte, bool) {
		mu.Lock()
		defer mu.Unlock()
		// The folder is empty, we are about to be told so, and now it is not empty any more.
		if strings.Contains(string(b), "* SEARCH\r\n") && sent < rounds {
			deliverTo(t, d, user, leadMail(sent, "lead"))
			sent++
		}
		return b, true
	})
	sink := channeltest.NewSink()
	cfg := dovecotAccount(d, user)
	_, cfg.Port = hostPort(p.addr)
	box, _ := newTestMailbox(t, Config{IMAP: cfg})
	began := time.Now()
	runBox(t, box, sink)
	accepted(t, sink, rounds, rounds*box.imap.times.idle)
	t.Logf("%d rounds in %v, the longest wait is %v", rounds, time.Since(began).Round(time.Millisecond), box.imap.times.idle)
	if s := sink.State(); len(s.Accepted) != rounds || s.Attempts != rounds {
		t.Errorf("%d accepted in %d attempts", len(s.Accepted), s.Attempts)
	}
}
