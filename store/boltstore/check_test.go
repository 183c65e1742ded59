package boltstore

import (
	"errors"
	"fmt"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
)

func TestCheckFindsAnyEntryThatIsMissingChangedOrTooMany(t *testing.T) {
	for name := range related() {
		for what, change := range map[string]func(b *bolt.Bucket, k, v []byte) error{
			"missing": func(b *bolt.Bucket, k, _ []byte) error { return b.Delete(k) },
			"too many": func(b *bolt.Bucket, k, v []byte) error {
				return b.Put(append(append([]byte{}, k...), 'x'), append([]byte{}, v...))
			},
			"changed": func(b *bolt.Bucket, k, v []byte) error {
				return b.Put(append([]byte{}, k...), append(append([]byte{}, v...), 'x'))
			},
		} {
			t.Run(fmt.Sprintf("%s %s", tableNames[name], what), func(t *testing.T) {
				path := filled(t, true)
				s, err := Open(Options{Path: path, noSync: true})
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = s.Close() }()
				if err := s.Check(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := s.db.Update(func(btx *bolt.Tx) error {
					bs := &buckets{btx: btx}
					c := bs.cursor(name)
					if k, _ := c.seek(nil); k == nil {
						t.Fatal("the table is empty")
					}
					k, v := c.c.Seek([]byte{name.tag()})
					return change(bs.of(name), k, v)
				}); err != nil {
					t.Fatal(err)
				}
				if err := s.Check(t.Context()); !errors.Is(err, ErrDamaged) {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// related yields the tables that Check compares with others. Records and counters
// depend on nothing.
func related() map[table]bool {
	ts := map[table]bool{}
	for t := range tableRec {
		ts[t] = true
	}
	return ts
}

func TestKeysThatHoldSeparatorsAreNotMistaken(t *testing.T) {
	s := open(t)
	odd := []string{"a", "a\x00", "a\x00b", "\x00", "\x00\x00", "a\x01", ""}
	if err := s.Update(t.Context(), func(tx intake.Tx) error {
		for i, k := range odd {
			r := intake.Registration{Number: "n" + k, Seq: uint64(i + 1), Revision: 1, Status: intake.StatusSubmitted, Identity: []string{k}}
			if err := errors.Join(
				tx.PutCase(r), tx.PutRecord(k, "b", []byte(k)), tx.PutRecord("s", k, nil),
				tx.Enqueue(intake.Task{Key: "t" + k, Lane: intake.Lane("l" + k), Case: k}),
			); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), func(tx intake.Tx) error {
		for i, k := range odd {
			rs, err := tx.CasesByKey(k, 9)
			if err != nil || len(rs) != 1 || rs[0].Seq != uint64(i+1) {
				t.Errorf("cases by %q: %v, %v", k, rs, err)
			}
			es, err := tx.ScanRecords(k, "", "", 9)
			if err != nil || len(es) != 1 && k != "s" || string(es[0].Value) != k {
				t.Errorf("records of %q: %v, %v", k, es, err)
			}
			ts, err := tx.Claim(intake.Lane("l"+k), time.Now(), 1, 9)
			if err != nil || len(ts) != 1 || ts[0].Case != k {
				t.Errorf("tasks of %q: %v, %v", k, ts, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
