package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"leadgate/intake"
)

const (
	defaultTimeout = 20 * time.Second
	// maxAnswer is the most that is read of an answer.
	maxAnswer = 32 << 20
	// maxWait is how long a call waits for its turn, at most until its context ends; a queue can wait
	// better than a call.
	maxWait = 10 * time.Second
)

// Options say how a Client calls.
type Options struct {
	// Base is before each path: "https://api.hubapi.com".
	Base string
	// AllowPrivate permits http:// and addresses of private networks.
	AllowPrivate bool
	// Timeout bounds one call; 20 s if not set.
	Timeout time.Duration
	// Authorize adds the credentials to a request. It may call the other side itself.
	Authorize func(context.Context, *http.Request) error
	// Renew is called after a 401, once for each call, and has Authorize use new credentials;
	// nil if there are none to be had.
	Renew func(context.Context) error
	// Fault sorts an answer that is not 2xx into a class of intake, in words for staff. It is
	// never asked to repeat the body; use Words for what may be shown.
	Fault func(Answer) error
	// Rates bound how many calls are made, by the name of the bucket that a Call is of.
	Rates map[string]Rate
	// Now is the clock; time.Now if not set.
	Now func() time.Time
}

// Rate is how many calls may be made: PerSecond in the long run, Burst at once.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Client calls one system. It is safe for concurrent use.
type Client struct {
	o       Options
	http    *http.Client
	buckets map[string]*rate.Limiter

	mu    sync.Mutex
	until time.Time // the other side asked for calm
}

// NewClient returns a client. It connects to nothing.
func NewClient(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Client{o: o, http: NewHTTPClient(o.AllowPrivate), buckets: make(map[string]*rate.Limiter)}
	for name, r := range o.Rates {
		c.buckets[name] = rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
	}
	return c
}

// Close drops idle connections. It never fails.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Call is one request.
type Call struct {
	Method, Path string
	// Header is added to the request; nil for none.
	Header http.Header
	// In is sent as JSON, Form as it is with its media type; neither for no body.
	In   any
	Form []byte
	Type string
	// Out takes the JSON of the answer; nil if it is of no matter.
	Out any
	// Bucket is the Rate that the call counts for; "" for none.
	Bucket string
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes a call. It repeats none but one that was answered 401, once, with new credentials.
// An answer that is not 2xx is returned together with the error of its class.
func (c *Client) Do(ctx context.Context, call Call) (Answer, error) {
	body, media, err := call.body()
	if err != nil {
		return Answer{}, intake.Permanent(err)
	}
	a, err := c.once(ctx, call, body, media)
	if err == nil && a.Status == http.StatusUnauthorized && c.o.Renew != nil {
		if err := c.o.Renew(ctx); err != nil {
			return a, err
		}
		a, err = c.once(ctx, call, body, media)
	}
	if err != nil {
		return a, err
	}
	if a.Status < 200 || a.Status > 299 {
		return a, c.fault(a)
	}
	if call.Out == nil || len(a.Body) == 0 {
		return a, nil
	}
	if err := json.Unmarshal(a.Body, call.Out); err != nil {
		return a, fmt.Errorf("the answer to %s %s is not the JSON that was expected", call.Method, call.Path)
	}
	return a, nil
}

func (c Call) body() (body []byte, media string, err error) {
	if c.In == nil {
		return c.Form, c.Type, nil
	}
	body, err = json.Marshal(c.In)
	return body, "application/json", err
}

func (c *Client) once(ctx context.Context, call Call, body []byte, media string) (Answer, error) {
	if err := c.turn(ctx, call.Bucket); err != nil {
		return Answer{}, err
	}
	attempt, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(attempt, call.Method, c.o.Base+call.Path, r)
	if err != nil {
		return Answer{}, intake.Permanent(errors.New("the url cannot be used"))
	}
	for k, v := range call.Header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", "Leadgate")
	req.Header.Set("Accept", "application/json")
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if c.o.Authorize != nil {
		if err := c.o.Authorize(attempt, req); err != nil {
			return Answer{}, err
		}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{}, NetworkError(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return Answer{}, NetworkError(ctx, err)
	}
	if len(b) > maxAnswer {
		return Answer{}, errors.New("the answer is too large")
	}
	return Answer{Status: resp.StatusCode, Header: resp.Header, Body: b}, nil
}

// turn waits until a call of the bucket may be made, and not longer than a call should.
func (c *Client) turn(ctx context.Context, bucket string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	calm := c.until.Sub(c.o.Now())
	c.mu.Unlock()
	if calm > 0 {
		return intake.RetryAfter(calm, errors.New("the other side asked for calm"))
	}
	b := c.buckets[bucket]
	if b == nil {
		return nil
	}
	r := b.Reserve()
	wait := r.Delay()
	longest := maxWait
	if end, ok := ctx.Deadline(); ok {
		longest = min(longest, time.Until(end))
	}
	if wait > longest {
		r.Cancel()
		return intake.RetryAfter(wait, errors.New("more calls are waiting than the other side takes"))
	}
	if wait == 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		r.Cancel()
		return ctx.Err()
	}
}

// Calm has no call made for a while. Fault calls it where an answer asks for that.
func (c *Client) Calm(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if until := c.o.Now().Add(d); until.After(c.until) {
		c.until = until
	}
}

// fault is the error of an answer that is not 2xx. One that says when to come again, and is not
// final, is obeyed, by all calls.
func (c *Client) fault(a Answer) error {
	err := c.o.Fault(a)
	if intake.IsPermanent(err) || intake.IsUnauthorized(err) {
		return err
	}
	if _, told := intake.RetryDelay(err); told {
		return err
	}
	d, told := RetryAfter(a.Header.Get("Retry-After"), c.o.Now())
	if !told {
		return err
	}
	if a.Status == http.StatusTooManyRequests || a.Status == http.StatusServiceUnavailable {
		c.Calm(d)
	}
	return intake.RetryAfter(d, err)
}
