package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"leadgate/intake"
)

// Files takes in files of rows, each a registration: a csvdrop.Drop. What can't be read is an
// *intake.FileError.
type Files interface {
	Offer(context.Context, *io.SectionReader, intake.ImportFile) (intake.Import, error)
	Start(ctx context.Context, id string) (intake.Import, error)
	Cancel(ctx context.Context, id, by string) (intake.Import, error)
	// Result writes what became of each row, as "csv" or "xlsx", "" for the format that came.
	Result(ctx context.Context, im intake.Import, format string, w io.Writer) error
	// Preview returns how far the preview of an import is; asking begins it.
	Preview(intake.Import) (Preview, error)
}

// Preview is what the rows of a file would come to if they were taken in now. It grows until it is
// done.
type Preview struct {
	Done   bool                `json:"done"`
	Counts intake.ImportCounts `json:"counts"`
	// Problems are those of the first rows with any.
	Problems []RowProblem `json:"problems"`
}

// RowProblem is what is wrong with a row, and what mends it.
type RowProblem struct {
	Row    int    `json:"row"`
	Field  string `json:"field"` // "" for the whole row
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Mend   string `json:"mend"`
}

const (
	// maxFile is how large a file may be, in bytes, maxAround what a form may add to it.
	maxFile   = 10 << 20
	maxAround = 64 << 10
	// MaxUpload is the most that a request with a file has.
	MaxUpload = maxFile + maxAround
	// uploadTime is how long a file may take to arrive, and a result to be fetched.
	uploadTime = 5 * time.Minute
	// firstProblems is how many problems are shown with an import.
	firstProblems = 20
	rowsPage      = 500
	maxFileName   = 200 // characters

	tempPattern = "leadgate-upload-*"
	mediaXLSX   = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// PathImports is where files are sent to, below Base.
const PathImports = "/imports"

func (a *API) importRoutes() []route {
	return []route{
		{method: http.MethodPost, path: PathImports, handle: a.upload},
		{method: http.MethodGet, path: PathImports, handle: a.imports},
		{method: http.MethodGet, path: PathImports + "/:import", handle: a.showImport},
		{method: http.MethodPost, path: PathImports + "/:import/cancel", handle: a.cancelImport},
		{method: http.MethodGet, path: PathImports + "/:import/result", handle: a.result},
		{method: http.MethodGet, path: PathImports + "/:import/rows", handle: a.rows},
	}
}

// imported is an import as its partner sees it.
type imported struct {
	ID    string             `json:"id"`
	Name  string             `json:"name"`
	State intake.ImportState `json:"state"`
	// Total is how many rows the file has, nil as long as nobody has counted.
	Total  *int                `json:"total"`
	Counts intake.ImportCounts `json:"counts"`
	// Problems are those of the first rows with any, Cause why the file can't be read further.
	Problems []RowProblem `json:"problems"`
	Cause    *RowProblem  `json:"cause"`
	Preview  *Preview     `json:"preview,omitempty"`
	Received time.Time    `json:"received"`
	Ended    *time.Time   `json:"ended"`
	Link     string       `json:"link"`
}

func view(im intake.Import) imported {
	v := imported{
		ID: im.ID, Name: im.Name, State: im.State, Counts: im.Counts, Problems: []RowProblem{}, Received: im.ReceivedAt, Link: im.Link,
	}
	if im.Total > 0 {
		v.Total = &im.Total
	}
	if im.Cause != nil {
		v.Cause = &RowProblem{Row: im.CauseRow, Code: im.Cause.Code, Detail: im.Cause.Message}
	}
	if !im.Ended.IsZero() {
		v.Ended = &im.Ended
	}
	return v
}

// upload takes a file in, or with dry_run=true keeps it and says what it would come to. The same
// file again is the import of the first time.
func (a *API) upload(r *request) (answer, error) {
	dry, err := flag(r, "dry_run")
	if err != nil {
		return answer{}, err
	}
	deadline(r)
	file, err := a.receive(r)
	if err != nil {
		return answer{}, err
	}
	defer file.Close()
	call, err := a.call(r, []byte(file.sum+"?"+r.QueryString()))
	if err != nil {
		return answer{}, err
	}
	if call != nil {
		made, err := a.source.Recall(r.ctx(), *call)
		switch {
		case errors.Is(err, intake.ErrNotFound):
		case err != nil:
			return answer{}, a.refuse(err)
		case made.Answer != nil:
			return a.replay(r.ctx(), r.key, made.Answer)
		}
	}
	sender, err := a.uploader(r)
	if err != nil {
		return answer{}, err
	}
	f := intake.ImportFile{
		Partner: r.key.Partner, Name: file.name, Sender: sender, ReceivedAt: a.now(), Raw: intake.Raw{Media: file.media},
		Reply: intake.Route{Channel: a.reply, Address: sender.Address}, AtOnce: !dry,
	}
	return a.do(r, call, func(ctx context.Context, _ string) (answer, error) { return a.offer(ctx, r.key, file, f, dry) })
}

// offer hands a file over. It may be done again: an import is known by its bytes.
func (a *API) offer(ctx context.Context, key intake.APIKey, file *received, f intake.ImportFile, dry bool) (answer, error) {
	if err := a.source.Admit(ctx, a.admission(key)); err != nil {
		var over *intake.LimitError
		if errors.As(err, &over) {
			return answer{}, over
		}
		return answer{}, unavailable(err)
	}
	im, err := a.files.Offer(ctx, io.NewSectionReader(file, 0, file.size), f)
	var unreadable *intake.FileError
	switch {
	case errors.As(err, &unreadable):
		detail := unreadable.Problem.Message
		if unreadable.Place != "" {
			detail = unreadable.Place + ": " + detail
		}
		return answer{}, &Problem{
			Status: http.StatusUnprocessableEntity, Code: "invalid_file", Detail: "The file can't be read, and nothing of it was stored.",
			Faults: []Fault{{Code: unreadable.Problem.Code, Detail: detail}},
		}
	case err != nil:
		return answer{}, unavailable(err)
	}
	if !dry {
		im, err = a.files.Start(ctx, im.ID)
	}
	if err != nil {
		return answer{}, unavailable(err)
	}
	v, err := a.told(ctx, im)
	if err != nil {
		return answer{}, err
	}
	status := http.StatusAccepted
	if im.State != intake.ImportPreviewed && im.State != intake.ImportRunning {
		status = http.StatusOK
	}
	ans, err := jsonAnswer(status, v)
	ans.Location = a.url + PathImports + "/" + im.ID
	return ans, err
}

// uploader answers for a file: the submitter of the query, or else the partner's first contact.
func (a *API) uploader(r *request) (intake.Sender, error) {
	s := intake.Sender{Strength: intake.StrengthVerified, How: fmt.Sprintf("API key %s (%s)", r.key.ID, r.key.Name)}
	given := strings.TrimSpace(r.QueryParam("submitter"))
	if given == "" {
		to, err := a.source.AnswerTo(r.ctx(), r.key.Partner, "", s.Strength)
		if s.Address = to; err != nil {
			return s, unavailable(err)
		}
		return s, nil
	}
	clean, err := a.source.Submitter(r.ctx(), r.key.Partner, given)
	var noAddress *intake.ErrInput
	switch {
	case errors.As(err, &noAddress), errors.Is(err, intake.ErrNotFound):
		return s, parameter("submitter: want the address of a contact of yours, or one on a domain of yours.")
	case err != nil:
		return s, unavailable(err)
	}
	s.Address = clean
	return s, nil
}

func parameter(detail string) *Problem {
	return &Problem{Status: http.StatusBadRequest, Code: "invalid_parameter", Detail: detail}
}

func flag(r *request, name string) (bool, error) {
	switch r.QueryParam(name) {
	case "":
		return false, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, parameter(name + ": want true or false.")
}

// deadline gives a file the time that it needs. Connections that can't be told so have that of the
// listener.
func deadline(r *request) {
	c := http.NewResponseController(r.Response())
	at := time.Now().Add(uploadTime)
	_ = c.SetReadDeadline(at)
	_ = c.SetWriteDeadline(at.Add(time.Minute))
}

// told is what is shown of an import: with its preview as long as that is what it is for.
func (a *API) told(ctx context.Context, im intake.Import) (imported, error) {
	v := view(im)
	if im.State == intake.ImportPreviewed {
		p, err := a.files.Preview(im)
		if err != nil {
			return v, unavailable(err)
		}
		if p.Problems == nil {
			p.Problems = []RowProblem{}
		}
		v.Preview = &p
		return v, nil
	}
	wrong := im.Counts.Rejected + im.Counts.NeedsInfo
	for after := 0; wrong > 0 && len(v.Problems) < firstProblems; {
		rows, err := a.source.RowOutcomes(ctx, im.ID, after, rowsPage)
		if err != nil {
			return v, unavailable(err)
		}
		if len(rows) == 0 {
			break
		}
		for _, o := range rows {
			if after = o.Row; len(o.Problems) > 0 {
				wrong--
			}
			for _, p := range problemsOf(o) {
				if len(v.Problems) < firstProblems {
					v.Problems = append(v.Problems, p)
				}
			}
		}
	}
	return v, nil
}

func problemsOf(o intake.RowOutcome) []RowProblem {
	all := []RowProblem{}
	for _, p := range o.Problems {
		all = append(all, RowProblem{Row: o.Row, Field: string(p.Field), Code: p.Code, Detail: p.Message, Mend: p.Mend})
	}
	return all
}

// ownImport returns the import of the path. Another partner's is as none.
func (a *API) ownImport(r *request) (intake.Import, error) {
	im, err := a.source.Import(r.ctx(), r.Param("import"))
	switch {
	case errors.Is(err, intake.ErrNotFound) || err == nil && im.Partner != r.key.Partner:
		return intake.Import{}, &Problem{Status: http.StatusNotFound, Code: "no_such_import", Detail: "None of your imports has this id."}
	case err != nil:
		return intake.Import{}, unavailable(err)
	}
	return im, nil
}

func (a *API) showImport(r *request) (answer, error) {
	im, err := a.ownImport(r)
	if err != nil {
		return answer{}, err
	}
	v, err := a.told(r.ctx(), im)
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, v)
}

// cancelImport takes no more rows in. One that is over stays as it is, and is no error.
func (a *API) cancelImport(r *request) (answer, error) {
	im, err := a.ownImport(r)
	if err != nil {
		return answer{}, err
	}
	if im, err = a.files.Cancel(r.ctx(), im.ID, "API key "+r.key.ID); err != nil {
		return answer{}, unavailable(err)
	}
	v, err := a.told(r.ctx(), im)
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(http.StatusOK, v)
}

// importPage is a part of the list of imports.
type importPage struct {
	Imports []imported `json:"imports"`
	Next    *string    `json:"next_cursor"`
}

func (a *API) imports(r *request) (answer, error) {
	limit, err := pageSize(r)
	if err != nil {
		return answer{}, err
	}
	cursor := r.QueryParam("cursor")
	if cursor != "" && !importCursor(cursor) {
		return answer{}, parameter("cursor: want the next_cursor of an earlier answer.")
	}
	all, next, err := a.source.Imports(r.ctx(), intake.ImportQuery{Partner: r.key.Partner, After: cursor, Limit: limit})
	if err != nil {
		return answer{}, unavailable(err)
	}
	p := importPage{Imports: []imported{}}
	for _, im := range all {
		p.Imports = append(p.Imports, view(im))
	}
	if next != "" {
		p.Next = &next
	}
	return jsonAnswer(http.StatusOK, p)
}

// importCursor reports whether a cursor can be one of ours: hex digits and a slash.
func importCursor(s string) bool {
	return len(s) <= 100 && strings.Trim(s, "0123456789abcdef/") == ""
}

// rowsOf is a part of what became of the rows of a file.
type rowsOf struct {
	Rows []rowOf `json:"rows"`
	Next *string `json:"next_cursor"`
}

type rowOf struct {
	Row      int              `json:"row"`
	Result   intake.RowResult `json:"result"`
	Case     *string          `json:"case_number"`
	Reason   string           `json:"reason"`
	Problems []RowProblem     `json:"problems"`
}

func (a *API) rows(r *request) (answer, error) {
	im, err := a.ownImport(r)
	if err != nil {
		return answer{}, err
	}
	limit, err := pageSize(r)
	if err != nil {
		return answer{}, err
	}
	after := 0
	if s := r.QueryParam("cursor"); s != "" {
		if after, err = strconv.Atoi(s); err != nil || after < 0 {
			return answer{}, parameter("cursor: want the next_cursor of an earlier answer.")
		}
	}
	found, err := a.source.RowOutcomes(r.ctx(), im.ID, after, limit)
	if err != nil {
		return answer{}, unavailable(err)
	}
	p := rowsOf{Rows: []rowOf{}}
	for _, o := range found {
		row := rowOf{Row: o.Row, Result: o.Result, Reason: string(o.Reason), Problems: problemsOf(o)}
		if o.Case != "" {
			row.Case = &o.Case
		}
		p.Rows = append(p.Rows, row)
	}
	if len(found) == limit {
		next := strconv.Itoa(found[limit-1].Row)
		p.Next = &next
	}
	return jsonAnswer(http.StatusOK, p)
}

// result sends the file with what became of each row, to be corrected and sent again.
func (a *API) result(r *request) (_ answer, err error) {
	im, err := a.ownImport(r)
	if err != nil {
		return answer{}, err
	}
	format := r.QueryParam("format")
	media, ok := map[string]string{"": "text/csv; charset=utf-8", "csv": "text/csv; charset=utf-8", "xlsx": mediaXLSX}[format]
	if !ok {
		return answer{}, parameter("format: want csv or xlsx.")
	}
	if format == "" {
		format = "csv"
	}
	if !im.Erased.IsZero() {
		return answer{}, &Problem{Status: http.StatusGone, Code: "file_erased", Detail: "The file was deleted, because somebody of whom it told was to be erased."}
	}
	deadline(r)
	f, err := a.tempFile()
	if err != nil {
		return answer{}, unavailable(err)
	}
	if err := a.files.Result(r.ctx(), im, format, f); err != nil {
		return answer{}, unavailable(errors.Join(err, f.Close()))
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return answer{}, unavailable(errors.Join(err, f.Close()))
	}
	r.Response().Header().Set("Content-Disposition", `attachment; filename="result.`+format+`"`)
	return answer{Status: http.StatusOK, media: media, file: f}, nil
}

// tempFile returns a file that is gone once it is closed.
func (a *API) tempFile() (*os.File, error) {
	f, err := os.CreateTemp(a.tempDir, tempPattern)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// replayImport gives an answer that was kept about an import, unless that is gone.
func (a *API) replayImport(ctx context.Context, key intake.APIKey, kept answer) (answer, error) {
	var told struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(kept.Body, &told); err != nil {
		return answer{}, fmt.Errorf("an answer that was kept: %w", err)
	}
	im, err := a.source.Import(ctx, told.ID)
	if err != nil || im.Partner != key.Partner {
		return answer{}, unavailable(errors.Join(err, errors.New("the import of an answer that was kept is not there")))
	}
	kept.replayed = true
	return kept, nil
}

// withCharset is a media type with its charset, and nothing else that it came with.
func withCharset(media string, params map[string]string) string {
	if params["charset"] == "" {
		return media
	}
	return mime.FormatMediaType(media, map[string]string{"charset": params["charset"]})
}
