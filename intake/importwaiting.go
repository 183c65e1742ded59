package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ImportStanding is how the cases of a file stand, in a message that is sent in the place of one
// for each of them.
type ImportStanding struct {
	// Waiting are asked for something, the first of them until Due.
	Waiting int       `json:"waiting,omitempty"`
	Due     time.Time `json:"due,omitzero"`
	// Lapsed were closed because the answer did not come in time, Late were not decided in time.
	Lapsed int `json:"lapsed,omitempty"`
	Late   int `json:"late,omitempty"`
	// Ending hold their account for not much longer, the first of them until Until; of Expired it
	// is free.
	Ending  int       `json:"ending,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	Expired int       `json:"expired,omitempty"`
}

func (s *ImportStanding) nothing() bool {
	return s.Waiting+s.Lapsed+s.Late+s.Ending+s.Expired == 0
}

// remind tells the partner of r something that a clock brings: with its file, if it came with one.
func (c *change) remind(r *Registration, kind MessageKind) error {
	if told, err := c.remindByFile(r); told || err != nil {
		return err
	}
	return c.notify(r, kind, r.Reply, true)
}

// announceByFile is announce for what a clock brings about.
func (c *change) announceByFile(r *Registration, kind MessageKind, e Event) error {
	told, err := c.remindByFile(r)
	switch {
	case err != nil:
		return err
	case told:
		return c.push(r)
	}
	return c.announce(r, kind, e)
}

// hourOf is an hour of which the cases of one file are told together.
type hourOf struct {
	Import string    `json:"import"`
	From   time.Time `json:"from"`
}

// remindByFile has what a clock of r tells its partner told together with the other cases of the
// file that it came with, once for an hour. It reports false if r came by itself, is answered
// elsewhere than its file, or has a question of its own.
func (c *change) remindByFile(r *Registration) (bool, error) {
	if r.Question != "" || r.Reply.Address == "" {
		return false, nil
	}
	var first struct {
		Batch Batch `json:"batch"`
	}
	if err := getJSON(c, spaceSubmission, submissionKey(r, 1), &first); err != nil {
		return false, ignoreNotFound(err)
	}
	id, ok := importOf(first.Batch.ID)
	if !ok {
		return false, nil
	}
	im, err := imported(c, id)
	if errors.Is(err, ErrNotFound) || err == nil && (!im.Erased.IsZero() || im.Partner != r.Partner ||
		im.Reply.Channel != r.Reply.Channel || !strings.EqualFold(im.Reply.Address, r.Reply.Address)) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	from := c.at.Truncate(time.Hour)
	payload, err := json.Marshal(hourOf{id, from})
	if err != nil {
		return false, err
	}
	return true, c.Enqueue(Task{
		Key: fmt.Sprintf("waiting:%s:%s", id, from.Format(time.RFC3339)), Lane: LaneTimer, Case: im.batch(),
		Due: from.Add(time.Hour), Payload: payload,
	})
}

// runWaiting tells who sent a file how those of its cases stand of which an hour has something to
// tell.
func (g *Gateway) runWaiting(ctx context.Context, t Task) (effect, error) {
	var hour hourOf
	if err := json.Unmarshal(t.Payload, &hour); err != nil {
		return nil, Permanent(fmt.Errorf("hour of task %s: %w", t.Key, err))
	}
	standing, err := g.standing(ctx, hour)
	if err != nil || standing.nothing() {
		return func(*change) error { return nil }, err
	}
	return func(c *change) error {
		im, err := imported(c, hour.Import)
		if err != nil {
			return ignoreNotFound(err)
		}
		m, err := c.importMessage(im)
		if err != nil {
			return err
		}
		m.ID, m.To, m.Unprompted, m.Import.Standing = "S-"+shortID(t.Key)+".1", im.Reply, true, &standing
		return c.send(m, im.batch())
	}, nil
}

// standing counts the cases of a file.
func (g *Gateway) standing(ctx context.Context, hour hourOf) (s ImportStanding, err error) {
	err = g.eachImported(ctx, hour.Import, func(r *Registration) { s.add(r, hour.From) })
	return s, err
}

// eachImported calls fn once with each case of a file. It looks at some at a time: nothing else
// waits for it.
func (g *Gateway) eachImported(ctx context.Context, id string, fn func(*Registration)) error {
	seen := make(map[string]bool)
	for after := 0; ; {
		rows, err := g.RowOutcomes(ctx, id, after, importPage*importChunk)
		if err != nil || len(rows) == 0 {
			return err
		}
		var cases []Registration
		err = g.store.View(ctx, func(tx Tx) error {
			cases = nil
			for _, o := range rows {
				if o.Case == "" || seen[o.Case] {
					continue
				}
				r, err := tx.Case(o.Case)
				if err != nil {
					return err
				}
				cases = append(cases, r)
			}
			return nil
		})
		if err != nil {
			return err
		}
		after = rows[len(rows)-1].Row
		for i := range cases {
			if !seen[cases[i].Number] {
				seen[cases[i].Number] = true
				fn(&cases[i])
			}
		}
	}
}

// add counts a case, if it waits or something became of it in the hour from a moment on.
func (s *ImportStanding) add(r *Registration, from time.Time) {
	within := func(t time.Time) bool { return !t.Before(from) && t.Before(from.Add(time.Hour)) }
	switch {
	case r.Status == StatusNeedsInfo && r.Question == "":
		s.Waiting++
		if s.Due.IsZero() || r.AnswerDue.Before(s.Due) {
			s.Due = r.AnswerDue
		}
	case r.Status == StatusWithdrawn && r.Reason == ReasonNoInfoInTime && within(r.Since):
		s.Lapsed++
	case r.Status == StatusInReview && within(r.Promised):
		s.Late++
	case r.Status == StatusExpired && (r.Reason == ReasonNoNextStep || r.Reason == ReasonWindowEnded) && within(r.Since):
		s.Expired++
	case (r.Status == StatusProvisional || r.Status == StatusProtected) && r.Protection.End.Before(from.Add(soonEnding)):
		s.Ending++
		if s.Until.IsZero() || r.Protection.End.Before(s.Until) {
			s.Until = r.Protection.End
		}
	}
}
