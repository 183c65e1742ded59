package senderauth

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// from is a delivery by the partner's mail server with an envelope sender.
func from(sender string) Envelope {
	return Envelope{Direct: true, IP: sendersServer, Hello: "out.partner.example", MailFrom: sender}
}

func TestSPFThatWeCheck(t *testing.T) {
	const jane = "jane@partner.example"
	for name, tt := range map[string]struct {
		spf  string // of partner.example
		peer Envelope
		ok   bool
		how  string
	}{
		"the partner's server":              {"v=spf1 ip4:192.0.2.0/24 -all", from(jane), true, "spf=pass for partner.example, checked here"},
		"an IPv4 address within IPv6":       {"v=spf1 ip4:192.0.2.0/24 -all", Envelope{Direct: true, IP: netip.MustParseAddr("::ffff:192.0.2.25"), MailFrom: jane}, true, "spf=pass"},
		"by the name of the mail server":    {"v=spf1 mx -all", from(jane), true, "spf=pass"},
		"by an included domain":             {"v=spf1 include:mailer.example -all", from(jane), true, "spf=pass"},
		"a stranger's server":               {"v=spf1 ip4:198.51.100.0/24 -all", from(jane), false, "spf=fail for partner.example"},
		"softfail":                          {"v=spf1 ~all", from(jane), false, "spf=softfail"},
		"neutral":                           {"v=spf1 ?all", from(jane), false, "spf=neutral"},
		"no record":                         {"google-site-verification=x", from(jane), false, "spf=none"},
		"a damaged record":                  {"v=spf1 ip4:192.0.2.0/99 -all", from(jane), false, "spf=permerror"},
		"a record that lets everybody":      {"v=spf1 +all", from(jane), false, "lets everybody send"},
		"it includes one that does":         {"v=spf1 include:open.example -all", from(jane), false, "lets everybody send"},
		"a subdomain in the envelope":       {"v=spf1 -all", from("bounce@mail.partner.example"), true, "spf=pass for mail.partner.example"},
		"an envelope of another domain":     {"v=spf1 ip4:192.0.2.0/24 -all", from("x@mailer.example"), false, "the envelope sender is of mailer.example"},
		"a forwarder rewrote the envelope":  {"v=spf1 ip4:192.0.2.0/24 -all", from("SRS0=HHH=TT=partner.example=jane@mailer.example"), false, "the envelope sender is of mailer.example"},
		"a forwarder did not":               {"v=spf1 ip4:198.51.100.0/24 -all", from(jane), false, "spf=fail"},
		"an envelope with a second @":       {"v=spf1 ip4:192.0.2.0/24 -all", from(`"x@mailer.example"@partner.example`), false, "has no domain"},
		"an envelope without a domain":      {"v=spf1 ip4:192.0.2.0/24 -all", from("jane"), false, "has no domain"},
		"no envelope sender, but a name":    {"v=spf1 -all", Envelope{Direct: true, IP: sendersServer, Hello: "mail.partner.example"}, true, "spf=pass for mail.partner.example"},
		"no envelope sender, no name":       {"v=spf1 ip4:192.0.2.0/24 -all", Envelope{Direct: true, IP: sendersServer}, false, "has no domain"},
		"a mail server on this machine":     {"v=spf1 ip4:127.0.0.1 -all", Envelope{Direct: true, IP: netip.MustParseAddr("127.0.0.1"), MailFrom: jane}, false, "no server of a sender"},
		"a mail server of our own network":  {"v=spf1 ip4:10.0.0.0/8 -all", Envelope{Direct: true, IP: netip.MustParseAddr("10.1.2.3"), MailFrom: jane}, false, "no server of a sender"},
		"a relay of ours":                   {"v=spf1 ip4:203.0.113.0/24 -all", Envelope{Direct: true, IP: netip.MustParseAddr("203.0.113.9"), MailFrom: jane}, false, "no server of a sender"},
		"a local socket":                    {"v=spf1 ip4:192.0.2.0/24 -all", Envelope{Direct: true, MailFrom: jane}, false, "a local socket"},
		"fetched mail":                      {"v=spf1 ip4:192.0.2.0/24 -all", Envelope{}, false, "the mail was fetched"},
		"a record that asks without end":    {"v=spf1 mx:m1.example mx:m2.example mx:m3.example mx:m4.example mx:m5.example mx:m6.example mx:m7.example -all", from(jane), false, "too much of the DNS"},
		"a record that refers to itself":    {"v=spf1 include:partner.example -all", from(jane), false, "spf=permerror"},
		"a record that is far too long":     {"v=spf1 " + strings.Repeat("ip4:198.51.100.1 ", 500) + "ip4:192.0.2.25 -all", from(jane), false, "spf=none"},
		"an address in the macro language":  {"v=spf1 exists:%{l}.allowed.example -all", from("jane@partner.example"), true, "spf=pass"},
		"a bad address for the same record": {"v=spf1 exists:%{l}.allowed.example -all", from("evil@partner.example"), false, "spf=fail"},
	} {
		t.Run(name, func(t *testing.T) {
			z := domains(t)
			z.txt["partner.example"] = []string{"unrelated", tt.spf}
			z.txt["mailer.example"] = []string{"v=spf1 ip4:192.0.2.0/24 -all"}
			z.txt["mail.partner.example"] = z.txt["mailer.example"]
			z.txt["open.example"] = []string{"v=spf1 all"}
			z.mx["partner.example"] = []string{"mx.partner.example"}
			z.ip["mx.partner.example"] = []string{"192.0.2.25"}
			z.ip["jane.allowed.example"] = []string{"127.0.0.2"}
			for i := range 7 {
				for j := range 10 {
					host := "h" + strconv.Itoa(j) + ".example"
					z.mx["m"+strconv.Itoa(i+1)+".example"] = append(z.mx["m"+strconv.Itoa(i+1)+".example"], host)
					z.ip[host] = []string{"198.51.100.7"}
				}
			}
			v := check(t, Config{Mode: ModeDirect, TrustedNetworks: []string{"203.0.113.0/24"}}, z, plainMail, tt.peer)
			expect(t, v, tt.ok, tt.how)
			if n := z.asked.Load(); v.Temporary || n > maxLookups {
				t.Errorf("temporary: %v, asked %d times", v.Temporary, n)
			}
		})
	}
}

func TestThePolicyOfTheDomainIsKept(t *testing.T) {
	const spf = "v=spf1 ip4:192.0.2.0/24 -all"
	signedBySubdomain, plain := signed(t, plainMail, "mail.partner.example"), plainMail
	sub := strings.Replace(plainMail, "jane@partner", "jane@crm.partner", 1)
	stranger := Envelope{Direct: true, IP: netip.MustParseAddr("198.51.100.1"), MailFrom: "x@evil.example"}
	subSPF := from("x@mail.partner.example")
	for name, tt := range map[string]struct {
		mail string
		peer Envelope
		txt  map[string]string // of the names below _dmarc
		ok   bool
		how  string
	}{
		"p=reject":                                  {plain, stranger, map[string]string{"partner.example": "v=DMARC1; p=reject"}, false, "partner.example asks to reject such mail"},
		"p=quarantine":                              {plain, stranger, map[string]string{"partner.example": "v=DMARC1; p=quarantine; rua=mailto:x@partner.example"}, false, "asks to quarantine"},
		"p=none asks for nothing":                   {plain, stranger, map[string]string{"partner.example": "v=DMARC1; p=none"}, false, "the envelope sender is of evil.example"},
		"a subdomain has its organisation's":        {sub, stranger, map[string]string{"partner.example": "v=DMARC1; p=reject"}, false, "partner.example asks to reject"},
		"an organisation's word for its subdomains": {sub, stranger, map[string]string{"partner.example": "v=DMARC1; p=none; sp=quarantine"}, false, "asks to quarantine"},
		"a subdomain's own comes first":             {sub, stranger, map[string]string{"crm.partner.example": "v=DMARC1; p=quarantine", "partner.example": "v=DMARC1; p=reject"}, false, "crm.partner.example asks to quarantine"},
		"relaxed DKIM":                              {signedBySubdomain, stranger, map[string]string{"partner.example": "v=DMARC1; p=reject; aspf=s"}, true, "dkim=pass for mail.partner.example"},
		"strict DKIM":                               {signedBySubdomain, stranger, map[string]string{"partner.example": "v=DMARC1; p=reject; adkim=s"}, false, "partner.example accepts no other domain"},
		"strict DKIM of the very domain":            {signed(t, plainMail, "partner.example"), stranger, map[string]string{"partner.example": "v=DMARC1; p=reject; adkim=s"}, true, "dkim=pass for partner.example"},
		"strict DKIM, of two signatures":            {signed(t, signed(t, plainMail, "partner.example"), "mail.partner.example"), stranger, map[string]string{"partner.example": "v=DMARC1; p=reject; adkim=s"}, true, "dkim=pass for partner.example"},
		"strict DKIM, and SPF of the very domain":   {signedBySubdomain, from("jane@partner.example"), map[string]string{"partner.example": "v=DMARC1; p=reject; adkim=s"}, true, "spf=pass for partner.example"},
		"relaxed SPF":                               {plain, subSPF, map[string]string{"partner.example": "v=DMARC1; p=reject; adkim=s"}, true, "spf=pass for mail.partner.example"},
		"strict SPF":                                {plain, subSPF, map[string]string{"partner.example": "v=DMARC1; p=reject; aspf=s"}, false, "accepts no other domain"},
		"strict SPF, relaxed DKIM":                  {signedBySubdomain, subSPF, map[string]string{"partner.example": "v=DMARC1; p=reject; aspf=s"}, true, "dkim=pass for mail.partner.example"},
		"a damaged policy is none":                  {signedBySubdomain, stranger, map[string]string{"partner.example": "v=DMARC1; p=maybe; adkim=s"}, true, "dkim=pass"},
		"a policy of a stranger's name is none":     {plain, stranger, map[string]string{"evil.example": "v=DMARC1; p=reject"}, false, "no aligned DKIM signature"},
	} {
		t.Run(name, func(t *testing.T) {
			z := domains(t)
			for _, d := range []string{"partner.example", "mail.partner.example", "evil.example"} {
				z.txt[d] = []string{spf}
			}
			for d, txt := range tt.txt {
				z.txt["_dmarc."+d] = []string{"unrelated", txt}
			}
			v := check(t, Config{Mode: ModeDirect}, z, tt.mail, tt.peer)
			expect(t, v, tt.ok, tt.how)
			if v.Temporary || tt.txt["partner.example"] == "v=DMARC1; p=none" && strings.Contains(v.How, "asks") {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestADNSThatDoesNotAnswerIsToldApart(t *testing.T) {
	good, bySub := signed(t, plainMail, "partner.example"), signed(t, plainMail, "mail.partner.example")
	for name, tt := range map[string]struct {
		mail      string
		peer      Envelope
		fail      []string
		ok        bool
		temporary bool
		how       string
	}{
		"no key":                             {good, Envelope{}, []string{"a._domainkey.partner.example"}, false, true, "could not be checked now: no key of partner.example"},
		"no key, but SPF":                    {good, from("jane@partner.example"), []string{"a._domainkey.partner.example"}, true, false, "spf=pass"},
		"no SPF":                             {plainMail, from("jane@partner.example"), []string{"partner.example"}, false, true, "SPF could not be checked now"},
		"no SPF, but a signature":            {good, from("jane@partner.example"), []string{"partner.example"}, true, false, "dkim=pass"},
		"no SPF of an included domain":       {plainMail, from("x@mail.partner.example"), []string{"included.example"}, false, true, "SPF could not be checked now"},
		"no policy, and a relaxed signature": {bySub, Envelope{}, []string{"_dmarc.partner.example"}, false, true, "policy could not be checked now"},
		"no policy, and a strict signature":  {good, Envelope{}, []string{"_dmarc.partner.example"}, true, false, "dkim=pass"},
		"no policy, and no proof":            {plainMail, Envelope{}, []string{"_dmarc.partner.example"}, false, false, "no aligned DKIM signature"},
		"no key of a stranger":               {signed(t, plainMail, "mailer.example"), Envelope{}, []string{"a._domainkey.mailer.example"}, false, false, "no aligned DKIM signature"},
	} {
		t.Run(name, func(t *testing.T) {
			z := domains(t)
			z.txt["partner.example"] = []string{"v=spf1 ip4:192.0.2.0/24 -all"}
			z.txt["mail.partner.example"] = []string{"v=spf1 include:included.example -all"}
			for _, f := range tt.fail {
				z.fail[f] = true
			}
			v := check(t, Config{Mode: ModeDirect}, z, tt.mail, tt.peer)
			expect(t, v, tt.ok, tt.how)
			if v.Temporary != tt.temporary {
				t.Errorf("temporary: %v", v.Temporary)
			}
		})
	}
}

func TestADNSThatHangsIsWaitedForTenSecondsInAll(t *testing.T) {
	mail := signed(t, signed(t, plainMail, "partner.example"), "mail.partner.example")
	goodKey()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		v := check(t, Config{Mode: ModeDirect}, &zone{hang: true}, mail, from("jane@partner.example"))
		expect(t, v, false, "could not be checked now")
		if took := time.Since(start); took != maxLookupTime || !v.Temporary {
			t.Errorf("took %s, temporary: %v", took, v.Temporary)
		}
	})
}

func TestACheckEndsWithItsContext(t *testing.T) {
	mail := signed(t, plainMail, "partner.example")
	p, err := mailparse.Parse(strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	for name, z := range map[string]*zone{"a DNS that hangs": {hang: true}, "a good DNS": domains(t)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := NewWithOptions(Config{Mode: ModeDirect}, Options{Resolver: z})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if !z.hang {
					cancel()
				}
				start := time.Now()
				v := c.Check(ctx, &p, strings.NewReader(mail), from("jane@partner.example"))
				if v.Strength != intake.StrengthUnverified || !v.Temporary || time.Since(start) > time.Second {
					t.Errorf("%+v after %s", v, time.Since(start))
				}
			})
		})
	}
}

// stopping ends a context when it is read beyond the header.
type stopping struct {
	*strings.Reader
	cancel context.CancelFunc
}

func (s stopping) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p[:min(len(p), 1000)])
	if s.Reader.Size()-int64(s.Reader.Len()) > 20_000 {
		s.cancel()
	}
	return n, err
}

func TestTheEndOfTheContextEndsTheReading(t *testing.T) {
	mail := signed(t, plainMail+strings.Repeat("text\r\n", 100_000), "partner.example")
	p, err := mailparse.Parse(strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewWithOptions(fetchedDKIM, Options{Resolver: domains(t)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	raw := stopping{strings.NewReader(mail), cancel}
	v := c.Check(ctx, &p, raw, Envelope{})
	expect(t, v, false, "no time left")
	if !v.Temporary || raw.Len() < len(mail)/2 {
		t.Errorf("%+v, %d bytes of %d not read", v, raw.Len(), len(mail))
	}
}
