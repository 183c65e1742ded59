// Package storetest holds the promises of intake.Store as checks that every store passes.
// Run is called from the test of each store.
//
// A check says what it found through a probe and not through testing.T, so that the
// package's own tests can run the checks against stores that are broken on purpose, and
// see that they report it.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leadgate/intake"
)

// Harness is one empty store under test.
type Harness struct {
	Store intake.Store
	// Reopen closes the store and opens it again with what it holds; nil if it keeps
	// nothing.
	Reopen func() intake.Store
}

// Run checks a store. It calls open once for each check; open sees to it that the store is
// closed at the end of its test.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, c := range checks() {
		t.Run(c.name, func(t *testing.T) {
			for _, fault := range c.try(open(t)) {
				t.Error(fault)
			}
		})
	}
	t.Run("any sequence of operations does what the reference does", func(t *testing.T) {
		checkModel(t, func() Harness { return open(t) })
	})
}

// check is one promise, and how to see whether a store keeps it.
type check struct {
	name string
	run  func(p *probe)
}

func checks() []check {
	var all []check
	for _, topic := range [][]check{
		transactionChecks, isolationChecks, caseChecks, journalChecks, recordChecks,
		taskChecks, claimChecks, lifeChecks,
	} {
		all = append(all, topic...)
	}
	return all
}

// try runs the check and returns what it found wrong.
func (c check) try(h Harness) []string {
	p := &probe{Harness: h, ctx: context.Background()}
	func() {
		defer func() {
			if v := recover(); v != nil && v != any(abort{}) {
				p.errorf("the check panicked: %v\n%s", v, debug.Stack())
			}
		}()
		c.run(p)
	}()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// abort is what fatalf panics with. A store must pass it on to the caller of Update.
type abort struct{}

// probe is what a check works with. Its methods may be called from any goroutine, fatalf
// and what calls it only from that of the check and from within transactions.
type probe struct {
	Harness
	ctx context.Context

	mu     sync.Mutex
	faults []string
}

func (p *probe) errorf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

func (p *probe) fatalf(format string, args ...any) {
	p.errorf(format, args...)
	panic(abort{})
}

// update runs fn in a transaction that must be committed.
func (p *probe) update(fn func(tx intake.Tx)) {
	p.noError("update", p.Store.Update(p.ctx, func(tx intake.Tx) error { fn(tx); return nil }))
}

// view runs fn over a snapshot.
func (p *probe) view(fn func(tx intake.Tx)) {
	p.noError("view", p.Store.View(p.ctx, func(tx intake.Tx) error { fn(tx); return nil }))
}

func (p *probe) noError(what string, err error) {
	if err != nil {
		p.fatalf("%s: %v", what, err)
	}
}

func (p *probe) wantError(what string, err, want error) {
	if !errors.Is(err, want) {
		p.errorf("%s: got error %v, want %v", what, err, want)
	}
}

func (p *probe) equal(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		p.errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

// patience is how long transactions wait for each other at a meeting. A store that runs
// them one after the other never lets the second in, so that each meeting costs this much.
const patience = 50 * time.Millisecond

// newMeeting lets n transactions overlap: it returns the functions through which they
// arrive. Each that arrives waits for the others, until some time after the first came. One
// that arrives again, because its transaction is run again, does not wait.
func newMeeting(n int) []func() {
	var arrived atomic.Int64
	over := make(chan struct{})
	end := sync.OnceFunc(func() { close(over) })
	arrive := make([]func(), n)
	for i := range arrive {
		arrive[i] = sync.OnceFunc(func() {
			switch arrived.Add(1) {
			case int64(n):
				end()
			case 1:
				time.AfterFunc(patience, end)
			}
			<-over
		})
	}
	return arrive
}

// together runs the fns at once and waits for all.
func together(fns ...func()) {
	var wg sync.WaitGroup
	for _, fn := range fns {
		wg.Go(fn)
	}
	wg.Wait()
}
