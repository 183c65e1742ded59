package boltstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
)

// longView is how long a View may take before the log names it: while it runs, no page
// that a commit frees can be used again.
const longView = time.Second

// Store is an intake.Store in a bbolt file. Its methods are safe for concurrent use.
type Store struct {
	o     Options
	db    *bolt.DB
	owner string // path of the file that names the process

	mu      sync.Mutex
	queue   []*update // waiting for the writer
	closed  bool
	failed  error          // why no more can be written
	views   sync.WaitGroup // Views and Backups that run
	wake    chan struct{}  // cap 1: the queue is not empty, or the store was closed
	written chan struct{}  // closed when the writer has ended
	closing sync.Once
	ended   error // what the first Close returned

	group []*update // what the writer is working on; its own

	verifying  context.CancelFunc // stops the check that Open left running
	verified   chan struct{}      // closed when that check has ended
	damage     atomic.Pointer[error]
	commits    atomic.Uint64
	updates    atomic.Uint64
	longest    atomic.Int64
	viewsCount atomic.Uint64
}

var _ intake.Store = (*Store)(nil)

// ErrFailed is wrapped by what Update returns after a write to the file went wrong. Whether
// the last transactions are in the file is known only when the store is opened again; until
// then it takes no more, and Views may show what will be gone.
var ErrFailed = errors.New("the store stopped after a failed write; close and open it again")

// Update implements intake.Store. Once fn has been started Update does not return before
// its outcome is known, whatever ctx does: a fn never runs on behind its caller's back. A
// panic of fn reaches the caller, and nothing of fn is kept.
func (s *Store) Update(ctx context.Context, fn func(intake.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	u := &update{ctx: ctx, fn: fn, done: make(chan struct{})}
	if err := s.enqueue(u); err != nil {
		return err
	}
	select {
	case <-u.done:
	case <-ctx.Done():
		if u.claim() { // before the writer did
			return ctx.Err()
		}
		<-u.done
	}
	if u.panicked != nil {
		panic(u.panicked)
	}
	return u.err
}

// View implements intake.Store. It never waits for a writer.
func (s *Store) View(ctx context.Context, fn func(intake.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.views.Done()
	start := time.Now()
	defer func() { s.noteView(time.Since(start), fn) }()
	btx, err := s.db.Begin(false)
	if err != nil {
		return fmt.Errorf("begin view: %w", err)
	}
	defer func() { _ = btx.Rollback() }()
	tx := &txn{buckets: &buckets{btx: btx}, now: s.o.Now}
	defer func() { tx.over = true }()
	return fn(tx)
}

// enter notes a reader that Close must wait for.
func (s *Store) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return intake.ErrClosed
	}
	s.views.Add(1)
	return nil
}

func (s *Store) noteView(took time.Duration, fn func(intake.Tx) error) {
	s.viewsCount.Add(1)
	for {
		longest := s.longest.Load()
		if int64(took) <= longest || s.longest.CompareAndSwap(longest, int64(took)) {
			break
		}
	}
	if took > longView {
		s.o.Log.Warn("a view took long and kept freed pages from use", "took", took, "view", funcName(fn))
	}
}

func funcName(fn any) string {
	if f := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()); f != nil {
		return f.Name()
	}
	return "unknown"
}

// Close waits for the Updates and Views that have begun, marks the file as left in good
// order and releases it. What comes later returns intake.ErrClosed. It may be called again.
func (s *Store) Close() error {
	s.closing.Do(func() { s.ended = s.close() })
	return s.ended
}

func (s *Store) close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.signal()
	<-s.written
	s.views.Wait()
	s.verifying()
	<-s.verified
	var errs []error
	if s.failure() == nil && s.damage.Load() == nil {
		errs = append(errs, s.db.Update(func(btx *bolt.Tx) error { return setClean(btx, true) }))
	}
	s.releaseOwner()
	errs = append(errs, s.db.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close %s: %w", s.o.Path, err)
	}
	return nil
}

func (s *Store) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// logger returns l, or one that says nothing.
func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}
