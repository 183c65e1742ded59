package intake_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/rules"
	"leadgate/store/memstore"
)

func weekly(o *intake.Options) { o.Weekly = true }

// inWeeks runs a test in a world whose programme tells its partners of their week.
func inWeeks(t *testing.T, fn func(w *world), options ...option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		links, err := intake.NewLinks("https://partners.vendor.example", []byte(linkKey))
		if err != nil {
			t.Fatal(err)
		}
		w := newWorldWith(t, memstore.New(memstore.RunTwice()), func(o *intake.Options) { o.Weekly, o.Links = true, links }, options...)
		stop := w.run()
		fn(w)
		stop()
		w.verifyChains()
		w.wantProven()
	})
}

// toMonday goes on to the next Monday morning, when the digests have gone out.
func (w *world) toMonday() { w.until(mondayAfter(w.T, time.Now()).Add(time.Minute)) }

// digests are those to an address, to all if it is empty.
func (w *world) digests(address string) (found []intake.Message) {
	for _, m := range w.channel.messages() {
		if m.Kind == intake.MessageDigest && (address == "" || m.To.Address == address) {
			found = append(found, m)
		}
	}
	return found
}

// week is the last digest to an address, which has had so many.
func (w *world) week(address string, nth int) intake.Week {
	w.Helper()
	all := w.digests(address)
	if len(all) != nth {
		w.Fatalf("%d digests to %s, want %d", len(all), address, nth)
	}
	if nth == 0 {
		return intake.Week{}
	}
	return *all[nth-1].Week
}

// fails has the delivery of digests fail from now on, or succeed again.
func (c *fakeChannel) fails(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = func(m intake.Message) error {
		if m.Kind == intake.MessageDigest {
			return err
		}
		return nil
	}
}

func listed(all []intake.WeekCase) []string {
	var numbers []string
	for _, c := range all {
		numbers = append(numbers, c.Case)
	}
	return numbers
}

// wantListed compares the lists of a digest.
func (w *world) wantListed(k intake.Week, yours, ending, open, decided []string) {
	w.Helper()
	for name, l := range map[string][2][]string{
		"yours": {listed(k.Yours), yours}, "ending": {listed(k.Ending), ending}, "open": {listed(k.Open), open}, "decided": {listed(k.Decided), decided},
	} {
		if !slices.Equal(l[0], l[1]) {
			w.Errorf("%s: %v, want %v", name, l[0], l[1])
		}
	}
}

func (w *world) switchDigest(from, to string) intake.Message {
	w.Helper()
	w.command(from, "", intake.Command{Verb: intake.VerbDigest, Words: to})
	w.pass(time.Second)
	return w.lastTo(from)
}

func TestEachMondayAPersonReadsOfHisOwnCasesWithWhatComesNext(t *testing.T) {
	inWeeks(t, func(w *world) {
		held := w.submit("ana@alpha.example", acme()).Case
		asked := w.submit("ana@alpha.example", without(named("asked & co", "asked.example"), intake.FieldProblem)).Case
		bobs := w.submit("bob@alpha.example", named("Bob's", "bobs.example")).Case
		monday := mondayAfter(t, time.Now())
		w.until(monday.Add(-time.Second))
		if got := w.digests(""); len(got) != 0 {
			t.Fatalf("%d digests before Monday at eight", len(got))
		}
		w.pass(time.Minute)
		if got := w.digests(""); len(got) != 2 {
			t.Fatalf("%d digests, want one to each of two", len(got))
		}
		k := w.week("ana@alpha.example", 1)
		w.wantListed(k, []string{held, asked}, nil, nil, []string{held})
		for i, want := range []intake.SafeView{
			{Case: held, Company: "Acme GmbH", Stage: "approved", Owner: "Jo", Protection: intake.ProtectionProvisional, Next: intake.NextShow},
			{Case: asked, Company: "asked & co", Stage: "waiting_for_you", Owner: "Jo", Protection: intake.ProtectionNone, Next: intake.NextAnswer},
		} {
			got, r := k.Yours[i], w.story(want.Case).Registration
			due := cmp.Or(r.AnswerDue, r.Protection.End)
			if got.Due == nil || !got.Due.Equal(due) {
				t.Errorf("%s is due on %v, want %v", want.Case, got.Due, due)
			}
			shown, err := w.gateway.StatusByLink(w.Context(), tokenOf(got.Link))
			if err != nil || mustJSON(t, shown) != mustJSON(t, got.SafeView) {
				t.Errorf("the page of %s shows %+v, the digest %+v: %v", want.Case, shown, got.SafeView, err)
			}
			if got.Due, got.Until = nil, nil; got.SafeView != want {
				t.Errorf("told %+v, want %+v", got.SafeView, want)
			}
		}
		if !slices.Equal(k.Yours[1].Asked, []intake.Field{intake.FieldProblem}) || k.Yours[0].Asked != nil {
			t.Errorf("asked for %v", k.Yours[1].Asked)
		}
		w.wantListed(w.week("bob@alpha.example", 1), []string{bobs}, nil, nil, []string{bobs})
		m := w.digests("ana@alpha.example")[0]
		if m.Facts.Contact.Name != "Jo" || m.Facts.Case != "" || !m.Unprompted || m.To.Channel != "email" || !m.At.Equal(monday) {
			t.Errorf("the digest is %+v", m)
		}
	})
}

func TestWhereNothingIsToBeDoneByADayAndNothingWasDecidedNoDigestComes(t *testing.T) {
	inWeeks(t, func(w *world) {
		w.toMonday()
		n := w.submit("ana@alpha.example", acme()).Case
		w.meets(n, time.Now(), true)
		w.submit("tom@beta.example", acme()) // waits
		w.toMonday()
		w.wantListed(w.week("ana@alpha.example", 1), nil, nil, []string{n}, []string{n})
		w.week("tom@beta.example", 1)
		w.toMonday()
		if got := w.digests(""); len(got) != 2 {
			t.Errorf("%d digests of a lock and a place on the list, about which there was no news", len(got)-2)
		}
		s := w.submission("tom@beta.example", without(named("Asked", "asked.example"), intake.FieldProblem))
		w.accept(s)
		w.toMonday()
		if k := w.week("tom@beta.example", 2); len(k.Yours) != 1 || len(k.Open) != 1 || len(k.Decided) != 0 {
			t.Errorf("told %+v", k)
		}
	}, func(s *rules.Spec) { s.Idle = intake.Span{} })
}

func TestDecisionsAreToldInTheWeekAfterThemAndOnce(t *testing.T) {
	inWeeks(t, func(w *world) {
		declined := w.submit("ana@alpha.example", named("Blocked", "blocked.example")).Case
		w.wantStatus(declined, intake.StatusDeclined)
		withdrawn := w.submit("ana@alpha.example", named("Taken back", "back.example")).Case
		w.command("ana@alpha.example", "", intake.Command{Verb: intake.VerbWithdraw, Case: withdrawn})
		won := w.submit("ana@alpha.example", named("Won", "won.example")).Case
		w.toMonday()
		k := w.week("ana@alpha.example", 1)
		w.wantListed(k, []string{won}, nil, nil, []string{won, declined})
		if d := k.Decided[1]; d.Stage != "declined" || d.Next != intake.NextAppeal || d.Due == nil {
			t.Errorf("told %+v", d)
		}
		if _, err := w.gateway.Close(w.Context(), won, intake.DealWon, mia); err != nil {
			t.Fatal(err)
		}
		w.toMonday()
		w.wantListed(w.week("ana@alpha.example", 2), nil, nil, nil, []string{won})
		w.toMonday()
		w.week("ana@alpha.example", 2) // there is nothing any more
	})
}

func TestProtectionThatEndsWithinTwoWeeksIsToldApart(t *testing.T) {
	inWeeks(t, func(w *world) {
		n := w.submit("ana@alpha.example", acme()).Case
		w.introBy(n, "mia")
		end := w.wantStatus(n, intake.StatusProtected).Protection.End
		w.until(end.AddDate(0, 0, -23))
		w.toMonday()
		k := *w.digests("ana@alpha.example")[len(w.digests("ana@alpha.example"))-1].Week
		w.wantListed(k, nil, nil, []string{n}, nil)
		w.toMonday()
		k = *w.digests("ana@alpha.example")[len(w.digests("ana@alpha.example"))-1].Week
		w.wantListed(k, nil, []string{n}, nil, nil)
		if !k.Ending[0].Until.Equal(end) {
			t.Errorf("ends on %s, told %s", end, k.Ending[0].Until)
		}
	}, func(s *rules.Spec) { s.Idle = intake.Span{} })
}

func TestAnAnswerToADigestGoesToTheCaseThatWaits(t *testing.T) {
	inWeeks(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		asked := w.submit("ana@alpha.example", without(named("Asked", "asked.example"), intake.FieldProblem)).Case
		w.toMonday()
		w.week("ana@alpha.example", 1)
		w.reply(w.digests("")[0], intake.Lead{intake.FieldProblem: "Reporting takes them a day a week."}, nil)
		w.wantStatus(asked, intake.StatusProvisional)
	})
}

func TestWhoSaysDigestOffGetsNoneAndNobodyElseIsSpared(t *testing.T) {
	inWeeks(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		w.submit("bob@alpha.example", named("Bob's", "bobs.example"))
		if m := w.switchDigest("ana@alpha.example", intake.DigestOff); m.Kind != intake.MessageDigestOff || m.Unprompted {
			t.Errorf("told %s", m.Kind)
		}
		w.toMonday()
		w.week("ana@alpha.example", 0)
		w.week("bob@alpha.example", 1)
		if m := w.switchDigest("Ana@Alpha.example", intake.DigestOn); m.Kind != intake.MessageDigestOn {
			t.Errorf("told %s", m.Kind)
		}
		w.toMonday()
		w.week("ana@alpha.example", 1)
		if m := w.switchDigest("ana@alpha.example", "perhaps"); m.Kind != intake.MessageHelp || !m.Facts.Weekly {
			t.Errorf("told %s", m.Kind)
		}
		s := w.submission("bob@alpha.example", nil)
		s.Sender.Strength, s.Commands = intake.StrengthUnverified, []intake.Command{{Verb: intake.VerbDigest, Words: intake.DigestOff}}
		w.accept(s)
		w.toMonday()
		w.week("bob@alpha.example", 3) // who forges his address switches nothing off
	})
}

func TestAProgrammeWithoutADigestSendsNoneAndSpeaksOfNone(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		w.toMonday()
		w.wantMessages(intake.MessageApproved)
		if m := w.switchDigest("ana@alpha.example", intake.DigestOn); m.Kind != intake.MessageHelp || m.Facts.Weekly {
			t.Errorf("told %s", m.Kind)
		}
		if m := w.switchDigest("ana@alpha.example", intake.DigestOff); m.Kind != intake.MessageDigestOff {
			t.Errorf("told %s", m.Kind)
		}
	})
}

func TestNobodyReadsWhatIsNoLongerHis(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world, number string)
		reads  string
	}{
		"who has left is not written to, and the one who gets the answers is": {func(w *world, _ string) {
			w.put(intake.Partner{
				ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha.example"},
				Contacts: []intake.Contact{{Email: "ana@alpha.example", Status: intake.ContactLeft}, {Email: "cyd@alpha.example"}},
			})
		}, "cyd@alpha.example"},
		"nobody, if there is nobody else": {func(w *world, _ string) {
			w.put(intake.Partner{
				ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha.example"},
				Contacts: []intake.Contact{{Email: "ana@alpha.example", Status: intake.ContactBounced}},
			})
		}, ""},
		"an address of a domain that is the partner's no more": {func(w *world, _ string) {
			w.put(intake.Partner{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha-new.example"}})
		}, ""},
		"a partner who is suspended": {func(w *world, _ string) { w.becomes("alpha", intake.PartnerSuspended, time.Time{}) }, ""},
		"a partner who leaves next month still reads": {func(w *world, _ string) {
			w.becomes("alpha", intake.PartnerOffboarded, time.Now().AddDate(0, 1, 0))
		}, "ana@alpha.example"},
		"a case that was given to another partner": {func(w *world, n string) {
			w.gamma()
			must(w, "reassign")(w.gateway.Reassign(w.Context(), n, "gamma", mia))
		}, "kim@gamma.example"},
		"a case that was erased": {func(w *world, n string) {
			must(w, "erase")(w.gateway.Erase(w.Context(), n, intake.Verdict{By: "mia", Rationale: "They asked for it."}))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inWeeks(t, func(w *world) {
				n := w.submit("ana@alpha.example", acme()).Case
				w.pass(time.Hour)
				tt.change(w, n)
				w.pass(time.Minute)
				w.toMonday()
				var got []string
				for _, m := range w.digests("") {
					got = append(got, m.To.Address)
				}
				if strings.Join(got, " ") != tt.reads {
					t.Errorf("read by %v, want %q", got, tt.reads)
				}
			}, func(s *rules.Spec) { s.RunOut = true })
		})
	}
}

func TestWhatNobodyAnswersOrNobodyProvedIsInNoDigest(t *testing.T) {
	inWeeks(t, func(w *world) {
		for name, change := range map[string]func(*intake.Submission){
			"robot":  func(s *intake.Submission) { s.Mute = "a program sent it" },
			"forged": func(s *intake.Submission) { s.Sender.Strength = intake.StrengthUnverified },
			"silent": func(s *intake.Submission) { s.Reply = intake.Route{} },
			"nobody": func(s *intake.Submission) { s.Sender.Address = "joe@nobody.example" },
		} {
			s := w.submission("ana@alpha.example", named(name, name+".example"))
			change(&s)
			w.accept(s)
		}
		w.toMonday()
		if got := w.digests(""); len(got) != 0 {
			t.Errorf("%d digests", len(got))
		}
	})
}

// TestADigestHoldsNothingOfAnotherPartner has two partners and two colleagues register the same
// prospects, dispute and ask, with words of their own in every field.
func TestADigestHoldsNothingOfAnotherPartner(t *testing.T) {
	canaries := map[string]string{"ana@alpha.example": "canaryana", "bob@alpha.example": "canarybob", "tom@beta.example": "canarytom", "kim@gamma.example": "canarykim"}
	inWeeks(t, func(w *world) {
		w.gamma(intake.Contact{Name: "Canarykim", Email: "kay@gamma.example"})
		for round := range 3 {
			for from, word := range canaries {
				for i, domain := range []string{"acme.example", "shared.example", word + ".example", "blocked.example"} {
					l := named(word+" "+domain, domain)
					for _, f := range []intake.Field{intake.FieldContactName, intake.FieldContactRole, intake.FieldProblem, intake.FieldSolutionFit, intake.FieldCompetingVendors} {
						l[f] = word + " writes a sentence of his own."
					}
					if i == round {
						delete(l, intake.FieldProblem)
					}
					s := w.submission(from, l)
					s.Text = word
					w.accept(s)
				}
			}
			w.pass(time.Hour)
			for _, r := range w.cases() {
				word := canaries[r.Contact]
				v := intake.Verdict{By: "mia", Message: "A question for " + word + "?", Rationale: "A reason about " + word + "."}
				switch r.Status {
				case intake.StatusInReview:
					_, _ = w.gateway.Ask(w.Context(), r.Number, v)
				case intake.StatusNeedsInfo:
					_, _ = w.gateway.Decline(w.Context(), r.Number, v)
				}
			}
			w.toMonday()
		}
		told := 0
		for _, m := range w.digests("") {
			if m.Week == nil || len(m.Cases) > 0 || m.Brief != nil {
				t.Fatalf("told %+v", m)
			}
			for _, c := range slices.Concat(m.Week.Yours, m.Week.Ending, m.Week.Open, m.Week.Decided) {
				told++
				if r := w.story(c.Case).Registration; r.Contact != m.To.Address {
					t.Errorf("%s reads of %s of %s", m.To.Address, c.Case, r.Contact)
				}
			}
			for from, word := range canaries {
				if text := strings.ToLower(mustJSON(t, m)); from != m.To.Address && strings.Contains(text, word) {
					t.Errorf("%s reads of %s: %s", m.To.Address, word, text)
				}
			}
		}
		if told < 20 {
			t.Errorf("%d cases in all digests; the test tests nothing", told)
		}
	}, assist)
}

func TestADigestWaitsUntilHalfOfTheRoomIsFreeAndHoldsNoAnswerBack(t *testing.T) {
	inWeeks(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		monday := mondayAfter(t, time.Now())
		w.until(monday.Add(-10 * time.Minute))
		for i := range 3 { // half of the six of an hour
			w.submit("ana@alpha.example", named(fmt.Sprint("Company ", i), fmt.Sprintf("company%d.example", i)))
		}
		w.until(monday.Add(45 * time.Minute))
		w.week("ana@alpha.example", 0)
		for i := range 3 {
			w.submit("ana@alpha.example", named(fmt.Sprint("Firm ", i), fmt.Sprintf("firm%d.example", i)))
		}
		if kinds := w.told("ana@alpha.example"); len(kinds) != 7 || slices.Contains(kinds, intake.MessageSummary) {
			t.Errorf("answers were held back: %v", kinds)
		}
		w.until(monday.Add(3 * time.Hour))
		w.week("ana@alpha.example", 1)
	}, budgeted)
}

func TestADigestThatIsADayLateIsNotSentAndLeavesNoTrace(t *testing.T) {
	for name, fail := range map[string]error{"the mail server is down": errDown, "it refuses": intake.Permanent(errDown)} {
		t.Run(name, func(t *testing.T) {
			inWeeks(t, func(w *world) {
				n := w.submit("ana@alpha.example", without(acme(), intake.FieldProblem)).Case
				w.channel.fails(fail)
				w.toMonday()
				before := w.story(n)
				w.until(mondayAfter(t, time.Now()).AddDate(0, 0, -5).Add(-22 * time.Hour)) // a day and two hours later
				w.channel.fails(nil)
				w.pass(2 * time.Hour)
				w.week("ana@alpha.example", 0)
				for _, e := range w.story(n).Events[len(before.Events):] {
					if e.Kind == intake.EventUndelivered || e.Kind == intake.EventNotified && strings.HasPrefix(e.Note, string(intake.MessageDigest)) {
						t.Errorf("the case says %s %s", e.Kind, e.Note)
					}
				}
				if d, err := w.gateway.Depth(w.Context()); err != nil || d[intake.LaneDigest].Parked != 0 || d[intake.LaneDigest].Open != 1 {
					t.Errorf("the lane of digests has %+v: %v", d[intake.LaneDigest], err)
				}
			})
		})
	}
}

func TestADigestThatWaitsIsDroppedWhenItIsSwitchedOff(t *testing.T) {
	inWeeks(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		w.channel.fails(errDown)
		w.toMonday()
		w.switchDigest("ana@alpha.example", intake.DigestOff)
		w.channel.fails(nil)
		w.pass(2 * time.Hour)
		w.week("ana@alpha.example", 0)
	})
}

func TestOfManyOpenCasesTheMostUrgentAreListedAndTheOthersCounted(t *testing.T) {
	inWeeks(t, func(w *world) {
		w.flood("ana@alpha.example", 230) // more than a page
		asked := w.submit("ana@alpha.example", without(named("Asked", "asked.example"), intake.FieldProblem)).Case
		w.toMonday()
		if k := w.week("ana@alpha.example", 1); len(k.Yours) != 1 || k.Yours[0].Case != asked || len(k.Open) != 49 || k.More != 181 {
			t.Errorf("%d are his, %d open, %d more", len(k.Yours), len(k.Open), k.More)
		}
	}, assist)
}

// startWeekly starts another gateway on the store of processes.
func (p processes) startWeekly(change ...func(*intake.Options)) (stop func()) {
	p.Helper()
	g := newWorldWith(p.T, p.store, func(o *intake.Options) {
		weekly(o)
		for _, c := range change {
			c(o)
		}
	}, assist)
	g.gateway.Register("desk", p.desk)
	g.gateway.Register("email", p.channel)
	ctx, cancel := context.WithCancel(p.Context())
	done := make(chan error, 1)
	go func() { done <- g.gateway.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			p.Error(err)
		}
	}
}

func TestTwoGatewaysAndManyRestartsTellPartnersOfAWeekOnce(t *testing.T) {
	inProcesses(t, func(p processes) {
		p.accept(p.submission("ana@alpha.example", acme()))
		first, second := p.startWeekly(), p.startWeekly()
		for range 5 {
			first()
			first = p.startWeekly()
			p.pass(time.Minute)
		}
		if tasks := p.waiting("partners"); len(tasks) != 1 {
			t.Errorf("%d tasks wait for the next week", len(tasks))
		}
		monday := mondayAfter(t, time.Now())
		p.until(monday.Add(time.Second))
		first()
		first = p.startWeekly()
		p.until(monday.AddDate(0, 0, 7).Add(time.Hour))
		p.week("ana@alpha.example", 2)
		first()
		second()
	})
}

func TestWeeksThatPartnersMissedAreToldOnceWithAllDecisions(t *testing.T) {
	inProcesses(t, func(p processes) {
		n := p.accept(p.submission("ana@alpha.example", acme())).Case
		stop := p.startWeekly()
		p.pass(time.Hour)
		monday := mondayAfter(t, time.Now())
		p.until(monday.Add(time.Hour))
		p.week("ana@alpha.example", 1)
		if _, err := p.gateway.Approve(p.Context(), n, mia); err != nil {
			t.Fatal(err)
		}
		p.pass(time.Minute)
		stop()
		second := monday.AddDate(0, 0, 14)
		err := p.store.Update(t.Context(), func(tx intake.Tx) error { // two tasks that are late together
			return tx.Enqueue(intake.Task{Key: "partners:" + second.Format(time.DateOnly), Lane: intake.LaneDigest, Case: "other", Due: second.UTC()})
		})
		if err != nil {
			t.Fatal(err)
		}
		p.until(second.AddDate(0, 0, 1))
		stop = p.startWeekly()
		p.pass(time.Hour)
		if k := p.week("ana@alpha.example", 2); !slices.Equal(listed(k.Decided), []string{n}) {
			t.Errorf("told %+v", k)
		}
		p.until(second.AddDate(0, 0, 7).Add(time.Hour))
		if all := p.digests(""); len(all) > 3 || len(all) == 3 && len(all[2].Week.Decided) > 1 {
			t.Errorf("%d digests, the last of %+v", len(all), all[len(all)-1].Week)
		}
		stop()
	})
}

func TestADigestThatWasSwitchedOffForAllComesAgainOnceItIsSwitchedOn(t *testing.T) {
	inProcesses(t, func(p processes) {
		p.accept(p.submission("ana@alpha.example", acme()))
		off := func(o *intake.Options) { o.Weekly = false }
		stop := p.startWeekly()
		p.pass(time.Minute)
		stop()
		monday := mondayAfter(t, time.Now())
		stop = p.startWeekly(off)
		p.until(monday.Add(time.Hour))
		stop()
		p.week("ana@alpha.example", 0)
		stop = p.startWeekly()
		p.until(monday.AddDate(0, 0, 7).Add(time.Hour))
		stop()
		p.week("ana@alpha.example", 1)
	})
}

// pagedStore counts how many cases one transaction reads at most.
type pagedStore struct {
	intake.Store
	most int
}

func (s *pagedStore) View(ctx context.Context, fn func(intake.Tx) error) error {
	return s.Store.View(ctx, func(tx intake.Tx) error { return fn(&pagedTx{Tx: tx, s: s}) })
}

func (s *pagedStore) Update(ctx context.Context, fn func(intake.Tx) error) error {
	return s.Store.Update(ctx, func(tx intake.Tx) error { return fn(&pagedTx{Tx: tx, s: s}) })
}

type pagedTx struct {
	intake.Tx
	s    *pagedStore
	read int
}

func (t *pagedTx) ListCases(q intake.CaseQuery) ([]intake.Registration, error) {
	cases, err := t.Tx.ListCases(q)
	t.read += len(cases)
	t.s.most = max(t.s.most, t.read)
	return cases, err
}

func (t *pagedTx) Case(number string) (intake.Registration, error) {
	t.read++
	t.s.most = max(t.s.most, t.read)
	return t.Tx.Case(number)
}

// TestAThousandPartnersAreToldWithoutReadingAllCasesAtOnce: they have closed many cases before, and
// each has one open.
func TestAThousandPartnersAreToldWithoutReadingAllCasesAtOnce(t *testing.T) {
	partners, closed := 1000, 50
	if testing.Short() || raceDetector {
		partners, closed = 100, 10
	}
	store := openInMemory(t)
	var all []intake.Partner
	for i := range partners {
		all = append(all, intake.Partner{ID: fmt.Sprintf("p%d", i), Name: "P", Status: intake.PartnerActive, Motion: "msp", Domains: []string{fmt.Sprintf("p%d.example", i)}})
	}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) // a Monday
	w := newWorldWith(t, store, func(o *intake.Options) { o.Now = func() time.Time { return now } })
	if err := w.gateway.PutPartners(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	for round := range closed + 1 {
		err := store.Update(t.Context(), func(tx intake.Tx) error {
			for i := range partners {
				seq := uint64(round*partners + i + 1)
				r := intake.Registration{
					Number: fmt.Sprintf("LG-2026-%06d-X", seq), Seq: seq, Revision: 1, Status: intake.StatusLost, Partner: fmt.Sprintf("p%d", i),
					Contact: fmt.Sprintf("ana@p%d.example", i), Strength: intake.StrengthDomain, Lead: acme(), Since: now.AddDate(-1, 0, 0),
					Reply: intake.Route{Channel: "email", Address: fmt.Sprintf("ana@p%d.example", i)},
				}
				if round == closed/2 {
					r.Status, r.AnswerDue = intake.StatusNeedsInfo, now.AddDate(0, 0, 3)
				}
				if err := tx.PutCase(r); err != nil {
					return err
				}
			}
			return tx.Enqueue(intake.Task{Key: "partners:2026-11-23", Lane: intake.LaneDigest, Case: "partners", Due: now.Add(-time.Hour)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	paged := &pagedStore{Store: store}
	began := time.Now()
	told := make(chan struct{}, partners)
	w = newWorldWith(t, paged, func(o *intake.Options) {
		weekly(o)
		o.Now = func() time.Time { return now }
	})
	w.gateway.Register("email", telling{w.channel, told})
	stop := w.run()
	for range partners {
		select {
		case <-told:
		case <-time.After(time.Minute):
			t.Fatalf("%d digests within a minute", len(w.digests("")))
		}
	}
	t.Logf("%d digests among %d cases took %s", partners, partners*(closed+1), time.Since(began))
	stop()
	if got := w.digests(""); len(got) != partners || len(got[0].Week.Yours) != 1 {
		t.Errorf("%d digests, want %d", len(got), partners)
	}
	if paged.most > 200 {
		t.Errorf("one transaction read %d cases", paged.most)
	}
}

// telling says when something was delivered.
type telling struct {
	*fakeChannel
	told chan struct{}
}

func (c telling) Reply(ctx context.Context, m intake.Message) (thread json.RawMessage, err error) {
	thread, err = c.fakeChannel.Reply(ctx, m)
	c.told <- struct{}{}
	return thread, err
}

// TestADigestThatWasPlannedTellsOnlyWhatIsTheReadersWhenItIsMade: between the two a case can become
// another's, or nothing be left to tell.
func TestADigestThatWasPlannedTellsOnlyWhatIsTheReadersWhenItIsMade(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(w *world, own string)
		want   int // digests
	}{
		"only his own case is told": {func(*world, string) {}, 1},
		"nothing of a partner who is suspended meanwhile": {func(w *world, _ string) {
			w.becomes("alpha", intake.PartnerSuspended, time.Time{})
		}, 0},
		"nothing of a case about which nothing is to be done any more": {func(w *world, own string) { w.meets(own, time.Now(), true) }, 0},
		"nothing to who has switched it off meanwhile":                 {func(w *world, _ string) { w.switchDigest("ana@alpha.example", intake.DigestOff) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inWeeks(t, func(w *world) {
				own := w.submit("ana@alpha.example", acme()).Case
				bobs := w.submit("bob@alpha.example", named("Bob's", "bobs.example")).Case
				toms := w.submit("tom@beta.example", named("Tom's", "toms.example")).Case
				tt.change(w, own)
				err := w.store.Update(w.Context(), func(tx intake.Tx) error {
					return tx.Enqueue(intake.Task{
						Key: "week:2000-01-03:x", Lane: intake.LaneDigest, Case: "week:ana@alpha.example", Due: time.Now().UTC(),
						Payload: fmt.Appendf(nil, `{"partner":"alpha","address":"ana@alpha.example","channel":"email","cases":[%q,%q,%q],"since":%q,"until":%q}`,
							own, bobs, toms, time.Now().UTC().Format(time.RFC3339), time.Now().UTC().Format(time.RFC3339)),
					})
				})
				if err != nil {
					t.Fatal(err)
				}
				w.pass(2 * time.Minute)
				if k := w.week("ana@alpha.example", tt.want); tt.want > 0 {
					w.wantListed(k, []string{own}, nil, nil, nil)
				}
			}, func(s *rules.Spec) { s.RunOut = true })
		})
	}
}
