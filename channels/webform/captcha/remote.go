package captcha

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// maxAnswer is far more than any provider says.
	maxAnswer = 64 << 10
	// maxToken bounds what is sent on, in bytes; the longest tokens known have a few thousand.
	maxToken = 16 << 10
	// maxSkew is how far clocks may be apart.
	maxSkew = 30 * time.Second
	// maxAgent bounds what is sent on of a visitor's browser.
	maxAgent = 512
)

// remote is what the providers have in common that are asked over the network.
type remote struct {
	c      Config
	now    func() time.Time
	client *http.Client
}

func newRemote(c Config, now func() time.Time) *remote {
	return &remote{c: c, now: now, client: &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: c.Timeout}).DialContext,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: c.Timeout,
			MaxIdleConnsPerHost: 4,
			IdleConnTimeout:     time.Minute,
			// A connection that died silently is not to cost every visitor the time-out.
			HTTP2:                  &http.HTTP2Config{SendPingTimeout: 10 * time.Second, PingTimeout: 2 * time.Second},
			MaxResponseHeaderBytes: maxAnswer,
			DisableCompression:     true, // so that maxAnswer bounds what is read
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Name is the kind of provider.
func (r *remote) Name() string { return string(r.c.Provider) }

// Close drops idle connections. It never fails.
func (r *remote) Close() error {
	r.client.CloseIdleConnections()
	return nil
}

// postForm asks with a form, postJSON with JSON. Both read the answer into v and return its
// status. There is one attempt: a second would find a token spent whose answer was lost.
func (r *remote) postForm(ctx context.Context, path string, form url.Values, v any) (int, error) {
	return r.post(ctx, r.c.URL+path, "application/x-www-form-urlencoded", form.Encode(), nil, v)
}

func (r *remote) postJSON(ctx context.Context, path string, header http.Header, body, v any) (int, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, errors.New("the question cannot be written")
	}
	return r.post(ctx, r.c.URL+path, "application/json", string(b), header, v)
}

func (r *remote) post(ctx context.Context, address, kind, body string, header http.Header, v any) (int, error) {
	limited, cancel := context.WithTimeout(ctx, r.c.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%w: the url cannot be used", ErrMisconfigured)
	}
	for key, values := range header {
		req.Header[key] = values
	}
	req.Header.Set("Content-Type", kind)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "Leadgate")
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, r.networkError(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, r.networkError(ctx, err)
	}
	return resp.StatusCode, readAnswer(resp.StatusCode, b, v)
}

// readAnswer reads JSON. An answer that is none is an outage: a page of a proxy, of a provider
// that is down, or of somebody in between. What it says is not repeated.
func readAnswer(status int, b []byte, v any) error {
	if status >= 500 || status < 200 || status >= 300 && status <= 399 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
		return fmt.Errorf("the provider answered %d", status)
	}
	if len(b) > maxAnswer {
		return fmt.Errorf("the provider answered %d with more than %d bytes", status, maxAnswer)
	}
	if json.Unmarshal(b, v) != nil {
		if status == http.StatusUnauthorized || status == http.StatusForbidden {
			return fmt.Errorf("%w: the provider answered %d; check secret", ErrMisconfigured, status)
		}
		return fmt.Errorf("the provider answered %d and no JSON that can be read", status)
	}
	return nil
}

// networkError says why there was no answer. The words of the client are not passed on: they
// have the address, and that may have the key.
func (r *remote) networkError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var network *net.OpError
	var late net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &late) && late.Timeout():
		return fmt.Errorf("no answer within %v", r.c.Timeout)
	case errors.As(err, &name):
		return errors.New("the name of the provider cannot be resolved")
	case errors.As(err, &certificate):
		return fmt.Errorf("the certificate of the provider is not valid: %w", certificate.Err)
	case errors.As(err, &network):
		return fmt.Errorf("no answer: %s: %w", network.Op, network.Err)
	default:
		return errors.New("the connection broke before there was an answer")
	}
}

// precheck refuses what can't be a token, so that it is not sent.
func precheck(token string, limit int) (Verdict, bool) {
	why := ""
	switch {
	case token == "":
		why = "there is no token"
	case len(token) > limit:
		why = "the token is too long"
	case !printable(token):
		why = "the token has signs that none has"
	}
	return Verdict{Outcome: OutcomeRefused, Why: why, unasked: true}, why == ""
}

// place tells whether a token was made on a page of ours.
func (r *remote) place(host string) bool {
	return len(r.c.Hostnames) == 0 || slices.Contains(r.c.Hostnames, plainHost(host))
}

// fresh judges when a token was made. The provider does so too, by its own clock; we make sure
// that it did.
func (r *remote) fresh(made time.Time, life time.Duration) (Verdict, bool) {
	age := r.now().Sub(made)
	switch {
	case age > life+maxSkew:
		return refused("the token is too old"), false
	case age < -maxSkew:
		return refused("the token is of the future; compare the clocks"), false
	}
	return Verdict{}, true
}

// scored is the verdict on what is right and has a score.
func (r *remote) scored(score float64) Verdict {
	v := Verdict{Outcome: OutcomePassed, Score: score}
	if !(score >= r.c.MinScore) { // nor is it no number
		v.Outcome, v.Why = OutcomeLow, "the score is below min_score"
	}
	return v
}

// visitor is an address as providers take it, "" for what is none.
func visitor(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// clip shortens s.
func clip(s string, limit int) string { return s[:min(len(s), limit)] }
