package storetest

import (
	"errors"
	"strconv"
	"sync/atomic"

	"leadgate/intake"
)

var isolationChecks = []check{
	{"two who add to a number at the same time both count", func(p *probe) {
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutRecord("n", "x", []byte("0"))) })
		var fns []func()
		for _, arrive := range newMeeting(2) {
			fns = append(fns, func() {
				err := p.Store.Update(p.ctx, func(tx intake.Tx) error {
					n, err := number(tx, "x")
					if err != nil {
						return err
					}
					arrive()
					return tx.PutRecord("n", "x", []byte(strconv.Itoa(n+1)))
				})
				if err != nil {
					p.errorf("update: %v", err)
				}
			})
		}
		together(fns...)
		p.view(func(tx intake.Tx) {
			n, err := number(tx, "x")
			p.noError("record", err)
			p.equal("the sum", n, 2)
		})
	}},
	{"two who each read both and write one end as if one came after the other", func(p *probe) {
		p.update(func(tx intake.Tx) {
			p.noError("put", tx.PutRecord("n", "a", []byte("1")))
			p.noError("put", tx.PutRecord("n", "b", []byte("1")))
		})
		// Each may take one only while both are there: exactly one succeeds.
		keys := []string{"a", "b"}
		var fns []func()
		for i, arrive := range newMeeting(2) {
			fns = append(fns, func() {
				err := p.Store.Update(p.ctx, func(tx intake.Tx) error {
					a, err := number(tx, "a")
					if err != nil {
						return err
					}
					b, err := number(tx, "b")
					if err != nil {
						return err
					}
					arrive()
					if a+b < 2 {
						return nil
					}
					return tx.PutRecord("n", keys[i], []byte("0"))
				})
				if err != nil {
					p.errorf("update: %v", err)
				}
			})
		}
		together(fns...)
		p.view(func(tx intake.Tx) {
			a, err := number(tx, "a")
			p.noError("record", err)
			b, err := number(tx, "b")
			p.noError("record", err)
			p.equal("what is left", a+b, 1)
		})
	}},
	{"two who find a range empty and fill it end as if one came after the other", func(p *probe) {
		var fns []func()
		for i, arrive := range newMeeting(2) {
			fns = append(fns, func() {
				err := p.Store.Update(p.ctx, func(tx intake.Tx) error {
					es, err := tx.ScanRecords("n", "holder/", "", 1)
					if err != nil {
						return err
					}
					arrive()
					if len(es) > 0 {
						return nil
					}
					return tx.PutRecord("n", "holder/"+strconv.Itoa(i), nil)
				})
				if err != nil {
					p.errorf("update: %v", err)
				}
			})
		}
		together(fns...)
		p.view(func(tx intake.Tx) {
			es, err := tx.ScanRecords("n", "holder/", "", 9)
			p.noError("scan", err)
			p.equal("the number of holders", len(es), 1)
		})
	}},
	{"of 64 who race for one account exactly one wins", func(p *probe) {
		const racers = 64
		var winners atomic.Int32
		var fns []func()
		for i, arrive := range newMeeting(racers) {
			fns = append(fns, func() {
				won := false
				err := p.Store.Update(p.ctx, func(tx intake.Tx) error {
					won = false
					rivals, err := tx.CasesByKey(acct("prize.example"), 1)
					if err != nil {
						return err
					}
					arrive()
					if len(rivals) > 0 {
						return nil
					}
					won = true
					return tx.PutCase(newCase(uint64(i+1), acct("prize.example")))
				})
				if err != nil {
					p.errorf("update: %v", err)
				} else if won {
					winners.Add(1)
				}
			})
		}
		together(fns...)
		p.equal("the number of winners", winners.Load(), int32(1))
		p.view(func(tx intake.Tx) {
			rs, err := tx.CasesByKey(acct("prize.example"), racers)
			p.noError("cases by key", err)
			p.equal("the number of holders", len(rs), 1)
		})
	}},
	{"of those who open the same case at the same time all but one are stale", func(p *probe) {
		var won, stale atomic.Int32
		var fns []func()
		for range 8 {
			fns = append(fns, func() {
				err := p.Store.Update(p.ctx, func(tx intake.Tx) error { return tx.PutCase(newCase(1)) })
				switch {
				case err == nil:
					won.Add(1)
				case errors.Is(err, intake.ErrStale):
					stale.Add(1)
				default:
					p.errorf("update: %v", err)
				}
			})
		}
		together(fns...)
		p.equal("won and stale", []int32{won.Load(), stale.Load()}, []int32{1, 7})
	}},
	{"a view sees one moment whatever is written beside it", func(p *probe) {
		p.update(func(tx intake.Tx) { p.noError("put", tx.PutRecord("n", "x", []byte("1"))) })
		arrive := newMeeting(2)
		done := make(chan struct{})
		p.view(func(tx intake.Tx) {
			before, err := number(tx, "x")
			p.noError("record", err)
			go func() {
				defer close(done)
				if err := p.Store.Update(p.ctx, func(tx intake.Tx) error {
					return errors.Join(tx.PutRecord("n", "x", []byte("2")), tx.PutRecord("n", "y", []byte("2")))
				}); err != nil {
					p.errorf("update: %v", err)
				}
				arrive[0]()
			}()
			arrive[1]()
			again, err := number(tx, "x")
			p.noError("record", err)
			p.equal("x seen twice", []int{before, again}, []int{1, 1})
			_, err = tx.Record("n", "y")
			p.wantError("y, which is newer than the view", err, intake.ErrNotFound)
		})
		<-done
		p.view(func(tx intake.Tx) {
			x, err := number(tx, "x")
			p.noError("record", err)
			p.equal("x in a later view", x, 2)
		})
	}},
	{"what Update answered is seen by every later view", func(p *probe) {
		for i := range 20 {
			p.update(func(tx intake.Tx) { p.noError("put", tx.PutRecord("n", "x", []byte(strconv.Itoa(i)))) })
			p.view(func(tx intake.Tx) {
				x, err := number(tx, "x")
				p.noError("record", err)
				p.equal("x", x, i)
			})
		}
	}},
}

func number(tx intake.Tx, key string) (int, error) {
	v, err := tx.Record("n", key)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(v))
}
