package boltstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
)

var (
	errOver     = errors.New("the transaction is over")
	errReadOnly = errors.New("a view cannot write")
)

// table numbers the tables of the layout.
type table int

const (
	tableCase table = iota
	tableEvent
	tableTask
	tableCaseHead
	tableCaseNo
	tableCaseKey
	tableTaskKey
	tableTaskDue
	tableTaskParked
	tableTaskDone
	tableRec
	tableCounter
	tablePlace
	tableCount
)

var tableNames = [tableCount]string{
	"case", "event", "task", "case_head", "case_no", "case_key",
	"task_key", "task_due", "task_parked", "task_done", "rec", "counter", "place",
}

// tag is the first byte of the keys of a table.
func (t table) tag() byte { return byte(t) + 1 }

// bucket is the bbolt bucket that holds the table. Two buckets for all tables mean that a
// commit rewrites the upper pages of two trees only.
func (t table) bucket() int {
	if t <= tableTask {
		return bucketBulk
	}
	return bucketIndex
}

// The bbolt buckets.
const (
	bucketBulk = iota
	bucketIndex
	bucketMeta
	bucketCount
)

var bucketNames = [bucketCount]string{"bulk", "index", "meta"}

// bulkFill is how full a page of the bulk bucket gets when it is split. Its keys rise:
// little is ever put between, so that little room need be kept.
const bulkFill = 0.95

// buckets holds the open buckets of one bbolt transaction, for all fns that run in it.
type buckets struct {
	btx  *bolt.Tx
	open [bucketCount]*bolt.Bucket
	buf  []byte // of key; bbolt keeps none of the keys that it is given
}

func (bs *buckets) of(t table) *bolt.Bucket {
	i := t.bucket()
	if bs.open[i] == nil {
		bs.open[i] = bs.btx.Bucket([]byte(bucketNames[i]))
		if i == bucketBulk {
			bs.open[i].FillPercent = bulkFill
		}
	}
	return bs.open[i]
}

// read returns the value under the key, nil if there is none. It is valid until the next
// write.
func (bs *buckets) read(t table, key []byte) []byte { return bs.of(t).Get(bs.key(t, key)) }

func (bs *buckets) cursor(t table) *cursor { return &cursor{bs: bs, t: t, c: bs.of(t).Cursor()} }

// key returns key as it stands in the bucket. It is valid until the next call.
func (bs *buckets) key(t table, key []byte) []byte {
	bs.buf = append(append(bs.buf[:0], t.tag()), key...)
	return bs.buf
}

// cursor walks through one table. Its methods return a nil key at either end.
type cursor struct {
	bs *buckets
	t  table
	c  *bolt.Cursor
}

// seek goes to the first key that is not less than key.
func (c *cursor) seek(key []byte) (k, v []byte) { return c.within(c.c.Seek(c.bs.key(c.t, key))) }

func (c *cursor) next() (k, v []byte) { return c.within(c.c.Next()) }

// before goes to the last key that is less than key.
func (c *cursor) before(key []byte) (k, v []byte) { return c.back(c.c.Seek(c.bs.key(c.t, key))) }

func (c *cursor) last() (k, v []byte) { return c.back(c.c.Seek([]byte{c.t.tag() + 1})) }

func (c *cursor) prev() (k, v []byte) { return c.within(c.c.Prev()) }

// back goes back from what a seek found, which is nothing at the end of the bucket.
func (c *cursor) back(k, _ []byte) ([]byte, []byte) {
	if k == nil {
		return c.within(c.c.Last())
	}
	return c.prev()
}

func (c *cursor) within(k, v []byte) ([]byte, []byte) {
	if len(k) == 0 || k[0] != c.t.tag() {
		return nil, nil
	}
	return k[1:], v
}

// txn is what one fn sees of a bbolt transaction.
type txn struct {
	*buckets
	now      func() time.Time
	writable bool
	over     bool
	// wrote says that the bbolt transaction is no longer as fn found it.
	wrote bool
	// placed is the place that was last asked for, mostly for the same case again.
	placed struct {
		of    string
		place []byte
	}
	// broken is the first error in the middle of a change: nothing of fn may be committed,
	// whatever it returns.
	broken error
}

var _ intake.Tx = (*txn)(nil)

func (tx *txn) reading() error {
	if tx.over {
		return errOver
	}
	return nil
}

func (tx *txn) writing() error {
	switch {
	case tx.over:
		return errOver
	case !tx.writable:
		return errReadOnly
	}
	return tx.broken
}

// put and the functions below it note that something was written. Their errors make the
// transaction unusable.
func (tx *txn) put(t table, key, value []byte) {
	tx.wrote = true
	tx.fault(t, tx.of(t).Put(tx.key(t, key), value))
}

func (tx *txn) delete(t table, key []byte) {
	tx.wrote = true
	tx.fault(t, tx.of(t).Delete(tx.key(t, key)))
}

// nextTask returns the next Task.Seq, which is the sequence of the bucket of tasks.
func (tx *txn) nextTask() uint64 {
	tx.wrote = true
	n, err := tx.of(tableTask).NextSequence()
	tx.fault(tableTask, err)
	return n
}

// place is where the events and tasks of a case lie in their tables: at the case's seq, so
// that what is written together lies together, for case numbers are in no order. What comes
// before its case gets a place of its own, which it keeps. The second result is false if
// nothing can lie there yet, and make is not set.
func (tx *txn) place(caseNumber string, make bool) ([]byte, bool) {
	if tx.placed.place == nil || tx.placed.of != caseNumber {
		p := tx.findPlace(caseNumber)
		if p == nil && make {
			p = appendUint([]byte{placeOfOther}, tx.nextTask())
			tx.put(tablePlace, []byte(caseNumber), p)
		}
		if p == nil {
			return nil, false
		}
		tx.placed.of, tx.placed.place = caseNumber, p
	}
	return bytes.Clone(tx.placed.place), true
}

func (tx *txn) findPlace(caseNumber string) []byte {
	if p := tx.read(tablePlace, []byte(caseNumber)); p != nil {
		return bytes.Clone(p)
	}
	if seq := tx.read(tableCaseNo, []byte(caseNumber)); seq != nil {
		return append([]byte{placeOfCase}, seq...)
	}
	return nil
}

// The first byte of a place; placeSize is the length of every one.
const (
	placeOfCase  = 0
	placeOfOther = 1
	placeSize    = 9
)

func (tx *txn) fault(t table, err error) {
	if err != nil && tx.broken == nil {
		tx.broken = fmt.Errorf("write %s: %w", tableNames[t], err)
	}
}

// decode reads a JSON value of a table into v.
func decode(t table, value []byte, v any) error {
	if err := json.Unmarshal(value, v); err != nil {
		return fmt.Errorf("table %s holds a damaged value: %w", tableNames[t], err)
	}
	return nil
}
