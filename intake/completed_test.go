package intake_test

import (
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

// TestWhoAnswersOurQuestionIsThankedOnce: for the answer, not for a registration; and not at all
// where a decision follows at once.
func TestWhoAnswersOurQuestionIsThankedOnce(t *testing.T) {
	reply := func(w *world, number string, l intake.Lead, text string) {
		s := w.submission("ana@alpha.example", l)
		s.Case, s.Text = number, text
		w.accept(s)
		w.pass(time.Second)
	}
	yes := intake.Lead{intake.FieldConsent: intake.ConsentYes}
	for _, tt := range []struct {
		name string
		mode option
		do   func(w *world, number string)
		want []intake.MessageKind
	}{
		{
			"the missing field is given and a person decides", assist,
			func(w *world, n string) { reply(w, n, yes, "") },
			[]intake.MessageKind{intake.MessageNeedsInfo, intake.MessageCompleted},
		},
		{
			"the missing field is given and the rules decide", func(*rules.Spec) {},
			func(w *world, n string) { reply(w, n, yes, "") },
			[]intake.MessageKind{intake.MessageNeedsInfo, intake.MessageApproved},
		},
		{
			"the partner registers it a second time with the missing field", assist,
			func(w *world, _ string) { w.submit("ana@alpha.example", acme()); w.pass(time.Second) },
			[]intake.MessageKind{intake.MessageNeedsInfo, intake.MessageCompleted},
		},
		{
			"the answer does not say what was asked for", assist,
			func(w *world, n string) { reply(w, n, nil, "I shall find out.") },
			[]intake.MessageKind{intake.MessageNeedsInfo, intake.MessageReceived},
		},
		{
			"staff fill in what is missing", assist,
			func(w *world, n string) {
				if _, err := w.gateway.Amend(w.Context(), n, yes, intake.Verdict{By: "mia", Rationale: "She said so on the phone."}); err != nil {
					w.Fatal(err)
				}
				w.pass(time.Second)
			},
			[]intake.MessageKind{intake.MessageNeedsInfo, intake.MessageReceived},
		},
		{
			"a person asks once more after the first answer", assist,
			func(w *world, n string) {
				reply(w, n, yes, "")
				if _, err := w.gateway.Ask(w.Context(), n, intake.Verdict{By: "mia", Message: "Which office?"}); err != nil {
					w.Fatal(err)
				}
				reply(w, n, nil, "The one in Ghent.")
			},
			[]intake.MessageKind{intake.MessageNeedsInfo, intake.MessageCompleted, intake.MessageNeedsInfo, intake.MessageCompleted},
		},
		{
			"the consent is taken back after the approval", func(*rules.Spec) {},
			func(w *world, n string) {
				reply(w, n, yes, "")
				reply(w, n, intake.Lead{intake.FieldConsent: intake.ConsentNo}, "")
			},
			[]intake.MessageKind{intake.MessageNeedsInfo, intake.MessageApproved, intake.MessageReceived},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				n := w.submit("ana@alpha.example", without(acme(), intake.FieldConsent)).Case
				tt.do(w, n)
				got := w.wantMessages(tt.want...)
				if last := got[len(got)-1]; last.Kind == intake.MessageCompleted && (last.Facts.Receipt == "" || last.Facts.Due.IsZero() || last.Unprompted) {
					t.Errorf("the thanks are %+v", last)
				}
			}, tt.mode)
		})
	}
}
