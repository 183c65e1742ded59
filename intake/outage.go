package intake

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// spaceOutage holds what does not work: the name of a Condition → outage.
const spaceOutage = "outage"

const (
	watchPause = time.Minute
	// steadyFor is how long something has to work again until that is told: what comes and goes
	// is one outage.
	steadyFor = 5 * time.Minute
	// outageReminder is after how long staff are told again of what still does not work.
	outageReminder = day
)

// Watched is a way in or out that can fail by itself: a channel, or a connector to a CRM.
type Watched interface {
	// Condition says how it is. It is called every minute, beside all else, and answers at once
	// from what is known.
	Condition() Condition
}

// CRMCondition begins the name of the condition of a connection to a CRM; its name there follows.
const CRMCondition = "CRM "

// Condition is how a way in or out is.
type Condition struct {
	// Name tells it apart for staff and stays the same: "mailbox partners".
	Name string
	// Down says that nothing comes through until somebody does something or a server is back.
	// What is tried again by itself, and will work in a moment, is not down.
	Down bool
	// Problem says in words what is wrong, without secrets.
	Problem string
}

// Outage is what staff are told of a way in or out.
type Outage struct {
	Name    string    `json:"name"`
	Problem string    `json:"problem,omitempty"`
	Since   time.Time `json:"since"`
	// Until is since when it works again; zero if it does not.
	Until time.Time `json:"until,omitzero"`
	// Again says that it was told before.
	Again bool `json:"again,omitempty"`
}

// outage is what is known of something that does not work.
type outage struct {
	Since   time.Time `json:"since"`
	Problem string    `json:"problem,omitempty"`
	// Told is when staff were told last, zero if they were not; N counts how often.
	Told time.Time `json:"told,omitzero"`
	N    int       `json:"n,omitempty"`
	// Up is since when it works again, for now.
	Up time.Time `json:"up,omitzero"`
}

// Watch has staff told when w is down for longer than Options.DownAfter, and when it works
// again. It is called before Run.
func (g *Gateway) Watch(w Watched) { g.watched = append(g.watched, w) }

// keepWatch looks at what is watched until ctx is done.
func (g *Gateway) keepWatch(ctx context.Context) {
	if g.downAfter == 0 || len(g.watched) == 0 || g.staffChannel == "" {
		return
	}
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	for {
		for _, w := range g.watched {
			now := w.Condition()
			if err := g.watch(ctx, now); err != nil && ctx.Err() == nil {
				g.log.Error("keep watch", "of", now.Name, "err", err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// watch writes nothing as long as something works, or stays down.
func (g *Gateway) watch(ctx context.Context, now Condition) error {
	var was outage
	err := g.store.View(ctx, func(tx Tx) error {
		was = outage{}
		return getJSON(tx, spaceOutage, now.Name, &was)
	})
	if errors.Is(err, ErrNotFound) && !now.Down {
		return nil
	}
	if err := ignoreNotFound(err); err != nil || !g.outageMoves(was, now, g.stamp()) {
		return err
	}
	return g.update(ctx, func(c *change) error { return c.outage(now) })
}

// outageMoves reports whether there is something to note or to tell.
func (g *Gateway) outageMoves(was outage, now Condition, at time.Time) bool {
	switch {
	case was.Since.IsZero():
		return now.Down
	case !now.Down:
		return was.Told.IsZero() || was.Up.IsZero() || at.Sub(was.Up) >= steadyFor
	case !was.Up.IsZero():
		return true
	case was.Told.IsZero():
		return at.Sub(was.Since) >= g.downAfter
	}
	return at.Sub(was.Told) >= outageReminder
}

// outage notes how something is, and tells staff if that is due. It looks again at what was
// noted: another process may have been faster.
func (c *change) outage(now Condition) error {
	var was outage
	if err := ignoreNotFound(getJSON(c, spaceOutage, now.Name, &was)); err != nil || !c.g.outageMoves(was, now, c.at) {
		return err
	}
	switch {
	case was.Since.IsZero():
		was.Since = c.at
	case !now.Down && was.Told.IsZero():
		return c.DeleteRecord(spaceOutage, now.Name)
	case !now.Down && was.Up.IsZero():
		was.Up = c.at
	case !now.Down:
		if err := c.tellOutage(now.Name, was, Outage{Problem: was.Problem, Until: was.Up}); err != nil {
			return err
		}
		return c.DeleteRecord(spaceOutage, now.Name)
	case !was.Up.IsZero():
		was.Up = time.Time{}
	default:
		if err := c.tellOutage(now.Name, was, Outage{Problem: now.Problem, Again: !was.Told.IsZero()}); err != nil {
			return err
		}
		was.Told = c.at
		was.N++
	}
	if now.Down {
		was.Problem = now.Problem
	}
	return putJSON(c, spaceOutage, now.Name, was)
}

// tellOutage tells the programme's contact.
func (c *change) tellOutage(name string, was outage, o Outage) error {
	o.Name, o.Since = name, was.Since
	id := fmt.Sprintf("O-%s.%d", shortID(name+was.Since.Format(time.RFC3339Nano)), was.N)
	return c.tellStaff(c.g.policy.Contact(), StaffOutage, Brief{Outage: &o}, id, c.programFacts(Partner{}))
}
