package intake_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

// eraseFirst erases the case of the first row of an import, and with it the file.
func (w *world) eraseFirst(im intake.Import) {
	w.Helper()
	o := w.outcomes(im.ID)[0]
	if _, err := w.gateway.Erase(w.Context(), o.Case, intake.Verdict{By: "mia", Rationale: "the contact asked for it"}); err != nil {
		w.Fatal(err)
	}
	if im, err := w.gateway.Import(w.Context(), im.ID); err != nil || im.Erased.IsZero() {
		w.Fatal(im, err)
	}
}

func TestAFileThatComesAnewAfterItWasErasedIsToldOfAndListedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		f := file("alpha", "a.csv")
		im := w.drop(f, firms(0, 3))
		w.pass(time.Minute)
		w.eraseFirst(im)
		w.pass(time.Hour)
		f.ReceivedAt = f.ReceivedAt.Add(2 * time.Hour)
		again := w.drop(f, firms(0, 3))
		w.pass(time.Hour)
		if again, err := w.gateway.Import(t.Context(), again.ID); err != nil || again.Summarised.IsZero() {
			t.Errorf("nobody was told what came of it: %+v, %v", again, err)
		}
		if told := toldOfFiles(w); len(told) != 2 {
			t.Errorf("told %d times: %+v", len(told), told)
		}
		all, _, err := w.gateway.Imports(t.Context(), intake.ImportQuery{Limit: 10})
		if err != nil || len(all) != 1 {
			t.Errorf("%d imports are listed, %v", len(all), err)
		}
	})
}

func TestAMailThatIsDeliveredAgainDoesNotBringAnErasedFileBack(t *testing.T) {
	inWorld(t, func(w *world) {
		f := file("alpha", "a.csv")
		f.Key = "mail 1"
		im := w.drop(f, firms(0, 3))
		w.pass(time.Minute)
		w.eraseFirst(im)
		again, err := w.gateway.OpenImport(t.Context(), f)
		if err != nil || again.Erased.IsZero() || again.State != intake.ImportDone {
			t.Errorf("it is back: %+v, %v", again, err)
		}
		f.Key = "mail 2" // somebody sends it once more, as he may
		if again, err = w.gateway.OpenImport(t.Context(), f); err != nil || !again.Erased.IsZero() || again.State != intake.ImportPreviewed {
			t.Errorf("%+v, %v", again, err)
		}
	})
}

func TestAFileThatIsErasedWhileItIsTakenInGoesNoFurther(t *testing.T) {
	inWorld(t, func(w *world) {
		im, err := w.gateway.OpenImport(t.Context(), file("alpha", "a.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if im, err = w.gateway.StartImport(t.Context(), im.ID); err != nil {
			t.Fatal(err)
		}
		rows := firms(0, 6)
		if _, _, err := w.gateway.AcceptRows(t.Context(), im.ID, rows[:3]); err != nil {
			t.Fatal(err)
		}
		w.eraseFirst(im)
		if _, taken, err := w.gateway.AcceptRows(t.Context(), im.ID, rows[3:]); err == nil {
			t.Errorf("%d more rows were taken in", len(taken))
		}
		w.pass(time.Hour)
		im, err = w.gateway.Import(t.Context(), im.ID)
		if err != nil || im.State != intake.ImportFailed || im.Cause == nil || im.Counts.Rows != 3 || im.Summarised.IsZero() {
			t.Errorf("%+v, %v", im, err)
		}
	})
}

func TestARowThatIsChangedBackToItsFirstWordsActs(t *testing.T) {
	inWorld(t, func(w *world) {
		rows := firms(0, 2)
		number := w.outcomes(w.drop(file("alpha", "a.csv"), rows).ID)[0].Case
		w.pass(time.Minute)
		say := func(name, words string, want intake.RowResult) {
			t.Helper()
			rows := firms(0, 2)
			rows[0].Case, rows[0].Lead[intake.FieldProblem] = number, words
			w.pass(time.Hour)
			got := w.outcomes(w.drop(file("alpha", name), rows).ID)
			if got[0].Result != want || got[1].Result != intake.RowUnchanged {
				t.Errorf("%s: %s and %s, want %s", name, got[0].Result, got[1].Result, want)
			}
			w.pass(time.Hour)
			r, err := w.gateway.CaseOf(t.Context(), number)
			if err != nil || r.Lead[intake.FieldProblem] != words {
				t.Errorf("%s: the case says %q, want %q; %v", name, r.Lead[intake.FieldProblem], words, err)
			}
		}
		first := firm(0)[intake.FieldProblem]
		say("b.csv", "They lose two days a week.", intake.RowAmended)
		say("c.csv", "They lose two days a week.", intake.RowUnchanged)
		say("d.csv", first, intake.RowAmended)
		say("e.csv", first, intake.RowUnchanged)
		say("f.csv", "They lose two days a week.", intake.RowAmended)
	})
}

func TestARowThatCannotBeReadIsRejectedForThatReason(t *testing.T) {
	inWorld(t, func(w *world) {
		rows := firms(0, 2)
		number := w.outcomes(w.drop(file("alpha", "a.csv"), rows).ID)[0].Case
		w.pass(time.Minute)
		before := revisions(w)
		long := intake.Problem{Code: "cell_too_long", Message: "the cell has more than 8 KiB of text; shorten it"}
		for what, row := range map[string]intake.ImportRow{
			"a new one":               {Number: 2, Problems: []intake.Problem{long}},
			"one that names its case": {Number: 2, Case: number, Problems: []intake.Problem{long}},
			"one of which the rest is known": {Number: 2, Lead: firm(0), Case: number, Problems: []intake.Problem{
				{Field: intake.FieldTargetRevenue, Code: "formula_error", Message: "the spreadsheet shows an error here instead of a value; type the value"},
			}},
		} {
			got := w.outcomes(w.drop(file("alpha", what), []intake.ImportRow{row}).ID)[0]
			if got.Result != intake.RowRejected || len(got.Problems) != 1 || got.Problems[0].Code != row.Problems[0].Code || got.Problems[0].Message != row.Problems[0].Message {
				t.Errorf("%s: %+v", what, got)
			}
		}
		w.pass(time.Minute)
		if !maps.Equal(before, revisions(w)) {
			t.Error("a case changed")
		}
	})
}

func TestAFileThatWasNotTakenInAtOnceKeepsNoPlace(t *testing.T) {
	for name, c := range map[string]struct {
		first, then bool // whether it is to be taken in at once
		claim       time.Duration
	}{
		"for who looks at it first later":                        {true, false, 48 * time.Hour},
		"for who sends it later":                                 {true, true, 24 * time.Hour},
		"but it counts from when it was sent, if only looked at": {false, true, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				f := file("alpha", "a.csv")
				came := f.ReceivedAt
				f.AtOnce = c.first
				if _, err := w.gateway.OpenImport(t.Context(), f); err != nil {
					t.Fatal(err)
				}
				f.AtOnce, f.ReceivedAt = c.then, came.Add(24*time.Hour)
				w.pass(24 * time.Hour)
				if _, err := w.gateway.OpenImport(t.Context(), f); err != nil {
					t.Fatal(err)
				}
				w.pass(24 * time.Hour)
				im := w.drop(f, firms(0, 1))
				r, err := w.gateway.CaseOf(t.Context(), w.outcomes(im.ID)[0].Case)
				if got := r.Claim.Sub(came).Round(time.Second); err != nil || got != c.claim {
					t.Errorf("claimed %v after it came, want %v; %v", got, c.claim, err)
				}
				if all, _, err := w.gateway.Imports(t.Context(), intake.ImportQuery{Limit: 9}); err != nil || len(all) != 1 {
					t.Errorf("%d imports are listed, %v", len(all), err)
				}
			})
		})
	}
}

func TestWhatChangesFarBehindInAColumnOfNoFieldIsAChange(t *testing.T) {
	inWorld(t, func(w *world) {
		rows := firms(0, 1)
		note := strings.Repeat("They want to see it first. ", 30)
		rows[0].Extra = []intake.Extra{{Column: "Notes", Value: note + "Call Ana."}}
		im := w.drop(file("alpha", "a.csv"), rows)
		w.pass(time.Minute)
		rows[0].Case = w.outcomes(im.ID)[0].Case
		if got := w.outcomes(w.drop(file("alpha", "b.csv"), rows).ID)[0]; got.Result != intake.RowUnchanged {
			t.Errorf("%+v", got)
		}
		rows[0].Extra = []intake.Extra{{Column: "Notes", Value: note + "Call Bob."}}
		if got := w.outcomes(w.drop(file("alpha", "c.csv"), rows).ID)[0]; got.Result != intake.RowAmended {
			t.Errorf("%+v", got)
		}
		said := w.story(rows[0].Case).Submissions
		if !strings.HasSuffix(said[len(said)-1].Text, "Call Bob.") {
			t.Errorf("staff read %+v", said)
		}
	})
}
