package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"leadgate/channels/csvdrop"
	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake"
)

// NewImport says whose a file of rows is, and who hands it in.
type NewImport struct {
	// Partner is an id, a code or a domain.
	Partner string
	// Name is the file's.
	Name string
	By   string
	// Reply is who of the partner is told by mail; "" for the first of its contacts.
	Reply string
}

func (n NewImport) query() string {
	return url.Values{"partner": {n.Partner}, "name": {n.Name}, "by": {n.By}, "reply": {n.Reply}}.Encode()
}

// StartedImport is an import whose rows are taken in from now on.
type StartedImport struct {
	intake.Import
	// Before is the state in which the same file from the same partner was; intake.ImportPreviewed
	// if it is new.
	Before intake.ImportState `json:"before"`
}

// ImportPage is a part of the list of imports, the newest first; Next continues it if not "".
type ImportPage struct {
	Imports []intake.Import `json:"imports"`
	Next    string          `json:"next,omitempty"`
}

// TriedImport is what the rows of a file would come to. While it is found out there are several,
// each with the rows judged since the one before.
type TriedImport struct {
	csvdrop.Preview
	// Partner is who the rows would be of.
	Partner  string              `json:"partner"`
	Total    int                 `json:"total"`
	Verdicts []Expected          `json:"verdicts,omitempty"`
	Latest   []intake.RowOutcome `json:"latest,omitempty"`
	// Error is why it ended before its end.
	Error string `json:"error,omitempty"`
}

// Expected is what the policy would make of so many rows.
type Expected struct {
	intake.Verdicts
	Rows int `json:"rows"`
}

// imports serves files of rows.
func (b Backend) imports(mux *http.ServeMux, handle func(string, func(*http.Request) (any, error))) {
	handle("POST /v1/imports", b.startImport)
	mux.HandleFunc("POST /v1/imports/try", b.tryImport)
	handle("GET /v1/imports", func(r *http.Request) (any, error) {
		q := r.URL.Query()
		id := q.Get("partner")
		if id != "" {
			p, err := b.partner(r.Context(), id)
			if err != nil {
				return nil, err
			}
			id = p.ID
		}
		found, next, err := b.Gateway.Imports(r.Context(), intake.ImportQuery{
			Partner: id, State: intake.ImportState(q.Get("state")), After: q.Get("after"), Limit: pageSize,
		})
		return ImportPage{append([]intake.Import{}, found...), next}, err
	})
	handle("GET /v1/imports/{id}", b.showImport)
	handle("POST /v1/imports/{id}/{verb}", b.turnImport)
	mux.HandleFunc("GET /v1/imports/{id}/rows", func(w http.ResponseWriter, r *http.Request) {
		b.stream(w, r, func(im intake.Import, w io.Writer) error {
			lines := json.NewEncoder(w)
			return b.Drop.Answers(r.Context(), im, func(a csvdrop.Answered) error { return lines.Encode(a) })
		})
	})
	mux.HandleFunc("GET /v1/imports/{id}/result", func(w http.ResponseWriter, r *http.Request) {
		b.stream(w, r, func(im intake.Import, w io.Writer) error {
			format := r.URL.Query().Get("format")
			if format != "" && !slices.Contains(sheet.Formats(), sheet.Format(format)) {
				return &intake.ErrInput{Problem: fmt.Sprintf("format %q: want one of %v", format, sheet.Formats())}
			}
			return b.Drop.Result(r.Context(), im, format, w)
		})
	})
}

// file reads the file of a request: who it is of stands in the query, and the body is the file.
func (b Backend) file(r *http.Request) (*io.SectionReader, intake.ImportFile, error) {
	// First of all: who is answered while he still writes does not read the answer. One byte more
	// than a file may have is told to be too many.
	body, err := io.ReadAll(io.LimitReader(r.Body, sheet.MaxBytes+1))
	if err != nil {
		return nil, intake.ImportFile{}, &intake.ErrInput{Problem: "the file did not come to its end: " + err.Error()}
	}
	q := r.URL.Query()
	p, err := b.partner(r.Context(), q.Get("partner"))
	if err != nil {
		return nil, intake.ImportFile{}, err
	}
	by := q.Get("by")
	f, err := csvdrop.Submitted{
		Partner: p, Name: q.Get("name"), Channel: b.Mail, Address: q.Get("reply"),
		Sender: intake.Sender{Address: by, Strength: intake.StrengthOperator, How: "handed in by " + by},
	}.File()
	if err != nil {
		return nil, intake.ImportFile{}, err
	}
	return io.NewSectionReader(bytes.NewReader(body), 0, int64(len(body))), f, nil
}

// partner finds the partner who has an id, a code or a domain.
func (b Backend) partner(ctx context.Context, name string) (intake.Partner, error) {
	p, err := b.Gateway.FindPartner(ctx, name)
	if errors.Is(err, intake.ErrNotFound) {
		err = &refusal{words: fmt.Sprintf("no partner has the id, code or domain %q; `leadgate partners list` shows them", name), notFound: true}
	}
	return p, err
}

func (b Backend) startImport(r *http.Request) (any, error) {
	body, f, err := b.file(r)
	if err != nil {
		return nil, err
	}
	im, before, err := b.Drop.Take(r.Context(), body, f, nil)
	return StartedImport{im, before}, err
}

// tryImport answers lines of TriedImport, the last of which is done or has an error.
func (b Backend) tryImport(w http.ResponseWriter, r *http.Request) {
	var total int
	body, f, err := b.file(r)
	if err == nil {
		total, err = b.Drop.Count(body, f)
	}
	if err != nil {
		answer(w, r, func(*http.Request) (any, error) { return nil, err })
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	lines := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	last, err := b.Drop.Try(ctx, body, f, func(p csvdrop.Preview) {
		t := TriedImport{Preview: p, Partner: f.Partner, Total: total, Latest: p.Latest}
		t.Done, t.Faults, t.Columns, t.Remarks = false, nil, nil, nil
		if lines.Encode(t) != nil || flush.Flush() != nil {
			cancel() // the caller has gone
		}
	})
	t := TriedImport{Preview: last, Partner: f.Partner, Total: total, Verdicts: expected(last.Verdicts)}
	if err != nil {
		t.Done, t.Error = false, err.Error()
	}
	_ = lines.Encode(t)
}

// expected lists verdicts, the commonest first.
func expected(counts map[intake.Verdicts]int) []Expected {
	var all []Expected
	for _, v := range slices.SortedFunc(maps.Keys(counts), func(a, b intake.Verdicts) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return slices.Compare([]string{string(a.Outcome), string(a.Reason)}, []string{string(b.Outcome), string(b.Reason)})
	}) {
		all = append(all, Expected{v, counts[v]})
	}
	return all
}

func (b Backend) showImport(r *http.Request) (any, error) {
	id := r.PathValue("id")
	im, err := b.Gateway.Import(r.Context(), id)
	return im, noImport(id, err)
}

// noImport is err, in plain words if it is that there is no import of the id.
func noImport(id string, err error) error {
	if errors.Is(err, intake.ErrNotFound) {
		return &refusal{words: fmt.Sprintf("there is no import %q; `leadgate imports list` shows them", id), notFound: true}
	}
	return err
}

func (b Backend) turnImport(r *http.Request) (any, error) {
	var d Decision
	if err := read(r, &d); err != nil {
		return nil, err
	}
	var im intake.Import
	var err error
	id := r.PathValue("id")
	switch verb := r.PathValue("verb"); verb {
	case "cancel":
		im, err = b.Drop.Cancel(r.Context(), id, d.By)
	case "resume":
		im, err = b.Drop.Start(r.Context(), id)
	default:
		err = &intake.ErrInput{Problem: fmt.Sprintf("nothing is known of %q", verb)}
	}
	return im, noImport(id, err)
}

// stream writes what fn does for an import. A cut-off answer does not look like a whole one.
func (b Backend) stream(w http.ResponseWriter, r *http.Request, fn func(intake.Import, io.Writer) error) {
	id := r.PathValue("id")
	im, err := b.Gateway.Import(r.Context(), id)
	if err != nil {
		answer(w, r, func(*http.Request) (any, error) { return nil, noImport(id, err) })
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	out := &countingWriter{w: w}
	if err := fn(im, out); err != nil {
		if out.n == 0 {
			answer(w, r, func(*http.Request) (any, error) { return nil, err })
			return
		}
		panic(http.ErrAbortHandler)
	}
}

// StartImport has a file taken in. It returns once the file is kept; how far it is tells Import.
func (c *Client) StartImport(ctx context.Context, n NewImport, file []byte) (s StartedImport, err error) {
	body, err := c.do(ctx, http.MethodPost, "/v1/imports?"+n.query(), bytes.NewReader(file))
	if err != nil {
		return s, err
	}
	defer body.Close()
	return s, json.NewDecoder(body).Decode(&s)
}

// TryImport finds out what a file would come to, and takes nothing in. progress is called with
// every report before the last, which is returned.
func (c *Client) TryImport(ctx context.Context, n NewImport, file []byte, progress func(TriedImport)) (TriedImport, error) {
	body, err := c.do(ctx, http.MethodPost, "/v1/imports/try?"+n.query(), bytes.NewReader(file))
	if err != nil {
		return TriedImport{}, err
	}
	defer body.Close()
	for lines := json.NewDecoder(body); ; {
		var t TriedImport
		switch err := lines.Decode(&t); {
		case err != nil:
			return t, noAnswer(ctx, err)
		case t.Error != "":
			return t, errors.New(t.Error)
		case t.Done:
			return t, nil
		}
		progress(t)
	}
}

// Imports lists the imports of a partner, by its id, code or domain, or all, up to limit of them if that is not 0.
func (c *Client) Imports(ctx context.Context, q intake.ImportQuery) ([]intake.Import, error) {
	all := []intake.Import{}
	for {
		values := url.Values{"partner": {q.Partner}, "state": {string(q.State)}, "after": {q.After}}
		var page ImportPage
		if err := c.call(ctx, http.MethodGet, "/v1/imports?"+values.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Imports...)
		if q.Limit > 0 && len(all) >= q.Limit {
			return all[:q.Limit], nil
		}
		if q.After = page.Next; q.After == "" {
			return all, nil
		}
	}
}

func importPath(id string) string { return "/v1/imports/" + url.PathEscape(id) }

// Import returns one by id.
func (c *Client) Import(ctx context.Context, id string) (im intake.Import, err error) {
	err = c.call(ctx, http.MethodGet, importPath(id), nil, &im)
	return im, err
}

// TurnImport does one of cancel and resume.
func (c *Client) TurnImport(ctx context.Context, verb, id, by string) (im intake.Import, err error) {
	err = c.call(ctx, http.MethodPost, importPath(id)+"/"+verb, Decision{By: by}, &im)
	return im, err
}

// ImportRows calls fn with what became of each row of an import, until that returns an error.
func (c *Client) ImportRows(ctx context.Context, id string, fn func(csvdrop.Answered) error) error {
	body, err := c.do(ctx, http.MethodGet, importPath(id)+"/rows", nil)
	if err != nil {
		return err
	}
	defer body.Close()
	for lines := json.NewDecoder(body); ; {
		var a csvdrop.Answered
		if err := lines.Decode(&a); err == io.EOF {
			return nil
		} else if err != nil {
			return noAnswer(ctx, err)
		}
		if err := fn(a); err != nil {
			return err
		}
	}
}

// ImportResult writes the result of an import to w, as csv or xlsx; "" for the format that came.
func (c *Client) ImportResult(ctx context.Context, id, format string, w io.Writer) error {
	return c.call(ctx, http.MethodGet, importPath(id)+"/result?format="+url.QueryEscape(format), nil, w)
}
