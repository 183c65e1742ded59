package intake_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

// key signs with the same key in each run.
type key struct{ private ed25519.PrivateKey }

func newKey(seed byte) key {
	return key{ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))}
}

var testKey = newKey(1)

func (k key) public() ed25519.PublicKey  { return k.private.Public().(ed25519.PublicKey) }
func (k key) KeyID() string              { return intake.KeyID(k.public()) }
func (k key) Sign(message []byte) []byte { return ed25519.Sign(k.private, message) }

// ring returns a keyring of keys.
func ring(keys ...key) intake.Keyring {
	r := make(intake.Keyring)
	for _, k := range keys {
		r.Add(k.public())
	}
	return r
}

// memoryWitness is a witness whose disk may be full.
type memoryWitness struct {
	mu    sync.Mutex
	lines []intake.WitnessLine
	full  error
}

func (m *memoryWitness) Last() (l intake.WitnessLine, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.lines) > 0 {
		l = m.lines[len(m.lines)-1]
	}
	return l, nil
}

func (m *memoryWitness) Append(lines []intake.WitnessLine) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full == nil {
		m.lines = append(m.lines, lines...)
	}
	return m.full
}

func (m *memoryWitness) all() []intake.WitnessLine {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]intake.WitnessLine{}, m.lines...)
}

func (w *world) audit() intake.AuditReport {
	w.Helper()
	report, err := intake.Audit{Store: w.store, Keys: ring(testKey), Witness: w.witness.all()}.Verify(context.Background())
	if err != nil {
		w.Fatal(err)
	}
	return report
}

// wantProven checks that the store proves all that happened in it.
func (w *world) wantProven() {
	w.Helper()
	report := w.audit()
	for _, f := range report.Faults {
		w.Errorf("audit: %s", f)
	}
	if report.Unchecked > 0 || report.Witnessed != report.Checkpoints {
		w.Errorf("after the stop: %+v", report)
	}
}

func TestACheckpointIsMadeInEachMinuteInWhichSomethingChanged(t *testing.T) {
	inWorld(t, func(w *world) {
		w.pass(time.Second)
		if r := w.audit(); r.Checkpoints != 0 {
			t.Errorf("before there is a case: %+v", r)
		}
		w.submit("ana@alpha.example", acme())
		if r := w.audit(); r.Checkpoints != 0 || r.Unchecked == 0 || len(r.Faults) > 0 {
			t.Errorf("within the minute: %+v", r)
		}
		w.pass(time.Minute)
		if r := w.audit(); r.Checkpoints != 1 || r.Unchecked != 0 || r.Witnessed != 1 || len(r.Faults) > 0 {
			t.Errorf("after the minute: %+v", r)
		}
		w.pass(time.Hour)
		if r := w.audit(); r.Checkpoints != 1 {
			t.Errorf("after an hour in which nothing happened: %+v", r)
		}
	})
}

func TestCasesBeyondWhatOneCheckpointTakesGoIntoTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, memstore.New())
		if err := w.store.Update(t.Context(), func(tx intake.Tx) error { // as if so many had changed
			for n := range 1001 {
				mark := fmt.Appendf(nil, `{"case":"LG-%d","n":1,"hash":"%064x"}`, n, n)
				if err := tx.PutRecord("checkpoint_await", fmt.Sprintf("%016x", n), mark); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		res, err := w.gateway.Checkpoint(t.Context())
		if err != nil || res.Checkpoint != 2 || res.Cases != 1001 {
			t.Errorf("got %+v, %v", res, err)
		}
		if lines := w.witness.all(); len(lines) != 2 {
			t.Errorf("the witness has %d lines", len(lines))
		}
	})
}

func TestSeveralGatewaysOnOneStoreMakeOneChainOfCheckpoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		a, b := newWorld(t, store), newWorld(t, store)
		b.sent = 1000
		var wg sync.WaitGroup
		for _, w := range []*world{a, b} {
			wg.Go(func() {
				for range 50 {
					w.accept(w.submission("x@stranger.example", acme()))
					if _, err := w.gateway.Checkpoint(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for _, w := range []*world{a, b} {
			if _, err := w.gateway.Checkpoint(t.Context()); err != nil {
				t.Error(err)
			}
			w.wantProven() // each witness has all lines
		}
	})
}

func TestAWitnessThatWasFullCatchesUp(t *testing.T) {
	inWorld(t, func(w *world) {
		w.witness.full = errDown
		for range 3 {
			w.submit("x@stranger.example", acme())
			w.pass(time.Minute)
		}
		if r := w.audit(); r.Checkpoints != 3 || r.Witnessed != 0 || len(r.Notes) != 1 || len(r.Faults) > 0 {
			t.Errorf("while it is full: %+v", r)
		}
		w.witness.mu.Lock()
		w.witness.full = nil
		w.witness.mu.Unlock()
		w.pass(time.Minute)
		if r := w.audit(); r.Witnessed != 3 || len(r.Notes) > 0 {
			t.Errorf("afterwards: %+v", r)
		}
	})
}
