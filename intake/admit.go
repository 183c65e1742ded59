package intake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	spaceCounted = "counted" // end of life and limit → how often
	spaceSpent   = "spent"   // end of life and key → who spent it
)

// Limit is how often something may happen within a time, in all processes together.
type Limit struct {
	// Name says what is counted: "form:alpha.example".
	Name string
	Max  int
	Per  time.Duration
}

// Admission asks whether a request from the public may come in.
type Admission struct {
	Limits []Limit
	// Once is what can be used a single time, until Until; empty for nothing. By is who uses
	// it: the same one may ask again, as after an answer that was lost.
	Once, By string
	Until    time.Time
}

// ErrSpent: what works once was used before.
var ErrSpent = errors.New("it was used before")

// LimitError says that something happened too often, and when to try again.
type LimitError struct {
	Limit Limit
	After time.Duration
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("more than %d of %s in %v", e.Limit.Max, e.Limit.Name, e.Limit.Per)
}

// Admit lets a request in that is no submission, and counts it; ErrSpent, *LimitError. What was
// refused counts for nothing.
func (g *Gateway) Admit(ctx context.Context, a Admission) error {
	return g.store.Update(ctx, func(tx Tx) error { return a.ask(tx, g.stamp()) })
}

func (a Admission) ask(tx Records, now time.Time) error {
	if err := spend(tx, a, now); err != nil {
		return err
	}
	for _, l := range a.Limits {
		if err := l.count(tx, now); err != nil {
			return err
		}
	}
	return nil
}

func spend(tx Records, a Admission, now time.Time) error {
	if a.Once == "" {
		return nil
	}
	if !a.Until.After(now) {
		return ErrSpent
	}
	key := mortal(a.Until, a.Once)
	by, err := tx.Record(spaceSpent, key)
	switch {
	case errors.Is(err, ErrNotFound):
		return tx.PutRecord(spaceSpent, key, []byte(a.By))
	case err == nil && (a.By == "" || string(by) != a.By):
		return ErrSpent
	}
	return err
}

// count takes the time in steps of Per and weighs the step before by how much of it is less
// than Per ago.
func (l Limit) count(tx Records, now time.Time) error {
	step := now.Truncate(l.Per)
	cur, err := counted(tx, l, step)
	if err != nil {
		return err
	}
	prev, err := counted(tx, l, step.Add(-l.Per))
	if err != nil {
		return err
	}
	into := now.Sub(step)
	if float64(prev)*float64(l.Per-into)/float64(l.Per)+float64(cur+1) > float64(l.Max) {
		return &LimitError{Limit: l, After: l.wait(cur, prev, into).Truncate(time.Millisecond) + time.Millisecond}
	}
	return tx.PutRecord(spaceCounted, l.key(step), []byte(strconv.Itoa(cur+1)))
}

// wait is when the next one may come, if nobody else does.
func (l Limit) wait(cur, prev int, into time.Duration) time.Duration {
	left := l.Max - cur - 1
	if left >= 0 && prev > 0 { // until enough of the step before is long ago
		return l.Per - into - time.Duration(float64(left)/float64(prev)*float64(l.Per))
	}
	if l.Max < 1 || cur < 1 {
		return l.Per
	}
	// This step weighs in the next one.
	return l.Per - into + l.Per - time.Duration(float64(l.Max-1)/float64(cur)*float64(l.Per))
}

// key ends where a step counts no longer.
func (l Limit) key(step time.Time) string { return mortal(step.Add(2*l.Per), l.Name) }

func counted(tx Records, l Limit, step time.Time) (int, error) {
	b, err := tx.Record(spaceCounted, l.key(step))
	if err != nil {
		return 0, ignoreNotFound(err)
	}
	return strconv.Atoi(string(b))
}

// mortal is a key that sorts by when its value can be forgotten.
func mortal(end time.Time, key string) string { return fmt.Sprintf("%016x/%s", end.UnixMicro(), key) }

// pruneMortal forgets up to limit values of a space whose end has come.
func pruneMortal(tx Records, space string, now time.Time, limit int) (n int, err error) {
	entries, err := tx.ScanRecords(space, "", "", limit)
	if err != nil {
		return 0, err
	}
	bound := mortal(now, "")
	for _, e := range entries {
		if strings.Compare(e.Key, bound) >= 0 {
			break
		}
		if err := tx.DeleteRecord(space, e.Key); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// Accepted returns the receipt of a delivery that was accepted before; ErrNotFound. A channel that
// is called again asks it before it checks once more what can be checked a single time.
func (g *Gateway) Accepted(ctx context.Context, key string) (Receipt, error) {
	var r Receipt
	err := g.store.View(ctx, func(tx Tx) error {
		var src source
		if err := getJSON(tx, spaceSource, key, &src); err != nil {
			return err
		}
		r = src.Receipt
		r.Known = true
		return nil
	})
	return r, err
}
