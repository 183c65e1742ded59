package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"pgregory.net/rapid"

	"leadgate/intake"
	"leadgate/store/memstore"
)

// checkModel runs random sequences of transactions against a store and the reference, and
// compares every result and, after each transaction, all that both show.
func checkModel(t rapid.TB, open func() Harness) {
	t.Helper()
	rapid.Check(t, func(t *rapid.T) {
		m := &model{ctx: context.Background(), ref: memstore.New(), h: open()}
		defer func() { _ = m.h.Store.Close() }()
		for range rapid.IntRange(1, 12).Draw(t, "transactions") {
			if m.h.Reopen != nil && rapid.IntRange(0, 9).Draw(t, "reopen") == 0 {
				m.h.Store = m.h.Reopen()
			}
			m.transact(t)
			m.compare(t)
		}
	})
}

type model struct {
	ctx context.Context
	ref *memstore.Store
	h   Harness
}

// operation is one call of Tx with its arguments; it returns what it got.
type operation struct {
	name string
	call func(tx intake.Tx) (any, error)
}

// transact runs a few operations in one transaction on both stores, which may end with an
// error of fn.
func (m *model) transact(t *rapid.T) {
	ops := rapid.SliceOfN(rapid.Custom(m.operation), 1, 5).Draw(t, "operations")
	fails := rapid.IntRange(0, 5).Draw(t, "fails") == 0
	run := func(s intake.Store) (results []string, err error) {
		err = s.Update(m.ctx, func(tx intake.Tx) error {
			results = nil
			for _, op := range ops {
				v, err := op.call(tx)
				results = append(results, fmt.Sprintf("%s: %+v, %s", op.name, v, class(err)))
			}
			if fails {
				return errMine
			}
			return nil
		})
		return results, err
	}
	want, wantErr := run(m.ref)
	got, gotErr := run(m.h.Store)
	if !reflect.DeepEqual(got, want) || class(gotErr) != class(wantErr) {
		t.Fatalf("results differ:\n got %q, %v\nwant %q, %v", got, gotErr, want, wantErr)
	}
}

func (m *model) compare(t *rapid.T) {
	state := func(s intake.Store) (d string) {
		err := s.View(m.ctx, func(tx intake.Tx) (err error) {
			d, err = dump(tx)
			return err
		})
		if err != nil {
			t.Fatalf("dump: %v", err)
		}
		return d
	}
	if got, want := state(m.h.Store), state(m.ref); got != want {
		t.Fatalf("states differ:\n got %s\nwant %s", got, want)
	}
}

// class is what a caller branches on.
func class(err error) string {
	for _, known := range []error{intake.ErrNotFound, intake.ErrStale, errMine} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	if err != nil {
		return "error"
	}
	return "ok"
}

// operation draws one. Names are few, so that operations meet.
func (m *model) operation(t *rapid.T) operation {
	number := rapid.SampledFrom([]string{"LG-1", "LG-2"}).Draw(t, "case")
	key := rapid.SampledFrom([]string{"t1", "t2", "t3", "t4"}).Draw(t, "task")
	l := rapid.SampledFrom(dumpLanes[:2]).Draw(t, "lane")
	at := after(rapid.IntRange(-5, 30).Draw(t, "minute"))
	limit := rapid.IntRange(0, 4).Draw(t, "limit")
	rec := rapid.SampledFrom(awkwardKeys).Draw(t, "record")
	switch rapid.IntRange(0, 18).Draw(t, "operation") {
	case 0, 1, 2:
		return m.putCase(t)
	case 3:
		n := rapid.IntRange(1, 4).Draw(t, "n")
		return operation{"append", func(tx intake.Tx) (any, error) { return nil, tx.AppendEvent(newEvent(number, n)) }}
	case 4, 5:
		return operation{"enqueue " + key, func(tx intake.Tx) (any, error) {
			return nil, tx.Enqueue(intake.Task{Key: key, Lane: l, Case: number, Due: at})
		}}
	case 6, 7:
		return operation{"claim", func(tx intake.Tx) (any, error) {
			ts, err := tx.Claim(l, at, 5*time.Minute, limit)
			for i := range ts {
				ts[i].Seq = 0
			}
			return append([]intake.Task{}, ts...), err
		}}
	case 8, 9, 10:
		return m.endClaim(t, number, at)
	case 11:
		return operation{"revive " + key, func(tx intake.Tx) (any, error) { return nil, tx.Revive(key, at) }}
	case 12:
		if rapid.IntRange(0, 9).Draw(t, "end") == 0 {
			return operation{"end leases", func(tx intake.Tx) (any, error) { return nil, tx.EndLeases() }}
		}
		return operation{"cancel " + key, func(tx intake.Tx) (any, error) { return nil, tx.Cancel(key) }}
	case 13:
		before := rapid.SampledFrom([]time.Time{{}, time.Now().Add(24 * time.Hour)}).Draw(t, "before")
		return operation{"prune", func(tx intake.Tx) (any, error) { return tx.PruneTasks(before, 99) }}
	case 14:
		return operation{"next", func(tx intake.Tx) (any, error) { return tx.Next(number) }}
	default:
		return m.record(t, rec, limit)
	}
}

// putCase draws a case whose revision is mostly the right one.
func (m *model) putCase(t *rapid.T) operation {
	r := newCase(uint64(rapid.IntRange(1, 3).Draw(t, "seq")), rapid.SliceOfN(rapid.SampledFrom(dumpKeys), 0, 3).Draw(t, "keys")...)
	r.Status = rapid.SampledFrom(intake.Statuses()).Draw(t, "status")
	r.Claim = after(rapid.IntRange(0, 2).Draw(t, "claim"))
	off := max(0, rapid.IntRange(-9, 1).Draw(t, "off"))
	return operation{"put " + r.Number, func(tx intake.Tx) (any, error) {
		old, err := tx.Case(r.Number)
		if err != nil && !errors.Is(err, intake.ErrNotFound) {
			return nil, err
		}
		r.Revision = old.Revision + 1 + off
		return old, tx.PutCase(r)
	}}
}

// endClaim draws an end of a claim of one of the case's tasks, with a fence that is mostly
// the right one.
func (m *model) endClaim(t *rapid.T, number string, at time.Time) operation {
	how := rapid.IntRange(0, 2).Draw(t, "how")
	which := rapid.IntRange(0, 3).Draw(t, "which")
	off := max(0, rapid.IntRange(-5, 1).Draw(t, "off"))
	return operation{fmt.Sprintf("end %d", how), func(tx intake.Tx) (any, error) {
		ts, err := tx.Open(number)
		if err != nil || len(ts) == 0 {
			return nil, err
		}
		c := ts[which%len(ts)]
		c.Fence -= uint64(off)
		switch how {
		case 0:
			return c.Key, tx.Finish(c)
		case 1:
			return c.Key, tx.Postpone(c, at, "later")
		}
		return c.Key, tx.Park(c, "no")
	}}
}

func (m *model) record(t *rapid.T, key string, limit int) operation {
	prefix := rapid.SampledFrom([]string{"", "a", "a/", "é"}).Draw(t, "prefix")
	switch rapid.IntRange(0, 4).Draw(t, "record operation") {
	case 0, 1:
		value := rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "value")
		return operation{"put record " + key, func(tx intake.Tx) (any, error) { return nil, tx.PutRecord("s", key, value) }}
	case 2:
		return operation{"delete record " + key, func(tx intake.Tx) (any, error) { return nil, tx.DeleteRecord("s", key) }}
	case 3:
		return operation{"record " + key, func(tx intake.Tx) (any, error) { return tx.Record("s", key) }}
	}
	return operation{"scan", func(tx intake.Tx) (any, error) {
		es, err := tx.ScanRecords("s", prefix, key, limit)
		return entryKeys(es), err
	}}
}
