package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// notify enqueues a message about r to a route. What it says is fixed now: the state that
// this transaction makes. Messages of a case are counted by
// themselves: how many events it has tells of others, too.
func (c *change) notify(r *Registration, kind MessageKind, to Route, unprompted bool) error {
	return c.notifyAs(r, Message{Kind: kind, To: to, Unprompted: unprompted})
}

// notifyAs is notify for a message that says more than its kind; ID, facts and time are set
// here.
func (c *change) notifyAs(r *Registration, m Message) (err error) {
	if w, err := c.batchOf(r.Number); err != nil {
		return err
	} else if w.Batch != "" && !m.Unprompted {
		if told, err := c.tellBatch(r.Number, w); told || err != nil {
			return err
		}
	}
	if r.Mute != "" && !m.Unprompted {
		return nil
	}
	if m.Facts, err = c.facts(r); err != nil {
		return err
	}
	if m.Facts.Due, err = c.dueIn(r, m); err != nil {
		return err
	}
	if m.Kind.receipted() {
		m.Facts.Receipt = c.receipt(r)
	}
	n, err := c.Next("message:" + r.Number)
	if err != nil {
		return err
	}
	m.ID, m.At = fmt.Sprintf("%s.%d", r.Number, n), c.at
	if m.Kind == MessagePassedOn { // beside the one to who has the case now, and without a key to it
		m.Facts.StatusLink, m.Facts.Fields = "", nil
	}
	if r.Status == StatusNeedsInfo && (m.Kind == MessageKnown || m.Kind == MessageStatus) {
		// What is still missing says more than that we have it. What was understood was told
		// with the question; who sends our text back as new must not get it again and again.
		m.Kind, m.Facts.Fields = MessageNeedsInfo, nil
	}
	return c.enqueueMessage(m, fmt.Sprintf("notify:%010d:%s", r.Seq, m.ID), r.Number)
}

// dueIn is the deadline that a message is about: its own, else that of the state of r.
func (c *change) dueIn(r *Registration, m Message) (time.Time, error) {
	terms, err := c.terms(r.Partner)
	switch {
	case err != nil || !m.Due.IsZero():
		return m.Due, err
	case m.Kind == MessageIdle && terms.IdleAnswer != (Span{}):
		return c.later(c.at, terms.IdleAnswer), nil
	case m.Kind == MessageStepReminder:
		return r.Protection.End, nil
	case m.Kind == MessageRequested && r.Status == StatusAppeal:
		return r.Appeal.Plan, nil
	}
	return m.Facts.Due, nil
}

// receipted reports whether a message of the kind brings a receipt: where a claim was taken in,
// or came to count for more.
func (k MessageKind) receipted() bool {
	switch k {
	case MessageReceived, MessageCompleted, MessageApproved, MessageKnown, MessageWaitlisted, MessageElevated, MessageTurn,
		MessageAppealDecided, MessageProtected, MessageExtended, MessageGiven:
		return true
	}
	return false
}

// notifyJoined tells what became of a submission that joined r: what was changed by it, or
// that we have it all.
func (c *change) notifyJoined(r *Registration, changed []Field, to Route) error {
	if len(changed) == 0 || r.Status == StatusNeedsInfo {
		return c.notify(r, MessageKnown, to, false)
	}
	return c.notifyAs(r, Message{Kind: MessageChanged, To: to, Changed: changed})
}

// send enqueues a message that is about no single case; id names it among all of them.
func (c *change) send(m Message, id string) error {
	if m.To.Address == "" {
		return nil
	}
	if err := c.noteTold(m); err != nil {
		return err
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
	lane := LaneNotify
	if m.Kind == MessageDigest {
		lane = LaneDigest
	}
	return c.Enqueue(Task{Key: key, Lane: lane, Case: queue, Due: c.at, Payload: body})
}

// programFacts is what may be told to a partner about no case at all.
func (c *change) programFacts(p Partner) Facts {
	f := Facts{Program: c.g.program, Zone: c.g.policy.Zone().String(), Received: c.at, Contact: p.Manager, Locale: p.Locale, Weekly: c.g.weekly}
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
	f.Missing, f.Question = r.asked(), r.Question
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
	if f.Status == StatusDeclined || f.Status == StatusExpired || f.Status == StatusWaitlisted {
		if f.AppealBy, err = c.appealBy(r); err != nil {
			return Facts{}, err
		}
	}
	if r.Status.ends() {
		terms, err := c.terms(r.Partner)
		if err != nil {
			return Facts{}, err
		}
		f.Extensions, f.Days = max(0, terms.Extension.Times-r.Protection.Extended), terms.Extension.Days
	}
	if r.Status == StatusLocked {
		f.Until = time.Time{} // it has no end for now
	}
	f.Deal = r.dealFacts()
	f.Meeting, f.Related = r.Meeting, cmp.Or(r.MergedInto, r.Child, r.Parent)
	for _, a := range r.Attribution {
		if a.Partner == r.Partner {
			f.Percent = a.Percent
		}
	}
	c.announced(r, &f)
	for _, field := range fieldsOf(r.Lead) {
		f.Fields = append(f.Fields, FieldFact{Field: field, Value: r.Lead[field], Words: r.Evidence[field]})
	}
	return f, nil
}

// asked returns what the partner is asked for. What was given for it and is not clear is not
// asked for as if nothing had been given.
func (r *Registration) asked() []Problem {
	problems := slices.Clone(r.Problems)
	for i, p := range problems {
		given := r.Unclear[p.Field]
		if given != "" && r.Lead[p.Field] == "" && (p.Code == ProblemMissing || p.Code == ProblemConsent) {
			problems[i] = Problem{Field: p.Field, Code: ProblemInvalid, Given: given}
		}
	}
	return problems
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
	if err := c.arrived(m); err != nil {
		return err
	}
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

// arrived ends what was noted of earlier messages that did not arrive.
func (c *change) arrived(m Message) error {
	if m.Import != nil {
		if err := c.DeleteRecord(spaceImportAnswer, m.Import.ID+"/"+m.ID); err != nil {
			return err
		}
	}
	what := "/partner"
	if m.Brief != nil {
		what = "/staff"
	}
	for _, number := range append(m.numbers(), m.briefed()...) {
		if err := c.DeleteRecord(spaceUndelivered, number+what); err != nil {
			return err
		}
	}
	return nil
}

// notSent records that a message was not delivered, and why.
func (c *change) notSent(m Message, why string) error {
	if m.Brief != nil {
		return c.staffUnsent(m, why)
	}
	for _, number := range m.numbers() {
		r, err := c.Case(number)
		if err != nil {
			return err
		}
		r.Unread++
		if err := c.undelivered(&r, "partner", m.ID+" "+why); err != nil {
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
