package mailbox

import (
	"net/netip"
	"strings"
	"testing"

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
		"two fields of ours":                     {"Authentication-Results: mx.vendor.example; dkim=fail\nAuthentication-Results: mx.vendor.example; dmarc=pass", true, "dmarc=pass"},
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
			p, err := Parse(strings.NewReader(tt.header + "\nFrom: jane@partner.example\n\nx"))
			if err != nil {
				t.Fatal(err)
			}
			how, ok := judgeResults(p.header, "mx.vendor.example", "partner.example")
			if ok != tt.ok || !strings.Contains(how, tt.how) {
				t.Errorf("got %v, %q, want %v, %q", ok, how, tt.ok, tt.how)
			}
		})
	}
}

func TestStrengthOfProof(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	inside, outside := peer{direct: true, ip: netip.MustParseAddr("10.1.2.3")}, peer{direct: true, ip: netip.MustParseAddr("192.0.2.1")}
	local := peer{direct: true, ip: netip.MustParseAddr("127.0.0.1")}
	const pass = "Authentication-Results: mx; dmarc=pass header.from=partner.example\n"
	for name, tt := range map[string]struct {
		proof  proof
		peer   peer
		header string
		want   intake.Strength
	}{
		"nothing is configured":               {proof{}, peer{}, pass, intake.StrengthUnverified},
		"mode none believes everybody":        {proof{mode: ProofNone}, peer{}, "", intake.StrengthDomain},
		"a trusted network":                   {proof{mode: ProofNetworks, trusted: networks}, inside, "", intake.StrengthDomain},
		"another network":                     {proof{mode: ProofNetworks, trusted: networks}, outside, "", intake.StrengthUnverified},
		"fetched mail has no network":         {proof{mode: ProofNetworks, trusted: networks}, peer{}, "", intake.StrengthUnverified},
		"results in our account":              {proof{mode: ProofResults, id: "mx"}, peer{}, pass, intake.StrengthDomain},
		"results from a trusted deliverer":    {proof{mode: ProofResults, id: "mx", trusted: networks}, inside, pass, intake.StrengthDomain},
		"results that a stranger delivers":    {proof{mode: ProofResults, id: "mx", trusted: networks}, outside, pass, intake.StrengthUnverified},
		"results from this machine":           {proof{mode: ProofResults, id: "mx"}, local, pass, intake.StrengthDomain},
		"this machine is not in the networks": {proof{mode: ProofResults, id: "mx", trusted: networks}, local, pass, intake.StrengthUnverified},
		"an IPv4 address within IPv6":         {proof{mode: ProofNetworks, trusted: networks}, peer{direct: true, ip: netip.MustParseAddr("::ffff:10.1.2.3")}, "", intake.StrengthDomain},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse(strings.NewReader(tt.header + "From: jane@partner.example\n\nx"))
			if err != nil {
				t.Fatal(err)
			}
			got, how := tt.proof.judge(&p, p.From[0], tt.peer)
			if got != tt.want || how == "" {
				t.Errorf("%s (%s), want %s", got, how, tt.want)
			}
		})
	}
}

func TestClassifyTakesTheFirstReason(t *testing.T) {
	m, _ := newTestMailbox(t, Config{OwnAddresses: []string{"leads@vendor.example"}})
	ours := m.tokens.messageID("LG-2026-000001-K.3")
	for name, tt := range map[string]struct {
		header string
		want   intake.AsideReason
	}{
		"a person":                       {"From: jane@partner.example", ""},
		"an answer of ours":              {"From: jane@partner.example\nMessage-ID: <" + ours + ">", intake.AsideOwn},
		"an alias of ours":               {"From: Leads@vendor.example", intake.AsideOwn},
		"ours and automatic":             {"From: leads+x@vendor.example\nAuto-Submitted: auto-replied", intake.AsideOwn},
		"an empty Return-Path":           {"Return-Path: <>\nFrom: jane@partner.example", intake.AsideBounce},
		"postmaster":                     {"From: Postmaster@partner.example", intake.AsideBounce},
		"failed recipients":              {"From: jane@partner.example\nX-Failed-Recipients: a@b", intake.AsideBounce},
		"a bounce that is automatic":     {"From: mailer-daemon@x.example\nAuto-Submitted: auto-replied", intake.AsideBounce},
		"auto-generated":                 {"From: jane@partner.example\nAuto-Submitted: (c) auto-generated; x", intake.AsideRobot},
		"an autoresponder":               {"From: jane@partner.example\nX-Autoreply: yes", intake.AsideRobot},
		"junk":                           {"From: jane@partner.example\nPrecedence: junk", intake.AsideRobot},
		"a list":                         {"From: jane@partner.example\nList-Unsubscribe: <mailto:x>", intake.AsideRobot},
		"suppress all":                   {"From: jane@partner.example\nX-Auto-Response-Suppress: All", intake.AsideRobot},
		"do not reply":                   {"From: DoNotReply@partner.example", intake.AsideRobot},
		"a bounce address of a list":     {"From: news-bounces@partner.example", intake.AsideRobot},
		"an automatic subject":           {"From: jane@partner.example\nSubject: Automatic reply: lead", intake.AsideRobot},
		"a person with a similar name":   {"From: norbert.bouncer@partner.example", ""},
		"a subject that starts alike":    {"From: jane@partner.example\nSubject: Automatic replying machine vendor", ""},
		"no From":                        {"Subject: x", intake.AsideAmbiguousFrom},
		"an empty From":                  {"From: <>\nSubject: x", intake.AsideAmbiguousFrom},
		"the name repeats the address":   {"From: \"jane@partner.example\" <jane@partner.example>", ""},
		"the same address in two fields": {"From: jane@partner.example\nFrom: jane@partner.example", intake.AsideAmbiguousFrom},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse(strings.NewReader(tt.header + "\n\nCompany: Acme"))
			if err != nil {
				t.Fatal(err)
			}
			if v := m.classify(&p, false); v.reason != tt.want {
				t.Errorf("got %q (%s), want %q", v.reason, v.detail, tt.want)
			}
		})
	}
	t.Run("an empty envelope sender", func(t *testing.T) {
		p, _ := Parse(strings.NewReader("From: jane@partner.example\n\nx"))
		if v := m.classify(&p, true); v.reason != intake.AsideBounce {
			t.Errorf("got %q", v.reason)
		}
	})
}
