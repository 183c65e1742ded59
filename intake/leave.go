package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// leavePage is how many cases of a leaving partner are ended in one transaction.
const leavePage = 50

// leaving is the payload of the task that ends the cases of a partner who leaves.
type leaving struct {
	Partner string `json:"partner"`
	// Before is the Seq below which the rest of the cases is; 0 at the beginning.
	Before uint64 `json:"before,omitempty"`
	Page   int    `json:"page"`
}

// leave enqueues the end of the cases of a partner who is no longer active, from the day on
// which that counts.
func (c *change) leave(p Partner) error {
	due := c.at
	if p.StatusFrom.After(due) {
		due = p.StatusFrom
	}
	n, err := c.Next("leave")
	if err != nil {
		return err
	}
	return c.leavePage(leaving{Partner: p.ID}, fmt.Sprintf("leave:%s:%d", p.ID, n), due)
}

func (c *change) leavePage(l leaving, key string, due time.Time) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return c.Enqueue(Task{Key: fmt.Sprintf("%s:%d", key, l.Page), Lane: LaneTimer, Case: "leave:" + l.Partner, Due: due, Payload: body})
}

// runLeave ends a page of the cases of a partner who has left: what is undecided is withdrawn,
// holds end at once or run to their end, as the policy says.
func (g *Gateway) runLeave(_ context.Context, t Task) (effect, error) {
	var l leaving
	if err := json.Unmarshal(t.Payload, &l); err != nil {
		return nil, Permanent(fmt.Errorf("task %s: %w", t.Key, err))
	}
	return func(c *change) error {
		p, err := partner(c, l.Partner)
		if errors.Is(err, ErrNotFound) || err == nil && p.Status == PartnerActive {
			return nil // he stays after all
		}
		if err != nil || p.StatusFrom.After(c.at) {
			return err // the day was put off, and has a task of its own
		}
		cases, err := c.ListCases(CaseQuery{Partner: l.Partner, Before: l.Before, Limit: leavePage})
		if err != nil {
			return err
		}
		for _, listed := range cases {
			r, err := c.Case(listed.Number) // the end of one case may have changed another
			if err != nil {
				return err
			}
			if err := c.leaveCase(&r, p); err != nil {
				return fmt.Errorf("case %s: %w", r.Number, err)
			}
		}
		if len(cases) < leavePage {
			return nil
		}
		key := t.Key[:len(t.Key)-len(fmt.Sprintf(":%d", l.Page))]
		next := leaving{Partner: l.Partner, Before: cases[len(cases)-1].Seq, Page: l.Page + 1}
		return c.leavePage(next, key, c.at)
	}, nil
}

func (c *change) leaveCase(r *Registration, p Partner) error {
	e := Event{Trigger: TriggerOffboard, Actor: "policy", Reason: ReasonOffboarded}
	switch {
	case r.Status.Holds():
		if c.g.policy.Terms(p).RunOut || p.Status == PartnerOffboarding {
			return nil
		}
		return c.endHold(r, e, MessageOffboarding)
	case r.Status == StatusQuarantined || !r.Status.Live():
		return nil
	}
	if err := c.move(r, StatusWithdrawn, e); err != nil {
		return err
	}
	return c.announce(r, MessageOffboarding, e)
}

// Reassign gives a case to another partner, who goes on with it where it stands, and is told
// what it says.
func (g *Gateway) Reassign(ctx context.Context, number, partnerID string, v Verdict) (Registration, error) {
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		p, err := partner(c, partnerID)
		if errors.Is(err, ErrNotFound) {
			return &ErrInput{fmt.Sprintf("no partner has the id %q", partnerID)}
		}
		if err != nil {
			return err
		}
		to, there := p.reachable()
		if r.Child != "" || r.Parent != "" && r.Status != StatusLocked && r.Status != StatusProtected {
			return &ErrInput{"a deal of the lead is being judged; decide on it first"}
		}
		if p.Status != PartnerActive || !r.Status.Claims() || p.ID == r.Partner || !there {
			return &ErrInput{fmt.Sprintf("the case is %s and of partner %s; it can go to another active partner with a contact, while it claims an account", r.Status, r.Partner)}
		}
		if r.Status.Holds() {
			if err := errors.Join(c.countHold(r.Partner, false), c.countHold(p.ID, true)); err != nil {
				return err
			}
		}
		before, was := r.Partner, r.Reply
		r.Links++ // the links that the other partner has are his no more
		r.Evidence, r.Unclear, r.PartnerNote = nil, nil, ""
		r.Partner, r.Contact = p.ID, to.Email
		r.Reply = Route{Channel: r.Reply.Channel, Address: to.Email}
		e.Kind, e.Trigger, e.Note = EventAmended, "", "from partner "+before+" to "+p.ID
		if err := c.record(r, e); err != nil {
			return err
		}
		if err := c.announce(r, MessageGiven, e); err != nil {
			return err
		}
		gone := *r
		gone.Partner = before
		return c.notifyAs(&gone, Message{Kind: MessagePassedOn, To: was, Unprompted: true})
	})
}
