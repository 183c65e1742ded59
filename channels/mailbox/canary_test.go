package mailbox

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels/channeltest"
	"leadgate/intake"
)

// clock is a clock that a test sets.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: testNow} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// newCanaryBox is a mailbox with a canary that the test lets out by hand.
func newCanaryBox(t *testing.T) (*Mailbox, *smtpSink, *clock, *channeltest.Sink) {
	t.Helper()
	out := newSMTPSink(t)
	box, _ := newTestMailbox(t, Config{SMTP: out.config(), Canary: Canary{Every: 15 * time.Minute}})
	clock := newClock()
	box.canary.now = clock.now
	return box, out, clock, channeltest.NewSink()
}

func (m *Mailbox) takeTest(t *testing.T, sink intake.Sink, raw []byte, junk bool) outcome {
	t.Helper()
	out, err := m.take(t.Context(), sink, delivery{content: bytes.NewReader(raw), receivedAt: testNow, junk: junk})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheCanaryMeasuresTheLoopAndIsNeverStored(t *testing.T) {
	box, out, clock, sink := newCanaryBox(t)
	box.canary.release(t.Context())
	sent := out.all()
	if len(sent) != 1 || len(sent[0].To) != 1 || sent[0].To[0] != testAddress {
		t.Fatalf("sent %+v", sent)
	}
	if h := box.Health(); h.State != StateOK || !h.CanarySeen.IsZero() || h.CanaryOverdue {
		t.Errorf("under way: %+v", h)
	}
	clock.advance(7 * time.Second)
	relayed := append([]byte("Received: from x\r\nReturn-Path: <"+testAddress+">\r\n"), sent[0].Data...)
	if got := box.takeTest(t, sink, relayed, false); got.aside {
		t.Error("it is filed aside")
	}
	if s := sink.State(); s.Attempts != 0 {
		t.Errorf("%d accepted, %d aside", len(s.Accepted), len(s.Asides))
	}
	if h := box.Health(); h.State != StateOK || h.CanaryLatency != 7*time.Second || !h.CanarySeen.Equal(clock.now()) {
		t.Errorf("after its arrival: %+v", h)
	}
}

func TestACanaryThatDoesNotComeBackMeansThatTheLoopIsBroken(t *testing.T) {
	box, out, clock, sink := newCanaryBox(t)
	box.canary.release(t.Context())
	clock.advance(15 * time.Minute)
	if h := box.Health(); h.CanaryOverdue {
		t.Errorf("overdue too early: %+v", h)
	}
	box.canary.release(t.Context())
	clock.advance(time.Second)
	h := box.Health()
	if !h.CanaryOverdue || h.State != StateDegraded || !strings.HasPrefix(h.Problem, "the mail loop is broken: a test mail that was sent to partners@vendor.example 15m1s ago has not come back") {
		t.Errorf("%+v", h)
	}
	if c := box.Condition(); !c.Down || c.Problem != h.Problem {
		t.Errorf("staff are told %+v", c)
	}
	box.takeTest(t, sink, out.all()[1].Data, false) // the later one comes: the loop works
	if h := box.Health(); box.Condition().Down || h.CanaryOverdue || h.Problem != "" || h.CanaryLatency != time.Second {
		t.Errorf("%+v", h)
	}
}

// Mail that takes longer than the time between two canaries is a broken loop, even though
// every one comes in the end.
func TestALoopThatIsTooSlowStaysBroken(t *testing.T) {
	box, out, clock, sink := newCanaryBox(t)
	for n := range 4 {
		box.canary.release(t.Context())
		if n >= 3 {
			box.takeTest(t, sink, out.all()[n-3].Data, false) // 45 minutes late
			if h := box.Health(); !h.CanaryOverdue || h.CanaryLatency != 45*time.Minute {
				t.Errorf("%+v", h)
			}
		}
		clock.advance(15 * time.Minute)
	}
	box.takeTest(t, sink, out.all()[3].Data, false)
	box.takeTest(t, sink, out.all()[1].Data, false) // overtaken
	if h := box.Health(); h.CanaryOverdue || h.CanaryLatency != 15*time.Minute || h.State != StateOK {
		t.Errorf("%+v", h)
	}
}

func TestACanaryThatCannotBeSentSaysWhy(t *testing.T) {
	box, out, clock, _ := newCanaryBox(t)
	out.mu.Lock()
	out.refuseData = errors.New("the queue is full")
	out.mu.Unlock()
	box.canary.release(t.Context())
	clock.advance(16 * time.Minute)
	if h := box.Health(); !h.CanaryOverdue || !strings.Contains(h.Problem, "no test mail could be sent to partners@vendor.example") || !strings.Contains(h.Problem, "queue is full") {
		t.Errorf("%+v", h)
	}
}

func TestAForgedCanaryIsMailLikeAnyOther(t *testing.T) {
	box, out, clock, _ := newCanaryBox(t)
	box.canary.release(t.Context())
	real := string(out.all()[0].Data)
	at := clock.now()
	other := &canary{key: testKey, address: testAddress, mailbox: "another"}
	stolen := box.canary.token(at)
	for name, raw := range map[string]string{
		"another time":        strings.ReplaceAll(real, stolen, "1"+stolen),
		"another mailbox":     strings.ReplaceAll(real, stolen, other.token(at)),
		"no signature":        strings.ReplaceAll(real, stolen, strings.SplitAfter(stolen, ".")[0]),
		"nonsense":            strings.ReplaceAll(real, stolen, "x"),
		"a token in the text": strings.Replace(real, canaryHeader+": ", "X-Other: ", 1) + canaryHeader + ": " + stolen + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			sink := channeltest.NewSink()
			if got := box.takeTest(t, sink, []byte(raw), false); !got.aside {
				t.Error("it is filed as processed")
			}
			if s := sink.State(); len(s.Asides) != 1 || s.Asides[0].Reason != intake.AsideOwn {
				t.Errorf("set aside %+v", s.Asides)
			}
			if h := box.Health(); !h.CanarySeen.IsZero() {
				t.Error("it counts as seen")
			}
		})
	}
}

// One that was under way while the gateway was started anew is known by its signature.
func TestACanaryIsKnownAfterARestart(t *testing.T) {
	box, out, _, sink := newCanaryBox(t)
	box.canary.release(t.Context())
	again, _, clock, _ := newCanaryBox(t)
	clock.advance(3 * time.Second)
	if got := again.takeTest(t, sink, out.all()[0].Data, false); got.aside || sink.State().Attempts != 0 {
		t.Error("it is stored")
	}
	if h := again.Health(); h.CanaryLatency != 3*time.Second {
		t.Errorf("%+v", h)
	}
}

func TestACanaryAmongJunkIsTold(t *testing.T) {
	box, out, clock, sink := newCanaryBox(t)
	box.canary.release(t.Context())
	clock.advance(time.Second)
	box.takeTest(t, sink, out.all()[0].Data, true)
	if h := box.Health(); h.State != StateDegraded || !strings.Contains(h.Problem, "taken for junk") {
		t.Errorf("%+v", h)
	}
}

func TestWithoutACanaryNothingIsSent(t *testing.T) {
	out := newSMTPSink(t)
	box, _ := newTestMailbox(t, Config{SMTP: out.config()})
	if err := box.canary.run(t.Context()); err != nil || len(out.all()) != 0 {
		t.Errorf("%d sent, %v", len(out.all()), err)
	}
}
