package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	spaceSent   = "sent"   // address, @domain or case → times of answers
	spaceDigest = "digest" // address → digest
)

// Budget bounds the answers that go out by themselves, so that a machine on the other side
// can't draw more of them than a person would read. What goes beyond for one address is told
// in one summary once there is room; what goes beyond in all waits. Messages that a person or
// a deadline causes are counted and not held back. Staff are told of the first cases of an
// hour to decide or to take on one by one and of the others together, and of those of a file of rows
// in one message; that is counted by itself. A partner's weekly digest
// waits until half of the room is free, so that no answer is held back for it. A limit above 500
// is none, but for Hour.
type Budget struct {
	AddressHour int `yaml:"address_hour"` // answers to one address within an hour
	AddressDay  int `yaml:"address_day"`
	DomainHour  int `yaml:"domain_hour"`
	CaseDay     int `yaml:"case_day"` // answers about one case within a day
	Hour        int `yaml:"hour"`     // answers of the whole gateway within an hour
	// StaffHour is how many cases to decide or to take on one person is told of one by one within
	// an hour.
	StaffHour int `yaml:"staff_hour"`
}

// DefaultBudget is what people need and no loop gets far with.
func DefaultBudget() Budget {
	return Budget{AddressHour: 6, AddressDay: 20, DomainHour: 60, CaseDay: 10, Hour: 300, StaffHour: 10}
}

// ruling is what becomes of a message that is about to go out.
type ruling string

const (
	sendNow      ruling = "now"
	sendTogether ruling = "together" // with others, once there is room
	sendNever    ruling = "never"
)

var errBudget = errors.New("the answers of this hour are used up; is something looping?")

// maySend decides whether a message goes out now, and if so counts it: before it is sent, so
// that a crash never makes room.
func (g *Gateway) maySend(ctx context.Context, m Message) (ruling, error) {
	r := sendNow
	var wait time.Duration
	err := g.store.Update(ctx, func(tx Tx) error {
		r, wait = sendNow, 0
		no, err := suppressed(tx, m.To.Address)
		if err != nil {
			return err
		}
		if no {
			r = sendNever
			return nil
		}
		var room bool
		if room, err = g.count(tx, m); err == nil && !room {
			r = sendTogether
		}
		return err
	})
	if err != nil {
		return r, err
	}
	if r == sendTogether && m.Kind == MessageDigest {
		return r, RetryAfter(weekPause, errBudget)
	}
	if r == sendNow && !m.Unprompted {
		if wait = g.hour.take(m.ID, g.stamp(), g.budget.Hour); wait > 0 {
			return r, RetryAfter(wait, errBudget)
		}
	}
	return r, nil
}

// window is one of the limits on a message.
type window struct {
	key   string
	span  time.Duration
	limit int
}

func (g *Gateway) windows(m Message) []window {
	if m.Brief != nil {
		return g.staffWindows(m)
	}
	address := strings.ToLower(m.To.Address)
	w := []window{
		{address, time.Hour, g.budget.AddressHour},
		{address, day, g.budget.AddressDay},
	}
	if _, domain, ok := strings.Cut(address, "@"); ok {
		w = append(w, window{"@" + domain, time.Hour, g.budget.DomainHour})
	}
	if m.Facts.Case != "" {
		w = append(w, window{m.Facts.Case, day, g.budget.CaseDay})
	}
	return slices.DeleteFunc(w, func(w window) bool { return w.limit > maxCounted })
}

// staffWindows are apart from those of partners: neither takes room from the other, even where
// somebody is both. What only one person can see to always goes out.
func (g *Gateway) staffWindows(m Message) []window {
	if staffLine[m.Kind] == "" || g.budget.StaffHour > maxCounted {
		return nil
	}
	key := staffKey(m.To.Address)
	if m.Kind != StaffQueued { // what was decided takes no room from what is to be
		key = string(m.Kind) + "/" + key
	}
	return []window{{key, time.Hour, g.budget.StaffHour}}
}

// staffKey is the key of what is kept for an address of staff. No address begins like it.
func staffKey(address string) string { return "staff:" + strings.ToLower(address) }

// answer is one that was counted: when, and which.
type answer struct {
	At int64  `json:"at"` // Unix seconds
	ID string `json:"id"`
}

// count adds m to all its windows, once however often it is tried, unless one of them is full.
func (g *Gateway) count(tx Tx, m Message) (room bool, err error) {
	now := g.stamp()
	counted := make(map[string][]answer)
	for _, w := range g.windows(m) {
		list, ok := counted[w.key]
		if !ok {
			if list, err = answers(tx, w.key, now); err != nil {
				return false, err
			}
			counted[w.key] = list
		}
		if slices.ContainsFunc(list, func(a answer) bool { return a.ID == m.ID }) {
			return true, nil
		}
		n := 0
		for _, a := range list {
			if a.At > now.Add(-w.span).Unix() {
				n++
			}
		}
		if m.Kind == MessageDigest && n >= (w.limit+1)/2 || n >= w.limit && (!m.Unprompted || m.Brief != nil) {
			return false, nil
		}
	}
	for key, list := range counted {
		if err := putJSON(tx, spaceSent, key, append(list, answer{At: now.Unix(), ID: m.ID})); err != nil {
			return false, err
		}
	}
	return true, nil
}

// maxCounted bounds the answers that are remembered under a key.
const maxCounted = 500

// answers returns what was counted under a key within the last day, oldest first.
func answers(tx Records, key string, now time.Time) ([]answer, error) {
	var list []answer
	if err := getJSON(tx, spaceSent, key, &list); err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(a answer) bool { return a.At <= now.Add(-day).Unix() })
	return list[max(0, len(list)-maxCounted):], nil
}

// digest is what waits to be told to one address.
type digest struct {
	Cases   []string `json:"cases"`
	Partner string   `json:"partner"`
	To      Route    `json:"to"`
	N       int      `json:"n"` // counts digests
	Due     bool     `json:"due"`
}

// gather keeps what m tells for the next summary to its address. Nothing is lost but words:
// the summary tells the state that each case has then.
func (c *change) gather(m Message) error {
	if m.Brief != nil {
		return c.gatherStaff(m)
	}
	key := strings.ToLower(m.To.Address)
	if m.Kind == MessageConfirm { // of what may be forged nothing is told; it can be asked later
		return c.DeleteRecord(spaceAsked, key)
	}
	var d digest
	if err := getJSON(c, spaceDigest, key, &d); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	for _, number := range m.numbers() {
		r, err := c.Case(number)
		if err != nil {
			return err
		}
		d.Partner = r.Partner
		if slices.Contains(d.Cases, number) {
			continue
		}
		d.Cases = append(d.Cases, number)
		if err := c.record(&r, Event{Kind: EventHeld, Actor: "gateway", Note: string(m.Kind) + " " + m.ID}); err != nil {
			return err
		}
	}
	c.held++
	if len(d.Cases) == 0 {
		return nil // a notice or a help text: whoever gets so many knows it by now
	}
	d.To = m.To
	if !d.Due {
		c.over = append(c.over, key)
		if err := c.digestLater(key, &d); err != nil {
			return err
		}
	}
	return putJSON(c, spaceDigest, key, d)
}

// digestLater has what was gathered told in an hour.
func (c *change) digestLater(key string, d *digest) error {
	d.Due = true
	d.N++
	return c.Enqueue(Task{
		Key: fmt.Sprintf("digest:%s:%d", key, d.N), Lane: LaneTimer, Case: "digest:" + key,
		Due: c.at.Add(time.Hour), Payload: quoted(key),
	})
}

// runDigest sends what was gathered for an address.
func (g *Gateway) runDigest(_ context.Context, t Task) (effect, error) {
	var key string
	if err := json.Unmarshal(t.Payload, &key); err != nil {
		return nil, Permanent(fmt.Errorf("digest of task %s: %w", t.Key, err))
	}
	return func(c *change) error {
		var d digest
		err := getJSON(c, spaceDigest, key, &d)
		if errors.Is(err, ErrNotFound) || err == nil && !d.Due {
			return nil
		}
		if err != nil {
			return err
		}
		now := d.Cases[:min(len(d.Cases), maxSummary)]
		p, err := partner(c, d.Partner)
		if err != nil {
			return err
		}
		m := Message{
			ID: fmt.Sprintf("D-%s.%d", shortID(key), d.N), Kind: MessageSummary, To: d.To,
			Facts: c.programFacts(p), Unprompted: true, At: c.at,
		}
		if m.Cases, err = c.factsOf(now, d.Partner); err != nil {
			return err
		}
		if len(m.Cases) > 0 {
			if err := c.send(m, "digest:"+key); err != nil {
				return err
			}
		}
		d.Cases, d.Due = d.Cases[len(now):], false
		if len(d.Cases) > 0 {
			if err := c.digestLater(key, &d); err != nil {
				return err
			}
		}
		return putJSON(c, spaceDigest, key, d)
	}, nil
}

// meter bounds the answers of the whole gateway. It begins anew with each start.
type meter struct {
	mu    sync.Mutex
	sent  []metered // oldest first
	known map[string]bool
}

type metered struct {
	id string
	at time.Time
}

// take counts one more answer, or returns how long to wait for room. A further attempt at the
// same answer is not counted.
func (m *meter) take(id string, now time.Time, limit int) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = make(map[string]bool)
	}
	first := now.Add(-time.Hour)
	for len(m.sent) > 0 && !m.sent[0].at.After(first) {
		delete(m.known, m.sent[0].id)
		m.sent = m.sent[1:]
	}
	if m.known[id] {
		return 0
	}
	if len(m.sent) >= limit {
		return max(m.sent[0].at.Sub(first), time.Second)
	}
	m.known[id] = true
	m.sent = append(m.sent, metered{id, now})
	return 0
}
