package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestVerifySlackSaysWhatToMend(t *testing.T) {
	var refuse atomic.Value
	refuse.Store("no method")
	slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-OAuth-Scopes", "commands,chat:write,app_mentions:read,users:read,users:read.email,channels:read,groups:read,im:write,im:history")
		switch {
		case strings.HasSuffix(r.URL.Path, refuse.Load().(string)):
			fmt.Fprint(w, `{"ok":false,"error":"token_revoked"}`)
		case strings.HasSuffix(r.URL.Path, "apps.connections.open"):
			fmt.Fprint(w, `{"ok":true,"url":"wss://slack.example/"}`)
		default:
			fmt.Fprint(w, `{"ok":true,"team":"Northwind","team_id":"T1","user_id":"U1"}`)
		}
	}))
	t.Cleanup(slack.Close)
	file := filepath.Join(t.TempDir(), "leadgate.yaml")
	config := func(more string) {
		text := fmt.Sprintf(`program: Northwind
data: data
policy: {contact: {name: Mia, email: mia@vendor.example}}
mailboxes: [{name: a, address: a@vendor.example, direct: {listen: '127.0.0.1:0'}, sender_proof: {mode: none}, outbox: out}]
slack: {enabled: true, mode: socket, app_token: xapp-1, bot_token: xoxb-1, api_url: '%s/api/'%s}
`, slack.URL, more)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config("")
	out, stderr, err := leadgate(t, "verify", "slack", "--config", file)
	if err != nil || !strings.Contains(out, "workspace Northwind (T1)") || strings.Count(out, "ok ") != 3 {
		t.Errorf("%v\n%s%s", err, out, stderr)
	}
	refuse.Store("auth.test")
	out, stderr, err = leadgate(t, "verify", "slack", "--config", file)
	if err == nil || !strings.Contains(out, "to mend bot token") || !strings.Contains(stderr, "1 to mend") || strings.Contains(out+stderr, "xoxb-1") {
		t.Errorf("%v\n%s%s", err, out, stderr)
	}
	config(", cards: everywhere")
	if _, stderr, err := leadgate(t, "verify", "slack", "--config", file); err == nil || !strings.Contains(stderr, "slack.cards") {
		t.Errorf("%v\n%s", err, stderr)
	}
}
