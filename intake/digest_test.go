package intake_test

import (
	"context"
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

// toStaff are the messages of a kind to an address of staff, of all addresses if it is empty.
func (w *world) toStaff(address string, kind intake.MessageKind) (found []intake.Message) {
	for _, m := range w.desk.messages() {
		if m.Kind == kind && (address == "" || m.To.Address == address) {
			found = append(found, m)
		}
	}
	return found
}

func (w *world) flood(from string, n int) (numbers []string) {
	for i := range n {
		domain := fmt.Sprintf("flood%d-%s.example", i, from[:3])
		numbers = append(numbers, w.accept(w.submission(from, named("Flood "+domain, domain))).Case)
	}
	w.pass(time.Minute)
	return numbers
}

func TestManyCasesAnHourAreToldInElevenMails(t *testing.T) {
	inWorld(t, func(w *world) {
		numbers := w.flood("ana@alpha.example", 300)
		w.pass(2 * time.Hour)
		one, rest := w.toStaff("jo@vendor.example", intake.StaffQueued), w.toStaff("jo@vendor.example", intake.StaffDigest)
		if len(one) != 10 || len(rest) != 1 {
			t.Fatalf("%d mails about one case, %d about many", len(one), len(rest))
		}
		b := rest[0].Brief
		if len(b.Digest) != 1 || !b.Gathered || b.Digest[0].Name != intake.DigestPending || b.Digest[0].Count != 290 || len(b.Digest[0].Cases) != 50 {
			t.Fatalf("the rest is told as %+v", b.Digest)
		}
		for _, m := range one {
			if n := m.Brief.Registration.Number; slices.Contains(b.Digest[0].Cases, n) || !slices.Contains(numbers, n) {
				t.Errorf("%s is told twice, or is none of the cases", n)
			}
		}
		w.flood("bob@alpha.example", 3) // there is room again
		if got := w.toStaff("jo@vendor.example", intake.StaffQueued); len(got) != 13 {
			t.Errorf("%d mails after the hour, want 13", len(got))
		}
		w.flood("cyr@alpha.example", 12)
		w.pass(2 * time.Hour)
		again := w.toStaff("jo@vendor.example", intake.StaffDigest)
		if len(again) != 2 || again[1].Brief.Digest[0].Count != 5 || len(again[1].Brief.Digest[0].Cases) != 5 {
			t.Errorf("the second flood is told in %d mails", len(again)-1)
		}
	}, assist, budgeted)
}

func TestNeitherStaffNorPartnersUseUpTheRoomOfTheOther(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 12 { // one of the vendor registers for a partner, and is the manager too
			s := w.submission("ana@alpha.example", named(fmt.Sprint("Company ", i), fmt.Sprintf("company%d.example", i)))
			s.Reply.Address = "jo@vendor.example"
			w.accept(s)
		}
		w.pass(time.Minute)
		if got := w.toStaff("", intake.StaffQueued); len(got) != 10 {
			t.Errorf("%d mails to staff, want 10", len(got))
		}
		if got := w.channel.messages(); len(got) != 6 {
			t.Errorf("%d answers, want 6", len(got))
		}
	}, assist, budgeted)
}

func TestWhatOnlyStaffCanSeeToIsNeverHeldBack(t *testing.T) {
	inWorld(t, func(w *world) {
		for i := range 15 {
			n := w.submit("ana@alpha.example", named(fmt.Sprint("Company ", i), fmt.Sprintf("company%d.example", i))).Case
			s := w.submission("ana@alpha.example", nil)
			s.Case, s.Commands, s.Text = n, []intake.Command{{Verb: intake.VerbExtend}}, "EXTEND"
			w.accept(s)
			w.pass(time.Second)
		}
		if got := w.toStaff("jo@vendor.example", intake.StaffNextStep); len(got) != 10 {
			t.Errorf("%d of 15 approved cases were told to sales one by one", len(got))
		}
		if got := w.toStaff("jo@vendor.example", intake.StaffRequest); len(got) != 15 {
			t.Errorf("%d of 15 requests were told", len(got))
		}
	}, budgeted)
}

func TestStaffWhoCalledItUnwantedGetNoMailAndTheCaseSaysSo(t *testing.T) {
	inWorld(t, func(w *world) {
		first := w.submit("ana@alpha.example", named("First", "first.example"))
		report(w, "arf", intake.Delivery{Message: w.toStaff("", intake.StaffQueued)[0].ID, Complaint: true})
		second := w.submit("ana@alpha.example", named("Second", "second.example"))
		w.pass(time.Minute)
		if got := w.toStaff("", intake.StaffQueued); len(got) != 1 {
			t.Errorf("%d mails to staff after the complaint", len(got)-1)
		}
		d := w.story(second.Case)
		if got := notes(d, intake.EventUndelivered); len(got) != 1 || !strings.HasPrefix(got[0], "S-"+second.Case) || d.Registration.Unread != 0 {
			t.Errorf("the case says %q, %d unread", got, d.Registration.Unread)
		}
		if got := notes(w.story(first.Case), intake.EventUndelivered); len(got) != 0 {
			t.Errorf("the case that was told says %q", got)
		}
	}, assist)
}

func TestStaffMailThatFailsIsSaidInTheCaseAndUnreadByNobody(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.fail = func(intake.Message) error { return intake.Permanent(errDown) }
		refused := w.submit("ana@alpha.example", acme())
		w.desk.fail = nil
		bounced := w.submit("ana@alpha.example", named("Other", "other.example"))
		report(w, "dsn", intake.Delivery{Message: w.toStaff("", intake.StaffQueued)[0].ID, Failed: true, Status: "5.1.1"})
		for number, kind := range map[string]intake.EventKind{refused.Case: intake.EventUndelivered, bounced.Case: intake.EventReported} {
			d := w.story(number)
			if got := notes(d, kind); len(got) != 1 || !strings.HasPrefix(got[0], "S-"+number) || d.Registration.Unread != 0 {
				t.Errorf("%s: %q, %d unread", kind, got, d.Registration.Unread)
			}
		}
		if got := w.channel.messages(); len(got) != 2 {
			t.Errorf("the partner got %d messages, want the two answers", len(got))
		}
	}, assist)
}

func TestGatheredCasesThatCannotBeToldSaySo(t *testing.T) {
	inWorld(t, func(w *world) {
		w.desk.fail = func(m intake.Message) error {
			if m.Kind == intake.StaffDigest {
				return intake.Permanent(errDown)
			}
			return nil
		}
		w.flood("ana@alpha.example", 12)
		w.pass(2 * time.Hour)
		said := 0
		for _, r := range w.cases() {
			said += len(notes(w.story(r.Number), intake.EventUndelivered))
		}
		if said != 2 {
			t.Errorf("%d cases say that they were not told, want 2", said)
		}
	}, assist, budgeted)
}

// line is one line of the last digest to an address.
func (w *world) line(address, name string) intake.DigestLine {
	w.Helper()
	all := w.toStaff(address, intake.StaffDigest)
	if len(all) == 0 {
		w.Fatalf("no digest to %s", address)
	}
	for _, l := range all[len(all)-1].Brief.Digest {
		if l.Name == name {
			return l
		}
	}
	w.Fatalf("the digest to %s has no line %s", address, name)
	return intake.DigestLine{}
}

func (w *world) wantLine(address, name string, cases ...string) {
	w.Helper()
	l := w.line(address, name)
	slices.Sort(l.Cases)
	slices.Sort(cases)
	if l.Count != len(cases) || !slices.Equal(l.Cases, cases) {
		w.Errorf("%s reads %s: %d %v, want %v", address, name, l.Count, l.Cases, cases)
	}
}

// mondayAfter is the first Monday at eight in Brussels after now, by counting hours.
func mondayAfter(t *testing.T, now time.Time) time.Time {
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		t.Fatal(err)
	}
	at := now.Truncate(time.Hour).Add(time.Hour).In(zone)
	for at.Weekday() != time.Monday || at.Hour() != 8 {
		at = at.Add(time.Hour)
	}
	return at
}

func TestEachMondayManagersReadOfTheirCasesAndTheContactOfAll(t *testing.T) {
	inWorld(t, func(w *world) {
		jos := w.submit("ana@alpha.example", acme()).Case
		mias := w.submit("tom@beta.example", named("Beta's", "betas.example")).Case
		asked := w.submit("tom@beta.example", without(named("Asked", "asked.example"), intake.FieldProblem)).Case
		similar := w.submit("tom@beta.example", lead("Acme GmbH", "acme-group.example", "j@acme-group.example")).Case
		monday := mondayAfter(t, time.Now())
		w.until(monday.Add(-time.Second))
		if got := w.toStaff("", intake.StaffDigest); len(got) != 0 {
			t.Fatalf("%d digests before Monday at eight", len(got))
		}
		w.pass(2 * time.Second)
		if got := w.toStaff("", intake.StaffDigest); len(got) != 2 {
			t.Fatalf("%d digests, want one to each of two", len(got))
		}
		w.wantLine("jo@vendor.example", intake.DigestPending, jos)
		w.wantLine("jo@vendor.example", intake.DigestWaiting)
		w.wantLine("mia@vendor.example", intake.DigestPending, jos, mias, similar)
		w.wantLine("mia@vendor.example", intake.DigestWaiting, asked)
		w.wantLine("mia@vendor.example", intake.DigestDuplicates, similar)
		w.wantLine("mia@vendor.example", intake.DigestUndelivered)
		if b := w.toStaff("jo@vendor.example", intake.StaffDigest)[0].Brief; b.Gathered || len(b.Digest) != len(intake.DigestNames()) {
			t.Errorf("the week is told as %+v", b)
		}
	}, assist)
}

func TestTheWeekTellsWhatIsLateExpiringIdleAndUndelivered(t *testing.T) {
	inWorld(t, func(w *world) {
		w.channel.fail = func(m intake.Message) error {
			if m.To.Address == "lost@beta.example" {
				return intake.Permanent(errDown)
			}
			return nil
		}
		held := w.submit("ana@alpha.example", acme()).Case
		late := w.submit("tom@beta.example", lead("Acme GmbH", "acme-group.example", "j@acme-group.example")).Case
		lost := w.submit("lost@beta.example", named("Lost", "lost.example")).Case
		w.wantStatus(held, intake.StatusProvisional)
		monday := mondayAfter(t, time.Now())
		w.until(monday.Add(time.Second))
		w.wantLine("jo@vendor.example", intake.DigestExpiring, held)
		w.wantLine("mia@vendor.example", intake.DigestUndelivered, lost)
		if _, err := w.gateway.Progress(w.Context(), held, intake.Step{Kind: intake.EvidenceMeeting, At: time.Now(), Held: true, Source: "sales"}, intake.Verdict{By: "mia"}); err != nil {
			t.Fatal(err)
		}
		w.until(monday.AddDate(0, 0, 77).Add(time.Second))
		w.wantLine("jo@vendor.example", intake.DigestExpiring) // a lock has no end
		w.wantLine("jo@vendor.example", intake.DigestIdle, held)
		w.wantLine("mia@vendor.example", intake.DigestLate, late)
		w.wantLine("mia@vendor.example", intake.DigestUndelivered) // four weeks are enough
	}, func(s *rules.Spec) { s.Terms.AtOnce = false })
}

func TestAnEmptyWeekIsNotTold(t *testing.T) {
	inWorld(t, func(w *world) {
		w.pass(15 * 24 * time.Hour)
		if got := w.desk.messages(); len(got) != 0 {
			t.Errorf("%d messages about nothing", len(got))
		}
		w.submit("ana@alpha.example", acme()) // the weeks go on
		w.pass(7 * 24 * time.Hour)
		if got := w.toStaff("jo@vendor.example", intake.StaffDigest); len(got) != 1 {
			t.Errorf("%d digests of the first week with a case", len(got))
		}
	}, assist)
}

func TestMoreThanTwentyCasesOfALineAreCountedAndTheOldestNamed(t *testing.T) {
	inWorld(t, func(w *world) {
		numbers := w.flood("ana@alpha.example", 450) // more than two pages
		w.until(mondayAfter(t, time.Now()).Add(time.Second))
		if l := w.line("jo@vendor.example", intake.DigestPending); l.Count != 450 || !slices.Equal(l.Cases, numbers[:20]) {
			t.Errorf("%d cases, named %v", l.Count, l.Cases)
		}
	}, assist)
}

func TestTheWeekIsToldAtEightWhereTheClocksAreSet(t *testing.T) {
	inWorld(t, func(w *world) {
		w.submit("ana@alpha.example", acme())
		w.pass(364 * 24 * time.Hour) // the bubble begins in January 2000: both changes of the clock
		told := w.toStaff("mia@vendor.example", intake.StaffDigest)
		if len(told) != 52 {
			t.Fatalf("%d digests in 52 weeks", len(told))
		}
		zone, _ := time.LoadLocation("Europe/Brussels")
		hours := map[int]bool{}
		for _, m := range told {
			if at := m.At.In(zone); at.Weekday() != time.Monday || at.Format("15:04") != "08:00" {
				t.Errorf("told on %s", at.Format(time.RFC1123Z))
			}
			hours[m.At.Hour()] = true
		}
		if !hours[6] || !hours[7] {
			t.Errorf("the clocks were not set: %v", hours)
		}
	}, assist, func(s *rules.Spec) { s.Terms.DecisionReminders = nil })
}

// processes runs gateways on one store, each for a while.
type processes struct {
	*world
	store intake.Store
}

func (p processes) start() (stop func()) {
	p.Helper()
	g := newWorld(p.T, p.store, assist)
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

func inProcesses(t *testing.T, fn func(p processes)) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New(memstore.RunTwice())
		fn(processes{newWorld(t, store, assist), store})
	})
}

// waiting are the open tasks of a queue.
func (p processes) waiting(queue string) (tasks []intake.Task) {
	p.Helper()
	err := p.store.View(p.Context(), func(tx intake.Tx) (err error) {
		tasks, err = tx.Open(queue)
		return err
	})
	if err != nil {
		p.Fatal(err)
	}
	return tasks
}

func TestTwoGatewaysAndManyRestartsTellAWeekOnce(t *testing.T) {
	inProcesses(t, func(p processes) {
		p.accept(p.submission("ana@alpha.example", acme()))
		first, second := p.start(), p.start()
		p.pass(time.Hour)
		for range 5 {
			first()
			first = p.start()
			p.pass(time.Minute)
		}
		if tasks := p.waiting("weekly"); len(tasks) != 1 {
			t.Errorf("%d tasks wait for the next week", len(tasks))
		}
		monday := mondayAfter(t, time.Now())
		p.until(monday.Add(time.Second))
		first()
		first = p.start()
		p.until(monday.AddDate(0, 0, 7).Add(time.Hour))
		if got := p.toStaff("jo@vendor.example", intake.StaffDigest); len(got) != 2 {
			t.Errorf("two weeks are told in %d mails", len(got))
		}
		first()
		second()
	})
}

func TestWeeksThatWereMissedAreToldOnceAndLate(t *testing.T) {
	inProcesses(t, func(p processes) {
		p.accept(p.submission("ana@alpha.example", acme()))
		stop := p.start()
		p.pass(time.Hour)
		stop()
		monday := mondayAfter(t, time.Now())
		p.until(monday.AddDate(0, 0, 15).Add(5 * time.Hour)) // three Mondays are missed
		stop = p.start()
		p.pass(time.Hour)
		if got := p.toStaff("jo@vendor.example", intake.StaffDigest); len(got) != 1 {
			t.Fatalf("the weeks that were missed are told in %d mails", len(got))
		}
		p.until(monday.AddDate(0, 0, 21).Add(time.Hour))
		if got := p.toStaff("jo@vendor.example", intake.StaffDigest); len(got) != 2 {
			t.Errorf("%d digests after the next Monday, want 2", len(got))
		}
		stop()
	})
}

func TestTwoWeeksThatAreLateTogetherAreToldOnce(t *testing.T) {
	inProcesses(t, func(p processes) {
		p.accept(p.submission("ana@alpha.example", acme()))
		stop := p.start()
		p.pass(time.Hour)
		monday := mondayAfter(t, time.Now())
		stop()
		p.until(monday.Add(24 * time.Hour))
		second := monday.AddDate(0, 0, 7)
		err := p.store.Update(t.Context(), func(tx intake.Tx) error { // as a start between the two leaves it
			return tx.Enqueue(intake.Task{Key: "weekly:" + second.Format(time.DateOnly), Lane: intake.LaneTimer, Case: "weekly", Due: second.UTC(), Payload: []byte(`"` + second.Format(time.DateOnly) + `"`)})
		})
		if err != nil {
			t.Fatal(err)
		}
		p.until(second.Add(24 * time.Hour))
		stop = p.start()
		p.pass(time.Hour)
		if got := p.toStaff("jo@vendor.example", intake.StaffDigest); len(got) != 1 {
			t.Errorf("two late weeks are told in %d mails", len(got))
		}
		stop()
	})
}
