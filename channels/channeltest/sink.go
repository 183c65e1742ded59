package channeltest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"leadgate/intake"
)

// ErrStore is what a failing Sink returns.
var ErrStore = errors.New("the store is down")

// Sink is an intake.Sink in memory that keeps its promises: a known Key, or known Content
// of the same sender, returns the first receipt. It can be made to fail and to hold.
type Sink struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and renewed with every change
	accepted []intake.Submission
	asides   []intake.Aside
	receipts map[string]intake.Receipt
	raws     map[string][]byte
	attempts int
	failing  int
	gate     chan struct{}
}

var _ intake.Sink = (*Sink)(nil)

// NewSink returns an empty sink.
func NewSink() *Sink {
	return &Sink{changed: make(chan struct{}), receipts: make(map[string]intake.Receipt), raws: make(map[string][]byte)}
}

// FailNext makes the next n calls of Accept and SetAside fail.
func (s *Sink) FailNext(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = n
}

// Hold makes Accept and SetAside wait until the returned function is called.
func (s *Sink) Hold() (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	gate := make(chan struct{})
	s.gate = gate
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.gate = nil
		s.mu.Unlock()
		close(gate)
	})
}

// Keep implements intake.Sink.
func (s *Sink) Keep(_ context.Context, r io.Reader) (intake.Raw, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return intake.Raw{}, err
	}
	sum := sha256.Sum256(b)
	id := hex.EncodeToString(sum[:])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raws[id] = b
	return intake.Raw{SHA256: id, Size: int64(len(b))}, nil
}

// Accept implements intake.Sink.
func (s *Sink) Accept(ctx context.Context, sub intake.Submission) (intake.Receipt, error) {
	keys := []string{"key " + sub.Key}
	if sub.Content != "" {
		keys = append(keys, "content "+sub.Sender.Address+" "+sub.Content)
	}
	return s.store(ctx, keys, func() intake.Receipt {
		s.accepted = append(s.accepted, sub)
		return intake.Receipt{Case: fmt.Sprintf("LG-2026-%06d-K", len(s.accepted)), Status: intake.StatusInReview}
	})
}

// SetAside implements intake.Sink.
func (s *Sink) SetAside(ctx context.Context, a intake.Aside) (intake.Receipt, error) {
	return s.store(ctx, []string{"key " + a.Key}, func() intake.Receipt {
		s.asides = append(s.asides, a)
		return intake.Receipt{Aside: fmt.Sprintf("aside-%d", len(s.asides))}
	})
}

// store is one write: known keys give the first receipt, others are added by add.
func (s *Sink) store(ctx context.Context, keys []string, add func() intake.Receipt) (intake.Receipt, error) {
	s.mu.Lock()
	s.attempts++
	s.notify()
	gate := s.gate
	s.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return intake.Receipt{}, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.notify()
	if s.failing > 0 {
		s.failing--
		return intake.Receipt{}, ErrStore
	}
	for _, k := range keys {
		if r, ok := s.receipts[k]; ok {
			s.receipts[keys[0]] = r
			r.Known = true
			return r, nil
		}
	}
	r := add()
	for _, k := range keys {
		s.receipts[k] = r
	}
	return r, nil
}

func (s *Sink) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Wait blocks until cond holds, or ctx is done. cond is called with what the sink has.
func (s *Sink) Wait(ctx context.Context, cond func(State) bool) (State, error) {
	for {
		s.mu.Lock()
		state, changed := s.state(), s.changed
		s.mu.Unlock()
		if cond(state) {
			return state, nil
		}
		select {
		case <-ctx.Done():
			return state, fmt.Errorf("%w; the sink has %d accepted, %d aside, after %d attempts", ctx.Err(), len(state.Accepted), len(state.Asides), state.Attempts)
		case <-changed:
		}
	}
}

// State is what a sink has got.
type State struct {
	Accepted []intake.Submission
	Asides   []intake.Aside
	// Attempts counts the calls of Accept and SetAside, failed and repeated ones included.
	Attempts int
}

// State returns what the sink has now.
func (s *Sink) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state()
}

func (s *Sink) state() State {
	return State{slices.Clone(s.accepted), slices.Clone(s.asides), s.attempts}
}

// Raw returns a payload that was kept.
func (s *Sink) Raw(r intake.Raw) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Clone(s.raws[r.SHA256])
}
