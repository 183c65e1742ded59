package intake

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// runTimer does what its time has come for.
func (g *Gateway) runTimer(ctx context.Context, t Task) (effect, error) {
	switch kind, _, _ := strings.Cut(t.Key, ":"); kind {
	case "batch":
		return g.runBatch(ctx, t)
	case "digest":
		return g.runDigest(ctx, t)
	case "gathered":
		return g.runGathered(ctx, t)
	case "weekly":
		return g.runWeekly(ctx, t)
	case "renewals":
		return g.runRenewals(ctx, t)
	case "dispute":
		return g.runDispute(ctx, t)
	case "rearm":
		return g.runRearm(ctx, t)
	case "aliased":
		return g.runAliased(ctx, t)
	case "import":
		return g.runImport(ctx, t)
	case "waiting":
		return g.runWaiting(ctx, t)
	case "leave":
		return g.runLeave(ctx, t)
	}
	return g.runAlarm(ctx, t)
}

var errTooEarly = errors.New("the time has not come yet")

// lapse ends a case whose partner did not answer in time.
func (c *change) lapse(r *Registration) error {
	e := Event{Trigger: TriggerTimer, Actor: "timer", Reason: ReasonNoInfoInTime}
	if err := c.move(r, StatusWithdrawn, e); err != nil {
		return err
	}
	return c.announceByFile(r, MessageClosed, e)
}

// unconfirmed ends a case that nobody vouched for. Its sender is told nothing.
func (c *change) unconfirmed(r *Registration) error {
	return c.move(r, StatusWithdrawn, Event{Trigger: TriggerTimer, Actor: "timer", Reason: ReasonNotConfirmed})
}

// overdue tells of a decision that was not made in time, the partner once and staff every
// time, and promises anew. Nothing of the partner's is lost by it.
func (c *change) overdue(r *Registration) error {
	terms, err := c.terms(r.Partner)
	if err != nil {
		return err
	}
	if terms.ProvisionalWhenLate && r.Advice == OutcomeApprove && r.Conflict == "" {
		err := c.approve(r, Event{Trigger: TriggerTimer, Actor: "timer"})
		var held *HeldError
		var unfit *ErrInput
		if !errors.As(err, &held) && !errors.As(err, &unfit) {
			return err
		}
	}
	first := !wasLate(r.Rang[:len(r.Rang)-1])
	r.DecisionDue, r.Promised = c.g.policy.End(c.at, terms.Decision), c.at
	if err := c.record(r, Event{Kind: EventRang, Actor: "timer", Note: "promised until " + r.DecisionDue.Format(time.RFC3339)}); err != nil {
		return err
	}
	if first {
		if err := c.remind(r, MessageLate); err != nil {
			return err
		}
	}
	return c.brief(r, StaffDecision, Brief{Percent: 100, Due: r.DecisionDue}, decisionActs...)
}

// wasLate reports whether a promise of a decision was broken before.
func wasLate(rang []string) bool {
	return slices.ContainsFunc(rang, func(name string) bool { return strings.HasPrefix(name, "late:") })
}

// appealLate tells staff that a promise about an appeal was not kept.
func (c *change) appealLate(r *Registration) error {
	return c.brief(r, StaffDecision, Brief{Percent: 100, Why: "the appeal is not seen to", Due: r.Appeal.Plan})
}
