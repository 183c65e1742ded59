package intake

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestEveryStatusHasItsRowInTheTransitionTable(t *testing.T) {
	for _, s := range append(Statuses(), "") {
		if _, found := transitions[s]; !found {
			t.Errorf("%q has no row", s)
		}
	}
	for from, row := range transitions {
		for to, triggers := range row {
			if !slices.Contains(Statuses(), to) || len(triggers) == 0 {
				t.Errorf("%q → %q by %v", from, to, triggers)
			}
		}
	}
}

func TestFinalStatesLeadNowhereButToErasure(t *testing.T) {
	for _, s := range []Status{StatusWithdrawn, StatusMerged, StatusErased} {
		for to := range transitions[s] {
			if to != StatusErased {
				t.Errorf("%s → %s", s, to)
			}
		}
		if s.Live() {
			t.Errorf("%s is live", s)
		}
	}
}

func TestEveryStateButTheFirstCanBeReached(t *testing.T) {
	reached := map[Status]bool{"": true}
	for grown := true; grown; {
		grown = false
		for from, row := range transitions {
			for to := range row {
				if reached[from] && !reached[to] {
					reached[to], grown = true, true
				}
			}
		}
	}
	for _, s := range Statuses() {
		if !reached[s] {
			t.Errorf("%s can't be reached", s)
		}
	}
}

func TestAHolderIsLiveAndNotUndecided(t *testing.T) {
	for _, s := range Statuses() {
		if s.Holds() && (!s.Live() || s.Undecided()) {
			t.Errorf("%s holds, live %v, undecided %v", s, s.Live(), s.Undecided())
		}
		if s.Undecided() && !s.Live() {
			t.Errorf("%s is undecided and not live", s)
		}
	}
}

func TestAnIllegalMoveNamesTheLegalOnes(t *testing.T) {
	err := CheckTransition(StatusInReview, StatusWon, TriggerStaff)
	var illegal *IllegalTransition
	if !errors.As(err, &illegal) || !slices.Contains(illegal.Legal, StatusDeclined) {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{"in_review", "cannot become won by staff", "approved_provisional", "declined"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	if err := CheckTransition(StatusInReview, StatusDeclined, TriggerStaff); err != nil {
		t.Error(err)
	}
}
