package intake

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	leaseTime = time.Minute
	// attemptTime bounds one attempt; it is shorter than the lease, so that no attempt goes
	// on after another worker may have begun the next.
	attemptTime = 45 * time.Second
	// idlePause is the longest that a lane sleeps: it wakes for new work and for what falls
	// due, and looks around now and then all the same. blockedPause is how long it sleeps
	// while all that is due waits for an older task of its case.
	idlePause    = 30 * time.Second
	blockedPause = time.Second
	// stopGrace is how long attempts may go on after the gateway was told to stop.
	stopGrace = 15 * time.Second
	day       = 24 * time.Hour
)

// handler makes one attempt at a task: the part that waits for others. The effect it
// returns runs in the transaction that finishes the task.
type (
	handler func(context.Context, Task) (effect, error)
	effect  func(*change) error
)

// lane is how the tasks of one Lane are worked off.
type lane struct {
	name    Lane
	workers int
	run     handler
	// delay is the pause after the attempt (1, 2, …) failed; giveUp the number of attempts
	// after which a task is parked for staff, 0 for never.
	delay  func(attempt int) time.Duration
	giveUp int
	// gate is the way to the CRM that the lane is for; nil for none.
	gate *gate
}

// Run works off tasks until ctx is done, then lets the attempts under way come to an end,
// within 15 s, and makes a last checkpoint, within one more.
func (g *Gateway) Run(ctx context.Context) error {
	if g.alone {
		if err := g.store.Update(ctx, func(tx Tx) error { return tx.EndLeases() }); err != nil {
			return fmt.Errorf("end the leases of before: %w", err)
		}
	}
	if err := g.followPolicy(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("set the clocks by the policy: %w", err)
	}
	err := g.update(ctx, func(c *change) error {
		return errors.Join(c.awaitWeek(c.at), c.awaitPartners(c.at), c.awaitRenewals(c.at), c.awaitPulls())
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("plan to tell of the week, and of renewals, and to read the CRMs: %w", err)
	}
	var wg sync.WaitGroup
	for _, l := range g.lanes() {
		wg.Go(func() { g.work(ctx, l) })
	}
	wg.Go(func() { g.keepHouse(ctx) })
	wg.Go(func() { g.keepWatch(ctx) })
	wg.Go(func() { g.keepCheckpoints(ctx) })
	wg.Wait()
	g.lastCheckpoint(ctx)
	return nil
}

const (
	housePause = time.Hour
	// taskMemory is how long a finished task's key is known. Nothing is redelivered later.
	taskMemory = 180 * day
	pruneBatch = 500
)

// keepHouse forgets what no redelivery can ask for any more.
func (g *Gateway) keepHouse(ctx context.Context) {
	tick := time.NewTicker(housePause)
	defer tick.Stop()
	for {
		for n := pruneBatch; n == pruneBatch && ctx.Err() == nil; {
			err := g.store.Update(ctx, func(tx Tx) (err error) {
				now := g.stamp()
				n, err = tx.PruneTasks(now.Add(-taskMemory), pruneBatch)
				for _, space := range []string{spaceCounted, spaceSpent} {
					m, pruneErr := pruneMortal(tx, space, now, pruneBatch)
					n, err = max(n, m), errors.Join(err, pruneErr)
				}
				m, pruneErr := pruneCalls(tx, now, pruneBatch)
				n, err = max(n, m), errors.Join(err, pruneErr)
				return err
			})
			if err != nil && ctx.Err() == nil {
				g.log.Error("forget what is over", "err", err)
				break
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (g *Gateway) lanes() []lane {
	lanes := []lane{
		{name: LaneCheck, workers: 32, run: g.runCheck, delay: steps(time.Second, 5*time.Second, 30*time.Second, time.Minute)},
		{name: LaneNotify, workers: 16, run: g.runNotify, delay: answerDelay, giveUp: 5 + int(5*day/(30*time.Minute))},
		{name: LaneDigest, workers: 2, run: g.runWeek, delay: answerDelay},
		{name: LaneTimer, workers: 2, run: g.runTimer, delay: steps(time.Second, 10*time.Second, time.Minute)},
	}
	for _, crm := range g.crms {
		push := lane{
			name: PushLane(crm.Name()), workers: 8, run: g.runPush(crm), delay: pushDelay, giveUp: 6 + int(14*day/time.Hour),
			gate: &g.gates[crm.Name()].write,
		}
		if s, ok := crm.(Scheduled); ok {
			push.delay = s.RetryDelay
		}
		lists := push
		lists.name, lists.workers = PushListsLane(crm.Name()), 4
		pull := lane{name: PullLane(crm.Name()), workers: 1, run: g.runPull(crm), delay: pullDelay, gate: &g.gates[crm.Name()].feed}
		lanes = append(lanes, push, lists, pull)
	}
	return lanes
}

// The pauses between attempts. Each step is spread by a fifth either way, so that what
// failed together does not come back together.
var (
	answerDelay = steps(5*time.Second, 30*time.Second, 2*time.Minute, 10*time.Minute, 30*time.Minute)
	pushDelay   = steps(5*time.Second, 30*time.Second, 2*time.Minute, 10*time.Minute, 30*time.Minute, time.Hour)
	pullDelay   = steps(30 * time.Second)
)

// steps returns a schedule that stays at its last step.
func steps(pauses ...time.Duration) func(int) time.Duration {
	return func(attempt int) time.Duration {
		d := pauses[min(max(attempt, 1), len(pauses))-1]
		return d + time.Duration((rand.Float64()-0.5)*0.4*float64(d))
	}
}

// work claims tasks of a lane as long as it has free workers, and waits in between for a
// wake-up, a free worker, or the next look.
func (g *Gateway) work(ctx context.Context, l lane) {
	attempts, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(stopGrace, stop) })()

	var wg sync.WaitGroup
	defer wg.Wait()
	free := make(chan struct{}, l.workers)
	for range l.workers {
		free <- struct{}{}
	}
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		case <-g.wakeup(l.name):
		}
		pause := idlePause
		for n := take(ctx, free); n > 0; n = take(ctx, free) {
			tasks, next, err := g.claimThrough(ctx, l, n)
			pause = next
			if err != nil && ctx.Err() == nil {
				g.log.Error("claim tasks", "lane", l.name, "err", err)
			}
			for range n - len(tasks) {
				free <- struct{}{}
			}
			if len(tasks) == 0 {
				break
			}
			for _, t := range tasks {
				wg.Go(func() {
					g.attempt(attempts, l, t)
					l.gate.leave(l.name)
					free <- struct{}{}
					g.wake(l.name) // a later task of the same case may have become free
				})
			}
		}
		look.Reset(pause)
	}
}

// take waits for a free worker and returns how many are free, or 0 once ctx is done.
func take(ctx context.Context, free chan struct{}) int {
	select {
	case <-free:
	case <-ctx.Done():
		return 0
	}
	for n := 1; ; n++ {
		select {
		case <-free:
		default:
			return n
		}
	}
}

// claimThrough is claim of as many tasks as the gate of the lane lets through.
func (g *Gateway) claimThrough(ctx context.Context, l lane, limit int) (tasks []Task, pause time.Duration, err error) {
	limit, pause = l.gate.admit(l.name, limit)
	if limit == 0 {
		return nil, pause, nil
	}
	tasks, pause, err = g.claim(ctx, l, limit)
	if len(tasks) == 0 {
		l.gate.leave(l.name)
	}
	return tasks, pause, err
}

// claim leases due tasks. If there are none it writes nothing, and says how long to sleep.
func (g *Gateway) claim(ctx context.Context, l lane, limit int) (tasks []Task, pause time.Duration, err error) {
	var next time.Time
	var found bool
	err = g.store.View(ctx, func(tx Tx) (err error) {
		next, found, err = tx.NextDue(l.name)
		return err
	})
	now := g.stamp()
	switch {
	case err != nil || !found:
		return nil, idlePause, err
	case next.After(now):
		return nil, min(next.Sub(now), idlePause), nil
	}
	err = g.store.Update(ctx, func(tx Tx) (err error) {
		tasks, err = tx.Claim(l.name, now, leaseTime, limit)
		return err
	})
	return tasks, blockedPause, err
}

// attempt runs a task once and finishes, postpones or parks it.
func (g *Gateway) attempt(ctx context.Context, l lane, t Task) {
	began := g.now()
	runCtx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	err := g.finish(runCtx, l, t)
	result := "done"
	delay, told := RetryDelay(err)
	// What a CRM that is down, or busy, makes fail is no attempt.
	held := l.gate != nil && (told || l.gate.isShut()) && !answered(err)
	switch {
	case err == nil:
	case errors.Is(err, errPullAgain):
		g.put(ctx, t, func(c *change) error { return c.Postpone(t, c.at.Add(delay), "") })
	case errors.Is(err, ErrStale), errors.Is(err, ErrClosed):
		result = "lost" // another worker has the task, or will have it
	case IsPermanent(err) || (l.giveUp > 0 && t.Attempts >= l.giveUp && !held):
		result = "parked"
		g.log.Error("task given up", "task", t.Key, "case", t.Case, "attempt", t.Attempts, "err", err)
		g.put(ctx, t, func(c *change) error { return c.giveUp(t, err) })
	default:
		result = "retry"
		switch {
		case told:
		case ctx.Err() != nil: // stopped in the middle: go on at once after the next start
		case held:
			delay = probePause
		default:
			delay = l.delay(t.Attempts)
		}
		if !isTurn(err) {
			g.log.Warn("task failed", "task", t.Key, "case", t.Case, "attempt", t.Attempts, "again_in", delay, "err", err)
		}
		g.put(ctx, t, func(c *change) error { return c.again(t, c.at.Add(delay), err.Error(), held) })
	}
	g.observe.Attempted(l.name, result, g.now().Sub(began))
}

// isTurn reports whether a task failed only because something else is to be done first.
func isTurn(err error) bool {
	return slices.ContainsFunc([]error{errEarlierRival, errLeadChanged, errImportOpen, errOlderPush, errCRMDown}, func(turn error) bool {
		return errors.Is(err, turn)
	})
}

// again puts a task off; held forgets the attempts that there were.
func (c *change) again(t Task, until time.Time, cause string, held bool) error {
	if !held {
		return c.Postpone(t, until, cause)
	}
	if err := c.Park(t, cause); err != nil {
		return err
	}
	return c.Revive(t.Key, until)
}

// finish makes the attempt and commits its effect together with the end of the task. A
// panic of a handler is an error of this task and stops nobody else.
func (g *Gateway) finish(ctx context.Context, l lane, t Task) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
			if t.Attempts >= 5 {
				err = OwnFault(err)
			}
		}
	}()
	act, err := l.run(ctx, t)
	if err != nil {
		return err
	}
	return g.update(ctx, func(c *change) error {
		if err := act(c); err != nil {
			return err
		}
		return c.Finish(t)
	})
}

// put records the end of a failed attempt, even of one that was stopped. If that fails too,
// the lease runs out and the task is tried again.
func (g *Gateway) put(ctx context.Context, t Task, fn func(*change) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := g.update(ctx, fn)
	if err != nil && !errors.Is(err, ErrStale) {
		g.log.Error("record the failed attempt", "task", t.Key, "err", err)
	}
}
