package rules

import (
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

func spec(change ...func(*Spec)) Spec {
	s := Default()
	s.Timezone = "Europe/Brussels"
	s.Contact = Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
	s.OwnDomains, s.BlockedDomains = []string{"vendor.example"}, []string{"blocked.example"}
	for _, c := range change {
		c(&s)
	}
	return s
}

func policy(t testing.TB, change ...func(*Spec)) *Policy {
	t.Helper()
	p, err := New(spec(change...), identity.Default())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// complete is a case with nothing against it.
func complete() intake.Case {
	return intake.Case{
		Partner: intake.Partner{ID: "alpha", Status: intake.PartnerActive, Domains: []string{"alpha.example"}},
		Registration: intake.Registration{
			Number: "LG-2026-000001-X", Partner: "alpha",
			Lead: intake.Lead{
				intake.FieldCompanyName: "Acme GmbH", intake.FieldCompanyDomain: "acme.example",
				intake.FieldContactName: "Jane Doe", intake.FieldContactEmail: "jane@acme.example",
				intake.FieldContactRole: "CTO", intake.FieldStage: intake.StageNewIntro,
				intake.FieldProblem: "Reporting takes a day a week.", intake.FieldConsent: intake.ConsentYes,
			},
		},
	}
}

func rival(change func(*intake.Rival)) intake.Rival {
	v := intake.Rival{
		Number: "LG-2026-000002-Y", Partner: "beta", Status: intake.StatusProvisional,
		Strength: intake.StrengthDomain, Earlier: true, Grade: identity.GradeCertain, Evidence: "same domain",
	}
	change(&v)
	return v
}

func TestJudge(t *testing.T) {
	set := func(f intake.Field, v string) func(*intake.Case) {
		return func(c *intake.Case) { c.Registration.Lead[f] = v }
	}
	rivals := func(change func(*intake.Rival)) func(*intake.Case) {
		return func(c *intake.Case) { c.Rivals = append(c.Rivals, rival(change)) }
	}
	for _, c := range []struct {
		name    string
		change  func(*intake.Case)
		outcome intake.Outcome
		reason  intake.Reason
	}{
		{"nothing against it", func(*intake.Case) {}, intake.OutcomeApprove, ""},
		{"no company", set(intake.FieldCompanyName, ""), intake.OutcomeAsk, intake.ReasonMissingField},
		{"no role", set(intake.FieldContactRole, ""), intake.OutcomeAsk, intake.ReasonMissingField},
		{"no consent", set(intake.FieldConsent, ""), intake.OutcomeAsk, intake.ReasonConsentRequired},
		{"consent refused", set(intake.FieldConsent, intake.ConsentNo), intake.OutcomeAsk, intake.ReasonConsentRequired},
		{"the vendor itself", set(intake.FieldCompanyDomain, "vendor.example"), intake.OutcomeAsk, intake.ReasonMissingField},
		{"the partner itself", set(intake.FieldCompanyDomain, "alpha.example"), intake.OutcomeAsk, intake.ReasonMissingField},
		{"a colleague of the partner as the contact", set(intake.FieldContactEmail, "bo@alpha.example"), intake.OutcomeAsk, intake.ReasonMissingField},
		{"a blocked account", set(intake.FieldCompanyDomain, "blocked.example"), intake.OutcomeDecline, intake.ReasonBlocked},
		{"a blocked account by name alone is not blocked", set(intake.FieldCompanyName, "Blocked"), intake.OutcomeApprove, ""},
		{"a contact at an agency", set(intake.FieldContactEmail, "jane@agency.example"), intake.OutcomeApprove, ""},
		{"a contact at a mail provider", set(intake.FieldContactEmail, "jane@gmail.com"), intake.OutcomeApprove, ""},
		{"a suspended partner", func(c *intake.Case) { c.Partner.Status = intake.PartnerSuspended }, intake.OutcomeDecline, intake.ReasonPartnerInactive},
		{"a CRM that did not answer", func(c *intake.Case) { c.Unreachable = []string{"hub"} }, intake.OutcomeReview, intake.ReasonCRMUnverified},
		{"a deal of direct sales", func(c *intake.Case) { c.Matches = []intake.Match{{Kind: intake.MatchOpenDeal}} }, intake.OutcomeReview, intake.ReasonExistingDeal},
		{"a deal that a case of ours made", func(c *intake.Case) {
			c.Matches = []intake.Match{{Kind: intake.MatchOpenDeal, Case: "LG-2026-000009-Z"}}
		}, intake.OutcomeApprove, ""},
		{"an account without a deal", func(c *intake.Case) { c.Matches = []intake.Match{{Kind: intake.MatchAccount}} }, intake.OutcomeApprove, ""},
		{"held by another", rivals(func(*intake.Rival) {}), intake.OutcomeWaitlist, intake.ReasonProtectedByOther},
		{"locked by another", rivals(func(v *intake.Rival) { v.Status = intake.StatusLocked }), intake.OutcomeWaitlist, intake.ReasonProtectedByOther},
		{"held by another with the younger claim", rivals(func(v *intake.Rival) { v.Earlier = false }), intake.OutcomeReview, intake.ReasonContested},
		{"an older claim before a person", rivals(func(v *intake.Rival) { v.Status = intake.StatusInReview }), intake.OutcomeReview, intake.ReasonContested},
		{"a younger claim before a person", rivals(func(v *intake.Rival) { v.Status, v.Earlier = intake.StatusInReview, false }), intake.OutcomeReview, intake.ReasonContested},
		{"an older claim that waits for its partner", rivals(func(v *intake.Rival) { v.Status = intake.StatusNeedsInfo }), intake.OutcomeReview, intake.ReasonContested},
		{"a younger claim that is not checked yet", rivals(func(v *intake.Rival) { v.Status, v.Earlier = intake.StatusSubmitted, false }), intake.OutcomeApprove, ""},
		{"an older claim on the waiting list", rivals(func(v *intake.Rival) { v.Status = intake.StatusWaitlisted }), intake.OutcomeReview, intake.ReasonContested},
		{"a younger claim on the waiting list", rivals(func(v *intake.Rival) { v.Status, v.Earlier = intake.StatusWaitlisted, false }), intake.OutcomeApprove, ""},
		{"a similar name held by another", rivals(func(v *intake.Rival) { v.Grade = identity.GradePossible }), intake.OutcomeReview, intake.ReasonSimilarAccount},
		{"the partner's own older case", rivals(func(v *intake.Rival) { v.Partner = "alpha" }), intake.OutcomeMerge, intake.ReasonDuplicateOwn},
		{"the partner's own younger case that holds", rivals(func(v *intake.Rival) { v.Partner, v.Earlier = "alpha", false }), intake.OutcomeMerge, intake.ReasonDuplicateOwn},
		{"the partner's own younger case", rivals(func(v *intake.Rival) { v.Partner, v.Earlier, v.Status = "alpha", false, intake.StatusSubmitted }), intake.OutcomeApprove, ""},
		{"the partner's own similar case", rivals(func(v *intake.Rival) { v.Partner, v.Grade = "alpha", identity.GradePossible }), intake.OutcomeApprove, ""},
		{"incomplete and held: nothing is told of the hold", func(c *intake.Case) {
			set(intake.FieldProblem, "")(c)
			rivals(func(*intake.Rival) {})(c)
		}, intake.OutcomeAsk, intake.ReasonMissingField},
		{"incomplete and blocked: nothing is told of the block", func(c *intake.Case) {
			set(intake.FieldProblem, "")(c)
			set(intake.FieldCompanyDomain, "blocked.example")(c)
		}, intake.OutcomeAsk, intake.ReasonMissingField},
		{"incomplete and a duplicate of the partner's own", func(c *intake.Case) {
			set(intake.FieldProblem, "")(c)
			rivals(func(v *intake.Rival) { v.Partner = "alpha" })(c)
		}, intake.OutcomeMerge, intake.ReasonDuplicateOwn},
		{"held and blocked: the block is the worse", func(c *intake.Case) {
			set(intake.FieldCompanyDomain, "blocked.example")(c)
			rivals(func(*intake.Rival) {})(c)
		}, intake.OutcomeDecline, intake.ReasonBlocked},
	} {
		t.Run(c.name, func(t *testing.T) {
			given := complete()
			c.change(&given)
			d := policy(t).Judge(time.Now(), given)
			if d.Outcome != c.outcome || d.Reason != c.reason {
				t.Errorf("%s (%s), want %s (%s): %+v", d.Outcome, d.Reason, c.outcome, c.reason, d.Findings)
			}
			if d.Outcome == intake.OutcomeMerge && d.Case != "LG-2026-000002-Y" {
				t.Errorf("merge into %q", d.Case)
			}
			if d.Outcome == intake.OutcomeAsk && len(d.Problems) == 0 {
				t.Error("asks without a question")
			}
			for _, f := range d.Findings {
				if f.Rule == "" || f.Outcome == "" || f.Reason == "" {
					t.Errorf("finding %+v does not say all", f)
				}
			}
		})
	}
}

func TestShortAsksForLess(t *testing.T) {
	c := complete()
	for _, f := range []intake.Field{intake.FieldContactName, intake.FieldContactRole, intake.FieldStage} {
		delete(c.Registration.Lead, f)
	}
	if d := policy(t, func(s *Spec) { s.Required = RequiredShort }).Judge(time.Now(), c); d.Outcome != intake.OutcomeApprove {
		t.Errorf("short: %+v", d)
	}
	if d := policy(t).Judge(time.Now(), c); len(d.Problems) != 3 {
		t.Errorf("full asks for %+v", d.Problems)
	}
}

func TestAValueThatCannotBeUsedIsAskedForWithItsOwnProblem(t *testing.T) {
	c := complete()
	delete(c.Registration.Lead, intake.FieldCompanyDomain)
	c.Registration.Problems = []intake.Problem{{Field: intake.FieldCompanyDomain, Code: intake.ProblemFreeMail, Message: "gmail.com is a mail provider"}}
	d := policy(t).Judge(time.Now(), c)
	if len(d.Problems) != 1 || d.Problems[0] != c.Registration.Problems[0] {
		t.Errorf("asks for %+v", d.Problems)
	}
}

func TestTimesAreCountedInTheProgrammesZone(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	const layout = "2006-01-02 15:04:05"
	at := func(s string) time.Time {
		v, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	for _, c := range []struct {
		name, from, want string
		span             intake.Span
	}{
		{"two business days from a Monday", "2026-11-23 10:00:00", "2026-11-25 10:00:00", business(2)},
		{"two business days over a weekend with a clock change", "2026-10-23 16:30:00", "2026-10-27 16:30:00", business(2)},
		{"48 hours over the same weekend come an hour early", "2026-10-23 16:30:00", "2026-10-25 15:30:00", hours(48)},
		{"what comes on a Saturday starts on Monday at midnight", "2026-11-21 13:00:00", "2026-11-25 00:00:00", business(2)},
		{"ten business days are two weeks", "2026-11-23 10:00:00", "2026-12-07 10:00:00", business(10)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := policy(t).End(at(c.from), c.span).In(zone).Format(layout); got != c.want {
				t.Errorf("due %s, want %s", got, c.want)
			}
		})
	}
	for _, c := range []struct {
		name, from, want string
		days             int
	}{
		{"14 days end with the 14th day", "2026-11-23 10:00:00", "2026-12-07 23:59:59", 14},
		{"90 days over the end of summer time are 90 days", "2026-08-15 10:00:00", "2026-11-13 23:59:59", 90},
		{"one minute before midnight is still today", "2026-11-23 23:59:00", "2026-11-24 23:59:59", 1},
		{"over a leap day", "2028-02-28 09:00:00", "2028-03-01 23:59:59", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := policy(t).End(at(c.from), days(c.days)).In(zone).Format(layout); got != c.want {
				t.Errorf("held from %s to %s, want to %s", c.from, got, c.want)
			}
		})
	}
}
