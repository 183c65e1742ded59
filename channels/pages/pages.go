// Package pages is what the pages for people have in common: the layout and its one
// stylesheet, the headers that keep a page from being framed, scripted, cached and told
// about, words for times, the limit of requests, and the answers to what goes wrong. It knows
// nothing of cases: what a page shows is for the packages of the pages.
//
// There are no scripts, no cookies and nothing that comes from elsewhere.
package pages

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"
)

//go:embed html assets
var files embed.FS

// Options are what a Site is made of.
type Options struct {
	// Program is the vendor's name, URL where the world finds the pages.
	Program, URL string
	// Brand is how the pages look.
	Brand Brand
	// Zone is the one in which times are shown.
	Zone *time.Location
	Now  func() time.Time // time.Now if nil
	Log  *slog.Logger     // discarded if nil
}

// Site is the frame of all pages.
type Site struct {
	program, base string
	brand         look
	secure        bool
	zone          *time.Location
	log           *slog.Logger
	limiter       *Limiter
	css           []byte
	notices       map[string]*template.Template
}

// New returns the frame of pages below a URL.
func New(o Options) (*Site, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is not a URL like https://partners.vendor.example", o.URL)
	}
	s := &Site{
		program: o.Program, base: strings.TrimSuffix(u.EscapedPath(), "/"), secure: u.Scheme == "https",
		zone: o.Zone, log: o.Log,
	}
	if s.zone == nil {
		s.zone = time.UTC
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	s.limiter = NewLimiter(now, limitBurst, limitEvery)
	if s.brand, err = o.Brand.look(); err != nil {
		return nil, err
	}
	if s.css, err = files.ReadFile("assets/pages.css"); err != nil {
		return nil, err
	}
	own, err := fs.Sub(files, "html")
	if err != nil {
		return nil, err
	}
	s.notices = make(map[string]*template.Template)
	for _, lang := range Languages() {
		if s.notices[lang], err = s.Parse(lang, own, "notice.html"); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Parse reads the templates of one page in a language. They define title, main and foot, and
// get a Page; moment, span, text and number are there for what they show.
func (s *Site) Parse(lang string, from fs.FS, names ...string) (*template.Template, error) {
	t, err := template.New("page").Funcs(s.funcs(lang)).ParseFS(files, "html/layout.html", "html/"+lang+".html")
	if err != nil {
		return nil, err
	}
	return t.ParseFS(from, names...)
}

// Page is what a template shows.
type Page struct {
	Lang string
	// Other is the other language in which there is the page; "" if there is none.
	Other string
	// Wrong says that the page tells of an error, which its title then begins with.
	Wrong bool
	// Embedded says that the page stands in a frame of another site, which has a head of its own.
	Embedded bool
	Data     any
}

// Render answers with a page.
func (s *Site) Render(c echo.Context, status int, t *template.Template, p Page) error {
	var b bytes.Buffer
	initial, _ := utf8.DecodeRuneInString(strings.ToUpper(s.program))
	err := t.ExecuteTemplate(&b, "page", struct {
		Page
		Program, Initial, Base, Logo, OtherURL string
		Links                                  []Link
	}{p, s.program, string(initial), s.base, s.brand.logoPath, otherURL(c.Request(), p.Other), s.brand.links})
	if err != nil {
		return err
	}
	return c.HTMLBlob(status, b.Bytes())
}

// otherURL is the same page in another language.
func otherURL(r *http.Request, lang string) string {
	if lang == "" {
		return ""
	}
	q := r.URL.Query()
	q.Set("lang", lang)
	return "?" + q.Encode()
}

// Notice is an answer in place of a page.
type Notice string

// The notices.
const (
	// NoticeGone is the one answer to every link that is not good, whatever is wrong with it.
	NoticeGone    Notice = "gone"
	NoticeMissing Notice = "missing"
	NoticeLimited Notice = "limited"
	NoticeForeign Notice = "foreign" // a form that came from another site
	NoticeLarge   Notice = "large"
	NoticeFailed  Notice = "failed"
	NoticeBusy    Notice = "busy"
)

// Notices is the full set.
func Notices() []Notice {
	return []Notice{NoticeGone, NoticeMissing, NoticeLimited, NoticeForeign, NoticeLarge, NoticeFailed, NoticeBusy}
}

// Tell answers with a notice.
func (s *Site) Tell(c echo.Context, status int, n Notice) error {
	return s.TellIn(c, Language(c.Request()), status, n)
}

// TellIn answers with a notice in a language.
func (s *Site) TellIn(c echo.Context, lang string, status int, n Notice) error {
	return s.Render(c, status, s.notices[lang], Page{Lang: lang, Wrong: true, Data: string(n)})
}

// Later answers with a notice that says when to come back.
func (s *Site) Later(c echo.Context, status int, n Notice, wait time.Duration) error {
	c.Response().Header().Set("Retry-After", fmt.Sprint(int(wait/time.Second)+1))
	return s.Tell(c, status, n)
}

// Base is the path below which the world finds the pages; "" for the root.
func (s *Site) Base() string { return s.base }

// Mount adds the stylesheet to a router and returns the group to which pages are added: they
// get the headers, the limit, and an answer to what they fail with.
func (s *Site) Mount(e *echo.Echo) *echo.Group {
	s.Asset(e, "/assets/pages.css", "text/css; charset=utf-8", s.css)
	s.Asset(e, "/assets/brand.css", "text/css; charset=utf-8", s.brand.css)
	if s.brand.logoPath != "" {
		s.Asset(e, s.brand.logoPath, s.brand.logoType, s.brand.logo)
	}
	Look(e.Group("", s.headers), "/favicon.ico", noIcon)
	g := e.Group("", s.headers, s.limit, s.rescue)
	g.RouteNotFound("/*", func(c echo.Context) error { return s.Tell(c, http.StatusNotFound, NoticeMissing) })
	return g
}

// noIcon answers the browsers, all of which ask for an icon by themselves.
func noIcon(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "public, max-age=86400")
	return c.NoContent(http.StatusNoContent)
}

// Asset adds a file that pages load. It is not limited: a page has several.
func (s *Site) Asset(e *echo.Echo, path, media string, b []byte, reach ...Reach) {
	Look(e.Group("", s.headers), path, func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Cache-Control", "public, max-age=3600")
		h.Set("Content-Security-Policy", assetPolicy(media))
		for _, r := range reach {
			h.Set("Cross-Origin-Resource-Policy", string(r))
		}
		return c.Blob(http.StatusOK, media, b)
	})
}

// assetPolicy is for a file that is opened by itself, such as a logo. A script may be a worker, to
// which the policy applies that it came with: in a sandbox it has no cryptography.
func assetPolicy(media string) string {
	if strings.HasPrefix(media, "text/javascript") {
		return "default-src 'none'"
	}
	return "default-src 'none'; style-src 'unsafe-inline'; sandbox"
}

// Reach says which sites can load a file; without one, ours alone.
type Reach string

// AnySite: a file for the pages of others.
const AnySite Reach = "cross-origin"

// Look adds a page that is only looked at.
func Look(g *echo.Group, path string, h echo.HandlerFunc) {
	g.GET(path, h)
	g.HEAD(path, h)
}

// policy lets a page load its stylesheets and the logo and send its forms to itself, and nothing
// else.
var policy = Policy{
	"default-src": {"'none'"}, "style-src": {"'self'"}, "img-src": {"'self'"}, "form-action": {"'self'"},
	"frame-ancestors": {"'none'"}, "base-uri": {"'none'"},
}

// Policy has the sources of a Content-Security-Policy by directive.
type Policy map[string][]string

func (p Policy) String() string {
	var b strings.Builder
	for _, directive := range slices.Sorted(maps.Keys(p)) {
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(directive + " " + strings.Join(p[directive], " "))
	}
	return b.String()
}

// Allow has the page of a request load more than pages do, or stand in the frames of more sites.
func Allow(c echo.Context, more ...Policy) {
	all := maps.Clone(policy)
	for _, m := range more {
		for directive, sources := range m {
			if slices.Contains(all[directive], "'none'") {
				all[directive] = nil
			}
			for _, source := range sources {
				if !slices.Contains(all[directive], source) {
					all[directive] = append(slices.Clip(all[directive]), source)
				}
			}
		}
	}
	c.Response().Header().Set("Content-Security-Policy", all.String())
}

func (s *Site) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", policy.String())
		h.Set("Referrer-Policy", "no-referrer") // the address of a page is a key to it
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Robots-Tag", "noindex, nofollow")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

func (s *Site) limit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if wait := s.limiter.Take(c.RealIP()); wait > 0 {
			return s.Later(c, http.StatusTooManyRequests, NoticeLimited, wait)
		}
		return next(c)
	}
}

// rescue answers for a page that failed. The log names the route, and not the path: that holds
// the token.
func (s *Site) rescue(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if err == nil || c.Response().Committed {
			return err
		}
		var known *echo.HTTPError
		if errors.As(err, &known) && known.Code < http.StatusInternalServerError {
			return s.Tell(c, known.Code, NoticeMissing)
		}
		s.log.Error("page failed", "route", c.Path(), "request", c.Response().Header().Get(echo.HeaderXRequestID), "err", err)
		return s.Tell(c, http.StatusInternalServerError, NoticeFailed)
	}
}
