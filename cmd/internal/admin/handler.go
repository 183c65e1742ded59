package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"leadgate/channels/csvdrop"
	"leadgate/intake"
	"leadgate/intake/crm/ledger"
)

// Backend is the gateway that a handler serves.
type Backend struct {
	Gateway *intake.Gateway
	Ledger  *ledger.Ledger
	// Drop takes files of rows in, and Mail is the channel through which people of partners are
	// told of them; "" for none.
	Drop *csvdrop.Drop
	Mail string
	// Accept takes what was set aside in after all; see Gateway.AcceptAside.
	Accept func(ctx context.Context, id, partner, by string) ([]intake.Receipt, error)
	// Backup writes a copy of the store to an absolute path and returns its size.
	Backup func(ctx context.Context, path string) (int64, error)
	// Audit checks the store against its proofs.
	Audit func(ctx context.Context) (intake.AuditReport, error)
}

const (
	pageSize = 200
	maxBody  = 16 << 20
)

// Handler serves the admin API. It trusts its callers: who may open the socket may do all.
func Handler(b Backend) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, fn func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			answer(w, r, fn)
		})
	}
	handle("GET /v1/cases", b.list)
	handle("GET /v1/cases/{number}", func(r *http.Request) (any, error) {
		return b.Gateway.Dossier(r.Context(), r.PathValue("number"))
	})
	handle("POST /v1/cases/{number}/{verb}", b.decide)
	handle("GET /v1/conflicts", func(r *http.Request) (any, error) {
		found, err := b.Gateway.Conflicts(r.Context(), r.URL.Query().Has("all"))
		return append([]intake.Conflict{}, found...), err
	})
	handle("GET /v1/conflicts/{id}", func(r *http.Request) (any, error) {
		return b.Gateway.Conflict(r.Context(), r.PathValue("id"))
	})
	handle("POST /v1/conflicts/{id}/{verb}", b.settle)
	b.directory(mux)
	b.keys(handle)
	b.crm(handle)
	handle("GET /v1/inbox", func(r *http.Request) (any, error) {
		q := r.URL.Query()
		return b.Gateway.Asides(r.Context(), intake.AsideQuery{After: q.Get("after"), Limit: pageSize, All: q.Has("all")})
	})
	handle("GET /v1/inbox/{id}", func(r *http.Request) (any, error) {
		return b.Gateway.Aside(r.Context(), r.PathValue("id"))
	})
	handle("POST /v1/inbox/{id}/{verb}", b.seeTo)
	mux.HandleFunc("GET /v1/inbox/{id}/raw", b.rawAside)
	handle("GET /v1/suppressions", func(r *http.Request) (any, error) { return b.Gateway.Suppressions(r.Context()) })
	handle("DELETE /v1/suppressions/{address}", func(r *http.Request) (any, error) {
		return struct{}{}, b.Gateway.Allow(r.Context(), r.PathValue("address"))
	})
	handle("GET /v1/judgements", b.judgements)
	handle("GET /v1/policies/{hash}", func(r *http.Request) (any, error) {
		source, err := b.Gateway.PolicySource(r.Context(), r.PathValue("hash"))
		return json.RawMessage(source), err
	})
	handle("POST /v1/backup", b.backup)
	b.handleAudit(handle)
	mux.HandleFunc("GET /v1/ledger", b.exportLedger)
	b.imports(mux, handle)
	return mux
}

func answer(w http.ResponseWriter, r *http.Request, fn func(*http.Request) (any, error)) {
	v, err := fn(r)
	status := http.StatusOK
	if err != nil {
		status, v = statusOf(err), failure{Error: err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		return // the caller has gone
	}
}

func statusOf(err error) int {
	var input *intake.ErrInput
	var illegal *intake.IllegalTransition
	var held *intake.HeldError
	var file *intake.FileError
	switch {
	case errors.Is(err, intake.ErrNotFound):
		return http.StatusNotFound
	case errors.As(err, &input), errors.As(err, &file):
		return http.StatusBadRequest
	case errors.As(err, &illegal), errors.As(err, &held):
		return http.StatusConflict
	}
	return http.StatusInternalServerError
}

func read(r *http.Request, v any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return &intake.ErrInput{Problem: "request body: " + err.Error()}
	}
	return nil
}

// judgements answers ?case=, ?since= (RFC 3339) and ?after=, a key of an earlier answer.
func (b Backend) judgements(r *http.Request) (any, error) {
	v := r.URL.Query()
	q := intake.JudgementQuery{Case: v.Get("case"), After: v.Get("after"), Limit: pageSize}
	if s := v.Get("since"); s != "" {
		since, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return nil, &intake.ErrInput{Problem: "since: not a time as in RFC 3339"}
		}
		q.Since = since
	}
	found, next, err := b.Gateway.Judgements(r.Context(), q)
	return JudgementPage{Judgements: found, Next: next}, err
}

func (b Backend) list(r *http.Request) (any, error) {
	q := intake.CaseQuery{
		Status:  intake.Status(r.URL.Query().Get("status")),
		Partner: r.URL.Query().Get("partner"),
		Limit:   pageSize,
	}
	if before := r.URL.Query().Get("before"); before != "" {
		n, err := strconv.ParseUint(before, 10, 64)
		if err != nil {
			return nil, &intake.ErrInput{Problem: "before: not a number"}
		}
		q.Before = n
	}
	cases, err := b.Gateway.Cases(r.Context(), q)
	if err != nil {
		return nil, err
	}
	page := Page{Cases: make([]CaseSummary, len(cases))}
	for i, c := range cases {
		page.Cases[i] = summary(c)
	}
	if len(cases) == pageSize {
		page.Next = cases[len(cases)-1].Seq
	}
	return page, nil
}

// seeTo accepts or discards what was set aside.
func (b Backend) seeTo(r *http.Request) (any, error) {
	var d Decision
	if err := read(r, &d); err != nil {
		return nil, err
	}
	switch verb, id := r.PathValue("verb"), r.PathValue("id"); verb {
	case "accept":
		return b.Accept(r.Context(), id, d.Partner, d.By)
	case "discard":
		return []intake.Receipt{}, b.Gateway.DiscardAside(r.Context(), id, d.By)
	default:
		return nil, &intake.ErrInput{Problem: fmt.Sprintf("nothing is known of %q", verb)}
	}
}

func (b Backend) rawAside(w http.ResponseWriter, r *http.Request) {
	a, err := b.Gateway.Aside(r.Context(), r.PathValue("id"))
	if err != nil {
		answer(w, r, func(*http.Request) (any, error) { return nil, err })
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := b.Gateway.Raw(r.Context(), a.Raw, w); err != nil {
		panic(http.ErrAbortHandler) // a cut-off answer must not look like a whole one
	}
}

func (b Backend) backup(r *http.Request) (any, error) {
	var req BackupRequest
	if err := read(r, &req); err != nil {
		return nil, err
	}
	n, err := b.Backup(r.Context(), req.Path)
	return BackupResult{Path: req.Path, Bytes: n}, err
}

func (b Backend) exportLedger(w http.ResponseWriter, r *http.Request) {
	format := ledger.Format(r.URL.Query().Get("format"))
	w.Header().Set("Content-Type", "application/octet-stream")
	counted := &countingWriter{w: w}
	if err := b.Ledger.Export(r.Context(), counted, format); err != nil {
		if counted.n == 0 {
			w.WriteHeader(http.StatusBadRequest)
			_ = json.NewEncoder(w).Encode(failure{Error: err.Error()})
			return
		}
		panic(http.ErrAbortHandler) // a cut-off answer must not look like a whole one
	}
}

type countingWriter struct {
	w io.Writer
	n int
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += n
	return n, err
}
