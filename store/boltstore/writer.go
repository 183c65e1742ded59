package boltstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"

	berrors "go.etcd.io/bbolt/errors"

	"leadgate/intake"
)

// maxGroup is how many fns share a commit at most. Larger groups gain little and make the
// first of them wait for the last.
const maxGroup = 512

// update is one call of Update on its way through the writer.
type update struct {
	ctx   context.Context
	fn    func(intake.Tx) error
	taken atomic.Bool   // by the writer, or by a caller that gave up
	done  chan struct{} // closed when the fields below are final

	out      bool // failed after it wrote: not run again
	err      error
	panicked any
}

// claim reports whether the caller is the first who wants u.
func (u *update) claim() bool { return u.taken.CompareAndSwap(false, true) }

func (s *Store) enqueue(u *update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return intake.ErrClosed
	case s.failed != nil:
		return s.failed
	}
	s.queue = append(s.queue, u)
	if len(s.queue) == 1 {
		s.signal()
	}
	return nil
}

func (s *Store) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns what waits, nothing once the store is closed and all is written.
func (s *Store) take() []*update {
	for {
		s.mu.Lock()
		n := min(len(s.queue), maxGroup)
		group := s.queue[:n:n]
		s.queue = s.queue[n:]
		if n == 0 {
			s.queue = nil
		}
		closed := s.closed
		s.mu.Unlock()
		if n > 0 || closed {
			return group
		}
		<-s.wake
	}
}

// gather lets the callers that were just answered queue what they have next, as long as
// some do, so that groups do not fall apart in two that take turns. It waits for nobody.
func (s *Store) gather() {
	queued := -1
	for {
		runtime.Gosched()
		s.mu.Lock()
		n := len(s.queue)
		s.mu.Unlock()
		if n <= queued || n >= maxGroup {
			return
		}
		queued = n
	}
}

// write is the writer goroutine. It ends when the store is closed.
func (s *Store) write() {
	ended := false
	defer func() {
		if !ended { // a fn ended its goroutine, which is this one
			go s.write()
		}
	}()
	for {
		if s.group == nil {
			s.group = s.pick(s.take())
		}
		if len(s.group) > 0 {
			for !s.attempt() {
			}
			s.answer()
			s.gather()
		}
		s.group = nil
		s.mu.Lock()
		ended = s.closed && len(s.queue) == 0
		s.mu.Unlock()
		if ended {
			close(s.written)
			return
		}
	}
}

// pick keeps those whose callers still wait.
func (s *Store) pick(group []*update) []*update {
	kept := group[:0]
	for _, u := range group {
		if !u.claim() {
			continue
		}
		if u.err = u.ctx.Err(); u.err != nil {
			close(u.done)
			continue
		}
		kept = append(kept, u)
	}
	return kept
}

func (s *Store) answer() {
	for _, u := range s.group {
		close(u.done)
	}
	s.updates.Add(uint64(len(s.group)))
}

// attempt runs the group in one transaction. It reports false if the group must be run
// again, without the fn that failed after it wrote.
func (s *Store) attempt() bool {
	if err := s.failure(); err != nil {
		s.fail(err)
		return true
	}
	btx, err := s.db.Begin(true)
	if err != nil {
		s.fail(s.stop(err))
		return true
	}
	defer func() { _ = btx.Rollback() }() // no effect after a commit
	wrote := false
	bs := &buckets{btx: btx}
	for _, u := range s.group {
		if u.out {
			continue
		}
		tx := &txn{buckets: bs, now: s.o.Now, writable: true}
		s.call(u, tx)
		if u.err == nil && tx.broken != nil {
			u.err = tx.broken // fn hid the error; what it wrote is not whole
		}
		switch {
		case u.err == nil:
			wrote = wrote || tx.wrote
		case tx.wrote:
			u.out = true
			return false
		}
	}
	if !wrote {
		return true
	}
	if err := btx.Commit(); err != nil {
		s.fail(s.refused(err))
		return true
	}
	s.commits.Add(1)
	return true
}

// call runs the fn of u, and keeps its panic for the caller.
func (s *Store) call(u *update, tx *txn) {
	returned := false
	defer func() {
		tx.over = true
		if returned {
			return
		}
		u.out = true
		u.err = errors.New("fn did not return")
		// Nothing to recover means that fn called runtime.Goexit, which cannot be
		// stopped: write starts anew.
		if p := recover(); p != nil {
			u.panicked = p
			s.o.Log.Error("a transaction panicked and was rolled back", "panic", p, "stack", string(debug.Stack()))
			tx.wrote = true // whatever it did, take no chances
		}
	}()
	u.err, u.panicked = nil, nil
	u.err = u.fn(tx)
	returned = true
}

// fail gives err to the whole group, also to fns that returned an error of their own: it
// may rest on what others wrote and could not keep.
func (s *Store) fail(err error) {
	for _, u := range s.group {
		u.err = err
	}
}

// refused returns what callers are told of a failed commit: that the store is full, which
// passes, or that it can no longer be trusted.
func (s *Store) refused(err error) error {
	if isFull(err) {
		return fmt.Errorf("%w: %w", intake.ErrFull, err)
	}
	return s.stop(err)
}

// stop makes err the reason why every later Update fails.
func (s *Store) stop(err error) error {
	err = fmt.Errorf("%w: %w", ErrFailed, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
		s.o.Log.Error("the store cannot write any more", "path", s.o.Path, "err", err)
	}
	return s.failed
}

// isFull reports whether a commit failed for want of room, before anything of it counted.
// A bare errno comes from fsync: what it leaves behind is unknown, so that is no such case.
func isFull(err error) bool {
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		return true
	}
	for _, full := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		var at *fs.PathError
		if errors.As(err, &at) && errors.Is(at, full) {
			return true
		}
		// bbolt does not wrap the error of growing the file.
		if msg := err.Error(); strings.HasPrefix(msg, "file resize error") && strings.Contains(msg, full.Error()) {
			return true
		}
	}
	return false
}
