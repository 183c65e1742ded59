package intake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func (w *world) aside(id string) intake.Aside {
	w.Helper()
	a, err := w.gateway.Aside(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return a
}

func TestWhatHoldsNoLeadIsSetAsideWithOneNoticeAWeek(t *testing.T) {
	inWorld(t, func(w *world) {
		for range 3 {
			if r := w.submit("ana@alpha.example", nil); r.Case != "" || w.aside(r.Aside).Reason != intake.AsideNoLead {
				w.Fatalf("receipt %+v", r)
			}
		}
		m := w.wantMessages(intake.MessageNotice)[0]
		if m.Notice != intake.NoticeNoLead || m.Facts.Case != "" || m.Facts.Contact.Email != "jo@vendor.example" {
			w.Errorf("notice %+v", m)
		}
		w.pass(8 * 24 * time.Hour)
		w.submit("ana@alpha.example", nil)
		w.submit("bob@alpha.example", nil) // a colleague was told nothing yet
		w.wantMessages(intake.MessageNotice, intake.MessageNotice, intake.MessageNotice)
		if n := len(w.cases()); n != 0 {
			w.Errorf("%d cases", n)
		}
	})
}

func TestNobodyButPartnersIsToldThatNothingWasRegistered(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("x@stranger.example", nil)
		forged := w.submission("ana@alpha.example", nil)
		forged.Sender.Strength = intake.StrengthUnverified
		w.accept(forged)
		thanks := w.submission("ana@alpha.example", nil)
		thanks.NotALead = true
		if r := w.accept(thanks); w.aside(r.Aside).Reason != intake.AsideNotALead {
			w.Error("a word of thanks is set aside as something else")
		}
		robot := w.submission("ana@alpha.example", nil)
		robot.Mute = "automatic mail"
		w.accept(robot)
		w.pass(time.Second)
		w.wantMessages()
	})
}

func TestATooLargeMailIsAnsweredOnceIfItsSenderIsProven(t *testing.T) {
	inWorld(t, func(w *world) {
		for i, from := range []string{"ana@alpha.example", "ana@alpha.example", "x@stranger.example"} {
			_, err := w.gateway.SetAside(w.Context(), intake.Aside{
				Key: fmt.Sprint("large ", i), Channel: "email", Reason: intake.AsideTooLarge, ReceivedAt: time.Now(), From: from,
				Notice: intake.NoticeTooLarge, Sender: intake.Sender{Address: from, Strength: intake.StrengthDomain},
				Reply: intake.Route{Channel: "email", Address: from},
			})
			if err != nil {
				w.Fatal(err)
			}
		}
		w.pass(time.Second)
		if m := w.wantMessages(intake.MessageNotice)[0]; m.Notice != intake.NoticeTooLarge {
			w.Errorf("notice %q", m.Notice)
		}
	})
}

func report(w *world, key string, d intake.Delivery) {
	w.Helper()
	_, err := w.gateway.SetAside(w.Context(), intake.Aside{
		Key: key, Channel: "email", Reason: intake.AsideBounce, ReceivedAt: time.Now(), Delivery: &d,
	})
	if err != nil {
		w.Fatal(err)
	}
	w.pass(time.Second)
}

func notes(d intake.Dossier, kind intake.EventKind) (out []string) {
	for _, e := range d.Events {
		if e.Kind == kind {
			out = append(out, e.Note)
		}
	}
	return out
}

func TestABounceIsNotedInItsCase(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		before := w.story(r.Case).Registration
		report(w, "dsn 1", intake.Delivery{Message: r.Case + ".4", Status: "4.4.1"})
		if d := w.story(r.Case); d.Registration.Unread != 0 || d.Registration.Status != before.Status {
			w.Errorf("a delay changed the case: %+v", d.Registration)
		}
		report(w, "dsn 2", intake.Delivery{Message: r.Case + ".4", Failed: true, Status: "5.1.1"})
		report(w, "dsn 2", intake.Delivery{Message: r.Case + ".4", Failed: true, Status: "5.1.1"}) // delivered twice
		report(w, "dsn 3", intake.Delivery{Message: "LG-2026-999999-Z.4", Failed: true})
		report(w, "dsn 4", intake.Delivery{})
		report(w, "vacation", intake.Delivery{Message: r.Case + ".4", Away: true})
		d := w.story(r.Case)
		want := []string{r.Case + ".4 delayed 4.4.1", r.Case + ".4 failed 5.1.1", r.Case + ".4 answered by a machine: its reader is away"}
		if got := notes(d, intake.EventReported); !slices.Equal(got, want) || d.Registration.Unread != 1 {
			w.Errorf("noted %q, unread %d", got, d.Registration.Unread)
		}
		w.wantMessages(intake.MessageApproved)
		if n := len(w.cases()); n != 1 {
			w.Errorf("%d cases", n)
		}
	})
}

func TestAComplaintEndsAllMailToTheAddressUntilStaffAllowIt(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.wantStatus(r.Case, intake.StatusProvisional)
		report(w, "arf", intake.Delivery{Message: w.wantMessages(intake.MessageApproved)[0].ID, Complaint: true})
		other := acme()
		other[intake.FieldCompanyDomain], other[intake.FieldCompanyName] = "other.example", "Other"
		second := w.submit("Ana@alpha.example", other)
		w.wantStatus(second.Case, intake.StatusProvisional)
		w.wantMessages(intake.MessageApproved)
		if d := w.story(second.Case); len(notes(d, intake.EventUndelivered)) != 1 || d.Registration.Unread != 1 {
			w.Errorf("staff do not see that no answer went out: %+v", d.Events)
		}
		all, err := w.gateway.Suppressions(w.Context())
		if err != nil || len(all) != 1 || all[0].Address != "ana@alpha.example" {
			w.Fatalf("suppressed %+v, err %v", all, err)
		}
		if err := w.gateway.Allow(w.Context(), "ANA@alpha.example"); err != nil {
			w.Fatal(err)
		}
		if err := w.gateway.Allow(w.Context(), "ana@alpha.example"); !errors.Is(err, intake.ErrNotFound) {
			w.Errorf("allowed twice: %v", err)
		}
		w.submit("ana@alpha.example", nil)
		w.wantMessages(intake.MessageApproved, intake.MessageNotice)
	})
}

func TestAComplaintAboutANoticeGoesByWhomWeWrote(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", nil)
		id := w.wantMessages(intake.MessageNotice)[0].ID
		report(w, "arf", intake.Delivery{Message: id, Complaint: true, Recipient: "tom@beta.example"})
		all, err := w.gateway.Suppressions(w.Context())
		if err != nil || len(all) != 1 || all[0].Address != "ana@alpha.example" {
			w.Errorf("suppressed %+v, err %v", all, err)
		}
	})
}

func TestALeadThatNamesNobodyOpensNoCase(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", intake.Lead{intake.FieldProblem: "Reporting takes a day a week.", intake.FieldConsent: intake.ConsentYes})
		if n := len(w.cases()); n != 0 {
			w.Errorf("%d cases", n)
		}
		w.wantMessages(intake.MessageNotice)
	})
}

func TestWhatIsReadOutOfASentenceReplacesNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", without(acme(), intake.FieldStage))
		s := w.submission("ana@alpha.example", intake.Lead{intake.FieldContactRole: "board member", intake.FieldStage: intake.StageEvaluation, intake.FieldContactName: "Jane M. Doe"})
		s.Case, s.Weak = r.Case, []intake.Field{intake.FieldContactRole, intake.FieldStage}
		w.accept(s)
		w.pass(time.Second)
		got := w.story(r.Case).Registration.Lead
		if got[intake.FieldContactRole] != "CTO" || got[intake.FieldStage] != intake.StageEvaluation || got[intake.FieldContactName] != "Jane M. Doe" {
			w.Errorf("lead %v", got)
		}
	})
}

func TestWhatAReadingMayHaveMissedIsShownToStaff(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("ana@alpha.example", nil)
		s.Note = "read in part\nbeyond the limit of text"
		if a := w.aside(w.accept(s).Aside); a.Detail != "no registration was found in it; read in part beyond the limit of text" {
			w.Errorf("set aside as %q", a.Detail)
		}
		w.pass(time.Second)
		s = w.submission("ana@alpha.example", acme())
		s.Note = "the character set was guessed"
		if d := w.story(w.accept(s).Case); d.Submissions[0].Note != s.Note {
			w.Errorf("the case shows %+v", d.Submissions[0])
		}
		w.pass(time.Second)
		for _, m := range w.wantMessages(intake.MessageNotice, intake.MessageApproved) {
			if told := fmt.Sprintf("%+v", m); strings.Contains(told, "guessed") || strings.Contains(told, "read in part") {
				w.Errorf("the partner is told %s", told)
			}
		}
	})
}

// rereading is a channel whose asides hold one lead.
type rereading struct {
	*fakeChannel
	lead intake.Lead
}

func (r rereading) Reread(_ context.Context, a intake.Aside, raw io.ReadSeeker) ([]intake.Submission, error) {
	if _, err := io.ReadAll(raw); err != nil {
		return nil, err
	}
	return []intake.Submission{{
		Key: "accepted:" + a.ID, Channel: a.Channel, ReceivedAt: a.ReceivedAt, Lead: r.lead,
		Sender: intake.Sender{Address: a.From, Strength: intake.StrengthOperator},
		Reply:  intake.Route{Channel: a.Channel, Address: a.From},
	}}, nil
}

func TestStaffAcceptWhatWasSetAside(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gateway.Register("email", rereading{w.channel, acme()})
		stranger := w.submission("x@stranger.example", nil)
		id := w.accept(stranger).Aside
		received := w.aside(id).ReceivedAt
		w.pass(time.Hour)

		var input *intake.ErrInput
		for _, partner := range []string{"", "nobody"} {
			if _, err := w.gateway.AcceptAside(w.Context(), id, partner, "mia", bytes.NewReader(nil)); !errors.As(err, &input) {
				w.Errorf("accepted for partner %q: %v", partner, err)
			}
		}
		receipts, err := w.gateway.AcceptAside(w.Context(), id, "beta", "mia", bytes.NewReader(nil))
		if err != nil || len(receipts) != 1 {
			w.Fatalf("receipts %+v, err %v", receipts, err)
		}
		w.pass(time.Second)
		r := w.wantStatus(receipts[0].Case, intake.StatusProvisional)
		if r.Partner != "beta" || !r.Claim.Equal(received) || r.Strength != intake.StrengthOperator {
			w.Errorf("case %+v", r)
		}
		if m := w.wantMessages(intake.MessageApproved)[0]; m.To.Address != "x@stranger.example" {
			w.Errorf("answered to %+v", m.To)
		}
		if _, err := w.gateway.AcceptAside(w.Context(), id, "beta", "mia", bytes.NewReader(nil)); !errors.As(err, &input) || !strings.Contains(err.Error(), "mia") {
			w.Errorf("accepted twice: %v", err)
		}
		left, err := w.gateway.Asides(w.Context(), intake.AsideQuery{Limit: 10})
		if err != nil || len(left) != 0 {
			w.Errorf("left %+v, err %v", left, err)
		}
	})
}

func TestAPartnerIsNamedOnlyByWhoIsProven(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("x@stranger.example", acme())
		s.Partner = "beta" // a mail can't say so
		w.wantStatus(w.accept(s).Case, intake.StatusQuarantined)
	})
}

func TestDiscardedIsSeenToAndKept(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.accept(w.submission("x@stranger.example", nil)).Aside
		if err := w.gateway.DiscardAside(w.Context(), id, "mia"); err != nil {
			w.Fatal(err)
		}
		open, _ := w.gateway.Asides(w.Context(), intake.AsideQuery{Limit: 10})
		all, _ := w.gateway.Asides(w.Context(), intake.AsideQuery{Limit: 10, All: true})
		if len(open) != 0 || len(all) != 1 || all[0].Closed.By != "mia" {
			w.Errorf("open %v, all %v", open, all)
		}
		if err := w.gateway.DiscardAside(w.Context(), "nothing", "mia"); !errors.Is(err, intake.ErrNotFound) {
			w.Errorf("got %v", err)
		}
	})
}

func TestAsidesArePagedThroughWhatIsSeenTo(t *testing.T) {
	inWorld(t, func(w *world) {
		var ids []string
		for range 25 {
			ids = append(ids, w.accept(w.submission("x@stranger.example", nil)).Aside)
		}
		slices.Sort(ids)
		for _, id := range ids[:20] {
			if err := w.gateway.DiscardAside(w.Context(), id, "mia"); err != nil {
				w.Fatal(err)
			}
		}
		open, err := w.gateway.Asides(w.Context(), intake.AsideQuery{Limit: 3})
		if err != nil || len(open) != 3 || open[0].ID != ids[20] {
			w.Fatalf("open %v, err %v", open, err)
		}
		rest, err := w.gateway.Asides(w.Context(), intake.AsideQuery{After: open[2].ID, Limit: 3})
		if err != nil || len(rest) != 2 {
			w.Errorf("rest %v, err %v", rest, err)
		}
	})
}

func TestInvitationsAreEvidenceOfANextStep(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		meeting := intake.Meeting{UID: "1", Method: "REQUEST", Start: time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC), Attendees: []string{"Jane@acme.example", "ana@alpha.example"}}
		s := w.submission("ana@alpha.example", nil)
		s.Meetings, s.NotALead = []intake.Meeting{meeting}, true
		if got := w.accept(s); got.Case != r.Case {
			w.Fatalf("receipt %+v", got)
		}
		w.pass(time.Second)
		d := w.story(r.Case)
		if got := notes(d, intake.EventMeeting); !slices.Equal(got, []string{"request 2026-12-01T09:00:00Z"}) {
			w.Errorf("noted %q", got)
		}
		w.wantMessages(intake.MessageApproved, intake.MessageProtected)

		foreign := w.submission("eve@beta.example", nil)
		foreign.Meetings, foreign.NotALead = []intake.Meeting{meeting}, true
		if got := w.accept(foreign); got.Case != "" {
			w.Errorf("another partner's invitation went to %s", got.Case)
		}
	})
}

func TestAutomaticMailIsRegisteredReviewedAndNotAnswered(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("crm@alpha.example", without(acme(), intake.FieldProblem))
		s.Mute = "automatic mail: Auto-Submitted: auto-generated"
		r := w.accept(s)
		w.pass(time.Second)
		got := w.wantStatus(r.Case, intake.StatusInReview)
		if got.Reason != intake.ReasonAutomatic || got.Mute == "" || len(got.Problems) == 0 {
			w.Errorf("case %+v", got)
		}
		w.wantMessages()
		if _, err := w.gateway.Approve(w.Context(), r.Case, intake.Verdict{By: "mia"}); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		w.wantMessages(intake.MessageApproved) // a person caused it
	})
}

func TestAComplaintStopsMailToWhomTheMessageWentTo(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		id := w.wantMessages(intake.MessageApproved)[0].ID // went to ana
		w.command("bob@alpha.example", r.Case, intake.Command{Verb: intake.VerbStatus})
		report(w, "arf", intake.Delivery{Message: id, Complaint: true})
		all, err := w.gateway.Suppressions(w.Context())
		if err != nil || len(all) != 1 || all[0].Address != "ana@alpha.example" {
			t.Errorf("suppressed %+v, err %v; the mail that was complained about went to ana", all, err)
		}
	})
}

type inThread struct {
	*fakeChannel
	thread string
}

func (r inThread) Reread(_ context.Context, a intake.Aside, raw io.ReadSeeker) ([]intake.Submission, error) {
	return []intake.Submission{{
		Key: "accepted:" + a.ID, Channel: a.Channel, ReceivedAt: a.ReceivedAt, Lead: named("One", "one.example"), Case: r.thread,
		Sender: intake.Sender{Address: a.From, Strength: intake.StrengthOperator},
		Reply:  intake.Route{Channel: a.Channel, Address: a.From},
	}}, nil
}

func TestStaffAcceptWhatAStrangerWroteInAThread(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		s := w.submission("eve@beta.example", named("One", "one.example"))
		s.Case = r.Case
		id := w.accept(s).Aside
		if w.aside(id).Reason != intake.AsideForeignThread {
			t.Fatal("setup")
		}
		w.gateway.Register("email", inThread{w.channel, r.Case})
		receipts, err := w.gateway.AcceptAside(w.Context(), id, "beta", "mia", bytes.NewReader(nil))
		if err != nil || len(receipts) != 1 {
			t.Fatalf("receipts %+v, err %v", receipts, err)
		}
		if receipts[0].Case == "" {
			t.Errorf("accepted by staff, and set aside again: %+v is %s", receipts[0], w.aside(receipts[0].Aside).Reason)
		}
	})
}

func TestTheSameBounceUnderANewNumberIsOneEntry(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		d := intake.Delivery{Message: r.Case + ".4", Failed: true, Status: "5.1.1"}
		for _, key := range []string{"imap:u@h:INBOX:1:7", "imap:u@h:INBOX:2:1"} { // UIDVALIDITY changed
			if _, err := w.gateway.SetAside(w.Context(), intake.Aside{Key: key, Channel: "email", Reason: intake.AsideBounce, ReceivedAt: time.Now(), Delivery: &d, Raw: intake.Raw{SHA256: "aa", Size: 5}}); err != nil {
				t.Fatal(err)
			}
		}
		all, _ := w.gateway.Asides(w.Context(), intake.AsideQuery{Limit: 10})
		if n := w.story(r.Case).Registration.Unread; len(all) != 1 || n != 1 {
			t.Errorf("%d entries, unread %d", len(all), n)
		}
	})
}

func TestAllSuppressionsAreListed(t *testing.T) {
	inWorld(t, func(w *world) {
		err := w.store.Update(w.Context(), func(tx intake.Tx) error {
			for i := range 1001 {
				if err := tx.PutRecord("suppressed", fmt.Sprintf("a%04d@alpha.example", i), []byte(`{}`)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if all, _ := w.gateway.Suppressions(w.Context()); len(all) != 1001 {
			t.Errorf("%d of 1001 are listed", len(all))
		}
	})
}
