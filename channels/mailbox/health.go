package mailbox

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"leadgate/intake"
)

// State says in a word how a mailbox is.
type State string

// The states of a mailbox.
const (
	// StateOK: mail comes in, and answers go out.
	StateOK State = "ok"
	// StateDegraded: something is wrong, or was moments ago; mail still comes in, or will soon.
	// Answers that do not go out are tried again.
	StateDegraded State = "degraded"
	// StateAuthFailed: the server does not let us in; a person must act.
	StateAuthFailed State = "auth_failed"
	// StateDown: no mail has come in for five minutes or since the start.
	StateDown State = "down"
)

// States is the full set, best first.
func States() []State { return []State{StateOK, StateDegraded, StateAuthFailed, StateDown} }

// Health says whether mail comes in.
type Health struct {
	// LastSuccess is when the folder was last seen to hold nothing more to do; zero if never.
	LastSuccess time.Time
	// Problem says what is wrong now, without secrets; empty if nothing is.
	Problem string
	State   State
	// CanaryLatency is how long the last canary was under way, and CanarySeen when it came.
	// Both are zero before the first.
	CanaryLatency time.Duration
	CanarySeen    time.Time
	// CanaryOverdue says that a canary was sent and does not come.
	CanaryOverdue bool
}

// Health returns the state of the mailbox. With direct delivery alone it is about the
// canary, if there is one.
func (m *Mailbox) Health() Health {
	h := Health{State: StateOK}
	if m.imap != nil {
		h = m.imap.condition.health()
	}
	if m.junk != nil {
		if j := m.junk.condition.health(); j.Problem != "" {
			h.trouble("junk folder: " + j.Problem)
		}
	}
	m.canary.addTo(&h)
	m.sending.addTo(&h)
	return h
}

var _ intake.Watched = (*Mailbox)(nil)

// Condition says whether mail comes in, for those who look after the programme. Answers that do
// not go out are no part of it, unless they break the loop of the canary: they are tried again,
// and so would be what says so.
func (m *Mailbox) Condition() intake.Condition {
	h := m.Health()
	return intake.Condition{
		Name:    "mailbox " + m.Mailbox(),
		Down:    h.State == StateDown || h.State == StateAuthFailed || h.CanaryOverdue,
		Problem: h.Problem,
	}
}

// sending is how the last answers went out.
type sending struct {
	mu      sync.Mutex
	since   time.Time // of the first failure in a row
	problem error     // nil if the last one went out
}

// note takes down what became of an answer.
func (s *sending) note(err error, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil || serverAnswered(err):
		s.since, s.problem = time.Time{}, nil
	case s.problem == nil:
		s.since = now
		fallthrough
	default:
		s.problem = err
	}
}

// serverAnswered reports whether a server refuses this one answer, now or for good, and would
// take others. It would not if it does not let us in, wants us to log in (RFC 4954, section 6)
// or ends its service (RFC 5321, section 4.2.2).
func serverAnswered(err error) bool {
	var status *smtp.SMTPError
	var login *loginFault
	return intake.IsPermanent(err) || errors.As(err, &status) && !errors.As(err, &login) && status.Code != 421 && status.Code != 530
}

func (s *sending) addTo(h *Health) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.problem != nil {
		h.trouble(fmt.Sprintf("no answer goes out since %s: %v", s.since.UTC().Format(time.RFC3339), s.problem))
	}
}

// trouble adds a problem that is not as bad as one that stands already.
func (h *Health) trouble(problem string) {
	if h.Problem == "" {
		h.Problem = problem
	}
	if h.State == StateOK {
		h.State = StateDegraded
	}
}

// silence is after how long without a sign of life a mailbox is down.
const silence = 5 * time.Minute

// condition is how one folder is. It is written by the goroutine that fetches and read by
// everybody.
type condition struct {
	now func() time.Time

	mu          sync.Mutex
	lastSuccess time.Time
	lastSign    time.Time // when something worked
	problem     error
	filing      error // why messages are not filed; they are stored
}

// heard notes a sign of life.
func (c *condition) heard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastSign = c.now()
}

// succeeded notes that the folder holds nothing more to do.
func (c *condition) succeeded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastSuccess = c.now()
	c.lastSign, c.problem = c.lastSuccess, nil
}

func (c *condition) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.problem = err
	}
}

// unfiled notes why filing does not work, nil if it does, and reports whether a reason was
// noted before.
func (c *condition) unfiled(err error) (before bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before = c.filing != nil
	c.filing = err
	return before
}

func (c *condition) health() Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := Health{LastSuccess: c.lastSuccess, State: StateOK}
	now := c.now()
	quiet := now.Sub(c.lastSign)
	problem := c.problem
	if problem == nil && !c.lastSign.IsZero() && quiet > silence {
		problem = fmt.Errorf("nothing was heard from the server, or nothing could be stored, for %v", quiet.Round(time.Second))
	}
	switch {
	case problem != nil && refusesUs(problem):
		h.State = StateAuthFailed
	case problem != nil && now.Sub(c.lastSuccess) > silence:
		h.State = StateDown
	case problem != nil, c.filing != nil, c.lastSuccess.IsZero():
		h.State = StateDegraded
	}
	for _, err := range []error{problem, c.filing} {
		if err != nil {
			h.Problem = strings.TrimPrefix(h.Problem+"; "+err.Error(), "; ")
		}
	}
	return h
}
