package captcha

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ourSecret  = "s3cr3t-of-the-vendor-7c1"
	ourSiteKey = "site-key-of-the-vendor"
	ourProject = "vendor-forms-123"
	ourHost    = "partners.vendor.example"
	ourAgent   = "Mozilla/5.0 (a browser)"
	ourVisitor = "198.51.100.7"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// remoteKinds are the providers that are asked over the network.
func remoteKinds() []Kind {
	return []Kind{KindRecaptchaV2, KindRecaptchaV3, KindRecaptchaEnterprise, KindTurnstile, KindHCaptcha, KindFriendly}
}

// testConfig is a valid configuration that asks at an address.
func testConfig(k Kind, address string) Config {
	c := Config{Provider: k, SiteKey: ourSiteKey, Secret: ourSecret, Hostnames: []string{ourHost}, URL: address}
	if k == KindRecaptchaEnterprise {
		c.Project = ourProject
	}
	return c
}

// says is what a peer says of a token.
type says struct {
	host, action string
	score        float64
	noScore      bool
	made         time.Time
	// code is why it is no good, "" if it is.
	code string
	// raw is an answer outside the protocol, with a status.
	raw    string
	status int
}

func goodToken() says {
	return says{host: ourHost, action: "register", score: 0.9, made: noon.Add(-20 * time.Second)}
}

// peer speaks the protocol of one kind of provider, and takes each token once.
type peer struct {
	*httptest.Server
	t    *testing.T
	kind Kind

	mu     sync.Mutex
	tokens map[string]says
	spent  map[string]bool
	asked  int
	secret string
}

func newPeer(t *testing.T, k Kind) *peer {
	t.Helper()
	p := &peer{t: t, kind: k, tokens: map[string]says{}, spent: map[string]bool{}, secret: ourSecret}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *peer) knows(token string, s says) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens[token] = s
}

func (p *peer) times() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	b, err := io.ReadAll(r.Body)
	if err != nil || r.Method != http.MethodPost {
		p.t.Errorf("%s, %v", r.Method, err)
	}
	token, right := p.read(r, b)
	s, known := p.tokens[token]
	switch {
	case !right:
		s = says{code: p.code("secret")}
	case s.raw != "" || s.status != 0:
		w.WriteHeader(s.status)
		io.WriteString(w, s.raw)
		return
	case !known:
		s = says{code: p.code("unknown")}
	case p.spent[token]:
		s = says{code: p.code("spent")}
	}
	p.spent[token] = true
	p.write(w, s)
}

// read returns the token of a request, and whether the secret is right.
func (p *peer) read(r *http.Request, b []byte) (string, bool) {
	want := map[Kind]string{
		KindRecaptchaV2: "/recaptcha/api/siteverify", KindRecaptchaV3: "/recaptcha/api/siteverify",
		KindTurnstile: "/turnstile/v0/siteverify", KindHCaptcha: "/siteverify",
		KindFriendly:            "/api/v2/captcha/siteverify",
		KindRecaptchaEnterprise: "/v1/projects/" + ourProject + "/assessments",
	}[p.kind]
	if r.URL.Path != want {
		p.t.Errorf("asked at %s, want %s", r.URL.Path, want)
	}
	switch p.kind {
	case KindRecaptchaEnterprise:
		p.wantType(r, "application/json")
		var body struct{ Event map[string]string }
		p.unmarshal(b, &body)
		for key, want := range map[string]string{
			"siteKey": ourSiteKey, "expectedAction": "register", "userAgent": ourAgent, "userIpAddress": ourVisitor,
		} {
			if body.Event[key] != want {
				p.t.Errorf("%s is %q, want %q", key, body.Event[key], want)
			}
		}
		return body.Event["token"], r.URL.Query().Get("key") == p.secret
	case KindFriendly:
		p.wantType(r, "application/json")
		var body map[string]string
		p.unmarshal(b, &body)
		if body["sitekey"] != ourSiteKey || len(body) != 2 {
			p.t.Errorf("body %v", body)
		}
		return body["response"], r.Header.Get("X-API-Key") == p.secret
	}
	p.wantType(r, "application/x-www-form-urlencoded")
	form, err := url.ParseQuery(string(b))
	if err != nil || form.Get("remoteip") != ourVisitor || (form.Get("sitekey") != "") != (p.kind == KindHCaptcha) {
		p.t.Errorf("form %v, %v", form, err)
	}
	return form.Get("response"), form.Get("secret") == p.secret
}

func (p *peer) wantType(r *http.Request, want string) {
	if got := r.Header.Get("Content-Type"); got != want {
		p.t.Errorf("Content-Type %q, want %q", got, want)
	}
}

func (p *peer) unmarshal(b []byte, v any) {
	if err := json.Unmarshal(b, v); err != nil {
		p.t.Errorf("body %q: %v", b, err)
	}
}

// code is the word of a kind of provider for a reason.
func (p *peer) code(reason string) string {
	words := map[string][3]string{ // siteverify, Enterprise, Friendly Captcha
		"secret":  {"invalid-input-secret", "secret", "auth_invalid"},
		"unknown": {"invalid-input-response", "MALFORMED", "response_invalid"},
		"spent":   {"timeout-or-duplicate", "DUPE", "response_duplicate"},
	}[reason]
	switch p.kind {
	case KindRecaptchaEnterprise:
		return words[1]
	case KindFriendly:
		return words[2]
	}
	return words[0]
}

func (p *peer) write(w http.ResponseWriter, s says) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	stamp := s.made.Format(time.RFC3339)
	var out any
	switch {
	case p.kind == KindRecaptchaEnterprise && s.code == "secret":
		w.WriteHeader(http.StatusBadRequest)
		out = map[string]any{"error": map[string]any{"code": 400, "message": "API key not valid. Please pass a valid API key.", "status": "INVALID_ARGUMENT"}}
	case p.kind == KindRecaptchaEnterprise && s.code != "":
		out = map[string]any{"tokenProperties": map[string]any{"valid": false, "invalidReason": s.code}, "event": map[string]any{}}
	case p.kind == KindRecaptchaEnterprise:
		out = map[string]any{
			"name":            "projects/1/assessments/2",
			"tokenProperties": map[string]any{"valid": true, "invalidReason": "INVALID_REASON_UNSPECIFIED", "hostname": s.host, "action": s.action, "createTime": s.made.Format(time.RFC3339Nano)},
			"riskAnalysis":    map[string]any{"score": s.score, "reasons": []string{}},
		}
	case p.kind == KindFriendly && s.code != "":
		switch {
		case strings.HasPrefix(s.code, "auth_"):
			w.WriteHeader(http.StatusUnauthorized)
		case s.code == "bad_request", s.code == "sitekey_invalid", s.code == "response_missing":
			w.WriteHeader(http.StatusBadRequest)
		}
		out = map[string]any{"success": false, "error": map[string]string{"error_code": s.code, "detail": "the API key " + p.secret}}
	case p.kind == KindFriendly:
		from := ""
		if s.host != "" {
			from = "https://" + s.host
		}
		out = map[string]any{"success": true, "data": map[string]any{"event_id": "ev_1", "challenge": map[string]string{"timestamp": stamp, "origin": from}}}
	case s.code != "":
		out = map[string]any{"success": false, "error-codes": strings.Split(s.code, ",")}
	default:
		answer := map[string]any{"success": true, "challenge_ts": stamp, "hostname": s.host}
		switch p.kind {
		case KindRecaptchaV3:
			answer["action"] = s.action
			if !s.noScore {
				answer["score"] = s.score
			}
		case KindTurnstile:
			answer["action"], answer["cdata"], answer["error-codes"] = s.action, "", []string{}
		case KindHCaptcha:
			answer["credit"] = false
		}
		out = answer
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		p.t.Error(err)
	}
}

// open returns a gate and drops its connections in the end.
func open(t *testing.T, c Config, o Options) *Gate {
	t.Helper()
	if o.Now == nil {
		o.Now = func() time.Time { return noon }
	}
	g, err := New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

func check(token string) Check { return Check{Token: token, IP: ourVisitor, UserAgent: ourAgent} }

// gateTo is a gate that asks a peer, with changes to its configuration.
func gateTo(t *testing.T, p *peer, change func(*Config)) *Gate {
	t.Helper()
	c := testConfig(p.kind, p.URL)
	if change != nil {
		change(&c)
	}
	return open(t, c, Options{})
}

func describe(d Decision) string { return fmt.Sprintf("%s/%s (%s)", d.Action, d.Outcome, d.Why) }
