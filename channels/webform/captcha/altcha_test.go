package captcha

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	altcha "github.com/altcha-org/altcha-lib-go"
)

const ourKey = "0123456789abcdef0123456789abcdef"

// small is a puzzle that tests have time for.
const small = 2000

func altchaOptions(c *clock) Options {
	return Options{Key: []byte(ourKey), ChallengeURL: "/register/challenge", AssetsURL: "/assets/altcha/", Now: c.now}
}

func altchaGate(t *testing.T, c *clock) *Gate {
	t.Helper()
	return open(t, Config{MaxNumber: small}, altchaOptions(c))
}

// solution is what the widget sends.
type solution struct {
	Algorithm string `json:"algorithm"`
	Challenge string `json:"challenge"`
	Number    any    `json:"number"`
	Salt      string `json:"salt"`
	Signature string `json:"signature"`
	Took      int    `json:"took"`
}

func (s solution) token(t testing.TB) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// solve does the work of a visitor's machine.
func solve(t testing.TB, challenge []byte) solution {
	t.Helper()
	var c altcha.Challenge
	if err := json.Unmarshal(challenge, &c); err != nil {
		t.Fatal(err)
	}
	found, err := altcha.SolveChallenge(c.Challenge, c.Salt, altcha.Algorithm(c.Algorithm), int(c.MaxNumber), 0, nil)
	if err != nil || found == nil {
		t.Fatalf("no solution: %v", err)
	}
	return solution{c.Algorithm, c.Challenge, found.Number, c.Salt, c.Signature, 7}
}

func newSolution(t testing.TB, g *Gate) solution {
	t.Helper()
	challenge, err := g.Challenge()
	if err != nil {
		t.Fatal(err)
	}
	return solve(t, challenge)
}

// made is a solution of a challenge that somebody made with a key.
func made(t testing.TB, key string, o altcha.ChallengeOptions) solution {
	t.Helper()
	o.HMACKey = key
	c, err := altcha.CreateChallenge(o)
	if err != nil {
		t.Fatal(err)
	}
	number := any(*o.Number)
	return solution{c.Algorithm, c.Challenge, number, c.Salt, c.Signature, 7}
}

func at(n int64) *int64 { return &n }

func until(d time.Duration) *time.Time {
	end := noon.Add(d)
	return &end
}

func TestASolutionPassesWithAKeyToSpendItBy(t *testing.T) {
	c := &clock{}
	g := altchaGate(t, c)
	first, second := newSolution(t, g), newSolution(t, g)
	d := g.Decide(t.Context(), check(first.token(t)))
	if d.Action != ActionPass || d.Spend == "" || !d.Until.Equal(noon.Add(altchaLife)) {
		t.Fatalf("%s, spend %q until %v", describe(d), d.Spend, d.Until)
	}
	other := first
	other.Took = 100
	indented, err := json.MarshalIndent(other, " ", " ")
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"sent again":      first.token(t),
		"written anew":    other.token(t),
		"with blanks":     base64.StdEncoding.EncodeToString(indented),
		"with more to it": base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(indented), "{", `{"x":1,`, 1))),
	} {
		if again := g.Decide(t.Context(), check(token)); again.Action != ActionPass || again.Spend != d.Spend || !again.Until.Equal(d.Until) {
			t.Errorf("%s: %s, spend %q, want %q", name, describe(again), again.Spend, d.Spend)
		}
	}
	if d := g.Decide(t.Context(), check(second.token(t))); d.Action != ActionPass || d.Spend == "" || first.Challenge == second.Challenge {
		t.Errorf("another solution: %s", describe(d))
	} else if again := g.Decide(t.Context(), check(first.token(t))); again.Spend == d.Spend {
		t.Error("two solutions are spent as one")
	}
}

func TestAChallengeIsGoodForTenMinutes(t *testing.T) {
	c := &clock{}
	g := altchaGate(t, c)
	token := newSolution(t, g).token(t)
	for _, step := range []struct {
		at   time.Duration
		want Action
	}{{0, ActionPass}, {10*time.Minute - time.Second, ActionPass}, {10 * time.Minute, ActionRefuse}, {11 * time.Minute, ActionRefuse}} {
		c.ns.Store(int64(step.at))
		if d := g.Decide(t.Context(), check(token)); d.Action != step.want {
			t.Errorf("after %v: %s, want %s", step.at, describe(d), step.want)
		}
	}
}

func TestWhatIsNoSolutionOfOursIsRefused(t *testing.T) {
	c := &clock{}
	g := altchaGate(t, c)
	good := newSolution(t, g)
	changed := func(change func(*solution)) string {
		s := good
		change(&s)
		return s.token(t)
	}
	raw := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	ten := until(altchaLife)
	whole, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"a later end":                        changed(func(s *solution) { s.Salt = strings.Replace(s.Salt, "expires=1", "expires=2", 1) }),
		"a second end":                       changed(func(s *solution) { s.Salt += "expires=9999999999&" }),
		"no end":                             changed(func(s *solution) { s.Salt, _, _ = strings.Cut(s.Salt, "?") }),
		"no salt":                            changed(func(s *solution) { s.Salt = "" }),
		"a sign of the salt in the number":   changed(func(s *solution) { s.Salt = strings.TrimSuffix(s.Salt, "&") }),
		"a digit of the number in the salt":  changed(func(s *solution) { s.Salt, s.Number = s.Salt+fmt.Sprint(s.Number)[:1], 1 }),
		"another number":                     changed(func(s *solution) { s.Number = s.Number.(int) + 1 }),
		"a negative number":                  changed(func(s *solution) { s.Number = -1 }),
		"no number":                          changed(func(s *solution) { s.Number = nil }),
		"a number in words":                  changed(func(s *solution) { s.Number = "12" }),
		"another signature":                  changed(func(s *solution) { s.Signature = strings.Repeat("0", len(s.Signature)) }),
		"a signature in capitals":            changed(func(s *solution) { s.Signature = strings.ToUpper(s.Signature) }),
		"no signature":                       changed(func(s *solution) { s.Signature = "" }),
		"another challenge":                  changed(func(s *solution) { s.Challenge = newSolution(t, g).Challenge }),
		"a challenge in capitals":            changed(func(s *solution) { s.Challenge = strings.ToUpper(s.Challenge) }),
		"an algorithm by another name":       changed(func(s *solution) { s.Algorithm = "sha-256" }),
		"no algorithm":                       changed(func(s *solution) { s.Algorithm = "" }),
		"one of another key":                 made(t, strings.Repeat("x", 32), altcha.ChallengeOptions{Number: at(5), Expires: ten}).token(t),
		"one of no key":                      made(t, "", altcha.ChallengeOptions{Number: at(5), Expires: ten}).token(t),
		"one of ours with SHA-1":             made(t, ourKey, altcha.ChallengeOptions{Algorithm: altcha.SHA1, Number: at(5), Expires: ten}).token(t),
		"one of ours with SHA-512":           made(t, ourKey, altcha.ChallengeOptions{Algorithm: altcha.SHA512, Number: at(5), Expires: ten}).token(t),
		"one of ours that never ends":        made(t, ourKey, altcha.ChallengeOptions{Number: at(5)}).token(t),
		"one of ours that ends in words":     made(t, ourKey, altcha.ChallengeOptions{Number: at(5), Params: map[string][]string{"expires": {"never"}}}).token(t),
		"one of ours that has ended":         made(t, ourKey, altcha.ChallengeOptions{Number: at(5), Expires: until(-time.Minute)}).token(t),
		"one of ours with a negative number": made(t, ourKey, altcha.ChallengeOptions{Number: at(-5), Expires: ten}).token(t),
		"one of ours that is out of range":   made(t, ourKey, altcha.ChallengeOptions{Number: at(small + 1), Expires: ten}).token(t),
		"a number with a fraction":           raw(`{"algorithm":"SHA-256","challenge":"x","number":1.5,"salt":"x","signature":"x"}`),
		"a number that no machine has":       raw(`{"algorithm":"SHA-256","challenge":"x","number":1e400,"salt":"x","signature":"x"}`),
		"the largest number":                 raw(`{"algorithm":"SHA-256","challenge":"x","number":9223372036854775807,"salt":"x","signature":"x"}`),
		"nothing in it":                      raw(`{}`),
		"null":                               raw(`null`),
		"a list":                             raw(`[]`),
		"no JSON":                            raw(`hello`),
		"no base64":                          "!!!!",
		"JSON without base64":                `{"algorithm":"SHA-256"}`,
		"base64 that ends early":             strings.TrimRight(good.token(t), "=")[:101],
		"one that is too long":               raw(string(whole) + strings.Repeat(" ", maxSolution)),
	} {
		t.Run(name, func(t *testing.T) {
			d := g.Decide(t.Context(), check(token))
			if d.Action != ActionRefuse || d.Outcome != OutcomeRefused || d.Spend != "" {
				t.Errorf("%s", describe(d))
			}
		})
	}
	if d := g.Decide(t.Context(), check(made(t, ourKey, altcha.ChallengeOptions{Number: at(small), Expires: ten}).token(t))); d.Action != ActionPass {
		t.Errorf("the largest number of ours: %s", describe(d))
	}
}

func TestAChallengeIsWhatTheWidgetTakes(t *testing.T) {
	g := open(t, Config{}, altchaOptions(&clock{}))
	b, err := g.Challenge()
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	if c["algorithm"] != "SHA-256" || c["maxNumber"] != 50000.0 || len(c) != 5 {
		t.Errorf("%s", b)
	}
	if !strings.Contains(c["salt"].(string), fmt.Sprintf("?expires=%d&", noon.Add(10*time.Minute).Unix())) {
		t.Errorf("salt %s", c["salt"])
	}
	if strings.Contains(string(b), ourKey) {
		t.Error("the key is in it")
	}
}

func TestAltchaNeedsAKeyAndItsAddresses(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no key":                   func(o *Options) { o.Key = nil },
		"a short key":              func(o *Options) { o.Key = []byte(ourKey[:31]) },
		"no address of challenges": func(o *Options) { o.ChallengeURL = "" },
		"no address of the widget": func(o *Options) { o.AssetsURL = "" },
	} {
		o := altchaOptions(&clock{})
		change(&o)
		if _, err := New(Config{}, o); err == nil || strings.Contains(err.Error(), ourKey[:31]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := open(t, testConfig(KindTurnstile, ""), Options{}).Challenge(); !errors.Is(err, ErrNoChallenge) {
		t.Errorf("a challenge of Turnstile: %v", err)
	}
}

// Whatever is sent, nothing passes but what was signed with the key: and that is for one
// challenge alone, the only one that the key was used for.
func FuzzNothingPassesThatIsNotSigned(f *testing.F) {
	c := &clock{}
	g, err := New(Config{MaxNumber: small}, altchaOptions(c))
	if err != nil {
		f.Fatal(err)
	}
	// The same in every process that fuzzes.
	signed := made(f, ourKey, altcha.ChallengeOptions{Salt: "salt", Number: at(1234), Expires: until(altchaLife)})
	foreign := made(f, strings.Repeat("x", 32), altcha.ChallengeOptions{Number: at(5), Expires: until(altchaLife)})
	f.Add(signed.token(f), true)
	f.Add(foreign.token(f), true)
	for _, s := range []solution{signed, foreign} {
		b, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b), false)
	}
	f.Add(`{"algorithm":"SHA-256","salt":"?expires=9999999999&","number":0}`, false)
	f.Add(`{"algorithm":"","salt":"%zz?expires=%zz;","number":-9223372036854775808}`, false)
	f.Fuzz(func(t *testing.T, s string, whole bool) {
		if !whole {
			s = base64.StdEncoding.EncodeToString([]byte(s))
		}
		v, err := g.provider.Verify(t.Context(), Check{Token: s})
		if err != nil {
			t.Fatal(err)
		}
		if v.Outcome != OutcomePassed {
			if v.Outcome != OutcomeRefused || v.Spend != "" {
				t.Errorf("%+v", v)
			}
			return
		}
		if v.Spend != "altcha:"+signed.Challenge || !v.Until.Equal(noon.Add(altchaLife)) {
			t.Errorf("%q passes: %+v", s, v)
		}
	})
}
