package rules

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// anyMoment is within half a year of noon, or not known.
func anyMoment(rt *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(rt, label+" unknown") {
		return time.Time{}
	}
	return noon.Add(time.Duration(rapid.IntRange(-250, 100).Draw(rt, label)) * 24 * time.Hour)
}

func anyAccount(rt *rapid.T, label string) intake.Account {
	return intake.Account{
		Domain: "acme.example", Name: "Acme", Customer: rapid.Bool().Draw(rt, label+" customer"),
		Blocked:   rapid.SampledFrom([]string{"", "", "sanctions"}).Draw(rt, label+" blocked"),
		Incumbent: rapid.SampledFrom([]string{"", "alpha", "beta"}).Draw(rt, label+" incumbent"),
		Renewal:   anyMoment(rt, label+" renewal"), Contacted: anyMoment(rt, label+" contacted"),
		CRM: rapid.SampledFrom([][]string{nil, {"0"}, {"1"}}).Draw(rt, label+" records"),
	}
}

func anyCertifications(rt *rapid.T, label string) []intake.Certification {
	return rapid.SampledFrom([][]intake.Certification{nil, {{Product: "Vault"}}, {{Product: "Vault", Until: "2026-09-30"}}}).Draw(rt, label)
}

// anyCase is a case in which anything may speak for or against it. What only a certain match or
// a list of the vendor's can say is left out if uncertain.
func anyCase(rt *rapid.T, uncertain bool) intake.Case {
	c := complete()
	r := &c.Registration
	r.Claim, r.Strength = noon.Add(-time.Minute), rapid.SampledFrom(intake.Strengths()).Draw(rt, "strength")
	r.Met, r.Meeting, r.Asks = rapid.Bool().Draw(rt, "met"), anyMoment(rt, "meeting"), rapid.IntRange(0, 2).Draw(rt, "asks")
	for _, f := range rapid.SliceOfN(rapid.SampledFrom(intake.Fields()), 0, 3).Draw(rt, "missing") {
		delete(r.Lead, f)
	}
	r.Lead[intake.FieldProductInterest] = rapid.SampledFrom([]string{"", "Vault", "Backup; Vault"}).Draw(rt, "products")
	r.Lead[intake.FieldCountry] = rapid.SampledFrom([]string{"", "DE", "FR"}).Draw(rt, "country")
	if rapid.Bool().Draw(rt, "free mail") {
		r.Lead[intake.FieldContactEmail] = "joe@gmail.com"
	}
	c.Partner.Territories = rapid.SampledFrom([][]string{nil, {"DE"}, {"-FR"}, {"DE-BY"}}).Draw(rt, "territories")
	c.Partner.Quota, c.Holds = rapid.IntRange(0, 3).Draw(rt, "quota"), rapid.IntRange(0, 3).Draw(rt, "holds")
	c.Partner.Certifications = anyCertifications(rt, "certifications")
	grades := identity.Grades()
	if uncertain {
		grades = []identity.Grade{identity.GradePossible, identity.GradeProbable, identity.GradeRelated}
	} else {
		c.Known.Account = anyAccount(rt, "account")
		c.Partner.Status = rapid.SampledFrom(intake.PartnerStatuses()).Draw(rt, "partner")
		if rapid.Bool().Draw(rt, "past") {
			c.Past = []intake.Past{{Number: "LG-0", Cooling: anyMoment(rt, "cooling")}}
		}
	}
	c.Known.Named = rapid.SampledFrom([][]string{nil, {"alpha"}, {"beta"}}).Draw(rt, "named")
	for i := range rapid.IntRange(0, 2).Draw(rt, "group") {
		c.Known.Group = append(c.Known.Group, anyAccount(rt, fmt.Sprint("group ", i)))
	}
	for i := range rapid.IntRange(0, 2).Draw(rt, "alike") {
		c.Known.Alike = append(c.Known.Alike, intake.Alike{Account: anyAccount(rt, fmt.Sprint("alike ", i)), Evidence: "same name"})
	}
	for i := range rapid.IntRange(0, 4).Draw(rt, "rivals") {
		c.Rivals = append(c.Rivals, intake.Rival{
			Number: fmt.Sprint("LG-", i+1), Partner: rapid.SampledFrom([]string{"alpha", "beta", "gamma"}).Draw(rt, "of"),
			Status: rapid.SampledFrom(intake.Statuses()).Draw(rt, "status"), Grade: rapid.SampledFrom(grades).Draw(rt, "grade"),
			Strength: rapid.SampledFrom(intake.Strengths()).Draw(rt, "proof"), Earlier: rapid.Bool().Draw(rt, "earlier"),
			Claim: anyMoment(rt, "claim"), Met: anyMoment(rt, "first meeting"), Certified: anyCertifications(rt, "certified"),
			Scope: rapid.SampledFrom([]string{"", "vault", "backup"}).Draw(rt, "scope"), Lead: rapid.Bool().Draw(rt, "lead"), Evidence: "evidence",
		})
	}
	if !uncertain {
		for i := range rapid.IntRange(0, 2).Draw(rt, "matches") {
			c.Matches = append(c.Matches, intake.Match{
				CRM: "hub", Kind: rapid.SampledFrom(intake.MatchKinds()).Draw(rt, "kind"), Ref: intake.Ref{ID: fmt.Sprint(i)},
				Partner: rapid.SampledFrom([]string{"", "alpha", "beta"}).Draw(rt, "deal of"), Activity: anyMoment(rt, "activity"),
			})
		}
		c.Unreachable = rapid.SampledFrom([][]string{nil, {"hub"}}).Draw(rt, "unreachable")
	}
	return c
}

// anySpec is a policy with any choices, but none that lets a person's doubt decide by itself.
func anySpec(rt *rapid.T) Spec {
	return spec(func(s *Spec) {
		s.Mode = rapid.SampledFrom(intake.Modes()).Draw(rt, "mode")
		s.Territories, s.AskProduct = rapid.Bool().Draw(rt, "territories on"), rapid.Bool().Draw(rt, "ask product")
		s.CertifiedProducts = []string{"Vault"}
		s.Split = rapid.SampledFrom([]intake.Field{"", intake.FieldProductInterest}).Draw(rt, "split")
		s.RecentContact = rapid.SampledFrom([]intake.Span{{}, days(180)}).Draw(rt, "recent contact")
		if rapid.Bool().Draw(rt, "condition") {
			s.Conditions = []Condition{{Name: "ours", When: `lead.country == "FR"`, Outcome: intake.OutcomeReview}}
		}
	})
}

func judgedBy(rt *rapid.T, s Spec) *Policy {
	p, err := New(s, identity.Default())
	if err != nil {
		rt.Fatal(err)
	}
	return p
}

func TestJudgingIsPureAndTheWorstFindingDecides(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, c := anySpec(rt), anyCase(rt, false)
		before, err := json.Marshal(c)
		if err != nil {
			rt.Fatal(err)
		}
		p := judgedBy(rt, s)
		d := p.Judge(noon, c)
		if again := p.Judge(noon, c); !reflect.DeepEqual(d, again) {
			rt.Fatalf("judged twice: %+v and %+v", d, again)
		}
		if after, _ := json.Marshal(c); string(after) != string(before) {
			rt.Fatalf("the case was changed: %s", after)
		}
		for _, f := range d.Findings {
			if f.Rule == "" || f.Outcome == "" || f.Reason == "" {
				rt.Fatalf("finding %+v does not say all", f)
			}
			if f.Outcome.Worse(d.Outcome) && d.Outcome != intake.OutcomeAsk {
				rt.Fatalf("finding %+v is worse than the verdict %s", f, d.Outcome)
			}
		}
	})
}

func TestWhatIsStoredAsJSONIsJudgedTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, c := judgedBy(rt, anySpec(rt)), anyCase(rt, false)
		again, err := Read(p.Source(), identity.Default())
		if err != nil {
			rt.Fatal(err)
		}
		b, err := json.Marshal(c)
		if err != nil {
			rt.Fatal(err)
		}
		var stored intake.Case
		if err := json.Unmarshal(b, &stored); err != nil {
			rt.Fatal(err)
		}
		if d, e := p.Judge(noon, c), again.Judge(noon, stored); !reflect.DeepEqual(d, e) {
			rt.Fatalf("judged %+v, again %+v", d, e)
		}
	})
}

// Names, and what the groups and the lists say of companies with the same name, decide nothing
// against a partner.
func TestANameAloneNeverDeclinesWaitlistsOrMerges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := judgedBy(rt, anySpec(rt)).Judge(noon, anyCase(rt, true))
		if d.Outcome.Worse(intake.OutcomeAsk) {
			rt.Fatalf("%+v", d)
		}
	})
}

// What happens against a partner rests on a certain match, or on a list or a state that is not
// about names at all.
func TestOnlyWhatIsCertainDecidesAgainstAPartner(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := anyCase(rt, false)
		d := judgedBy(rt, anySpec(rt)).Judge(noon, c)
		switch d.Outcome {
		case intake.OutcomeMerge, intake.OutcomeWaitlist:
			i := slices.IndexFunc(d.Findings, func(f intake.Finding) bool { return f.Outcome == d.Outcome && f.Reason == d.Reason })
			j := slices.IndexFunc(c.Rivals, func(v intake.Rival) bool { return v.Number == d.Findings[i].Case })
			if v := c.Rivals[j]; v.Grade != identity.GradeCertain || v.Lead || (v.Partner == "alpha") != (d.Outcome == intake.OutcomeMerge) {
				rt.Fatalf("%s because of %+v", d.Outcome, v)
			}
		case intake.OutcomeDecline:
			if !slices.Contains([]intake.Reason{intake.ReasonCoolingOff, intake.ReasonBlocked, intake.ReasonPartnerInactive}, d.Reason) {
				rt.Fatalf("declined for %s", d.Reason)
			}
		}
	})
}

func TestNothingHappensByItselfForWhoObserves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := anySpec(rt)
		s.Mode = intake.ModeObserve
		if d := judgedBy(rt, s).Judge(noon, anyCase(rt, false)); d.Acts {
			rt.Fatalf("%+v", d)
		}
	})
}

// One prospect, one partner: where another holds the account, in a part that is claimed too, or
// anything else is open, nothing is approved.
func TestWhatAnotherHoldsIsNeverApproved(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		p, c := judgedBy(rt, anySpec(rt)), anyCase(rt, false)
		d := p.Judge(noon, c)
		if d.Outcome != intake.OutcomeApprove {
			return
		}
		if len(c.Unreachable) > 0 || c.Registration.Lead[intake.FieldConsent] != intake.ConsentYes {
			rt.Fatal("approved unseen")
		}
		for _, v := range c.Rivals {
			if v.Grade == identity.GradeCertain && v.Status.Holds() && v.Partner != "alpha" && !v.Lead && intake.ScopesOverlap(p.Scope(c.Registration.Lead), v.Scope) {
				rt.Fatalf("approved although %+v holds the account", v)
			}
		}
	})
}

// The order of a conflict names each side once, and does not depend on who of two is judged.
func TestBothSidesOfAConflictGetTheSameOrder(t *testing.T) {
	p := policy(t, func(s *Spec) { s.CertifiedProducts = []string{"Vault"} })
	rapid.Check(t, func(rt *rapid.T) {
		side := func(id, number string) (intake.Case, intake.Rival) {
			c := complete()
			c.Partner.ID, c.Registration.Partner, c.Registration.Number = id, id, number
			c.Registration.Lead[intake.FieldProductInterest] = "Vault"
			c.Registration.Status = intake.StatusInReview
			c.Registration.Strength = rapid.SampledFrom(intake.Strengths()).Draw(rt, number+" strength")
			c.Registration.Claim = noon.Add(-time.Duration(rapid.IntRange(0, 2).Draw(rt, number+" claim")) * time.Hour)
			c.Registration.Meeting = anyMoment(rt, number+" met")
			c.Registration.Met = !c.Registration.Meeting.IsZero()
			c.Partner.Certifications = anyCertifications(rt, number)
			return c, intake.Rival{
				Number: number, Partner: id, Status: intake.StatusInReview, Strength: c.Registration.Strength, Claim: c.Registration.Claim,
				Grade: identity.GradeCertain, Met: c.Registration.Meeting, Certified: c.Partner.Certifications,
			}
		}
		a, asRivalA := side("alpha", "LG-1")
		b, asRivalB := side("beta", "LG-2")
		a.Registration.Seq, b.Registration.Seq = 1, 2
		asRivalA.Earlier = a.Registration.Before(&b.Registration)
		asRivalB.Earlier = !asRivalA.Earlier
		known := intake.Known{Named: rapid.SampledFrom([][]string{nil, {"alpha"}, {"beta"}}).Draw(rt, "named")}
		known.Account.Incumbent = rapid.SampledFrom([]string{"", "alpha", "beta"}).Draw(rt, "incumbent")
		a.Known, b.Known, a.Rivals, b.Rivals = known, known, []intake.Rival{asRivalB}, []intake.Rival{asRivalA}
		first, second := p.Judge(noon, a).Order, p.Judge(noon, b).Order
		if len(first) != 2 || !slices.Equal(first, second) {
			rt.Fatalf("orders %v and %v", first, second)
		}
	})
}
