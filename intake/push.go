package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// pushed is the payload of a push: the event that caused it.
type pushed struct {
	Event int `json:"event"`
}

// push enqueues the writing of r, as it is when the task runs, to every CRM, and with it
// the event that was recorded last.
func (c *change) push(r *Registration) error {
	lane := PushLane
	if w, err := c.batchOf(r.Number); err != nil {
		return err
	} else if _, ok := importOf(w.Batch); ok {
		lane = PushListsLane
	}
	for _, crm := range c.g.crms {
		if err := c.pushTo(r, crm.Name(), lane(crm.Name())); err != nil {
			return err
		}
	}
	return nil
}

// errOlderPush postpones a push until the one before it is done.
var errOlderPush = errors.New("an older push of the case is still to be done")

// turnPause is how long a push waits before it looks again whether it is its turn, and shutPause how
// long while its CRM does not work.
const (
	turnPause = 5 * time.Second
	shutPause = 5 * time.Minute
)

// olderPush returns errOlderPush while the other lane of the same CRM has an older push of the case:
// those of one case run one after the other, as within a lane.
func (g *Gateway) olderPush(ctx context.Context, t Task) error {
	crm, _ := crmOf(t.Lane)
	var open []Task
	err := g.store.View(ctx, func(tx Tx) (err error) {
		open, err = tx.Open(t.Case)
		return err
	})
	if err != nil {
		return err
	}
	for _, o := range open {
		other, isPush := crmOf(o.Lane)
		if !isPush || other != crm || o.Lane == t.Lane || o.Parked || o.Seq >= t.Seq {
			continue
		}
		pause := turnPause
		if g.gates[crm].write.isShut() {
			pause = shutPause
		}
		return RetryAfter(max(pause, o.Due.Sub(g.stamp())), errOlderPush)
	}
	return nil
}

// pushTo is push to one CRM.
func (c *change) pushTo(r *Registration, crm string, lane Lane) error {
	body, err := json.Marshal(pushed{Event: r.Events})
	if err != nil {
		return err
	}
	return c.Enqueue(Task{Key: taskKey("push:"+crm, r), Lane: lane, Case: r.Number, Due: c.at, Payload: body})
}

// runPush brings the CRM's record to the present state of the case and adds the note of the
// event. Both may be repeated after a crash and leave one record and one note.
func (g *Gateway) runPush(crm CRM) handler {
	gate := &g.gates[crm.Name()].write
	return func(ctx context.Context, t Task) (effect, error) {
		var p pushed
		if err := json.Unmarshal(t.Payload, &p); err != nil {
			return nil, Permanent(fmt.Errorf("payload of task %s: %w", t.Key, err))
		}
		if err := g.olderPush(ctx, t); err != nil {
			return nil, err
		}
		rec, note, err := g.recordFor(ctx, t.Case, p.Event)
		if err != nil {
			return nil, err
		}
		if rec.Registration.CRM[crm.Name()].Gone {
			return func(*change) error { return nil }, nil // a person has to say that it is to be there again
		}
		ref, err := crm.Push(ctx, rec)
		gate.note(ctx, t.Lane, err)
		if IsGone(err) {
			return func(c *change) error {
				r, err := c.Case(t.Case)
				if err != nil {
					return err
				}
				return c.gone(&r, crm.Name(), Event{Actor: "crm:" + crm.Name(), Trigger: TriggerCRM})
			}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("push to %s: %w", crm.Name(), err)
		}
		err = crm.Note(ctx, ref, note)
		gate.note(ctx, t.Lane, err)
		if err != nil {
			return nil, fmt.Errorf("note in %s: %w", crm.Name(), err)
		}
		return func(c *change) error {
			r, err := c.Case(t.Case)
			if err != nil {
				return err
			}
			if r.CRM == nil {
				r.CRM = make(map[string]Ref)
			}
			if ref.Revision == 0 {
				ref.Revision = rec.Registration.Revision
			}
			// Meanwhile the feed may have told that people deleted it.
			ref.Gone = r.CRM[crm.Name()].Gone && r.CRM[crm.Name()].ID == ref.ID
			r.CRM[crm.Name()] = ref
			if err := c.DeleteRecord(spaceUndelivered, r.Number+"/crm:"+crm.Name()); err != nil {
				return err
			}
			if err := c.pushedAgain(t, crm.Name()); err != nil {
				return err
			}
			return c.record(&r, Event{Kind: EventPushed, Actor: "crm:" + crm.Name(), Note: ref.ID})
		}, nil
	}
}

// maxNoted is how much of what a partner wrote goes into a timeline.
const maxNoted = 8 << 10

// spaceGivenUp holds what Replay can take up: the number of a case and "/" and a CRM → since when.
const spaceGivenUp = "given_up"

// pushedAgain ends what was noted of pushes that were given up, unless some still are.
func (c *change) pushedAgain(t Task, crm string) error {
	key := t.Case + "/" + crm
	if _, err := c.Record(spaceGivenUp, key); err != nil {
		return ignoreNotFound(err)
	}
	open, err := c.Open(t.Case)
	if err != nil || slices.ContainsFunc(open, func(o Task) bool { return o.Parked && isPushTo(crm, o.Lane) }) {
		return err
	}
	return c.DeleteRecord(spaceGivenUp, key)
}

// recordFor is what a CRM is told of a case as it is now, and of its n-th event.
func (g *Gateway) recordFor(ctx context.Context, number string, n int) (rec Record, note Note, err error) {
	err = g.store.View(ctx, func(tx Tx) (err error) {
		note = Note{}
		if rec, err = g.recordOf(tx, number); err != nil {
			return err
		}
		events, err := tx.Events(number)
		if err != nil {
			return err
		}
		if n < 1 || n > len(events) {
			return Permanent(fmt.Errorf("case %s has no event %d", number, n))
		}
		note.Event = events[n-1]
		if note.Event.Submission == 0 {
			return nil
		}
		var s Submission
		err = getJSON(tx, spaceSubmission, submissionKey(&rec.Registration, note.Event.Submission), &s)
		if s.Sender.Strength.Proven() { // what anybody may have written is in no record of others
			note.From, note.Subject, note.Text = s.Sender.Address, s.Subject, cut(s.Text, maxNoted)
		}
		return ignoreNotFound(err)
	})
	return rec, note, err
}

// recordOf is what a CRM is told of a case.
func (g *Gateway) recordOf(tx Tx, number string) (rec Record, err error) {
	rec.Program = g.program
	if rec.Registration, err = tx.Case(number); err != nil {
		return rec, err
	}
	rec.Partner, err = partner(tx, rec.Registration.Partner)
	return rec, ignoreNotFound(err)
}
