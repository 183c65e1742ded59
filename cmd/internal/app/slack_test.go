package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels/slackbot"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
)

const slackSecret = "8f742231b10e8888abcd99yyyzzz85a5"

// workspace is a Slack of our own, which takes all that is posted.
type workspace struct {
	*httptest.Server
	mu    sync.Mutex
	calls []url.Values // with the method under "method"
}

func newWorkspace(t *testing.T) *workspace {
	w := &workspace{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		form.Set("method", strings.TrimPrefix(r.URL.Path, "/api/"))
		w.mu.Lock()
		w.calls = append(w.calls, form)
		n := len(w.calls)
		w.mu.Unlock()
		answer := map[string]any{"ok": true, "team_id": "T0HOME", "user_id": "U0BOT", "channel": form.Get("channel"), "ts": fmt.Sprintf("1700000000.%06d", n)}
		switch form.Get("method") {
		case "conversations.open":
			answer["channel"] = map[string]any{"id": "D" + form.Get("users")}
		case "users.info":
			answer = map[string]any{"ok": false, "error": "user_not_found"}
		}
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(answer)
	}))
	t.Cleanup(w.Close)
	return w
}

// wait returns the first call of a method to a channel that says all words.
func (w *workspace) wait(t *testing.T, method, channel string, words ...string) url.Values {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		for _, c := range w.calls {
			all := c.Get("method") == method && c.Get("channel") == channel
			for _, word := range words {
				all = all && strings.Contains(c.Get("text")+c.Get("blocks"), word)
			}
			if all {
				w.mu.Unlock()
				return c
			}
		}
		w.mu.Unlock()
	}
	t.Fatalf("no %s to %s says %q; there are %v", method, channel, words, w.calls)
	return nil
}

func (o *office) slack(path, body string) (int, string) {
	o.Helper()
	stamp := fmt.Sprint(time.Now().Unix())
	mac := hmac.New(sha256.New, []byte(slackSecret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	req, err := http.NewRequestWithContext(o.Context(), http.MethodPost, o.at+path, strings.NewReader(body))
	if err != nil {
		o.Fatal(err)
	}
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		o.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		o.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestAPartnerRegistersInSlackAndStaffAreToldThere(t *testing.T) {
	w := newWorkspace(t)
	o := openOffice(t, func(c *config.Config) {
		s := slackbot.Default()
		s.Enabled, s.SigningSecret, s.BotToken = true, slackSecret, "xoxb-of-a-test"
		s.APIURL, s.ResponseURL = w.URL+"/api/", w.URL+"/response/"
		s.Fields = []intake.Field{intake.FieldCountry}
		s.Staff = slackbot.Staff{Channel: "C0STAFF", Users: map[string]string{"U0MIA": "mia"}}
		c.Slack = s
	})
	p, err := o.app.Gateway().Partner(t.Context(), "brightpath")
	if err != nil {
		t.Fatal(err)
	}
	p.Slack, p.Contacts = &intake.Slack{Team: "T0ALPHA", Channel: "C0ALPHA"}, []intake.Contact{{Name: "Ana", Email: "ana@brightpath.example"}}
	if err := o.app.Gateway().PutPartners(t.Context(), []intake.Partner{p}); err != nil {
		t.Fatal(err)
	}
	values := make(map[string]any)
	for name, v := range map[string]string{
		"company_name": "Acme GmbH", "company_domain": "acme.example", "contact_name": "Jane Doe", "contact_email": "jane@acme.example", "problem": "Backups take too long.",
		"stage": "evaluation", "country": "Germany", "consent": "yes",
	} {
		values[name] = map[string]any{"value": map[string]any{"type": "plain_text_input", "value": v}}
	}
	payload, err := json.Marshal(map[string]any{
		"type": "view_submission", "team": map[string]any{"id": "T0ALPHA"}, "user": map[string]any{"id": "U0ANA", "team_id": "T0ALPHA"},
		"view": map[string]any{"id": "V1", "root_view_id": "V1", "type": "modal", "callback_id": "register", "app_installed_team_id": "T0HOME", "private_metadata": `{"t":"T0HOME","c":"C0ALPHA"}`, "state": map[string]any{"values": values}, "blocks": []any{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	status, body := o.slack(slackbot.PathInteractions, url.Values{"payload": {string(payload)}}.Encode())
	if status != 200 || !strings.Contains(body, "LG-") {
		t.Fatalf("%d %s", status, body)
	}
	cases, err := o.app.Gateway().Cases(t.Context(), intake.CaseQuery{Partner: "brightpath", Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	number := cases[0].Number
	// The policy wants the contact's role too, which the form does not ask: the person is asked.
	card := w.wait(t, "chat.postMessage", "C0ALPHA", number)
	w.wait(t, "chat.postMessage", "DU0ANA", "Contact role")
	w.mu.Lock()
	ts := ""
	for i, c := range w.calls {
		if c.Get("text") == card.Get("text") && c.Get("channel") == "C0ALPHA" {
			ts = fmt.Sprintf("1700000000.%06d", i+1)
		}
	}
	w.mu.Unlock()
	event := fmt.Sprintf(`{"type":"event_callback","team_id":"T0HOME","event_id":"E1","event_time":%d,"event":{"type":"app_mention","user":"U0ANA","user_team":"T0ALPHA","text":"<@U0BOT> Contact role: CTO","ts":"1.2","thread_ts":%q,"channel":"C0ALPHA"}}`, time.Now().Unix(), ts)
	if status, body := o.slack(slackbot.PathEvents, event); status != 200 {
		t.Fatal(status, body)
	}
	r := o.await(number, "in review", func(r intake.Registration) bool { return r.Status == intake.StatusInReview })
	if r.Lead[intake.FieldContactRole] != "CTO" || r.Lead[intake.FieldCountry] != "DE" || r.Channel != "slack" {
		t.Errorf("%+v", r)
	}
	w.wait(t, "chat.postMessage", "C0STAFF", number, "staff:approve")
	o.wantMail("mia@vendor.example", number)
	// The app is removed from the workspace: what is decided goes by mail.
	gone := fmt.Sprintf(`{"type":"event_callback","team_id":"T0HOME","event_id":"E2","event_time":%d,"event":{"type":"app_uninstalled"}}`, time.Now().Unix())
	if status, body := o.slack(slackbot.PathEvents, gone); status != 200 {
		t.Fatal(status, body)
	}
	if all, down := o.app.sourcesHealth(); !down || len(all) != 1 || all[0].Problem == "" {
		t.Errorf("%+v", all)
	}
	if _, err := o.app.Gateway().Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	o.wantMail("ana@brightpath.example", number, "approved")
	if d := o.story(number); d.Chain != "" {
		t.Error(d.Chain)
	}
	for _, leak := range []string{"xoxb-of-a-test", slackSecret} {
		if strings.Contains(o.log.String(), leak) {
			t.Errorf("the log says %q", leak)
		}
	}
}
