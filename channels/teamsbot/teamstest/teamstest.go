// Package teamstest plays, on this machine, what a bot of Teams has around it: an identity
// provider that publishes keys and signs tokens, the Bot Connector service that takes what the bot
// says, and a proxy that signs what the Microsoft 365 Agents Playground sends without a token. The
// bot that is tested so checks every token, as it does anywhere.
package teamstest

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// What the bot of the tests is, and where it lives.
const (
	AppID  = "00000000-0000-4000-8000-00000000b071"
	Secret = "s3cret-of-the-bot~x"
	Tenant = "aaaaaaaa-0000-4000-8000-000000000001"
	// Issuer is who signs for the service.
	Issuer = "https://api.botframework.com"
)

// IdP is an identity provider: OpenID metadata, keys with endorsements, and a token endpoint.
type IdP struct {
	*httptest.Server

	mu      sync.Mutex
	keys    []*Key
	down    bool
	status  int           // of the token endpoint; 0 for 200
	hold    chan struct{} // the token endpoint waits for it
	fetched map[string]int
	given   int
}

// Key is a key of the provider.
type Key struct {
	ID           string
	Endorsements []string
	private      *rsa.PrivateKey
}

// made are keys that were made before: to make one takes long.
var made struct {
	sync.Mutex
	keys []*rsa.PrivateKey
}

// NewKey makes a key. The n-th has the same numbers for all tests of a process.
func NewKey(t testing.TB, n int, id string, endorsements ...string) *Key {
	t.Helper()
	return &Key{ID: id, Endorsements: endorsements, private: private(t, n)}
}

func private(t testing.TB, n int) *rsa.PrivateKey {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	for len(made.keys) <= n {
		k, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		made.keys = append(made.keys, k)
	}
	return made.keys[n]
}

// NewIdP starts a provider with one key, "one", that signs for msteams.
func NewIdP(t testing.TB) *IdP {
	t.Helper()
	p := &IdP{keys: []*Key{NewKey(t, 0, "one", "msteams")}, fetched: make(map[string]int)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metadata", p.serve("metadata", func() any {
		return map[string]any{
			"issuer": Issuer, "jwks_uri": p.URL + "/keys", "authorization_endpoint": "https://invalid.botframework.com",
			"id_token_signing_alg_values_supported": []string{"RS256"}, "token_endpoint_auth_methods_supported": []string{"private_key_jwt"},
		}
	}))
	mux.HandleFunc("GET /keys", p.serve("keys", p.set))
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", p.token)
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// Metadata is the address of the OpenID metadata, Login that of the token endpoint.
func (p *IdP) Metadata() string { return p.URL + "/metadata" }

// Login is the address of the token endpoint, with {tenant} in it.
func (p *IdP) Login() string { return p.URL + "/{tenant}/oauth2/v2.0/token" }

func (p *IdP) serve(name string, answer func() any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.fetched[name]++
		if p.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer())
	}
}

func (p *IdP) set() any {
	var all []map[string]any
	for _, k := range p.keys {
		entry := map[string]any{
			"kty": "RSA", "use": "sig", "kid": k.ID, "x5t": k.ID,
			"n": base64.RawURLEncoding.EncodeToString(k.private.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(k.private.E)).Bytes()),
		}
		if k.Endorsements != nil {
			entry["endorsements"] = k.Endorsements
		}
		all = append(all, entry)
	}
	return map[string]any{"keys": all}
}

func (p *IdP) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.fetched["token"]++
	status, hold := p.status, p.hold
	p.given++
	n := p.given
	p.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-r.Context().Done():
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	id, secret, basic := r.BasicAuth()
	if !basic {
		id, secret = r.FormValue("client_id"), r.FormValue("client_secret")
	}
	good := id == AppID && strings.ReplaceAll(secret, "%7E", "~") == Secret && r.FormValue("grant_type") == "client_credentials" &&
		r.FormValue("scope") == "https://api.botframework.com/.default" && r.PathValue("tenant") == Tenant
	if status != 0 || !good {
		w.WriteHeader(max(status, http.StatusUnauthorized))
		fmt.Fprint(w, `{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}`)
		return
	}
	fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3600,"access_token":"bot-token-%d"}`, n)
}

// Rotate replaces the published keys.
func (p *IdP) Rotate(keys ...*Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = keys
}

// Down makes metadata and keys answer 503.
func (p *IdP) Down(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// RefuseTokens makes the token endpoint answer with a status; 0 ends it.
func (p *IdP) RefuseTokens(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

// HoldTokens makes the token endpoint silent until the returned function is called.
func (p *IdP) HoldTokens() (release func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	hold := make(chan struct{})
	p.hold = hold
	return sync.OnceFunc(func() {
		p.mu.Lock()
		p.hold = nil
		p.mu.Unlock()
		close(hold)
	})
}

// Fetched is how often "metadata", "keys" or "token" was asked for.
func (p *IdP) Fetched(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fetched[what]
}

// Key returns the first of the published keys.
func (p *IdP) Key() *Key {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keys[0]
}

// Claims are those of a good token for an activity of a service.
func Claims(serviceURL string, now time.Time) jwt.MapClaims {
	return jwt.MapClaims{
		"iss": Issuer, "aud": AppID, "serviceurl": serviceURL,
		"nbf": now.Add(-time.Minute).Unix(), "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// Sign makes a token, by RS256.
func (k *Key) Sign(c jwt.MapClaims) string { return k.SignBy(jwt.SigningMethodRS256, c) }

// SignBy makes a token by another method of RSA, by HS256 with the public key as secret, or by none.
func (k *Key) SignBy(m jwt.SigningMethod, c jwt.MapClaims) string {
	t := jwt.NewWithClaims(m, c)
	t.Header["kid"] = k.ID
	var with any = k.private
	switch m.Alg() {
	case "none":
		with = jwt.UnsafeAllowNoneSignatureType
	case "HS256":
		with = k.private.N.Bytes()
	}
	s, err := t.SignedString(with)
	if err != nil {
		panic(err) // a test that asks for what there is not
	}
	return s
}
