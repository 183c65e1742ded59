package storetest

import (
	"errors"
	"fmt"

	"leadgate/intake"
)

var lifeChecks = []check{
	{"opening again keeps everything", func(p *probe) {
		if p.Reopen == nil {
			return
		}
		p.update(func(tx intake.Tx) {
			p.writeOneOfEach(tx)
			p.noError("put", tx.PutCase(fullCase()))
			p.noError("put record", tx.PutRecord("space", "Ä", []byte{0, 1}))
			for i, k := range []string{"leased", "parked", "finished", "postponed", "waiting"} {
				p.noError("enqueue", tx.Enqueue(newTask(k, other, fmt.Sprintf("LG-%d", i), i)))
			}
			ts, err := tx.Claim(other, after(3), lease, 9)
			p.noError("claim", err)
			for _, t := range ts {
				switch t.Key {
				case "parked":
					err = tx.Park(t, "p")
				case "finished":
					err = tx.Finish(t)
				case "postponed":
					err = tx.Postpone(t, after(40), "q")
				}
				p.noError(t.Key, err)
			}
		})
		want := p.dump()
		for range 2 {
			p.Store = p.Reopen()
			p.equal("the state", p.dump(), want)
		}
		p.update(func(tx intake.Tx) {
			n, err := tx.Next("case")
			p.noError("next", err)
			p.equal("next", n, uint64(2))
			p.noError("enqueue", tx.Enqueue(newTask("finished", other, "LG-2", 0)))
			p.noError("enqueue", tx.Enqueue(newTask("newest", other, "LG-0", 0)))
			ts, err := tx.Open("LG-0")
			p.noError("open", err)
			p.equal("open", keys(ts), []string{"leased", "newest"})
			ts, err = tx.Open("LG-2")
			p.noError("open", err)
			p.equal("open", keys(ts), []string{})
			r := newCase(1)
			p.wantError("put", tx.PutCase(r), intake.ErrStale)
			p.wantError("append", tx.AppendEvent(newEvent(r.Number, 1)), intake.ErrStale)
		})
	}},
	{"a closed store says so", func(p *probe) {
		p.update(p.writeOneOfEach)
		p.noError("close", p.Store.Close())
		ran := false
		fn := func(intake.Tx) error { ran = true; return nil }
		p.wantError("update", p.Store.Update(p.ctx, fn), intake.ErrClosed)
		p.wantError("view", p.Store.View(p.ctx, fn), intake.ErrClosed)
		if ran {
			p.errorf("a closed store ran a transaction")
		}
		p.noError("close again", p.Store.Close())
	}},
	{"closing waits for those who are writing, and keeps what it promised them", func(p *probe) {
		if p.Reopen == nil {
			return
		}
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutRecord("space", "first", nil)) })
		kept := make([]bool, 24)
		var fns []func()
		for i := range kept {
			fns = append(fns, func() {
				err := p.Store.Update(p.ctx, func(tx intake.Tx) error {
					return tx.PutRecord("space", fmt.Sprint(i), nil)
				})
				kept[i] = err == nil
				if err != nil && !errors.Is(err, intake.ErrClosed) {
					p.errorf("update: %v", err)
				}
			})
		}
		fns = append(fns, func() { p.noCloseError(p.Store.Close()) })
		together(fns...)
		p.Store = p.Reopen()
		p.view(func(tx intake.Tx) {
			_, err := tx.Record("space", "first")
			p.noError("what was answered before", err)
			for i := range kept {
				_, err := tx.Record("space", fmt.Sprint(i))
				if (err == nil) != kept[i] {
					p.errorf("update %d: answered %v, found %v", i, kept[i], err)
				}
			}
		})
	}},
}

func (p *probe) noCloseError(err error) {
	if err != nil {
		p.errorf("close: %v", err)
	}
}
