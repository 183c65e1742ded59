package intake_test

import (
	"testing"
	"time"

	"leadgate/intake"
)

// TestTheRowOfAnErasedCaseIsASubmissionLikeAnyOther: in the same file and in another, and nothing
// points to what was erased.
func TestTheRowOfAnErasedCaseIsASubmissionLikeAnyOther(t *testing.T) {
	for name, again := range map[string]string{"of the same file": "a.csv", "of another": "b.csv"} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				rows := firms(0, 3)
				first := w.drop(file("alpha", "a.csv"), rows)
				w.pass(time.Hour)
				gone := w.outcomes(first.ID)[0].Case
				w.eraseFirst(first)
				erased := w.outcomes(first.ID)[0]
				if erased.Case != "" || len(erased.Problems) != 1 || erased.Problems[0].Code != intake.ProblemCaseErased || erased.Problems[0].Message == "" || erased.Problems[0].Mend == "" {
					t.Errorf("the row that was erased: %+v", erased)
				}
				im := w.drop(file("alpha", again), rows)
				w.wantCounts(im, intake.ImportCounts{Rows: 3, Accepted: 1, Merged: 2, Unchanged: 2})
				o := w.outcomes(im.ID)[0]
				if o.Case == "" || o.Case == gone {
					t.Fatalf("the row came to %+v, %s was erased", o, gone)
				}
				if same := again == "a.csv"; im.Anew.IsZero() == same {
					t.Errorf("that it comes anew is told as %s", im.Anew)
				}
				w.pass(time.Minute) // its summary waits for no case that is not there
				if im, err := w.gateway.Import(t.Context(), im.ID); err != nil || im.Summarised.IsZero() {
					t.Errorf("no summary: %v", err)
				}
				w.wantStatus(o.Case, intake.StatusProvisional)
			})
		})
	}
}

func TestACaseThatIsErasedBeforeItIsJudgedHoldsNoSummaryUp(t *testing.T) {
	inWorld(t, func(w *world) {
		im, err := w.gateway.OpenImport(t.Context(), file("alpha", "a.csv"))
		if err != nil {
			t.Fatal(err)
		}
		w.crm.lookup = func(intake.Lead) ([]intake.Match, error) { time.Sleep(20 * time.Second); return nil, nil }
		if im, err = w.gateway.RunImport(t.Context(), im.ID, each(firms(0, 1))); err != nil {
			t.Fatal(err)
		}
		w.eraseFirst(im)
		w.pass(30 * time.Second)
		if im, err = w.gateway.Import(t.Context(), im.ID); err != nil || im.Summarised.IsZero() {
			t.Errorf("no summary: %v", err)
		}
	})
}

// TestAFileThatOnlyRepeatsACaseIsDeletedWithIt: it tells of the person like the one before.
func TestAFileThatOnlyRepeatsACaseIsDeletedWithIt(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.drop(file("alpha", "a.csv"), firms(0, 2))
		w.pass(time.Minute)
		second, other := w.drop(file("alpha", "b.csv"), firms(0, 1)), w.drop(file("alpha", "c.csv"), firms(1, 2))
		w.eraseFirst(first)
		for im, want := range map[string]bool{second.ID: true, other.ID: false} {
			if im, err := w.gateway.Import(t.Context(), im); err != nil || im.Erased.IsZero() == want {
				t.Errorf("%s: deleted %s; %v", im.Name, im.Erased, err)
			}
		}
	})
}
