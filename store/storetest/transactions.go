package storetest

import (
	"context"
	"errors"
	"sync"

	"leadgate/intake"
)

var errMine = errors.New("an error of fn")

var transactionChecks = []check{
	{"an error of fn is returned as it is and nothing it wrote is kept", func(p *probe) {
		err := p.Store.Update(p.ctx, func(tx intake.Tx) error {
			p.writeOneOfEach(tx)
			return errMine
		})
		if err != errMine { //nolint:errorlint // as it is
			p.errorf("got %v, want the very error of fn", err)
		}
		p.wantEmpty()
	}},
	{"an error of fn that wrote nothing is returned as it is", func(p *probe) {
		if err := p.Store.Update(p.ctx, func(intake.Tx) error { return errMine }); err != errMine { //nolint:errorlint // as it is
			p.errorf("update: got %v", err)
		}
		if err := p.Store.View(p.ctx, func(intake.Tx) error { return errMine }); err != errMine { //nolint:errorlint // as it is
			p.errorf("view: got %v", err)
		}
	}},
	{"an error rolls back changes and deletions of what was there", func(p *probe) {
		p.update(p.writeOneOfEach)
		before := p.dump()
		p.wantError("update", p.Store.Update(p.ctx, func(tx intake.Tx) error {
			r := newCase(1, acct("other.example"))
			r.Revision = 2
			p.noError("put case", tx.PutCase(r))
			p.noError("append", tx.AppendEvent(newEvent(r.Number, 2)))
			p.noError("put record", tx.PutRecord("space", "key", []byte("changed")))
			p.noError("delete", tx.DeleteRecord("space", "key"))
			ts, err := tx.Claim(intake.LaneCheck, after(60), 1, 9)
			p.noError("claim", err)
			for _, t := range ts {
				p.noError("finish", tx.Finish(t))
			}
			return errMine
		}), errMine)
		p.equal("the state afterwards", p.dump(), before)
	}},
	{"a panic of fn reaches the caller and nothing it wrote is kept", func(p *probe) {
		func() {
			defer func() {
				if v := recover(); v != any("oh") {
					p.errorf("the panic of fn arrived as %v", v)
				}
			}()
			_ = p.Store.Update(p.ctx, func(tx intake.Tx) error {
				p.writeOneOfEach(tx)
				panic("oh")
			})
			p.errorf("update returned after a panic of fn")
		}()
		p.wantEmpty()
		p.update(p.writeOneOfEach) // the store goes on
	}},
	{"a panic in a view reaches the caller and the store goes on", func(p *probe) {
		func() {
			defer func() { p.equal("the panic", recover(), any("oh")) }()
			_ = p.Store.View(p.ctx, func(intake.Tx) error { panic("oh") })
		}()
		p.update(p.writeOneOfEach)
		p.view(func(tx intake.Tx) {
			_, err := tx.Case("LG-000001")
			p.noError("case", err)
		})
	}},
	{"a failing neighbour takes nothing from transactions that run at the same time", func(p *probe) {
		var fns []func()
		for i := range 48 {
			key := string(rune('A' + i))
			fns = append(fns, func() {
				err := p.Store.Update(p.ctx, func(tx intake.Tx) error {
					if err := tx.PutRecord("space", key, []byte(key)); err != nil {
						return err
					}
					if i%3 == 0 {
						return errMine
					}
					return nil
				})
				if (i%3 == 0) != errors.Is(err, errMine) || i%3 != 0 && err != nil {
					p.errorf("update %d: %v", i, err)
				}
			})
		}
		together(fns...)
		p.view(func(tx intake.Tx) {
			for i := range 48 {
				_, err := tx.Record("space", string(rune('A'+i)))
				if (i%3 == 0) != errors.Is(err, intake.ErrNotFound) {
					p.errorf("record %d: %v", i, err)
				}
			}
		})
	}},
	{"a transaction sees what it wrote itself", func(p *probe) {
		p.update(func(tx intake.Tx) {
			p.writeOneOfEach(tx)
			rs, err := tx.CasesByKey(acct("a.example"), 9)
			p.noError("cases by key", err)
			p.equal("cases by key", seqs(rs), []uint64{1})
			es, err := tx.Events("LG-000001")
			p.noError("events", err)
			p.equal("events", len(es), 1)
			v, err := tx.Record("space", "key")
			p.noError("record", err)
			p.equal("record", string(v), "value")
			ts, err := tx.Open("LG-000001")
			p.noError("open", err)
			p.equal("tasks", keys(ts), []string{"t1"})
		})
	}},
	{"every write in a view is an error and changes nothing", func(p *probe) {
		p.update(p.writeOneOfEach)
		before := p.dump()
		p.view(func(tx intake.Tx) {
			r := newCase(2)
			_, next := tx.Next("n")
			_, claim := tx.Claim(intake.LaneCheck, after(60), 1, 1)
			_, prune := tx.PruneTasks(after(1e6), 9)
			for what, err := range map[string]error{
				"PutCase": tx.PutCase(r), "Next": next, "AppendEvent": tx.AppendEvent(newEvent(r.Number, 1)),
				"PutRecord": tx.PutRecord("space", "key", nil), "DeleteRecord": tx.DeleteRecord("space", "key"),
				"Enqueue": tx.Enqueue(newTask("t2", intake.LaneCheck, r.Number, 0)), "Claim": claim,
				"Finish":   tx.Finish(intake.Task{Key: "t1"}),
				"Postpone": tx.Postpone(intake.Task{Key: "t1"}, after(9), ""),
				"Park":     tx.Park(intake.Task{Key: "t1"}, ""), "Revive": tx.Revive("t1", noon),
				"Cancel": tx.Cancel("t1"), "EndLeases": tx.EndLeases(), "PruneTasks": prune,
			} {
				if err == nil {
					p.errorf("%s in a view is no error", what)
				}
			}
		})
		p.equal("the state afterwards", p.dump(), before)
	}},
	{"a transaction cannot be used once fn has returned", func(p *probe) {
		var kept intake.Tx
		p.update(func(tx intake.Tx) { kept = tx })
		if err := kept.PutRecord("space", "late", nil); err == nil {
			p.errorf("a late write is no error")
		}
		p.view(func(tx intake.Tx) {
			if _, err := tx.Record("space", "late"); !errors.Is(err, intake.ErrNotFound) {
				p.errorf("a late write is there: %v", err)
			}
		})
	}},
	{"a context that is done starts nothing", func(p *probe) {
		ctx, cancel := context.WithCancel(p.ctx)
		cancel()
		write := func(tx intake.Tx) error { return tx.PutRecord("space", "key", nil) }
		p.wantError("update", p.Store.Update(ctx, write), context.Canceled)
		p.wantError("view", p.Store.View(ctx, func(intake.Tx) error { return nil }), context.Canceled)
		p.wantEmpty()
	}},
	{"a context that is cancelled on the way leaves all or nothing", func(p *probe) {
		ctx, cancel := context.WithCancel(p.ctx)
		defer cancel()
		err := p.Store.Update(ctx, func(tx intake.Tx) error {
			p.writeOneOfEach(tx)
			cancel()
			return nil
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			p.errorf("got %v", err)
		}
		p.view(func(tx intake.Tx) {
			_, errCase := tx.Case("LG-000001")
			_, errRecord := tx.Record("space", "key")
			if (errCase == nil) != (errRecord == nil) {
				p.errorf("a part was kept: case %v, record %v", errCase, errRecord)
			}
			if err == nil && errCase != nil {
				p.errorf("update returned nil and kept nothing")
			}
		})
	}},
	{"many at once are all kept", func(p *probe) {
		const writers, each = 16, 8
		var mu sync.Mutex
		seen := map[uint64]bool{}
		var fns []func()
		for range writers {
			fns = append(fns, func() {
				for range each {
					var n uint64
					err := p.Store.Update(p.ctx, func(tx intake.Tx) (err error) {
						n, err = tx.Next("case")
						if err != nil {
							return err
						}
						return tx.PutCase(newCase(n))
					})
					if err != nil {
						p.errorf("update: %v", err)
						return
					}
					mu.Lock()
					if seen[n] {
						p.errorf("number %d was given twice", n)
					}
					seen[n] = true
					mu.Unlock()
				}
			})
		}
		together(fns...)
		p.view(func(tx intake.Tx) {
			rs, err := tx.ListCases(intake.CaseQuery{Limit: writers*each + 1})
			p.noError("list", err)
			p.equal("number of cases", len(rs), writers*each)
		})
	}},
}

// writeOneOfEach writes something through every kind of write.
func (p *probe) writeOneOfEach(tx intake.Tx) {
	_, err := tx.Next("case")
	p.noError("next", err)
	r := newCase(1, acct("a.example"))
	p.noError("put case", tx.PutCase(r))
	p.noError("append event", tx.AppendEvent(newEvent(r.Number, 1)))
	p.noError("enqueue", tx.Enqueue(newTask("t1", intake.LaneCheck, r.Number, 0)))
	p.noError("put record", tx.PutRecord("space", "key", []byte("value")))
}

// wantEmpty checks that nothing of writeOneOfEach is there, and that its number and its keys
// are free.
func (p *probe) wantEmpty() {
	p.view(func(tx intake.Tx) {
		_, err := tx.Case("LG-000001")
		p.wantError("case", err, intake.ErrNotFound)
		_, err = tx.Record("space", "key")
		p.wantError("record", err, intake.ErrNotFound)
		depth, err := tx.Depth()
		p.noError("depth", err)
		p.equal("tasks", len(depth), 0)
		es, err := tx.Events("LG-000001")
		p.noError("events", err)
		p.equal("events", len(es), 0)
		rs, err := tx.CasesByKey(acct("a.example"), 9)
		p.noError("cases by key", err)
		p.equal("cases by key", len(rs), 0)
	})
	p.update(func(tx intake.Tx) {
		n, err := tx.Next("case")
		p.noError("next", err)
		p.equal("the number that was rolled back", n, uint64(1))
	})
	p.noError("undo", p.Store.Update(p.ctx, func(tx intake.Tx) error { return tx.DeleteRecord("space", "none") }))
}
