package mailserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Identity is a provider of access tokens: an endpoint that gives them, and one at which a
// mail server asks whose they are.
type Identity struct {
	// Endpoint is where tokens are asked for.
	Endpoint string

	server  *httptest.Server
	user    string
	mu      sync.Mutex
	good    map[string]bool
	refused bool
	forms   []url.Values
	dir     string
}

// StartIdentity starts a provider, until the test ends, whose tokens are those of one user.
func StartIdentity(t *testing.T, user string) *Identity {
	t.Helper()
	i := &Identity{user: user, good: make(map[string]bool)}
	mux := http.NewServeMux()
	mux.HandleFunc("/token", i.give)
	mux.HandleFunc("/introspect", i.introspect)
	i.server = httptest.NewServer(mux)
	t.Cleanup(func() { i.server.Close(); http.DefaultTransport.(*http.Transport).CloseIdleConnections() })
	i.Endpoint = i.server.URL + "/token"
	var err error
	if i.dir, err = os.MkdirTemp("", "leadgate-identity-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(i.dir) })
	if err := os.Chmod(i.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return i
}

// Dovecot returns lines of configuration with which a Dovecot takes the provider's tokens,
// by the mechanisms named.
func (i *Identity) Dovecot(t *testing.T, mechanisms string) string {
	t.Helper()
	file := filepath.Join(i.dir, "oauth2.conf.ext")
	text := "introspection_mode = auth\nintrospection_url = " + i.server.URL + "/introspect\n" +
		"username_attribute = email\nactive_attribute = active\nactive_value = true\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("auth_failure_delay = 0 secs\nauth_mechanisms = plain login %s\npassdb {\n  driver = oauth2\n  mechanisms = %s\n  args = %s\n}\n", mechanisms, mechanisms, file)
}

// Revoke makes every token bad that was given so far.
func (i *Identity) Revoke() {
	i.mu.Lock()
	defer i.mu.Unlock()
	clear(i.good)
}

// Refuse says whether requests for tokens are refused from now on.
func (i *Identity) Refuse(refused bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refused = refused
}

// Requests returns the forms with which tokens were asked for.
func (i *Identity) Requests() []url.Values {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]url.Values(nil), i.forms...)
}

func (i *Identity) give(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.forms = append(i.forms, r.PostForm)
	w.Header().Set("Content-Type", "application/json")
	if i.refused {
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error":"invalid_grant","error_description":"consent was withdrawn"}`))
		return
	}
	access := fmt.Sprintf("access-token-%d", len(i.forms))
	i.good[access] = true
	json.NewEncoder(w).Encode(map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 3600})
}

func (i *Identity) introspect(w http.ResponseWriter, r *http.Request) {
	access := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	w.Header().Set("Content-Type", "application/json")
	if !i.Good(access) {
		w.WriteHeader(http.StatusUnauthorized)
		w.Write([]byte(`{"active":"false"}`))
		return
	}
	json.NewEncoder(w).Encode(map[string]string{"active": "true", "email": i.user})
}

// Good reports whether a token is one that servers accept.
func (i *Identity) Good(access string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.good[access]
}
