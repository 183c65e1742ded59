package boltstore

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/intake"
)

// BenchmarkUpdate measures how many accepted submissions a second the store takes, each one
// case, one event, two tasks and two records, and beside it in the same run what bbolt
// takes when the same number of bytes is put under three keys, without any layout, in a
// group commit of the same kind. Slices of both alternate, because the speed of a disk
// drifts. The ratio is the cost of the store.
func BenchmarkUpdate(b *testing.B) {
	for _, callers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) { benchUpdate(b, callers) })
	}
}

func benchUpdate(b *testing.B, callers int) {
	dir := b.TempDir()
	s := mustOpen(b, Options{Path: filepath.Join(dir, "store.db")})
	bare := newBareGroup(b, filepath.Join(dir, "bare.db"))
	var n atomic.Uint64
	const slices = 10
	per := max(callers, b.N/slices)
	var ours, theirs time.Duration
	done := 0
	b.ResetTimer()
	for done < b.N {
		ours += spread(callers, per, func() { accept(b, s, n.Add(1)) })
		theirs += spread(callers, per, func() { bare.accept(b, n.Add(1)) })
		done += per
	}
	b.StopTimer()
	st := s.Stats()
	b.ReportMetric(float64(done)/ours.Seconds(), "store/s")
	b.ReportMetric(float64(done)/theirs.Seconds(), "bare/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "ratio")
	b.ReportMetric(float64(st.Updates)/float64(st.Commits), "fns/commit")
	b.ReportMetric(float64(done)/float64(bare.commits), "bare-fns/commit")
	b.ReportMetric(0, "ns/op")
}

// spread runs fn n times in all, from several goroutines.
func spread(callers, n int, fn func()) time.Duration {
	start := time.Now()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				fn()
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

var (
	benchText  = strings.Repeat("They want to replace their old system before the summer. ", 20)
	benchClaim = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
)

func benchCase(n uint64) intake.Registration {
	return intake.Registration{
		Number: fmt.Sprintf("LG-%08d", n), Seq: n, Revision: 1, Status: intake.StatusSubmitted,
		Partner: "acme", Contact: "jo@acme.example", Strength: intake.StrengthDomain, Channel: "mailbox",
		Claim: benchClaim, Accepted: benchClaim, Updated: benchClaim,
		Lead: intake.Lead{
			intake.FieldCompanyName: "Example GmbH", intake.FieldCountry: "DE",
			intake.FieldContactEmail: "eva@example.com", intake.FieldProblem: benchText,
		},
		Identity: []string{fmt.Sprintf("domain:%x.example", n*0x9e3779b97f4a7c15)},
		Reply:    intake.Route{Channel: "mailbox", Address: "jo@acme.example"},
		Events:   1,
	}
}

// accept writes what the pipeline writes for one accepted submission.
func accept(b *testing.B, s *Store, n uint64) {
	r := benchCase(n)
	if err := s.Update(context.Background(), func(tx intake.Tx) error {
		if err := tx.PutCase(r); err != nil {
			return err
		}
		if err := tx.AppendEvent(intake.Event{Case: r.Number, N: 1, At: benchClaim, Kind: intake.EventAccepted, Actor: "partner:acme"}); err != nil {
			return err
		}
		for _, lane := range []intake.Lane{intake.LaneCheck, intake.LaneTimer} {
			if err := tx.Enqueue(intake.Task{Key: string(lane) + ":" + r.Number, Lane: lane, Case: r.Number, Due: benchClaim}); err != nil {
				return err
			}
		}
		if err := tx.PutRecord("source", fmt.Sprintf("imap/box/INBOX/1/%d", n), []byte(r.Number)); err != nil {
			return err
		}
		return tx.PutRecord("content", fmt.Sprintf("%x", n*0xd6e8feb86659fd93), []byte(r.Number))
	}); err != nil {
		b.Error(err)
	}
}

// bareGroup is a group commit over bbolt and nothing else.
type bareGroup struct {
	queue   chan barePut
	commits int
}

type barePut struct {
	n    uint64
	done chan error
}

// bareBytes is about what accept writes: the case, the event, two tasks, two records.
const bareBytes = 1500 + 200 + 2*150 + 2*40

func newBareGroup(b *testing.B, path string) *bareGroup {
	db, err := bolt.Open(path, 0o600, Options{InitialMmapSize: 1 << 30}.bolt())
	if err != nil {
		b.Fatal(err)
	}
	if err := db.Update(func(btx *bolt.Tx) error {
		for _, name := range []string{"case", "key", "task"} {
			if _, err := btx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	g := &bareGroup{queue: make(chan barePut, 1024)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		g.write(db)
	}()
	b.Cleanup(func() {
		close(g.queue)
		<-ended
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	return g
}

func (g *bareGroup) write(db *bolt.DB) {
	for first := range g.queue {
		group := []barePut{first}
		for more := true; more && len(group) < maxGroup; {
			select {
			case p, ok := <-g.queue:
				if more = ok; ok {
					group = append(group, p)
				}
			default:
				more = false
			}
		}
		err := db.Update(func(btx *bolt.Tx) error {
			for _, p := range group {
				if err := putBare(btx, p.n); err != nil {
					return err
				}
			}
			return nil
		})
		g.commits++
		for _, p := range group {
			p.done <- err
		}
	}
}

// putBare writes the record, a claim under a random key and an outbox entry.
func putBare(btx *bolt.Tx, n uint64) error {
	const small = 150
	for name, kv := range map[string][2][]byte{
		"case": {uintKey(n), make([]byte, bareBytes-2*small)},
		"key":  {uintKey(n * 0x9e3779b97f4a7c15), make([]byte, small)},
		"task": {uintKey(n), make([]byte, small)},
	} {
		if err := btx.Bucket([]byte(name)).Put(kv[0], kv[1]); err != nil {
			return err
		}
	}
	return nil
}

func (g *bareGroup) accept(b *testing.B, n uint64) {
	p := barePut{n, make(chan error, 1)}
	g.queue <- p
	if err := <-p.done; err != nil {
		b.Error(err)
	}
}

// TestTheBareGroupWritesAsMuchAsTheStore keeps the comparison of BenchmarkUpdate fair.
func TestTheBareGroupWritesAsMuchAsTheStore(t *testing.T) {
	s := mustOpen(t, Options{Path: filepath.Join(t.TempDir(), "store.db"), noSync: true})
	accept(nil, s, 1)
	size := 0
	if err := s.db.View(func(btx *bolt.Tx) error {
		bs := &buckets{btx: btx}
		for _, b := range []table{tableCase, tableEvent, tableTask, tableRec} {
			c := bs.cursor(b)
			for k, v := c.seek(nil); k != nil; k, v = c.next() {
				size += len(k) + len(v)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if size < bareBytes*9/10 || size > bareBytes*12/10 {
		t.Errorf("the store writes %d bytes, the bare group %d", size, bareBytes)
	}
}
