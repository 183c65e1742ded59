package intake

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"leadgate/intake/identity"
)

// Gateway is the pipeline between channels, store and CRMs. It implements Sink. Its
// background work runs in Run; everything else may be called before, during and after.
type Gateway struct {
	store    Store
	policy   Policy
	ids      *identity.Lists
	numbers  Numbering
	crms     []CRM
	repliers map[string]Replier
	program  string
	alone    bool
	budget   Budget
	links    *Links
	people   []Staff
	linking  sync.Mutex // held from the check of a link to the end of its act
	// staffChannel is the channel through which staff are told things; "" if there is none.
	staffChannel string
	staffLocale  string
	weekly       bool // partners are told of their week
	hour         meter
	now          func() time.Time
	log          *slog.Logger
	observe      Observer
	signer       Signer
	witness      Witness
	watched      []Watched
	downAfter    time.Duration
	// gates are the ways to the CRMs, by name; pullEvery is how often their changes are read.
	gates     map[string]*gate
	pullEvery time.Duration

	witnessing sync.Mutex // held while lines go to the witness

	// process names this one among those that ever worked on the store.
	process string

	mu    sync.Mutex
	wakes map[Lane]chan struct{}
	calls map[string]bool // by name, those that are being answered
}

// Options are what a Gateway is made of.
type Options struct {
	Store    Store
	Policy   Policy
	Identity *identity.Lists
	Numbers  Numbering
	// CRMs get every decided case; names are unique.
	CRMs []CRM
	// Program is the vendor's name, as partners read it.
	Program string
	// StaffChannel is the channel through which staff are told what there is to do, by e-mail
	// address; they are told nothing if it is empty.
	StaffChannel string
	// StaffLocale is the language in which staff are written to, as in BCP 47.
	StaffLocale string
	// Weekly says that partners are told of their cases once a week.
	Weekly bool
	// Budget bounds the answers; DefaultBudget if zero.
	Budget Budget
	// Links makes the links to the pages; nil without pages, and then no link is good.
	Links *Links
	// Staff are who may decide through links; empty for whoever was sent one.
	Staff []Staff
	// Alone says that no other process works on the store, so that what a killed one had
	// begun is taken up at once instead of after the end of its leases.
	Alone bool
	// Signer signs receipts and checkpoints; without one there are none. Witness is told of
	// each checkpoint; nil for none.
	Signer  Signer
	Witness Witness
	// DownAfter is for how long something that is watched has to be down until staff are told; 0
	// for never.
	DownAfter time.Duration
	// PullEvery is how often the changes in CRMs are read; 30 s if zero.
	PullEvery time.Duration
	Now       func() time.Time // time.Now if nil
	Log       *slog.Logger     // discarded if nil
	Observe   Observer         // nothing is observed if nil
}

// Observer is told what happens, for metrics. Its methods are fast and safe for
// concurrent use.
type Observer interface {
	// Accepted is called for each submission and each row of an import; outcome is new, known,
	// joined, quarantined, set_aside, rejected or error.
	Accepted(channel, outcome string, took time.Duration)
	// Moved is called after a case changed its status.
	Moved(from, to Status)
	// Attempted is called after an attempt at a task; result is done, retry, parked or lost.
	Attempted(lane Lane, result string, took time.Duration)
	// Held is called for each answer to a partner that the budget held back.
	Held()
}

type noObserver struct{}

func (noObserver) Accepted(string, string, time.Duration) {}
func (noObserver) Moved(Status, Status)                   {}
func (noObserver) Attempted(Lane, string, time.Duration)  {}
func (noObserver) Held()                                  {}

// New returns a gateway over an open store.
func New(o Options) (*Gateway, error) {
	if o.Store == nil || o.Policy == nil || o.Identity == nil || o.Numbers.cipher == nil {
		return nil, errors.New("gateway needs a store, a policy, identity lists and a numbering")
	}
	names := make(map[string]bool)
	for _, c := range o.CRMs {
		if names[c.Name()] {
			return nil, fmt.Errorf("two CRMs are named %q", c.Name())
		}
		names[c.Name()] = true
	}
	g := &Gateway{
		store: o.Store, policy: o.Policy, ids: o.Identity, numbers: o.Numbers,
		crms: o.CRMs, repliers: make(map[string]Replier), program: o.Program, alone: o.Alone, budget: o.Budget,
		links: o.Links, people: o.Staff, staffChannel: o.StaffChannel, staffLocale: o.StaffLocale, weekly: o.Weekly,
		now: o.Now, log: o.Log, observe: o.Observe, signer: o.Signer, witness: o.Witness, downAfter: o.DownAfter, wakes: make(map[Lane]chan struct{}),
		process: newID(), calls: make(map[string]bool), pullEvery: o.PullEvery,
	}
	if g.budget == (Budget{}) {
		g.budget = DefaultBudget()
	}
	if g.budget.StaffHour == 0 {
		g.budget.StaffHour = DefaultBudget().StaffHour
	}
	if g.now == nil {
		g.now = time.Now
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.observe == nil {
		g.observe = noObserver{}
	}
	if g.pullEvery == 0 {
		g.pullEvery = DefaultPullEvery
	}
	g.gates = make(map[string]*gate)
	for _, c := range g.crms {
		g.gates[c.Name()] = &gate{crm: c.Name(), now: g.now, log: g.log, opened: func() {
			for _, lane := range []Lane{PushLane(c.Name()), PushListsLane(c.Name()), PullLane(c.Name())} {
				g.wake(lane)
			}
		}}
		g.Watch(g.gates[c.Name()])
	}
	return g, nil
}

// Register names the replier of a channel: messages to routes of that channel go to it.
// It is called before Run.
func (g *Gateway) Register(channel string, r Replier) { g.repliers[channel] = r }

// stamp is the current time as it is stored.
func (g *Gateway) stamp() time.Time { return g.now().UTC().Truncate(time.Microsecond) }

// update runs fn in a transaction and, once it is durable, wakes the lanes that got work
// and reports the cases that moved and the budgets that are used up.
func (g *Gateway) update(ctx context.Context, fn func(*change) error) error {
	var c *change
	err := g.store.Update(ctx, func(tx Tx) error {
		c = &change{Tx: tx, g: g, at: g.stamp()}
		return fn(c)
	})
	if err != nil {
		return err
	}
	for _, lane := range c.woken {
		g.wake(lane)
	}
	for _, m := range c.moves {
		g.observe.Moved(m.From, m.To)
		g.log.Info("case moved", "case", m.Case, "from", m.From, "to", m.To, "reason", m.Reason, "by", m.Actor)
	}
	for range c.held {
		g.observe.Held()
	}
	for _, address := range c.over {
		g.log.Warn("the budget holds answers to an address back; they will come in one summary, within the hour", "address", address)
	}
	return nil
}

func (g *Gateway) wake(l Lane) {
	select {
	case g.wakeup(l) <- struct{}{}:
	default:
	}
}

// wakeup is the one-slot channel on which a lane waits for work.
func (g *Gateway) wakeup(l Lane) chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wakes[l] == nil {
		g.wakes[l] = make(chan struct{}, 1)
	}
	return g.wakes[l]
}

// change is one transaction of the gateway: the store's, and what to do after its commit.
type change struct {
	Tx
	g     *Gateway
	at    time.Time
	woken []Lane
	moves []Event
	over  []string // addresses that get no more answers for now
	held  int      // answers that the budget held back
	// promised are the terms by partner, ringing is the key of the alarm that runs.
	promised map[string]Terms
	ringing  string
	// passing says that an account goes from one case to another, and is not free in between.
	passing bool
	// kept is what the next event of its case has to bind.
	kept map[string]string
}

// Enqueue adds a task and has its lane woken after the commit.
func (c *change) Enqueue(t Task) error {
	c.wakeAfter(t.Lane)
	return c.Tx.Enqueue(t)
}

func (c *change) wakeAfter(l Lane) {
	if !slices.Contains(c.woken, l) {
		c.woken = append(c.woken, l)
	}
}

// record appends e to the history of r and stores r with it, as the next revision.
func (c *change) record(r *Registration, e Event) error {
	e.Case, e.N, e.At = r.Number, r.Events+1, c.at
	r.Events = e.N
	r.Revision++
	r.Updated = c.at
	if e.stirs() {
		r.Activity = c.at
	}
	if err := c.arm(r); err != nil {
		return fmt.Errorf("alarm of case %s: %w", r.Number, err)
	}
	e.Bind, e.Kept = bindCase(*r), c.takeKept(r)
	e.Seal(r.Head)
	r.Head = e.Hash
	if err := c.PutCase(*r); err != nil {
		return fmt.Errorf("put case %s: %w", r.Number, err)
	}
	if err := c.AppendEvent(e); err != nil {
		return fmt.Errorf("append event %d of case %s: %w", e.N, r.Number, err)
	}
	if err := c.awaitCheckpoint(r); err != nil {
		return err
	}
	if e.Kind == EventMoved {
		c.moves = append(c.moves, e)
	}
	return nil
}

// move changes the status of r along the transition table and records it. The caller sets
// Trigger, Reason, Actor and what else e needs, and the other fields of r before.
func (c *change) move(r *Registration, to Status, e Event) error {
	if err := CheckTransition(r.Status, to, e.Trigger); err != nil {
		return err
	}
	e.Kind, e.From, e.To = EventMoved, r.Status, to
	if r.Status == StatusQuarantined {
		if err := c.unawait(r); err != nil {
			return err
		}
	}
	if r.Status.Holds() != to.Holds() {
		if err := c.countHold(r.Partner, to.Holds()); err != nil {
			return err
		}
	}
	if to == StatusLocked {
		r.Protection.End = time.Time{}
	}
	if !to.ends() { // there is no end any more that could be moved
		r.Extending = time.Time{}
		r.Requests = slices.DeleteFunc(r.Requests, func(v Verb) bool { return v == VerbExtend })
	}
	if !to.Holds() {
		r.Revoking = Revoking{}
	}
	if r.Status == StatusSubmitted {
		r.Answered = false
	}
	if err := c.remembersWinner(r, to); err != nil {
		return err
	}
	r.Status, r.Reason, r.Since, r.Rang = to, e.Reason, c.at, nil
	if err := c.record(r, e); err != nil {
		return err
	}
	if to == StatusDeclined || to == StatusWaitlisted {
		if err := c.probe(r, true); err != nil {
			return err
		}
	}
	if !e.From.Claims() || to.Claims() {
		return nil
	}
	return c.gaveUp(r)
}

// gaveUp does what follows when r no longer claims its account: its lead can have another deal,
// a dispute may be over, and who waits has his turn.
func (c *change) gaveUp(r *Registration) error {
	if r.Parent != "" {
		if err := c.orphan(r); err != nil {
			return err
		}
	}
	if r.Conflict != "" {
		if err := c.leaveConflict(r); err != nil {
			return err
		}
	}
	if c.passing {
		return nil
	}
	return c.release(r)
}

// getJSON reads a record into v; ErrNotFound.
func getJSON(tx Records, space, key string, v any) error {
	b, err := tx.Record(space, key)
	if err != nil {
		return err
	}
	return decode(Entry{Key: space + "/" + key, Value: b}, v)
}

func decode(e Entry, v any) error {
	if err := json.Unmarshal(e.Value, v); err != nil {
		return fmt.Errorf("record %s: %w", e.Key, err)
	}
	return nil
}

func putJSON(tx Records, space, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record %s/%s: %w", space, key, err)
	}
	return tx.PutRecord(space, key, b)
}

const spaceSecret = "secret"

// Secret returns the 32 random bytes that the store keeps under a name; they are made when
// first asked for. They live as long as the store and are shared by all who use it.
func Secret(ctx context.Context, s Store, name string) ([]byte, error) {
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("make secret %q: %w", name, err)
	}
	var key []byte
	err := s.Update(ctx, func(tx Tx) error {
		b, err := tx.Record(spaceSecret, name)
		if errors.Is(err, ErrNotFound) {
			key = fresh
			return tx.PutRecord(spaceSecret, name, fresh)
		}
		key = b
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", name, err)
	}
	return key, nil
}

// KeepSecret stores a secret that others have given under a name. It replaces what was there.
func KeepSecret(ctx context.Context, s Store, name, secret string) error {
	if err := s.Update(ctx, func(tx Tx) error { return tx.PutRecord(spaceSecret, name, []byte(secret)) }); err != nil {
		return fmt.Errorf("secret %q: %w", name, err)
	}
	return nil
}

// KeptSecret returns what KeepSecret stored, "" if nothing is there.
func KeptSecret(ctx context.Context, s Store, name string) (secret string, err error) {
	err = s.View(ctx, func(tx Tx) error {
		b, err := tx.Record(spaceSecret, name)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		secret = string(b)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("secret %q: %w", name, err)
	}
	return secret, nil
}
