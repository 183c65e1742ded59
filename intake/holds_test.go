package intake_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/memstore"
)

func splitByProduct(s *rules.Spec) { s.Split = intake.FieldProductInterest }

func about(domain, products string) intake.Lead {
	l := acme()
	l[intake.FieldCompanyDomain], l[intake.FieldContactEmail], l[intake.FieldProductInterest] = domain, "jane@"+domain, products
	return l
}

func (w *world) gamma(contacts ...intake.Contact) {
	w.put(intake.Partner{
		ID: "gamma", Name: "Gamma", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"gamma.example"},
		Contacts: append(contacts, intake.Contact{Email: "kim@gamma.example"}),
	})
}

func (w *world) put(p intake.Partner) {
	if err := w.gateway.PutPartners(w.Context(), []intake.Partner{p}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) accounts(all ...intake.Account) {
	if err := w.gateway.PutAccounts(w.Context(), intake.AccountList{Accounts: all}); err != nil {
		w.Fatal(err)
	}
}

func (w *world) writes(from, number string, l intake.Lead) {
	s := w.submission(from, l)
	s.Case = number
	w.accept(s)
	w.pass(time.Second)
}

func (w *world) apply(number string, fields map[string]string) {
	if err := w.gateway.Apply(w.Context(), "fake", intake.Change{Case: number, Fields: fields}); err != nil {
		w.Fatal(err)
	}
	w.pass(time.Second)
}

func (w *world) wantNotWaiting(number string) {
	w.Helper()
	if w.story(number).Registration.Status == intake.StatusWaitlisted {
		w.Errorf("%s waits for an account that nobody holds", number)
	}
}

// run starts the gateway of a world of its own, and returns what stops it.
func (w *world) run() func() {
	ctx, stop := context.WithCancel(w.Context())
	done := make(chan error)
	go func() { done <- w.gateway.Run(ctx) }()
	return func() { stop(); <-done }
}

func TestAHoldIsNotMovedOntoTheScopeOfAnother(t *testing.T) {
	for name, move := range map[string]func(*world, string){
		"by a reply": func(w *world, n string) {
			w.writes("ana@alpha.example", n, intake.Lead{intake.FieldProductInterest: "security"})
		},
		"by staff": func(w *world, n string) {
			_, _ = w.gateway.Amend(w.Context(), n, intake.Lead{intake.FieldProductInterest: "security"}, mia)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				a := w.submit("ana@alpha.example", about("acme.example", "backup"))
				b := w.submit("tom@beta.example", about("acme.example", "security"))
				move(w, a.Case)
				ra, rb := w.story(a.Case).Registration, w.story(b.Case).Registration
				if ra.Status.Holds() && rb.Status.Holds() && intake.ScopesOverlap(ra.Scope, rb.Scope) {
					t.Errorf("alpha holds %q and beta holds %q", ra.Scope, rb.Scope)
				}
			}, splitByProduct)
		})
	}
}

func TestASummaryTellsNothingOfACaseThatWasReassigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		links, _ := intake.NewLinks("https://partners.vendor.example", []byte(linkKey))
		w := newWorldWith(t, memstore.New(), func(o *intake.Options) { o.Links = links }, budgeted)
		defer w.run()()
		w.gamma()
		var last intake.Receipt
		for i := range 8 { // two more than answers in an hour
			last = w.submit("ana@alpha.example", about(strings.Repeat("x", i+1)+"acme.example", ""))
		}
		must(w, "reassign")(w.gateway.Reassign(w.Context(), last.Case, "gamma", mia))
		w.writes("kim@gamma.example", last.Case, intake.Lead{intake.FieldProblem: "SECRET OF GAMMA, told by them."})
		w.pass(2 * time.Hour)
		for _, m := range w.channel.messages() {
			for _, f := range m.Cases {
				if m.To.Address == "ana@alpha.example" && f.Case == last.Case {
					_, err := w.gateway.StatusByLink(w.Context(), tokenOf(f.StatusLink))
					t.Errorf("alpha learns gamma's words: %v; alpha's new link to gamma's case opens: %v", strings.Contains(mustJSON(t, f), "SECRET"), err == nil)
				}
			}
		}
	})
}

func TestWhoSendsTheSameAgainLearnsNothingOfACaseThatWasReassigned(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gamma()
		s := w.submission("ana@alpha.example", acme())
		s.Content, s.Deliberate = "the same", true
		r := w.accept(s)
		w.pass(time.Second)
		must(w, "reassign")(w.gateway.Reassign(w.Context(), r.Case, "gamma", mia))
		w.writes("kim@gamma.example", r.Case, intake.Lead{intake.FieldProblem: "SECRET OF GAMMA, told by them."})
		s.Key = "mail:again"
		w.accept(s)
		w.pass(time.Second)
		if m := w.lastTo("ana@alpha.example"); strings.Contains(mustJSON(t, m), "SECRET") {
			t.Errorf("alpha is told %s, with gamma's words; the receipt names gamma: %v", m.Kind, strings.Contains(m.Facts.Receipt, "gamma"))
		}
	})
}

func TestAnAliasAddedLaterMakesAConflictOfTwoHolds(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.submit("ana@alpha.example", acme())
		l := about("other.example", "")
		l[intake.FieldCompanyName] = "Zebra Works"
		b := w.submit("tom@beta.example", l)
		n := len(w.desk.messages())
		w.accounts(intake.Account{Domain: "acme.example", Aliases: []string{"other.example"}})
		w.pass(days(2))
		k, _ := w.gateway.Conflicts(w.Context(), true)
		if w.wantStatus(a.Case, intake.StatusProvisional); len(k) == 0 {
			t.Errorf("%s and %s hold one company; no conflict, and staff got %d messages", a.Case, b.Case, len(w.desk.messages())-n)
		}
	})
}

func TestWhoWaitedByAnAliasThatIsGoneIsWoken(t *testing.T) {
	inWorld(t, func(w *world) {
		w.accounts(intake.Account{Domain: "acme.example", Aliases: []string{"other.example"}})
		a := w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", about("other.example", ""))
		w.wantStatus(b.Case, intake.StatusWaitlisted)
		w.accounts(intake.Account{Domain: "acme.example"})
		must(w, "withdraw")(w.gateway.Withdraw(w.Context(), a.Case, mia))
		w.pass(days(60))
		w.wantNotWaiting(b.Case)
	})
}

func TestWithoutAClockForStrangersNothingIsLost(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("stranger@nobody.example", acme())
		w.pass(days(3)) // the world begins on a Saturday
		w.wantStatus(r.Case, intake.StatusQuarantined)
	}, func(s *rules.Spec) { s.Unknown = intake.Span{} })
}

func TestAnUnprovenCaseWaitsAsLongAsConfirmSays(t *testing.T) {
	for _, asked := range []bool{true} {
		inWorld(t, func(w *world) {
			s := w.submission("ana@alpha.example", acme())
			s.Sender.Strength = intake.StrengthUnverified
			r := w.accept(s)
			w.pass(25 * time.Hour)
			w.wantStatus(r.Case, intake.StatusWithdrawn)
		}, func(s *rules.Spec) {
			s.ConfirmUnproven, s.Confirm = asked, intake.Span{Value: 24, Unit: intake.Hours}
		})
	}
}

func (w *world) offboard(from time.Time) intake.Partner {
	p, _ := w.gateway.Partner(w.Context(), "alpha")
	p.Status, p.StatusFrom = intake.PartnerOffboarded, from
	w.put(p)
	return p
}

func TestWhoIsOffboardedHoldsNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", acme())
		w.offboard(time.Time{})
		w.pass(days(2))
		if w.story(a.Case).Registration.Status.Holds() {
			t.Errorf("an offboarded partner holds the account, and %s waits", b.Case)
		}
	})
}

// in export_test.go: func (g *Gateway) Leave(ctx context.Context, p Partner) error { return g.update(ctx, func(c *change) error { return c.leave(p) }) }
func TestALeadWithADealDoesNotStopTheRest(t *testing.T) {
	inWorld(t, func(w *world) {
		other := w.submit("ana@alpha.example", about("zebra.example", ""))
		a := w.submit("ana@alpha.example", acme())
		must(w, "approve")(w.gateway.Approve(w.Context(), a.Case, mia))
		must(w, "elevate")(w.gateway.Elevate(w.Context(), a.Case, intake.Lead{intake.FieldTargetRevenue: "10 EUR"}, mia))
		w.offboard(time.Time{})
		w.pass(days(1))
		t.Logf("log: %q", w.log.String())
		w.wantStatus(a.Case, intake.StatusExpired)
		w.wantStatus(other.Case, intake.StatusWithdrawn)
	}, assist)
}

func TestNobodyLeavesBeforeTheDay(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		for _, d := range []int{3, 10} { // the day is put off
			w.offboard(time.Now().Add(days(d)).UTC())
		}
		w.pass(days(5))
		w.wantStatus(r.Case, intake.StatusProvisional)
	})
}

var family = []intake.Account{{Domain: "acme.example", Name: "Holding"}, {Domain: "sub.example", Name: "Daughter", Parent: "acme.example"}}

func wholeGroup(s *rules.Spec) { s.GroupScope = rules.GroupWhole }

func TestWhoWaitsForAGroupIsWoken(t *testing.T) {
	inWorld(t, func(w *world) {
		w.accounts(family...)
		a := w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", about("sub.example", ""))
		w.wantStatus(b.Case, intake.StatusWaitlisted)
		must(w, "withdraw")(w.gateway.Withdraw(w.Context(), a.Case, mia))
		w.pass(days(60))
		w.wantNotWaiting(b.Case)
	}, wholeGroup)
}

func TestAGroupIsHeldOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		w.accounts(family...)
		a := w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", about("sub.example", ""))
		must(w, "approve")(w.gateway.Approve(w.Context(), a.Case, mia))
		_, err := w.gateway.Approve(w.Context(), b.Case, because("mia", "I like them very much."))
		if err == nil {
			t.Error("both hold the group")
		}
	}, assist, wholeGroup)
}

func TestAllWhoWaitForPartsOfAnAccountAreWoken(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gamma()
		a := w.submit("ana@alpha.example", about("acme.example", "backup; security"))
		b := w.submit("tom@beta.example", about("acme.example", "backup"))
		g := w.submit("kim@gamma.example", about("acme.example", "security"))
		must(w, "withdraw")(w.gateway.Withdraw(w.Context(), a.Case, mia))
		w.pass(days(60))
		w.wantNotWaiting(b.Case)
		w.wantNotWaiting(g.Case)
	}, splitByProduct)
}

func TestAHoldIsNotHalfRevokedWhereNobodyElseMayConfirmIt(t *testing.T) {
	inWorld(t, func(w *world) {
		g, _ := w.withLinks(
			intake.Staff{Name: "otto", Email: "otto@vendor.example", Roles: []intake.Role{intake.RoleRevOps}},
			intake.Staff{Name: "mia", Email: "mia@vendor.example", Roles: []intake.Role{intake.RolePartnerManager}},
		)
		r := w.submit("ana@alpha.example", acme())
		if _, err := g.Revoke(w.Context(), r.Case, because("otto", "The claim was made up.")); err == nil || !strings.Contains(err.Error(), "nobody else") {
			t.Errorf("proposed: %v", err)
		}
		if _, err := g.Revoke(w.Context(), r.Case, because("mia", "The claim was made up.")); err == nil || !strings.Contains(err.Error(), "does not permit") {
			t.Errorf("by who may not: %v", err)
		}
	})
}

func TestOnePersonIsNotTwoByALink(t *testing.T) {
	inWorld(t, func(w *world) {
		g, links := w.withLinks(intake.Staff{Name: "mia", Email: "mia@vendor.example", Roles: []intake.Role{intake.RoleAdmin}},
			intake.Staff{Name: "jo", Email: "jo@vendor.example", Roles: []intake.Role{intake.RoleAdmin}})
		r := w.submit("ana@alpha.example", acme())
		must(w, "first")(g.Revoke(w.Context(), r.Case, because("mia", "The claim was made up.")))
		reg := w.story(r.Case).Registration
		token := tokenOf(links.Desk(intake.DeskGrant(&reg, intake.ActRevoke, "mia@vendor.example", time.Now())))
		if _, err := g.ActLinked(w.Context(), token, intake.Deed{Verdict: because("", "The claim was made up.")}); err == nil {
			t.Error("one person revoked a hold")
		}
	})
}

func TestNobodyAloneApprovesAgainstTheOrderOfAConflict(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		w.pass(time.Hour)
		b := w.submit("tom@beta.example", acme())
		if k, err := w.gateway.Conflict(w.Context(), w.story(b.Case).Registration.Conflict); err != nil || k.Cases[0] == b.Case {
			t.Fatalf("%+v %v", k, err)
		}
		if _, err := w.gateway.Approve(w.Context(), b.Case, because("mia", "I like them more.")); err == nil {
			t.Error("one person gave the account against the published order")
		}
	}, assist)
}

func TestNobodyAloneTakesAHold(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.meets(r.Case, time.Now(), true) // active a moment ago
		if _, err := w.gateway.Release(w.Context(), r.Case, mia); err == nil {
			t.Error("released by one person, without a reason")
		}
	})
	inWorld(t, func(w *world) {
		old := w.submission("tom@beta.example", acme())
		w.pass(time.Hour)
		a := w.submit("ana@alpha.example", acme())
		b := w.accept(old)
		w.pass(time.Second)
		_, err := w.gateway.ResolveConflict(w.Context(), w.story(b.Case).Registration.Conflict, b.Case, because("mia", "Because I say so."))
		if err == nil && !w.story(a.Case).Registration.Status.Holds() {
			t.Error("resolved away by one person")
		}
	})
}

func TestWhoTookTheHoldDoesNotDecideTheAppeal(t *testing.T) {
	for name, end := range map[string]func(*world, string){
		"released": func(w *world, n string) {
			w.meets(n, time.Now(), true)
			w.pass(days(50))
			must(w, "release")(w.gateway.Release(w.Context(), n, mia))
		},
		"revoked, as first": func(w *world, n string) { w.revoke(n) }, // mia, then jo
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(w *world) {
				r := w.submit("ana@alpha.example", acme())
				end(w, r.Case)
				w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbAppeal, Words: "we work on it"})
				w.wantStatus(r.Case, intake.StatusAppeal)
				if _, err := w.gateway.Decline(w.Context(), r.Case, because("mia", "I was right, of course.")); err == nil {
					t.Error("mia decided the appeal against mia")
				}
			})
		})
	}
}

func TestALateDecisionIsMadeOrToldOf(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.pass(days(10))
		if w.story(r.Case).Registration.Status == intake.StatusInReview && !slices.Contains(w.told("ana@alpha.example"), intake.MessageLate) {
			t.Errorf("nothing happened: %.250s", w.log.String())
		}
	}, assist, func(s *rules.Spec) { s.ProvisionalWhenLate, s.AtOnce = true, true })
}

func TestALateDecisionIsNotMadeInAnOpenConflict(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.submit("ana@alpha.example", acme())
		w.pass(time.Hour)
		w.submit("tom@beta.example", acme())
		w.pass(days(10))
		if got := w.story(a.Case).Registration; got.Status.Holds() && got.Conflict != "" {
			t.Errorf("%s by %s while %s is open", got.Status, got.DecidedBy, got.Conflict)
		}
	}, assist, func(s *rules.Spec) { s.ProvisionalWhenLate = true })
}

func TestAnEmptyDealDoesNotTakeTheEndOffAHold(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		deal := acme()
		deal[intake.FieldKind], deal[intake.FieldConsent] = intake.KindDeal, intake.ConsentNo
		child := w.submit("ana@alpha.example", deal)
		w.pass(days(200))
		w.wantStatus(child.Case, intake.StatusWithdrawn) // no_info_in_time
		if got := w.story(r.Case).Registration; got.Status.Holds() {
			t.Errorf("after 200 days without any next step the lead is %s", got.Status)
		}
	})
}

func TestAMeetingCalledOffInTheCRMLocksNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.apply(r.Case, map[string]string{intake.ChangeMeeting: time.Now().Add(days(3)).Format(time.RFC3339)})
		w.apply(r.Case, map[string]string{intake.ChangeMeeting: ""}) // "empty if it was called off"
		w.pass(days(4))
		w.wantStatus(r.Case, intake.StatusProtected)
	})
}

func TestActivityInTheCRMCountsFromWhenItWas(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.meets(r.Case, time.Now(), true)
		w.pass(days(25))
		was := time.Now().Add(-days(20))
		w.apply(r.Case, map[string]string{intake.ChangeActivity: was.Format(time.RFC3339)})
		if got := w.story(r.Case).Registration.Activity; got.Sub(was) > time.Minute {
			t.Errorf("last activity %s, it was %s", got, was)
		}
	})
}

func TestTheDealOfAMergedLeadIsClosedByItsRecord(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		deal := acme()
		deal[intake.FieldKind], deal[intake.FieldTargetRevenue] = intake.KindDeal, "9 EUR"
		child := w.submit("ana@alpha.example", deal)
		w.wantStatus(r.Case, intake.StatusMerged)
		w.apply(r.Case, map[string]string{intake.ChangeStatus: intake.DealWon})
		w.wantStatus(child.Case, intake.StatusWon)
	})
}

func TestOnePartnerDoesNotFillAnAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memstore.New(), splitByProduct) // nothing runs: accepting is enough
		for i := range 500 {
			w.accept(w.submission("ana@alpha.example", about("acme.example", fmt.Sprintf("part %d", i))))
		}
		r := w.accept(w.submission("tom@beta.example", about("acme.example", "backup")))
		_, err := w.gateway.Approve(w.Context(), r.Case, mia)
		var illegal *intake.IllegalTransition // it is only submitted yet
		if !errors.As(err, &illegal) {
			t.Errorf("nobody can be approved any more: %v", err)
		}
	})
}

func TestAnExtensionAskedAfterTheEndKeepsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memstore.New(), shortWindow)
		stop := w.run()
		r := w.submit("ana@alpha.example", acme())
		end := must(w, "intro")(w.gateway.Progress(w.Context(), r.Case, intake.Step{Kind: intake.EvidenceIntro, At: time.Now()}, mia)).Protection.End
		stop()
		time.Sleep(time.Until(end.Add(10 * time.Hour)))
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbExtend, Words: "please"})
		defer w.run()()
		w.pass(time.Hour)
		if got := w.story(r.Case).Registration; got.Status.Holds() {
			t.Errorf("ended %s, asked %s, still %s", end, got.Extending, got.Status)
		}
	})
}

func TestARequestInTimeKeepsAProvisionalHoldToo(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.until(w.story(r.Case).Registration.Protection.End.Add(-time.Hour))
		w.command("ana@alpha.example", r.Case, intake.Command{Verb: intake.VerbExtend, Words: "they are on holiday"})
		w.pass(2 * time.Hour)
		w.wantStatus(r.Case, intake.StatusProvisional)
	})
}

func TestARequestInAMailThatLayUnreadIsInTime(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		end := must(w, "intro")(w.gateway.Progress(w.Context(), r.Case, intake.Step{Kind: intake.EvidenceIntro, At: time.Now()}, mia)).Protection.End
		w.until(end.Add(time.Hour))
		s := w.submission("ana@alpha.example", nil)
		s.Case, s.ReceivedAt, s.Commands = r.Case, end.Add(-2*time.Hour), []intake.Command{{Verb: intake.VerbExtend, Words: "please"}}
		w.accept(s)
		w.pass(time.Minute)
		got := w.story(r.Case).Registration
		_, err := w.gateway.Extend(w.Context(), r.Case, 30, mia)
		if err != nil {
			t.Errorf("%s; staff can't even grant it: %v", got.Status, err)
		}
	}, shortWindow)
}

func TestTheLastDayIsWholeWhereMidnightIsSkipped(t *testing.T) {
	spec := rules.Default()
	spec.Timezone, spec.Contact = "America/Santiago", rules.Contact{Name: "M", Email: "m@v.example"}
	p, err := rules.New(spec, identity.Default())
	if err != nil {
		t.Fatal(err)
	}
	end := p.End(time.Date(2026, 8, 22, 15, 0, 0, 0, time.UTC), intake.Span{Value: 14, Unit: intake.Days}).In(p.Zone())
	if end.Day() != 5 || end.Hour() != 23 {
		t.Errorf("ends %s, an hour before the end of 5 September", end)
	}
}

func TestAWithdrawnConsentIsNotALateDecision(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		w.pass(days(10))
		w.writes("ana@alpha.example", r.Case, intake.Lead{intake.FieldConsent: intake.ConsentNo})
		w.pass(time.Minute)
		w.wantStatus(r.Case, intake.StatusInReview)
		if told := w.told("ana@alpha.example"); slices.Contains(told, intake.MessageLate) {
			t.Errorf("told %v within a minute", told)
		}
	})
}

var erasure = because("mia", "Jane Doe asked for it.")

func TestErasedNamesAreNotInTheEventsNorAddressesInTheStore(t *testing.T) {
	inWorld(t, func(w *world) {
		l := without(acme(), intake.FieldCompanyDomain)
		l[intake.FieldCompanyName], l[intake.FieldContactEmail] = "Jane Doe Consulting", "jane@gmail.com"
		r := w.submit("ana@alpha.example", l)
		w.writes("ana@alpha.example", r.Case, intake.Lead{intake.FieldContactName: "Jane D. Doe"})
		w.wantStatus(r.Case, intake.StatusInReview)
		must(w, "erase")(w.gateway.Erase(w.Context(), r.Case, erasure))
		if text := mustJSON(t, w.story(r.Case)); strings.Contains(text, "Jane") {
			t.Errorf("left: …%.160s…", text[strings.Index(text, "Jane")-120:])
		}
		_ = w.store.View(w.Context(), func(tx intake.Tx) error {
			left, err := tx.ScanRecords("sent_to", r.Case+".", "", 10)
			for _, e := range left {
				t.Errorf("left: %s → %s", e.Key, e.Value)
			}
			return err
		})
	})
}

func TestWhatWaitsForStaffIsErasedToo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.fail = func(intake.Message) error { return errDown }
		r := w.submit("ana@alpha.example", acme())
		must(w, "erase")(w.gateway.Erase(w.Context(), r.Case, erasure))
		w.desk.mu.Lock()
		w.desk.fail = nil
		w.desk.mu.Unlock()
		w.pass(days(1))
		for _, m := range w.desk.messages() {
			if strings.Contains(mustJSON(t, m), "jane@acme.example") {
				t.Errorf("a day after the erasure %s goes out with her address", m.Kind)
			}
		}
	})
}

func TestAnErasedCaseLeavesItsConflict(t *testing.T) {
	inWorld(t, func(w *world) {
		a := w.submit("ana@alpha.example", acme())
		w.pass(time.Hour)
		w.submit("tom@beta.example", acme())
		must(w, "erase")(w.gateway.Erase(w.Context(), a.Case, erasure))
		if k, _ := w.gateway.Conflicts(w.Context(), false); len(k) != 0 {
			t.Errorf("open with one claim and the erased %s, which goes first: %v", a.Case, k[0].Cases)
		}
	}, assist)
}

func TestErasingAnOldCaseLeavesTheCoolingOffOfANewOne(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		must(w, "withdraw")(w.gateway.Withdraw(w.Context(), r.Case, mia))
		w.revoke(w.submit("ana@alpha.example", acme()).Case)
		must(w, "erase")(w.gateway.Erase(w.Context(), r.Case, erasure))
		again := w.submit("ana@alpha.example", acme())
		if got := w.story(again.Case).Registration; got.Reason != intake.ReasonCoolingOff {
			t.Errorf("registered again during the cooling-off: %s", got.Status)
		}
	})
}

func TestACaseIsNotReassignedToWhoHasLeft(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gamma(intake.Contact{Email: "old@rival.example", Status: intake.ContactLeft})
		r := w.submit("ana@alpha.example", acme())
		must(w, "reassign")(w.gateway.Reassign(w.Context(), r.Case, "gamma", mia))
		if told := w.told("old@rival.example"); len(told) > 0 {
			t.Errorf("who has left is told %v", told)
		}
	})
}

func TestALeadIsNotReassignedWhileItsDealIsOpen(t *testing.T) {
	inWorld(t, func(w *world) {
		w.gamma()
		r := w.submit("ana@alpha.example", acme())
		must(w, "approve")(w.gateway.Approve(w.Context(), r.Case, mia))
		child := must(w, "elevate")(w.gateway.Elevate(w.Context(), r.Case, intake.Lead{intake.FieldTargetRevenue: "10 EUR"}, mia))
		for _, number := range []string{r.Case, child.Number} {
			if _, err := w.gateway.Reassign(w.Context(), number, "gamma", mia); err == nil {
				t.Errorf("%s was torn from the other", number)
			}
		}
	}, assist)
}

func TestAWaitingCaseThatIsAmendedToAFreeAccountIsJudged(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", acme())
		must(w, "amend")(w.gateway.Amend(w.Context(), b.Case, intake.Lead{intake.FieldCompanyDomain: "free.example"}, mia))
		w.pass(days(30))
		w.wantNotWaiting(b.Case)
	})
}

func TestAmendDoesNotDateAClaimToAnotherAccountBack(t *testing.T) {
	inWorld(t, func(w *world) {
		l := about("wrong.example", "")
		l[intake.FieldCompanyName] = "Zebra Works"
		b := w.submit("tom@beta.example", l)
		w.pass(time.Hour)
		a := w.submit("ana@alpha.example", acme())
		must(w, "amend")(w.gateway.Amend(w.Context(), b.Case, intake.Lead{intake.FieldCompanyDomain: "acme.example"}, mia))
		ra, rb := w.story(a.Case).Registration, w.story(b.Case).Registration
		if rb.Before(&ra) || rb.Conflict == "" {
			t.Errorf("beta is before alpha: %v; in conflict: %q", rb.Before(&ra), rb.Conflict)
		}
	}, assist)
}

func TestARivalsAppealDoesNotStopTheHoldersDeal(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		b := w.submit("tom@beta.example", acme())
		w.command("tom@beta.example", b.Case, intake.Command{Verb: intake.VerbAppeal}) // without a word of evidence
		deal := acme()
		deal[intake.FieldKind], deal[intake.FieldTargetRevenue] = intake.KindDeal, "9 EUR"
		child := w.submit("ana@alpha.example", deal)
		if _, err := w.gateway.Approve(w.Context(), child.Case, because("mia", "It is their own deal.")); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) leadAndDeal() (lead, deal string) {
	r := w.submit("ana@alpha.example", acme())
	must(w, "approve")(w.gateway.Approve(w.Context(), r.Case, mia))
	w.meets(r.Case, time.Now(), true)
	return r.Case, must(w, "elevate")(w.gateway.Elevate(w.Context(), r.Case, intake.Lead{intake.FieldTargetRevenue: "10 EUR"}, mia)).Number
}

func TestADealWhoseLeadEndedKeepsItsMeeting(t *testing.T) {
	inWorld(t, func(w *world) {
		lead, deal := w.leadAndDeal()
		must(w, "withdraw")(w.gateway.Withdraw(w.Context(), lead, mia))
		must(w, "approve")(w.gateway.Approve(w.Context(), deal, mia))
		w.wantStatus(deal, intake.StatusLocked) // as any case is whose meeting was held
	}, assist)
}

func TestALeadOpenedAgainAndItsDealDoNotBothHold(t *testing.T) {
	inWorld(t, func(w *world) {
		lead, deal := w.leadAndDeal()
		must(w, "lost")(w.gateway.Close(w.Context(), lead, intake.DealLost, mia))
		must(w, "approve")(w.gateway.Approve(w.Context(), deal, mia))
		_, _ = w.gateway.Close(w.Context(), lead, intake.DealOpen, mia)
		if w.story(lead).Registration.Status.Holds() && w.story(deal).Registration.Status.Holds() {
			t.Error("two cases hold one account (I1)")
		}
	}, assist)
}

func TestPartsThatOverflowAreMoreThanAll(t *testing.T) {
	inWorld(t, func(w *world) {
		r := w.submit("ana@alpha.example", acme())
		const most = int(^uint(0) >> 1)
		_, err := w.gateway.Attribute(w.Context(), r.Case, []intake.Attribution{
			{Partner: "alpha", Role: intake.RoleSourced, Percent: most}, {Partner: "beta", Role: intake.RoleInfluenced, Percent: most},
		}, mia)
		if err == nil {
			t.Error("taken")
		}
	})
}
