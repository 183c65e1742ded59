package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// Example is a case and the verdict that the rules are meant to give. What it leaves out is
// as in a registration that nothing speaks against.
type Example struct {
	Name string `yaml:"name"`
	// Lead replaces fields of a complete lead; an empty value takes one away.
	Lead map[string]string `yaml:"lead"`
	// Inactive says that the partner is suspended.
	Inactive bool `yaml:"inactive_partner"`
	// Rivals are other cases about the same company, CRM is what a CRM knows of it.
	Rivals []ExampleRival `yaml:"rivals"`
	CRM    []ExampleMatch `yaml:"crm"`
	// CRMDown says that the CRM can't be asked.
	CRMDown bool `yaml:"crm_down"`
	// Expect is the outcome, and Reason, if given, its code.
	Expect intake.Outcome `yaml:"expect"`
	Reason intake.Reason  `yaml:"reason"`
}

// ExampleRival is another case.
type ExampleRival struct {
	// Own says that it is the same partner's.
	Own    bool          `yaml:"own"`
	Status intake.Status `yaml:"status"`
	// Later says that it was claimed after the example.
	Later bool `yaml:"later"`
	// Grade is how sure it is the same company: certain if empty.
	Grade identity.Grade `yaml:"grade"`
}

// ExampleMatch is a record of a CRM.
type ExampleMatch struct {
	Kind intake.MatchKind `yaml:"kind"`
	// Own says that it names the partner of the example.
	Own bool `yaml:"own"`
}

// The partner and the case of examples.
const (
	examplePartner = "example-partner"
	exampleCase    = "EX-2026-000001-X"
)

// exampleTime is when examples are judged: a Wednesday.
var exampleTime = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

// input returns the example as the policy gets a case.
func (x Example) input() intake.Case {
	lead := intake.Lead{
		intake.FieldCompanyName: "Acme Industries", intake.FieldCompanyDomain: "acme.example",
		intake.FieldContactName: "Jane Doe", intake.FieldContactEmail: "jane@acme.example",
		intake.FieldContactRole: "Head of Operations", intake.FieldStage: intake.StageNewIntro,
		intake.FieldProblem: "Reporting takes them a day a week.", intake.FieldConsent: intake.ConsentYes,
	}
	for f, v := range x.Lead {
		lead[intake.Field(f)] = v
	}
	c := intake.Case{
		Registration: intake.Registration{
			Number: exampleCase, Seq: 2, Partner: examplePartner, Strength: intake.StrengthDomain,
			Status: intake.StatusSubmitted, Claim: exampleTime, Accepted: exampleTime, Lead: lead,
		},
		Partner: intake.Partner{ID: examplePartner, Name: "Example Partner", Status: intake.PartnerActive, Domains: []string{"partner.example"}},
	}
	if x.Inactive {
		c.Partner.Status = intake.PartnerSuspended
	}
	if x.CRMDown {
		c.Unreachable = []string{"crm"}
	}
	for i, v := range x.Rivals {
		rival := intake.Rival{
			Number: fmt.Sprintf("EX-2026-0001%02d-X", i), Partner: "another-partner", Status: v.Status,
			Strength: intake.StrengthDomain, Earlier: !v.Later, Grade: v.Grade, Evidence: "example",
		}
		if v.Own {
			rival.Partner = examplePartner
		}
		if rival.Grade == identity.GradeNone {
			rival.Grade = identity.GradeCertain
		}
		c.Rivals = append(c.Rivals, rival)
	}
	for i, m := range x.CRM {
		match := intake.Match{CRM: "crm", Kind: m.Kind, Ref: intake.Ref{ID: fmt.Sprint(i)}, Activity: exampleTime}
		if m.Own {
			match.Partner = examplePartner
		}
		c.Matches = append(c.Matches, match)
	}
	return c
}

// faults tells what in the example is no such thing.
func (x Example) faults() []string {
	var out []string
	known := func(what string, ok bool) {
		if !ok {
			out = append(out, what)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(x.Lead)) {
		known(fmt.Sprintf("lead.%s: there is no such field", f), slices.Contains(intake.Fields(), intake.Field(f)))
	}
	for i, v := range x.Rivals {
		known(fmt.Sprintf("rivals[%d].status: %q is none of %v", i, v.Status, intake.Statuses()), slices.Contains(intake.Statuses(), v.Status))
		known(fmt.Sprintf("rivals[%d].grade: %q is none of %v", i, v.Grade, identity.Grades()), slices.Contains(identity.Grades(), v.Grade))
	}
	for i, m := range x.CRM {
		known(fmt.Sprintf("crm[%d].kind: %q is none of %v", i, m.Kind, intake.MatchKinds()), slices.Contains(intake.MatchKinds(), m.Kind))
	}
	known(fmt.Sprintf("expect: %q is none of %v", x.Expect, intake.Outcomes()), slices.Contains(intake.Outcomes(), x.Expect))
	known(fmt.Sprintf("reason: %q is none of %v", x.Reason, intake.Reasons()), x.Reason == "" || slices.Contains(intake.Reasons(), x.Reason))
	return out
}

// ExampleResult is what became of an example.
type ExampleResult struct {
	Example Example
	Got     intake.Decision
}

// OK reports whether the verdict is the one that was meant.
func (r ExampleResult) OK() bool {
	return r.Got.Outcome == r.Example.Expect && (r.Example.Reason == "" || r.Got.Reason == r.Example.Reason)
}

// String says in a line what was meant and what came.
func (r ExampleResult) String() string {
	if r.OK() {
		return fmt.Sprintf("%s: %s", r.Example.Name, verdict(r.Got.Outcome, r.Got.Reason))
	}
	var why []string
	for _, f := range r.Got.Findings {
		if f.Outcome != intake.OutcomeApprove {
			why = append(why, f.Rule)
		}
	}
	return fmt.Sprintf("%s: expected %s, the rules say %s%s", r.Example.Name, verdict(r.Example.Expect, r.Example.Reason),
		verdict(r.Got.Outcome, r.Got.Reason), strings.TrimSuffix(" by "+strings.Join(why, ", "), " by "))
}

func verdict(o intake.Outcome, r intake.Reason) string {
	if r == "" {
		return string(o)
	}
	return fmt.Sprintf("%s (%s)", o, r)
}

// Test judges the examples of the policy.
func (p *Policy) Test() []ExampleResult {
	var out []ExampleResult
	for _, x := range p.spec.Examples {
		out = append(out, ExampleResult{Example: x, Got: p.Judge(exampleTime, x.input())})
	}
	return out
}

// failing returns the faults of the examples, and those whose verdict is another one.
func (s Spec) failing(ids *identity.Lists, zone *time.Location) []error {
	var faults []error
	for i, x := range s.Examples {
		for _, fault := range x.faults() {
			faults = append(faults, fmt.Errorf("examples[%d].%s", i, fault))
		}
	}
	if len(faults) > 0 || len(s.Examples) == 0 {
		return faults
	}
	p, err := compile(s, ids)
	if err != nil {
		return []error{err}
	}
	for i, r := range p.Test() {
		if !r.OK() {
			faults = append(faults, fmt.Errorf("examples[%d]: %s", i, r))
		}
	}
	return faults
}
