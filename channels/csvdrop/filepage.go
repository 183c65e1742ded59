package csvdrop

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"os"
	"slices"
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

// paramKnown is in the address of a list that was handed in once more.
const paramKnown = "known"

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
	Decided *intake.ImportDecided // how its cases stand; nil while they are judged
	Changes bool                  // something is to be corrected
	Anew    bool                  // the file had come before, and was deleted
	Said    string
	Known   string      // that it came before; ""
	Remarks []faultLine // that refuse nothing
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
	f.Decided = im.Decided
	f.Anew = !im.Anew.IsZero()
	f.Changes = f.Counts.NeedsInfo+f.Counts.Rejected+f.Counts.LeftOut > 0
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
	for _, r := range checked.Remarks {
		f.Remarks = append(f.Remarks, p.fault(lang, Fault{Problem: r}))
	}
	for _, fault := range checked.Faults {
		f.fault(p.fault(lang, fault))
	}
	if checked.Failed != nil {
		line := p.fault(lang, Fault{Problem: *checked.Failed})
		f.Failed = &line
	}
}

// fault adds one of the first faults.
func (f *filePage) fault(line faultLine) {
	if len(f.Faults) < openFaults {
		f.Faults = append(f.Faults, line)
	} else {
		f.More = append(f.More, line)
	}
}

// faults shows what was wrong with the first rows of a list that is over. In which column it is says
// the result.
func (f *filePage) faults(ctx context.Context, p *Pages, im intake.Import, lang string) error {
	wrong := im.Counts.Rejected + im.Counts.NeedsInfo
	for after := 0; wrong > 0; {
		page, err := p.Drop.Gateway.RowOutcomes(ctx, im.ID, after, answersPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, o := range page {
			after = o.Row
			if len(o.Problems) == 0 || o.Result != intake.RowRejected && o.Result != intake.RowNeedsInfo {
				continue
			}
			wrong--
			for _, problem := range o.Problems {
				if len(f.Faults)+len(f.More) == shownFaults {
					return nil
				}
				f.fault(p.fault(lang, Fault{Problem: sheet.Problem{Row: o.Row, Problem: problem.Problem}, Result: o.Result, Mend: problem.Mend}))
			}
		}
	}
	return nil
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

// listVisit is a request for the page of one list. Its address is shown around within a company, so
// that the partner's own link, which opens far more, has no place in it.
func listVisit(c echo.Context) visit { return visit{lang: pages.Language(c.Request())} }

func (p *Pages) showFile(c echo.Context) error {
	im, err := p.Gateway.ImportByLink(c.Request().Context(), c.Param("token"))
	if err != nil {
		return p.goneLink(c, err)
	}
	v := listVisit(c)
	if c.QueryParams().Has("p") { // an address of earlier, which tells more than it should
		return c.Redirect(http.StatusSeeOther, p.Site.Base()+intake.PathImport+"/"+c.Param("token")+v.query())
	}
	f, err := p.view(im, v.lang)
	if errors.Is(err, ErrErased) { // between the two
		f.State, err = shownErased, nil
	}
	if err != nil {
		return err
	}
	if !f.Busy() && im.State != intake.ImportPreviewed && im.Erased.IsZero() {
		if err := f.faults(c.Request().Context(), p, im, v.lang); err != nil {
			return err
		}
	}
	if c.QueryParams().Has(paramKnown) && im.State != intake.ImportPreviewed && im.Erased.IsZero() {
		f.Known = p.Drop.Words.Fault(v.lang, intake.RowProblem{Problem: cameBefore(im)})
	}
	at := p.Site.Base() + intake.PathImport + "/" + c.Param("token")
	f.Base, f.Action, f.Progress = p.Site.Base(), at+v.query(), at+"/progress.json"+v.query()
	if im.Counts.Rows > 0 && !f.Busy() && f.State != shownErased {
		f.CSV, f.XLSX = at+"/result.csv?lang="+v.lang, at+"/result.xlsx?lang="+v.lang
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
	v := listVisit(c)
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
	if !slices.Contains(sheet.Formats(), sheet.Format(format)) {
		return echo.ErrNotFound
	}
	im, err := p.Gateway.ImportByLink(ctx, c.Param("token"))
	if err != nil {
		return p.goneLink(c, err)
	}
	if im.State == intake.ImportPreviewed {
		return echo.ErrNotFound
	}
	if !im.Erased.IsZero() { // the page says so
		return c.Redirect(http.StatusSeeOther, p.Site.Base()+intake.PathImport+"/"+c.Param("token")+listVisit(c).query())
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
	look, err := p.Drop.result(ctx, im, format, pages.Language(c.Request()), file)
	if err != nil {
		return err
	}
	name, media := ResultName(im.Name, look)
	h := c.Response().Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, file)
	return nil
}
