package extract

import (
	"slices"
	"strings"
	"testing"

	"leadgate/intake"
)

func TestMoney(t *testing.T) {
	for in, want := range map[string]string{
		"€ 120.000": "120000 EUR", "120k EUR": "120000 EUR", "$1.2M": "1200000 USD", "120,000 USD": "120000 USD",
		"EUR 1.200.000,50": "1200000.50 EUR", "1,5 Mio. €": "1500000 EUR", "120 000 €": "120000 EUR", "CHF 50'000": "50000 CHF",
		"¥10,000,000": "10000000 JPY", "ca. 80k EUR per year": "80000 EUR", "USD 80,000.5": "80000.50 USD", "2.5 million dollars": "2500000 USD",
		"100 Tsd. Euro": "100000 EUR", "£99": "99 GBP", "A$ 5,000": "5000 AUD", "US$ 5k": "5000 USD", "500 PLN": "500 PLN",
		"120,000": "", "100-200k EUR": "", "120k EUR in 2026": "", "EUR": "", "120 EUR or USD": "", "1.250k EUR": "", "0 EUR": "",
		"1.2.3,4.5 EUR": "", "-": "", "9999999999999999 EUR": "", "120 crowns": "",
	} {
		if got := builtin().money(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	e := newTestExtractor()
	for _, tt := range []struct {
		field    intake.Field
		in, want string
	}{
		{intake.FieldCountry, "Deutschland", "DE"},
		{intake.FieldCountry, "ALLEMAGNE", "DE"},
		{intake.FieldCountry, "the netherlands", "NL"},
		{intake.FieldCountry, "Munich, Germany", "DE"},
		{intake.FieldCountry, "uk", "GB"},
		{intake.FieldCountry, "U.S.A.", "US"},
		{intake.FieldCountry, "France / Spain", ""},
		{intake.FieldCountry, "EMEA", ""},
		{intake.FieldConsent, "YES!", "yes"},
		{intake.FieldConsent, "No, not yet", "no"},
		{intake.FieldConsent, "yes / no", ""},
		{intake.FieldConsent, "no problem", ""},
		{intake.FieldConsent, "probably", ""},
		{intake.FieldConsent, "yes please contact them", "yes"},
		{intake.FieldConsent, "yes, she agreed", "yes"},
		{intake.FieldConsent, "ja, liegt vor", "yes"},
		{intake.FieldConsent, "ja, liegt noch nicht vor", ""},
		{intake.FieldConsent, "yes but not yet", ""},
		{intake.FieldConsent, "yes [x] no [ ]", ""},
		{intake.FieldConsent, "no, not yet asked", "no"},
		{intake.FieldConsent, "I will ask him next week", ""},
		{intake.FieldConsent, "✓", "yes"},
		{intake.FieldConsent, "[x]", "yes"},
		{intake.FieldConsent, "[ ]", ""},
		{intake.FieldConsent, "同意します", "yes"},
		{intake.FieldContactEmail, "<jane@ACME.com>", "jane@acme.com"},
		{intake.FieldContactEmail, "jane@acme.com (mailto:jane@acme.com)", "jane@acme.com"},
		{intake.FieldContactEmail, "a@acme.com or b@acme.com", ""},
		{intake.FieldCompanyDomain, "https://www.Acme.CO.UK/path?q=1", "acme.co.uk"},
		{intake.FieldCompanyDomain, "acme.com, acme.com/de", "acme.com"},
		{intake.FieldCompanyDomain, "acme.com, acme.de", ""},
		{intake.FieldCompanyDomain, "jane@acme.com", ""},
		{intake.FieldCompanyDomain, "gmail.com", ""},
		{intake.FieldContactPhone, "+49 (0)30 / 123-456", "+49 (0)30 / 123-456"},
		{intake.FieldContactPhone, "12345", ""},
		{intake.FieldContactPhone, "on request", ""},
		{intake.FieldCompanyName, "Acme <https://acme.com>", "Acme"},
		{intake.FieldCompanyName, "„Acme“", "Acme"},
		{intake.FieldCompanyName, "!!!", ""},
		{intake.FieldStage, "Erstkontakt", intake.StageNewIntro},
		{intake.FieldStage, "Proof-of-Concept", intake.StageEvaluation},
		{intake.FieldStage, "won", ""},
		{intake.FieldServicesNeeded, "a, b; A • c", "a; b; c"},
	} {
		if got := e.values(tt.field, tt.in)[tt.field]; got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.field, tt.in, got, tt.want)
		}
	}
}

// TestDictionaryIsSound: a label names one field, every field has an English one, stages and
// answers are those of intake, and every country of the data has a code of its own.
func TestDictionaryIsSound(t *testing.T) {
	owner := make(map[string]string)
	english := make(map[string]bool)
	for _, row := range rows("data/labels.tsv", 3) {
		if !slices.Contains(intake.Fields(), intake.Field(row[0])) {
			t.Errorf("unknown field %q", row[0])
		}
		english[row[0]] = english[row[0]] || row[1] == "en"
		for l := range strings.SplitSeq(row[2], "|") {
			k := fold(l)
			if strings.HasSuffix(l, "?") {
				continue // gives way
			}
			if k == "" || owner[k] != "" && owner[k] != row[0] {
				t.Errorf("label %q is of %s and %s", l, owner[k], row[0])
			}
			owner[k] = row[0]
		}
	}
	for _, f := range intake.Fields() {
		if !english[string(f)] {
			t.Errorf("no English label for %s", f)
		}
		if got, ok := builtin().label(fold(string(f)), false); !ok || got != f {
			t.Errorf("%s does not name itself", f)
		}
	}
	for _, s := range builtin().words["stage"] {
		if !slices.Contains(intake.Stages(), s) {
			t.Errorf("unknown stage %q", s)
		}
	}
	codes := make(map[string]bool)
	for _, row := range rows("data/countries.tsv", 2) {
		if codes[row[0]] || len(row[0]) != 2 {
			t.Errorf("country %q", row[0])
		}
		codes[row[0]] = true
		for n := range strings.SplitSeq(row[1], "|") {
			if got := builtin().countries[fold(n)]; got != row[0] {
				t.Errorf("%s is %s and %s", n, row[0], got)
			}
		}
	}
	if len(codes) != 249 {
		t.Errorf("%d countries", len(codes))
	}
}

func TestFoldTwiceIsOnce(t *testing.T) {
	for _, s := range []string{"E-Mail (required)*", "Société", "imię i nazwisko", "会社名", "ドメイン", "K.A.", "ÉTAPE :", "Straße", "((x))"} {
		if once := fold(s); fold(once) != once {
			t.Errorf("%q: %q, then %q", s, once, fold(once))
		}
	}
}
