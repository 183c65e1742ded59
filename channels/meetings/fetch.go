package meetings

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	pageSize = 50 // the most that HubSpot gives
	maxPage  = 8 << 20
	patience = 20 * time.Second
)

// page is an answer of /form-integrations/v1/submissions/forms/{guid}: newest first.
type page struct {
	Results []json.RawMessage `json:"results"`
	Paging  struct {
		Next struct {
			After string `json:"after"`
		} `json:"next"`
	} `json:"paging"`
}

func newClient(t http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: t, Timeout: patience,
		// A token is for the host that it was given for.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answerError is an answer that is no page.
type answerError struct {
	status int
	after  time.Duration // how long we were asked to wait
}

func (e *answerError) Error() string { return fmt.Sprintf("HubSpot answers %d", e.status) }

// final reports whether the same request will be answered the same until somebody acts.
func (e *answerError) final() bool {
	switch e.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusGone:
		return true
	}
	return false
}

// refusesUs reports whether the token is at fault.
func (e *answerError) refusesUs() bool {
	return e.status == http.StatusUnauthorized || e.status == http.StatusForbidden
}

// fetch reads one page; after is empty for the first.
func (f *Form) fetch(ctx context.Context, after string) (p page, err error) {
	query := url.Values{"limit": {strconv.Itoa(pageSize)}}
	if after != "" {
		query.Set("after", after)
	}
	at := strings.TrimSuffix(f.cfg.URL, "/") + "/form-integrations/v1/submissions/forms/" + url.PathEscape(f.cfg.Form) + "?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return p, err
	}
	req.Header.Set("Authorization", "Bearer "+f.cfg.Token)
	req.Header.Set("Accept", "application/json")
	resp, err := f.client.Do(req)
	if err != nil {
		return p, fmt.Errorf("fetch a page: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return p, &answerError{status: resp.StatusCode, after: asked(resp.Header, f.deps.Now())}
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPage+1))
	if err != nil {
		return p, fmt.Errorf("fetch a page: %w", err)
	}
	if len(b) > maxPage {
		return p, fmt.Errorf("a page is larger than %d bytes", maxPage)
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("a page is not what it should be: %w", err)
	}
	return p, nil
}

// asked is how long an answer asks us to wait.
func asked(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil {
		return max(0, time.Duration(n)*time.Second)
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
