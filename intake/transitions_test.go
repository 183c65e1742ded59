package intake_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/rules"
)

// states brings a case into each state. Every world is in assist mode, with two partners.
func states() map[intake.Status]func(*world) string {
	return map[intake.Status]func(*world) string{
		"": func(*world) string { return "" },
		intake.StatusQuarantined: func(w *world) string {
			s := w.submission("ana@alpha.example", acme())
			s.Sender.Strength = intake.StrengthUnverified
			r := w.accept(s)
			w.pass(time.Second)
			return r.Case
		},
		intake.StatusSubmitted: func(w *world) string {
			w.crm.set(func() {
				w.crm.lookup = func(intake.Lead) ([]intake.Match, error) { time.Sleep(time.Second); return nil, nil }
			})
			return w.accept(w.submission("ana@alpha.example", acme())).Case
		},
		intake.StatusNeedsInfo: func(w *world) string {
			return w.submit("ana@alpha.example", without(acme(), intake.FieldConsent)).Case
		},
		intake.StatusInReview: func(w *world) string { return w.submit("ana@alpha.example", acme()).Case },
		intake.StatusProvisional: func(w *world) string {
			number := w.submit("ana@alpha.example", acme()).Case
			return must(w, "approve")(w.gateway.Approve(w.Context(), number, because("mia", "for a good reason"))).Number
		},
		intake.StatusProtected: func(w *world) string {
			number := w.at(intake.StatusProvisional)
			return must(w, "intro")(w.gateway.Progress(w.Context(), number, intake.Step{Kind: intake.EvidenceIntro, At: time.Now()}, mia)).Number
		},
		intake.StatusLocked: func(w *world) string { return w.meets(w.at(intake.StatusProvisional), time.Now(), true).Number },
		intake.StatusDeclined: func(w *world) string {
			return must(w, "decline")(w.gateway.Decline(w.Context(), w.at(intake.StatusInReview), because("mia", "for a good reason"))).Number
		},
		intake.StatusWaitlisted: func(w *world) string {
			holder := w.submit("tom@beta.example", acme()).Case
			must(w, "approve")(w.gateway.Approve(w.Context(), holder, because("mia", "for a good reason")))
			number := w.submit("ana@alpha.example", acme()).Case
			return must(w, "waitlist")(w.gateway.Waitlist(w.Context(), number, mia)).Number
		},
		intake.StatusExpired: func(w *world) string {
			number := w.at(intake.StatusProvisional)
			w.pass(days(15))
			return number
		},
		intake.StatusWon: func(w *world) string {
			return must(w, "close")(w.gateway.Close(w.Context(), w.at(intake.StatusLocked), intake.DealWon, mia)).Number
		},
		intake.StatusLost: func(w *world) string {
			return must(w, "close")(w.gateway.Close(w.Context(), w.at(intake.StatusLocked), intake.DealLost, mia)).Number
		},
		intake.StatusAppeal: func(w *world) string {
			number := w.at(intake.StatusDeclined)
			w.command("ana@alpha.example", number, intake.Command{Verb: intake.VerbAppeal, Words: "no"})
			return number
		},
		intake.StatusWithdrawn: func(w *world) string {
			return must(w, "withdraw")(w.gateway.Withdraw(w.Context(), w.at(intake.StatusInReview), mia)).Number
		},
		intake.StatusMerged: func(w *world) string {
			w.submit("bob@alpha.example", acme())
			number := w.at(intake.StatusQuarantined)
			return must(w, "assign")(w.gateway.Assign(w.Context(), number, "alpha", mia)).Number
		},
	}
}

func (w *world) at(s intake.Status) string {
	w.Helper()
	number := states()[s](w)
	if number != "" {
		w.wantStatus(number, s)
	}
	return number
}

// move is a way from one state to another; it gets the case and returns the one that moved.
type move func(w *world, number string) string

// staffMove is one by a call of staff.
func staffMove(do func(w *world, number string) (intake.Registration, error)) move {
	return func(w *world, number string) string {
		w.Helper()
		return must(w, "staff")(do(w, number)).Number
	}
}

func says(verb intake.Verb) move {
	return func(w *world, number string) string {
		w.command("ana@alpha.example", number, intake.Command{Verb: verb, Words: "for a reason"})
		return number
	}
}

func passing(d time.Duration) move {
	return func(w *world, number string) string {
		w.pass(d)
		return number
	}
}

func deal(status string) move {
	return func(w *world, number string) string {
		w.Helper()
		if err := w.gateway.Apply(w.Context(), "fake", intake.Change{Case: number, Fields: map[string]string{intake.ChangeStatus: status}}); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		return number
	}
}

var (
	approve = staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Approve(w.Context(), n, because("jo", "for a good reason"))
	})
	decline = staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Decline(w.Context(), n, because("jo", "for a good reason"))
	})
	ask = staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Ask(w.Context(), n, intake.Verdict{By: "jo", Message: "Is there a budget?"})
	})
	erase = staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Erase(w.Context(), n, because("jo", "somebody asked for it"))
	})
	assign = staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Assign(w.Context(), n, "alpha", mia)
	})
	// release is of a partner who was asked and did not answer.
	release = func(w *world, n string) string {
		w.pass(days(50))
		return must(w, "release")(w.gateway.Release(w.Context(), n, mia)).Number
	}
	closed = func(as string) move {
		return staffMove(func(w *world, n string) (intake.Registration, error) { return w.gateway.Close(w.Context(), n, as, mia) })
	}
	revoke = func(w *world, n string) string { w.revoke(n); return n }
	intro  = staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Progress(w.Context(), n, intake.Step{Kind: intake.EvidenceIntro, At: time.Now()}, mia)
	})
	meet = staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Progress(w.Context(), n, intake.Step{Kind: intake.EvidenceMeeting, At: time.Now(), Held: true}, mia)
	})
	metThen = func(then move) move {
		return func(w *world, n string) string { return then(w, meet(w, n)) }
	}
	elevate = func(w *world, n string) string {
		must(w, "elevate")(w.gateway.Elevate(w.Context(), n, intake.Lead{intake.FieldTargetRevenue: "9 EUR"}, mia))
		return n
	}
	leaves = func(w *world, n string) string {
		p, err := w.gateway.Partner(w.Context(), "alpha")
		if err != nil {
			w.Fatal(err)
		}
		p.Status = intake.PartnerOffboarded
		if err := w.gateway.PutPartners(w.Context(), []intake.Partner{p}); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		return n
	}
	consents = func(w *world, n string) string {
		s := w.submission("ana@alpha.example", intake.Lead{intake.FieldConsent: intake.ConsentYes})
		s.Case, s.Text = n, "Consent: yes"
		w.accept(s)
		w.pass(time.Second)
		return n
	}
	objects = func(w *world, n string) string {
		s := w.submission("ana@alpha.example", intake.Lead{intake.FieldConsent: intake.ConsentNo})
		s.Case, s.Text = n, "Consent: no"
		w.accept(s)
		w.pass(time.Second)
		return n
	}
	// rechecked lets the rules act by themselves on a case that waited for the CRM.
	rechecked = staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Recheck(w.Context(), n, mia)
	})
)

// ways shows every move of the table being made. The world is in auto mode where auto is set.
var ways = []struct {
	from, to intake.Status
	by       intake.Trigger
	how      move
	auto     bool
	policy   func(*rules.Spec)
	// fresh says that the way begins with a case of its own.
	fresh bool
	// behind says that the case waits while an older claim than its own is undecided.
	behind bool
}{
	{from: "", to: "submitted", by: "submit", fresh: true, how: func(w *world, _ string) string { return w.at(intake.StatusSubmitted) }},
	{from: "", to: "submitted", by: "elevate", fresh: true, how: func(w *world, _ string) string {
		n := w.at(intake.StatusProvisional)
		return must(w, "elevate")(w.gateway.Elevate(w.Context(), n, intake.Lead{intake.FieldTargetRevenue: "9 EUR"}, mia)).Number
	}},
	{from: "", to: "quarantined", by: "quarantine", fresh: true, how: func(w *world, _ string) string { return w.at(intake.StatusQuarantined) }},
	{from: "quarantined", to: "submitted", by: "confirm", how: assign},
	{from: "quarantined", to: "withdrawn", by: "timer", how: passing(days(15))},
	{from: "quarantined", to: "withdrawn", by: "withdraw", how: staffMove(func(w *world, n string) (intake.Registration, error) { return w.gateway.Withdraw(w.Context(), n, mia) })},
	{from: "quarantined", to: "withdrawn", by: "staff", how: staffMove(func(w *world, n string) (intake.Registration, error) { return w.gateway.Dismiss(w.Context(), n, mia) })},
	{from: "quarantined", to: "erased", by: "erase", how: erase},

	{from: "submitted", to: "merged", by: "rules", fresh: true, how: func(w *world, _ string) string { return w.at(intake.StatusMerged) }},
	{from: "submitted", to: "needs_info", by: "rules", fresh: true, how: func(w *world, _ string) string { return w.at(intake.StatusNeedsInfo) }},
	{from: "submitted", to: "in_review", by: "rules", how: passing(3 * time.Second)},
	{from: "submitted", to: "approved_provisional", by: "rules", how: passing(3 * time.Second), auto: true},
	{from: "submitted", to: "approved_protected", by: "rules", how: passing(3 * time.Second), auto: true, policy: func(s *rules.Spec) { s.AtOnce = true }},
	{from: "submitted", to: "locked", by: "rules", auto: true, how: func(w *world, n string) string {
		w.pass(3 * time.Second)
		meet(w, n)
		child := must(w, "elevate")(w.gateway.Elevate(w.Context(), n, intake.Lead{intake.FieldTargetRevenue: "9 EUR"}, mia)).Number
		w.pass(3 * time.Second)
		return child
	}},
	{from: "submitted", to: "declined", by: "rules", auto: true, fresh: true, how: func(w *world, _ string) string {
		lead := acme()
		lead[intake.FieldCompanyDomain] = "blocked.example"
		n := w.accept(w.submission("ana@alpha.example", lead)).Case
		w.pass(10 * time.Second)
		return n
	}},
	{from: "submitted", to: "waitlisted", by: "rules", auto: true, fresh: true, how: func(w *world, _ string) string {
		w.submit("ana@alpha.example", acme())
		return w.submit("tom@beta.example", acme()).Case
	}},
	{from: "submitted", to: "withdrawn", by: "withdraw", how: says(intake.VerbWithdraw)},
	{from: "submitted", to: "withdrawn", by: "offboarding", how: leaves},
	{from: "submitted", to: "erased", by: "erase", how: erase},

	{from: "needs_info", to: "submitted", by: "reply", how: consents},
	{from: "needs_info", to: "submitted", by: "staff", how: staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Amend(w.Context(), n, intake.Lead{intake.FieldConsent: intake.ConsentYes}, mia)
	})},
	{from: "needs_info", to: "in_review", by: "reply", how: func(w *world, n string) string {
		s := w.submission("ana@alpha.example", nil)
		s.Case, s.Text = n, "He would not mind, I think."
		w.accept(s)
		w.pass(time.Second)
		return n
	}},
	{from: "needs_info", to: "declined", by: "staff", how: decline},
	{from: "needs_info", to: "withdrawn", by: "timer", how: passing(days(20))},
	{from: "needs_info", to: "withdrawn", by: "withdraw", how: says(intake.VerbWithdraw)},
	{from: "needs_info", to: "withdrawn", by: "offboarding", how: leaves},
	{from: "needs_info", to: "erased", by: "erase", how: erase},

	{from: "in_review", to: "approved_provisional", by: "staff", how: approve},
	{from: "in_review", to: "approved_provisional", by: "timer", how: passing(days(6)), policy: func(s *rules.Spec) { s.ProvisionalWhenLate = true }},
	{from: "in_review", to: "approved_protected", by: "timer", how: passing(days(6)), policy: func(s *rules.Spec) { s.ProvisionalWhenLate, s.AtOnce = true, true }},
	{from: "in_review", to: "locked", by: "timer", how: metThen(passing(days(6))), policy: func(s *rules.Spec) { s.ProvisionalWhenLate = true }},
	{from: "in_review", to: "approved_protected", by: "staff", how: func(w *world, n string) string { return approve(w, intro(w, n)) }},
	{from: "in_review", to: "locked", by: "staff", how: metThen(approve)},
	{from: "in_review", to: "declined", by: "staff", how: decline},
	{from: "in_review", to: "waitlisted", by: "staff", fresh: true, how: func(w *world, _ string) string { return w.at(intake.StatusWaitlisted) }},
	{from: "in_review", to: "needs_info", by: "staff", how: ask},
	{from: "in_review", to: "withdrawn", by: "withdraw", how: says(intake.VerbWithdraw)},
	{from: "in_review", to: "withdrawn", by: "offboarding", how: leaves},
	{from: "in_review", to: "erased", by: "erase", how: erase},

	{from: "approved_provisional", to: "approved_protected", by: "progress", how: intro},
	{from: "approved_provisional", to: "locked", by: "progress", how: meet},
	{from: "approved_provisional", to: "locked", by: "elevate", how: elevate},
	{from: "approved_provisional", to: "expired", by: "timer", how: passing(days(15))},
	{from: "approved_provisional", to: "expired", by: "staff", how: release, policy: longHolds},
	{from: "approved_provisional", to: "expired", by: "offboarding", how: leaves},
	{from: "approved_provisional", to: "won", by: "crm", how: deal(intake.DealWon)},
	{from: "approved_provisional", to: "won", by: "staff", how: closed(intake.DealWon)},
	{from: "approved_provisional", to: "lost", by: "crm", how: deal(intake.DealLost)},
	{from: "approved_provisional", to: "lost", by: "staff", how: closed(intake.DealLost)},
	{from: "approved_provisional", to: "in_review", by: "rules", how: objects},
	{from: "approved_provisional", to: "declined", by: "staff", how: revoke},
	{from: "approved_provisional", to: "withdrawn", by: "withdraw", how: says(intake.VerbWithdraw)},
	{from: "approved_provisional", to: "erased", by: "erase", how: erase},

	{from: "approved_protected", to: "locked", by: "progress", how: meet},
	{from: "approved_protected", to: "locked", by: "timer", how: func(w *world, n string) string {
		must(w, "plan")(w.gateway.Progress(w.Context(), n, intake.Step{Kind: intake.EvidenceMeeting, At: time.Now().Add(time.Hour)}, mia))
		w.pass(2 * time.Hour)
		return n
	}},
	{from: "approved_protected", to: "locked", by: "elevate", how: elevate},
	{from: "approved_protected", to: "expired", by: "timer", how: passing(days(21)), policy: shortWindow},
	{from: "approved_protected", to: "expired", by: "staff", how: release, policy: longHolds},
	{from: "approved_protected", to: "expired", by: "offboarding", how: leaves},
	{from: "approved_protected", to: "won", by: "crm", how: deal(intake.DealWon)},
	{from: "approved_protected", to: "won", by: "staff", how: closed(intake.DealWon)},
	{from: "approved_protected", to: "lost", by: "crm", how: deal(intake.DealLost)},
	{from: "approved_protected", to: "lost", by: "staff", how: closed(intake.DealLost)},
	{from: "approved_protected", to: "in_review", by: "rules", how: objects},
	{from: "approved_protected", to: "declined", by: "staff", how: revoke},
	{from: "approved_protected", to: "withdrawn", by: "withdraw", how: says(intake.VerbWithdraw)},
	{from: "approved_protected", to: "erased", by: "erase", how: erase},

	{from: "locked", to: "won", by: "crm", how: deal(intake.DealWon)},
	{from: "locked", to: "won", by: "staff", how: closed(intake.DealWon)},
	{from: "locked", to: "lost", by: "crm", how: deal(intake.DealLost)},
	{from: "locked", to: "lost", by: "staff", how: closed(intake.DealLost)},
	{from: "locked", to: "merged", by: "elevate", how: func(w *world, n string) string {
		child := must(w, "elevate")(w.gateway.Elevate(w.Context(), n, intake.Lead{intake.FieldTargetRevenue: "9 EUR"}, mia)).Number
		approve(w, child)
		return n
	}},
	{from: "locked", to: "approved_provisional", by: "elevate", fresh: true, how: refusedDeal(intake.StatusProvisional)},
	{from: "locked", to: "approved_protected", by: "elevate", fresh: true, how: refusedDeal(intake.StatusProtected)},
	{from: "locked", to: "expired", by: "staff", how: release},
	{from: "locked", to: "expired", by: "offboarding", how: leaves},
	{from: "locked", to: "in_review", by: "rules", how: objects},
	{from: "locked", to: "declined", by: "staff", how: revoke},
	{from: "locked", to: "withdrawn", by: "withdraw", how: says(intake.VerbWithdraw)},
	{from: "locked", to: "erased", by: "erase", how: erase},

	{from: "waitlisted", to: "submitted", by: "release", how: passing(days(15))},
	{from: "waitlisted", to: "submitted", by: "staff", how: rechecked},
	{from: "waitlisted", to: "submitted", by: "progress", how: meet},
	{from: "waitlisted", to: "submitted", by: "reply", fresh: true, auto: true, policy: splitByProduct, how: func(w *world, _ string) string {
		w.submit("tom@beta.example", about("acme.example", "backup"))
		n := w.submit("ana@alpha.example", about("acme.example", "backup")).Case
		w.wantStatus(n, intake.StatusWaitlisted)
		w.writes("ana@alpha.example", n, intake.Lead{intake.FieldProductInterest: "vault"})
		return n
	}},
	{from: "waitlisted", to: "approved_provisional", by: "staff", how: approve, behind: true},
	{from: "waitlisted", to: "approved_protected", by: "staff", how: approve, behind: true, policy: func(s *rules.Spec) { s.AtOnce = true }},
	{from: "waitlisted", to: "declined", by: "staff", how: decline},
	{from: "waitlisted", to: "appeal", by: "appeal", how: says(intake.VerbAppeal)},
	{from: "waitlisted", to: "withdrawn", by: "withdraw", how: says(intake.VerbWithdraw)},
	{from: "waitlisted", to: "withdrawn", by: "offboarding", how: leaves},
	{from: "waitlisted", to: "erased", by: "erase", how: erase},

	{from: "declined", to: "appeal", by: "appeal", how: says(intake.VerbAppeal)},
	{from: "declined", to: "erased", by: "erase", how: erase},
	{from: "expired", to: "appeal", by: "appeal", how: says(intake.VerbAppeal)},
	{from: "expired", to: "approved_provisional", by: "staff", how: extendLate},
	{from: "expired", to: "approved_protected", by: "staff", fresh: true, policy: shortWindow, how: func(w *world, _ string) string {
		n := w.at(intake.StatusProtected)
		w.pass(days(21))
		return extendLate(w, n)
	}},
	{from: "expired", to: "erased", by: "erase", how: erase},
	{from: "won", to: "locked", by: "crm", how: deal(intake.DealOpen)},
	{from: "won", to: "locked", by: "staff", how: closed(intake.DealOpen)},
	{from: "won", to: "erased", by: "erase", how: erase},
	{from: "lost", to: "locked", by: "crm", how: deal(intake.DealOpen)},
	{from: "lost", to: "locked", by: "staff", how: closed(intake.DealOpen)},
	{from: "lost", to: "erased", by: "erase", how: erase},

	{from: "appeal", to: "in_review", by: "staff", how: staffMove(func(w *world, n string) (intake.Registration, error) {
		return w.gateway.Reopen(w.Context(), n, because("jo", "it needs another look"))
	})},
	{from: "appeal", to: "approved_provisional", by: "staff", how: approve},
	{from: "appeal", to: "approved_protected", by: "staff", how: func(w *world, n string) string { return approve(w, w.introBy(n, "jo")) }},
	{from: "appeal", to: "locked", by: "staff", how: func(w *world, n string) string {
		must(w, "meeting")(w.gateway.Progress(w.Context(), n, intake.Step{Kind: intake.EvidenceMeeting, At: time.Now(), Held: true}, intake.Verdict{By: "jo"}))
		return approve(w, n)
	}},
	{from: "appeal", to: "declined", by: "staff", how: decline},
	{from: "appeal", to: "waitlisted", by: "staff", fresh: true, how: func(w *world, _ string) string {
		n := w.at(intake.StatusWaitlisted)
		says(intake.VerbAppeal)(w, n)
		return must(w, "waitlist")(w.gateway.Waitlist(w.Context(), n, intake.Verdict{By: "jo"})).Number
	}},
	{from: "appeal", to: "withdrawn", by: "withdraw", how: says(intake.VerbWithdraw)},
	{from: "appeal", to: "withdrawn", by: "offboarding", how: leaves},
	{from: "appeal", to: "erased", by: "erase", how: func(w *world, n string) string {
		return must(w, "erase")(w.gateway.Erase(w.Context(), n, because("jo", "somebody asked for it"))).Number
	}},
	{from: "withdrawn", to: "erased", by: "erase", how: erase},
	{from: "merged", to: "erased", by: "erase", how: erase},

	{from: "in_review", to: "approved_provisional", by: "rules", auto: true, fresh: true, how: crmBack(nil)},
	{from: "in_review", to: "approved_protected", by: "rules", auto: true, fresh: true, how: crmBack(nil), policy: func(s *rules.Spec) { s.AtOnce = true }},
	{from: "in_review", to: "locked", by: "rules", auto: true, fresh: true, how: func(w *world, _ string) string {
		w.crm.set(func() { w.crm.lookup = func(intake.Lead) ([]intake.Match, error) { return nil, errDown } })
		n := meet(w, w.submit("ana@alpha.example", acme()).Case)
		w.crm.set(func() { w.crm.lookup = nil })
		w.pass(3 * time.Minute)
		return n
	}},
	{from: "in_review", to: "declined", by: "rules", auto: true, fresh: true, how: crmBack(blocksIt)},
	{from: "in_review", to: "waitlisted", by: "rules", auto: true, fresh: true, how: crmBack(anotherHolds)},
}

func (w *world) introBy(number, by string) string {
	w.Helper()
	return must(w, "intro")(w.gateway.Progress(w.Context(), number, intake.Step{Kind: intake.EvidenceIntro, At: time.Now()}, intake.Verdict{By: by})).Number
}

// longHolds lets a partner be silent before a hold ends by itself.
func longHolds(s *rules.Spec) {
	s.NextStep, s.NextStepReminders = intake.Span{Value: 100, Unit: intake.Days}, nil
}

// refusedDeal elevates a lead that is held in a state, and refuses the deal.
func refusedDeal(held intake.Status) move {
	return func(w *world, _ string) string {
		w.Helper()
		lead := w.at(held)
		child := must(w, "elevate")(w.gateway.Elevate(w.Context(), lead, intake.Lead{intake.FieldTargetRevenue: "9 EUR"}, mia)).Number
		decline(w, child)
		return lead
	}
}

// extendLate reads a request for more time after the end that was written before it.
func extendLate(w *world, n string) string {
	w.Helper()
	s := w.submission("ana@alpha.example", nil)
	s.Case, s.ReceivedAt = n, w.story(n).Registration.Protection.End.Add(-time.Hour)
	s.Commands = []intake.Command{{Verb: intake.VerbExtend, Words: "please"}}
	w.accept(s)
	w.pass(time.Second)
	return must(w, "extend")(w.gateway.Extend(w.Context(), n, 30, mia)).Number
}

// waitsBehindAClaim is a case on the waiting list of an account that nobody holds any more, and
// that somebody else claims who came before.
func (w *world) waitsBehindAClaim() string {
	w.Helper()
	w.morePartners()
	unread := w.submission("x@gamma.example", acme())
	w.pass(time.Hour)
	holder := w.submit("tom@beta.example", acme()).Case
	must(w, "approve")(w.gateway.Approve(w.Context(), holder, because("mia", "for a good reason")))
	w.accept(unread)
	w.pass(time.Second)
	number := w.submit("ana@alpha.example", acme()).Case
	must(w, "waitlist")(w.gateway.Waitlist(w.Context(), number, mia))
	w.revoke(holder)
	w.wantStatus(number, intake.StatusWaitlisted)
	return number
}

// crmBack has a case wait for a CRM that is down, lets something happen, and the CRM come back.
func crmBack(meanwhile func(*world)) move {
	return func(w *world, _ string) string {
		w.Helper()
		w.crm.set(func() { w.crm.lookup = func(intake.Lead) ([]intake.Match, error) { return nil, errDown } })
		lead := acme()
		lead[intake.FieldCompanyDomain], lead[intake.FieldContactEmail], lead[intake.FieldCompanyName] = "zenith.example", "jo@zenith.example", "Zenith"
		n := w.submit("ana@alpha.example", lead).Case
		w.wantStatus(n, intake.StatusInReview)
		if meanwhile != nil {
			meanwhile(w)
		}
		w.crm.set(func() { w.crm.lookup = nil })
		w.pass(3 * time.Minute)
		return n
	}
}

func blocksIt(w *world) {
	if err := w.gateway.PutAccounts(w.Context(), intake.AccountList{Accounts: []intake.Account{{Domain: "zenith.example", Blocked: "ours"}}}); err != nil {
		w.Fatal(err)
	}
}

func anotherHolds(w *world) {
	w.Helper()
	lead := acme()
	lead[intake.FieldCompanyDomain] = "zenith.example"
	s := w.submission("tom@beta.example", lead)
	s.ReceivedAt = s.ReceivedAt.Add(-time.Hour)
	n := w.accept(s).Case
	w.pass(time.Second)
	must(w, "approve")(w.gateway.Approve(w.Context(), n, because("jo", "for a good reason")))
}

func TestEveryMoveOfTheTableCanBeMade(t *testing.T) {
	made := make(map[string]bool)
	for _, tt := range ways {
		name := moveName(tt.from, tt.to, tt.by)
		if made[name] {
			t.Errorf("%s is there twice", name)
		}
		made[name] = true
		t.Run(name, func(t *testing.T) {
			options := []option{func(s *rules.Spec) {
				if !tt.auto {
					assist(s)
				}
				if tt.policy != nil {
					tt.policy(s)
				}
			}}
			inWorld(t, func(w *world) {
				start := ""
				if tt.behind {
					start = w.waitsBehindAClaim()
				} else if !tt.fresh {
					start = w.at(tt.from)
				}
				number := tt.how(w, start)
				if !slices.ContainsFunc(w.story(number).Events, func(e intake.Event) bool {
					return e.From == tt.from && e.To == tt.to && e.Trigger == tt.by
				}) {
					w.Errorf("%s came to %s: %+v", number, w.story(number).Registration.Status, w.story(number).Events)
				}
			}, options...)
		})
	}
	for from, row := range intake.Transitions() {
		for to, triggers := range row {
			for _, by := range triggers {
				if name := moveName(from, to, by); !made[name] && otherPolicy[name] == "" {
					t.Errorf("nobody shows how %s", name)
				}
			}
		}
	}
}

// otherPolicy are the moves of a case that waited in review while the policy was replaced.
var otherPolicy = map[string]string{
	"in_review becomes needs_info by rules": "the new policy asks for more",
	"in_review becomes merged by rules":     "the new policy does not split accounts",
}

func moveName(from, to intake.Status, by intake.Trigger) string {
	if from == "" {
		from = "nothing"
	}
	return fmt.Sprintf("%s becomes %s by %s", from, to, by)
}
