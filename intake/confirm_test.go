package intake_test

import (
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

func confirming(s *rules.Spec) { s.ConfirmUnproven = true }

// forged is a mail that claims to come from an address and can't prove it.
func (w *world) forged(from string, l intake.Lead) intake.Submission {
	s := w.submission(from, l)
	s.Sender.Strength = intake.StrengthUnverified
	return s
}

func TestAnUnprovenPartnerConfirmsByAnAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		sent := w.forged("ana@alpha.example", acme())
		r := w.accept(sent)
		w.pass(time.Second)
		w.wantStatus(r.Case, intake.StatusQuarantined)
		m := w.wantMessages(intake.MessageConfirm)[0]
		if m.Facts.Company != "" || len(m.Facts.Fields) != 0 || m.To.Address != "ana@alpha.example" {
			w.Errorf("the question tells %+v", m)
		}
		w.pass(time.Hour)
		yes := w.forged("ana@alpha.example", nil)
		yes.Case, yes.Text, yes.Agrees = r.Case, "yes", true
		w.accept(yes)
		w.pass(time.Second)
		got := w.wantStatus(r.Case, intake.StatusProvisional)
		if got.Partner != "alpha" || got.Strength != intake.StrengthVerified || !got.Claim.Equal(sent.ReceivedAt.UTC().Truncate(time.Microsecond)) {
			w.Errorf("case %+v", got)
		}
		w.wantMessages(intake.MessageConfirm, intake.MessageApproved)

		thanks := w.forged("ana@alpha.example", nil) // the thread stays open to the same address
		thanks.Case, thanks.Text = r.Case, "thanks!"
		if again := w.accept(thanks); again.Case != r.Case {
			w.Errorf("receipt %+v", again)
		}
	}, confirming)
}

func TestNobodyElseConfirms(t *testing.T) {
	for name, tt := range map[string]struct {
		from  string
		token bool
		after time.Duration
	}{
		"another address with the token":   {from: "bob@alpha.example", token: true},
		"the address without the token":    {from: "ana@alpha.example"},
		"the address with the token, late": {from: "ana@alpha.example", token: true, after: 80 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.accept(w.forged("ana@alpha.example", acme()))
				w.pass(tt.after)
				s := w.forged(tt.from, nil)
				s.Text, s.Agrees = "yes", true
				if s.CaseHint = r.Case; tt.token {
					s.Case = r.Case
				}
				w.accept(s)
				w.pass(time.Second)
				if tt.after > 72*time.Hour {
					w.wantStatus(r.Case, intake.StatusWithdrawn)
				} else {
					w.wantStatus(r.Case, intake.StatusQuarantined)
				}
				w.wantMessages(intake.MessageConfirm)
			}, confirming)
		})
	}
}

func TestConfirmationIsAskedOnlyOfPartnersAndOnceAWeek(t *testing.T) {
	inWorld(t, func(w *world) {
		w.accept(w.forged("x@stranger.example", acme()))
		elsewhere := w.forged("ana@alpha.example", acme())
		elsewhere.Reply.Address = "eve@evil.example"
		w.accept(elsewhere)
		for range 5 {
			w.accept(w.forged("ana@alpha.example", acme()))
		}
		w.pass(time.Second)
		w.wantMessages(intake.MessageConfirm)
	}, confirming)
	inWorld(t, func(w *world) {
		w.accept(w.forged("ana@alpha.example", acme()))
		w.pass(time.Second)
		w.wantMessages() // the policy does not say so
	})
}

func TestTheTokenOfAConfirmedCaseIsGoodForNoCommand(t *testing.T) {
	inWorld(t, func(w *world) {
		proven := w.submit("bob@alpha.example", acme()) // a colleague's, always proven
		w.wantStatus(proven.Case, intake.StatusProvisional)
		r := w.accept(w.forged("ana@alpha.example", named("One", "one.example")))
		w.pass(time.Second)
		yes := w.forged("ana@alpha.example", nil)
		yes.Case, yes.Text, yes.Agrees = r.Case, "yes", true
		w.accept(yes)
		w.pass(24 * time.Hour)
		w.wantStatus(r.Case, intake.StatusProvisional)
		// Whoever was CC'd in that thread knows its token; From is not proven.
		evil := w.forged("ana@alpha.example", nil)
		evil.Case, evil.Commands = r.Case, []intake.Command{{Verb: intake.VerbWithdraw, Case: proven.Case}}
		w.accept(evil)
		w.pass(time.Second)
		w.wantStatus(proven.Case, intake.StatusProvisional)
	}, confirming)
}

func TestTheTokenOfAConfirmedCaseProvesNoOther(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.accept(w.forged("ana@alpha.example", named("One", "one.example")))
		w.pass(time.Second)
		yes := w.forged("ana@alpha.example", nil)
		yes.Case, yes.Text, yes.Agrees = r.Case, "yes", true
		w.accept(yes)
		w.pass(24 * time.Hour)
		w.wantStatus(r.Case, intake.StatusProvisional)
		evil := w.forged("ana@alpha.example", named("Two", "two.example"))
		evil.Case = r.Case
		got := w.accept(evil)
		w.pass(time.Second)
		w.wantStatus(got.Case, intake.StatusQuarantined)
	}, confirming)
}

// The same with the default policy, once staff have vouched for one quarantined case.
func TestTheTokenOfACaseThatStaffAssignedIsGoodForNoCommand(t *testing.T) {
	inWorld(t, func(w *world) {
		proven := w.submit("bob@alpha.example", acme())
		r := w.accept(w.forged("ana@alpha.example", named("One", "one.example")))
		w.pass(time.Second)
		if _, err := w.gateway.Assign(w.Context(), r.Case, "alpha", intake.Verdict{By: "mia"}); err != nil {
			t.Fatal(err)
		}
		w.pass(5 * 24 * time.Hour)
		evil := w.forged("ana@alpha.example", nil)
		evil.Case, evil.Commands = r.Case, []intake.Command{{Verb: intake.VerbWithdraw, Case: proven.Case}}
		w.accept(evil)
		w.pass(time.Second)
		if s := w.story(proven.Case).Registration.Status; s == intake.StatusWithdrawn {
			t.Errorf("an unproven mail has withdrawn %s, which it has no token of", proven.Case)
		}
	})
}

func TestNothingButAYesOfAPersonConfirms(t *testing.T) {
	for name, answer := range map[string]func(*intake.Submission){
		"a robot whose text begins with yes": func(s *intake.Submission) {
			s.Text, s.Agrees, s.Mute = "Yes!\nYour ticket 4711 has been created.", true, "looks automatic: the text is that of a ticket system; no answer was sent"
		},
		"a no": func(s *intake.Submission) { s.Text = "No, I did not send this. Who are you?" },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.accept(w.forged("ana@alpha.example", acme()))
				w.pass(time.Hour)
				s := w.forged("ana@alpha.example", nil)
				s.Case = r.Case
				answer(&s)
				w.accept(s)
				w.pass(time.Second)
				w.wantStatus(r.Case, intake.StatusQuarantined)
			}, confirming)
		})
	}
}

func TestAProvenAnswerConfirmsToo(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.accept(w.forged("ana@alpha.example", acme()))
		w.pass(time.Hour)
		yes := w.submission("ana@alpha.example", nil) // this time the signature is good
		yes.Case, yes.Text, yes.Agrees = r.Case, "yes", true
		got := w.accept(yes)
		w.pass(time.Second)
		if got.Aside != "" {
			t.Logf("set aside as %s: %s", w.aside(got.Aside).Reason, w.aside(got.Aside).Detail)
		}
		w.wantStatus(r.Case, intake.StatusProvisional)
	}, confirming)
}

func TestAnUnprovenAnswerGoesOnOnlyInACaseThatItsSenderConfirmed(t *testing.T) {
	for name, tt := range map[string]struct {
		from   string
		proven bool // the case was registered with proof, and never confirmed
		joins  bool
	}{
		"who confirmed it":                      {from: "ana@alpha.example", joins: true},
		"another address that knows the token":  {from: "bob@alpha.example"},
		"the address of a case that was proven": {from: "ana@alpha.example", proven: true},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				lead := without(acme(), intake.FieldProblem)
				var number string
				if tt.proven {
					number = w.submit("ana@alpha.example", lead).Case
				} else {
					number = w.accept(w.forged("ana@alpha.example", lead)).Case
					w.pass(time.Second)
					yes := w.forged("ana@alpha.example", nil)
					yes.Case, yes.Text, yes.Agrees = number, "yes", true
					w.accept(yes)
					w.pass(time.Second)
				}
				w.wantStatus(number, intake.StatusNeedsInfo)
				s := w.forged(tt.from, intake.Lead{intake.FieldProblem: "They lose a day a week to manual reporting."})
				s.Case, s.Text = number, "Problem: They lose a day a week to manual reporting."
				got := w.accept(s)
				w.pass(time.Second)
				if joined := got.Case == number; joined != tt.joins || (got.Aside != "") == tt.joins {
					w.Errorf("receipt %+v", got)
				}
				w.wantStatus(number, map[bool]intake.Status{true: intake.StatusProvisional, false: intake.StatusNeedsInfo}[tt.joins])
			}, confirming)
		})
	}
}
