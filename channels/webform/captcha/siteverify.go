package captcha

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// siteverify asks Google, Cloudflare and hCaptcha, who answer nearly alike.
//
//	https://developers.google.com/recaptcha/docs/verify
//	https://developers.google.com/recaptcha/docs/v3
//	https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
//	https://docs.hcaptcha.com/
//
// Cloudflare's idempotency_key is not sent: it lets one token be judged again.
type siteverify struct {
	*remote
	dialect
}

// dialect is in what they differ.
type dialect struct {
	path     string
	maxToken int
	// life is how long a token is good.
	life time.Duration
	// sitekey has the key sent along, so that tokens of others are refused.
	sitekey bool
	widget  func(c Config) Widget
}

var dialects = map[Kind]dialect{
	KindRecaptchaV2: {path: "/recaptcha/api/siteverify", maxToken: maxToken, life: 2 * time.Minute, widget: widgetV2},
	KindRecaptchaV3: {path: "/recaptcha/api/siteverify", maxToken: maxToken, life: 2 * time.Minute, widget: widgetV3},
	KindTurnstile:   {path: "/turnstile/v0/siteverify", maxToken: 2048, life: 5 * time.Minute, widget: widgetTurnstile},
	KindHCaptcha:    {path: "/siteverify", maxToken: maxToken, life: 2 * time.Minute, sitekey: true, widget: widgetHCaptcha},
}

// siteverifyAnswer is what they say. hCaptcha's own score counts the other way around, and is
// not read.
type siteverifyAnswer struct {
	Success  *bool    `json:"success"`
	Made     string   `json:"challenge_ts"`
	Hostname string   `json:"hostname"`
	Action   string   `json:"action"`
	Score    *float64 `json:"score"`
	Codes    []string `json:"error-codes"`
}

func (s *siteverify) Widget() Widget { return s.widget(s.c) }

func (s *siteverify) Verify(ctx context.Context, c Check) (Verdict, error) {
	if v, ok := precheck(c.Token, s.maxToken); !ok {
		return v, nil
	}
	form := url.Values{"secret": {s.c.Secret}, "response": {c.Token}}
	if ip := visitor(c.IP); ip != "" {
		form.Set("remoteip", ip)
	}
	if s.sitekey {
		form.Set("sitekey", s.c.SiteKey)
	}
	var a siteverifyAnswer
	status, err := s.postForm(ctx, s.path, form, &a)
	switch {
	case err != nil:
		return Verdict{}, err
	case a.Success == nil:
		return Verdict{}, fmt.Errorf("the provider answered %d and did not say whether the token is good", status)
	case !*a.Success:
		return judgeCodes(a.Codes)
	case status != http.StatusOK:
		return Verdict{}, fmt.Errorf("the provider answered %d", status)
	case len(a.Codes) > 0:
		// Over the free quota, Google passes everybody and says so here.
		return Verdict{}, errors.New("the provider passes the token without having judged it")
	}
	return s.judge(a)
}

// judge looks at what was said of a token that is good in itself.
func (s *siteverify) judge(a siteverifyAnswer) (Verdict, error) {
	if !s.place(a.Hostname) {
		return refused("the token was made on another site"), nil
	}
	made, err := time.Parse(time.RFC3339, a.Made)
	if err != nil {
		return Verdict{}, errors.New("the provider did not say when the token was made")
	}
	if v, ok := s.fresh(made, s.life); !ok {
		return v, nil
	}
	k := kinds[s.c.Provider]
	if k.action && a.Action != s.c.Action && !s.c.TestKeys {
		return refused("the token was made for another action"), nil
	}
	switch scores := strings.HasPrefix(string(s.c.Provider), "recaptcha"); {
	case !scores:
		return Verdict{Outcome: OutcomePassed}, nil
	case k.score && a.Score == nil && !s.c.TestKeys:
		return Verdict{}, fmt.Errorf("%w: there is no score; the keys are not of reCAPTCHA v3", ErrMisconfigured)
	case !k.score && a.Score != nil:
		return Verdict{}, fmt.Errorf("%w: there is a score; the keys are not of the checkbox of reCAPTCHA v2", ErrMisconfigured)
	case a.Score == nil:
		return Verdict{Outcome: OutcomePassed}, nil
	}
	return s.scored(*a.Score), nil
}

// The codes of refusals, by whose matter they are. Codes that nobody has told us of count
// against the token.
var (
	codesOurs = []string{
		"missing-input-secret", "invalid-input-secret", "bad-request", "missing-remoteip", "invalid-remoteip",
		"sitekey-secret-mismatch", "not-using-dummy-passcode", "not-using-dummy-secret", "invalid-keys",
	}
	codesOutage = []string{"internal-error"}
	codesToken  = []string{
		"missing-input-response", "invalid-input-response", "expired-input-response", "already-seen-response",
		"invalid-or-already-seen-response", "timeout-or-duplicate",
	}
)

// judgeCodes judges a token by what is said against it. The codes are the provider's words, so
// that only known ones are repeated.
func judgeCodes(codes []string) (Verdict, error) {
	for _, code := range codes {
		if slices.Contains(codesOurs, code) {
			return Verdict{}, fmt.Errorf("%w: the provider says %s", ErrMisconfigured, code)
		}
		if slices.Contains(codesOutage, code) {
			return Verdict{}, fmt.Errorf("the provider says %s", code)
		}
	}
	for _, code := range codes {
		if code == "browser-error" { // the visitor's browser did not reach the provider
			return low(code), nil
		}
		if slices.Contains(codesToken, code) {
			return refused(code), nil
		}
	}
	return refused("for a reason that is not known"), nil
}

func widgetV2(c Config) Widget {
	return Widget{
		Provider: c.Provider, Field: "g-recaptcha-response", ThirdParty: true, Privacy: "recaptcha",
		Scripts: []Script{{URL: c.WidgetURL + "/recaptcha/api.js"}},
		Element: Element{Tag: "div", Attrs: map[string]string{"class": "g-recaptcha", "data-sitekey": c.SiteKey}},
		Policy:  policyRecaptcha(c),
	}
}

func widgetV3(c Config) Widget {
	return Widget{
		Provider: c.Provider, Field: "g-recaptcha-response", ThirdParty: true, Privacy: "recaptcha",
		Scripts: []Script{{URL: c.WidgetURL + "/recaptcha/api.js?render=" + url.QueryEscape(c.SiteKey)}},
		Element: hiddenField(c, "g-recaptcha-response"),
		Execute: "grecaptcha.execute",
		Policy:  policyRecaptcha(c),
	}
}

// hiddenField is where the page's script puts a token.
func hiddenField(c Config, field string) Element {
	return Element{Tag: "input", Attrs: map[string]string{
		"type": "hidden", "name": field, "data-captcha": string(c.Provider), "data-sitekey": c.SiteKey, "data-action": c.Action,
	}}
}

// policyRecaptcha is for the host that scripts come from first, which gets the rest elsewhere.
// https://docs.cloud.google.com/recaptcha/docs/faq
func policyRecaptcha(c Config) Policy {
	first := origin(c.WidgetURL) + "/recaptcha/"
	return Policy{
		"script-src":  {first, "https://www.gstatic.com/recaptcha/"},
		"frame-src":   {first, "https://recaptcha.google.com/recaptcha/"},
		"connect-src": {first},
	}
}

func widgetTurnstile(c Config) Widget {
	const from = "https://challenges.cloudflare.com"
	return Widget{
		Provider: c.Provider, Field: "cf-turnstile-response", ThirdParty: true, Privacy: "turnstile",
		Scripts: []Script{{URL: from + "/turnstile/v0/api.js"}},
		Element: Element{Tag: "div", Attrs: map[string]string{"class": "cf-turnstile", "data-sitekey": c.SiteKey, "data-action": c.Action}},
		Policy:  everywhere([]string{from}, "script-src", "frame-src"),
	}
}

func widgetHCaptcha(c Config) Widget {
	return Widget{
		Provider: c.Provider, Field: "h-captcha-response", ThirdParty: true, Privacy: "hcaptcha",
		Scripts: []Script{{URL: "https://js.hcaptcha.com/1/api.js?recaptchacompat=off"}},
		Element: Element{Tag: "div", Attrs: map[string]string{"class": "h-captcha", "data-sitekey": c.SiteKey}},
		Policy:  everywhere([]string{"https://hcaptcha.com", "https://*.hcaptcha.com"}, "script-src", "frame-src", "style-src", "connect-src"),
	}
}
