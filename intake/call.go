package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	spaceCall    = "call"     // name → calling
	spaceCallEnd = "call_end" // end of life and name → nothing

	// callMemory is how long an answer is known by the name of its call, callLease how long
	// another process leaves a call alone that it did not begin.
	callMemory = 48 * time.Hour
	callLease  = 2 * time.Minute
)

// Call is a request of a program which it may send again, under a name of its own choice, until
// it has the answer: what it asks for is done once.
type Call struct {
	// Name is of who calls and of what he calls it; it is part of a key in the store.
	Name string
	// Print is a fingerprint of all that is asked for.
	Print string
}

// Made is what became of a call.
type Made struct {
	// Delivery is the same in every attempt, and in no other call's.
	Delivery string
	// Answer is nil while there is none.
	Answer []byte
	// Before says that it was begun before, and may have been done.
	Before bool `json:"-"`
}

var (
	// ErrCallDiffers: a call of this name asked for something else.
	ErrCallDiffers = errors.New("a request of this name asked for something else")
	// ErrCallUnderWay: the same call is being answered right now.
	ErrCallUnderWay = errors.New("a request of this name is under way")
)

// calling is a call as it is stored.
type calling struct {
	Made
	Print string    `json:"print"`
	Ends  time.Time `json:"ends"`
	// By is the process that answers, Lease until when others wait for it.
	By    string    `json:"by"`
	Lease time.Time `json:"lease"`
}

// Recall returns what became of a call, and changes nothing; ErrNotFound, ErrCallDiffers.
func (g *Gateway) Recall(ctx context.Context, call Call) (m Made, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		k, err := g.called(tx, call)
		m = k.Made
		return err
	})
	return m, err
}

// called returns a call as it is stored; ErrNotFound also for one that is forgotten, and
// ErrCallDiffers.
func (g *Gateway) called(tx Records, call Call) (k calling, err error) {
	err = getJSON(tx, spaceCall, call.Name, &k)
	switch {
	case err != nil:
		return calling{}, err
	case !g.stamp().Before(k.Ends):
		return calling{}, ErrNotFound
	case k.Print != call.Print:
		return calling{}, ErrCallDiffers
	}
	return k, nil
}

// BeginCall has the caller answer a call: it does what is asked for, under the Delivery, and
// then calls EndCall; or LeaveCall, if it can't tell whether it was done. If there is an Answer
// already there is nothing to do. ErrCallDiffers, ErrCallUnderWay.
//
// What a killed process has begun is begun again under the same Delivery, so that it is known
// if it was done after all.
func (g *Gateway) BeginCall(ctx context.Context, call Call) (m Made, err error) {
	if !g.takeCall(call.Name) {
		if _, err := g.Recall(ctx, call); errors.Is(err, ErrCallDiffers) {
			return Made{}, err
		}
		return Made{}, ErrCallUnderWay
	}
	defer func() {
		if err != nil || m.Answer != nil {
			g.LeaveCall(call)
		}
	}()
	fresh := newID()
	err = g.store.Update(ctx, func(tx Tx) error {
		now := g.stamp()
		k, err := g.called(tx, call)
		before := err == nil
		switch {
		case errors.Is(err, ErrNotFound):
			k = calling{Made: Made{Delivery: fresh}, Print: call.Print, Ends: now.Add(callMemory)}
			if err := tx.PutRecord(spaceCallEnd, mortal(k.Ends, call.Name), nil); err != nil {
				return err
			}
		case err != nil:
			return err
		case k.Answer != nil:
			m = k.Made
			return nil
		case k.By != g.process && !g.alone && now.Before(k.Lease):
			return ErrCallUnderWay
		}
		k.By, k.Lease = g.process, now.Add(callLease)
		m = k.Made
		m.Before = before
		return putJSON(tx, spaceCall, call.Name, k)
	})
	return m, err
}

// EndCall keeps the answer to a call that was begun here, for who calls again; without one the
// call was not answered, nothing was done, and its name is free.
func (g *Gateway) EndCall(ctx context.Context, call Call, answer []byte) error {
	defer g.LeaveCall(call)
	return g.store.Update(ctx, func(tx Tx) error {
		k, err := g.called(tx, call)
		if err != nil {
			return fmt.Errorf("end a request: %w", err)
		}
		if answer == nil {
			return forgetCall(tx, call.Name, k)
		}
		k.Answer = answer
		return putJSON(tx, spaceCall, call.Name, k)
	})
}

// LeaveCall lets the next attempt at a call begin.
func (g *Gateway) LeaveCall(call Call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.calls, call.Name)
}

// takeCall reports whether nobody in this process answers a call of a name, and is who does now.
func (g *Gateway) takeCall(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls[name] {
		return false
	}
	g.calls[name] = true
	return true
}

func forgetCall(tx Records, name string, k calling) error {
	return errors.Join(tx.DeleteRecord(spaceCall, name), tx.DeleteRecord(spaceCallEnd, mortal(k.Ends, name)))
}

// pruneCalls forgets up to limit calls whose end has come.
func pruneCalls(tx Records, now time.Time, limit int) (n int, err error) {
	entries, err := tx.ScanRecords(spaceCallEnd, "", "", limit)
	if err != nil {
		return 0, err
	}
	n = slices.IndexFunc(entries, func(e Entry) bool { return e.Key >= mortal(now, "") })
	if n < 0 {
		n = len(entries)
	}
	for _, e := range entries[:n] {
		_, name, _ := strings.Cut(e.Key, "/")
		var k calling
		if err := getJSON(tx, spaceCall, name, &k); ignoreNotFound(err) != nil {
			return n, err
		}
		if mortal(k.Ends, name) == e.Key { // else the name was used anew since
			if err := tx.DeleteRecord(spaceCall, name); err != nil {
				return n, err
			}
		}
		if err := tx.DeleteRecord(spaceCallEnd, e.Key); err != nil {
			return n, err
		}
	}
	return n, nil
}
