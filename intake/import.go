package intake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	spaceImport     = "import"      // id → Import
	spaceImportAt   = "import_at"   // newest first: time and id → nothing
	spaceImportRows = "import_rows" // id and the last row within → []RowOutcome
	spaceImportOpen = "import_open" // id and case number → nothing, while the summary waits for the case

	importPrefix = "import:"
	// MaxImportRows is the most that AcceptRows takes at once: a transaction stays short.
	MaxImportRows = 500
	// importChunk is how many RunImport commits at once. With fewer of them more time goes into
	// commits; for more of them whoever else wants to write waits longer.
	importChunk = 200
	// importPage is how many chunks of outcomes are read at once.
	importPage = 8
)

// ImportState says how far an import is.
type ImportState string

// The states of an import.
const (
	ImportPreviewed ImportState = "previewed" // kept; nobody has said yet that it shall be taken in
	ImportRunning   ImportState = "running"
	ImportDone      ImportState = "done"
	ImportCancelled ImportState = "cancelled" // what was taken in stays
	ImportFailed    ImportState = "failed"    // the file can't be read any further
)

// ImportStates is the full set.
func ImportStates() []ImportState {
	return []ImportState{ImportPreviewed, ImportRunning, ImportDone, ImportCancelled, ImportFailed}
}

// ErrImportOver: the import is not running, so that no row of it is taken in.
var ErrImportOver = errors.New("the import is not running")

// FileError says why a file can't be read as rows, or not to its end, in words for who sent it.
type FileError struct {
	Problem Problem
	// Place is where in the file, "row 7, column C (E-mail)"; "" for the whole of it.
	Place string
	Err   error
}

func (e *FileError) Error() string { return e.Err.Error() }

func (e *FileError) Unwrap() error { return e.Err }

// ImportFile is a file of rows that a partner handed in, each a registration.
type ImportFile struct {
	Partner string `json:"partner"`
	// Name is the file's, as the partner knows it.
	Name    string `json:"name,omitempty"`
	Channel string `json:"channel"`
	// Sender is proven; one who is so by the domain of the address alone speaks for the partner.
	Sender Sender `json:"sender"`
	// Key names the delivery with which it came, where that can come again; see TellImport.
	Key string `json:"key,omitempty"`
	// Note is what was written beside it, for staff to read.
	Note string `json:"note,omitempty"`
	// Reply is where the one message about it goes, and what is told of its cases later.
	Reply Route `json:"reply,omitzero"`
	// Raw is the file, kept: an import that was interrupted goes on from there.
	Raw Raw `json:"raw"`
	// ReceivedAt is when it came.
	ReceivedAt time.Time `json:"received_at"`
	// AtOnce says that its sender asked for nothing but that it be taken in. Its rows count from
	// ReceivedAt; those of one that is looked at first count from when somebody has it taken in,
	// or looking would keep a place.
	AtOnce bool `json:"at_once,omitempty"`
	// Total is how many rows it has, 0 if nobody has counted.
	Total int `json:"total,omitempty"`
}

// Import is what becomes of a file of rows. It is a durable job: its progress and what its rows
// came to are written in the same commit as their cases.
type Import struct {
	ID string `json:"id"`
	ImportFile
	State ImportState `json:"state"`
	// Link is where the partner gets the result; "" without pages.
	Link string `json:"link,omitempty"`
	// Erased is when the file was deleted, because it told of somebody who was erased; there is no
	// result any more.
	Erased time.Time `json:"erased,omitzero"`
	// Claim is the claim time of the rows that are taken in from now on; zero before.
	Claim time.Time `json:"claim,omitzero"`
	// Last is the number of the last row that was taken in; all before it were, too.
	Last   int          `json:"last,omitempty"`
	Counts ImportCounts `json:"counts"`
	// By is who cancelled it, Cause why it failed and CauseRow in which row; 0 for the whole file.
	By       string    `json:"by,omitempty"`
	Cause    *Problem  `json:"cause,omitempty"`
	CauseRow int       `json:"cause_row,omitempty"`
	Began    time.Time `json:"began,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	// Summarised is when the one message about it was written, Told how many were before.
	Summarised time.Time `json:"summarised,omitzero"`
	Told       int       `json:"told,omitempty"`
	// Asked are who sent the same file meanwhile and will be told with the first.
	Asked []ImportAsked `json:"asked,omitempty"`
}

// ImportCounts say what rows came to. Accepted, Merged, NeedsInfo and Rejected add up to Rows.
type ImportCounts struct {
	Rows     int `json:"rows"`
	Accepted int `json:"accepted"`
	// Merged counts what was known in whole or in part. Unchanged of them came in the same words
	// as before.
	Merged    int `json:"merged"`
	Unchanged int `json:"unchanged"`
	NeedsInfo int `json:"needs_info"`
	Rejected  int `json:"rejected"`
}

func (n *ImportCounts) add(r RowResult) {
	n.Rows++
	switch r {
	case RowAccepted:
		n.Accepted++
	case RowUnchanged:
		n.Unchanged++
		n.Merged++
	case RowMerged, RowAmended:
		n.Merged++
	case RowNeedsInfo:
		n.NeedsInfo++
	default:
		n.Rejected++
	}
}

// Left is how many rows were not taken in, as far as they were counted.
func (im Import) Left() int { return max(0, im.Total-im.Counts.Rows) }

// CausePlace is where the file can't be read any further, as in FileError; "" for all of it.
func (im Import) CausePlace() string {
	if im.CauseRow == 0 {
		return ""
	}
	return fmt.Sprintf("row %d", im.CauseRow)
}

func (im Import) over() bool {
	return im.State == ImportDone || im.State == ImportCancelled || im.State == ImportFailed
}

func (im Import) batch() string { return importPrefix + im.ID }

// importOf returns the id of the import that a Batch.ID is of.
func importOf(batch string) (id string, ok bool) { return strings.CutPrefix(batch, importPrefix) }

// ImportID is the name of an import: the same bytes from the same partner are the same import.
func ImportID(partner, sha256 string) string { return shortID(partner + "\x00" + sha256) }

// OpenImport keeps that there is a file, in state ImportPreviewed, and takes nothing in. A file
// that the partner handed in before is the import of then, whatever its state; its link is a new one
// if that of then works no more. ErrNotFound if there is no such partner.
func (g *Gateway) OpenImport(ctx context.Context, f ImportFile) (im Import, err error) {
	switch {
	case f.Raw.SHA256 == "" || f.Channel == "" || f.ReceivedAt.IsZero():
		return Import{}, errors.New("an import needs a kept file, a channel and a time")
	case !f.Sender.Strength.Proven():
		return Import{}, fmt.Errorf("an import by a sender who is %s", f.Sender.Strength)
	}
	f.Name, f.Note = cleanText(f.Name, FieldCompanyName), cleanText(f.Note, FieldProblem)
	f.ReceivedAt = f.ReceivedAt.UTC().Truncate(time.Microsecond)
	boundAddresses(&f.Sender, &f.Reply)
	id := ImportID(f.Partner, f.Raw.SHA256)
	err = g.store.Update(ctx, func(tx Tx) error {
		if _, err := partner(tx, f.Partner); err != nil {
			return fmt.Errorf("partner %q: %w", f.Partner, err)
		}
		if f.Sender.Strength == StrengthDomain {
			if of, err := partnerOf(tx, f.Sender.Address); err != nil || of != f.Partner {
				return errors.Join(err, fmt.Errorf("an import by a sender who does not speak for partner %q", f.Partner))
			}
		}
		var err error
		im, err = imported(tx, id)
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			return err
		case im.Erased.IsZero():
			return g.renewImportLink(tx, &im, g.stamp())
		default: // the file comes anew
			if err := forgetRows(tx, id); err != nil {
				return err
			}
		}
		im = Import{ID: id, ImportFile: f, State: ImportPreviewed, Told: im.Told}
		if im.Link, err = g.importLink(tx, im, im.ReceivedAt); err != nil {
			return err
		}
		if err := tx.PutRecord(spaceImportAt, importAt(im), nil); err != nil {
			return err
		}
		return putJSON(tx, spaceImport, id, im)
	})
	return im, err
}

// importAt rises the older an import is.
func importAt(im Import) string {
	return fmt.Sprintf("%016x/%s", math.MaxInt64-im.ReceivedAt.UnixMicro(), im.ID)
}

func imported(tx Records, id string) (im Import, err error) {
	if err = getJSON(tx, spaceImport, id, &im); err != nil {
		return Import{}, err
	}
	return im, nil
}

// StartImport has the rows of an import taken in from now on, also of one that was cancelled or
// failed: it goes on behind the last row. One that runs or is done stays as it is. ErrNotFound.
func (g *Gateway) StartImport(ctx context.Context, id string) (Import, error) {
	return g.turnImport(ctx, id, func(c *change, im *Import) error {
		switch im.State {
		case ImportRunning, ImportDone:
			return nil
		case ImportPreviewed:
			im.Claim = c.at
			if im.AtOnce {
				im.Claim = im.ReceivedAt
			}
		case ImportCancelled, ImportFailed:
			im.Told++
			im.Claim = c.at // it had given up its place
			im.Ended, im.Summarised, im.By, im.Cause, im.CauseRow = time.Time{}, time.Time{}, "", nil, 0
		}
		if im.Began.IsZero() {
			im.Began = c.at
		}
		im.State = ImportRunning
		return nil
	})
}

// FinishImport says that there are no more rows. Once its cases have come to a state worth
// telling, the one message about it goes out. ErrImportOver unless it is running or done.
func (g *Gateway) FinishImport(ctx context.Context, id string) (Import, error) {
	return g.turnImport(ctx, id, func(c *change, im *Import) error {
		if im.State == ImportDone {
			return nil
		}
		im.Total = im.Counts.Rows
		return c.endImport(im, ImportDone)
	})
}

// CancelImport takes no more rows in. What was taken in stays; one that is over stays as it is.
func (g *Gateway) CancelImport(ctx context.Context, id, by string) (Import, error) {
	return g.turnImport(ctx, id, func(c *change, im *Import) error {
		switch {
		case im.over():
			return nil
		case im.State == ImportPreviewed:
			im.State, im.By, im.Ended, im.Summarised = ImportCancelled, by, c.at, c.at // nothing to tell of
			return nil
		}
		im.By = by
		return c.endImport(im, ImportCancelled)
	})
}

// FailImport says that the file can't be read any further, and why, in words for the partner, from
// a row on; 0 if that is so of the whole file.
func (g *Gateway) FailImport(ctx context.Context, id string, why Problem, row int) (Import, error) {
	return g.turnImport(ctx, id, func(c *change, im *Import) error {
		if im.over() {
			return nil
		}
		im.Cause, im.CauseRow, im.State = &why, row, ImportRunning
		return c.endImport(im, ImportFailed)
	})
}

// turnImport changes an import and returns it.
func (g *Gateway) turnImport(ctx context.Context, id string, turn func(*change, *Import) error) (im Import, err error) {
	err = g.update(ctx, func(c *change) error {
		var err error
		if im, err = imported(c, id); err != nil {
			return err
		}
		before := im.State
		if err := turn(c, &im); err != nil || im.State == before {
			return err
		}
		return putJSON(c, spaceImport, id, im)
	})
	return im, err
}

// endImport ends one that runs, and has the message about it written.
func (c *change) endImport(im *Import, state ImportState) error {
	if im.State != ImportRunning {
		return ErrImportOver
	}
	im.State, im.Ended = state, c.at
	return c.awaitSummary(im)
}

// Import returns an import; ErrNotFound.
func (g *Gateway) Import(ctx context.Context, id string) (im Import, err error) {
	err = g.store.View(ctx, func(tx Tx) (err error) {
		im, err = imported(tx, id)
		return err
	})
	return im, err
}

// ImportQuery selects imports. Empty fields select all.
type ImportQuery struct {
	Partner string
	State   ImportState
	// After continues behind what an earlier answer returned as next.
	After string
	Limit int
}

// Imports lists imports, the newest first. next continues the list; it is "" at the end. Who
// starts asks for those that are ImportRunning, and has them go on.
func (g *Gateway) Imports(ctx context.Context, q ImportQuery) (found []Import, next string, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		found, next = nil, q.After
		for {
			entries, err := tx.ScanRecords(spaceImportAt, "", next, max(1, q.Limit))
			if err != nil {
				return err
			}
			for _, e := range entries {
				_, id, _ := strings.Cut(e.Key, "/")
				im, err := imported(tx, id)
				if err != nil {
					return err
				}
				next = e.Key
				if q.Partner != "" && im.Partner != q.Partner || q.State != "" && im.State != q.State {
					continue
				}
				if found = append(found, im); len(found) >= q.Limit {
					return nil
				}
			}
			if len(entries) < max(1, q.Limit) {
				next = ""
				return nil
			}
		}
	})
	return found, next, err
}

// RowOutcomes returns what became of up to limit rows behind the one of a number, in their
// order; none at the end of what was taken in.
func (g *Gateway) RowOutcomes(ctx context.Context, id string, after, limit int) (found []RowOutcome, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		found = nil
		for key := rowsKey(id, after); len(found) < limit; {
			entries, err := tx.ScanRecords(spaceImportRows, id+"/", key, importPage)
			if err != nil {
				return err
			}
			for _, e := range entries {
				var chunk []RowOutcome
				if err := decode(e, &chunk); err != nil {
					return err
				}
				chunk = slices.DeleteFunc(chunk, func(o RowOutcome) bool { return o.Row <= after })
				found = append(found, chunk[:min(len(chunk), limit-len(found))]...)
				key = e.Key
			}
			if len(entries) < importPage {
				return nil
			}
		}
		return nil
	})
	for i := range found {
		found[i].explain()
	}
	return found, err
}

// rowsKey is of the chunk that ends with a row.
func rowsKey(id string, row int) string { return fmt.Sprintf("%s/%08d", id, row) }

// AcceptRows takes rows in, in their order, all of them or none, in one commit together with the
// progress: up to MaxImportRows, with numbers that rise. Rows that were taken in before count
// once; they are not in what is returned. ErrImportOver, ErrNotFound.
//
// It may be called from several goroutines with the rows of the same file, each from its
// beginning and in order.
func (g *Gateway) AcceptRows(ctx context.Context, id string, rows []ImportRow) (Import, []RowOutcome, error) {
	im, err := g.Import(ctx, id)
	if err != nil {
		return Import{}, nil, err
	}
	if im.State != ImportRunning {
		return im, nil, fmt.Errorf("import %s: %w", id, ErrImportOver)
	}
	began := g.now()
	taken, err := g.prepareRows(ctx, im, rows)
	if err != nil {
		return im, nil, err
	}
	return g.takeRows(ctx, im, taken, began)
}

// takeRows takes rows in that are prepared, since began.
func (g *Gateway) takeRows(ctx context.Context, im Import, taken []*rowAcceptance, began time.Time) (Import, []RowOutcome, error) {
	id := im.ID
	var outcomes []RowOutcome
	err := g.update(ctx, func(c *change) error {
		var err error
		if im, err = imported(c, id); err != nil {
			return err
		}
		if im.State != ImportRunning {
			return ErrImportOver
		}
		outcomes, err = c.acceptRows(&im, taken)
		if err != nil || len(outcomes) == 0 {
			return err
		}
		if err := putJSON(c, spaceImportRows, rowsKey(id, im.Last), outcomes); err != nil {
			return err
		}
		return putJSON(c, spaceImport, id, im)
	})
	if err != nil {
		return im, nil, fmt.Errorf("import %s: %w", id, err)
	}
	for i := range outcomes {
		outcomes[i].explain()
		g.observe.Accepted(im.Channel, outcomes[i].Result.outcome(), g.now().Sub(began)/time.Duration(len(outcomes)))
	}
	if n := len(outcomes); n > 0 {
		g.log.Info("rows taken in", "import", id, "partner", im.Partner, "rows", n, "last", im.Last)
	}
	return im, outcomes, nil
}

// acceptRows takes in what is behind the progress of im, and moves it.
func (c *change) acceptRows(im *Import, rows []*rowAcceptance) ([]RowOutcome, error) {
	p, err := partner(c, im.Partner)
	if err != nil {
		return nil, fmt.Errorf("partner %q: %w", im.Partner, err)
	}
	var outcomes []RowOutcome
	for _, r := range rows {
		if r.row.Number <= im.Last {
			continue
		}
		r.s.ReceivedAt = im.Claim
		o, err := r.run(c, im, p)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", r.row.Number, err)
		}
		im.Last = r.row.Number
		im.Counts.add(o.Result)
		outcomes = append(outcomes, o)
	}
	return outcomes, nil
}

// RunImport takes all rows of an import in that were not before, and ends it. It returns without
// an error where the import is cancelled meanwhile. After any error, and after a crash, it is
// called again with the same rows. An error of rows ends it too, once those before are taken in:
// whoever knows that it comes again in every attempt calls FailImport.
func (g *Gateway) RunImport(ctx context.Context, id string, rows iter.Seq2[ImportRow, error]) (Import, error) {
	im, err := g.StartImport(ctx, id)
	if err != nil || im.State != ImportRunning {
		return im, err
	}
	unread, err := g.feed(ctx, im, rows)
	if err != nil {
		return g.endOf(ctx, im, err)
	}
	if unread != nil {
		return im, fmt.Errorf("import %s: %w", id, unread)
	}
	ended, err := g.FinishImport(ctx, id)
	if err != nil {
		return g.endOf(ctx, im, err)
	}
	return ended, nil
}

// feed takes the rows in that were not before: while one chunk is committed, the next is read and
// prepared. It returns the error of rows apart, once all before it are taken in.
func (g *Gateway) feed(ctx context.Context, im Import, rows iter.Seq2[ImportRow, error]) (unread, err error) {
	w := rowWriter{chunks: make(chan rowChunk), done: make(chan struct{})}
	go w.run(func(c rowChunk) error {
		_, _, err := g.takeRows(ctx, im, c.rows, c.began)
		return err
	})
	defer func() { err = errors.Join(err, w.close()) }()
	var chunk []ImportRow
	deliver := func() (more bool, err error) {
		if len(chunk) == 0 {
			return true, nil
		}
		began := g.now()
		prepared, err := g.prepareRows(ctx, im, chunk)
		chunk = chunk[:0]
		return err == nil && w.write(rowChunk{prepared, began}), err
	}
	for row, err := range rows {
		if err != nil {
			unread = err
			break
		}
		if row.Number <= im.Last {
			continue
		}
		if chunk = append(chunk, row); len(chunk) == importChunk {
			if more, err := deliver(); !more {
				return nil, err
			}
		}
	}
	_, err = deliver()
	return unread, err
}

// rowChunk is rows that are prepared, since a time.
type rowChunk struct {
	rows  []*rowAcceptance
	began time.Time
}

// rowWriter commits chunks in their order, one by one, in a goroutine of its own.
type rowWriter struct {
	chunks chan rowChunk
	done   chan struct{} // closed when the fields below are final

	err      error
	panicked any
}

func (w *rowWriter) run(take func(rowChunk) error) {
	defer close(w.done)
	defer func() { w.panicked = recover() }()
	for c := range w.chunks {
		w.err = errors.New("the writer of rows did not return") // if take ends its goroutine
		if w.err = take(c); w.err != nil {
			return
		}
	}
}

// write reports false if no more is taken: close says why.
func (w *rowWriter) write(c rowChunk) bool {
	select {
	case w.chunks <- c:
		return true
	case <-w.done:
		return false
	}
}

// close waits until all chunks are committed.
func (w *rowWriter) close() error {
	close(w.chunks)
	<-w.done
	if w.panicked != nil {
		panic(w.panicked) // where it would be without a goroutine
	}
	return w.err
}

// endOf is no error where somebody else has ended the import.
func (g *Gateway) endOf(ctx context.Context, im Import, err error) (Import, error) {
	if !errors.Is(err, ErrImportOver) {
		return im, err
	}
	return g.Import(ctx, im.ID)
}
