package boltstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
)

func TestABackupTakenUnderLoadIsWhole(t *testing.T) {
	s := open(t)
	path := filepath.Join(t.TempDir(), "backup.db")
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if err := s.Update(t.Context(), acceptance(fmt.Sprintf("%d-%d", w, i))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 5 {
		if err := s.Update(t.Context(), put("before")); err != nil {
			t.Fatal(err)
		}
		if err := s.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		b, err := Open(Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if !has(t, b, "before") {
			t.Error("what was answered before the backup is not in it")
		}
		if err := errors.Join(b.Check(t.Context()), b.Close()); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestABackupThatFailsLeavesTheOlderOne(t *testing.T) {
	s := open(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "backup.db")
	if err := os.WriteFile(path, []byte("older"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "older" {
		t.Error("the older one is gone")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if err := s.Backup(t.Context(), s.o.Path); err == nil || !strings.Contains(err.Error(), "this is the store itself") {
		t.Errorf("onto itself: got %v", err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, "none", "b.db")); err == nil {
		t.Error("into a directory that is not there: no error")
	}
}

func TestADamagedStoreIsNotBackedUp(t *testing.T) {
	s, err := Open(Options{Path: filled(t, true), noSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.db.Update(func(btx *bolt.Tx) error {
		bs := &buckets{btx: btx}
		return bs.of(tableCaseNo).Delete(bs.key(tableCaseNo, []byte("LG-000001")))
	}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := s.Backup(t.Context(), path); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("there is a backup")
	}
}

func TestAClosedStoreIsNotBackedUpOrChecked(t *testing.T) {
	s := open(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "b")); !errors.Is(err, intake.ErrClosed) {
		t.Errorf("backup: %v", err)
	}
	if err := s.Check(t.Context()); !errors.Is(err, intake.ErrClosed) {
		t.Errorf("check: %v", err)
	}
	if s.Stats() != (Stats{}) {
		t.Errorf("stats: %+v", s.Stats())
	}
}
