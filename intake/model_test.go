package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/boltstore"
	"leadgate/store/memstore"
)

// model drives a gateway through a life of random steps, kills it between any two of them, and
// looks after each whether what must never happen has happened.
type model struct {
	*rapid.T
	store   *crashing
	now     time.Time
	channel *fakeChannel
	crm     *fakeCRM
	gateway *intake.Gateway
	claims  map[string]time.Time // the latest of each case
	sent    int
	passed  map[string]bool   // the cases that went from one partner to another
	seen    map[string]string // message id and recipient → its words
}

// crashing is a store under which the process dies now and then: before a transaction's commit,
// or after it, when nobody is told any more.
type crashing struct {
	intake.Store
	in    int // transactions until the next crash; 0 for never
	after bool
	dead  bool
}

var errDead = errors.New("the process is dead")

func (s *crashing) Update(ctx context.Context, fn func(intake.Tx) error) error {
	if s.dead {
		return errDead
	}
	if s.in > 0 {
		s.in--
		if s.dead = s.in == 0; s.dead && !s.after {
			return errDead
		}
	}
	err := s.Store.Update(ctx, fn)
	if s.dead {
		return errDead
	}
	return err
}

func (s *crashing) View(ctx context.Context, fn func(intake.Tx) error) error {
	if s.dead {
		return errDead
	}
	return s.Store.View(ctx, fn)
}

func TestWhatMustNeverHappenDoesNotInAnyLifeOfManyCases(t *testing.T) {
	stores := map[string]func(*rapid.T) intake.Store{
		"in memory": func(*rapid.T) intake.Store { return memstore.New(memstore.RunTwice()) },
		"in a file": func(rt *rapid.T) intake.Store {
			dir, err := os.MkdirTemp(shm(t), "model")
			if err != nil {
				rt.Fatal(err)
			}
			s, err := boltstore.Open(boltstore.Options{Path: filepath.Join(dir, "store.db")})
			if err != nil {
				rt.Fatal(err)
			}
			rt.Cleanup(func() {
				if err := errors.Join(s.Close(), os.RemoveAll(dir)); err != nil {
					t.Error(err)
				}
			})
			return s
		},
	}
	if testing.Short() || raceDetector {
		if err := flag.Set("rapid.checks", "20"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = flag.Set("rapid.checks", "100") })
	}
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { newModel(rt, open(rt)).live() })
		})
	}
}

// shm is a directory in memory where there is one, for a commit to the disk takes long.
func shm(t *testing.T) string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return t.TempDir()
}

func newModel(t *rapid.T, store intake.Store) *model {
	m := &model{
		T: t, store: &crashing{Store: store}, now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC),
		channel: &fakeChannel{}, crm: newFakeCRM(), claims: make(map[string]time.Time), seen: make(map[string]string), passed: make(map[string]bool),
	}
	m.start()
	err := m.gateway.PutPartners(context.Background(), []intake.Partner{
		{ID: "alpha", Name: "Alpha CANARY-ALPHA", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha.example"}, Contacts: []intake.Contact{{Email: "ana@alpha.example"}}},
		{ID: "beta", Name: "Beta CANARY-BETA", Status: intake.PartnerActive, Motion: "reseller", Domains: []string{"beta.example"}, Contacts: []intake.Contact{{Email: "ana@beta.example"}}},
		{ID: "gamma", Name: "Gamma CANARY-GAMMA", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"gamma.example"}, Contacts: []intake.Contact{{Email: "ana@gamma.example"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// start begins a new process on the store.
func (m *model) start() {
	m.store.dead, m.store.in = false, 0
	spec := rules.Default()
	spec.Mode, spec.Required, spec.Timezone = intake.ModeAuto, rules.RequiredShort, "Europe/Brussels"
	spec.Contact = rules.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
	spec.Extension.Auto = true
	policy, err := rules.New(spec, identity.Default())
	if err != nil {
		m.Fatal(err)
	}
	numbers, err := intake.NewNumbering("LG", []byte("0123456789abcdef"))
	if err != nil {
		m.Fatal(err)
	}
	m.gateway, err = intake.New(intake.Options{
		Store: m.store, Policy: policy, Identity: identity.Default(), Numbers: numbers, CRMs: []intake.CRM{m.crm},
		Program: "Vendor", StaffChannel: "email", Now: func() time.Time { return m.now },
		Budget: intake.Budget{AddressHour: 1e6, AddressDay: 1e6, DomainHour: 1e6, CaseDay: 1e6, Hour: 1e6},
	})
	if err != nil {
		m.Fatal(err)
	}
	m.gateway.Register("email", m.channel)
}

func (m *model) live() {
	m.Repeat(map[string]func(*rapid.T){
		"a partner registers":     func(*rapid.T) { m.register() },
		"a partner writes a word": func(*rapid.T) { m.word() },
		"staff decide":            func(*rapid.T) { m.staff() },
		"something in the CRM":    func(*rapid.T) { m.inCRM() },
		"time passes":             func(*rapid.T) { m.passes() },
		"the process dies soon": func(*rapid.T) {
			m.store.in, m.store.after = rapid.IntRange(1, 12).Draw(m.T, "transactions left"), rapid.Bool().Draw(m.T, "after the commit")
		},
		"": func(*rapid.T) { m.look() },
	})
}

func (m *model) pick(name string, of ...string) string { return rapid.SampledFrom(of).Draw(m.T, name) }

func (m *model) partner() string { return m.pick("partner", "alpha", "beta", "gamma") }

func (m *model) mail(partner string) intake.Submission {
	m.sent++
	from := "ana@" + partner + ".example"
	return intake.Submission{
		Key: fmt.Sprintf("mail:%d", m.sent), Channel: "email", Sender: intake.Sender{Address: from, Strength: intake.StrengthDomain},
		Reply: intake.Route{Channel: "email", Address: from}, ReceivedAt: m.now,
	}
}

func (m *model) register() {
	p := m.partner()
	s := m.mail(p)
	domain := m.pick("company", "one.example", "two.example", "blocked-"+p+".example")
	s.Lead = intake.Lead{
		intake.FieldCompanyName: "Prospect CANARY-" + strings.ToUpper(p), intake.FieldCompanyDomain: domain,
		intake.FieldContactEmail: "jo@" + domain, intake.FieldProblem: "Something takes far too long.", intake.FieldConsent: intake.ConsentYes,
	}
	if rapid.IntRange(0, 4).Draw(m.T, "incomplete") == 0 {
		delete(s.Lead, intake.FieldConsent)
	}
	if rapid.IntRange(0, 4).Draw(m.T, "deal") == 0 {
		s.Lead[intake.FieldKind], s.Lead[intake.FieldTargetRevenue] = intake.KindDeal, "1000 EUR"
	}
	if rapid.IntRange(0, 5).Draw(m.T, "unproven") == 0 {
		s.Sender.Strength = intake.StrengthUnverified
	}
	s.ReceivedAt = m.now.Add(-time.Duration(rapid.IntRange(0, 600).Draw(m.T, "minutes unread")) * time.Minute)
	m.accept(s)
}

// accept offers a submission until it is acknowledged, as a channel does.
func (m *model) accept(s intake.Submission) {
	for range 3 {
		if _, err := m.gateway.Accept(context.Background(), s); err == nil {
			m.work()
			return
		} else if !errors.Is(err, errDead) {
			m.Fatalf("accept: %v", err)
		}
		m.start()
	}
}

// some draws a case, "" if there is none.
func (m *model) some() (number, partner string) {
	cases := m.cases()
	if len(cases) == 0 {
		return "", ""
	}
	r := cases[rapid.IntRange(0, len(cases)-1).Draw(m.T, "case")]
	return r.Number, r.Partner
}

func (m *model) cases() []intake.Registration {
	var cases []intake.Registration
	err := m.store.Store.View(context.Background(), func(tx intake.Tx) (err error) {
		cases, err = tx.ListCases(intake.CaseQuery{Limit: 10_000})
		return err
	})
	if err != nil {
		m.Fatal(err)
	}
	return cases
}

func (m *model) word() {
	number, partner := m.some()
	if partner == "" {
		return
	}
	s := m.mail(partner)
	if rapid.IntRange(0, 4).Draw(m.T, "whose") == 0 {
		s = m.mail(m.partner())
	}
	s.CaseHint, s.Text = number, "some words"
	switch verb := intake.Verb(m.pick("verb", "status", "withdraw", "extend", "appeal", "yes, consent", "invitation")); verb {
	case "yes, consent":
		s.Lead = intake.Lead{intake.FieldConsent: intake.ConsentYes}
	case "invitation":
		s.Meetings = []intake.Meeting{{
			UID: number, Method: "REQUEST", Start: m.now.Add(30 * time.Hour), Attendees: []string{"jo@one.example", "jo@two.example"},
		}}
	default:
		s.Commands = []intake.Command{{Verb: verb, Case: number, Words: "for a reason"}}
	}
	m.accept(s)
}

func (m *model) staff() {
	number, _ := m.some()
	if number == "" {
		return
	}
	g, ctx := m.gateway, context.Background()
	v := intake.Verdict{By: m.pick("by", "mia", "jo", "kim"), Rationale: "because it is right so", Message: "That is what we think."}
	acts := map[string]func() error{
		"approve":  func() error { _, err := g.Approve(ctx, number, v); return err },
		"decline":  func() error { _, err := g.Decline(ctx, number, v); return err },
		"ask":      func() error { _, err := g.Ask(ctx, number, v); return err },
		"waitlist": func() error { _, err := g.Waitlist(ctx, number, v); return err },
		"extend":   func() error { _, err := g.Extend(ctx, number, 10, v); return err },
		"refuse":   func() error { _, err := g.RefuseExtension(ctx, number, v); return err },
		"progress": func() error {
			at, held := m.now.Add(48*time.Hour), rapid.Bool().Draw(m.T, "held")
			_, err := g.Progress(ctx, number, intake.Step{Kind: intake.EvidenceMeeting, At: at, Held: held}, v)
			return err
		},
		"release":  func() error { _, err := g.Release(ctx, number, v); return err },
		"revoke":   func() error { _, err := g.Revoke(ctx, number, v); return err },
		"withdraw": func() error { _, err := g.Withdraw(ctx, number, v); return err },
		"won":      func() error { _, err := g.Close(ctx, number, intake.DealWon, v); return err },
		"reopen":   func() error { _, err := g.Close(ctx, number, intake.DealOpen, v); return err },
		"elevate": func() error {
			_, err := g.Elevate(ctx, number, intake.Lead{intake.FieldTargetRevenue: "5 EUR"}, v)
			return err
		},
		"look into": func() error { _, err := g.AcknowledgeAppeal(ctx, number, v); return err },
		"assign":    func() error { _, err := g.Assign(ctx, number, "", v); return err },
		"reassign": func() error {
			m.passed[number] = true
			_, err := g.Reassign(ctx, number, m.partner(), v)
			return err
		},
		"move": func() error {
			_, err := g.Amend(ctx, number, intake.Lead{intake.FieldCompanyDomain: "two.example"}, v)
			return err
		},
		"erase":      func() error { _, err := g.Erase(ctx, number, v); return err },
		"take up":    func() error { return m.takeUp(v) },
		"resolve":    func() error { return m.resolve(number, v) },
		"seen":       func() error { _, err := g.Seen(ctx, number, v); return err },
		"dismiss":    func() error { _, err := g.Dismiss(ctx, number, v); return err },
		"attributes": func() error { _, err := g.Attribute(ctx, number, nil, v); return err },
	}
	var names []string
	for name := range acts {
		names = append(names, name)
	}
	slices.Sort(names)
	before := m.stored(number)
	err := acts[m.pick("act", names...)]()
	if err != nil && !errors.Is(err, errDead) {
		if after := m.stored(number); after != before {
			m.Fatalf("%s was refused with %q and changed all the same:\n%s\n%s", number, err, before, after)
		}
	}
	m.work()
}

// takeUp acknowledges the first conflict that is open.
func (m *model) takeUp(v intake.Verdict) error {
	open, err := m.gateway.Conflicts(context.Background(), false)
	if err != nil || len(open) == 0 {
		return err
	}
	_, err = m.gateway.AcknowledgeConflict(context.Background(), open[0].ID, v)
	return err
}

func (m *model) resolve(number string, v intake.Verdict) error {
	open, err := m.gateway.Conflicts(context.Background(), false)
	if err != nil || len(open) == 0 {
		return err
	}
	k := open[0]
	if !slices.Contains(k.Cases, number) {
		number = k.Cases[0]
	}
	_, err = m.gateway.ResolveConflict(context.Background(), k.ID, number, v)
	return err
}

// stored is a case as the store has it.
func (m *model) stored(number string) string {
	var s string
	err := m.store.Store.View(context.Background(), func(tx intake.Tx) error {
		r, err := tx.Case(number)
		if err != nil {
			return err
		}
		events, err := tx.Events(number)
		b, _ := json.Marshal([]any{r, len(events)})
		s = string(b)
		return err
	})
	if err != nil {
		m.Fatal(err)
	}
	return s
}

func (m *model) inCRM() {
	number, _ := m.some()
	if number == "" {
		return
	}
	fields := map[string]string{}
	switch m.pick("change", "won", "lost", "open", "meeting", "activity") {
	case "meeting":
		fields[intake.ChangeMeeting], fields[intake.ChangeHeld] = m.now.Format(time.RFC3339), "true"
	case "activity":
		fields[intake.ChangeActivity] = m.now.Format(time.RFC3339)
	default:
		fields[intake.ChangeStatus] = m.pick("deal", intake.DealWon, intake.DealLost, intake.DealOpen)
	}
	if err := m.gateway.Apply(context.Background(), "fake", intake.Change{Case: number, Fields: fields}); err != nil && !errors.Is(err, errDead) {
		m.Fatal(err)
	}
	m.work()
}

func (m *model) passes() {
	m.now = m.now.Add(time.Duration(rapid.SampledFrom([]int{1, 30, 24 * 60, 5 * 24 * 60, 20 * 24 * 60}).Draw(m.T, "minutes")) * time.Minute)
	m.work()
}

// work lets the gateway do what is due; if it dies, another one goes on.
func (m *model) work() {
	for range 5 {
		_, err := m.gateway.Work(context.Background(), 500)
		if !m.store.dead {
			if err != nil {
				m.Fatal(err)
			}
			return
		}
		m.now = m.now.Add(2 * time.Minute) // the leases of the dead run out
		m.start()
	}
}

// look checks all that must be true at any time.
func (m *model) look() {
	m.store.in = 0
	m.work()
	holders, claimed, held := make(map[string]string), make(map[string]bool), make(map[string]int)
	cases := m.cases()
	for _, r := range cases {
		if r.Status.Claims() {
			claimed[r.Lead[intake.FieldCompanyDomain]] = true
		}
		if r.Status.Holds() {
			held[r.Partner]++
		}
	}
	m.lookAtCounts(held)
	for _, r := range cases {
		if r.Status == intake.StatusWaitlisted && !claimed[r.Lead[intake.FieldCompanyDomain]] {
			m.Fatalf("%s waits for an account that nobody claims", r.Number)
		}
		if r.Status.Holds() {
			key := r.Lead[intake.FieldCompanyDomain] + "/" + r.Scope
			if other := holders[key]; other != "" {
				m.Fatalf("%s and %s both hold %s", other, r.Number, key)
			}
			holders[key] = r.Number
		}
		if r.Claim.Before(m.claims[r.Number]) {
			m.Fatalf("the claim of %s went from %s to %s", r.Number, m.claims[r.Number], r.Claim)
		}
		m.claims[r.Number] = r.Claim
		m.lookAt(r)
	}
	m.lookAtMessages()
}

// lookAtCounts checks how many accounts each partner is said to hold.
func (m *model) lookAtCounts(held map[string]int) {
	for _, partner := range []string{"alpha", "beta", "gamma"} {
		n, err := m.gateway.Holds(context.Background(), partner)
		if err != nil || n != held[partner] {
			m.Fatalf("%s is said to hold %d accounts, and holds %d; %v", partner, n, held[partner], err)
		}
	}
}

func (m *model) lookAt(r intake.Registration) {
	d, err := m.gateway.Dossier(context.Background(), r.Number)
	if err != nil || d.Chain != "" {
		m.Fatalf("%s: %v %s", r.Number, err, d.Chain)
	}
	var status intake.Status
	for _, e := range d.Events {
		if e.Kind != intake.EventMoved && e.Kind != intake.EventAccepted {
			continue
		}
		if e.Actor == "" || e.Trigger == "" || e.At.IsZero() {
			m.Fatalf("%s: nobody is named in %+v", r.Number, e)
		}
		if e.Kind == intake.EventMoved && e.From != status {
			m.Fatalf("%s: event %d leaves %s, the case was %s", r.Number, e.N, e.From, status)
		}
		if err := intake.CheckTransition(status, e.To, e.Trigger); err != nil {
			m.Fatalf("%s: event %d: %v", r.Number, e.N, err)
		}
		status = e.To
	}
	if status != r.Status {
		m.Fatalf("%s is %s, and by its events %s", r.Number, r.Status, status)
	}
	timers := 0
	for _, task := range d.Tasks {
		if task.Lane == intake.LaneTimer {
			timers++
		}
	}
	ended := !r.Status.Claims() && r.Status != intake.StatusQuarantined
	if ended && timers > 0 || timers > 1 {
		m.Fatalf("%s is %s and has %d timers", r.Number, r.Status, timers)
	}
	if r.Status == intake.StatusSubmitted {
		m.Fatalf("%s is stuck in submitted, since %s: %+v", r.Number, r.Since, d.Tasks)
	}
	if r.Status.Holds() && r.Status != intake.StatusLocked && r.Alarm.Key == "" {
		m.Fatalf("%s is %s and nothing will wake it", r.Number, r.Status)
	}
}

// lookAtMessages checks that each message was sent once, to its own partner, about nobody else.
func (m *model) lookAtMessages() {
	for _, msg := range m.channel.messages() {
		b, _ := json.Marshal(msg)
		words := string(b)
		key := msg.ID + " " + msg.To.Address
		if before, twice := m.seen[key]; twice && before != words {
			m.Fatalf("%s was sent twice, with other words", key)
		}
		m.seen[key] = words
		if msg.Brief != nil {
			if !strings.HasSuffix(msg.To.Address, "@vendor.example") {
				m.Fatalf("what is for staff went to %s", msg.To.Address)
			}
			continue
		}
		if m.passed[msg.Facts.Case] || m.passed[msg.Facts.Related] {
			continue // staff have given it to him
		}
		for _, other := range []string{"alpha", "beta", "gamma"} {
			if !strings.HasSuffix(msg.To.Address, "@"+other+".example") && strings.Contains(words, "CANARY-"+strings.ToUpper(other)) {
				m.Fatalf("%s learns of %s: %s", msg.To.Address, other, words)
			}
		}
	}
}
