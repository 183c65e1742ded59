package captcha

import (
	"context"
	"errors"
	"time"
)

// Check is one token to verify.
type Check struct {
	// Token is what the form's field holds, as sent.
	Token string
	// IP and UserAgent are the visitor's; both may be empty. Providers are told of them
	// because they judge by them too.
	IP, UserAgent string
}

// Verdict is what a provider says of a token.
type Verdict struct {
	// Outcome is OutcomePassed, OutcomeLow or OutcomeRefused.
	Outcome Outcome
	// Score is from 0, a robot, to 1, a person; 0 where the provider has none.
	Score float64
	// Why is for logs: words of ours, with nothing in them that a visitor or a provider wrote.
	// It is never shown.
	Why string
	// Spend is the key under which the caller must spend a token that passed, once, in its own
	// store; "" if the provider sees to that.
	Spend string
	// Until is when the token is good for nothing any more, so that its key may be forgotten.
	Until time.Time
	// unasked says that the verdict tells nothing of the provider: it was not needed.
	unasked bool
}

// Provider judges tokens. It is safe for concurrent use.
type Provider interface {
	// Name is the kind of provider, a label of metrics.
	Name() string
	// Verify judges one token, within the time-out of the configuration. An error means that
	// there is no judgement. It is ErrMisconfigured if a person of ours has to mend something,
	// and otherwise an outage.
	Verify(ctx context.Context, c Check) (Verdict, error)
	// Widget is what the page needs.
	Widget() Widget
}

// ErrMisconfigured is in the errors of Verify that last until somebody mends our keys.
var ErrMisconfigured = errors.New("the captcha is not set up right")

// Outcome is how the check of one submission ended.
type Outcome string

// The outcomes.
const (
	OutcomePassed  Outcome = "passed"
	OutcomeLow     Outcome = "low" // perhaps a person: below the score, or without what proves the place
	OutcomeRefused Outcome = "refused"
	OutcomeMissing Outcome = "missing" // no token: scripts are off, or the widget did not load
	// OutcomeOutage: the provider did not answer, or is not asked because it did not before.
	OutcomeOutage        Outcome = "outage"
	OutcomeMisconfigured Outcome = "misconfigured"
	OutcomeAbandoned     Outcome = "abandoned" // the visitor went away while we asked
	OutcomeOff           Outcome = "off"       // there is no captcha
)

// Outcomes is the full set.
func Outcomes() []Outcome {
	return []Outcome{
		OutcomePassed, OutcomeLow, OutcomeRefused, OutcomeMissing, OutcomeOutage, OutcomeMisconfigured,
		OutcomeAbandoned, OutcomeOff,
	}
}

func refused(why string) Verdict { return Verdict{Outcome: OutcomeRefused, Why: why} }
func low(why string) Verdict     { return Verdict{Outcome: OutcomeLow, Why: why} }
