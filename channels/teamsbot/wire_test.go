package teamsbot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"leadgate/channels"
	"leadgate/channels/channeltest"
	"leadgate/channels/teamsbot"
	"leadgate/channels/teamsbot/teamstest"
)

func TestTheBotKeepsThePromisesOfAChannel(t *testing.T) {
	channeltest.Run(t, func(t *testing.T) channeltest.Wire { return &wire{world: open(t)} })
}

// wire is a bot before the Bot Connector service: people press again until they are taken in.
type wire struct {
	*world
	mu    sync.Mutex
	queue [][]byte
	ended int
}

var _ channeltest.Served = (*wire)(nil)

func (w *wire) Channel() channels.Channel { return w.bot }
func (w *wire) At(url string)             { w.url = url + teamsbot.Path }

// Lead is a form, Unreadable is none, and Robot what another bot writes.
func (w *wire) Lead(n int, subject string) []byte {
	c := card{verb: "register", button: map[string]any{"leadgate_verb": "register", "leadgate_draft": fmt.Sprintf("%032x", n)}}
	return presses(w.says("ana", tenantAlpha, ""), c, fmt.Sprint("1:form-", n), typed(subject, fmt.Sprintf("firm%d.example", n))).JSON()
}

func (w *wire) Unreadable(n int) []byte { return []byte(fmt.Sprint("{activity ", n)) }

func (w *wire) Robot(n int) []byte {
	return w.says("robot", tenantAlpha, fmt.Sprint("register Acme ", n, " acme.com")).With("from", teamstest.Activity{"id": "28:other", "name": "Other"}).JSON()
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

// request brings an activity, signed.
func (w *wire) request(message []byte) *http.Request {
	return teamstest.Request(w, w.url, message, "Bearer "+w.idp.Key().Sign(teamstest.Claims(w.service.URL+"/", time.Now())))
}

// attempt is one call. The person whose form comes back still has it.
func (w *wire) attempt(message []byte) {
	resp, err := http.DefaultClient.Do(w.request(message))
	if err != nil {
		w.Error(err)
		return
	}
	defer resp.Body.Close()
	var answer struct{ Value json.RawMessage }
	lead := json.NewDecoder(resp.Body).Decode(&answer) == nil
	if lead {
		if c := w.read(answer.Value); len(c.inputs) > 0 {
			return
		} else if !bytes.Contains(c.raw, []byte("LG-")) {
			w.Errorf("an answer without a case number: %s", c.raw)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !lead {
		w.ended++
	}
	for i := range w.queue {
		if bytes.Equal(w.queue[i], message) {
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

// Silence has the service say nothing more, while the bot waits for it.
func (w *wire) Silence(t *testing.T) {
	begun := w.service.Silence()
	req := w.request(w.says("al", tenantAlpha, "register").JSON())
	over := make(chan struct{})
	go func() {
		defer close(over)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	t.Cleanup(func() { <-over })
	select {
	case <-begun:
	case <-time.After(20 * time.Second):
		t.Fatal("the service is not called")
	}
}

// Sent are the messages in the personal chat with the person.
func (w *wire) Sent(*testing.T) (all []channeltest.Sent) {
	for _, s := range w.service.Sent() {
		to := s.Conversation
		if to == "a:personal-ana" {
			to = "ana@alpha.example"
		}
		all = append(all, channeltest.Sent{To: []string{to}, Data: s.Body})
	}
	return all
}
