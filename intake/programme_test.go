package intake_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

const (
	programmeDays          = 120
	programmePartners      = 10
	programmeRegistrations = 300
)

// programme is a partner programme of 120 days, told by a seed: partners register and compete,
// staff decide, the CRM is down for three days, the clock of the machine is set, summer time
// begins.
type programme struct {
	*world
	rand *rand.Rand
	// offset is by how much the machine's clock is wrong.
	offset atomic.Int64
	// jumps are the moments to which the clock was put forward by an hour.
	jumps []time.Time
	// registered counts the registrations.
	registered int
}

func TestAProgrammeOf120DaysRunsByItsClocksAndTheSameWayTwice(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("takes a minute, and several with the race detector; make test runs it without")
	}
	first := runProgramme(t, 1)
	t.Logf("\n%s", first.summary())
	if again := runProgramme(t, 1); again.text != first.text {
		t.Errorf("the same seed gives another report: %s", firstDifference(first.text, again.text))
	}
	if other := runProgramme(t, 2); other.text == first.text {
		t.Error("another seed gives the same report")
	}
}

// chronicle is what came of a programme.
type chronicle struct {
	text     string // the story of each case
	statuses map[intake.Status]int
	messages map[intake.MessageKind]int
	disputes int
	strikes  int
	latest   time.Duration
}

func (r chronicle) summary() string {
	var b strings.Builder
	for _, s := range intake.Statuses() {
		if n := r.statuses[s]; n > 0 {
			fmt.Fprintf(&b, "%4d %s\n", n, s)
		}
	}
	fmt.Fprintf(&b, "%4d conflicts, %d clocks struck, the latest %v late\n", r.disputes, r.strikes, r.latest)
	for _, k := range append(intake.MessageKinds(), intake.StaffKinds()...) {
		if n := r.messages[k]; n > 0 {
			fmt.Fprintf(&b, "%4d %s\n", n, k)
		}
	}
	return b.String()
}

func firstDifference(a, b string) string {
	la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(la), len(lb)) {
		if la[i] != lb[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i+1, la[i], lb[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(la), len(lb))
}

func runProgramme(t *testing.T, seed uint64) (r chronicle) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &programme{rand: rand.New(rand.NewPCG(seed, 0))}
		p.world = newWorldWith(t, memstore.New(), func(o *intake.Options) {
			o.Now = func() time.Time { return time.Now().Add(time.Duration(p.offset.Load())) }
		}, assist)
		p.register()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- p.gateway.Run(ctx) }()
		for day := range programmeDays {
			p.day(day)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		p.verifyChains()
		p.judgeAgain()
		r = p.chronicle()
	})
	return r
}

func (p *programme) register() {
	p.Helper()
	var partners []intake.Partner
	for i := range programmePartners {
		id := fmt.Sprintf("p%02d", i)
		partners = append(partners, intake.Partner{
			ID: id, Name: "Partner " + id, Status: intake.PartnerActive, Motion: intake.Motions()[i%len(intake.Motions())],
			Domains: []string{id + ".example"}, Contacts: []intake.Contact{{Email: "ana@" + id + ".example"}},
		})
	}
	if err := p.gateway.PutPartners(p.Context(), partners); err != nil {
		p.Fatal(err)
	}
}

// chance draws whether something with so many percent happens.
func (p *programme) chance(percent int) bool { return p.rand.IntN(100) < percent }

// day lets a day pass: what happens at its beginning, its registrations, the work of staff.
func (p *programme) day(n int) {
	midnight := time.Now().Add(24 * time.Hour)
	switch n {
	case 30:
		p.crm.set(func() {
			p.crm.lookup = func(intake.Lead) ([]intake.Match, error) { return nil, errDown }
			p.crm.push = func(intake.Record) error { return errDown }
		})
	case 33:
		p.crm.set(func() { p.crm.lookup, p.crm.push = nil, nil })
	case 50:
		p.jump()
	case 51:
		p.offset.Add(-int64(2 * time.Hour))
	case 52:
		p.jump()
	}
	p.pass(8 * time.Hour)
	for range 3 {
		if p.registered < programmeRegistrations {
			p.registers()
		}
		p.pass(time.Duration(20+p.rand.IntN(60)) * time.Minute)
	}
	p.works()
	p.pass(time.Until(midnight))
}

// jump puts the clock forward by an hour.
func (p *programme) jump() {
	p.offset.Add(int64(time.Hour))
	p.jumps = append(p.jumps, p.at())
}

// jumped reports whether the clock was put forward within the minute before t.
func (p *programme) jumped(t time.Time) bool {
	return slices.ContainsFunc(p.jumps, func(j time.Time) bool { return !t.Before(j) && t.Sub(j) < time.Minute })
}

// registers has a partner register one of 90 companies, so that they compete for some.
func (p *programme) registers() {
	partner := fmt.Sprintf("p%02d", p.rand.IntN(programmePartners))
	domain := fmt.Sprintf("prospect%d.example", p.rand.IntN(90))
	lead := acme()
	lead[intake.FieldCompanyName], lead[intake.FieldCompanyDomain] = "Prospect "+domain, domain
	lead[intake.FieldContactEmail] = "jane@" + domain
	if p.chance(10) {
		delete(lead, intake.FieldConsent)
	}
	p.submit("ana@"+partner+".example", lead)
	p.registered++
}

// works goes through all cases once, as staff and partners do in a day.
func (p *programme) works() {
	cases := p.cases()
	slices.Reverse(cases) // oldest first
	for _, r := range cases {
		from := r.Contact
		switch r.Status {
		case intake.StatusInReview:
			p.decides(r)
		case intake.StatusNeedsInfo:
			if p.chance(30) {
				s := p.submission(from, intake.Lead{intake.FieldConsent: intake.ConsentYes})
				s.Case, s.Text = r.Number, "Consent: yes"
				p.accept(s)
			}
		case intake.StatusProvisional:
			if p.chance(10) {
				p.does(p.gateway.Progress(p.Context(), r.Number, intake.Step{Kind: intake.EvidenceMeeting, At: p.at().Add(50 * time.Hour)}, mia))
			}
		case intake.StatusProtected:
			if p.chance(3) {
				p.command(from, r.Number, intake.Command{Verb: intake.VerbExtend, Words: "they need time"})
			}
		case intake.StatusLocked:
			if p.chance(3) {
				deal := []string{intake.DealWon, intake.DealLost}[p.rand.IntN(2)]
				if err := p.gateway.Apply(p.Context(), "fake", intake.Change{Case: r.Number, Fields: map[string]string{intake.ChangeStatus: deal}}); err != nil {
					p.Error(err)
				}
			}
		case intake.StatusDeclined:
			if p.chance(5) {
				p.command(from, r.Number, intake.Command{Verb: intake.VerbAppeal, Words: "we think otherwise"})
			}
		case intake.StatusAppeal:
			if p.chance(50) {
				p.does(p.gateway.Decline(p.Context(), r.Number, because("jo", "it was looked at again")))
			}
		}
		if !r.Extending.IsZero() && p.chance(40) {
			p.does(p.gateway.Extend(p.Context(), r.Number, 1+p.rand.IntN(30), mia))
		}
		synctest.Wait()
	}
	conflicts, err := p.gateway.Conflicts(p.Context(), false)
	if err != nil {
		p.Fatal(err)
	}
	for _, k := range conflicts {
		if k.Acknowledged.IsZero() && p.chance(50) {
			_, err = p.gateway.AcknowledgeConflict(p.Context(), k.ID, mia)
		} else if !k.Acknowledged.IsZero() && p.chance(50) {
			_, err = p.gateway.ResolveConflict(p.Context(), k.ID, k.Cases[0], because("mia", "first by the published order"))
		}
		if err != nil {
			p.refused(err)
		}
		synctest.Wait()
	}
}

func (p *programme) at() time.Time { return time.Now().Add(time.Duration(p.offset.Load())) }

// decides is what staff do about a case before them: mostly at once, sometimes too late.
func (p *programme) decides(r intake.Registration) {
	switch n := p.rand.IntN(100); {
	case n < 45:
		p.does(p.gateway.Approve(p.Context(), r.Number, because("mia", "it looks good to me")))
	case n < 55:
		p.does(p.gateway.Decline(p.Context(), r.Number, because("mia", "it does not look good")))
	case n < 60:
		p.does(p.gateway.Ask(p.Context(), r.Number, intake.Verdict{By: "mia", Message: "Is there a budget for it?"}))
	}
}

// does takes the result of an act of staff, which may be refused.
func (p *programme) does(_ intake.Registration, err error) {
	p.Helper()
	if err != nil {
		p.refused(err)
	}
}

func (p *programme) refused(err error) {
	p.Helper()
	if !strings.Contains(err.Error(), "can't") && !strings.Contains(err.Error(), "cannot") && !strings.Contains(err.Error(), "policy") && !strings.Contains(err.Error(), "confirm") && !strings.Contains(err.Error(), "resolve the conflict") {
		p.Errorf("an act of staff: %v", err)
	}
}

// chronicle tells what happened, and checks each clock that struck.
func (p *programme) chronicle() chronicle {
	p.Helper()
	out := chronicle{statuses: map[intake.Status]int{}, messages: map[intake.MessageKind]int{}}
	var text strings.Builder
	cases := p.cases()
	slices.Reverse(cases)
	if p.registered != programmeRegistrations || len(cases) < 200 {
		p.Errorf("%d registrations, %d cases", p.registered, len(cases))
	}
	for _, r := range cases {
		out.statuses[r.Status]++
		events := p.story(r.Number).Events
		late := p.clocks(r, events)
		out.strikes += len(late)
		out.latest = max(out.latest, slices.Max(append(late, 0)))
		fmt.Fprintf(&text, "%s %s:", r.Number, r.Lead[intake.FieldCompanyDomain])
		for _, e := range events {
			switch e.Kind {
			case intake.EventMoved:
				fmt.Fprintf(&text, " %s→%s(%s)", e.At.Format("01-02"), e.To, e.Reason)
			case intake.EventRang, intake.EventExtended, intake.EventDisputed:
				fmt.Fprintf(&text, " %s %s %s", e.At.Format("01-02"), e.Kind, e.Note)
			}
		}
		text.WriteByte('\n')
	}
	told := make(map[string]bool)
	for _, m := range append(p.channel.messages(), p.desk.messages()...) {
		out.messages[m.Kind]++
		if told[m.ID] {
			p.Errorf("message %s was sent twice", m.ID)
		}
		told[m.ID] = true
	}
	conflicts, err := p.gateway.Conflicts(context.Background(), true)
	if err != nil {
		p.Fatal(err)
	}
	out.disputes = len(conflicts)
	out.text = text.String()
	return out
}

// clocks checks that each clock of a case struck once for the state in which it did, and when
// it should have, and returns how late each was. Ends of holds are reckoned anew here.
func (p *programme) clocks(r intake.Registration, events []intake.Event) []time.Duration {
	p.Helper()
	zone, err := time.LoadLocation("Europe/Brussels")
	if err != nil {
		p.Fatal(err)
	}
	endOf := func(t time.Time, days int) time.Time {
		local := t.In(zone)
		return time.Date(local.Year(), local.Month(), local.Day()+days+1, 0, 0, 0, 0, zone)
	}
	var late []time.Duration
	struck := make(map[string]bool)
	var approved, end time.Time
	for _, e := range events {
		switch {
		case e.Kind == intake.EventMoved:
			struck = make(map[string]bool)
			switch e.To {
			case intake.StatusProvisional:
				approved, end = e.At, endOf(e.At, 14)
			case intake.StatusProtected:
				if full := endOf(approved, 90); full.After(end) {
					end = full
				}
			case intake.StatusExpired:
				if graced := e.At.Sub(end) > time.Hour; !graced {
					late = append(late, e.At.Sub(end))
				}
				if e.At.Before(end) {
					p.Errorf("%s ended at %s, before %s", r.Number, e.At, end)
				}
			}
		case e.Kind == intake.EventExtended:
			var days int
			if _, err := fmt.Sscanf(e.Note[strings.Index(e.Note, ", ")+2:], "%d", &days); err != nil {
				p.Fatalf("%q: %v", e.Note, err)
			}
			end = endOf(end.Add(-time.Second), days)
		case e.Kind == intake.EventRang:
			if struck[e.Note] {
				p.Errorf("%s: %s struck twice", r.Number, e.Note)
			}
			struck[e.Note] = true
			if strings.HasPrefix(e.Note, "promised") {
				continue
			}
			_, moment, named := strings.Cut(e.Note, ":")
			at, err := time.Parse(time.RFC3339, moment)
			if !named || err != nil || strings.HasPrefix(e.Note, "idle") || strings.HasPrefix(e.Note, "silent") {
				continue // named for what they wait for, not for when
			}
			if p.jumped(e.At) && e.At.Sub(at) < time.Hour+time.Minute {
				continue // its moment never came
			}
			late = append(late, e.At.Sub(at))
			if d := e.At.Sub(at); d < 0 || d > time.Minute+time.Second {
				p.Errorf("%s: %s struck %v after its time", r.Number, e.Note, d)
			}
		}
	}
	return late
}
