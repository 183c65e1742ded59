package intake

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

const (
	// gateFailures in a row, of calls that should have worked, close the way to a CRM.
	gateFailures = 5
	// probePause and refusalPause are how long no call is made to a CRM that does not work, and to
	// one that refuses us, until one is made to see whether it does again.
	probePause   = time.Minute
	refusalPause = 5 * time.Minute
	// probePatience is how long the lane that found a CRM down is waited for to make the next call.
	probePatience = 2 * time.Minute
)

// errGateShut is told of a look-up that was not made.
var errGateShut = errors.New("the CRM does not work at the moment; it was not asked")

// gate is the way to one CRM, which its lanes and the look-ups share. While it is shut nothing goes
// through but one call at a time now and then; the first that succeeds opens it.
type gate struct {
	crm string
	now func() time.Time
	log *slog.Logger
	// opened is called, without the lock, when it opens, and when it is worth a try.
	opened func()

	mu       sync.Mutex
	failures int // in a row
	// shut is since when, zero if it is open; refused says that we are not let in. Problem are the
	// words of the last failure, Lane is the lane whose call failed, "" for a look-up.
	shut    time.Time
	refused bool
	problem string
	lane    Lane
	// probing is the lane whose call is under way, next is when the next one may be made.
	probing Lane
	next    time.Time
	// feed says what is wrong with the feed of changes alone, polled is when it was read last.
	feed   string
	polled time.Time
}

// admit returns how many of n tasks of a lane may be claimed; if none, wait is how long to sleep.
// Whoever is admitted while the gate is shut tells it the outcome by note, or leave.
func (g *gate) admit(lane Lane, n int) (admitted int, wait time.Duration) {
	if g == nil {
		return n, 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut.IsZero() {
		return n, 0
	}
	now := g.now()
	due := g.next
	if g.lane != "" && lane != g.lane { // what failed is to be tried again, not what may work
		due = due.Add(probePatience)
	}
	switch {
	case g.probing != "":
		return 0, idlePause
	case now.Before(due):
		return 0, min(due.Sub(now), idlePause)
	}
	g.probing, g.next = lane, now.Add(g.pause())
	return 1, 0
}

func (g *gate) pause() time.Duration {
	if g.refused {
		return refusalPause
	}
	return probePause
}

// leave says that a lane that was admitted makes no call.
func (g *gate) leave(lane Lane) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.probing == lane {
		g.probing, g.next = "", g.now()
	}
}

// asks reports whether a look-up may be made.
func (g *gate) asks() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut.IsZero()
}

// mended has the next call made as soon as there is one: what was wrong is not wrong any more.
func (g *gate) mended() {
	g.mu.Lock()
	shut := !g.shut.IsZero()
	g.next = g.now()
	g.mu.Unlock()
	if shut {
		g.opened()
	}
}

// note takes in how a call of a lane ended. That of a context that is done says nothing of the CRM.
func (g *gate) note(ctx context.Context, lane Lane, err error) {
	if err != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		g.leave(lane)
		return
	}
	if g.took(lane, err) {
		g.opened()
	}
}

// took is note, and reports whether the gate has opened.
func (g *gate) took(lane Lane, err error) (opened bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	probe := g.probing == lane && lane != ""
	if probe {
		g.probing = ""
	}
	_, calm := RetryDelay(err)
	switch {
	case err == nil || answered(err):
		if g.shut.IsZero() {
			g.failures = 0
			return false
		}
		if !probe && lane != g.lane {
			return false
		}
		g.failures, g.shut, g.refused, g.problem, g.lane = 0, time.Time{}, false, "", ""
		g.log.Info("a CRM works again", "crm", g.crm)
		return true
	case calm: // it works, and asks for time
		return false
	}
	g.failures++
	g.refused = IsUnauthorized(err)
	if !g.refused && g.failures < gateFailures && g.shut.IsZero() {
		return false
	}
	g.problem = cut(err.Error(), 300)
	if g.shut.IsZero() {
		g.shut, g.lane = g.now(), lane
		g.log.Error("a CRM does not work, and is called now and then alone", "crm", g.crm, "refused", g.refused, "err", g.problem)
	}
	g.next = g.now().Add(g.pause())
	return false
}

// answered reports whether an error is about what was asked for: the CRM itself works.
func answered(err error) bool { return IsPermanent(err) && !IsUnauthorized(err) }

// isShut reports whether the CRM is not to be called now.
func (g *gate) isShut() bool { return g != nil && !g.asks() }

// fed notes how reading the feed of changes went.
func (g *gate) fed(problem string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.feed = problem
	if problem == "" {
		g.polled = g.now()
	}
}

// Condition implements Watched.
func (g *gate) Condition() Condition {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := Condition{Name: CRMCondition + g.crm, Down: !g.shut.IsZero() || g.feed != "", Problem: g.problem}
	if c.Problem == "" {
		c.Problem = g.feed
	}
	return c
}
