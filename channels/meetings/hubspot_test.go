package meetings

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const (
	testForm  = "4b2f6c0e-5d1a-4a3e-9c1f-0a7d5be0c1d2"
	testToken = "pat-eu1-a-token-of-a-test"
)

// hubspot speaks the part of HubSpot's API that reads the submissions of a form, over HTTP on
// pipes, so that a test can run in virtual time.
type hubspot struct {
	net.Listener
	conns chan net.Conn

	mu      sync.Mutex
	newest  []map[string]any // first
	faults  []int            // statuses of the next answers
	after   string           // Retry-After of faults
	silent  bool
	asked   int
	pages   []string // the page of each request
	release chan struct{}
}

func newHubspot() *hubspot {
	return &hubspot{conns: make(chan net.Conn), release: make(chan struct{})}
}

// Accept, Close and Addr make it a listener.
func (h *hubspot) Accept() (net.Conn, error) {
	c, ok := <-h.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (h *hubspot) Close() error   { return nil }
func (h *hubspot) Addr() net.Addr { return &net.TCPAddr{} }

func (h *hubspot) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case h.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// submit adds a submission; pairs are fields and values. It returns it.
func (h *hubspot) submit(ms int64, conversion string, pairs ...string) map[string]any {
	var values []map[string]string
	for i := 0; i < len(pairs); i += 2 {
		values = append(values, map[string]string{"name": pairs[i], "value": pairs[i+1], "objectTypeId": "0-1"})
	}
	s := map[string]any{"submittedAt": ms, "values": values, "pageUrl": "https://vendor.example/discovery"}
	if conversion != "" {
		s["conversionId"] = conversion
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.newest = append([]map[string]any{s}, h.newest...)
	return s
}

func (h *hubspot) fail(after string, statuses ...int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.after, h.faults = after, append(h.faults, statuses...)
}

func (h *hubspot) requests() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked
}

func (h *hubspot) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.asked++
	h.pages = append(h.pages, r.URL.Query().Get("after"))
	silent := h.silent
	h.mu.Unlock()
	if silent {
		select {
		case <-h.release:
		case <-r.Context().Done():
		}
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	problem := func(status int, words string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"status":"error","message":%q,"correlationId":"0"}`, words)
	}
	if len(h.faults) > 0 {
		status := h.faults[0]
		h.faults = h.faults[1:]
		if h.after != "" {
			w.Header().Set("Retry-After", h.after)
		}
		if status == http.StatusOK {
			fmt.Fprint(w, "<html>maintenance</html>")
			return
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "http://elsewhere.example/")
		}
		problem(status, "as the test wants it")
		return
	}
	switch {
	case r.Method != http.MethodGet || r.URL.Path != "/form-integrations/v1/submissions/forms/"+testForm:
		problem(http.StatusNotFound, "resource not found")
		return
	case r.Header.Get("Authorization") != "Bearer "+testToken:
		problem(http.StatusUnauthorized, "Authentication credentials not found")
		return
	}
	limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || limit < 1 || limit > 50 {
		problem(http.StatusBadRequest, "limit")
		return
	}
	// A page is named by the last submission of the one before it.
	from := 0
	if after := r.URL.Query().Get("after"); after != "" {
		from = -1
		for i, s := range h.newest {
			if fmt.Sprint(s["conversionId"], "-", s["submittedAt"]) == after {
				from = i + 1
			}
		}
		if from < 0 {
			problem(http.StatusBadRequest, "after")
			return
		}
	}
	to := min(from+limit, len(h.newest))
	answer := map[string]any{"results": append([]map[string]any{}, h.newest[from:to]...)}
	if to < len(h.newest) {
		last := h.newest[to-1]
		answer["paging"] = map[string]any{"next": map[string]string{"after": fmt.Sprint(last["conversionId"], "-", last["submittedAt"]), "link": "?"}}
	}
	var b strings.Builder
	if err := json.NewEncoder(&b).Encode(answer); err != nil {
		panic(err)
	}
	fmt.Fprint(w, b.String())
}
