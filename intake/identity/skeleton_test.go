package identity

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestHomograph(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"a Cyrillic a passes for a Latin one", "аcme.com", "acme.com", true},
		{"the ASCII form is seen through", "xn--cme-5cd.com", "acme.com", true},
		{"a Cyrillic a in a name passes", "acme softw\u0430re", "acme software", true},
		{"Cyrillic capitals pass", "АСМЕ", "ACME", true},
		{"a Greek omicron passes", "gοοgle.com", "google.com", true},
		{"an Armenian o passes", "gօօgle.com", "google.com", true},
		{"a dotless i passes", "gmaıl.com", "gmail.com", true},
		{"sharp s passes for ss", "straße.de", "strasse.de", true},
		{"its ASCII form does too", "xn--fa-hia.de", "fass.de", true},
		{"the same is no homograph", "acme.com", "acme.com", false},
		{"case is no homograph", "ACME.com", "acme.com", false},
		{"full width is no homograph", "ａｃｍｅ", "acme", false},
		{"two forms of one domain are no homograph", "münchen.de", "xn--mnchen-3ya.de", false},
		{"different words are no homograph", "acme.com", "acne.com", false},
		{"a zero is no o", "g0ogle.com", "google.com", false},
		{"rn is no m", "acrne.com", "acme.com", false},
		{"an accent is seen", "acmé.com", "acme.com", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if Homograph(c.a, c.b) != c.want || Homograph(c.b, c.a) != c.want {
				t.Errorf("%q, %q: skeletons %q, %q; want %v", c.a, c.b, Skeleton(c.a), Skeleton(c.b), c.want)
			}
		})
	}
}

func TestSuspect(t *testing.T) {
	for _, c := range []struct {
		name, host string
		want       bool
	}{
		{"a plain host is not", "acme.com", false},
		{"an umlaut is not", "münchen-bau.de", false},
		{"an umlaut in ASCII form is not", "xn--mnchen-bau-9db.de", false},
		{"sharp s is not", "straße.de", false},
		{"Latin with one Cyrillic letter is", "аcme.com", true},
		{"its ASCII form is", "xn--cme-5cd.com", true},
		{"a sub-domain is looked at too", "pаypal.acme.com", true},
		{"Latin with one Greek letter is", "gοogle.com", true},
		{"all Cyrillic that reads as Latin is", "аре.com", true},
		{"Cyrillic that reads as Cyrillic is not", "пример.com", false},
		{"Cyrillic with capital look-alikes only is not", "москва.com", false},
		{"Cyrillic under a Cyrillic ending is not", "аре.рф", false},
		{"Japanese with Latin is not", "acme株式会社アクメ.jp", false},
		{"Korean with Latin is not", "acme아크메.kr", false},
		{"Korean with Japanese is", "アクメ아크.com", true},
		{"Cyrillic with Greek is", "жω.com", true},
		{"a free-mail name with a dotless i is", "gmaıl.com", true},
		{"a shared host with a dotless i is", "acme.sharepoınt.com", true},
		{"an umlaut under a shared host is not", "müller.wordpress.com", false},
		{"what cannot be decoded is", "xn--a.com", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lists.Suspect(c.host); got != c.want {
				t.Errorf("Suspect(%q) = %v", c.host, got)
			}
		})
	}
}

func TestSkeletonIsIdempotentAndBlindToCase(t *testing.T) {
	letter := rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("аБВгЕһΥυΑΣςßẞİıſﬁＡ０\u0345\u0301ѐй")))
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOfN(letter, 0, 12).Draw(t, "letters"))
		once := Skeleton(s)
		if twice := Skeleton(once); twice != once {
			t.Fatalf("Skeleton(%q) = %q, of that %q", s, once, twice)
		}
		if !utf8.ValidString(once) {
			t.Fatalf("Skeleton(%q) = %q", s, once)
		}
	})
	for _, s := range []string{"Acme", "АСМЕ", "ΑΒΓ", "Ուս", "Straße"} {
		if Skeleton(strings.ToUpper(s)) != Skeleton(strings.ToLower(s)) {
			t.Errorf("%q: case shows", s)
		}
	}
}

func TestConfusablesAreNotLatinAndLeadToLatin(t *testing.T) {
	err := eachLine(embedded("confusables"), func(line string) error {
		from, to, ok := strings.Cut(line, " ")
		r, size := utf8.DecodeRuneInString(from)
		if !ok || size != len(from) || r < utf8.RuneSelf || !unicode.IsLetter(r) {
			t.Errorf("%q: the look-alike is not one letter beyond ASCII", line)
		}
		if strings.Trim(to, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || to == "" {
			t.Errorf("%q: leads to %q", line, to)
		}
		if Skeleton(from) != strings.ToLower(to) {
			t.Errorf("%q: skeleton %q", line, Skeleton(from))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
