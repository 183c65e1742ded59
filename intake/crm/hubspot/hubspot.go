package hubspot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// Connector writes to one account of HubSpot, and reads from it. It is safe for concurrent use and
// remembers nothing but its token and what seldom changes.
type Connector struct {
	config Config
	client *remote.Client
	door   *remote.Client // for tokens of OAuth: it has none and gets none

	tokens  tokens
	account cached[account]
	lines   cached[pipelines]
	people  cached[owners]
	noted   noted
}

var (
	_ intake.CRM      = (*Connector)(nil)
	_ intake.Verifier = (*Connector)(nil)
	_ intake.Preparer = (*Connector)(nil)
	_ intake.Comparer = (*Connector)(nil)
	_ intake.Hinted   = (*Connector)(nil)
)

// The buckets of calls. Search has a limit of its own, and counts for no other.
const (
	general   = "general"
	searching = "search"
)

// New returns the connector that c describes, or all faults of c. It connects to nothing.
func New(c Config) (*Connector, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("hubspot %q: %w", c.Name, err)
	}
	h := &Connector{config: c.filled()}
	c = h.config
	h.account = newCached[account](24*time.Hour, c.Now)
	h.lines = newCached[pipelines](time.Hour, c.Now)
	h.people = newCached[owners](time.Hour, c.Now)
	h.tokens.turn = make(chan struct{}, 1)
	o := remote.Options{Base: c.URL, AllowPrivate: c.AllowPrivate, Timeout: c.Timeout, Fault: h.fault, Now: c.Now}
	h.door = remote.NewClient(o)
	o.Rates = map[string]remote.Rate{
		general:   {PerSecond: c.Calls, Burst: max(int(c.Calls), 1)},
		searching: {PerSecond: c.Searches, Burst: 1}, // five within any second are too many
	}
	o.Authorize = h.authorize
	if c.OAuth != nil {
		o.Renew = h.renew
	}
	h.client = remote.NewClient(o)
	return h, nil
}

// Close drops idle connections. It never fails.
func (c *Connector) Close() error { return errors.Join(c.client.Close(), c.door.Close()) }

// Name is part of stored keys.
func (c *Connector) Name() string { return c.config.Name }

func (c *Connector) fail(operation, subject string, err error) error {
	return fmt.Errorf("%s: %s %s: %w", c.config.Name, operation, subject, err)
}

// path is that of a part of the API, with what follows it. Before the versions were dates they
// stood elsewhere.
func (c *Connector) path(part, rest string) string {
	if c.config.Version != legacyVersion {
		return map[string]string{
			"objects": "/crm/objects/", "link": "/crm/objects/", "associations": "/crm/associations/", "properties": "/crm/properties/",
			"pipelines": "/crm/pipelines/", "owners": "/crm/owners/", "account": "/account-info/", "oauth": "/oauth/",
		}[part] + c.config.Version + rest
	}
	return map[string]string{
		"objects": "/crm/v3/objects", "link": "/crm/v4/objects", "associations": "/crm/v4/associations", "properties": "/crm/v3/properties",
		"pipelines": "/crm/v3/pipelines", "owners": "/crm/v3/owners", "account": "/account-info/v3", "oauth": "/oauth/v1",
	}[part] + rest
}

// call makes one call.
func (c *Connector) call(ctx context.Context, method, path string, in, out any) (remote.Answer, error) {
	return c.client.Do(ctx, remote.Call{Method: method, Path: path, In: in, Out: out, Bucket: general})
}

// cached is a value that is read again once it is too old. One reads it at a time.
type cached[T any] struct {
	turn chan struct{}
	life time.Duration
	now  func() time.Time

	mu   *sync.Mutex
	kept *struct {
		value T
		at    time.Time
		there bool
	}
}

func newCached[T any](life time.Duration, now func() time.Time) cached[T] {
	return cached[T]{turn: make(chan struct{}, 1), life: life, now: now, mu: new(sync.Mutex), kept: new(struct {
		value T
		at    time.Time
		there bool
	})}
}

// peek returns the value if it is there and not too old.
func (c cached[T]) peek() (value T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if age := c.now().Sub(c.kept.at); !c.kept.there || age < 0 || age > c.life {
		return value, false
	}
	return c.kept.value, true
}

func (c cached[T]) get(ctx context.Context, read func(context.Context) (T, error)) (value T, err error) {
	if v, ok := c.peek(); ok {
		return v, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return value, ctx.Err()
	}
	if v, ok := c.peek(); ok {
		return v, nil
	}
	if value, err = read(ctx); err != nil {
		return value, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.value, c.kept.at, c.kept.there = value, c.now(), true
	return value, nil
}

// forget has the value read again.
func (c cached[T]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.there = false
}

// account is what HubSpot says of the account as a whole.
type account struct {
	Portal   int64  `json:"portalId"`
	Currency string `json:"companyCurrency"`
	Host     string `json:"uiDomain"`
	Zone     string `json:"timeZone"`
}

func (c *Connector) details(ctx context.Context) (account, error) {
	return c.account.get(ctx, func(ctx context.Context) (a account, err error) {
		_, err = c.call(ctx, http.MethodGet, c.path("account", "/details"), nil, &a)
		if err == nil && a.Portal == 0 {
			err = errAnswer
		}
		return a, err
	})
}

// errAnswer says that an answer of success does not hold what was asked for. It is retried.
var errAnswer = errors.New("HubSpot's answer is incomplete")

// zone is that of the account, as far as it is known.
func (c *Connector) zone() *time.Location {
	a, _ := c.account.peek()
	if zone, err := time.LoadLocation(a.Zone); err == nil {
		return zone
	}
	return time.UTC
}

// link is where people find a record; kind is the number of its type.
func (a account) link(kind, id string) string {
	if a.Portal == 0 || id == "" {
		return ""
	}
	host := a.Host
	if host == "" || url.PathEscape(host) != host {
		host = "app.hubspot.com"
	}
	return fmt.Sprintf("https://%s/contacts/%d/record/%s/%s", host, a.Portal, kind, url.PathEscape(id))
}

// The numbers of types.
const (
	contactType = "0-1"
	companyType = "0-2"
	dealType    = "0-3"
	meetingType = "0-47"
)
