package rules

import (
	"strings"
	"testing"

	"leadgate/intake"
	"leadgate/intake/identity"
)

func TestAnExampleWhoseVerdictIsAnotherOneIsAFault(t *testing.T) {
	for name, tt := range map[string]struct {
		example Example
		want    string // of the fault; none if empty
	}{
		"nothing speaks against it":    {Example{Expect: intake.OutcomeApprove}, ""},
		"a blocked account":            {Example{Lead: map[string]string{"company_domain": "blocked.example"}, Expect: intake.OutcomeDecline, Reason: intake.ReasonBlocked}, ""},
		"another outcome":              {Example{Name: "x", CRMDown: true, Expect: intake.OutcomeApprove}, "examples[0]: x: expected approve, the rules say review (crm_unverified) by crm-reachable"},
		"another reason":               {Example{CRMDown: true, Expect: intake.OutcomeReview, Reason: intake.ReasonContested}, "the rules say review (crm_unverified)"},
		"a later rival is no obstacle": {Example{Rivals: []ExampleRival{{Status: intake.StatusWaitlisted, Later: true}}, Expect: intake.OutcomeApprove}, ""},
		"an unknown field":             {Example{Lead: map[string]string{"company": "Acme"}, Expect: intake.OutcomeApprove}, "examples[0].lead.company: there is no such field"},
		"an unknown outcome":           {Example{Expect: "approved"}, `examples[0].expect: "approved" is none of [approve `},
		"a time that is none":          {Example{Rivals: []ExampleRival{{Status: intake.StatusInReview, Met: "soon"}}, Expect: intake.OutcomeReview}, `examples[0].rivals[0].met: "soon" is not a time like 2026-03-04`},
		"nobody's named account":       {Example{Known: ExampleKnown{Named: []string{"beta"}}, Expect: intake.OutcomeReview}, `examples[0].known.named: "beta" is neither own nor another`},
		"another order":                {Example{Rivals: []ExampleRival{{Status: intake.StatusInReview}}, Expect: intake.OutcomeReview, First: "own"}, `review (contested) as expected, but acts: false, first: "another"`},
		"what does not act":            {Example{Expect: intake.OutcomeApprove, Acts: new(true)}, `approve as expected, but acts: false`},
		"times are the programme's":    {Example{Claim: "2026-10-01 00:30", Past: []ExamplePast{{Cooling: "2026-10-01 00:31"}}, Expect: intake.OutcomeDecline, Reason: intake.ReasonCoolingOff}, ""},
		"a past that is over":          {Example{Claim: "2026-10-01 00:30", Past: []ExamplePast{{Cooling: "2026-10-01 00:30"}}, Expect: intake.OutcomeApprove}, ""},
		"an unknown kind of record":    {Example{CRM: []ExampleMatch{{Kind: "deal"}}, Expect: intake.OutcomeReview}, `examples[0].crm[0].kind: "deal"`},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, err := range spec(func(s *Spec) { s.Examples = []Example{tt.example} }).Validate(identity.Default()) {
				got = append(got, err.Error())
			}
			if all := strings.Join(got, "\n"); (tt.want == "") != (all == "") || !strings.Contains(all, tt.want) {
				t.Errorf("got %q, want %q", all, tt.want)
			}
		})
	}
}

func TestExamplesAreNoPartOfTheHash(t *testing.T) {
	with := policy(t, func(s *Spec) { s.Examples = []Example{{Expect: intake.OutcomeApprove}} })
	if with.Hash() != policy(t).Hash() {
		t.Error("a further example makes another policy")
	}
}
