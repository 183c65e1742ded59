package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	v3 "github.com/pb33f/libopenapi/datamodel/high/v3"

	"leadgate/channels/csvdrop"
	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/memstore"
	"leadgate/templates"
)

// portal is a gateway with two partners and the API before it, called over HTTP. Each answer is
// held against the document.
type portal struct {
	*testing.T
	store   *faultyStore
	gateway *intake.Gateway
	drop    *csvdrop.Drop
	api     *API
	url     string
	client  *http.Client
	key     string // of alpha
	beta    string
	log     *lockedBuffer
	now     func() time.Time
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// errDown is what a faulty store returns.
var errDown = errors.New("the disk is gone")

// faultyStore fails, or panics, as it is told to.
type faultyStore struct {
	intake.Store
	down, panics atomic.Bool
	// before is called before each write; an error of it ends the write.
	before atomic.Pointer[func() error]
}

func (s *faultyStore) fault() error {
	if s.panics.Load() {
		panic("the store has lost its mind")
	}
	if s.down.Load() {
		return errDown
	}
	return nil
}

func (s *faultyStore) View(ctx context.Context, fn func(intake.Tx) error) error {
	if err := s.fault(); err != nil {
		return err
	}
	return s.Store.View(ctx, fn)
}

func (s *faultyStore) Update(ctx context.Context, fn func(intake.Tx) error) error {
	if err := s.fault(); err != nil {
		return err
	}
	if before := s.before.Load(); before != nil {
		if err := (*before)(); err != nil {
			return err
		}
	}
	return s.Store.Update(ctx, fn)
}

// previewing is a Drop for the API.
type previewing struct{ *csvdrop.Drop }

func (p previewing) Preview(im intake.Import) (Preview, error) {
	found, err := p.Checked(im)
	return Preview{Done: found.Done, Counts: found.Counts}, err
}

type option func(*Config, *rules.Spec)

// openPortal opens one over a store of its own.
func openPortal(t *testing.T, options ...option) *portal {
	t.Helper()
	p := portalOver(t, memstore.New(memstore.RunTwice()), options...)
	err := p.gateway.PutPartners(t.Context(), []intake.Partner{
		{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"alpha.example"}, Contacts: []intake.Contact{{Name: "Kim", Email: "kim@elsewhere.example"}}},
		{ID: "beta", Name: "Beta", Status: intake.PartnerActive, Motion: "reseller", Domains: []string{"beta.example"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	p.key, p.beta = p.mint("alpha"), p.mint("beta")
	return p
}

// portalOver opens one over a store, as a process does that was started anew.
func portalOver(t *testing.T, store intake.Store, options ...option) *portal {
	t.Helper()
	c, spec := Default(), rules.Default()
	spec.Mode, spec.Timezone = intake.ModeAuto, "Europe/Brussels"
	spec.Contact = rules.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
	for _, o := range options {
		o(&c, &spec)
	}
	ids := identity.Default()
	policy, err := rules.New(spec, ids)
	if err != nil {
		t.Fatal(err)
	}
	if err := intake.KeepPolicy(t.Context(), store, policy.Hash(), policy.Source()); err != nil {
		t.Fatal(err)
	}
	numbers, err := intake.NewNumbering("LG", []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	const base = "https://partners.vendor.example"
	links, err := intake.NewLinks(base, bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	p := &portal{T: t, store: &faultyStore{Store: store}, log: &lockedBuffer{}, now: time.Now}
	log := slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p.gateway, err = intake.New(intake.Options{
		Store: p.store, Policy: policy, Identity: ids, Numbers: numbers, Program: "Vendor", Links: links, Alone: true, Log: log,
		Now: func() time.Time { return p.now() },
	})
	if err != nil {
		t.Fatal(err)
	}
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	p.drop = csvdrop.New(csvdrop.Deps{Gateway: p.gateway, Extractor: extract.New(ids, extract.Options{}), Words: words, TempDir: t.TempDir(), Log: log})
	t.Cleanup(p.drop.Close)
	p.api, err = New(c, Deps{Source: p.gateway, Files: previewing{p.drop}, TempDir: t.TempDir(), ReplyChannel: "email", URL: base, Now: func() time.Time { return p.now() }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p.router())
	t.Cleanup(server.Close)
	p.url = server.URL
	p.client = &http.Client{Transport: &contract{t: t, document: contractOf(t, p.api.document), next: server.Client().Transport}}
	return p
}

// router is as the program's own: numbered requests, a bound of bodies, and panics survived.
func (p *portal) router() *echo.Echo {
	e := echo.New()
	e.Use(middleware.RequestID(), middleware.BodyLimitWithConfig(middleware.BodyLimitConfig{
		Limit: "1M", Skipper: func(c echo.Context) bool { return c.Request().URL.Path == Base+PathImports },
	}), middleware.RecoverWithConfig(middleware.RecoverConfig{
		LogErrorFunc: func(_ echo.Context, err error, _ []byte) error { return err },
	}))
	e.IPExtractor = echo.ExtractIPFromXFFHeader()
	p.api.Guard(e)
	p.api.Mount(e.Group(""), p.gateway)
	return e
}

func (p *portal) mint(partner string) string {
	p.Helper()
	_, token, err := p.gateway.MintAPIKey(p.Context(), partner, "portal of "+partner, "", "mia")
	if err != nil {
		p.Fatal(err)
	}
	return token
}

// run has the gateway work until the test ends.
func (p *portal) run() {
	ctx, cancel := context.WithCancel(p.Context())
	done := make(chan error, 1)
	go func() { done <- p.gateway.Run(ctx) }()
	p.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			p.Error(err)
		}
	})
}

// reply is an answer that was read.
type reply struct {
	*http.Response
	body []byte
}

func (r reply) problem() (p struct {
	Code    string  `json:"code"`
	Errors  []Fault `json:"errors"`
	Request string  `json:"request_id"`
},
) {
	_ = json.Unmarshal(r.body, &p)
	return p
}

func (r reply) taken() (t taken) {
	_ = json.Unmarshal(r.body, &t)
	return t
}

// at are the places of what is wrong, and how.
func (r reply) at() string {
	var all []string
	for _, f := range r.problem().Errors {
		all = append(all, f.Pointer+" "+f.Code)
	}
	return strings.Join(all, ", ")
}

// do sends a request with alpha's key and JSON in it; header overrides, and "" takes away.
func (p *portal) do(method, path, body string, header ...string) reply {
	p.Helper()
	var in io.Reader
	if body != "" {
		in = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(p.Context(), method, p.url+Base+path, in)
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+p.key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if req.Header.Set(header[i], header[i+1]); header[i+1] == "" {
			req.Header.Del(header[i])
		}
	}
	resp, err := p.client.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	return reply{resp, b}
}

func (p *portal) post(body string, header ...string) reply {
	p.Helper()
	return p.do(http.MethodPost, "/registrations", body, header...)
}

func (p *portal) want(what string, r reply, status int, code string) reply {
	p.Helper()
	if r.StatusCode != status || r.problem().Code != code {
		p.Errorf("%s: %s, %q; want %d, %q\n%s", what, r.Status, r.problem().Code, status, code, r.body)
	}
	return r
}

// cases are all that there are.
func (p *portal) cases() []intake.Registration {
	p.Helper()
	all, err := p.gateway.Cases(p.Context(), intake.CaseQuery{Limit: 1000})
	if err != nil {
		p.Fatal(err)
	}
	return all
}

// change is a value to put at a place of a body; nil takes it away.
type change map[string]any

// acme is a complete registration of acme.example, with changes.
func acme(changes ...change) string {
	b := map[string]any{
		"submitter":    map[string]any{"name": "Ana Silva", "email": "ana@alpha.example"},
		"company_name": "Acme GmbH", "company_domain": "acme.example", "country": "DE",
		"contact_name": "Jane Doe", "contact_email": "jane@acme.example", "contact_role": "CTO",
		"problem": "Reporting takes a day a week.", "stage": "new_intro", "consent": "yes",
	}
	for _, c := range changes {
		for k, v := range c {
			if b[k] = v; v == nil {
				delete(b, k)
			}
		}
	}
	out, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// company is a complete registration of another company by a name.
func company(name string) change {
	return change{"company_name": name, "company_domain": strings.ToLower(name) + ".example", "contact_email": "jane@" + strings.ToLower(name) + ".example"}
}

const byAna = `{"submitter":{"name":"Ana Silva","email":"ana@alpha.example"}}`

// contract holds requests and answers against the document.
type contract struct {
	t        *testing.T
	document *held
	next     http.RoundTripper
}

// held is a document that requests and answers are held against.
type held struct {
	validator validator.Validator
	model     *v3.Document
}

var contracts sync.Map // document → *held

func contractOf(t *testing.T, src []byte) *held {
	t.Helper()
	if known, ok := contracts.Load(string(src)); ok {
		return known.(*held)
	}
	doc, err := libopenapi.NewDocument(src)
	if err != nil {
		t.Fatal(err)
	}
	model, err := doc.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	v, errs := validator.NewValidator(doc)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	h := &held{v, &model.Model}
	contracts.Store(string(src), h)
	return h
}

func (c *contract) RoundTrip(req *http.Request) (*http.Response, error) {
	var sent []byte
	if req.Body != nil {
		var err error
		if sent, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(sent))
	}
	resp, err := c.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	c.hold(req, sent, resp, body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (c *contract) hold(req *http.Request, sent []byte, resp *http.Response, body []byte) {
	c.t.Helper()
	if media := resp.Header.Get("Content-Type"); resp.StatusCode >= 400 && media != "application/problem+json" {
		c.t.Errorf("%s %s: %s comes as %s:\n%s", req.Method, req.URL.Path, resp.Status, media, body)
	}
	if resp.Header.Get("X-Request-Id") == "" || resp.Header.Get("X-Content-Type-Options") != "nosniff" || len(resp.Cookies()) > 0 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		c.t.Errorf("%s %s: headers %v", req.Method, req.URL.Path, resp.Header)
	}
	if resp.StatusCode == http.StatusMethodNotAllowed || strings.Contains(string(body), "no_such_path") {
		return // there is no operation that could be documented
	}
	again := func() *http.Request {
		r := req.Clone(req.Context())
		r.Body = io.NopCloser(bytes.NewReader(sent))
		if len(sent) == 0 {
			r.Body = http.NoBody
		}
		return r
	}
	answer := *resp
	answer.Body = io.NopCloser(bytes.NewReader(body))
	if ok, errs := c.document.validator.ValidateHttpResponse(again(), &answer); !ok {
		for _, e := range errs {
			c.t.Errorf("%s %s, %s: not as documented: %v\n%s", req.Method, req.URL.Path, resp.Status, e, body)
		}
	}
	if resp.StatusCode >= 400 {
		return
	}
	if ok, errs := c.document.validator.ValidateHttpRequest(again()); !ok {
		for _, e := range errs {
			c.t.Errorf("%s %s: taken, and not as documented: %v\n%s", req.Method, req.URL.Path, e, sent)
		}
	}
}
