package salesforce

import (
	"strings"
	"testing"
	"time"
)

func TestValuesBecomeLiterals(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 30, 0, 5e6, time.FixedZone("", 3600))
	for _, c := range []struct {
		template string
		args     []any
		want     string
	}{
		{"a = ?", []any{"acme"}, "a = 'acme'"},
		{"a = ?", []any{"o'brien"}, `a = 'o\'brien'`},
		{"a = ?", []any{`x\' OR Name != '`}, `a = 'x\\\' OR Name != \''`},
		{"a = ?", []any{"a\nb\rc\td\x00e\u2028f"}, `a = 'a\nb\rc\td\u0000e\u2028f'`},
		{"a = ?", []any{"what? is = ?"}, "a = 'what? is = ?'"},
		{"a = ? AND b = ?", []any{"?", "x"}, "a = '?' AND b = 'x'"},
		{"a LIKE '%?%'", []any{like(`50%_o'b\`)}, `a LIKE '%50\%\_o\'b\\%'`},
		{"a IN ?", []any{[]string{"x", "y'"}}, `a IN ('x', 'y\'')`},
		{"a IN ?", []any{ids{"006000000000001AAA", "' OR", ""}}, "a IN ('006000000000001AAA')"},
		{"a IN ?", []any{ids{}}, "a IN ('000000000000000AAA')"},
		{"a > ?", []any{at}, "a > 2026-11-23T08:30:00.005Z"},
	} {
		if have := bind(c.template, c.args...); have != c.want {
			t.Errorf("%s: %s, want %s", c.template, have, c.want)
		}
	}
}

// unescape reads a literal back, as SOQL does, and reports whether it ends where the text does.
func unescape(s string) (string, bool) {
	s, ok := strings.CutPrefix(s, "'")
	var b strings.Builder
	for i := 0; ok && i < len(s); i++ {
		switch {
		case s[i] == '\'':
			return b.String(), i == len(s)-1
		case s[i] < ' ':
			return "", false
		case s[i] != '\\':
			b.WriteByte(s[i])
		case s[i+1] == 'u':
			var r rune
			for _, h := range s[i+2 : i+6] {
				r = r<<4 | rune(strings.IndexRune("0123456789abcdef", h))
			}
			b.WriteRune(r)
			i += 5
		default:
			at := strings.IndexByte(`nrt'\`, s[i+1])
			if at < 0 {
				return "", false
			}
			b.WriteByte("\n\r\t'\\"[at])
			i++
		}
	}
	return "", false
}

func FuzzALiteralIsOneAndReadsBack(f *testing.F) {
	for _, s := range []string{"", "acme", `x' OR Name != '`, `\`, `\\'`, "a\nb", "\x00\x7f", "\u2028", "株式会社", "%_", "\xff'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		have, whole := unescape(literal(s))
		want := strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\uFFFD", "")
		if !whole || have != want {
			t.Errorf("%q: %s reads as %q, %t", s, literal(s), have, whole)
		}
		pattern, whole := unescape("'" + strings.NewReplacer(`\%`, "%", `\_`, "_").Replace(literal(like(s))) + "'")
		if !strings.ContainsAny(s, `%_\`) && (!whole || pattern != want) {
			t.Errorf("%q: the pattern reads as %q, %t", s, pattern, whole)
		}
	})
}

func FuzzASegmentOfAPathStaysOne(f *testing.F) {
	for _, s := range []string{"acme.example", "a+b@x.example", "a/b", "../x", "?q#f", "%2e%2e", "ä b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v := segment(s); strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.%") != "" {
			t.Errorf("%q: %s", s, v)
		}
	})
}

func TestIDsAreKnownByTheirForm(t *testing.T) {
	for s, want := range map[string]bool{
		"006000000000001": true, "006000000000001AAA": true, "": false, "006": false, "006000000000001'": false, "006000000000001AA": false,
		"006000000000001AAAA": false, "00600000000000ä": false, "006000000000001AA\n": false,
	} {
		if isID(s) != want {
			t.Errorf("%q: %t", s, !want)
		}
	}
	if !sameID("006000000000001", "006000000000001AAA") || sameID("006000000000001AAA", "006000000000002AAA") || sameID("", "") {
		t.Error("15 and 18 characters")
	}
}

func TestWebsitesAreHeldAgainstADomain(t *testing.T) {
	for website, want := range map[string]bool{
		"acme.example": true, "HTTPS://WWW.Acme.Example/x?y": true, "http://shop.acme.example:8080": true, "acme.example.": true, " acme.example ": true,
		"": false, "notacme.example": false, "acme.example.com": false, "x.example/acme.example": false, "x.example#acme.example": false,
		"https://acme.example@evil.example/": false, "http://%zz": false,
	} {
		if ofDomain(website, "acme.example") != want {
			t.Errorf("%q: %t", website, !want)
		}
	}
}
