package slackbot

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels/chat"
	"leadgate/intake"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/memstore"
	"leadgate/templates"
)

const secret = "8f742231b10e8888abcd99yyyzzz85a5"

// call is one that the fake Slack got.
type call struct {
	method string
	form   url.Values
	json   map[string]any
	at     time.Time
}

func (c call) arg(name string) string {
	if c.json != nil {
		s, _ := c.json[name].(string)
		return s
	}
	return c.form.Get(name)
}

// peer is a Slack of our own: it answers the methods that we use, and notes what it got.
type peer struct {
	*httptest.Server
	mu      sync.Mutex
	changed chan struct{}
	calls   []call
	n       int
	// refuse returns the code of an error for a call, "" for none; "429:2" is a rate limit.
	refuse func(call) string
	// slow holds a method up until the test ends or the caller goes.
	slow map[string]bool
	held []string // methods that were
	// users are profiles by id.
	users map[string]map[string]any
}

func newPeer(t testing.TB) *peer {
	p := &peer{changed: make(chan struct{}), slow: make(map[string]bool), users: make(map[string]map[string]any)}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *peer) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c := call{method: strings.TrimPrefix(r.URL.Path, "/api/"), at: time.Now()}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		_ = json.Unmarshal(body, &c.json)
	} else {
		c.form, _ = url.ParseQuery(string(body))
	}
	p.mu.Lock()
	p.n++
	n, refuse, slow := p.n, p.refuse, p.slow[c.method]
	if slow {
		p.held = append(p.held, c.method)
		close(p.changed)
		p.changed = make(chan struct{})
	}
	p.mu.Unlock()
	if slow {
		<-r.Context().Done()
		return
	}
	refused := ""
	if refuse != nil {
		refused = refuse(c)
	}
	if seconds, limited := strings.CutPrefix(refused, "429:"); limited {
		w.Header().Set("Retry-After", seconds)
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	answer := map[string]any{"ok": refused == ""}
	if refused != "" {
		answer["error"] = refused
		c.method += " refused"
	}
	switch c.method {
	case "auth.test":
		answer["team_id"], answer["user_id"], answer["user"], answer["team"] = "T0HOME", "U0BOT", "leadgate", "Vendor"
	case "views.open", "views.update":
		answer["view"] = map[string]any{"id": fmt.Sprintf("V%d", n), "hash": "h", "type": "modal", "blocks": []any{}}
	case "chat.postMessage", "chat.update":
		ts := c.form.Get("ts")
		if ts == "" {
			ts = fmt.Sprintf("1700000000.%06d", n)
		}
		answer["channel"], answer["ts"] = c.form.Get("channel"), ts
		c.form.Set("answered_ts", ts)
	case "chat.postEphemeral":
		answer["message_ts"] = fmt.Sprintf("1700000000.%06d", n)
	case "conversations.open":
		answer["channel"] = map[string]any{"id": "D" + c.form.Get("users")}
	case "users.info":
		p.mu.Lock()
		u := p.users[c.form.Get("user")]
		p.mu.Unlock()
		if u == nil {
			answer["ok"], answer["error"] = false, "user_not_found"
		}
		answer["user"] = u
	case "oauth.v2.access":
		answer["access_token"], answer["bot_user_id"] = "xoxb-of-alpha", "U0BOT2"
		answer["team"] = map[string]any{"id": "T0ALPHA", "name": "Alpha"}
	}
	p.mu.Lock()
	p.calls = append(p.calls, c)
	close(p.changed)
	p.changed = make(chan struct{})
	p.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// got are the calls of a method, oldest first.
func (p *peer) got(method string) (all []call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.calls {
		if c.method == method {
			all = append(all, c)
		}
	}
	return all
}

// wait blocks until there are n calls of a method.
func (p *peer) wait(t testing.TB, method string, n int) []call {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		p.mu.Lock()
		changed := p.changed
		p.mu.Unlock()
		if all := p.got(method); len(all) >= n {
			return all
		}
		select {
		case <-changed:
		case <-late:
			p.mu.Lock()
			defer p.mu.Unlock()
			t.Fatalf("%d of %d calls of %s; all: %v", len(p.got2(method)), n, method, p.calls)
		}
	}
}

// begun blocks until a call is held up.
func (p *peer) begun(t *testing.T, method string) {
	t.Helper()
	late := time.After(20 * time.Second)
	for {
		p.mu.Lock()
		changed, held := p.changed, slices.Contains(p.held, method)
		p.mu.Unlock()
		if held {
			return
		}
		select {
		case <-changed:
		case <-late:
			t.Fatalf("no call of %s is held up", method)
		}
	}
}

func (p *peer) got2(method string) (all []call) {
	for _, c := range p.calls {
		if c.method == method {
			all = append(all, c)
		}
	}
	return all
}

func (p *peer) set(fn func(*peer)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn(p)
}

// shelf keeps values in memory.
type shelf struct {
	mu  sync.Mutex
	all map[string]string
}

func newShelf() *shelf { return &shelf{all: make(map[string]string)} }

func (s *shelf) Recall(_ context.Context, name string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[name], nil
}

func (s *shelf) Keep(_ context.Context, name, value string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[name] = value
	return nil
}

// post is a mailbox that notes what it was given.
type postbox struct {
	mu   sync.Mutex
	sent []intake.Message
}

func (p *postbox) Reply(_ context.Context, m intake.Message) (json.RawMessage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, m)
	return json.RawMessage(`"mail"`), nil
}

func (p *postbox) all() []intake.Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]intake.Message(nil), p.sent...)
}

// troubled is a sink that fails when it is told to.
type troubled struct {
	intake.Sink
	failing atomic.Bool
}

func (s *troubled) Accept(ctx context.Context, sub intake.Submission) (intake.Receipt, error) {
	if s.failing.Load() {
		return intake.Receipt{}, errors.New("the disk is gone")
	}
	return s.Sink.Accept(ctx, sub)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// world is a gateway with Slack before it.
type world struct {
	testing.TB
	slack   *peer
	gateway *intake.Gateway
	bot     *Bot
	sink    *troubled
	url     string
	mail    *postbox
	secrets *shelf
	log     *lockedBuffer
	links   *intake.Links
	client  *http.Client
}

type option func(*Config, *rules.Spec, *intake.Options)

func openWorld(t testing.TB, options ...option) *world {
	t.Helper()
	w := &world{TB: t, slack: newPeer(t), mail: &postbox{}, secrets: newShelf(), log: &lockedBuffer{}}
	return w.open(options...)
}

// open starts the gateway and the bot, and has them work until the test ends.
func (w *world) open(options ...option) *world {
	t := w.TB
	t.Helper()
	c, spec := Default(), rules.Default()
	c.Enabled, c.SigningSecret, c.BotToken = true, secret, "xoxb-home"
	c.APIURL, c.ResponseURL = w.slack.URL+"/api/", w.slack.URL+"/response/"
	spec.Mode, spec.Timezone, spec.Required = intake.ModeAssist, "Europe/Brussels", rules.RequiredShort
	spec.Contact = rules.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	links, err := intake.NewLinks("https://partners.vendor.example", bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	w.links = links
	o := intake.Options{Store: memstore.New(), Program: "Vendor", Links: links, Alone: true, Log: log, Budget: intake.Budget{AddressHour: 1e6, AddressDay: 1e6, DomainHour: 1e6, CaseDay: 1e6, Hour: 1e6, StaffHour: 1e6}}
	for _, apply := range options {
		apply(&c, &spec, &o)
	}
	ids := identity.Default()
	policy, err := rules.New(spec, ids)
	if err != nil {
		t.Fatal(err)
	}
	if o.Numbers, err = intake.NewNumbering("LG", []byte("0123456789abcdef")); err != nil {
		t.Fatal(err)
	}
	o.Policy, o.Identity = policy, ids
	if w.gateway, err = intake.New(o); err != nil {
		t.Fatal(err)
	}
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	w.bot, err = New(c, Deps{
		Gateway: w.gateway, Identity: ids, Words: words, Secrets: w.secrets, Memory: newShelf(), Links: links,
		Mail: w.mail, MailChannel: "email", URL: "https://partners.vendor.example", FormURL: "https://partners.vendor.example/register", Log: log,
		Client: w.client,
		Fill: func(text string) (intake.Lead, map[intake.Field]string) {
			if _, v, found := strings.Cut(text, "Contact role:"); found {
				return intake.Lead{intake.FieldContactRole: strings.TrimSpace(v)}, nil
			}
			return nil, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.bot.pace.every = time.Millisecond
	w.gateway.Register(Channel, w.bot)
	w.gateway.Register("email", w.mail)
	w.sink = &troubled{Sink: w.gateway}
	e := echo.New()
	w.bot.Mount(e.Group(""), w.sink)
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	w.url = server.URL
	if c.Mode == ModeHTTP {
		if err := w.bot.learn(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	worked := make(chan error, 1)
	go func() { worked <- w.gateway.Run(ctx) }()
	t.Cleanup(func() {
		w.bot.stop()
		cancel()
		if err := <-worked; err != nil {
			t.Error(err)
		}
		for _, leak := range []string{secret, "xoxb-", w.slack.URL + "/response"} {
			if strings.Contains(w.log.String(), leak) {
				t.Errorf("the log says %q:\n%s", leak, w.log.String())
			}
		}
	})
	w.partners(
		intake.Partner{ID: "alpha", Name: "Alpha", Domains: []string{"alpha.example"}, Slack: &intake.Slack{Team: "T0ALPHA", Channel: "C0ALPHA"}, Contacts: []intake.Contact{{Name: "Ana", Email: "ana@alpha.example"}}},
		intake.Partner{ID: "beta", Name: "Beta", Domains: []string{"beta.example"}, Slack: &intake.Slack{Team: "T0BETA", Channel: "C0BETA"}},
	)
	return w
}

func (w *world) partners(all ...intake.Partner) {
	w.Helper()
	for i := range all {
		all[i].Status, all[i].Motion = intake.PartnerActive, "msp"
	}
	if err := w.gateway.PutPartners(context.Background(), all); err != nil {
		w.Fatal(err)
	}
}

// request is one of Slack's that is about to be sent.
type request struct {
	path, body, query string
	at                time.Time
	change            func(http.Header)
}

func sign(key, stamp, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// send posts a request, signed, and returns the status and the body of the answer.
func (w *world) send(r request) (int, string) {
	w.Helper()
	if r.at.IsZero() {
		r.at = time.Now()
	}
	req, err := http.NewRequest(http.MethodPost, w.url+r.path+r.query, strings.NewReader(r.body))
	if err != nil {
		w.Fatal(err)
	}
	stamp := strconv.FormatInt(r.at.Unix(), 10)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if strings.HasPrefix(r.body, "{") {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", sign(secret, stamp, r.body))
	if r.change != nil {
		r.change(req.Header)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

var serial atomic.Int64

// slash is the body of a command, as alpha's person types it in the channel shared with alpha.
func (w *world) slash(text string, change ...func(url.Values)) string {
	v := url.Values{
		"command": {"/register"}, "text": {text}, "team_id": {"T0HOME"}, "channel_id": {"C0ALPHA"}, "user_id": {"U0ANA"},
		"trigger_id": {fmt.Sprint("trigger.", serial.Add(1))}, "response_url": {w.slack.URL + "/response/1"}, "token": {"old"},
	}
	for _, c := range change {
		c(v)
	}
	return v.Encode()
}

func (w *world) command(text string, change ...func(url.Values)) (int, string) {
	w.Helper()
	return w.send(request{path: PathCommands, body: w.slash(text, change...)})
}

// object is JSON.
type object = map[string]any

// filled are good answers.
func filled(change ...map[string]string) map[string]string {
	values := map[string]string{
		"company_name": "Acme", "company_domain": "acme.example", "contact_name": "Jane Doe", "contact_email": "jane@acme.example",
		"problem": "Backups take too long.", "stage": "evaluation", "consent": "yes",
	}
	for _, c := range change {
		for k, v := range c {
			values[k] = v
		}
	}
	return values
}

// view is what Slack sends of a form.
type view struct {
	id, callback, team, user, installed string
	meta                                metadata
	values                              map[string]string
}

func (v view) payload() string {
	text, err := json.Marshal(v.object())
	if err != nil {
		panic(err)
	}
	return url.Values{"payload": {string(text)}}.Encode()
}

// object is what Slack sends, before it is made a form.
func (v view) object() object {
	state := object{}
	for name, value := range v.values {
		in := object{"type": "plain_text_input", "value": value}
		switch {
		case name == "stage" || name == "reason":
			in = object{"type": "static_select", "selected_option": object{"value": value, "text": object{"type": "plain_text", "text": "x"}}}
		case name == "consent":
			var picked []any
			if value != "" {
				picked = append(picked, object{"value": value, "text": object{"type": "plain_text", "text": "x"}})
			}
			in = object{"type": "checkboxes", "selected_options": picked}
		}
		state[name] = object{"value": in}
	}
	return object{
		"type": "view_submission", "team": object{"id": v.team}, "user": object{"id": v.user, "team_id": v.team}, "trigger_id": fmt.Sprint("x", serial.Add(1)), "token": "old",
		"view": object{
			"id": v.id, "root_view_id": v.id, "type": "modal", "callback_id": v.callback, "private_metadata": v.meta.String(), "team_id": v.team,
			"app_installed_team_id": v.installed, "state": object{"values": state}, "blocks": []any{},
		},
	}
}

// byAna is a good form of alpha's person.
func (w *world) byAna(change ...func(*view)) view {
	v := view{
		id: fmt.Sprint("V", serial.Add(1)), callback: callbackRegister, team: "T0ALPHA", user: "U0ANA", installed: "T0HOME",
		meta: metadata{Team: "T0HOME", Channel: "C0ALPHA"}, values: filled(),
	}
	for _, c := range change {
		c(&v)
	}
	return v
}

func (w *world) submit(v view) (int, string) {
	w.Helper()
	return w.send(request{path: PathInteractions, body: v.payload()})
}

// took checks that a form was taken in, and returns the words of the answer.
func (w *world) took(v view) string {
	w.Helper()
	status, body := w.submit(v)
	if status != 200 || !strings.Contains(body, `"response_action":"update"`) || !strings.Contains(body, "LG-") {
		w.Fatalf("%d %s", status, body)
	}
	return body
}

func (w *world) cases() []intake.Registration {
	w.Helper()
	all, err := w.gateway.Cases(w.Context(), intake.CaseQuery{Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

func (w *world) press(action, value string, change ...func(object)) (int, string) {
	w.Helper()
	o := object{
		"type": "block_actions", "team": object{"id": "T0HOME"}, "user": object{"id": "U0ANA", "team_id": "T0ALPHA"}, "channel": object{"id": "C0ALPHA"},
		"container": object{"type": "message", "message_ts": "1700000000.000001", "channel_id": "C0ALPHA"}, "trigger_id": fmt.Sprint("t", serial.Add(1)),
		"response_url": w.slack.URL + "/response/2",
		"actions":      []any{object{"type": "button", "action_id": action, "block_id": "b", "value": value, "action_ts": fmt.Sprint(serial.Add(1))}},
	}
	for _, c := range change {
		c(o)
	}
	text, err := json.Marshal(o)
	if err != nil {
		w.Fatal(err)
	}
	return w.send(request{path: PathInteractions, body: url.Values{"payload": {string(text)}}.Encode()})
}

// happened is when all events were: what comes again names the time of the first.
var happened = time.Now().Unix()

// happens sends an event.
func (w *world) happens(id string, event object, change ...func(http.Header)) int {
	w.Helper()
	text, err := json.Marshal(object{"type": "event_callback", "team_id": "T0HOME", "event_id": id, "event_time": happened, "event": event, "authorizations": []any{object{"team_id": "T0HOME"}}})
	if err != nil {
		w.Fatal(err)
	}
	r := request{path: PathEvents, body: string(text)}
	if len(change) > 0 {
		r.change = change[0]
	}
	status, _ := w.send(r)
	return status
}

func mentions(text string) object {
	return object{"type": "app_mention", "user": "U0ANA", "user_team": "T0ALPHA", "text": "<@U0BOT> " + text, "ts": "1700000001.000001", "channel": "C0ALPHA"}
}

var _ chat.Words = (*templates.Set)(nil)
