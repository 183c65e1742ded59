package intake_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/rules"
	"leadgate/store/memstore"
)

// kinds lists what was told to an address since the beginning.
func (w *world) told(address string) []intake.MessageKind {
	var kinds []intake.MessageKind
	for _, m := range w.channel.messages() {
		if m.To.Address == address {
			kinds = append(kinds, m.Kind)
		}
	}
	return kinds
}

func (w *world) lastTo(address string) intake.Message {
	w.Helper()
	for _, m := range slices.Backward(append(w.desk.messages(), w.channel.messages()...)) {
		if m.To.Address == address {
			return m
		}
	}
	w.Fatalf("nothing was told to %s", address)
	return intake.Message{}
}

// must fails the test if a step of staff does.
func must(w *world, what string) func(intake.Registration, error) intake.Registration {
	return func(r intake.Registration, err error) intake.Registration {
		w.Helper()
		if err != nil {
			w.Fatalf("%s: %v", what, err)
		}
		w.pass(time.Second)
		return r
	}
}

var mia = intake.Verdict{By: "mia"}

func because(by, why string) intake.Verdict { return intake.Verdict{By: by, Rationale: why} }

// until lets time pass to a moment.
func (w *world) until(t time.Time) { w.pass(time.Until(t)) }

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

func (w *world) meets(number string, at time.Time, held bool) intake.Registration {
	w.Helper()
	return must(w, "progress")(w.gateway.Progress(w.Context(), number, intake.Step{Kind: intake.EvidenceMeeting, At: at, Held: held, Source: "calendar"}, mia))
}

func TestANextStepGivesTheWholeWindowFromTheApproval(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		approved := w.wantStatus(r.Case, intake.StatusProvisional).Protection.Start
		w.pass(days(5))
		must(w, "intro")(w.gateway.Progress(w.Context(), r.Case, intake.Step{Kind: intake.EvidenceIntro, At: time.Now(), Source: "mail"}, mia))
		got := w.wantStatus(r.Case, intake.StatusProtected)
		zone, _ := time.LoadLocation("Europe/Brussels")
		local := approved.In(zone)
		want := time.Date(local.Year(), local.Month(), local.Day()+91, 0, 0, 0, 0, zone).Add(-time.Microsecond)
		if !got.Protection.End.Equal(want) || !got.Protection.Start.Equal(approved) {
			w.Errorf("held to %s, want %s", got.Protection.End, want)
		}
		m := w.wantMessages(intake.MessageApproved, intake.MessageProtected)
		if !m[1].Facts.Until.Equal(want) {
			w.Errorf("told %+v", m[1].Facts)
		}
		w.until(want.Add(-time.Second))
		w.wantStatus(r.Case, intake.StatusProtected)
		w.pass(2 * time.Second)
		if got := w.wantStatus(r.Case, intake.StatusExpired); got.Reason != intake.ReasonWindowEnded {
			w.Errorf("reason %s", got.Reason)
		}
	})
}

func TestTheEndOfAWindowIsToldAWeekAndADayBefore(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		end := must(w, "intro")(w.gateway.Progress(w.Context(), r.Case, intake.Step{Kind: intake.EvidenceIntro, At: time.Now()}, mia)).Protection.End
		w.until(end.Add(time.Hour))
		var at []string
		for _, m := range w.channel.messages() {
			if m.Kind == intake.MessageWindowReminder {
				zone, _ := time.LoadLocation("Europe/Brussels")
				at = append(at, m.At.In(zone).Format("15:04 ")+end.Sub(m.At).Truncate(24*time.Hour).String())
			}
		}
		if !slices.Equal(at, []string{"09:00 168h0m0s", "09:00 24h0m0s"}) {
			w.Errorf("reminded at %q", at)
		}
	}, shortWindow)
}

func TestAFirstMeetingThatWasHeldTakesTheEndAway(t *testing.T) {
	for name, lock := range map[string]func(*world, string){
		"staff know that it was": func(w *world, number string) { w.meets(number, time.Now(), true) },
		"its time comes": func(w *world, number string) {
			w.meets(number, time.Now().Add(days(3)), false)
			w.wantStatus(number, intake.StatusProtected)
			w.pass(days(3))
		},
		"the CRM says that it was": func(w *world, number string) {
			err := w.gateway.Apply(w.Context(), "fake", intake.Change{Case: number, Fields: map[string]string{
				intake.ChangeMeeting: time.Now().Format(time.RFC3339), intake.ChangeHeld: "true",
			}})
			if err != nil {
				w.Fatal(err)
			}
			w.pass(time.Second)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.submit("ana@alpha.example", acme())
				lock(w, r.Case)
				got := w.wantStatus(r.Case, intake.StatusLocked)
				if !got.Met {
					w.Error("nothing says that they met")
				}
				m := w.lastTo("ana@alpha.example")
				if m.Kind != intake.MessageLocked || !m.Facts.Until.IsZero() {
					w.Errorf("told %s, until %s", m.Kind, m.Facts.Until)
				}
				w.pass(days(40))
				w.wantStatus(r.Case, intake.StatusLocked)
			})
		})
	}
}

func TestAMeetingThatIsCalledOffLocksNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		invite := func(method string) {
			s := w.submission("ana@alpha.example", nil)
			s.NotALead = true
			s.Meetings = []intake.Meeting{{UID: "m1", Method: method, Start: time.Now().Add(days(3)), Attendees: []string{"jane@acme.example"}}}
			w.accept(s)
			w.pass(time.Second)
		}
		invite("REQUEST")
		w.wantStatus(r.Case, intake.StatusProtected)
		invite("CANCEL")
		w.pass(days(4))
		if got := w.wantStatus(r.Case, intake.StatusProtected); got.Met {
			w.Error("they are said to have met")
		}
	})
}

func TestAnInvitationOfNobodyAtTheCompanyIsNoNextStep(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		s := w.submission("ana@alpha.example", nil)
		s.Case, s.NotALead = r.Case, true
		s.Meetings = []intake.Meeting{{UID: "m1", Method: "REQUEST", Start: time.Now().Add(days(3)), Attendees: []string{"friend@elsewhere.example"}}}
		w.accept(s)
		w.pass(time.Second)
		w.wantStatus(r.Case, intake.StatusProvisional)
	})
}

func TestWithoutANextStepTheHoldEndsAfterTwoReminders(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		start := w.story(r.Case).Registration.Protection.Start
		w.pass(days(15))
		w.wantStatus(r.Case, intake.StatusExpired)
		m := w.wantMessages(intake.MessageApproved, intake.MessageStepReminder, intake.MessageStepReminder, intake.MessageExpired)
		for i, want := range []int{7, 12} {
			if got := m[i+1].At.Sub(start); got < days(want) || got > days(want)+time.Minute {
				w.Errorf("reminder %d after %v", i+1, got)
			}
		}
		if m[3].Facts.AppealBy.IsZero() {
			w.Error("nobody says until when it can be contested")
		}
	})
}

func TestAfterALongStandstillOnlyTheEndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.RunTwice())
		var number string
		runWorld(t, store, func(w *world) {
			number = w.submit("ana@alpha.example", acme()).Case
			w.wantStatus(number, intake.StatusProvisional)
		})
		time.Sleep(days(13)) // both reminders are late
		runWorld(t, store, func(w *world) {
			w.pass(time.Second)
			w.wantMessages(intake.MessageStepReminder)
		})
		time.Sleep(days(20))
		runWorld(t, store, func(w *world) {
			w.pass(time.Second)
			w.wantStatus(number, intake.StatusExpired)
			w.wantMessages(intake.MessageExpired)
		})
	})
}

func TestOtherTermsCountForTheCasesThatThereAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.RunTwice())
		var first intake.Registration
		runWorld(t, store, func(w *world) {
			first = w.story(w.submit("ana@alpha.example", acme()).Case).Registration
		})
		sooner := func(s *rules.Spec) {
			s.NextStepReminders = []intake.Span{{Value: 2, Unit: intake.Days}}
			s.NextStep = intake.Span{Value: 30, Unit: intake.Days}
		}
		runWorld(t, store, func(w *world) {
			w.pass(days(2) + time.Minute)
			w.wantMessages(intake.MessageStepReminder)
			if got := w.wantStatus(first.Number, intake.StatusProvisional); !got.Protection.End.Equal(first.Protection.End) {
				t.Errorf("what was promised until %s ends %s", first.Protection.End, got.Protection.End)
			}
		}, sooner)
	})
}

func TestALateDecisionIsToldOnceAndPromisedAnew(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		due := w.wantStatus(r.Case, intake.StatusInReview).DecisionDue
		w.until(due.Add(time.Second))
		again := w.wantStatus(r.Case, intake.StatusInReview).DecisionDue
		if !again.After(due) {
			w.Errorf("due %s, then %s", due, again)
		}
		w.until(again.Add(days(10)))
		m := w.wantMessages(intake.MessageReceived, intake.MessageLate)
		if !m[1].Facts.Due.Equal(again) {
			w.Errorf("told %s, want %s", m[1].Facts.Due, again)
		}
		late := must(w, "approve")(w.gateway.Approve(w.Context(), r.Case, mia))
		if held := late.Protection.End.Sub(late.Decided); held < days(14) {
			w.Errorf("the late decision left %v of 14 days", held)
		}
	}, assist)
}

func TestTheDecisionWaitsWhileThePartnerDoes(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		before := w.wantStatus(r.Case, intake.StatusInReview).DecisionDue
		must(w, "ask")(w.gateway.Ask(w.Context(), r.Case, intake.Verdict{By: "mia", Message: "Which of the two Acmes is it?"}))
		w.pass(days(7)) // whole weeks leave the days of the week as they are
		w.wantStatus(r.Case, intake.StatusNeedsInfo)
		reply := w.submission("ana@alpha.example", intake.Lead{intake.FieldCountry: "BE"})
		reply.Case, reply.Text = r.Case, "The one in Ghent."
		w.accept(reply)
		w.pass(time.Second)
		got := w.wantStatus(r.Case, intake.StatusInReview)
		if moved := got.DecisionDue.Sub(before); moved < days(7) || moved > days(7)+time.Minute {
			w.Errorf("the promise moved by %v", moved)
		}
		if w.lastTo("ana@alpha.example").Kind == intake.MessageLate {
			w.Error("we were late while the partner had the question")
		}
	}, assist)
}

func TestSomebodyWhoIsSilentForLongIsAskedAndThenStaffAreTold(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.meets(r.Case, time.Now(), true)
		w.pass(days(31))
		if got := w.lastTo("ana@alpha.example"); got.Kind != intake.MessageIdle {
			w.Fatalf("told %s", got.Kind)
		}
		reply := w.submission("ana@alpha.example", nil)
		reply.Case, reply.Text = r.Case, "We are still talking to them."
		w.accept(reply)
		w.pass(days(20))
		w.wantStatus(r.Case, intake.StatusLocked)
		staff := func() (n int) {
			for _, m := range w.desk.messages() {
				if m.Kind == intake.StaffIdle {
					n++
				}
			}
			return n
		}
		if n := staff(); n != 1 {
			w.Errorf("staff were told %d times after an answer", n)
		}
		w.pass(days(31))
		if n := staff(); n != 3 { // asked again, and no answer
			w.Errorf("staff were told %d times", n)
		}
		must(w, "release")(w.gateway.Release(w.Context(), r.Case, mia))
		if got := w.wantStatus(r.Case, intake.StatusExpired); got.Reason != intake.ReasonNoTouch {
			w.Errorf("reason %s", got.Reason)
		}
	})
}

func TestARequestForMoreTimeKeepsTheHoldWhileStaffThink(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(*world, string)
		end    intake.Status
	}{
		"and then it ends": {func(*world, string) {}, intake.StatusExpired},
		"and it is granted": {func(w *world, number string) {
			must(w, "extend")(w.gateway.Extend(w.Context(), number, 30, mia))
		}, intake.StatusProtected},
		"and it is refused": {func(w *world, number string) {
			must(w, "refuse")(w.gateway.RefuseExtension(w.Context(), number, intake.Verdict{By: "mia", Message: "The customer bought elsewhere."}))
			w.wantStatus(number, intake.StatusExpired)
			if got := w.channel.messages(); got[len(got)-2].Kind != intake.MessageNotExtended {
				w.Errorf("told %s", got[len(got)-2].Kind)
			}
		}, intake.StatusExpired},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.submit("ana@alpha.example", acme())
				end := must(w, "intro")(w.gateway.Progress(w.Context(), r.Case, intake.Step{Kind: intake.EvidenceIntro, At: time.Now()}, mia)).Protection.End
				w.until(end.Add(-time.Hour))
				w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbExtend, Words: "they sign next week"})
				w.pass(2 * time.Hour)
				w.wantStatus(r.Case, intake.StatusProtected)
				tt.answer(w, r.Case)
				w.until(end.Add(days(6)))
				w.wantStatus(r.Case, tt.end)
			}, shortWindow)
		})
	}
}

func TestAnExtensionWithinTheRulesIsGrantedAtOnceWhereThePolicySaysSo(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		end := w.story(r.Case).Registration.Protection.End
		extend := intake.Command{Verb: intake.VerbExtend, Words: "holidays"}
		w.command("ana@alpha.example", r.Case, extend)
		got := w.wantStatus(r.Case, intake.StatusProvisional)
		if got.Protection.End.Sub(end) != days(30) || got.Unread != 0 {
			w.Errorf("held to %s, unread %d", got.Protection.End, got.Unread)
		}
		w.command("ana@alpha.example", r.Case, extend)
		w.command("ana@alpha.example", r.Case, extend)
		if got := w.story(r.Case).Registration; got.Protection.Extended != 2 || got.Unread == 0 {
			w.Errorf("extended %d times, unread %d", got.Protection.Extended, got.Unread)
		}
		w.wantMessages(intake.MessageApproved, intake.MessageExtended, intake.MessageExtended, intake.MessageRequested)
	}, func(s *rules.Spec) { s.Extension.Auto = true })
}

func TestADealThatIsWonOrLostEndsItsCaseAndCanBeOpenedAgainForAMonth(t *testing.T) {
	for deal, tt := range map[string]struct {
		status intake.Status
		kind   intake.MessageKind
	}{intake.DealWon: {intake.StatusWon, intake.MessageWon}, intake.DealLost: {intake.StatusLost, intake.MessageLost}} {
		t.Run(deal, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.submit("ana@alpha.example", acme())
				apply := func(status string) {
					w.Helper()
					if err := w.gateway.Apply(w.Context(), "fake", intake.Change{Case: r.Case, Fields: map[string]string{intake.ChangeStatus: status}}); err != nil {
						w.Fatal(err)
					}
					w.pass(time.Second)
				}
				apply(deal)
				w.wantStatus(r.Case, tt.status)
				if got := w.lastTo("ana@alpha.example").Kind; got != tt.kind {
					w.Errorf("told %s", got)
				}
				w.pass(days(20))
				apply(intake.DealOpen)
				w.wantStatus(r.Case, intake.StatusLocked)
				if got := w.lastTo("ana@alpha.example").Kind; got != intake.MessageReopened {
					w.Errorf("told %s", got)
				}
				apply(deal)
				w.pass(days(32))
				apply(intake.DealOpen)
				w.wantStatus(r.Case, tt.status)
			})
		})
	}
}

func TestADealIsNotOpenedAgainOnAnAccountThatAnotherHolds(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		must(w, "close")(w.gateway.Close(w.Context(), r.Case, intake.DealLost, mia))
		other := w.submit("tom@beta.example", acme())
		w.wantStatus(other.Case, intake.StatusProvisional)
		if err := w.gateway.Apply(w.Context(), "fake", intake.Change{Case: r.Case, Fields: map[string]string{intake.ChangeStatus: intake.DealOpen}}); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		w.wantStatus(r.Case, intake.StatusLost)
		w.wantStatus(other.Case, intake.StatusProvisional)
		if got := w.lastTo("jo@vendor.example").Kind; got != intake.StaffTrouble {
			w.Errorf("staff were told %s", got)
		}
	})
}

func TestWhatTheCRMSaysMovesNoCaseBackwards(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		must(w, "withdraw")(w.gateway.Withdraw(w.Context(), r.Case, mia))
		w.wantStatus(r.Case, intake.StatusWithdrawn)
		for _, fields := range []map[string]string{
			{intake.ChangeStatus: intake.DealOpen},
			{intake.ChangeStatus: intake.DealWon},
			{intake.ChangeMeeting: time.Now().Format(time.RFC3339), intake.ChangeHeld: "true"},
		} {
			if err := w.gateway.Apply(w.Context(), "fake", intake.Change{Case: r.Case, Fields: fields}); err != nil {
				w.Error(err)
			}
		}
		w.wantStatus(r.Case, intake.StatusWithdrawn)
		err := w.gateway.Apply(w.Context(), "fake", intake.Change{Case: w.submit("ana@alpha.example", acme()).Case, Fields: map[string]string{intake.ChangeMeeting: "tomorrow"}})
		if !intake.IsPermanent(err) {
			w.Errorf("a time that is none gives %v", err)
		}
	})
}

func TestRevokingAHoldTakesTwoPersons(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		first := because("mia", "The claim was made up.")
		must(w, "first")(w.gateway.Revoke(w.Context(), r.Case, first))
		w.wantStatus(r.Case, intake.StatusProvisional)
		var input *intake.ErrInput
		if _, err := w.gateway.Revoke(w.Context(), r.Case, first); !errors.As(err, &input) {
			w.Errorf("the same person twice gives %v", err)
		}
		w.wantStatus(r.Case, intake.StatusProvisional)
		must(w, "second")(w.gateway.Revoke(w.Context(), r.Case, because("jo", "I checked, it was.")))
		if got := w.wantStatus(r.Case, intake.StatusDeclined); got.Reason != intake.ReasonRevoked || got.Cooling.IsZero() {
			w.Errorf("reason %s, cooling off until %s", got.Reason, got.Cooling)
		}
		if got := w.told("ana@alpha.example"); got[len(got)-1] != intake.MessageRevoked {
			w.Errorf("told %v", got)
		}
	})
}

func TestAnAppealIsDecidedBySomebodyElse(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		must(w, "decline")(w.gateway.Decline(w.Context(), r.Case, because("mia", "They are too small.")))
		appeal := intake.Command{Verb: intake.VerbAppeal, Words: "they have 500 people"}
		w.command("ana@alpha.example", r.Case, appeal)
		got := w.wantStatus(r.Case, intake.StatusAppeal)
		if !slices.Equal(got.Appeal.Deciders, []string{"staff:mia"}) || got.Appeal.Plan.IsZero() {
			w.Errorf("appeal %+v", got.Appeal)
		}
		_, err := w.gateway.Approve(w.Context(), r.Case, because("mia", "I was wrong, it seems."))
		if err == nil || !strings.Contains(err.Error(), "somebody else has to look at it") {
			w.Errorf("who decided it before gets %v", err)
		}
		w.pass(25 * time.Hour)
		if m := w.lastTo("jo@vendor.example"); m.Kind != intake.StaffDecision || m.Brief.Why == "" {
			w.Errorf("staff were told %s", m.Kind)
		}
		must(w, "acknowledge")(w.gateway.AcknowledgeAppeal(w.Context(), r.Case, intake.Verdict{By: "jo"}))
		must(w, "approve")(w.gateway.Approve(w.Context(), r.Case, because("jo", "They are big enough.")))
		w.wantStatus(r.Case, intake.StatusProvisional)
		if got := w.told("ana@alpha.example"); got[len(got)-1] != intake.MessageAppealDecided {
			w.Errorf("told %v", got)
		}
	}, assist)
}

func TestAnAppealComesInTimeOrIsForStaff(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		must(w, "decline")(w.gateway.Decline(w.Context(), r.Case, because("mia", "They are too small.")))
		by := w.lastTo("ana@alpha.example").Facts.AppealBy
		w.until(by.Add(time.Minute))
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbAppeal, Words: "late"})
		if got := w.wantStatus(r.Case, intake.StatusDeclined); got.Unread != 1 || len(got.Requests) != 1 {
			w.Errorf("unread %d, requests %v", got.Unread, got.Requests)
		}
	}, assist)
}

func TestAnAppealKeepsTheAccountFromEverybodyElse(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		must(w, "decline")(w.gateway.Decline(w.Context(), r.Case, because("mia", "They are too small.")))
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbAppeal, Words: "no"})
		other := w.submit("tom@beta.example", acme())
		_, err := w.gateway.Approve(w.Context(), other.Case, because("mia", "They asked so nicely."))
		if err == nil || !strings.Contains(err.Error(), r.Case+" goes first") {
			w.Fatalf("approving under an appeal gives %v", err)
		}
		must(w, "decline again")(w.gateway.Decline(w.Context(), r.Case, because("jo", "Still too small.")))
		must(w, "approve")(w.gateway.Approve(w.Context(), other.Case, because("mia", "Now it is free.")))
	}, assist)
}

func TestALeadThatIsHeldBecomesADealWithItsClaimTime(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		lead := w.wantStatus(r.Case, intake.StatusProvisional)
		waiting := w.submit("tom@beta.example", acme())
		w.wantStatus(waiting.Case, intake.StatusWaitlisted)
		w.pass(days(2))
		deal := acme()
		deal[intake.FieldKind], deal[intake.FieldTargetRevenue], deal[intake.FieldStage] = intake.KindDeal, "50000 EUR", intake.StageEvaluation
		child := w.submit("ana@alpha.example", deal)
		if child.Case == r.Case {
			w.Fatal("the deal joined its lead")
		}
		got := w.wantStatus(child.Case, intake.StatusProtected)
		if !got.Claim.Equal(lead.Claim) || got.Parent != r.Case || got.Lead[intake.FieldTargetRevenue] != "50000 EUR" {
			w.Errorf("deal %+v", got)
		}
		if got := w.wantStatus(r.Case, intake.StatusMerged); got.MergedInto != child.Case {
			w.Errorf("the lead lives on in %q", got.MergedInto)
		}
		w.wantStatus(waiting.Case, intake.StatusWaitlisted)
		if m := w.lastTo("ana@alpha.example"); m.Kind != intake.MessageApproved || m.Facts.Related != r.Case {
			w.Errorf("told %s about %s", m.Kind, m.Facts.Related)
		}
	})
}

func TestALeadWhoseDealIsRefusedIsHeldAsBefore(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		must(w, "approve")(w.gateway.Approve(w.Context(), r.Case, mia))
		end := w.story(r.Case).Registration.Protection.End
		child := must(w, "elevate")(w.gateway.Elevate(w.Context(), r.Case, intake.Lead{intake.FieldTargetRevenue: "10 EUR"}, mia))
		w.wantStatus(r.Case, intake.StatusLocked)
		w.wantStatus(child.Number, intake.StatusInReview)
		if m := w.lastTo("ana@alpha.example"); m.Kind != intake.MessageElevated {
			w.Errorf("told %s", m.Kind)
		}
		must(w, "decline")(w.gateway.Decline(w.Context(), child.Number, because("jo", "That is no deal.")))
		if got := w.wantStatus(r.Case, intake.StatusProvisional); got.Child != "" || !got.Protection.End.Equal(end) {
			w.Errorf("its deal is still %s, its end %s", got.Child, got.Protection.End)
		}
		must(w, "elevate again")(w.gateway.Elevate(w.Context(), r.Case, intake.Lead{intake.FieldTargetRevenue: "10000 EUR"}, mia))
	}, assist)
}

func TestWhoWasDeclinedCanNotRegisterTheSameAgainForAWhile(t *testing.T) {
	for name, tt := range map[string]struct {
		reason  intake.Reason
		cooling bool
	}{
		"if nothing can be mended": {intake.ReasonNotEligible, true},
		"but at once if it can be": {intake.ReasonCertification, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.submit("ana@alpha.example", acme())
				v := because("mia", "for a good reason")
				v.Reason = tt.reason
				got := must(w, "decline")(w.gateway.Decline(w.Context(), r.Case, v))
				if got.Cooling.IsZero() == tt.cooling {
					w.Errorf("cooling off until %s", got.Cooling)
				}
				again := w.submit("ana@alpha.example", acme())
				judged, _, err := w.gateway.Judgements(w.Context(), intake.JudgementQuery{Case: again.Case, Limit: 10})
				if err != nil || len(judged) == 0 || len(judged[0].Input.Past) != 1 || judged[0].Input.Past[0].Number != r.Case {
					w.Errorf("judged %+v, %v", judged, err)
				}
			}, assist)
		})
	}
}

func TestWhatIsErasedSaysNothingOfAnybodyAndFreesTheAccount(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		next := w.submit("tom@beta.example", acme())
		if _, err := w.gateway.Erase(w.Context(), r.Case, mia); err == nil {
			w.Error("an erasure without a reason was done")
		}
		must(w, "erase")(w.gateway.Erase(w.Context(), r.Case, because("mia", "Jane Doe asked for it.")))
		d := w.story(r.Case)
		if d.Registration.Status != intake.StatusErased || d.Chain != "" || len(d.Submissions) != 0 {
			w.Errorf("left: %+v", d)
		}
		for _, s := range []string{"acme", "jane", "Acme", "ana@", "Reporting"} {
			if text := mustJSON(t, d); strings.Contains(text, s) {
				w.Errorf("%q is still in %s", s, text)
			}
		}
		judged, _, err := w.gateway.Judgements(w.Context(), intake.JudgementQuery{Case: r.Case, Limit: 10})
		if err != nil || len(judged) != 0 {
			w.Errorf("judgements %+v, %v", judged, err)
		}
		w.wantStatus(next.Case, intake.StatusProvisional)
	})
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// shortWindow bounds how much time has to pass, and leaves out what is told in between.
func shortWindow(s *rules.Spec) {
	s.Idle, s.Window = intake.Span{}, intake.Span{Value: 20, Unit: intake.Days}
}
