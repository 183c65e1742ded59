package intake_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func TestStaffFillInWhatThePartnerCannotSay(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", without(acme(), intake.FieldCompanyDomain))
		w.wantStatus(r.Case, intake.StatusNeedsInfo)
		by := intake.Verdict{By: "mia"}
		var input *intake.ErrInput
		for _, bad := range []intake.Lead{{}, {intake.FieldCompanyDomain: "no domain"}, {"colour": "blue"}} {
			if _, err := w.gateway.Amend(w.Context(), r.Case, bad, by); !errors.As(err, &input) {
				w.Errorf("%v gives %v", bad, err)
			}
		}
		if _, err := w.gateway.Amend(w.Context(), r.Case, intake.Lead{intake.FieldCompanyDomain: "https://acme.example"}, by); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		w.wantStatus(r.Case, intake.StatusProvisional)
		w.wantMessages(intake.MessageNeedsInfo, intake.MessageApproved)
		if _, err := w.gateway.Amend(w.Context(), r.Case, intake.Lead{intake.FieldCompanyDomain: "other.example"}, by); !errors.As(err, &input) {
			w.Errorf("moving a hold to another account gives %v", err)
		}
		if _, err := w.gateway.Amend(w.Context(), r.Case, intake.Lead{intake.FieldContactRole: "CFO"}, by); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		if w.crm.records[r.Case].Lead[intake.FieldContactRole] != "CFO" {
			w.Error("the CRM was not told")
		}
	})
}

func TestAnAnswerThatIsNotUnderstoodGoesToAPerson(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", without(acme(), intake.FieldConsent))
		reply := w.submission("ana@alpha.example", nil)
		reply.Case, reply.Text = r.Case, "He said that he would not mind."
		w.accept(reply)
		w.pass(time.Second)
		got := w.wantStatus(r.Case, intake.StatusInReview)
		if got.Reason != intake.ReasonUnclearReply || got.Unread != 1 {
			w.Errorf("reason %s, %d unread", got.Reason, got.Unread)
		}
		w.wantMessages(intake.MessageNeedsInfo, intake.MessageReceived)
		reply = w.submission("ana@alpha.example", nil) // and a robot that thanks for each mail gets no more
		reply.Case, reply.Text = r.Case, "Ticket 4711 was received."
		w.accept(reply)
		w.pass(time.Second)
		w.wantMessages(intake.MessageNeedsInfo, intake.MessageReceived)
	})
}

func TestConsentThatIsTakenBackGoesToAPersonAndTheAccountStaysTaken(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		next := w.submit("tom@beta.example", acme())
		reply := w.submission("ana@alpha.example", intake.Lead{intake.FieldConsent: intake.ConsentNo})
		reply.Case = r.Case
		w.accept(reply)
		w.pass(time.Second)
		if got := w.wantStatus(r.Case, intake.StatusInReview); got.Reason != intake.ReasonConsentRequired {
			w.Errorf("reason %s", got.Reason)
		}
		w.wantStatus(next.Case, intake.StatusWaitlisted)
	})
}

func TestWhatStandsInsideAQuotationAnswersOnlyWhatWasAsked(t *testing.T) {
	inWorld(t, func(w *world) {
		quoted := func(number string, l intake.Lead) {
			reply := w.submission("ana@alpha.example", l)
			reply.Case, reply.Inline, reply.Text = number, true, "see below"
			w.accept(reply)
			w.pass(time.Second)
		}
		r := w.submit("ana@alpha.example", without(acme(), intake.FieldConsent))
		quoted(r.Case, intake.Lead{intake.FieldConsent: intake.ConsentYes, intake.FieldContactRole: "you wrote CTO", intake.FieldCompanyDomain: "other.example"})
		if got := w.wantStatus(r.Case, intake.StatusProvisional); got.Lead[intake.FieldContactRole] != "CTO" {
			w.Errorf("the role became %q", got.Lead[intake.FieldContactRole])
		}
		quoted(r.Case, intake.Lead{intake.FieldProblem: "our own words, quoted"})
		if got := w.story(r.Case).Registration; got.Lead[intake.FieldProblem] != acme()[intake.FieldProblem] {
			w.Errorf("the problem became %q", got.Lead[intake.FieldProblem])
		}
		if n := len(w.cases()); n != 1 {
			w.Errorf("%d cases", n)
		}
	})
}

func TestWhatWasGivenUpIsTakenUpAgainOnCommand(t *testing.T) {
	inWorld(t, func(w *world) {
		broken := true
		w.channel.fail = func(intake.Message) error {
			if broken {
				return intake.Permanent(errors.New("relaying denied"))
			}
			return nil
		}
		r := w.submit("ana@alpha.example", acme())
		w.wantMessages()
		broken = false
		if n, err := w.gateway.Retry(w.Context(), r.Case); n != 1 || err != nil {
			w.Fatalf("%d taken up, %v", n, err)
		}
		w.pass(time.Second)
		w.wantMessages(intake.MessageApproved)
		if n, err := w.gateway.Retry(w.Context(), r.Case); n != 0 || err != nil {
			w.Errorf("again: %d, %v", n, err)
		}
	})
}

func TestAnExtendedHoldEndsOnItsNewDayAndNotBefore(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		before := w.wantStatus(r.Case, intake.StatusProvisional).Protection
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbExtend, Words: "they are on holiday"})
		got, err := w.gateway.Extend(w.Context(), r.Case, 10, intake.Verdict{By: "mia", Message: "Of course."})
		if err != nil {
			w.Fatal(err)
		}
		after := got.Protection
		if days := after.End.Sub(before.End); days != 10*24*time.Hour || after.Extended != 1 || !after.Start.Equal(before.Start) || len(got.Requests) != 0 {
			w.Errorf("extended by %v: %+v, open requests %v", days, after, got.Requests)
		}
		w.pass(time.Until(before.End) + time.Hour)
		w.wantStatus(r.Case, intake.StatusProvisional)
		w.pass(time.Until(after.End) + time.Second)
		w.wantStatus(r.Case, intake.StatusExpired)
		m := w.wantMessages(intake.MessageApproved, intake.MessageRequested, intake.MessageExtended, intake.MessageStepReminder, intake.MessageStepReminder, intake.MessageExpired)[2]
		if !m.Facts.Until.Equal(after.End) || m.Facts.Note != "Of course." {
			w.Errorf("told %+v", m.Facts)
		}
	})
}

func TestAnExtensionKeepsToTheBoundsOfThePolicy(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		extend := func(days int, want string) {
			w.Helper()
			_, err := w.gateway.Extend(w.Context(), r.Case, days, intake.Verdict{By: "mia"})
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				w.Errorf("by %d days: %v, want %q", days, err, want)
			}
		}
		extend(31, "the policy allows 1 to 30 (extension.days)")
		extend(0, "by how many days?")
		extend(30, "")
		extend(1, "")
		extend(1, "the policy allows no more than 2 (extension.times)")
		w.revoke(r.Case)
		extend(1, "the case is declined; there is no end of a hold")
	})
}
