// Package canon holds the form in which every store keeps values: times in UTC and cut to
// the microsecond, a task without what only the store may set. All stores use it, so that a
// value read from one equals the value read from any other.
package canon

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"leadgate/intake"
)

// Time returns t in UTC, cut to the microsecond. The zero time stays zero.
func Time(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// text returns an error if one of the names is not UTF-8. JSON would change such a name, and
// the value would no longer be found under it.
func text(names ...string) error {
	for _, n := range names {
		if !utf8.ValidString(n) {
			return fmt.Errorf("the name %q is not UTF-8", n)
		}
	}
	return nil
}

// Registration returns r as it is stored, or an error if it cannot be. Maps and slices are
// still those of r.
func Registration(r intake.Registration) (intake.Registration, error) {
	switch {
	case r.Number == "":
		return r, errors.New("put case: it has no number")
	case r.Seq == 0:
		return r, fmt.Errorf("put case %s: it has no seq", r.Number)
	}
	if err := errors.Join(text(r.Number, r.Partner, string(r.Status)), text(r.Identity...)); err != nil {
		return r, fmt.Errorf("put case %s: %w", r.Number, err)
	}
	for _, t := range []*time.Time{
		&r.Claim, &r.Accepted, &r.Updated, &r.Since, &r.DecisionDue, &r.AnswerDue, &r.Decided,
		&r.Protection.Start, &r.Protection.End,
	} {
		*t = Time(*t)
	}
	return r, nil
}

// Event returns e as it is stored, or an error if it cannot be.
func Event(e intake.Event) (intake.Event, error) {
	if e.Case == "" {
		return e, errors.New("append event: it names no case")
	}
	if err := text(e.Case); err != nil {
		return e, fmt.Errorf("append event: %w", err)
	}
	e.At = Time(e.At)
	return e, nil
}

// Task returns t as it is enqueued, or an error if it cannot be.
func Task(t intake.Task) (intake.Task, error) {
	switch {
	case t.Key == "":
		return t, errors.New("enqueue: the task has no key")
	case t.Lane == "":
		return t, fmt.Errorf("enqueue %s: the task has no lane", t.Key)
	}
	if err := text(t.Key, string(t.Lane), t.Case); err != nil {
		return t, fmt.Errorf("enqueue %s: %w", t.Key, err)
	}
	return intake.Task{Key: t.Key, Lane: t.Lane, Case: t.Case, Due: Time(t.Due), Payload: t.Payload}, nil
}

// Clone returns an independent copy of v, which is what JSON keeps of it.
func Clone[V any](v V) (V, error) {
	var c V
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	return c, err
}
