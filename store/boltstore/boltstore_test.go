package boltstore

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"leadgate/intake"
	"leadgate/store/storetest"
)

func TestMain(m *testing.M) {
	runChild() // does not return in a child process
	goleak.VerifyTestMain(m)
}

func TestTheStoreKeepsItsPromises(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		o := Options{Path: filepath.Join(t.TempDir(), "store.db"), noSync: true}
		s := mustOpen(t, o)
		return storetest.Harness{Store: s, Reopen: func() intake.Store {
			if err := s.Check(t.Context()); err != nil && !errors.Is(err, intake.ErrClosed) {
				t.Errorf("check: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			s = mustOpen(t, o)
			return s
		}}
	})
}

// mustOpen opens a store that is checked and closed at the end of the test, if it is still
// open.
func mustOpen(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Check(context.Background()); err != nil && !errors.Is(err, intake.ErrClosed) {
			t.Errorf("check: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}
