package demo

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"
	"github.com/labstack/echo/v4"

	"leadgate/intake"
	"leadgate/intake/crm/ledger"
)

// Source is what the demo's page shows.
type Source struct {
	Gateway *intake.Gateway
	Ledger  *ledger.Ledger
	Outbox  string // directory
}

// shown is how many of each the page lists.
const shown = 100

//go:embed pages/demo.html
var pageHTML string

var page = template.Must(template.New("demo").Funcs(template.FuncMap{
	"company": func(r intake.Registration) string { return r.Lead[intake.FieldCompanyName] },
	"domain":  func(r intake.Registration) string { return r.Lead[intake.FieldCompanyDomain] },
}).Parse(pageHTML))

// Mount puts the page at /demo, and each outgoing mail as it is at /demo/outbox/NAME.
func Mount(e *echo.Echo, s Source) {
	e.GET("/", func(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/demo") })
	e.GET("/demo", s.show)
	e.GET("/demo/outbox/:name", s.mail)
}

// Mail is an outgoing mail in the list.
type Mail struct {
	Name, To, Subject, Text string
	Date                    time.Time
}

func (s Source) show(c echo.Context) error {
	cases, err := s.Gateway.Cases(c.Request().Context(), intake.CaseQuery{Limit: shown})
	if err != nil {
		return err
	}
	mails, err := s.mails()
	if err != nil {
		return err
	}
	asides, err := s.Gateway.Asides(c.Request().Context(), intake.AsideQuery{Limit: shown})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	err = page.Execute(&b, map[string]any{
		"Vendor": Vendor, "Address": Address, "Cases": cases, "Mails": mails, "Asides": asides,
	})
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	h.Set("Cache-Control", "no-store")
	return c.HTMLBlob(http.StatusOK, b.Bytes())
}

func (s Source) mail(c echo.Context) error {
	name := c.Param("name")
	if name != filepath.Base(name) || !strings.HasSuffix(name, ".eml") {
		return echo.ErrNotFound
	}
	b, err := os.ReadFile(filepath.Join(s.Outbox, name))
	if err != nil {
		return echo.ErrNotFound
	}
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", b)
}

// mails lists the outbox, newest first.
func (s Source) mails() ([]Mail, error) {
	files, err := filepath.Glob(filepath.Join(s.Outbox, "*.eml"))
	if err != nil {
		return nil, err
	}
	var mails []Mail
	for _, f := range files {
		m, err := readMail(f)
		if err != nil {
			continue // being replaced at this moment
		}
		mails = append(mails, m)
	}
	slices.SortFunc(mails, func(a, b Mail) int { return b.Date.Compare(a.Date) })
	return mails[:min(len(mails), shown)], nil
}

func readMail(path string) (Mail, error) {
	f, err := os.Open(path)
	if err != nil {
		return Mail{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Mail{}, err
	}
	r, err := mail.CreateReader(f)
	if err != nil {
		return Mail{}, err
	}
	m := Mail{Name: filepath.Base(path), Date: info.ModTime(), To: r.Header.Get("To")}
	if m.Subject, err = r.Header.Subject(); err != nil {
		return Mail{}, err
	}
	part, err := r.NextPart()
	if err != nil {
		return Mail{}, err
	}
	var text bytes.Buffer
	if _, err := text.ReadFrom(part.Body); err != nil {
		return Mail{}, err
	}
	m.Text = text.String()
	return m, nil
}
