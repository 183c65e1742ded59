package teamstest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Service plays the Bot Connector service: it takes what the bot sends, and knows people.
type Service struct {
	*httptest.Server

	mu      sync.Mutex
	changed chan struct{}
	sent    []Sent
	people  map[string]map[string]string // by id of the user
	fail    []failure
	n       int
	silent  chan struct{} // closed by the first call that gets no answer; nil while calls get one
}

// Sent is something that the bot has sent.
type Sent struct {
	Method       string
	Conversation string
	ID           string // of the activity: a new one for a POST
	Token        string
	Body         []byte
}

// Card is the Adaptive Card of what was sent, nil without one.
func (s Sent) Card() json.RawMessage {
	var a struct {
		Attachments []struct {
			Content json.RawMessage `json:"content"`
		} `json:"attachments"`
	}
	if json.Unmarshal(s.Body, &a) != nil || len(a.Attachments) == 0 {
		return nil
	}
	return a.Attachments[0].Content
}

// Text is the text of what was sent.
func (s Sent) Text() string {
	var a struct{ Text string }
	_ = json.Unmarshal(s.Body, &a) // as JSON of ours
	return a.Text
}

type failure struct {
	status int
	header http.Header
	code   string
}

// NewService starts a service.
func NewService(t testing.TB) *Service {
	t.Helper()
	s := &Service{changed: make(chan struct{}), people: make(map[string]map[string]string)}
	mux := http.NewServeMux()
	mux.HandleFunc("/v3/conversations/{conversation}/activities", s.take)
	mux.HandleFunc("/v3/conversations/{conversation}/activities/{id}", s.take)
	mux.HandleFunc("GET /v3/conversations/{conversation}/members/{user}", s.member)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// Person has the service know somebody: email, userPrincipalName, tenantId, aadObjectId, name.
func (s *Service) Person(id string, about map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.people[id] = about
}

// Fail makes the next call fail with a status and a code, and with headers as name, value.
func (s *Service) Fail(status int, code string, header ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := make(http.Header)
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	s.fail = append(s.fail, failure{status, h, code})
}

// Silence has the service answer no call any more. The channel is closed once there was one.
func (s *Service) Silence() (called <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = make(chan struct{})
	return s.silent
}

// answers is false, once the caller has gone, for a call that gets no answer.
func (s *Service) answers(r *http.Request) bool {
	s.mu.Lock()
	silent := s.silent
	if silent != nil {
		select {
		case <-silent:
		default:
			close(silent)
		}
	}
	s.mu.Unlock()
	if silent != nil {
		<-r.Context().Done()
	}
	return silent == nil
}

// Sent returns all that was sent, oldest first.
func (s *Service) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sent)
}

// Wait blocks until the last that was sent is the one that is meant.
func (s *Service) Wait(t testing.TB, meant func(Sent) bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		there, changed := len(s.sent) > 0 && meant(s.sent[len(s.sent)-1]), s.changed
		s.mu.Unlock()
		if there {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatal("what is waited for is never sent")
		}
	}
}

// failed answers for a failure that was ordered; s.mu is held.
func (s *Service) failed(w http.ResponseWriter) bool {
	if len(s.fail) == 0 {
		return false
	}
	f := s.fail[0]
	s.fail = s.fail[1:]
	for name, v := range f.header {
		w.Header()[name] = v
	}
	w.WriteHeader(f.status)
	fmt.Fprintf(w, `{"error":{"code":%q,"message":"as ordered"}}`, f.code)
	return true
}

func (s *Service) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !s.answers(r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed(w) {
		return
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := r.PathValue("id")
	if r.Method == http.MethodPost {
		s.n++
		id = fmt.Sprintf("1:activity-%d", s.n)
	}
	s.sent = append(s.sent, Sent{r.Method, r.PathValue("conversation"), id, token, body})
	close(s.changed)
	s.changed = make(chan struct{})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":%q}`, id)
}

func (s *Service) member(w http.ResponseWriter, r *http.Request) {
	if !s.answers(r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed(w) {
		return
	}
	about, ok := s.people[r.PathValue("user")]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"error":{"code":"MemberNotFoundInConversation"}}`)
		return
	}
	_ = json.NewEncoder(w).Encode(about)
}
