package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// Webhook posts registrations to one endpoint. It is safe for concurrent use.
type Webhook struct {
	name    string
	url     string
	timeout time.Duration
	now     func() time.Time
	key     []byte
	client  *http.Client
}

var (
	_ intake.CRM       = (*Webhook)(nil)
	_ intake.Scheduled = (*Webhook)(nil)
)

// New returns the connector that c describes, or all faults of c. It connects to nothing.
func New(c Config) (*Webhook, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("webhook %q: %w", c.Name, err)
	}
	key, err := decodeSecret(c.Secret)
	if err != nil {
		return nil, fmt.Errorf("webhook %q: secret: %w", c.Name, err)
	}
	w := &Webhook{name: c.Name, url: c.URL, timeout: c.Timeout, now: c.Now, key: key, client: remote.NewHTTPClient(c.AllowPrivate)}
	if w.timeout == 0 {
		w.timeout = defaultTimeout
	}
	if w.now == nil {
		w.now = time.Now
	}
	return w, nil
}

// Close drops idle connections. It never fails.
func (w *Webhook) Close() error {
	w.client.CloseIdleConnections()
	return nil
}

// Name is part of stored keys.
func (w *Webhook) Name() string { return w.name }

// Push posts the registration. The webhook-id is the case number and the revision, the
// same in every attempt, so that a receiver folds repeats into one.
func (w *Webhook) Push(ctx context.Context, r intake.Record) (intake.Ref, error) {
	g := r.Registration
	known, pushed := g.CRM[w.name]
	kind := typeUpdated
	if g.Revision <= 1 || !pushed {
		kind = typeCreated
	}
	b, err := encodeRegistration(kind, newRegistration(r, known))
	if err != nil {
		return intake.Ref{}, w.fail("push", g.Number, err)
	}
	ref := intake.Ref{ID: g.Number, Revision: g.Revision, URL: known.URL}
	if known.ID != "" {
		ref.ID = known.ID
	}
	ref, err = w.post(ctx, fmt.Sprintf("%s#%d", g.Number, g.Revision), b, ref)
	if err != nil {
		return intake.Ref{}, w.fail("push", g.Number, err)
	}
	return ref, nil
}

// Note posts the event. The webhook-id is the case number and the event's number.
func (w *Webhook) Note(ctx context.Context, ref intake.Ref, n intake.Note) error {
	e := n.Event
	b, err := encodeNote(ref, e)
	if err == nil {
		_, err = w.post(ctx, fmt.Sprintf("%s#event-%d", e.Case, e.N), b, ref)
	}
	if err != nil {
		return w.fail("note", e.Case, err)
	}
	return nil
}

// Lookup returns nothing: a webhook cannot be asked.
func (w *Webhook) Lookup(context.Context, intake.Lead) ([]intake.Match, error) { return nil, nil }

// Changes returns nothing: a webhook has no feed.
func (w *Webhook) Changes(_ context.Context, cursor string) ([]intake.Change, string, error) {
	return nil, cursor, nil
}

func (w *Webhook) fail(operation, caseNumber string, err error) error {
	return fmt.Errorf("webhook %s: %s case %s: %w", w.name, operation, caseNumber, err)
}

// post makes one attempt and returns ref, completed by the answer.
func (w *Webhook) post(ctx context.Context, id string, b []byte, ref intake.Ref) (intake.Ref, error) {
	attempt, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	req, err := w.request(attempt, id, b)
	if err != nil {
		return ref, err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return ref, remote.NetworkError(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := statusError(resp, w.now()); err != nil {
		return ref, err
	}
	return answered(ref, resp.Body), nil
}

func (w *Webhook) request(ctx context.Context, id string, b []byte) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(b))
	if err != nil {
		return nil, intake.Permanent(errors.New("the url cannot be used"))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Leadgate")
	sign(req.Header, w.key, id, w.now(), b)
	return req, nil
}
