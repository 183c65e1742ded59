package intake

import (
	"encoding/json"
	"fmt"
	"time"
)

// oclock is the first time after t at which it is that hour in the programme's zone.
func (g *Gateway) oclock(hour int, t time.Time) time.Time {
	local := t.In(g.policy.Zone())
	at := time.Date(local.Year(), local.Month(), local.Day(), hour, 0, 0, 0, local.Location())
	if !at.After(t) {
		at = time.Date(local.Year(), local.Month(), local.Day()+1, hour, 0, 0, 0, local.Location())
	}
	return at
}

// await has the work of a name done at a time. The task is named by its day, so that there is one
// however many processes ask for it.
func (c *change) await(name string, lane Lane, at time.Time) error {
	date := at.Format(time.DateOnly)
	return c.Enqueue(Task{Key: name + ":" + date, Lane: lane, Case: name, Due: at.UTC(), Payload: quoted(date)})
}

// dayOf is the day for which a task that comes again was awaited; it fails before that day's hour.
func (g *Gateway) dayOf(t Task) (date string, err error) {
	if err := json.Unmarshal(t.Payload, &date); err != nil {
		return "", Permanent(fmt.Errorf("day of task %s: %w", t.Key, err))
	}
	if left := t.Due.Sub(g.stamp()); left > 0 {
		return "", RetryAfter(left, errTooEarly)
	}
	return date, nil
}

// since is the time after which a task that comes again is next due.
func (c *change) since(t Task) time.Time {
	if t.Due.After(c.at) {
		return t.Due
	}
	return c.at
}
