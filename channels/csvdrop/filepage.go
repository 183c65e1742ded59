package csvdrop

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels/csvdrop/sheet"
	"leadgate/channels/pages"
	"leadgate/intake"
)

// What a page shows of a list: one of the states of an import, but for one that is previewed.
const (
	shownChecking = "checking" // its preview is being made
	shownChecked  = "checked"
	shownErased   = "erased"
)

// openFaults are how many faults a page shows at first.
const openFaults = 10

// filePage is what the page of a list shows.
type filePage struct {
	Name  string
	State string
	// At is the state of the import when it was shown, for the form.
	At      intake.ImportState
	Counts  intake.ImportCounts
	Total   int
	Changes bool // something is to be corrected
	Said    string
	Faults  []faultLine
	More    []faultLine
	// Failed is why it can't be read to its end.
	Failed   *faultLine
	Last     int    // row that was taken in
	Reply    string // who is told of the outcome; ""
	Action   string
	Progress string
	CSV      string // where the result is; "" for nowhere
	XLSX     string
	Again    string // where the next list is handed in, if the way here is known
	Base     string
}

// Busy reports whether something is under way.
func (f filePage) Busy() bool {
	return f.State == shownChecking || f.State == string(intake.ImportRunning)
}

// OfTotal is how many rows there are behind a bar, 0 if nobody knows.
func (f filePage) OfTotal() int { return max(0, f.Total) }

// view is how far a list is.
func (p *Pages) view(im intake.Import, lang string) (filePage, error) {
	f := filePage{Name: im.Name, State: string(im.State), At: im.State, Counts: im.Counts, Total: im.Total, Last: im.Last}
	if im.Reply.Channel == p.Answers {
		f.Reply = im.Reply.Address
	}
	switch {
	case !im.Erased.IsZero():
		f.State = shownErased
	case im.State == intake.ImportPreviewed:
		checked, err := p.Drop.Checked(im)
		if err != nil {
			return f, err
		}
		f.preview(p, checked, lang)
	case im.Cause != nil:
		line := p.fault(lang, Fault{Problem: sheet.Problem{Row: im.CauseRow, Problem: *im.Cause}})
		f.Failed = &line
	}
	f.Changes = f.Counts.NeedsInfo+f.Counts.Rejected > 0
	f.Said = soFar(lang, f)
	return f, nil
}

// preview shows what a list would come to.
func (f *filePage) preview(p *Pages, checked Preview, lang string) {
	f.State, f.Counts = shownChecking, checked.Counts
	if !checked.Done {
		return
	}
	f.State = shownChecked
	for i, fault := range checked.Faults {
		line := p.fault(lang, fault)
		if i < openFaults {
			f.Faults = append(f.Faults, line)
		} else {
			f.More = append(f.More, line)
		}
	}
	if checked.Failed != nil {
		line := p.fault(lang, Fault{Problem: *checked.Failed})
		f.Failed = &line
	}
}

// rowsWords are "1,200 of 5,000 rows", and the same without a total.
var rowsWords = map[string][2]string{"en": {" of ", " rows"}, "de": {" von ", " Zeilen"}}

func soFar(lang string, f filePage) string {
	words, n := rowsWords[lang], pages.Number(lang, f.Counts.Rows)
	if f.Total >= f.Counts.Rows && f.Total > 0 {
		return n + words[0] + pages.Number(lang, f.Total) + words[1]
	}
	return n + words[1]
}

func (p *Pages) showFile(c echo.Context) error {
	im, err := p.Gateway.ImportByLink(c.Request().Context(), c.Param("token"))
	if err != nil {
		return p.goneLink(c, err)
	}
	v := visitOf(c)
	f, err := p.view(im, v.lang)
	if errors.Is(err, ErrErased) { // between the two
		f.State, err = shownErased, nil
	}
	if err != nil {
		return err
	}
	at := p.Site.Base() + intake.PathImport + "/" + c.Param("token")
	f.Base, f.Action, f.Progress = p.Site.Base(), at+v.query(), at+"/progress.json"+v.query()
	if im.Counts.Rows > 0 && !f.Busy() && f.State != shownErased {
		f.CSV, f.XLSX = at+"/result.csv?lang="+v.lang, at+"/result.xlsx?lang="+v.lang
	}
	if v.token != "" {
		f.Again = p.Site.Base() + intake.PathImport + v.query()
	}
	return p.render(c, http.StatusOK, "file", v, false, f)
}

// progressOf is what the script of the page asks for.
type progressOf struct {
	State string `json:"state"`
	Rows  int    `json:"rows"`
	Total int    `json:"total,omitempty"`
	Said  string `json:"said"`
}

func (p *Pages) progress(c echo.Context) error {
	im, err := p.Gateway.ImportByLink(c.Request().Context(), c.Param("token"))
	if errors.Is(err, intake.ErrLinkExpired) || errors.Is(err, intake.ErrLinkInvalid) || errors.Is(err, intake.ErrLinkRevoked) {
		return c.NoContent(http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	f, err := p.view(im, pages.Language(c.Request()))
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, progressOf{f.State, f.Counts.Rows, f.OfTotal(), f.Said})
}

// act starts or cancels, if the list still is as it was shown: a page that was left open, or a
// form that is sent twice, does nothing.
func (p *Pages) act(c echo.Context) error {
	req := c.Request()
	if p.origins.Check(req) != nil || req.Header.Get("Sec-Fetch-Site") == "" && req.Header.Get("Origin") == "" {
		return p.Site.Tell(c, http.StatusForbidden, pages.NoticeForeign)
	}
	req.Body = http.MaxBytesReader(c.Response(), req.Body, 4<<10)
	if err := req.ParseForm(); err != nil {
		return p.Site.Tell(c, http.StatusBadRequest, pages.NoticeForeign)
	}
	ctx := req.Context()
	im, err := p.Gateway.ImportByLink(ctx, c.Param("token"))
	if err != nil {
		return p.goneLink(c, err)
	}
	if im.Erased.IsZero() && string(im.State) == req.PostForm.Get("shown") {
		if err := p.turn(ctx, im, req.PostForm.Get("do")); err != nil {
			return err
		}
	}
	v := visitOf(c)
	return c.Redirect(http.StatusSeeOther, p.Site.Base()+intake.PathImport+"/"+c.Param("token")+v.query())
}

func (p *Pages) turn(ctx context.Context, im intake.Import, do string) (err error) {
	switch do {
	case "start":
		_, err = p.Drop.Start(ctx, im.ID)
	case "cancel":
		_, err = p.Drop.Cancel(ctx, im.ID, "partner:"+im.Partner)
	}
	return err
}

// result hands out what became of each row, as a file that is opened elsewhere. It is written
// before any of it is sent: half a file would look like a whole one.
func (p *Pages) result(c echo.Context) (err error) {
	ctx, format := c.Request().Context(), c.Param("format")
	media, known := resultMedia[sheet.Format(format)]
	if !known {
		return echo.ErrNotFound
	}
	im, err := p.Gateway.ImportByLink(ctx, c.Param("token"))
	if err != nil {
		return p.goneLink(c, err)
	}
	if im.State == intake.ImportPreviewed || !im.Erased.IsZero() {
		return echo.ErrNotFound
	}
	select {
	case p.writing <- struct{}{}:
		defer func() { <-p.writing }()
	default:
		return p.Site.Later(c, http.StatusServiceUnavailable, pages.NoticeLimited, time.Second)
	}
	answer := http.NewResponseController(c.Response())
	_ = answer.SetWriteDeadline(time.Now().Add(longest))
	file, err := os.CreateTemp(p.Drop.TempDir, TempPattern)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := os.Remove(file.Name()); err != nil { // the open file stays
		return err
	}
	if err := p.Drop.Result(ctx, im, format, file); err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": resultName(im.Name, pages.Language(c.Request()), format)}))
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, file)
	return nil
}

var resultMedia = map[sheet.Format]string{
	sheet.FormatDelimited: "text/csv; charset=utf-8",
	sheet.FormatXLSX:      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

var resultWords = map[string]string{"en": "result", "de": "Ergebnis"}

// resultName is how the result of a list is called.
func resultName(list, lang, format string) string {
	word := resultWords[lang]
	list = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '-'
		}
		return r
	}, pages.Text(list))
	switch ext := path.Ext(list); strings.ToLower(ext) {
	case ".csv", ".tsv", ".txt", ".xlsx":
		list = strings.TrimSuffix(list, ext)
	}
	list = strings.TrimSuffix(list, "-"+word)
	if list == "" {
		return word + "." + format
	}
	return list + "-" + word + "." + format
}
