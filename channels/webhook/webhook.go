package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels"
	"leadgate/channels/payload"
	"leadgate/intake"
	"leadgate/intake/signature"
)

// Channel is the name of this channel.
const Channel = "webhook"

// Path is where the sources are called: Path and the name of the source.
const Path = "/hooks/"

// Desk is what the channel asks of the gateway beside the sink.
type Desk interface {
	payload.Directory
	// Admit counts a request; *intake.LimitError.
	Admit(context.Context, intake.Admission) error
	// CasesOfContact returns the open cases about a person, by e-mail address.
	CasesOfContact(ctx context.Context, address string) ([]intake.Registration, error)
	// CaseOf returns a case by number; intake.ErrNotFound.
	CaseOf(ctx context.Context, number string) (intake.Registration, error)
}

// Deps are what the sources need beside their configuration.
type Deps struct {
	Desk Desk
	// URL is where the world finds the listener.
	URL string
	// Mail is the channel through which answers go; empty for none.
	Mail string
	Now  func() time.Time // time.Now if nil
	Log  *slog.Logger     // discarded if nil
}

// Hooks are all sources together: one channel.
type Hooks struct{ sources []*source }

var (
	_ channels.Channel = (*Hooks)(nil)
	_ channels.Mounter = (*Hooks)(nil)
	_ intake.Rereader  = (*Hooks)(nil)
	_ Desk             = (*intake.Gateway)(nil)
)

// source is one of them.
type source struct {
	cfg      Config
	verifier signature.Verifier
	deps     Deps
	// working has an entry for each request that is worked on.
	working chan struct{}

	mu     sync.Mutex
	health Health
	warned time.Time
}

// maxAtATime is how many requests of one source are worked on at a time. Until its body is there
// nobody knows whose a request is.
const maxAtATime = 32

// New returns the sources; names are unique, and so are secrets.
func New(cfgs []Config, d Deps) (*Hooks, error) {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	d.URL = strings.TrimSuffix(d.URL, "/")
	h := &Hooks{}
	for _, c := range cfgs {
		if err := c.Validate(); err != nil {
			return nil, fmt.Errorf("webhook %s: %w", c.Name, err)
		}
		if h.find(c.Name) != nil {
			return nil, fmt.Errorf("webhook %s: there are two", c.Name)
		}
		for _, s := range h.sources {
			if c.SharesSecret(s.cfg) {
				return nil, fmt.Errorf("webhook %s: it has a secret of webhook %s; what is signed for one would be good for the other", c.Name, s.cfg.Name)
			}
		}
		c = c.filled()
		h.sources = append(h.sources, &source{
			cfg: c, verifier: c.verifier(), deps: d, working: make(chan struct{}, maxAtATime), health: Health{Source: c.Name},
		})
	}
	return h, nil
}

func (h *Hooks) find(name string) *source {
	for _, s := range h.sources {
		if s.cfg.Name == name {
			return s
		}
	}
	return nil
}

// Name implements channels.Channel.
func (h *Hooks) Name() string { return Channel }

// Reply implements intake.Replier: a program that calls us can't be written to. Answers to what
// it sends go by mail.
func (h *Hooks) Reply(_ context.Context, m intake.Message) (json.RawMessage, error) {
	return nil, intake.Permanent(fmt.Errorf("message %s: nobody can be answered through a webhook", m.ID))
}

// Mount adds a route for each source. A name that is none is no route.
func (h *Hooks) Mount(g *echo.Group, sink intake.Sink) {
	for _, s := range h.sources {
		g.POST(Path+s.cfg.Name, func(c echo.Context) error { return s.serve(c, sink) })
	}
}

// result is what a source is told of one payload.
type result struct {
	Case   string        `json:"case,omitempty"`
	Status intake.Status `json:"status,omitempty"`
	Known  bool          `json:"known,omitempty"`
	// Aside names what waits for staff.
	Aside   string `json:"aside,omitempty"`
	Ignored bool   `json:"ignored,omitempty"`
	Error   string `json:"error,omitempty"`
	refused bool
}

func refuse(c echo.Context, status int, words string) error {
	return c.JSON(status, map[string]string{"error": words})
}

// serve answers a request: 200 only once all of it is stored.
func (s *source) serve(c echo.Context, sink intake.Sink) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	select {
	case s.working <- struct{}{}:
		defer func() { <-s.working }()
	default:
		s.note(func(h *Health) { h.Problem = fmt.Sprintf("a request was put off: %d are worked on", maxAtATime) })
		c.Response().Header().Set("Retry-After", "5")
		return refuse(c, http.StatusServiceUnavailable, "too many requests at a time; try again later")
	}
	req := c.Request()
	body, err := io.ReadAll(http.MaxBytesReader(c.Response(), req.Body, s.cfg.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return refuse(c, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", s.cfg.MaxBody))
	case err != nil:
		return refuse(c, http.StatusBadRequest, "the body did not arrive")
	}
	now := s.deps.Now()
	r := signature.Request{Method: req.Method, URL: s.deps.URL + req.URL.RequestURI(), Header: req.Header, Body: body}
	if err := s.verifier.Verify(r, s.cfg.secrets(), s.cfg.Tolerance, now); err != nil {
		s.refused(err, now)
		return refuse(c, http.StatusUnauthorized, "the signature is not good") // which way tells something
	}
	ctx := req.Context()
	limit := intake.Limit{Name: "webhook:" + s.cfg.Name, Max: s.cfg.Rate, Per: time.Minute}
	var over *intake.LimitError
	if err := s.deps.Desk.Admit(ctx, intake.Admission{Limits: []intake.Limit{limit}}); errors.As(err, &over) {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(over.After/time.Second)+1))
		return refuse(c, http.StatusTooManyRequests, "too many requests; try again later")
	} else if err != nil {
		return s.failed(c, err)
	}
	results, err := s.take(ctx, sink, body, now)
	var wrong *unreadable
	switch {
	case errors.As(err, &wrong):
		return refuse(c, http.StatusBadRequest, wrong.Error()+"; it was set aside for staff")
	case err != nil:
		return s.failed(c, err)
	}
	s.accepted(now)
	status := http.StatusOK
	if len(results) == 1 && results[0].refused && !s.verifier.Relays {
		status = http.StatusUnauthorized
	}
	return c.JSON(status, map[string][]result{"results": results})
}

// failed answers for a store that took nothing, or not all: the source sends it again.
func (s *source) failed(c echo.Context, err error) error {
	s.deps.Log.Error("a request was not stored; the source has to send it again", "channel", Channel, "source", s.cfg.Name, "err", err)
	s.note(func(h *Health) { h.Problem = err.Error() })
	c.Response().Header().Set("Retry-After", "30")
	return refuse(c, http.StatusServiceUnavailable, "it could not be stored; try again later")
}

// unreadable says what is wrong with a body, without quoting from it.
type unreadable struct{ err error }

func (u *unreadable) Error() string { return "it can't be read: " + u.err.Error() }
func (u *unreadable) Unwrap() error { return u.err }

// take stores what a body holds. An error of type *unreadable comes after the body was set
// aside.
func (s *source) take(ctx context.Context, sink intake.Sink, body []byte, now time.Time) ([]result, error) {
	raw, err := sink.Keep(ctx, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("keep: %w", err)
	}
	raw.Media = "application/json"
	t := taking{source: s, sink: sink, raw: raw, now: now}
	docs, err := s.elements(body)
	if err != nil {
		_, asideErr := t.aside(ctx, digest("body", string(body)), intake.AsideUnreadable, err.Error(), "")
		if asideErr != nil {
			return nil, asideErr
		}
		return nil, &unreadable{err}
	}
	results := []result{}
	for _, doc := range docs {
		one, err := t.element(ctx, doc)
		if err != nil {
			return nil, err
		}
		results = append(results, one)
	}
	return results, nil
}

// maxElements is how many payloads a request may hold.
const maxElements = 500

// elements takes a body apart.
func (s *source) elements(body []byte) ([]any, error) {
	doc, err := payload.Parse(body)
	if err != nil {
		return nil, err
	}
	if s.cfg.Elements != "" {
		at, err := payload.ParsePointer(s.cfg.Elements)
		if err != nil {
			return nil, err
		}
		found, _ := at.Find(doc)
		if _, ok := found.([]any); !ok {
			return nil, fmt.Errorf("there is no list at %s", s.cfg.Elements)
		}
		doc = found
	}
	switch v := doc.(type) {
	case map[string]any:
		return []any{v}, nil
	case []any:
		if len(v) > maxElements {
			return nil, fmt.Errorf("the list has more than %d entries", maxElements)
		}
		return v, nil
	}
	return nil, errors.New("it is neither an object nor a list of them")
}

// Health says how a source is.
type Health struct {
	Source string
	// LastSuccess is when a request of it was stored last; zero if none was since the start.
	LastSuccess time.Time
	// Refused counts requests since the last success whose signature was not good, and Problem
	// says what was wrong with the last request, empty if nothing.
	Refused int
	Problem string
}

// Health returns how each source is.
func (h *Hooks) Health() []Health {
	var all []Health
	for _, s := range h.sources {
		s.mu.Lock()
		all = append(all, s.health)
		s.mu.Unlock()
	}
	return all
}

func (s *source) note(change func(*Health)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.health)
}

func (s *source) accepted(now time.Time) {
	s.note(func(h *Health) { h.LastSuccess, h.Refused, h.Problem = now, 0, "" })
}

// refused notes a request that is not the source's. Anybody can make them, so that the log is
// told once a minute.
func (s *source) refused(err error, now time.Time) {
	tell := false
	s.note(func(h *Health) {
		h.Refused++
		h.Problem = "a request was refused: " + err.Error()
		if tell = now.Sub(s.warned) >= time.Minute; tell {
			s.warned = now
		}
	})
	if tell {
		s.deps.Log.Warn("a request was refused", "channel", Channel, "source", s.cfg.Name, "err", err)
	}
}
