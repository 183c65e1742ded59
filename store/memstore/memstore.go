// Package memstore keeps everything in memory and forgets it at the end. It is the
// reference that the other stores are compared with, and the store of tests and
// demonstrations: plain maps under one lock, no index, nothing clever.
//
// Updates run one at a time and alone, which makes them serializable; each keeps a list of
// how to undo what it did. Views run beside each other.
package memstore

import (
	"context"
	"sync"
	"time"

	"leadgate/intake"
)

// Store is an intake.Store in memory. Its methods are safe for concurrent use.
type Store struct {
	now   func() time.Time
	twice bool

	mu     sync.RWMutex
	closed bool
	state  state
}

var _ intake.Store = (*Store)(nil)

// state is all that the store knows.
type state struct {
	cases    map[string]intake.Registration // by number
	numbers  map[uint64]string              // numbers by seq
	events   map[string][]intake.Event      // by case number
	tasks    map[string]intake.Task         // by key, the unfinished ones
	done     map[string]time.Time           // by key, when it was finished
	records  map[recordKey][]byte
	counters map[string]uint64
	lastTask uint64 // the highest Task.Seq given
}

// Option changes what New makes.
type Option func(*Store)

// RunTwice has every Update run its fn once for nothing before the run that counts. A fn
// that has effects outside its Tx, or keeps something of an earlier run, then shows it in
// every test.
func RunTwice() Option { return func(s *Store) { s.twice = true } }

// WithClock sets the clock that dates finished tasks; time.Now if not given.
func WithClock(now func() time.Time) Option { return func(s *Store) { s.now = now } }

// New returns an empty store.
func New(opts ...Option) *Store {
	s := &Store{now: time.Now, state: state{
		cases:    map[string]intake.Registration{},
		numbers:  map[uint64]string{},
		events:   map[string][]intake.Event{},
		tasks:    map[string]intake.Task{},
		done:     map[string]time.Time{},
		records:  map[recordKey][]byte{},
		counters: map[string]uint64{},
	}}
	for _, o := range opts {
		o(s)
	}
	return s
}

// Update implements intake.Store.
func (s *Store) Update(ctx context.Context, fn func(intake.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	if s.twice {
		tx := &txn{state: &s.state, now: s.now, writable: true}
		func() {
			defer tx.rollback()
			_ = fn(tx) // the second run gives the result
		}()
	}
	tx := &txn{state: &s.state, now: s.now, writable: true}
	defer tx.rollback() // also when fn panics; no effect after commit
	if err := fn(tx); err != nil {
		return err
	}
	tx.commit()
	return nil
}

// View implements intake.Store.
func (s *Store) View(ctx context.Context, fn func(intake.Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if err := s.usable(ctx); err != nil {
		return err
	}
	tx := &txn{state: &s.state, now: s.now}
	defer tx.rollback()
	return fn(tx)
}

// Close implements intake.Store: what comes later returns intake.ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *Store) usable(ctx context.Context) error {
	if s.closed {
		return intake.ErrClosed
	}
	return ctx.Err()
}
