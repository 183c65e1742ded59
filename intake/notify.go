package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// notify enqueues a message about r to a route. What it says is fixed now: the state that
// this transaction makes. Each message follows from one event, so that the same one is
// never enqueued twice and two different ones never share an ID.
func (c *change) notify(r *Registration, kind MessageKind, to Route, unprompted bool) error {
	if to.Channel == "" || to.Address == "" {
		return nil // submitted by a channel that can't answer
	}
	asked := kind == MessageKnown
	if asked && r.Status == StatusNeedsInfo {
		kind = MessageNeedsInfo // what is still missing says more than that we have it
	}
	facts, err := c.facts(r)
	if err != nil {
		return err
	}
	m := Message{ID: fmt.Sprintf("%s.%d", r.Number, r.Events), Kind: kind, To: to, Facts: facts, Unprompted: unprompted, At: c.at}
	if asked { // the same state may be asked for any number of times
		m.ID = fmt.Sprintf("%s.%d.%d", r.Number, r.Events, c.at.UnixMicro())
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	return c.Enqueue(Task{Key: fmt.Sprintf("notify:%010d:%s", r.Seq, m.ID), Lane: LaneNotify, Case: r.Number, Due: c.at, Payload: body})
}

// facts is the view of a case that its partner may have.
func (c *change) facts(r *Registration) (Facts, error) {
	p, err := partner(c, r.Partner)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Facts{}, err
	}
	f := Facts{
		Case: r.Number, Program: c.g.program, Company: r.Lead[FieldCompanyName],
		Status: r.Status, Reason: r.Reason, Missing: r.Problems, Question: r.Question,
		Note: r.PartnerNote, Zone: c.g.policy.Zone().String(), Received: r.Claim,
		Contact: p.Manager, Locale: p.Locale,
	}
	if f.Company == "" {
		f.Company = r.Lead[FieldCompanyDomain]
	}
	if f.Contact.Email == "" {
		f.Contact = c.g.policy.Contact()
	}
	switch {
	case r.Status == StatusNeedsInfo:
		f.Due = r.AnswerDue
	case r.Status == StatusSubmitted || r.Status == StatusInReview:
		f.Due = r.DecisionDue
	case r.Status.Holds():
		f.Until = r.Protection.End
	}
	for _, field := range fieldsOf(r.Lead) {
		f.Fields = append(f.Fields, FieldFact{Field: field, Value: r.Lead[field], Words: r.Evidence[field]})
	}
	return f, nil
}

// runNotify delivers a message and keeps the thread that it opened or went on with.
func (g *Gateway) runNotify(ctx context.Context, t Task) (effect, error) {
	var m Message
	if err := json.Unmarshal(t.Payload, &m); err != nil {
		return nil, Permanent(fmt.Errorf("message of task %s: %w", t.Key, err))
	}
	replier := g.repliers[m.To.Channel]
	if replier == nil {
		return nil, fmt.Errorf("channel %q is not configured", m.To.Channel)
	}
	thread, err := replier.Reply(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("answer through channel %s: %w", m.To.Channel, err)
	}
	return func(c *change) error {
		r, err := c.Case(t.Case)
		if err != nil {
			return err
		}
		if r.Reply.Channel == m.To.Channel && r.Reply.Address == m.To.Address && thread != nil {
			r.Reply.Thread = thread
		}
		return c.record(&r, Event{Kind: EventNotified, Actor: "channel:" + m.To.Channel, Note: string(m.Kind) + " " + m.ID})
	}, nil
}
