package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

const (
	spaceConflict = "conflict" // id → Conflict
	conflictPage  = 200
)

// dispute makes r part of the conflict that its judgement found: of the one that a rival is in
// already, or of a new one. The order is the published hierarchy's.
func (c *change) dispute(r *Registration, d Decision) error {
	var claims []*Registration
	var open string
	for _, number := range d.Order {
		if number == r.Number {
			continue
		}
		o, err := c.Case(number)
		if err != nil {
			return err
		}
		if !o.Status.Claims() && o.Status != StatusWaitlisted {
			continue
		}
		if o.Conflict != "" {
			open = o.Conflict
		}
		claims = append(claims, &o)
	}
	if len(claims) == 0 {
		return nil
	}
	if r.Conflict != "" {
		open = r.Conflict
	}
	k, err := c.conflict(open, r)
	if err != nil {
		return err
	}
	k.Cases = order(d.Order, k.Cases)
	for _, o := range append(claims, r) {
		k.note(o)
		if o.Conflict == k.ID {
			continue
		}
		o.Conflict = k.ID
		if o == r {
			continue // stored by who judges it
		}
		if err := c.record(o, Event{Kind: EventDisputed, Actor: "policy", Note: k.ID}); err != nil {
			return err
		}
		if err := c.push(o); err != nil {
			return err
		}
	}
	return c.opened(k, r)
}

// DirectDeal tells of a deal of direct sales that somebody opened in a CRM. If partners claim the
// account, that is a conflict: staff are told, and nothing else happens by itself.
func (g *Gateway) DirectDeal(ctx context.Context, domain string, m Match) error {
	if _, err := g.ids.Domain(domain); err != nil {
		return &ErrInput{fmt.Sprintf("%s: %v", domain, err)}
	}
	return g.update(ctx, func(c *change) error { return c.direct(Lead{FieldCompanyDomain: domain}, m) })
}

// claimsTo returns the live claims to an account, under all its domains, the oldest first.
func (c *change) claimsTo(domain string) ([]*Registration, error) {
	domains, err := accountDomains(c, domain)
	if err != nil {
		return nil, err
	}
	var claims []*Registration
	for _, d := range domains {
		cases, err := c.CasesByKey(keyDomain+d, maxRivals)
		if err != nil {
			return nil, err
		}
		for _, o := range cases {
			if o.Status.Claims() {
				claims = append(claims, &o)
			}
		}
	}
	slices.SortFunc(claims, before)
	return claims, nil
}

// aliased enqueues a look at the claims to an account that got further domains.
func aliased(tx Tx, domain string) error {
	n, err := tx.Next("aliased")
	if err != nil {
		return err
	}
	return tx.Enqueue(Task{Key: fmt.Sprintf("aliased:%s:%d", domain, n), Lane: LaneTimer, Case: "account:" + domain, Payload: quoted(domain)})
}

// runAliased looks whether domains that became one company have claims that exclude each other.
func (g *Gateway) runAliased(_ context.Context, t Task) (effect, error) {
	var domain string
	if err := json.Unmarshal(t.Payload, &domain); err != nil {
		return nil, Permanent(fmt.Errorf("account of task %s: %w", t.Key, err))
	}
	return func(c *change) error {
		claims, err := c.claimsTo(domain)
		if err != nil {
			return err
		}
		if err := c.serveAccount(domain); err != nil {
			return err
		}
		rivals := slices.ContainsFunc(claims, func(r *Registration) bool {
			return r.Partner != claims[0].Partner && ScopesOverlap(r.Scope, claims[0].Scope)
		})
		if !rivals {
			return nil
		}
		k, err := c.enter(claims)
		if err != nil {
			return err
		}
		return c.opened(k, claims[0])
	}, nil
}

// serveAccount gives those their turn who waited for what is another company's now.
func (c *change) serveAccount(domain string) error {
	domains, err := accountDomains(c, domain)
	if err != nil {
		return err
	}
	return c.serve(domains)
}

// enter makes cases part of one conflict, of that which one of them is in already or of a new
// one.
func (c *change) enter(claims []*Registration) (*Conflict, error) {
	open := ""
	for _, r := range claims {
		if r.Conflict != "" {
			open = r.Conflict
		}
	}
	k, err := c.conflict(open, claims[0])
	if err != nil {
		return nil, err
	}
	for _, r := range claims {
		k.note(r)
		if r.Conflict == k.ID {
			continue
		}
		r.Conflict = k.ID
		if err := c.record(r, Event{Kind: EventDisputed, Actor: "policy", Note: k.ID}); err != nil {
			return nil, err
		}
		if err := c.push(r); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// order is the new order of cases, with those at its end that it does not know.
func order(now, before []string) []string {
	out := slices.Clone(now)
	for _, number := range before {
		if !slices.Contains(out, number) {
			out = append(out, number)
		}
	}
	return out
}

// note adds what speaks for a claim to the timeline, once.
func (k *Conflict) note(r *Registration) {
	if !slices.Contains(k.Cases, r.Number) {
		k.Cases = append(k.Cases, r.Number)
	}
	k.add(Evidence{At: r.Claim, Case: r.Number, Kind: EvidenceClaim, Words: fmt.Sprintf("claimed through %s (%s)", r.Channel, r.Strength)})
	if !r.Intro.IsZero() {
		k.add(Evidence{At: r.Intro, Case: r.Number, Kind: EvidenceIntro})
	}
	if !r.Meeting.IsZero() {
		k.add(Evidence{At: r.Meeting, Case: r.Number, Kind: EvidenceMeeting})
	}
}

func (k *Conflict) add(e Evidence) {
	if slices.Contains(k.Evidence, e) {
		return
	}
	k.Evidence = append(k.Evidence, e)
	slices.SortStableFunc(k.Evidence, func(a, b Evidence) int { return a.At.Compare(b.At) })
}

// conflict returns an open conflict by id, or a new one about the account of r.
func (c *change) conflict(id string, r *Registration) (*Conflict, error) {
	if id != "" {
		var k Conflict
		err := getJSON(c, spaceConflict, id, &k)
		if err == nil && k.Resolved.IsZero() {
			return &k, nil
		}
		if err := ignoreNotFound(err); err != nil {
			return nil, err
		}
	}
	n, err := c.Next("conflict")
	if err != nil {
		return nil, err
	}
	terms, err := c.terms(r.Partner)
	if err != nil {
		return nil, err
	}
	k := &Conflict{
		ID: fmt.Sprintf("C-%06d", n), Type: ConflictHorizontal, Account: r.Lead[FieldCompanyDomain], At: c.at,
		Acknowledge: c.due(c.at, terms.Conflict.Acknowledge), Plan: c.due(c.at, terms.Conflict.Plan),
	}
	for what, due := range map[string]time.Time{"acknowledge": k.Acknowledge, "plan": k.Plan} {
		if due.IsZero() {
			continue
		}
		err := c.Enqueue(Task{
			Key: "dispute:" + k.ID + ":" + what, Lane: LaneTimer, Case: k.ID + ":" + what, Due: due.Add(time.Microsecond),
			Payload: quoted(k.ID),
		})
		if err != nil {
			return nil, err
		}
	}
	return k, nil
}

// opened stores a conflict and, if it is a new one, tells staff of it.
func (c *change) opened(k *Conflict, r *Registration) error {
	if err := c.putConflict(k); err != nil || !k.At.Equal(c.at) || k.told {
		return err
	}
	k.told = true
	return c.tellConflict(*k, r, "")
}

func (c *change) putConflict(k *Conflict) error {
	deals := len(k.Deals) > 0
	switch {
	case deals && len(k.Cases) > 1:
		k.Type = ConflictMultiChannel
	case deals:
		k.Type = ConflictVertical
	}
	return putJSON(c, spaceConflict, k.ID, k)
}

// tellConflict tells staff of a conflict or of a deadline of it.
func (c *change) tellConflict(k Conflict, r *Registration, why string) error {
	p, err := partner(c, r.Partner)
	if err := ignoreNotFound(err); err != nil {
		return err
	}
	seen := *r
	b := Brief{Partner: p.Name, PartnerID: p.ID, Registration: &seen, Conflict: &k, Why: why, Due: k.Acknowledge}
	if !k.Acknowledged.IsZero() {
		b.Due = k.Plan
	}
	for _, to := range c.staffFor(p, StaffConflict, b) {
		id := fmt.Sprintf("S-%s.%d", k.ID, c.at.UnixMicro())
		if err := c.tellStaff(to, StaffConflict, b, id, c.programFacts(p)); err != nil {
			return err
		}
	}
	return nil
}

// runDispute tells staff of a conflict that nobody has seen to in time.
func (g *Gateway) runDispute(_ context.Context, t Task) (effect, error) {
	var id string
	if err := json.Unmarshal(t.Payload, &id); err != nil {
		return nil, Permanent(fmt.Errorf("conflict of task %s: %w", t.Key, err))
	}
	return func(c *change) error {
		var k Conflict
		if err := getJSON(c, spaceConflict, id, &k); err != nil {
			return ignoreNotFound(err)
		}
		planned := t.Key == "dispute:"+id+":plan"
		if !k.Resolved.IsZero() || planned && !k.Planned.IsZero() || !planned && !k.Acknowledged.IsZero() {
			return nil
		}
		due, why := k.Acknowledge, "nobody has acknowledged the conflict"
		if planned {
			due, why = k.Plan, "there is no plan for the conflict"
		}
		if left := due.Sub(c.at); left >= 0 {
			return RetryAfter(left+time.Microsecond, errTooEarly)
		}
		r, err := c.Case(k.Cases[0])
		if err != nil {
			return err
		}
		return c.tellConflict(k, &r, why)
	}, nil
}

// inherit puts a deal in the place of its lead in a conflict.
func (c *change) inherit(lead, deal *Registration) error {
	var k Conflict
	if err := getJSON(c, spaceConflict, lead.Conflict, &k); err != nil {
		return ignoreNotFound(err)
	}
	for i, number := range k.Cases {
		if number == lead.Number {
			k.Cases[i] = deal.Number
		}
	}
	deal.Conflict, lead.Conflict = k.ID, ""
	return c.putConflict(&k)
}

// leaveConflict takes r, which claims nothing any more, out of its conflict. One claim alone is
// no conflict.
func (c *change) leaveConflict(r *Registration) error {
	var k Conflict
	if err := getJSON(c, spaceConflict, r.Conflict, &k); err != nil {
		return ignoreNotFound(err)
	}
	r.Conflict = ""
	if err := c.record(r, Event{Kind: EventDisputed, Actor: "policy", Note: k.ID + " left"}); err != nil {
		return err
	}
	var left []*Registration
	for _, number := range k.Cases {
		o, err := c.Case(number)
		if err != nil {
			return err
		}
		if o.Conflict == k.ID && o.Status.Claims() {
			left = append(left, &o)
		}
	}
	if len(left) > 1 || len(k.Deals) > 0 && len(left) > 0 || !k.Resolved.IsZero() {
		return nil
	}
	k.Resolved, k.By, k.Rationale = c.at, "policy", "only one claim is left"
	for _, o := range left {
		o.Conflict = ""
		if err := c.record(o, Event{Kind: EventDisputed, Actor: "policy", Note: k.ID + " resolved"}); err != nil {
			return err
		}
	}
	return c.putConflict(&k)
}

func (c *change) eachCase(k *Conflict, do func(*Registration) error) error {
	for _, number := range k.Cases {
		r, err := c.Case(number)
		if err != nil {
			return err
		}
		if err := do(&r); err != nil {
			return err
		}
	}
	return nil
}
