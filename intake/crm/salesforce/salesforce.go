package salesforce

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// Salesforce is the connector to one org. It is safe for concurrent use. What it remembers is a
// session and how many calls are left; whoever starts without knows the same after one call.
type Salesforce struct {
	c    Config
	key  *rsa.PrivateKey // nil for client credentials
	door *remote.Client  // asks for sessions
	api  *remote.Client

	gate    chan struct{} // held while a session is asked for
	session atomic.Pointer[session]
	usage   atomic.Int64 // calls of 24 hours that are used, in per mille; 0 if not known

	mu     sync.Mutex
	polled time.Time
}

var (
	_ intake.CRM           = (*Salesforce)(nil)
	_ intake.Verifier      = (*Salesforce)(nil)
	_ intake.Comparer      = (*Salesforce)(nil)
	_ intake.HintAnswering = (*Salesforce)(nil)
)

// New returns the connector that c describes, or all faults of c. It connects to nothing.
func New(c Config) (*Salesforce, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("salesforce %q: %w", c.Name, err)
	}
	s := &Salesforce{c: c.withDefaults(), gate: make(chan struct{}, 1)}
	if c.PrivateKey != "" {
		s.key, _ = c.key() // checked by Validate
	}
	// An org takes any number of short calls; the bound is for what loops by mistake.
	rates := map[string]remote.Rate{"": {PerSecond: 20, Burst: 40}}
	s.door = remote.NewClient(remote.Options{
		Base: s.c.LoginURL, AllowPrivate: c.AllowPrivate, Timeout: c.Timeout, Fault: s.doorFault, Rates: rates, Now: s.c.Now,
	})
	s.api = remote.NewClient(remote.Options{
		AllowPrivate: c.AllowPrivate, Timeout: c.Timeout, Fault: fault, Rates: rates, Now: s.c.Now,
	})
	return s, nil
}

// Close drops idle connections. It never fails.
func (s *Salesforce) Close() error {
	_ = s.door.Close()
	return s.api.Close()
}

// Name is part of stored keys.
func (s *Salesforce) Name() string { return s.c.Name }

func (s *Salesforce) fail(operation string, err error) error {
	return fmt.Errorf("%s: %s: %w", s.c.Name, operation, err)
}

// path is one below the version: "/services/data/v68.0/composite".
func (s *Salesforce) path(rest string) string {
	return "/services/data/v" + s.c.APIVersion + "/" + rest
}

// do makes a call of the API, with a new session if the one there is has ended.
func (s *Salesforce) do(ctx context.Context, call remote.Call) (remote.Answer, error) {
	have := s.session.Load()
	if have == nil {
		fresh, err := s.login(ctx, nil)
		if err != nil {
			return remote.Answer{}, err
		}
		have = fresh
	}
	a, err := s.with(ctx, have, call)
	if a.Status != http.StatusUnauthorized {
		return a, err
	}
	fresh, renewing := s.login(ctx, have)
	if renewing != nil {
		return a, renewing
	}
	return s.with(ctx, fresh, call)
}

func (s *Salesforce) with(ctx context.Context, have *session, call remote.Call) (remote.Answer, error) {
	call.Path = have.instance + call.Path
	call.Header = http.Header{"Authorization": {"Bearer " + have.token}}
	a, err := s.api.Do(ctx, call)
	s.count(a.Header)
	if _, over := refused(err, "REQUEST_LIMIT_EXCEEDED"); over {
		s.usage.Store(1000)
	}
	return a, err
}

// count reads "Sforce-Limit-Info: api-usage=18/15000".
func (s *Salesforce) count(h http.Header) {
	_, after, _ := strings.Cut(h.Get("Sforce-Limit-Info"), "api-usage=")
	used, limit, _ := strings.Cut(after, "/")
	if i := strings.IndexAny(limit, ",; "); i >= 0 {
		limit = limit[:i]
	}
	u, bad := strconv.ParseInt(used, 10, 64)
	l, worse := strconv.ParseInt(limit, 10, 64)
	if bad == nil && worse == nil && l > 0 {
		s.usage.Store(u * 1000 / l)
	}
}

// step is one request of a composite call.
type step struct {
	Method string `json:"method"`
	URL    string `json:"url"`
	Ref    string `json:"referenceId"`
	Body   any    `json:"body,omitempty"`

	object string // what it writes, for words
}

// result is what became of a step.
type result struct {
	Ref    string          `json:"referenceId"`
	Status int             `json:"httpStatusCode"`
	Body   json.RawMessage `json:"body"`
}

// composite makes several requests in one call; of those that write either all are done or none.
// The error is that of the step that failed.
func (s *Salesforce) composite(ctx context.Context, steps []step) (map[string]result, http.Header, error) {
	var out struct {
		Results []result `json:"compositeResponse"`
	}
	a, err := s.do(ctx, remote.Call{Method: http.MethodPost, Path: s.path("composite"), Out: &out, In: map[string]any{
		"allOrNone": true, "collateSubrequests": false, "compositeRequest": steps,
	}})
	if err != nil {
		return nil, nil, err
	}
	byRef := make(map[string]result)
	for _, r := range out.Results {
		byRef[r.Ref] = r
	}
	var failed error
	for _, st := range steps {
		r, there := byRef[st.Ref]
		switch {
		case !there:
			return nil, nil, errors.New("the answer of Salesforce does not say what became of each request")
		case r.Status >= 200 && r.Status < 300:
		case r.Status == http.StatusMultipleChoices:
			return nil, nil, several(st.object)
		default:
			err := st.fault(r)
			if _, halted := refused(err, "PROCESSING_HALTED"); failed == nil || !halted {
				failed = keepFirst(failed, err)
			}
		}
	}
	return byRef, a.Header, failed
}

// keepFirst returns the error that caused the others, which are halted.
func keepFirst(have, err error) error {
	if _, halted := refused(have, "PROCESSING_HALTED"); have == nil || halted {
		return err
	}
	return have
}

func (st step) fault(r result) error {
	all := problems(r.Body)
	if len(all) == 0 {
		return statusError(r.Status)
	}
	err := all[0].sort(st.object)
	var said *refusal
	if errors.As(err, &said) {
		said.step = st.Ref
	}
	return err
}

// query is a step that reads; all includes what was deleted.
func (s *Salesforce) query(ref, soql string) step {
	return step{Method: http.MethodGet, Ref: ref, URL: s.path("query?q=" + url.QueryEscape(soql))}
}

func (s *Salesforce) queryAll(ref, soql string) step {
	return step{Method: http.MethodGet, Ref: ref, URL: s.path("queryAll?q=" + url.QueryEscape(soql))}
}

// maxParts is how many calls an answer that comes in parts may take.
const maxParts = 20

// read makes queries in one call, and puts the records of each where out says, by reference. An
// answer that comes in parts is read to its end. It returns the server's clock, zero if it does not
// tell.
func (s *Salesforce) read(ctx context.Context, out map[string]*[]record, queries ...step) (time.Time, error) {
	results, header, err := s.composite(ctx, queries)
	if err != nil {
		return time.Time{}, err
	}
	for ref, into := range out {
		var p page
		if json.Unmarshal(results[ref].Body, &p) != nil || p.Records == nil {
			return time.Time{}, errors.New("the answer of Salesforce to a query is not what was expected")
		}
		*into = p.Records
		for parts := 1; !p.Done; parts++ {
			rest := p.Next
			if !strings.HasPrefix(rest, "/services/data/") || parts == maxParts {
				return time.Time{}, errors.New("the answer of Salesforce to a query has no end")
			}
			p = page{}
			if _, err := s.do(ctx, remote.Call{Method: http.MethodGet, Path: rest, Out: &p}); err != nil {
				return time.Time{}, err
			}
			*into = append(*into, p.Records...)
		}
	}
	at, _ := http.ParseTime(header.Get("Date"))
	return at, nil
}

// page is what a query answers.
type page struct {
	Records []record `json:"records"`
	Done    bool     `json:"done"`
	Next    string   `json:"nextRecordsUrl"`
}

// record is one as Salesforce answers it: fields, and records that it refers to.
type record map[string]any

// text is a field by its path: "Owner.Name". It is "" if it is empty or not there.
func (r record) text(path string) string {
	var v any = map[string]any(r)
	for name := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = m[name]
	}
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// child returns the first record of a relation to many, nil if there is none.
func (r record) child(name string) record {
	m, _ := r[name].(map[string]any)
	list, _ := m["records"].([]any)
	if len(list) == 0 {
		return nil
	}
	first, _ := list[0].(map[string]any)
	return first
}

// ref returns the record that a relation leads to, nil if there is none.
func (r record) ref(name string) record {
	m, _ := r[name].(map[string]any)
	return m
}

// time reads a field that is a date and time: "2026-11-23T03:00:00.000+0000".
func (r record) time(path string) time.Time {
	v := r.text(path)
	for _, layout := range []string{"2006-01-02T15:04:05.000-0700", time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, v); err == nil {
			return at.UTC()
		}
	}
	return time.Time{}
}

// segment escapes a value of an external id for the path of a URL. Everything but letters, digits
// and -_. is escaped, as a plus is read as a blank by some.
func segment(v string) string {
	return strings.NewReplacer("+", "%20", "~", "%7E").Replace(url.QueryEscape(v))
}
