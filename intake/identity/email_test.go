package identity

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestEmail(t *testing.T) {
	for _, c := range []struct{ name, in, want, key string }{
		{"a plain address stays", "jane@acme.com", "jane@acme.com", "jane@acme.com"},
		{"the local part keeps its case", "Jane.Doe@ACME.com", "Jane.Doe@acme.com", "jane.doe@acme.com"},
		{"spaces around it go", "  jane@acme.com ", "jane@acme.com", "jane@acme.com"},
		{"a tag stays", "jane+crm@acme.com", "jane+crm@acme.com", "jane+crm@acme.com"},
		{"odd but legal signs stay", "o'brien/x=1@acme.com", "o'brien/x=1@acme.com", "o'brien/x=1@acme.com"},
		{"the domain becomes ASCII", "jane@münchen-bau.de", "jane@xn--mnchen-bau-9db.de", "jane@xn--mnchen-bau-9db.de"},
		{"letters beyond ASCII stay in the local part", "JÖRG@acme.com", "JÖRG@acme.com", "jörg@acme.com"},
		{"needless quotes go", `"jane"@acme.com`, "jane@acme.com", "jane@acme.com"},
		{"needed quotes stay", `"jane doe"@acme.com`, `"jane doe"@acme.com`, `"jane doe"@acme.com`},
		{"an at sign in quotes is no border", `"a@b"@acme.com`, `"a@b"@acme.com`, `"a@b"@acme.com`},
		{"needless backslashes go", `"\j\"\\"@acme.com`, `"j\"\\"@acme.com`, `"j\"\\"@acme.com`},
		{"a domain of an unlisted ending is an address", "jane@acme.corp", "jane@acme.corp", "jane@acme.corp"},
		{"a local part of 64 fits", strings.Repeat("a", 64) + "@acme.com", strings.Repeat("a", 64) + "@acme.com", strings.Repeat("a", 64) + "@acme.com"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Email(c.in)
			if err != nil || a.String() != c.want || a.Key() != c.key {
				t.Errorf("Email(%q) = %q, key %q, %v; want %q, %q", c.in, a, a.Key(), err, c.want, c.key)
			}
		})
	}
}

func TestEmailIsRefused(t *testing.T) {
	long := strings.Repeat("a", 60) + "."
	for _, c := range []struct{ name, in string }{
		{"nothing", ""},
		{"no at sign", "jane.acme.com"},
		{"no local part", "@acme.com"},
		{"no domain", "jane@"},
		{"a domain of one label", "jane@localhost"},
		{"an address literal", "jane@[192.168.1.1]"},
		{"a bare network address", "jane@192.168.1.1"},
		{"a name around it", "Jane <jane@acme.com>"},
		{"two addresses", "jane@acme.com, joe@acme.com"},
		{"two addresses without a comma", "jane@acme.com joe@acme.com"},
		{"a comment", "jane(x)@acme.com"},
		{"a source route", "@a.com:jane@acme.com"},
		{"two at signs", "jane@doe@acme.com"},
		{"a dot in front", ".jane@acme.com"},
		{"a dot behind", "jane.@acme.com"},
		{"two dots", "jane..doe@acme.com"},
		{"two dots in the domain", "jane@acme..com"},
		{"a dot behind the domain", "jane@acme.com."},
		{"an underscore in the domain", "jane@acme_1.com"},
		{"a space within", "jane doe@acme.com"},
		{"a line break behind", "jane@acme.com\r\n"},
		{"a header behind", "jane@acme.com\r\nBcc: x@y.com"},
		{"a line break in quotes", "\"a\nb\"@acme.com"},
		{"a NUL", "ja\x00ne@acme.com"},
		{"a tab", "jane\t@acme.com"},
		{"a direction mark", "jane\u202e@acme.com"},
		{"a line separator", "jane\u2028@acme.com"},
		{"bytes that are no text", "jane\xff@acme.com"},
		{"a quote within quotes", `"a"b"@acme.com`},
		{"quotes without an end", `"jane@acme.com`},
		{"a backslash at the end of quotes", `"jane\"@acme.com`},
		{"a local part of 65", strings.Repeat("a", 65) + "@acme.com"},
		{"a whole of 255", strings.Repeat("a", 64) + "@" + long + long + long + "abcde.c"},
		{"an endless input", strings.Repeat(" ", maxInput) + "jane@acme.com"},
	} {
		t.Run(c.name+" is refused", func(t *testing.T) {
			a, err := Email(c.in)
			if code(t, err) != CodeInvalidEmail || a != (Address{}) {
				t.Errorf("Email(%q) = %q, %v", c.in, a, err)
			}
		})
	}
	fits := strings.Repeat("a", 64) + "@" + long + long + long + "abcd.c"
	if a, err := Email(fits); err != nil || len(a.String()) != 254 {
		t.Errorf("a whole of %d is refused: %v", len(fits), err)
	}
}

func checkEmail(t reporter, raw string) {
	t.Helper()
	a, err := Email(raw)
	if err != nil {
		if code(t, err) != CodeInvalidEmail || a != (Address{}) || strings.ContainsFunc(err.Error(), unprintable) {
			t.Fatalf("Email(%q) = %q, %q", raw, a, err)
		}
		return
	}
	s := a.String()
	if strings.ContainsFunc(s, unprintable) || len(s) > 254 || len(a.Local) > 64 || !validHost(a.Domain) {
		t.Fatalf("Email(%q) = %q", raw, s)
	}
	if again, err := Email(s); err != nil || again != a {
		t.Fatalf("Email(%q) = %q, of that %q, %v", raw, s, again, err)
	}
	if k, err := Email(a.Key()); err != nil || k.Key() != a.Key() {
		t.Fatalf("Email(%q): key %q has key %q, %v", raw, a.Key(), k.Key(), err)
	}
	if d, err := lists.Domain(s); err == nil && !strings.Contains(a.Local, "/") && d.Host != withoutWWW(a.Domain) {
		if !strings.ContainsAny(a.Local, `"?#\.`) {
			t.Fatalf("Email(%q) has domain %q, but Domain says %q", raw, a.Domain, d.Host)
		}
	}
}

func TestReadingAnAddressTwiceIsOnce(t *testing.T) {
	local := rapid.OneOf(
		rapid.StringMatching(`[A-Za-z0-9._+'-]{1,20}`),
		rapid.StringMatching(`"[ -~]{0,20}"`),
		rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		checkEmail(t, local.Draw(t, "local")+"@"+host().Draw(t, "host"))
	})
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{
		"jane@acme.com", "Jane.Doe@ACME.co.uk", `"a\"b @c"@acme.com`, "jörg@münchen.de", "a@b.c\r\nBcc: d@e.f",
		"@a.com:b@c.de", "a@[::1]", "Ⱥ@acme.com", "\u212a@acme.com", "\u037e@acme.com",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) { checkEmail(t, raw) })
}
