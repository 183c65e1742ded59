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
