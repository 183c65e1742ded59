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
	// feedPause is how long none is made that reads the feed, which is the smaller loss.
	feedPause = 90 * time.Second
	// turnPatience is how long the lane that made the last call leaves the next one to others.
	turnPatience = time.Second
)

// errGateShut is told of a look-up that was not made.
var errGateShut = errors.New("the CRM does not work at the moment; it was not asked")

// gates are the ways to one CRM. What is written and looked up there goes one way, what is read of
// its feed another: where it takes nothing, it may still tell, and the other way round.
type gates struct {
	crm         string
	write, feed gate
}

// Condition implements Watched, for both ways as one.
func (g *gates) Condition() Condition {
	s := g.status()
	return Condition{Name: CRMCondition + g.crm, Down: s.Down || s.Problem != "", Problem: s.Problem}
}

// mended has the next calls made as soon as there are any: what was wrong is not wrong any more.
func (g *gates) mended() {
	g.write.mended()
	g.feed.mended()
}

// gate is a way to a CRM, which lanes share. While it is shut nothing goes through but one call at a
// time now and then; the first that succeeds opens it.
type gate struct {
	now func() time.Time
	// every is how long no call is made while it is shut.
	every time.Duration
	log   *slog.Logger
	// opened is called, without the lock, when it opens, and when it is worth a try.
	opened func()

	mu       sync.Mutex
	failures int // in a row
	// shut is since when, zero if it is open; refused says that we are not let in. Problem are the
	// words of the last failure.
	shut    time.Time
	refused bool
	problem string
	// probing is the lane whose call is under way, probed the one whose was the last. Next is when
	// the next one may be made, before what it was until the one under way.
	probing, probed Lane
	next, before    time.Time
	// unread says what is wrong with what is read, though the way is open; polled is when it was
	// read last. Both are of a feed.
	unread string
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
	now, due := g.now(), g.next
	if lane == g.probed { // else what fails in one lane for a reason of its own would keep others shut for ever
		due = due.Add(turnPatience)
	}
	switch {
	case g.probing != "":
		return 0, idlePause
	case now.Before(due):
		return 0, min(due.Sub(now), idlePause)
	}
	g.probing, g.before, g.next = lane, g.next, now.Add(g.pause())
	return 1, 0
}

func (g *gate) pause() time.Duration {
	if g.refused {
		return refusalPause
	}
	return g.every
}

// leave says that a lane that was admitted makes no call: all is as if it had not been.
func (g *gate) leave(lane Lane) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.probing == lane {
		g.probing, g.next = "", g.before
	}
}

// asks reports whether a look-up may be made.
func (g *gate) asks() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.shut.IsZero()
}

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
		g.probing, g.probed = "", lane
	}
	_, calm := RetryDelay(err)
	switch {
	case err == nil || answered(err):
		if g.shut.IsZero() {
			g.failures = 0
			return false
		}
		if !probe { // it was under way when others failed
			return false
		}
		g.failures, g.shut, g.refused, g.problem, g.probed = 0, time.Time{}, false, "", ""
		g.log.Info("a CRM works again")
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
		g.shut = g.now()
		g.log.Error("a CRM does not work, and is called now and then alone", "refused", g.refused, "err", g.problem)
	}
	g.next = g.now().Add(g.pause())
	return false
}

// answered reports whether an error is about what was asked for: the CRM itself works.
func answered(err error) bool { return (IsPermanent(err) || IsGone(err)) && !IsUnauthorized(err) }

// isShut reports whether the CRM is not to be called now.
func (g *gate) isShut() bool { return g != nil && !g.asks() }

// fed notes how reading the feed of changes went.
func (g *gate) fed(problem string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.unread = problem
	if problem == "" {
		g.polled = g.now()
	}
}
