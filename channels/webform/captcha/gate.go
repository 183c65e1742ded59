package captcha

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Action is what becomes of a submission.
type Action string

// The actions.
const (
	ActionPass Action = "pass"
	// ActionConfirm: take it in, and have the sender confirm by mail before it counts.
	ActionConfirm Action = "confirm"
	// ActionRefuse: show the form again, with what was typed and a new captcha.
	ActionRefuse Action = "refuse"
	// ActionClosed: show the form again, with what was typed, and ask to come back later.
	ActionClosed Action = "closed"
)

// Actions is the full set.
func Actions() []Action { return []Action{ActionPass, ActionConfirm, ActionRefuse, ActionClosed} }

// Decision is what becomes of one submission, and why. The zero Decision lets nothing pass.
type Decision struct {
	Action  Action
	Outcome Outcome
	Score   float64
	Why     string // for logs; never shown
	// Spend, if not empty, is a key that the caller stores once together with a submission that
	// passes, and may forget after Until. If the store has it already, the token was sent twice,
	// and the submission is to be refused.
	Spend string
	Until time.Time
}

// Gate decides what becomes of submissions. It is safe for concurrent use, and starts nothing
// that outlives a call but idle connections, which Close drops.
type Gate struct {
	provider     Provider
	onOutage     OnOutage
	withoutToken WithoutToken
	breaker      *breaker
	now          func() time.Time
	log          *slog.Logger
	observe      func(string, Outcome, time.Duration)

	mu      sync.Mutex
	alarmed time.Time
}

// challenger is a provider that hands out challenges itself.
type challenger interface{ Challenge() ([]byte, error) }

// ErrNoChallenge: the provider hands out challenges itself.
var ErrNoChallenge = errors.New("this captcha has no challenges of ours")

// alarmEvery keeps wrong keys from filling the log.
const alarmEvery = time.Minute

func newGate(p Provider, onOutage OnOutage, withoutToken WithoutToken, o Options) *Gate {
	g := &Gate{
		provider: p, onOutage: onOutage, withoutToken: withoutToken,
		breaker: &breaker{now: o.Now}, now: o.Now, log: o.Log, observe: o.Observe,
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.observe == nil {
		g.observe = func(string, Outcome, time.Duration) {}
	}
	return g
}

// Widget is what the page needs.
func (g *Gate) Widget() Widget { return g.provider.Widget() }

// Challenge returns a new challenge as JSON, for Options.ChallengeURL; ErrNoChallenge but for
// ALTCHA. It must not be cached.
func (g *Gate) Challenge() ([]byte, error) {
	c, ok := g.provider.(challenger)
	if !ok {
		return nil, ErrNoChallenge
	}
	return c.Challenge()
}

// Close drops idle connections. It never fails.
func (g *Gate) Close() error {
	if c, ok := g.provider.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Decide asks about one submission, and spends its token where the provider allows it once:
// the same submission must not be asked about again. It returns within the time-out of the
// configuration.
func (g *Gate) Decide(ctx context.Context, c Check) Decision {
	began := g.now()
	d := g.decide(ctx, c)
	g.observe(g.provider.Name(), d.Outcome, g.now().Sub(began))
	return d
}

func (g *Gate) decide(ctx context.Context, c Check) Decision {
	c.Token = strings.TrimSpace(c.Token)
	if c.Token == "" && g.provider.Widget().Field != "" {
		return g.missing()
	}
	t, ok := g.breaker.begin()
	if !ok {
		return g.unasked(OutcomeOutage, "the provider was down a moment ago")
	}
	r := unknown // a provider that panics has not answered
	defer func() { g.turned(t, r) }()
	v, err := g.provider.Verify(ctx, c)
	switch {
	case err == nil:
		if !v.unasked { // junk of visitors must not close the breaker
			r = answered
		}
		return g.judged(v)
	case errors.Is(err, ErrMisconfigured):
		r = answered
		g.alarm(err)
		return g.unasked(OutcomeMisconfigured, err.Error())
	case errors.Is(ctx.Err(), context.Canceled): // nobody waits; and visitors must not open the breaker
		return Decision{Action: ActionClosed, Outcome: OutcomeAbandoned, Why: "the visitor went away"}
	default:
		r = failed
		return g.unasked(OutcomeOutage, err.Error())
	}
}

// missing decides on a submission without a token: people without scripts, and robots.
func (g *Gate) missing() Decision {
	d := Decision{Action: ActionConfirm, Outcome: OutcomeMissing, Why: "there is no token"}
	if g.withoutToken == TokenlessRefuse {
		d.Action = ActionRefuse
	}
	return d
}

// unasked decides where there is no verdict.
func (g *Gate) unasked(o Outcome, why string) Decision {
	d := Decision{Outcome: o, Why: why}
	switch g.onOutage {
	case OutageOpen:
		d.Action = ActionPass
	case OutageClosed:
		d.Action = ActionClosed
	default:
		d.Action = ActionConfirm
	}
	return d
}

func (g *Gate) judged(v Verdict) Decision {
	d := Decision{Action: ActionRefuse, Outcome: v.Outcome, Score: v.Score, Why: v.Why}
	switch v.Outcome {
	case OutcomePassed, OutcomeOff:
		d.Action, d.Spend, d.Until = ActionPass, v.Spend, v.Until
	case OutcomeLow:
		d.Action = ActionConfirm
	default:
		d.Outcome = OutcomeRefused
	}
	return d
}

// turned tells of changes of the breaker.
func (g *Gate) turned(t turn, r result) {
	switch g.breaker.end(t, r) {
	case opened:
		g.log.Error("the captcha's provider does not answer; it is not asked for a while", "provider", g.provider.Name(), "on_outage", string(g.onOutage))
	case closed:
		g.log.Info("the captcha's provider answers again", "provider", g.provider.Name())
	}
}

// alarm tells staff of wrong keys, now and then.
func (g *Gate) alarm(err error) {
	g.mu.Lock()
	now := g.now()
	due := g.alarmed.IsZero() || now.Sub(g.alarmed) >= alarmEvery
	if due {
		g.alarmed = now
	}
	g.mu.Unlock()
	if due {
		g.log.Error("the captcha can't be checked until it is set up right", "provider", g.provider.Name(), "on_outage", string(g.onOutage), "err", err)
	}
}
