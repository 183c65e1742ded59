package boltstore

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"leadgate/intake"
	"leadgate/store/internal/canon"
)

// The first byte of a task_key value says what follows, that of a task whether it waits.
const (
	markOpen     = 0 // the task's key in its table
	markFinished = 1 // when it was finished
	markWaiting  = 2
	markParked   = 3
)

func dueKey(t *intake.Task) []byte {
	return appendUint(appendTime(appendString(nil, string(t.Lane)), t.Due), t.Seq)
}

func dueValue(t *intake.Task, place []byte) []byte {
	return append(appendTime(nil, t.Leased), place...)
}

// queueKey sorts the tasks of a case by lane and age.
func queueKey(t *intake.Task, place []byte) []byte {
	return appendUint(queuePrefix(place, t.Lane), t.Seq)
}

func queuePrefix(place []byte, lane intake.Lane) []byte {
	return appendString(bytes.Clone(place), string(lane))
}

func parkedKey(t *intake.Task) []byte {
	return appendUint(appendString(nil, string(t.Lane)), t.Seq)
}

func doneKey(finished time.Time, key string) []byte {
	return append(appendTime(nil, finished), key...)
}

// Enqueue implements intake.Tasks.
func (tx *txn) Enqueue(t intake.Task) error {
	if err := tx.writing(); err != nil {
		return err
	}
	t, err := canon.Task(t)
	if err != nil {
		return err
	}
	if tx.read(tableTaskKey, []byte(t.Key)) != nil {
		return nil
	}
	if t.Payload != nil && !json.Valid(t.Payload) { // before anything is written
		return fmt.Errorf("enqueue %s: the payload is no JSON", t.Key)
	}
	t.Seq = tx.nextTask()
	place, _ := tx.place(t.Case, true)
	tx.put(tableTaskKey, []byte(t.Key), append([]byte{markOpen}, queueKey(&t, place)...))
	tx.insert(&t)
	return tx.broken
}

// insert stores an unfinished task and its place in the lane.
func (tx *txn) insert(t *intake.Task) {
	mark := byte(markWaiting)
	place, _ := tx.place(t.Case, true)
	if t.Parked {
		mark = markParked
		tx.put(tableTaskParked, parkedKey(t), nil)
	} else {
		tx.put(tableTaskDue, dueKey(t), dueValue(t, place))
	}
	value, err := json.Marshal(t)
	tx.fault(tableTask, err)
	tx.put(tableTask, queueKey(t, place), append([]byte{mark}, value...))
}

// dequeue removes a task's place in its lane, as it was stored. What insert writes again
// is left to it.
func (tx *txn) dequeue(t *intake.Task) {
	if t.Parked {
		tx.delete(tableTaskParked, parkedKey(t))
	} else {
		tx.delete(tableTaskDue, dueKey(t))
	}
}

// Claim implements intake.Tasks.
func (tx *txn) Claim(lane intake.Lane, now time.Time, lease time.Duration, limit int) ([]intake.Task, error) {
	if err := tx.writing(); err != nil {
		return nil, err
	}
	now = canon.Time(now)
	found := tx.claimable(lane, now, limit)
	claimed := make([]intake.Task, 0, len(found))
	for _, key := range found {
		t, err := tx.task(key)
		if err != nil {
			return nil, err
		}
		t.Fence++
		t.Attempts++
		t.Leased = canon.Time(now.Add(lease))
		tx.insert(&t)
		claimed = append(claimed, t)
	}
	return claimed, tx.broken
}

// claimable returns the keys of the tasks that Claim leases, by (Due, Seq).
func (tx *txn) claimable(lane intake.Lane, now time.Time, limit int) [][]byte {
	var found [][]byte
	first := map[string][]byte{} // the oldest waiting task of each place met
	prefix := appendString(nil, string(lane))
	c := tx.cursor(tableTaskDue)
	for k, v := c.seek(prefix); bytes.HasPrefix(k, prefix) && len(found) < limit; k, v = c.next() {
		if parseTime(k[len(prefix):]).After(now) {
			break
		}
		if parseTime(v).After(now) {
			continue
		}
		place := v[8 : 8+placeSize]
		oldest, ok := first[string(place)]
		if !ok {
			oldest = tx.oldestWaiting(place, lane)
			first[string(place)] = oldest
		}
		if bytes.HasSuffix(oldest, k[len(k)-8:]) {
			found = append(found, oldest)
		}
	}
	return found
}

// oldestWaiting returns the key of the oldest of the tasks at a place, in the lane, that are
// not parked.
func (tx *txn) oldestWaiting(place []byte, lane intake.Lane) []byte {
	prefix := queuePrefix(place, lane)
	c := tx.cursor(tableTask)
	for k, v := c.seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.next() {
		if len(v) > 0 && v[0] == markWaiting {
			return bytes.Clone(k)
		}
	}
	return nil
}

// task returns the task at a key of its table.
func (tx *txn) task(key []byte) (intake.Task, error) { return decodeTask(tx.read(tableTask, key)) }

func decodeTask(value []byte) (t intake.Task, err error) {
	return t, decode(tableTask, value[min(1, len(value)):], &t)
}

// unfinished returns the task with the key, false if it is unknown or finished.
func (tx *txn) unfinished(key string) (intake.Task, bool, error) {
	mark := tx.read(tableTaskKey, []byte(key))
	if len(mark) == 0 || mark[0] != markOpen {
		return intake.Task{}, false, nil
	}
	t, err := tx.task(mark[1:])
	return t, err == nil, err
}

// claimed returns the stored task if t holds its current fence, else intake.ErrStale.
func (tx *txn) claimed(t intake.Task) (intake.Task, error) {
	if err := tx.writing(); err != nil {
		return intake.Task{}, err
	}
	cur, ok, err := tx.unfinished(t.Key)
	if err != nil {
		return intake.Task{}, err
	}
	if !ok || cur.Fence != t.Fence {
		return intake.Task{}, fmt.Errorf("task %s: %w", t.Key, intake.ErrStale)
	}
	return cur, nil
}

// Finish implements intake.Tasks.
func (tx *txn) Finish(t intake.Task) error {
	cur, err := tx.claimed(t)
	if err != nil {
		return err
	}
	return tx.finish(&cur)
}

func (tx *txn) finish(t *intake.Task) error {
	finished := canon.Time(tx.now())
	tx.dequeue(t)
	if place, ok := tx.place(t.Case, false); ok {
		tx.delete(tableTask, queueKey(t, place))
	}
	tx.put(tableTaskKey, []byte(t.Key), appendTime([]byte{markFinished}, finished))
	tx.put(tableTaskDone, doneKey(finished, t.Key), nil)
	return tx.broken
}

// Postpone implements intake.Tasks.
func (tx *txn) Postpone(t intake.Task, until time.Time, cause string) error {
	cur, err := tx.claimed(t)
	if err != nil {
		return err
	}
	tx.dequeue(&cur)
	cur.Due, cur.Leased, cur.Parked, cur.Cause = canon.Time(until), time.Time{}, false, cause
	tx.insert(&cur)
	return tx.broken
}

// Park implements intake.Tasks.
func (tx *txn) Park(t intake.Task, cause string) error {
	cur, err := tx.claimed(t)
	if err != nil {
		return err
	}
	tx.dequeue(&cur)
	cur.Leased, cur.Parked, cur.Cause = time.Time{}, true, cause
	tx.insert(&cur)
	return tx.broken
}

// Revive implements intake.Tasks.
func (tx *txn) Revive(key string, now time.Time) error {
	if err := tx.writing(); err != nil {
		return err
	}
	t, ok, err := tx.unfinished(key)
	if err != nil {
		return err
	}
	if !ok || !t.Parked {
		return fmt.Errorf("revive %s: %w", key, intake.ErrNotFound)
	}
	tx.dequeue(&t)
	t.Parked, t.Due, t.Attempts = false, canon.Time(now), 0
	tx.insert(&t)
	return tx.broken
}

// EndLeases implements intake.Tasks.
func (tx *txn) EndLeases() error {
	if err := tx.writing(); err != nil {
		return err
	}
	var leased [][]byte // writing under a cursor may skip keys
	c := tx.cursor(tableTask)
	for k, v := c.seek(nil); k != nil; k, v = c.next() {
		t, err := decodeTask(v)
		if err != nil {
			return err
		}
		if !t.Leased.IsZero() {
			leased = append(leased, bytes.Clone(k))
		}
	}
	for _, k := range leased {
		t, err := tx.task(k)
		if err != nil {
			return err
		}
		t.Leased = time.Time{}
		tx.insert(&t)
	}
	return tx.broken
}

// Cancel implements intake.Tasks.
func (tx *txn) Cancel(key string) error {
	if err := tx.writing(); err != nil {
		return err
	}
	t, ok, err := tx.unfinished(key)
	if err != nil || !ok {
		return err
	}
	return tx.finish(&t)
}

// Open implements intake.Tasks.
func (tx *txn) Open(caseNumber string) ([]intake.Task, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	place, ok := tx.place(caseNumber, false)
	if !ok {
		return nil, nil
	}
	var open []intake.Task
	c := tx.cursor(tableTask)
	for k, v := c.seek(place); bytes.HasPrefix(k, place); k, v = c.next() {
		t, err := decodeTask(v)
		if err != nil {
			return nil, err
		}
		open = append(open, t)
	}
	slices.SortFunc(open, func(a, b intake.Task) int { return cmp.Compare(a.Seq, b.Seq) })
	return open, nil
}

// NextDue implements intake.Tasks.
func (tx *txn) NextDue(lane intake.Lane) (time.Time, bool, error) {
	var next time.Time
	found := false
	if err := tx.reading(); err != nil {
		return next, false, err
	}
	prefix := appendString(nil, string(lane))
	c := tx.cursor(tableTaskDue)
	for k, v := c.seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.next() {
		at := parseTime(k[len(prefix):])
		if found && !at.Before(next) {
			break // all later ones are due later still
		}
		if leased := parseTime(v); leased.After(at) {
			at = leased
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
	c := tx.cursor(tableTaskDue)
	for k, _ := c.seek(nil); k != nil; k, _ = c.next() {
		r := reader{b: k}
		lane, due := intake.Lane(r.str()), r.time()
		d := depths[lane]
		if d.Open == 0 {
			d.Oldest = due // keys of a lane are sorted by due
		}
		d.Open++
		depths[lane] = d
	}
	c = tx.cursor(tableTaskParked)
	for k, _ := c.seek(nil); k != nil; k, _ = c.next() {
		r := reader{b: k}
		lane := intake.Lane(r.str())
		d := depths[lane]
		d.Parked++
		depths[lane] = d
	}
	return depths, nil
}

// PruneTasks implements intake.Tasks.
func (tx *txn) PruneTasks(before time.Time, limit int) (int, error) {
	if err := tx.writing(); err != nil {
		return 0, err
	}
	before = canon.Time(before)
	var old [][]byte // deleting under a cursor may skip keys
	c := tx.cursor(tableTaskDone)
	for k, _ := c.seek(nil); k != nil && len(old) < limit && parseTime(k).Before(before); k, _ = c.next() {
		old = append(old, bytes.Clone(k))
	}
	for _, k := range old {
		tx.delete(tableTaskDone, k)
		tx.delete(tableTaskKey, k[8:])
	}
	return len(old), tx.broken
}
