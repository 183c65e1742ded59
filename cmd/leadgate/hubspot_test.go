package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/intake"
	"leadgate/intake/crm/hubspot"
	"leadgate/intake/crm/hubspot/hubspottest"
)

// killer is before an account of HubSpot, and kills a process at one of the calls that write.
type killer struct {
	inner http.Handler

	mu     sync.Mutex
	calls  []string // those that write, or may
	at     int      // the one to kill at, from 1; 0 for none
	done   bool     // whether the account does what it is asked before
	victim *os.Process
	killed chan struct{}
	// then is called with the configuration and the case while the gateway runs; nil for nothing.
	then func(config, number string)
	// ready is called before the gateway runs; nil for nothing.
	ready func(config string)
}

func (k *killer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet || strings.HasSuffix(r.URL.Path, "/search") || strings.HasSuffix(r.URL.Path, "/read") {
		k.inner.ServeHTTP(w, r)
		return
	}
	k.mu.Lock()
	k.calls = append(k.calls, r.Method+" "+r.URL.Path)
	now := len(k.calls) == k.at
	victim, done := k.victim, k.done
	k.mu.Unlock()
	if !now {
		k.inner.ServeHTTP(w, r)
		return
	}
	if done {
		k.inner.ServeHTTP(httptest.NewRecorder(), r)
	}
	_ = victim.Kill()
	close(k.killed)
	panic(http.ErrAbortHandler)
}

// registered runs a gateway with an account until a mail is a case there, approved and noted. At a call
// that writes it is killed, and started again.
func (k *killer) registered(t *testing.T, account *hubspottest.Account) (calls []string) {
	t.Helper()
	k.inner, k.killed = account, make(chan struct{})
	server := httptest.NewServer(k)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	smtp := l.Addr().String()
	_ = l.Close()
	for name, text := range map[string]string{
		"token":        hubspottest.Token,
		"partners.csv": "id,name,domains\nbrightpath,Brightpath,brightpath.example\n",
		"leadgate.yaml": fmt.Sprintf(`
program: Vendor
data: state
admin: {listen: "127.0.0.1:0"}
policy: {mode: assist, required: short, timezone: Europe/Brussels, contact: {name: Mia Lund, email: mia@vendor.example}}
mailboxes:
  - {name: partners, address: partners@northwind.example, outbox: outbox, direct: {listen: "%s"}, sender_proof: {mode: none}}
crm:
  every: 1h
  ledger: false
  hubspot: [{name: hubspot, url: "%s", token_file: token, allow_private: true}]
`, smtp, server.URL),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(dir, "leadgate.yaml")
	if out, stderr, err := leadgate(t, "partners", "import", filepath.Join(dir, "partners.csv"), "--config", config); err != nil {
		t.Fatalf("import: %v\n%s%s", err, out, stderr)
	}
	if k.ready != nil {
		k.ready(config)
	}
	log := new(output)
	socket := filepath.Join(dir, "state", app.SocketFile)
	start := func() (*exec.Cmd, *admin.Client) {
		cmd := exec.Command(binaryPath(t), "serve", "--config", config)
		cmd.Stderr = log
		k.mu.Lock()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		k.victim = cmd.Process
		k.mu.Unlock()
		var c *admin.Client
		eventually(t, 20*time.Second, "the gateway runs", func() bool {
			var err error
			c, err = admin.Dial(socket)
			return err == nil
		})
		return cmd, c
	}
	cmd, c := start()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", log)
		}
	})
	var cases []admin.CaseSummary
	settle := func(want intake.Status) {
		eventually(t, 30*time.Second, "the case is "+string(want)+" and written", func() bool {
			select {
			case <-k.killed:
				_ = cmd.Wait()
				k.killed = nil
				cmd, c = start()
			default:
			}
			var quiet bool
			cases, quiet = written(c)
			return quiet && len(cases) == 1 && cases[0].Status == want
		})
	}
	eventually(t, 20*time.Second, "the mail is taken", func() bool {
		return deliver(smtp, "ana@brightpath.example", registration("ana@brightpath.example", "fabrikam.example")) == nil
	})
	settle(intake.StatusInReview)
	number := cases[0].CaseNumber
	if _, err := c.Decide(context.Background(), "approve", number, admin.Decision{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	settle(intake.StatusProvisional)
	calls = k.made()
	if n := len(calls); n < k.at {
		t.Errorf("the gateway made %d calls that write, and was to be killed at %d", n, k.at)
	}
	d, err := c.Case(context.Background(), number)
	if err != nil {
		t.Fatal(err)
	}
	k.check(t, account, d)
	if k.then != nil {
		k.then(config, number)
	}
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	return calls
}

// made are the calls so far.
func (k *killer) made() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.calls)
}

// written reports whether nothing of any case waits to be done but what has a time.
func written(c *admin.Client) (cases []admin.CaseSummary, quiet bool) {
	cases, err := c.Cases(context.Background(), intake.CaseQuery{})
	if err != nil {
		return nil, false // it is being killed
	}
	for _, s := range cases {
		d, err := c.Case(context.Background(), s.CaseNumber)
		if err != nil || slices.ContainsFunc(d.Tasks, func(t intake.Task) bool { return t.Lane != intake.LaneTimer }) {
			return nil, false
		}
	}
	return cases, true
}

var noteMark = regexp.MustCompile(`^\[\S+ #\d+\]`)

// check looks for what is there twice, or not.
func (k *killer) check(t *testing.T, account *hubspottest.Account, d intake.Dossier) {
	t.Helper()
	for _, kind := range []string{"companies", "contacts", "deals"} {
		if all := account.All(kind); len(all) != 1 {
			t.Errorf("there are %d %s", len(all), kind)
		}
	}
	for _, deal := range account.All("deals") {
		if deal.Properties["leadgate_case"] != d.Registration.Number || deal.Properties["leadgate_status"] != string(d.Registration.Status) ||
			len(account.Linked("deals", deal.ID, "companies")) != 1 || len(account.Linked("deals", deal.ID, "contacts")) != 1 {
			t.Errorf("the deal is %v", deal.Properties)
		}
		if got := d.Registration.CRM["hubspot"].ID; got != deal.ID {
			t.Errorf("the case has deal %s, there is %s", got, deal.ID)
		}
	}
	times := make(map[string]int)
	for _, n := range append(account.All("notes"), account.All("emails")...) {
		times[noteMark.FindString(n.Properties["hs_note_body"]+n.Properties["hs_email_html"])]++
	}
	if len(times) < 2 {
		t.Errorf("the timeline has %v", times)
	}
	for mark, n := range times {
		if n != 1 || mark == "" {
			t.Errorf("the timeline has %q %d times", mark, n)
		}
	}
}

// TestAGatewayThatIsKilledAtAnyWriteToHubSpotLeavesOneOfEach kills it at each call that writes, before
// it is done and after, as searches find nothing that is new.
func TestAGatewayThatIsKilledAtAnyWriteToHubSpotLeavesOneOfEach(t *testing.T) {
	if testing.Short() {
		t.Skip("starts the gateway dozens of times; make test runs it")
	}
	fresh := func() *hubspottest.Account {
		account := hubspottest.New()
		server := httptest.NewServer(account)
		defer server.Close()
		h, err := hubspot.New(hubspot.Config{Name: "hubspot", URL: server.URL, Token: hubspottest.Token, AllowPrivate: true, Calls: 1000})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = h.Close() }()
		if _, err := h.Prepare(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		account.Freeze()
		return account
	}
	calls := (&killer{}).registered(t, fresh())
	t.Logf("a registration takes %d calls that write:\n%s", len(calls), strings.Join(calls, "\n"))
	if len(calls) < 6 {
		t.Fatalf("these are not all")
	}
	for n, call := range calls {
		for _, done := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %s done %t", n+1, call, done), func(t *testing.T) {
				(&killer{at: n + 1, done: done}).registered(t, fresh())
			})
		}
	}
}

func TestTheCommandsForACRMSetHubSpotUpAndCompareIt(t *testing.T) {
	account := hubspottest.New()
	run := func(config string, fails bool, args ...string) string {
		t.Helper()
		out, stderr, err := leadgate(t, append(args, "--config", config)...)
		if (err != nil) != fails {
			t.Fatalf("leadgate %v: %v\n%s%s", args, err, out, stderr)
		}
		return out
	}
	say := func(out string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(out, w) {
				t.Errorf("%q is not said:\n%s", w, out)
			}
		}
	}
	k := &killer{}
	k.ready = func(config string) {
		say(run(config, true, "crm", "verify", "hubspot"), "hubspot: missing: deal property leadgate_case", "leadgate crm setup hubspot makes")
		before := account.Writes()
		would := run(config, false, "crm", "setup", "hubspot", "--dry-run")
		say(would, "deal property group leadgate", "company property leadgate_domain")
		if n := account.Writes() - before; n > 0 {
			t.Errorf("a dry run wrote %d times", n)
		}
		say(run(config, false, "crm", "setup", "hubspot"), "deal property leadgate_case")
		say(run(config, false, "crm", "verify", "hubspot"), "hubspot: nothing is missing")
		if again := run(config, false, "crm", "setup", "hubspot"); strings.Contains(again, "leadgate_case") {
			t.Errorf("made again: %s", again)
		}
	}
	k.then = func(config, number string) {
		deal := account.All("deals")[0].ID
		if err := account.Set("deals", deal, map[string]string{"dealname": "By hand", "leadgate_status": "won"}); err != nil {
			t.Fatal(err)
		}
		say(run(config, false, "crm", "diff", number), `dealname: "By hand" there`, "it stays: changed there by hand", `leadgate_status: "won" there`, "a push mends it")
		say(run(config, false, "crm", "status"), "hubspot", "works")
		if out := run(config, false, "crm", "status"); strings.Contains(out, "never") {
			t.Errorf("it was verified:\n%s", out)
		}
	}
	k.registered(t, account)
}
