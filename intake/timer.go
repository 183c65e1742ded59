package intake

import (
	"context"
	"strings"
)

// runExpire ends a provisional protection whose time is over.
func (g *Gateway) runExpire(_ context.Context, t Task) (effect, error) {
	return func(c *change) error {
		r, err := c.Case(t.Case)
		if err != nil {
			return err
		}
		if r.Status != StatusProvisional || !c.at.After(r.Protection.End) {
			return nil // extended, locked or ended in the meantime
		}
		e := Event{Trigger: TriggerTimer, Actor: "timer", Reason: ReasonNoNextStep}
		if err := c.move(&r, StatusExpired, e); err != nil {
			return err
		}
		if err := c.announce(&r, MessageExpired, e); err != nil {
			return err
		}
		return c.release(&r)
	}, nil
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
