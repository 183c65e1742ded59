package memstore

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"leadgate/intake"
	"leadgate/store/internal/canon"
)

// task is a task and, once it is finished, when that was.
type task struct {
	intake.Task
	finished time.Time // zero while unfinished
}

func (t task) open() bool { return t.finished.IsZero() }

// waiting reports whether t is in its lane's queue.
func (t task) waiting() bool { return t.open() && !t.Parked }

// Enqueue implements intake.Tasks.
func (tx *txn) Enqueue(t intake.Task) error {
	if err := tx.writing(); err != nil {
		return err
	}
	t, err := canon.Task(t)
	if err != nil {
		return err
	}
	if _, ok := tx.tasks[t.Key]; ok {
		return nil
	}
	if t, err = canon.Clone(t); err != nil {
		return fmt.Errorf("enqueue %s: %w", t.Key, err)
	}
	last := tx.lastTask
	tx.undo = append(tx.undo, func() { tx.lastTask = last })
	tx.lastTask++
	t.Seq = tx.lastTask
	set(tx, tx.tasks, t.Key, task{Task: t})
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
		if seq, ok := first[t.Case]; t.Lane == lane && t.waiting() && (!ok || t.Seq < seq) {
			first[t.Case] = t.Seq
		}
	}
	var ready []intake.Task
	for _, t := range tx.tasks {
		if t.Lane == lane && t.waiting() && t.Seq == first[t.Case] && !t.Due.After(now) && !t.Leased.After(now) {
			ready = append(ready, t.Task)
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
		set(tx, tx.tasks, ready[i].Key, task{Task: ready[i]})
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
	if !ok || !t.open() || !t.Parked {
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
		if t.open() && !t.Leased.IsZero() {
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
	if t, ok := tx.tasks[key]; ok && t.open() {
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
		if t.open() && t.Case == caseNumber {
			found = append(found, t.Task)
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
		if t.Lane != lane || !t.waiting() {
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
		if !t.open() {
			continue
		}
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
	var old []task
	for _, t := range tx.tasks {
		if !t.open() && t.finished.Before(before) {
			old = append(old, t)
		}
	}
	slices.SortFunc(old, func(a, b task) int {
		return cmp.Or(a.finished.Compare(b.finished), cmp.Compare(a.Key, b.Key))
	})
	old = old[:max(0, min(limit, len(old)))]
	for _, t := range old {
		remove(tx, tx.tasks, t.Key)
	}
	return len(old), nil
}

// claimed returns the stored task if t holds its current fence, else intake.ErrStale.
func (tx *txn) claimed(t intake.Task) (task, error) {
	if err := tx.writing(); err != nil {
		return task{}, err
	}
	cur, ok := tx.tasks[t.Key]
	if !ok || !cur.open() || cur.Fence != t.Fence {
		return task{}, fmt.Errorf("task %s: %w", t.Key, intake.ErrStale)
	}
	return cur, nil
}

func (tx *txn) finish(t task) {
	t.finished = canon.Time(tx.now())
	t.Task = intake.Task{Key: t.Key} // only the key is kept
	set(tx, tx.tasks, t.Key, t)
}
