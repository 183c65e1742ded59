package intake

import (
	"context"
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

// runDeadline ends what had until now: a provisional hold without a next step, a question
// without an answer. What was extended, answered or ended in the meantime has a deadline of
// its own or needs none.
func (g *Gateway) runDeadline(_ context.Context, t Task) (effect, error) {
	return func(c *change) error {
		r, err := c.Case(t.Case)
		if err != nil {
			return err
		}
		switch {
		case r.Status == StatusProvisional && c.at.After(r.Protection.End):
			return c.expire(&r)
		case r.Status == StatusNeedsInfo && c.at.After(r.AnswerDue):
			return c.lapse(&r)
		}
		return nil
	}, nil
}

func (c *change) expire(r *Registration) error {
	e := Event{Trigger: TriggerTimer, Actor: "timer", Reason: ReasonNoNextStep}
	if err := c.move(r, StatusExpired, e); err != nil {
		return err
	}
	if err := c.announce(r, MessageExpired, e); err != nil {
		return err
	}
	return c.release(r)
}

func (c *change) lapse(r *Registration) error {
	e := Event{Trigger: TriggerTimer, Actor: "timer", Reason: ReasonNoInfoInTime}
	if err := c.move(r, StatusWithdrawn, e); err != nil {
		return err
	}
	return c.announce(r, MessageClosed, e)
}

// release lets the first case on the waiting list of the account have its turn, after r
// has ceased to hold it.
func (c *change) release(r *Registration) error {
	for _, key := range r.Identity {
		if !strings.HasPrefix(key, keyDomain) {
			continue
		}
		waiting, err := c.CasesByKey(key, maxRivals)
		if err != nil {
			return err
		}
		for _, next := range waiting {
			if next.Status != StatusWaitlisted {
				continue
			}
			err := c.move(&next, StatusSubmitted, Event{Trigger: TriggerRelease, Actor: "policy", Note: "the account is free"})
			if err != nil {
				return err
			}
			return c.check(&next)
		}
	}
	return nil
}
