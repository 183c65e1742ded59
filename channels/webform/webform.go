package webform

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels"
	"leadgate/channels/pages"
	"leadgate/channels/webform/captcha"
	"leadgate/intake"
	"leadgate/intake/identity"
)

// Channel is the name of the channel.
const Channel = "form"

// Gateway is what the form needs of the pipeline: an intake.Gateway.
type Gateway interface {
	// Accept also returns intake.ErrSpent and *intake.LimitError.
	Accept(context.Context, intake.Submission) (intake.Receipt, error)
	// Accepted returns the receipt of a key that came before; intake.ErrNotFound.
	Accepted(ctx context.Context, key string) (intake.Receipt, error)
	// FormByLink and SpeaksFor tell whose a link is and whether it proves that its bearer
	// registers for that partner, and whether an address is that partner's.
	FormByLink(ctx context.Context, token string) (p intake.Partner, proves bool, err error)
	SpeaksFor(ctx context.Context, partner, address string) (bool, error)
	DoneLink(ctx context.Context, r intake.Receipt, partner string) (string, error)
	DoneByLink(ctx context.Context, token string) (intake.Done, error)
	ConfirmationByLink(ctx context.Context, token string) (intake.Confirmation, error)
	ConfirmByLink(ctx context.Context, token string, numbers []string, mine bool) (intake.Confirmation, error)
	// CaseReference signs for a case, for the address of a booking page.
	CaseReference(number string) string
	Published() intake.Published
}

// Deps are what a form is made with.
type Deps struct {
	Site    *pages.Site
	Gateway Gateway
	// Gate judges whether a visitor is a robot.
	Gate     *captcha.Gate
	Identity *identity.Lists
	// Read reads what was typed for a field as people write it: "120k €". It returns "" for
	// what it can't read.
	Read func(f intake.Field, typed string) string
	// Key signs the forms that are given out, 32 bytes or more.
	Key []byte
	// Answers is the channel through which visitors are answered, by e-mail address; "" if
	// there is none.
	Answers string
	// Contact is the address that visitors can write to if the form does not take them.
	Contact string
	// Lists says that there is a page for lists of prospects, at intake.PathImport.
	Lists bool
	Now   func() time.Time // time.Now if nil
	Log   *slog.Logger     // discarded if nil
	// Refused is told why something was not taken in, for metrics; may be nil.
	Refused func(why string)
}

// Form are the pages of the form.
type Form struct {
	Deps
	c       Config
	gateway Gateway
	key     []byte
	now     func() time.Time
	limiter *pages.Limiter
	busy    chan struct{}
	origins *http.CrossOriginProtection
	pages   map[string]map[string]*template.Template // by name and language
	minimum time.Duration
}

var (
	_ channels.Mounter = (*Form)(nil)
	_ Gateway          = (*intake.Gateway)(nil)
)

const (
	// minTime is how long a person takes at least to fill in the form, maxTime how long a form
	// that was opened can be sent.
	minTime = 3 * time.Second
	maxTime = 4 * time.Hour
	maxBody = 64 << 10

	pathEmbed     = "/embed.js"
	pathChallenge = intake.PathForm + "/challenge"
	pathThanks    = intake.PathForm + "/thanks"
	pathAssets    = "/assets/form/"
)

// Paths of what the captcha of the house needs, below the site's base.
const (
	PathChallenge = pathChallenge
	PathCaptcha   = pathAssets + "altcha"
)

//go:embed html assets
var files embed.FS

// New returns the form of a site. The configuration was validated.
func New(c Config, d Deps) (*Form, error) {
	if len(d.Key) < 32 {
		return nil, errors.New("the key of the form has fewer than 32 bytes")
	}
	if c.Fields == nil {
		c.Fields = DefaultFields()
	}
	c.Limits = c.Limits.withDefaults()
	f := &Form{
		Deps: d, c: c, gateway: d.Gateway, key: d.Key, now: d.Now, minimum: minTime,
		busy: make(chan struct{}, c.Limits.Busy), origins: http.NewCrossOriginProtection(),
		pages: make(map[string]map[string]*template.Template),
	}
	if f.now == nil {
		f.now = time.Now
	}
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	if f.Refused == nil {
		f.Refused = func(string) {}
	}
	f.limiter = pages.NewLimiter(f.now, c.Limits.Minute, time.Minute/time.Duration(c.Limits.Minute))
	for _, o := range c.PostOrigins {
		if err := f.origins.AddTrustedOrigin(o); err != nil {
			return nil, err
		}
	}
	html, err := fs.Sub(files, "html")
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"form", "done", "confirm", "thanks", "gone"} {
		f.pages[name] = make(map[string]*template.Template)
		for _, lang := range pages.Languages() {
			if f.pages[name][lang], err = d.Site.Parse(lang, html, "words."+lang+".html", name+".html"); err != nil {
				return nil, err
			}
		}
	}
	return f, nil
}

// Mount adds the pages. What comes in goes to the gateway that the form was made with.
func (f *Form) Mount(g *echo.Group, _ intake.Sink) {
	pages.Look(g, intake.PathForm, f.show)
	g.POST(intake.PathForm, f.submit)
	pages.Look(g, pathThanks, f.showThanks)
	pages.Look(g, pathChallenge, f.challenge)
	pages.Look(g, intake.PathDone+":token", f.showDone)
	pages.Look(g, intake.PathConfirm+":token", f.showConfirm)
	g.POST(intake.PathConfirm+":token", f.confirm)
}

// MountAssets adds what the pages load.
func (f *Form) MountAssets(e *echo.Echo) error {
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
	err := fs.WalkDir(files, "assets", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		media := types[path[max(0, strings.LastIndexByte(path, '.')):]]
		if media == "" {
			return nil // a licence
		}
		b, err := files.ReadFile(path)
		if err != nil {
			return err
		}
		if path == "assets/embed.js" {
			b = []byte(strings.ReplaceAll(string(b), "BASE", f.Site.Base()))
			f.Site.Asset(e, pathEmbed, media, b, pages.AnySite)
			return nil
		}
		f.Site.Asset(e, pathAssets+strings.TrimPrefix(path, "assets/"), media, b)
		return nil
	})
	return err
}

func (f *Form) challenge(c echo.Context) error {
	b, err := f.Gate.Challenge()
	if errors.Is(err, captcha.ErrNoChallenge) {
		return echo.ErrNotFound
	}
	if err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, b)
}

// frame is where a form stands: whose it is, and in which page of whom.
type frame struct {
	token    string // of the partner's link
	partner  intake.Partner
	proves   bool // that who sends the form registers for the partner
	embedded bool
	parent   string // the origin of the page around it, "" if it is not one that may be there
	origins  []string
	lang     string
}

// frameOf reads the address of a page of the form. The error is that of FormByLink.
func (f *Form) frameOf(c echo.Context) (frame, error) {
	q := c.Request().URL.Query()
	fr := frame{token: q.Get("p"), embedded: q.Get("embed") != "", lang: pages.Language(c.Request()), origins: f.c.EmbedOrigins}
	if fr.token != "" {
		p, proves, err := f.gateway.FormByLink(c.Request().Context(), fr.token)
		if err != nil {
			return fr, err
		}
		if fr.partner, fr.proves = p, proves; !proves { // a link that proves belongs into no page
			fr.origins = append(fr.origins[:len(fr.origins):len(fr.origins)], originsOf(p)...)
		}
	}
	if origin := q.Get("origin"); fr.embedded && mayFrame(fr.origins, origin) {
		fr.parent = origin
	}
	if len(fr.origins) > 0 {
		pages.Allow(c, pages.Policy{"frame-ancestors": fr.origins})
	}
	return fr, nil
}

// originsOf are the sites of a partner, as frame-ancestors has them.
func originsOf(p intake.Partner) []string {
	var all []string
	for _, d := range p.Domains {
		all = append(all, "https://"+d, "https://*."+d)
	}
	return all
}

// mayFrame reports whether an origin is one of a list of frame-ancestors.
func mayFrame(list []string, origin string) bool {
	for _, o := range list {
		if scheme, domain, wild := strings.Cut(o, "*."); o == origin || wild && strings.HasPrefix(origin, scheme) && strings.HasSuffix(origin, "."+domain) && isOrigin(origin) {
			return true
		}
	}
	return false
}

// query is what goes from one page to the next.
func (fr frame) query() string {
	q := url.Values{}
	set := func(k, v string) {
		if v != "" {
			q.Set(k, v)
		}
	}
	set("p", fr.token)
	set("lang", fr.lang)
	if fr.embedded {
		set("embed", "1")
		set("origin", fr.parent)
	}
	return "?" + q.Encode()
}

// render answers with one of the pages.
func (f *Form) render(c echo.Context, status int, name string, fr frame, wrong bool, data any) error {
	c.Response().Header().Add("Vary", "Accept-Language")
	p := pages.Page{Lang: fr.lang, Wrong: wrong, Embedded: fr.embedded, Data: data}
	if status == http.StatusOK {
		p.Other = pages.OtherLanguage(fr.lang)
	}
	return f.Site.Render(c, status, f.pages[name][fr.lang], p)
}
