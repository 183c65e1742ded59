package storetest

import (
	"encoding/json"
	"errors"
	"time"

	"leadgate/intake"
)

const (
	lane  = intake.LaneCheck
	other = intake.LaneNotify
	lease = 10 * time.Minute
)

var taskChecks = []check{
	{"a task comes back as it was enqueued, without what only the store may set", func(p *probe) {
		mine := newTask("t", lane, "LG-1", 3)
		mine.Seq, mine.Attempts, mine.Fence, mine.Leased, mine.Parked, mine.Cause = 99, 9, 9, after(99), true, "x"
		p.enqueue(mine)
		mine.Payload[0] = 'X'
		got := p.one("LG-1")
		if got.Seq == 0 {
			p.errorf("the task got no seq")
		}
		want := newTask("t", lane, "LG-1", 3)
		want.Seq = got.Seq
		p.equal("task", got, want)
		got.Payload[0] = 'X'
		p.equal("task after the caller changed what it got", p.one("LG-1"), want)
	}},
	{"a task without payload comes back without", func(p *probe) {
		t := newTask("t", lane, "LG-1", 0)
		t.Payload = nil
		p.enqueue(t)
		p.equal("length of the payload", len(p.one("LG-1").Payload), 0)
	}},
	{"a task that cannot be stored is an error and leaves nothing", func(p *probe) {
		keyless, laneless, broken := newTask("", lane, "LG-1", 0), newTask("t", "", "LG-1", 0), newTask("t", lane, "LG-1", 0)
		broken.Payload = json.RawMessage("{")
		garbled, lost := newTask("\xff", lane, "LG-1", 0), newTask("t", lane, "LG-\xff", 0)
		for what, t := range map[string]intake.Task{
			"no key": keyless, "no lane": laneless, "broken payload": broken,
			"a key that is no text": garbled, "a case that is no text": lost,
		} {
			p.update(func(tx intake.Tx) {
				if err := tx.Enqueue(t); err == nil {
					p.errorf("%s: taken", what)
				}
			})
		}
		p.enqueue(newTask("t", lane, "LG-1", 0))
		p.equal("tasks", p.open("LG-1"), []string{"t"})
	}},
	{"a key is enqueued once, also when the task is claimed, parked or finished", func(p *probe) {
		again := func(state string, open int) {
			t := newTask("t", other, "LG-2", -60)
			t.Payload = json.RawMessage(`{"rev":2}`)
			p.enqueue(t)
			p.equal("tasks of the case it names again when "+state, len(p.open("LG-2")), 0)
			p.equal("tasks of the first case when "+state, len(p.open("LG-1")), open)
		}
		p.enqueue(newTask("t", lane, "LG-1", 0))
		again("waiting", 1)
		t := p.claimOne(lane, 1)
		again("claimed", 1)
		p.update(func(tx intake.Tx) { p.noError("park", tx.Park(t, "")) })
		again("parked", 1)
		p.update(func(tx intake.Tx) { p.noError("finish", tx.Finish(t)) })
		again("finished", 0)
		p.equal("claimable", p.claim(other, 60), []string{})
		p.enqueue(newTask("u", lane, "LG-1", 0))
		p.update(func(tx intake.Tx) { p.noError("cancel", tx.Cancel("u")) })
		p.enqueue(newTask("u", lane, "LG-1", 0))
		p.equal("tasks", p.open("LG-1"), []string{})
	}},
	{"a key is enqueued once within a transaction too", func(p *probe) {
		p.update(func(tx intake.Tx) {
			p.noError("enqueue", tx.Enqueue(newTask("t", lane, "LG-1", 0)))
			p.noError("enqueue", tx.Enqueue(newTask("t", lane, "LG-1", 0)))
			p.noError("cancel", tx.Cancel("t"))
			p.noError("enqueue", tx.Enqueue(newTask("t", lane, "LG-1", 0)))
		})
		p.equal("tasks", p.open("LG-1"), []string{})
	}},
	{"the open tasks of a case come in the order of enqueueing", func(p *probe) {
		p.enqueue(
			newTask("z", lane, "LG-1", 9), newTask("a", other, "LG-1", 1), newTask("x", lane, "LG-10", 1),
			newTask("m", lane, "LG-1", 5), newTask("b", "zlane", "LG-1", 0), newTask("c", "alane", "LG-1", 0))
		p.equal("open", p.open("LG-1"), []string{"z", "a", "m", "b", "c"})
		p.equal("open of a case that has none", p.open("LG-2"), []string{})
		t := p.claimOne(other, 5)
		p.equal("claimed", t.Key, "a")
		p.update(func(tx intake.Tx) { p.noError("park", tx.Park(t, "why")) })
		p.equal("open with one parked", p.open("LG-1"), []string{"z", "a", "m", "b", "c"})
		p.update(func(tx intake.Tx) { p.noError("cancel", tx.Cancel("z")) })
		p.equal("open with one cancelled", p.open("LG-1"), []string{"a", "m", "b", "c"})
	}},
	{"a cancelled task is finished, whether it waits, is claimed or parked", func(p *probe) {
		p.enqueue(newTask("waits", lane, "LG-1", 0), newTask("claimed", lane, "LG-2", -1), newTask("parked", other, "LG-3", 0))
		claimed := p.claimOne(lane, 0)
		p.equal("claimed", claimed.Key, "claimed")
		parked := p.claimOne(other, 0)
		p.update(func(tx intake.Tx) { p.noError("park", tx.Park(parked, "")) })
		p.update(func(tx intake.Tx) {
			for _, k := range []string{"waits", "claimed", "parked", "unknown", "waits"} {
				p.noError("cancel "+k, tx.Cancel(k))
			}
		})
		p.update(func(tx intake.Tx) {
			p.wantError("finish", tx.Finish(claimed), intake.ErrStale)
			p.wantError("revive", tx.Revive("parked", noon), intake.ErrNotFound)
			d, err := tx.Depth()
			p.noError("depth", err)
			p.equal("depth", len(d), 0)
		})
		p.equal("claimable", p.claim(lane, 600), []string{})
	}},
	{"a parked task waits for its revival and does not hold up its case", func(p *probe) {
		p.enqueue(newTask("first", lane, "LG-1", 0), newTask("second", lane, "LG-1", 0))
		first := p.claimOne(lane, 1)
		p.equal("claimed", first.Key, "first")
		p.update(func(tx intake.Tx) { p.noError("park", tx.Park(first, "refused")) })
		got := p.named("LG-1", "first")
		p.equal("parked, cause, lease", []any{got.Parked, got.Cause, got.Leased.IsZero()}, []any{true, "refused", true})
		p.equal("claimable", p.claim(lane, 1), []string{"second"})
		p.equal("claimable much later", p.claim(lane, 6000), []string{"second"})
		p.update(func(tx intake.Tx) { p.noError("revive", tx.Revive("first", after(7000))) })
		got = p.named("LG-1", "first")
		p.equal("parked, attempts, due", []any{got.Parked, got.Attempts, got.Due}, []any{false, 0, after(7000)})
		p.equal("claimable: the older holds up the younger again", p.claim(lane, 6999), []string{})
		t := p.claimOne(lane, 7000)
		p.equal("revived: key, attempts, fence", []any{t.Key, t.Attempts, t.Fence}, []any{"first", 1, uint64(2)})
	}},
	{"only a parked task is revived", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0))
		revive := func(state, key string) {
			p.wantError("revive "+state, p.Store.Update(p.ctx, func(tx intake.Tx) error { return tx.Revive(key, noon) }), intake.ErrNotFound)
		}
		revive("unknown", "u")
		revive("waiting", "t")
		t := p.claimOne(lane, 0)
		revive("claimed", "t")
		p.update(func(tx intake.Tx) { p.noError("finish", tx.Finish(t)) })
		revive("finished", "t")
	}},
	{"a postponed task is due at its new time, with its cause and without a lease", func(p *probe) {
		p.enqueue(newTask("t", lane, "LG-1", 0))
		t := p.claimOne(lane, 0)
		p.update(func(tx intake.Tx) { p.noError("postpone", tx.Postpone(t, after(30), "busy")) })
		got := p.one("LG-1")
		p.equal("due, cause, lease, attempts", []any{got.Due, got.Cause, got.Leased.IsZero(), got.Attempts}, []any{after(30), "busy", true, 1})
		p.equal("claimable before", p.claim(lane, 29), []string{})
		t = p.claimOne(lane, 30)
		p.equal("attempts and fence", []any{t.Attempts, t.Fence}, []any{2, uint64(2)})
		p.update(func(tx intake.Tx) { p.noError("postpone to an earlier time", tx.Postpone(t, after(5), "")) })
		p.equal("claimable", p.claim(lane, 5), []string{"t"})
	}},
	{"the next due is the earliest due or end of lease among tasks that are not parked", func(p *probe) {
		next := func(l intake.Lane) (at time.Time, ok bool) {
			p.view(func(tx intake.Tx) {
				var err error
				at, ok, err = tx.NextDue(l)
				p.noError("next due", err)
			})
			return at, ok
		}
		want := func(what string, at time.Time) {
			got, ok := next(lane)
			p.equal("next due "+what, []any{got, ok}, []any{at, true})
		}
		if _, ok := next(lane); ok {
			p.errorf("an empty lane has something due")
		}
		p.enqueue(newTask("elsewhere", other, "LG-9", -99), newTask("prefix", lane+"2", "LG-9", -99))
		if _, ok := next(lane); ok {
			p.errorf("a lane has something due that is in another")
		}
		p.enqueue(newTask("a", lane, "LG-1", 20), newTask("b", lane, "LG-2", 5), newTask("c", lane, "LG-2", 4))
		want("of three, not by their order within the case", after(4))
		b := p.claimOne(lane, 5)
		p.equal("claimed", b.Key, "b")
		want("beside a leased one", after(4))
		p.update(func(tx intake.Tx) { p.noError("cancel", tx.Cancel("c")) })
		want("when only a lease is before the others", after(15))
		p.enqueue(newTask("d", lane, "LG-3", 12))
		want("when one is due before the end of the lease", after(12))
		p.update(func(tx intake.Tx) {
			p.noError("cancel", tx.Cancel("d"))
			p.noError("park", tx.Park(b, ""))
		})
		want("with one parked", after(20))
		p.update(func(tx intake.Tx) { p.noError("cancel", tx.Cancel("a")) })
		if _, ok := next(lane); ok {
			p.errorf("a lane of parked tasks has something due")
		}
	}},
	{"the depth of a lane counts its waiting, leased and parked tasks", func(p *probe) {
		p.enqueue(
			newTask("a", lane, "LG-1", 3), newTask("b", lane, "LG-2", 1), newTask("c", lane, "LG-3", 2),
			newTask("d", lane, "LG-4", 0), newTask("e", other, "LG-1", 7), newTask("f", intake.PushLane("x"), "LG-1", 0))
		d := p.claimOne(lane, 0)
		p.update(func(tx intake.Tx) { p.noError("park", tx.Park(d, "")) })
		b := p.claimOne(lane, 1)
		p.update(func(tx intake.Tx) { p.noError("cancel", tx.Cancel("f")) })
		depth := func() (m map[intake.Lane]intake.Depth) {
			p.view(func(tx intake.Tx) {
				var err error
				m, err = tx.Depth()
				p.noError("depth", err)
			})
			return m
		}
		p.equal("depth", depth(), map[intake.Lane]intake.Depth{
			lane:  {Open: 3, Parked: 1, Oldest: after(1)},
			other: {Open: 1, Oldest: after(7)},
		})
		p.update(func(tx intake.Tx) {
			for _, k := range []string{"a", "c"} {
				p.noError("cancel", tx.Cancel(k))
			}
			p.noError("finish", tx.Finish(b))
		})
		p.equal("depth of parked tasks only", depth()[lane], intake.Depth{Parked: 1})
	}},
	{"pruning forgets the keys of tasks finished before a time, and no others", func(p *probe) {
		past, future := time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour)
		prune := func(before time.Time, limit, want int) {
			p.update(func(tx intake.Tx) {
				n, err := tx.PruneTasks(before, limit)
				p.noError("prune", err)
				p.equal("pruned", n, want)
			})
		}
		for _, k := range []string{"a", "b", "c", "d"} {
			p.enqueue(newTask(k, lane, "LG-1", 0))
		}
		p.update(func(tx intake.Tx) {
			for _, k := range []string{"a", "b", "c"} {
				p.noError("cancel", tx.Cancel(k))
			}
		})
		prune(past, 9, 0)
		prune(future, 0, 0)
		p.enqueue(newTask("a", lane, "LG-1", 0))
		p.equal("tasks", p.open("LG-1"), []string{"d"})
		prune(future, 2, 2)
		prune(future, 9, 1)
		prune(future, 9, 0)
		p.enqueue(newTask("a", lane, "LG-1", 0), newTask("d", lane, "LG-1", 0))
		p.equal("tasks", p.open("LG-1"), []string{"d", "a"})
		p.wantError("finish of a forgotten task", p.Store.Update(p.ctx, func(tx intake.Tx) error {
			return tx.Finish(intake.Task{Key: "b"})
		}), intake.ErrStale)
	}},
}

// enqueue enqueues the tasks in one transaction.
func (p *probe) enqueue(tasks ...intake.Task) {
	p.update(func(tx intake.Tx) {
		for _, t := range tasks {
			p.noError("enqueue "+t.Key, tx.Enqueue(t))
		}
	})
}

// open returns the keys of the open tasks of a case.
func (p *probe) open(number string) (ks []string) {
	p.view(func(tx intake.Tx) {
		ts, err := tx.Open(number)
		p.noError("open", err)
		ks = keys(ts)
	})
	return ks
}

// one returns the only open task of a case.
func (p *probe) one(number string) (t intake.Task) {
	p.view(func(tx intake.Tx) {
		ts, err := tx.Open(number)
		p.noError("open", err)
		if len(ts) != 1 {
			p.fatalf("case %s has %d open tasks, want one", number, len(ts))
		}
		t = ts[0]
	})
	return t
}

// named returns the open task with the key.
func (p *probe) named(number, key string) (t intake.Task) {
	p.view(func(tx intake.Tx) {
		ts, err := tx.Open(number)
		p.noError("open", err)
		for _, t = range ts {
			if t.Key == key {
				return
			}
		}
		p.fatalf("case %s has no open task %s", number, key)
	})
	return t
}

var errPeek = errors.New("only a look")

// claim returns the keys that could be claimed so many minutes after noon, and claims none.
func (p *probe) claim(l intake.Lane, minute int) (ks []string) {
	err := p.Store.Update(p.ctx, func(tx intake.Tx) error {
		ts, err := tx.Claim(l, after(minute), lease, 99)
		p.noError("claim", err)
		ks = keys(ts)
		return errPeek
	})
	p.wantError("update", err, errPeek)
	return ks
}

// claimOne claims the first task that is due so many minutes after noon.
func (p *probe) claimOne(l intake.Lane, minute int) (t intake.Task) {
	p.update(func(tx intake.Tx) {
		ts, err := tx.Claim(l, after(minute), lease, 1)
		p.noError("claim", err)
		if len(ts) != 1 {
			p.fatalf("claimed %d tasks, want one", len(ts))
		}
		t = ts[0]
	})
	return t
}
