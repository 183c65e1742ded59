package app

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	altcha "github.com/altcha-org/altcha-lib-go"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"leadgate/channels/pages"
	"leadgate/channels/pages/pagestest"
	"leadgate/channels/webform/captcha"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
)

// formPages are all pages of the form, and how a visitor comes there.
func formPages(o *office) []formShot {
	link, _, err := o.app.Gateway().FormLink(o.Context(), "brightpath", intake.PurposeForm)
	if err != nil {
		o.Fatal(err)
	}
	grant := intake.Grant{For: intake.PurposeForm, Partner: "brightpath", Expires: time.Now().Add(-time.Hour).Unix()}
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
	provenDone, err := o.app.Gateway().DoneLink(o.Context(), intake.Receipt{Case: o.proven("Tailspin Toys", "tailspin.example")}, "brightpath")
	if err != nil {
		o.Fatal(err)
	}
	provenDone = o.path(provenDone)
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
		{name: "done-proven", path: provenDone, status: 200},
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
		return e.closest("altcha-widget") ? "captcha" : e.id || e.name || (e.type === "submit" ? "send" : e.tagName + " " + e.textContent.trim().slice(0, 40));
	})()`)
}

func TestWhatIsWrongIsSaidFirstAndLeadsToTheQuestion(t *testing.T) {
	o := openForm(t)
	for _, tt := range []struct{ lang, title, fault string }{
		{"en", "Error: Register a prospect – Northwind Cloud", "Company domain: this is not a domain; a domain looks like acme.com"},
		{"de", "Fehler: Interessenten registrieren – Northwind Cloud", "Firmendomain: das ist keine Domain; eine Domain sieht aus wie acme.de"},
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
			sender := strings.ReplaceAll(name, " ", ".") + "@brightpath.example" // one address gets few mails an hour
			a := prospect("Company "+name, domain).with("submitter_email", sender)
			p := o.browse(t, intake.PathForm, tt.look)
			missing := o.unsolved()
			tt.do(t, p, a)
			if got := o.unsolved() - missing; got != 0 && tt.look.Scripts != pagestest.ScriptsOff {
				t.Errorf("%v times the form was sent without a solved captcha", got)
			}
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
			if r.Status != intake.StatusQuarantined || r.Lead[intake.FieldCompanyDomain] != domain || r.Contact != sender {
				t.Errorf("before it is confirmed: %s %v %s", r.Status, r.Lead, r.Contact)
			}

			p.Go(o.at + o.mailed(sender, intake.PathConfirm, number))
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

// unsolved is how often the form came without a captcha, complete as it was.
func (o *office) unsolved() float64 {
	o.Helper()
	families, err := o.app.registry.Gather()
	if err != nil {
		o.Fatal(err)
	}
	n := 0.0
	for _, f := range families {
		if f.GetName() != "leadgate_captcha_checks_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == string(captcha.OutcomeMissing) {
					n += m.GetCounter().GetValue()
				}
			}
		}
	}
	return n
}

// in is the office for a part of a test.
func (o *office) in(t *testing.T) *office {
	part := *o
	part.T = t
	return &part
}

func TestTheSignedLinkOfAPartnerProvesWhoRegisters(t *testing.T) {
	o := openForm(t)
	link, _, err := o.app.Gateway().FormLink(t.Context(), "brightpath", intake.PurposeForm)
	if err != nil {
		t.Fatal(err)
	}
	p := o.browse(t, o.path(link), pagestest.Look{Language: "de"})
	opened := time.Now()
	fill(p, prospect("Acme", "acme.com").with("submitter_email", "ana@elsewhere.example"))
	p.Follow(chromedp.Click(send))
	if text := p.Text(); p.Status != 422 || !strings.Contains(text, "dieser Link gehört einer anderen Firma") {
		t.Errorf("with a foreign address: %d\n%s", p.Status, text)
	}
	put(p, answers{"submitter_email": "ana@brightpath.example"})
	p.Do(chromedp.Focus(chromedp.ID("submitter_email")))
	solved(p)
	again := time.Now() // nobody is so fast as to fill in a form within three seconds
	o.until("three seconds", func() bool { return time.Since(again) > 3*time.Second && time.Since(opened) > 3*time.Second })
	p.Follow(chromedp.Click(send))
	if text := p.Text(); p.Status != 200 || !strings.Contains(text, "Sie brauchen nichts zu tun") {
		t.Fatalf("%d\n%s", p.Status, text)
	}
	number := o.numberOf(pagestest.Eval[string](p, "location.pathname"))
	o.until(number+" in review", func() bool { return o.is(number).Status == intake.StatusInReview })
	p.Follow(chromedp.Click(chromedp.CSS(`a[href*="/status/"]`)))
	if text := p.Text(); p.Status != 200 || !strings.Contains(text, number) || !strings.Contains(text, "Liegt zur Entscheidung vor") {
		t.Errorf("how it stands: %d\n%s", p.Status, text)
	}
}

func TestWhoClicksTwiceRegistersOnce(t *testing.T) {
	o := openForm(t)
	for _, scripts := range []pagestest.Scripts{pagestest.ScriptsOn, pagestest.ScriptsOff} {
		t.Run("scripts "+string(scripts), func(t *testing.T) {
			o := o.in(t)
			p := o.browse(t, intake.PathForm, pagestest.Look{Scripts: scripts})
			before := len(o.cases())
			put(p, prospect("Twice "+string(scripts), string(scripts)+"-twice.example"))
			if scripts == pagestest.ScriptsOn {
				p.Do(chromedp.Focus(chromedp.ID("company_name")))
				solved(p)
			}
			p.Follow(chromedp.DoubleClick(send))
			o.until("the page that it came in", func() bool {
				return strings.HasPrefix(pagestest.Eval[string](p, "location.pathname"), intake.PathDone)
			})
			if got := len(o.cases()) - before; got != 1 {
				t.Errorf("%d cases", got)
			}
			number := o.numberOf(pagestest.Eval[string](p, "location.pathname"))
			if got := o.is(number).Submissions; got != 1 {
				t.Errorf("%d submissions", got)
			}
			// The page that says so registers nothing, however often it is loaded.
			p.Follow(chromedp.Reload())
			if text := p.Text(); p.Status != 200 || !strings.Contains(text, number) || len(o.cases())-before != 1 {
				t.Errorf("loaded again: %d, %d cases\n%s", p.Status, len(o.cases())-before, text)
			}
		})
	}
}

// Browsers may keep the second of two clicks to themselves; here both arrive, at the same time.
func TestAFormThatArrivesTwiceAtOnceIsOneRegistration(t *testing.T) {
	o := openForm(t)
	form := url.Values{"opened": {o.openedForm(intake.PathForm)}}
	for k, v := range prospect("Twice", "twice.example") {
		form.Set(k, v)
	}
	from, led := caller(), make(chan string, 4)
	for range cap(led) {
		go func() {
			resp, _ := o.do("POST", intake.PathForm, form, "X-Forwarded-For", from)
			led <- resp.Header.Get("Location")
		}()
	}
	numbers := make(map[string]bool)
	for range cap(led) {
		numbers[o.numberOf(<-led)] = true
	}
	all := o.cases()
	if len(numbers) != 1 || len(all) != 1 || all[0].Submissions != 1 {
		t.Errorf("%v, %d cases with %d submissions", numbers, len(all), all[0].Submissions)
	}
}

// Whoever goes back and changes something loses nothing: it is there once more, or it is said why
// not.
func TestWhoGoesBackAndChangesSomethingLosesNothing(t *testing.T) {
	o := openForm(t)
	p := o.browse(t, intake.PathForm, pagestest.Look{})
	fill(p, prospect("First", "first.example"))
	solved(p)
	p.Follow(chromedp.Click(send))
	first := o.numberOf(pagestest.Eval[string](p, "location.pathname"))

	// The page comes back as it was left, without being loaded, so that chromedp knows nothing of it.
	pagestest.Eval[chromedp.Void](p, "setTimeout(() => history.back()), 1")
	o.until("the form again", func() bool {
		return pagestest.Eval[bool](p, "location.pathname === '/register' && document.readyState === 'complete'")
	})
	for field, v := range prospect("First", "first.example") {
		got := pagestest.Eval[string](p, fmt.Sprintf("new FormData(register).get(%q) || ''", field))
		if got != v {
			t.Errorf("of %s there is still %q", field, got)
		}
	}
	put(p, answers{"company_domain": "second.example"})
	pagestest.Eval[chromedp.Void](p, "setTimeout(() => register.querySelector('button[type=submit]').click()), 1")
	o.until("the page of the second", func() bool {
		return pagestest.Eval[bool](p, "location.pathname.startsWith('/registered/') && document.readyState === 'complete'")
	})
	second := o.numberOf(pagestest.Eval[string](p, "location.pathname"))
	if second == first || o.is(second).Lead[intake.FieldCompanyDomain] != "second.example" || o.is(first).Lead[intake.FieldCompanyDomain] != "first.example" {
		t.Errorf("%s is %v, %s is %v", first, o.is(first).Lead, second, o.is(second).Lead)
	}
}

// answer is what a visitor's machine finds for a challenge.
func (o *office) answer(expires time.Time) string {
	o.Helper()
	key, err := intake.Secret(o.Context(), o.app.store, "captcha")
	if err != nil {
		o.Fatal(err)
	}
	c, err := altcha.CreateChallenge(altcha.ChallengeOptions{Algorithm: altcha.SHA256, MaxNumber: 1000, HMACKey: string(key), Expires: &expires})
	if err != nil {
		o.Fatal(err)
	}
	found, err := altcha.SolveChallenge(c.Challenge, c.Salt, altcha.SHA256, 1000, 0, nil)
	if err != nil || found == nil {
		o.Fatal("no solution: ", err)
	}
	b, err := json.Marshal(altcha.Payload{Algorithm: c.Algorithm, Challenge: c.Challenge, Number: int64(found.Number), Salt: c.Salt, Signature: c.Signature})
	if err != nil {
		o.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func TestACaptchaThatIsNotGoodIsAskedForAgainAndNothingIsLost(t *testing.T) {
	o := openForm(t)
	soon := time.Now().Add(time.Minute)
	spent := o.answer(soon)
	resp, body := o.post(intake.PathForm, prospect("Spender", "spender.example"), "altcha", spent)
	o.want("the first time", resp, body, 303)
	other := []byte(o.answer(soon))
	other[len(other)/2] ^= 1
	for name, token := range map[string]string{
		"spent": spent, "of eleven minutes ago": o.answer(time.Now().Add(-time.Minute)), "tampered with": string(other), "no captcha at all": "x",
	} {
		t.Run(name, func(t *testing.T) {
			o := o.in(t)
			a := prospect("Captcha "+name, strings.ReplaceAll(name, " ", "-")+".example")
			before := len(o.cases())
			resp, body := o.post(intake.PathForm, a, "altcha", token)
			o.want(name, resp, body, 422, "<title>Error: ", `value="`+a["company_name"]+`"`, a["problem"], `value="new_intro" checked`, "We could not check that you are a person")
			if strings.Contains(body, token) && len(token) > 1 {
				t.Error("the token is in the page")
			}
			if got := len(o.cases()) - before; got != 0 {
				t.Errorf("%d cases", got)
			}

			// The same in a browser, which then sends what is still there.
			p := o.browse(t, intake.PathForm, pagestest.Look{})
			put(p, a)
			p.Do(chromedp.Focus(chromedp.ID("company_name")))
			solved(p)
			put(p, answers{"altcha": token})
			p.Follow(chromedp.Click(send))
			if p.Status != 422 || active(p) != "faults" {
				t.Fatalf("%d, the focus on %s\n%s", p.Status, active(p), p.Text())
			}
			p.Clean()
			p.Shot("form-captcha")
			p.Follow(chromedp.Click(send))
			if text := p.Text(); p.Status != 200 || !strings.Contains(text, a["company_name"]) {
				t.Errorf("the second time: %d\n%s", p.Status, text)
			}
		})
	}
}

func TestHostileWordsAreShownAndDoNothing(t *testing.T) {
	o := openForm(t)
	const evil = `<script>alert(1)</script><img src=x onerror=alert(2)>{{.Program}}${7*7}`
	words := answers{
		"company_name": evil + "\u202egpj", "company_domain": "javascript:alert(3)", "contact_name": evil + "name", "contact_email": `"><svg/onload=alert(4)>@x`,
		"contact_role": evil + "role", "contact_phone": evil + "phone", "problem": "</textarea>" + evil + "problem", "product_interest": evil + "product",
		"target_revenue": evil + "revenue", "submitter_name": evil + "sender", "submitter_email": `"><svg/onload=alert(5)>@x`, "consent": intake.ConsentYes,
		"stage": intake.StageNewIntro,
	}
	harmless := func(t *testing.T, p *pagestest.Page, says ...string) {
		t.Helper()
		if n := pagestest.Eval[int](p, `document.querySelectorAll("script:not([src]), main img, main svg:not(altcha-widget svg), [onload], [onerror], a[href^='javascript:']").length`); n != 0 {
			t.Errorf("%d elements came of it", n)
		}
		text := pagestest.Eval[string](p, `document.body.innerText + [...document.querySelectorAll("input, textarea")].map(e => e.value).join("\n")`)
		for _, s := range says {
			if !strings.Contains(text, s) {
				t.Errorf("%q is not shown:\n%s", s, text)
			}
		}
		if strings.Contains(pagestest.Eval[string](p, "document.body.innerText"), "\u202e") {
			t.Error("the direction of the text is turned")
		}
		p.Clean()
	}
	p := o.browse(t, intake.PathForm, pagestest.Look{Width: 320})
	put(p, words)
	p.Follow(chromedp.Click(send))
	if p.Status != 422 {
		t.Fatalf("%d\n%s", p.Status, p.Text())
	}
	harmless(t, p, evil+"name", evil+"role", "</textarea>"+evil+"problem", "javascript:alert(3)", "onload=alert(5)")
	p.Shot("hostile-faults")

	put(p, answers{"company_domain": "https://hostile.example/?q=javascript:alert(3)", "contact_email": "jane@hostile.example", "contact_phone": "", "target_revenue": "", "submitter_email": "ana@brightpath.example"})
	p.Follow(chromedp.Click(send))
	if p.Status != 200 {
		t.Fatalf("%d\n%s", p.Status, p.Text())
	}
	harmless(t, p, evil)
	p.Shot("hostile-done")
	number := o.numberOf(pagestest.Eval[string](p, "location.pathname"))
	p.Go(o.at + o.mailed("ana@brightpath.example", intake.PathConfirm, number))
	harmless(t, p, evil)
	p.Shot("hostile-confirm")
	p.Follow(chromedp.Click(chromedp.CSS("button[value=mine]")))
	o.until(number+" in review", func() bool { return o.is(number).Status == intake.StatusInReview })
	p.Go(o.at + o.status(number))
	harmless(t, p, evil)
	p.Go(o.at + o.desk(number, intake.ActApprove, "mia"))
	harmless(t, p, evil, evil+"role", evil+"problem")
	p.Shot("hostile-desk")
}

// portal is a partner's site, of another host name than the gateway, with a policy that allows what
// it has to and nothing else.
func portal(t *testing.T, gateway string) string {
	t.Helper()
	const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Portal</title></head><body><main><h1>Portal</h1>%s</main></body></html>`
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/frame":
			w.Header().Set("Content-Security-Policy", "default-src 'none'; frame-src "+gateway)
			fmt.Fprintf(w, page, `<iframe title="Register" width="800" height="600" src="`+gateway+intake.PathForm+`?embed=1"></iframe>`)
		case "/script":
			w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src "+gateway+"/embed.js; frame-src "+gateway)
			fmt.Fprintf(w, page, `<script src="`+gateway+`/embed.js" data-lang="de" data-partner="`+r.URL.Query().Get("p")+`"></script>`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}

func TestTheFormStandsInAFrameOfAnotherSiteThatMayHaveIt(t *testing.T) {
	var site string
	o := openForm(t, func(c *config.Config) {
		site = portal(t, c.Pages.URL)
		c.Form.EmbedOrigins = []string{site}
	})
	link, _, err := o.app.Gateway().FormLink(t.Context(), "brightpath", intake.PurposeForm)
	if err != nil {
		t.Fatal(err)
	}
	_, token, _ := strings.Cut(link, "?p=")
	for name, path := range map[string]string{"a plain frame": "/frame", "the loader": "/script?p=" + token} {
		t.Run(name, func(t *testing.T) {
			o := o.in(t)
			p := pagestest.Open(t, site+path, pagestest.Look{})
			f := p.Frame(o.at + intake.PathForm)
			height := func() int { return pagestest.Eval[int](p, `document.querySelector("iframe").offsetHeight`) }
			fits := func() bool {
				return path == "/frame" || height() == pagestest.Eval[int](f, "document.documentElement.offsetHeight")
			}
			o.until("a frame as high as the form", fits)
			before := height()
			if pagestest.Eval[bool](f, `!!document.querySelector(".brand")?.offsetParent`) {
				t.Error("the form has a head of its own in the frame")
			}
			f.Clean()
			p.Clean()
			p.Shot("embedded-" + strings.Fields(name)[1])
			for _, a := range pagestest.Eval[[]string](f, `[...document.querySelectorAll("a:not([hreflang])")].filter(a => a.target !== "_blank" && !a.hash).map(a => a.href)`) {
				t.Errorf("%s leads to a page that has no place in a frame", a)
			}

			domain := strings.ReplaceAll(name, " ", "-") + ".example"
			put(f, prospect("Framed by "+name, domain))
			pagestest.Eval[chromedp.Void](f, "setTimeout(() => register.querySelector('button[type=submit]').click()), 1")
			o.until("the page that it came in", func() bool {
				return pagestest.Eval[bool](f, "location.pathname.startsWith('/registered/') && document.readyState === 'complete'")
			})
			number := o.numberOf(pagestest.Eval[string](f, "location.pathname"))
			if r := o.is(number); r.Lead[intake.FieldCompanyDomain] != domain {
				t.Errorf("the lead is %v", r.Lead)
			}
			o.until("a frame as high as the page that follows", fits)
			if path != "/frame" && height() >= before {
				t.Errorf("the frame stays %d high, the form had %d", height(), before)
			}
			f.Clean()
			p.Clean()
			p.Shot("embedded-done-" + strings.Fields(name)[1])
		})
	}
}

func TestASiteThatMayNotHaveTheFormGetsAnEmptyFrame(t *testing.T) {
	var site string
	o := openForm(t, func(c *config.Config) {
		site = portal(t, c.Pages.URL)
		c.Form.EmbedOrigins = []string{"https://portal.partner.example"}
	})
	for _, path := range []string{"/frame", "/script"} {
		p := pagestest.Open(t, site+path, pagestest.Look{})
		o.until("a word of the browser", func() bool {
			return strings.Contains(strings.Join(p.CSP(), "\n"), "frame-ancestors: "+o.at)
		})
		p.Shot("embedded-refused")
	}
	if got := len(o.cases()); got != 0 {
		t.Errorf("%d cases", got)
	}
}
