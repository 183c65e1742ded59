package intake_test

import (
	"slices"
	"testing"
	"time"

	"leadgate/intake"
)

func (w *world) command(from string, thread string, cmds ...intake.Command) intake.Receipt {
	w.Helper()
	s := w.submission(from, nil)
	s.Case, s.Commands = thread, cmds
	r := w.accept(s)
	w.pass(time.Second)
	return r
}

func TestStatusIsToldToThePartnerAndToNobodyElse(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		status := intake.Command{Verb: intake.VerbStatus, Case: r.Case}
		w.command("bob@alpha.example", "", status)
		m := w.wantMessages(intake.MessageApproved, intake.MessageStatus)[1]
		if m.To.Address != "bob@alpha.example" || m.Facts.Case != r.Case {
			w.Errorf("told %+v", m)
		}
		w.command("eve@beta.example", "", status)
		w.command("eve@beta.example", "", intake.Command{Verb: intake.VerbStatus, Case: "LG-2026-000000-0"})
		all := w.wantMessages(intake.MessageApproved, intake.MessageStatus, intake.MessageHelp, intake.MessageHelp)
		for _, m := range all[2:] { // the same for what is another's and for what is not there
			if m.Facts.Case != "" || len(m.Cases) != 0 || m.To.Address != "eve@beta.example" {
				w.Errorf("told %+v", m)
			}
		}
		forged := w.submission("ana@alpha.example", nil)
		forged.Sender.Strength, forged.Commands = intake.StrengthUnverified, []intake.Command{status}
		w.accept(forged)
		w.pass(time.Second)
		w.wantMessages(intake.MessageApproved, intake.MessageStatus, intake.MessageHelp, intake.MessageHelp)
	})
}

func TestStatusWithoutANumberTellsTheSendersOwnCases(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.submit("ana@alpha.example", acme())
		other := acme()
		other[intake.FieldCompanyDomain], other[intake.FieldCompanyName] = "other.example", "Other"
		second := w.submit("ana@alpha.example", other)
		w.command("ana@alpha.example", "", intake.Command{Verb: intake.VerbStatus})
		w.command("bob@alpha.example", "", intake.Command{Verb: intake.VerbStatus})
		all := w.wantMessages(intake.MessageApproved, intake.MessageApproved, intake.MessageSummary, intake.MessageHelp)
		if c := all[2].Cases; len(c) != 2 || c[0].Case != second.Case || c[1].Case != first.Case {
			w.Errorf("told %+v", c)
		}
	})
}

func TestWithdrawFreesTheAccount(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbWithdraw})
		w.wantStatus(r.Case, intake.StatusWithdrawn)
		w.wantMessages(intake.MessageApproved, intake.MessageWithdrawn)
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbWithdraw}) // once more
		w.wantMessages(intake.MessageApproved, intake.MessageWithdrawn, intake.MessageStatus)
		next := w.submit("eve@beta.example", acme())
		w.wantStatus(next.Case, intake.StatusProvisional)
	})
}

func TestOnlyThePartnerCanWithdraw(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		withdraw := intake.Command{Verb: intake.VerbWithdraw, Case: r.Case}
		w.command("eve@beta.example", "", withdraw)
		if got := w.command("eve@beta.example", r.Case, intake.Command{Verb: intake.VerbWithdraw}); w.aside(got.Aside).Reason != intake.AsideForeignThread {
			w.Errorf("receipt %+v", got)
		}
		w.wantStatus(r.Case, intake.StatusProvisional)
	})
}

func TestACaseCanBeAppealedOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		lead := acme()
		lead[intake.FieldCompanyDomain] = "blocked.example"
		r := w.submit("ana@alpha.example", lead)
		w.wantStatus(r.Case, intake.StatusDeclined)
		appeal := intake.Command{Verb: intake.VerbAppeal, Words: "we met them in March"}
		w.command("ana@alpha.example", r.Case, appeal)
		got := w.wantStatus(r.Case, intake.StatusAppeal)
		if got.Unread != 1 || got.Appeal.Opened.IsZero() {
			w.Errorf("case %+v", got)
		}
		if _, err := w.gateway.Decline(w.Context(), r.Case, intake.Verdict{By: "mia", Rationale: "still on the list"}); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		w.command("ana@alpha.example", r.Case, appeal)
		w.wantStatus(r.Case, intake.StatusDeclined)
		all := w.wantMessages(intake.MessageDeclined, intake.MessageRequested, intake.MessageAppealDecided, intake.MessageRequested)
		if all[1].Request != intake.VerbAppeal || all[1].Facts.Status != intake.StatusAppeal {
			w.Errorf("told %+v", all[1])
		}
	})
}

func TestAnExtensionIsAskedOfStaff(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		before := w.story(r.Case).Registration
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbExtend, Words: "moved to May"})
		d := w.story(r.Case)
		if d.Registration.Unread != 1 || !d.Registration.Protection.End.Equal(before.Protection.End) {
			w.Errorf("case %+v", d.Registration)
		}
		if got := notes(d, intake.EventRequested); len(got) != 1 || got[0] != "extend" {
			w.Errorf("noted %q", got)
		}
		if last := d.Submissions[len(d.Submissions)-1]; last.Commands[0].Words != "moved to May" {
			w.Errorf("kept %+v", last)
		}
		m := w.wantMessages(intake.MessageApproved, intake.MessageRequested)[1]
		if m.Request != intake.VerbExtend || !m.Facts.Until.Equal(before.Protection.End) {
			w.Errorf("told %+v", m)
		}
	})
}

// TestARequestStandsUntilStaffSeeToIt: in whatever state the case is, and staff find it open.
func TestARequestStandsUntilStaffSeeToIt(t *testing.T) {
	extend, appeal := intake.Command{Verb: intake.VerbExtend}, intake.Command{Verb: intake.VerbAppeal}
	for name, tt := range map[string]struct {
		lead    func(intake.Lead)
		status  intake.Status
		request intake.Command
	}{
		"more time for a held case":        {func(intake.Lead) {}, intake.StatusProvisional, extend},
		"an appeal of an approval":         {func(intake.Lead) {}, intake.StatusProvisional, appeal},
		"more time for one with questions": {func(l intake.Lead) { delete(l, intake.FieldConsent) }, intake.StatusNeedsInfo, extend},
		"more time for a declined one":     {func(l intake.Lead) { l[intake.FieldCompanyDomain] = "blocked.example" }, intake.StatusDeclined, extend},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				lead := acme()
				tt.lead(lead)
				r := w.submit("ana@alpha.example", lead)
				w.wantStatus(r.Case, tt.status)
				for range 2 {
					w.command("ana@alpha.example", r.Case, tt.request)
				}
				got := w.wantStatus(r.Case, tt.status)
				if got.Unread != 2 || !slices.Equal(got.Requests, []intake.Verb{tt.request.Verb}) {
					w.Errorf("%d unread, requests %v", got.Unread, got.Requests)
				}
				if all := w.channel.messages(); len(all) != 3 || all[1].Kind != intake.MessageRequested || all[2].Request != tt.request.Verb {
					w.Errorf("told %+v", all)
				}
				if _, err := w.gateway.Seen(w.Context(), r.Case, intake.Verdict{By: "mia"}); err != nil {
					w.Fatal(err)
				}
				if got = w.wantStatus(r.Case, tt.status); got.Unread != 0 || len(got.Requests) != 0 {
					w.Errorf("%d unread, requests %v after staff have seen it", got.Unread, got.Requests)
				}
			})
		})
	}
}

func TestACommandThatAsksForNoAnswerGetsNone(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		s := w.submission("ana@alpha.example", nil)
		s.Case, s.Commands, s.Mute = r.Case, []intake.Command{{Verb: intake.VerbStatus}}, "found in the junk folder; no answer was sent"
		w.accept(s)
		w.pass(time.Second)
		w.wantMessages(intake.MessageApproved)
	})
}

func TestAPersonIsToldTheStateOfACaseThatAProgramOpened(t *testing.T) {
	inWorld(t, func(w *world) {
		s := w.submission("crm@alpha.example", acme())
		s.Mute = "automatic mail: Auto-Submitted: auto-generated"
		r := w.accept(s)
		w.pass(time.Second)
		w.command("ana@alpha.example", "", intake.Command{Verb: intake.VerbStatus, Case: r.Case})
		w.wantMessages(intake.MessageStatus)
	})
}
