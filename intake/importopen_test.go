package intake_test

import (
	"testing"
	"time"

	"leadgate/intake"
)

// TestACorrectedFileTellsWhatIsStillOpen: a row that did not change is no row that is done.
func TestACorrectedFileTellsWhatIsStillOpen(t *testing.T) {
	inWorld(t, func(w *world) {
		rows := firms(0, 4)
		rows[1].Lead = without(rows[1].Lead, intake.FieldConsent)
		rows[2].Lead = without(rows[2].Lead, intake.FieldConsent)
		rows[3].Lead = without(rows[3].Lead, intake.FieldProblem)
		first := w.outcomes(w.drop(file("alpha", "a.csv"), rows).ID)
		w.pass(time.Minute)
		rows[3].Lead = firm(3)
		rows[2].Lead[intake.FieldContactRole] = "CFO" // which answers nothing
		p, err := w.gateway.PreviewImport(t.Context(), file("alpha", "b.csv"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Add(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		im := w.drop(file("alpha", "b.csv"), rows)
		want := intake.ImportCounts{Rows: 4, Accepted: 1, Merged: 1, Unchanged: 1, NeedsInfo: 2}
		w.wantCounts(im, want)
		if p.Counts() != want || len(p.Verdicts()) != 1 {
			t.Errorf("foreseen as %+v, %v", p.Counts(), p.Verdicts())
		}
		for _, i := range []int{1, 2} {
			o := w.outcomes(im.ID)[i]
			if o.Result != intake.RowNeedsInfo || o.Case != first[i].Case || len(o.Problems) != 1 || o.Problems[0].Code != intake.ProblemConsent || o.Problems[0].Mend == "" || o.Problems[0].Message == "" {
				t.Errorf("row %d: %+v", o.Row, o)
			}
			if due := w.story(o.Case).Registration.AnswerDue; due.IsZero() || !o.Due.Equal(due) {
				t.Errorf("row %d: due %s, want %s", o.Row, o.Due, due)
			}
		}
		w.pass(time.Minute)
		answer := w.submission("ana@alpha.example", intake.Lead{intake.FieldConsent: intake.ConsentYes})
		answer.Case = first[1].Case
		w.accept(answer)
		w.pass(time.Minute)
		if o := w.outcomes(w.drop(file("alpha", "c.csv"), rows).ID)[1]; o.Result != intake.RowUnchanged || len(o.Problems) != 0 || !o.Due.IsZero() {
			t.Errorf("once it is answered: %+v", o)
		}
	})
}

func TestACorrectedFileTellsOfAQuestionOfStaff(t *testing.T) {
	inWorld(t, func(w *world) {
		number := w.outcomes(w.drop(file("alpha", "a.csv"), firms(0, 1)).ID)[0].Case
		w.pass(time.Minute)
		if _, err := w.gateway.Ask(t.Context(), number, intake.Verdict{By: "mia", Message: "Which of our products do they run?"}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Minute)
		o := w.outcomes(w.drop(file("alpha", "b.csv"), firms(0, 1)).ID)[0]
		if o.Result != intake.RowNeedsInfo || len(o.Problems) != 1 || o.Problems[0].Message != "Which of our products do they run?" || o.Problems[0].Mend == "" {
			t.Errorf("%+v", o)
		}
	}, assist)
}

// TestTheSummaryOfAFileTellsWhatWasDecided: that a row became a case is not what its sender asks.
func TestTheSummaryOfAFileTellsWhatWasDecided(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("bea@beta.example", firm(2))
		similar := firms(0, 6)
		similar[3].Lead[intake.FieldCompanyDomain] = "blocked.example"
		similar[4].Lead = without(similar[4].Lead, intake.FieldConsent)
		im := w.drop(file("alpha", "a.csv"), similar)
		w.pass(time.Minute)
		im, err := w.gateway.Import(t.Context(), im.ID)
		if err != nil || im.Decided == nil {
			t.Fatal(im, err)
		}
		end := w.story(w.outcomes(im.ID)[0].Case).Registration.Protection.End
		want := intake.ImportDecided{Approved: 3, Until: end, Last: end, Waitlisted: 1, Declined: 1}
		if *im.Decided != want {
			t.Errorf("%+v, want %+v", *im.Decided, want)
		}
		if m := w.channel.messages()[1]; m.Import == nil || m.Import.Decided == nil || *m.Import.Decided != want {
			t.Errorf("told %+v", m.Import)
		}
	})
}
