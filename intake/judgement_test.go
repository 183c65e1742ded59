package intake_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"leadgate/intake"
)

func TestEveryVerdictIsMadeAgainFromWhatIsStored(t *testing.T) {
	inWorld(t, func(w *world) {
		held := w.submit("ana@alpha.example", acme())
		w.submit("eve@beta.example", acme())                                    // waitlisted
		w.submit("ana@alpha.example", named("Acme Gmbh", "acme-other.example")) // similar
		w.submit("ana@alpha.example", named("Blocked", "blocked.example"))      // declined
		asked := w.submit("ana@alpha.example", without(named("One", "one.example"), intake.FieldProblem))
		w.answerWith("ana@alpha.example", asked.Case, intake.Lead{intake.FieldProblem: "They lose a day a week to manual reporting."})
		w.crm.set(func() {
			w.crm.lookup = func(intake.Lead) ([]intake.Match, error) {
				return []intake.Match{{CRM: "crm", Kind: intake.MatchOpenDeal, Ref: intake.Ref{ID: "1"}, Activity: time.Now().UTC()}}, nil
			}
		})
		w.submit("ana@alpha.example", named("Two", "two.example")) // an open deal
		w.crm.set(func() { w.crm.lookup = func(intake.Lead) ([]intake.Match, error) { return nil, errors.New("down") } })
		w.submit("ana@alpha.example", named("Three", "three.example"))

		all := w.judgeAgain()
		outcomes := map[intake.Outcome]bool{}
		for _, j := range all {
			outcomes[j.Verdict.Outcome] = true
		}
		if len(outcomes) < 5 {
			w.Errorf("too few kinds of verdicts: %v", outcomes)
		}
		if of, _, err := w.gateway.Judgements(w.Context(), intake.JudgementQuery{Case: asked.Case, Limit: 100}); err != nil || len(of) != 2 || of[0].Case != asked.Case || of[0].Verdict.Outcome != intake.OutcomeAsk {
			w.Errorf("of %s: %+v, err %v", asked.Case, of, err)
		}
		if late, _, err := w.gateway.Judgements(w.Context(), intake.JudgementQuery{Since: time.Now().Add(time.Hour), Limit: 100}); err != nil || len(late) != 0 {
			w.Errorf("of the future: %d, err %v", len(late), err)
		}
		if _, _, err := w.gateway.Judgements(w.Context(), intake.JudgementQuery{Case: "LG-2026-999999-Z", Limit: 100}); !errors.Is(err, intake.ErrNotFound) {
			w.Errorf("of no case: %v", err)
		}
		if one, next, err := w.gateway.Judgements(w.Context(), intake.JudgementQuery{Limit: 1}); err != nil || len(one) != 1 || one[0].Case != held.Case {
			w.Errorf("the first: %s, next %q, err %v", fmt.Sprint(one), next, err)
		} else if rest, _, err := w.gateway.Judgements(w.Context(), intake.JudgementQuery{After: next, Limit: 100}); err != nil || len(rest) != len(all)-1 {
			w.Errorf("%d behind the first of %d, err %v", len(rest), len(all), err)
		}
	})
}
