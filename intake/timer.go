package intake

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// deadline enqueues the look at r after the time until which something has to happen.
func (c *change) deadline(r *Registration, end time.Time) error {
	return c.Enqueue(Task{
		Key:  taskKey("deadline", r),
		Lane: LaneTimer, Case: r.Number, Due: end.Add(time.Microsecond),
	})
}

// runTimer does what its time has come for.
func (g *Gateway) runTimer(ctx context.Context, t Task) (effect, error) {
	switch kind, _, _ := strings.Cut(t.Key, ":"); kind {
	case "batch":
		return g.runBatch(ctx, t)
	case "digest":
		return g.runDigest(ctx, t)
	}
	return g.runDeadline(ctx, t)
}

// runDeadline ends what had until now: a provisional hold without a next step, a question
// without an answer. What was answered or ended in the meantime needs no end. If the clock
// was set back, the time has not come yet.
func (g *Gateway) runDeadline(_ context.Context, t Task) (effect, error) {
	return func(c *change) error {
		r, err := c.Case(t.Case)
		if err != nil {
			return err
		}
		var end time.Time
		var act func(*Registration) error
		switch r.Status {
		case StatusProvisional:
			end, act = r.Protection.End, c.expire
		case StatusNeedsInfo:
			end, act = r.AnswerDue, c.lapse
		default:
			return nil
		}
		if left := end.Sub(c.at); left >= 0 {
			return RetryAfter(left+time.Microsecond, errTooEarly)
		}
		return act(&r)
	}, nil
}

var errTooEarly = errors.New("the time has not come yet")

func (c *change) expire(r *Registration) error {
	e := Event{Trigger: TriggerTimer, Actor: "timer", Reason: ReasonNoNextStep}
	if err := c.move(r, StatusExpired, e); err != nil {
		return err
	}
	return c.announce(r, MessageExpired, e)
}

func (c *change) lapse(r *Registration) error {
	e := Event{Trigger: TriggerTimer, Actor: "timer", Reason: ReasonNoInfoInTime}
	if err := c.move(r, StatusWithdrawn, e); err != nil {
		return err
	}
	return c.announce(r, MessageClosed, e)
}

// release lets the first case on the waiting list of the account have its turn, after r
// gave up its claim: unless another case holds the account, or has the older claim and is
// still to be decided.
func (c *change) release(r *Registration) error {
	for _, key := range r.Identity {
		if !strings.HasPrefix(key, keyDomain) {
			continue
		}
		cases, err := c.CasesByKey(key, maxRivals) // by claim
		if err != nil {
			return err
		}
		if slices.ContainsFunc(cases, func(o Registration) bool { return o.Status.Holds() }) {
			return nil
		}
		if len(cases) == 0 || cases[0].Status != StatusWaitlisted {
			return nil
		}
		next := cases[0]
		err = c.move(&next, StatusSubmitted, Event{Trigger: TriggerRelease, Actor: "policy", Note: "the account is free"})
		if err != nil {
			return err
		}
		return c.check(&next)
	}
	return nil
}
