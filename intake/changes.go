package intake

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The names of the fields of a Change that Apply understands, and the values of ChangeStatus.
const (
	ChangeStatus   = "status"      // open, won, lost
	ChangeOwner    = "owner"       // the name of who has the deal; partners see it
	ChangeContact  = "owner_email" // the owner's address, for staff
	ChangeStage    = "stage"       // the stage in words; partners see it
	ChangeAmount   = "amount"      // "120000 EUR"; for staff
	ChangeClose    = "close_date"  // YYYY-MM-DD
	ChangeNextStep = "next_step"
	ChangeMeeting  = "meeting_at"    // RFC 3339; empty if it was called off
	ChangeHeld     = "meeting_held"  // true
	ChangeIntro    = "intro_at"      // RFC 3339
	ChangeActivity = "last_activity" // RFC 3339

	DealOpen = "open"
	DealWon  = "won"
	DealLost = "lost"
)

// Apply takes in what people did in a CRM, if it is new: told again, or as the echo of our own push,
// it changes nothing. Nothing there moves a case backwards, but for a closed deal that is opened
// again soon, and nothing makes a push of what the CRM has said. A deal of direct sales is told to
// staff if partners claim its account. What can't be read is an error marked Permanent, and nothing
// of it is taken in.
func (g *Gateway) Apply(ctx context.Context, crm string, ch Change) error {
	return g.update(ctx, func(c *change) error { return c.take(crm, ch) })
}

// take is Apply in a transaction. An error of it that is marked Permanent comes before all writing.
func (c *change) take(crm string, ch Change) error {
	number, ok := c.g.numbers.Parse(ch.Case)
	if !ok && ch.Deal != nil && ch.Case == "" && !ch.Own {
		return c.direct(ch.Account, *ch.Deal)
	}
	r, err := c.Case(number)
	if !ok || err != nil {
		return ignoreNotFound(err)
	}
	if err := ch.check(); err != nil {
		return err
	}
	e := Event{Actor: "crm:" + crm, Trigger: TriggerCRM}
	if ch.Gone {
		return c.gone(&r, crm, e)
	}
	return c.apply(&r, crm, ch, e)
}

// check returns the first thing that can't be read.
func (ch Change) check() error {
	for _, field := range []string{ChangeMeeting, ChangeIntro, ChangeActivity} {
		if _, _, err := ch.time(field); err != nil {
			return err
		}
	}
	return ch.checkDeal()
}

func (c *change) apply(r *Registration, crm string, ch Change, e Event) error {
	if r.Status == StatusMerged { // the record of the lead is that of its deal now
		main, err := c.Case(r.MergedInto)
		if err != nil {
			return err
		}
		r = &main
	}
	if !r.Status.Claims() && r.Status != StatusWon && r.Status != StatusLost {
		return nil
	}
	news, err := c.deal(r, crm, ch, e)
	if err != nil || ch.Own {
		return err
	}
	before := r.Status
	if err := c.advance(r, ch, e); err != nil || !news || r.Status != before {
		return err // where the status moved, that is what is told
	}
	return c.notify(r, MessageDeal, r.Reply, true)
}

// advance moves a case on by what happened to its deal.
func (c *change) advance(r *Registration, ch Change, e Event) error {
	if v, there := ch.Fields[ChangeMeeting]; there && v == "" && !r.Met && !r.Meeting.IsZero() {
		r.Meeting, r.MeetingUID = time.Time{}, ""
		off := e
		off.Kind, off.Trigger, off.Note = EventProgress, "", "the meeting was called off"
		if err := c.record(r, off); err != nil {
			return err
		}
	}
	for _, step := range []struct {
		field string
		kind  EvidenceKind
	}{{ChangeIntro, EvidenceIntro}, {ChangeMeeting, EvidenceMeeting}} {
		at, given, err := ch.time(step.field)
		if err != nil {
			return err
		}
		held := step.kind == EvidenceMeeting && ch.Fields[ChangeHeld] == "true"
		if !given || !r.Status.Claims() || step.kind == EvidenceMeeting && at.Equal(r.Meeting) && held == r.Met {
			continue
		}
		own := e
		own.Trigger = TriggerProgress
		if err := c.progress(r, Step{Kind: step.kind, At: at, Held: held, Source: e.Actor}, own); err != nil {
			return err
		}
	}
	if at, given, err := ch.time(ChangeActivity); err != nil {
		return err
	} else if given && at.After(r.Activity) && r.Status.Claims() {
		own := e
		own.Kind, own.Trigger = EventActivity, ""
		r.Activity = at
		if err := c.record(r, own); err != nil {
			return err
		}
	}
	return c.closed(r, ch.Fields[ChangeStatus], e)
}

func (ch Change) time(field string) (at time.Time, given bool, err error) {
	v := ch.Fields[field]
	if v == "" {
		return at, false, nil
	}
	at, err = time.Parse(time.RFC3339, v)
	if err != nil {
		return at, false, Permanent(fmt.Errorf("%s of case %s: %q is not a time as in RFC 3339", field, ch.Case, v))
	}
	return at.UTC().Truncate(time.Microsecond), true, nil
}

// closed ends a case whose deal was won or lost, or takes it back when the deal is opened again.
func (c *change) closed(r *Registration, deal string, e Event) error {
	var to Status
	var kind MessageKind
	switch {
	case deal == DealWon && r.Status.Holds():
		to, kind = StatusWon, MessageWon
	case deal == DealLost && r.Status.Holds():
		to, kind = StatusLost, MessageLost
	case deal == DealOpen && (r.Status == StatusWon || r.Status == StatusLost):
		terms, err := c.terms(r.Partner)
		if err != nil {
			return err
		}
		if c.at.After(c.g.policy.End(r.Closed, terms.Reopen)) {
			return nil
		}
		if err := c.mayHold(r); err != nil {
			var held *HeldError
			if errors.As(err, &held) {
				return c.brief(r, StaffTrouble, Brief{Why: "the deal was opened again, and its account belongs to case " + held.Holder})
			}
			return err
		}
		to, kind = StatusLocked, MessageReopened
	default:
		return nil
	}
	r.Closed = c.at
	if to == StatusLocked {
		r.Closed = time.Time{}
	}
	if err := c.move(r, to, e); err != nil {
		return err
	}
	return c.announce(r, kind, e)
}

// Close ends a case whose deal was won or lost, or opens it again, where no CRM tells.
func (g *Gateway) Close(ctx context.Context, number, deal string, v Verdict) (Registration, error) {
	return g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		before := r.Status
		if err := c.closed(r, deal, e); err != nil {
			return err
		}
		if r.Status == before {
			return &ErrInput{fmt.Sprintf("the case is %s; a deal that is held can be %s or %s, and one that was closed lately can be %s again", before, DealWon, DealLost, DealOpen)}
		}
		return nil
	})
}

// Elevate makes a deal of a lead that is held, for the partner; lead holds what is new.
func (g *Gateway) Elevate(ctx context.Context, number string, lead Lead, v Verdict) (child Registration, err error) {
	clean, problems := Clean(g.ids, lead)
	if len(problems) > 0 {
		return child, &ErrInput{fmt.Sprintf("%s: %s", problems[0].Field, problems[0].Message)}
	}
	_, err = g.staff(ctx, number, v, func(c *change, r *Registration, e Event) error {
		clean[FieldKind] = KindDeal
		if !elevates(r, clean) {
			return &ErrInput{fmt.Sprintf("the case is %s; a deal can be made of a lead that is held, once", r.Status)}
		}
		made, err := c.elevate(r, clean, nil, e.Actor)
		if err == nil {
			child = *made
		}
		return err
	})
	return child, err
}
