package senderauth

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"leadgate/channels/mailbox/mailparse"
)

// FuzzResults holds the reader of results to what must be true of every header.
func FuzzResults(f *testing.F) {
	for _, s := range []string{
		"Authentication-Results: mx.vendor.example; dmarc=pass (p=reject) header.from=partner.example",
		"Authentication-Results: mx.vendor.example 1; dkim=pass header.i=@mail.partner.example header.b=\"a;b\"",
		"Received: from a.outlook.com by b.outlook.com\nAuthentication-Results: spf=pass; dkim=pass header.d=partner.example;dmarc=pass",
		"Authentication-Results: x; dkim=none\nAuthentication-Results: mx.vendor.example; dmarc=pass\nReceived: from a by b",
		"Authentication-Results: \"mx.vendor.example\" (a (b) \\) c); dmarc = pass header.from = partner.example; x",
		"Authentication-Results: atlas1.mail.yahoo.com;\n dkim=pass header.d=partner.example;\n dmarc=pass(p=NONE) header.from=partner.example;",
	} {
		f.Add(s)
	}
	named := border{ids: []string{"mx.vendor.example", "*.mail.yahoo.com"}}
	exchange := border{microsoft: true}
	f.Fuzz(func(t *testing.T, header string) {
		checkComments(t, header)
		p, err := mailparse.Parse(strings.NewReader(header + "\nFrom: jane@partner.example\n\nx"))
		if err != nil {
			t.Fatal(err)
		}
		fields := p.Header.All("Authentication-Results")
		for _, b := range []border{named, exchange, {}} {
			got := b.judge(p.Header, "partner.example")
			if again := b.judge(p.Header, "partner.example"); again != got {
				t.Fatalf("%+v, and then %+v", got, again)
			}
			if got.how == "" || !utf8.ValidString(got.how) || strings.ContainsFunc(got.how, unicode.IsControl) {
				t.Fatalf("words for staff: %q", got.how)
			}
			if got.standing == standingOpen {
				continue
			}
			if len(b.ids) == 0 && !b.microsoft {
				t.Fatalf("nobody is believed, and yet %+v", got)
			}
			if !namedIn(b, fields) {
				t.Fatalf("%+v without a field of the border", got)
			}
		}
	})
}

// namedIn reports whether a field literally begins with a name of the border; for Exchange
// Online, whether there is one that could be nameless.
func namedIn(b border, fields []string) bool {
	if b.microsoft {
		return len(fields) > 0 && strings.Contains(fields[0], "=")
	}
	for _, f := range fields {
		head, _, _ := strings.Cut(strings.ToLower(strings.NewReplacer(`"`, "", `\`, "").Replace(f)), "=")
		if strings.Contains(head, "mx.vendor.example") || strings.Contains(head, ".mail.yahoo.com") {
			return true
		}
	}
	return false
}

func checkComments(t *testing.T, s string) {
	t.Helper()
	once := DropComments(s)
	if twice := DropComments(once); twice != once {
		t.Fatalf("%q, and then %q", once, twice)
	}
	quoted := false
	for i := 0; i < len(once); i++ {
		switch {
		case once[i] == '\\':
			i++
		case once[i] == '"':
			quoted = !quoted
		case once[i] == '(' && !quoted:
			t.Fatalf("a comment is left in %q", once)
		}
	}
}
