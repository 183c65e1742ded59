package captcha

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// scripted is a provider that says what a test wants.
type scripted struct {
	asked  atomic.Int64
	verify func(ctx context.Context, n int64) (Verdict, error)
}

func (s *scripted) Name() string   { return "scripted" }
func (s *scripted) Widget() Widget { return Widget{Field: "token"} }
func (s *scripted) Verify(ctx context.Context, _ Check) (Verdict, error) {
	return s.verify(ctx, s.asked.Add(1))
}

var (
	errDown = errors.New("down")
	pass    = Verdict{Outcome: OutcomePassed}
)

// clock is a time that tests move.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return noon.Add(time.Duration(c.ns.Load())) }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

func scriptedGate(p Provider, c *clock) *Gate {
	return newGate(p, OutageConfirm, TokenlessConfirm, Options{Now: c.now})
}

func TestWhatBecomesOfASubmission(t *testing.T) {
	misconfigured := errors.Join(ErrMisconfigured)
	for name, tt := range map[string]struct {
		verdict Verdict
		err     error
		outage  OnOutage
		want    Action
		outcome Outcome
	}{
		"what passes, passes":                    {pass, nil, OutageClosed, ActionPass, OutcomePassed},
		"what is refused, is":                    {refused("x"), nil, OutageOpen, ActionRefuse, OutcomeRefused},
		"a low score is to confirm":              {low("x"), nil, OutageOpen, ActionConfirm, OutcomeLow},
		"a verdict that is none is a refusal":    {Verdict{}, nil, OutageOpen, ActionRefuse, OutcomeRefused},
		"an outage is to confirm":                {Verdict{}, errDown, OutageConfirm, ActionConfirm, OutcomeOutage},
		"an outage closes, if so set":            {Verdict{}, errDown, OutageClosed, ActionClosed, OutcomeOutage},
		"an outage opens, if so set":             {Verdict{}, errDown, OutageOpen, ActionPass, OutcomeOutage},
		"wrong keys are to confirm":              {Verdict{}, misconfigured, OutageConfirm, ActionConfirm, OutcomeMisconfigured},
		"wrong keys close, if so set":            {Verdict{}, misconfigured, OutageClosed, ActionClosed, OutcomeMisconfigured},
		"wrong keys open, if so set":             {Verdict{}, misconfigured, OutageOpen, ActionPass, OutcomeMisconfigured},
		"a verdict beside an error is not heard": {pass, errDown, OutageClosed, ActionClosed, OutcomeOutage},
	} {
		t.Run(name, func(t *testing.T) {
			type seen struct {
				provider string
				outcome  Outcome
				took     time.Duration
			}
			var got []seen
			c := &clock{}
			g := newGate(&scripted{verify: func(context.Context, int64) (Verdict, error) {
				c.advance(time.Second)
				return tt.verdict, tt.err
			}}, tt.outage, TokenlessConfirm, Options{Now: c.now, Observe: func(p string, o Outcome, took time.Duration) { got = append(got, seen{p, o, took}) }})
			if d := g.Decide(t.Context(), check("token")); d.Action != tt.want || d.Outcome != tt.outcome {
				t.Errorf("%s, want %s/%s", describe(d), tt.want, tt.outcome)
			}
			if want := []seen{{"scripted", tt.outcome, time.Second}}; !slices.Equal(got, want) {
				t.Errorf("observed %v, want %v", got, want)
			}
		})
	}
}

func TestASubmissionWithoutATokenIsNotAskedAbout(t *testing.T) {
	for policy, want := range map[WithoutToken]Action{TokenlessConfirm: ActionConfirm, TokenlessRefuse: ActionRefuse} {
		s := &scripted{verify: func(context.Context, int64) (Verdict, error) { return pass, nil }}
		g := newGate(s, OutageOpen, policy, Options{Now: (&clock{}).now})
		for _, token := range []string{"", "   ", "\r\n"} {
			if d := g.Decide(t.Context(), check(token)); d.Action != want || d.Outcome != OutcomeMissing {
				t.Errorf("%s: %s", policy, describe(d))
			}
		}
		if s.asked.Load() != 0 {
			t.Errorf("asked %d times", s.asked.Load())
		}
	}
}

func TestAProviderThatIsDownIsLeftAloneForAMinute(t *testing.T) {
	down := true
	s := &scripted{verify: func(context.Context, int64) (Verdict, error) {
		if down {
			return Verdict{}, errDown
		}
		return pass, nil
	}}
	c := &clock{}
	var log strings.Builder
	g := newGate(s, OutageConfirm, TokenlessConfirm, Options{Now: c.now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	decide := func(what string, times int, want Outcome, asked int64) {
		t.Helper()
		for range times {
			if d := g.Decide(t.Context(), check("token")); d.Outcome != want {
				t.Errorf("%s: %s, want %s", what, describe(d), want)
			}
		}
		if n := s.asked.Swap(0); n != asked {
			t.Errorf("%s: asked %d times, want %d", what, n, asked)
		}
	}
	decide("four failures are not enough", 4, OutcomeOutage, 4)
	down = false
	decide("one that passes", 1, OutcomePassed, 1)
	down = true
	decide("counts anew", 5, OutcomeOutage, 5)
	decide("left alone", 20, OutcomeOutage, 0)
	c.advance(59 * time.Second)
	decide("for a minute", 1, OutcomeOutage, 0)
	c.advance(time.Second)
	decide("asked once, and left alone again", 20, OutcomeOutage, 1)
	c.advance(time.Minute)
	down = false
	decide("asked once, and on from there", 20, OutcomePassed, 20)
	down = true
	decide("five new failures", 5, OutcomeOutage, 5)
	decide("left alone anew", 3, OutcomeOutage, 0)
	if opened, closed := strings.Count(log.String(), "level=ERROR"), strings.Count(log.String(), "level=INFO"); opened != 2 || closed != 1 {
		t.Errorf("told %d times that it is down and %d times that it is back:\n%s", opened, closed, log.String())
	}
}

func TestWhatVisitorsDoDoesNotOpenOrCloseTheBreaker(t *testing.T) {
	t.Run("leaving while we ask", func(t *testing.T) {
		s := &scripted{verify: func(ctx context.Context, _ int64) (Verdict, error) { return Verdict{}, ctx.Err() }}
		c := &clock{}
		g := scriptedGate(s, c)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		for range 3 * breakAfter {
			if d := g.Decide(gone, check("token")); d.Action != ActionClosed || d.Outcome != OutcomeAbandoned {
				t.Errorf("%s", describe(d))
			}
		}
		s.verify = func(context.Context, int64) (Verdict, error) { return pass, nil }
		if d := g.Decide(t.Context(), check("token")); d.Action != ActionPass {
			t.Errorf("the next one: %s", describe(d))
		}
	})
	t.Run("a deadline of ours is an outage", func(t *testing.T) {
		g := scriptedGate(&scripted{verify: func(ctx context.Context, _ int64) (Verdict, error) { return Verdict{}, ctx.Err() }}, &clock{})
		late, cancel := context.WithDeadline(t.Context(), time.Unix(0, 0))
		defer cancel()
		if d := g.Decide(late, check("token")); d.Outcome != OutcomeOutage {
			t.Errorf("%s", describe(d))
		}
	})
	t.Run("leaving while we ask for all", func(t *testing.T) {
		answer := Verdict{}
		err := errDown
		s := &scripted{verify: func(ctx context.Context, _ int64) (Verdict, error) {
			if ctx.Err() != nil {
				return Verdict{}, ctx.Err()
			}
			return answer, err
		}}
		c := &clock{}
		g := scriptedGate(s, c)
		for range breakAfter {
			g.Decide(t.Context(), check("token"))
		}
		c.advance(breakFor)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		g.Decide(gone, check("token"))
		answer, err = pass, nil
		if d := g.Decide(t.Context(), check("token")); d.Action != ActionPass {
			t.Errorf("the next one: %s", describe(d))
		}
	})
	t.Run("sending junk", func(t *testing.T) {
		p := newPeer(t, KindTurnstile)
		p.knows("token", says{status: 500})
		c := &clock{}
		g := open(t, testConfig(KindTurnstile, p.URL), Options{Now: c.now})
		junk := check("no token has blanks")
		for range breakAfter {
			g.Decide(t.Context(), check("token"))
			g.Decide(t.Context(), junk)
		}
		g.Decide(t.Context(), check("token"))
		if p.times() != breakAfter {
			t.Errorf("asked %d times: junk counts as an answer", p.times())
		}
		c.advance(breakFor)
		g.Decide(t.Context(), junk)
		g.Decide(t.Context(), check("token"))
		g.Decide(t.Context(), check("token"))
		if p.times() != breakAfter+1 {
			t.Errorf("asked %d times: junk closed the breaker", p.times())
		}
	})
	t.Run("a token that makes the provider panic us", func(t *testing.T) {
		s := &scripted{verify: func(_ context.Context, n int64) (Verdict, error) {
			if n == breakAfter+1 {
				panic("a bug of ours")
			}
			return Verdict{}, errDown
		}}
		c := &clock{}
		g := scriptedGate(s, c)
		for range breakAfter {
			g.Decide(t.Context(), check("token"))
		}
		c.advance(breakFor)
		func() {
			defer func() { _ = recover() }()
			g.Decide(t.Context(), check("token"))
		}()
		g.Decide(t.Context(), check("token"))
		if n := s.asked.Load(); n != breakAfter+2 {
			t.Errorf("asked %d times: nobody may ask any more", n)
		}
	})
}

func TestOfManyAtOnceOneAsksForAll(t *testing.T) {
	entered, leave := make(chan struct{}, 60), make(chan struct{})
	s := &scripted{verify: func(_ context.Context, n int64) (Verdict, error) {
		if n <= breakAfter {
			return Verdict{}, errDown
		}
		entered <- struct{}{}
		<-leave
		return pass, nil
	}}
	c := &clock{}
	g := scriptedGate(s, c)
	for range breakAfter {
		g.Decide(t.Context(), check("token"))
	}
	c.advance(breakFor)
	var asks, others sync.WaitGroup
	asks.Go(func() {
		if d := g.Decide(t.Context(), check("token")); d.Action != ActionPass {
			t.Errorf("the one who asks: %s", describe(d))
		}
	})
	<-entered
	for range 50 {
		others.Go(func() {
			if d := g.Decide(t.Context(), check("token")); d.Outcome != OutcomeOutage {
				t.Errorf("who does not wait: %s", describe(d))
			}
		})
	}
	others.Wait()
	close(leave)
	asks.Wait()
	if n := s.asked.Load(); n != breakAfter+1 {
		t.Errorf("asked %d times", n)
	}
}

func TestAnAnswerOfBeforeIsOldNews(t *testing.T) {
	c := &clock{}
	b := &breaker{now: c.now}
	slow, ok := b.begin()
	if !ok {
		t.Fatal("no turn")
	}
	late, _ := b.begin()
	var stale []turn
	for range breakAfter {
		turn, _ := b.begin()
		stale = append(stale, turn)
	}
	for range breakAfter {
		turn, _ := b.begin()
		b.end(turn, failed)
	}
	if b.end(slow, answered); !b.until.After(c.now()) {
		t.Error("an answer to a question of before closed the breaker")
	}
	c.advance(breakFor)
	probe, ok := b.begin()
	if !ok || !probe.probe {
		t.Fatal("nobody asks for all")
	}
	b.end(late, failed)
	if _, ok := b.begin(); ok {
		t.Error("two ask for all at once")
	}
	if b.end(probe, answered) != closed || !b.until.IsZero() {
		t.Error("still open")
	}
	for _, turn := range stale {
		if b.end(turn, failed) != changedNothing {
			t.Error("failures of before opened it again")
		}
	}
}

func TestAGateIsForManyAtOnce(t *testing.T) {
	s := &scripted{verify: func(_ context.Context, n int64) (Verdict, error) {
		switch n % 3 {
		case 0:
			return pass, nil
		case 1:
			return Verdict{}, ErrMisconfigured
		}
		return Verdict{}, errDown
	}}
	c := &clock{}
	var seen atomic.Int64
	g := newGate(s, OutageConfirm, TokenlessConfirm, Options{Now: c.now, Observe: func(string, Outcome, time.Duration) { seen.Add(1) }})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				g.Decide(t.Context(), check("token"))
				c.advance(time.Second)
			}
		})
	}
	wg.Wait()
	if seen.Load() != 1600 {
		t.Errorf("%d of 1600 observed", seen.Load())
	}
}

func TestWithoutACaptchaEverybodyPasses(t *testing.T) {
	g := open(t, Config{Provider: KindOff}, Options{Reach: Loopback})
	if d := g.Decide(t.Context(), Check{}); d.Action != ActionPass || d.Outcome != OutcomeOff {
		t.Errorf("%s", describe(d))
	}
	if w := g.Widget(); w.Field != "" || w.Element.HTML() != "" || len(w.Scripts) > 0 {
		t.Errorf("the page gets %+v", w)
	}
	if _, err := g.Challenge(); !errors.Is(err, ErrNoChallenge) {
		t.Errorf("challenge: %v", err)
	}
}

func TestTheOutcomesAreAllThereAre(t *testing.T) {
	if n := len(Outcomes()); n != 8 || len(slices.Compact(slices.Sorted(slices.Values(Outcomes())))) != n {
		t.Errorf("outcomes %v", Outcomes())
	}
	if n := len(Actions()); n != 4 || (Decision{}).Action == ActionPass {
		t.Errorf("actions %v", Actions())
	}
	for _, k := range Kinds() {
		_, known := kinds[k]
		if !known {
			t.Errorf("%s has no row", k)
		}
	}
	if len(kinds) != len(Kinds()) {
		t.Errorf("%d rows for %d kinds", len(kinds), len(Kinds()))
	}
}
