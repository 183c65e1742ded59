package intake

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Extend moves the end of a hold, within the bounds of the policy, and tells the partner.
func (g *Gateway) Extend(ctx context.Context, number string, days int, v Verdict) (Registration, error) {
	v.act = ActExtend
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		r.PartnerNote = v.Message
		return c.extend(r, days, e)
	})
}

// RefuseExtension answers a request for more time with no. The hold ends when it would have,
// or now if it lasted only because of the request.
func (g *Gateway) RefuseExtension(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.act = ActRefuse
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		if r.Extending.IsZero() {
			return &ErrInput{"the partner has not asked for an extension"}
		}
		r.Extending, r.PartnerNote = time.Time{}, v.Message
		e.Kind, e.Trigger, e.Note = EventRefused, "", string(VerbExtend)
		if err := c.record(r, e); err != nil {
			return err
		}
		return c.announce(r, MessageNotExtended, e)
	})
}

// Progress notes that the partner has taken a step with the prospect.
func (g *Gateway) Progress(ctx context.Context, number string, s Step, v Verdict) (Registration, error) {
	v.act = ActProgress
	if s.At.IsZero() {
		return Registration{}, &ErrInput{"when was it?"}
	}
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		if !r.Status.Claims() && r.Status != StatusWaitlisted {
			return &ErrInput{fmt.Sprintf("the case is %s; a next step changes nothing any more", r.Status)}
		}
		s.At = s.At.UTC().Truncate(time.Microsecond)
		return c.progress(r, s, e)
	})
}

// Recheck has a case that waits for a decision, or for an account, judged again by what is known
// now.
func (g *Gateway) Recheck(ctx context.Context, number string, v Verdict) (Registration, error) {
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		if r.Status != StatusInReview && r.Status != StatusWaitlisted {
			return &ErrInput{fmt.Sprintf("the case is %s; only what is in review or on the waiting list is judged again", r.Status)}
		}
		if r.Status == StatusWaitlisted {
			if err := c.move(r, StatusSubmitted, e); err != nil {
				return err
			}
			return c.check(r)
		}
		if err := c.record(r, Event{Kind: EventSeen, Actor: e.Actor, Note: "to be judged again"}); err != nil {
			return err
		}
		return c.recheck(r, c.at)
	})
}

// Release frees an account whose partner does nothing.
func (g *Gateway) Release(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.act = ActRelease
	v.Reason = ReasonNoTouch
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		if !r.Status.Holds() {
			return &ErrInput{fmt.Sprintf("the case is %s and holds no account", r.Status)}
		}
		if !slices.ContainsFunc(r.Rang, func(name string) bool { return strings.HasPrefix(name, "silent:") }) {
			return &ErrInput{"a hold is released when the partner was asked whether it is still on and did not answer; for a cause it is revoked, by two persons"}
		}
		r.PartnerNote, r.Rationale = v.Message, v.Rationale
		r.DecidedBy = []string{e.Actor}
		return c.endHold(r, e, MessageExpired)
	})
}

// Revoke takes a hold back for a cause. It takes two persons: the first call notes who wants it
// and why, the second, by another person, does it.
func (g *Gateway) Revoke(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.act = ActRevoke
	if v.Reason == "" {
		v.Reason = ReasonRevoked
	}
	if err := v.refuses(); err != nil {
		return Registration{}, err
	}
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		by := strings.TrimPrefix(e.Actor, "staff:")
		switch {
		case !r.Status.Holds():
			return &ErrInput{fmt.Sprintf("the case is %s and holds no account", r.Status)}
		case r.Revoking.By == by:
			return &ErrInput{"you asked for it; another person has to confirm it"}
		case r.Revoking.By == "" && !g.mayAnother(ActRevoke, by, r):
			return &ErrInput{"nobody else on the list of staff may confirm it; it takes a second person with the role admin or revops"}
		case r.Revoking.By == "":
			r.Revoking = Revoking{By: by, At: c.at, Reason: v.Reason, Why: v.Rationale}
			if err := c.record(r, Event{Kind: EventProposed, Actor: e.Actor, Reason: v.Reason, Note: string(ActRevoke)}); err != nil {
				return err
			}
			return c.brief(r, StaffConfirmBy, Brief{Proposed: by, Why: v.Rationale}, ActRevoke)
		}
		r.PartnerNote, r.Rationale = v.Message, v.Rationale
		first := r.Revoking.By
		e.Note = "with " + first
		r.Revoking = Revoking{}
		return c.refuse(r, e, MessageRevoked, "staff:"+first)
	})
}

// Withdraw ends a case for its partner, who asked for it in another way.
func (g *Gateway) Withdraw(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.Reason = ReasonWithdrawn
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		e.Trigger = TriggerWithdraw
		if err := c.move(r, StatusWithdrawn, e); err != nil {
			return err
		}
		return c.announce(r, MessageWithdrawn, e)
	})
}

// AcknowledgeAppeal says that a person looks into an appeal. Who decided the case can't.
func (g *Gateway) AcknowledgeAppeal(ctx context.Context, number string, v Verdict) (Registration, error) {
	v.act = ActAckAppeal
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		if r.Status != StatusAppeal {
			return &ErrInput{fmt.Sprintf("the case is %s, and no appeal", r.Status)}
		}
		r.Appeal.Acknowledged, r.Appeal.Reviewer = c.at, strings.TrimPrefix(e.Actor, "staff:")
		return c.record(r, Event{Kind: EventSeen, Actor: e.Actor, Note: "appeal acknowledged"})
	})
}

// Reopen puts a case under appeal before staff again, as if it had never been decided.
func (g *Gateway) Reopen(ctx context.Context, number string, v Verdict) (Registration, error) {
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		if r.Status != StatusAppeal {
			return &ErrInput{fmt.Sprintf("the case is %s, and no appeal", r.Status)}
		}
		terms, err := c.terms(r.Partner)
		if err != nil {
			return err
		}
		r.DecisionDue, r.Promised = c.g.policy.End(c.at, terms.Decision), c.at
		r.PartnerNote = v.Message
		if err := c.move(r, StatusInReview, e); err != nil {
			return err
		}
		return c.announce(r, MessageAppealDecided, e)
	})
}

// Attribute says who gets which part of the credit for a deal: one partner at most sourced it,
// and the parts are no more than the whole.
func (g *Gateway) Attribute(ctx context.Context, number string, parts []Attribution, v Verdict) (Registration, error) {
	sum, sourced := 0, 0
	for _, a := range parts {
		if a.Role == RoleSourced {
			sourced++
		}
		if (a.Role != RoleSourced && a.Role != RoleInfluenced) || a.Percent < 0 || a.Percent > 100 {
			return Registration{}, &ErrInput{fmt.Sprintf("want a part of 0 to 100 percent as %s or %s", RoleSourced, RoleInfluenced)}
		}
		sum += a.Percent
	}
	if sum > 100 || sourced > 1 {
		return Registration{}, &ErrInput{"the parts are more than 100 percent, or more than one partner sourced the deal"}
	}
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		for _, a := range parts {
			if _, err := partner(c, a.Partner); err != nil {
				return &ErrInput{fmt.Sprintf("no partner has the id %q", a.Partner)}
			}
		}
		r.Attribution = parts
		if err := c.record(r, Event{Kind: EventAttributed, Actor: e.Actor, Note: fmt.Sprint(parts)}); err != nil {
			return err
		}
		return c.push(r)
	})
}
