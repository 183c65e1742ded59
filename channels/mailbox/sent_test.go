package mailbox

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"leadgate/channels/channeltest"
	"leadgate/channels/channeltest/mailserver"
)

// withCopies is a mailbox that answers into a sink and keeps copies.
func withCopies(t *testing.T, cfg *IMAP) (*Mailbox, *smtpSink, *logs) {
	t.Helper()
	out := newSMTPSink(t)
	cfg.SentFolder = "Sent"
	box, logs := newTestMailbox(t, Config{IMAP: cfg, SMTP: out.config()})
	runBox(t, box, channeltest.NewSink())
	return box, out, logs
}

func (s *smtpSink) awaitAnswer(t *testing.T, box *Mailbox, n int) {
	t.Helper()
	if _, err := box.Reply(t.Context(), testMessage()); err != nil {
		t.Errorf("answer %d: %v", n, err)
	}
	if len(s.all()) != n {
		t.Errorf("%d answers have arrived, want %d", len(s.all()), n)
	}
}

func TestACopyOfEachAnswerLiesInTheSentFolderAsRead(t *testing.T) {
	d := mailserver.StartDovecot(t, "")
	box, out, logs := withCopies(t, dovecotAccount(d, testAddress))
	for n := range 3 {
		out.awaitAnswer(t, box, n+1)
	}
	eventually(t, "the copies are made", 10*time.Second, func() bool {
		return d.Count(t, testAddress, "Sent", &imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}) == 3
	})
	c := d.Login(t, testAddress)
	defer c.Close()
	if _, err := c.Select("Sent", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	whole := &imap.FetchItemBodySection{Peek: true}
	got, err := c.Fetch(imap.SeqSetNum(1), &imap.FetchOptions{BodySection: []*imap.FetchItemBodySection{whole}}).Collect()
	if err != nil || len(got) != 1 || !bytes.Equal(got[0].FindBodySection(whole), out.all()[0].Data) {
		t.Errorf("the copy is not what was sent: %v", err)
	}
	if strings.Contains(logs.String(), "WARN") {
		t.Errorf("warned of nothing:\n%s", logs)
	}
}

func TestAnAnswerIsSentEvenIfNoCopyCanBeKept(t *testing.T) {
	big := mailOf("From: jane@partner.example", "Subject: big", "Message-ID: <big@x>", "", "Company: Acme", strings.Repeat("x", 30_000))
	for name, tt := range map[string]struct {
		extra  string
		fill   func(t *testing.T, d *mailserver.Dovecot)
		reason string
	}{
		"the account is full": {mailserver.Quota("25K"), func(t *testing.T, d *mailserver.Dovecot) {
			d.Fill(t, testAddress, 1, string(keywordDone), func(int) []byte { return big })
		}, "OVERQUOTA"},
		"the disk is full": {"", func(t *testing.T, d *mailserver.Dovecot) {
			d.LimitDisk(t, "1m")
			d.Count(t, testAddress, "INBOX", &imap.SearchCriteria{}) // makes the account
			d.FillDisk(t)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := mailserver.StartDovecot(t, tt.extra)
			tt.fill(t, d)
			box, out, logs := withCopies(t, dovecotAccount(d, testAddress))
			out.awaitAnswer(t, box, 1)
			eventually(t, "a warning is logged", 10*time.Second, func() bool {
				return strings.Contains(logs.String(), "no copy of it is kept") && strings.Contains(logs.String(), tt.reason)
			})
			if strings.Contains(logs.String(), "level=ERROR") {
				t.Errorf("it is more than a warning:\n%s", logs)
			}
			out.awaitAnswer(t, box, 2)
		})
	}
}

// The answer waits neither for a server that says nothing nor for the copies before it.
func TestACopyThatHangsHoldsNoAnswerUp(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	p := newProxy(t, server.addr, nil)
	close(p.stall)
	box, out, logs := withCopies(t, imapConfig(p.addr))
	began := time.Now()
	for n := range maxCopies + 5 {
		out.awaitAnswer(t, box, n+1)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the answers took %v", took)
	}
	if n := strings.Count(logs.String(), "too many answers wait"); n < 4 {
		t.Errorf("%d copies were given up, want those above %d", n, maxCopies)
	}
}
