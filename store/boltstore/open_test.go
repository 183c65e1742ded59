package boltstore

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
)

// filled returns the path of a closed store that holds something in every table.
func filled(t *testing.T, clean bool) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := Open(Options{Path: path, noSync: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		if err := s.Update(t.Context(), acceptance(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Update(t.Context(), func(tx intake.Tx) error {
		if err := tx.AppendEvent(intake.Event{Case: "LG-000001", N: 2, Kind: intake.EventMoved}); err != nil {
			return err
		}
		ts, err := tx.Claim(intake.LaneCheck, time.Now(), time.Minute, 3)
		if err != nil {
			return err
		}
		return tx.Park(ts[0], "why")
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !clean {
		tamper(t, path, func(btx *bolt.Tx) error { return setClean(btx, false) })
	}
	return path
}

// tamper changes a closed store behind its back.
func tamper(t *testing.T, path string, fn func(btx *bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, Options{}.bolt())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(fn), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func openError(t *testing.T, o Options) string {
	t.Helper()
	s, err := Open(o)
	if err == nil {
		_ = s.Close()
		t.Fatal("it was opened")
	}
	return err.Error()
}

func TestASecondProcessIsToldWhoHasTheStoreOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	s, err := Open(Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	msg := openError(t, Options{Path: path, Timeout: time.Millisecond})
	if want := fmt.Sprintf("another leadgate (pid %d, since 2", os.Getpid()); !strings.Contains(msg, want) || !strings.Contains(msg, path+" open") {
		t.Errorf("got %q, want %q", msg, want)
	}
	if err := os.Remove(ownerPath(path)); err != nil {
		t.Fatal(err)
	}
	if msg := openError(t, Options{Path: path, Timeout: time.Millisecond}); !strings.Contains(msg, "another process has "+path+" open") {
		t.Errorf("without the file: got %q", msg)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestAStoreIsReadableByItsOwnerOnly(t *testing.T) {
	path := filled(t, true)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

func TestAStoreOfANewerReleaseIsRefusedAndLeftAsItIs(t *testing.T) {
	path := filled(t, true)
	tamper(t, path, func(btx *bolt.Tx) error {
		return btx.Bucket([]byte(bucketNames[bucketMeta])).Put(keySchema, []byte("2"))
	})
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if msg := openError(t, Options{Path: path}); !strings.Contains(msg, "a newer leadgate wrote this store (layout 2, this release knows 1)") {
		t.Errorf("got %q", msg)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Error("the file was changed")
	}
}

func TestWhatIsNoStoreIsRefused(t *testing.T) {
	dir := t.TempDir()
	empty, text, other := filepath.Join(dir, "empty"), filepath.Join(dir, "text"), filepath.Join(dir, "other")
	for path, content := range map[string]string{empty: "", text: strings.Repeat("text ", 9999)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tamper(t, other, func(*bolt.Tx) error { return nil })
	for path, want := range map[string]string{
		empty:                              "there is an empty file of that name",
		text:                               "restore the latest backup",
		other:                              "this is no store of leadgate",
		filepath.Join(dir, "none", "here"): "no such file or directory",
	} {
		if msg := openError(t, Options{Path: path}); !strings.Contains(msg, want) {
			t.Errorf("%s: got %q, want %q", path, msg, want)
		}
	}
}

func TestDamageIsFoundBeforeAStoreIsUsed(t *testing.T) {
	for name, clean := range map[string]bool{"closed in good order": true, "not closed": false} {
		t.Run(name, func(t *testing.T) { checkDamageIsFound(t, filled(t, clean)) })
	}
}

func checkDamageIsFound(t *testing.T, path string) {
	t.Helper()
	size, reachable := reachablePages(t, path)
	if len(reachable) < 20 {
		t.Fatalf("only %d pages", len(reachable))
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	wantDamaged := func(what string) {
		s, err := Open(Options{Path: path})
		if err == nil {
			_ = s.Close()
			t.Fatalf("%s: opened", what)
		}
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "restore the latest backup") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	for _, id := range reachable {
		for what, damage := range map[string]func(page []byte){
			"zeroed":           func(page []byte) { clear(page) },
			"of another id":    func(page []byte) { page[0] ^= 1 },
			"of other flags":   func(page []byte) { page[8] ^= 0x80 },
			"of more elements": func(page []byte) { page[10], page[11] = 0xff, 0xff },
		} {
			whole, at := make([]byte, size), int64(id*size)
			if _, err := f.ReadAt(whole, at); err != nil {
				t.Fatal(err)
			}
			bad := bytes.Clone(whole)
			damage(bad)
			if _, err := f.WriteAt(bad, at); err != nil {
				t.Fatal(err)
			}
			wantDamaged(fmt.Sprintf("page %d %s", id, what))
			if _, err := f.WriteAt(whole, at); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.Truncate(int64(8 * size)); err != nil {
		t.Fatal(err)
	}
	wantDamaged("cut short")
}

// reachablePages returns the page size and the pages in use.
func reachablePages(t *testing.T, path string) (size int, ids []int) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, PreLoadFreelist: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.View(func(btx *bolt.Tx) error {
		size = db.Info().PageSize
		for id := 2; ; id++ {
			info, err := btx.Page(id)
			if err != nil || info == nil {
				return err
			}
			if info.Type == "leaf" || info.Type == "branch" {
				ids = append(ids, id)
			}
			// What a free page says of pages that follow it is of its earlier life.
			if info.Type != "free" {
				id += info.OverflowCount
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return size, ids
}

func TestAStoreThatWasNotClosedIsCheckedAndThenUsed(t *testing.T) {
	path := filled(t, false)
	var log strings.Builder
	s := mustOpen(t, Options{Path: path, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if !strings.Contains(log.String(), "it was checked and is intact") {
		t.Errorf("log: %s", log.String())
	}
	if err := s.Update(t.Context(), put("k")); err != nil {
		t.Error(err)
	}
}

func TestALongCheckGoesOnBesideTheWriter(t *testing.T) {
	path := filled(t, false)
	s := mustOpen(t, Options{Path: path, VerifyTime: time.Nanosecond})
	for i := range 20 {
		if err := s.Update(t.Context(), put(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	<-s.verified
	if err := s.Stats().Damaged; err != nil {
		t.Error(err)
	}
}

func TestACheckThatWasNotFinishedIsBegunAnewByTheNextStart(t *testing.T) {
	path := filled(t, false)
	s, err := Open(Options{Path: path, VerifyTime: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	<-s.verified
	unknown := errors.New("cut short")
	s.damage.Store(&unknown)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if v, err := inspect(Options{Path: path}.withDefaults()); err != nil || v != intact {
		t.Errorf("got %v, %v", v, err)
	}
}

func TestAStoreThatWasClosedIsNotCheckedAgain(t *testing.T) {
	o := Options{Path: filled(t, true)}.withDefaults()
	if v, err := inspect(o); err != nil || v != leftClean {
		t.Errorf("after closing: got %v, %v", v, err)
	}
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	live := filepath.Join(t.TempDir(), "copy.db")
	if err := s.Backup(t.Context(), live); err != nil {
		t.Fatal(err)
	}
	o.Path = live
	if v, err := inspect(o); err != nil || v != intact {
		t.Errorf("as it is while open: got %v, %v", v, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAnOpenFailingLateReleasesTheStore(t *testing.T) {
	path := filled(t, true)
	if err := os.Mkdir(ownerPath(path), 0o700); err != nil { // the owner cannot be written
		t.Fatal(err)
	}
	openError(t, Options{Path: path})
	if err := os.Remove(ownerPath(path)); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, Options{Path: path})
}

func TestOfSeveralWhoCreateAStoreOneDoes(t *testing.T) {
	for range 20 {
		o := Options{Path: filepath.Join(t.TempDir(), "store.db"), noSync: true}.withDefaults()
		var wg sync.WaitGroup
		files := make([]os.FileInfo, 4)
		for i := range files {
			wg.Go(func() {
				err := create(o)
				if err == nil {
					files[i], err = os.Stat(o.Path)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, f := range files[1:] {
			if !os.SameFile(f, files[0]) {
				t.Fatal("one replaced the file of another")
			}
		}
	}
}
