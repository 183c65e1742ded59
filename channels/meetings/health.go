package meetings

import (
	"errors"
	"time"
)

// State says in a word how a form is.
type State string

// The states of a form.
const (
	// StateOK: it is read.
	StateOK State = "ok"
	// StateDegraded: it was not read the last time, or not yet, and will be tried again soon.
	StateDegraded State = "degraded"
	// StateAuthFailed: HubSpot does not take the token, or does not know the form; a person must
	// act.
	StateAuthFailed State = "auth_failed"
	// StateDown: it was not read for a quarter of an hour or since the start.
	StateDown State = "down"
)

// States is the full set, best first.
func States() []State { return []State{StateOK, StateDegraded, StateAuthFailed, StateDown} }

// Health says whether a form is read.
type Health struct {
	Form  string
	State State
	// LastSuccess is when it was read to its end; zero if never.
	LastSuccess time.Time
	// Problem says what is wrong now, without secrets; empty if nothing is.
	Problem string
}

// silence is after how long without success a form is down.
const silence = 15 * time.Minute

// Health returns how the form is.
func (f *Form) Health() Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.health
	if h.State == StateDegraded && h.Problem != "" && f.deps.Now().Sub(h.LastSuccess) > silence {
		h.State = StateDown
	}
	return h
}

// noted takes down how a round ended.
func (f *Form) noted(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.health.State, f.health.Problem, f.health.LastSuccess = StateOK, "", f.deps.Now()
		return
	}
	f.health.State, f.health.Problem = StateDegraded, err.Error()
	var answer *answerError
	if errors.As(err, &answer) && answer.final() {
		f.health.State = StateAuthFailed
		if !answer.refusesUs() {
			f.health.Problem += ": it does not know the form"
		}
	}
}
