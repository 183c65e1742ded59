package intake_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

// way is something that is watched.
type way struct {
	mu  sync.Mutex
	now intake.Condition
}

func (c *way) Condition() intake.Condition {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *way) is(down bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now.Down, c.now.Problem = down, ""
	if down {
		c.now.Problem = "nobody answers"
	}
}

// inWatch runs a gateway that watches a way, and starts it anew when told to.
func inWatch(t *testing.T, fn func(w *world, c *way, restart func(pause time.Duration))) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store, c := memstore.New(memstore.RunTwice()), &way{now: intake.Condition{Name: "mailbox partners"}}
		first := newWorld(t, store)
		start := func() (stop func()) {
			g := newWorldWith(t, store, func(o *intake.Options) { o.DownAfter = 15 * time.Minute }).gateway
			g.Register("desk", first.desk)
			g.Watch(c)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- g.Run(ctx) }()
			return func() {
				cancel()
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		}
		stop := start()
		fn(first, c, func(pause time.Duration) {
			stop()
			first.pass(pause)
			stop = start()
		})
		stop()
	})
}

// outages are what staff were told, in words.
func (w *world) outages() (told []string) {
	w.Helper()
	for _, m := range w.toStaff("mia@vendor.example", intake.StaffOutage) {
		switch o := m.Brief.Outage; {
		case o.Name != "mailbox partners" || o.Since.IsZero() || o.Problem != "nobody answers":
			w.Errorf("told %+v", o)
		case !o.Until.IsZero():
			told = append(told, "up")
		case o.Again:
			told = append(told, "still down")
		default:
			told = append(told, "down")
		}
	}
	return told
}

func TestAWayInThatIsDownIsToldOnceAndOnceThatItIsBack(t *testing.T) {
	type step struct {
		down bool
		took time.Duration
	}
	for _, tt := range []struct {
		name  string
		steps []step
		want  string
	}{
		{"what works is not told", []step{{false, 48 * time.Hour}}, ""},
		{"a short outage is not told", []step{{true, 14 * time.Minute}, {false, time.Hour}}, ""},
		{"two short ones are not one long one", []step{{true, 10 * time.Minute}, {false, 2 * time.Minute}, {true, 10 * time.Minute}, {false, time.Hour}}, ""},
		{"a longer one is told once as long as it lasts", []step{{true, 20 * time.Hour}}, "down"},
		{"and once more when it is over", []step{{true, 20 * time.Minute}, {false, 48 * time.Hour}}, "down, up"},
		{"it is told again the next day", []step{{true, 30 * time.Hour}, {false, time.Hour}}, "down, still down, up"},
		{"a moment in which it works does not end it", []step{{true, 20 * time.Minute}, {false, 2 * time.Minute}, {true, 8 * time.Hour}, {false, 2 * time.Minute}, {true, time.Hour}, {false, time.Hour}}, "down, up"},
		{"the next outage is another one", []step{{true, 20 * time.Minute}, {false, time.Hour}, {true, 20 * time.Minute}, {false, time.Hour}}, "down, up, down, up"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWatch(t, func(w *world, c *way, _ func(time.Duration)) {
				w.pass(time.Minute)
				for _, s := range tt.steps {
					c.is(s.down)
					w.pass(s.took)
				}
				if got := strings.Join(w.outages(), ", "); got != tt.want {
					t.Errorf("told %q, want %q", got, tt.want)
				}
			})
		})
	}
}

func TestAnOutageIsToldOnceHoweverOftenTheGatewayIsStarted(t *testing.T) {
	inWatch(t, func(w *world, c *way, restart func(time.Duration)) {
		c.is(true)
		w.pass(10 * time.Minute)
		restart(0)
		w.pass(6 * time.Minute)
		if got := w.outages(); !slices.Equal(got, []string{"down"}) {
			t.Fatalf("told %v", got)
		}
		for range 5 {
			restart(time.Minute)
			w.pass(10 * time.Minute)
		}
		c.is(false)
		w.pass(3 * time.Minute)
		restart(0) // and so is its end
		w.pass(time.Hour)
		restart(time.Minute)
		w.pass(time.Hour)
		if got := w.outages(); !slices.Equal(got, []string{"down", "up"}) {
			t.Errorf("told %v", got)
		}
		o := w.toStaff("", intake.StaffOutage)[1].Brief.Outage
		if d := o.Until.Sub(o.Since); d < time.Hour || d > 75*time.Minute {
			t.Errorf("it is said to have been down for %s", d)
		}
	})
}

func TestWhatCannotBeSentWhileNothingGoesOutIsToldAfterwards(t *testing.T) {
	inWatch(t, func(w *world, c *way, restart func(time.Duration)) {
		w.desk.fail = func(intake.Message) error { return errors.New("no route") }
		c.is(true)
		w.pass(3 * time.Hour)
		restart(time.Minute)
		c.is(false)
		w.pass(3 * time.Hour)
		if got := w.outages(); len(got) != 0 {
			t.Fatalf("told %v over a way that is closed", got)
		}
		w.desk.mu.Lock()
		w.desk.fail = nil
		w.desk.mu.Unlock()
		w.pass(2 * time.Hour)
		if got := w.outages(); !slices.Equal(got, []string{"down", "up"}) {
			t.Errorf("told %v", got)
		}
	})
}
