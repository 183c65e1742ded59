package identity

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCompareNames(t *testing.T) {
	for _, c := range []struct {
		name, a, b, countryA, countryB string
		want                           Grade
	}{
		{"Inc. and Incorporated are probably one", "Acme Inc.", "ACME, Incorporated", "", "", GradeProbable},
		{"a comma before Inc does not matter", "Acme Inc.", "Acme, Inc", "", "", GradeProbable},
		{"Inc. and GmbH may be sisters", "Acme Inc.", "Acme GmbH", "", "", GradePossible},
		{"Inc. and GmbH may be sisters even in one country", "Acme Inc.", "Acme GmbH", "DE", "DE", GradePossible},
		{"GmbH spelt with dots is probably one", "Acme GmbH", "ACME G.m.b.H.", "", "", GradeProbable},
		{"GmbH in single letters is probably one", "Acme GmbH", "Acme G M B H", "", "", GradeProbable},
		{"GmbH and GmbH & Co. KG are probably related", "Acme GmbH", "Acme GmbH & Co. KG", "", "", GradeProbable},
		{"two spellings of Pty are probably one", "Acme Pty Ltd", "Acme Pty Limited", "", "", GradeProbable},
		{"Holdings and Company are possible only", "Acme Holdings Ltd", "The Acme Company", "GB", "GB", GradePossible},
		{"a country in brackets is possible only", "Acme (UK) Limited", "Acme Limited", "GB", "GB", GradePossible},
		{"& Co. or not is probably one in one country", "JPMorgan Chase & Co.", "JPMorgan Chase", "US", "US", GradeProbable},
		{"& Co. or not is possible without a country", "JPMorgan Chase & Co.", "JPMorgan Chase", "", "", GradePossible},
		{"a word in front makes another company", "The Solutions Co", "Enterprise Solutions", "US", "US", GradeNone},
		{"names of three letters are possible only", "A-B-C Company", "ABC", "US", "US", GradePossible},
		{"strong names of three letters are possible only", "ABC Inc", "ABC Inc.", "US", "US", GradePossible},
		{"an umlaut spelt out is possible", "Müller GmbH", "Mueller GmbH", "DE", "DE", GradePossible},
		{"an umlaut without dots is the same", "Müller GmbH", "Muller GmbH", "DE", "DE", GradeProbable},
		{"two umlaut names with and without a country are possible", "Müller (Schweiz) GmbH", "Mueller GmbH", "CH", "CH", GradePossible},
		{"a form that may be a word is possible only", "L'Oréal S.A.", "LOreal", "FR", "FR", GradePossible},
		{"look-alike letters are possible only", "Acme Softw\u0430re", "Acme Software", "US", "US", GradePossible},
		{"one letter in a long name is possible", "Brandenburg Ltd", "Brandenberg Ltd", "GB", "GB", GradePossible},
		{"one letter more in a long name is possible", "Brandenburg Ltd", "Brandenburgs Ltd", "GB", "GB", GradePossible},
		{"two letters in a long name are nothing", "Brandenburg Ltd", "Brundenberg Ltd", "GB", "GB", GradeNone},
		{"one letter in a short name is nothing", "Brand Ltd", "Grand Ltd", "GB", "GB", GradeNone},
		{"one letter between seven and eight is nothing", "Brander Ltd", "Branders Ltd", "GB", "GB", GradeNone},
		{"two countries are possible only", "Acme Ltd", "Acme Ltd", "GB", "IE", GradePossible},
		{"an unknown country is possible only", "Acme Ltd", "Acme Ltd", "GB", "", GradePossible},
		{"UK is GB, and case does not matter", "Acme Ltd", "Acme Ltd", "uk", "GB", GradeProbable},
		{"a stated country goes before the form's", "Acme GmbH", "Acme GmbH", "AT", "DE", GradePossible},
		{"no name matches nothing", "", "", "GB", "GB", GradeNone},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, why := CompareNames(lists.Name(c.a), lists.Name(c.b), c.countryA, c.countryB)
			if got != c.want || (why == "") != (got == GradeNone) {
				t.Errorf("%q and %q: %q (%s), want %q", c.a, c.b, got, why, c.want)
			}
		})
	}
}

func TestEvidenceSaysWhatMatters(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"Acme Inc.", "Acme GmbH", "sister companies"},
		{"Acme GmbH", "Acme GmbH & Co. KG", "perhaps one group"},
		{"Acme Softw\u0430re", "Acme Software", "look-alike"},
		{"Müller GmbH", "Mueller GmbH", "another spelling"},
		{"ABC", "ABC", "very short"},
		{"Acme SA", "Acme", "ambiguous legal form"},
	} {
		if _, why := CompareNames(lists.Name(c.a), lists.Name(c.b), "", ""); !strings.Contains(why, c.want) {
			t.Errorf("%s, %s: %q does not say %q", c.a, c.b, why, c.want)
		}
	}
}

func TestComparingNamesIsSymmetricAndNeverCertain(t *testing.T) {
	country := rapid.SampledFrom([]string{"", "DE", "US", "GB", "uk", "zz"})
	name := rapid.OneOf(companyName(), rapid.SampledFrom([]string{
		"Acme Inc.", "Acme GmbH", "Acme", "Müller", "Mueller", "Muller", "Acme Softw\u0430re", "Acme Software", "Acme Softwares", "Acme (UK) Ltd",
	}))
	rapid.Check(t, func(t *rapid.T) {
		a, b := lists.Name(name.Draw(t, "a")), lists.Name(name.Draw(t, "b"))
		ca, cb := country.Draw(t, "countryA"), country.Draw(t, "countryB")
		g, why := CompareNames(a, b, ca, cb)
		h, whyBack := CompareNames(b, a, cb, ca)
		if g != h || why != whyBack {
			t.Fatalf("%+v, %+v: %q (%s) one way, %q (%s) the other", a, b, g, why, h, whyBack)
		}
		if !g.Valid() || g.Compare(GradeProbable) > 0 {
			t.Fatalf("names alone give %q", g)
		}
		if (letters(a.Key) < shortName || letters(b.Key) < shortName) && g.Compare(GradePossible) > 0 {
			t.Fatalf("short names %q, %q give %q", a.Key, b.Key, g)
		}
	})
}

func TestOneEditAgreesWithTheDefinition(t *testing.T) {
	word := rapid.StringMatching(`[abä]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := word.Draw(t, "a"), word.Draw(t, "b")
		if got, want := oneEdit(a, b), distance([]rune(a), []rune(b)) == 1; got != want {
			t.Fatalf("oneEdit(%q, %q) = %v", a, b, got)
		}
	})
}

// distance is Levenshtein's by its definition, slow and plain.
func distance(a, b []rune) int {
	switch {
	case len(a) == 0:
		return len(b)
	case len(b) == 0:
		return len(a)
	case a[0] == b[0]:
		return distance(a[1:], b[1:])
	}
	return 1 + min(distance(a[1:], b), distance(a, b[1:]), distance(a[1:], b[1:]))
}

func TestGradesAreAFullOrderedSet(t *testing.T) {
	all := Grades()
	if want := []Grade{GradeNone, GradePossible, GradeProbable, GradeRelated, GradeCertain}; !slices.Equal(all, want) {
		t.Fatalf("grades %q", all)
	}
	for i, g := range all {
		if !g.Valid() {
			t.Errorf("%q is not valid", g)
		}
		for j, h := range all {
			if (g.Compare(h) < 0) != (i < j) || (g.Compare(h) == 0) != (i == j) {
				t.Errorf("%q against %q: %d", g, h, g.Compare(h))
			}
		}
	}
	if Grade("sure").Valid() || Grade("sure").Compare(GradeNone) >= 0 {
		t.Error("an unknown grade counts")
	}
}
