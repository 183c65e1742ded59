package intake_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

// batch is what a mail with several leads gives.
func (w *world) batch(from string, leads ...intake.Lead) []intake.Submission {
	s := w.submission(from, nil)
	s.Batch = intake.Batch{ID: s.Key, Size: len(leads)}
	var all []intake.Submission
	for i, l := range leads {
		part := s
		part.Key, part.Lead = fmt.Sprintf("%s#%d", s.Key, i+1), l
		all = append(all, part)
	}
	return all
}

func named(name, domain string) intake.Lead {
	l := acme()
	l[intake.FieldCompanyName], l[intake.FieldCompanyDomain] = name, domain
	l[intake.FieldContactEmail] = "jane@" + domain
	return l
}

func TestABatchIsAnsweredByOneMessage(t *testing.T) {
	inWorld(t, func(w *world) {
		known := w.submit("ana@alpha.example", named("Known", "known.example"))
		all := w.batch("ana@alpha.example",
			named("One", "one.example"), without(named("Two", "two.example"), intake.FieldProblem),
			named("Known", "known.example"), named("One again", "one.example"), named("Blocked", "blocked.example"))
		all[0].Batch.Faults = []intake.RowFault{{Row: 7, Problem: intake.Problem{Field: intake.FieldCompanyName, Code: intake.ProblemMissing}}}
		for i := range all {
			all[i].Batch = all[0].Batch
			w.accept(all[i])
		}
		w.pass(10 * time.Second)
		m := w.wantMessages(intake.MessageApproved, intake.MessageSummary)[1]
		got := make(map[string]intake.Status)
		for _, f := range m.Cases {
			got[f.Company] = f.Status
		}
		want := map[string]intake.Status{
			"One": intake.StatusProvisional, "Two": intake.StatusNeedsInfo, "Known": intake.StatusProvisional, "Blocked": intake.StatusDeclined,
		}
		if fmt.Sprint(got) != fmt.Sprint(want) || len(m.Faults) != 1 || m.Facts.Case != "" {
			w.Errorf("told %v with faults %v, want %v", got, m.Faults, want)
		}
		if n := len(w.cases()); n != 4 {
			w.Errorf("%d cases, want 4 with %s", n, known.Case)
		}
		for _, s := range all { // delivered once more
			if !w.accept(s).Known {
				w.Error("not known when delivered again")
			}
		}
		w.pass(time.Hour)
		w.wantMessages(intake.MessageApproved, intake.MessageSummary)
	})
}

func TestABatchOfWhichSomeIsLostIsAnsweredAllTheSame(t *testing.T) {
	inWorld(t, func(w *world) {
		all := w.batch("ana@alpha.example", named("One", "one.example"), named("Two", "two.example"))
		w.accept(all[0]) // and the channel is gone before the second
		w.pass(time.Minute)
		w.wantMessages()
		w.pass(5 * time.Minute)
		if m := w.wantMessages(intake.MessageSummary)[0]; len(m.Cases) != 1 {
			w.Errorf("told %+v", m.Cases)
		}
		w.accept(all[1]) // it comes back
		w.pass(time.Second)
		if n := len(w.cases()); n != 2 {
			w.Errorf("%d cases", n)
		}
	})
}

func TestATableWithoutAnyLeadIsAnsweredOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("ana@alpha.example", nil)
		s.Batch = intake.Batch{ID: s.Key, Size: 1, Faults: []intake.RowFault{{Row: 2, Problem: intake.Problem{Field: intake.FieldCompanyName, Code: intake.ProblemMissing}}}}
		w.accept(s)
		w.pass(10 * time.Minute)
		if m := w.wantMessages(intake.MessageSummary)[0]; len(m.Cases) != 0 || len(m.Faults) != 1 {
			w.Errorf("told %+v", m)
		}
	})
}

func TestAnUnprovenBatchIsNotAnswered(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, s := range w.batch("x@stranger.example", named("One", "one.example"), named("Two", "two.example")) {
			w.wantStatus(w.accept(s).Case, intake.StatusQuarantined)
		}
		w.pass(time.Hour)
		w.wantMessages()
	})
}

func TestALaterDecisionOnACaseOfABatchIsToldByItself(t *testing.T) {
	inWorld(t, func(w *world) {
		for _, s := range w.batch("ana@alpha.example", named("One", "one.example"), named("Two", "two.example")) {
			w.accept(s)
		}
		w.pass(time.Minute)
		r := w.cases()[0]
		if _, err := w.gateway.Approve(w.Context(), r.Number, intake.Verdict{By: "mia"}); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		w.wantMessages(intake.MessageSummary, intake.MessageApproved)
	}, assist)
}

func TestACaseThatIsLateForTheSummaryIsToldByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memstore.New())
		one := w.submission("ana@alpha.example", without(named("One", "one.example"), intake.FieldProblem))
		one.Batch = intake.Batch{ID: one.Key, Size: 1, Faults: []intake.RowFault{{Row: 3, Problem: intake.Problem{Field: intake.FieldCompanyName, Code: intake.ProblemMissing}}}}
		w.accept(one)
		time.Sleep(10 * time.Minute) // the gateway was stopped between the store and the checks
		w.crm.set(func() {
			w.crm.lookup = func(intake.Lead) ([]intake.Match, error) { time.Sleep(2 * time.Second); return nil, nil }
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.gateway.Run(ctx) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		told := map[string]bool{}
		for _, m := range w.channel.messages() {
			t.Logf("%s: case %q, %d cases", m.Kind, m.Facts.Case, len(m.Cases))
			told[m.Facts.Case] = true
			for _, f := range m.Cases {
				told[f.Case] = true
			}
		}
		for _, r := range w.cases() {
			if !told[r.Number] {
				t.Errorf("nobody was ever told of %s, which is %s", r.Number, r.Status)
			}
		}
		cancel()
		<-done
	})
}
