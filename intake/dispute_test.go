package intake_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

// disputed is a world in which two partners claim acme, and the conflict about it.
func disputed(w *world) (first, second intake.Receipt, k intake.Conflict) {
	w.Helper()
	first = w.submit("ana@alpha.example", acme())
	second = w.submit("tom@beta.example", acme())
	k = w.conflict()
	return first, second, k
}

// conflict returns the only open one.
func (w *world) conflict() intake.Conflict {
	w.Helper()
	open, err := w.gateway.Conflicts(w.Context(), false)
	if err != nil || len(open) != 1 {
		w.Fatalf("conflicts %+v, %v", open, err)
	}
	return open[0]
}

func (w *world) noConflict() {
	w.Helper()
	if open, err := w.gateway.Conflicts(w.Context(), false); err != nil || len(open) != 0 {
		w.Fatalf("conflicts %+v, %v", open, err)
	}
	for _, r := range w.cases() {
		if r.Conflict != "" {
			w.Errorf("%s is still part of %s", r.Number, r.Conflict)
		}
	}
}

func TestTwoUndecidedClaimsAreAConflictOfBothAndTheOlderGoesFirst(t *testing.T) {
	inWorld(t, func(w *world) {
		first, second, k := disputed(w)
		if !slices.Equal(k.Cases, []string{first.Case, second.Case}) || k.Type != intake.ConflictHorizontal || k.Account != "acme.example" {
			w.Errorf("conflict %+v", k)
		}
		for _, number := range k.Cases {
			if r := w.wantStatus(number, intake.StatusInReview); r.Conflict != k.ID {
				w.Errorf("%s is part of %q", number, r.Conflict)
			}
		}
		if len(k.Evidence) != 2 || k.Evidence[0].Case != first.Case {
			w.Errorf("evidence %+v", k.Evidence)
		}
		if m := w.lastTo("mia@vendor.example"); m.Brief == nil || m.Kind != intake.StaffConflict && m.Kind != intake.StaffQueued {
			w.Errorf("staff were told %s", m.Kind)
		}
		w.wantMessages(intake.MessageReceived, intake.MessageReceived) // nobody learns of the other
	}, assist)
}

func TestAThirdClaimJoinsTheSameConflict(t *testing.T) {
	inWorld(t, func(w *world) {
		w.morePartners()
		_, _, k := disputed(w)
		third := w.submit("x@gamma.example", acme())
		again := w.conflict()
		if again.ID != k.ID || len(again.Cases) != 3 || again.Cases[2] != third.Case {
			w.Errorf("conflict %+v", again)
		}
	}, assist)
}

func TestAConflictIsAcknowledgedAndPlannedInTimeOrStaffAreTold(t *testing.T) {
	inWorld(t, func(w *world) {
		_, _, k := disputed(w)
		count := func() (n int) {
			for _, m := range w.desk.messages() {
				if m.Kind == intake.StaffConflict {
					n++
				}
			}
			return n
		}
		before := count()
		w.until(k.Acknowledge.Add(time.Second))
		if count() != before+1 {
			t.Errorf("nobody was told that it was not acknowledged")
		}
		if _, err := w.gateway.AcknowledgeConflict(w.Context(), k.ID, mia); err != nil {
			t.Fatal(err)
		}
		w.until(k.Plan.Add(time.Second))
		if count() != before+2 {
			t.Errorf("staff were told %d times", count()-before)
		}
		if _, err := w.gateway.AcknowledgeConflict(w.Context(), k.ID, mia); err == nil {
			t.Error("it was acknowledged twice")
		}
	}, assist)
}

func TestThePartnersLearnOfAConflictWhenAPersonLooksIntoItAndNothingOfEachOther(t *testing.T) {
	inWorld(t, func(w *world) {
		_, _, k := disputed(w)
		if _, err := w.gateway.AcknowledgeConflict(w.Context(), k.ID, mia); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		for who, other := range map[string]string{"ana@alpha.example": "beta", "tom@beta.example": "alpha"} {
			m := w.lastTo(who)
			if m.Kind != intake.MessageConflict || !m.Facts.Due.Equal(k.Plan) {
				w.Errorf("%s was told %s, due %s", who, m.Kind, m.Facts.Due)
			}
			if text := strings.ToLower(mustJSON(t, m)); strings.Contains(text, other) {
				w.Errorf("%s reads of %s: %s", who, other, text)
			}
		}
	}, assist)
}

func TestAResolvedConflictGivesTheAccountToTheWinnerAndDeclinesTheOthers(t *testing.T) {
	inWorld(t, func(w *world) {
		first, second, k := disputed(w)
		if _, err := w.gateway.ResolveConflict(w.Context(), k.ID, first.Case, because("mia", "first by the order")); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		w.wantStatus(first.Case, intake.StatusProvisional)
		if r := w.wantStatus(second.Case, intake.StatusDeclined); r.Reason != intake.ReasonResolved || !r.Cooling.IsZero() {
			w.Errorf("reason %s, cooling off until %s", r.Reason, r.Cooling)
		}
		w.noConflict()
		var input *intake.ErrInput
		if _, err := w.gateway.ResolveConflict(w.Context(), k.ID, second.Case, because("jo", "once more, with feeling")); !errors.As(err, &input) {
			w.Errorf("resolving it again gives %v", err)
		}
	}, assist)
}

func TestAgainstThePublishedOrderASecondPersonHasToConfirm(t *testing.T) {
	inWorld(t, func(w *world) {
		first, second, k := disputed(w)
		letter := because("mia", "the customer wrote that they want Beta")
		if _, err := w.gateway.ResolveConflict(w.Context(), k.ID, second.Case, letter); err != nil {
			t.Fatal(err)
		}
		w.wantStatus(second.Case, intake.StatusInReview)
		if _, err := w.gateway.ResolveConflict(w.Context(), k.ID, second.Case, letter); err == nil || !strings.Contains(err.Error(), "a second person") {
			t.Errorf("the same person twice gives %v", err)
		}
		if _, err := w.gateway.ResolveConflict(w.Context(), k.ID, second.Case, because("jo", "I read the letter too")); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		w.wantStatus(second.Case, intake.StatusProvisional)
		w.wantStatus(first.Case, intake.StatusDeclined)
	}, assist)
}

func TestAConflictIsOverWhenOnlyOneClaimIsLeft(t *testing.T) {
	inWorld(t, func(w *world) {
		first, second, k := disputed(w)
		must(w, "withdraw")(w.gateway.Withdraw(w.Context(), first.Case, mia))
		w.noConflict()
		if k, err := w.gateway.Conflict(w.Context(), k.ID); err != nil || k.By != "policy" {
			t.Errorf("conflict %+v, %v", k, err)
		}
		must(w, "approve")(w.gateway.Approve(w.Context(), second.Case, because("mia", "nobody else wants it")))
	}, assist)
}

func TestAProvenEarlierMeetingMakesAConflictOutOfAHold(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.submit("ana@alpha.example", acme())
		must(w, "approve")(w.gateway.Approve(w.Context(), a.Case, mia))
		b := w.submit("tom@beta.example", acme())
		k, err := w.gateway.Conflicts(w.Context(), true)
		if err != nil || len(k) != 0 {
			t.Fatalf("conflicts %v, %v", k, err)
		}
		w.meets(b.Case, time.Now().Add(-days(3)), true)
		if r := w.wantStatus(b.Case, intake.StatusInReview); r.Reason != intake.ReasonContested {
			t.Errorf("reason %s", r.Reason)
		}
		if got := w.conflict(); got.Cases[0] != b.Case {
			t.Errorf("order %v", got.Cases)
		}
		w.wantStatus(a.Case, intake.StatusProvisional)
	}, assist)
}

func TestADealOfDirectSalesOnAHeldAccountIsAVerticalConflict(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.submit("ana@alpha.example", acme())
		must(w, "approve")(w.gateway.Approve(w.Context(), a.Case, mia))
		deal := intake.Match{CRM: "fake", Kind: intake.MatchOpenDeal, Ref: intake.Ref{ID: "deal-7"}}
		if err := w.gateway.DirectDeal(w.Context(), "acme.example", deal); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		k := w.conflict()
		if k.Type != intake.ConflictVertical || len(k.Deals) != 1 || !slices.Equal(k.Cases, []string{a.Case}) {
			t.Errorf("conflict %+v", k)
		}
		w.wantStatus(a.Case, intake.StatusProvisional)
		w.wantMessages(intake.MessageReceived, intake.MessageApproved) // the partner is told nothing by itself
		if m := w.lastTo("jo@vendor.example"); m.Kind != intake.StaffConflict {
			t.Errorf("staff were told %s", m.Kind)
		}
		if err := w.gateway.DirectDeal(w.Context(), "acme.example", deal); err != nil {
			t.Fatal(err)
		}
		if again := w.conflict(); again.ID != k.ID || len(again.Deals) != 1 {
			t.Errorf("told twice: %+v", again)
		}
		if err := w.gateway.DirectDeal(w.Context(), "free.example", deal); err != nil {
			t.Fatal(err)
		}
		w.conflict()
	}, assist)
}

func TestAnAliasThatIsAddedLaterBringsTwoHoldersIntoConflict(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.submit("ana@alpha.example", acme())
		other := acme()
		other[intake.FieldCompanyDomain], other[intake.FieldCompanyName] = "zenith.example", "Zenith"
		other[intake.FieldContactEmail] = "jane@zenith.example"
		b := w.submit("tom@beta.example", other)
		w.wantStatus(a.Case, intake.StatusProvisional)
		w.wantStatus(b.Case, intake.StatusProvisional)
		err := w.gateway.PutAccounts(w.Context(), intake.AccountList{Accounts: []intake.Account{{Domain: "acme.example", Name: "Acme", Aliases: []string{"zenith.example"}}}})
		if err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		if k := w.conflict(); len(k.Cases) != 2 || k.Cases[0] != a.Case {
			t.Errorf("conflict %+v", k)
		}
	})
}
