package senderauth

import (
	"net/netip"
	"strings"
	"testing"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

func TestAuthenticationResults(t *testing.T) {
	const received = "Received: from mx by imap; now\n"
	for name, tt := range map[string]struct {
		header string
		ok     bool
		how    string
	}{
		"dmarc=pass":                             {"Authentication-Results: mx.vendor.example; dmarc=pass header.from=partner.example", true, "dmarc=pass by mx.vendor.example"},
		"below our own Received":                 {received + "Authentication-Results: MX.vendor.example 1;\n dkim=none; dmarc=pass (p=REJECT; sp=none) header.from=partner.example", true, "dmarc=pass"},
		"the whole address in header.from":       {"Authentication-Results: mx.vendor.example; dmarc=pass header.from=jane@partner.example", true, "dmarc=pass"},
		"dmarc=pass of another domain":           {"Authentication-Results: mx.vendor.example; dmarc=pass header.from=evil.example", false, "another domain"},
		"dmarc=fail beats an aligned dkim":       {"Authentication-Results: mx.vendor.example; dkim=pass header.d=partner.example; dmarc=fail", false, "dmarc=fail"},
		"an aligned dkim=pass":                   {"Authentication-Results: mx.vendor.example; dkim=pass header.i=@mail.partner.example header.s=a", true, "dkim=pass for mail.partner.example"},
		"dkim=pass of a stranger":                {"Authentication-Results: mx.vendor.example; dkim=pass header.d=mailer.example", false, "neither"},
		"the second signature is aligned":        {"Authentication-Results: mx.vendor.example; dkim=pass header.d=mailer.example; dkim=pass header.d=partner.example", true, "dkim=pass"},
		"spf alone proves nothing":               {"Authentication-Results: mx.vendor.example; spf=pass smtp.mailfrom=partner.example", false, "neither"},
		"another authserv-id":                    {"Authentication-Results: aaa.example; dkim=pass header.d=partner.example", false, "not by"},
		"an id that ends like ours":              {"Authentication-Results: evil.mx.vendor.example; dmarc=pass", false, "not by"},
		"ours below a foreign one":               {"Authentication-Results: other; dmarc=fail\nAuthentication-Results: mx.vendor.example; dmarc=pass header.from=partner.example", false, "not by"},
		"forged below a foreign Received":        {"Authentication-Results: mx.vendor.example; dkim=none\n" + received + "Authentication-Results: mx.vendor.example; dmarc=pass", false, "neither"},
		"forged right below ours":                {"Authentication-Results: mx.vendor.example; dkim=none; dmarc=none\nAuthentication-Results: mx.vendor.example; dmarc=pass", false, "dmarc=none"},
		"dmarc above dkim, a field each":         {"Authentication-Results: mx.vendor.example; dmarc=pass\nAuthentication-Results: mx.vendor.example; dkim=fail", true, "dmarc=pass"},
		"dmarc below dkim may be forged":         {"Authentication-Results: mx.vendor.example; dkim=fail\nAuthentication-Results: mx.vendor.example; dmarc=pass", false, "below one of dkim"},
		"dkim=pass above a dmarc does":           {"Authentication-Results: mx.vendor.example; dkim=pass header.d=partner.example\nAuthentication-Results: mx.vendor.example; dmarc=pass", true, "dkim=pass"},
		"no authserv-id, as Exchange writes":     {"Authentication-Results: spf=pass smtp.mailfrom=x; dmarc=pass header.from=partner.example", false, "not by"},
		"a result in a comment":                  {"Authentication-Results: mx.vendor.example (x; dmarc=pass); dmarc=none (dmarc=pass)", false, "dmarc=none"},
		"a semicolon in quotes":                  {`Authentication-Results: mx.vendor.example; auth=pass smtp.auth="a;dmarc=pass"`, false, "neither"},
		"nothing":                                {"Subject: x", false, "no Authentication-Results"},
		"damaged":                                {"Authentication-Results: ;;; = ((; \"", false, "not by"},
		"blanks around the equals sign":          {"Authentication-Results: mx.vendor.example; dmarc = pass header.from = partner.example", true, "dmarc=pass"},
		"none, as servers say without a result":  {"Authentication-Results: mx.vendor.example; none", false, "neither"},
		"dkim of a public suffix is not aligned": {"Authentication-Results: mx.vendor.example; dkim=pass header.d=example", false, "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := mailparse.Parse(strings.NewReader(tt.header + "\nFrom: jane@partner.example\n\nx"))
			if err != nil {
				t.Fatal(err)
			}
			f := border{ids: []string{"mx.vendor.example"}}.judge(p.Header, "partner.example")
			how, ok := f.how, f.standing == standingProven
			if ok != tt.ok || !strings.Contains(how, tt.how) {
				t.Errorf("got %v, %q, want %v, %q", ok, how, tt.ok, tt.how)
			}
		})
	}
}

func TestStrengthOfProof(t *testing.T) {
	networks := []string{"10.0.0.0/8"}
	inside, outside := Envelope{Direct: true, IP: netip.MustParseAddr("10.1.2.3")}, Envelope{Direct: true, IP: netip.MustParseAddr("192.0.2.1")}
	local := Envelope{Direct: true, IP: netip.MustParseAddr("127.0.0.1")}
	const pass = "Authentication-Results: mx; dmarc=pass header.from=partner.example\n"
	for name, tt := range map[string]struct {
		config Config
		peer   Envelope
		header string
		want   intake.Strength
	}{
		"nothing is configured":               {Config{}, Envelope{}, pass, intake.StrengthUnverified},
		"mode none believes everybody":        {Config{Mode: ModeNone}, Envelope{}, "", intake.StrengthDomain},
		"a trusted network":                   {Config{Mode: ModeNetworks, TrustedNetworks: networks}, inside, "", intake.StrengthDomain},
		"another network":                     {Config{Mode: ModeNetworks, TrustedNetworks: networks}, outside, "", intake.StrengthUnverified},
		"fetched mail has no network":         {Config{Mode: ModeNetworks, TrustedNetworks: networks}, Envelope{}, "", intake.StrengthUnverified},
		"results in our account":              {Config{Mode: ModeResults, AuthservID: "mx"}, Envelope{}, pass, intake.StrengthDomain},
		"results from a trusted deliverer":    {Config{Mode: ModeResults, AuthservID: "mx", TrustedNetworks: networks}, inside, pass, intake.StrengthDomain},
		"results that a stranger delivers":    {Config{Mode: ModeResults, AuthservID: "mx", TrustedNetworks: networks}, outside, pass, intake.StrengthUnverified},
		"results from this machine":           {Config{Mode: ModeResults, AuthservID: "mx"}, local, pass, intake.StrengthDomain},
		"this machine is not in the networks": {Config{Mode: ModeResults, AuthservID: "mx", TrustedNetworks: networks}, local, pass, intake.StrengthUnverified},
		"an IPv4 address within IPv6":         {Config{Mode: ModeNetworks, TrustedNetworks: networks}, Envelope{Direct: true, IP: netip.MustParseAddr("::ffff:10.1.2.3")}, "", intake.StrengthDomain},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := mailparse.Parse(strings.NewReader(tt.header + "From: jane@partner.example\n\nx"))
			if err != nil {
				t.Fatal(err)
			}
			c, err := New(tt.config)
			if err != nil {
				t.Fatal(err)
			}
			got := c.Check(t.Context(), &p, strings.NewReader(""), tt.peer)
			if got.Strength != tt.want || got.How == "" {
				t.Errorf("%s (%s), want %s", got.Strength, got.How, tt.want)
			}
		})
	}
}

// TestWhatIsProvenIsReadAsItWasVerified: what stands in a field that no signature covers is
// never read as the text of a mail that is proven.
func TestWhatIsProvenIsReadAsItWasVerified(t *testing.T) {
	good := signed(t, strings.Replace(plainMail, "Company: Acme GmbH", "Nice to meet you.", 1), "partner.example")
	const results = "Authentication-Results: mx; dmarc=pass header.from=partner.example\r\n"
	for name, tt := range map[string]struct {
		added  string
		proven bool
	}{
		"nothing":                    {"", true},
		"a field with a long name":   {strings.Repeat("X", 300) + ": x\r\n Company: Evil GmbH\r\n", true},
		"a name longer than a line":  {strings.Repeat("X", 1500) + ": x\r\n Company: Evil GmbH\r\n", false},
		"a line that is no field":    {"Company of the day\r\nCompany: Evil GmbH\r\n", false},
		"a line that strayed":        {"Company of the day\r\nMIME-Version: 1.0\r\n", false},
		"a return within a line":     {"X: x\rCompany: Evil GmbH\r\n", false},
		"two returns at its end":     {"X: x\r\r\nCompany: Evil GmbH\r\n", false},
		"a line of an odd character": {"\x0b\r\nCompany: Evil GmbH\r\n", false},
		"more fields than are read":  {strings.Repeat("X: x\r\n", 1000) + "Subject: Evil GmbH\r\n", false},
	} {
		mail := strings.Replace(good, "\r\n\r\n", "\r\n"+tt.added+"\r\n", 1)
		p, err := mailparse.Parse(strings.NewReader(mail))
		if err != nil {
			t.Fatal(err)
		}
		if tt.proven && strings.Contains(p.Text, "Evil") {
			t.Errorf("%s: the text is %q", name, p.Text)
		}
		for _, cfg := range []Config{fetchedDKIM, {Mode: ModeDirect}} {
			if v := check(t, cfg, domains(t), mail, Envelope{}); v.Strength.Proven() != tt.proven {
				t.Errorf("%s, %s: %s (%s)", name, cfg.Mode, v.Strength, v.How)
			}
		}
		if v := check(t, Config{Mode: ModeResults, AuthservID: "mx"}, domains(t), results+mail, Envelope{}); v.Strength.Proven() != tt.proven {
			t.Errorf("%s, by results: %s (%s)", name, v.Strength, v.How)
		}
	}
}

// TestADamagedHeaderIsOfNoAccountWhereTheHeaderProvesNothing: these modes look at nothing but
// From and the network.
func TestADamagedHeaderIsOfNoAccountWhereTheHeaderProvesNothing(t *testing.T) {
	const mail = "From: jane@partner.example\r\nthis is no field\r\n\r\nx"
	for _, cfg := range []Config{{Mode: ModeNone}, {Mode: ModeNetworks, TrustedNetworks: []string{"192.0.2.0/24"}}} {
		if v := check(t, cfg, domains(t), mail, Envelope{Direct: true, IP: sendersServer}); !v.Strength.Proven() {
			t.Errorf("%s: %s (%s)", cfg.Mode, v.Strength, v.How)
		}
	}
}
