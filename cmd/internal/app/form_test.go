package app

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/emersion/go-message/mail"

	"leadgate/channels/pages/pagestest"
	"leadgate/channels/webform"
	"leadgate/channels/webform/captcha"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
)

// openForm runs a gateway with a form at the very address that its links lead to.
func openForm(t *testing.T, change ...func(*config.Config)) *office {
	t.Helper()
	pagestest.Require(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := testConfig(t.TempDir())
	c.Program, c.Policy.Timezone = "Northwind Cloud", "Europe/Brussels"
	c.Pages = config.Pages{Listen: l.Addr().String(), URL: "http://" + l.Addr().String(), TrustedProxies: []string{"127.0.0.0/8"}}
	c.Form = webform.Config{Enabled: true, Captcha: captcha.Config{MaxNumber: 2000}}
	c.Staff = []intake.Staff{{Name: "mia", Email: "mia@vendor.example", Roles: []intake.Role{intake.RolePartnerManager}}}
	for _, fn := range change {
		fn(&c)
	}
	o := &office{T: t, cfg: c, at: c.Pages.URL, log: &lockedBuffer{}}
	if o.app, err = Open(c, slog.New(slog.NewTextHandler(o.log, nil))); err != nil {
		t.Fatal(err)
	}
	o.app.pagesOn, o.app.pages = l, newEcho(o.app.log)
	if err := o.app.mountPages(o.app.pages); err != nil {
		t.Fatal(err)
	}
	p := intake.Partner{ID: "brightpath", Name: "Brightpath BV", Status: intake.PartnerActive, Motion: "referral", Domains: []string{"brightpath.example"}, Manager: intake.Contact{Name: "Mia Lund", Email: "mia@vendor.example"}}
	if err := o.app.Gateway().PutPartners(t.Context(), []intake.Partner{p}); err != nil {
		t.Fatal(err)
	}
	stop := run(t, o.app)
	t.Cleanup(func() {
		client.CloseIdleConnections()
		http.DefaultClient.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return o
}

var callers atomic.Int32

// caller is an address that no visitor had before, so that many tests are not one visitor.
func caller() string {
	n := callers.Add(1)
	return fmt.Sprintf("10.2.%d.%d", n>>8, n&0xff)
}

// browse opens a page of the form as a visitor of its own.
func (o *office) browse(t testing.TB, path string, look pagestest.Look) *pagestest.Page {
	t.Helper()
	look.Header = map[string]string{"X-Forwarded-For": caller()}
	return pagestest.Open(t, o.at+path, look)
}

// answers are what a visitor types, by question.
type answers map[string]string

// prospect is a whole registration of a company.
func prospect(company, domain string) answers {
	return answers{
		"company_name": company, "company_domain": domain, "contact_name": "Jane Doe", "contact_email": "jane@" + domain,
		"contact_role": "CTO", "problem": "They lose a day a week to manual reporting.", "stage": intake.StageNewIntro,
		"submitter_name": "Ana Silva", "submitter_email": "ana@brightpath.example", "consent": intake.ConsentYes,
	}
}

func (a answers) with(name, value string) answers {
	b := answers{name: value}
	for k, v := range a {
		if k != name {
			b[k] = v
		}
	}
	return b
}

// order of the questions whose answer is typed.
var typed = []string{
	"company_name", "company_domain", "country", "contact_name", "contact_email", "contact_role", "contact_phone", "problem",
	"product_interest", "target_revenue", "submitter_name", "submitter_email",
}

// fill types the answers and ticks what is to be ticked, with a mouse.
func fill(p *pagestest.Page, a answers) {
	for _, name := range typed {
		if v := a[name]; v != "" && name != "country" {
			p.Do(chromedp.Click(chromedp.ID(name)), chromedp.SendKeys(chromedp.ID(name), v))
		}
	}
	if v := a["country"]; v != "" {
		p.Do(chromedp.SetValue(chromedp.ID("country"), v))
	}
	if v := a["stage"]; v != "" {
		p.Do(chromedp.Click(chromedp.CSS(`[name=stage][value=` + v + `]`)))
	}
	if a["consent"] != "" {
		p.Do(chromedp.Click(chromedp.CSS(`label[for=consent]`)))
	}
}

// put fills in the answers as a script would.
func put(p *pagestest.Page, a answers) {
	for name, v := range a {
		pagestest.Eval[chromedp.Void](p, fmt.Sprintf(`(() => {
			for (const e of document.getElementsByName(%q)) {
				if (e.type === "radio" || e.type === "checkbox") e.checked = e.value === %q; else e.value = %q;
			}
		})()`, name, v, v))
	}
}

// send is the button of the form.
var send = chromedp.CSS("#register button[type=submit]")

// solved waits until the widget has done its work.
func solved(p *pagestest.Page) {
	p.Do(chromedp.WaitReady(chromedp.CSS(`altcha-widget [data-state=verified]`)))
}

// post sends the form without a browser, and returns where it leads.
func (o *office) post(path string, a answers, more ...string) (*http.Response, string) {
	o.Helper()
	form := url.Values{"opened": {o.openedForm(path)}}
	for k, v := range a {
		form.Set(k, v)
	}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return o.do("POST", path, form, "X-Forwarded-For", caller())
}

var openedField = regexp.MustCompile(`name="opened" value="([^"]+)"`)

func (o *office) openedForm(path string) string {
	o.Helper()
	_, body := o.do("GET", path, nil, "X-Forwarded-For", caller())
	m := openedField.FindStringSubmatch(body)
	if m == nil {
		o.Fatalf("%s has no form:\n%s", path, body)
	}
	return m[1]
}

// registers sends the form without a browser, and returns the case and the path of the page that
// tells that it came in.
func (o *office) registers(a answers) (number, done string) {
	o.Helper()
	resp, body := o.post(intake.PathForm, a)
	o.want("registering", resp, body, http.StatusSeeOther)
	return o.numberOf(resp.Header.Get("Location")), resp.Header.Get("Location")
}

// numberOf reads the case in the link of a page that tells that it came in.
func (o *office) numberOf(done string) string {
	o.Helper()
	u, err := url.Parse(done)
	if err != nil {
		o.Fatal(err)
	}
	g, err := o.app.Links().Read(strings.TrimPrefix(u.Path, intake.PathDone), time.Now())
	if err != nil || g.Case == "" {
		o.Fatalf("%s is no page of a case: %v", done, err)
	}
	return g.Case
}

// cases are all that came in.
func (o *office) cases() []intake.Registration {
	o.Helper()
	all, err := o.app.Gateway().Cases(o.Context(), intake.CaseQuery{Limit: 100})
	if err != nil {
		o.Fatal(err)
	}
	return all
}

// until waits for what the gateway does in its own time.
func (o *office) until(what string, is func() bool) {
	o.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			o.Fatalf("waited in vain: %s\n%s", what, o.log.String())
		}
	}
}

var linkInMail = regexp.MustCompile(`https?://\S+`)

// mailed waits for a mail to an address with a link to a path that names a case, and returns the
// path of the link.
func (o *office) mailed(address, path, number string) (link string) {
	o.Helper()
	o.until("mail to "+address+" about "+number, func() bool {
		files, err := filepath.Glob(filepath.Join(o.cfg.Mailboxes[0].Outbox, "*.eml"))
		if err != nil {
			o.Fatal(err)
		}
		for _, f := range files {
			to, text := o.readMail(f)
			if !strings.Contains(to, address) || !strings.Contains(text, number) {
				continue
			}
			for _, l := range linkInMail.FindAllString(text, -1) {
				if strings.HasPrefix(l, o.at+path) {
					link = strings.TrimPrefix(l, o.at)
					return true
				}
			}
		}
		return false
	})
	return link
}

func (o *office) readMail(path string) (to, text string) {
	o.Helper()
	f, err := os.Open(path)
	if err != nil {
		return "", "" // being renamed at this moment
	}
	defer f.Close()
	r, err := mail.CreateReader(f)
	if err != nil {
		return "", ""
	}
	part, err := r.NextPart()
	if err != nil {
		return "", ""
	}
	b, err := io.ReadAll(part.Body)
	if err != nil {
		o.Fatal(err)
	}
	return r.Header.Get("To"), string(b)
}
