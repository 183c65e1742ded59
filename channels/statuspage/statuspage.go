// Package statuspage shows a partner how a registration stands, by a signed link and without a
// login, and shows everybody the rules of the programme. What it can tell of a case is
// intake.SafeView and nothing else; it changes nothing.
package statuspage

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"leadgate/channels"
	"leadgate/channels/pages"
	"leadgate/intake"
)

// Source is where the pages have it from: a Gateway.
type Source interface {
	// StatusByLink returns intake.ErrLinkInvalid, ErrLinkExpired or ErrLinkRevoked for a
	// token that is not good.
	StatusByLink(ctx context.Context, token string) (intake.SafeView, error)
	Published() intake.Published
}

// Pages are the pages of partners.
type Pages struct {
	site          *pages.Site
	source        Source
	status, rules map[string]*template.Template // by language
}

var (
	_ channels.Mounter = (*Pages)(nil)
	_ Source           = (*intake.Gateway)(nil)
)

//go:embed html
var files embed.FS

// New returns the pages of a site.
func New(site *pages.Site, source Source) (*Pages, error) {
	p := &Pages{site: site, source: source, status: make(map[string]*template.Template), rules: make(map[string]*template.Template)}
	html, err := fs.Sub(files, "html")
	if err != nil {
		return nil, err
	}
	for _, lang := range pages.Languages() {
		if p.status[lang], err = site.Parse(lang, html, "status.html", "status."+lang+".html"); err != nil {
			return nil, err
		}
		if p.rules[lang], err = site.Parse(lang, html, "rules."+lang+".html"); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Mount adds the pages; nothing is sent in through them.
func (p *Pages) Mount(g *echo.Group, _ intake.Sink) {
	pages.Look(g, intake.PathStatus+":token", p.showStatus)
	pages.Look(g, intake.PathRules, p.showRules)
	pages.Look(g, intake.PathRules+".json", func(c echo.Context) error {
		public(c)
		return c.JSONPretty(http.StatusOK, p.source.Published(), "  ")
	})
}

func (p *Pages) showStatus(c echo.Context) error {
	v, err := p.source.StatusByLink(c.Request().Context(), c.Param("token"))
	switch {
	case errors.Is(err, intake.ErrLinkInvalid), errors.Is(err, intake.ErrLinkExpired), errors.Is(err, intake.ErrLinkRevoked):
		return p.site.Tell(c, http.StatusNotFound, pages.NoticeGone) // one answer: which it was tells something
	case err != nil:
		return err
	}
	return p.render(c, p.status, v)
}

func (p *Pages) showRules(c echo.Context) error {
	public(c)
	published := p.source.Published()
	published.Required = ordered(published.Required)
	return p.render(c, p.rules, rulesPage{published, tiers(published)})
}

// ordered is a list of fields in the order in which people are shown them.
func ordered(fields []intake.Field) []intake.Field {
	return slices.DeleteFunc(intake.Fields(), func(f intake.Field) bool { return !slices.Contains(fields, f) })
}

// public lets the rules be kept for a while: they are the same for everybody.
func public(c echo.Context) { c.Response().Header().Set("Cache-Control", "public, max-age=300") }

func (p *Pages) render(c echo.Context, in map[string]*template.Template, data any) error {
	lang := pages.Language(c.Request())
	c.Response().Header().Set("Vary", "Accept-Language")
	return p.site.Render(c, http.StatusOK, in[lang], pages.Page{Lang: lang, Other: pages.OtherLanguage(lang), Data: data})
}

// rulesPage is what the page of the rules shows. Its Tiers stand before those of Published.
type rulesPage struct {
	intake.Published
	Tiers []tier
}

// tier is how the terms of a tier differ from those of everybody.
type tier struct {
	Name    string
	Differs []difference
}

// difference is one term: a length of time or a count.
type difference struct {
	Key   string // for words
	Span  intake.Span
	Count int
}

// tiers lists the tiers and how their terms differ, by name. Terms of a tier are whole: what is
// zero in them is none.
func tiers(p intake.Published) []tier {
	var all []tier
	for _, name := range slices.Sorted(maps.Keys(p.Tiers)) {
		all = append(all, tier{name, differences(p.Terms, p.Tiers[name])})
	}
	return all
}

func differences(base, own intake.Terms) []difference {
	was := compared(base)
	var out []difference
	for i, d := range compared(own) {
		idle := d.Key == "extension_days" && own.Extension.Times == 0 // of extensions that there are not
		if d != was[i] && !idle {
			out = append(out, d)
		}
	}
	return out
}

// compared are the terms in which tiers are told apart.
func compared(t intake.Terms) []difference {
	return []difference{
		{Key: "decision", Span: t.Decision},
		{Key: "answer", Span: t.Answer},
		{Key: "next_step", Span: t.NextStep},
		{Key: "window", Span: t.Window},
		{Key: "extension_times", Count: t.Extension.Times},
		{Key: "extension_days", Count: t.Extension.Days},
		{Key: "idle", Span: t.Idle},
		{Key: "first_right", Span: t.FirstRight},
		{Key: "appeal", Span: t.Appeal.Within},
		{Key: "cooling_off", Span: t.CoolingOff},
	}
}
