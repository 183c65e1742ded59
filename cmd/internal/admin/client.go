package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"leadgate/intake"
)

// ErrNotRunning says that no gateway answers at the socket.
var ErrNotRunning = errors.New("no gateway is running there")

// Client calls the admin API.
type Client struct {
	http  *http.Client
	local bool
}

// Dial returns a client of the gateway whose socket is at path; ErrNotRunning.
func Dial(path string) (*Client, error) {
	conn, err := net.Dial("unix", path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, ErrNotRunning
	}
	if err != nil {
		return nil, err
	}
	if err := conn.Close(); err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}, nil
}

// Local returns a client that calls the handler in this process.
func Local(h http.Handler) *Client {
	return &Client{http: &http.Client{Transport: local{h}}, local: true}
}

// IsLocal reports whether no gateway runs: what is begun is worked on by this process alone.
func (c *Client) IsLocal() bool { return c.local }

// call sends body, if any, as JSON and decodes the answer into out, or copies it if out is
// an io.Writer.
func (c *Client) call(ctx context.Context, method, path string, body, out any) error {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(b)
	}
	answer, err := c.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer answer.Close()
	if w, ok := out.(io.Writer); ok {
		_, err := io.Copy(w, answer)
		return err
	}
	return json.NewDecoder(answer).Decode(out)
}

// do returns the body of a good answer, which the caller closes.
func (c *Client) do(ctx context.Context, method, path string, in io.Reader) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://gateway"+path, in)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, noAnswer(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	var f failure
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil || f.Error == "" {
		return nil, fmt.Errorf("the gateway answered %s", resp.Status)
	}
	if strings.HasSuffix(f.Error, noNumber) {
		f.Error += numberLike
	}
	return nil, &refusal{words: f.Error, notFound: resp.StatusCode == http.StatusNotFound}
}

// noAnswer is why no answer came, or not to its end.
func noAnswer(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask the gateway: %w", err)
	}
	return &silence{err}
}

// silence says that the gateway ended while it was asked. What the socket says of that helps nobody.
type silence struct{ cause error }

func (e *silence) Error() string { return "the gateway has stopped answering" }
func (e *silence) Unwrap() error { return e.cause }

// refusal is what the gateway answered in place of what it was asked for.
type refusal struct {
	words    string
	notFound bool
}

func (e *refusal) Error() string { return e.words }

// Is has errors.Is find ErrNotFound on this side of the socket as well.
func (e *refusal) Is(target error) bool { return e.notFound && target == intake.ErrNotFound }

// Cases returns all cases that q selects, newest first, up to q.Limit if that is not 0.
func (c *Client) Cases(ctx context.Context, q intake.CaseQuery) ([]CaseSummary, error) {
	all := []CaseSummary{}
	for {
		values := url.Values{"status": {string(q.Status)}, "partner": {q.Partner}}
		if q.Before > 0 {
			values.Set("before", fmt.Sprint(q.Before))
		}
		var page Page
		if err := c.call(ctx, http.MethodGet, "/v1/cases?"+values.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Cases...)
		if q.Limit > 0 && len(all) >= q.Limit {
			return all[:q.Limit], nil
		}
		if page.Next == 0 {
			return all, nil
		}
		q.Before = page.Next
	}
}

// What is no case number is told with one that could be one.
const (
	noNumber   = " is not a case number"
	numberLike = " like LG-2026-384207-D"
)

// casePath returns the path of a case. What is not a step of a path of its own cannot be
// asked for, and is no case number either.
func casePath(number string) (string, error) {
	if strings.Trim(number, ". \t") == "" {
		return "", fmt.Errorf("%q%s", number, noNumber+numberLike)
	}
	return "/v1/cases/" + url.PathEscape(number), nil
}

// Case returns the whole story of a case.
func (c *Client) Case(ctx context.Context, number string) (d intake.Dossier, err error) {
	path, err := casePath(number)
	if err != nil {
		return d, err
	}
	err = c.call(ctx, http.MethodGet, path, nil, &d)
	return d, err
}

// Decide does what the verb says; the gateway names those that there are.
func (c *Client) Decide(ctx context.Context, verb, number string, d Decision) (s CaseSummary, err error) {
	path, err := casePath(number)
	if err != nil {
		return s, err
	}
	err = c.call(ctx, http.MethodPost, path+"/"+verb, d, &s)
	return s, err
}

// Conflicts returns the conflicts that are open, or all.
func (c *Client) Conflicts(ctx context.Context, all bool) (found []intake.Conflict, err error) {
	path := "/v1/conflicts"
	if all {
		path += "?all"
	}
	err = c.call(ctx, http.MethodGet, path, nil, &found)
	return found, err
}

// Conflict returns one by id.
func (c *Client) Conflict(ctx context.Context, id string) (k intake.Conflict, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/conflicts/"+url.PathEscape(id), nil, &k)
	return k, err
}

// Settle does one of acknowledge, plan, evidence and resolve.
func (c *Client) Settle(ctx context.Context, verb, id string, d Decision) (k intake.Conflict, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/conflicts/"+url.PathEscape(id)+"/"+verb, d, &k)
	return k, err
}

// Retry takes up what was given up of a case and returns how many tasks that were.
func (c *Client) Retry(ctx context.Context, number string) (int, error) {
	path, err := casePath(number)
	if err != nil {
		return 0, err
	}
	var res RetryResult
	err = c.call(ctx, http.MethodPost, path+"/retry", Decision{}, &res)
	return res.Tasks, err
}

// Judgements returns what q selects, oldest case first.
func (c *Client) Judgements(ctx context.Context, q intake.JudgementQuery) ([]intake.Judgement, error) {
	all := []intake.Judgement{}
	for {
		values := url.Values{"case": {q.Case}, "after": {q.After}}
		if !q.Since.IsZero() {
			values.Set("since", q.Since.UTC().Format(time.RFC3339))
		}
		var page JudgementPage
		if err := c.call(ctx, http.MethodGet, "/v1/judgements?"+values.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Judgements...)
		if q.After = page.Next; q.After == "" {
			return all, nil
		}
	}
}

// PolicySource returns what the policy of a hash was made of.
func (c *Client) PolicySource(ctx context.Context, hash string) (source json.RawMessage, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/policies/"+url.PathEscape(hash), nil, &source)
	return source, err
}

// Inbox returns what was set aside and nobody has seen to, or with seen all of it.
func (c *Client) Inbox(ctx context.Context, seen bool) ([]intake.Aside, error) {
	all := []intake.Aside{}
	more := ""
	if seen {
		more = "&all"
	}
	for after := ""; ; {
		var page []intake.Aside
		if err := c.call(ctx, http.MethodGet, "/v1/inbox?after="+url.QueryEscape(after)+more, nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page...)
		if len(page) < pageSize {
			return all, nil
		}
		after = page[len(page)-1].ID
	}
}

// Aside returns what was set aside under an id.
func (c *Client) Aside(ctx context.Context, id string) (a intake.Aside, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/inbox/"+url.PathEscape(id), nil, &a)
	return a, err
}

// RawAside writes what was set aside to w as it came.
func (c *Client) RawAside(ctx context.Context, id string, w io.Writer) error {
	return c.call(ctx, http.MethodGet, "/v1/inbox/"+url.PathEscape(id)+"/raw", nil, w)
}

// SeeTo accepts or discards what was set aside, and returns what came of it.
func (c *Client) SeeTo(ctx context.Context, verb, id string, d Decision) (receipts []intake.Receipt, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/inbox/"+url.PathEscape(id)+"/"+verb, d, &receipts)
	return receipts, err
}

// Suppressions returns the addresses to which nothing is sent.
func (c *Client) Suppressions(ctx context.Context) (all []intake.Suppression, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/suppressions", nil, &all)
	return all, err
}

// Allow has mail sent to an address again.
func (c *Client) Allow(ctx context.Context, address string) error {
	return c.call(ctx, http.MethodDelete, "/v1/suppressions/"+url.PathEscape(address), nil, &struct{}{})
}

// Backup has the gateway write a copy of its store to an absolute path.
func (c *Client) Backup(ctx context.Context, path string) (res BackupResult, err error) {
	err = c.call(ctx, http.MethodPost, "/v1/backup", BackupRequest{Path: path}, &res)
	return res, err
}

// Ledger writes the embedded system of record to w, as csv or json.
func (c *Client) Ledger(ctx context.Context, format string, w io.Writer) error {
	return c.call(ctx, http.MethodGet, "/v1/ledger?format="+url.QueryEscape(format), nil, w)
}
