package oauth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// token is an access token; expiry is zero if nobody has said when it ends.
type token struct {
	access string
	// renew is from when on a new one is asked for, expiry when this one is good for nothing.
	renew, expiry time.Time
}

// Source gives tokens, the same as long as it is good. It may be used by several goroutines;
// one of them asks, the others wait.
type Source struct {
	fetch func(context.Context) (token, error)
	now   func() time.Time
	turn  chan struct{} // holds one value: the right to use what follows
	kept  token
}

// Memory keeps the refresh token that a server gave in place of the one that is configured,
// so that it outlives the process: some servers take each once. granted is the configured one.
type Memory interface {
	// Recall returns what was kept last, "" if nothing was.
	Recall(ctx context.Context, granted string) (string, error)
	Keep(ctx context.Context, granted, token string) error
}

// Options are what a source is given besides its configuration.
type Options struct {
	Now    func() time.Time // time.Now if nil
	Memory Memory           // the process alone if nil
}

// New returns a source for a configuration that was validated. It asks for nothing yet.
func New(c Config, o Options) *Source {
	s := &Source{now: o.Now, turn: make(chan struct{}, 1)}
	if o.Now == nil {
		s.now = time.Now
	}
	switch {
	case len(c.TokenCommand) > 0:
		s.fetch = func(ctx context.Context) (token, error) { return fromCommand(ctx, c.TokenCommand, s.now()) }
	default:
		s.fetch = newEndpoint(c, o.Memory, s.now).fetch
	}
	return s
}

// Token returns a token that is believed to be good. If a new one can't be had, the old one
// is returned for as long as it lives.
func (s *Source) Token(ctx context.Context) (string, error) {
	if err := s.lock(ctx); err != nil {
		return "", err
	}
	defer s.unlock()
	now := s.now()
	if s.kept.access != "" && now.Before(s.kept.renew) {
		return s.kept.access, nil
	}
	fresh, err := s.fetch(ctx)
	switch {
	case err == nil:
		s.kept = fresh
	case s.kept.access == "" || !now.Before(s.kept.expiry):
		return "", err
	}
	return s.kept.access, nil
}

// Reject says that a server has refused a token: the next one is a new one. A token that was
// replaced in the meantime is forgotten already.
func (s *Source) Reject(access string) {
	s.turn <- struct{}{}
	defer s.unlock()
	if s.kept.access == access {
		s.kept = token{}
	}
}

func (s *Source) lock(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Source) unlock() { <-s.turn }

const (
	fetchTimeout = 30 * time.Second
	// lifetime is assumed of a token of which nobody says how long it is good.
	lifetime = 5 * time.Minute
	// shortest is how long a token is used before it is renewed, whatever the server says:
	// one that is good for no time at all must not make us ask for every command.
	shortest = 10 * time.Second
)

// live sets when a token is renewed.
func live(access string, from, expiry time.Time) token {
	if expiry.IsZero() {
		expiry = from.Add(lifetime)
	}
	t := token{access: access, expiry: expiry}
	t.renew = from.Add(max(shortest, expiry.Sub(from)*8/10))
	return t
}

// endpoint asks a token endpoint.
type endpoint struct {
	client  *http.Client
	ask     func(context.Context) (*oauth2.Token, error)
	secrets []string
	now     func() time.Time
}

func newEndpoint(c Config, memory Memory, now func() time.Time) *endpoint {
	e := &endpoint{
		// A redirect would carry the secrets to somebody else.
		client: &http.Client{
			Timeout:       fetchTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		secrets: []string{c.ClientSecret, c.RefreshToken}, now: now,
	}
	if c.RefreshToken == "" {
		own := &clientcredentials.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, TokenURL: c.TokenURL, Scopes: c.Scopes}
		e.ask = own.Token
		return e
	}
	r := &refresher{
		consented: &oauth2.Config{ClientID: c.ClientID, ClientSecret: c.ClientSecret, Endpoint: oauth2.Endpoint{TokenURL: c.TokenURL}, Scopes: c.Scopes},
		granted:   c.RefreshToken, memory: memory,
	}
	if r.memory == nil {
		r.memory = &process{}
	}
	e.ask = func(ctx context.Context) (*oauth2.Token, error) {
		t, err := r.ask(ctx)
		e.secrets = []string{c.ClientSecret, c.RefreshToken, r.used, r.given}
		return t, err
	}
	return e
}

// refresher asks in the name of a person.
type refresher struct {
	consented *oauth2.Config
	granted   string
	memory    Memory
	// used is what was asked with last, given what the server gave in its place; it is kept
	// here as well until the memory has it.
	used, given string
}

func (r *refresher) ask(ctx context.Context) (*oauth2.Token, error) {
	if err := r.keep(ctx); err != nil {
		return nil, err
	}
	kept, err := r.memory.Recall(ctx, r.granted)
	if err != nil {
		return nil, fmt.Errorf("recall the refresh token: %w", err)
	}
	r.used = cmp.Or(kept, r.granted)
	t, err := r.consented.TokenSource(ctx, &oauth2.Token{RefreshToken: r.used}).Token()
	if err != nil {
		return nil, err
	}
	if t.RefreshToken != r.used {
		r.given = t.RefreshToken
	}
	return t, r.keep(ctx)
}

func (r *refresher) keep(ctx context.Context) error {
	if r.given == "" {
		return nil
	}
	if err := r.memory.Keep(ctx, r.granted, r.given); err != nil {
		return fmt.Errorf("keep the new refresh token: %w", err)
	}
	r.given = ""
	return nil
}

// process is a memory that ends with the process.
type process struct{ token string }

func (p *process) Recall(context.Context, string) (string, error) { return p.token, nil }
func (p *process) Keep(_ context.Context, _, token string) error  { p.token = token; return nil }

func (e *endpoint) fetch(ctx context.Context) (token, error) {
	asked := e.now()
	t, err := e.ask(context.WithValue(ctx, oauth2.HTTPClient, e.client))
	if err != nil {
		return token{}, e.explain(err)
	}
	if !printable(t.AccessToken) {
		return token{}, errors.New("the token endpoint gave no token that can be used")
	}
	expiry := t.Expiry
	if t.ExpiresIn > 0 { // by our own clock
		expiry = asked.Add(time.Duration(min(t.ExpiresIn, 1<<31)) * time.Second)
	}
	return live(t.AccessToken, asked, expiry), nil
}

// explain tells a refusal from a fault on the way, in words without secrets: what the
// endpoint has answered is quoted in part alone.
func (e *endpoint) explain(err error) error {
	var answer *oauth2.RetrieveError
	if !errors.As(err, &answer) {
		return fmt.Errorf("ask for a token: %w", redacted{err, e.secrets})
	}
	status := 0
	if answer.Response != nil {
		status = answer.Response.StatusCode
	}
	if status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout {
		return fmt.Errorf("ask for a token: the endpoint answers %d", status)
	}
	words := strings.TrimSpace(answer.ErrorCode + " " + answer.ErrorDescription)
	return &Refused{By: "token endpoint", Status: fmt.Sprint(status), Detail: clean(scrub(words, e.secrets))}
}

// redacted is an error whose words hold no secret.
type redacted struct {
	err     error
	secrets []string
}

func (r redacted) Error() string { return scrub(r.err.Error(), r.secrets) }
func (r redacted) Unwrap() error { return r.err }

func scrub(s string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "***")
		}
	}
	return s
}

// printable reports whether s can be sent as a token (RFC 6750, section 2.1).
func printable(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
