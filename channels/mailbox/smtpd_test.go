package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"leadgate/channels/channeltest"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
)

// runDirect starts a mailbox that is delivered to, after prepare had a look at it.
func runDirect(t *testing.T, cfg Config, prepare ...func(*Mailbox)) (*Mailbox, *channeltest.Sink) {
	t.Helper()
	if cfg.Direct == nil {
		cfg.Direct = &Direct{Listen: "127.0.0.1:0"}
	}
	m, _ := newTestMailbox(t, cfg)
	for _, f := range prepare {
		f(m)
	}
	if err := m.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sink := channeltest.NewSink()
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, sink) }()
	// Run is serving once it greets.
	eventually(t, "it greets", 5*time.Second, func() bool {
		conn, err := net.Dial(network(m), m.Addrs()[0])
		if err != nil {
			return false
		}
		defer conn.Close()
		buf := make([]byte, 3)
		conn.SetReadDeadline(time.Now().Add(time.Second))
		_, err = conn.Read(buf)
		return err == nil
	})
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return m, sink
}

func network(m *Mailbox) string {
	if strings.HasPrefix(m.cfg.Direct.Listen, "unix:") {
		return "unix"
	}
	return "tcp"
}

func status(err error) int {
	var s *smtp.SMTPError
	if errors.As(err, &s) {
		return s.Code
	}
	return 0
}

func TestReplyNamesTheCaseToProvenSendersOnly(t *testing.T) {
	for mode, want := range map[senderauth.Mode]string{senderauth.ModeNone: "accepted as LG-2026-000001-K", senderauth.ModeUnset: "accepted"} {
		for _, p := range []Protocol{ProtocolSMTP, ProtocolLMTP} {
			m, _ := runDirect(t, Config{Direct: &Direct{Listen: "127.0.0.1:0", Protocol: p}, SenderProof: senderauth.Config{Mode: mode}})
			got, err := deliver(m.Addrs()[0], p, "jane@partner.example", []string{testAddress}, leadMail(1, "x"))
			if err != nil || !strings.HasSuffix(got, want) || (mode == senderauth.ModeUnset) == strings.Contains(got, "LG-") {
				t.Errorf("%s by %s: %q, %v", mode, p, got, err)
			}
		}
	}
}

func TestOnlyOwnAddressesAreTaken(t *testing.T) {
	m, sink := runDirect(t, Config{OwnAddresses: []string{"leads@vendor.example"}})
	for to, want := range map[string]int{
		testAddress: 0, "PARTNERS+tag@Vendor.Example": 0, "leads@vendor.example": 0,
		"other@vendor.example": 550, "partners@other.example": 550, "partners+x@other.example": 550, "partnersx@vendor.example": 550,
	} {
		_, err := deliver(m.Addrs()[0], ProtocolSMTP, "jane@partner.example", []string{to}, leadMail(len(to), "x"))
		if status(err) != want || want == 0 && err != nil {
			t.Errorf("%s: %v, want %d", to, err, want)
		}
	}
	if n := len(sink.State().Accepted); n != 3 {
		t.Errorf("%d accepted", n)
	}
}

func TestLMTPAnswersEachRecipient(t *testing.T) {
	m, sink := runDirect(t, Config{Direct: &Direct{Listen: "127.0.0.1:0", Protocol: ProtocolLMTP}})
	conn, err := net.Dial("tcp", m.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := smtp.NewClientLMTP(conn)
	if err := c.Mail("jane@partner.example", nil); err != nil {
		t.Fatal(err)
	}
	to := []string{testAddress, "partners+a@vendor.example"}
	for _, rcpt := range to {
		if err := c.Rcpt(rcpt, nil); err != nil {
			t.Fatal(err)
		}
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	w.Write(leadMail(1, "x"))
	each, err := w.CloseWithLMTPResponse()
	if err != nil || len(each) != 2 {
		t.Errorf("%d answers, %v", len(each), err)
	}
	if n := len(sink.State().Accepted); n != 1 {
		t.Errorf("%d accepted", n)
	}
}

func TestRedeliveryOfTheSameMailIsOneCase(t *testing.T) {
	m, sink := runDirect(t, Config{})
	for range 3 {
		if _, err := deliver(m.Addrs()[0], ProtocolSMTP, "jane@partner.example", []string{testAddress}, leadMail(1, "x")); err != nil {
			t.Fatal(err)
		}
	}
	s := sink.State()
	if len(s.Accepted) != 1 || !strings.HasPrefix(s.Accepted[0].Key, "smtp:") || s.Accepted[0].Deliberate || !s.Accepted[0].ReceivedAt.Equal(testNow) {
		t.Errorf("%d accepted: %+v", len(s.Accepted), s.Accepted)
	}
	bare := mailOf("From: jane@partner.example", "To: "+testAddress, "", "Company: Acme")
	for range 2 {
		if _, err := deliver(m.Addrs()[0], ProtocolSMTP, "jane@partner.example", []string{testAddress}, bare); err != nil {
			t.Fatal(err)
		}
	}
	if s = sink.State(); !s.Accepted[len(s.Accepted)-1].Deliberate {
		t.Error("a mail without a Message-ID is not deliberate")
	}
}

func TestEmptyEnvelopeSenderIsABounce(t *testing.T) {
	m, sink := runDirect(t, Config{})
	if _, err := deliver(m.Addrs()[0], ProtocolSMTP, "", []string{testAddress}, leadMail(1, "x")); err != nil {
		t.Fatal(err)
	}
	if s := sink.State(); len(s.Asides) != 1 || s.Asides[0].Reason != intake.AsideBounce {
		t.Errorf("%+v", s.Asides)
	}
}

func TestDirectDeliveryIsBounded(t *testing.T) {
	m, sink := runDirect(t, Config{Direct: &Direct{Listen: "127.0.0.1:0", MaxSize: 2000}})
	addr := m.Addrs()[0]
	if _, err := deliver(addr, ProtocolSMTP, "a@b.example", []string{testAddress}, bytes.Repeat([]byte("From: a@b.example\r\n"), 200)); status(err) != 552 {
		t.Errorf("too large: %v", err)
	}
	if _, err := deliver(addr, ProtocolSMTP, "a@b.example", []string{testAddress}, append([]byte("X: "), bytes.Repeat([]byte("y"), maxLine+10)...)); err == nil {
		t.Error("a line of any length is taken")
	} else if got := status(err); got != 0 && got < 500 {
		t.Errorf("a line that is too long is refused for the time being: %v", err)
	}
	var many []string
	for n := range maxRecipients + 1 {
		many = append(many, fmt.Sprintf("partners+%d@vendor.example", n))
	}
	if _, err := deliver(addr, ProtocolSMTP, "a@b.example", many, leadMail(1, "x")); status(err) != 452 {
		t.Errorf("too many recipients: %v", err)
	}
	if s := sink.State(); s.Attempts != 0 {
		t.Errorf("%d attempts", s.Attempts)
	}
}

func TestStrangeNetworksMayNotDeliver(t *testing.T) {
	m, sink := runDirect(t, Config{Direct: &Direct{Listen: "127.0.0.1:0", TrustedNetworks: []string{"10.0.0.0/8"}}})
	if _, err := deliver(m.Addrs()[0], ProtocolSMTP, "a@b.example", []string{testAddress}, leadMail(1, "x")); status(err) != 554 {
		t.Errorf("got %v", err)
	}
	if s := sink.State(); s.Attempts != 0 {
		t.Errorf("%d attempts", s.Attempts)
	}
}

func TestTrustedNetworkProvesTheSender(t *testing.T) {
	m, sink := runDirect(t, Config{
		Direct:      &Direct{Listen: "127.0.0.1:0", TrustedNetworks: []string{"127.0.0.0/8"}},
		SenderProof: senderauth.Config{Mode: senderauth.ModeNetworks},
	})
	if _, err := deliver(m.Addrs()[0], ProtocolSMTP, "a@b.example", []string{testAddress}, leadMail(1, "x")); err != nil {
		t.Fatal(err)
	}
	if got := sink.State().Accepted[0].Sender; got.Strength != intake.StrengthDomain || !strings.Contains(got.How, "127.0.0.1") {
		t.Errorf("%+v", got)
	}
}

func TestLocalSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lmtp")
	m, sink := runDirect(t, Config{Direct: &Direct{Listen: "unix:" + path, Protocol: ProtocolLMTP}, SenderProof: senderauth.Config{Mode: senderauth.ModeResults, AuthservID: "mx"}})
	conn, err := net.Dial("unix", m.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := smtp.NewClientLMTP(conn)
	if err := c.SendMail("a@b.example", []string{testAddress}, bytes.NewReader(append([]byte("Authentication-Results: mx; dmarc=pass\r\n"), leadMail(1, "x")...))); err != nil {
		t.Fatal(err)
	}
	if got := sink.State().Accepted[0].Sender.Strength; got != intake.StrengthDomain {
		t.Errorf("strength %s", got)
	}
}

func TestManyDeliveriesAtOnce(t *testing.T) {
	m, sink := runDirect(t, Config{})
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			if _, err := deliver(m.Addrs()[0], ProtocolSMTP, "a@b.example", []string{testAddress}, leadMail(n, "x")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := len(sink.State().Accepted); n != 40 {
		t.Errorf("%d accepted", n)
	}
}

func TestEndWhileTheStoreHangsTellsTheServerToTryAgain(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	if err := m.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	sink := channeltest.NewSink()
	defer sink.Hold()()
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, sink) }()
	delivered := make(chan error, 1)
	go func() {
		_, err := deliver(m.Addrs()[0], ProtocolSMTP, "a@b.example", []string{testAddress}, leadMail(1, "x"))
		delivered <- err
	}()
	if _, err := sink.Wait(t.Context(), func(s channeltest.State) bool { return s.Attempts == 1 }); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
	if err := <-delivered; err == nil {
		t.Error("acknowledged without being stored")
	}
}
