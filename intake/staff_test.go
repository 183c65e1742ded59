package intake_test

import (
	"errors"
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
