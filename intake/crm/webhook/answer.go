package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

const (
	maxAnswer     = 64 << 10
	maxExternalID = 200
	maxRefURL     = 2000
)

// statusError returns nil for success, else an error in words that a person can act on. It
// repeats nothing of the answer's body, which is the receiver's and may hold anything.
func statusError(r *http.Response, now time.Time) error {
	code := r.StatusCode
	if code >= 200 && code <= 299 {
		return nil
	}
	err := fmt.Errorf("the endpoint answered %d: %s", code, advice(code))
	switch {
	case code == http.StatusUnauthorized:
		return intake.Unauthorized(err)
	case permanent(code):
		return intake.Permanent(err)
	}
	if d, ok := remote.RetryAfter(r.Header.Get("Retry-After"), now); ok {
		return intake.RetryAfter(d, err)
	}
	return err
}

// permanent reports whether a repeat of the same request cannot heal the answer. Of the
// client errors, those about time, load and locks can.
func permanent(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusMisdirectedRequest,
		http.StatusLocked, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return code >= 400 && code <= 499
}

func advice(code int) string {
	switch {
	case code == http.StatusGone:
		return "it is gone for good; set a new url or remove the connector"
	case code == http.StatusUnauthorized:
		return "it does not accept the signature; compare the secret on both sides, and the clocks"
	case code == http.StatusForbidden:
		return "it does not let us in; check its allow-list and its rights"
	case code == http.StatusNotFound:
		return "there is nothing at this url; check the path"
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity:
		return "it refused the content; its own log says why"
	case code == http.StatusTooManyRequests:
		return "too many requests"
	case code >= 300 && code <= 399:
		return "redirects are not followed; set the url that it leads to"
	case permanent(code):
		return "it does not take such requests; check that the url is meant for webhooks"
	default:
		return "it has a failure of its own"
	}
}

// answered completes ref by what the receiver said of its record. The status line has
// already made the attempt a success, so an answer that cannot be used is none.
func answered(ref intake.Ref, r io.Reader) intake.Ref {
	b, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err != nil || len(b) > maxAnswer {
		return ref
	}
	var a struct {
		ExternalID string `json:"external_id"`
		URL        string `json:"url"`
	}
	if json.Unmarshal(b, &a) != nil {
		return ref
	}
	if usable(a.ExternalID, maxExternalID) {
		ref.ID = a.ExternalID
	}
	if usable(a.URL, maxRefURL) && isWebURL(a.URL) {
		ref.URL = a.URL
	}
	return ref
}

func usable(s string, limit int) bool {
	return s != "" && len(s) <= limit && strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsPrint(r) || r == unicode.ReplacementChar
	}) < 0
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}
