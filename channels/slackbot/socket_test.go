package slackbot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack/slacktest"

	"leadgate/intake"
	"leadgate/rules"
)

func TestWhatComesOverASocketIsHandledAsWhatIsPosted(t *testing.T) {
	opened := make(chan string, 10)
	peer := slacktest.NewTestServer(func(c slacktest.Customize) {
		c.Handle("/auth.test", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"ok":true,"team_id":"T0HOME","user_id":"U0BOT"}`)
		})
		c.Handle("/views.open", func(w http.ResponseWriter, r *http.Request) {
			var v struct {
				Trigger string `json:"trigger_id"`
			}
			_ = json.NewDecoder(r.Body).Decode(&v)
			opened <- v.Trigger
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `{"ok":true,"view":{"id":"V1","type":"modal","blocks":[]}}`)
		})
	})
	peer.Start()
	t.Cleanup(peer.Stop)
	go func() { // it waits for who reads what it saw
		for {
			select {
			case <-peer.SeenFeed:
			case <-t.Context().Done():
				return
			}
		}
	}()
	w := openWorld(t, func(c *Config, _ *rules.Spec, _ *intake.Options) {
		c.Mode, c.AppToken, c.SigningSecret, c.APIURL = ModeSocket, "xapp-1", "", peer.GetAPIURL()
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.bot.Run(ctx, w.sink) }()
	t.Cleanup(func() {
		began := time.Now()
		cancel()
		if err := <-ended; err != nil || time.Since(began) > 2*time.Second {
			t.Errorf("it ended after %v: %v", time.Since(began), err)
		}
	})
	// Posting is no way in here.
	if status, _ := w.send(request{path: PathCommands, body: w.slash("help")}); status != http.StatusNotFound {
		t.Error("a command was posted:", status)
	}
	form := w.byAna().object()
	send := func(id, kind string, payload any) {
		text, err := json.Marshal(object{"type": kind, "envelope_id": id, "accepts_response_payload": true, "payload": payload})
		if err != nil {
			t.Fatal(err)
		}
		peer.SendToWebsocket(string(text))
	}
	acknowledged := func(id string) string {
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			for _, m := range peer.GetSeenInboundMessages() {
				if strings.Contains(m, `"envelope_id":"`+id+`"`) {
					return m
				}
			}
		}
		t.Fatalf("%s was not acknowledged: %v\n%s", id, peer.GetSeenInboundMessages(), w.log)
		return ""
	}
	send("E1", "slash_commands", object{"command": "/register", "text": "", "team_id": "T0HOME", "channel_id": "C0ALPHA", "user_id": "U0ANA", "trigger_id": "tr.1"})
	acknowledged("E1")
	select {
	case trigger := <-opened:
		if trigger != "tr.1" {
			t.Error(trigger)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no form was opened")
	}
	send("E2", "slash_commands", object{"command": "/register", "text": "help", "team_id": "T0HOME", "channel_id": "C0ALPHA", "user_id": "U0ANA"})
	if m := acknowledged("E2"); !strings.Contains(m, "ephemeral") {
		t.Error(m)
	}
	w.sink.failing.Store(true)
	send("E3", "interactive", form)
	if m := acknowledged("E3"); !strings.Contains(m, "errors") {
		t.Error(m)
	}
	w.sink.failing.Store(false)
	send("E4", "interactive", form)
	if m := acknowledged("E4"); !strings.Contains(m, "LG-") || len(w.cases()) != 1 {
		t.Errorf("%d cases: %s", len(w.cases()), m)
	}
	if c := w.bot.Condition(); c.Down {
		t.Errorf("%+v", c)
	}
}
