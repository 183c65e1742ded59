package captcha

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	altcha "github.com/altcha-org/altcha-lib-go"
)

const (
	// altchaLife is how long a challenge is good: time enough to fill in a form, and the widget
	// gets a new one after that.
	altchaLife = 10 * time.Minute
	// maxSolution is the size of a solution in base64; a real one has about 400 bytes.
	maxSolution = 2048
	// minKey is the size of a key, in bytes.
	minKey = 32
)

// puzzle is ALTCHA: the visitor's machine searches a number that we chose, and we know our own
// signature again. Nobody is asked, and nothing is stored before a solution passes.
type puzzle struct {
	c         Config
	key       string
	now       func() time.Time
	challenge string // URL of challenges
	assets    string // URL of the folder with the widget
}

func (p *puzzle) Name() string { return string(KindAltcha) }

// Challenge returns a new challenge as JSON, as the widget takes it.
func (p *puzzle) Challenge() ([]byte, error) {
	expires := p.now().Add(altchaLife)
	c, err := altcha.CreateChallenge(altcha.ChallengeOptions{
		Algorithm: altcha.SHA256, MaxNumber: p.c.MaxNumber, HMACKey: p.key, Expires: &expires,
	})
	if err != nil {
		return nil, errors.New("there is no randomness for a challenge")
	}
	return json.Marshal(c)
}

// Verify judges a solution. Solutions pass as often as they are sent until they expire: see
// Verdict.Spend.
func (p *puzzle) Verify(_ context.Context, c Check) (Verdict, error) {
	if v, ok := precheck(c.Token, maxSolution); !ok {
		return v, nil
	}
	var s altcha.Payload
	b, err := base64.StdEncoding.Strict().DecodeString(c.Token)
	if err != nil || json.Unmarshal(b, &s) != nil {
		return refused("the solution cannot be read"), nil
	}
	switch {
	case s.Algorithm != string(altcha.SHA256):
		return refused("the solution is of another algorithm"), nil
	case s.Number < 0 || s.Number > p.c.MaxNumber:
		return refused("the solution is out of range"), nil
	case !strings.HasSuffix(s.Salt, "&"): // the library would complete it, or take one of its own
		return refused("the solution has no salt of ours"), nil
	}
	// The library looks at expiry by a clock of its own, and not at all if there is none.
	ours, err := altcha.VerifySolutionSafe(s, p.key, false)
	if err != nil || !ours {
		return refused("the solution is not one of a challenge of ours"), nil
	}
	seconds, err := strconv.ParseInt(altcha.ExtractParams(s).Get("expires"), 10, 64)
	if err != nil {
		return refused("the challenge has no end"), nil
	}
	until := time.Unix(seconds, 0)
	if !p.now().Before(until) {
		return refused("the challenge has expired"), nil
	}
	return Verdict{Outcome: OutcomePassed, Spend: "altcha:" + s.Challenge, Until: until}, nil
}

// Widget is served by the gateway itself.
func (p *puzzle) Widget() Widget {
	return Widget{
		Provider: KindAltcha, Field: "altcha",
		Scripts: []Script{{URL: p.assets + "/altcha.js", Module: true}},
		Styles:  []string{p.assets + "/altcha.css"},
		Element: Element{Tag: "altcha-widget", Attrs: map[string]string{
			"name": "altcha", "challengeurl": p.challenge, "auto": "onfocus", "maxnumber": fmt.Sprint(p.c.MaxNumber),
			// Its logo is a link that a keyboard reaches and a screen reader does not; the footer leads away.
			"hidelogo": "", "hidefooter": "",
		}},
		Policy: everywhere([]string{self}, "script-src", "style-src", "connect-src", "worker-src"),
	}
}
