package intake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"leadgate/intake/identity"
)

const (
	// lookupTime bounds the questions to the CRMs. One that does not answer in time makes
	// the case go to review, never the partner wait.
	lookupTime = 3 * time.Second
	// rivalPause is how long a check waits for an earlier rival whose own check is running,
	// rivalPatience how long it does so before a person has to look.
	rivalPause    = 100 * time.Millisecond
	longestPause  = 400 * time.Millisecond
	rivalPatience = 2 * time.Minute
	// recheckPause is after what time a CRM that could not be asked is asked again; each time it is
	// longer by as much, up to longestRecheck.
	recheckPause   = time.Minute
	longestRecheck = 10 * time.Minute
	// maxRivals bounds the cases looked at per key; a name that more than commonName cases
	// share says nothing.
	maxRivals  = 500
	commonName = 20
	// maxAsks is how often the policy asks a partner before a person takes over.
	maxAsks = 3
)

// What postpones a check without being a failure: an earlier claim to the account that is
// still to be decided, data that came in while the CRMs were asked, a CRM that is down.
var (
	errEarlierRival = errors.New("an earlier claim to the account is being checked")
	errLeadChanged  = errors.New("the case changed while the CRMs were asked")
	errCRMDown      = errors.New("a CRM still can't be asked about the case")
)

// runCheck judges a case: first the CRMs, without a transaction, then the verdict and all
// that follows from it in one.
func (g *Gateway) runCheck(ctx context.Context, t Task) (effect, error) {
	pause := min(rivalPause<<min(t.Attempts, 10), longestPause)
	var r Registration
	err := g.store.View(ctx, func(tx Tx) (err error) {
		if r, err = tx.Case(t.Case); err != nil {
			return err
		}
		if strings.HasPrefix(t.Key, recheckKey) && r.Reason == ReasonCRMUnverified && g.anyShut() {
			return RetryAfter(recheckAfter(t), errCRMDown)
		}
		c := &change{Tx: tx, g: g, at: g.stamp()}
		rivals, err := c.rivals(&r)
		if err == nil && c.mustWait(&r, rivals) {
			err = RetryAfter(pause, errEarlierRival)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	matches, unreachable := g.lookup(ctx, r)
	return func(c *change) error {
		now, err := c.Case(t.Case)
		if err != nil {
			return err
		}
		if !maps.Equal(now.Lead, r.Lead) {
			return RetryAfter(0, errLeadChanged)
		}
		err = c.decide(&now, t.Key, matches, unreachable, pause)
		if errors.Is(err, errCRMDown) {
			return RetryAfter(recheckAfter(t), errCRMDown)
		}
		return err
	}, nil
}

// recheckAfter is how long to wait until a CRM that is down is asked again about a case.
func recheckAfter(t Task) time.Duration {
	return min(time.Duration(t.Attempts)*recheckPause, longestRecheck)
}

// lookup asks all CRMs at once; one that hangs or panics takes nothing from the others.
func (g *Gateway) lookup(ctx context.Context, r Registration) (matches []Match, unreachable []string) {
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	found, errs := make([][]Match, len(g.crms)), make([]error, len(g.crms))
	var wg sync.WaitGroup
	for i, crm := range g.crms {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = fmt.Errorf("panic: %v", p)
				}
			}()
			gate := &g.gates[crm.Name()].write
			if !gate.asks() {
				errs[i] = errGateShut
				return
			}
			found[i], errs[i] = crm.Lookup(ctx, r.Lead.Clone())
			gate.note(ctx, "", errs[i])
		})
	}
	wg.Wait()
	for i, crm := range g.crms {
		if errs[i] != nil {
			g.log.Warn("lookup failed", "case", r.Number, "crm", crm.Name(), "err", errs[i])
			unreachable = append(unreachable, crm.Name())
			continue
		}
		matches = append(matches, found[i]...)
	}
	return matches, unreachable
}

// decide judges the case as it stands in this transaction, among its rivals, and acts.
func (c *change) decide(r *Registration, task string, matches []Match, unreachable []string, pause time.Duration) error {
	again := r.Status == StatusInReview && strings.HasPrefix(task, recheckKey)
	if r.Status != StatusSubmitted && !again {
		return nil // decided in the meantime
	}
	in, err := c.input(r)
	if err != nil {
		return err
	}
	if c.mustWait(r, in.Rivals) {
		return RetryAfter(pause, errEarlierRival)
	}
	in.Matches, in.Unreachable = matches, unreachable
	d := c.g.policy.Judge(c.at, in)
	judged := d
	if r.Mute != "" && !d.Outcome.Worse(OutcomeAsk) {
		d.Findings = append(d.Findings, Finding{Rule: "automatic-mail", Outcome: OutcomeReview, Reason: ReasonAutomatic, Evidence: r.Mute})
		d.Outcome, d.Reason, r.Problems = OutcomeReview, ReasonAutomatic, d.Problems
	}
	if again && r.Reason == ReasonCRMUnverified && d.Reason == ReasonCRMUnverified {
		return RetryAfter(recheckPause, errCRMDown)
	}
	if err := c.keepJudgement(in, judged); err != nil {
		return err
	}
	if err := c.probe(r, judged.taken()); err != nil {
		return err
	}
	return c.settle(r, d)
}

// input is what the policy judges of r, but for what the CRMs know.
func (c *change) input(r *Registration) (in Case, err error) {
	in.Registration = *r
	if in.Partner, err = partner(c, r.Partner); err != nil {
		return in, fmt.Errorf("partner %s of case %s: %w", r.Partner, r.Number, err)
	}
	if in.Rivals, err = c.rivals(r); err != nil {
		return in, err
	}
	if in.Known, err = c.g.known(c, r.Lead, c.at, c.g.policy.Zone()); err != nil {
		return in, err
	}
	if in.Past, err = c.past(r); err != nil {
		return in, err
	}
	in.Holds, err = c.holds(r.Partner)
	return in, err
}

// mustWait reports whether an earlier claim has to be decided first. After some time a
// person has to look at both instead.
func (c *change) mustWait(r *Registration, rivals []Rival) bool {
	return r.Status == StatusSubmitted && c.at.Sub(r.Since) < rivalPatience &&
		slices.ContainsFunc(rivals, func(v Rival) bool { return v.awaits(r) })
}

// awaits reports whether r must not be decided before v is: an earlier proven claim of
// another partner to certainly the same account, whose check is still to come.
func (v Rival) awaits(r *Registration) bool {
	return v.Grade == identity.GradeCertain && v.Earlier && v.Status == StatusSubmitted &&
		v.Partner != r.Partner
}

// settle acts on a verdict as far as the mode allows, and leaves the rest to a person.
func (c *change) settle(r *Registration, d Decision) error {
	r.Findings, r.Policy, r.Advice = d.Findings, c.g.policy.Hash(), d.Outcome
	if d.Outcome == OutcomeReview && len(d.Order) > 1 {
		if err := c.dispute(r, d); err != nil {
			return err
		}
	}
	e := Event{
		Trigger: TriggerRules, Actor: "policy", Reason: d.Reason,
		Findings: codes(d.Findings), Policy: r.Policy,
	}
	switch {
	case !d.Acts:
	case d.Outcome == OutcomeMerge:
		return c.merge(r, d.Case, e)
	case d.Outcome == OutcomeAsk && r.Asks < maxAsks:
		r.Problems = d.Problems
		return c.ask(r, e)
	case d.Outcome == OutcomeApprove:
		err := c.approve(r, e)
		var held *HeldError
		var crowded *ErrInput
		if !errors.As(err, &held) && !errors.As(err, &crowded) {
			return err
		}
		e.Reason = ReasonContested
	case d.Outcome == OutcomeDecline:
		return c.decline(r, e)
	case d.Outcome == OutcomeWaitlist:
		return c.waitlist(r, e)
	}
	if d.Outcome == OutcomeAsk {
		r.Problems, e.Reason = d.Problems, ReasonAskedEnough
	}
	return c.review(r, e)
}

// codes are findings without their words, which may name people: events are kept for ever.
func codes(findings []Finding) []Finding {
	out := slices.Clone(findings)
	for i := range out {
		out[i].Evidence, out[i].Problems = "", nil
	}
	return out
}

func (c *change) review(r *Registration, e Event) error {
	if r.Status == StatusInReview { // judged anew, still a person's to decide
		e.Kind, r.Reason = EventJudged, e.Reason
		return c.record(r, e)
	}
	if r.Status.Holds() { // decided once; what is promised now is another decision
		terms, err := c.terms(r.Partner)
		if err != nil {
			return err
		}
		r.DecisionDue, r.Promised = c.g.policy.End(c.at, terms.Decision), c.at
	}
	completed := r.Answered && e.Reason != ReasonAskedEnough
	if err := c.move(r, StatusInReview, e); err != nil {
		return err
	}
	if r.Reason == ReasonCRMUnverified {
		if err := c.recheck(r, c.at.Add(recheckPause)); err != nil {
			return err
		}
	}
	said, err := c.lastWords(r)
	if err != nil {
		return err
	}
	if err := c.brief(r, StaffQueued, Brief{Due: r.DecisionDue, Said: said}, decisionActs...); err != nil {
		return err
	}
	if err := c.push(r); err != nil {
		return err
	}
	m := Message{Kind: MessageReceived, To: r.Reply, Unprompted: e.Trigger != TriggerRules}
	switch {
	case !r.Turn.IsZero():
		m.Kind, m.Due, m.Unprompted = MessageTurn, r.Turn, true
	case r.Parent != "":
		m.Kind = MessageElevated
	case completed:
		m.Kind = MessageCompleted
	}
	return c.notifyAs(r, m)
}

// recheckKey begins the key of a further check of a case that is in review.
const recheckKey = "recheck"

// recheck enqueues a further check of a case in review. If it waits for a CRM, that is repeated
// until the CRM answers or a person has decided.
func (c *change) recheck(r *Registration, due time.Time) error {
	return c.Enqueue(Task{Key: taskKey(recheckKey, r), Lane: LaneCheck, Case: r.Number, Due: due})
}

func (c *change) ask(r *Registration, e Event) error {
	terms, err := c.terms(r.Partner)
	if err != nil {
		return err
	}
	r.Asks++
	r.AnswerDue = c.g.policy.End(c.at, terms.Answer)
	if err := c.move(r, StatusNeedsInfo, e); err != nil {
		return err
	}
	return c.announce(r, MessageNeedsInfo, e)
}

func (c *change) decline(r *Registration, e Event) error {
	kind := MessageDeclined
	if r.Status == StatusAppeal {
		kind = MessageAppealDecided
	}
	return c.refuse(r, e, kind)
}

// refuse ends the claim of r. What nothing that the partner can do would change he can't
// register again for a while.
func (c *change) refuse(r *Registration, e Event, kind MessageKind, with ...string) error {
	terms, err := c.terms(r.Partner)
	if err != nil {
		return err
	}
	r.Decided, r.DecidedBy, r.Problems, r.Question, r.Cooling = c.at, append(with, e.Actor), nil, "", time.Time{}
	if !e.Reason.fixable() && terms.CoolingOff != (Span{}) {
		r.Cooling = c.g.policy.End(c.at, terms.CoolingOff)
	}
	if err := c.move(r, StatusDeclined, e); err != nil {
		return err
	}
	if err := c.remembers(r); err != nil {
		return err
	}
	return c.announce(r, kind, e)
}

func (c *change) waitlist(r *Registration, e Event) error {
	kind := MessageWaitlisted
	if r.Status == StatusAppeal {
		kind = MessageAppealDecided
	}
	r.Decided, r.DecidedBy, r.Turn = c.at, []string{e.Actor}, time.Time{}
	if err := c.move(r, StatusWaitlisted, e); err != nil {
		return err
	}
	return c.announce(r, kind, e)
}

// merge makes r part of the partner's earlier case. The data that r adds go over; from
// then on there is one case.
func (c *change) merge(r *Registration, into string, e Event) error {
	main, err := c.Case(into)
	if err != nil {
		return fmt.Errorf("case %s to merge into: %w", into, err)
	}
	changed := c.absorb(&main, r.Lead, r.Evidence, problemFields(main.Problems)...)
	main.Reply = r.Reply
	err = c.record(&main, Event{Kind: EventJoined, Actor: e.Actor, Fields: changed, Note: "from case " + r.Number})
	if err != nil {
		return err
	}
	r.MergedInto = into
	if err := c.move(r, StatusMerged, e); err != nil {
		return err
	}
	if err := c.passBatchOn(r.Number, main.Number); err != nil {
		return err
	}
	if main.Status == StatusNeedsInfo && len(changed) > 0 {
		main.Problems = r.Problems
		return c.resume(&main, Event{Actor: "partner:" + main.Partner})
	}
	if err := c.push(&main); err != nil {
		return err
	}
	return c.notify(&main, MessageKnown, r.Reply, false)
}

// announce enqueues what follows each decision: the push to the CRMs and the answer.
func (c *change) announce(r *Registration, kind MessageKind, e Event) error {
	if err := c.push(r); err != nil {
		return err
	}
	return c.notify(r, kind, r.Reply, e.Trigger != TriggerRules)
}

// rivals returns the other live cases that may be about the same company, by claim.
func (c *change) rivals(r *Registration) ([]Rival, error) {
	same, err := c.accountDomains(r)
	if err != nil {
		return nil, err
	}
	related, err := c.groupDomains(r)
	if err != nil {
		return nil, err
	}
	found := make(map[string]bool)
	var order []Registration
	for _, key := range searchKeys(r, append(slices.Clone(same), related...)) {
		cases, err := c.sharing(key)
		if err != nil {
			return nil, err
		}
		for _, o := range cases {
			if o.Number == r.Number || found[o.Number] || !o.Strength.Proven() || o.Partner == "" {
				continue
			}
			found[o.Number] = true
			order = append(order, o)
		}
	}
	slices.SortFunc(order, func(a, b Registration) int { return before(&a, &b) })
	var rivals []Rival
	for i := range order {
		grade, evidence := c.g.compare(r, &order[i], same, related)
		if grade == identity.GradeNone {
			continue
		}
		v, err := c.rival(r, &order[i], grade, evidence)
		if err != nil {
			return nil, err
		}
		rivals = append(rivals, v)
	}
	return rivals, nil
}

// sharing returns the cases under a key; none for a name that too many share.
func (c *change) sharing(key string) ([]Registration, error) {
	if strings.HasPrefix(key, keyDomain) {
		return c.CasesByKey(key, maxRivals)
	}
	cases, err := c.CasesByKey(key, commonName+1)
	if len(cases) > commonName {
		return nil, err
	}
	return cases, err
}

func (c *change) rival(r, o *Registration, grade identity.Grade, evidence string) (Rival, error) {
	v := Rival{
		Number: o.Number, Partner: o.Partner, Status: o.Status, Strength: o.Strength, Claim: o.Claim,
		Earlier: o.Before(r), Grade: grade, Evidence: evidence, Scope: o.Scope, Lead: r.Parent == o.Number,
	}
	if o.Met {
		v.Met = o.Meeting
	}
	if o.Partner == r.Partner || grade != identity.GradeCertain && grade != identity.GradeRelated {
		return v, nil
	}
	p, err := partner(c, o.Partner)
	v.Certified = p.Certifications
	return v, ignoreNotFound(err)
}

// groupDomains are the domains of the companies that belong together with that of r.
func (c *change) groupDomains(r *Registration) ([]string, error) {
	own, err := account(c, r.Lead[FieldCompanyDomain])
	if err != nil {
		return nil, ignoreNotFound(err)
	}
	members, err := group(c, own)
	if err != nil {
		return nil, err
	}
	var domains []string
	for _, m := range members {
		domains = append(append(domains, m.Domain), m.Aliases...)
	}
	return domains, nil
}

// compare grades how sure it is that two cases are about one company. Only the domain, or an
// alias of it, makes it certain: a consultant is the contact of many companies, and names are
// shared. same and related are the domains of the company of a, and of its group.
func (g *Gateway) compare(a, b *Registration, same, related []string) (identity.Grade, string) {
	da, db := a.Lead[FieldCompanyDomain], b.Lead[FieldCompanyDomain]
	switch {
	case da != "" && da == db:
		return identity.GradeCertain, "same domain " + da
	case db != "" && slices.Contains(same, db):
		return identity.GradeCertain, da + " and " + db + " are one company"
	case db != "" && slices.Contains(related, db):
		return identity.GradeRelated, da + " and " + db + " belong to one group"
	}
	if contact := a.Lead[FieldContactEmail]; contact != "" && strings.EqualFold(contact, b.Lead[FieldContactEmail]) {
		return identity.GradePossible, "same contact address"
	}
	return identity.CompareNames(
		g.ids.Name(a.Lead[FieldCompanyName]), g.ids.Name(b.Lead[FieldCompanyName]),
		a.Lead[FieldCountry], b.Lead[FieldCountry])
}
