package intake_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

// TestARowIsTakenInWithoutAValueThatNobodyNeeds: what can't be used of a value is a hint, unless
// the value is required or tells whom the row is about.
func TestARowIsTakenInWithoutAValueThatNobodyNeeds(t *testing.T) {
	with := func(f intake.Field, v string) intake.ImportRow {
		l := named("Three", "three.example")
		l[f] = v
		return intake.ImportRow{Number: 2, Lead: l}
	}
	read := func(f intake.Field, given string) intake.ImportRow {
		return intake.ImportRow{Number: 2, Lead: without(named("Three", "three.example"), f), Problems: []intake.Problem{{Field: f, Code: intake.ProblemInvalid, Given: given}}}
	}
	for name, c := range map[string]struct {
		row    intake.ImportRow
		result intake.RowResult
		codes  string
		hint   intake.Field
		rules  option
	}{
		"an amount without a currency":         {row: with(intake.FieldTargetRevenue, "45000"), result: intake.RowAccepted, codes: intake.ProblemInvalid, hint: intake.FieldTargetRevenue},
		"a number that can't be dialled":       {row: with(intake.FieldContactPhone, "12"), result: intake.RowAccepted, codes: intake.ProblemInvalid, hint: intake.FieldContactPhone},
		"a country that there is not":          {row: read(intake.FieldCountry, "Atlantis"), result: intake.RowAccepted, codes: intake.ProblemInvalid, hint: intake.FieldCountry},
		"a stage of another system":            {row: read(intake.FieldStage, "Open - Not Contacted"), result: intake.RowAccepted, codes: intake.ProblemInvalid, hint: intake.FieldStage},
		"but not where the policy requires it": {row: read(intake.FieldStage, "Open - Not Contacted"), result: intake.RowRejected, codes: intake.ProblemInvalid, rules: full},
		"nor what the problem is":              {row: with(intake.FieldProblem, "slow"), result: intake.RowRejected, codes: intake.ProblemTooShort},
		"nor the address of the contact":       {row: with(intake.FieldContactEmail, "jane at home"), result: intake.RowRejected, codes: intake.ProblemInvalid},
		"nor a domain that is none":            {row: with(intake.FieldCompanyDomain, "gmail.com"), result: intake.RowRejected, codes: intake.ProblemFreeMail},
		"a consent in words is asked for":      {row: read(intake.FieldConsent, "we still have to ask"), result: intake.RowNeedsInfo, codes: intake.ProblemConsent},
	} {
		t.Run(name, func(t *testing.T) {
			rules := c.rules
			if rules == nil {
				rules = budgeted
			}
			inWorld(t, func(w *world) {
				p, err := w.gateway.PreviewImport(t.Context(), file("alpha", "a.csv"))
				if err != nil {
					t.Fatal(err)
				}
				foreseen, err := p.Add(t.Context(), []intake.ImportRow{c.row})
				if err != nil {
					t.Fatal(err)
				}
				im := w.drop(file("alpha", "a.csv"), []intake.ImportRow{c.row})
				o := w.outcomes(im.ID)[0]
				var codes []string
				for _, p := range o.Problems {
					codes = append(codes, p.Code)
					if p.LeftOut != (p.Field == c.hint) || p.Mend == "" || p.Message == "" || p.LeftOut != strings.Contains(p.Mend, "taken in without it") {
						t.Errorf("told %+v", p)
					}
				}
				if o.Result != c.result || strings.Join(codes, " ") != c.codes || im.Counts.LeftOut != len(w.leftOut(o)) {
					t.Errorf("came to %+v, counted as %+v", o, im.Counts)
				}
				if foreseen[0].Result != o.Result || !slices.Equal(foreseen[0].Problems, o.Problems) || p.Counts() != im.Counts {
					t.Errorf("foreseen as %+v", foreseen[0])
				}
				w.pass(time.Minute)
				if c.hint == "" || o.Case == "" {
					return
				}
				if r := w.wantStatus(o.Case, intake.StatusProvisional); r.Lead[c.hint] != "" || r.Unclear[c.hint] == "" {
					t.Errorf("the case says %q, was given %q", r.Lead[c.hint], r.Unclear[c.hint])
				}
			}, rules)
		})
	}
}

func (w *world) leftOut(o intake.RowOutcome) (out []intake.RowProblem) {
	for _, p := range o.Problems {
		if p.LeftOut {
			out = append(out, p)
		}
	}
	return out
}

func TestAnUnclearConsentIsAskedForWithWhatWasGiven(t *testing.T) {
	inWorld(t, func(w *world) {
		row := intake.ImportRow{Number: 2, Lead: without(acme(), intake.FieldConsent), Problems: []intake.Problem{{Field: intake.FieldConsent, Code: intake.ProblemInvalid, Given: "we still have to ask"}}}
		im := w.drop(file("alpha", "a.csv"), []intake.ImportRow{row})
		o := w.outcomes(im.ID)[0]
		if len(o.Problems) != 1 || !strings.Contains(o.Problems[0].Message, "we still have to ask") {
			t.Fatalf("told %+v", o.Problems)
		}
		w.pass(time.Minute)
		w.wantStatus(o.Case, intake.StatusNeedsInfo)
	})
}
