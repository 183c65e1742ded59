package storetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"leadgate/intake"
)

var claimChecks = []check{
	{"a claim raises fence and attempts and lends for the lease", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0))
		want := p.one("LG-1")
		for n := 1; n <= 3; n++ {
			t := p.claimOne(lane, n*60)
			want.Fence, want.Attempts, want.Leased = uint64(n), n, after(n*60).Add(lease)
			p.equal("claimed", t, want)
			p.equal("stored", p.one("LG-1"), want)
		}
	}},
	{"tasks are claimed by due and then in the order of enqueueing, up to the limit", func(p *probe) {
		p.enqueue(
			newTask("late", lane, "LG-1", 9), newTask("b", lane, "LG-2", 3), newTask("a", lane, "LG-3", 3),
			newTask("first", lane, "LG-4", -9), newTask("future", lane, "LG-5", 11), newTask("now", lane, "LG-6", 10),
			newTask("elsewhere", other, "LG-7", 0), newTask("prefix", lane+"2", "LG-7", 0))
		p.equal("claimable", p.claim(lane, 10), []string{"first", "b", "a", "late", "now"})
		take := func(limit int) (ks []string) {
			p.update(func(tx intake.Tx) {
				ts, err := tx.Claim(lane, after(10), lease, limit)
				p.noError("claim", err)
				ks = keys(ts)
			})
			return ks
		}
		p.equal("none", take(0), []string{})
		p.equal("two", take(2), []string{"first", "b"})
		p.equal("the rest", take(99), []string{"a", "late", "now"})
		p.equal("nothing is left", take(99), []string{})
		p.equal("by due, not by end of lease", p.claim(lane, 20), []string{"first", "b", "a", "late", "now", "future"})
	}},
	{"a task due a microsecond later is not due", func(p *probe) {
		t := newTask("t", lane, "LG-1", 0)
		t.Due = noon.Add(time.Microsecond)
		p.enqueue(t)
		p.equal("claimable", p.claim(lane, 0), []string{})
		p.equal("claimable", p.claim(lane, 1), []string{"t"})
	}},
	{"a leased task is claimed again when its lease has ended, not before", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0))
		p.claimOne(lane, 0)
		p.equal("before the end", p.claim(lane, 9), []string{})
		p.equal("at the end", p.claim(lane, 10), []string{"t"})
	}},
	{"a process that begins alone ends all leases, and the claims of before are lost to it", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0), newTask("parked", lane, "LG-2", 0), newTask("later", lane, "LG-3", 50))
		lost := p.claimOne(lane, 0)
		p.equal("while leased", p.claim(lane, 1), []string{"parked"})
		p.update(func(tx intake.Tx) { p.noError("end leases", tx.EndLeases()) })
		p.equal("claimable", p.claim(lane, 1), []string{"t", "parked"})
		p.equal("the lease is gone", p.one("LG-1").Leased, time.Time{})
		p.claimOne(lane, 1)
		p.wantError("finish", p.Store.Update(p.ctx, func(tx intake.Tx) error { return tx.Finish(lost) }), intake.ErrStale)
		p.equal("what is not due", p.one("LG-3").Due, after(50))
	}},
	{"who lost a lease to another can no longer end the claim", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0))
		lost := p.claimOne(lane, 0)
		held := p.claimOne(lane, 10)
		before := p.one("LG-1")
		for what, end := range map[string]func(intake.Tx, intake.Task) error{
			"finish":   func(tx intake.Tx, t intake.Task) error { return tx.Finish(t) },
			"postpone": func(tx intake.Tx, t intake.Task) error { return tx.Postpone(t, after(99), "x") },
			"park":     func(tx intake.Tx, t intake.Task) error { return tx.Park(t, "x") },
		} {
			newer := held
			newer.Fence++
			for _, t := range []intake.Task{lost, newer, {Key: "t"}, {Key: "unknown"}} {
				err := p.Store.Update(p.ctx, func(tx intake.Tx) error { return end(tx, t) })
				p.wantError(fmt.Sprintf("%s of %s with fence %d", what, t.Key, t.Fence), err, intake.ErrStale)
			}
		}
		p.equal("task", p.one("LG-1"), before)
		p.update(func(tx intake.Tx) { p.noError("finish", tx.Finish(held)) })
		p.equal("open", p.open("LG-1"), []string{})
	}},
	{"a finished task can neither be finished, postponed nor parked", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0))
		t := p.claimOne(lane, 0)
		p.update(func(tx intake.Tx) { p.noError("finish", tx.Finish(t)) })
		p.update(func(tx intake.Tx) {
			p.wantError("finish", tx.Finish(t), intake.ErrStale)
			p.wantError("postpone", tx.Postpone(t, after(1), ""), intake.ErrStale)
			p.wantError("park", tx.Park(t, ""), intake.ErrStale)
		})
		p.equal("claimable", p.claim(lane, 99), []string{})
	}},
	{"who kept its fence may end a claim after the lease has ended", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0))
		t := p.claimOne(lane, 0)
		p.equal("claimable by others", p.claim(lane, 99), []string{"t"})
		p.update(func(tx intake.Tx) { p.noError("finish", tx.Finish(t)) })
	}},
	{"only key and fence of a claim count", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0))
		t := p.claimOne(lane, 0)
		want := p.one("LG-1")
		want.Due, want.Leased, want.Cause = after(5), time.Time{}, "why"
		changed := intake.Task{Key: t.Key, Fence: t.Fence, Lane: other, Case: "LG-2", Seq: 99, Attempts: 99}
		p.update(func(tx intake.Tx) { p.noError("postpone", tx.Postpone(changed, after(5), "why")) })
		p.equal("task", p.one("LG-1"), want)
	}},
	{"tasks of a case run one after the other within a lane, oldest first", func(p *probe) {
		p.enqueue(
			newTask("1a", lane, "LG-1", 5), newTask("1b", lane, "LG-1", 0), newTask("1c", lane, "LG-1", -5),
			newTask("1other", other, "LG-1", 0), newTask("2a", lane, "LG-2", 3))
		p.equal("the older is not due", p.claim(lane, 4), []string{"2a"})
		p.equal("the other lane is free", p.claim(other, 0), []string{"1other"})
		p.equal("the oldest", p.claim(lane, 5), []string{"2a", "1a"})
		p.claimOne(lane, 4)
		a := p.claimOne(lane, 5)
		p.equal("claimed", a.Key, "1a")
		p.equal("while the older is leased", p.claim(lane, 6), []string{})
		p.update(func(tx intake.Tx) { p.noError("postpone", tx.Postpone(a, after(20), "")) })
		p.equal("while the older is postponed", p.claim(lane, 6), []string{})
		a = p.claimOne(lane, 20)
		if a.Key != "1a" {
			p.update(func(tx intake.Tx) { p.noError("finish", tx.Finish(a)) })
			a = p.claimOne(lane, 20)
		}
		p.update(func(tx intake.Tx) { p.noError("finish", tx.Finish(a)) })
		p.update(func(tx intake.Tx) { p.noError("cancel", tx.Cancel("2a")) })
		p.equal("when the older is finished", p.claim(lane, 20), []string{"1b"})
		p.update(func(tx intake.Tx) { p.noError("cancel", tx.Cancel("1b")) })
		p.equal("when the older is cancelled", p.claim(lane, 20), []string{"1c"})
	}},
	{"a task that is blocked does not use up the limit", func(p *probe) {
		p.enqueue(newTask("a", lane, "LG-1", 50), newTask("b", lane, "LG-1", 0), newTask("c", lane, "LG-1", 1), newTask("d", lane, "LG-2", 2))
		p.equal("claimed", p.claimOne(lane, 3).Key, "d")
	}},
	{"of many who claim at once each task goes to one", func(p *probe) {
		const tasks, workers = 60, 12
		p.update(func(tx intake.Tx) {
			for i := range tasks {
				p.noError("enqueue", tx.Enqueue(newTask(fmt.Sprintf("t%02d", i), lane, fmt.Sprintf("LG-%d", i), 0)))
			}
		})
		var mu sync.Mutex
		taken := map[string]int{}
		var fns []func()
		for range workers {
			fns = append(fns, func() {
				for {
					var ts []intake.Task
					err := p.Store.Update(p.ctx, func(tx intake.Tx) (err error) {
						ts, err = tx.Claim(lane, noon, lease, 3)
						return err
					})
					if err != nil {
						p.errorf("claim: %v", err)
						return
					}
					if len(ts) == 0 {
						return
					}
					mu.Lock()
					for _, t := range ts {
						taken[t.Key]++
					}
					mu.Unlock()
				}
			})
		}
		together(fns...)
		p.equal("number of tasks taken", len(taken), tasks)
		for k, n := range taken {
			if n != 1 {
				p.errorf("task %s was taken %d times", k, n)
			}
		}
	}},
	{"two who claim at the same moment share nothing, also within one case", func(p *probe) {
		p.enqueue(newTask("a", lane, "LG-1", 0), newTask("b", lane, "LG-1", 0), newTask("c", lane, "LG-2", 0))
		var mu sync.Mutex
		var taken []string
		var fns []func()
		for _, arrive := range newMeeting(2) {
			fns = append(fns, func() {
				var ts []intake.Task
				err := p.Store.Update(p.ctx, func(tx intake.Tx) (err error) {
					ts, err = tx.Claim(lane, noon, lease, 9)
					arrive()
					return err
				})
				if err != nil {
					p.errorf("claim: %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				taken = append(taken, keys(ts)...)
			})
		}
		together(fns...)
		p.equal("taken", taken, []string{"a", "c"})
	}},
	{"of many who end the same claim one succeeds", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0))
		t := p.claimOne(lane, 0)
		var mu sync.Mutex
		ended := 0
		var fns []func()
		for range 8 {
			fns = append(fns, func() {
				err := p.Store.Update(p.ctx, func(tx intake.Tx) error { return tx.Finish(t) })
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					ended++
				} else if !errors.Is(err, intake.ErrStale) {
					p.errorf("finish: %v", err)
				}
			})
		}
		together(fns...)
		p.equal("ended", ended, 1)
	}},
}
