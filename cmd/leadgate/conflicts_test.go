package main

import (
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func TestAConflictIsShownWithItsSidesAndWhyTheyComeInThatOrder(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	k := intake.Conflict{
		ID: "C-000001", Type: intake.ConflictHorizontal, Account: "acme.example", Cases: []string{"LG-1", "LG-2"}, Acknowledge: at, Plan: at,
		Solution: "We ask both of them.", Evidence: []intake.Evidence{{At: at, Case: "LG-1", Kind: intake.EvidenceClaim}},
	}
	sides := []intake.Dossier{
		{Partner: intake.Partner{Name: "Alpha BV"}, Registration: intake.Registration{
			Number: "LG-1", Partner: "alpha", Status: intake.StatusInReview, Updated: at, Lead: intake.Lead{intake.FieldCompanyName: "Acme GmbH"},
			Findings: []intake.Finding{{Reason: intake.ReasonContested, Evidence: "in the order of the hierarchy: LG-1, LG-2; LG-1 met the company first"}},
		}},
		{Registration: intake.Registration{Number: "LG-2"}},
	}
	show := func() string {
		var b strings.Builder
		if err := printConflict(&b, k, sides); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	out := show()
	for _, want := range []string{"1. LG-1", "Alpha BV (alpha)", "Acme GmbH", "in_review", "2. LG-2", "because LG-1 met the company first\n", "Plan: We ask both of them.", "claim"} {
		if !strings.Contains(out, want) {
			t.Errorf("does not say %q:\n%s", want, out)
		}
	}
	k.Resolved, k.By, k.Rationale = at, "mia", "Alpha was first."
	if out = show(); !strings.Contains(out, "Plan: We ask both of them.") || !strings.Contains(out, "Rationale: Alpha was first.") {
		t.Errorf("resolved:\n%s", out)
	}
}

func TestANoteEndsInNoSeparatorAndALockHasNoEnd(t *testing.T) {
	if got := describe(intake.Event{Kind: intake.EventProgress, Actor: "staff:mia", Note: "meeting 2026-12-01T09:00:00Z; "}); !strings.HasSuffix(got, "09:00:00Z") {
		t.Errorf("%q", got)
	}
	var b strings.Builder
	r := intake.Registration{Number: "LG-1", Status: intake.StatusLocked, Protection: intake.Protection{End: time.Now()}}
	if err := printDossier(&b, intake.Dossier{Registration: r}); err != nil || strings.Contains(b.String(), "Protected until") || !strings.Contains(b.String(), "without an end for now") {
		t.Errorf("%v\n%s", err, &b)
	}
}
