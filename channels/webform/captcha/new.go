package captcha

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Options are what a gate is made of besides its configuration.
type Options struct {
	// Reach is who reaches the pages; Public if empty.
	Reach Reach
	// Key signs the challenges of ALTCHA: 32 bytes or more, the same in every process that
	// serves the form, and used for nothing else.
	Key []byte
	// ChallengeURL is where the page gets challenges (Gate.Challenge), AssetsURL the folder of
	// the widget, without a slash at the end. For ALTCHA.
	ChallengeURL, AssetsURL string
	Now                     func() time.Time // time.Now if nil
	Log                     *slog.Logger     // discarded if nil
	// Observe is told how each check ended and how long it took; nil for nobody. It is called
	// by the goroutine that decides.
	Observe func(provider string, o Outcome, took time.Duration)
}

// New returns the gate that c describes, or all faults of c. It connects to nothing.
func New(c Config, o Options) (*Gate, error) {
	if o.Reach == "" {
		o.Reach = Public
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := errors.Join(c.Validate(o.Reach)...); err != nil {
		return nil, fmt.Errorf("captcha: %w", err)
	}
	c = c.withDefaults()
	p, err := newProvider(c, o)
	if err != nil {
		return nil, fmt.Errorf("captcha %s: %w", c.Provider, err)
	}
	return newGate(p, c.OnOutage, c.WithoutToken, o), nil
}

// newProvider is the one list of providers. The configuration is valid and complete.
func newProvider(c Config, o Options) (Provider, error) {
	switch c.Provider {
	case KindOff:
		return off{}, nil
	case KindAltcha:
		if len(o.Key) < minKey {
			return nil, fmt.Errorf("the key has %d bytes, and must have %d", len(o.Key), minKey)
		}
		if o.ChallengeURL == "" || o.AssetsURL == "" {
			return nil, errors.New("the widget needs the addresses of challenges and of its files")
		}
		return &puzzle{c: c, key: string(o.Key), now: o.Now, challenge: o.ChallengeURL, assets: strings.TrimSuffix(o.AssetsURL, "/")}, nil
	case KindRecaptchaEnterprise:
		return &enterprise{newRemote(c, o.Now)}, nil
	case KindFriendly:
		return &friendly{newRemote(c, o.Now)}, nil
	}
	d, ok := dialects[c.Provider]
	if !ok {
		return nil, errors.New("there is no such provider")
	}
	return &siteverify{newRemote(c, o.Now), d}, nil
}

var (
	_ Provider   = (*puzzle)(nil)
	_ Provider   = (*siteverify)(nil)
	_ Provider   = (*enterprise)(nil)
	_ Provider   = (*friendly)(nil)
	_ Provider   = off{}
	_ challenger = (*puzzle)(nil)
)

// off passes everybody. Validate lets it through for pages that this machine alone reaches.
type off struct{}

func (off) Name() string { return string(KindOff) }

func (off) Verify(context.Context, Check) (Verdict, error) {
	return Verdict{Outcome: OutcomeOff, Why: "there is no captcha"}, nil
}

func (off) Widget() Widget { return Widget{Provider: KindOff} }
