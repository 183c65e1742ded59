package intake_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/store/boltstore"
	"leadgate/store/memstore"
)

// crowd is ten partners who all register the same prospects, again and again and at once,
// while staff take holds away.
type crowd struct {
	*world
	prospects, each int // each partner registers each prospect so often
	sends           []send

	mu      sync.Mutex
	acked   map[string]string // key of the submission → the case that its receipt names
	looks   atomic.Int64      // accounts of which somebody looked who holds them
	taken   atomic.Int64      // holds that staff took away
	refused atomic.Int64      // times that staff came too late
}

// send is one delivery of a submission.
type send struct{ partner, prospect, round int }

const crowdPartners = 10

func TestOfTenPartnersInARaceForTheSameProspectsNoTwoEverHoldOne(t *testing.T) {
	for name, tt := range map[string]struct {
		open      func(t *testing.T) intake.Store
		prospects int
	}{
		// This store looks through all that it has for each question; a hundred thousand take hours.
		"in memory": {func(*testing.T) intake.Store { return memstore.New() }, 20},
		"in a file": {openInMemory, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // most of the time the last ones wait for their turns
			prospects := tt.prospects
			switch {
			case testing.Short():
				prospects = min(prospects, 50)
			case raceDetector:
				prospects = max(prospects/10, 10)
			}
			runWorld(t, tt.open(t), func(w *world) {
				c := &crowd{world: w, prospects: prospects, each: 10, acked: make(map[string]string)}
				c.race()
			})
		})
	}
}

// openInMemory opens a store in a file whose commits don't wait for a disk.
func openInMemory(t *testing.T) intake.Store {
	t.Helper()
	dir, err := os.MkdirTemp(shm(t), "scale")
	if err != nil {
		t.Fatal(err)
	}
	s, err := boltstore.Open(boltstore.Options{Path: filepath.Join(dir, "store.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (c *crowd) race() {
	var partners []intake.Partner
	for i := range crowdPartners {
		partners = append(partners, intake.Partner{
			ID: fmt.Sprintf("p%d", i), Name: fmt.Sprintf("Partner %d", i), Status: intake.PartnerActive, Motion: "reseller",
			Domains: []string{fmt.Sprintf("partner-%d.example", i)},
		})
	}
	if err := c.gateway.PutPartners(c.Context(), partners); err != nil {
		c.Fatal(err)
	}
	c.draw()
	began := time.Now()
	over := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { c.watch(over) })
	c.sendAll()
	sent := time.Since(began)
	c.settle()
	decided := time.Since(began)
	close(over)
	watching.Wait()
	if c.Failed() {
		return
	}
	c.checkStore()
	c.Logf("%d deliveries of %d submissions on %d prospects: accepted in %v, decided after %v; %d looks at accounts; staff took %d holds away and came %d times too late; checked after %v",
		len(c.sends), c.size(), c.prospects, sent.Round(time.Millisecond), decided.Round(time.Millisecond),
		c.looks.Load(), c.taken.Load(), c.refused.Load(), time.Since(began).Round(time.Millisecond))
}

func (c *crowd) size() int { return crowdPartners * c.prospects * c.each }

// draw puts the deliveries in an order in which those about one prospect come close together,
// so that they meet, and has one in twenty delivered twice.
func (c *crowd) draw() {
	random := rand.New(rand.NewPCG(1, 2))
	for prospect := range c.prospects {
		for partner := range crowdPartners {
			for round := range c.each {
				s := send{partner, prospect, round}
				c.sends = append(c.sends, s)
				if random.IntN(20) == 0 {
					c.sends = append(c.sends, s)
				}
			}
		}
	}
	for some := range slices.Chunk(c.sends, 20*crowdPartners*c.each) {
		random.Shuffle(len(some), func(i, j int) { some[i], some[j] = some[j], some[i] })
	}
}

func prospectName(i int) string { return fmt.Sprintf("prospect-%d.example", i) }

func (s send) submission() intake.Submission {
	domain := prospectName(s.prospect)
	lead := acme()
	lead[intake.FieldCompanyName], lead[intake.FieldCompanyDomain] = "Company "+domain, domain
	lead[intake.FieldContactEmail] = "boss@" + domain
	switch s.round % 3 { // the same in other words
	case 1:
		lead[intake.FieldCompanyDomain] = "https://www." + domain + "/about"
	case 2:
		lead[intake.FieldCountry] = "BE"
	}
	from := fmt.Sprintf("ana@partner-%d.example", s.partner)
	sub := intake.Submission{
		Key: fmt.Sprintf("mail:%d:%d:%d", s.partner, s.prospect, s.round), Channel: "email",
		Sender: intake.Sender{Address: from, Strength: intake.StrengthDomain}, ReceivedAt: time.Now(), Lead: lead,
	}
	if s.partner == 0 && s.prospect%10 == 0 {
		sub.ReceivedAt = sub.ReceivedAt.Add(-time.Hour) // in a mailbox that was not read
	}
	if s.round == 0 { // the others want no answer
		sub.Reply = intake.Route{Channel: "email", Address: from}
	}
	return sub
}

// sendAll delivers everything from many goroutines.
func (c *crowd) sendAll() {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(c.sends)); i = next.Add(1) - 1 {
				s := c.sends[i].submission()
				r, err := c.gateway.Accept(c.Context(), s)
				if err != nil {
					c.Errorf("%s: %v", s.Key, err)
					return
				}
				c.mu.Lock()
				if before := c.acked[s.Key]; before != "" && before != r.Case {
					c.Errorf("%s is said to be in %s and in %s", s.Key, before, r.Case)
				}
				c.acked[s.Key] = r.Case
				c.mu.Unlock()
				if i%100 == 0 {
					c.takeAway(rand.IntN(c.sends[i].prospect + 1))
				}
			}
		})
	}
	wg.Wait()
}

// account returns the live cases of a prospect as one snapshot has them.
func (c *crowd) account(prospect int) (cases []intake.Registration) {
	key := intake.AccountKeys(identity.Default(), intake.Lead{intake.FieldCompanyDomain: prospectName(prospect)})[0]
	err := c.store.View(context.Background(), func(tx intake.Tx) (err error) {
		cases, err = tx.CasesByKey(key, 1000)
		return err
	})
	if err != nil {
		c.Error(err)
	}
	return cases
}

// watch looks all the time who holds what.
func (c *crowd) watch(over <-chan struct{}) {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		holder := ""
		for _, r := range c.account(rand.IntN(c.prospects)) {
			switch {
			case !r.Status.Holds():
			case holder != "":
				c.Errorf("%s and %s hold %s at the same time", holder, r.Number, r.Lead[intake.FieldCompanyDomain])
			default:
				holder = r.Number
			}
		}
		c.looks.Add(1)
	}
}

// takeAway has staff end the hold of a prospect, so that accounts go from one partner to
// another in the middle of the race.
func (c *crowd) takeAway(prospect int) {
	act := c.gateway.Withdraw
	if rand.IntN(2) == 0 {
		act = func(ctx context.Context, number string, v intake.Verdict) (intake.Registration, error) {
			if r, err := c.gateway.Revoke(ctx, number, because("jo", "The customer objected.")); err != nil {
				return r, err
			}
			return c.gateway.Revoke(ctx, number, v)
		}
	}
	for _, r := range c.account(prospect) {
		if !r.Status.Holds() {
			continue
		}
		_, err := act(context.Background(), r.Number, because("mia", "They asked for it."))
		var illegal *intake.IllegalTransition
		var input *intake.ErrInput
		switch {
		case err == nil:
			c.taken.Add(1)
		case errors.As(err, &illegal), errors.As(err, &input):
			c.refused.Add(1) // somebody was faster
		default:
			c.Errorf("%s: %v", r.Number, err)
		}
	}
}

// settle waits until all is decided.
func (c *crowd) settle() {
	deadline := time.After(5 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for undecided(c.world) > 0 {
		select {
		case <-tick.C:
		case <-deadline:
			c.Fatalf("%d cases are not decided", undecided(c.world))
		}
	}
}

// holding is how long a case held its account; to is zero if it still does.
type holding struct {
	number   string
	from, to time.Time
}

// holdings reads from a history when its case held the account.
func (c *crowd) holdings(d intake.Dossier) []holding {
	var all []holding
	for _, e := range d.Events {
		switch {
		case e.Kind != intake.EventMoved || e.From.Holds() == e.To.Holds():
		case e.To.Holds():
			all = append(all, holding{number: e.Case, from: e.At})
		default:
			all[len(all)-1].to = e.At
		}
	}
	if holds := len(all) > 0 && all[len(all)-1].to.IsZero(); holds != d.Registration.Status.Holds() {
		c.Errorf("%s is %s, and by its events it holds its account: %t", d.Registration.Number, d.Registration.Status, holds)
	}
	return all
}

// checkStore proves from what is stored what must have been so all the time.
func (c *crowd) checkStore() {
	stored, held, statuses := make(map[string]string), make(map[string][]holding), make(map[string]int)
	contested := make(map[string]bool)
	for before := uint64(0); ; {
		page, err := c.gateway.Cases(context.Background(), intake.CaseQuery{Before: before, Limit: 1000})
		if err != nil {
			c.Fatal(err)
		}
		for _, r := range page {
			d := c.story(r.Number)
			for _, s := range d.Submissions {
				if other := stored[s.Key]; other != "" {
					c.Errorf("%s is stored in %s and in %s", s.Key, other, r.Number)
				}
				stored[s.Key] = r.Number
			}
			domain := r.Lead[intake.FieldCompanyDomain]
			held[domain] = append(held[domain], c.holdings(d)...)
			fate := c.fate(d.Registration)
			statuses[fate]++
			contested[domain] = contested[domain] || fate == string(intake.ReasonContested)
		}
		if len(page) < 1000 {
			break
		}
		before = page[len(page)-1].Seq
	}
	if len(c.acked) != c.size() || !maps.Equal(stored, c.acked) {
		c.Errorf("of %d submissions %d were acknowledged and %d are stored, or not where their receipts say", c.size(), len(c.acked), len(stored))
	}
	passed := 0
	for domain, all := range held {
		if len(all) == 0 {
			if !contested[domain] {
				c.Errorf("%s is free, and ten partners want it", domain)
			}
			continue
		}
		slices.SortFunc(all, func(a, b holding) int { return a.from.Compare(b.from) })
		for i, h := range all[1:] {
			passed++
			if before := all[i]; before.to.IsZero() || h.from.Before(before.to) {
				c.Errorf("%s is held by %s from %s to %s, and by %s from %s", domain, before.number, before.from, before.to, h.number, h.from)
			}
		}
	}
	if len(held) != c.prospects {
		c.Errorf("cases of %d prospects, want %d", len(held), c.prospects)
	}
	c.Logf("cases: %v; %d times an account went on to another", statuses, passed)
}

// fate says what became of a case; anything that must not is an error.
func (c *crowd) fate(r intake.Registration) string {
	switch r.Status {
	case intake.StatusProvisional, intake.StatusProtected, intake.StatusLocked:
		return "hold"
	case intake.StatusWaitlisted, intake.StatusMerged, intake.StatusWithdrawn, intake.StatusDeclined:
		return string(r.Status)
	case intake.StatusInReview:
		if r.Reason == intake.ReasonContested {
			return string(r.Reason)
		}
	}
	c.Errorf("case %s of %s is %s (%s)", r.Number, r.Lead[intake.FieldCompanyDomain], r.Status, r.Reason)
	return "other"
}
