package mailbox

import (
	"bytes"
	"context"
	"net/mail"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"

	"leadgate/channels/channeltest"
	"leadgate/channels/channeltest/mailserver"
	"leadgate/intake"
)

// TestConversationThroughRealServers sends a mail by SMTP through Postfix to Dovecot, takes
// it in by IMAP, and answers through Postfix to the partner's server, in the same thread.
func TestConversationThroughRealServers(t *testing.T) {
	partner := newSMTPSink(t)
	_, relay := hostPort(partner.addr)
	d := mailserver.StartDovecot(t, "")
	p := mailserver.StartPostfix(t, d.LMTP, relay)
	box, _ := newTestMailbox(t, Config{
		IMAP: dovecotAccount(d, testAddress), SMTP: &SMTP{Host: "127.0.0.1", Port: p.SMTP, TLS: TLSNone}, Canary: Canary{Every: time.Hour},
	})
	quick(box)
	box.canary.now = time.Now
	sink := channeltest.NewSink()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	done := make(chan error, 1)
	runCtx, stop := context.WithCancel(ctx)
	go func() { done <- box.Run(runCtx, sink) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	// The mailbox writes to itself first, and nobody but its health gets to see that.
	eventually(t, "the canary is back", 20*time.Second, func() bool { return !box.Health().CanarySeen.IsZero() })
	if h := box.Health(); h.CanaryLatency <= 0 || h.CanaryLatency > 10*time.Second || sink.State().Attempts != 0 {
		t.Errorf("%d stored, %+v", sink.State().Attempts, h)
	}
	if _, err := deliver(mailserver.Loopback(p.SMTP), ProtocolSMTP, "jane@partner.example", []string{testAddress}, leadMail(1, "New lead: Grün")); err != nil {
		t.Fatal(err)
	}
	s, err := sink.Wait(ctx, func(s channeltest.State) bool { return len(s.Accepted) == 1 })
	if err != nil {
		t.Fatal(err)
	}
	sub := s.Accepted[0]
	msg := intake.Message{
		ID: "LG-2026-000001-K.1", Kind: intake.MessageReceived, To: sub.Reply, At: testNow,
		Facts: intake.Facts{Case: "LG-2026-000001-K", Program: "Vendor", Status: intake.StatusInReview, Zone: "UTC", Received: sub.ReceivedAt},
	}
	if _, err := box.Reply(ctx, msg); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the answer arrives", 20*time.Second, func() bool { return len(partner.all()) == 1 })
	got := partner.all()[0]
	answer, err := mail.ReadMessage(bytes.NewReader(got.Data))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.To) != 1 || got.To[0] != "jane@partner.example" {
		t.Errorf("went to %q", got.To)
	}
	if h := answer.Header.Get("In-Reply-To"); h != "<lead-1@partner.example>" {
		t.Errorf("In-Reply-To: %s", h)
	}
	// The partner answers: the thread is proven by our Message-ID alone.
	reply := mailOf("From: Jane Partner <jane@partner.example>", "To: "+testAddress, "Subject: Re: something else", "Message-ID: <again@partner.example>",
		"In-Reply-To: "+answer.Header.Get("Message-Id"), "Date: Mon, 23 Nov 2026 10:00:00 +0000", "", "Country: Austria")
	if _, err := deliver(mailserver.Loopback(p.SMTP), ProtocolSMTP, "jane@partner.example", []string{"partners+tag@vendor.example"}, reply); err != nil {
		t.Fatal(err)
	}
	if s, err = sink.Wait(ctx, func(s channeltest.State) bool { return len(s.Accepted) == 2 }); err != nil {
		t.Fatal(err)
	}
	if c := s.Accepted[1].Case; c != "LG-2026-000001-K" {
		t.Errorf("continues %q", c)
	}
	// The partner's server refuses the next answer: the report of it is set aside.
	partner.mu.Lock()
	partner.refuse = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	partner.mu.Unlock()
	msg.ID = "LG-2026-000001-K.2"
	if _, err := box.Reply(ctx, msg); err != nil {
		t.Fatal(err)
	}
	if s, err = sink.Wait(ctx, func(s channeltest.State) bool { return len(s.Asides) == 1 }); err != nil {
		t.Fatal(err)
	}
	if a := s.Asides[0]; a.Reason != intake.AsideBounce {
		t.Errorf("%+v", a)
	}
	eventually(t, "all are filed", 10*time.Second, func() bool {
		all := &imap.SearchCriteria{}
		return d.Count(t, testAddress, "INBOX", all) == 0 && d.Count(t, testAddress, "Processed", all) == 3 && d.Count(t, testAddress, "Set aside", all) == 1
	})
}

// TestPostfixKeepsWhatIsNotStored delivers from Postfix straight to us by LMTP: while the
// store is down Postfix keeps the mail in its queue and brings it again.
func TestPostfixKeepsWhatIsNotStored(t *testing.T) {
	mailserver.Require(t, "postfix")
	box, _ := newTestMailbox(t, Config{Direct: &Direct{Listen: "127.0.0.1:0", Protocol: ProtocolLMTP}})
	if err := box.Listen(); err != nil {
		t.Fatal(err)
	}
	_, lmtp := hostPort(box.Addrs()[0])
	p := mailserver.StartPostfix(t, lmtp, mailserver.FreePort(t))
	sink := channeltest.NewSink()
	sink.FailNext(1)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	runCtx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- box.Run(runCtx, sink) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	if _, err := deliver(mailserver.Loopback(p.SMTP), ProtocolSMTP, "jane@partner.example", []string{testAddress}, leadMail(1, "New lead")); err != nil {
		t.Fatal(err)
	}
	s, err := sink.Wait(ctx, func(s channeltest.State) bool { return len(s.Accepted) == 1 })
	if err != nil {
		t.Fatal(err)
	}
	if s.Attempts != 2 {
		t.Errorf("%d attempts", s.Attempts)
	}
}
