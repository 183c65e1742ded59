package intake

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// terms are what the policy promises to a partner, known or not.
func (c *change) terms(partnerID string) (Terms, error) {
	if t, found := c.promised[partnerID]; found {
		return t, nil
	}
	p, err := partner(c, partnerID)
	if err := ignoreNotFound(err); err != nil {
		return Terms{}, err
	}
	if c.promised == nil {
		c.promised = make(map[string]Terms)
	}
	c.promised[partnerID] = c.g.policy.Terms(p)
	return c.promised[partnerID], nil
}

// approve grants the hold. It refuses, whoever asks, while another case holds the account or
// contests it, and a case that does not say which account it is: this is where "one prospect,
// one partner" is kept.
func (c *change) approve(r *Registration, e Event) error {
	if r.Lead[FieldCompanyDomain] == "" {
		return &ErrInput{"the case has no company domain, so nothing could be held; ask the partner for it first"}
	}
	if err := c.mayHold(r); err != nil {
		return err
	}
	terms, err := c.terms(r.Partner)
	if err != nil {
		return err
	}
	appealed := r.Status == StatusAppeal
	r.Decided, r.DecidedBy, r.Problems, r.Question, r.Turn = c.at, []string{e.Actor}, nil, "", time.Time{}
	r.Protection = Protection{Start: c.at, End: c.g.policy.End(c.at, terms.NextStep)}
	to := StatusProvisional
	switch {
	case r.Met:
		to = StatusLocked
	case terms.AtOnce || !r.Intro.IsZero() || !r.Meeting.IsZero():
		to = StatusProtected
	}
	if r.Parent != "" {
		as, err := c.succeed(r)
		if err != nil {
			return err
		}
		to = cmp.Or(as, to)
	}
	if to == StatusProtected {
		r.Protection.End = c.g.policy.End(r.Protection.Start, terms.Window)
	}
	if err := c.move(r, to, e); err != nil {
		return err
	}
	if err := c.brief(r, StaffNextStep, Brief{Due: r.Protection.End}); err != nil {
		return err
	}
	if appealed {
		return c.announce(r, MessageAppealDecided, e)
	}
	return c.announce(r, MessageApproved, e)
}

// HeldError says that an account is protected for another case, or, with Appeal, that an
// appeal keeps it from being given to anybody.
type HeldError struct {
	Case, Holder string
	Appeal       bool
}

func (e *HeldError) Error() string {
	if e.Appeal {
		return fmt.Sprintf("case %s can't be approved: the appeal of case %s is about the same account and is to be decided first", e.Case, e.Holder)
	}
	return fmt.Sprintf("case %s can't be approved: its account is protected under case %s", e.Case, e.Holder)
}

// mayHold returns a *HeldError if another case holds the account of r, or contests it.
func (c *change) mayHold(r *Registration) error {
	domains, err := c.reach(r)
	if err != nil {
		return err
	}
	lead, err := c.leadOf(r)
	if err != nil {
		return err
	}
	own := lead.Status.Holds() // it is protected for the partner already
	for _, domain := range domains {
		cases, err := c.CasesByKey(keyDomain+domain, maxRivals)
		if err != nil {
			return err
		}
		for _, other := range cases {
			if other.Number == r.Number || !ScopesOverlap(r.Scope, other.Scope) || other.Number == lead.Number {
				continue
			}
			if other.Status.Holds() || other.Status == StatusAppeal && r.Status != StatusAppeal && !own {
				return &HeldError{Case: r.Number, Holder: other.Number, Appeal: !other.Status.Holds()}
			}
		}
		if len(cases) == maxRivals { // the holder may be among those not read
			return &ErrInput{fmt.Sprintf("there are more than %d live cases of %s; end some of them first", maxRivals, domain)}
		}
	}
	return nil
}

// leadOf is the lead of which r is the deal, if it is still of the same partner; zero if there
// is none.
func (c *change) leadOf(r *Registration) (Registration, error) {
	if r.Parent == "" {
		return Registration{}, nil
	}
	lead, err := c.Case(r.Parent)
	if err != nil || lead.Partner != r.Partner {
		return Registration{}, err
	}
	return lead, nil
}

// reach are the domains that a claim of r is to: those of the company, and of its whole group
// where the policy says so.
func (c *change) reach(r *Registration) ([]string, error) {
	domains, err := c.accountDomains(r)
	if err != nil || !c.g.policy.GroupWide() {
		return domains, err
	}
	related, err := c.groupDomains(r)
	return append(domains, related...), err
}

// accountDomains are the domains of the company of r: the one it names and its aliases.
func (c *change) accountDomains(r *Registration) ([]string, error) {
	for _, key := range r.Identity {
		if domain, found := strings.CutPrefix(key, keyDomain); found {
			return accountDomains(c, domain)
		}
	}
	return nil, nil
}

// extended is the protection of r with a later end, by calendar days; an error, in words for
// staff, if the rules do not allow it.
func (c *change) extended(r *Registration, days int) (Protection, error) {
	terms, err := c.terms(r.Partner)
	if err != nil {
		return Protection{}, err
	}
	x, held := terms.Extension, r.Protection
	switch {
	case held.Extended >= x.Times:
		return held, fmt.Errorf("the hold was extended %d times, and the policy allows no more than %d (extension.times)", held.Extended, x.Times)
	case days < 1 || days > x.Days:
		return held, fmt.Errorf("by how many days? the policy allows 1 to %d (extension.days)", x.Days)
	}
	held.End = c.g.policy.End(held.End, Span{Value: days, Unit: Days})
	held.Extended++
	return held, nil
}

// extend moves the end of a hold and tells the partner.
func (c *change) extend(r *Registration, days int, e Event) error {
	late := r.Status == StatusExpired && !r.Extending.IsZero() // asked in time, read too late
	if !r.Status.ends() && !late {
		return &ErrInput{fmt.Sprintf("the case is %s; there is no end of a hold that could be moved", r.Status)}
	}
	later, err := c.extended(r, days)
	if err != nil {
		return &ErrInput{err.Error()}
	}
	if r.Status == StatusExpired {
		return c.restore(r, later, days, e)
	}
	e.Kind, e.Trigger = EventExtended, ""
	e.Note = fmt.Sprintf("to %s, %d days later", later.End.Format(time.RFC3339), days)
	r.Protection, r.Extending = later, time.Time{}
	r.Requests = slices.DeleteFunc(r.Requests, func(v Verb) bool { return v == VerbExtend })
	if err := c.record(r, e); err != nil {
		return err
	}
	return c.announce(r, MessageExtended, e)
}

// restore takes a hold up again that ended while the request to prolong it lay unread.
func (c *change) restore(r *Registration, later Protection, days int, e Event) error {
	if err := c.mayHold(r); err != nil {
		return err
	}
	to := StatusProtected
	if r.Reason == ReasonNoNextStep {
		to = StatusProvisional
	}
	r.Protection, r.Extending = later, time.Time{}
	e.Note = fmt.Sprintf("extended by %d days", days)
	if err := c.move(r, to, e); err != nil {
		return err
	}
	return c.announce(r, MessageExtended, e)
}

// Step is a proof that a partner goes on with a prospect.
type Step struct {
	// Kind is EvidenceIntro or EvidenceMeeting.
	Kind EvidenceKind
	// At is when the introduction was, or when the meeting is or was.
	At time.Time
	// Held says that the meeting took place.
	Held bool
	// UID names the meeting in its calendar, Source says for staff how it is known.
	UID, Source string
}

// progress notes a step, and gives the hold what it stands for: the whole window for a next
// step, no end for now for a first meeting that was held.
func (c *change) progress(r *Registration, s Step, e Event) error {
	switch s.Kind {
	case EvidenceIntro:
		r.Intro = s.At
	case EvidenceMeeting:
		r.Meeting, r.MeetingUID = s.At, s.UID
		r.Met = r.Met || s.Held
	default:
		return &ErrInput{fmt.Sprintf("%q is no next step; want %s or %s", s.Kind, EvidenceIntro, EvidenceMeeting)}
	}
	e.Kind, e.Trigger = EventProgress, ""
	e.Note = strings.TrimSuffix(fmt.Sprintf("%s %s; %s", s.Kind, s.At.UTC().Format(time.RFC3339), cut(s.Source, 100)), "; ")
	if err := c.record(r, e); err != nil {
		return err
	}
	e.Kind, e.Note, e.Trigger = "", "", TriggerProgress
	switch {
	case r.Met && (r.Status == StatusProvisional || r.Status == StatusProtected):
		return c.lock(r, e)
	case r.Status == StatusProvisional:
		return c.protect(r, e)
	case r.Status.Holds():
		return c.push(r)
	case r.Status == StatusWaitlisted: // who met the company first is not second
		if err := c.move(r, StatusSubmitted, e); err != nil {
			return err
		}
		return c.check(r)
	case r.Status == StatusInReview:
		return c.recheck(r, c.at)
	}
	return nil
}

// protect gives a hold its whole window, from the approval.
func (c *change) protect(r *Registration, e Event) error {
	terms, err := c.terms(r.Partner)
	if err != nil {
		return err
	}
	end := c.g.policy.End(r.Protection.Start, terms.Window)
	if end.After(r.Protection.End) {
		r.Protection.End = end
	}
	if err := c.move(r, StatusProtected, e); err != nil {
		return err
	}
	return c.announce(r, MessageProtected, e)
}

// lock takes the end off a hold.
func (c *change) lock(r *Registration, e Event) error {
	if err := c.move(r, StatusLocked, e); err != nil {
		return err
	}
	return c.announce(r, MessageLocked, e)
}

// met strikes when the first meeting begins that nobody has called off.
func (c *change) met(r *Registration) error {
	r.Met = true
	e := Event{Trigger: TriggerTimer, Actor: "timer"}
	if r.Status == StatusLocked {
		e.Kind, e.Trigger, e.Note = EventProgress, "", "the first meeting began"
		return c.record(r, e)
	}
	return c.lock(r, e)
}

// expire ends a hold whose time is over.
func (c *change) expire(r *Registration) error {
	e := Event{Trigger: TriggerTimer, Actor: "timer", Reason: ReasonWindowEnded}
	if r.Status == StatusProvisional {
		e.Reason = ReasonNoNextStep
	}
	return c.endHold(r, e, MessageExpired)
}

// endHold frees the account of r.
func (c *change) endHold(r *Registration, e Event, kind MessageKind) error {
	r.Extending = time.Time{}
	if err := c.move(r, StatusExpired, e); err != nil {
		return err
	}
	if e.Trigger == TriggerTimer {
		return c.announceByFile(r, kind, e)
	}
	return c.announce(r, kind, e)
}

// idle asks whether the partner is still at it.
func (c *change) idle(r *Registration) error {
	if err := c.notify(r, MessageIdle, r.Reply, true); err != nil {
		return err
	}
	return c.brief(r, StaffIdle, Brief{Why: "nothing was heard for long; the partner was asked"})
}

// silent tells staff that the partner did not answer.
func (c *change) silent(r *Registration) error {
	return c.brief(r, StaffIdle, Brief{Why: "the partner was asked and did not answer; the account can be freed or given to another"}, ActRelease)
}

// release lets those who wait for the account have their turn, after r gave up its claim.
func (c *change) release(r *Registration) error {
	domains, err := c.reach(r)
	if err != nil {
		return err
	}
	return c.serve(domains)
}

// serve gives each case that waits for one of the domains its turn, the oldest claim first,
// unless a hold, an appeal or an older claim that is still to be decided stands against it.
func (c *change) serve(domains []string) error {
	var live []Registration
	for _, domain := range domains {
		cases, err := c.CasesByKey(keyDomain+domain, maxRivals)
		if err != nil {
			return err
		}
		live = append(live, cases...)
	}
	slices.SortFunc(live, func(a, b Registration) int { return before(&a, &b) })
	for i := range live {
		r := &live[i]
		if r.Status != StatusWaitlisted {
			continue
		}
		blocked := slices.ContainsFunc(live, func(o Registration) bool {
			return o.Number != r.Number && ScopesOverlap(r.Scope, o.Scope) &&
				(o.Status.Holds() || o.Status == StatusAppeal || o.Status.Undecided() && before(&o, r) < 0)
		})
		if blocked {
			continue
		}
		if err := c.takeTurn(r); err != nil {
			return err
		}
	}
	return nil
}

// takeTurn gives a waiting case the first right to an account that became free.
func (c *change) takeTurn(r *Registration) error {
	terms, err := c.terms(r.Partner)
	if err != nil {
		return err
	}
	r.Turn = c.due(c.at, terms.FirstRight)
	r.DecisionDue, r.Promised = c.g.policy.End(c.at, terms.Decision), c.at
	err = c.move(r, StatusSubmitted, Event{Trigger: TriggerRelease, Actor: "policy", Note: "the account is free"})
	if err != nil {
		return err
	}
	return c.check(r)
}

// due is the end of a span, zero if the policy has no such clock.
func (c *change) due(from time.Time, s Span) time.Time {
	if s == (Span{}) {
		return time.Time{}
	}
	return c.g.policy.End(from, s)
}

// before orders cases by claim.
func before(a, b *Registration) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	}
	return 0
}
