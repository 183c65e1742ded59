package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels"
	"leadgate/intake"
)

// Channel is the name of the channel in submissions.
const Channel = "api"

// Base is the path of the API below that of the pages.
const Base = "/api/v1"

// Keys tells who calls.
type Keys interface {
	// Authenticate returns intake.ErrKeyInvalid or intake.ErrPartnerBarred for a token that
	// opens nothing.
	Authenticate(ctx context.Context, token string) (intake.APIKey, error)
	// Submitter returns intake.ErrNotFound for who is not of the partner, and
	// *intake.ErrInput for what is no address.
	Submitter(ctx context.Context, partnerID, address string) (string, error)
}

// Cases is what a partner may know.
type Cases interface {
	OwnCase(ctx context.Context, partnerID, number string) (intake.OwnCase, error)
	ReceivedCase(ctx context.Context, partnerID, number string) (intake.OwnCase, error)
	OwnCases(ctx context.Context, partnerID, after string, limit int) ([]intake.OwnCase, string, error)
	Examine(ctx context.Context, partnerID, number string, l intake.Lead) (intake.Lead, []intake.Problem, error)
	Published() intake.Published
}

// Calls has what is asked for twice done once, and bounds how often something is asked for.
type Calls interface {
	Recall(context.Context, intake.Call) (intake.Made, error)
	BeginCall(context.Context, intake.Call) (intake.Made, error)
	EndCall(ctx context.Context, call intake.Call, answer []byte) error
	LeaveCall(intake.Call)
	Admit(context.Context, intake.Admission) error
	Accepted(ctx context.Context, key string) (intake.Receipt, error)
}

// Imports is what is known of files of rows.
type Imports interface {
	// Import returns intake.ErrNotFound for what there is not.
	Import(ctx context.Context, id string) (intake.Import, error)
	Imports(context.Context, intake.ImportQuery) (found []intake.Import, next string, err error)
	RowOutcomes(ctx context.Context, id string, after, limit int) ([]intake.RowOutcome, error)
	// AnswerTo returns where a partner is written to if no address is given; "" for nowhere.
	AnswerTo(ctx context.Context, partnerID, address string, proven intake.Strength) (string, error)
}

// Source is what the API stands before: a Gateway.
type Source interface {
	Keys
	Cases
	Calls
	Imports
}

// Deps are what an API is made of.
type Deps struct {
	Source Source
	// Files takes files of rows in.
	Files Files
	// TempDir is where files lie while they arrive and are sent; the system's if empty.
	TempDir string
	// ReplyChannel is the channel by which submitters are written to, at their e-mail address.
	ReplyChannel string
	// URL is where the world finds the pages, and the API below them.
	URL string
	Now func() time.Time // time.Now if nil
	Log *slog.Logger     // discarded if nil
}

// API answers partners' programs.
type API struct {
	cfg      Config
	source   Source
	files    Files
	tempDir  string
	sink     intake.Sink
	reply    string
	url      string
	document []byte
	// failing bounds the requests of an address that come with no good key, busy all requests
	// with one key.
	failing, busy *limiter
	now           func() time.Time
	log           *slog.Logger
}

var (
	_ channels.Mounter = (*API)(nil)
	_ Source           = (*intake.Gateway)(nil)
)

// New returns the API of a configuration.
func New(c Config, d Deps) (*API, error) {
	if d.ReplyChannel == "" {
		return nil, errors.New("no channel answers those who register by the API")
	}
	if d.Files == nil {
		return nil, errors.New("nothing takes in the files that come by the API")
	}
	a := &API{cfg: c, source: d.Source, files: d.Files, tempDir: d.TempDir, reply: d.ReplyChannel, url: strings.TrimSuffix(d.URL, "/") + Base, now: d.Now, log: d.Log}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	a.failing = newLimiter(a.now, failBurst, failEvery)
	a.busy = newLimiter(a.now, busyBurst, busyEvery)
	a.document = served(a.url)
	return a, nil
}

// The limits in memory: an address may come so often with no good key, and a key be used so
// often, and once more every so often.
const (
	failBurst = 20
	failEvery = 6 * time.Second
	busyBurst = 120
	busyEvery = 250 * time.Millisecond
)

// route is one operation.
type route struct {
	method, path string // as echo writes it
	handle       func(*request) (answer, error)
	public       bool // takes no key
}

func (a *API) routes() []route {
	return append(a.importRoutes(), []route{
		{method: http.MethodPost, path: "/registrations", handle: a.register},
		{method: http.MethodGet, path: "/registrations", handle: a.list},
		{method: http.MethodGet, path: "/registrations/:case", handle: a.show},
		{method: http.MethodPost, path: "/registrations/:case/withdraw", handle: a.withdraw},
		{method: http.MethodGet, path: "/rules", handle: a.rules},
		{method: http.MethodGet, path: "/openapi.yaml", handle: a.openapi, public: true},
	}...)
}

// Mount adds the API to a group at the root of a router. What is asked for with another method,
// or at a path that there is not, is answered here too.
func (a *API) Mount(g *echo.Group, sink intake.Sink) {
	a.sink = sink
	allowed := make(map[string][]string)
	for _, r := range a.routes() {
		allowed[r.path] = append(allowed[r.path], r.method)
		g.Add(r.method, Base+r.path, a.serve(r))
	}
	for path, methods := range allowed {
		refuse := a.serve(route{public: true, handle: func(r *request) (answer, error) {
			r.Response().Header().Set(echo.HeaderAllow, strings.Join(methods, ", "))
			return answer{}, &Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "This path takes " + strings.Join(methods, " and ") + "."}
		}})
		for _, method := range everyMethod {
			if !contains(methods, method) {
				g.Add(method, Base+path, refuse)
			}
		}
	}
	nothing := a.serve(route{public: true, handle: func(*request) (answer, error) {
		return answer{}, &Problem{Status: http.StatusNotFound, Code: "no_such_path", Detail: "There is nothing at this path. " + a.url + "/openapi.yaml lists what there is."}
	}})
	g.RouteNotFound(Base, nothing)
	g.RouteNotFound(Base+"/*", nothing)
}

var everyMethod = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
	http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

func contains(methods []string, method string) bool {
	for _, m := range methods {
		if m == method {
			return true
		}
	}
	return false
}

// Guard has a router answer with problems for what fails at a path of the API outside of its
// handlers: a body that is too large for the listener, a panic.
func (a *API) Guard(e *echo.Echo) {
	next := e.HTTPErrorHandler
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if path := c.Request().URL.Path; c.Response().Committed || path != Base && !strings.HasPrefix(path, Base+"/") {
			next(err, c)
			return
		}
		headers(c)
		p := &Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "This is our fault. Send it again later, with the same Idempotency-Key."}
		var known *echo.HTTPError
		switch {
		case errors.As(err, &known) && known.Code == http.StatusRequestEntityTooLarge && c.Request().URL.Path == Base+PathImports:
			p = fileTooLarge()
		case errors.As(err, &known) && known.Code == http.StatusRequestEntityTooLarge:
			p = errTooLarge()
		case errors.As(err, &known) && known.Code < http.StatusInternalServerError:
			p = &Problem{Status: known.Code, Code: "refused", Detail: http.StatusText(known.Code) + "."}
		}
		if err := a.tell(c, p); err != nil {
			a.log.Warn("answer to a program", "request", requestID(c), "err", err)
		}
	}
}

// request is one, with the key that it came with.
type request struct {
	echo.Context
	key intake.APIKey
}

func (r *request) ctx() context.Context { return r.Request().Context() }

// answer is what is sent back if all went well.
type answer struct {
	Status   int    `json:"status"`
	Location string `json:"location,omitempty"`
	Body     []byte `json:"body"`
	media    string // JSON if empty
	replayed bool
	file     *os.File // in the place of Body
}

// serve makes a handler of a route: headers, key, limit, the deed, and the answer.
func (a *API) serve(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		headers(c)
		req := &request{Context: c}
		var err error
		if !r.public {
			req.key, err = a.admit(c)
		}
		var ans answer
		if err == nil {
			ans, err = r.handle(req)
		}
		if err != nil {
			return a.fail(c, r.method+" "+r.path, err)
		}
		if ans.Location != "" {
			c.Response().Header().Set(echo.HeaderLocation, ans.Location)
		}
		if ans.replayed {
			c.Response().Header().Set("Idempotent-Replayed", "true")
		}
		if ans.media == "" {
			ans.media = echo.MIMEApplicationJSON
		}
		if ans.file != nil {
			defer ans.file.Close()
			return c.Stream(ans.Status, ans.media, ans.file)
		}
		return c.Blob(ans.Status, ans.media, ans.Body)
	}
}

func headers(c echo.Context) {
	h := c.Response().Header()
	h.Set(echo.HeaderCacheControl, "no-store")
	h.Set(echo.HeaderXContentTypeOptions, "nosniff")
	h.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
	h.Set(echo.HeaderReferrerPolicy, "no-referrer")
}

// admit returns the key of who calls. A good key is let in wherever it comes from: behind a
// shared address, or a proxy that was not told of, nobody can lock others out by guessing. And
// nobody guesses 256 bits.
func (a *API) admit(c echo.Context) (intake.APIKey, error) {
	token, given := bearer(c.Request().Header)
	key, err := intake.APIKey{}, intake.ErrKeyInvalid
	if given {
		key, err = a.source.Authenticate(c.Request().Context(), token)
	}
	switch {
	case errors.Is(err, intake.ErrKeyInvalid), errors.Is(err, intake.ErrPartnerBarred):
		if wait := a.failing.take(visitor(c.RealIP())); wait > 0 {
			return key, limited(wait, "Too many requests without a good key.")
		}
		if errors.Is(err, intake.ErrPartnerBarred) {
			return key, &Problem{Status: http.StatusForbidden, Code: "partner_not_active", Detail: "The partner of this key takes no part in the programme now. Ask your partner manager."}
		}
		return key, &Problem{Status: http.StatusUnauthorized, Code: "unauthorized", Detail: "Send Authorization: Bearer with a key that is whole, has not expired and was not revoked."}
	case err != nil:
		return key, unavailable(fmt.Errorf("authenticate: %w", err))
	}
	if wait := a.busy.take(key.ID); wait > 0 {
		return key, limited(wait, "Too many requests with this key.")
	}
	return key, nil
}

func bearer(h http.Header) (token string, given bool) {
	values := h.Values(echo.HeaderAuthorization)
	if len(values) != 1 {
		return "", false
	}
	scheme, token, found := strings.Cut(values[0], " ")
	return strings.TrimSpace(token), found && strings.EqualFold(scheme, "Bearer")
}

func limited(wait time.Duration, detail string) *Problem {
	return &Problem{Status: http.StatusTooManyRequests, Code: "rate_limited", Detail: detail + " Come back after the time in Retry-After.", after: wait}
}

// unavailable is for what a program should try again: the store is full, or is being closed.
func unavailable(cause error) *Problem {
	return &Problem{
		Status: http.StatusServiceUnavailable, Code: "unavailable", after: 30 * time.Second, cause: cause,
		Detail: "It can't be stored right now. Send it again later, with the same Idempotency-Key.",
	}
}

// fail answers with the problem that an error is. What is none is our fault, and goes to the log
// with the route, not with the path.
func (a *API) fail(c echo.Context, route string, err error) error {
	var p *Problem
	if !errors.As(err, &p) {
		p = &Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "This is our fault. Send it again later, with the same Idempotency-Key.", cause: err}
	}
	if p.cause != nil {
		a.log.Error("a request of a program failed", "route", route, "request", requestID(c), "err", p.cause)
	}
	return a.tell(c, p)
}

func (a *API) tell(c echo.Context, p *Problem) error {
	body, err := p.encode(requestID(c))
	if err != nil {
		return err
	}
	if p.after > 0 {
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(int(math.Ceil(p.after.Seconds()))))
	}
	if p.Status == http.StatusUnauthorized {
		c.Response().Header().Set(echo.HeaderWWWAuthenticate, `Bearer realm="registrations"`)
	}
	return c.Blob(p.Status, "application/problem+json", body)
}

func requestID(c echo.Context) string { return c.Response().Header().Get(echo.HeaderXRequestID) }
