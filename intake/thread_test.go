package intake_test

import (
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func TestAnotherCompanyWithoutDomainInAThreadIsANewRegistration(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		s := w.submission("ana@alpha.example", intake.Lead{
			intake.FieldCompanyName: "Globex Industries", intake.FieldContactName: "Sam Poe", intake.FieldContactEmail: "sam@globex.example",
			intake.FieldProblem: "They need a new warehouse system.", intake.FieldConsent: intake.ConsentYes,
		})
		s.Case = r.Case
		got := w.accept(s)
		w.pass(time.Second)
		if name := w.story(r.Case).Registration.Lead[intake.FieldCompanyName]; name != "Acme GmbH" {
			t.Errorf("the approved case of Acme (acme.example) is now called %q", name)
		}
		if got.Case == r.Case {
			t.Error("the second registration was swallowed by the first")
		}
	})
}

func TestANewCompanyInTheThreadOfAnEndedCaseIsANewRegistration(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbWithdraw})
		w.wantStatus(r.Case, intake.StatusWithdrawn)
		s := w.submission("ana@alpha.example", intake.Lead{
			intake.FieldCompanyName: "Globex Industries", intake.FieldContactName: "Sam Poe", intake.FieldContactEmail: "sam@globex.example",
			intake.FieldProblem: "They need a new warehouse system.", intake.FieldConsent: intake.ConsentYes,
		})
		s.Case = r.Case
		got := w.accept(s)
		w.pass(time.Second)
		if got.Case == r.Case {
			t.Errorf("the registration of Globex went into %s, which is %s", r.Case, w.story(r.Case).Registration.Status)
		}
	})
}

func TestAnAppealWhoseReasonNamesSomebodyIsAnAppeal(t *testing.T) {
	inWorld(t, func(w *world) {
		lead := acme()
		lead[intake.FieldCompanyDomain] = "blocked.example"
		r := w.submit("ana@alpha.example", lead)
		s := w.submission("ana@alpha.example", intake.Lead{intake.FieldContactName: "Jane Doe"})
		s.Weak = []intake.Field{intake.FieldContactName}
		s.Case, s.Commands, s.Text = r.Case, []intake.Command{{Verb: intake.VerbAppeal, Words: "we met Jane Doe, the CTO, in March"}}, "APPEAL we met Jane Doe, the CTO, in March"
		w.accept(s)
		w.pass(time.Second)
		w.wantStatus(r.Case, intake.StatusAppeal)
	})
}

func TestAWithdrawalThatSaysWhyWithdraws(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		s := w.submission("ana@alpha.example", acme()) // as it is read: "WITHDRAW" and a sentence that names the company
		s.Weak = intake.Fields()
		s.Case, s.Commands, s.Text = r.Case, []intake.Command{{Verb: intake.VerbWithdraw}}, "WITHDRAW\n\nAcme GmbH has decided for another vendor."
		w.accept(s)
		w.pass(time.Second)
		w.wantStatus(r.Case, intake.StatusWithdrawn)
	})
}

func TestAnAppealWhoseReasonNamesTheCompanyIsNoNewRegistration(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", named("Blocked", "blocked.example"))
		w.wantStatus(r.Case, intake.StatusDeclined)
		s := w.submission("ana@alpha.example", named("Blocked", "blocked.example"))
		s.Weak = intake.Fields()
		s.Case, s.Commands, s.Text = r.Case, []intake.Command{{Verb: intake.VerbAppeal, Words: "we met Jane Doe"}}, "APPEAL we met Jane Doe"
		got := w.accept(s)
		w.pass(time.Second)
		t.Logf("receipt %+v of %d cases", got, len(w.cases()))
		w.wantStatus(r.Case, intake.StatusAppeal)
	})
}

// answerWith is an answer in the thread of a case with values given in so many words.
func (w *world) answerWith(from, thread string, l intake.Lead) intake.Receipt {
	w.Helper()
	s := w.submission(from, l)
	s.Case = thread
	r := w.accept(s)
	w.pass(time.Second)
	return r
}

func TestOneValueThatDiffersIsACorrection(t *testing.T) {
	for name, tt := range map[string]struct {
		lead intake.Lead
		want intake.Field
	}{
		"the name in another spelling": {intake.Lead{intake.FieldCompanyName: "ACME G.m.b.H."}, intake.FieldCompanyName},
		"the contact":                  {intake.Lead{intake.FieldContactName: "Max Moe", intake.FieldContactEmail: "max@consultant.example"}, intake.FieldContactEmail},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.submit("ana@alpha.example", acme())
				if got := w.answerWith("ana@alpha.example", r.Case, tt.lead); got.Case != r.Case || len(w.cases()) != 1 {
					w.Fatalf("receipt %+v, %d cases", got, len(w.cases()))
				}
				if got := w.story(r.Case).Registration.Lead[tt.want]; got != tt.lead[tt.want] {
					w.Errorf("%s is %q", tt.want, got)
				}
			})
		})
	}
}

func TestAnotherDomainAloneChangesNoHeldCaseAndOpensNone(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		before := w.wantStatus(r.Case, intake.StatusProvisional)
		w.answerWith("ana@alpha.example", r.Case, intake.Lead{intake.FieldCompanyDomain: "bigprize.example"})
		after := w.story(r.Case).Registration
		if after.Lead[intake.FieldCompanyDomain] != before.Lead[intake.FieldCompanyDomain] || after.Unread != 1 || len(w.cases()) != 1 {
			w.Errorf("domain %q, unread %d, %d cases", after.Lead[intake.FieldCompanyDomain], after.Unread, len(w.cases()))
		}
		w.wantMessages(intake.MessageApproved, intake.MessageKnown)
	})
}

func TestAnotherDomainBeforeTheDecisionIsClaimedFromThenOn(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", without(acme(), intake.FieldProblem))
		w.wantStatus(r.Case, intake.StatusNeedsInfo)
		w.pass(time.Hour)
		rival := w.submit("eve@beta.example", named("Big Prize", "bigprize.example"))
		w.wantStatus(rival.Case, intake.StatusProvisional)
		w.pass(time.Hour)
		w.answerWith("ana@alpha.example", r.Case, intake.Lead{intake.FieldCompanyDomain: "bigprize.example", intake.FieldProblem: "They lose a day a week to manual reporting."})
		got := w.story(r.Case).Registration
		first := w.story(rival.Case).Registration
		if got.Lead[intake.FieldCompanyDomain] != "bigprize.example" || !got.Claim.After(first.Claim) || got.Status.Holds() {
			w.Errorf("%s claims %s from %s on, the rival from %s on", got.Status, got.Lead[intake.FieldCompanyDomain], got.Claim, first.Claim)
		}
	})
}

func TestAMessageIDThatIsUsedTwiceIsShownToStaff(t *testing.T) {
	inWorld(t, func(w *world) {
		send := func(from, id, content string, l intake.Lead) string {
			w.Helper()
			s := w.submission(from, l)
			s.MessageID, s.Content = id, content
			d := w.story(w.accept(s).Case)
			w.pass(time.Second)
			return d.Submissions[len(d.Submissions)-1].Note
		}
		for _, tt := range []struct {
			name, from, id, content string
			lead                    intake.Lead
			noted                   bool
		}{
			{"the first", "ana@alpha.example", "1@alpha.example", "one", named("One", "one.example"), false},
			{"the same again", "ana@alpha.example", "1@alpha.example", "one", named("One", "one.example"), false},
			{"another mail of the same name", "ana@alpha.example", "1@alpha.example", "two", named("Two", "two.example"), true},
			{"of somebody else", "eve@beta.example", "1@alpha.example", "three", named("Three", "three.example"), false},
			{"without a name", "ana@alpha.example", "", "four", named("Four", "four.example"), false},
		} {
			if note := send(tt.from, tt.id, tt.content, tt.lead); strings.Contains(note, "Message-ID") != tt.noted {
				w.Errorf("%s: note %q", tt.name, note)
			}
		}
	})
}
