package memstore

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"leadgate/intake"
	"leadgate/store/internal/canon"
)

// Enqueue implements intake.Tasks.
func (tx *txn) Enqueue(t intake.Task) error {
	if err := tx.writing(); err != nil {
		return err
	}
	t, err := canon.Task(t)
	if err != nil {
		return err
	}
	_, open := tx.tasks[t.Key]
	if _, done := tx.done[t.Key]; open || done {
		return nil
	}
	if t, err = canon.Clone(t); err != nil {
		return fmt.Errorf("enqueue %s: %w", t.Key, err)
	}
	last := tx.lastTask
	tx.undo = append(tx.undo, func() { tx.lastTask = last })
	tx.lastTask++
	t.Seq = tx.lastTask
	set(tx, tx.tasks, t.Key, t)
	return nil
}

// Claim implements intake.Tasks.
func (tx *txn) Claim(lane intake.Lane, now time.Time, lease time.Duration, limit int) ([]intake.Task, error) {
	if err := tx.writing(); err != nil {
		return nil, err
	}
	now = canon.Time(now)
	first := map[string]uint64{} // the oldest waiting task of each case
	for _, t := range tx.tasks {
		if seq, ok := first[t.Case]; t.Lane == lane && !t.Parked && (!ok || t.Seq < seq) {
			first[t.Case] = t.Seq
		}
	}
	var ready []intake.Task
	for _, t := range tx.tasks {
		if t.Lane == lane && !t.Parked && t.Seq == first[t.Case] && !t.Due.After(now) && !t.Leased.After(now) {
			ready = append(ready, t)
		}
	}
	slices.SortFunc(ready, func(a, b intake.Task) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Seq, b.Seq))
	})
	ready = ready[:max(0, min(limit, len(ready)))]
	for i := range ready {
		ready[i].Fence++
		ready[i].Attempts++
		ready[i].Leased = canon.Time(now.Add(lease))
		set(tx, tx.tasks, ready[i].Key, ready[i])
	}
	return copies(ready, limit)
}

// Finish implements intake.Tasks.
func (tx *txn) Finish(t intake.Task) error {
	cur, err := tx.claimed(t)
	if err != nil {
		return err
	}
	tx.finish(cur)
	return nil
}

// Postpone implements intake.Tasks.
func (tx *txn) Postpone(t intake.Task, until time.Time, cause string) error {
	cur, err := tx.claimed(t)
	if err != nil {
		return err
	}
	cur.Due, cur.Leased, cur.Parked, cur.Cause = canon.Time(until), time.Time{}, false, cause
	set(tx, tx.tasks, cur.Key, cur)
	return nil
}

// Park implements intake.Tasks.
func (tx *txn) Park(t intake.Task, cause string) error {
	cur, err := tx.claimed(t)
	if err != nil {
		return err
	}
	cur.Leased, cur.Parked, cur.Cause = time.Time{}, true, cause
	set(tx, tx.tasks, cur.Key, cur)
	return nil
}

// Revive implements intake.Tasks.
func (tx *txn) Revive(key string, now time.Time) error {
	if err := tx.writing(); err != nil {
		return err
	}
	t, ok := tx.tasks[key]
	if !ok || !t.Parked {
		return fmt.Errorf("revive %s: %w", key, intake.ErrNotFound)
	}
	t.Parked, t.Due, t.Attempts = false, canon.Time(now), 0
	set(tx, tx.tasks, key, t)
	return nil
}

// EndLeases implements intake.Tasks.
func (tx *txn) EndLeases() error {
	if err := tx.writing(); err != nil {
		return err
	}
	for key, t := range tx.tasks {
		if !t.Leased.IsZero() {
			t.Leased = time.Time{}
			set(tx, tx.tasks, key, t)
		}
	}
	return nil
}

// Cancel implements intake.Tasks.
func (tx *txn) Cancel(key string) error {
	if err := tx.writing(); err != nil {
		return err
	}
	if t, ok := tx.tasks[key]; ok {
		tx.finish(t)
	}
	return nil
}

// Open implements intake.Tasks.
func (tx *txn) Open(caseNumber string) ([]intake.Task, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	var found []intake.Task
	for _, t := range tx.tasks {
		if t.Case == caseNumber {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b intake.Task) int { return cmp.Compare(a.Seq, b.Seq) })
	return copies(found, len(found))
}

// NextDue implements intake.Tasks.
func (tx *txn) NextDue(lane intake.Lane) (time.Time, bool, error) {
	var next time.Time
	found := false
	if err := tx.reading(); err != nil {
		return next, false, err
	}
	for _, t := range tx.tasks {
		if t.Lane != lane || t.Parked {
			continue
		}
		at := t.Due
		if t.Leased.After(at) {
			at = t.Leased
		}
		if !found || at.Before(next) {
			next, found = at, true
		}
	}
	return next, found, nil
}

// Depth implements intake.Tasks.
func (tx *txn) Depth() (map[intake.Lane]intake.Depth, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	depths := map[intake.Lane]intake.Depth{}
	for _, t := range tx.tasks {
		d := depths[t.Lane]
		switch {
		case t.Parked:
			d.Parked++
		case d.Open == 0 || t.Due.Before(d.Oldest):
			d.Oldest = t.Due
			d.Open++
		default:
			d.Open++
		}
		depths[t.Lane] = d
	}
	return depths, nil
}

// PruneTasks implements intake.Tasks.
func (tx *txn) PruneTasks(before time.Time, limit int) (int, error) {
	if err := tx.writing(); err != nil {
		return 0, err
	}
	before = canon.Time(before)
	var old []string
	for key, finished := range tx.done {
		if finished.Before(before) {
			old = append(old, key)
		}
	}
	slices.SortFunc(old, func(a, b string) int {
		return cmp.Or(tx.done[a].Compare(tx.done[b]), cmp.Compare(a, b))
	})
	old = old[:max(0, min(limit, len(old)))]
	for _, key := range old {
		remove(tx, tx.done, key)
	}
	return len(old), nil
}

// claimed returns the stored task if t holds its current fence, else intake.ErrStale.
func (tx *txn) claimed(t intake.Task) (intake.Task, error) {
	if err := tx.writing(); err != nil {
		return intake.Task{}, err
	}
	cur, ok := tx.tasks[t.Key]
	if !ok || cur.Fence != t.Fence {
		return intake.Task{}, fmt.Errorf("task %s: %w", t.Key, intake.ErrStale)
	}
	return cur, nil
}

// finish takes t out of the queue; only its key is kept.
func (tx *txn) finish(t intake.Task) {
	remove(tx, tx.tasks, t.Key)
	set(tx, tx.done, t.Key, canon.Time(tx.now()))
}
