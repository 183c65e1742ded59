package crmtest

import (
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"leadgate/intake"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// harness returns systems of the small CRM and its connector with the given flaws.
func harness(flaws ...flaw) Harness {
	return Harness{
		Stages:    []string{"new", "offer"},
		New:       func(r Reporter) System { return build(r, time.Minute, flaws) },
		Impatient: func(r Reporter) System { return build(r, 50*time.Millisecond, flaws) },
	}
}

func build(r Reporter, timeout time.Duration, flaws []flaw) System {
	m := newRemote()
	s := NewServer(r, m.handler())
	transport := &http.Transport{}
	r.Cleanup(transport.CloseIdleConnections)
	again := func() intake.CRM { return newClient(s.URL, transport, timeout, flaws) }
	return System{
		CRM: again(), Again: again, Server: s, Secrets: []string{token}, Records: m.all, Notes: m.count,
		People: people{m}, Writes: m.written, Refuse: m.refuse,
	}
}

func newClient(base string, transport http.RoundTripper, timeout time.Duration, flaws []flaw) *client {
	c := &client{
		base: base, flaws: make(map[flaw]bool), pushed: make(map[string]bool),
		http: &http.Client{Transport: transport, Timeout: timeout},
	}
	for _, f := range flaws {
		c.flaws[f] = true
	}
	if c.flaws[waitsForever] {
		c.http.Timeout = 0
	}
	if !c.flaws[followsRedir] {
		c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c
}

func TestAnHonestConnectorPasses(t *testing.T) { Run(t, harness()) }

// TestTheSuiteHasTeeth holds the suite to reporting every flaw, and every check to
// reporting at least one.
func TestTheSuiteHasTeeth(t *testing.T) {
	barking := make(map[string]bool)
	var mu sync.Mutex
	t.Run("flaws", func(t *testing.T) {
		for _, f := range allFlaws() {
			t.Run(string(f), func(t *testing.T) {
				t.Parallel()
				h := harness(f)
				h.patience = time.Second
				found := reports(h)
				if len(found) == 0 {
					t.Errorf("no check reported a connector that %s", f)
				}
				t.Logf("reported by: %s", strings.Join(found, "; "))
				mu.Lock()
				defer mu.Unlock()
				for _, name := range found {
					barking[name] = true
				}
			})
		}
	})
	for _, c := range checks() {
		if !barking[c.name] {
			t.Errorf("no broken connector is reported by %q", c.name)
		}
	}
}

// reports returns the names of the checks that found something wrong.
func reports(h Harness) []string {
	var found []string
	for _, c := range checks() {
		r := &recorder{}
		r.check(c, h)
		if len(r.errors) > 0 {
			found = append(found, c.name)
		}
	}
	return found
}

// recorder is a Reporter that remembers.
type recorder struct {
	mu      sync.Mutex
	errors  []string
	cleanup []func()
}

// check runs c to its end, in a goroutine of its own so that Fatalf can end it.
func (r *recorder) check(c check, h Harness) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.run(r, h)
	}()
	<-done
	for _, f := range slices.Backward(r.cleanup) {
		f()
	}
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }

func TestTheScriptIsFollowedInOrder(t *testing.T) {
	m := newRemote()
	s := NewServer(t, m.handler())
	s.Script("", Answer500, Answer429Later)
	var codes []int
	for range 4 {
		resp, err := http.Post(s.URL+"/records/A", "application/json", strings.NewReader(`{"Case":"A"}`))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		codes = append(codes, resp.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
	if want := []int{200, 500, 429, 200}; !slices.Equal(codes, want) {
		t.Errorf("answers %v, want %v", codes, want)
	}
	if n := len(s.Requests()); n != 4 {
		t.Errorf("%d requests recorded, want 4", n)
	}
}

func TestFaultsCommitOrNotAsTheyAreNamed(t *testing.T) {
	for _, f := range Faults() {
		t.Run(string(f), func(t *testing.T) {
			m := newRemote()
			s := NewServer(t, m.handler())
			s.Script(f)
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			c := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			if f == CommitThenHang {
				c.Timeout = 50 * time.Millisecond
			}
			resp, err := c.Post(s.URL+"/records/A", "application/json", strings.NewReader(`{"Case":"A"}`))
			if err == nil {
				_ = resp.Body.Close()
			}
			if silent := statuses[f] == 0; silent != (err != nil) {
				t.Errorf("error %v", err)
			}
			have, _ := m.all()
			if committed := len(have) == 1; committed != strings.HasPrefix(string(f), "commit") {
				t.Errorf("the work was done: %t", committed)
			}
		})
	}
}
