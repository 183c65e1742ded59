package teamsbot_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/channels/channeltest"
	"leadgate/channels/teamsbot"
	"leadgate/channels/teamsbot/teamstest"
	"leadgate/intake"
	"leadgate/rules"
)

func TestSomebodyWhoWritesRegisterGetsAForm(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		channel    bool
		want       map[string]any
	}{
		{"in a group, by name behind it", "register Acme acme.com", true, map[string]any{"company_name": "Acme"}},
		{"alone", "register", false, map[string]any{"company_name": nil, "company_domain": nil}},
		{"with what is known", "register Acme acme.com Jane Doe jane@acme.com", false, map[string]any{"company_name": "Acme", "company_domain": "acme.com", "contact_name": "Jane Doe", "contact_email": "jane@acme.com"}},
		{"a company without the word", "Acme acme.com", false, map[string]any{"company_name": "Acme"}},
		{"in a channel, by name", "register Acme acme.com", true, map[string]any{"company_name": "Acme"}},
		{"in a channel, nothing but the name", "", true, map[string]any{"company_name": nil}},
		{"what looks like a mention and like markup", "register '<at>everyone</at> **Acme** [x](http://evil.example)' acme.com", false, map[string]any{"company_domain": "acme.com"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := open(t)
			a := w.says("ana", tenantAlpha, tt.text)
			if tt.channel {
				a = a.InChannel().In(tenantAlpha)
			}
			if strings.HasPrefix(tt.name, "in a group") {
				a = a.With("text", tt.text+" <at>Leadgate</at>").With("conversation", teamstest.Activity{"id": "19:deal-room@thread.v2", "conversationType": "groupChat", "isGroup": true, "tenantId": tenantAlpha})
			}
			c, _ := w.form(a)
			for name, want := range tt.want {
				if got, there := c.inputs[name]; !there || got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
			if _, asked := c.inputs["submitter_email"]; asked || !strings.Contains(c.text, "Alpha") {
				t.Errorf("it asks for an address, or does not say for whom it is:\n%s", c.text)
			}
			if strings.HasPrefix(tt.name, "in a channel") && w.last().Conversation != "19:general@thread.tacv2;messageid=1700000000000" {
				t.Errorf("it is in %q, not in the thread", w.last().Conversation)
			}
			if len(w.gatewayCases()) != 0 {
				t.Error("a case was made")
			}
		})
	}
}

func TestTheFormIsInTheLanguageOfTheClient(t *testing.T) {
	w := open(t)
	c, _ := w.form(w.says("ana", tenantAlpha, "registrieren Acme acme.com").With("locale", "de-AT"))
	if !strings.Contains(c.text, "Lead registrieren") || c.inputs["company_name"] != "Acme" {
		t.Errorf("%v\n%s", c.inputs, c.text)
	}
}

func (w *world) gatewayCases() []intake.OwnCase { return append(w.cases("alpha"), w.cases("beta")...) }

func TestAFormThatIsNotGoodComesBackWithAllThatWasTyped(t *testing.T) {
	w := open(t)
	c, id := w.form(w.says("ana", tenantAlpha, "register"))
	answers := typed("Acme", "localhost")
	answers["contact_email"], answers["consent"] = "jane@acme.example", ""
	again := w.answered(presses(w.says("ana", tenantAlpha, ""), c, id, answers))
	for name, v := range answers {
		if again.inputs[name] != v {
			t.Errorf("%s is %v, want %v", name, again.inputs[name], v)
		}
	}
	if !strings.Contains(again.text, "agrees to be contacted") || !strings.Contains(strings.ToLower(again.text), "domain") {
		t.Errorf("it does not say what is wrong:\n%s", again.text)
	}
	if again.button["leadgate_draft"] != c.button["leadgate_draft"] || again.verb != "register" {
		t.Errorf("it is another form: %v", again.button)
	}
	if n := len(w.cases("alpha")); n != 0 {
		t.Errorf("%d cases", n)
	}
}

func TestACountryIsTakenByItsName(t *testing.T) {
	w := open(t, func(c *teamsbot.Config, _ *rules.Spec) { c.Fields = []intake.Field{intake.FieldCountry} })
	c, id := w.form(w.says("ana", tenantAlpha, "register"))
	answers := typed("Acme", "acme.example")
	answers["country"] = "Germany"
	done := w.answered(presses(w.says("ana", tenantAlpha, ""), c, id, answers))
	all := w.cases("alpha")
	if len(all) != 1 {
		t.Fatalf("%d cases; the card says\n%s", len(all), done.text)
	}
	if got := w.story(all[0].Case).Registration.Lead[intake.FieldCountry]; got != "DE" {
		t.Errorf("the country is %q", got)
	}
}

func TestAFormThatIsGoodBecomesOneCaseHoweverOftenItIsPressed(t *testing.T) {
	w := open(t)
	c, id := w.form(w.says("ana", tenantAlpha, "register"))
	press := presses(w.says("ana", tenantAlpha, ""), c, id, typed("Acme", "acme.example"))
	done := w.answered(press)
	all := w.cases("alpha")
	if len(all) != 1 || !strings.Contains(done.text, all[0].Case) || done.links[all[0].StatusLink] == "" {
		t.Fatalf("%d cases; the card says\n%s\n%v", len(all), done.text, done.links)
	}
	second := w.answered(press)
	other := w.answered(presses(w.says("al", tenantAlpha, "").With("conversation", w.says("ana", tenantAlpha, "")["conversation"]), c, id, typed("Acme", "acme.example")))
	if !strings.Contains(second.text, all[0].Case) || !strings.Contains(other.text, all[0].Case) || len(w.cases("alpha")) != 1 {
		t.Errorf("pressed again:\n%s\n%s\n%d cases", second.text, other.text, len(w.cases("alpha")))
	}
	r := w.story(all[0].Case)
	if s := r.Submissions[0]; s.Channel != "teams" || s.Sender.Address != "ana@alpha.example" || s.Sender.Strength != intake.StrengthVerified ||
		s.Lead[intake.FieldCompanyDomain] != "acme.example" || s.Evidence[intake.FieldConsent] == "" || s.Raw.Size == 0 {
		t.Errorf("%+v", s)
	}
	t.Run("another partner who presses the same card has a case of his own", func(t *testing.T) {
		theirs := w.answered(presses(w.says("bo", tenantBeta, ""), c, id, typed("Acme", "acme.example")))
		if strings.Contains(theirs.text, all[0].Case) || len(w.cases("beta")) != 1 {
			t.Errorf("it says\n%s", theirs.text)
		}
	})
	t.Run("other words on the same card are no repeat", func(t *testing.T) {
		w.answered(presses(w.says("ana", tenantAlpha, ""), c, id, typed("Contoso", "contoso.example")))
		if n := len(w.cases("alpha")); n != 2 {
			t.Errorf("%d cases, want 2", n)
		}
	})
}

func TestNothingIsAcknowledgedThatIsNotStored(t *testing.T) {
	w := open(t)
	c, id := w.form(w.says("ana", tenantAlpha, "register"))
	press := presses(w.says("ana", tenantAlpha, ""), c, id, typed("Acme", "acme.example"))
	w.sink.fails.Store(true)
	again := w.answered(press)
	if strings.Contains(again.text, "LG-") || again.inputs["company_name"] != "Acme" || again.button["leadgate_draft"] != c.button["leadgate_draft"] || strings.Contains(again.text, "disk") {
		t.Errorf("it says\n%s\n%v", again.text, again.inputs)
	}
	w.sink.fails.Store(false)
	if done := w.answered(presses(w.says("ana", tenantAlpha, ""), again, id, typed("Acme", "acme.example"))); !strings.Contains(done.text, "LG-") || len(w.cases("alpha")) != 1 {
		t.Errorf("it says\n%s", done.text)
	}
	w.until("the card", func() bool { return w.last().Method == http.MethodPut })
	w.sink.fails.Store(true)
	w.tells(w.says("ana", tenantAlpha, "WITHDRAW "+w.cases("alpha")[0].Case))
	if got := w.lastTo("ana").Text(); !strings.Contains(got, "could not be stored") {
		t.Errorf("a command that was not stored is answered %q", got)
	}
}

func TestTheSameActivityTwiceIsOne(t *testing.T) {
	w := open(t)
	number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
	w.decided(number, intake.StatusInReview)
	for range 2 {
		w.tells(w.says("ana", tenantAlpha, "WITHDRAW "+number+" they went bankrupt"))
	}
	w.decided(number, intake.StatusWithdrawn)
	if n := len(w.story(number).Submissions); n != 2 {
		t.Errorf("the case has %d submissions, want 2", n)
	}
}

func TestAClientThatKnowsNoExecuteSendsTheFormAsAMessage(t *testing.T) {
	w := open(t)
	c, id := w.form(w.says("ana", tenantAlpha, "register"))
	value := map[string]any{}
	for k, v := range c.button {
		value[k] = v
	}
	for k, v := range typed("Acme", "acme.example") {
		value[k] = v
	}
	submit := w.says("ana", tenantAlpha, "").With("text", nil).With("value", value).With("replyToId", id)
	for range 2 {
		if status, b := w.do(submit); status != 200 {
			t.Fatalf("%d %s", status, b)
		}
	}
	all := w.cases("alpha")
	if len(all) != 1 {
		t.Fatalf("%d cases, want one", len(all))
	}
	for _, s := range w.service.Sent()[1:] {
		if s.ID != id {
			t.Errorf("%s of %s, want the card itself replaced", s.Method, s.ID)
		}
	}
	t.Run("one that is not good is shown again", func(t *testing.T) {
		value["company_domain"] = "localhost"
		if status, _ := w.do(submit.With("value", value)); status != 200 {
			t.Fatal(status)
		}
		if got := w.read(w.last().Card()); got.inputs["company_name"] != "Acme" {
			t.Errorf("%v", got.inputs)
		}
	})
}

func TestTheMessageExtensionOpensTheSameFormInADialog(t *testing.T) {
	w := open(t)
	base := w.says("ana", tenantAlpha, "")
	dialog := func(a teamstest.Activity) card {
		t.Helper()
		status, b := w.do(a)
		var answer struct {
			Task struct {
				Type  string
				Value struct {
					Card struct {
						ContentType string
						Content     json.RawMessage
					}
				}
			}
		}
		if err := json.Unmarshal(b, &answer); err != nil || status != 200 || answer.Task.Type != "continue" {
			t.Fatalf("%d %s", status, b)
		}
		return w.read(answer.Task.Value.Card.Content)
	}
	c := dialog(base.Invoke("composeExtension/fetchTask", map[string]any{"commandId": "register", "context": map[string]any{"theme": "default"}}))
	if c.verb != "" || c.button == nil {
		t.Fatalf("a dialog knows no Action.Execute: %s", c.raw)
	}
	submit := func(answers map[string]any) teamstest.Activity {
		data := map[string]any{}
		for k, v := range c.button {
			data[k] = v
		}
		for k, v := range answers {
			data[k] = v
		}
		return base.Invoke("composeExtension/submitAction", map[string]any{"commandId": "register", "data": data})
	}
	bad := typed("Acme", "acme.example")
	bad["consent"] = "false"
	bad["problem"] = ""
	if again := dialog(submit(bad)); again.inputs["company_name"] != "Acme" {
		t.Errorf("%v", again.inputs)
	}
	done := dialog(submit(typed("Acme", "acme.example")))
	all := w.cases("alpha")
	if len(all) != 1 || !strings.Contains(done.text, all[0].Case) {
		t.Errorf("%d cases; %s", len(all), done.text)
	}
	if n := len(w.service.Sent()); n > 1 { // what the gateway tells comes in the personal chat
		t.Errorf("%d were sent", n)
	}
}

func TestAnInvokeThatIsUnknownIsAnsweredAsSuchAndPostsNothing(t *testing.T) {
	w := open(t)
	for _, name := range []string{"signin/verifyState", "fileConsent/invoke", "composeExtension/query", "", "adaptiveCard/actions"} {
		if status, b := w.do(w.says("ana", tenantAlpha, "").Invoke(name, map[string]any{})); status != http.StatusNotImplemented || len(b) > 0 {
			t.Errorf("%q: %d %s", name, status, b)
		}
	}
	if n := len(w.service.Sent()); n != 0 {
		t.Errorf("%d were sent", n)
	}
}

func TestWhoIsLetInAndForWhomHeSpeaks(t *testing.T) {
	t.Run("a tenant that nobody has named is refused", func(t *testing.T) {
		w := open(t)
		if status, b := w.do(w.says("eve", tenantUnknown, "register")); status != http.StatusForbidden || len(b) > 0 {
			t.Errorf("%d %s", status, b)
		}
		if len(w.service.Sent()) != 0 || len(w.memory.kept) != 0 {
			t.Error("something was sent or kept")
		}
	})
	t.Run("a service that is not Microsoft's is refused, though it is signed, and not kept", func(t *testing.T) {
		w := open(t)
		for _, url := range []string{"https://x.trafficmanager.net/", "http://169.254.169.254", "https://smba.trafficmanager.net.evil.example/"} {
			if status, b := w.do(w.says("ana", tenantAlpha, "register").With("serviceUrl", url)); status != http.StatusForbidden || len(b) > 0 {
				t.Errorf("%s: %d %s", url, status, b)
			}
		}
		if len(w.service.Sent()) != 0 || len(w.memory.kept) != 0 || w.idp.Fetched("token") != 0 {
			t.Errorf("something was sent or kept: %v", w.memory.kept)
		}
	})
	t.Run("with a star all are let in, and prove nothing", func(t *testing.T) {
		w := open(t, func(c *teamsbot.Config, _ *rules.Spec) { c.Tenants = []string{"*"} })
		c, _ := w.form(w.says("eve", tenantUnknown, "register"))
		if _, asked := c.inputs["submitter_email"]; !asked {
			t.Error("no address is asked for")
		}
	})
	t.Run("one that is listed and nobody's is asked for an address, which is asked to confirm", func(t *testing.T) {
		w := open(t)
		c, id := w.form(w.says("cy", tenantListed, "register"))
		if c.inputs["submitter_email"] != "cy@elsewhere.example" {
			t.Errorf("the form asks %v", c.inputs)
		}
		answers := typed("Acme", "acme.example")
		answers["submitter_email"] = "ana@alpha.example"
		done := w.answered(presses(w.says("cy", tenantListed, ""), c, id, answers))
		if !strings.Contains(done.text, "ana@alpha.example") || len(w.cases("alpha")) != 0 {
			t.Errorf("it counts for alpha, or the card does not say what to do:\n%s", done.text)
		}
		w.until("the address is asked", func() bool { return len(w.mail.all()) == 1 })
		m := w.mail.all()[0]
		if m.Kind != intake.MessageConfirm || m.To.Address != "ana@alpha.example" || m.Facts.ConfirmLink == "" {
			t.Errorf("%+v", m)
		}
		if r := w.story(m.Facts.Case).Registration; r.Status != intake.StatusQuarantined || r.Partner != "" {
			t.Errorf("%s of %q", r.Status, r.Partner)
		}
	})
	t.Run("nobody's case is shown to who is nobody's", func(t *testing.T) {
		w := open(t)
		number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
		for _, text := range []string{"status " + number, "list"} {
			w.tells(w.says("cy", tenantListed, text))
			if got := w.lastTo("cy"); strings.Contains(string(got.Body), "Acme") || !strings.Contains(got.Text(), "partner") {
				t.Errorf("%s: %s", text, got.Body)
			}
		}
	})
	t.Run("a case of another partner is none", func(t *testing.T) {
		w := open(t)
		number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
		for _, text := range []string{"status " + number, "WITHDRAW " + number, "list"} {
			w.tells(w.says("bo", tenantBeta, text))
			if got := w.lastTo("bo"); strings.Contains(string(got.Body), "Acme") || w.story(number).Registration.Status == intake.StatusWithdrawn {
				t.Errorf("%s: %s", text, got.Body)
			}
		}
		if n := len(w.story(number).Submissions); n != 1 {
			t.Errorf("the case has %d submissions", n)
		}
	})
	t.Run("who speaks for a partner who takes no part is told nothing", func(t *testing.T) {
		w := open(t)
		number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
		w.until("the card", func() bool { return w.last().Method == http.MethodPut })
		p, err := w.gateway.Partner(t.Context(), "alpha")
		if err != nil {
			t.Fatal(err)
		}
		p.Status = intake.PartnerSuspended
		if err := w.gateway.PutPartners(t.Context(), []intake.Partner{p}); err != nil {
			t.Fatal(err)
		}
		w.until("the end of the case is told", func() bool {
			return w.last().Method == http.MethodPost && strings.Contains(string(w.last().Body), "membership")
		})
		for _, text := range []string{"status " + number, "list", "WITHDRAW " + number} {
			w.tells(w.says("ana", tenantAlpha, text))
			if got := w.lastTo("ana"); strings.Contains(string(got.Body), "Acme") || got.Card() != nil || !strings.Contains(got.Text(), "takes no part") || len(w.story(number).Submissions) != 1 {
				t.Errorf("%s: %s", text, got.Body)
			}
		}
	})
	t.Run("a guest in a partner's tenant does not speak for it", func(t *testing.T) {
		w := open(t)
		w.service.Person("29:gus", map[string]string{"email": "gus@beta.example", "userPrincipalName": "gus_beta.example#EXT#@alpha.onmicrosoft.com", "tenantId": tenantAlpha, "aadObjectId": "object-gus"})
		c, _ := w.form(w.says("gus", tenantAlpha, "register").InChannel().In(tenantAlpha))
		if _, asked := c.inputs["submitter_email"]; !asked {
			t.Errorf("he registers for a partner:\n%s", c.text)
		}
	})
	t.Run("in a shared channel of a partner, somebody of another one speaks for his own", func(t *testing.T) {
		w := open(t)
		c, _ := w.form(w.says("bo", tenantBeta, "register").InChannel().In(tenantAlpha))
		if !strings.Contains(c.text, "Beta") {
			t.Errorf("for whom:\n%s", c.text)
		}
	})
	t.Run("whose tenant and address are of two partners is left to staff", func(t *testing.T) {
		w := open(t)
		w.person("dee", tenantAlpha, "dee@beta.example")
		c, id := w.form(w.says("dee", tenantAlpha, "register"))
		done := w.answered(presses(w.says("dee", tenantAlpha, ""), c, id, typed("Acme", "acme.example")))
		if len(w.gatewayCases()) != 0 || !strings.Contains(done.text, "LG-") {
			t.Errorf("it counts for one of them, or is not taken in:\n%s", done.text)
		}
		if n := len(w.mail.all()); n != 0 {
			t.Errorf("%d mails", n)
		}
	})
	t.Run("an address that a tenant has given itself leads nobody's mail there", func(t *testing.T) {
		w := open(t)
		w.person("eve", tenantAlpha, "bo@beta.example") // alpha's administrator says so
		w.form(w.says("eve", tenantAlpha, "register"))
		_, err := w.bot.Reply(t.Context(), intake.Message{ID: "P-1.1", Kind: intake.MessageDigestOff, To: intake.Route{Channel: "teams", Address: "bo@beta.example"}, Facts: intake.Facts{Program: "Northwind", Zone: "UTC"}})
		if err != nil || len(w.service.Sent()) != 1 || len(w.mail.all()) != 1 {
			t.Errorf("%v; %d in Teams, %d by mail", err, len(w.service.Sent()), len(w.mail.all()))
		}
	})
	t.Run("who can't be looked up now and presses the button for a form is asked to come back", func(t *testing.T) {
		w := open(t)
		w.service.Fail(502, "")
		w.tells(w.says("ana", tenantAlpha, "").With("value", map[string]any{"leadgate_verb": "open"}))
		if !strings.Contains(w.last().Text(), "could not look up") {
			t.Errorf("%s", w.last().Body)
		}
		if c := w.bot.Condition(); c.Down {
			t.Errorf("%+v", c)
		}
	})
	t.Run("who can't be looked up now is asked to come back, and keeps what he typed", func(t *testing.T) {
		w := open(t)
		c, id := w.form(w.says("ana", tenantAlpha, "register"))
		w.service.Fail(502, "")
		again := w.answered(presses(w.says("ana", tenantAlpha, ""), c, id, typed("Acme", "acme.example")))
		if again.inputs["company_name"] != "Acme" || again.button["leadgate_draft"] != c.button["leadgate_draft"] || len(w.gatewayCases()) != 0 {
			t.Errorf("%v\n%s", again.inputs, again.text)
		}
	})
}

// tells sends an activity that is answered by 200.
func (w *world) tells(a teamstest.Activity) {
	w.Helper()
	if status, b := w.do(a); status != 200 {
		w.Errorf("%d %s", status, b)
	}
}

// registers has somebody fill in the form, and returns the number.
func (w *world) registers(user, tenant, company, domain string) string {
	w.Helper()
	return w.registersIn(w.says(user, tenant, "register"), company, domain)
}

func (w *world) registersIn(a teamstest.Activity, company, domain string) string {
	w.Helper()
	c, id := w.form(a)
	done := w.answered(presses(a, c, id, typed(company, domain)))
	_, number, ok := strings.Cut(done.text, "LG-")
	if !ok {
		w.Fatalf("no number:\n%s", done.text)
	}
	return "LG-" + number[:13]
}

// decided lets the gateway come to a state.
func (w *world) decided(number string, want intake.Status) {
	w.Helper()
	w.until(string(want), func() bool { return w.story(number).Registration.Status == want })
}

func TestACaseIsFollowedInItsCardAndBelowIt(t *testing.T) {
	w := open(t)
	number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
	formID := w.service.Sent()[0].ID
	w.decided(number, intake.StatusInReview)
	w.until("the card is brought up to date", func() bool { l := w.last(); return l.Method == http.MethodPut })
	if w.last().ID != formID || len(w.service.Sent()) != 2 {
		t.Errorf("%s of %s, in all %d", w.last().Method, w.last().ID, len(w.service.Sent()))
	}
	if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	w.until("the partner is told", func() bool { return len(w.service.Sent()) == 4 })
	sent := w.service.Sent()
	if sent[2].Method != http.MethodPut || sent[2].ID != formID || sent[3].Method != http.MethodPost || sent[3].Conversation != "a:personal-ana" {
		t.Errorf("%s %s, %s %s", sent[2].Method, sent[2].ID, sent[3].Method, sent[3].Conversation)
	}
	if before, after := w.read(sent[1].Card()), w.read(sent[2].Card()); before.text == after.text || !strings.Contains(after.text, number) {
		t.Errorf("the card said\n%s\nand says\n%s", before.text, after.text)
	}
}

func TestInAChannelOthersReadNothingOfARefusal(t *testing.T) {
	w := open(t)
	w.form(w.says("ana", tenantAlpha, "register")) // so that there is a personal chat
	channel := w.says("ana", tenantAlpha, "register").InChannel().In(tenantAlpha)
	number := w.registersIn(channel, "Acme", "acme.example")
	w.decided(number, intake.StatusInReview)
	w.until("the card is brought up to date", func() bool { return w.last().Method == http.MethodPut })
	before := len(w.service.Sent())
	if _, err := w.gateway.Decline(t.Context(), number, intake.Verdict{By: "mia", Reason: intake.ReasonNotEligible, Rationale: "not one of the products", Message: "They buy elsewhere."}); err != nil {
		t.Fatal(err)
	}
	w.until("the partner is told", func() bool { return len(w.service.Sent()) == before+2 })
	sent := w.service.Sent()
	quiet, words := sent[before], sent[before+1]
	if quiet.Method != http.MethodPut || strings.Contains(string(quiet.Body), "elsewhere") || strings.Contains(strings.ToLower(string(quiet.Body)), "declined") {
		t.Errorf("the channel reads %s", quiet.Body)
	}
	if words.Conversation != "a:personal-ana" || !strings.Contains(string(words.Body), "elsewhere") {
		t.Errorf("in %s: %s", words.Conversation, words.Body)
	}
	t.Run("nor does it read a list", func(t *testing.T) {
		w.tells(w.says("ana", tenantAlpha, "list").InChannel().In(tenantAlpha))
		if strings.Contains(string(w.last().Body), "Acme") {
			t.Errorf("%s", w.last().Body)
		}
	})
	t.Run("and without a personal chat it goes by mail", func(t *testing.T) {
		number := w.registersIn(w.says("bo", tenantBeta, "register").InChannel().In(tenantAlpha), "Contoso", "contoso.example")
		w.decided(number, intake.StatusInReview)
		w.until("a mail is noted", func() bool {
			return strings.Contains(string(w.story(number).Registration.Reply.Thread), `"mail"`)
		})
		if _, err := w.gateway.Decline(t.Context(), number, intake.Verdict{By: "mia", Reason: intake.ReasonNotEligible, Rationale: "not one of the products"}); err != nil {
			t.Fatal(err)
		}
		w.until("two mails, in one thread", func() bool { return len(w.mail.all()) == 2 })
		first, second := w.mail.all()[0], w.mail.all()[1]
		if second.Kind != intake.MessageDeclined || second.To.Address != "bo@beta.example" || second.To.Channel != "email" || len(first.To.Thread) != 0 || string(second.To.Thread) != `"t"` {
			t.Errorf("%+v, %+v", first.To, second.To)
		}
	})
}

func TestInARoomOfOthersNothingOfACaseIsRead(t *testing.T) {
	w := open(t)
	w.form(w.says("bo", tenantBeta, "register")) // so that there is a personal chat
	room := w.says("bo", tenantBeta, "register").InChannel().In(tenantAlpha)
	c, id := w.form(room)
	done := w.answered(presses(room, c, id, typed("Contoso", "contoso.example")))
	number := w.cases("beta")[0].Case
	if strings.Contains(done.text, "Contoso") || len(done.links) > 0 {
		t.Errorf("it says\n%s\n%v", done.text, done.links)
	}
	w.decided(number, intake.StatusInReview)
	if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	w.until("he is told", func() bool {
		return strings.Contains(string(w.last().Body), "approved") && w.last().Conversation == "a:personal-bo"
	})
	for _, s := range w.service.Sent()[2:] {
		if s.Conversation != "a:personal-bo" && strings.Contains(string(s.Body), "ontoso") {
			t.Errorf("in %s: %s", s.Conversation, s.Body)
		}
	}
}

func TestARoomThatIsNotThePartnersAnyMoreReadsNothingMoreOfTheCase(t *testing.T) {
	w := open(t)
	there := w.says("ana", tenantAlpha, "register").InChannel().In(tenantAlpha)
	form, shown := w.form(there)
	done := w.answered(presses(there, form, shown, typed("Acme", "acme.example")))
	if !strings.Contains(done.text, "LG-") {
		t.Fatal(done.text)
	}
	number := w.cases("alpha")[0].Case
	w.decided(number, intake.StatusInReview)
	w.tells(w.says("ana", tenantAlpha, "help")) // there is a personal chat
	p, err := w.gateway.Partner(t.Context(), "alpha")
	if err != nil {
		t.Fatal(err)
	}
	p.Teams = &intake.Teams{Tenant: tenantListed}
	if err := w.gateway.PutPartners(t.Context(), []intake.Partner{p}); err != nil {
		t.Fatal(err)
	}
	n := len(w.service.Sent())
	if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	w.until("he is told", func() bool { return strings.Contains(w.shown(n), "approved: Acme") })
	for _, s := range w.service.Sent()[n:] {
		if s.Conversation != "a:personal-ana" && strings.Contains(string(s.Body), "Acme") {
			t.Errorf("others read %s", s.Body)
		}
	}
}

func TestTheSameMessageIsToldOnce(t *testing.T) {
	w := open(t)
	number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
	w.decided(number, intake.StatusInReview)
	w.until("the card", func() bool { return w.last().Method == http.MethodPut })
	m := intake.Message{
		ID: number + ".9", Kind: intake.MessageApproved, To: w.story(number).Registration.Reply, At: time.Now(),
		Facts: intake.Facts{Case: number, Program: "Northwind", Company: "Acme", Status: intake.StatusProvisional, Zone: "UTC", Until: time.Now(), Received: time.Now()},
	}
	posts := func() (n int) {
		for _, s := range w.service.Sent() {
			if s.Method == http.MethodPost {
				n++
			}
		}
		return n
	}
	before := posts()
	for range 3 {
		if _, err := w.bot.Reply(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	if n := posts() - before; n != 1 {
		t.Errorf("it was told %d times", n)
	}
}

func TestACardFitsIntoAMessageWhateverIsInIt(t *testing.T) {
	w := open(t)
	c, id := w.form(w.says("ana", tenantAlpha, "register"))
	answers := typed("Acme", "acme.example")
	answers["problem"], answers["consent"] = strings.Repeat("ä ", 1990)+"end", ""
	again := w.answered(presses(w.says("ana", tenantAlpha, ""), c, id, answers))
	if again.inputs["problem"] != answers["problem"] || len(again.raw) > 26<<10 {
		t.Errorf("%d bytes", len(again.raw))
	}
	answers["consent"] = intake.ConsentYes
	w.answered(presses(w.says("ana", tenantAlpha, ""), c, id, answers))
	number := w.cases("alpha")[0].Case
	w.decided(number, intake.StatusInReview)
	if _, err := w.gateway.Ask(t.Context(), number, intake.Verdict{By: "mia", Message: strings.Repeat("Why? ", 300)}); err != nil {
		t.Fatal(err)
	}
	w.until("the question", func() bool {
		return strings.Contains(string(w.last().Body), "Why?") && w.last().Method == http.MethodPost
	})
	for _, s := range w.service.Sent() {
		if len(s.Body) > 28<<10 {
			t.Errorf("%s of %d bytes", s.Method, len(s.Body))
		}
	}
}

func TestWhatIsMissingIsFilledInInTheChat(t *testing.T) {
	ask := func(t *testing.T) (*world, string, card, string) {
		w := open(t)
		number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
		w.decided(number, intake.StatusInReview)
		w.until("the card", func() bool { return w.last().Method == http.MethodPut })
		if _, err := w.gateway.Ask(t.Context(), number, intake.Verdict{By: "mia", Message: "Who decides there?"}); err != nil {
			t.Fatal(err)
		}
		w.until("the question", func() bool {
			return strings.Contains(string(w.last().Body), "Who decides") && w.last().Method == http.MethodPost
		})
		return w, number, w.read(w.last().Card()), w.last().ID
	}
	t.Run("by words", func(t *testing.T) {
		w, number, _, _ := ask(t)
		w.until("it is noted that something is asked", func() bool {
			w.memory.mu.Lock()
			defer w.memory.mu.Unlock()
			for _, v := range w.memory.kept {
				if strings.Contains(v, `"asked":"`+number) {
					return true
				}
			}
			return false
		})
		w.tells(w.says("ana", tenantAlpha, "Their CFO does, we meet him on Friday."))
		w.until("it joins the case", func() bool { return len(w.story(number).Submissions) == 2 })
		if s := w.story(number).Submissions[1]; !strings.Contains(s.Text, "CFO") || s.Sender.Address != "ana@alpha.example" {
			t.Errorf("%+v", s)
		}
	})
	t.Run("what people say to each other registers nothing", func(t *testing.T) {
		w := open(t)
		w.tells(w.says("ana", tenantAlpha, "thanks a lot!"))
		if w.last().Card() != nil || !strings.Contains(w.last().Text(), "status") {
			t.Errorf("%s", w.last().Body)
		}
	})
}

func TestAFormForWhatIsMissingAddsToTheCase(t *testing.T) {
	w := open(t, func(_ *teamsbot.Config, s *rules.Spec) { s.Required = rules.RequiredFull })
	number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
	w.decided(number, intake.StatusNeedsInfo)
	w.until("the question", func() bool {
		return w.last().Method == http.MethodPost && w.last().Card() != nil && len(w.service.Sent()) > 1
	})
	c, id := w.read(w.last().Card()), w.last().ID
	if _, asks := c.inputs["contact_role"]; !asks || c.verb != "answer" {
		t.Fatalf("it asks %v by %q", c.inputs, c.verb)
	}
	t.Run("not for another partner", func(t *testing.T) {
		got := w.answered(presses(w.says("bo", tenantBeta, ""), c, id, map[string]any{"contact_role": "CFO"}))
		if strings.Contains(got.text, "Acme") || len(w.story(number).Submissions) != 1 {
			t.Errorf("%s", got.text)
		}
	})
	w.answered(presses(w.says("ana", tenantAlpha, ""), c, id, map[string]any{"contact_role": "CFO"}))
	w.decided(number, intake.StatusInReview)
	if got := w.story(number).Registration.Lead[intake.FieldContactRole]; got != "CFO" {
		t.Errorf("%q", got)
	}
}

func TestCommandsAreThoseOfMail(t *testing.T) {
	w := open(t)
	number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
	w.decided(number, intake.StatusInReview)
	w.until("the card", func() bool { return w.last().Method == http.MethodPut })
	n := len(w.service.Sent())
	w.tells(w.says("ana", tenantAlpha, "status "+strings.ToLower(number)))
	w.until("an answer", func() bool { return len(w.service.Sent()) > n && w.last().Method == http.MethodPost })
	if !strings.Contains(string(w.last().Body), number) {
		t.Errorf("%s", w.last().Body)
	}
	w.tells(w.says("ana", tenantAlpha, "list"))
	if !strings.Contains(string(w.last().Body), "Your registrations") {
		t.Errorf("list: %s", w.last().Body)
	}
	w.tells(w.says("ana", tenantAlpha, "help"))
	if !strings.Contains(w.last().Text(), "@Leadgate status") {
		t.Errorf("help: %s", w.last().Body)
	}
	w.tells(w.says("ana", tenantAlpha, "WITHDRAW "+number+" they went bankrupt"))
	w.decided(number, intake.StatusWithdrawn)
}

func TestWhereTheBotWasRemovedAnswersGoByMail(t *testing.T) {
	remove := func(w *world) {
		w.tells(w.says("ana", tenantAlpha, "").With("type", "installationUpdate").With("action", "remove"))
	}
	for name, tt := range map[string]func(*world){
		"it was told of it": remove,
		"the service says it is not": func(w *world) {
			w.service.Fail(403, "BotNotInConversationRoster")
			w.service.Fail(403, "BotNotInConversationRoster")
		},
		"its host is not Microsoft's any more": func(w *world) {
			w.memory.mu.Lock()
			defer w.memory.mu.Unlock()
			for k, v := range w.memory.kept {
				w.memory.kept[k] = strings.ReplaceAll(v, w.service.URL, "https://x.trafficmanager.net")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t)
			number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
			w.decided(number, intake.StatusInReview)
			w.until("the card", func() bool { return w.last().Method == http.MethodPut })
			n := len(w.service.Sent())
			tt(w)
			if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
				t.Fatal(err)
			}
			w.until("a mail", func() bool { return len(w.mail.all()) == 1 })
			if m := w.mail.all()[0]; m.Kind != intake.MessageApproved || m.To.Address != "ana@alpha.example" || len(w.service.Sent()) != n {
				t.Errorf("%s to %s; %d more in Teams", m.Kind, m.To.Address, len(w.service.Sent())-n)
			}
			w.until("it is noted", func() bool {
				return strings.Contains(string(w.story(number).Registration.Reply.Thread), "a:personal-ana")
			})
		})
	}
	t.Run("to a contact of the partner, if the person has no address of it", func(t *testing.T) {
		w := open(t)
		w.person("ana", tenantAlpha, "ana@private.example")
		p, err := w.gateway.Partner(t.Context(), "alpha")
		if err != nil {
			t.Fatal(err)
		}
		p.Contacts = []intake.Contact{{Name: "Ida", Email: "ida@alpha.example", Status: intake.ContactBounced}, {Name: "Ann", Email: "ann@alpha.example"}}
		if err := w.gateway.PutPartners(t.Context(), []intake.Partner{p}); err != nil {
			t.Fatal(err)
		}
		number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
		w.decided(number, intake.StatusInReview)
		w.until("the card", func() bool { return w.last().Method == http.MethodPut })
		remove(w)
		if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
			t.Fatal(err)
		}
		w.until("a mail", func() bool { return len(w.mail.all()) == 1 })
		if m := w.mail.all()[0]; m.Kind != intake.MessageApproved || m.To.Address != "ann@alpha.example" || m.To.Channel != "email" {
			t.Errorf("%s to %+v", m.Kind, m.To)
		}
	})
	t.Run("and come back to Teams once somebody writes there", func(t *testing.T) {
		w := open(t)
		number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
		w.decided(number, intake.StatusInReview)
		w.until("the card", func() bool { return w.last().Method == http.MethodPut })
		remove(w)
		w.tells(w.says("ana", tenantAlpha, "help"))
		n := len(w.service.Sent())
		if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
			t.Fatal(err)
		}
		w.until("Teams", func() bool { return len(w.service.Sent()) == n+2 })
	})
}

func TestAnAnswerThatTheServiceDoesNotTakeIsSentLater(t *testing.T) {
	w := open(t)
	number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
	w.decided(number, intake.StatusInReview)
	w.until("the card", func() bool { return w.last().Method == http.MethodPut })
	n := len(w.service.Sent())
	w.service.Fail(429, "", "Retry-After", "0")
	if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	w.until("it is sent after all", func() bool { return len(w.service.Sent()) == n+2 })
	if len(w.mail.all()) != 0 {
		t.Error("it went by mail too")
	}
}

func TestWhatWasDecidedWhileNoTokenCouldBeHadIsToldOnceThereIsOne(t *testing.T) {
	w := open(t)
	number := w.registers("ana", tenantAlpha, "Acme", "acme.example")
	w.decided(number, intake.StatusInReview)
	w.until("the card", func() bool { return w.last().Method == http.MethodPut })
	n := len(w.service.Sent())
	w.idp.RefuseTokens(http.StatusUnauthorized)
	w.service.Fail(http.StatusUnauthorized, "") // the one that the bot has is good no more
	if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	w.until("it can't be told", func() bool { return strings.Contains(w.log.String(), "task failed") })
	// Nobody can be looked up meanwhile: a form comes back with what was typed, and is good later.
	form := card{verb: "register", button: map[string]any{"leadgate_verb": "register", "leadgate_draft": strings.Repeat("b", 32)}}
	press := presses(w.says("ana", tenantAlpha, ""), form, "1:form", typed("Contoso", "contoso.example"))
	if again := w.answered(press); again.inputs["company_name"] != "Contoso" || len(w.cases("alpha")) != 1 || len(w.service.Sent()) != n {
		t.Errorf("%v, %d sent", again.inputs, len(w.service.Sent())-n)
	}
	w.idp.RefuseTokens(0)
	if done := w.answered(press); !strings.Contains(done.text, "LG-") || len(w.cases("alpha")) != 2 {
		t.Errorf("it says\n%s", done.text)
	}
	w.until("it is told", func() bool { return strings.Contains(w.shown(n), "approved: Acme") })
	if len(w.mail.all()) != 0 {
		t.Error("something went by mail")
	}
}

// shown is all that was sent after the n-th message.
func (w *world) shown(n int) (all string) {
	for _, s := range w.service.Sent()[n:] {
		all += string(s.Body)
	}
	return all
}

func TestWithoutATokenAnActivityIsNotAnsweredAndStaffAreTold(t *testing.T) {
	w := open(t)
	w.idp.RefuseTokens(http.StatusBadGateway)
	if status, _ := w.do(w.says("ana", tenantAlpha, "register")); status != http.StatusBadGateway {
		t.Errorf("with the token endpoint down: %d, want 502", status)
	}
	w.idp.RefuseTokens(http.StatusUnauthorized)
	if status, _ := w.do(w.says("ana", tenantAlpha, "register").With("from", teamstest.Activity{"id": "29:ana", "name": "ana", "aadObjectId": "object-ana"})); status != http.StatusBadGateway {
		t.Errorf("%d, want 502", status)
	}
	if c := w.bot.Condition(); !c.Down || strings.Contains(c.Problem, teamstest.Secret) {
		t.Errorf("%+v", c)
	}
	if strings.Contains(w.log.String(), teamstest.Secret) {
		t.Error("the secret is in the log")
	}
	w.idp.RefuseTokens(0)
	w.form(w.says("ana", tenantAlpha, "register"))
	if c := w.bot.Condition(); c.Down {
		t.Errorf("%+v", c)
	}
}

func TestTheHealthTellsOfKeysThatGrowOld(t *testing.T) {
	w := open(t)
	if h := w.bot.Health(); h != (teamsbot.Health{}) {
		t.Errorf("at first %+v", h)
	}
	w.tells(w.says("ana", tenantAlpha, "help"))
	w.idp.Down(true)
	w.ahead.Store(int64(25 * time.Hour))
	w.tells(w.says("ana", tenantAlpha, "help"))
	w.until("it is seen that there are no newer ones", func() bool { return w.bot.Health().Problem != "" })
	// Nobody who makes up a key has staff alarmed: those that are known are good.
	resp, err := http.DefaultClient.Do(teamstest.Request(t, w.url, w.says("ana", tenantAlpha, "help").JSON(), "Bearer "+teamstest.NewKey(t, 1, "made-up").Sign(teamstest.Claims(w.service.URL+"/", w.now()))))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if h := w.bot.Health(); resp.StatusCode != http.StatusServiceUnavailable || h.Down || h.KeysAge < 25*time.Hour || h.Refused != 1 {
		t.Errorf("%d, %+v", resp.StatusCode, h)
	}
	w.ahead.Store(int64(6 * 24 * time.Hour))
	if c := w.bot.Condition(); !c.Down || c.Problem == "" {
		t.Errorf("after six days %+v", c)
	}
	w.idp.Down(false)
	w.tells(w.says("ana", tenantAlpha, "help"))
	if h := w.bot.Health(); h.Problem != "" || h.Down || h.KeysAge > time.Hour {
		t.Errorf("with new keys %+v", h)
	}
}

func TestVerifyingSaysWhatToMend(t *testing.T) {
	w := open(t)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	own := strings.TrimSuffix(w.url, teamsbot.Path)
	wrong := func(url string) (all string) {
		for _, c := range teamsbot.Verify(t.Context(), w.config, url) {
			if c.Err != nil {
				all += c.What + ": " + c.Err.Error() + "\n"
			}
		}
		return all
	}
	if got := wrong(own + "/"); got != "" {
		t.Errorf("all is well, and it says %s", got)
	}
	if got := wrong(other.URL); strings.Count(got, "\n") != 1 || !strings.Contains(got, "404") || !strings.Contains(got, "proxy") {
		t.Errorf("another program answers: %q", got)
	}
	w.idp.RefuseTokens(http.StatusUnauthorized)
	if got := wrong(own); strings.Count(got, "\n") != 1 || !strings.Contains(got, "teams.secret") || strings.Contains(got, teamstest.Secret) {
		t.Errorf("the secret is not good: %q", got)
	}
	w.idp.Down(true)
	other.Close()
	if got := wrong(other.URL); strings.Count(got, "\n") != 3 || !strings.Contains(got, "login.botframework.com") || !strings.Contains(got, "can't be reached") {
		t.Errorf("nothing is well: %q", got)
	}
}

func TestTheBotWelcomesOnceWhereItIsAdded(t *testing.T) {
	w := open(t)
	added := w.says("ana", tenantAlpha, "").With("type", "conversationUpdate").With("membersAdded", []any{teamstest.Activity{"id": "28:" + teamstest.AppID}})
	var wg sync.WaitGroup
	for _, a := range []teamstest.Activity{added, added.With("type", "installationUpdate").With("action", "add"), added.With("membersAdded", []any{teamstest.Activity{"id": "29:someone"}})} {
		wg.Go(func() { w.tells(a) }) // Teams tells of it twice, at once
	}
	wg.Wait()
	if n := len(w.service.Sent()); n != 1 {
		t.Fatalf("%d welcomes, want one", n)
	}
	c := w.read(w.last().Card())
	if status, _ := w.do(w.says("ana", tenantAlpha, "").With("text", nil).With("value", c.button)); status != 200 {
		t.Fatal(status)
	}
	if form := w.read(w.last().Card()); form.verb != "register" {
		t.Errorf("the button opens %s", form.raw)
	}
}

func TestFiftyPeopleAtOnceAreAllServed(t *testing.T) {
	w := open(t)
	var wg sync.WaitGroup
	for i := range 50 {
		user := fmt.Sprint("user-", i)
		w.person(user, tenantAlpha, user+"@alpha.example")
		req := w.idp.Request(t, w.url, w.says(user, tenantAlpha, "register"), time.Now())
		wg.Go(func() {
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
			if resp.StatusCode != 200 {
				t.Errorf("%d", resp.StatusCode)
			}
		})
	}
	wg.Wait()
	for what, want := range map[string]int{"metadata": 1, "keys": 1, "token": 1} {
		if n := w.idp.Fetched(what); n != want {
			t.Errorf("%s was fetched %d times, want %d", what, n, want)
		}
	}
	if n := len(w.service.Sent()); n != 50 {
		t.Errorf("%d forms, want 50", n)
	}
}

func TestFiftyFormsAtOnceAreFiftyCases(t *testing.T) {
	w := open(t)
	c, id := w.form(w.says("ana", tenantAlpha, "register"))
	var wg sync.WaitGroup
	for i := range 50 {
		form := card{verb: c.verb, button: map[string]any{"leadgate_verb": "register", "leadgate_draft": fmt.Sprintf("%032x", i)}}
		press := presses(w.says("ana", tenantAlpha, ""), form, fmt.Sprint(id, "-", i), typed("Firm "+channeltest.Word(i), fmt.Sprintf("firm%d.example", i)))
		req := w.idp.Request(t, w.url, press, time.Now())
		wg.Go(func() {
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if b, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || !strings.Contains(string(b), "LG-") {
				t.Errorf("%d %s, %v", resp.StatusCode, b, err)
			}
		})
	}
	wg.Wait()
	if n := len(w.cases("alpha")); n != 50 {
		t.Errorf("%d cases, want 50", n)
	}
	w.until("each has its card", func() bool {
		cards := make(map[string]bool)
		for _, s := range w.service.Sent() {
			if s.Method == http.MethodPut {
				cards[s.ID] = true
			}
		}
		return len(cards) == 50
	})
}

func TestWhatPeopleTypeIsNeverMarkup(t *testing.T) {
	w := open(t)
	evil := "**Acme** [x](https://evil.example) <at>all</at> {{DATE(2017-02-14T06:08:00Z)}} \u202eevil"
	c, id := w.form(w.says("ana", tenantAlpha, "register"))
	answers := typed(evil, "acme.example")
	for _, got := range []card{w.answered(presses(w.says("ana", tenantAlpha, ""), c, id, answers))} {
		var doc any
		if err := json.Unmarshal(got.raw, &doc); err != nil {
			t.Fatal(err)
		}
		inMarkup(t, doc)
	}
	w.until("the card", func() bool { return w.last().Method == http.MethodPut })
	var doc any
	if err := json.Unmarshal(w.last().Card(), &doc); err != nil {
		t.Fatal(err)
	}
	inMarkup(t, doc)
}

// inMarkup fails if a part whose text Teams takes for Markdown holds what was typed.
func inMarkup(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			inMarkup(t, x)
		}
	case map[string]any:
		if text, _ := v["text"].(string); v["type"] == "TextBlock" && (strings.Contains(text, "evil") || strings.Contains(text, "Acme")) {
			t.Errorf("in a TextBlock: %s", text)
		}
		for _, x := range v {
			inMarkup(t, x)
		}
	}
}

func TestTheConfigurationSaysWhatIsWrongWithIt(t *testing.T) {
	good := teamsbot.Config{Enabled: true, AppID: teamstest.AppID, Secret: "x", Tenant: teamstest.Tenant}
	if faults := good.Validate(); len(faults) != 0 {
		t.Errorf("%v", faults)
	}
	for want, spoil := range map[string]func(*teamsbot.Config){
		"app_id: is missing": func(c *teamsbot.Config) { c.AppID = "" }, "app_id: \"x\"": func(c *teamsbot.Config) { c.AppID = "x" },
		"secret: ": func(c *teamsbot.Config) { c.Secret = "" }, "tenant: ": func(c *teamsbot.Config) { c.Tenant = "contoso" },
		"tenants[0]: ": func(c *teamsbot.Config) { c.Tenants = []string{"contoso"} }, "fields[0]: ": func(c *teamsbot.Config) { c.Fields = []intake.Field{"x"} },
		"fields[1]: ": func(c *teamsbot.Config) { c.Fields = []intake.Field{intake.FieldCountry, intake.FieldCountry} }, "hour: ": func(c *teamsbot.Config) { c.Hour = -1 },
	} {
		c := good
		spoil(&c)
		if faults := c.Validate(); len(faults) != 1 || !strings.HasPrefix(faults[0].Error(), want) {
			t.Errorf("%v, want %q", faults, want)
		}
	}
	c := good
	c.AppID = ""
	if _, err := teamsbot.New(c, teamsbot.Deps{}); err == nil {
		t.Error("a bot was made without an app id")
	}
}
