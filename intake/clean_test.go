package intake_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"leadgate/intake"
	"leadgate/intake/identity"
)

func TestCleanBringsValuesIntoTheirForm(t *testing.T) {
	ids := identity.Default()
	for _, c := range []struct {
		name    string
		field   intake.Field
		in, out string
		code    string // of the problem; the value is then left out
	}{
		{"white space and controls are folded", intake.FieldCompanyName, "  Acme \x00\t GmbH\r\n", "Acme GmbH", ""},
		{"characters that turn the direction are dropped", intake.FieldCompanyName, "Acme\u202e GmbH", "Acme GmbH", ""},
		{"a name without a letter is none", intake.FieldCompanyName, "???", "", intake.ProblemInvalid},
		{"a long name is cut", intake.FieldCompanyName, strings.Repeat("ä", 300), strings.Repeat("ä", 200), ""},
		{"a URL becomes a domain", intake.FieldCompanyDomain, "https://WWW.Acme.co.uk/x?y", "acme.co.uk", ""},
		{"an umlaut domain becomes ASCII", intake.FieldCompanyDomain, "münchen-bau.de", "xn--mnchen-bau-9db.de", ""},
		{"a mail provider is no company", intake.FieldCompanyDomain, "gmail.com", "", intake.ProblemFreeMail},
		{"a word is no domain", intake.FieldCompanyDomain, "acme", "", intake.ProblemInvalidDomain},
		{"an address is no company's domain", intake.FieldCompanyDomain, "192.168.1.10", "", intake.ProblemNotCompanyDomain},
		{"the local part of an address is kept as typed", intake.FieldContactEmail, "Jane.Doe@ACME.Example", "Jane.Doe@acme.example", ""},
		{"an address with a line end is refused", intake.FieldContactEmail, "jane@acme.example\r\nBcc: x@y.example", "", intake.ProblemInvalid},
		{"a country is upper case", intake.FieldCountry, "de", "DE", ""},
		{"a region is no country", intake.FieldCountry, "DACH", "", intake.ProblemInvalid},
		{"a stage is one of three", intake.FieldStage, "closing", "", intake.ProblemInvalid},
		{"a stage is kept", intake.FieldStage, intake.StageEvaluation, intake.StageEvaluation, ""},
		{"consent is yes or no", intake.FieldConsent, "maybe", "", intake.ProblemInvalid},
		{"a telephone number can be dialled from anywhere", intake.FieldContactPhone, "+49 (0)30 / 123456 ext. 12", "+4930123456", ""},
		{"a telephone number without a country is refused", intake.FieldContactPhone, "030 123456", "", intake.ProblemInvalid},
		{"a date is no telephone number", intake.FieldContactPhone, "2026-11-23", "", intake.ProblemInvalid},
		{"a kind is kept", intake.FieldKind, intake.KindDeal, intake.KindDeal, ""},
		{"a kind is one of two", intake.FieldKind, "opportunity", "", intake.ProblemInvalid},
		{"revenue has an amount and a currency", intake.FieldTargetRevenue, "120000 EUR", "120000 EUR", ""},
		{"revenue without a currency is refused", intake.FieldTargetRevenue, "a lot", "", intake.ProblemInvalid},
		{"a problem keeps its lines", intake.FieldProblem, "first line \r\n\r\n second line", "first line\nsecond line", ""},
		{"a problem of a word says too little", intake.FieldProblem, "lots", "", intake.ProblemTooShort},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, problems := intake.Clean(ids, intake.Lead{c.field: c.in})
			if out[c.field] != c.out {
				t.Errorf("%q became %q, want %q", c.in, out[c.field], c.out)
			}
			if c.code == "" && len(problems) > 0 || c.code != "" && (len(problems) != 1 || problems[0].Code != c.code || problems[0].Field != c.field || problems[0].Message == "") {
				t.Errorf("problems %+v, want %q", problems, c.code)
			}
		})
	}
}

func TestTelephoneNumbersAreReadAsInTheCountryOfTheLead(t *testing.T) {
	ids := identity.Default()
	for _, c := range []struct{ country, in, want string }{
		{"de", "030 123456", "+4930123456"},
		{"US", "(212) 555-2368", "+12125552368"},
		{"US", "+49 30 123456", "+4930123456"},
		{"US", "030 123456", ""},
		{"DACH", "030 123456", ""},
		{"", "+49 30 123456", "+4930123456"},
	} {
		out, problems := intake.Clean(ids, intake.Lead{intake.FieldCountry: c.country, intake.FieldContactPhone: c.in})
		if got := out[intake.FieldContactPhone]; got != c.want {
			t.Errorf("%s in %q: %q, want %q", c.in, c.country, got, c.want)
		}
		told := slices.ContainsFunc(problems, func(p intake.Problem) bool {
			return p.Field == intake.FieldContactPhone && strings.Contains(p.Message, c.in) && strings.Contains(p.Message, "+49 30 123456")
		})
		if told != (c.want == "") {
			t.Errorf("%s in %q: problems %+v", c.in, c.country, problems)
		}
	}
}

func TestCleaningTwiceIsCleaningOnceAndLeavesPlainText(t *testing.T) {
	ids := identity.Default()
	rapid.Check(t, func(rt *rapid.T) {
		lead := make(intake.Lead)
		for _, f := range intake.Fields() {
			lead[f] = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
				"acme.example", "Jane <x@acme.example>", "x@acme.example", "DE", "US", "yes", "120 EUR", "lead", "deal", "+49 (0)30 / 123456", "(212) 555-2368", "030 123456, 0171 1234567", "new_intro", "a\nb\nc and more words", "\xff\xfe", "ﬁne ＡＣＭＥ",
			})).Draw(rt, string(f))
		}
		once, _ := intake.Clean(ids, lead)
		twice, problems := intake.Clean(ids, once)
		if !maps.Equal(once, twice) || len(problems) > 0 {
			rt.Fatalf("%v became %v with %v", once, twice, problems)
		}
		for f, v := range once {
			if !utf8.ValidString(v) || strings.ContainsFunc(v, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
				rt.Fatalf("%s holds %q", f, v)
			}
		}
	})
}

func TestAccountKeys(t *testing.T) {
	ids := identity.Default()
	for _, c := range []struct {
		name string
		lead intake.Lead
		want []string
	}{
		{"nothing is known", intake.Lead{}, nil},
		{"domain and name", intake.Lead{intake.FieldCompanyName: "Acme GmbH", intake.FieldCompanyDomain: "acme.example"}, []string{"domain:acme.example", "name:acme"}},
		{"a contact at the company adds nothing", intake.Lead{intake.FieldCompanyDomain: "acme.example", intake.FieldContactEmail: "Jane@acme.example"}, []string{"domain:acme.example"}},
		{"a contact elsewhere does", intake.Lead{intake.FieldCompanyDomain: "acme.example", intake.FieldContactEmail: "Jane@agency.example"}, []string{"contact:jane@agency.example", "domain:acme.example"}},
		{"a name with an umlaut is found by both spellings", intake.Lead{intake.FieldCompanyName: "Müller AG"}, []string{"name:mueller", "name:muller"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := intake.AccountKeys(ids, c.lead)
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

func TestFillKeepsWhatIsThereUnlessToldOtherwise(t *testing.T) {
	lead := intake.Lead{intake.FieldCompanyName: "Acme", intake.FieldConsent: intake.ConsentNo}
	changed := lead.Fill(intake.Lead{
		intake.FieldCompanyName: "Other", intake.FieldConsent: intake.ConsentYes, intake.FieldCountry: "DE", intake.FieldProblem: "",
	}, intake.FieldConsent)
	want := intake.Lead{intake.FieldCompanyName: "Acme", intake.FieldConsent: intake.ConsentYes, intake.FieldCountry: "DE"}
	if !maps.Equal(lead, want) || !slices.Equal(changed, []intake.Field{intake.FieldCountry, intake.FieldConsent}) {
		t.Errorf("%v, changed %v", lead, changed)
	}
}

func TestClosedSetsHoldWhatIsUsed(t *testing.T) {
	for name, n := range map[string]int{
		"statuses": len(slices.Compact(slices.Sorted(slices.Values(intake.Statuses())))) - len(intake.Statuses()),
		"reasons":  len(slices.Compact(slices.Sorted(slices.Values(intake.Reasons())))) - len(intake.Reasons()),
		"messages": len(slices.Compact(slices.Sorted(slices.Values(intake.MessageKinds())))) - len(intake.MessageKinds()),
		"events":   len(slices.Compact(slices.Sorted(slices.Values(intake.EventKinds())))) - len(intake.EventKinds()),
		"asides":   len(slices.Compact(slices.Sorted(slices.Values(intake.AsideReasons())))) - len(intake.AsideReasons()),
		"fields":   len(slices.Compact(slices.Sorted(slices.Values(intake.Fields())))) - len(intake.Fields()),
	} {
		if n != 0 {
			t.Errorf("%s: %d stand there twice", name, -n)
		}
	}
	order := intake.Outcomes()
	for i, o := range order {
		for j, p := range order {
			if o.Worse(p) != (i > j) {
				t.Errorf("%s worse than %s: %v", o, p, o.Worse(p))
			}
		}
	}
	if intake.OutcomeApprove.Worse("") || intake.Outcome("").Worse(intake.OutcomeApprove) {
		t.Error("no outcome counts as approve")
	}
}
