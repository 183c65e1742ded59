package rules

import (
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

func when(expression string, outcome intake.Outcome) ruled {
	return func(s *Spec) {
		s.Conditions = []Condition{{Name: "ours", When: expression, Outcome: outcome, Message: "which one?"}}
	}
}

func TestConditionsOfTheOperatorJudge(t *testing.T) {
	revenue := func(v string) given { return lead(intake.FieldTargetRevenue, v) }
	for _, c := range []struct {
		name  string
		when  string
		given given
		holds bool
	}{
		{"by the amount", `amount > 100000 and currency == "EUR"`, revenue("120000.50 EUR"), true},
		{"by an amount that is too small", `amount > 100000`, revenue("100000 EUR"), false},
		{"no revenue is no amount", `amount == 0 and currency == ""`, nothing, true},
		{"by a field", `lead.company_name startsWith "Acme"`, nothing, true},
		{"an absent field is empty", `lead.competing_vendors == ""`, nothing, true},
		{"by an entry of a list", `"Vault" in split(lead.product_interest, "; ")`, lead(intake.FieldProductInterest, "Backup; Vault"), true},
		{"by a pattern", `lead.contact_role matches "(?i)intern"`, lead(intake.FieldContactRole, "Intern"), true},
		{"by the partner", `partner.tier == "gold" and partner.motion != "referral" and partner.country == "BE" and partner.id == "alpha"`, partnerIs(func(p *intake.Partner) { p.Tier, p.Country = "gold", "BE" }), true},
		{"by the sender and the channel", `strength == "domain_auth" && channel == "email"`, func(c *intake.Case) { c.Registration.Channel = "email" }, true},
		{"by the day of the claim in the programme's zone", `weekday == "sunday" and hour == 0`, func(c *intake.Case) { c.Registration.Claim = time.Date(2026, 10, 3, 22, 30, 0, 0, time.UTC) }, true},
		{"by a range of hours", `hour not in 8..17`, nothing, false},
		{"by a choice", `amount > 0 ? false : len(lead.problem) > 5`, nothing, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := judged(t, when(c.when, intake.OutcomeReview), c.given)
			if (d.Outcome == intake.OutcomeReview) != c.holds || (d.Reason == intake.ReasonCondition) != c.holds {
				t.Errorf("%s (%s): %+v", d.Outcome, d.Reason, d.Findings)
			}
			if c.holds && (d.Findings[0].Rule != "ours" || !strings.Contains(d.Findings[0].Evidence, c.when)) {
				t.Errorf("finding %+v does not say by what", d.Findings[0])
			}
		})
	}
}

func TestAConditionHasItsOutcomeAndReason(t *testing.T) {
	always := func(outcome intake.Outcome, reason intake.Reason) ruled {
		return func(s *Spec) {
			s.Mode = intake.ModeAuto
			s.Conditions = []Condition{{Name: "ours", When: "true", Outcome: outcome, Reason: reason, Field: intake.FieldProductInterest, Message: "Which product is it?"}}
		}
	}
	d := judged(t, always(intake.OutcomeDecline, intake.ReasonNotEligible), nothing)
	if d.Outcome != intake.OutcomeDecline || d.Reason != intake.ReasonNotEligible || !d.Acts {
		t.Errorf("decline: %+v", d)
	}
	heldByOther := with(func(*intake.Rival) {})
	d = judged(t, always(intake.OutcomeAsk, ""), heldByOther)
	want := intake.Problem{Field: intake.FieldProductInterest, Code: "condition", Message: "Which product is it?"}
	if d.Outcome != intake.OutcomeAsk || d.Reason != intake.ReasonCondition || len(d.Problems) != 1 || d.Problems[0] != want {
		t.Errorf("asks, whoever holds the account: %+v", d)
	}
	if d = judged(t, always(intake.OutcomeReview, ""), heldByOther); d.Outcome != intake.OutcomeWaitlist {
		t.Errorf("what is held is worse: %+v", d)
	}
}

// Nothing is approved, and nothing declined, by a condition that can't be told.
func TestAConditionThatFailsIsForAPerson(t *testing.T) {
	for _, expression := range []string{
		`hour % (hour - hour) == 1`,
		`lead.problem matches lead.contact_name`,
		`len(1..200000) > 0`,
		`split(lead.problem, " ")[99] == "x"`,
		`int(lead.company_name) > 3`,
	} {
		d := judged(t, func(s *Spec) {
			when(expression, intake.OutcomeDecline)(s)
			s.Mode = intake.ModeAuto
		}, lead(intake.FieldContactName, "(["))
		if d.Outcome != intake.OutcomeReview || d.Reason != intake.ReasonCondition || d.Acts || !strings.Contains(d.Findings[0].Evidence, "can't be told") {
			t.Errorf("%s: %+v", expression, d)
		}
		if strings.Contains(d.Findings[0].Evidence, "\n") {
			t.Errorf("evidence of several lines: %q", d.Findings[0].Evidence)
		}
		if d := judged(t, when(expression, intake.OutcomeAsk), all(lead(intake.FieldContactName, "(["), with(func(*intake.Rival) {}))); d.Outcome == intake.OutcomeApprove || d.Acts {
			t.Errorf("%s: %+v", expression, d)
		}
	}
}

func TestAnExpressionThatIsNoneIsAFaultWithItsPlace(t *testing.T) {
	for expression, want := range map[string]string{
		`amount >`: "line 1, column ",
		"amount > 1 and\nlead.compny_name == \"\"": "line 2, column 6: unknown field compny_name",
		`partner.name == "x"`:                      "unknown field name",
		`amont > 1`:                                "line 1, column 1: unknown name amont",
		`amount`:                                   "expected bool",
		`amount > "a"`:                             "line 1, column 8: invalid operation",
		``:                                         "",
		`now().Year() > 2026`:                      "unknown name now",
		`date(lead.problem).Year() > 1`:            "unknown name date",
		`toJSON(lead) == ""`:                       "unknown name toJSON",
		`len(repeat("x", 1000000)) > 1`:            "unknown name repeat",
		`len(replace(lead.problem, "", lead.problem)) > 1`: "unknown name replace",
		`any(split(lead.problem, " "), # == "x")`:          "variables and loops",
		`let a = lead.problem + lead.problem; a == ""`:     "line 1, column 5: variables and loops",
		strings.Repeat("amount > 1 and ", 120) + "true":    "exceeds maximum allowed",
		`amount > 1 //` + strings.Repeat("x", 2000):        "is longer than 2000 bytes",
	} {
		faults := spec(when(expression, intake.OutcomeReview)).Validate(identity.Default())
		if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), "conditions[0].when: ") || !strings.Contains(faults[0].Error(), want) || strings.Contains(faults[0].Error(), "\n") {
			t.Errorf("%s: %q, want %q", expression, faults, want)
		}
	}
}

func TestAConditionSaysAllThatItNeeds(t *testing.T) {
	good := Condition{Name: "ours", When: "true", Outcome: intake.OutcomeReview}
	for key, change := range map[string]func(*Condition){
		"name":    func(c *Condition) { c.Name = " " },
		"outcome": func(c *Condition) { c.Outcome = intake.OutcomeApprove },
		"reason":  func(c *Condition) { c.Reason = intake.ReasonProtectedByOther },
		"field":   func(c *Condition) { c.Field = "company" },
		"message": func(c *Condition) { c.Outcome = intake.OutcomeAsk },
	} {
		c := good
		change(&c)
		faults := spec(func(s *Spec) { s.Conditions = []Condition{c} }).Validate(identity.Default())
		if len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), "conditions[0]."+key+": ") {
			t.Errorf("%s: %v", key, faults)
		}
	}
	if faults := spec(func(s *Spec) { s.Conditions = []Condition{good, good} }).Validate(identity.Default()); len(faults) != 1 {
		t.Errorf("two of one name: %v", faults)
	}
}

func TestManyCanBeJudgedAtATime(t *testing.T) {
	p := policy(t, when(`lead.company_name matches "^Acme" and amount >= 0`, intake.OutcomeReview))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if d := p.Judge(noon, complete()); d.Reason != intake.ReasonCondition {
					t.Errorf("%+v", d)
				}
			}
		})
	}
	all.Wait()
}
