package crmtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"leadgate/intake"
)

// remote is a small CRM: PUT /records/{case} is an upsert that keeps the newest revision,
// POST /records creates, PUT /notes/{case}/{n} adds a note once, POST /notes/{case} always.
type remote struct {
	mu      sync.Mutex
	records []Stored
	notes   map[string]map[string]bool
	creates int
}

func (m *remote) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /records/{case}", func(_ http.ResponseWriter, r *http.Request) {
		var s Stored
		_ = json.NewDecoder(r.Body).Decode(&s)
		m.upsert(s)
	})
	mux.HandleFunc("PUT /overwrite/{case}", func(_ http.ResponseWriter, r *http.Request) {
		var s Stored
		_ = json.NewDecoder(r.Body).Decode(&s)
		m.overwrite(s)
	})
	mux.HandleFunc("POST /records", func(_ http.ResponseWriter, r *http.Request) {
		var s Stored
		_ = json.NewDecoder(r.Body).Decode(&s)
		m.create(s)
	})
	mux.HandleFunc("PUT /notes/{case}/{n}", func(_ http.ResponseWriter, r *http.Request) {
		m.note(r.PathValue("case"), r.PathValue("n"))
	})
	mux.HandleFunc("POST /notes/{case}", func(_ http.ResponseWriter, r *http.Request) {
		m.note(r.PathValue("case"), "")
	})
	return mux
}

func (m *remote) create(s Stored) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records = append(m.records, s)
}

func (m *remote) upsert(s Stored) {
	m.mu.Lock()
	for _, have := range m.records {
		if have.Case == s.Case && have.Revision > s.Revision {
			m.mu.Unlock()
			return
		}
	}
	m.mu.Unlock()
	m.overwrite(s)
}

func (m *remote) overwrite(s Stored) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.records {
		if m.records[i].Case == s.Case {
			m.records[i] = s
			return
		}
	}
	m.records = append(m.records, s)
}

// note adds a note under a key, or one more if there is no key.
func (m *remote) note(caseNumber, key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.notes[caseNumber] == nil {
		m.notes[caseNumber] = make(map[string]bool)
	}
	if key == "" {
		m.creates++
		key = fmt.Sprint("created ", m.creates)
	}
	m.notes[caseNumber][key] = true
}

func (m *remote) all() ([]Stored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Stored(nil), m.records...), nil
}

func (m *remote) count(caseNumber string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.notes[caseNumber]), nil
}

const token = "token-that-is-secret"

// client is a connector for remote. The zero flaws are an honest one.
type client struct {
	base   string
	http   *http.Client
	flaws  map[flaw]bool
	pushed map[string]bool
	mu     sync.Mutex
}

// flaw is a way to write a connector wrongly.
type flaw string

const (
	creates        flaw = "creates records instead of upserting them"
	createsNotes   flaw = "creates notes instead of upserting them"
	overwrites     flaw = "overwrites a newer revision"
	dropsErrors    flaw = "takes every answer for a success"
	neverPermanent flaw = "retries what no retry heals"
	allPermanent   flaw = "parks what a retry heals"
	ignoresDelay   flaw = "does not read Retry-After"
	leaksSecret    flaw = "puts its token into errors"
	leaksBody      flaw = "puts the answer's body into errors"
	ignoresContext flaw = "does not stop when cancelled"
	waitsForever   flaw = "has no time-out"
	followsRedir   flaw = "follows redirects"
	manglesStrings flaw = "drops line breaks"
	tellsStaff     flaw = "sends the whole registration"
	remembersEarly flaw = "remembers a push before it is done"
	retriesInside  flaw = "repeats at once by itself"
	forgetsUpdates flaw = "never updates a record"
	losesRevision  flaw = "does not send the revision"
	racy           flaw = "loses pushes that run at the same time"
	listensWrong   flaw = "does not mark its own changes"
)

func allFlaws() []flaw {
	return []flaw{
		creates, createsNotes, overwrites, dropsErrors, neverPermanent, allPermanent, ignoresDelay,
		leaksSecret, leaksBody, ignoresContext, waitsForever, followsRedir, manglesStrings, tellsStaff,
		remembersEarly, retriesInside, forgetsUpdates, losesRevision, racy, listensWrong,
	}
}

var _ intake.CRM = (*client)(nil)

func (c *client) Name() string { return "client" }

func (c *client) Push(ctx context.Context, r intake.Record) (intake.Ref, error) {
	g := r.Registration
	ref := intake.Ref{ID: "rec-" + g.Number, Revision: g.Revision}
	if c.skip(g) {
		return ref, nil
	}
	s := Stored{Case: g.Number, Revision: g.Revision, Status: g.Status, Lead: g.Lead.Clone()}
	if c.flaws[manglesStrings] {
		s.Lead[intake.FieldCompanyName] = strings.Join(strings.Fields(s.Lead[intake.FieldCompanyName]), " ")
	}
	if c.flaws[losesRevision] {
		s.Revision = 0
	}
	method, path := http.MethodPut, "/records/"+g.Number
	if c.flaws[overwrites] {
		path = "/overwrite/" + g.Number
	}
	if c.flaws[creates] {
		method, path = http.MethodPost, "/records"
	}
	var body any = s
	if c.flaws[tellsStaff] {
		body = struct {
			Stored
			All intake.Registration
		}{s, g}
	}
	return ref, c.do(ctx, method, path, body)
}

// skip is how the flaws that lose pushes lose them.
func (c *client) skip(g intake.Registration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := fmt.Sprint(g.Number, "#", g.Revision)
	known := c.pushed[key]
	c.pushed[key] = true
	switch {
	case c.flaws[remembersEarly]:
		return known
	case c.flaws[forgetsUpdates]:
		return g.Revision > 1
	case c.flaws[racy]:
		return len(c.pushed) == 7
	}
	return false
}

func (c *client) Note(ctx context.Context, _ intake.Ref, n intake.Note) error {
	e := n.Event
	if c.flaws[createsNotes] {
		return c.do(ctx, http.MethodPost, "/notes/"+e.Case, nil)
	}
	return c.do(ctx, http.MethodPut, "/notes/"+e.Case+"/"+strconv.Itoa(e.N), nil)
}

func (c *client) Lookup(context.Context, intake.Lead) ([]intake.Match, error) { return nil, nil }

func (c *client) Changes(_ context.Context, cursor string) ([]intake.Change, string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.flaws[listensWrong] && len(c.pushed) > 0 {
		return []intake.Change{{Case: Sample(1, 1).Registration.Number}}, cursor, nil
	}
	return nil, cursor, nil
}

func (c *client) do(ctx context.Context, method, path string, v any) error {
	err := c.once(ctx, method, path, v)
	if err != nil && c.flaws[retriesInside] {
		err = c.once(ctx, method, path, v)
	}
	if c.flaws[dropsErrors] {
		return nil
	}
	return err
}

func (c *client) once(ctx context.Context, method, path string, v any) error {
	if c.flaws[ignoresContext] {
		ctx = context.WithoutCancel(ctx)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return c.judge(resp, answer)
}

func (c *client) judge(resp *http.Response, answer []byte) error {
	code := resp.StatusCode
	if code < 300 {
		return nil
	}
	err := fmt.Errorf("answered %d", code)
	if c.flaws[leaksSecret] {
		err = fmt.Errorf("answered %d to %s", code, token)
	}
	if c.flaws[leaksBody] {
		err = errors.New(string(answer))
	}
	if n, bad := strconv.Atoi(resp.Header.Get("Retry-After")); bad == nil && !c.flaws[ignoresDelay] {
		return intake.RetryAfter(time.Duration(n)*time.Second, err)
	}
	if (code == 401 || code == 403) && !c.flaws[neverPermanent] && !c.flaws[allPermanent] {
		return intake.Unauthorized(err)
	}
	if (code >= 400 && code < 500 && code != 429 && !c.flaws[neverPermanent]) || c.flaws[allPermanent] {
		return intake.Permanent(err)
	}
	return err
}
