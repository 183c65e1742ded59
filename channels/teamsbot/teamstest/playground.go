package teamstest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels/channeltest/npm"
)

// playgroundPackage is Microsoft's own client for trying bots. Its licence permits to try it and
// not to pass it on: it is fetched where the tests run.
const playgroundPackage = "@microsoft/m365agentsplayground@0.2.28"

// Playground is the Microsoft 365 Agents Playground: a page that looks like Teams, and the Bot
// Connector service behind it.
type Playground struct {
	// URL is where its page is.
	URL string
}

// bindLocal has a program of Node listen on 127.0.0.1 alone: the Playground does so everywhere.
const bindLocal = `
const net = require("net"), listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...a) {
  if (typeof a[0] === "number" || /^\d+$/.test(String(a[0]))) { if (typeof a[1] !== "string") a.splice(1, 0, "127.0.0.1"); }
  else if (a[0] && typeof a[0] === "object" && a[0].port !== undefined && !a[0].host) a[0].host = "127.0.0.1";
  return listen.apply(this, a);
};
`

// Account is somebody in the Playground.
type Account struct{ ID, Name, Email, Object string }

func (a Account) yaml(indent string) string {
	var b strings.Builder
	for _, kv := range [][2]string{
		{"id", a.ID}, {"name", a.Name}, {"userPrincipleName", a.Email}, {"aadObjectId", a.Object}, {"givenName", a.Name}, {"surname", "X"}, {"email", a.Email},
	} {
		fmt.Fprintf(&b, "%s%s: %q\n", indent, kv[0], kv[1])
		indent = strings.Repeat(" ", len(indent))
	}
	return b.String()
}

// NewPlayground starts a Playground of a tenant that calls a bot through a signing proxy. The test
// is skipped where it can't be had; see npm.Require.
func NewPlayground(t testing.TB, p *IdP, bot, tenant string, user Account) *Playground {
	t.Helper()
	dir := npm.Require(t, playgroundPackage)
	home := t.TempDir()
	config := fmt.Sprintf("version: \"0.1.1\"\ntenantId: %s\nbot:\n  id: 28:%s\n  name: Leadgate\ncurrentUser:\n%susers:\n", tenant, AppID, user.yaml("  "))
	for i := range 5 { // it wants exactly five
		n := fmt.Sprint(i + 1)
		a := Account{"u-" + n, "User " + n, "u" + n + "@vendor.example", "55555555-5555-4555-8555-55555555555" + n}
		config += a.yaml("  - ")
	}
	config += "personalChat:\n  id: pc-1\ngroupChat:\n  id: gc-1\n  name: Deal room\nteam:\n  id: team-1\n  name: Partner team\n" +
		"  aadGroupId: 66666666-6666-4666-8666-666666666666\n  channels:\n    - id: chan-1\n      name: Deals\n"
	preload := filepath.Join(home, "bindlocal.cjs")
	for name, text := range map[string]string{".m365agentsplayground.yml": config, "bindlocal.cjs": bindLocal} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	proxy := httptest.NewServer(p.Proxy(bot))
	t.Cleanup(proxy.Close)
	port := freePort(t)
	cmd := exec.Command("node", "-r", preload, filepath.Join(dir, "node_modules", "@microsoft", "m365agentsplayground", "cli.js"), "start",
		"-e", proxy.URL+"/api/messages", "-c", "msteams", "-p", port, "--disable-telemetry")
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "TEAMSAPPTESTER_BROWSER=none", "HOME="+home)
	said := &output{}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	g := &Playground{URL: "http://127.0.0.1:" + port}
	ctx, cancel := context.WithTimeout(t.Context(), 45*time.Second)
	defer cancel()
	for !g.ready(ctx) {
		select {
		case <-ended:
			t.Fatalf("the Playground ended:\n%s", said)
		case <-ctx.Done():
			t.Fatalf("the Playground does not start:\n%s", said)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return g
}

func (g *Playground) ready(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+"/_debug/ping", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// output is what a program says.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Proxy signs what comes without a token, as the Bot Connector service would, and passes it on to
// a bot.
func (p *IdP) Proxy(bot string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return // it looks whether somebody is there
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var a struct {
			ServiceURL string `json:"serviceUrl"`
		}
		if err := json.Unmarshal(body, &a); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, bot, bytes.NewReader(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+p.Key().Sign(Claims(a.ServiceURL, time.Now())))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})
}
