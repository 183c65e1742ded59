package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

const (
	spaceArmed = "armed" // "policy" → the hash of the policy by whose terms the clocks go
	rearmPage  = 200
)

// rearming is the payload of the task that sets the clocks of all live cases anew.
type rearming struct {
	// Before is the Seq below which the rest of the cases is; 0 at the beginning.
	Before uint64 `json:"before,omitempty"`
	N      uint64 `json:"n"` // counts the policies that there were
	Page   int    `json:"page"`
}

// followPolicy has the clocks of all cases set anew if the policy is not the one by which they
// go. What was promised to a partner, an end or a due time, stays as it was.
func (g *Gateway) followPolicy(ctx context.Context) error {
	return g.update(ctx, func(c *change) error {
		armed, err := c.Record(spaceArmed, "policy")
		if err := ignoreNotFound(err); err != nil || string(armed) == g.policy.Hash() {
			return err
		}
		if err := c.PutRecord(spaceArmed, "policy", []byte(g.policy.Hash())); err != nil {
			return err
		}
		if errors.Is(err, ErrNotFound) {
			return nil // a new store
		}
		n, err := c.Next("armed")
		if err != nil {
			return err
		}
		return c.rearmPage(rearming{N: n})
	})
}

func (c *change) rearmPage(r rearming) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return c.Enqueue(Task{Key: fmt.Sprintf("rearm:%d:%d", r.N, r.Page), Lane: LaneTimer, Case: "rearm", Due: c.at, Payload: body})
}

// runRearm sets the clocks of a page of cases.
func (g *Gateway) runRearm(_ context.Context, t Task) (effect, error) {
	var page rearming
	if err := json.Unmarshal(t.Payload, &page); err != nil {
		return nil, Permanent(fmt.Errorf("task %s: %w", t.Key, err))
	}
	return func(c *change) error {
		cases, err := c.ListCases(CaseQuery{Before: page.Before, Limit: rearmPage})
		if err != nil {
			return err
		}
		for i := range cases {
			if err := c.rearm(&cases[i]); err != nil {
				return fmt.Errorf("case %s: %w", cases[i].Number, err)
			}
		}
		if len(cases) < rearmPage {
			return nil
		}
		return c.rearmPage(rearming{Before: cases[len(cases)-1].Seq, N: page.N, Page: page.Page + 1})
	}, nil
}

// rearm gives r another alarm if the present terms ask for one at another time.
func (c *change) rearm(r *Registration) error {
	if !r.Status.Live() {
		return nil
	}
	next, err := c.nextAlarm(r)
	if err != nil || next.Equal(r.Alarm.At) {
		return err
	}
	return c.record(r, Event{Kind: EventRang, Actor: "policy", Note: "other terms", Policy: c.g.policy.Hash()})
}
