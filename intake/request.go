package intake

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// obey does what the sender asks for in a word. r is the case of the thread, nil if there is
// none. A command about a case of another partner is answered like one about no case.
func (a *acceptance) obey(c *change, r *Registration, speaker string) error {
	a.outcome = "command"
	for _, cmd := range a.s.Commands {
		about, err := a.caseOf(c, r, cmd, speaker)
		if err != nil {
			return err
		}
		switch {
		case cmd.Verb == VerbHelp:
			err = a.tell(c, speaker, Message{Kind: MessageHelp})
		case cmd.Verb == VerbRules:
			err = a.tellRules(c, speaker)
		case cmd.Verb == VerbAgree:
			err = a.agree(c, speaker, cmd.Words)
		case cmd.Verb == VerbDigest:
			err = a.digest(c, speaker, cmd.Words)
		case about != nil:
			a.receipt = Receipt{Case: about.Number, Status: about.Status, Known: true}
			err = a.obeyFor(c, about, cmd)
			a.receipt.Status = about.Status
		case cmd.Verb == VerbStatus && cmd.Case == "":
			err = a.tellAll(c, speaker)
		case cmd.Case != "":
			err = a.tell(c, speaker, Message{Kind: MessageHelp, Request: cmd.Verb})
		default:
			err = a.tell(c, speaker, Message{Kind: MessageHelp})
		}
		if err != nil {
			return err
		}
	}
	if a.receipt.Case != "" {
		return nil
	}
	return a.file(c)
}

// file keeps a command that belongs to no case where staff find it.
func (a *acceptance) file(c *change) error {
	var verbs []string
	for _, cmd := range a.s.Commands {
		verbs = append(verbs, strings.ToUpper(string(cmd.Verb)))
	}
	as := Aside{
		ID: a.id, Key: a.s.Key, Channel: a.s.Channel, Reason: AsideCommand, Detail: strings.Join(verbs, ", "),
		From: a.s.Sender.Address, Subject: a.s.Subject, ReceivedAt: a.s.ReceivedAt, Raw: a.s.Raw,
		Closed: Closed{By: "gateway", At: c.at},
	}
	a.receipt = Receipt{Aside: a.id}
	return putJSON(c, spaceAside, a.id, as)
}

// caseOf returns the case that a command is about: the one that it names, else the one of
// the thread. It is nil if there is none, or none of this partner.
func (a *acceptance) caseOf(c *change, thread *Registration, cmd Command, speaker string) (*Registration, error) {
	number, ok := c.g.numbers.Parse(cmd.Case)
	if !ok {
		if cmd.Case != "" {
			return nil, nil
		}
		return thread, nil
	}
	r, err := c.Case(number)
	if errors.Is(err, ErrNotFound) || err == nil && (r.Partner != speaker || r.Status == StatusErased) {
		return nil, nil
	}
	return &r, err
}

// obeyFor does what a command asks for, as far as the state of r allows, and answers with the
// state that r has then. Whether it is answered is for the mail with the command to say.
func (a *acceptance) obeyFor(c *change, r *Registration, cmd Command) error {
	if a.s.Reply.Address != "" {
		r.Reply = a.s.Reply
	}
	r.Mute = a.s.Mute
	r.Submissions++
	if err := a.store(c, r); err != nil {
		return err
	}
	e := Event{Actor: "partner:" + r.Partner, Submission: r.Submissions}
	switch cmd.Verb {
	case VerbWithdraw:
		return a.withdraw(c, r, e)
	case VerbExtend, VerbAppeal:
		return a.request(c, r, cmd.Verb, e)
	}
	return a.tellStatus(c, r, cmd.Verb, e)
}

// withdraw ends r, unless it is over already.
func (a *acceptance) withdraw(c *change, r *Registration, e Event) error {
	asked := e
	e.Trigger, e.Reason = TriggerWithdraw, ReasonWithdrawn
	err := c.move(r, StatusWithdrawn, e)
	var illegal *IllegalTransition
	if errors.As(err, &illegal) {
		return a.tellStatus(c, r, VerbWithdraw, asked)
	}
	if err != nil {
		return err
	}
	return c.announceTo(r, MessageWithdrawn, a.s.Reply)
}

// request puts what the partner asks for before staff, whatever the state of r: they decide,
// with the partner's own words before them. A decision that can be appealed is appealed.
func (a *acceptance) request(c *change, r *Registration, verb Verb, e Event) error {
	if verb == VerbExtend && r.Status == StatusLocked {
		return a.tellStatus(c, r, verb, e) // there is no end that could be moved
	}
	r.Unread++
	if !slices.Contains(r.Requests, verb) {
		r.Requests = append(r.Requests, verb)
	}
	by, err := c.appealBy(r)
	if err != nil {
		return err
	}
	if verb == VerbAppeal && !by.Before(a.s.ReceivedAt) {
		err = c.appeal(r, e)
	} else {
		err = c.asked(r, verb, a.s.ReceivedAt, e)
	}
	if err != nil {
		return err
	}
	if verb == VerbExtend && len(r.Requests) == 0 {
		return nil // granted already
	}
	if err := c.brief(r, StaffRequest, Brief{Said: a.s.Text}, requestActs(r, verb)...); err != nil {
		return err
	}
	return c.notifyAs(r, Message{Kind: MessageRequested, To: a.s.Reply, Request: verb})
}

// requestActs are what staff can do about a request.
func requestActs(r *Registration, verb Verb) []StaffAct {
	switch {
	case verb == VerbExtend && !r.Extending.IsZero():
		return []StaffAct{ActExtend, ActRefuse}
	case r.Status == StatusAppeal:
		return []StaffAct{ActAckAppeal, ActApprove, ActDecline}
	}
	return []StaffAct{ActSeen}
}

// appeal has a decision looked at again, by somebody else.
func (c *change) appeal(r *Registration, e Event) error {
	terms, err := c.terms(r.Partner)
	if err != nil {
		return err
	}
	r.Appeal = Appeal{
		Opened: c.at, From: r.Status, Deciders: r.DecidedBy,
		Acknowledge: c.due(c.at, terms.Appeal.Acknowledge), Plan: c.due(c.at, terms.Appeal.Plan),
	}
	e.Trigger, e.Reason = TriggerAppeal, ReasonAppeal
	if err := c.move(r, StatusAppeal, e); err != nil {
		return err
	}
	return c.push(r)
}

// asked notes a request for staff. An extension that keeps to all bounds is granted at once
// where the policy says so.
func (c *change) asked(r *Registration, verb Verb, received time.Time, e Event) error {
	terms, err := c.terms(r.Partner)
	if err != nil {
		return err
	}
	quiet := terms.Extension.Active != (Span{}) && c.at.After(c.later(r.Activity, terms.Extension.Active))
	ended := r.Status == StatusExpired && (r.Reason == ReasonNoNextStep || r.Reason == ReasonWindowEnded)
	inTime := !received.After(r.Protection.End)
	if verb == VerbExtend && (r.Status.ends() || ended) && inTime && r.Extending.IsZero() {
		r.Extending = received
	}
	e.Kind, e.Note = EventRequested, string(verb)
	if err := c.record(r, e); err != nil {
		return err
	}
	if verb != VerbExtend || !terms.Extension.Auto || quiet || r.Extending.IsZero() || ended {
		return nil
	}
	var refused *ErrInput
	r.Unread--
	err = c.extend(r, terms.Extension.Days, Event{Actor: "policy"})
	if errors.As(err, &refused) { // out of bounds: for staff
		r.Unread++
		return nil
	}
	return err
}

// tellStatus answers with the state of r.
func (a *acceptance) tellStatus(c *change, r *Registration, verb Verb, e Event) error {
	e.Kind, e.Note = EventRequested, string(verb)
	if err := c.record(r, e); err != nil {
		return err
	}
	return c.notify(r, MessageStatus, a.s.Reply, false)
}

// announceTo tells the CRMs and the person who asked.
func (c *change) announceTo(r *Registration, kind MessageKind, to Route) error {
	if err := c.push(r); err != nil {
		return err
	}
	return c.notify(r, kind, to, false)
}

// tellRules answers with the rules of the programme.
func (a *acceptance) tellRules(c *change, speaker string) error {
	return a.tell(c, speaker, Message{Kind: MessageRules})
}

// agree notes that the partner has acknowledged a version of the rules; of the present one only,
// for of another one nobody knows here what it said.
func (a *acceptance) agree(c *change, speaker, version string) error {
	p, err := partner(c, speaker)
	if err != nil {
		return err
	}
	if strings.TrimSpace(version) != c.g.policy.Version() {
		return a.tellRules(c, speaker)
	}
	p.Acknowledged = Acknowledged{Version: c.g.policy.Version(), At: c.at, By: a.s.Sender.Address}
	if err := putJSON(c, spacePartner, p.ID, p); err != nil {
		return err
	}
	return a.tell(c, speaker, Message{Kind: MessageRules, Request: VerbAgree})
}

// tellAll answers with the state of the sender's own cases, the newest first.
func (a *acceptance) tellAll(c *change, speaker string) error {
	cases, err := c.ListCases(CaseQuery{Partner: speaker, Limit: 200})
	if err != nil {
		return err
	}
	var facts []Facts
	for i := range cases {
		r := &cases[i]
		if !strings.EqualFold(r.Contact, a.s.Sender.Address) || r.Status == StatusErased || len(facts) == maxSummary {
			continue
		}
		f, err := c.facts(r)
		if err != nil {
			return err
		}
		facts = append(facts, f)
	}
	if len(facts) == 0 {
		return a.tell(c, speaker, Message{Kind: MessageHelp})
	}
	return a.tell(c, speaker, Message{Kind: MessageSummary, Cases: facts})
}

// tell sends a message that is about no single case to who wrote.
func (a *acceptance) tell(c *change, speaker string, m Message) error {
	p, err := partner(c, speaker)
	if err != nil {
		return err
	}
	if a.s.Reply.Address == "" || a.s.Mute != "" {
		return nil
	}
	m.ID, m.To, m.Facts, m.At = fmt.Sprintf("C-%s.1", a.id), a.s.Reply, c.programFacts(p), c.at
	if m.Kind == MessageRules {
		rules := c.g.policy.Published()
		m.Facts.Rules = &rules
	}
	return c.send(m, "command:"+a.id)
}
