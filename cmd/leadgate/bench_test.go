package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"leadgate/cmd/internal/app"
	"leadgate/cmd/internal/demo"
	"leadgate/intake"
)

// BenchmarkAccept prints what a durable acceptance costs beside bare group commits of the
// same bytes into bbolt, taken in turns in the same run, and its latency in multiples of
// one fsync on the same disk.
func BenchmarkAccept(b *testing.B) {
	for _, writers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			gateway, bytesEach := openGateway(b)
			bare := newBareStore(b, bytesEach)
			one := fsyncTime(b)
			b.ResetTimer()
			var ours, theirs []float64
			var latencies []time.Duration
			for round := 0; b.Loop(); round++ {
				const span = 500 * time.Millisecond
				rate, took := drive(writers, span, func(n uint64) error {
					_, err := gateway.Accept(context.Background(), benchSubmission(uint64(round)<<32|n))
					return err
				})
				ours, latencies = append(ours, rate), append(latencies, took...)
				rate, _ = drive(writers, span, bare.put)
				theirs = append(theirs, rate)
			}
			slices.Sort(latencies)
			fsyncs := func(q float64) float64 {
				return float64(latencies[int(q*float64(len(latencies)-1))]) / float64(one)
			}
			b.ReportMetric(median(ours), "accepted/s")
			b.ReportMetric(median(theirs), "bare/s")
			b.ReportMetric(median(ours)/median(theirs), "of-bare")
			b.ReportMetric(fsyncs(0.5), "p50-fsyncs")
			b.ReportMetric(fsyncs(0.99), "p99-fsyncs")
			b.ReportMetric(float64(bytesEach), "bytes-each")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// drive calls fn from a number of goroutines for a span of time.
func drive(writers int, span time.Duration, fn func(n uint64) error) (perSecond float64, took []time.Duration) {
	var n atomic.Uint64
	var mu sync.Mutex
	var wg sync.WaitGroup
	began := time.Now()
	for range writers {
		wg.Go(func() {
			var mine []time.Duration
			for time.Since(began) < span {
				at := time.Now()
				if err := fn(n.Add(1)); err != nil {
					panic(err)
				}
				mine = append(mine, time.Since(at))
			}
			mu.Lock()
			took = append(took, mine...)
			mu.Unlock()
		})
	}
	wg.Wait()
	return float64(len(took)) / time.Since(began).Seconds(), took
}

func benchSubmission(n uint64) intake.Submission {
	domain := fmt.Sprintf("prospect-%d.example", n)
	return intake.Submission{
		Key: fmt.Sprintf("imap:partners:INBOX:1:%d", n), Content: fmt.Sprintf("%064x", n), Channel: "email",
		Sender:     intake.Sender{Address: "ana@brightpath.example", Name: "Ana Silva", Strength: intake.StrengthDomain, How: "dmarc=pass by mx.northwind.example"},
		Reply:      intake.Route{Channel: "email", Address: "ana@brightpath.example", Thread: json.RawMessage(`{"message_id":"<1@brightpath.example>","subject":"New lead"}`)},
		ReceivedAt: time.Now(),
		Lead: intake.Lead{
			intake.FieldCompanyName: "Company " + domain, intake.FieldCompanyDomain: domain,
			intake.FieldContactName: "Jane Doe", intake.FieldContactEmail: "jane@" + domain, intake.FieldContactRole: "CTO",
			intake.FieldProblem: strings.Repeat("They lose a day a week to manual reporting. ", 6),
			intake.FieldStage:   intake.StageNewIntro, intake.FieldConsent: intake.ConsentYes,
		},
	}
}

// openGateway returns a gateway of the demo's make-up and the bytes that one acceptance
// writes into its store.
func openGateway(b *testing.B) (*intake.Gateway, int) {
	b.Helper()
	a, err := app.Open(demo.Config(b.TempDir(), demo.Listeners{SMTP: "127.0.0.1:0"}), slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { a.Close() })
	if err := demo.Seed(context.Background(), a.Gateway()); err != nil {
		b.Fatal(err)
	}
	receipt, err := a.Gateway().Accept(context.Background(), benchSubmission(1<<60))
	if err != nil {
		b.Fatal(err)
	}
	d, err := a.Gateway().Dossier(context.Background(), receipt.Case)
	if err != nil {
		b.Fatal(err)
	}
	written := 2 * len(`{"receipt":{"case":"LG-2026-000000-0","status":"submitted"},"first":"2026-01-01T00:00:00.000000Z","last":"2026-01-01T00:00:00.000000Z","times":1}`)
	for _, v := range []any{d.Registration, d.Events[0], d.Submissions[0], d.Tasks[0]} {
		j, err := json.Marshal(v)
		if err != nil {
			b.Fatal(err)
		}
		written += len(j)
	}
	return a.Gateway(), written
}

// bareStore is the yardstick: a record, a claim by a random key and an outbox entry in one
// bbolt transaction for all that wait, and nothing else.
type bareStore struct {
	db    *bolt.DB
	value []byte
	queue chan chan error
}

func newBareStore(b *testing.B, size int) *bareStore {
	b.Helper()
	db, err := bolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, &bolt.Options{
		NoFreelistSync: true, FreelistType: bolt.FreelistMapType, InitialMmapSize: 1 << 30,
	})
	if err != nil {
		b.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range []string{"record", "claim", "outbox"} {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	s := &bareStore{db: db, value: make([]byte, size-64), queue: make(chan chan error, 1024)}
	done := make(chan struct{})
	go func() { defer close(done); s.write() }()
	b.Cleanup(func() { close(s.queue); <-done; db.Close() })
	return s
}

func (s *bareStore) put(uint64) error {
	done := make(chan error, 1)
	s.queue <- done
	return <-done
}

func (s *bareStore) write() {
	for first := range s.queue {
		group := []chan error{first}
		for more := true; more && len(group) < 512; {
			select {
			case d, ok := <-s.queue:
				if more = ok; ok {
					group = append(group, d)
				}
			default:
				more = false
			}
		}
		err := s.db.Update(func(tx *bolt.Tx) error {
			record, claim, outbox := tx.Bucket([]byte("record")), tx.Bucket([]byte("claim")), tx.Bucket([]byte("outbox"))
			for range group {
				n, err := record.NextSequence()
				if err != nil {
					return err
				}
				seq := binary.BigEndian.AppendUint64(nil, n)
				random := binary.BigEndian.AppendUint64(nil, n*0x9E3779B97F4A7C15)
				for _, put := range []func() error{
					func() error { return record.Put(seq, s.value) },
					func() error { return claim.Put(random, seq) },
					func() error { return outbox.Put(seq, make([]byte, 32)) },
				} {
					if err := put(); err != nil {
						return err
					}
				}
			}
			return nil
		})
		for _, done := range group {
			done <- err
		}
	}
}

// fsyncTime is the median of appending a page and syncing it.
func fsyncTime(b *testing.B) time.Duration {
	b.Helper()
	f, err := os.Create(filepath.Join(b.TempDir(), "fsync"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var took []time.Duration
	for range 200 {
		at := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	return took[len(took)/2]
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}

// BenchmarkMails prints what the real binary does with mails by SMTP: taken in, and all the
// way to the ledger and the answer in the outbox; and its memory afterwards.
func BenchmarkMails(b *testing.B) {
	p := startDemo(b, binaryPath(b), b.TempDir())
	defer p.kill()
	sent := 0
	var taken, through []float64
	for b.Loop() {
		const mails, senders = 400, 16
		var next atomic.Int64
		var wg sync.WaitGroup
		base := sent
		began := time.Now()
		for range senders {
			wg.Go(func() {
				for n := next.Add(1); n <= mails; n = next.Add(1) {
					domain := fmt.Sprintf("prospect-%d.example", base+int(n))
					if err := deliver(p.smtp, "ana@brightpath.example", registration("ana@brightpath.example", domain)); err != nil {
						panic(err)
					}
				}
			})
		}
		wg.Wait()
		taken = append(taken, mails/time.Since(began).Seconds())
		sent += mails
		eventually(b, time.Minute, "all mails answered", func() bool {
			files, err := os.ReadDir(filepath.Join(p.dir, "outbox"))
			return err == nil && len(files) >= sent
		})
		through = append(through, mails/time.Since(began).Seconds())
	}
	b.ReportMetric(median(taken), "taken/s")
	b.ReportMetric(median(through), "answered/s")
	b.ReportMetric(residentMB(b, p.cmd), "RSS-MB")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkColdStart prints the time from exec to the first successful readiness probe, and
// the memory of the idle gateway.
func BenchmarkColdStart(b *testing.B) {
	bin, dir := binaryPath(b), b.TempDir()
	var ready, memory []float64
	for b.Loop() {
		began := time.Now()
		p := startDemo(b, bin, dir)
		resp, err := http.Get(strings.TrimSuffix(p.page, "/demo") + "/readyz")
		if err != nil || resp.StatusCode != http.StatusOK {
			b.Fatal(err, resp)
		}
		resp.Body.Close()
		ready = append(ready, float64(time.Since(began).Microseconds())/1000)
		memory = append(memory, residentMB(b, p.cmd))
		p.kill()
	}
	b.ReportMetric(median(ready), "ms-to-ready")
	b.ReportMetric(median(memory), "idle-RSS-MB")
	b.ReportMetric(0, "ns/op")
}

// residentMB reads the resident set of a process (proc(5)).
func residentMB(b *testing.B, cmd *exec.Cmd) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	b.Fatal("no VmRSS")
	return 0
}
