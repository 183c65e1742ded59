package mailbox

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leadgate/channels/channeltest"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
)

// faultyDNS does not answer until it is mended; then it knows no name.
type faultyDNS struct {
	senderauth.Resolver
	mended atomic.Bool
	asked  atomic.Int64
}

func (d *faultyDNS) LookupTXT(_ context.Context, name string) ([]string, error) {
	d.asked.Add(1)
	return nil, &net.DNSError{Err: "no answer", Name: name, IsTemporary: !d.mended.Load(), IsNotFound: d.mended.Load()}
}

// checks makes a mailbox ask d.
func (d *faultyDNS) checks(t *testing.T, cfg senderauth.Config) func(*Mailbox) {
	return func(m *Mailbox) {
		proof, err := senderauth.NewWithOptions(cfg, senderauth.Options{Resolver: d})
		if err != nil {
			t.Fatal(err)
		}
		m.proof = proof
	}
}

// signedMail bears a DKIM signature that is worth nothing once its key can be asked for.
func signedMail(date time.Time, id string) []byte {
	return mailOf(
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=partner.example; s=k; h=from:subject; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA",
		"From: Jo Partner <jo@partner.example>", "To: "+testAddress, "Subject: New lead",
		"Date: "+date.Format(time.RFC1123Z), "Message-ID: <"+id+"@partner.example>", "", "Company: Acme", "Website: acme.example")
}

func handOver(m *Mailbox, raw []byte) error {
	_, err := deliver(m.Addrs()[0], ProtocolSMTP, "jo@partner.example", []string{testAddress}, raw)
	return err
}

func TestAMailWhoseSenderCanNotBeCheckedNowIsLeftWithTheServerThatDeliversIt(t *testing.T) {
	dns := &faultyDNS{}
	m, sink := runDirect(t, Config{}, dns.checks(t, senderauth.Config{Mode: senderauth.ModeDirect}))
	if err := handOver(m, signedMail(testNow.Add(-time.Minute), "1")); status(err) != 451 || !strings.Contains(err.Error(), "does not answer") {
		t.Fatalf("while the DNS is silent: %v", err)
	}
	if s := sink.State(); len(s.Accepted)+len(s.Asides) != 0 {
		t.Fatalf("taken in: %+v", s)
	}
	for name, date := range map[string]time.Time{"of yesterday": testNow.Add(-24 * time.Hour), "of next week": testNow.Add(7 * 24 * time.Hour)} {
		if err := handOver(m, signedMail(date, strings.ReplaceAll(name, " ", "-"))); err != nil {
			t.Errorf("a mail %s: %v", name, err)
		}
	}
	dns.mended.Store(true)
	if err := handOver(m, signedMail(testNow.Add(-time.Minute), "1")); err != nil {
		t.Fatal(err)
	}
	if s := sink.State(); len(s.Accepted) != 3 || s.Accepted[2].Sender.Strength != intake.StrengthUnverified {
		t.Errorf("taken in: %+v", s.Accepted)
	}
}

func TestAMailWhoseSenderCanNotBeCheckedNowStaysInTheFolderAndKeepsNoOtherOut(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	dns := &faultyDNS{}
	for i := range 2 * maxAgain {
		server.append(t, signedMail(testNow, string(rune('a'+i))))
	}
	server.append(t, robotMail(1))
	r := runIMAP(t, server, server.addr, func(m *Mailbox) {
		m.imap.times.idle = 20 * time.Millisecond
		dns.checks(t, senderauth.Config{Mode: senderauth.ModeResults, AuthservID: "mx.vendor.example", VerifyDKIM: true})(m)
	})
	r.wait(t, func(s channeltest.State) bool { return len(s.Asides) == 1 })
	before := dns.asked.Load()
	eventually(t, "they are tried again", 10*time.Second, func() bool { return dns.asked.Load() > before })
	if s := r.sink.State(); len(s.Accepted) != 0 {
		t.Fatalf("taken in: %+v", s.Accepted)
	}
	dns.mended.Store(true)
	r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 2*maxAgain })
	r.filed(t, 2*maxAgain, 1, 0)
}
