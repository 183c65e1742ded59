package intake

import (
	"errors"
	"log/slog"
	"testing"
	"time"
)

// shutGate is a gate that five calls have shut, with a clock to move.
func shutGate(t *testing.T) (g *gate, pass func(time.Duration)) {
	t.Helper()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	g = &gate{now: func() time.Time { return now }, every: probePause, log: slog.New(slog.DiscardHandler), opened: func() {}}
	for range gateFailures {
		g.note(t.Context(), PushLane("crm"), errors.New("down"))
	}
	if !g.isShut() {
		t.Fatal("it is open")
	}
	return g, func(d time.Duration) { now = now.Add(d) }
}

func TestALaneThatMakesNoCallTakesTheTurnOfNoOther(t *testing.T) {
	g, pass := shutGate(t)
	pass(probePause)
	if n, _ := g.admit(PushListsLane("crm"), 8); n != 1 {
		t.Fatal("the lane that makes the first call is not let in")
	}
	g.note(t.Context(), PushListsLane("crm"), errors.New("down"))
	pass(probePause + turnPatience)
	for range 100 { // a push that waits for an older one, looking again and again
		if n, _ := g.admit(PushLane("crm"), 8); n != 1 {
			t.Fatal("who makes no call is not let in again")
		}
		g.leave(PushLane("crm"))
		pass(turnPatience / 2)
	}
	if n, _ := g.admit(PushListsLane("crm"), 8); n != 1 {
		t.Error("the other lane is not let in")
	}
}

func TestLanesTakeTurnsAtAGateThatIsShut(t *testing.T) {
	g, pass := shutGate(t)
	var turns []Lane
	for range 6 {
		pass(probePause)
		for _, lane := range []Lane{PushLane("crm"), PushListsLane("crm")} {
			if n, wait := g.admit(lane, 8); n == 1 {
				turns = append(turns, lane)
				g.note(t.Context(), lane, errors.New("down"))
			} else if wait <= 0 {
				t.Errorf("%s is to look again after %v", lane, wait)
			}
		}
	}
	for i, lane := range turns {
		if i > 0 && lane == turns[i-1] {
			t.Fatalf("the calls were of %v", turns)
		}
	}
	if len(turns) != 6 {
		t.Errorf("%d calls in 6 minutes: %v", len(turns), turns)
	}
	pass(probePause + turnPatience)
	if n, _ := g.admit(turns[5], 8); n != 1 {
		t.Error("a lane that is alone is not let in again")
	}
	g.note(t.Context(), turns[5], nil)
	if g.isShut() {
		t.Error("a call that succeeded does not open it")
	}
}
