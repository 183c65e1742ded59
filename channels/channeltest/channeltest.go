// Package channeltest is the suite that every channel passes, over its real wire protocol:
// the promises of package channels, each as a test that fails if a channel breaks it.
package channeltest

import (
	"bytes"
	"context"
	"errors"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels"
	"leadgate/intake"
)

// Wire is a channel with both of its ends: the source that partners' messages come from,
// and the place where answers arrive.
type Wire interface {
	// Channel is the channel under test; it also implements channels.Runner, or channels.Mounter
	// and then the wire is Served.
	Channel() channels.Channel
	// Deliver hands a message to the channel's source. It may return before or after the
	// channel has acknowledged it.
	Deliver(t *testing.T, message []byte)
	// Retry makes the source deliver again what is not acknowledged. It does nothing for a
	// channel that fetches by itself.
	Retry(t *testing.T)
	// Unacknowledged is how many messages the source still holds.
	Unacknowledged(t *testing.T) int
	// Silence makes the channel's peer stop talking, without closing a connection.
	Silence(t *testing.T)
	// Sent returns the answers that arrived, oldest first.
	Sent(t *testing.T) []Sent
	// Lead, Robot and Unreadable return the n-th message of a kind. subject is shown where
	// the channel has such a thing.
	Lead(n int, subject string) []byte
	Robot(n int) []byte
	Unreadable(n int) []byte
}

// Served is a wire whose channel is called over HTTP: its source is told at once what became of a
// message, so that what can't be read or comes from a robot ends there, and is not set aside.
type Served interface {
	Wire
	// At says where the routes of the channel are. It is called before the first Deliver.
	At(url string)
	// Ended is how many messages the source had an answer to and nothing was taken in of.
	Ended(t *testing.T) int
}

// Sent is an answer as it arrived.
type Sent struct {
	To   []string
	Data []byte
}

// patience is how long the suite waits for what must happen.
const patience = 20 * time.Second

// Run runs the suite. open makes a new wire for each test and registers its cleanup.
func Run(t *testing.T, open func(t *testing.T) Wire) {
	tests := []struct {
		name string
		test func(*testing.T, *fixture)
	}{
		{"a message is acknowledged only once it is stored", acknowledgedOnceStored},
		{"a message that the store refuses is not acknowledged, however often", refused},
		{"a message that was not stored is delivered again and stored once", redelivered},
		{"what can't be read is set aside and the rest goes on", unreadable},
		{"a robot is set aside", robot},
		{"an end with a silent peer takes less than two seconds", silentPeer},
		{"a subject adds no header to the answer", injection},
		{"an answer has one recipient", oneRecipient},
		{"the same answer twice is the same bytes", sameBytes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			tt.test(t, &fixture{Wire: open(t), sink: NewSink(), ctx: ctx})
		})
	}
}

// fixture is a wire with a sink behind it.
type fixture struct {
	Wire
	sink *Sink
	ctx  context.Context
}

// start runs the channel until the test ends.
func (f *fixture) start(t *testing.T) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(f.ctx)
	done := make(chan error, 1)
	hangUp := func() {}
	if m, is := f.Channel().(channels.Mounter); is {
		e := echo.New()
		m.Mount(e.Group(""), f.sink)
		server := httptest.NewServer(e)
		hangUp = func() {
			server.CloseClientConnections()
			server.Close()
		}
		f.Wire.(Served).At(server.URL)
	}
	if r, is := f.Channel().(channels.Runner); is {
		go func() { done <- r.Run(ctx, f.sink) }()
	} else {
		close(done)
	}
	var err error
	stopped := false
	stop = func() error {
		if !stopped {
			stopped = true
			cancel()
			hangUp()
			err = <-done
		}
		return err
	}
	t.Cleanup(func() {
		if err := stop(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return stop
}

func (f *fixture) wait(t *testing.T, what string, cond func(State) bool) State {
	t.Helper()
	s, err := f.sink.Wait(f.ctx, cond)
	if err != nil {
		t.Fatalf("waiting until %s: %v", what, err)
	}
	return s
}

// acknowledged waits until the source holds nothing more. The source is another program, so
// that it is asked again and again.
func (f *fixture) acknowledged(t *testing.T) {
	t.Helper()
	for f.Unacknowledged(t) > 0 {
		select {
		case <-f.ctx.Done():
			t.Fatalf("%d messages were never acknowledged", f.Unacknowledged(t))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func acknowledgedOnceStored(t *testing.T, f *fixture) {
	release := f.sink.Hold()
	defer release()
	f.start(t)
	delivered := make(chan struct{})
	go func() { defer close(delivered); f.Deliver(t, f.Lead(1, "New lead")) }()
	f.wait(t, "the sink is asked", func(s State) bool { return s.Attempts == 1 })
	if n := f.Unacknowledged(t); n != 1 {
		t.Errorf("%d unacknowledged messages while the sink has not answered, want 1", n)
	}
	release()
	<-delivered
	s := f.wait(t, "the message is stored", func(s State) bool { return len(s.Accepted) == 1 })
	f.acknowledged(t)
	sub := s.Accepted[0]
	if sub.Channel != f.Channel().Name() || sub.Reply.Channel != f.Channel().Name() {
		t.Errorf("channel %q, reply by %q, want %q", sub.Channel, sub.Reply.Channel, f.Channel().Name())
	}
	if sub.Key == "" || sub.Reply.Address == "" || sub.ReceivedAt.IsZero() || sub.Raw.Size == 0 && len(sub.Payload) == 0 {
		t.Errorf("incomplete submission: key %q, reply to %q, received %v, %d raw bytes", sub.Key, sub.Reply.Address, sub.ReceivedAt, sub.Raw.Size)
	}
	if sub.Lead[intake.FieldCompanyName] == "" {
		t.Errorf("no company in the lead %v", sub.Lead)
	}
}

func refused(t *testing.T, f *fixture) {
	f.sink.FailNext(math.MaxInt)
	f.start(t)
	delivered := make(chan struct{})
	go func() { defer close(delivered); f.Deliver(t, f.Lead(1, "New lead")) }()
	f.wait(t, "the sink is asked", func(s State) bool { return s.Attempts > 0 })
	<-delivered
	f.Retry(t)
	f.wait(t, "the sink is asked once more", func(s State) bool { return s.Attempts > 1 })
	if n := f.Unacknowledged(t); n != 1 {
		t.Errorf("%d unacknowledged messages though the store has refused twice, want 1", n)
	}
	if served, is := f.Wire.(Served); is && served.Ended(t) != 0 {
		t.Error("its source was told that nothing more is to be done")
	}
	f.sink.FailNext(0)
	f.Retry(t)
	if s := f.wait(t, "the message is stored", func(s State) bool { return len(s.Accepted) > 0 }); len(s.Accepted) != 1 || len(s.Asides) != 0 {
		t.Errorf("%d accepted, %d set aside, want 1 and 0", len(s.Accepted), len(s.Asides))
	}
	f.acknowledged(t)
}

func redelivered(t *testing.T, f *fixture) {
	release := f.sink.Hold()
	defer release()
	f.sink.FailNext(1)
	f.start(t)
	delivered := make(chan struct{})
	go func() { defer close(delivered); f.Deliver(t, f.Lead(1, "New lead")) }()
	f.wait(t, "the sink is asked", func(s State) bool { return s.Attempts == 1 })
	release()
	<-delivered
	f.Retry(t)
	s := f.wait(t, "the message is stored", func(s State) bool { return len(s.Accepted) > 0 })
	f.acknowledged(t)
	if len(s.Accepted) != 1 || s.Attempts < 2 {
		t.Errorf("%d accepted in %d attempts, want 1 in 2", len(s.Accepted), s.Attempts)
	}
}

func unreadable(t *testing.T, f *fixture) {
	f.start(t)
	f.Deliver(t, f.Unreadable(1))
	f.Deliver(t, f.Lead(2, "New lead"))
	if served, is := f.Wire.(Served); is {
		f.ended(t, served)
		return
	}
	s := f.wait(t, "both are stored", func(s State) bool { return len(s.Accepted) == 1 && len(s.Asides) == 1 })
	f.acknowledged(t)
	if a := s.Asides[0]; a.Raw.Size == 0 || a.Key == "" || a.ReceivedAt.IsZero() {
		t.Errorf("incomplete: %+v", a)
	}
}

// ended waits for the one message that is good; the other ended with an answer to its source.
func (f *fixture) ended(t *testing.T, served Served) {
	t.Helper()
	s := f.wait(t, "the good one is stored", func(s State) bool { return len(s.Accepted) == 1 })
	f.acknowledged(t)
	if n := served.Ended(t); n != 1 || len(s.Asides) != 0 || len(f.sink.State().Accepted) != 1 {
		t.Errorf("%d ended, %d set aside, %d stored; want 1, 0, 1", n, len(s.Asides), len(s.Accepted))
	}
}

func robot(t *testing.T, f *fixture) {
	f.start(t)
	f.Deliver(t, f.Robot(1))
	f.Deliver(t, f.Lead(2, "New lead"))
	if served, is := f.Wire.(Served); is {
		f.ended(t, served)
		if sent := f.Sent(t); len(sent) != 0 {
			t.Errorf("%d answers were sent by the channel itself", len(sent))
		}
		return
	}
	s := f.wait(t, "both are stored", func(s State) bool { return len(s.Accepted)+len(s.Asides) == 2 })
	f.acknowledged(t)
	if len(s.Asides) != 1 || s.Asides[0].Reason != intake.AsideRobot {
		t.Errorf("set aside: %+v, want one as %s", s.Asides, intake.AsideRobot)
	}
	if sent := f.Sent(t); len(sent) != 0 {
		t.Errorf("%d answers were sent by the channel itself", len(sent))
	}
}

func silentPeer(t *testing.T, f *fixture) {
	stop := f.start(t)
	f.Deliver(t, f.Lead(1, "New lead"))
	f.wait(t, "the channel works", func(s State) bool { return len(s.Accepted) == 1 })
	f.Silence(t)
	begin := time.Now()
	if err := stop(); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("Run returned after %v", took)
	}
}

// converse delivers a message and returns the answer to it, ready to be sent.
func (f *fixture) converse(t *testing.T, subject string) intake.Message {
	t.Helper()
	f.start(t)
	f.Deliver(t, f.Lead(1, subject))
	s := f.wait(t, "the message is stored", func(s State) bool { return len(s.Accepted) == 1 })
	at := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	return intake.Message{
		ID: "LG-2026-000001-K.1", Kind: intake.MessageReceived, To: s.Accepted[0].Reply, At: at,
		Facts: intake.Facts{Case: "LG-2026-000001-K", Program: "Vendor", Status: intake.StatusInReview, Zone: "UTC", Received: at},
	}
}

func (f *fixture) reply(t *testing.T, m intake.Message) Sent {
	t.Helper()
	before := len(f.Sent(t))
	thread, err := f.Channel().Reply(f.ctx, m)
	if err != nil {
		t.Fatalf("Reply: %v", err)
	}
	if len(thread) == 0 {
		t.Error("Reply returned no thread")
	}
	sent := f.Sent(t)
	if len(sent) == 0 || len(sent) < before {
		t.Fatalf("%d answers arrived", len(sent))
	}
	return sent[len(sent)-1]
}

func injection(t *testing.T, f *fixture) {
	m := f.converse(t, "New\r\nBcc: victim@example.org\r\n\r\nX")
	m.Facts.Case = "LG-2026-000001-K\r\nX-Injected: yes"
	s := f.reply(t, m)
	head, _, _ := bytes.Cut(s.Data, []byte("\r\n\r\n"))
	for _, line := range strings.Split(string(head), "\r\n") {
		for _, name := range []string{"bcc:", "x-injected:"} {
			if strings.HasPrefix(strings.ToLower(line), name) {
				t.Errorf("the answer has the header line %q", line)
			}
		}
		if strings.ContainsAny(line, "\r\n") {
			t.Errorf("a bare line break in %q", line)
		}
	}
	if len(s.To) != 1 || s.To[0] != m.To.Address {
		t.Errorf("went to %q", s.To)
	}
}

func oneRecipient(t *testing.T, f *fixture) {
	m := f.converse(t, "New lead")
	s := f.reply(t, m)
	if len(s.To) != 1 || s.To[0] != m.To.Address {
		t.Errorf("went to %q, want %q alone", s.To, m.To.Address)
	}
}

func sameBytes(t *testing.T, f *fixture) {
	m := f.converse(t, "New lead")
	first, second := f.reply(t, m), f.reply(t, m)
	if !bytes.Equal(first.Data, second.Data) {
		t.Errorf("first\n%s\nsecond\n%s", first.Data, second.Data)
	}
}
