package intake_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

// becomes changes the status of a partner in the directory.
func (w *world) becomes(id string, s intake.PartnerStatus, from time.Time) {
	w.Helper()
	p, err := w.gateway.Partner(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	p.Status, p.StatusFrom = s, from
	if err := w.gateway.PutPartners(w.Context(), []intake.Partner{p}); err != nil {
		w.Fatal(err)
	}
	w.pass(time.Second)
}

// prospect is a lead about another company.
func prospect(name string) intake.Lead {
	l := acme()
	l[intake.FieldCompanyName], l[intake.FieldCompanyDomain] = name, name+".example"
	l[intake.FieldContactEmail] = "jane@" + name + ".example"
	return l
}

func TestWhatALeavingPartnerHeldIsFreeForWhoWaits(t *testing.T) {
	inWorld(t, func(w *world) {
		held := w.submit("ana@alpha.example", acme())
		asked := w.submit("ana@alpha.example", without(prospect("zenith"), intake.FieldConsent))
		waiting := w.submit("tom@beta.example", acme())
		w.wantStatus(waiting.Case, intake.StatusWaitlisted)
		w.becomes("alpha", intake.PartnerOffboarded, time.Time{})
		if r := w.wantStatus(held.Case, intake.StatusExpired); r.Reason != intake.ReasonOffboarded {
			w.Errorf("reason %s", r.Reason)
		}
		w.wantStatus(asked.Case, intake.StatusWithdrawn)
		w.wantStatus(waiting.Case, intake.StatusProvisional)
		if got := w.lastTo("ana@alpha.example").Kind; got != intake.MessageOffboarding {
			w.Errorf("told %s", got)
		}
	})
}

func TestAPartnerLeavesOnTheDayThatWasSaidAndNotBefore(t *testing.T) {
	inWorld(t, func(w *world) {
		held := w.submit("ana@alpha.example", acme())
		w.becomes("alpha", intake.PartnerSuspended, time.Now().Add(days(5)))
		w.pass(days(4))
		w.wantStatus(held.Case, intake.StatusProvisional)
		w.pass(days(2))
		w.wantStatus(held.Case, intake.StatusExpired)
	})
}

func TestAPartnerWhoStaysAfterAllKeepsWhatHeHolds(t *testing.T) {
	inWorld(t, func(w *world) {
		held := w.submit("ana@alpha.example", acme())
		w.becomes("alpha", intake.PartnerSuspended, time.Now().Add(days(5)))
		w.becomes("alpha", intake.PartnerActive, time.Time{})
		w.pass(days(6))
		w.wantStatus(held.Case, intake.StatusProvisional)
	})
}

func TestWhereThePolicySaysSoTheHoldsOfALeavingPartnerRunToTheirEnd(t *testing.T) {
	inWorld(t, func(w *world) {
		held := w.submit("ana@alpha.example", acme())
		asked := w.submit("ana@alpha.example", without(prospect("zenith"), intake.FieldConsent))
		w.becomes("alpha", intake.PartnerOffboarded, time.Time{})
		w.wantStatus(held.Case, intake.StatusProvisional)
		w.wantStatus(asked.Case, intake.StatusWithdrawn)
		w.pass(days(15))
		w.wantStatus(held.Case, intake.StatusExpired)
	}, func(s *rules.Spec) { s.RunOut = true })
}

func TestAllCasesOfALeavingPartnerEndHoweverManyTheyAre(t *testing.T) {
	inWorld(t, func(w *world) {
		const many = 130
		for n := range many {
			w.submit("ana@alpha.example", prospect(fmt.Sprintf("prospect%d", n)))
		}
		w.becomes("alpha", intake.PartnerOffboarded, time.Time{})
		for _, r := range w.cases() {
			if r.Status != intake.StatusExpired {
				t.Fatalf("%s is %s: %s", r.Number, r.Status, w.log.String())
			}
		}
		if n, err := w.gateway.Holds(w.Context(), "alpha"); n != 0 || err != nil {
			t.Errorf("%d held, %v", n, err)
		}
	})
}

func TestACaseGoesToAnotherPartnerWithItsPlace(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		before := w.story(r.Case).Registration
		var input *intake.ErrInput
		for _, to := range []string{"alpha", "gone", "nobody", "beta"} { // beta has no contact to write to
			if _, err := w.gateway.Reassign(w.Context(), r.Case, to, mia); !errors.As(err, &input) {
				w.Errorf("to %s: %v", to, err)
			}
		}
		p, err := w.gateway.Partner(w.Context(), "beta")
		if err != nil {
			t.Fatal(err)
		}
		p.Contacts = []intake.Contact{{Name: "Tom", Email: "tom@beta.example"}}
		if err := w.gateway.PutPartners(w.Context(), []intake.Partner{p}); err != nil {
			t.Fatal(err)
		}
		got := must(w, "reassign")(w.gateway.Reassign(w.Context(), r.Case, "beta", mia))
		if got.Status != before.Status || !got.Claim.Equal(before.Claim) || got.Partner != "beta" || got.Links == before.Links {
			w.Errorf("case %+v", got)
		}
		if m := w.lastTo("tom@beta.example"); m.Kind != intake.MessageGiven || m.Facts.Case != r.Case {
			w.Errorf("told %s", m.Kind)
		}
		if m := w.lastTo("ana@alpha.example"); m.Kind != intake.MessagePassedOn || m.Facts.StatusLink != "" || len(m.Facts.Fields) > 0 || strings.Contains(mustJSON(t, m), "beta") {
			w.Errorf("who had it before is told %+v", m)
		}
		for partner, want := range map[string]int{"alpha": 0, "beta": 1} {
			if n, err := w.gateway.Holds(w.Context(), partner); n != want || err != nil {
				w.Errorf("%s holds %d, %v", partner, n, err)
			}
		}
		told := len(w.told("ana@alpha.example"))
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbWithdraw})
		w.wantStatus(r.Case, before.Status)
		if got := w.told("ana@alpha.example"); len(got) != told {
			w.Errorf("who had it before is told %v", got)
		}
	})
}

func TestThePartnerCanReadTheRulesAndAgreeToThoseThatCount(t *testing.T) {
	inWorld(t, func(w *world) {
		w.command("ana@alpha.example", "", intake.Command{Verb: intake.VerbRules})
		m := w.lastTo("ana@alpha.example")
		if m.Kind != intake.MessageRules || m.Facts.Rules == nil || m.Facts.Rules.Version != "default" {
			t.Fatalf("told %+v", m)
		}
		agreed := func() intake.Acknowledged {
			p, err := w.gateway.Partner(w.Context(), "alpha")
			if err != nil {
				t.Fatal(err)
			}
			return p.Acknowledged
		}
		w.command("ana@alpha.example", "", intake.Command{Verb: intake.VerbAgree, Words: "another version"})
		if got := agreed(); got.Version != "" {
			t.Errorf("agreed to %+v", got)
		}
		w.command("ana@alpha.example", "", intake.Command{Verb: intake.VerbAgree, Words: "default"})
		if got := agreed(); got.Version != "default" || got.By != "ana@alpha.example" || got.At.IsZero() {
			t.Errorf("agreed to %+v", got)
		}
	})
}
