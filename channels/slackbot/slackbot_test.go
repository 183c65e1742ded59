package slackbot

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"leadgate/intake"
	"leadgate/rules"
	"leadgate/templates"
)

func TestOnlyWhatSlackHasSignedAMomentAgoIsTaken(t *testing.T) {
	w := openWorld(t)
	for name, tt := range map[string]struct {
		at     time.Duration
		change func(http.Header)
		want   int
	}{
		"a good signature, now":     {0, nil, 200},
		"299 seconds old":           {-299 * time.Second, nil, 200},
		"301 seconds old":           {-301 * time.Second, nil, 401},
		"301 seconds in the future": {302 * time.Second, nil, 401},
		"a byte of the signature changed": {0, func(h http.Header) {
			s := h.Get("X-Slack-Signature")
			h.Set("X-Slack-Signature", s[:len(s)-1]+map[bool]string{true: "0", false: "1"}[s[len(s)-1] != '0'])
		}, 401},
		"no signature": {0, func(h http.Header) { h.Del("X-Slack-Signature") }, 401},
		"no time":      {0, func(h http.Header) { h.Del("X-Slack-Request-Timestamp") }, 401},
		"another version": {0, func(h http.Header) {
			h.Set("X-Slack-Signature", strings.Replace(h.Get("X-Slack-Signature"), "v0=", "v1=", 1))
		}, 401},
		"two signatures, of which one is good": {0, func(h http.Header) { h.Add("X-Slack-Signature", "v0=00") }, 401},
		"a time that is no number":             {0, func(h http.Header) { h.Set("X-Slack-Request-Timestamp", "soon") }, 401},
	} {
		t.Run(name, func(t *testing.T) {
			if status, body := w.send(request{path: PathCommands, body: w.slash("help"), at: time.Now().Add(tt.at), change: tt.change}); status != tt.want {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	stamp := fmt.Sprint(time.Now().Unix())
	if status, _ := w.send(request{path: PathCommands, body: w.slash("help") + "x", change: func(h http.Header) { h.Set("X-Slack-Signature", sign(secret, stamp, w.slash("help"))) }}); status != 401 {
		t.Error("a body that was changed was taken")
	}
	if status, _ := w.send(request{path: PathEvents, body: `{"type":"url_verification","challenge":"c"}`, change: func(h http.Header) { h.Del("X-Slack-Signature") }}); status != 401 {
		t.Error("a challenge was answered that nobody had signed")
	}
	if status, body := w.send(request{path: PathEvents, body: `{"type":"url_verification","challenge":"c"}`}); status != 200 || !strings.Contains(body, `"challenge":"c"`) {
		t.Error(status, body)
	}
}

func TestSignaturesAreJudgedAsByTheLibrary(t *testing.T) {
	body := []byte("a=1")
	now := time.Now()
	for name, change := range map[string]func(http.Header){
		"good":      func(http.Header) {},
		"old":       func(h http.Header) { h.Set("X-Slack-Request-Timestamp", fmt.Sprint(now.Unix()-400)) },
		"short":     func(h http.Header) { h.Set("X-Slack-Signature", "v0=abcd") },
		"no hex":    func(h http.Header) { h.Set("X-Slack-Signature", "v0=zz") },
		"no prefix": func(h http.Header) { h.Set("X-Slack-Signature", strings.TrimPrefix(h.Get("X-Slack-Signature"), "v0=")) },
		"none":      func(h http.Header) { h.Del("X-Slack-Signature") },
	} {
		h := http.Header{}
		stamp := fmt.Sprint(now.Unix())
		h.Set("X-Slack-Request-Timestamp", stamp)
		h.Set("X-Slack-Signature", sign(secret, stamp, string(body)))
		change(h)
		_, ours := verify(secret, h, body, now)
		v, theirs := slack.NewSecretsVerifier(h, secret)
		if theirs == nil {
			_, _ = v.Write(body)
			theirs = v.Ensure()
		}
		if (ours == nil) != (theirs == nil) {
			t.Errorf("%s: ours %v, theirs %v", name, ours, theirs)
		}
	}
	if _, err := verify("", http.Header{}, body, now); err == nil {
		t.Error("an empty secret is good for everything")
	}
	c := Default()
	c.Enabled, c.BotToken = true, "xoxb-1"
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "signing_secret") {
		t.Errorf("starts without a secret: %v", err)
	}
}

func TestWhatIsSentAgainToTheLetterIsRefusedByEveryReplica(t *testing.T) {
	w := openWorld(t)
	other := &Bot{gateway: w.gateway, now: time.Now} // another process on the same store
	body := w.slash("help")
	at := time.Now()
	if status, _ := w.send(request{path: PathCommands, body: body, at: at}); status != 200 {
		t.Fatal(status)
	}
	if status, _ := w.send(request{path: PathCommands, body: body, at: at}); status != 401 {
		t.Error("a command was taken twice")
	}
	signature := strings.TrimPrefix(sign(secret, fmt.Sprint(at.Unix()), body), "v0=")
	if again, err := other.replayed(t.Context(), proof{signature, time.Unix(at.Unix(), 0)}); !again || err != nil {
		t.Error("another replica takes it", err)
	}
	form := w.byAna().payload()
	if status, _ := w.send(request{path: PathInteractions, body: form, at: at}); status != 200 {
		t.Fatal(status)
	}
	if status, _ := w.send(request{path: PathInteractions, body: form, at: at}); status != 401 {
		t.Error("a form was taken twice by its signature")
	}
}

func TestWhatStandsInTheQueryIsNotRead(t *testing.T) {
	w := openWorld(t)
	q := "?" + w.byAna().payload()
	if status, _ := w.send(request{path: PathInteractions, body: "a=1", query: q}); status != 400 {
		t.Error("a payload of the query:", status)
	}
	if status, _ := w.send(request{path: PathCommands, body: "a=1", query: "?" + w.slash("")}); status != 400 {
		t.Error("a command of the query:", status)
	}
	if n := len(w.cases()) + len(w.slack.got("views.open")); n != 0 {
		t.Errorf("%d effects", n)
	}
}

func TestTheCommandOpensTheForm(t *testing.T) {
	w := openWorld(t)
	began := time.Now()
	status, body := w.command("")
	if status != 200 || body != "" {
		t.Fatalf("%d %q", status, body)
	}
	opened := w.slack.got("views.open")
	if len(opened) != 1 || opened[0].at.Sub(began) > time.Second {
		t.Fatalf("%d forms, after %v", len(opened), time.Since(began))
	}
	v := opened[0].json["view"].(object)
	if v["callback_id"] != callbackRegister || strings.Contains(fmt.Sprint(v), "submitter_email") {
		t.Errorf("%v", v)
	}
	// In a channel that is nobody's the person is asked for his address.
	w.command("", func(v url.Values) { v.Set("channel_id", "C0OTHER"); v.Set("team_id", "T0HOME") })
	if v := w.slack.got("views.open")[1].json["view"]; !strings.Contains(fmt.Sprint(v), "submitter_email") {
		t.Errorf("%v", v)
	}
}

func TestAFormThatOpensTooLateIsToldOf(t *testing.T) {
	w := openWorld(t)
	for name, set := range map[string]func(*peer){
		"Slack is slow":           func(p *peer) { p.slow["views.open"] = true },
		"the trigger has expired": func(p *peer) { p.slow["views.open"] = false; p.refuse = refusing("views.open", "expired_trigger_id") },
	} {
		t.Run(name, func(t *testing.T) {
			w.slack.set(set)
			began := time.Now()
			status, body := w.command("Acme acme.com")
			if took := time.Since(began); status != 200 || took >= 3*time.Second || !strings.Contains(body, "https://partners.vendor.example/register") || !strings.Contains(body, "ephemeral") {
				t.Errorf("%v: %d %s", took, status, body)
			}
		})
	}
}

// refusing has a method answer with the code of an error.
func refusing(method, code string) func(call) string {
	return func(c call) string {
		if c.method == method {
			return code
		}
		return ""
	}
}

func TestWhatWasTypedStandsInTheForm(t *testing.T) {
	w := openWorld(t)
	for i, tt := range []struct {
		text string
		want map[string]string
	}{
		{`"Acme & Sons" acme.com Jane jane@acme.com`, map[string]string{"company_name": "Acme & Sons", "company_domain": "acme.com", "contact_name": "Jane", "contact_email": "jane@acme.com"}},
		{"Acme <http://acme.com|acme.com> Jane <mailto:jane@acme.com|jane@acme.com>", map[string]string{"company_name": "Acme", "company_domain": "acme.com", "contact_email": "jane@acme.com"}},
		{"Booking.com booking.com Jane jane@booking.com", map[string]string{"company_name": "Booking.com", "company_domain": "booking.com"}},
		{"acme.com", map[string]string{"company_domain": "acme.com"}},
		{"", nil},
		{"we met somebody", map[string]string{"problem": "we met somebody"}},
		{strings.Repeat("x", 300) + " acme.com", map[string]string{"company_name": strings.Repeat("x", 200), "company_domain": "acme.com"}},
	} {
		if status, body := w.command(tt.text); status != 200 || body != "" {
			t.Fatalf("%q: %d %s", tt.text, status, body)
		}
		got := make(map[string]string)
		for _, b := range w.slack.got("views.open")[i].json["view"].(object)["blocks"].([]any) {
			block := b.(object)
			if element, is := block["element"].(object); is {
				if v, _ := element["initial_value"].(string); v != "" {
					got[block["block_id"].(string)] = v
					if most := element["max_length"].(float64); float64(len([]rune(v))) > most {
						t.Errorf("%q has more than %v characters", v, most)
					}
				}
			}
		}
		for f, v := range tt.want {
			if got[f] != v {
				t.Errorf("%q: %s is %q, want %q", tt.text, f, got[f], v)
			}
		}
	}
}

func TestWhatIsWrongStandsAtItsInput(t *testing.T) {
	w := openWorld(t)
	v := w.byAna(func(v *view) { v.values["company_domain"], v.values["consent"] = "localhost", "" })
	status, body := w.submit(v)
	var a struct {
		Action string            `json:"response_action"`
		Errors map[string]string `json:"errors"`
	}
	if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 || a.Action != "errors" || len(a.Errors) != 2 || a.Errors["company_domain"] == "" || a.Errors["consent"] == "" {
		t.Errorf("%d %s", status, body)
	}
	if len(w.cases()) != 0 {
		t.Error("a case came of it")
	}
	// It was mended in the same form.
	v.values["company_domain"], v.values["consent"] = "acme.example", "yes"
	w.took(v)
}

func TestAGoodFormIsStoredBeforeItIsAnsweredAndHasItsCard(t *testing.T) {
	w := openWorld(t)
	w.sink.failing.Store(true)
	v := w.byAna()
	if status, body := w.submit(v); status != 200 || !strings.Contains(body, `"errors"`) || !strings.Contains(body, "send it again") {
		t.Fatalf("what was not stored was answered with %d %s", status, body)
	}
	w.sink.failing.Store(false)
	body := w.took(v)
	cases := w.cases()
	if len(cases) != 1 || cases[0].Partner != "alpha" || !strings.Contains(body, cases[0].Number) || !strings.Contains(body, "https://partners.vendor.example/status/") {
		t.Fatalf("%+v\n%s", cases, body)
	}
	d, err := w.gateway.Dossier(t.Context(), cases[0].Number)
	if err != nil {
		t.Fatal(err)
	}
	s := d.Submissions[0]
	if s.Channel != "slack" || s.Sender.Strength != intake.StrengthVerified || !strings.Contains(s.Sender.How, "C0ALPHA") || s.Evidence[intake.FieldConsent] == "" || s.Raw.Size == 0 {
		t.Errorf("%+v", s)
	}
	posted := w.slack.wait(t, "chat.postMessage", 1)
	if c := posted[0]; c.arg("channel") != "C0ALPHA" || !strings.Contains(c.arg("blocks"), cases[0].Number) || c.arg("thread_ts") != "" {
		t.Errorf("%v", c.form)
	}
}

func TestTheSameFormTwiceIsOneCase(t *testing.T) {
	w := openWorld(t)
	v := w.byAna()
	w.took(v)
	status, body := w.submit(v) // as after an answer that was lost
	if status != 200 || !strings.Contains(body, "already") || len(w.cases()) != 1 {
		t.Errorf("%d %s, %d cases", status, body, len(w.cases()))
	}
}

func TestNothingThatWasTypedMentionsAnybody(t *testing.T) {
	w := openWorld(t)
	const name = "<!channel> & <@U1> *bold*"
	w.took(w.byAna(func(v *view) { v.values["company_name"] = name }))
	c := w.slack.wait(t, "chat.postMessage", 1)[0]
	if text := c.arg("text"); strings.Contains(text, "<!") || strings.Contains(text, "<@") || !strings.Contains(text, "&lt;!channel&gt; &amp; &lt;@U1&gt;") {
		t.Errorf("the text is %q", text)
	}
	var blocks []object
	if err := json.Unmarshal([]byte(c.arg("blocks")), &blocks); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(c.arg("blocks"), `"mrkdwn"`) || !strings.Contains(fmt.Sprint(blocks), name) {
		t.Errorf("the blocks are %s", c.arg("blocks"))
	}
}

// settled waits for a case that has come to a state.
func (w *world) settled(s intake.Status) intake.Registration {
	w.Helper()
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late); time.Sleep(5 * time.Millisecond) {
		for _, r := range w.cases() {
			if r.Status == s {
				return r
			}
		}
	}
	w.Fatalf("no case is %s: %+v", s, w.cases())
	return intake.Registration{}
}

// kept waits until it is known of which case a message is: that is noted after it was posted.
func (w *world) kept(channel, ts string) {
	w.Helper()
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late); time.Sleep(time.Millisecond) {
		if number, err := w.bot.caseOf(context.Background(), channel, ts); err != nil || number != "" {
			return
		}
	}
	w.Fatalf("%s in %s is of no case", ts, channel)
}

func TestAChangeIsShownInTheCardAndToldOnceInItsThread(t *testing.T) {
	w := openWorld(t)
	w.took(w.byAna())
	posted := w.slack.wait(t, "chat.postMessage", 1)
	card := posted[0].arg("answered_ts")
	r := w.settled(intake.StatusInReview)
	if _, err := w.gateway.Approve(t.Context(), r.Number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	updated := w.slack.wait(t, "chat.update", 1)
	posted = w.slack.wait(t, "chat.postMessage", 2)
	if u := updated[len(updated)-1]; u.arg("ts") != card || u.arg("channel") != "C0ALPHA" || !strings.Contains(u.arg("blocks"), "Approved") {
		t.Errorf("%v", u.form)
	}
	if p := posted[1]; p.arg("thread_ts") != card || !strings.Contains(p.arg("text"), "approved") {
		t.Errorf("%v", p.form)
	}
	if n := len(w.slack.got("response/1")) + len(w.mail.all()); n != 0 {
		t.Errorf("%d answers went elsewhere", n)
	}
	// The same message once more, as after a crash, is told no second time.
	m := intake.Message{ID: "x.1", Kind: intake.MessageApproved, To: w.settled(intake.StatusProvisional).Reply, Facts: intake.Facts{Case: r.Number, Status: intake.StatusProvisional, Zone: "UTC"}}
	for range 2 {
		for {
			_, err := w.bot.Reply(t.Context(), m)
			if _, wait := intake.RetryDelay(err); wait {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if got := w.slack.got("chat.postMessage"); len(got) != 3 {
		t.Errorf("%d messages, want 3", len(got))
	}
}

func TestARefusalIsToldToThePersonAlone(t *testing.T) {
	w := openWorld(t)
	w.took(w.byAna())
	w.slack.wait(t, "chat.postMessage", 1)
	r := w.settled(intake.StatusInReview)
	if _, err := w.gateway.Decline(t.Context(), r.Number, intake.Verdict{By: "mia", Rationale: "it is out of our market", Message: "Not our market."}); err != nil {
		t.Fatal(err)
	}
	posted := w.slack.wait(t, "chat.postMessage", 2)
	if p := posted[1]; p.arg("channel") != "DU0ANA" || !strings.Contains(p.arg("text"), "Not our market.") {
		t.Errorf("%v", p.form)
	}
	for _, c := range append(w.slack.got("chat.update"), posted...) {
		if c.arg("channel") == "C0ALPHA" && strings.Contains(strings.ToLower(c.arg("text")+c.arg("blocks")), "declined") {
			t.Errorf("all in the channel read %v", c.form)
		}
	}
}

func TestARateLimitHoldsUpOneChannelAlone(t *testing.T) {
	w := openWorld(t)
	limited := 0
	var first time.Time
	w.slack.set(func(p *peer) {
		p.refuse = func(c call) string {
			p.mu.Lock()
			defer p.mu.Unlock()
			if c.method == "chat.postMessage" && c.arg("channel") == "C0ALPHA" && limited == 0 {
				limited, first = 1, time.Now()
				return "429:2"
			}
			return ""
		}
	})
	w.took(w.byAna())
	for w.bot.pace.free("T0HOME/C0ALPHA") { // until the limit is met
		time.Sleep(time.Millisecond)
	}
	w.took(w.byAna(func(v *view) {
		v.team, v.meta.Channel, v.user = "T0BETA", "C0BETA", "U0BEN"
		v.values["company_domain"], v.values["contact_email"], v.values["company_name"] = "contoso.example", "x@contoso.example", "Contoso"
	}))
	posted := w.slack.wait(t, "chat.postMessage", 2)
	if posted[0].arg("channel") != "C0BETA" || posted[0].at.Sub(first) >= 2*time.Second {
		t.Errorf("the other channel waited %v", posted[0].at.Sub(first))
	}
	if wait := posted[1].at.Sub(first); posted[1].arg("channel") != "C0ALPHA" || wait < 2*time.Second {
		t.Errorf("sent after %v", wait)
	}
}

// free reports whether a channel is not held up.
func (p pacer) free(channel string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.next[channel].Before(p.now().Add(time.Second))
}

func TestWhereTheChannelIsClosedTheCardGoesToThePerson(t *testing.T) {
	w := openWorld(t)
	w.slack.set(func(p *peer) {
		p.refuse = func(c call) string {
			if c.method == "chat.postMessage" && c.arg("channel") == "C0ALPHA" {
				return "not_in_channel"
			}
			return ""
		}
	})
	w.took(w.byAna())
	if c := w.slack.wait(t, "chat.postMessage", 1)[0]; c.arg("channel") != "DU0ANA" {
		t.Errorf("%v", c.form)
	}
}

func TestTheLastWaysAreTheAnswerOfTheFormAndThenMail(t *testing.T) {
	for name, tt := range map[string]struct {
		reply            string
		response, mailed int
	}{
		"an address of Slack's":       {"/response/1", 1, 0},
		"no address":                  {"", 0, 1},
		"an address of someone else":  {"http://169.254.169.254/latest", 0, 1},
		"one that looks like Slack's": {"https://hooks.slack.com.evil.example/x", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := openWorld(t)
			w.slack.set(func(p *peer) {
				p.refuse = func(c call) string {
					switch c.method {
					case "chat.postMessage", "conversations.open", "chat.postEphemeral":
						return "channel_not_found"
					}
					return ""
				}
			})
			if strings.HasPrefix(tt.reply, "/") {
				tt.reply = w.slack.URL + tt.reply
			}
			w.took(w.byAna(func(v *view) { v.meta.Reply = tt.reply }))
			for late := time.Now().Add(20 * time.Second); time.Now().Before(late) && len(w.slack.got("/response/1"))+len(w.mail.all()) == 0; {
				time.Sleep(5 * time.Millisecond)
			}
			if n := len(w.slack.got("/response/1")); n != tt.response {
				t.Errorf("%d answers by the address", n)
			}
			mailed := w.mail.all()
			if len(mailed) != tt.mailed || len(mailed) > 0 && (mailed[0].To.Channel != "email" || mailed[0].To.Address != "ana@alpha.example") {
				t.Errorf("mailed %+v", mailed)
			}
		})
	}
}

func TestAnExternalPersonPressesTheButton(t *testing.T) {
	w := openWorld(t)
	if status, body := w.press(actionRegister, ""); status != 200 || body != "" {
		t.Fatalf("%d %s", status, body)
	}
	if len(w.slack.got("views.open")) != 1 {
		t.Fatal("no form was opened")
	}
	// What comes back names the person's own workspace; the app is not in there.
	w.took(w.byAna())
	if r := w.cases()[0]; r.Partner != "alpha" || r.Status == intake.StatusQuarantined {
		t.Errorf("%+v", r)
	}
	w.slack.wait(t, "chat.postMessage", 1)
}

func TestAMentionFromOutsideIsAnsweredWithTheButton(t *testing.T) {
	w := openWorld(t)
	if status := w.happens("Ev1", mentions("register Acme acme.com Jane jane@acme.com")); status != 200 {
		t.Fatal(status)
	}
	c := w.slack.wait(t, "chat.postEphemeral", 1)[0]
	if c.arg("user") != "U0ANA" || c.arg("channel") != "C0ALPHA" || !strings.Contains(c.arg("blocks"), `"action_id":"register"`) || !strings.Contains(c.arg("blocks"), "acme.com") {
		t.Errorf("%v", c.form)
	}
	// The button has what was written.
	var blocks slack.Blocks
	if err := json.Unmarshal([]byte(c.arg("blocks")), &blocks); err != nil {
		t.Fatal(err)
	}
	value := blocks.BlockSet[1].(*slack.ActionBlock).Elements.ElementSet[0].(*slack.ButtonBlockElement).Value
	w.press(actionRegister, value)
	if v := fmt.Sprint(w.slack.wait(t, "views.open", 1)[0].json["view"]); !strings.Contains(v, "jane@acme.com") {
		t.Error(v)
	}
	// Who writes to the app itself is answered there.
	direct := object{"type": "message", "user": "U0ANA", "user_team": "T0ALPHA", "text": "help", "ts": "1.5", "channel": "DU0ANA", "channel_type": "im"}
	w.happens("Ev3", direct)
	if c := w.slack.wait(t, "chat.postMessage", 1)[0]; c.arg("channel") != "DU0ANA" || !strings.Contains(c.arg("text"), "/register") {
		t.Errorf("%v", c.form)
	}
	direct["bot_id"] = "B1" // our own words come as events too
	w.happens("Ev4", direct)
	// The button to be pinned is for all.
	w.happens("Ev2", mentions("button"))
	if c := w.slack.wait(t, "chat.postMessage", 2)[1]; c.arg("channel") != "C0ALPHA" || !strings.Contains(c.arg("blocks"), "register") {
		t.Errorf("%v", c.form)
	}
}

func TestWhereChannelAndWorkspaceDisagreeAPersonDecides(t *testing.T) {
	w := openWorld(t, func(_ *Config, s *rules.Spec, _ *intake.Options) { s.Mode = intake.ModeAuto })
	status, body := w.submit(w.byAna(func(v *view) { v.team = "T0BETA" }))
	if status != 200 || !strings.Contains(body, "A person of our team looks at it first") || strings.Contains(body, "status/") {
		t.Fatalf("%d %s", status, body)
	}
	r := w.cases()[0]
	d, err := w.gateway.Dossier(t.Context(), r.Number)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != intake.StatusQuarantined || r.Partner != "" || !strings.Contains(d.Submissions[0].Note, "beta") || !strings.Contains(d.Submissions[0].Note, "alpha") {
		t.Errorf("%+v, noted %q", r, d.Submissions[0].Note)
	}
	// Neither is shown anything of the other's.
	if _, body := w.command("list", func(v url.Values) { v.Set("team_id", "T0BETA") }); strings.Contains(body, "LG-") {
		t.Error(body)
	}
	if _, err := w.gateway.Assign(t.Context(), r.Number, "beta", intake.Verdict{By: "mia"}); err != nil {
		t.Error(err)
	}
	// What was registered in alpha's channel and is beta's now is shown to the person alone.
	for _, c := range w.slack.wait(t, "chat.postMessage", 1) {
		if c.arg("channel") != "DU0ANA" {
			t.Errorf("%v", c.form)
		}
	}
}

func TestAStrangerIsAskedForAnAddressAndAskedThereToConfirm(t *testing.T) {
	w := openWorld(t)
	v := w.byAna(func(v *view) {
		v.team, v.user, v.meta.Channel, v.meta.Asks = "T0HOME", "U0GUEST", "C0OTHER", true
		v.values["submitter_email"] = "bob@alpha.example"
	})
	if body := w.took(v); !strings.Contains(body, "bob@alpha.example") || strings.Contains(body, "/status/") {
		t.Error(body)
	}
	r := w.cases()[0]
	if r.Status != intake.StatusQuarantined {
		t.Errorf("%+v", r)
	}
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late) && len(w.mail.all()) == 0; time.Sleep(5 * time.Millisecond) {
	}
	if m := w.mail.all(); len(m) != 1 || m[0].Kind != intake.MessageConfirm || m[0].To.Address != "bob@alpha.example" {
		t.Errorf("%+v", m)
	}
	if n := len(w.slack.got("chat.postMessage")); n != 0 {
		t.Errorf("%d messages in Slack before he has confirmed", n)
	}
}

func TestWhatAProfileSaysCountsAtHomeAlone(t *testing.T) {
	guest := func(team string, confirmed bool) map[string]any {
		return object{"id": "U0GUEST", "team_id": team, "is_email_confirmed": confirmed, "real_name": "Gil", "profile": object{"email": "gil@alpha.example", "real_name": "Gil"}}
	}
	for name, tt := range map[string]struct {
		profile map[string]any
		team    string
		status  intake.Status
	}{
		"a guest of ours whose address is confirmed": {guest("T0HOME", true), "T0HOME", intake.StatusInReview},
		"a guest whose address is not":               {guest("T0HOME", false), "T0HOME", intake.StatusQuarantined},
		"somebody of another workspace":              {guest("T0EVIL", true), "T0EVIL", intake.StatusQuarantined},
		"one of a workspace that has the app":        {guest("T0APP", true), "T0APP", intake.StatusQuarantined},
	} {
		t.Run(name, func(t *testing.T) {
			w := openWorld(t)
			w.slack.set(func(p *peer) { p.users["U0GUEST"] = tt.profile })
			if err := w.bot.keep(t.Context(), Installation{Team: "T0APP", Token: "xoxb-app"}); err != nil {
				t.Fatal(err)
			}
			w.took(w.byAna(func(v *view) {
				v.team, v.user, v.meta.Channel, v.meta.Asks = tt.team, "U0GUEST", "C0OTHER", true
				if tt.team == "T0APP" {
					v.installed = tt.team
				}
				v.values["submitter_email"] = "gil@alpha.example"
			}))
			w.settled(tt.status)
		})
	}
}

func TestAnEventThatComesAgainHasOneEffect(t *testing.T) {
	w := openWorld(t)
	retry := func(h http.Header) { h.Set("X-Slack-Retry-Num", "1"); h.Set("X-Slack-Retry-Reason", "http_timeout") }
	w.happens("Ev1", mentions("register"))
	if status := w.happens("Ev1", mentions("register"), retry); status != 200 {
		t.Fatal(status)
	}
	w.happens("Ev2", mentions("help"))
	w.slack.wait(t, "chat.postEphemeral", 2)
	w.bot.stop()
	if n := len(w.slack.got("chat.postEphemeral")); n != 2 {
		t.Errorf("%d answers to two events", n)
	}
}

func TestWhereTheAppIsGoneAnswersGoByMail(t *testing.T) {
	for _, event := range []object{{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": object{"bot": []string{"U0BOT"}}}} {
		t.Run(event["type"].(string), func(t *testing.T) {
			w := openWorld(t)
			w.took(w.byAna())
			w.slack.wait(t, "chat.postMessage", 1)
			r := w.settled(intake.StatusInReview)
			if status := w.happens("Ev1", event); status != 200 {
				t.Fatal(status)
			}
			if c := w.bot.Condition(); !c.Down || c.Problem == "" {
				t.Errorf("%+v", c)
			}
			if _, err := w.gateway.Approve(t.Context(), r.Number, intake.Verdict{By: "mia"}); err != nil {
				t.Fatal(err)
			}
			for late := time.Now().Add(20 * time.Second); time.Now().Before(late) && len(w.mail.all()) == 0; time.Sleep(5 * time.Millisecond) {
			}
			m := w.mail.all()
			if len(m) == 0 || m[len(m)-1].Kind != intake.MessageApproved || m[len(m)-1].To.Address != "ana@alpha.example" {
				t.Errorf("%+v", m)
			}
			if n := len(w.slack.got("chat.update")); n > 1 {
				t.Errorf("%d calls with a token that was taken back", n)
			}
		})
	}
}

func TestWhatACaseWaitsForIsAddedByTheButtonOrInTheThread(t *testing.T) {
	for _, way := range []string{"the button", "the thread", "the direct message"} {
		t.Run(way, func(t *testing.T) {
			w := openWorld(t, func(_ *Config, s *rules.Spec, _ *intake.Options) {
				s.Required = rules.RequiredFull
			})
			w.took(w.byAna())
			r := w.settled(intake.StatusNeedsInfo)
			asked := w.slack.wait(t, "chat.postMessage", 2)
			var card, question call
			for _, c := range asked {
				if c.arg("channel") == "DU0ANA" {
					question = c
				}
				if c.arg("channel") == "C0ALPHA" && c.arg("thread_ts") == "" {
					card = c
				} else if !strings.Contains(c.arg("blocks"), `"action_id":"answer"`) || c.arg("channel") != "DU0ANA" {
					t.Errorf("asked by %v", c.form)
				}
			}
			if way == "the button" {
				w.press(actionAnswer, r.Number)
				v := w.slack.wait(t, "views.open", 1)[0].json["view"].(object)
				if !strings.Contains(fmt.Sprint(v), "contact_role") {
					t.Fatal(v)
				}
				status, body := w.submit(w.byAna(func(v *view) {
					v.callback, v.meta.Case, v.values = callbackAnswer, r.Number, map[string]string{"contact_role": "Head of IT"}
				}))
				if status != 200 || !strings.Contains(body, "clear") {
					t.Fatal(status, body)
				}
			} else {
				e := object{"type": "message", "user": "U0ANA", "user_team": "T0ALPHA", "text": "Contact role: Head of IT", "ts": "1700000009.1", "thread_ts": card.arg("answered_ts"), "channel": "C0ALPHA", "channel_type": "channel"}
				if way == "the direct message" {
					e["thread_ts"], e["channel"], e["channel_type"] = question.arg("answered_ts"), "DU0ANA", "im"
				}
				w.kept(e["channel"].(string), e["thread_ts"].(string))
				if status := w.happens("Ev9", e); status != 200 {
					t.Fatal(status)
				}
			}
			if r = w.settled(intake.StatusInReview); r.Lead[intake.FieldContactRole] != "Head of IT" {
				t.Errorf("%+v", r.Lead)
			}
		})
	}
}

func TestWhoIsKnownByTheChannelAloneAnswersInADirectMessage(t *testing.T) {
	w := openWorld(t, func(_ *Config, s *rules.Spec, _ *intake.Options) { s.Required = rules.RequiredFull })
	w.partners(intake.Partner{ID: "alpha", Name: "Alpha", Domains: []string{"alpha.example"}, Slack: &intake.Slack{Channel: "C0ALPHA"}, Contacts: []intake.Contact{{Name: "Ana", Email: "ana@alpha.example"}}})
	w.took(w.byAna())
	r := w.settled(intake.StatusNeedsInfo)
	w.slack.wait(t, "chat.postMessage", 2)
	direct := func(user string) func(object) {
		return func(o object) {
			o["user"], o["channel"] = object{"id": user, "team_id": "T0ALPHA"}, object{"id": "DU0ANA"}
		}
	}
	for ; ; time.Sleep(time.Millisecond) { // what was asked is kept once it was posted
		if at, err := recall[place](t.Context(), w.bot.memory, placeName(r.Number)); err != nil {
			t.Fatal(err)
		} else if len(at.Asked) > 0 && len(at.Told) > 0 {
			break
		}
	}
	w.press(actionAnswer, r.Number, direct("U0EVE"))
	if said := w.slack.wait(t, "/response/2", 1); len(w.slack.got("views.open")) != 0 {
		t.Errorf("somebody else got the form: %v", said)
	}
	w.press(actionAnswer, r.Number, direct("U0ANA"))
	w.slack.wait(t, "views.open", 1)
	answer := func(user string) view {
		return w.byAna(func(v *view) {
			v.callback, v.user, v.meta.Channel, v.meta.Case, v.values = callbackAnswer, user, "DU0ANA", r.Number, map[string]string{"contact_role": "Head of IT"}
		})
	}
	if _, body := w.submit(answer("U0EVE")); strings.Contains(body, "clear") {
		t.Errorf("somebody else has answered: %s", body)
	}
	if status, body := w.submit(answer("U0ANA")); status != 200 || !strings.Contains(body, "clear") {
		t.Fatal(status, body)
	}
	if r = w.settled(intake.StatusInReview); r.Lead[intake.FieldContactRole] != "Head of IT" {
		t.Errorf("%+v", r.Lead)
	}
}

func TestCommandsTellAPartnerOfItsOwnCasesAlone(t *testing.T) {
	w := openWorld(t)
	w.took(w.byAna())
	r := w.settled(intake.StatusInReview)
	beta := func(v url.Values) { v.Set("channel_id", "C0BETA") }
	for name, tt := range map[string]struct {
		text   string
		change func(url.Values)
		has    string
		hasNot string
	}{
		"the list":                   {"list", func(url.Values) {}, r.Number, ""},
		"the list of another":        {"list", beta, "no registrations yet", r.Number},
		"the state":                  {"status " + r.Number, func(url.Values) {}, templates.StatusWord("en", intake.StatusInReview), "next step"},
		"when it is decided":         {"status " + r.Number, func(url.Values) {}, "We decide by", ""},
		"the state of another's":     {"status " + r.Number, beta, "None of your registrations", "Acme"},
		"a number that there is not": {"status LG-2026-000000-0", func(url.Values) {}, "None of your registrations", ""},
		"nobody knows who":           {"list", func(v url.Values) { v.Set("channel_id", "C0OTHER") }, "for which partner", r.Number},
		"help":                       {"help", func(url.Values) {}, "/register Acme acme.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := w.command(tt.text, tt.change)
			if status != 200 || !strings.Contains(body, tt.has) || tt.hasNot != "" && strings.Contains(body, tt.hasNot) || !strings.Contains(body, "ephemeral") {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	alpha, err := w.gateway.Partner(t.Context(), "alpha")
	if err != nil {
		t.Fatal(err)
	}
	alpha.Status = intake.PartnerSuspended
	if err := w.gateway.PutPartners(t.Context(), []intake.Partner{alpha}); err != nil {
		t.Fatal(err)
	}
	if _, body := w.command("list"); strings.Contains(body, r.Number) || !strings.Contains(body, "takes no part") {
		t.Errorf("a partner who takes no part is told %s", body)
	}
	w.partners(alpha)
	if _, body := w.command("withdraw " + r.Number); !strings.Contains(body, "We have your words") {
		t.Error(body)
	}
	w.settled(intake.StatusWithdrawn)
}

func TestFiftyFormsAtOnceAreFiftyCases(t *testing.T) {
	w := openWorld(t, func(c *Config, _ *rules.Spec, _ *intake.Options) { c.Limits = Limits{UserHour: 100, TeamHour: 100} })
	var all sync.WaitGroup
	for n := range 50 {
		v := w.byAna(func(v *view) {
			v.values["company_name"], v.values["company_domain"], v.values["contact_email"] = fmt.Sprintf("Firm %c%c", 'A'+n/26, 'A'+n%26), fmt.Sprintf("firm%d.example", n), fmt.Sprintf("a@firm%d.example", n)
		})
		all.Go(func() { w.submit(v) })
	}
	all.Wait()
	if n := len(w.cases()); n != 50 {
		t.Fatalf("%d cases", n)
	}
	cards := make(map[string]bool)
	for _, c := range w.slack.wait(t, "chat.postMessage", 50) {
		if c.arg("thread_ts") == "" {
			cards[c.arg("answered_ts")] = true
		}
	}
	if len(cards) != 50 {
		t.Errorf("%d cards", len(cards))
	}
}

func TestTooManyFormsOfOnePersonAreRefusedInWords(t *testing.T) {
	w := openWorld(t, func(c *Config, _ *rules.Spec, _ *intake.Options) { c.Limits = Limits{UserHour: 1, TeamHour: 5} })
	w.took(w.byAna())
	if status, body := w.submit(w.byAna(func(v *view) { v.values["company_domain"] = "contoso.example" })); status != 200 || !strings.Contains(body, "Too many") {
		t.Error(status, body)
	}
	if len(w.cases()) != 1 {
		t.Error("it was taken")
	}
}

func TestManyFormsOfOneWorkspaceHoldUpNoOther(t *testing.T) {
	w := openWorld(t, func(c *Config, _ *rules.Spec, _ *intake.Options) { c.Limits = Limits{UserHour: 1, TeamHour: 1} })
	w.took(w.byAna())
	w.took(w.byAna(func(v *view) {
		v.team, v.user, v.meta.Channel = "T0BETA", "U0BEN", "C0BETA"
		v.values = filled(map[string]string{"company_domain": "contoso.example", "contact_email": "x@contoso.example"})
	}))
	if _, body := w.submit(w.byAna(func(v *view) { v.user, v.values["company_domain"] = "U0AMY", "fabrikam.example" })); !strings.Contains(body, "Too many") {
		t.Error(body)
	}
}

func TestTheAppInAPartnersOwnWorkspace(t *testing.T) {
	w := openWorld(t, func(c *Config, _ *rules.Spec, _ *intake.Options) {
		c.ClientID, c.ClientSecret = "1.2", "shh-this-is-secret"
	})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Get(w.url + PathInstall)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	to, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusFound || to.Host != "slack.com" || to.Query().Get("state") == "" {
		t.Fatal(resp.Status, to, err)
	}
	back := func(cookie *http.Cookie) int {
		req, err := http.NewRequest(http.MethodGet, w.url+PathOAuth+"?code=c&state="+to.Query().Get("state"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if cookie != nil {
			req.AddCookie(cookie)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if status := back(nil); status != http.StatusForbidden {
		t.Error("an installation that another browser has begun:", status)
	}
	if status := back(resp.Cookies()[0]); status != http.StatusOK {
		t.Fatal(status)
	}
	i, err := w.bot.installation(context.Background(), "", "T0ALPHA")
	if err != nil || i.Token != "xoxb-of-alpha" || i.home {
		t.Fatalf("%+v, %v", i, err)
	}
	// A person types the command there, in no shared channel: the workspace tells the partner.
	w.took(w.byAna(func(v *view) { v.installed, v.meta.Team, v.meta.Channel = "T0ALPHA", "T0ALPHA", "C0INSIDE" }))
	if r := w.cases()[0]; r.Partner != "alpha" {
		t.Errorf("%+v", r)
	}
	if c := w.slack.wait(t, "chat.postMessage", 1)[0]; c.arg("channel") != "DU0ANA" || c.arg("token") != "xoxb-of-alpha" {
		t.Errorf("%v", c.form)
	}
	if _, err := w.bot.installation(context.Background(), "", "T0EVIL"); err == nil {
		t.Error("a workspace without the app has one")
	}
	// An old word of a removal, and one that comes again, end nothing that was installed since.
	old := `{"type":"event_callback","team_id":"T0ALPHA","event_id":"E0","event_time":1700000000,"event":{"type":"app_uninstalled"}}`
	if status, _ := w.send(request{path: PathEvents, body: old}); status != 200 {
		t.Fatal(status)
	}
	if _, err := w.bot.installation(context.Background(), "", "T0ALPHA"); err != nil {
		t.Error(err)
	}
	// It is removed there, and there alone.
	text := `{"type":"event_callback","team_id":"T0ALPHA","event_id":"E1","event_time":2000000000,"event":{"type":"app_uninstalled"}}`
	if status, _ := w.send(request{path: PathEvents, body: text}); status != 200 {
		t.Fatal(status)
	}
	if _, err := w.bot.installation(context.Background(), "", "T0ALPHA"); err == nil {
		t.Error("it is still there")
	}
	if _, err := w.bot.installation(context.Background(), "", "T0HOME"); err != nil {
		t.Error(err)
	}
}

func TestStaffDecideByAButtonAsByALink(t *testing.T) {
	staff := []intake.Staff{{Name: "mia", Email: "mia@vendor.example", Roles: []intake.Role{intake.RolePartnerManager}}, {Name: "vic", Email: "vic@vendor.example", Roles: []intake.Role{intake.RoleViewer}}}
	w := openWorld(t, func(c *Config, _ *rules.Spec, o *intake.Options) {
		c.Staff = Staff{Channel: "C0STAFF", Users: map[string]string{"U0MIA": "mia", "U0VIC": "vic"}}
		o.Staff = staff
	})
	w.took(w.byAna())
	r := w.settled(intake.StatusInReview)
	m := intake.Message{ID: "S-" + r.Number + ".1.staff_queued.ab", Kind: intake.StaffQueued, Facts: intake.Facts{Program: "Vendor", Zone: "UTC"}, Brief: &intake.Brief{Partner: "Alpha", Registration: &r, Links: []intake.BriefLink{{Act: intake.ActApprove, URL: "https://partners.vendor.example/desk/only-for-mia"}}}}
	for range 2 { // to two members of staff
		if err := w.bot.Tell(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		m.ID = "S-" + r.Number + ".1.staff_queued.cd"
	}
	var cards []call
	for _, c := range w.slack.got("chat.postMessage") {
		if c.arg("channel") == "C0STAFF" {
			cards = append(cards, c)
		}
	}
	if len(cards) != 1 || strings.Contains(cards[0].arg("blocks")+cards[0].arg("text"), "only-for-mia") {
		t.Fatalf("%v", cards)
	}
	value, err := json.Marshal(metadata{Case: r.Number, Revision: r.Revision})
	if err != nil {
		t.Fatal(err)
	}
	by := func(user, team, channel string) func(object) {
		return func(o object) {
			o["user"], o["channel"] = object{"id": user, "team_id": team}, object{"id": channel}
			o["container"] = object{"type": "message", "message_ts": cards[0].arg("answered_ts"), "channel_id": channel}
		}
	}
	for name, who := range map[string]func(object){
		"who is not of the staff":  by("U0EVE", "T0HOME", "C0STAFF"),
		"who may only read":        by("U0VIC", "T0HOME", "C0STAFF"),
		"in another channel":       by("U0MIA", "T0HOME", "C0ALPHA"),
		"one of another workspace": by("U0MIA", "T0ALPHA", "C0STAFF"),
	} {
		w.press(actionStaff+"approve", string(value), who)
		w.slack.wait(t, "/response/2", 1)
		if n := len(w.slack.got("views.open")); n != 0 {
			t.Errorf("%s got a form", name)
		}
	}
	w.press(actionStaff+"decline", string(value), by("U0MIA", "T0HOME", "C0STAFF"))
	if v := fmt.Sprint(w.slack.wait(t, "views.open", 1)[0].json["view"]); !strings.Contains(v, "rationale") || !strings.Contains(v, r.Number) {
		t.Error(v)
	}
	decision := func(user string) view {
		return w.byAna(func(v *view) {
			v.team, v.user, v.callback, v.meta = "T0HOME", user, callbackStaff, metadata{Team: "T0HOME", Channel: "C0STAFF", Case: r.Number, Revision: r.Revision, Shown: r.Revision, Act: intake.ActDecline, Message: "1.1"}
			v.values = map[string]string{"reason": string(intake.ReasonNotEligible), "rationale": "it is out of our market", "message": "Not our market."}
		})
	}
	if _, body := w.submit(decision("U0VIC")); strings.Contains(body, "clear") {
		t.Error(body)
	}
	short := decision("U0MIA")
	short.values["rationale"] = "no"
	if _, body := w.submit(short); !strings.Contains(body, "errors") {
		t.Error(body)
	}
	if status, body := w.submit(decision("U0MIA")); status != 200 || !strings.Contains(body, "clear") {
		t.Fatal(status, body)
	}
	w.settled(intake.StatusDeclined)
	d, err := w.gateway.Dossier(t.Context(), r.Number)
	if err != nil {
		t.Fatal(err)
	}
	decided := false
	for _, e := range d.Events {
		decided = decided || e.Actor == "staff:mia" && e.To == intake.StatusDeclined
	}
	if !decided {
		t.Errorf("%+v", d.Events)
	}
	// A second time it is too late.
	if _, body := w.submit(decision("U0MIA")); !strings.Contains(body, "has changed") {
		t.Error(body)
	}
}

func TestStaffSeeWhatCameSinceTheCardAndDecide(t *testing.T) {
	w := openWorld(t, func(c *Config, _ *rules.Spec, o *intake.Options) {
		c.Staff = Staff{Channel: "C0STAFF", Users: map[string]string{"U0MIA": "mia"}}
		o.Staff = []intake.Staff{{Name: "mia", Email: "mia@vendor.example", Roles: []intake.Role{intake.RolePartnerManager}}}
	})
	w.took(w.byAna())
	card := w.slack.wait(t, "chat.postMessage", 1)[0].arg("answered_ts")
	r := w.settled(intake.StatusInReview)
	m := intake.Message{ID: "S-" + r.Number + ".1.staff_queued.ab", Kind: intake.StaffQueued, Facts: intake.Facts{Program: "Vendor", Zone: "UTC"}, Brief: &intake.Brief{Partner: "Alpha", Registration: &r}}
	if err := w.bot.Tell(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	value := ""
	for _, c := range w.slack.got("chat.postMessage") {
		if blocks := c.arg("blocks"); c.arg("channel") == "C0STAFF" {
			if !strings.Contains(blocks, " · "+r.Number) {
				t.Errorf("the card does not say what it is about: %s", blocks)
			}
			value = string(wireJSON(object{"n": r.Number, "v": r.Revision}))
			if quoted := strings.ReplaceAll(value, `"`, `\"`); !strings.Contains(blocks, quoted) {
				t.Fatalf("the button does not bring %s: %s", quoted, blocks)
			}
		}
	}
	w.kept("C0ALPHA", card)
	said := mentions("Contact role: Head of IT")
	said["thread_ts"] = card
	if status := w.happens("EvSince", said); status != 200 {
		t.Fatal(status)
	}
	decision := func(meta metadata) view {
		return w.byAna(func(v *view) {
			v.team, v.user, v.callback, v.meta, v.values = "T0HOME", "U0MIA", callbackStaff, meta, map[string]string{"message": "Go ahead."}
		})
	}
	// Who has not seen it can't decide.
	blind := metadata{Team: "T0HOME", Channel: "C0STAFF", Case: r.Number, Revision: r.Revision, Shown: r.Revision, Act: intake.ActApprove}
	if _, body := w.submit(decision(blind)); !strings.Contains(body, "has changed") {
		t.Error(body)
	}
	w.press(actionStaff+"approve", value, func(o object) {
		o["user"], o["channel"] = object{"id": "U0MIA", "team_id": "T0HOME"}, object{"id": "C0STAFF"}
	})
	opened := w.slack.wait(t, "views.open", 1)[0].json["view"].(object)
	if form := fmt.Sprint(opened); !strings.Contains(form, "Since the card was posted") || !strings.Contains(form, "Head of IT") {
		t.Errorf("%v", opened)
	}
	meta, err := readMetadata(opened["private_metadata"].(string))
	if err != nil {
		t.Fatal(err)
	}
	meta.Message = ""
	if status, body := w.submit(decision(meta)); status != 200 || !strings.Contains(body, "clear") {
		t.Fatal(status, body)
	}
	w.settled(intake.StatusProvisional)
}

func TestWhatStaffCouldNotBeToldIsPostedOnceSlackIsBack(t *testing.T) {
	w := openWorld(t, func(c *Config, _ *rules.Spec, _ *intake.Options) { c.Staff = Staff{Channel: "C0STAFF"} })
	r := intake.Registration{Number: "LG-2026-000001-K", Status: intake.StatusInReview}
	tell := func(n int, reader string) error {
		return w.bot.Tell(t.Context(), intake.Message{ID: fmt.Sprintf("S-%s.%d.staff_queued.%s", r.Number, n, reader), Kind: intake.StaffQueued, Facts: intake.Facts{Program: "Vendor", Zone: "UTC"}, Brief: &intake.Brief{Partner: "Alpha", Registration: &r}})
	}
	for fault, posted := range map[string]int{"service_unavailable": 2, "channel_not_found": 0} {
		w.slack.set(func(p *peer) { p.refuse = refusing("chat.postMessage", fault) })
		for n := range 2 {
			for _, reader := range []string{"ab", "cd"} {
				err := tell(n, reader)
				for ; err != nil && code(err) != fault; err = tell(n, reader) { // one a second
				}
				if err == nil {
					t.Fatal("it was told")
				}
			}
		}
		w.slack.set(func(p *peer) { p.refuse = nil })
		before := len(w.slack.got("chat.postMessage"))
		if !w.bot.look(t.Context()) {
			t.Fatal("Slack is not back")
		}
		w.bot.tellMissed(t.Context())
		w.bot.tellMissed(t.Context())
		if got := w.slack.got("chat.postMessage")[before:]; len(got) != posted {
			t.Errorf("after %s %d cards were posted, want %d", fault, len(got), posted)
		}
		r.Number = "LG-2026-000002-K"
	}
}

func TestACaseThatIsAnotherPartnersNowIsNotShownOnInTheOldChannel(t *testing.T) {
	w := openWorld(t)
	w.partners(intake.Partner{ID: "beta", Name: "Beta", Domains: []string{"beta.example"}, Slack: &intake.Slack{Team: "T0BETA", Channel: "C0BETA"}, Contacts: []intake.Contact{{Name: "Ben", Email: "ben@beta.example"}}})
	w.took(w.byAna())
	w.slack.wait(t, "chat.postMessage", 1)
	r := w.settled(intake.StatusInReview)
	if _, err := w.gateway.Reassign(t.Context(), r.Number, "beta", intake.Verdict{By: "mia", Rationale: "they agreed on it"}); err != nil {
		t.Fatal(err)
	}
	w.slack.wait(t, "chat.update", 1)
	w.slack.wait(t, "chat.postMessage", 2)
	if _, err := w.gateway.Approve(t.Context(), r.Number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late) && len(w.mail.all()) < 2; time.Sleep(5 * time.Millisecond) {
	}
	mailed := w.mail.all()
	if last := mailed[len(mailed)-1]; last.Kind != intake.MessageApproved || last.To.Address != "ben@beta.example" {
		t.Errorf("%+v", mailed)
	}
	for _, c := range append(w.slack.got("chat.update"), w.slack.got("chat.postMessage")...) {
		if strings.Contains(c.arg("text"), "Approved") || strings.Contains(c.arg("text"), "Beta") {
			t.Errorf("alpha reads %v", c.form)
		}
	}
}

func TestAChannelThatIsAnotherPartnersNowReadsNothingMoreOfTheCase(t *testing.T) {
	w := openWorld(t)
	w.took(w.byAna())
	w.slack.wait(t, "chat.postMessage", 1)
	r := w.settled(intake.StatusInReview)
	w.partners(
		intake.Partner{ID: "alpha", Name: "Alpha", Domains: []string{"alpha.example"}, Slack: &intake.Slack{Team: "T0ALPHA"}, Contacts: []intake.Contact{{Name: "Ana", Email: "ana@alpha.example"}}},
		intake.Partner{ID: "beta", Name: "Beta", Domains: []string{"beta.example"}, Slack: &intake.Slack{Team: "T0BETA", Channel: "C0ALPHA"}},
	)
	if _, err := w.gateway.Approve(t.Context(), r.Number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	posted := w.slack.wait(t, "chat.postMessage", 3) // the first card; a new one, and what happened, to the person
	for _, c := range append(w.slack.got("chat.update"), posted[1:]...) {
		if c.arg("channel") != "DU0ANA" {
			t.Errorf("beta reads %v", c.form)
		}
	}
	if c := posted[1]; !strings.Contains(c.arg("blocks"), "Approved") || posted[2].arg("thread_ts") != c.arg("answered_ts") {
		t.Errorf("%v", posted)
	}
}

func TestWhoIsNamedByHisAddressAloneIsReachedToo(t *testing.T) {
	w := openWorld(t)
	week := intake.Message{ID: "P-1", Kind: intake.MessageStatus, To: intake.Route{Channel: Channel, Address: "slack:T0ALPHA/U0ANA"}, Facts: intake.Facts{Zone: "UTC"}}
	if _, err := w.bot.Reply(t.Context(), week); err != nil {
		t.Fatal(err)
	}
	if c := w.slack.got("chat.postMessage"); len(c) != 1 || c[0].arg("channel") != "DU0ANA" || c[0].arg("token") != "xoxb-home" {
		t.Errorf("%v", c)
	}
	for _, address := range []string{"slack:T0ALPHA", "slack:/", "x"} {
		week.To.Address = address
		if _, err := w.bot.Reply(t.Context(), week); !intake.IsPermanent(err) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestPeopleWhoTalkInTheThreadAreLeftAlone(t *testing.T) {
	w := openWorld(t)
	w.took(w.byAna())
	card := w.slack.wait(t, "chat.postMessage", 1)[0].arg("answered_ts")
	r := w.settled(intake.StatusInReview)
	w.kept("C0ALPHA", card)
	list := mentions("list")
	list["thread_ts"] = card
	if status := w.happens("EvList", list); status != 200 {
		t.Fatal(status)
	}
	if c := w.slack.wait(t, "chat.postEphemeral", 1)[0]; c.arg("thread_ts") != card || !strings.Contains(c.arg("text"), r.Number) {
		t.Errorf("%v", c.form)
	}
	says := func(id, user, team, text string) {
		t.Helper()
		e := object{"type": "message", "user": user, "user_team": team, "text": text, "ts": "1700000009." + id, "thread_ts": card, "channel": "C0ALPHA"}
		if status := w.happens("Ev"+id, e); status != 200 {
			t.Fatal(status)
		}
	}
	says("1", "U0ANA", "T0ALPHA", "I will call them tomorrow")
	says("2", "U0MIA", "T0HOME", "WITHDRAW "+r.Number)
	says("3", "U0EVE", "T0BETA", "WITHDRAW "+r.Number)
	says("4", "U0ANA", "T0ALPHA", "<@U0BOT> WITHDRAW they went elsewhere") // comes as a mention too
	if d, err := w.gateway.Dossier(t.Context(), r.Number); err != nil || len(d.Submissions) != 1 {
		t.Errorf("%d submissions, %v", len(d.Submissions), err)
	}
	says("5", "U0ANA", "T0ALPHA", "WITHDRAW they told <@U0MIA> so")
	w.settled(intake.StatusWithdrawn)
}

func TestWhereBothSidesHaveTheAppAThreadIsTheSame(t *testing.T) {
	w := openWorld(t)
	if err := w.bot.keep(t.Context(), Installation{Team: "T0ALPHA", Token: "xoxb-of-alpha", Bot: "U0BOT2", At: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
	w.took(w.byAna())
	card := w.slack.wait(t, "chat.postMessage", 1)[0].arg("answered_ts")
	r := w.settled(intake.StatusInReview)
	w.kept("C0ALPHA", card)
	says := func(id, user, team, text string) {
		t.Helper()
		e := object{
			"type": "event_callback", "team_id": "T0ALPHA", "event_id": id, "event_time": happened, "authorizations": []any{object{"team_id": "T0ALPHA"}},
			"event": object{"type": "message", "user": user, "user_team": team, "text": text, "ts": "1700000009." + id, "thread_ts": card, "channel": "C0ALPHA"},
		}
		if status, body := w.send(request{path: PathEvents, body: string(wireJSON(e))}); status != 200 {
			t.Fatal(status, body)
		}
	}
	says("1", "U0MIA", "T0HOME", "WITHDRAW "+r.Number) // she is ours, whichever side Slack speaks for
	if d, err := w.gateway.Dossier(t.Context(), r.Number); err != nil || len(d.Submissions) != 1 {
		t.Errorf("%d submissions, %v", len(d.Submissions), err)
	}
	says("2", "U0ANA", "T0ALPHA", "WITHDRAW they went elsewhere")
	w.settled(intake.StatusWithdrawn)
}

func TestATokenThatSlackRefusesEndsTheInstallation(t *testing.T) {
	w := openWorld(t)
	w.slack.set(func(p *peer) { p.refuse = refusing("chat.postMessage", "token_revoked") })
	w.took(w.byAna())
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late) && len(w.mail.all()) == 0; time.Sleep(5 * time.Millisecond) {
	}
	if m := w.mail.all(); len(m) != 1 || m[0].To.Address != "ana@alpha.example" {
		t.Errorf("%+v", m)
	}
	if c := w.bot.Condition(); !c.Down || !strings.Contains(c.Problem, "slack.bot_token") {
		t.Errorf("%+v", c)
	}
	// A new token in the configuration begins anew.
	w.bot.cfg.BotToken = "xoxb-new"
	if err := w.bot.learn(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := w.bot.installation(t.Context(), "", "T0HOME"); err != nil {
		t.Error(err)
	}
}

func TestWhatNeverArrivedIsPostedAgain(t *testing.T) {
	w := &world{TB: t, slack: newPeer(t), mail: &postbox{}, secrets: newShelf(), log: &lockedBuffer{}}
	broken := &breaking{}
	w.client = &http.Client{Transport: broken}
	w.open()
	broken.left.Store(1)
	if _, _, err := w.bot.post(Installation{Token: "xoxb-home"}).PostMessageContext(t.Context(), "C1", slack.MsgOptionText("x", true)); err != nil {
		t.Error(err)
	}
	broken.left.Store(1)
	if _, err := w.bot.fast(Installation{Token: "xoxb-home"}).AuthTestContext(t.Context()); err == nil {
		t.Error("what Slack waits for was tried twice")
	}
	broken.left.Store(0)
}

// breaking refuses the next connections.
type breaking struct{ left atomic.Int64 }

func (b *breaking) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.left.Add(-1) >= 0 {
		return nil, syscall.ECONNREFUSED
	}
	return http.DefaultTransport.RoundTrip(r)
}
