// Package desk is where staff decide by a signed link, without a login: a page that shows the
// case and asks for the decision, which only sending its form makes. Whoever merely opens a
// link, as mail scanners do, changes nothing.
package desk

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels"
	"leadgate/channels/pages"
	"leadgate/intake"
)

// Office is what decides: a Gateway.
type Office interface {
	// Linked and ActLinked return intake.ErrLinkInvalid, ErrLinkExpired or ErrLinkRevoked
	// for a token that is not good, and ErrLinkStale for one that is used up.
	Linked(ctx context.Context, token string) (intake.View, error)
	ActLinked(ctx context.Context, token string, d intake.Deed) (intake.Registration, error)
}

// Desk are the pages of staff.
type Desk struct {
	site            *pages.Site
	office          Office
	locale          string
	confirm, closed map[string]*template.Template // by language
	origins         *http.CrossOriginProtection
}

var (
	_ channels.Mounter = (*Desk)(nil)
	_ Office           = (*intake.Gateway)(nil)
)

//go:embed html
var files embed.FS

// New returns the pages of a site. The locale is the language in which staff are written to,
// as in BCP 47: the pages are in it too, if there are any. With none, or another one, they are
// in the language of the browser.
func New(site *pages.Site, office Office, locale string) (*Desk, error) {
	d := &Desk{
		site: site, office: office, locale: locale, origins: http.NewCrossOriginProtection(),
		confirm: make(map[string]*template.Template), closed: make(map[string]*template.Template),
	}
	html, err := fs.Sub(files, "html")
	if err != nil {
		return nil, err
	}
	for _, lang := range pages.Languages() {
		if d.confirm[lang], err = site.Parse(lang, html, "desk.html", "desk."+lang+".html", "confirm.html"); err != nil {
			return nil, err
		}
		if d.closed[lang], err = site.Parse(lang, html, "desk.html", "desk."+lang+".html", "closed.html"); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// lang is the language of a page: the one asked for, the one of staff, or the browser's.
func (d *Desk) lang(c echo.Context) string { return pages.Language(c.Request(), d.locale) }

// tell answers with a notice in the language of the pages.
func (d *Desk) tell(c echo.Context, status int, n pages.Notice) error {
	return d.site.TellIn(c, d.lang(c), status, n)
}

// Mount adds the pages; nothing is registered through them.
func (d *Desk) Mount(g *echo.Group, _ intake.Sink) {
	const path = intake.PathDesk + ":token"
	pages.Look(g, path, d.show)
	g.POST(path, d.decide)
}

// maxForm is how much a form may send: the two texts and room to spare.
const maxForm = 64 << 10

func (d *Desk) show(c echo.Context) error {
	v, err := d.office.Linked(c.Request().Context(), c.Param("token"))
	switch {
	case errors.Is(err, intake.ErrLinkStale):
		return d.renderClosed(c, http.StatusOK, v)
	case gone(err):
		return d.tell(c, http.StatusNotFound, pages.NoticeGone)
	case err != nil:
		return err
	}
	return d.renderConfirm(c, http.StatusOK, v, prefilled(v), "")
}

func (d *Desk) decide(c echo.Context) error {
	req := c.Request()
	if !d.ownForm(req) {
		return d.tell(c, http.StatusForbidden, pages.NoticeForeign)
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, maxForm)
	if err := req.ParseForm(); err != nil {
		return d.tell(c, http.StatusRequestEntityTooLarge, pages.NoticeLarge)
	}
	token := c.Param("token")
	v, err := d.office.Linked(req.Context(), token)
	f := read(req)
	if err == nil {
		problem := f.check(v)
		if problem != "" {
			return d.renderConfirm(c, http.StatusUnprocessableEntity, v, f, problem)
		}
		_, err = d.office.ActLinked(req.Context(), token, f.deed())
	}
	switch {
	case err == nil: // the link is used up now, and its page tells what was done
		to := d.site.Base() + intake.PathDesk + token
		if c.QueryParam("lang") != "" {
			to += "?lang=" + d.lang(c)
		}
		return c.Redirect(http.StatusSeeOther, to)
	case gone(err):
		return d.tell(c, http.StatusNotFound, pages.NoticeGone)
	}
	return d.refuse(c, token, f, err)
}

// refuse shows why a decision was not carried out, with the case as it is now and what was
// typed.
func (d *Desk) refuse(c echo.Context, token string, f form, why error) error {
	v, err := d.office.Linked(c.Request().Context(), token)
	if errors.Is(err, intake.ErrLinkStale) {
		return d.renderClosed(c, http.StatusConflict, v)
	}
	if err != nil {
		return err
	}
	status, words := explain(why)
	if words == "" {
		return why
	}
	return d.renderConfirm(c, status, v, f, words)
}

// explain says what staff can do about an error of a decision; "" if it is a fault of ours.
func explain(err error) (status int, words string) {
	var input *intake.ErrInput
	var illegal *intake.IllegalTransition
	var held *intake.HeldError
	switch {
	case errors.As(err, &input):
		return http.StatusUnprocessableEntity, input.Problem
	case errors.As(err, &illegal):
		return http.StatusConflict, illegal.Error()
	case errors.As(err, &held):
		return http.StatusConflict, held.Error()
	case errors.Is(err, intake.ErrCaseChanged):
		return http.StatusConflict, problemChanged
	case errors.Is(err, intake.ErrNotAllowed):
		return http.StatusForbidden, problemRole
	case errors.Is(err, intake.ErrNotYet):
		return http.StatusNotImplemented, problemNotYet
	}
	return 0, ""
}

// gone reports whether a link is not good. Which way tells something to who guesses, so that
// the answer is one.
func gone(err error) bool {
	return errors.Is(err, intake.ErrLinkInvalid) || errors.Is(err, intake.ErrLinkExpired) || errors.Is(err, intake.ErrLinkRevoked)
}

// ownForm reports whether a form was sent from our own page. Every browser says where from;
// what does not say it is none that was shown our page.
func (d *Desk) ownForm(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == "" {
		return false
	}
	return d.origins.Check(r) == nil
}

// form is what was typed.
type form struct{ Days, Reason, Rationale, Message, shown string }

func read(r *http.Request) form {
	value := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	return form{Days: value("days"), Reason: value("reason"), Rationale: value("rationale"), Message: value("message"), shown: value("shown")}
}

// prefilled is the form as the policy would fill it in.
func prefilled(v intake.View) (f form) {
	for _, finding := range v.Dossier.Registration.Findings {
		if finding.Outcome == intake.OutcomeDecline && slices.Contains(reasons(v.Grant.Act), finding.Reason) {
			f.Reason = string(finding.Reason)
			break
		}
	}
	return f
}

// check returns what is wrong with a form that the decision itself would not notice, or would
// take for something else.
func (f form) check(v intake.View) string {
	needs := asksOf(v)
	if _, err := strconv.Atoi(f.Days); needs.Days && err != nil {
		return problemDays
	}
	if needs.Reason && !slices.Contains(reasons(v.Grant.Act), intake.Reason(f.Reason)) {
		return problemReason
	}
	return ""
}

func (f form) deed() intake.Deed {
	days, _ := strconv.Atoi(f.Days)
	shown, _ := strconv.Atoi(f.shown)
	return intake.Deed{
		Days: days, Shown: shown,
		Verdict: intake.Verdict{Reason: intake.Reason(f.Reason), Rationale: f.Rationale, Message: f.Message},
	}
}

// asks says what a form asks for.
type asks struct {
	Days, Reason, Rationale, RationaleNeeded, Message, Question, Grave bool
}

func asksOf(v intake.View) asks {
	switch v.Grant.Act {
	case intake.ActApprove:
		return asks{Rationale: true, RationaleNeeded: len(v.Against) > 0, Message: true}
	case intake.ActDecline, intake.ActRevoke:
		return asks{Reason: true, Rationale: true, RationaleNeeded: true, Message: true, Grave: true}
	case intake.ActAsk:
		return asks{Message: true, Question: true}
	case intake.ActExtend:
		return asks{Days: true, Message: true}
	case intake.ActSeen, intake.ActAckAppeal:
		return asks{}
	}
	return asks{Rationale: true, Message: true}
}

// reasons are those that a person can give for a refusal.
func reasons(act intake.StaffAct) []intake.Reason {
	all := slices.DeleteFunc(intake.DeclineReasons(), func(r intake.Reason) bool { return r == intake.ReasonRevoked })
	if act == intake.ActRevoke {
		all = append([]intake.Reason{intake.ReasonRevoked}, all...)
	}
	return all
}

// sheet is what the pages show.
type sheet struct {
	By      string
	Act     intake.StaffAct
	Expires time.Time
	Company string
	Partner string
	Case    intake.Registration
	Since   []entry

	// Down are the CRMs that do not work.
	Down []intake.Condition

	// For the page that asks.
	May         bool
	Shown       int
	Against     []intake.Finding
	Asks        asks
	Form        form
	Reasons     []intake.Reason
	Problem, At string
	Fields      []intake.FieldFact
	Findings    []intake.Finding
	Submissions []intake.Submission
	Events      []entry
	Chain       string
	// Said is what the partner sent last, Proposed the first half of a decision of two persons.
	Said     intake.Submission
	Proposed intake.Revoking

	// Done says that the bearer of the link did what it was for, Decided that a person did
	// anything about the case.
	Done, Decided bool
}

// entry is an event as it is told.
type entry struct {
	intake.Event
	By, Name string // whose doing it is: the parts of Actor
	Clock    string // what a deadline or a reminder was about
	ToStaff  bool   // says that it was not the partner who was told
}

// entries prepares events to be told in a language.
func (d *Desk) entries(lang string, events []intake.Event) []entry {
	var all []entry
	for _, e := range events {
		t := entry{Event: e}
		t.By, t.Name, _ = strings.Cut(e.Actor, ":")
		switch what, at, _ := strings.Cut(e.Note, ":"); {
		case e.Kind == intake.EventRang && clock(what, at):
			t.Clock, t.Note = what, ""
		case e.Kind == intake.EventNotified:
			t.Note, _, _ = strings.Cut(e.Note, " ") // behind it is an id of ours
			t.ToStaff = strings.HasPrefix(t.Note, "staff_")
		case e.Kind == intake.EventDeal:
			var fields []string
			for field := range strings.SplitSeq(e.Note, ", ") {
				fields = append(fields, d.dealField(lang, field))
			}
			t.Note = strings.Join(fields, ", ")
		default:
			t.Note = d.say(lang, notes, strings.TrimRight(e.Note, "; "))
		}
		all = append(all, t)
	}
	return all
}

// clock reports whether a note names what rang: a code, and mostly a time.
func clock(what, at string) bool {
	_, err := time.Parse(time.RFC3339, at)
	return (at == "" || err == nil) && !strings.Contains(what, " ")
}

// told is what the rules found, in a language.
func (d *Desk) told(lang string, findings []intake.Finding) []intake.Finding {
	findings = slices.Clone(findings)
	for i := range findings {
		findings[i].Evidence = d.say(lang, evidence, findings[i].Evidence)
	}
	return findings
}

func (d *Desk) sheetOf(lang string, v intake.View) sheet {
	r := v.Dossier.Registration
	s := sheet{
		By: v.Bearer, Act: v.Grant.Act, Expires: time.Unix(v.Grant.Expires, 0),
		Company: cmp.Or(r.Lead[intake.FieldCompanyName], r.Lead[intake.FieldCompanyDomain], r.Number),
		Partner: cmp.Or(v.Dossier.Partner.Name, r.Partner, "–"),
		Down:    v.Down,
		Case:    r, Since: d.entries(lang, v.Since),
	}
	return s
}

func (d *Desk) renderConfirm(c echo.Context, status int, v intake.View, f form, problem string) error {
	lang := d.lang(c)
	s := d.sheetOf(lang, v)
	r := v.Dossier.Registration
	s.May, s.Shown, s.Asks, s.Form = v.May, r.Revision, asksOf(v), f
	s.Reasons, s.Findings, s.Submissions = reasons(v.Grant.Act), d.told(lang, r.Findings), v.Dossier.Submissions
	s.Events, s.Chain = d.entries(lang, v.Dossier.Events), v.Dossier.Chain
	s.Problem, s.At = sentence(d.say(lang, problems, problem)), s.Asks.concerned(problem)
	if n := len(s.Submissions); n > 0 {
		s.Said = s.Submissions[n-1]
	}
	if v.Grant.Act == intake.ActRevoke && r.Status.Holds() {
		s.Proposed = r.Revoking
	}
	if v.Grant.Act == intake.ActApprove {
		s.Against = d.told(lang, v.Against)
	}
	for _, field := range intake.Fields() {
		if value := r.Lead[field]; value != "" {
			s.Fields = append(s.Fields, intake.FieldFact{Field: field, Value: value, Words: r.Evidence[field]})
		}
	}
	page := pages.Page{Lang: lang, Wrong: problem != "", Data: s}
	if !page.Wrong { // who changes the language would lose what was typed
		page.Other = pages.OtherLanguage(lang)
	}
	c.Response().Header().Set("Vary", "Accept-Language")
	return d.site.Render(c, status, d.confirm[lang], page)
}

// concerned is the field of the form that a problem is about, by its words; "" for none.
func (a asks) concerned(problem string) string {
	about := func(word string) bool { return strings.Contains(strings.ToLower(problem), word) }
	switch {
	case a.RationaleNeeded && about("rationale"):
		return "rationale"
	case a.Days && about("days"):
		return "days"
	case a.Question && about("question"):
		return "message"
	case a.Reason && about("reason"):
		return "reason"
	}
	return ""
}

func (d *Desk) renderClosed(c echo.Context, status int, v intake.View) error {
	lang := d.lang(c)
	s := d.sheetOf(lang, v)
	for _, e := range s.Since {
		s.Decided = s.Decided || strings.HasPrefix(e.Actor, "staff:")
		s.Done = s.Done || e.Actor == "staff:"+s.By && does(s.Act, e.Event)
	}
	c.Response().Header().Set("Vary", "Accept-Language")
	return d.site.Render(c, status, d.closed[lang], pages.Page{Lang: lang, Other: pages.OtherLanguage(lang), Data: s})
}

// does reports whether an event is what an act makes: of several links to one case, the one
// that was used is told from the others.
func does(act intake.StaffAct, e intake.Event) bool {
	to := map[intake.StaffAct]intake.Status{
		intake.ActDecline: intake.StatusDeclined, intake.ActAsk: intake.StatusNeedsInfo,
		intake.ActWaitlist: intake.StatusWaitlisted, intake.ActRelease: intake.StatusExpired,
	}
	switch act {
	case intake.ActApprove:
		return e.To.Holds()
	case intake.ActExtend:
		return e.Kind == intake.EventExtended
	case intake.ActRefuse:
		return e.Kind == intake.EventRefused
	case intake.ActSeen, intake.ActAckAppeal:
		return e.Kind == intake.EventSeen
	case intake.ActRevoke:
		return e.Kind == intake.EventProposed || e.Kind == intake.EventMoved && !e.To.Holds()
	case intake.ActProgress:
		return e.Kind == intake.EventProgress || e.To.Holds()
	}
	return e.To != "" && e.To == to[act]
}
