package storetest

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

// A store is broken on purpose; at least the checks named must report it.
var broken = []struct {
	name   string
	open   func() Harness
	checks []string
}{
	{"reads beside the transaction and commits late", late(false), []string{
		"two who add to a number at the same time both count",
		"two who each read both and write one end as if one came after the other",
		"two who find a range empty and fill it end as if one came after the other",
		"of 64 who race for one account exactly one wins",
	}},
	{"checks only what it wrote for changes, as a snapshot does", late(true), []string{
		"two who each read both and write one end as if one came after the other",
		"two who find a range empty and fill it end as if one came after the other",
		"of 64 who race for one account exactly one wins",
	}},
	{"commits what a failed fn wrote", store(func(s *brokenStore) {
		s.update = func(ctx context.Context, inner intake.Store, fn func(intake.Tx) error) (failed error) {
			err := inner.Update(ctx, func(tx intake.Tx) error { failed = fn(tx); return nil })
			return orElse(failed, err)
		}
	}), []string{
		"an error of fn is returned as it is and nothing it wrote is kept",
		"an error rolls back changes and deletions of what was there",
		"a failing neighbour takes nothing from transactions that run at the same time",
		"a number that was rolled back is given again",
	}},
	{"wraps the error of fn", store(func(s *brokenStore) {
		s.update = func(ctx context.Context, inner intake.Store, fn func(intake.Tx) error) error {
			if err := inner.Update(ctx, fn); err != nil {
				return fmt.Errorf("update: %w", err)
			}
			return nil
		}
	}), []string{"an error of fn that wrote nothing is returned as it is"}},
	{"swallows panics", store(func(s *brokenStore) {
		s.update = func(ctx context.Context, inner intake.Store, fn func(intake.Tx) error) error {
			defer func() { _ = recover() }()
			return inner.Update(ctx, fn)
		}
	}), []string{"a panic of fn reaches the caller and nothing it wrote is kept"}},
	{"ignores contexts", store(func(s *brokenStore) {
		s.update = func(ctx context.Context, inner intake.Store, fn func(intake.Tx) error) error {
			return inner.Update(context.WithoutCancel(ctx), fn)
		}
	}), []string{"a context that is done starts nothing"}},
	{"lets views write", store(func(s *brokenStore) { s.view = s.Store.Update }), []string{
		"every write in a view is an error and changes nothing",
	}},
	{"runs each operation of a view by itself", store(func(s *brokenStore) {
		s.view = func(ctx context.Context, fn func(intake.Tx) error) error {
			return fn(&lateTx{Tx: nil, ctx: ctx, inner: s.Store})
		}
	}), []string{"a view sees one moment whatever is written beside it"}},
	{"does not close", store(func(s *brokenStore) { s.close = func() error { return nil } }), []string{"a closed store says so"}},
	{"forgets when it is opened again", func() Harness {
		return Harness{Store: memstore.New(), Reopen: func() intake.Store { return memstore.New() }}
	}, []string{"opening again keeps everything", "closing waits for those who are writing, and keeps what it promised them"}},

	{"gives numbers that were rolled back to nobody", tx(func(b *brokenTx) {
		b.next = func(series string) (uint64, error) {
			b.counters.Lock()
			defer b.counters.Unlock()
			if _, err := b.Tx.Next("probe whether this may write"); err != nil {
				return 0, err
			}
			b.counts[series]++
			return b.counts[series], nil
		}
	}), []string{"a number that was rolled back is given again"}},
	{"takes any revision", tx(func(b *brokenTx) {
		b.putCase = func(r intake.Registration) error {
			old, _ := b.Case(r.Number)
			r.Revision = old.Revision + 1
			return b.Tx.PutCase(r)
		}
	}), []string{"only the next revision of a case is taken", "of those who open the same case at the same time all but one are stale"}},
	{"shares the cases that it was given", tx(func(b *brokenTx) {
		b.putCase = func(r intake.Registration) error {
			b.shared[r.Number] = r
			return b.Tx.PutCase(r)
		}
		b.caseOf = func(number string) (intake.Registration, error) {
			if r, ok := b.shared[number]; ok {
				return r, nil
			}
			return b.Tx.Case(number)
		}
	}), []string{"a case that was put or got shares nothing with the store"}},
	{"returns times in the local zone", tx(func(b *brokenTx) {
		b.caseOf = func(number string) (intake.Registration, error) {
			r, err := b.Tx.Case(number)
			r.Claim = r.Claim.In(time.FixedZone("here", 3600))
			return r, err
		}
	}), []string{"times come back in UTC and cut to the microsecond"}},
	{"returns cases of a key in the wrong order", tx(func(b *brokenTx) {
		b.casesByKey = func(key string, limit int) ([]intake.Registration, error) {
			rs, err := b.Tx.CasesByKey(key, limit)
			slices.Reverse(rs)
			return rs, err
		}
	}), []string{"cases of a key come by claim and then by seq"}},
	{"never takes a case from its index", tx(func(b *brokenTx) {
		b.putCase = func(r intake.Registration) error {
			for _, k := range r.IndexKeys() {
				if !slices.Contains(b.indexed[k], r.Number) {
					b.indexed[k] = append(b.indexed[k], r.Number)
				}
			}
			return b.Tx.PutCase(r)
		}
		b.casesByKey = func(key string, limit int) (rs []intake.Registration, err error) {
			for _, number := range b.indexed[key] {
				if r, err := b.Case(number); err == nil && len(rs) < limit {
					rs = append(rs, r)
				}
			}
			return rs, nil
		}
	}), []string{"a case is found by each of its keys while it is live", "a case moves in the index when its keys or its claim change"}},
	{"lists oldest first", tx(func(b *brokenTx) {
		b.listCases = func(q intake.CaseQuery) ([]intake.Registration, error) {
			rs, err := b.Tx.ListCases(q)
			slices.Reverse(rs)
			return rs, err
		}
	}), []string{"lists come by descending seq, a page at a time"}},
	{"includes the case that a page begins before", tx(func(b *brokenTx) {
		b.listCases = func(q intake.CaseQuery) ([]intake.Registration, error) {
			if q.Before != 0 {
				q.Before++
			}
			return b.Tx.ListCases(q)
		}
	}), []string{"lists come by descending seq, a page at a time"}},
	{"renumbers events", tx(func(b *brokenTx) {
		b.appendEvent = func(e intake.Event) error {
			es, _ := b.Events(e.Case)
			e.N = len(es) + 1
			return b.Tx.AppendEvent(e)
		}
	}), []string{"an event is taken only if it follows the last one"}},
	{"sorts records as people do", tx(func(b *brokenTx) {
		b.scanRecords = func(space, prefix, after string, limit int) ([]intake.Entry, error) {
			es, err := b.Tx.ScanRecords(space, prefix, after, limit)
			slices.SortStableFunc(es, func(x, y intake.Entry) int {
				return strings.Compare(strings.ToLower(x.Key), strings.ToLower(y.Key))
			})
			return es, err
		}
	}), []string{"a scan goes by key in byte order"}},
	{"matches prefixes without regard to case", tx(func(b *brokenTx) {
		b.scanRecords = func(space, prefix, after string, limit int) (es []intake.Entry, err error) {
			all, err := b.Tx.ScanRecords(space, "", after, 1000)
			for _, e := range all {
				if strings.HasPrefix(strings.ToLower(e.Key), prefix) && len(es) < limit {
					es = append(es, e)
				}
			}
			return es, err
		}
	}), []string{"a scan keeps to its prefix"}},
	{"ignores fences", tx(func(b *brokenTx) {
		b.finish = func(t intake.Task) error {
			for fence := range uint64(9) {
				t.Fence = fence
				if b.Tx.Finish(t) == nil {
					return nil
				}
			}
			return intake.ErrStale
		}
	}), []string{"who lost a lease to another can no longer end the claim"}},
	{"forgets the keys of finished tasks", tx(func(b *brokenTx) {
		b.finish = func(t intake.Task) error {
			if err := b.Tx.Finish(t); err != nil {
				return err
			}
			_, err := b.PruneTasks(time.Now().Add(time.Hour), 1000)
			return err
		}
	}), []string{"a key is enqueued once, also when the task is claimed, parked or finished"}},
	{"claims without a lease", tx(func(b *brokenTx) {
		b.claim = func(l intake.Lane, now time.Time, lease time.Duration, limit int) ([]intake.Task, error) {
			return b.Tx.Claim(l, now, 0, limit)
		}
	}), []string{
		"a leased task is claimed again when its lease has ended, not before",
		"two who claim at the same moment share nothing, also within one case",
		"a claim raises fence and attempts and lends for the lease",
	}},
	{"claims a task that is due soon", tx(func(b *brokenTx) {
		b.claim = func(l intake.Lane, now time.Time, lease time.Duration, limit int) ([]intake.Task, error) {
			return b.Tx.Claim(l, now.Add(time.Microsecond), lease, limit)
		}
	}), []string{"a task due a microsecond later is not due"}},
	{"claims in the order of enqueueing", tx(func(b *brokenTx) {
		b.claim = func(l intake.Lane, now time.Time, lease time.Duration, limit int) ([]intake.Task, error) {
			ts, err := b.Tx.Claim(l, now, lease, limit)
			slices.SortFunc(ts, func(x, y intake.Task) int { return int(x.Seq) - int(y.Seq) })
			return ts, err
		}
	}), []string{"tasks are claimed by due and then in the order of enqueueing, up to the limit"}},
	{"runs tasks of a case side by side", tx(func(b *brokenTx) {
		b.enqueue = func(t intake.Task) error {
			t.Case += "#" + t.Key
			return b.Tx.Enqueue(t)
		}
	}), []string{
		"tasks of a case run one after the other within a lane, oldest first",
		"two who claim at the same moment share nothing, also within one case",
	}},
	{"parks by postponing", tx(func(b *brokenTx) {
		b.park = func(t intake.Task, cause string) error { return b.Postpone(t, after(1e6), cause) }
	}), []string{
		"a parked task waits for its revival and does not hold up its case",
		"the depth of a lane counts its waiting, leased and parked tasks",
		"the next due is the earliest due or end of lease among tasks that are not parked",
	}},
	{"prunes without regard to time", tx(func(b *brokenTx) {
		b.prune = func(_ time.Time, limit int) (int, error) {
			return b.Tx.PruneTasks(time.Now().Add(time.Hour), limit)
		}
	}), []string{"pruning forgets the keys of tasks finished before a time, and no others"}},
}

func TestTheChecksReportBrokenStores(t *testing.T) {
	for _, b := range broken {
		t.Run(b.name, func(t *testing.T) {
			for _, name := range b.checks {
				i := slices.IndexFunc(checks(), func(c check) bool { return c.name == name })
				if i < 0 {
					t.Fatalf("there is no check %q", name)
				}
				if faults := checks()[i].try(b.open()); len(faults) == 0 {
					t.Errorf("%q reports nothing", name)
				}
			}
		})
	}
}

func TestTheChecksReportNothingOfAGoodStore(t *testing.T) {
	for _, c := range checks() {
		for _, fault := range c.try(store(func(*brokenStore) {})()) {
			t.Errorf("%s: %s", c.name, fault)
		}
	}
}

func TestTheModelReportsBrokenStores(t *testing.T) {
	for _, name := range []string{
		"takes any revision", "ignores fences", "parks by postponing", "forgets the keys of finished tasks",
		"sorts records as people do", "commits what a failed fn wrote", "claims without a lease",
	} {
		t.Run(name, func(t *testing.T) {
			for _, b := range broken {
				if b.name == name {
					setFlag(t, "rapid.shrinktime", "1ns") // any failure will do
					setFlag(t, "rapid.nofailfile", "true")
					setFlag(t, "rapid.checks", "3000") // it ends with the first failure
					r := &recorder{TB: t}
					checkModel(r, b.open)
					if !r.failed {
						t.Error("the model reports nothing")
					}
				}
			}
		})
	}
}

func setFlag(t *testing.T, name, value string) {
	f := flag.Lookup(name)
	old := f.Value.String()
	t.Cleanup(func() { _ = f.Value.Set(old) })
	if err := f.Value.Set(value); err != nil {
		t.Fatal(err)
	}
}

// recorder takes what rapid reports, so that a failure is what a test wants.
type recorder struct {
	testing.TB
	failed bool
}

func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Error(...any)          { r.failed = true }
func (r *recorder) Fatalf(string, ...any) { r.failed = true }
func (r *recorder) Fatal(...any)          { r.failed = true }
func (r *recorder) FailNow()              { r.failed = true }
func (r *recorder) Fail()                 { r.failed = true }
func (r *recorder) Failed() bool          { return r.failed }
func (r *recorder) Logf(string, ...any)   {}
func (r *recorder) Log(...any)            {}

// brokenStore is a good store with some functions replaced.
type brokenStore struct {
	intake.Store
	update func(ctx context.Context, inner intake.Store, fn func(intake.Tx) error) error
	view   func(ctx context.Context, fn func(intake.Tx) error) error
	close  func() error
}

func store(how func(*brokenStore)) func() Harness {
	return func() Harness {
		s := &brokenStore{Store: memstore.New()}
		s.update = func(ctx context.Context, inner intake.Store, fn func(intake.Tx) error) error {
			return inner.Update(ctx, fn)
		}
		s.view, s.close = s.Store.View, s.Store.Close
		how(s)
		return Harness{Store: s}
	}
}

func (s *brokenStore) Update(ctx context.Context, fn func(intake.Tx) error) error {
	return s.update(ctx, s.Store, fn)
}

func (s *brokenStore) View(ctx context.Context, fn func(intake.Tx) error) error {
	return s.view(ctx, fn)
}
func (s *brokenStore) Close() error { return s.close() }

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// brokenTx is a good transaction with some functions replaced.
type brokenTx struct {
	intake.Tx
	*memory
	caseOf      func(string) (intake.Registration, error)
	putCase     func(intake.Registration) error
	casesByKey  func(string, int) ([]intake.Registration, error)
	listCases   func(intake.CaseQuery) ([]intake.Registration, error)
	next        func(string) (uint64, error)
	appendEvent func(intake.Event) error
	scanRecords func(space, prefix, after string, limit int) ([]intake.Entry, error)
	enqueue     func(intake.Task) error
	claim       func(intake.Lane, time.Time, time.Duration, int) ([]intake.Task, error)
	finish      func(intake.Task) error
	park        func(intake.Task, string) error
	prune       func(time.Time, int) (int, error)
}

// memory is what a broken store keeps beside the good one. Only Updates, which run one at
// a time, change it.
type memory struct {
	counters sync.Mutex
	counts   map[string]uint64
	shared   map[string]intake.Registration
	indexed  map[string][]string
}

func tx(how func(*brokenTx)) func() Harness {
	return func() Harness {
		m := &memory{counts: map[string]uint64{}, shared: map[string]intake.Registration{}, indexed: map[string][]string{}}
		wrap := func(fn func(intake.Tx) error) func(intake.Tx) error {
			return func(tx intake.Tx) error {
				b := &brokenTx{
					Tx: tx, memory: m, caseOf: tx.Case, putCase: tx.PutCase, casesByKey: tx.CasesByKey,
					listCases: tx.ListCases, next: tx.Next, appendEvent: tx.AppendEvent, scanRecords: tx.ScanRecords,
					enqueue: tx.Enqueue, claim: tx.Claim, finish: tx.Finish, park: tx.Park, prune: tx.PruneTasks,
				}
				how(b)
				return fn(b)
			}
		}
		return store(func(s *brokenStore) {
			s.update = func(ctx context.Context, inner intake.Store, fn func(intake.Tx) error) error {
				return inner.Update(ctx, wrap(fn))
			}
			s.view = func(ctx context.Context, fn func(intake.Tx) error) error { return s.Store.View(ctx, wrap(fn)) }
		})()
	}
}

func (b *brokenTx) Case(n string) (intake.Registration, error) { return b.caseOf(n) }
func (b *brokenTx) PutCase(r intake.Registration) error        { return b.putCase(r) }
func (b *brokenTx) Next(s string) (uint64, error)              { return b.next(s) }
func (b *brokenTx) AppendEvent(e intake.Event) error           { return b.appendEvent(e) }
func (b *brokenTx) Enqueue(t intake.Task) error                { return b.enqueue(t) }
func (b *brokenTx) Finish(t intake.Task) error                 { return b.finish(t) }
func (b *brokenTx) Park(t intake.Task, cause string) error     { return b.park(t, cause) }
func (b *brokenTx) PruneTasks(t time.Time, l int) (int, error) { return b.prune(t, l) }
func (b *brokenTx) CasesByKey(k string, l int) ([]intake.Registration, error) {
	return b.casesByKey(k, l)
}

func (b *brokenTx) ListCases(q intake.CaseQuery) ([]intake.Registration, error) {
	return b.listCases(q)
}

func (b *brokenTx) ScanRecords(space, prefix, after string, limit int) ([]intake.Entry, error) {
	return b.scanRecords(space, prefix, after, limit)
}

func (b *brokenTx) Claim(l intake.Lane, now time.Time, lease time.Duration, limit int) ([]intake.Task, error) {
	return b.claim(l, now, lease, limit)
}

// late returns a store without isolation: fn reads what is committed at the moment, and
// what it wrote is committed at the end. With watch it is run again if a record that it
// wrote was changed in the meantime, which is what snapshot isolation does.
func late(watch bool) func() Harness {
	return store(func(s *brokenStore) {
		s.update = func(ctx context.Context, inner intake.Store, fn func(intake.Tx) error) error {
			for {
				tx := &lateTx{ctx: ctx, inner: inner, read: map[string]string{}, before: map[string]string{}}
				if err := fn(tx); err != nil {
					return err
				}
				again := false
				err := inner.Update(ctx, func(in intake.Tx) error {
					for k, v := range tx.before {
						now, _ := in.Record("n", k)
						again = again || watch && string(now) != v
					}
					if again {
						return nil
					}
					for _, write := range tx.writes {
						if err := write(in); err != nil {
							return err
						}
					}
					return nil
				})
				if !again {
					return err
				}
			}
		}
	})
}

// lateTx has only the operations that the checks of isolation need.
type lateTx struct {
	intake.Tx
	ctx    context.Context
	inner  intake.Store
	read   map[string]string // what fn saw of records in space n
	before map[string]string // the same of those that it wrote
	writes []func(intake.Tx) error
}

func (l *lateTx) look(fn func(tx intake.Tx) error) error { return l.inner.View(l.ctx, fn) }

func (l *lateTx) Record(space, key string) (v []byte, err error) {
	err = l.look(func(tx intake.Tx) (err error) { v, err = tx.Record(space, key); return err })
	if l.read != nil {
		l.read[key] = string(v)
	}
	return v, err
}

func (l *lateTx) ScanRecords(space, prefix, after string, limit int) (es []intake.Entry, err error) {
	err = l.look(func(tx intake.Tx) (err error) { es, err = tx.ScanRecords(space, prefix, after, limit); return err })
	return es, err
}

func (l *lateTx) CasesByKey(key string, limit int) (rs []intake.Registration, err error) {
	err = l.look(func(tx intake.Tx) (err error) { rs, err = tx.CasesByKey(key, limit); return err })
	return rs, err
}

func (l *lateTx) PutRecord(space, key string, value []byte) error {
	l.before[key] = l.read[key]
	l.writes = append(l.writes, func(tx intake.Tx) error { return tx.PutRecord(space, key, value) })
	return nil
}

func (l *lateTx) PutCase(r intake.Registration) error {
	l.writes = append(l.writes, func(tx intake.Tx) error { return tx.PutCase(r) })
	return nil
}
