package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"leadgate/channels/pages"
	"leadgate/channels/pages/pagestest"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
)

// formPages are all pages of the form, and how a visitor comes there.
func formPages(o *office) []formShot {
	link, _, err := o.app.Gateway().FormLink(o.Context(), "brightpath")
	if err != nil {
		o.Fatal(err)
	}
	grant := intake.Grant{Partner: "brightpath", Expires: time.Now().Add(-time.Hour).Unix()}
	expired := o.path(o.app.Links().Form(grant))
	number, done := o.registers(prospect("Contoso & Söhne Präzisionsmaschinenbau GmbH", "contoso-soehne.example"))
	o.registers(prospect("Fabrikam", "fabrikam.example"))
	confirm := o.path(o.app.Links().Confirm(intake.Grant{Case: number, Expires: time.Now().Add(time.Hour).Unix()}))
	said := func(address, say string) string {
		number, _ := o.registers(prospect("Said "+say, say+"-said.example").with("submitter_email", address))
		path := o.path(o.app.Links().Confirm(intake.Grant{Case: number, Expires: time.Now().Add(time.Hour).Unix()}))
		resp, body := o.do("POST", path, map[string][]string{"case": {number}, "say": {say}}, "X-Forwarded-For", caller())
		o.want("saying "+say, resp, body, 303)
		return path + "?said=" + say
	}
	plain := func(path string) string { return strings.SplitN(path, "?", 2)[0] }
	return []formShot{
		{name: "form", path: intake.PathForm, status: 200},
		{name: "form-faults", path: intake.PathForm, status: 422, then: func(p *pagestest.Page) {
			put(p, prospect("", "localhost").with("contact_email", "jane").with("submitter_email", "").with("consent", ""))
			p.Follow(chromedp.Click(send))
		}},
		{name: "form-partner", path: o.path(link), status: 200},
		{name: "form-expired", path: expired, status: 410},
		{name: "done", path: plain(done), status: 200},
		{name: "done-proven", path: o.path(o.app.Gateway().DoneLink(o.proven("Tailspin Toys", "tailspin.example"), "brightpath")), status: 200},
		{name: "confirm", path: confirm, status: 200},
		{name: "confirm-mine", path: said("bo@brightpath.example", "mine"), status: 200},
		{name: "confirm-not", path: said("cleo@brightpath.example", "not"), status: 200},
		{name: "thanks", path: intake.PathForm + "/thanks", status: 200},
	}
}

type formShot struct {
	name, path string
	status     int
	then       func(*pagestest.Page)
}

// proven takes in what a partner sent by his own link.
func (o *office) proven(company, domain string) string { return o.register(domain, company, domain) }

func TestEveryPageOfTheFormIsCleanInABrowser(t *testing.T) {
	o := openForm(t, func(c *config.Config) {
		c.Form.Products = []string{"Northwind Core", "Northwind Analytics"}
		c.Form.Meeting.URL = "https://meetings.vendor.example/discovery"
		c.Form.Meeting.Prefill = map[string]string{"email": "email", "case": "case"}
	})
	for _, shot := range formPages(o) {
		t.Run(shot.name, func(t *testing.T) {
			for _, lang := range pages.Languages() {
				for _, width := range []int{320, 1280} {
					for _, scheme := range pagestest.Schemes() {
						t.Run(fmt.Sprintf("%s %d %s", lang, width, scheme), func(t *testing.T) {
							p := o.browse(t, shot.path, pagestest.Look{Width: width, Scheme: scheme, Language: lang})
							if shot.then != nil {
								shot.then(p)
							}
							if got := pagestest.Eval[string](p, "document.documentElement.lang"); got != lang || p.Status != shot.status {
								t.Errorf("%d in %q", p.Status, got)
							}
							p.Clean()
							p.Shot(shot.name + "-" + lang)
						})
					}
				}
			}
		})
	}
}

// active says where the focus is.
func active(p *pagestest.Page) string {
	return pagestest.Eval[string](p, `(() => {
		const e = document.activeElement;
		return e.id || e.name || (e.closest("altcha-widget") ? "captcha" : e.type === "submit" ? "send" : (e.tagName + " " + e.textContent.trim()));
	})()`)
}

func TestWhatIsWrongIsSaidFirstAndLeadsToTheQuestion(t *testing.T) {
	o := openForm(t)
	for _, tt := range []struct{ lang, title, fault string }{
		{"en", "Error: Register a prospect – Northwind Cloud", "Company domain: this is not a company's domain; it looks like acme.com"},
		{"de", "Fehler: Interessenten registrieren – Northwind Cloud", "Firmendomain: das ist keine Domain einer Firma; sie sieht aus wie acme.de"},
	} {
		t.Run(tt.lang, func(t *testing.T) {
			p := o.browse(t, intake.PathForm, pagestest.Look{Language: tt.lang})
			fill(p, prospect("Acme", "localhost").with("contact_email", "jane@acme.com").with("stage", "").with("consent", ""))
			p.Follow(chromedp.Click(send))
			if title := pagestest.Eval[string](p, "document.title"); p.Status != 422 || title != tt.title {
				t.Errorf("%d %q, want %q", p.Status, title, tt.title)
			}
			if at := active(p); at != "faults" {
				t.Errorf("the focus is on %s", at)
			}
			links := pagestest.Eval[[]string](p, `[...document.querySelectorAll("#faults a")].map(a => a.hash)`)
			if got := strings.Join(links, " "); got != "#company_domain #stage #consent" {
				t.Errorf("the summary leads to %s", got)
			}
			if text := pagestest.Eval[string](p, `document.querySelector("#faults a").textContent`); text != tt.fault {
				t.Errorf("it says %q, want %q", text, tt.fault)
			}
			for _, at := range []string{"company_domain", "consent"} {
				p.Do(chromedp.Click(chromedp.CSS(`#faults a[href="#` + at + `"]`)))
				if got := active(p); got != at {
					t.Errorf("the link to %s leads to %s", at, got)
				}
				described := pagestest.Eval[string](p, `document.activeElement.getAttribute("aria-describedby").split(" ").map(id => document.getElementById(id).textContent).join(" ")`)
				if pagestest.Eval[string](p, `document.activeElement.getAttribute("aria-invalid")`) != "true" || !strings.Contains(described, ": ") {
					t.Errorf("%s is described by %q", at, described)
				}
			}
			p.Do(chromedp.Click(chromedp.CSS(`#faults a[href="#stage"]`)), chromedp.KeyEvent(kb.Tab))
			if got := pagestest.Eval[string](p, "document.activeElement.name"); got != "stage" {
				t.Errorf("behind the link to the choices is %s", got)
			}
			if v := pagestest.Eval[string](p, "company_name.value"); v != "Acme" {
				t.Errorf("what was typed is %q", v)
			}
			p.Clean()
		})
	}
}

func TestARegistrationSucceeds(t *testing.T) {
	o := openForm(t, func(c *config.Config) { c.Form.Captcha.MaxNumber = 0 })
	click := func(t *testing.T, p *pagestest.Page, a answers) {
		fill(p, a)
		solved(p)
		p.Follow(chromedp.Click(send))
	}
	for name, tt := range map[string]struct {
		look pagestest.Look
		do   func(*testing.T, *pagestest.Page, answers)
	}{
		"with a mouse":            {pagestest.Look{}, click},
		"on a narrow dark screen": {pagestest.Look{Width: 320, Scheme: pagestest.Dark, Language: "de"}, click},
		"with the keyboard alone": {pagestest.Look{}, withKeys},
		"without scripts":         {pagestest.Look{Scripts: pagestest.ScriptsOff}, func(_ *testing.T, p *pagestest.Page, a answers) { fill(p, a); p.Follow(chromedp.Click(send)) }},
		"faster than the captcha": {pagestest.Look{}, func(_ *testing.T, p *pagestest.Page, a answers) { put(p, a); p.Follow(chromedp.Click(send)) }},
		"after a fault was mended": {pagestest.Look{}, func(t *testing.T, p *pagestest.Page, a answers) {
			fill(p, a.with("contact_email", "jane"))
			p.Follow(chromedp.Click(send))
			if p.Status != 422 {
				t.Errorf("the fault: %d", p.Status)
			}
			p.Do(chromedp.Clear(chromedp.ID("contact_email")), chromedp.SendKeys(chromedp.ID("contact_email"), a["contact_email"]))
			p.Follow(chromedp.Click(send))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			o := o.in(t)
			domain := strings.ReplaceAll(name, " ", "-") + ".example"
			a := prospect("Company "+name, domain)
			p := o.browse(t, intake.PathForm, tt.look)
			tt.do(t, p, a)
			text := p.Text()
			if p.Status != 200 || !strings.Contains(text, a["company_name"]) {
				t.Fatalf("%d\n%s", p.Status, text)
			}
			p.Clean()
			number := o.numberOf(pagestest.Eval[string](p, "location.pathname"))
			if !strings.Contains(text, number) {
				t.Errorf("the number %s is not there:\n%s", number, text)
			}
			r := o.is(number)
			if r.Status != intake.StatusQuarantined || r.Lead[intake.FieldCompanyDomain] != domain || r.Contact != "ana@brightpath.example" {
				t.Errorf("before it is confirmed: %s %v %s", r.Status, r.Lead, r.Contact)
			}
			o.withCaptcha(number, tt.look.Scripts != pagestest.ScriptsOff)

			p.Go(o.at + o.mailed("ana@brightpath.example", intake.PathConfirm, number))
			for _, other := range pagestest.Eval[[]string](p, `[...document.querySelectorAll("input[name=case]")].map(e => e.id)`) {
				if other != number {
					p.Do(chromedp.Click(chromedp.CSS(`label[for="` + other + `"]`)))
				}
			}
			if tt.look.Width == 0 { // the keyboard's Enter means the first button
				p.Do(chromedp.Focus(chromedp.CSS(`button[value=mine]`)))
				p.Follow(chromedp.KeyEvent(kb.Enter))
			} else {
				p.Follow(chromedp.Click(chromedp.CSS(`button[value=mine]`)))
			}
			p.Clean()
			o.until(number+" in review", func() bool { return o.is(number).Status == intake.StatusInReview })
		})
	}
}

// withKeys fills the form in without a mouse: from the start of the page, one question after the
// other, to the button.
func withKeys(t *testing.T, p *pagestest.Page, a answers) {
	var order []string
	for range 40 {
		p.Do(chromedp.KeyEvent(kb.Tab))
		at := active(p)
		order = append(order, at)
		if at == "send" {
			break
		}
		switch {
		case at == "consent":
			p.Do(chromedp.KeyEvent(" "))
		case strings.HasPrefix(at, "stage"):
			p.Do(chromedp.KeyEvent(" "))
		case a[at] != "":
			p.Do(chromedp.KeyEvent(a[at]))
		}
		if focus := pagestest.Eval[string](p, `getComputedStyle(document.activeElement).outlineStyle`); focus == "none" {
			t.Errorf("nobody sees that the focus is on %s", at)
		}
	}
	want := []string{
		"A Deutsch", "company_name", "company_domain", "country", "contact_name", "contact_email", "contact_role", "contact_phone", "problem", "stage-0",
		"product_interest", "target_revenue", "submitter_name", "submitter_email", "consent", "captcha", "send",
	}
	if !slices.Equal(order, want) {
		t.Errorf("Tab leads to %q, want %q", order, want)
	}
	solved(p)
	p.Follow(chromedp.KeyEvent(kb.Enter))
}

// in is the office for a part of a test.
func (o *office) in(t *testing.T) *office {
	part := *o
	part.T = t
	return &part
}

// withCaptcha wants that a case came with the captcha, or without.
func (o *office) withCaptcha(number string, with bool) {
	o.Helper()
	_ = number
	_ = with
}
