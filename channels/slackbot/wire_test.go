package slackbot

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels"
	"leadgate/channels/channeltest"
	"leadgate/intake"
	"leadgate/rules"
)

func TestTheAppKeepsThePromisesOfAChannel(t *testing.T) {
	channeltest.Run(t, func(t *testing.T) channeltest.Wire {
		w := openWorld(t, func(c *Config, _ *rules.Spec, _ *intake.Options) { c.Cards = CardsDirect })
		w.bot.pace.every = 0
		return &wire{world: w}
	})
}

// wire is an app before Slack: people send forms again until they are taken in.
type wire struct {
	*world
	mu    sync.Mutex
	queue [][]byte
	ended int
}

var _ channeltest.Served = (*wire)(nil)

func (w *wire) Channel() channels.Channel { return w.bot }
func (w *wire) At(url string)             { w.url = url }

// Lead is a form, Unreadable is none, and Robot what another app writes in the channel.
func (w *wire) Lead(n int, subject string) []byte {
	return wireJSON(w.byAna(func(v *view) {
		v.id = fmt.Sprint("VW", n)
		v.values = filled(map[string]string{"company_name": subject, "company_domain": fmt.Sprintf("firm%d.example", n), "contact_email": fmt.Sprintf("jane@firm%d.example", n)})
	}).object())
}

func (w *wire) Unreadable(n int) []byte { return []byte(fmt.Sprint("{form ", n)) }

func (w *wire) Robot(n int) []byte {
	event := mentions("register Acme acme.com")
	event["bot_id"] = "B0OTHER"
	return wireJSON(object{"type": "event_callback", "team_id": "T0HOME", "event_id": fmt.Sprint("EvW", n), "event_time": happened, "event": event})
}

func wireJSON(v object) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts
	}
	return text
}

func (w *wire) Deliver(t *testing.T, message []byte) {
	t.Helper()
	w.mu.Lock()
	w.queue = append(w.queue, message)
	w.mu.Unlock()
	w.attempt(message)
}

func (w *wire) Retry(*testing.T) {
	w.mu.Lock()
	queue := append([][]byte(nil), w.queue...)
	w.mu.Unlock()
	for _, message := range queue {
		w.attempt(message)
	}
}

// attempt is one request. The person who is told that a form was not stored still has it.
func (w *wire) attempt(message []byte) {
	var v object
	r := request{path: PathInteractions}
	switch err := json.Unmarshal(message, &v); {
	case err != nil:
		r.body = url.Values{"payload": {string(message)}}.Encode()
	case v["type"] == "event_callback":
		r.path, r.body = PathEvents, string(message)
	default:
		v["trigger_id"] = fmt.Sprint("w", serial.Add(1)) // each press has its own
		r.body = url.Values{"payload": {string(wireJSON(v))}}.Encode()
	}
	status, body := w.send(r)
	switch {
	case v["type"] == "view_submission" && (status != http.StatusOK || strings.Contains(body, `"errors"`)):
		return
	case v["type"] == "view_submission" && !strings.Contains(body, "LG-"):
		w.Errorf("an answer without a case number: %d %s", status, body)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if v["type"] != "view_submission" {
		w.ended++
	}
	for i := range w.queue {
		if string(w.queue[i]) == string(message) {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			return
		}
	}
}

func (w *wire) Unacknowledged(*testing.T) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

func (w *wire) Ended(*testing.T) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ended
}

// Silence has Slack's API say nothing more, while the app waits for it in a command.
func (w *wire) Silence(t *testing.T) {
	w.slack.set(func(p *peer) {
		for _, method := range []string{"views.open", "users.info", "auth.test", "chat.postMessage"} {
			p.slow[method] = true
		}
	})
	body, stamp := w.slash(""), fmt.Sprint(time.Now().Unix())
	req, err := http.NewRequest(http.MethodPost, w.url+PathCommands, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", sign(secret, stamp, body))
	over := make(chan struct{})
	go func() {
		defer close(over)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	t.Cleanup(func() { <-over })
	w.slack.begun(t, "views.open")
}

// Sent are the messages in the direct conversation with the person.
func (w *wire) Sent(*testing.T) (all []channeltest.Sent) {
	for _, method := range []string{"chat.postMessage", "chat.postEphemeral", "chat.update"} {
		for _, c := range w.slack.got(method) {
			to := c.arg("channel")
			if to == "DU0ANA" { // the app opens it for who registered
				to = "slack:T0ALPHA/U0ANA"
			}
			all = append(all, channeltest.Sent{To: []string{to}, Data: wireJSON(object{"text": c.arg("text"), "blocks": c.arg("blocks")})})
		}
	}
	return all
}
