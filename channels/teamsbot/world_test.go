package teamsbot_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/goleak"

	"leadgate/channels/pages/pagestest"
	"leadgate/channels/teamsbot"
	"leadgate/channels/teamsbot/teamstest"
	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
	"leadgate/rules"
	"leadgate/store/boltstore"
	"leadgate/templates"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(pagestest.M{M: m}) }

// The tenants of the tests: the vendor's is teamstest.Tenant.
const (
	tenantAlpha   = "a1111111-0000-4000-8000-00000000000a"
	tenantBeta    = "b2222222-0000-4000-8000-00000000000b"
	tenantListed  = "c3333333-0000-4000-8000-00000000000c"
	tenantUnknown = "d4444444-0000-4000-8000-00000000000d"
)

// world is a bot before a whole gateway, among what it speaks with.
type world struct {
	testing.TB
	gateway *intake.Gateway
	bot     *teamsbot.Bot
	idp     *teamstest.IdP
	service *teamstest.Service
	sink    *flaky
	memory  *memory
	mail    *mail
	log     *locked
	url     string
	ahead   atomic.Int64 // how far its time is before ours
	config  teamsbot.Config
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// memory is a teamsbot.Memory of the process.
type memory struct {
	mu   sync.Mutex
	kept map[string]string
}

func (m *memory) Recall(_ context.Context, name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept[name], nil
}

func (m *memory) Keep(_ context.Context, name, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept[name] = value
	return nil
}

// flaky is a sink that can be made to store nothing.
type flaky struct {
	intake.Sink
	fails atomic.Bool
}

func (f *flaky) Accept(ctx context.Context, s intake.Submission) (intake.Receipt, error) {
	if f.fails.Load() {
		return intake.Receipt{}, errors.New("the disk is gone")
	}
	return f.Sink.Accept(ctx, s)
}

// mail is the channel of mail.
type mail struct {
	mu   sync.Mutex
	sent []intake.Message
	news chan struct{}
}

func (m *mail) Reply(_ context.Context, msg intake.Message) (json.RawMessage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sent = append(m.sent, msg)
	select {
	case m.news <- struct{}{}:
	default:
	}
	return json.RawMessage(`"t"`), nil
}

func (m *mail) all() []intake.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]intake.Message(nil), m.sent...)
}

type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// open starts all of it. Messages of the gateway are sent as soon as they are there.
func open(t testing.TB, change ...func(*teamsbot.Config, *rules.Spec)) *world {
	t.Helper()
	w := &world{TB: t, idp: teamstest.NewIdP(t), service: teamstest.NewService(t), memory: &memory{kept: make(map[string]string)}, mail: &mail{news: make(chan struct{}, 1)}, log: &locked{}}
	cfg := teamsbot.Config{AppID: teamstest.AppID, Secret: teamstest.Secret, Tenant: teamstest.Tenant, Tenants: []string{tenantListed}}
	spec := rules.Default()
	spec.Mode, spec.Required, spec.Timezone = intake.ModeAssist, rules.RequiredShort, "Europe/Brussels"
	spec.Contact = rules.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}
	spec.OwnDomains = []string{"vendor.example"}
	for _, fn := range change {
		fn(&cfg, &spec)
	}
	store, err := boltstore.Open(boltstore.Options{Path: filepath.Join(t.TempDir(), "db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	ids := identity.Default()
	policy, err := rules.New(spec, ids)
	if err != nil {
		t.Fatal(err)
	}
	if err := intake.KeepPolicy(t.Context(), store, policy.Hash(), policy.Source()); err != nil {
		t.Fatal(err)
	}
	numbers, err := intake.NewNumbering("LG", []byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	links, err := intake.NewLinks("https://partners.vendor.example", bytes.Repeat([]byte("k"), 32))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	w.gateway, err = intake.New(intake.Options{
		Store: store, Policy: policy, Identity: ids, Numbers: numbers, Program: "Northwind", Links: links, Alone: true, Log: logger,
		Budget: intake.Budget{AddressHour: 1e6, AddressDay: 1e6, DomainHour: 1e6, CaseDay: 1e6, Hour: 1e6, StaffHour: 1e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = w.gateway.PutPartners(t.Context(), []intake.Partner{
		{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"alpha.example"}, Teams: &intake.Teams{Tenant: tenantAlpha}, Manager: intake.Contact{Name: "Jo", Email: "jo@vendor.example"}},
		{ID: "beta", Name: "Beta", Status: intake.PartnerActive, Motion: "reseller", Domains: []string{"beta.example"}, Teams: &intake.Teams{Tenant: tenantBeta}},
	})
	if err != nil {
		t.Fatal(err)
	}
	texts, err := templates.New(templates.Options{Program: "Northwind"})
	if err != nil {
		t.Fatal(err)
	}
	w.config = cfg.Local(w.idp.Metadata(), w.idp.Login())
	w.bot, err = teamsbot.New(w.config, teamsbot.Deps{
		Gateway: w.gateway, Memory: w.memory, Words: texts, Identity: ids, Extractor: extract.New(ids, extract.Options{}),
		Mail: w.mail, MailChannel: "email", Now: w.now, Log: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.gateway.Register(w.bot.Name(), w.bot)
	w.gateway.Register("email", w.mail)
	e := echo.New()
	w.sink = &flaky{Sink: w.gateway}
	w.bot.Mount(e.Group(""), w.sink)
	server := httptest.NewServer(e)
	w.url = server.URL + teamsbot.Path
	t.Cleanup(func() {
		server.Close()
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.gateway.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	w.person("ana", tenantAlpha, "ana@alpha.example")
	w.person("bo", tenantBeta, "bo@beta.example")
	w.person("cy", tenantListed, "cy@elsewhere.example")
	return w
}

// person has Teams know somebody.
func (w *world) person(id, tenant, email string) {
	w.service.Person("29:"+id, map[string]string{
		"id": "29:" + id, "name": id, "email": email, "userPrincipalName": email, "tenantId": tenant, "aadObjectId": "object-" + id,
	})
}

// says is a message of somebody in a personal chat.
func (w *world) says(user, tenant, text string) teamstest.Activity {
	return teamstest.Message(w.service.URL+"/", user, text).In(tenant)
}

// do sends an activity, signed, and returns the answer.
func (w *world) do(a teamstest.Activity) (int, []byte) {
	w.Helper()
	resp, err := http.DefaultClient.Do(w.idp.Request(w, w.url, a, w.now()))
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.Fatal(err)
	}
	return resp.StatusCode, b
}

// card is what a card says and asks.
type card struct {
	raw    json.RawMessage
	text   string            // all words
	inputs map[string]any    // value by id
	button map[string]any    // the data of the first button
	verb   string            // its verb
	links  map[string]string // words by address
}

// read takes a card apart.
func (w *world) read(raw json.RawMessage) card {
	w.Helper()
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		w.Fatalf("no card: %s", raw)
	}
	c := card{raw: raw, inputs: make(map[string]any), links: make(map[string]string)}
	var lines []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(x)
			}
		case map[string]any:
			if kind, _ := v["type"].(string); strings.HasPrefix(kind, "Input.") {
				c.inputs[v["id"].(string)] = v["value"]
			}
			if text, ok := v["text"].(string); ok {
				lines = append(lines, text)
			}
			if v["type"] == "RichTextBlock" || v["type"] == "Container" || v["body"] != nil {
				for _, name := range []string{"inlines", "items", "body"} {
					walk(v[name])
				}
			}
			if v["type"] == "Action.OpenUrl" {
				c.links[v["url"].(string)], _ = v["title"].(string)
			}
		}
	}
	walk(doc)
	walk(doc["actions"])
	c.text = strings.Join(lines, "\n")
	if actions, _ := doc["actions"].([]any); len(actions) > 0 {
		first, _ := actions[0].(map[string]any)
		c.button, _ = first["data"].(map[string]any)
		c.verb, _ = first["verb"].(string)
	}
	return c
}

// last is the last message of the bot.
func (w *world) last() teamstest.Sent {
	w.Helper()
	all := w.service.Sent()
	if len(all) == 0 {
		w.Fatalf("nothing was sent\n%s", w.log)
	}
	return all[len(all)-1]
}

// lastTo is the last message of the bot in the personal chat with somebody.
func (w *world) lastTo(user string) teamstest.Sent {
	w.Helper()
	for _, s := range slices.Backward(w.service.Sent()) {
		if s.Conversation == "a:personal-"+user {
			return s
		}
	}
	w.Fatalf("nothing was sent to %s", user)
	return teamstest.Sent{}
}

// form opens the form of somebody, and returns the id of its message.
func (w *world) form(a teamstest.Activity) (card, string) {
	w.Helper()
	if status, b := w.do(a); status != 200 {
		w.Fatalf("%d %s\n%s", status, b, w.log)
	}
	conversation, _ := a["conversation"].(teamstest.Activity)
	for _, s := range slices.Backward(w.service.Sent()) {
		if s.Method == http.MethodPost && s.Conversation == conversation["id"] && s.Card() != nil {
			return w.read(s.Card()), s.ID
		}
	}
	w.Fatalf("no form was sent\n%s", w.log)
	return card{}, ""
}

// typed are good answers to a form.
func typed(company, domain string) map[string]any {
	return map[string]any{
		"company_name": company, "company_domain": domain, "contact_name": "Jane Doe", "contact_email": "jane@" + domain,
		"problem": "Reporting takes them a day a week.", "stage": intake.StageNewIntro, "consent": intake.ConsentYes,
	}
}

// presses is what pressing the button of a form sends.
func presses(a teamstest.Activity, c card, shown string, answers map[string]any) teamstest.Activity {
	data := map[string]any{}
	for k, v := range c.button {
		data[k] = v
	}
	for k, v := range answers {
		data[k] = v
	}
	return a.Invoke("adaptiveCard/action", map[string]any{"action": map[string]any{"type": "Action.Execute", "verb": c.verb, "data": data}, "trigger": "manual"}).With("replyToId", shown)
}

// answered is the card in the answer to a press.
func (w *world) answered(a teamstest.Activity) card {
	w.Helper()
	status, b := w.do(a)
	var answer struct {
		StatusCode int             `json:"statusCode"`
		Type       string          `json:"type"`
		Value      json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(b, &answer); err != nil || status != 200 || answer.StatusCode != 200 || answer.Type != "application/vnd.microsoft.card.adaptive" {
		w.Fatalf("%d %s\n%s", status, b, w.log)
	}
	return w.read(answer.Value)
}

// cases are all cases of a partner.
func (w *world) cases(partner string) []intake.OwnCase {
	w.Helper()
	all, _, err := w.gateway.OwnCases(w.Context(), partner, "", 100)
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// until waits for what the gateway does by itself.
func (w *world) until(what string, cond func() bool) {
	w.Helper()
	deadline := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-deadline:
			w.Fatalf("never: %s\n%s", what, w.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// story is all of a case.
func (w *world) story(number string) intake.Dossier {
	w.Helper()
	d, err := w.gateway.Dossier(w.Context(), number)
	if err != nil {
		w.Fatal(err)
	}
	return d
}
