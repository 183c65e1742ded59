package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// Conflicts lists conflicts by id, those that are resolved only if all are wanted.
func (g *Gateway) Conflicts(ctx context.Context, all bool) (found []Conflict, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		found = nil
		for after, more := "", true; more; {
			entries, err := tx.ScanRecords(spaceConflict, "", after, conflictPage)
			if err != nil {
				return err
			}
			for _, e := range entries {
				var k Conflict
				if err := decode(e, &k); err != nil {
					return err
				}
				if after = e.Key; all || k.Resolved.IsZero() {
					found = append(found, k)
				}
			}
			more = len(entries) == conflictPage
		}
		return nil
	})
	return found, err
}

// Conflict returns one by id; ErrNotFound.
func (g *Gateway) Conflict(ctx context.Context, id string) (k Conflict, err error) {
	err = g.store.View(ctx, func(tx Tx) error { return getJSON(tx, spaceConflict, id, &k) })
	return k, err
}

// AcknowledgeConflict says that a person looks into a conflict. Only now the partners are told
// that their claims are being checked with another source: before, a claim would be a way to
// learn of others.
func (g *Gateway) AcknowledgeConflict(ctx context.Context, id string, v Verdict) (Conflict, error) {
	return g.inConflict(ctx, id, v, func(c *change, k *Conflict, v Verdict) error {
		if !k.Acknowledged.IsZero() {
			return &ErrInput{fmt.Sprintf("%s acknowledged it on %s", k.Owner, k.Acknowledged.Format(time.DateOnly))}
		}
		k.Acknowledged, k.Owner = c.at, v.By
		return c.eachCase(k, func(r *Registration) error {
			if !r.Status.Claims() && r.Status != StatusWaitlisted {
				return nil
			}
			if err := c.record(r, Event{Kind: EventDisputed, Actor: "staff:" + v.By, Note: k.ID + " acknowledged"}); err != nil {
				return err
			}
			if r.Status == StatusNeedsInfo {
				return nil // he has something else to do first
			}
			return c.notifyAs(r, Message{Kind: MessageConflict, To: r.Reply, Unprompted: true, Due: k.Plan})
		})
	})
}

// PlanConflict says how a conflict is to be solved, in words for staff.
func (g *Gateway) PlanConflict(ctx context.Context, id string, v Verdict) (Conflict, error) {
	return g.inConflict(ctx, id, v, func(c *change, k *Conflict, v Verdict) error {
		if utf8.RuneCountInString(v.Rationale) < minRationale {
			return &ErrInput{fmt.Sprintf("what is the plan? at least %d characters", minRationale)}
		}
		k.Planned, k.Solution = c.at, v.Rationale
		if k.Acknowledged.IsZero() {
			k.Acknowledged, k.Owner = c.at, v.By
		}
		return nil
	})
}

// AddEvidence adds to the timeline of a conflict.
func (g *Gateway) AddEvidence(ctx context.Context, id string, e Evidence, v Verdict) (Conflict, error) {
	return g.inConflict(ctx, id, v, func(_ *change, k *Conflict, _ Verdict) error {
		if !slices.Contains(EvidenceKinds(), e.Kind) || e.At.IsZero() {
			return &ErrInput{fmt.Sprintf("evidence needs a time and one of the kinds %v", EvidenceKinds())}
		}
		if e.Case != "" && !slices.Contains(k.Cases, e.Case) {
			return &ErrInput{fmt.Sprintf("case %s is not part of the conflict; its cases are %v", e.Case, k.Cases)}
		}
		e.At = e.At.UTC()
		k.add(e)
		return nil
	})
}

// ResolveConflict ends a conflict: the winner gets the account, or keeps it, and the others are
// declined. Without a winner nothing is decided but that there is no conflict. Against the
// published order it takes a second person.
func (g *Gateway) ResolveConflict(ctx context.Context, id, winner string, v Verdict) (Conflict, error) {
	if utf8.RuneCountInString(v.Rationale) < minRationale {
		return Conflict{}, &ErrInput{fmt.Sprintf("a resolution needs a rationale of at least %d characters; it stays with staff", minRationale)}
	}
	number, _ := g.numbers.Parse(winner)
	return g.inConflict(ctx, id, v, func(c *change, k *Conflict, v Verdict) error {
		if winner != "" && !slices.Contains(k.Cases, number) {
			return &ErrInput{fmt.Sprintf("case %s is not part of the conflict; its cases are %v", winner, k.Cases)}
		}
		takes, err := c.takesHold(k, number)
		if err != nil {
			return err
		}
		if number != "" && (k.Cases[0] != number || takes) {
			second, err := k.second(c, number, v)
			if err != nil || !second {
				return err
			}
		}
		first := k.Proposed.By
		k.Resolved, k.By, k.Winner, k.Rationale, k.Proposed = c.at, v.By, number, v.Rationale, Proposal{}
		return c.settleConflict(k, v, first)
	})
}

// second notes the first half of a decision that two persons make, and reports whether this is
// the other half.
func (k *Conflict) second(c *change, winner string, v Verdict) (bool, error) {
	if k.Proposed.Winner == winner && k.Proposed.By != v.By {
		return true, nil
	}
	if k.Proposed.Winner == winner {
		return false, &ErrInput{"it goes against the published order, or takes a hold away, so a second person has to confirm what you proposed"}
	}
	k.Proposed = Proposal{By: v.By, At: c.at, Winner: winner, Why: v.Rationale}
	r, err := c.Case(winner)
	if err != nil {
		return false, err
	}
	return false, c.tellConflict(*k, &r, fmt.Sprintf("%s proposes that %s has the account, against the published order; another person has to confirm it", v.By, winner))
}

// takesHold reports whether a resolution takes the account from a case that holds it.
func (c *change) takesHold(k *Conflict, winner string) (takes bool, err error) {
	err = c.eachCase(k, func(r *Registration) error {
		takes = takes || r.Number != winner && r.Status.Holds()
		return nil
	})
	return takes && winner != "", err
}

func (c *change) settleConflict(k *Conflict, v Verdict, first string) error {
	part := func(r *Registration) error {
		r.Conflict = ""
		e := Event{Trigger: TriggerStaff, Actor: "staff:" + v.By, Reason: ReasonResolved}
		switch {
		case k.Winner == "" || r.Number == k.Winner:
			return c.record(r, Event{Kind: EventDisputed, Actor: e.Actor, Note: k.ID + " resolved"})
		case r.Status.Holds():
			return c.refuse(r, e, MessageRevoked, "staff:"+first)
		case r.Status == StatusInReview:
			return c.decline(r, e)
		}
		return c.record(r, Event{Kind: EventDisputed, Actor: e.Actor, Note: k.ID + " resolved"})
	}
	c.passing = true
	defer func() { c.passing = false }()
	if err := c.eachCase(k, part); err != nil || k.Winner == "" {
		return err
	}
	r, err := c.Case(k.Winner)
	if err != nil || r.Status.Holds() {
		return err
	}
	r.Rationale = v.Rationale
	return c.approve(&r, Event{Trigger: TriggerStaff, Actor: "staff:" + v.By, Reason: ReasonResolved})
}

// mayPrefer returns an error if r is part of an open conflict in which another claim goes first:
// that is for ResolveConflict, and two persons.
func (c *change) mayPrefer(r *Registration) error {
	if r.Conflict == "" {
		return nil
	}
	var k Conflict
	if err := getJSON(c, spaceConflict, r.Conflict, &k); err != nil {
		return ignoreNotFound(err)
	}
	if !k.Resolved.IsZero() || k.Cases[0] == r.Number {
		return nil
	}
	return &ErrInput{fmt.Sprintf("the case is part of the conflict %s, in which %s goes first by the published order; resolve the conflict", k.ID, k.Cases[0])}
}

func (g *Gateway) inConflict(ctx context.Context, id string, v Verdict, act func(*change, *Conflict, Verdict) error) (k Conflict, err error) {
	person, err := g.person(v.By)
	if err != nil {
		return k, err
	}
	if !person.may("", nil) {
		return k, &ErrInput{fmt.Sprintf("the role of %s does not permit it", person.Name)}
	}
	v.By = person.Name
	err = g.update(ctx, func(c *change) error {
		k = Conflict{}
		if err := getJSON(c, spaceConflict, id, &k); err != nil {
			return err
		}
		if !k.Resolved.IsZero() {
			return &ErrInput{fmt.Sprintf("the conflict was resolved by %s on %s", k.By, k.Resolved.Format(time.DateOnly))}
		}
		if err := act(c, &k, v); err != nil {
			return err
		}
		return c.putConflict(&k)
	})
	if errors.Is(err, ErrNotFound) {
		return k, fmt.Errorf("conflict %s: %w", id, err)
	}
	return k, err
}
