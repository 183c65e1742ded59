package captcha

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// enterprise asks for assessments of reCAPTCHA Enterprise, with an API key. It is for keys
// that score, and shows no checkbox.
//
//	https://docs.cloud.google.com/recaptcha/docs/create-assessment-website
type enterprise struct{ *remote }

type enterpriseEvent struct {
	Token          string `json:"token"`
	SiteKey        string `json:"siteKey"`
	ExpectedAction string `json:"expectedAction"`
	UserAgent      string `json:"userAgent,omitempty"`
	UserIPAddress  string `json:"userIpAddress,omitempty"`
}

// enterpriseAnswer leaves out what is zero.
type enterpriseAnswer struct {
	Token *struct {
		Valid         bool   `json:"valid"`
		InvalidReason string `json:"invalidReason"`
		Hostname      string `json:"hostname"`
		Action        string `json:"action"`
		Made          string `json:"createTime"`
	} `json:"tokenProperties"`
	Risk struct {
		Score float64 `json:"score"`
	} `json:"riskAnalysis"`
}

const enterpriseLife = 2 * time.Minute

// reasons are why Google finds a token invalid. Others are not repeated.
var reasons = []string{"MALFORMED", "EXPIRED", "DUPE", "MISSING", "SITE_MISMATCH", "UNEXPECTED_ACTION", "UNKNOWN_INVALID_REASON"}

func (e *enterprise) Verify(ctx context.Context, c Check) (Verdict, error) {
	if v, ok := precheck(c.Token, maxToken); !ok {
		return v, nil
	}
	path := "/v1/projects/" + url.PathEscape(e.c.Project) + "/assessments?" + url.Values{"key": {e.c.Secret}}.Encode()
	event := enterpriseEvent{c.Token, e.c.SiteKey, e.c.Action, clip(c.UserAgent, maxAgent), visitor(c.IP)}
	var a enterpriseAnswer
	status, err := e.postJSON(ctx, path, nil, map[string]any{"event": event}, &a)
	switch {
	case err != nil:
		return Verdict{}, err
	case status != http.StatusOK:
		// The token is not looked at before the key, the project and the site key are right.
		return Verdict{}, fmt.Errorf("%w: the provider answered %d; check secret, project and site_key, and that the key may use this API", ErrMisconfigured, status)
	case a.Token == nil:
		return Verdict{}, errors.New("the provider did not say whether the token is good")
	}
	return e.judge(a)
}

func (e *enterprise) judge(a enterpriseAnswer) (Verdict, error) {
	t := a.Token
	switch {
	case t.Valid:
	case t.InvalidReason == "BROWSER_ERROR": // the visitor's browser did not reach the provider
		return low(t.InvalidReason), nil
	case slices.Contains(reasons, t.InvalidReason):
		return refused(t.InvalidReason), nil
	default:
		return refused("for a reason that is not known"), nil
	}
	if !e.place(t.Hostname) {
		return refused("the token was made on another site"), nil
	}
	if t.Action != e.c.Action {
		return refused("the token was made for another action"), nil
	}
	made, err := time.Parse(time.RFC3339, t.Made)
	if err != nil {
		return Verdict{}, errors.New("the provider did not say when the token was made")
	}
	if v, ok := e.fresh(made, enterpriseLife); !ok {
		return v, nil
	}
	return e.scored(a.Risk.Score), nil
}

func (e *enterprise) Widget() Widget {
	return Widget{
		Provider: e.c.Provider, Field: "g-recaptcha-response", ThirdParty: true, Privacy: "recaptcha",
		Scripts: []Script{{URL: e.c.WidgetURL + "/recaptcha/enterprise.js?render=" + url.QueryEscape(e.c.SiteKey)}},
		Element: hiddenField(e.c, "g-recaptcha-response"),
		Execute: "grecaptcha.enterprise.execute",
		Policy:  policyRecaptcha(e.c),
	}
}
