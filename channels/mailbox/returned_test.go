package mailbox

import (
	"context"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"leadgate/channels/channeltest"
	"leadgate/channels/channeltest/mailserver"
	"leadgate/intake"
)

// TestPostfixBringsBouncesAndAnswersToTheirAddresses sends answers through a real mail server
// to a partner's that takes one and refuses the other. The report comes to the return path of
// its own, and the partner's answer to the Reply-To, without any other trace of the thread.
func TestPostfixBringsBouncesAndAnswersToTheirAddresses(t *testing.T) {
	mailserver.Require(t, "postfix")
	partner := newSMTPSink(t)
	_, relay := hostPort(partner.addr)
	in, _ := newTestMailbox(t, Config{Direct: &Direct{Listen: "127.0.0.1:0", Protocol: ProtocolLMTP}})
	if err := in.Listen(); err != nil {
		t.Fatal(err)
	}
	_, lmtp := hostPort(in.Addrs()[0])
	p := mailserver.StartPostfix(t, lmtp, relay)
	out, _ := newTestMailbox(t, Config{SMTP: &SMTP{Host: "127.0.0.1", Port: p.SMTP, TLS: TLSNone}})
	sink := channeltest.NewSink()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	runCtx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- in.Run(runCtx, sink) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}()

	msg := testMessage()
	if _, err := out.Reply(ctx, msg); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the answer arrives", 20*time.Second, func() bool { return len(partner.all()) == 1 })
	answer := parsed(t, string(partner.all()[0].Data))
	reply := mailOf("From: Jane Partner <jane@partner.example>", "To: "+answer.ReplyTo[0].Address, "Subject: something else", "", "Country: Austria")
	if _, err := deliver(mailserver.Loopback(p.SMTP), ProtocolSMTP, "jane@partner.example", []string{answer.ReplyTo[0].Address}, reply); err != nil {
		t.Fatal(err)
	}
	s, err := sink.Wait(ctx, func(s channeltest.State) bool { return len(s.Accepted) == 1 })
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Accepted[0].Case; got != msg.Facts.Case {
		t.Errorf("continues %q", got)
	}

	partner.mu.Lock()
	partner.refuse = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	partner.mu.Unlock()
	msg.ID = "LG-2026-000123-K.3"
	if _, err := out.Reply(ctx, msg); err != nil {
		t.Fatal(err)
	}
	if s, err = sink.Wait(ctx, func(s channeltest.State) bool { return len(s.Asides) == 1 }); err != nil {
		t.Fatal(err)
	}
	d := s.Asides[0].Delivery
	if s.Asides[0].Reason != intake.AsideBounce || d == nil || d.Message != msg.ID || !d.Failed || d.Status != "5.1.1" || d.Recipient != "jane@partner.example" {
		t.Errorf("%+v, delivery %+v", s.Asides[0], d)
	}
}
