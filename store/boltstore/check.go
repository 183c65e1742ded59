package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
)

// Check reads the whole store as it is now: all pages, then every index against what it is
// an index of. It returns nil, or an error that wraps ErrDamaged and says what is wrong
// first. Operators call it, not the pipeline: while it runs, the file grows with each commit.
func (s *Store) Check(ctx context.Context) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.views.Done()
	btx, err := s.db.Begin(false)
	if err != nil {
		return fmt.Errorf("check %s: %w", s.o.Path, err)
	}
	defer func() { _ = btx.Rollback() }()
	if err := checkAll(ctx, btx); err != nil {
		return fmt.Errorf("check %s: %w", s.o.Path, err)
	}
	return nil
}

func checkAll(ctx context.Context, btx *bolt.Tx) error {
	if err := verifyPages(ctx, btx); err != nil {
		return err
	}
	c := &checker{ctx: ctx, txn: &txn{buckets: &buckets{btx: btx}}}
	for _, check := range []func() error{c.cases, c.tasks, c.finished, c.events} {
		if err := check(); err != nil {
			return err
		}
	}
	return c.nothingMore()
}

// checker rebuilds the indexes entry by entry. Each expected entry must be there; when there
// are as many entries as were expected, there are no others.
type checker struct {
	*txn
	ctx      context.Context
	expected [tableCount]int
}

// want checks that the bucket holds the entry.
func (c *checker) want(t table, key, value []byte) error {
	c.expected[t]++
	k, v := c.cursor(t).seek(key)
	switch {
	case !bytes.Equal(k, key):
		return damaged("%s lacks %q", tableNames[t], key)
	case !bytes.Equal(v, value):
		return damaged("%s has %q at %q, not %q", tableNames[t], v, key, value)
	}
	return nil
}

// each calls fn for every entry of a bucket.
func (c *checker) each(t table, fn func(k, v []byte) error) error {
	cur := c.cursor(t)
	for k, v := cur.seek(nil); k != nil; k, v = cur.next() {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		if err := fn(k, v); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) cases() error {
	return c.each(tableCase, func(seq, v []byte) error {
		var r intake.Registration
		if err := decode(tableCase, v, &r); err != nil {
			return damaged("%w", err)
		}
		if !bytes.Equal(seq, uintKey(r.Seq)) {
			return damaged("case %s with seq %d lies at %x", r.Number, r.Seq, seq)
		}
		h := headOf(&r)
		errs := []error{
			c.want(tableCaseHead, seq, h.encode()),
			c.want(tableCaseNo, []byte(r.Number), seq),
		}
		for _, k := range h.keys {
			errs = append(errs, c.want(tableCaseKey, indexKey(k, h.claim, seq), nil))
		}
		return errors.Join(errs...)
	})
}

func (c *checker) tasks() error {
	return c.each(tableTask, func(k, v []byte) error {
		t, err := decodeTask(v)
		if err != nil {
			return damaged("%w", err)
		}
		place, ok := c.place(t.Case, false)
		if !ok || !bytes.Equal(k, queueKey(&t, place)) {
			return damaged("task %s lies at %q", t.Key, k)
		}
		err = c.want(tableTaskKey, []byte(t.Key), append([]byte{markOpen}, k...))
		switch {
		case t.Parked && v[0] == markParked:
			return errors.Join(err, c.want(tableTaskParked, parkedKey(&t), nil))
		case !t.Parked && v[0] == markWaiting:
			return errors.Join(err, c.want(tableTaskDue, dueKey(&t), dueValue(&t, place)))
		}
		return damaged("task %s is parked or not, and marked otherwise", t.Key)
	})
}

func (c *checker) finished() error {
	return c.each(tableTaskDone, func(k, v []byte) error {
		if len(k) < 8 || len(v) > 0 {
			return damaged("task_done has %q at %q", v, k)
		}
		c.expected[tableTaskDone]++
		return c.want(tableTaskKey, k[8:], append([]byte{markFinished}, k[:8]...))
	})
}

// events checks that those of each case are numbered without a gap.
func (c *checker) events() error {
	var before []byte
	return c.each(tableEvent, func(k, v []byte) error {
		var e intake.Event
		if err := decode(tableEvent, v, &e); err != nil {
			return damaged("%w", err)
		}
		prefix, ok := c.place(e.Case, false)
		if !ok {
			return damaged("event %d at %q is of case %q, which there is not", e.N, k, e.Case)
		}
		n := 1
		if bytes.HasPrefix(before, prefix) {
			n = eventNumber(before) + 1
		}
		if len(k) != len(prefix)+4 || !bytes.HasPrefix(k, prefix) || e.N != n || eventNumber(k) != n {
			return damaged("event %d of case %s lies at %q after %q", e.N, e.Case, k, before)
		}
		before = bytes.Clone(k)
		return nil
	})
}

// nothingMore checks that the indexes hold only what was expected.
func (c *checker) nothingMore() error {
	for t := range tableCount {
		switch t {
		case tableCase, tableEvent, tableTask, tableRec, tableCounter, tablePlace:
			continue // these are no indexes
		}
		n := 0
		if err := c.each(t, func(_, _ []byte) error { n++; return nil }); err != nil {
			return err
		}
		if n != c.expected[t] {
			return damaged("%s has %d entries instead of %d", tableNames[t], n, c.expected[t])
		}
	}
	return nil
}
