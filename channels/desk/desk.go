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
	"unicode"
	"unicode/utf8"

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
	confirm, closed *template.Template
	origins         *http.CrossOriginProtection
}

var (
	_ channels.Mounter = (*Desk)(nil)
	_ Office           = (*intake.Gateway)(nil)
)

//go:embed html
var files embed.FS

// lang is what staff are spoken to in, here as on the command line.
const lang = "en"

// New returns the pages of a site.
func New(site *pages.Site, office Office) (*Desk, error) {
	d := &Desk{site: site, office: office, origins: http.NewCrossOriginProtection()}
	html, err := fs.Sub(files, "html")
	if err != nil {
		return nil, err
	}
	if d.confirm, err = site.Parse(lang, html, "desk.html", "confirm.html"); err != nil {
		return nil, err
	}
	d.closed, err = site.Parse(lang, html, "desk.html", "closed.html")
	return d, err
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
		return d.site.Tell(c, http.StatusNotFound, pages.NoticeGone)
	case err != nil:
		return err
	}
	return d.renderConfirm(c, http.StatusOK, v, prefilled(v), "")
}

func (d *Desk) decide(c echo.Context) error {
	req := c.Request()
	if !d.ownForm(req) {
		return d.site.Tell(c, http.StatusForbidden, pages.NoticeForeign)
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, maxForm)
	if err := req.ParseForm(); err != nil {
		return d.site.Tell(c, http.StatusRequestEntityTooLarge, pages.NoticeLarge)
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
		return c.Redirect(http.StatusSeeOther, d.site.Base()+intake.PathDesk+token)
	case gone(err):
		return d.site.Tell(c, http.StatusNotFound, pages.NoticeGone)
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
		return http.StatusUnprocessableEntity, sentence(input.Problem)
	case errors.As(err, &illegal):
		return http.StatusConflict, sentence(illegal.Error())
	case errors.As(err, &held):
		return http.StatusConflict, sentence(held.Error())
	case errors.Is(err, intake.ErrCaseChanged):
		return http.StatusConflict, "The case has changed since you opened the page. This is how it is now; look at what is new, then decide again."
	case errors.Is(err, intake.ErrNotAllowed):
		return http.StatusForbidden, "Your role does not permit this decision."
	case errors.Is(err, intake.ErrNotYet):
		return http.StatusNotImplemented, "This can't be done by a link yet. Use the command line."
	}
	return 0, ""
}

// sentence makes one of the words of an error.
func sentence(words string) string {
	first, size := utf8.DecodeRuneInString(words)
	return strings.TrimSuffix(string(unicode.ToUpper(first))+words[size:], ".") + "."
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
		return "By how many days? Give a whole number."
	}
	if needs.Reason && !slices.Contains(reasons(v.Grant.Act), intake.Reason(f.Reason)) {
		return "Choose a reason."
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
	Since   []intake.Event

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
	Events      []intake.Event
	Chain       string
	// Said is what the partner sent last, Proposed the first half of a decision of two persons.
	Said     intake.Submission
	Proposed intake.Revoking

	// Done says that the bearer of the link did what it was for, Decided that a person did
	// anything about the case.
	Done, Decided bool
}

func sheetOf(v intake.View) sheet {
	r := v.Dossier.Registration
	s := sheet{
		By: v.Grant.By, Act: v.Grant.Act, Expires: time.Unix(v.Grant.Expires, 0),
		Company: cmp.Or(r.Lead[intake.FieldCompanyName], r.Lead[intake.FieldCompanyDomain], r.Number),
		Partner: cmp.Or(v.Dossier.Partner.Name, r.Partner, "unknown"),
		Case:    r, Since: tidy(v.Since),
	}
	return s
}

func (d *Desk) renderConfirm(c echo.Context, status int, v intake.View, f form, problem string) error {
	s := sheetOf(v)
	r := v.Dossier.Registration
	s.May, s.Shown, s.Asks, s.Form = v.May, r.Revision, asksOf(v), f
	s.Reasons, s.Findings, s.Submissions = reasons(v.Grant.Act), r.Findings, v.Dossier.Submissions
	s.Events, s.Chain, s.Problem = tidy(v.Dossier.Events), v.Dossier.Chain, problem
	s.At = s.Asks.concerned(problem)
	if n := len(s.Submissions); n > 0 {
		s.Said = s.Submissions[n-1]
	}
	if v.Grant.Act == intake.ActRevoke && r.Status.Holds() {
		s.Proposed = r.Revoking
	}
	if v.Grant.Act == intake.ActApprove {
		s.Against = v.Against
	}
	for _, field := range intake.Fields() {
		if value := r.Lead[field]; value != "" {
			s.Fields = append(s.Fields, intake.FieldFact{Field: field, Value: value, Words: r.Evidence[field]})
		}
	}
	return d.site.Render(c, status, d.confirm, pages.Page{Lang: lang, Wrong: problem != "", Data: s})
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
	s := sheetOf(v)
	for _, e := range s.Since {
		s.Decided = s.Decided || strings.HasPrefix(e.Actor, "staff:")
		s.Done = s.Done || e.Actor == "staff:"+s.By && does(s.Act, e)
	}
	return d.site.Render(c, status, d.closed, pages.Page{Lang: lang, Data: s})
}

// tidy takes from notes what separates their parts where there is nothing behind it.
func tidy(events []intake.Event) []intake.Event {
	events = slices.Clone(events)
	for i := range events {
		events[i].Note = strings.TrimRight(events[i].Note, "; ")
	}
	return events
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
