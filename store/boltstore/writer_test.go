package boltstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	berrors "go.etcd.io/bbolt/errors"

	"leadgate/intake"
)

func put(key string) func(intake.Tx) error {
	return func(tx intake.Tx) error { return tx.PutRecord("s", key, []byte(key)) }
}

func has(t *testing.T, s *Store, key string) bool {
	t.Helper()
	var err error
	if e := s.View(t.Context(), func(tx intake.Tx) error { _, err = tx.Record("s", key); return nil }); e != nil {
		t.Fatal(e)
	}
	return err == nil
}

// asGroup has the writer meet all fns at once, and returns what Update answered to each.
func asGroup(t *testing.T, s *Store, fns ...func(intake.Tx) error) []error {
	t.Helper()
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	once := sync.OnceFunc(func() { close(held) })
	wg.Go(func() { _ = s.Update(t.Context(), func(intake.Tx) error { once(); <-hold; return nil }) })
	<-held
	errs := make([]error, len(fns))
	for i, fn := range fns {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					errs[i] = fmt.Errorf("panic: %v", p)
				}
			}()
			errs[i] = s.Update(t.Context(), fn)
		})
		for queued := 0; queued <= i; runtime.Gosched() {
			s.mu.Lock()
			queued = len(s.queue)
			s.mu.Unlock()
		}
	}
	close(hold)
	wg.Wait()
	return errs
}

func open(t *testing.T) *Store {
	return mustOpen(t, Options{Path: filepath.Join(t.TempDir(), "store.db"), noSync: true})
}

func TestFnsThatWaitShareOneCommit(t *testing.T) {
	s := open(t)
	before := s.Stats().Commits
	for i, err := range asGroup(t, s, put("a"), put("b"), put("c")) {
		if err != nil {
			t.Errorf("fn %d: %v", i, err)
		}
	}
	if n := s.Stats().Commits - before; n != 1 {
		t.Errorf("%d commits", n)
	}
}

func TestWhoFailsAfterItWroteIsAloneInFailing(t *testing.T) {
	s := open(t)
	errNo := errors.New("no")
	runs := 0
	errs := asGroup(
		t, s,
		func(tx intake.Tx) error { runs++; return put("a")(tx) },
		func(tx intake.Tx) error { return errors.Join(put("bad1")(tx), errNo) },
		put("b"),
		func(tx intake.Tx) error { _ = put("bad2")(tx); panic("oh") },
		func(tx intake.Tx) error { return errNo },
		func(tx intake.Tx) error { // the neighbour's write is there, the failed ones' are not
			_, err := tx.Record("s", "a")
			_, err1 := tx.Record("s", "bad1")
			_, err2 := tx.Record("s", "bad2")
			if err != nil || err1 == nil || err2 == nil {
				return fmt.Errorf("saw %v, %v, %v", err, err1, err2)
			}
			return put("c")(tx)
		},
	)
	want := []string{"<nil>", "no", "<nil>", "panic: oh", "no", "<nil>"}
	for i, err := range errs {
		if fmt.Sprint(err) != want[i] {
			t.Errorf("fn %d: got %v, want %v", i, err, want[i])
		}
	}
	if !has(t, s, "a") || !has(t, s, "b") || !has(t, s, "c") || has(t, s, "bad1") || has(t, s, "bad2") {
		t.Error("not exactly the good ones were kept")
	}
	if runs != 3 {
		t.Errorf("the first ran %d times, want once and once for each that failed", runs)
	}
}

func TestAFnThatEndsItsGoroutineDoesNotStopTheStore(t *testing.T) {
	s := open(t)
	errs := asGroup(t, s, put("a"), func(tx intake.Tx) error { _ = put("bad")(tx); runtime.Goexit(); return nil }, put("b"))
	if errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("got %v", errs)
	}
	if !has(t, s, "a") || has(t, s, "bad") || !has(t, s, "b") {
		t.Error("not exactly the good ones were kept")
	}
}

func TestNothingIsCommittedWhenNothingWasWritten(t *testing.T) {
	s := open(t)
	before := s.Stats().Commits
	for range 3 {
		if err := s.Update(t.Context(), func(tx intake.Tx) error {
			_ = tx.DeleteRecord("s", "none")
			return tx.Cancel("none")
		}); err != nil {
			t.Error(err)
		}
	}
	if n := s.Stats().Commits - before; n != 0 {
		t.Errorf("%d commits", n)
	}
}

func TestWhoGivesUpWhileWaitingIsNotRun(t *testing.T) {
	s := open(t)
	hold, held := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Update(t.Context(), func(intake.Tx) error { close(held); <-hold; return nil }) })
	<-held
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() {
		if err := s.Update(ctx, put("late")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		close(hold) // the writer was still busy
	})
	cancel()
	wg.Wait()
	if has(t, s, "late") {
		t.Error("it was run")
	}
}

func TestUpdateDoesNotReturnWhileItsFnRuns(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	returned := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(returned)
		if err := s.Update(ctx, func(tx intake.Tx) error {
			cancel()
			select {
			case <-returned:
				t.Error("it returned")
			case <-time.After(20 * time.Millisecond): // long enough for one that would
			}
			return put("k")(tx)
		}); err != nil {
			t.Errorf("got %v", err)
		}
	})
	wg.Wait()
	if !has(t, s, "k") {
		t.Error("it was not kept")
	}
}

func TestCloseWaitsForThoseWhoWaitForTheWriter(t *testing.T) {
	s := open(t)
	var wg sync.WaitGroup
	errs := asGroup(t, s, put("a"), func(intake.Tx) error {
		wg.Go(func() { // for the next group
			if err := s.Update(t.Context(), put("b")); err != nil {
				t.Errorf("update: %v", err)
			}
		})
		for queued := 0; queued == 0; runtime.Gosched() {
			s.mu.Lock()
			queued = len(s.queue)
			s.mu.Unlock()
		}
		wg.Go(func() {
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
		for closed := false; !closed; runtime.Gosched() {
			s.mu.Lock()
			closed = s.closed
			s.mu.Unlock()
		}
		return nil
	}, put("c"))
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("fn %d: %v", i, err)
		}
	}
	s = mustOpen(t, s.o)
	if !has(t, s, "a") || !has(t, s, "b") || !has(t, s, "c") {
		t.Error("not all were kept")
	}
}

func TestEveryCommitIsSynced(t *testing.T) {
	s := mustOpen(t, Options{Path: filepath.Join(t.TempDir(), "store.db")})
	if s.db.NoSync || s.db.NoGrowSync || !s.db.NoFreelistSync {
		t.Errorf("NoSync %v, NoGrowSync %v, NoFreelistSync %v", s.db.NoSync, s.db.NoGrowSync, s.db.NoFreelistSync)
	}
}

func TestAnErrorThatFnHidesIsNotCommitted(t *testing.T) {
	s := open(t)
	err := s.Update(t.Context(), func(tx intake.Tx) error {
		_ = put("half")(tx)
		_ = put(strings.Repeat("k", 40_000))(tx)
		return nil
	})
	if !errors.Is(err, berrors.ErrKeyTooLarge) {
		t.Errorf("got %v", err)
	}
	if has(t, s, "half") {
		t.Error("half of it was kept")
	}
}

func TestAFullStoreSaysSoAndGoesOn(t *testing.T) {
	s := mustOpen(t, Options{Path: filepath.Join(t.TempDir(), "store.db"), MaxSize: 1 << 20, InitialMmapSize: 1 << 16, noSync: true})
	big := make([]byte, 2000)
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = s.Update(t.Context(), func(tx intake.Tx) error { return tx.PutRecord("s", fmt.Sprint(n), big) })
	}
	if !errors.Is(err, intake.ErrFull) {
		t.Fatalf("after %d: got %v", n, err)
	}
	if has(t, s, fmt.Sprint(n-1)) || !has(t, s, "0") {
		t.Error("not exactly what was answered is there")
	}
	for i := range 40 {
		if err := s.Update(t.Context(), func(tx intake.Tx) error { return tx.DeleteRecord("s", fmt.Sprint(i)) }); err != nil {
			t.Fatalf("delete: %v", err)
		}
	}
	if err := s.Update(t.Context(), put("small")); err != nil {
		t.Errorf("after making room: %v", err)
	}
}

func TestAFailedWriteStopsTheStoreUntilItIsOpenedAgain(t *testing.T) {
	o := Options{Path: filepath.Join(t.TempDir(), "store.db")}
	var file *os.File
	o.openFile = func(name string, flag int, mode os.FileMode) (f *os.File, err error) {
		f, err = os.OpenFile(name, flag, mode)
		if file == nil {
			file = f
		}
		return f, err
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), put("kept")); err != nil {
		t.Fatal(err)
	}
	_ = file.Close() // the disk goes away
	for i, err := range asGroup(t, s, put("lost"), func(intake.Tx) error { return intake.ErrNotFound }) {
		if !errors.Is(err, ErrFailed) {
			t.Errorf("fn %d: got %v", i, err)
		}
	}
	if err := s.Update(t.Context(), put("later")); !errors.Is(err, ErrFailed) {
		t.Errorf("got %v", err)
	}
	if s.Stats().Failed == nil {
		t.Error("the figures do not show it")
	}
	_ = s.Close()
	o.openFile = nil
	s = mustOpen(t, o)
	if !has(t, s, "kept") || has(t, s, "later") {
		t.Error("not exactly what was answered is there")
	}
}

func TestOnlyWantOfRoomIsCalledFull(t *testing.T) {
	for _, c := range []struct {
		err  error
		full bool
	}{
		{berrors.ErrMaxSizeReached, true},
		{fmt.Errorf("allocate: %w", berrors.ErrMaxSizeReached), true},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, true},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EDQUOT}, true},
		{errors.New("file resize error: truncate x: no space left on device"), true},
		{errors.New("file sync error: sync x: no space left on device"), false},
		{syscall.ENOSPC, false}, // from fsync
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.EIO}, false},
	} {
		if isFull(c.err) != c.full {
			t.Errorf("%v: full is %v", c.err, !c.full)
		}
	}
}
