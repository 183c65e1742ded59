package identity

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestNameKey(t *testing.T) {
	for _, c := range []struct {
		name, in, key, form, country string
		weak                         bool
	}{
		{"Inc. is taken off and points at the US", "Acme Inc.", "acme", "inc", "US", false},
		{"Incorporated is Inc.", "ACME, Incorporated", "acme", "inc", "US", false},
		{"a comma before Inc does not matter", "Acme, Inc", "acme", "inc", "US", false},
		{"GmbH is taken off and points at Germany", "Acme GmbH", "acme", "gmbh", "DE", false},
		{"GmbH with dots is the same", "ACME G.m.b.H.", "acme", "gmbh", "DE", false},
		{"GmbH in single letters is the same", "Acme G M B H", "acme", "gmbh", "DE", false},
		{"GmbH & Co. KG is one form, and strong", "Acme GmbH & Co. KG", "acme", "gmbh and co kg", "DE", false},
		{"Pty Ltd is taken off whole", "Acme Pty Ltd", "acme", "pty ltd", "AU", false},
		{"Pty Limited is not half taken off", "Acme Pty Limited", "acme", "pty ltd", "AU", false},
		{"(Pty) in brackets is the same", "Acme (Pty) Ltd.", "acme", "pty ltd", "AU", false},
		{"Holdings makes the key weak", "Acme Holdings Ltd", "acme", "ltd", "", true},
		{"The and Company go, and the key is weak", "The Acme Company", "acme", "co", "", true},
		{"a country in brackets stays in the key", "Acme (UK) Limited", "acme uk", "ltd", "", false},
		{"& Co. goes with its and", "JPMorgan Chase & Co.", "jpmorgan chase", "and co", "", false},
		{"a name without a form stays", "JPMorgan Chase", "jpmorgan chase", "", "", false},
		{"a dangling and goes", "JPMorgan Chase AND", "jpmorgan chase", "", "", false},
		{"a form does not leave an and dangling", "JPMorgan Chase & Ltd", "jpmorgan chase", "ltd", "", false},
		{"an ampersand is and", "Johnson & Johnson", "johnson and johnson", "", "", false},
		{"a plus is and", "Johnson + Johnson", "johnson and johnson", "", "", false},
		{"Coop is a name", "Coop", "coop", "", "", false},
		{"SA alone is a name", "SA", "sa", "", "", false},
		{"Company alone is a name", "Company", "company", "", "", false},
		{"Group alone is a name", "Group", "group", "", "", false},
		{"The Company is Company", "The Company", "company", "", "", false},
		{"& Co. alone is a name", "& Co.", "and co", "", "", false},
		{"The Solutions Co is weak", "The Solutions Co", "solutions", "co", "", true},
		{"a leading plain word stays", "Enterprise Solutions", "enterprise solutions", "", "", false},
		{"initials with hyphens are one word", "A-B-C Company", "abc", "co", "", true},
		{"plain initials are the same word", "ABC", "abc", "", "", false},
		{"initials grow together before the name", "J.P. Morgan", "jp morgan", "", "", false},
		{"a single letter stays out of the form behind it", "Plan B S.A.", "plan b", "sa", "", true},
		{"an umlaut loses its dots", "Müller GmbH", "muller", "gmbh", "DE", false},
		{"ae, oe and ue stay", "Mueller GmbH", "mueller", "gmbh", "DE", false},
		{"sharp s is ss", "Großmann AG", "grossmann", "ag", "", true},
		{"an apostrophe vanishes", "L'Oréal S.A.", "loreal", "sa", "", true},
		{"a curly apostrophe vanishes", "L’Oréal", "loreal", "", "", false},
		{"an accent typed for an apostrophe vanishes", "L´Oréal", "loreal", "", "", false},
		{"without the apostrophe it is the same", "LOreal", "loreal", "", "", false},
		{"Nordic letters become plain", "Ærø Smørrebrød ApS", "aero smorrebrod", "aps", "DK", false},
		{"a slash joins initials", "Acme A/S", "acme", "as", "", true},
		{"Polish forms go whole", "Acme Sp. z o.o.", "acme", "sp z oo", "PL", false},
		{"Polish forms with more spaces go too", "Acme Sp. z o. o.", "acme", "sp z oo", "PL", false},
		{"Polish forms in full go too", "Żółw Spółka z ograniczoną odpowiedzialnością", "zolw", "sp z oo", "PL", false},
		{"Czech forms go whole", "Acme spol. s r.o.", "acme", "sro", "", false},
		{"Mexican forms go whole", "Acme S. de R.L. de C.V.", "acme", "s de rl de cv", "MX", false},
		{"Indian forms go whole", "Acme Private Limited", "acme", "pvt ltd", "", false},
		{"Malaysian forms go whole", "Acme Sdn. Bhd.", "acme", "sdn bhd", "MY", false},
		{"Co., Ltd. is strong", "Acme Co., Ltd.", "acme", "co ltd", "", false},
		{"two forms both go", "Acme SA/NV", "acme", "sa nv", "BE", false},
		{"Japanese forms in front go", "株式会社アクメ", "アクメ", "株式会社", "JP", false},
		{"Japanese forms behind go", "アクメ株式会社", "アクメ", "株式会社", "JP", false},
		{"abbreviated Japanese forms go", "㈱アクメ", "アクメ", "株式会社", "JP", false},
		{"voiced kana keep their marks", "ガス株式会社", "ガス", "株式会社", "JP", false},
		{"the longest Chinese form goes", "华为技术股份有限公司", "华为技术", "股份有限公司", "", false},
		{"Korean forms go", "주식회사 아크메", "아크메", "주식회사", "KR", false},
		{"Russian forms in front go", "ООО Акме", "акме", "ооо", "RU", false},
		{"Russian names in quotes are bare", "ООО «Акме»", "акме", "ооо", "RU", false},
		{"Lithuanian forms in front go", "UAB „Acme“", "acme", "uab", "LT", false},
		{"Hebrew forms go", `אקמה בע"מ`, "אקמה", "בע מ", "IL", false},
		{"Turkish capitals fold", "ACME SANAYİ VE TİCARET ANONİM ŞİRKETİ", "acme", "anonim sirketi", "TR", false},
		{"a trade mark sign goes", "Acme™ Inc.", "acme", "inc", "US", false},
		{"full width is folded", "Ａｃｍｅ　Ｉｎｃ．", "acme", "inc", "US", false},
		{"an invisible hyphen goes", "Ac\u00ADme Inc", "acme", "inc", "US", false},
		{"a number is a name", "3M", "3m", "", "", false},
		{"digits of a name stay", "1&1 AG", "1 and 1", "ag", "", true},
		{"nothing has no key", "", "", "", "", false},
		{"signs have no key", " &+-!", "", "", "", false},
		{"a Cyrillic letter stays one", "Acme Softw\u0430re", "acme softw\u0430re", "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := lists.Name(c.in)
			if n.Key != c.key || n.Form != c.form || n.Country != c.country || n.Weak != c.weak {
				t.Errorf("Name(%q) = %+v; want key %q, form %q, country %q, weak %v", c.in, n, c.key, c.form, c.country, c.weak)
			}
		})
	}
}

func TestAlternativeNames(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"an umlaut is also spelt with e", "Müller GmbH", "mueller"},
		{"a decomposed umlaut is too", "Mu\u0308ller GmbH", "mueller"},
		{"a Danish o is also spelt with e", "Ørsted A/S", "oersted"},
		{"a country in brackets is also left out", "Acme (UK) Limited", "acme"},
		{"a country's own name is also left out", "Acme (Deutschland) GmbH", "acme"},
		{"a country with an umlaut is also left out", "Acme (Österreich) GmbH", "acme"},
		{"square brackets do as well", "Acme [France] SAS", "acme"},
		{"both at once give one alternative", "Müller (Schweiz) AG", "mueller"},
		{"no other word in brackets is left out", "Acme (Services) Ltd", ""},
		{"a country without brackets is not left out", "Acme UK Limited", ""},
		{"brackets without an end are nothing", "Acme (UK", ""},
		{"a plain name has no alternative", "Acme Inc.", ""},
		{"an accent makes no alternative", "Café", ""},
		{"a name that is only a country keeps it", "(UK)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if n := lists.Name(c.in); n.Alt != c.want {
				t.Errorf("Name(%q).Alt = %q, want %q", c.in, n.Alt, c.want)
			}
		})
	}
}

// companyName draws names with the things that make them hard.
func companyName() *rapid.Generator[string] {
	word := rapid.OneOf(
		rapid.SampledFrom([]string{
			"Acme", "The", "Müller", "a", "b", "G.m.b.H.", "GmbH", "&", "+", "and", "Co.", "KG", "Ltd", "Pty", "(UK)", "(Österreich)",
			"S.A.", "Sp. z o.o.", "株式会社", "アクメ", "(株)", "ООО", "Акме", "Holdings", "Group", "L'", "’", "-", "/", "A-B-C", "İş", "ﷺ", "ß", "™", "ᄀ", "ᅡ",
		}),
		rapid.String(),
	)
	sep := rapid.SampledFrom([]string{" ", " ", ", ", "", "-", ".", "\u00a0"})
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for _, w := range rapid.SliceOfN(word, 0, 6).Draw(t, "words") {
			b.WriteString(w)
			b.WriteString(sep.Draw(t, "sep"))
		}
		return b.String()
	})
}

func checkName(t reporter, raw string) {
	t.Helper()
	n := lists.Name(raw)
	if n.Skeleton != Skeleton(n.Key) || n.Alt == n.Key && n.Alt != "" || n.Weak && n.Form == "" {
		t.Fatalf("Name(%q) = %+v", raw, n)
	}
	if strings.Join(strings.Fields(n.Key), " ") != n.Key {
		t.Fatalf("Name(%q): key %q has odd spaces", raw, n.Key)
	}
	hasWord := strings.ContainsFunc(clip(raw), func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	if hasWord && n.Key == "" {
		t.Fatalf("Name(%q) has no key", raw)
	}
	if len(n.Key) > maxInput {
		return // the key of a long name may be longer than what Name reads
	}
	if again := lists.Name(n.Key); again.Key != n.Key {
		t.Fatalf("Name(%q) has key %q, and that has key %q", raw, n.Key, again.Key)
	}
	if g, _ := CompareNames(n, n, "DE", "DE"); n.Key != "" && g != GradePossible && g != GradeProbable {
		t.Fatalf("Name(%q) does not match itself: %q", raw, g)
	}
}

func TestNormalisingANameTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkName(t, companyName().Draw(t, "name")) })
}

func TestCaseAndSpacesNeverChangeANameKey(t *testing.T) {
	word := rapid.SampledFrom([]string{"Acme", "Müller", "Ltd.", "GmbH", "& Co.", "The", "Øresund", "Акме", "S.A.", "B"})
	rapid.Check(t, func(t *rapid.T) {
		name := strings.Join(rapid.SliceOfN(word, 1, 5).Draw(t, "words"), " ")
		want := lists.Name(name)
		for _, v := range []string{strings.ToUpper(name), strings.ToLower(name), "  " + name + "\t", strings.ReplaceAll(name, " ", "\u00a0 ")} {
			if got := lists.Name(v); got != want {
				t.Fatalf("Name(%q) = %+v, Name(%q) = %+v", v, got, name, want)
			}
		}
	})
}

func TestALongNameIsClippedAtALetter(t *testing.T) {
	n := lists.Name(strings.Repeat("ä", maxInput))
	if want := strings.Repeat("a", maxInput/2); n.Key != want {
		t.Errorf("key of %d bytes", len(n.Key))
	}
	n = lists.Name("x" + strings.Repeat("ä", maxInput))
	if want := "x" + strings.Repeat("a", maxInput/2-1); n.Key != want {
		t.Errorf("key of %d bytes", len(n.Key))
	}
}

func FuzzName(f *testing.F) {
	for _, s := range []string{
		"Acme GmbH & Co. KG", "L'Oréal S.A.", "株式会社アクメ", "ООО Акме", "Acme (UK) Limited", "A-B-C Company",
		"Müller", "&", "The Co", "ﷺ", "ͺ", "ᄀ ᅡ b", "ʼ", "a\u0345", "S.p.A.", "İ I ı",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) { checkName(t, raw) })
}

func BenchmarkName(b *testing.B) {
	for _, c := range []struct{ name, in string }{
		{"plain", "Acme Industries Inc."},
		{"long form", "Acme GmbH & Co. KG"},
		{"country", "Acme (UK) Limited"},
		{"umlaut", "Müller Maschinenbau GmbH"},
		{"Japanese", "株式会社アクメ"},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				lists.Name(c.in)
			}
		})
	}
}
