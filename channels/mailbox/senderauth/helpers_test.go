package senderauth

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// zone is a resolver that knows what a test says. What it does not know does not exist.
type zone struct {
	txt   map[string][]string
	ip    map[string][]string
	mx    map[string][]string
	fail  map[string]bool // no answer now
	hang  bool            // until ctx is done
	asked atomic.Int32
}

var _ Resolver = (*zone)(nil)

func (z *zone) ask(ctx context.Context, name string, known bool) error {
	z.asked.Add(1)
	switch {
	case z.hang:
		<-ctx.Done()
		return ctx.Err()
	case z.fail[name]:
		return &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	case !known:
		return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return nil
}

func (z *zone) LookupTXT(ctx context.Context, name string) ([]string, error) {
	out, ok := z.txt[name]
	return out, z.ask(ctx, name, ok)
}

func (z *zone) LookupMX(ctx context.Context, name string) (out []*net.MX, err error) {
	hosts, ok := z.mx[name]
	for _, h := range hosts {
		out = append(out, &net.MX{Host: h})
	}
	return out, z.ask(ctx, name, ok)
}

func (z *zone) LookupIPAddr(ctx context.Context, host string) (out []net.IPAddr, err error) {
	ips, ok := z.ip[host]
	for _, ip := range ips {
		out = append(out, net.IPAddr{IP: net.ParseIP(ip)})
	}
	return out, z.ask(ctx, host, ok)
}

func (z *zone) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return nil, z.ask(ctx, addr, false)
}

var (
	goodKey = sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return key
	})
	edKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
)

func keyRecord(t *testing.T, public crypto.PublicKey) string {
	t.Helper()
	kind, der := "ed25519", []byte(nil)
	if p, ok := public.(ed25519.PublicKey); ok {
		der = p
	} else {
		var err error
		kind = "rsa"
		if der, err = x509.MarshalPKIXPublicKey(public); err != nil {
			t.Fatal(err)
		}
	}
	return "v=DKIM1; k=" + kind + "; p=" + base64.StdEncoding.EncodeToString(der)
}

// domains is a zone in which the partner, a subdomain of it and a mailing service sign with
// goodKey.
func domains(t *testing.T) *zone {
	t.Helper()
	z := &zone{txt: make(map[string][]string), ip: make(map[string][]string), mx: make(map[string][]string), fail: make(map[string]bool)}
	for _, d := range []string{"partner.example", "mail.partner.example", "mailer.example"} {
		z.txt["a._domainkey."+d] = []string{keyRecord(t, goodKey().Public())}
	}
	z.txt["ed._domainkey.partner.example"] = []string{keyRecord(t, edKey.Public())}
	z.txt["revoked._domainkey.partner.example"] = []string{"v=DKIM1; p="}
	return z
}

const plainMail = "From: Jane Doe <jane@partner.example>\r\nTo: partners@vendor.example\r\nSubject: New lead\r\n" +
	"Message-ID: <1@partner.example>\r\nDate: Mon, 23 Nov 2026 08:00:00 +0000\r\n\r\nCompany: Acme GmbH\r\n"

// signed returns a mail with a signature of go-msgauth on top.
func signed(t *testing.T, mail, domain string, change ...func(*dkim.SignOptions)) string {
	t.Helper()
	o := &dkim.SignOptions{
		Domain: domain, Selector: "a", Signer: goodKey(), HeaderKeys: []string{"From", "To", "Subject", "Message-ID", "Date"},
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	}
	for _, f := range change {
		f(o)
	}
	var b bytes.Buffer
	if err := dkim.Sign(&b, strings.NewReader(mail), o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// handSigned signs as go-msgauth refuses to, over the header fields in fields and the body
// as they are. tags are further ones: "l=5; ".
func handSigned(t *testing.T, mail, selector string, key *rsa.PrivateKey, hash crypto.Hash, tags string, length int, fields ...string) string {
	t.Helper()
	header, body, _ := strings.Cut(mail, "\r\n\r\n")
	digest := func(s string) []byte {
		h := hash.New()
		io.WriteString(h, s)
		return h.Sum(nil)
	}
	name := map[crypto.Hash]string{crypto.SHA1: "rsa-sha1", crypto.SHA256: "rsa-sha256"}[hash]
	signature := fmt.Sprintf("DKIM-Signature: v=1; a=%s; d=partner.example; s=%s; h=%s; bh=%s; %sb=", name, selector,
		strings.Join(fields, ":"), base64.StdEncoding.EncodeToString(digest(body[:length])), tags)
	var data string
	for _, f := range fields {
		for line := range strings.SplitSeq(header, "\r\n") {
			if strings.HasPrefix(line, f+":") {
				data += line + "\r\n"
			}
		}
	}
	b, err := rsa.SignPKCS1v15(rand.Reader, key, hash, digest(data+signature))
	if err != nil {
		t.Fatal(err)
	}
	return signature + base64.StdEncoding.EncodeToString(b) + "\r\n" + mail
}

func check(t *testing.T, cfg Config, r Resolver, mail string, e Envelope) Verdict {
	t.Helper()
	return checkRaw(t, cfg, r, mail, strings.NewReader(mail), e)
}

func checkRaw(t *testing.T, cfg Config, r Resolver, mail string, raw io.ReadSeeker, e Envelope) Verdict {
	t.Helper()
	c, err := NewWithOptions(cfg, Options{Resolver: r})
	if err != nil {
		t.Fatal(err)
	}
	p, err := mailparse.Parse(strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	return c.Check(t.Context(), &p, raw, e)
}

// expect compares a verdict; how is part of its words.
func expect(t *testing.T, v Verdict, proven bool, how string) {
	t.Helper()
	want := map[bool]intake.Strength{true: intake.StrengthDomain, false: intake.StrengthUnverified}[proven]
	if v.Strength != want || !strings.Contains(v.How, how) || v.How == "" {
		t.Errorf("%s (%s), want %s (…%s…)", v.Strength, v.How, want, how)
	}
	if v.Temporary && proven {
		t.Error("proven, and only for now")
	}
}

var sendersServer = netip.MustParseAddr("192.0.2.25")
