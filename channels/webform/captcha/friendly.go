package captcha

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
)

// friendly asks version 2 of Friendly Captcha. Its own libraries pass a token that they could
// not have verified; we do not.
//
//	https://developer.friendlycaptcha.com/docs/v2/api/siteverify
type friendly struct{ *remote }

type friendlyAnswer struct {
	Success *bool `json:"success"`
	Data    struct {
		Challenge struct {
			Origin string `json:"origin"`
		} `json:"challenge"`
	} `json:"data"`
	Error struct {
		Code string `json:"error_code"`
	} `json:"error"`
}

// The codes of refusals, by whose matter they are.
var (
	friendlyOurs  = []string{"auth_required", "auth_invalid", "sitekey_invalid", "response_missing", "bad_request"}
	friendlyToken = []string{"response_invalid", "response_timeout", "response_duplicate"}
)

func (f *friendly) Verify(ctx context.Context, c Check) (Verdict, error) {
	if v, ok := precheck(c.Token, maxToken); !ok {
		return v, nil
	}
	body := map[string]string{"response": c.Token, "sitekey": f.c.SiteKey}
	var a friendlyAnswer
	status, err := f.postJSON(ctx, "/api/v2/captcha/siteverify", http.Header{"X-Api-Key": {f.c.Secret}}, body, &a)
	switch code := a.Error.Code; {
	case err != nil:
		return Verdict{}, err
	case slices.Contains(friendlyOurs, code):
		return Verdict{}, fmt.Errorf("%w: the provider says %s", ErrMisconfigured, code)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return Verdict{}, fmt.Errorf("%w: the provider answered %d; check secret", ErrMisconfigured, status)
	case status != http.StatusOK || a.Success == nil:
		return Verdict{}, fmt.Errorf("the provider answered %d and did not say whether the token is good", status)
	case slices.Contains(friendlyToken, code):
		return refused(code), nil
	case !*a.Success:
		return refused("for a reason that is not known"), nil
	}
	return f.judge(a.Data.Challenge.Origin), nil
}

// judge looks at where a token was made. When is for the provider, which tells it not of the
// token but of its puzzle.
func (f *friendly) judge(from string) Verdict {
	if from == "" && len(f.c.Hostnames) > 0 {
		return low("where the token was made is not known") // some browsers don't tell
	}
	host := from
	if u, err := url.Parse(from); err == nil && u.Host != "" {
		host = u.Hostname()
	}
	if !f.place(host) {
		return refused("the token was made on another site")
	}
	return Verdict{Outcome: OutcomePassed}
}

// The widget is of one version, which its digest makes sure of.
const (
	friendlyScript    = "https://cdn.jsdelivr.net/npm/@friendlycaptcha/sdk@1.0.2/site.min.js"
	friendlyIntegrity = "sha384-PlTUwS206S5stm69A6ULL0xNfgrDI6zspceDmfFtJGdNblYUuExQauIm9leAc/Ck"
)

func (f *friendly) Widget() Widget {
	return Widget{
		Provider: f.c.Provider, Field: "frc-captcha-response", ThirdParty: true, Privacy: "friendly",
		Scripts: []Script{{URL: friendlyScript, Module: true, Integrity: friendlyIntegrity}},
		Element: Element{Tag: "div", Attrs: map[string]string{
			"class": "frc-captcha", "data-sitekey": f.c.SiteKey, "data-api-endpoint": f.c.WidgetURL,
		}},
		Policy: Policy{"script-src": {friendlyScript}, "frame-src": {origin(f.c.WidgetURL)}},
	}
}
