package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels/channeltest/mailserver"
	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/intake"
	"leadgate/intake/crm/crmtest/trytond"
	"leadgate/intake/crm/salesforce/salesforcetest"
)

// remoteSide is a CRM as it is behind its connector.
type remoteSide struct {
	http.Handler
	// writes reports whether a request writes.
	writes func(r *http.Request, body []byte) bool
	// config is the section of the CRM, at a url.
	config func(url string) string
	// count returns how many companies, contacts, deals there are, and the keys of the notes of a case.
	count func(t *testing.T, number string) (n [3]int, notes []string)
}

// failpoint stands before a remote side. It kills the gateway after one of the requests that write
// was done, before the answer is there.
type failpoint struct {
	remoteSide
	mu   sync.Mutex
	left int // writes until then; 0 for never
	kill func()
}

func (f *failpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	now := false
	if f.left > 0 && f.writes(r, body) {
		f.left--
		now = f.left == 0
	}
	f.mu.Unlock()
	if !now {
		f.Handler.ServeHTTP(w, r)
		return
	}
	f.Handler.ServeHTTP(httptest.NewRecorder(), r)
	f.kill()
	panic(http.ErrAbortHandler)
}

// set has the gateway killed at the n-th write from now on, and reports whether that of before is
// still to come.
func (f *failpoint) set(n int) (pending bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	pending = f.left > 0
	f.left = n
	return pending
}

// TestAGatewayKilledBetweenAnyTwoWritesLeavesOneOfEachInTheCRM, as TestAGatewayThatIsKilledAtAnyWriteToHubSpotLeavesOneOfEach
// does for HubSpot with its late searches. It registers one company after the other.
// At the n-th the gateway is killed after the n-th write to the CRM, and started again, until a
// registration has no n-th write.
func TestAGatewayKilledBetweenAnyTwoWritesLeavesOneOfEachInTheCRM(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the gateway many times; make test runs it")
	}
	for name, side := range map[string]struct {
		start func(t *testing.T) remoteSide
		least int // writes of a registration
	}{
		"Tryton":     {trytonSide, 4},
		"Salesforce": {salesforceSide, 2},
	} {
		t.Run(name, func(t *testing.T) {
			n := killAtEachWrite(t, side.start(t))
			if n < side.least {
				t.Errorf("the gateway was killed at %d writes: the test proves little", n)
			}
			t.Logf("killed after each of %d writes", n)
		})
	}
}

func killAtEachWrite(t *testing.T, side remoteSide) (kills int) {
	t.Helper()
	point := &failpoint{remoteSide: side}
	front := httptest.NewServer(point)
	defer front.Close()
	dir, smtp := t.TempDir(), mailserver.Loopback(mailserver.FreePort(t))
	config := writeFile(t, filepath.Join(dir, "leadgate.yaml"), fmt.Sprintf(`
program: Vendor
data: state
admin: {listen: "127.0.0.1:0"}
policy: {mode: auto, required: short, timezone: Europe/Brussels, contact: {name: Mia Lund, email: mia@vendor.example}}
mailboxes:
  - {name: partners, address: %s, outbox: outbox, direct: {listen: "%s"}, sender_proof: {mode: trusted-networks, trusted_networks: [127.0.0.0/8]}}
crm:
%s`, partnersAddress, smtp, side.config(front.URL)))
	partners := writeFile(t, filepath.Join(dir, "partners.csv"), "id,name,domains\nbrightpath,Brightpath,brightpath.example\n")
	if out, stderr, err := leadgate(t, "partners", "import", partners, "--config", config); err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr)
	}
	var cmd *exec.Cmd
	var gone chan struct{}
	log := new(output)
	serve := func() *admin.Client {
		t.Helper()
		p, done := exec.Command(binaryPath(t), "serve", "--config", config), make(chan struct{})
		p.Stderr = log
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { _ = p.Wait(); close(done) }()
		point.kill = func() { _ = p.Process.Kill(); <-done }
		cmd, gone = p, done
		var c *admin.Client
		eventually(t, 20*time.Second, "the gateway runs", func() (up bool) {
			var err error
			c, err = admin.Dial(filepath.Join(dir, "state", app.SocketFile))
			return err == nil
		})
		return c
	}
	client := serve()
	defer func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-gone
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", log)
		}
	}()
	for n := 1; ; n++ {
		before, _ := side.count(t, "")
		domain := fmt.Sprintf("prospect-%d.example", n)
		point.set(n)
		sent := deliverTo(smtp, "ana@brightpath.example", partnersAddress, registration("ana@brightpath.example", domain))
		killed := false
		select {
		case <-gone:
			killed = true
			client = serve()
		default:
			if sent != nil {
				t.Fatal(sent)
			}
		}
		var number string
		eventually(t, time.Minute, domain+" is pushed", func() bool {
			select {
			case <-gone:
				killed = true
				client = serve()
			default:
			}
			number = pushedCase(t, client, domain)
			return number != ""
		})
		if pending := point.set(0); pending == killed {
			t.Fatalf("killed %t, and the %d-th write is to come: %t", killed, n, pending)
		}
		after, notes := side.count(t, number)
		if want := [3]int{before[0] + 1, before[1] + 1, before[2] + 1}; after != want {
			t.Errorf("killed after write %d: companies, contacts, deals %v, want %v", n, after, want)
		}
		seen := make(map[string]bool)
		for _, note := range notes {
			if seen[note] {
				t.Errorf("killed after write %d: the note %s is there twice", n, note)
			}
			seen[note] = true
		}
		if len(notes) == 0 {
			t.Errorf("killed after write %d: there is no note", n)
		}
		if !killed {
			return n - 1
		}
	}
}

// pushedCase is the number of the case of a domain, "" while something of it is to be pushed. The
// gateway may be killed meanwhile.
func pushedCase(t *testing.T, c *admin.Client, domain string) string {
	t.Helper()
	cases, err := c.Cases(t.Context(), intake.CaseQuery{})
	if err != nil {
		return ""
	}
	for _, s := range cases {
		if s.CompanyDomain != domain || s.Status == intake.StatusSubmitted {
			continue
		}
		d, err := c.Case(t.Context(), s.CaseNumber)
		if err != nil || len(d.Registration.CRM) == 0 {
			return ""
		}
		for _, task := range d.Tasks {
			if task.Parked {
				t.Fatalf("%s: %s", task.Key, task.Cause)
			}
			if task.Lane != intake.LaneTimer {
				return ""
			}
		}
		return s.CaseNumber
	}
	return ""
}

func trytonSide(t *testing.T) remoteSide {
	erp := trytond.Start(t)
	to, err := url.Parse(erp.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	call := func(t *testing.T, out any, method string, params ...any) {
		t.Helper()
		if err := erp.Call(out, method, params...); err != nil {
			t.Fatal(err)
		}
	}
	return remoteSide{
		Handler: proxy,
		writes: func(_ *http.Request, body []byte) bool {
			var call struct{ Method string }
			_ = json.Unmarshal(body, &call)
			return strings.HasSuffix(call.Method, ".create") || strings.HasSuffix(call.Method, ".write") || strings.HasSuffix(call.Method, ".delete")
		},
		config: func(url string) string {
			return fmt.Sprintf("  tryton: [{name: tryton, url: %q, database: %s, user: %s, password: %q, allow_private: true}]\n", url, trytond.Database, trytond.User, trytond.Password)
		},
		count: func(t *testing.T, number string) (n [3]int, notes []string) {
			call(t, &n[0], "party.party.search_count", []any{})
			call(t, &n[1], "party.contact_mechanism.search_count", []any{[]any{"type", "=", "email"}})
			call(t, &n[2], "sale.opportunity.search_count", []any{})
			var all []struct{ Message string }
			call(t, &all, "ir.note.search_read", []any{[]any{"message", "like", "[" + number + " %"}}, 0, 100, nil, []string{"message"})
			for _, m := range all { // the sheet is one of them
				mark, _, _ := strings.Cut(m.Message, "]")
				notes = append(notes, mark)
			}
			return n, notes
		},
	}
}

func salesforceSide(t *testing.T) remoteSide {
	org, err := salesforcetest.New(os.DirFS("../../examples/salesforce"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return remoteSide{
		Handler: org,
		writes: func(_ *http.Request, body []byte) bool {
			var call struct {
				Steps []struct{ Method string } `json:"compositeRequest"`
			}
			if json.Unmarshal(body, &call) != nil {
				return false // a session is asked for, or something is read
			}
			for _, s := range call.Steps {
				if s.Method != http.MethodGet {
					return true
				}
			}
			return call.Steps == nil
		},
		config: func(url string) string {
			return fmt.Sprintf("  salesforce: [{name: salesforce, login_url: %q, client_id: %q, client_secret: %q, allow_private: true, currency: EUR}]\n", url, org.ClientID, org.Secret)
		},
		count: func(_ *testing.T, number string) (n [3]int, notes []string) {
			n = [3]int{len(org.All("Account")), len(org.All("Contact")), len(org.All("Opportunity"))}
			for _, e := range org.All("Partner_Registration_Event__c") {
				if key := fmt.Sprint(e["Event_Key__c"]); strings.HasPrefix(key, number+"#") {
					notes = append(notes, key)
				}
			}
			return n, notes
		},
	}
}
