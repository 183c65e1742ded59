package teamsbot_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"leadgate/channels/pages/pagestest"
	"leadgate/channels/teamsbot/teamstest"
	"leadgate/intake"
)

// client is the page of the Playground, in which somebody works as in Teams.
type client struct {
	*pagestest.Page
	t *testing.T
	w *world
}

const composer = `[data-lexical-editor=true]`

// until waits for something that the page shows.
func (c *client) until(what, script string) {
	c.t.Helper()
	begun := time.Now()
	for !pagestest.Eval[bool](c.Page, script) {
		if time.Since(begun) > 15*time.Second {
			c.Shot("teams-stuck")
			c.t.Fatalf("the page never shows %s; it shows\n%s\n%s", what, c.Text(), c.w.log)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// shows waits for words.
func (c *client) shows(words string) {
	c.t.Helper()
	c.until(words, fmt.Sprintf(`document.body.innerText.includes(%q)`, words))
}

// mark finds an element by a script and returns a selector for it.
func (c *client) mark(name, script string) string {
	c.t.Helper()
	c.until(name, fmt.Sprintf(`(() => { const e = (%s); if (!e) return false; document.querySelectorAll("[data-marked=%s]").forEach(x => x.removeAttribute("data-marked")); e.setAttribute("data-marked", %q); return true; })()`, script, name, name))
	return fmt.Sprintf("[data-marked=%s]", name)
}

// lastCard is a script for the last card that asks something.
const lastCard = `[...document.querySelectorAll(".ac-adaptiveCard")].filter(e => e.querySelector("label")).at(-1)`

func (c *client) field(label string) string {
	return c.mark("field", fmt.Sprintf(`(() => { const l = [...%s.querySelectorAll("label")].find(l => l.innerText.trim().startsWith(%q)); return l && (document.getElementById(l.htmlFor) || l.parentElement.querySelector("input, textarea, select")); })()`, lastCard, label))
}

func (c *client) fill(label, text string) {
	c.t.Helper()
	at := c.field(label)
	c.Do(chromedp.Focus(at), chromedp.SendKeys(at, text))
}

func (c *client) press(button string) {
	c.t.Helper()
	c.Do(chromedp.Click(c.mark("button", fmt.Sprintf(`[...%s.querySelectorAll("button")].find(b => b.innerText.trim() === %q)`, lastCard, button))))
}

func (c *client) says(text string) {
	c.t.Helper()
	c.until("where to write", fmt.Sprintf(`!!document.querySelector(%q)`, composer))
	c.Do(chromedp.Click(composer), chromedp.SendKeys(composer, text+kb.Enter))
}

func TestARegistrationInTheClientOfMicrosoft(t *testing.T) {
	pagestest.Require(t)
	w := open(t)
	ana := teamstest.Account{ID: "29:ana", Name: "Ana", Email: "ana@alpha.example", Object: "44444444-4444-4444-8444-444444444444"}
	g := teamstest.NewPlayground(t, w.idp, w.url, tenantAlpha, ana)
	visit := func(t *testing.T) *client {
		return &client{pagestest.Open(t, g.URL, pagestest.Look{Width: 1400, Height: 1000}), t, w}
	}
	c := visit(t)
	c.says("register Acme localhost.localdomain")
	c.shows("You register this for Alpha.")
	c.Shot("teams-1-form")

	c.press("Register") // what is missing is told without us
	c.shows("Please choose one.")
	c.Shot("teams-2-validation")
	if n := len(w.cases("alpha")); n != 0 {
		t.Fatalf("%d cases", n)
	}

	c.clear("Company domain")
	c.fill("Company domain", "localhost")
	c.complete("jane@acme.example")
	c.press("Register")
	c.shows("Please look at this again:")
	c.Shot("teams-3-error")
	for label, want := range map[string]string{"Company name": "Acme", "Contact e-mail": "jane@acme.example", "Problem": "Reporting takes them a day a week.", "Stage": "New introduction"} {
		if got := c.value(label); got != want {
			t.Errorf("%s is %q in the card that came back, want %q", label, got, want)
		}
	}

	c.clear("Company domain")
	c.fill("Company domain", "acme.example")
	c.press("Register")
	w.until("a case", func() bool { return len(w.cases("alpha")) == 1 })
	number := w.cases("alpha")[0].Case
	c.shows(number)
	w.decided(number, intake.StatusInReview)
	c.Shot("teams-4-case")
	if n := pagestest.Eval[int](c.Page, `document.querySelectorAll(".ac-adaptiveCard label").length`); n != 0 {
		t.Errorf("the form is still there, with %d labels", n)
	}

	if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
		t.Fatal(err)
	}
	c.until("both cards tell of it", fmt.Sprintf(`[...document.querySelectorAll(".ac-adaptiveCard")].filter(e => e.innerText.includes(%q)).length === 2`, number))
	c.Shot("teams-5-approved")

	t.Run("in a channel, by name", func(t *testing.T) {
		c := visit(t)
		c.Do(chromedp.Click(c.mark("channel", `[...document.querySelectorAll("*")].filter(e => e.children.length === 0 && e.innerText === "Deals").at(-1)`)))
		c.until("the channel", `document.body.innerText.includes("Start a new post")`)
		post := c.mark("post", `document.querySelector("[data-lexical-editor=true]")`)
		c.Do(chromedp.Click(post), chromedp.SendKeys(post, "@"))
		c.Do(chromedp.Click(c.mark("mention", `[...document.querySelectorAll(".fui-MenuItem__content")].find(e => e.innerText.trim() === "Leadgate")`)))
		c.Do(chromedp.SendKeys(post, "register Contoso contoso.example"))
		c.Do(chromedp.Click(c.mark("send", `[...document.querySelectorAll("button")].find(b => b.innerText.trim() === "Post")`)))
		c.shows("You register this for Alpha.")
		c.complete("bo@contoso.example")
		c.press("Register")
		w.until("a case", func() bool { return len(w.cases("alpha")) == 2 })
		number := w.cases("alpha")[0].Case
		c.shows(number)
		w.decided(number, intake.StatusInReview)
		c.Shot("teams-6-channel")
		if _, err := w.gateway.Approve(t.Context(), number, intake.Verdict{By: "mia"}); err != nil {
			t.Fatal(err)
		}
		c.until("both cards tell of it", fmt.Sprintf(`[...document.querySelectorAll(".ac-adaptiveCard")].filter(e => e.innerText.includes(%q)).length === 2`, number))
		c.Shot("teams-7-thread")
		thread := ""
		if err := json.Unmarshal(w.story(number).Registration.Reply.Thread, &struct {
			Ref struct {
				Conversation *string `json:"conversation"`
			} `json:"ref"`
		}{struct {
			Conversation *string `json:"conversation"`
		}{&thread}}); err != nil || !strings.Contains(thread, ";messageid=") {
			t.Errorf("it goes on in %q, not in the thread: %v", thread, err)
		}
	})

	t.Run("by the message extension", func(t *testing.T) {
		c := visit(t)
		c.until("where to write", fmt.Sprintf(`!!document.querySelector(%q)`, composer))
		c.Do(chromedp.Click(c.mark("plus", `[...document.querySelectorAll("button[aria-haspopup=menu]")].at(-1)`)))
		c.Do(chromedp.Click(c.mark("item", `[...document.querySelectorAll("[role=menuitem]")].find(b => b.innerText.trim() === "Action Command")`)))
		c.Do(chromedp.SendKeys(c.mark("command", `document.querySelector("[role=dialog] input[type=text]")`), "register"))
		c.Do(chromedp.Click(c.mark("create", `document.querySelector("[role=dialog] button[aria-label=Create]")`)))
		c.shows("You register this for Alpha.")
		c.shows("getConversationMember")
		// The Playground draws a dialog anew when its log has something new: what was typed is gone
		// then, and has to be typed once more.
		good := map[string]string{
			"Company name": "Fabrikam", "Company domain": "fabrikam.example", "Contact name": "Jane Doe", "Contact e-mail": "jane@fabrikam.example",
			"Problem": "Reporting takes them a day a week.", "Stage": "New introduction",
		}
		filled := func() bool {
			for label, want := range good {
				if c.value(label) != want {
					return false
				}
			}
			return true
		}
		for begun := time.Now(); len(w.cases("alpha")) < 3; {
			if time.Since(begun) > 90*time.Second {
				t.Fatalf("no case\n%s\n%s", c.Text(), w.log)
			}
			for label, text := range good {
				if label != "Stage" && c.value(label) != text {
					c.clear(label)
					c.fill(label, text)
				}
			}
			c.choose("Stage", good["Stage"])
			c.tick("I confirm that the prospect agrees")
			if !filled() {
				continue
			}
			c.Shot("teams-8-dialog")
			c.press("Register")
			for pressed := time.Now(); time.Since(pressed) < 5*time.Second && len(w.cases("alpha")) < 3; {
				time.Sleep(50 * time.Millisecond)
			}
		}
		c.shows(w.cases("alpha")[0].Case)
		c.Shot("teams-9-dialog-case")
	})
}

// complete fills in what a beginning with company and domain leaves out.
func (c *client) complete(contact string) {
	c.t.Helper()
	c.fill("Contact name", "Jane Doe")
	c.fill("Contact e-mail", contact)
	c.fill("Problem", "Reporting takes them a day a week.")
	c.choose("Stage", "New introduction")
	c.tick("I confirm that the prospect agrees")
}

func (c *client) value(label string) string {
	c.t.Helper()
	return pagestest.Eval[string](c.Page, fmt.Sprintf(`document.querySelector(%q).value`, c.field(label)))
}

func (c *client) clear(label string) {
	c.t.Helper()
	at := c.field(label)
	c.Do(chromedp.Focus(at))
	for range len(pagestest.Eval[string](c.Page, fmt.Sprintf(`document.querySelector(%q).value`, at))) {
		c.Do(chromedp.KeyEvent(kb.End), chromedp.KeyEvent(kb.Backspace))
	}
}

func (c *client) choose(label, words string) {
	c.t.Helper()
	c.Do(chromedp.Click(c.field(label)))
	c.Do(chromedp.Click(c.mark("option", fmt.Sprintf(`[...document.querySelectorAll("[role=option]")].find(e => e.innerText.trim() === %q)`, words))))
}

func (c *client) tick(words string) {
	c.t.Helper()
	at := c.mark("tick", fmt.Sprintf(`[...%s.querySelectorAll("input[type=checkbox]")].find(e => e.closest("div").parentElement.innerText.includes(%q))`, lastCard, words))
	if !pagestest.Eval[bool](c.Page, fmt.Sprintf(`document.querySelector(%q).checked`, at)) {
		c.Do(chromedp.Click(at))
	}
}
