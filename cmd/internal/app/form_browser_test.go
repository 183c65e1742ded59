package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

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
