package hubspot

import (
	"context"
	"slices"
	"time"

	"leadgate/intake"
)

// The outcomes of a meeting.
const (
	outcomeCompleted   = "COMPLETED"
	outcomeCanceled    = "CANCELED"
	outcomeRescheduled = "RESCHEDULED"
	outcomeNoShow      = "NO_SHOW"
)

// before is how much older than its deal a meeting may be: who books one has a deal made of it.
const before = 24 * time.Hour

// tellMeetings makes changes of meetings that changed: of each case that one of them is about, the
// first meeting that was held, or is to be, or that there is none any more. A meeting is about the
// case of a deal that it is associated with, or of a deal of a contact who takes part.
func (c *Connector) tellMeetings(ctx context.Context, changed []*object) (changes []intake.Change, err error) {
	if len(changed) == 0 {
		return nil, nil
	}
	var ids []string
	last := make(map[string]time.Time) // when each of them changed
	for _, m := range changed {
		ids = append(ids, m.ID)
		last[m.ID] = moment(m.Properties[modified])
	}
	toDeals, err := c.links(ctx, meetings, ids, deals)
	if err != nil {
		return nil, err
	}
	about := make(map[string]time.Time) // deal → when the last of its meetings changed
	note := func(deal string, at time.Time) {
		if at.After(about[deal]) {
			about[deal] = at
		}
	}
	var loose []string
	for _, m := range ids {
		for _, d := range toDeals[m] {
			note(d, last[m])
		}
		if len(toDeals[m]) == 0 {
			loose = append(loose, m)
		}
	}
	if err := c.byContact(ctx, loose, func(m, deal string) { note(deal, last[m]) }); err != nil {
		return nil, err
	}
	if ids = ids[:0]; len(about) == 0 {
		return nil, nil
	}
	for d := range about {
		ids = append(ids, d)
	}
	all, err := c.readAll(ctx, deals, ids, "", []string{caseProperty, "createdate"})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d *object) bool { return d.Properties[caseProperty] == "" })
	of, err := c.meetingsOf(ctx, all)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		if fields := first(of[d.ID], moment(d.Properties["createdate"]).Add(-before)); fields != nil {
			changes = append(changes, intake.Change{Case: d.Properties[caseProperty], At: about[d.ID], Fields: fields})
		}
	}
	return changes, nil
}

// byContact tells of which deals the contacts of meetings are.
func (c *Connector) byContact(ctx context.Context, ids []string, tell func(meeting, deal string)) error {
	if len(ids) == 0 {
		return nil
	}
	who, err := c.links(ctx, meetings, ids, contacts)
	if err != nil {
		return err
	}
	var people []string
	for _, some := range who {
		people = append(people, some...)
	}
	if len(people) == 0 {
		return nil
	}
	of, err := c.links(ctx, contacts, people, deals)
	if err != nil {
		return err
	}
	for _, m := range ids {
		for _, person := range who[m] {
			for _, d := range of[person] {
				tell(m, d)
			}
		}
	}
	return nil
}

// meetingsOf reads the meetings of deals: their own, and those of their contacts.
func (c *Connector) meetingsOf(ctx context.Context, all []*object) (map[string][]*object, error) {
	var ids, people, wanted []string
	for _, d := range all {
		ids = append(ids, d.ID)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	own, err := c.links(ctx, deals, ids, meetings)
	if err != nil {
		return nil, err
	}
	who, err := c.links(ctx, deals, ids, contacts)
	if err != nil {
		return nil, err
	}
	for _, some := range who {
		people = append(people, some...)
	}
	var theirs map[string][]string
	if len(people) > 0 {
		if theirs, err = c.links(ctx, contacts, people, meetings); err != nil {
			return nil, err
		}
	}
	of := make(map[string][]string)
	for _, d := range ids {
		of[d] = own[d]
		for _, person := range who[d] {
			of[d] = append(of[d], theirs[person]...)
		}
		wanted = append(wanted, of[d]...)
	}
	found, err := c.readAll(ctx, meetings, wanted, "", []string{meetingStart, meetingOutcome})
	if err != nil {
		return nil, err
	}
	out := make(map[string][]*object)
	for _, m := range found {
		for d, some := range of {
			if slices.Contains(some, m.ID) {
				out[d] = append(out[d], m)
			}
		}
	}
	return out, nil
}

// first is what there is to tell of the meetings of a case that are not older than since; nil for
// nothing.
func first(all []*object, since time.Time) map[string]string {
	var held, planned time.Time
	off := false
	earlier := func(t *time.Time, at time.Time) {
		if t.IsZero() || at.Before(*t) {
			*t = at
		}
	}
	for _, m := range all {
		at := moment(m.Properties[meetingStart])
		if at.IsZero() || at.Before(since) {
			continue
		}
		switch m.Properties[meetingOutcome] {
		case outcomeCompleted:
			earlier(&held, at)
		case outcomeCanceled, outcomeRescheduled, outcomeNoShow:
			off = true
		default:
			earlier(&planned, at)
		}
	}
	switch {
	case !held.IsZero():
		return map[string]string{intake.ChangeMeeting: held.Format(time.RFC3339), intake.ChangeHeld: "true"}
	case !planned.IsZero():
		return map[string]string{intake.ChangeMeeting: planned.Format(time.RFC3339)}
	case off:
		return map[string]string{intake.ChangeMeeting: ""}
	}
	return nil
}
