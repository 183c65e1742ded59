package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testSecret  = "client-secret-7c1"
	testRefresh = "refresh-token-9b2"
)

// endpointServer is a token endpoint. answer says what it gives; asked are the forms.
type endpointServer struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []url.Values
	answer func(w http.ResponseWriter, n int)
}

func newEndpointServer(t *testing.T, answer func(w http.ResponseWriter, n int)) *endpointServer {
	t.Helper()
	s := &endpointServer{answer: answer}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		if id, secret, ok := r.BasicAuth(); ok {
			r.PostForm.Set("client_id", id)
			r.PostForm.Set("client_secret", secret)
		}
		s.mu.Lock()
		s.asked = append(s.asked, r.PostForm)
		n := len(s.asked)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		s.answer(w, n)
	}))
	t.Cleanup(func() { s.Close(); http.DefaultTransport.(*http.Transport).CloseIdleConnections() })
	return s
}

func (s *endpointServer) forms() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]url.Values(nil), s.asked...)
}

func give(w http.ResponseWriter, access string, seconds int, more ...string) {
	out := map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": seconds}
	for i := 0; i+1 < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	json.NewEncoder(w).Encode(out)
}

func numbered(n int) string { return "token-" + string(rune('0'+n)) }

func TestATokenIsKeptUntilMostOfItsLifeIsOver(t *testing.T) {
	s := newEndpointServer(t, func(w http.ResponseWriter, n int) { give(w, numbered(n), 3600) })
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	source := New(Config{TokenURL: s.URL, ClientID: "us", ClientSecret: testSecret, RefreshToken: testRefresh}, Options{Now: func() time.Time { return now }})
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "token-1"}, {47 * time.Minute, "token-1"}, {2 * time.Minute, "token-2"}, {time.Minute, "token-2"}} {
		now = now.Add(step.after)
		if got, err := source.Token(t.Context()); err != nil || got != step.want {
			t.Errorf("at %v: %q, %v, want %q", now, got, err, step.want)
		}
	}
	form := s.forms()[0]
	if form.Get("grant_type") != "refresh_token" || form.Get("refresh_token") != testRefresh || form.Get("client_secret") != testSecret {
		t.Errorf("asked with %v", form)
	}
}

func TestATokenThatAServerRefusedIsReplacedAtOnce(t *testing.T) {
	s := newEndpointServer(t, func(w http.ResponseWriter, n int) { give(w, numbered(n), 3600) })
	source := New(Config{TokenURL: s.URL, ClientID: "us", ClientSecret: testSecret, Scopes: []string{"a", "b"}}, Options{})
	first, err := source.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	source.Reject("an older one")
	if again, _ := source.Token(t.Context()); again != first {
		t.Error("a token was thrown away because another one was refused")
	}
	source.Reject(first)
	if second, err := source.Token(t.Context()); err != nil || second == first {
		t.Errorf("got %q, %v after %q was refused", second, err, first)
	}
	if form := s.forms()[0]; form.Get("grant_type") != "client_credentials" || form.Get("scope") != "a b" {
		t.Errorf("asked with %v", form)
	}
}

func TestAnEndpointThatFailsLeavesTheOldTokenInUseUntilItsEnd(t *testing.T) {
	s := newEndpointServer(t, func(w http.ResponseWriter, n int) {
		if n == 1 {
			give(w, "first", 100)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	source := New(Config{TokenURL: s.URL, ClientID: "us", RefreshToken: testRefresh}, Options{Now: func() time.Time { return now }})
	for range 2 {
		if got, err := source.Token(t.Context()); err != nil || got != "first" {
			t.Errorf("%q, %v", got, err)
		}
		now = now.Add(90 * time.Second)
	}
	_, err := source.Token(t.Context())
	if err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a dead token was given out: %v", err)
	}
	if _, refused := errors.AsType[*Refused](err); refused {
		t.Error("an endpoint that is down counts as a refusal")
	}
}

func TestARefreshTokenThatIsReplacedIsUsedFromThenOn(t *testing.T) {
	s := newEndpointServer(t, func(w http.ResponseWriter, n int) { give(w, numbered(n), 1, "refresh_token", "refresh-"+numbered(n)) })
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	source := New(Config{TokenURL: s.URL, ClientID: "us", RefreshToken: testRefresh}, Options{Now: func() time.Time { return now }})
	for range 3 {
		if _, err := source.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Minute)
	}
	for i, want := range []string{testRefresh, "refresh-token-1", "refresh-token-2"} {
		if got := s.forms()[i].Get("refresh_token"); got != want {
			t.Errorf("request %d has %q, want %q", i, got, want)
		}
	}
}

// shelf is a memory that outlives sources and can fail.
type shelf struct {
	tokens map[string]string
	err    error
}

func (s *shelf) Recall(_ context.Context, granted string) (string, error) {
	return s.tokens[granted], nil
}

func (s *shelf) Keep(_ context.Context, granted, token string) error {
	if s.err == nil {
		s.tokens[granted] = token
	}
	return s.err
}

func TestARefreshTokenThatIsReplacedOutlivesTheProcess(t *testing.T) {
	s := newEndpointServer(t, func(w http.ResponseWriter, n int) {
		give(w, numbered(n), 3600, "refresh_token", "refresh-"+numbered(n))
	})
	memory := &shelf{tokens: map[string]string{}}
	ask := func(granted string) error {
		_, err := New(Config{TokenURL: s.URL, ClientID: "us", RefreshToken: granted}, Options{Memory: memory}).Token(t.Context())
		return err
	}
	for _, granted := range []string{testRefresh, testRefresh, "of a new consent", testRefresh} {
		if err := ask(granted); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []string{testRefresh, "refresh-token-1", "of a new consent", "refresh-token-2"} {
		if got := s.forms()[i].Get("refresh_token"); got != want {
			t.Errorf("request %d has %q, want %q", i, got, want)
		}
	}
}

func TestANewRefreshTokenThatCanNotBeKeptIsNotForgotten(t *testing.T) {
	s := newEndpointServer(t, func(w http.ResponseWriter, n int) {
		give(w, numbered(n), 3600, "refresh_token", "refresh-"+numbered(n))
	})
	memory := &shelf{tokens: map[string]string{}, err: errors.New("disk full")}
	source := New(Config{TokenURL: s.URL, ClientID: "us", RefreshToken: testRefresh}, Options{Memory: memory})
	for range 2 {
		if _, err := source.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "disk full") {
			t.Fatalf("got %v", err)
		}
	}
	memory.err = nil
	if _, err := source.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	forms := s.forms()
	if len(forms) != 2 || forms[1].Get("refresh_token") != "refresh-token-1" {
		t.Errorf("asked with %v", forms)
	}
}

func TestARefusalNamesItsReasonAndNoSecret(t *testing.T) {
	s := newEndpointServer(t, func(w http.ResponseWriter, _ int) {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": "the token " + testRefresh + "\r\nof " + testSecret + " is revoked"})
	})
	_, err := New(Config{TokenURL: s.URL, ClientID: "us", ClientSecret: testSecret, RefreshToken: testRefresh}, Options{}).Token(t.Context())
	refused, ok := errors.AsType[*Refused](err)
	if !ok || refused.Status != "400" || !strings.Contains(err.Error(), "invalid_grant the token *** of *** is revoked") {
		t.Errorf("error %v", err)
	}
}

func TestSecretsAreNotTakenElsewhereByARedirect(t *testing.T) {
	elsewhere := newEndpointServer(t, func(w http.ResponseWriter, _ int) { give(w, "stolen", 60) })
	s := newEndpointServer(t, func(w http.ResponseWriter, _ int) {
		w.Header().Set("Location", elsewhere.URL)
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	if got, err := New(Config{TokenURL: s.URL, ClientID: "us", RefreshToken: testRefresh}, Options{}).Token(t.Context()); err == nil {
		t.Errorf("got %q", got)
	}
	if n := len(elsewhere.forms()); n != 0 {
		t.Errorf("somebody else was asked %d times", n)
	}
}

func TestManyWhoWantATokenAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		s := New(Config{TokenCommand: Command{"unused"}}, Options{})
		s.fetch = func(ctx context.Context) (token, error) {
			asked++
			time.Sleep(time.Second)
			return live("one", time.Now(), time.Time{}), nil
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if got, err := s.Token(t.Context()); err != nil || got != "one" {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		wg.Go(func() { s.Token(impatient) })
		wg.Wait()
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestACommandPrintsTheToken(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want, problem string }{
		"a line for the shell":         {`token_command: "printf '%s\nexpires soon\n' tok-1"`, "tok-1", ""},
		"a program with arguments":     {`token_command: [printf, "\n%s \r\n", tok 2, ignored]`, "", "must be a token"},
		"arguments are not for shells": {`token_command: [printf, "%s", "$HOME"]`, "$HOME", ""},
		"a command that fails":         {`token_command: "echo secret-in-output; echo secret-in-error >&2; exit 3"`, "", "exit status 3"},
		"a command that prints none":   {`token_command: "true"`, "", "must be a token"},
		"no such command":              {`token_command: [/nowhere/at-all]`, "", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			var config Config
			if err := yaml.Unmarshal([]byte(c.yaml), &config); err != nil {
				t.Fatal(err)
			}
			if faults := config.Validate(); len(faults) > 0 {
				t.Fatal(faults)
			}
			got, err := New(config, Options{}).Token(t.Context())
			if got != c.want || (err == nil) != (c.problem == "") {
				t.Errorf("%q, %v", got, err)
			}
			if err != nil && (!strings.Contains(err.Error(), c.problem) || strings.Contains(err.Error(), "secret-in")) {
				t.Errorf("error %v, want %q", err, c.problem)
			}
		})
	}
}

func TestACommandThatHangsIsEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	started := filepath.Join(t.TempDir(), "started")
	done := make(chan error, 1)
	go func() {
		_, err := New(Config{TokenCommand: Command{"/bin/sh", "-c", "touch " + started + "; exec sleep 60"}}, Options{}).Token(ctx)
		done <- err
	}()
	for {
		if _, err := os.Stat(started); err == nil {
			break
		}
		<-time.After(5 * time.Millisecond)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestFaultsOfTheConfiguration(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"nothing":                     {Config{}, "token_url: must be set"},
		"two ways":                    {Config{TokenURL: "https://a.example/", TokenCommand: Command{"x"}}, "token_command: is given beside"},
		"an empty program":            {Config{TokenCommand: Command{""}}, "token_command: names no program"},
		"no client":                   {Config{TokenURL: "https://a.example/", RefreshToken: "r"}, "client_id: must be set"},
		"no proof":                    {Config{TokenURL: "https://a.example/", ClientID: "c"}, "refresh_token: must be set"},
		"an address in the clear":     {Config{TokenURL: "http://a.example/", ClientID: "c", ClientSecret: "s"}, "token_url: must begin with https://"},
		"a password in the address":   {Config{TokenURL: "https://u:p@a.example/", ClientID: "c", ClientSecret: "s"}, "token_url: must not hold a password"},
		"an address that is none":     {Config{TokenURL: "a.example", ClientID: "c", ClientSecret: "s"}, "token_url: must be an address"},
		"a host that looks like us":   {Config{TokenURL: "http://localhost.evil.example/", ClientID: "c", ClientSecret: "s"}, "https://"},
		"a number that looks like us": {Config{TokenURL: "http://127.0.0.1.evil.example/", ClientID: "c", ClientSecret: "s"}, "https://"},
		"a refresh token":             {Config{TokenURL: "https://a.example/", ClientID: "c", RefreshToken: "r"}, ""},
		"the client's own name":       {Config{TokenURL: "http://127.0.0.1:8/", ClientID: "c", ClientSecret: "s"}, ""},
		"a command":                   {Config{TokenCommand: Command{"x"}}, ""},
		"a public client by refresh":  {Config{TokenURL: "http://localhost:8/", ClientID: "c", RefreshToken: "r"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := errors.Join(c.config.Validate()...)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestTheMechanismFollowsWhatTheServerOffers(t *testing.T) {
	for _, c := range []struct {
		offers []string
		want   string
		first  string
	}{
		{[]string{XOAuth2, sasl.OAuthBearer}, XOAuth2, "user=u\x01auth=Bearer tok\x01\x01"},
		{[]string{XOAuth2}, XOAuth2, "user=u\x01auth=Bearer tok\x01\x01"},
		{[]string{sasl.OAuthBearer}, sasl.OAuthBearer, "n,a=u,\x01host=h\x01port=993\x01auth=Bearer tok\x01\x01"},
		{[]string{"PLAIN"}, "", ""},
	} {
		offers := func(name string) bool { return strings.Contains(strings.Join(c.offers, " "), name) }
		client, err := Mechanism(offers, "u", "tok", "h", 993)
		if c.want == "" {
			if !errors.Is(err, ErrNoMechanism) {
				t.Errorf("error %v", err)
			}
			continue
		}
		name, first, err := client.Start()
		if name != c.want || string(first) != c.first || err != nil {
			t.Errorf("%v: %s %q, %v", c.offers, name, first, err)
		}
	}
}

func TestTheServersChallengeIsItsRefusal(t *testing.T) {
	for challenge, want := range map[string]string{
		`{"status":"401","schemes":"bearer","scope":"https://mail.example/"}`: "the mail server refuses: 401 (it wants the scope https://mail.example/)",
		`{"status":400}`: "the mail server refuses: 400",
		"not JSON":       "the mail server refuses: no reason given",
		"":               "the mail server refuses: no reason given",
		`{"status":"a\r\nb` + strings.Repeat("c", 300) + `"}`: "the mail server refuses: a b" + strings.Repeat("c", 197) + "…",
	} {
		client, err := Mechanism(func(string) bool { return true }, "u", "tok", "h", 1)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Next([]byte(challenge))
		if answer != nil || err == nil || err.Error() != want {
			t.Errorf("%q: answers %q, %v", challenge, answer, err)
		}
	}
}
