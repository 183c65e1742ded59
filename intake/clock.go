package intake

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// clock is a moment at which something happens to a case by itself, unless the case changes
// before. Its name is the same as long as what it waits for is.
type clock struct {
	name string
	at   time.Time
	// reminder says that only the latest of those that are late together counts, and none once
	// the end has come, which last says.
	reminder, last bool
	strike         func(*change, *Registration) error
}

// clocks lists the clocks of r as it stands, those that have struck included. What has ended
// has none.
func (c *change) clocks(r *Registration, t Terms) []clock {
	switch r.Status {
	case StatusQuarantined:
		return c.quarantineClocks(r, t)
	case StatusNeedsInfo:
		return c.answerClocks(r, t)
	case StatusInReview:
		return c.decisionClocks(r, t)
	case StatusProvisional:
		return append(c.stepClocks(r, t), c.holdClocks(r, t)...)
	case StatusProtected:
		return append(c.windowClocks(r, t), c.holdClocks(r, t)...)
	case StatusLocked:
		return c.holdClocks(r, t)
	case StatusAppeal:
		return c.appealClocks(r)
	}
	return nil
}

func (c *change) quarantineClocks(r *Registration, t Terms) []clock {
	end := r.ConfirmBy
	if end.IsZero() && t.Unknown != (Span{}) {
		end = c.later(r.Accepted, t.Unknown)
	}
	return []clock{{name: "end", at: end, last: true, strike: (*change).unconfirmed}}
}

func (c *change) answerClocks(r *Registration, t Terms) []clock {
	clocks := []clock{{name: "end", at: r.AnswerDue, last: true, strike: (*change).lapse}}
	for _, s := range t.AnswerReminders {
		clocks = append(clocks, reminder(c.later(r.Since, s), r.AnswerDue, MessageAnswerReminder))
	}
	return clocks
}

// decisionClocks remind staff after parts of the time for a decision. What is not decided in
// time is told to the partner, once, with a new promise, and to staff after each further one.
func (c *change) decisionClocks(r *Registration, t Terms) []clock {
	if r.DecisionDue.IsZero() {
		return nil
	}
	late := clock{name: named("late", r.DecisionDue), at: r.DecisionDue, last: true, strike: (*change).overdue}
	clocks := []clock{late}
	if wasLate(r.Rang) {
		return clocks
	}
	whole := r.DecisionDue.Sub(r.Promised)
	for _, percent := range t.DecisionReminders {
		left := whole * time.Duration(100-percent) / 100
		clocks = append(clocks, clock{
			name: named("decision", r.DecisionDue.Add(-left)), at: r.DecisionDue.Add(-left), reminder: true,
			strike: func(c *change, r *Registration) error {
				return c.brief(r, StaffDecision, Brief{Percent: percent, Due: r.DecisionDue})
			},
		})
	}
	return clocks
}

func (c *change) stepClocks(r *Registration, t Terms) []clock {
	end := c.graced(r, t)
	clocks := []clock{{name: named("end", end), at: end, last: true, strike: (*change).expire}}
	for _, s := range t.NextStepReminders {
		clocks = append(clocks, reminder(c.later(r.Protection.Start, s), r.Protection.End, MessageStepReminder))
	}
	return clocks
}

// graced is when a hold ends: with its last day, or some days later while a request for more
// time that came before waits for staff.
func (c *change) graced(r *Registration, t Terms) time.Time {
	if r.Extending.IsZero() || t.Extension.Grace == (Span{}) {
		return r.Protection.End
	}
	return c.g.policy.End(r.Protection.End, t.Extension.Grace)
}

// windowClocks end a hold with its window.
func (c *change) windowClocks(r *Registration, t Terms) []clock {
	end := c.graced(r, t)
	clocks := []clock{{name: named("end", end), at: end, last: true, strike: (*change).expire}}
	for _, s := range t.WindowReminders {
		clocks = append(clocks, reminder(c.morning(c.g.policy.Before(r.Protection.End, s)), r.Protection.End, MessageWindowReminder))
	}
	return clocks
}

// holdClocks are those of every hold: the first meeting begins, and nothing is heard for long.
func (c *change) holdClocks(r *Registration, t Terms) []clock {
	var clocks []clock
	if !r.Meeting.IsZero() && !r.Met {
		clocks = append(clocks, clock{name: named("meeting", r.Meeting), at: r.Meeting, strike: (*change).met})
	}
	if t.Idle == (Span{}) {
		return clocks
	}
	since := r.Activity
	if r.Since.After(since) {
		since = r.Since
	}
	idle := c.later(since, t.Idle)
	clocks = append(clocks, clock{name: named("idle", since), at: idle, strike: (*change).idle})
	if t.IdleAnswer != (Span{}) {
		clocks = append(clocks, clock{name: named("silent", since), at: c.later(idle, t.IdleAnswer), strike: (*change).silent})
	}
	return clocks
}

func (c *change) appealClocks(r *Registration) []clock {
	var clocks []clock
	if a := r.Appeal; a.Acknowledged.IsZero() && !a.Acknowledge.IsZero() {
		clocks = append(clocks, clock{name: "acknowledge", at: a.Acknowledge, strike: (*change).appealLate})
	}
	if !r.Appeal.Plan.IsZero() {
		clocks = append(clocks, clock{name: "plan", at: r.Appeal.Plan, strike: (*change).appealLate})
	}
	return clocks
}

// reminder is a clock that tells the partner something, unless that would be at the end.
func reminder(at, end time.Time, kind MessageKind) clock {
	if !at.Before(end) {
		at = time.Time{}
	}
	return clock{name: named(string(kind), at), at: at, reminder: true, strike: func(c *change, r *Registration) error {
		return c.remind(r, kind)
	}}
}

// named is the name of a clock that strikes at a moment which may be moved.
func named(what string, at time.Time) string { return what + ":" + at.UTC().Format(time.RFC3339) }

// later is the moment a span after t: at the same time of day for days.
func (c *change) later(t time.Time, s Span) time.Time {
	if s.Unit == Days {
		return t.In(c.g.policy.Zone()).AddDate(0, 0, s.Value).UTC()
	}
	return c.g.policy.End(t, s)
}

// morningHour is when a reminder that counts from the end of a day goes out.
const morningHour = 9

func (c *change) morning(t time.Time) time.Time {
	local := t.In(c.g.policy.Zone())
	return time.Date(local.Year(), local.Month(), local.Day(), morningHour, 0, 0, 0, local.Location()).UTC()
}

// pending returns the clocks of r that have not struck, by time. Reminders of before the case
// came into its status are none.
func (c *change) pending(r *Registration) ([]clock, error) {
	t, err := c.terms(r.Partner)
	if err != nil {
		return nil, err
	}
	clocks := slices.DeleteFunc(c.clocks(r, t), func(k clock) bool {
		return k.at.IsZero() || slices.Contains(r.Rang, k.name) || k.reminder && k.at.Before(r.Since)
	})
	slices.SortStableFunc(clocks, func(a, b clock) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.name, b.name)) })
	return clocks, nil
}

// arm sees to it that r is woken when its next clock strikes. Every change of a case goes
// through here, so that there is one task for it and at the right time.
func (c *change) arm(r *Registration) error {
	next, err := c.nextAlarm(r)
	if err != nil || next.Equal(r.Alarm.At) {
		return err
	}
	if r.Alarm.Key != "" && r.Alarm.Key != c.ringing {
		if err := c.Cancel(r.Alarm.Key); err != nil {
			return err
		}
	}
	r.Alarm = Alarm{}
	if next.IsZero() {
		return nil
	}
	r.Alarm = Alarm{At: next, Key: taskKey("alarm", r)}
	return c.Enqueue(Task{Key: r.Alarm.Key, Lane: LaneTimer, Case: r.Number, Due: next})
}

// nextAlarm is when the next clock of r strikes; zero if none does.
func (c *change) nextAlarm(r *Registration) (time.Time, error) {
	clocks, err := c.pending(r)
	if err != nil || len(clocks) == 0 {
		return time.Time{}, err
	}
	return clocks[0].at.UTC().Truncate(time.Microsecond).Add(time.Microsecond), nil
}

// runAlarm lets the clocks strike whose time has come. If the clock of the machine was set
// back, it has not.
func (g *Gateway) runAlarm(_ context.Context, t Task) (effect, error) {
	return func(c *change) error {
		r, err := c.Case(t.Case)
		if err != nil {
			return err
		}
		if r.Alarm.Key != t.Key {
			return nil // something changed, and another alarm was set
		}
		if left := r.Alarm.At.Sub(c.at); left > 0 {
			return RetryAfter(left, errTooEarly)
		}
		c.ringing = t.Key
		return c.ring(&r)
	}, nil
}

// maxStrikes bounds what happens to a case at once.
const maxStrikes = 20

// ring lets all clocks of r strike that are due, an end before the reminders of it.
func (c *change) ring(r *Registration) error {
	r.Alarm = Alarm{}
	for range maxStrikes {
		clocks, err := c.pending(r)
		if err != nil {
			return err
		}
		clocks = slices.DeleteFunc(clocks, func(k clock) bool { return !k.at.Before(c.at) })
		if len(clocks) == 0 {
			return c.settleAlarm(r)
		}
		if err := c.strike(r, clocks); err != nil {
			return err
		}
	}
	return fmt.Errorf("case %s: more than %d clocks strike at once", r.Number, maxStrikes)
}

// settleAlarm stores r with its next alarm, if no strike did.
func (c *change) settleAlarm(r *Registration) error {
	if r.Alarm.Key != "" {
		return nil
	}
	stored, err := c.Case(r.Number)
	if err != nil || stored.Alarm.Key != c.ringing {
		return err
	}
	return c.record(r, Event{Kind: EventRang, Actor: "timer", Note: "too late"})
}

// strike chooses one of the clocks that are due, notes that it struck, and lets it.
func (c *change) strike(r *Registration, due []clock) error {
	chosen := choose(due)
	for _, k := range due {
		if k.name == chosen.name || k.reminder && (chosen.last || chosen.reminder && !k.at.After(chosen.at)) {
			r.Rang = append(r.Rang, k.name) // the others of these are too late
		}
	}
	if err := c.record(r, Event{Kind: EventRang, Actor: "timer", Note: chosen.name}); err != nil {
		return err
	}
	return chosen.strike(c, r)
}

// choose returns the clock that strikes of those that are due: an end, else the first; of
// reminders that are due together the latest.
func choose(due []clock) clock {
	if i := slices.IndexFunc(due, func(k clock) bool { return k.last }); i >= 0 {
		return due[i]
	}
	chosen := due[0]
	for _, k := range due {
		if chosen.reminder && k.reminder {
			chosen = k
		}
	}
	return chosen
}
