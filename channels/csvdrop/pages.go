package csvdrop

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels"
	"leadgate/channels/csvdrop/sheet"
	"leadgate/channels/pages"
	"leadgate/intake"
)

// PageGateway is what the pages need of the pipeline beside what a Drop does: an intake.Gateway.
type PageGateway interface {
	// FormByLink and SpeaksFor tell whose a link is and whether it proves that its bearer
	// registers for that partner, and whether an address is that partner's.
	FormByLink(ctx context.Context, token string) (p intake.Partner, proves bool, err error)
	SpeaksFor(ctx context.Context, partner, address string) (bool, error)
	// ImportByLink tells which file a link is about.
	ImportByLink(ctx context.Context, token string) (intake.Import, error)
	// Admit returns *intake.LimitError.
	Admit(context.Context, intake.Admission) error
	Published() intake.Published
}

// PageDeps are what Pages are made with.
type PageDeps struct {
	Site    *pages.Site
	Gateway PageGateway
	Drop    *Drop
	// Answers is the channel through which senders are told what became of a list, by e-mail
	// address; "" if there is none.
	Answers string
	// Mail is where a list can be sent to as an attachment, "" for nowhere. Form says that there
	// is a form for single registrations.
	Mail string
	Form bool
	Now  func() time.Time // time.Now if nil
	Log  *slog.Logger     // discarded if nil
}

// Pages take lists in from a partner's own signed link, and show what became of a list to whoever
// has the signed link to it. They work without scripts and cookies. What is shown of a list is
// counts, faults and the partner's own cases: nothing tells what is taken from what is free.
type Pages struct {
	PageDeps
	c       PageConfig
	now     func() time.Time
	limiter *pages.Limiter
	origins *http.CrossOriginProtection
	busy    chan struct{} // files that come in
	writing chan struct{} // results that are written
	pages   map[string]map[string]*template.Template
}

var (
	_ channels.Mounter = (*Pages)(nil)
	_ PageGateway      = (*intake.Gateway)(nil)
)

const (
	// A visitor may hand in so many files at once, and one more every so often.
	handInBurst = 10
	handInEvery = 6 * time.Second
	// atWork bounds the files that come in at a time, and the results that are written.
	atWork, atWriting = 32, 4

	pathAssets   = "/assets/lists/"
	pathTemplate = intake.PathImport + "/template.csv"
)

//go:embed html assets
var files embed.FS

// NewPages returns the pages of a site. The configuration was validated.
func NewPages(c PageConfig, d PageDeps) (*Pages, error) {
	p := &Pages{
		PageDeps: d, c: c, now: d.Now, origins: http.NewCrossOriginProtection(),
		busy: make(chan struct{}, atWork), writing: make(chan struct{}, atWriting),
		pages: make(map[string]map[string]*template.Template),
	}
	if p.now == nil {
		p.now = time.Now
	}
	if p.Log == nil {
		p.Log = slog.New(slog.DiscardHandler)
	}
	p.limiter = pages.NewLimiter(p.now, handInBurst, handInEvery)
	html, err := fs.Sub(files, "html")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"upload", "file", "gone"} {
		p.pages[name] = make(map[string]*template.Template)
		for _, lang := range pages.Languages() {
			p.pages[name][lang], err = d.Site.Parse(lang, html, "words."+lang+".html", "common.html", name+".html")
			if err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// Mount adds the pages. What comes in goes to the Drop that they were made with.
func (p *Pages) Mount(g *echo.Group, _ intake.Sink) {
	pages.Look(g, intake.PathImport, p.showUpload)
	g.POST(intake.PathImport, p.upload)
	pages.Look(g, pathTemplate, p.template)
	pages.Look(g, intake.PathImport+"/:token", p.showFile)
	g.POST(intake.PathImport+"/:token", p.act)
	pages.Look(g, intake.PathImport+"/:token/progress.json", p.progress)
	pages.Look(g, intake.PathImport+"/:token/result.:format", p.result)
}

// MountAssets adds what the pages load.
func (p *Pages) MountAssets(e *echo.Echo) error {
	for name, media := range map[string]string{"lists.js": "text/javascript; charset=utf-8", "lists.css": "text/css; charset=utf-8"} {
		b, err := files.ReadFile("assets/" + name)
		if err != nil {
			return err
		}
		p.Site.Asset(e, pathAssets+name, media, b)
	}
	return nil
}

// visit is a request for a page.
type visit struct {
	lang string
	// token is that of the partner's own link. It goes to the page for lists and to the form, so
	// that the way back is there, but not to the page of a list.
	token string
}

func visitOf(c echo.Context) visit {
	return visit{lang: pages.Language(c.Request()), token: c.Request().URL.Query().Get("p")}
}

// query is what goes from one page to the next.
func (v visit) query() string {
	q := url.Values{"lang": {v.lang}}
	if v.token != "" {
		q.Set("p", v.token)
	}
	return "?" + q.Encode()
}

// render answers with one of the pages.
func (p *Pages) render(c echo.Context, status int, name string, v visit, wrong bool, data any) error {
	c.Response().Header().Add("Vary", "Accept-Language")
	pages.Allow(c, pages.Policy{"script-src": {"'self'"}, "connect-src": {"'self'"}})
	out := pages.Page{Lang: v.lang, Wrong: wrong, Data: data}
	if status == http.StatusOK {
		out.Other = pages.OtherLanguage(v.lang)
	}
	return p.Site.Render(c, status, p.pages[name][v.lang], out)
}

// gonePage is what is shown where a link does not lead to a page.
type gonePage struct {
	Why        string // "none", "embed" or "bad"
	Mail, Form string
}

// gone says what works where a link does not.
func (p *Pages) gone(c echo.Context, status int, why string) error {
	v := visitOf(c)
	g := gonePage{Why: why, Mail: p.Mail}
	if p.Form {
		if why != "embed" {
			v.token = ""
		}
		g.Form = p.Site.Base() + intake.PathForm + v.query()
	}
	return p.render(c, status, "gone", v, true, g)
}

// goneLink answers to a link that is not good.
func (p *Pages) goneLink(c echo.Context, err error) error {
	switch {
	case errors.Is(err, intake.ErrLinkExpired):
		return p.gone(c, http.StatusGone, "bad")
	case errors.Is(err, intake.ErrLinkInvalid), errors.Is(err, intake.ErrLinkRevoked):
		return p.gone(c, http.StatusNotFound, "bad")
	}
	return err
}

// uploadPage is what the page on which a list is handed in shows.
type uploadPage struct {
	Action, Template string
	Partner          string
	Email, Name      string
	// Wrong lists what is wrong, by the name of the input; the fault of the file has its words.
	Wrong   []wrongInput
	Problem string
	Columns []column
	Limits  limits
	Form    string // where single registrations go; ""
	Base    string
}

// wrongInput is what is wrong with an input: a code, or the fault of a file.
type wrongInput struct {
	Input, Code string
	Fault       *faultLine
}

// Of returns what is wrong with an input, nil for nothing.
func (p uploadPage) Of(input string) *wrongInput {
	for i := range p.Wrong {
		if p.Wrong[i].Input == input {
			return &p.Wrong[i]
		}
	}
	return nil
}

// column is one that is understood.
type column struct {
	Field    intake.Field
	Required bool
}

// limits of a list, as they are told.
type limits struct{ MiB, Rows, Columns, KiB int }

// faultLine is a fault, and where it is.
type faultLine struct {
	Row    int    // 0 for the whole file
	Column string // its letters; "" for the whole row
	Name   string // of the column
	Words  string
	// Result is what becomes of the row: "rejected" or "needs_info", "" where nothing is said.
	Result intake.RowResult
	// LeftOut says that the row is taken in without the value.
	LeftOut bool
}

// fault puts a fault into words.
func (p *Pages) fault(lang string, f Fault) faultLine {
	out := faultLine{Row: f.Row, LeftOut: f.LeftOut, Name: f.Name, Result: f.Result, Words: p.Drop.Words.Fault(lang, intake.RowProblem{Problem: f.Problem.Problem, Mend: f.Mend, LeftOut: f.LeftOut})}
	if f.Column > 0 {
		out.Column = sheet.Letters(f.Column)
	}
	return out
}

// fileFault puts into words why a file can't be read.
func (p *Pages) fileFault(lang string, err *intake.FileError) *faultLine {
	f := Fault{Problem: sheet.Problem{Problem: err.Problem}}
	var at *sheet.Error
	if errors.As(err, &at) {
		f.Problem = at.Problem
	}
	line := p.fault(lang, f)
	return &line
}

// partner returns whose own link a request came by. Where it returns none, the answer was given.
func (p *Pages) partner(c echo.Context, v visit) (partner intake.Partner, ok bool, err error) {
	if v.token == "" {
		return partner, false, p.gone(c, http.StatusForbidden, "none")
	}
	partner, proves, err := p.Gateway.FormByLink(c.Request().Context(), v.token)
	switch {
	case err != nil:
		return partner, false, p.goneLink(c, err)
	case !proves:
		return partner, false, p.gone(c, http.StatusForbidden, "embed")
	}
	return partner, true, nil
}

func (p *Pages) showUpload(c echo.Context) error {
	v := visitOf(c)
	partner, ok, err := p.partner(c, v)
	if !ok {
		return err
	}
	c.Response().Header().Set("Cache-Control", "private, no-cache") // whoever goes back finds what he typed
	return p.renderUpload(c, http.StatusOK, v, partner, uploadPage{})
}

func (p *Pages) renderUpload(c echo.Context, status int, v visit, partner intake.Partner, u uploadPage) error {
	u.Base, u.Partner = p.Site.Base(), partner.Name
	u.Action = u.Base + intake.PathImport + v.query()
	u.Template = u.Base + pathTemplate + "?lang=" + v.lang
	u.Limits = limits{sheet.MaxBytes >> 20, sheet.MaxRows, sheet.MaxColumns, sheet.MaxCell >> 10}
	required := p.Gateway.Published().Required
	for _, f := range intake.Fields() {
		u.Columns = append(u.Columns, column{f, slices.Contains(required, f)})
	}
	if p.Form {
		u.Form = u.Base + intake.PathForm + v.query()
	}
	return p.render(c, status, "upload", v, status != http.StatusOK, u)
}

// template is the list to fill in, separated as the spreadsheets of the language have it.
func (p *Pages) template(c echo.Context) error {
	lang, delimiter := pages.Language(c.Request()), ','
	if lang == "de" {
		delimiter = ';'
	}
	h := c.Response().Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="leads.csv"`)
	c.Response().WriteHeader(http.StatusOK)
	return sheet.WriteTemplate(c.Response(), lang, delimiter)
}
