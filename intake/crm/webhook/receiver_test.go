package webhook

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"leadgate/intake"
	"leadgate/intake/crm/crmtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// receiver does what doc.go asks of receivers, and checks signatures with the published
// library.
type receiver struct {
	verifier *standardwebhooks.Webhook
	answer   string

	mu      sync.Mutex
	seen    map[string]bool
	types   []string
	records map[string]registration
	notes   map[string]int
	refused []string
}

func newReceiver(t crmtest.Reporter) *receiver {
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return &receiver{verifier: verifier, seen: make(map[string]bool), records: make(map[string]registration), notes: make(map[string]int)}
}

func (v *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.verifier.Verify(b, r.Header); err != nil {
		v.refused = append(v.refused, err.Error())
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if id := r.Header.Get("webhook-id"); !v.seen[id] {
		v.seen[id] = true
		v.take(b)
	}
	_, _ = io.WriteString(w, v.answer)
}

func (v *receiver) take(b []byte) {
	var message struct {
		Type      string          `json:"type"`
		Timestamp time.Time       `json:"timestamp"`
		Data      json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(b, &message); err != nil {
		v.refused = append(v.refused, err.Error())
		return
	}
	v.types = append(v.types, message.Type)
	if message.Type == typeNote {
		var n note
		_ = json.Unmarshal(message.Data, &n)
		v.notes[n.Case]++
		return
	}
	var d registration
	_ = json.Unmarshal(message.Data, &d)
	if d.Revision >= v.records[d.Case].Revision {
		v.records[d.Case] = d
	}
}

func (v *receiver) stored() ([]crmtest.Stored, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var have []crmtest.Stored
	for _, d := range v.records {
		have = append(have, crmtest.Stored{Case: d.Case, Revision: d.Revision, Status: d.Status, Lead: d.Lead})
	}
	return have, nil
}

func (v *receiver) count(caseNumber string) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.notes[caseNumber], nil
}

// connect returns a connector to url, with the clock of the machine, as the published
// library checks by it.
func connect(t crmtest.Reporter, url string, change ...func(*Config)) *Webhook {
	c := Config{Name: "hook", URL: url, Secret: secret, Timeout: time.Minute, AllowPrivate: true}
	for _, f := range change {
		f(&c)
	}
	w, err := New(c)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func system(t crmtest.Reporter) (*Webhook, *receiver, *crmtest.Server) {
	v := newReceiver(t)
	s := crmtest.NewServer(t, v)
	return connect(t, s.URL+"/in/path-that-is-secret?key=query-that-is-secret"), v, s
}

func TestConformance(t *testing.T) {
	build := func(r crmtest.Reporter, timeout time.Duration) crmtest.System {
		w, v, s := system(r)
		w.timeout = timeout
		return crmtest.System{
			CRM: w, Server: s, Records: v.stored, Notes: v.count,
			Secrets: []string{secret, strings.TrimPrefix(secret, "whsec_"), "path-that-is-secret", "query-that-is-secret"},
		}
	}
	crmtest.Run(t, crmtest.Harness{
		New:       func(r crmtest.Reporter) crmtest.System { return build(r, time.Minute) },
		Impatient: func(r crmtest.Reporter) crmtest.System { return build(r, 50*time.Millisecond) },
	})
}

func TestTheReceiverRefusesAWrongSecret(t *testing.T) {
	v := newReceiver(t)
	s := crmtest.NewServer(t, v)
	w := connect(t, s.URL, func(c *Config) { c.Secret = "whsec_" + strings.Repeat("QUFB", 8) })
	_, err := w.Push(t.Context(), crmtest.Sample(1, 1))
	if !intake.IsUnauthorized(err) || !strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
}
