package intake_test

import (
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

// says is a reply in words, from which what is in lead was read.
func (w *world) says(from, thread, text string, lead intake.Lead, weak ...intake.Field) {
	w.Helper()
	s := w.submission(from, lead)
	s.Case, s.Text, s.Weak = thread, text, weak
	w.accept(s)
	w.pass(time.Second)
}

func TestAReplyThatMayReportANextStepIsToldToStaff(t *testing.T) {
	const words = "We meet Jane Doe on Tuesday at ten."
	for name, tt := range map[string]struct {
		lead intake.Lead
		weak []intake.Field
	}{
		"of which nothing is read":        {},
		"that says a meeting is planned":  {lead: intake.Lead{intake.FieldStage: intake.StageDiscoveryScheduled}},
		"that says that they evaluate it": {lead: intake.Lead{intake.FieldStage: intake.StageEvaluation}},
		"of which the stage is a guess":   {lead: intake.Lead{intake.FieldStage: intake.StageDiscoveryScheduled}, weak: []intake.Field{intake.FieldStage}},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.submit("ana@alpha.example", acme())
				w.says("ana@alpha.example", r.Case, words, tt.lead, tt.weak...)
				if got := w.wantStatus(r.Case, intake.StatusProvisional); got.Unread != 1 {
					t.Errorf("%d unread", got.Unread)
				}
				told := w.toStaff("jo@vendor.example", intake.StaffRequest)
				if len(told) != 1 || told[0].Brief.Said != words || told[0].Brief.Registration.Number != r.Case {
					t.Fatalf("told %+v", told)
				}
				w.says("ana@alpha.example", r.Case, "Many thanks!", nil)
				if told := w.toStaff("jo@vendor.example", intake.StaffRequest); len(told) != 1 {
					t.Errorf("told %d times of what is unread already", len(told))
				}
				must(w, "seen")(w.gateway.Seen(w.Context(), r.Case, intake.Verdict{By: "jo"}))
				w.says("ana@alpha.example", r.Case, "It is on Thursday now.", nil)
				if told := w.toStaff("jo@vendor.example", intake.StaffRequest); len(told) != 2 {
					t.Errorf("told %d times", len(told))
				}
			})
		})
	}
}

func TestWhatIsNoReportOfANextStepIsNotToldToStaff(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.says("ana@alpha.example", r.Case, "Her number is +49 30 1234567.", intake.Lead{intake.FieldContactPhone: "+49 30 1234567"})
		if got := w.story(r.Case).Registration; got.Unread != 0 {
			t.Errorf("%d unread", got.Unread)
		}
		other := acme()
		other[intake.FieldCompanyDomain], other[intake.FieldCompanyName] = "blocked.example", "Blocked"
		declined := w.submit("ana@alpha.example", other)
		w.says("ana@alpha.example", declined.Case, "What a pity.", nil)
		forged := w.submission("ana@alpha.example", nil)
		forged.Case, forged.Text, forged.Sender.Strength = r.Case, strings.Repeat("We meet. ", 3), intake.StrengthUnverified
		w.accept(forged)
		w.pass(time.Second)
		if told := w.toStaff("", intake.StaffRequest); len(told) != 0 {
			t.Errorf("told %+v", told)
		}
	})
}
