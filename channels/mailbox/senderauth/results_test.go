package senderauth

import (
	"reflect"
	"strings"
	"testing"

	"leadgate/channels/mailbox/mailparse"
)

const byOurs = "Authentication-Results: mx.vendor.example; "

func judged(t *testing.T, b border, header string) finding {
	t.Helper()
	p, err := mailparse.Parse(strings.NewReader(header + "\nFrom: jane@partner.example\n\nx"))
	if err != nil {
		t.Fatal(err)
	}
	return b.judge(p.Header, "partner.example")
}

func TestWhatTheBorderSays(t *testing.T) {
	for name, tt := range map[string]struct {
		header string
		want   standing
		how    string
	}{
		"dmarc=fail before a good signature":       {byOurs + "dmarc=fail header.from=partner.example; dkim=pass header.d=partner.example", standingRefuted, "dmarc=fail"},
		"dmarc=fail in the second field":           {byOurs + "dkim=pass header.d=partner.example\n" + byOurs + "dmarc=fail", standingRefuted, "dmarc=fail"},
		"dmarc=fail beside dmarc=pass":             {byOurs + "dmarc=pass header.from=partner.example; dmarc=fail header.from=other.example", standingRefuted, "dmarc=fail"},
		"the policy instead of fail":               {byOurs + "dkim=pass header.d=partner.example; dmarc=reject", standingRefuted, "dmarc=reject"},
		"a stranger's dmarc=fail":                  {byOurs + "dkim=pass header.d=partner.example\nAuthentication-Results: x; dmarc=fail", standingProven, "dkim=pass"},
		"dmarc=none and an aligned signature":      {byOurs + "dmarc=none; dkim=pass header.d=partner.example", standingProven, "dkim=pass for partner.example"},
		"dmarc=temperror and a signature":          {byOurs + "dmarc=temperror; dkim=pass header.d=mail.partner.example", standingProven, "dkim=pass"},
		"dmarc=none and a stranger's signature":    {byOurs + "dmarc=none; dkim=pass header.d=mailer.example", standingOpen, "dmarc=none"},
		"dmarc=bestguesspass":                      {byOurs + "dmarc=bestguesspass header.from=partner.example", standingOpen, "dmarc=bestguesspass"},
		"dmarc=pass of a subdomain":                {byOurs + "dmarc=pass header.from=mail.partner.example", standingRefuted, "another domain"},
		"dmarc=pass of two domains":                {byOurs + "dmarc=pass header.from=partner.example; dmarc=pass header.from=evil.example", standingRefuted, "another domain"},
		"dmarc=pass and an empty domain":           {byOurs + "dmarc=pass header.from=", standingRefuted, "another domain"},
		"dmarc=pass with a final dot":              {byOurs + "dmarc=pass header.from=PARTNER.example.", standingProven, "dmarc=pass"},
		"spf=pass alone, aligned":                  {byOurs + "spf=pass smtp.mailfrom=jane@partner.example", standingOpen, "neither"},
		"ARC is no proof":                          {"ARC-Authentication-Results: i=1; mx.vendor.example; dmarc=pass header.from=partner.example\nARC-Seal: i=1; cv=pass", standingOpen, "no Authentication-Results"},
		"arc=pass is no proof":                     {byOurs + "arc=pass (i=1 dmarc=pass fromdomain=partner.example); dkim=none", standingOpen, "neither"},
		"the original of another server":           {"Authentication-Results-Original: mx.vendor.example; dmarc=pass", standingOpen, "no Authentication-Results"},
		"a property within a quotation":            {byOurs + `dkim=pass reason="x header.d=partner.example y" header.d=evil.example`, standingOpen, "neither"},
		"a user that looks like a property":        {byOurs + `dkim=pass header.i="a header.d=partner.example b"@evil.example header.d=evil.example`, standingOpen, "neither"},
		"a comment that cuts a domain":             {byOurs + "dkim=pass header.d=partner.example(x).evil.example", standingOpen, "neither"},
		"a comment that ends a domain":             {byOurs + "dkim=pass header.d=partner.example(.evil.example", standingOpen, "neither"},
		"a comment that cuts the domain of dmarc":  {byOurs + "dmarc=pass header.from=partner.example(x).evil.example", standingRefuted, "another domain"},
		"a comment without end before dmarc":       {byOurs + "dkim=pass header.d=partner.example (x; dmarc=none", standingOpen, "damaged"},
		"a quotation without end":                  {byOurs + `dmarc=pass header.from=partner.example; spf=pass smtp.mailfrom="x`, standingOpen, "damaged"},
		"a comment right behind the result":        {byOurs + "dmarc=pass(p=REJECT,sp=none) header.from=partner.example", standingProven, "dmarc=pass"},
		"a domain that is given twice":             {byOurs + "dkim=pass header.d=partner.example header.d=evil.example", standingOpen, "neither"},
		"a domain that is given twice, again":      {byOurs + "dkim=pass header.d=evil.example header.d=partner.example", standingOpen, "neither"},
		"a control character in a domain":          {byOurs + "dkim=pass header.d=partner.example\x01.evil.example", standingOpen, "neither"},
		"an unusual blank in a domain":             {byOurs + "dkim=pass header.d=partner.example\u00a0.evil.example", standingOpen, "neither"},
		"an invisible character in a domain":       {byOurs + "dkim=pass header.d=partner.exam\u200bple", standingOpen, "neither"},
		"an empty property before another":         {byOurs + "spf=none smtp.mailfrom= smtp.helo=x; dkim=pass header.d=partner.example", standingProven, "dkim=pass"},
		"a hash that ends in an equals sign":       {byOurs + "dkim=pass header.b=abc= header.d=partner.example", standingProven, "dkim=pass"},
		"a quoted name":                            {`Authentication-Results: "mx.vendor.example"; dmarc=pass header.from=partner.example`, standingProven, "dmarc=pass"},
		"a comment within the name":                {"Authentication-Results: mx.(x)vendor.example; dmarc=pass header.from=partner.example", standingOpen, "damaged"},
		"a name and a version":                     {"Authentication-Results: mx.vendor.example 1; dmarc/1=pass header.from=partner.example", standingProven, "dmarc=pass"},
		"a field further down, after any Received": {"Received: from a by b\n" + byOurs + "dkim=none\nReceived: from x by mx\nReceived: from y by x\n" + byOurs + "dmarc=pass header.from=partner.example", standingOpen, "neither"},
		"words of others are one short line":       {byOurs + "dmarc=" + strings.Repeat("x\x07", 200), standingOpen, "…"},
	} {
		t.Run(name, func(t *testing.T) {
			f := judged(t, border{ids: []string{"mx.vendor.example"}}, tt.header)
			if f.standing != tt.want || !strings.Contains(f.how, tt.how) || strings.ContainsAny(f.how, "\r\n\x01\x07") {
				t.Errorf("%s (%q), want %s (…%s…)", f.standing, f.how, tt.want, tt.how)
			}
		})
	}
}

func TestABorderOfSeveralServers(t *testing.T) {
	b, err := newBorder(Config{AuthservIDs: []string{"dmarc.icloud.com", "bimi.icloud.com", "*.mail.yahoo.com"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		header string
		want   standing
	}{
		"each writes a field":      {"Authentication-Results: bimi.icloud.com; bimi=none\nAuthentication-Results: dmarc.icloud.com; dmarc=pass header.from=partner.example", standingProven},
		"one of them is not named": {"Authentication-Results: spf.icloud.com; spf=pass\nAuthentication-Results: dmarc.icloud.com; dmarc=pass header.from=partner.example", standingOpen},
		"a server of many":         {"Authentication-Results: atlas324.free.mail.yahoo.com; dmarc=pass(p=NONE) header.from=partner.example;", standingProven},
		"a name that ends alike":   {"Authentication-Results: evilmail.yahoo.com; dmarc=pass header.from=partner.example", standingOpen},
	} {
		t.Run(name, func(t *testing.T) {
			if f := judged(t, b, tt.header); f.standing != tt.want {
				t.Errorf("%s (%s), want %s", f.standing, f.how, tt.want)
			}
		})
	}
}

func TestExchangeOnlineWritesNoName(t *testing.T) {
	const pass = "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\n smtp.mailfrom=partner.example; dkim=pass (signature was verified)\n header.d=partner.example;dmarc=pass action=none\n header.from=partner.example;compauth=pass reason=100"
	const none = "Authentication-Results: spf=none; dkim=none; dmarc=none header.from=partner.example"
	const inside = "Received: from AM0PR01MB1.eurprd01.prod.outlook.com (2603:10a6::1)\n by DB9PR01MB2.eurprd01.prod.outlook.com with HTTPS; now\n"
	const edge = "Received: from out.partner.example (192.0.2.1) by AM0.mail.protection.outlook.com (10.1.1.1) with SMTP\n"
	exchange, both := border{microsoft: true}, border{microsoft: true, ids: []string{"mx.vendor.example"}}
	for name, tt := range map[string]struct {
		border border
		header string
		want   standing
		how    string
	}{
		"the topmost field":                    {exchange, pass, standingProven, "dmarc=pass by Exchange Online"},
		"below hops within Exchange":           {exchange, inside + inside + pass + "\n" + edge, standingProven, "dmarc=pass"},
		"below a hop from outside":             {exchange, edge + pass, standingOpen, "not by Exchange Online"},
		"below a hop to outside":               {exchange, "Received: from a.prod.outlook.com by mx.vendor.example\n" + pass, standingOpen, "not by"},
		"below a hop that only looks like one": {exchange, "Received: from a.outlook.com.evil.example (x) by b.outlook.com\n" + pass, standingOpen, "not by"},
		"below a hop with a lying comment":     {exchange, "Received: from evil.example (a.outlook.com) by b.outlook.com\n" + pass, standingOpen, "not by"},
		"a second field is the sender's":       {exchange, none + "\n" + pass, standingOpen, "dmarc=none"},
		"a second one, after the edge":         {exchange, none + "\n" + edge + pass, standingOpen, "dmarc=none"},
		"below a named one":                    {exchange, "Authentication-Results: x; dkim=none\n" + pass, standingOpen, "not by"},
		"a named one is not Exchange's":        {exchange, byOurs + "dmarc=pass header.from=partner.example", standingOpen, "not by"},
		"dmarc=fail":                           {exchange, "Authentication-Results: spf=pass; dkim=pass header.d=partner.example; dmarc=fail action=oreject", standingRefuted, "dmarc=fail"},
		"not without microsoft":                {border{ids: []string{"mx.vendor.example"}}, pass, standingOpen, "not by mx.vendor.example"},
		"with a name besides":                  {both, byOurs + "dmarc=pass header.from=partner.example", standingProven, "dmarc=pass by mx.vendor.example"},
		"a named one below is the sender's":    {both, "Authentication-Results: spf=none; dkim=none\n" + byOurs + "dmarc=pass header.from=partner.example", standingOpen, "neither"},
		"an empty field":                       {exchange, "Authentication-Results: ;;\n" + pass, standingOpen, "not by"},
	} {
		t.Run(name, func(t *testing.T) {
			f := judged(t, tt.border, tt.header)
			if f.standing != tt.want || !strings.Contains(f.how, tt.how) {
				t.Errorf("%s (%s), want %s (…%s…)", f.standing, f.how, tt.want, tt.how)
			}
		})
	}
}

func TestFieldsAreReadTolerantly(t *testing.T) {
	for field, want := range map[string]results{
		"mx.example; none":                   {id: "mx.example"},
		"":                                   {},
		";":                                  {},
		"mx.example":                         {id: "mx.example"},
		"mx.example;; =x; a==b":              {id: "mx.example", methods: []method{{"a", "=b", map[string]string{}}}},
		"dkim = pass header.d = a":           {methods: []method{{"dkim", "pass", map[string]string{"header.d": "a"}}}},
		`x; a=b c="\"d\" (e); f" g`:          {id: "x", methods: []method{{"a", "b", map[string]string{"c": `"d" (e); f`}}}},
		`x; a=b c=d\"`:                       {id: "x", damaged: true, methods: []method{{"a", "b", map[string]string{"c": `d\`}}}},
		`(one (two\) three)) x; a=b (y) c=d`: {id: "x", damaged: false, methods: []method{{"a", "b", map[string]string{"c": "d"}}}},
	} {
		if got := parseResults(field); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", field, got, want)
		}
	}
}

func TestCommentsAreDropped(t *testing.T) {
	for in, want := range map[string]string{
		"a (b) c": "a   c", "a (b (c) d) e": "a    e", `"a (b)" (c)`: `"a (b)"  `, `a (b \) c) d`: "a   d", `a \( b`: `a \( b`,
		"a (b": "a ", "a) b": "a) b", `"a \" (b)" c`: `"a \" (b)" c`, "": "",
	} {
		if got := DropComments(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestResultsAreNotBelievedOfAMailThatFieldsWereAddedTo(t *testing.T) {
	cfg := Config{Mode: ModeResults, AuthservID: "mx.vendor.example"}
	good := signed(t, strings.Replace(plainMail, "\r\n\r\n", "\r\nContent-Type: text/plain\r\n\r\n", 1), "partner.example")
	for added, want := range map[string]bool{
		"":                                true,
		"X-Spam: no\r\nX-Spam: no\r\n":    true,
		"Subject: New lead Evil GmbH\r\n": false,
		"content-type: text/html\r\n":     false,
		"Message-Id: <2@x>\r\n":           false,
	} {
		mail := byOurs + "dkim=pass header.d=partner.example; dmarc=pass header.from=partner.example\r\nReceived: from a by b; now\r\n" + added + good
		if v := check(t, cfg, domains(t), mail, Envelope{}); v.Strength.Proven() != want || !want && !strings.Contains(v.How, "more than once") {
			t.Errorf("%q was added: %s (%s)", added, v.Strength, v.How)
		}
	}
}
