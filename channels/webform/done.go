package webform

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"leadgate/channels/pages"
	"leadgate/intake"
)

// donePage is what the page of a registration that came in shows.
type donePage struct {
	intake.Done
	Texts   Texts
	Meeting string // where to book one; ""
	Again   string // the form once more
	Parent  string
	Address string // to write to if no mail comes
	Base    string
}

func (f *Form) showDone(c echo.Context) error {
	d, err := f.gateway.DoneByLink(c.Request().Context(), c.Param("token"))
	if err != nil {
		return f.goneLink(c, err)
	}
	fr, err := f.frameOf(c)
	if err != nil {
		return f.goneLink(c, err)
	}
	if fr.parent != "" {
		pages.Allow(c, pages.Policy{"frame-ancestors": fr.origins, "script-src": {"'self'"}})
	}
	return f.render(c, http.StatusOK, "done", fr, false, donePage{
		Done: d, Texts: f.c.Texts[fr.lang], Meeting: f.c.Meeting.link(d, f.reference(d)), Again: f.Site.Base() + intake.PathForm + fr.query(),
		Parent: fr.parent, Address: f.Contact, Base: f.Site.Base(),
	})
}

// reference is what proves, in the report of a booking, to which case it belongs. Who is not
// proven gets none: with it the booking counts as the partner's.
func (f *Form) reference(d intake.Done) string {
	if d.Partner == "" {
		return ""
	}
	return f.gateway.CaseReference(d.Case)
}

// link is the scheduling page with what it can be told; without the contact once that is no
// longer shown.
func (m Meeting) link(d intake.Done, reference string) string {
	if m.URL == "" {
		return ""
	}
	u, err := url.Parse(m.URL)
	if err != nil {
		return ""
	}
	first, last, _ := strings.Cut(d.Contact.Name, " ")
	values := map[string]string{
		"email": d.Contact.Email, "name": d.Contact.Name, "first_name": first, "last_name": last,
		"company": d.Company, "case": d.Case, "reference": reference,
	}
	q := u.Query()
	for _, parameter := range slices.Sorted(maps.Keys(m.Prefill)) {
		if v := values[m.Prefill[parameter]]; v != "" {
			q.Set(parameter, v)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// showThanks is where robots are led. Should a person come here, it says what to do.
func (f *Form) showThanks(c echo.Context) error {
	fr, err := f.frameOf(c)
	if err != nil {
		return f.goneLink(c, err)
	}
	return f.render(c, http.StatusOK, "thanks", fr, false, formPage{Contact: f.Contact, Action: f.Site.Base() + intake.PathForm + fr.query()})
}

// confirmPage is what the page behind the link in a mail shows.
type confirmPage struct {
	intake.Confirmation
	Token string
	// Said is what was just said: "mine", "not", "nothing" if nothing was ticked, or "".
	Said string
	Base string
}

func (f *Form) showConfirm(c echo.Context) error {
	v, err := f.gateway.ConfirmationByLink(c.Request().Context(), c.Param("token"))
	if err != nil {
		return f.goneLink(c, err)
	}
	said := c.QueryParam("said")
	if said != "mine" && said != "not" && said != "nothing" {
		said = ""
	}
	return f.renderConfirm(c, v, said)
}

func (f *Form) renderConfirm(c echo.Context, v intake.Confirmation, said string) error {
	fr := frame{lang: pages.Language(c.Request())}
	return f.render(c, http.StatusOK, "confirm", fr, false, confirmPage{Confirmation: v, Token: c.Param("token"), Said: said, Base: f.Site.Base()})
}

// confirm takes the word of the bearer. Only this does: what merely opens the link, as scanners
// of mail do, changes nothing.
func (f *Form) confirm(c echo.Context) error {
	req := c.Request()
	if f.origins.Check(req) != nil || req.Header.Get("Sec-Fetch-Site") == "" && req.Header.Get("Origin") == "" {
		return f.Site.Tell(c, http.StatusForbidden, pages.NoticeForeign)
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, maxBody)
	if err := req.ParseForm(); err != nil {
		return f.Site.Tell(c, http.StatusRequestEntityTooLarge, pages.NoticeLarge)
	}
	said, numbers := req.PostForm.Get("say"), req.PostForm["case"]
	if len(numbers) == 0 || said != "mine" && said != "not" {
		said, numbers = "nothing", nil
	}
	_, err := f.gateway.ConfirmByLink(req.Context(), c.Param("token"), numbers, said == "mine")
	if err != nil {
		return f.goneLink(c, err)
	}
	q := url.Values{"said": {said}, "lang": {pages.Language(req)}}
	return c.Redirect(http.StatusSeeOther, f.Site.Base()+intake.PathConfirm+c.Param("token")+"?"+q.Encode())
}
