package app

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"leadgate/channels/pages"
	"leadgate/channels/pages/pagestest"
	"leadgate/cmd/internal/config"
	"leadgate/intake"
)

// looked is an office whose pages a browser opens.
func looked(t *testing.T) *office {
	t.Helper()
	pagestest.Require(t)
	return openOffice(t, func(c *config.Config) { c.Pages.URL = "http://127.0.0.1" })
}

var visitors atomic.Int32

// visitor gives each page an address of its own, so that the many of a test are not limited.
func visitor(look pagestest.Look) pagestest.Look {
	n := visitors.Add(1)
	look.Header = map[string]string{"X-Forwarded-For": fmt.Sprintf("10.1.%d.%d", n>>8, n&0xff)}
	return look
}

// everyLook opens a page in each way in which people look at it, takes a picture, and lets it
// be clean: of what keeps people from reading it, and of all that its policy forbids.
func (o *office) everyLook(name, path string, status int, more ...func(*pagestest.Page)) {
	o.Helper()
	for _, lang := range pages.Languages() {
		for _, width := range []int{320, 1280} {
			for _, scheme := range pagestest.Schemes() {
				if width > 320 && (lang == "de") != (scheme == pagestest.Dark) {
					continue // in a wide window one of each is enough
				}
				o.Run(fmt.Sprintf("%s %d %s", lang, width, scheme), func(t *testing.T) {
					look := visitor(pagestest.Look{Width: width, Scheme: scheme, Language: lang})
					if width == 320 {
						look.Scripts = pagestest.ScriptsOff
					}
					p := pagestest.Open(t, o.at+path, look)
					for _, fn := range more {
						fn(p)
					}
					if got := pagestest.Eval[string](p, "document.documentElement.lang"); got != lang || p.Status != status {
						t.Errorf("%d in %q", p.Status, got)
					}
					p.Clean()
					p.Shot(name + "-" + lang)
				})
			}
		}
	}
}

func TestTheDeskPageIsCleanInABrowser(t *testing.T) {
	o := looked(t)
	o.everyLook("desk", o.desk(o.name, intake.ActDecline, "mia"), 200, unfold)
}

// unfold opens what a visitor can.
func unfold(p *pagestest.Page) {
	pagestest.Eval[chromedp.Void](p, `document.querySelectorAll("details").forEach(d => d.open = true)`)
}

// The page with the most on it: advice against it, news, a long name, and nothing typed.
func TestADeskPageWithProblemsIsCleanInABrowser(t *testing.T) {
	o := looked(t)
	blocked := o.register("10", "Fabrikam Präzisionsmaschinenbau- und Anlagentechnikgesellschaft mbH & Co. Kommanditgesellschaft", "blocked.example")
	path := o.desk(blocked, intake.ActApprove, "mia")
	_, err := o.app.Gateway().Accept(t.Context(), intake.Submission{
		Key: "11", Channel: "email", ReceivedAt: time.Now(), Case: blocked,
		Sender: intake.Sender{Address: "ana@brightpath.example", Strength: intake.StrengthDomain}, Text: strings.Repeat("verylongword", 20),
		Lead: intake.Lead{intake.FieldContactPhone: "+49 30 1234567"},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.everyLook("problem", path, 422, func(p *pagestest.Page) { p.Follow(chromedp.Click(chromedp.CSS("button"))) })
}

func TestTheClosedDeskPageIsCleanInABrowser(t *testing.T) {
	o := looked(t)
	path := o.desk(o.name, intake.ActApprove, "mia")
	resp, body := o.do("POST", path, url.Values{"shown": {"1000"}})
	o.want("the decision", resp, body, 303)
	o.everyLook("closed", path, 200)
}

func TestTheStatusPageIsCleanInABrowser(t *testing.T) {
	o := looked(t)
	resp, body := o.do("POST", o.desk(o.name, intake.ActApprove, "mia"), url.Values{"shown": {"1000"}})
	o.want("the decision", resp, body, 303)
	o.everyLook("status", o.status(o.name), 200)
}

func TestTheRulesPageIsCleanInABrowser(t *testing.T) {
	o := looked(t)
	o.everyLook("rules", "/rules", 200)
}

func TestANoticeIsCleanInABrowser(t *testing.T) {
	o := looked(t)
	o.everyLook("notice", "/status/x", 404)
}

// The way of a person, without scripts: open the link, see what is missing, mend it, decide.
func TestStaffDecideInABrowserWithoutScripts(t *testing.T) {
	o := looked(t)
	p := pagestest.Open(t, o.at+o.desk(o.name, intake.ActDecline, "mia"), visitor(pagestest.Look{Width: 320, Scripts: pagestest.ScriptsOff, Language: "de"}))
	send := chromedp.Click(chromedp.CSS("button"))
	p.Do(chromedp.SendKeys(chromedp.ID("message"), "Danke für den Hinweis."))
	p.Follow(send)
	if got := p.Text(); p.Status != 422 || !strings.Contains(got, "Wählen Sie einen Grund.") {
		t.Errorf("%d\n%s", p.Status, got)
	}
	p.Do(chromedp.SetValue(chromedp.ID("reason"), "existing_deal"), chromedp.SendKeys(chromedp.ID("rationale"), "Wir sprechen seit Mai mit ihnen."))
	p.Follow(send)
	if got := p.Text(); p.Status != 200 || !strings.Contains(got, "Erledigt") || !strings.Contains(got, "mia aus unserem Team") {
		t.Errorf("%d\n%s", p.Status, got)
	}
	p.Clean()
	if r := o.is(o.name); r.Status != intake.StatusDeclined || r.PartnerNote != "Danke für den Hinweis." {
		t.Errorf("the case is %s, the partner is told %q", r.Status, r.PartnerNote)
	}
}
