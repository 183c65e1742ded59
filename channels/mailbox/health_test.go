package mailbox

import (
	"bytes"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"leadgate/channels/channeltest"
	"leadgate/intake"
)

func TestTheStateFollowsWhatHappens(t *testing.T) {
	lost := errors.New("connection lost")
	refused := &loginRefused{errors.New("NO")}
	full := errors.New("the account is full")
	for name, tt := range map[string]struct {
		events  func(c *condition, clock *clock)
		want    State
		problem string
	}{
		"at the start":           {func(*condition, *clock) {}, StateDegraded, ""},
		"never a connection":     {func(c *condition, _ *clock) { c.failed(lost) }, StateDown, "connection lost"},
		"mail comes in":          {func(c *condition, _ *clock) { c.succeeded() }, StateOK, ""},
		"a connection just lost": {func(c *condition, _ *clock) { c.succeeded(); c.failed(lost) }, StateDegraded, "connection lost"},
		"back again":             {func(c *condition, _ *clock) { c.succeeded(); c.failed(lost); c.succeeded() }, StateOK, ""},
		"lost for a while":       {func(c *condition, clock *clock) { c.succeeded(); c.failed(lost); clock.advance(silence + 1) }, StateDown, "connection lost"},
		"not let in":             {func(c *condition, _ *clock) { c.succeeded(); c.failed(refused) }, StateAuthFailed, "NO"},
		"not let in for long":    {func(c *condition, clock *clock) { c.failed(refused); clock.advance(time.Hour) }, StateAuthFailed, "NO"},
		"nothing can be filed":   {func(c *condition, _ *clock) { c.unfiled(full); c.succeeded() }, StateDegraded, "the account is full"},
		"filing works again":     {func(c *condition, _ *clock) { c.unfiled(full); c.succeeded(); c.unfiled(nil) }, StateOK, ""},
		"two things at once":     {func(c *condition, _ *clock) { c.succeeded(); c.unfiled(full); c.failed(lost) }, StateDegraded, "connection lost; the account is full"},
		"a long fetch": {func(c *condition, clock *clock) {
			c.succeeded()
			clock.advance(silence)
			c.heard()
			clock.advance(silence)
		}, StateOK, ""},
		"silence that nobody ended": {func(c *condition, clock *clock) { c.succeeded(); clock.advance(silence + time.Second) }, StateDown, "nothing was heard from the server, or nothing could be stored, for 5m1s"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			c := &condition{now: clock.now}
			tt.events(c, clock)
			if h := c.health(); h.State != tt.want || h.Problem != tt.problem {
				t.Errorf("%s, %q, want %s, %q", h.State, h.Problem, tt.want, tt.problem)
			}
		})
	}
}

// TestStaffAreToldOfWhatDoesNotHealByItself: not of what is tried again in a moment.
func TestStaffAreToldOfWhatDoesNotHealByItself(t *testing.T) {
	lost := errors.New("connection lost")
	for name, tt := range map[string]struct {
		events func(c *condition, clock *clock)
		down   bool
	}{
		"at the start":           {func(*condition, *clock) {}, false},
		"mail comes in":          {func(c *condition, _ *clock) { c.succeeded() }, false},
		"a connection just lost": {func(c *condition, _ *clock) { c.succeeded(); c.failed(lost) }, false},
		"lost for a while":       {func(c *condition, clock *clock) { c.succeeded(); c.failed(lost); clock.advance(silence + 1) }, true},
		"not let in":             {func(c *condition, _ *clock) { c.succeeded(); c.failed(&loginRefused{errors.New("NO")}) }, true},
		"back again":             {func(c *condition, _ *clock) { c.failed(lost); c.succeeded() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := newTestMailbox(t, Config{})
			clock := newClock()
			m.imap = &fetcher{}
			m.imap.condition.now = clock.now
			tt.events(&m.imap.condition, clock)
			got := m.Condition()
			if want := (intake.Condition{Name: "mailbox " + m.Mailbox(), Down: tt.down, Problem: m.Health().Problem}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

// What a server pushes may never come because the connection is dead. The longest silence
// that is waited for, and the time for an answer after it, are less than five minutes.
func TestADeadConnectionIsNoticedWithinFiveMinutes(t *testing.T) {
	times := defaultIMAPTimes()
	for name, pause := range map[string]time.Duration{"with IDLE": times.idle, "with polling": maxPoll} {
		if limit := pause + times.command; limit >= silence {
			t.Errorf("%s it takes %v", name, limit)
		}
	}
	if limit := 30 * time.Second; times.command > limit || times.progress > limit {
		t.Errorf("a server that stops in an answer is given up after %v, in a message after %v", times.command, times.progress)
	}
}

// A connection that swallows everything, without an end, makes the health red, and the
// mailbox heals without anybody's help.
func TestAConnectionIntoNothingTurnsTheHealthRedAndHeals(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	var hole atomic.Bool
	p := newProxy(t, server.addr, func(_ int, b []byte) ([]byte, bool) {
		if hole.Load() {
			return nil, true
		}
		return b, true
	})
	r := runIMAP(t, server, p.addr, func(m *Mailbox) {
		m.imap.times.idle, m.imap.times.command, m.imap.times.login = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	})
	eventually(t, "the mailbox works", 10*time.Second, func() bool { return r.box.Health().State == StateOK })
	hole.Store(true)
	eventually(t, "the health is red", 10*time.Second, func() bool { return r.box.Health().State != StateOK && r.box.Health().Problem != "" })
	server.append(t, leadMail(1, "lead"))
	hole.Store(false)
	r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 1 })
	eventually(t, "the health is green", 10*time.Second, func() bool { return r.box.Health().State == StateOK && r.box.Health().Problem == "" })
}

// Neither a server that can't be understood nor one that drops us as soon as we wait is
// asked as fast as the machine can: the pauses grow.
func TestBrokenServersAreNotAskedInAHotLoop(t *testing.T) {
	for name, at := range map[string]string{"while we ask": "SEARCH completed", "while we wait": "+ "} {
		t.Run(name, func(t *testing.T) {
			server := newIMAPServer(t, allCaps...)
			server.append(t, leadMail(1, "lead"))
			const failures = 5
			var connections atomic.Int32
			p := newProxy(t, server.addr, func(n int, b []byte) ([]byte, bool) {
				connections.Store(int32(n) + 1)
				if i := bytes.Index(b, []byte(at)); n < failures && (i >= 0 || at == "SEARCH completed" && bytes.Contains(b, []byte("SEARCH"))) {
					return append([]byte("* XVENDOR something\r\n"), b...), true
				}
				return b, true
			})
			began := time.Now()
			r := runIMAP(t, server, p.addr, func(m *Mailbox) {
				m.imap.times.backoff, m.imap.times.maxBackoff, m.imap.times.settled = 20*time.Millisecond, time.Hour, time.Hour
			})
			r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 1 })
			eventually(t, "the server is understood", 10*time.Second, func() bool { return connections.Load() > failures && r.box.Health().State == StateOK })
			// Each pause is at least half of 20, 40, 80, 160 and 320 ms.
			if took := time.Since(began); took < 310*time.Millisecond {
				t.Errorf("%d connections in %v", connections.Load(), took)
			}
			r.filed(t, 1, 0, 0)
			if s := r.sink.State(); len(s.Accepted) != 1 {
				t.Errorf("%d accepted", len(s.Accepted))
			}
		})
	}
}

func TestAWrongPasswordIsAStateOfItsOwn(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	r := runIMAP(t, server, server.addr, func(m *Mailbox) { m.imap.cfg.Password = "wrong-" + testPassword })
	eventually(t, "the health says so", 5*time.Second, func() bool { return r.box.Health().State == StateAuthFailed })
	if p := r.box.Health().Problem; strings.Contains(p, testPassword) {
		t.Errorf("the health shows the password: %s", p)
	}
}

func TestAnswersThatDoNotGoOutShowInTheHealth(t *testing.T) {
	code := func(n int) error { return &smtp.SMTPError{Code: n, Message: "no"} }
	for name, tt := range map[string]struct {
		errs []error
		want State
	}{
		"none yet":                       {nil, StateOK},
		"a server that is not there":     {[]error{errors.New("connection refused")}, StateDegraded},
		"a password that is wrong":       {[]error{nil, &loginFault{code(535)}}, StateDegraded},
		"a recipient who waits":          {[]error{code(451)}, StateOK},
		"a recipient who does not exist": {[]error{intake.Permanent(code(550))}, StateOK},
		"it works again":                 {[]error{&loginFault{code(535)}, nil}, StateOK},
	} {
		t.Run(name, func(t *testing.T) {
			m, _ := newTestMailbox(t, Config{})
			for i, err := range tt.errs {
				m.sending.note(err, testNow.Add(time.Duration(i)*time.Hour))
			}
			h := m.Health()
			if h.State != tt.want || (h.State != StateOK) != strings.Contains(h.Problem, "no answer goes out since 2026-") {
				t.Errorf("%s, %q", h.State, h.Problem)
			}
		})
	}
}

func TestAWrongPasswordForSendingShowsInTheHealth(t *testing.T) {
	sink := newSMTPSink(t)
	m, _ := newTestMailbox(t, Config{SMTP: sink.config()})
	m.transport.(*submission).cfg.Username = "partners" // the server offers no login
	_, err := m.Reply(t.Context(), testMessage())
	if h := m.Health(); err == nil || h.State != StateDegraded {
		t.Errorf("%v: %s, %q", err, h.State, h.Problem)
	}
}
