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
	if w, err := c.batchOf(r.Number); err != nil {
		return err
	} else if w.Batch != "" && !unprompted {
		if told, err := c.tellBatch(r.Number, w); told || err != nil {
			return err
		}
	}
	if r.Mute != "" && !unprompted {
		return nil
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
	return c.enqueueMessage(m, fmt.Sprintf("notify:%010d:%s", r.Seq, m.ID), r.Number)
}

// send enqueues a message that is about no single case; id names it among all of them.
func (c *change) send(m Message, id string) error {
	if m.To.Address == "" {
		return nil
	}
	return c.enqueueMessage(m, "notify:"+m.ID, id)
}

func (c *change) enqueueMessage(m Message, key, queue string) error {
	if m.To.Channel == "" || m.To.Address == "" {
		return nil // from a channel, or a sender, that can't be answered
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	if err := c.PutRecord(spaceSentTo, m.ID, []byte(m.To.Address)); err != nil {
		return err
	}
	return c.Enqueue(Task{Key: key, Lane: LaneNotify, Case: queue, Due: c.at, Payload: body})
}

// programFacts is what may be told to a partner about no case at all.
func (c *change) programFacts(p Partner) Facts {
	f := Facts{Program: c.g.program, Zone: c.g.policy.Zone().String(), Received: c.at, Contact: p.Manager, Locale: p.Locale}
	if f.Contact.Email == "" {
		f.Contact = c.g.policy.Contact()
	}
	return f
}

// facts is the view of a case that its partner may have.
func (c *change) facts(r *Registration) (Facts, error) {
	p, err := partner(c, r.Partner)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Facts{}, err
	}
	f := c.programFacts(p)
	f.Case, f.Company, f.Received = r.Number, r.Lead[FieldCompanyName], r.Claim
	f.Status, f.Reason, f.Note = r.Status, r.Reason, r.PartnerNote
	f.Missing, f.Question = r.Problems, r.Question
	if f.Company == "" {
		f.Company = r.Lead[FieldCompanyDomain]
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
	ruling, err := g.maySend(ctx, m)
	if err != nil {
		return nil, err
	}
	switch ruling {
	case sendNever:
		return func(c *change) error { return c.notSent(m, "suppressed after a complaint") }, nil
	case sendTogether:
		return func(c *change) error { return c.gather(m) }, nil
	}
	thread, err := replier.Reply(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("answer through channel %s: %w", m.To.Channel, err)
	}
	return func(c *change) error { return c.sent(m, thread) }, nil
}

// sent records a delivered message with its case or cases.
func (c *change) sent(m Message, thread json.RawMessage) error {
	for _, number := range m.numbers() {
		r, err := c.Case(number)
		if err != nil {
			return err
		}
		if m.Facts.Case != "" && r.Reply.Channel == m.To.Channel && r.Reply.Address == m.To.Address && thread != nil {
			r.Reply.Thread = thread
		}
		err = c.record(&r, Event{Kind: EventNotified, Actor: "channel:" + m.To.Channel, Note: string(m.Kind) + " " + m.ID})
		if err != nil {
			return err
		}
	}
	return nil
}

// notSent records that a message was not delivered, and why.
func (c *change) notSent(m Message, why string) error {
	for _, number := range m.numbers() {
		r, err := c.Case(number)
		if err != nil {
			return err
		}
		r.Unread++
		if err := c.record(&r, Event{Kind: EventUndelivered, Actor: "gateway", Note: m.ID + " " + why}); err != nil {
			return err
		}
	}
	return nil
}

// numbers returns the cases that a message tells of.
func (m *Message) numbers() []string {
	if m.Facts.Case != "" {
		return []string{m.Facts.Case}
	}
	var out []string
	for _, f := range m.Cases {
		out = append(out, f.Case)
	}
	return out
}
