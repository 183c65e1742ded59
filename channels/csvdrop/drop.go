package csvdrop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"mime"
	"os"
	"slices"
	"sync"
	"time"

	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake"
	"leadgate/intake/extract"
)

// Channel is the name of the channel.
const Channel = "csv"

// Gateway is what a Drop needs of the pipeline: an intake.Gateway.
type Gateway interface {
	Keep(context.Context, io.Reader) (intake.Raw, error)
	Raw(ctx context.Context, raw intake.Raw, w io.Writer) error
	OpenImport(context.Context, intake.ImportFile) (intake.Import, error)
	StartImport(ctx context.Context, id string) (intake.Import, error)
	RunImport(ctx context.Context, id string, rows iter.Seq2[intake.ImportRow, error]) (intake.Import, error)
	CancelImport(ctx context.Context, id, by string) (intake.Import, error)
	FailImport(ctx context.Context, id string, why intake.Problem, row int) (intake.Import, error)
	Import(ctx context.Context, id string) (intake.Import, error)
	Imports(context.Context, intake.ImportQuery) (found []intake.Import, next string, err error)
	ImportAnswer(ctx context.Context, id, message string, make func() (intake.Enclosure, error)) (intake.Enclosure, error)
	RowOutcomes(ctx context.Context, id string, after, limit int) ([]intake.RowOutcome, error)
	PreviewImport(context.Context, intake.ImportFile) (*intake.ImportPreview, error)
	Partner(ctx context.Context, id string) (intake.Partner, error)
	FindPartner(ctx context.Context, name string) (intake.Partner, error)
	StatusMessage(ctx context.Context, partner, number string) (intake.Message, error)
}

var _ Gateway = (*intake.Gateway)(nil)

// Deps are what a Drop is made with.
type Deps struct {
	Gateway Gateway
	// Extractor knows the names of columns and reads what stands below them.
	Extractor *extract.Extractor
	Words     Words
	// TempDir is where files lie while they are read. What a killed process leaves there is
	// named leadgate-import-*.
	TempDir string
	Now     func() time.Time // time.Now if nil
	Log     *slog.Logger     // discarded if nil
}

// Words puts into words what a partner is told, in its language: a templates.Set.
type Words interface {
	// Standing says in a line how a case stands, and why.
	Standing(intake.Message) (string, error)
	// Fault says what is wrong with a file or a row, and what mends it.
	Fault(locale string, p intake.RowProblem) string
}

// Drop takes files in. It is safe for concurrent use.
type Drop struct {
	Deps
	checks checks
	jobs   jobs
}

// New returns a Drop. It does nothing until it is given a file, or run.
func New(d Deps) *Drop {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Drop{Deps: d, checks: checks{byID: make(map[string]*check)}, jobs: newJobs()}
}

// Offer keeps a file, and opens its import in state intake.ImportPreviewed: none of it is taken
// in until Start. f says whose it is and where the answer goes; Raw.Media is its media type, where
// that says a charset, and ReceivedAt is now if it is zero; the rest is filled in here, Total by counting. The same
// bytes from the same partner are the import of the first time, whatever became of it. A file
// that can't be read is an *intake.FileError and is not kept; intake.ErrNotFound if there is no
// such partner.
func (d *Drop) Offer(ctx context.Context, r *io.SectionReader, f intake.ImportFile) (intake.Import, error) {
	s, err := sheet.Open(r, r.Size(), f.Name, d.options(f.Raw.Media))
	if err != nil {
		return intake.Import{}, fileError(err)
	}
	f.Total, err = s.Count()
	if err := errors.Join(err, s.Close()); err != nil {
		return intake.Import{}, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return intake.Import{}, err
	}
	raw, err := d.Gateway.Keep(ctx, r)
	if err != nil {
		return intake.Import{}, err
	}
	raw.Media = f.Raw.Media
	f.Raw, f.Channel = raw, Channel
	if f.ReceivedAt.IsZero() {
		f.ReceivedAt = d.Now()
	}
	return d.Gateway.OpenImport(ctx, f)
}

// Recognise counts the rows of a file, but no further than one more than most, and reports whether
// it is a result of ours that somebody sends back. f says its name and its media type. It keeps
// nothing. A file that can't be read is an *intake.FileError.
func (d *Drop) Recognise(r *io.SectionReader, f intake.ImportFile, most int) (rows int, answered bool, err error) {
	s, err := sheet.Open(r, r.Size(), f.Name, d.options(f.Raw.Media))
	if err != nil {
		return 0, false, fileError(err)
	}
	for err == nil && rows <= most {
		if _, err = s.Next(); err == nil {
			rows++
		}
	}
	if err == io.EOF {
		err = nil
	}
	return rows, s.Answered(), errors.Join(fileError(err), s.Close())
}

// fileError has a file that can't be read told by an error that every way in knows.
func fileError(err error) error {
	var unreadable *sheet.Error
	if errors.As(err, &unreadable) {
		return &intake.FileError{Problem: unreadable.Problem.Problem, Place: unreadable.Place(), Err: unreadable}
	}
	return err
}

func (d *Drop) options(media string) sheet.Options {
	_, params, err := mime.ParseMediaType(media)
	if err != nil {
		params = nil
	}
	return sheet.Options{Extractor: d.Extractor, Charset: params["charset"], TempDir: d.TempDir}
}

// TempPattern is how files are called while they are read.
const TempPattern = "leadgate-import-*"

// kept is the file of an import while it is read.
type kept struct {
	*sheet.Sheet
	file *os.File
}

// open opens the file of an import. Whoever opened closes.
func (d *Drop) open(ctx context.Context, im intake.Import) (_ *kept, err error) {
	if !im.Erased.IsZero() {
		return nil, ErrErased
	}
	f, err := os.CreateTemp(d.TempDir, TempPattern)
	if err != nil {
		return nil, err
	}
	k := &kept{file: f}
	defer func() {
		if err != nil {
			err = errors.Join(err, k.Close())
		}
	}()
	if err := os.Remove(f.Name()); err != nil { // the open file stays
		return nil, err
	}
	if err := d.Gateway.Raw(ctx, im.Raw, f); err != nil {
		return nil, err
	}
	k.Sheet, err = sheet.Open(f, im.Raw.Size, im.Name, d.options(im.Raw.Media))
	return k, err
}

// ErrErased says that the file of an import was deleted, because it told of somebody who was
// erased.
var ErrErased = errors.New("the file was deleted, because somebody of whom it told was to be erased")

// Close closes the file.
func (k *kept) Close() error {
	var err error
	if k.Sheet != nil {
		err = k.Sheet.Close()
	}
	return errors.Join(err, k.file.Close())
}

// rows are the rows of the file, as they are taken in.
func (k *kept) rows() iter.Seq2[intake.ImportRow, error] {
	return func(yield func(intake.ImportRow, error) bool) {
		for {
			row, err := k.Next()
			if err == io.EOF {
				return
			}
			if !yield(importRow(row), err) || err != nil {
				return
			}
		}
	}
}

// importRow is a row as it is taken in. One that can't be taken in has its fault as a problem.
func importRow(row sheet.Row) intake.ImportRow {
	out := intake.ImportRow{Number: row.Number, Lead: row.Lead, Case: row.Answer.Case}
	if row.Fault != nil {
		out.Problems = append(out.Problems, row.Fault.Problem)
	}
	for _, p := range row.Problems {
		out.Problems = append(out.Problems, p.Problem)
	}
	for _, column := range slices.Sorted(maps.Keys(row.Extra)) {
		out.Extra = append(out.Extra, intake.Extra{Column: column, Value: row.Extra[column]})
	}
	return out
}

// Count returns how many rows a file has, as far as it can be read. An import whose ImportFile.Total
// says so shows how far it is. It is an *intake.FileError if there are none.
func (d *Drop) Count(ctx context.Context, r *io.SectionReader, name, media string) (rows int, err error) {
	s, err := sheet.Open(r, r.Size(), name, d.options(media))
	if err != nil {
		return 0, fileError(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for {
		_, err := s.Next()
		if err == nil {
			err = ctx.Err()
		}
		var unreadable *sheet.Error
		if err == io.EOF || errors.As(err, &unreadable) { // that is told when it is taken in
			return s.Counts().Rows, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// Start has the rows of an import taken in from now on, in the background; see
// intake.Gateway.StartImport.
func (d *Drop) Start(ctx context.Context, id string) (intake.Import, error) {
	d.Forget(id)
	im, err := d.Gateway.StartImport(ctx, id)
	if err == nil && im.State == intake.ImportRunning {
		d.jobs.begin(id, d.take)
	}
	return im, err
}

// Cancel takes no more rows in; by is who says so.
func (d *Drop) Cancel(ctx context.Context, id, by string) (intake.Import, error) {
	d.Forget(id)
	return d.Gateway.CancelImport(ctx, id, by)
}

// Run goes on with the imports that were under way, and stops all when ctx is done.
func (d *Drop) Run(ctx context.Context, _ intake.Sink) error {
	defer d.Close()
	for after := ""; ; {
		running, next, err := d.Gateway.Imports(ctx, intake.ImportQuery{State: intake.ImportRunning, After: after, Limit: 100})
		if err != nil {
			return fmt.Errorf("imports under way: %w", err)
		}
		slices.Reverse(running)
		for _, im := range running {
			d.Log.Info("an import goes on", "import", im.ID, "partner", im.Partner, "behind_row", im.Last)
			d.jobs.begin(im.ID, d.take)
		}
		if after = next; next == "" {
			break
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// Close stops what is under way and waits for it. It goes on with Run.
func (d *Drop) Close() { d.jobs.stop() }

const (
	// atOnce is how many files are worked on at a time: a small one does not wait for a large one.
	atOnce = 3
	// pause is how long a job waits after an error of the store.
	pause, longestPause = time.Second, time.Minute
)

// jobs are the imports that this process works on.
type jobs struct {
	mu     sync.Mutex
	byID   map[string]bool
	slots  chan struct{}
	all    sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc
}

func newJobs() jobs {
	ctx, cancel := context.WithCancel(context.Background())
	return jobs{byID: make(map[string]bool), slots: make(chan struct{}, atOnce), ctx: ctx, cancel: cancel}
}

// begin works on an import; false if that is done already, or nothing is begun any more.
func (j *jobs) begin(id string, work func(ctx context.Context, id string)) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.byID[id] || j.ctx.Err() != nil {
		return false
	}
	j.byID[id] = true
	j.all.Go(func() {
		defer func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			delete(j.byID, id)
		}()
		select {
		case j.slots <- struct{}{}:
			defer func() { <-j.slots }()
			work(j.ctx, id)
		case <-j.ctx.Done():
		}
	})
	return true
}

func (j *jobs) stop() {
	j.mu.Lock()
	j.cancel()
	j.mu.Unlock()
	j.all.Wait()
}

// take takes an import in, to its end or until ctx is done. After an error it goes on where it
// was: what was taken in counts once.
func (d *Drop) take(ctx context.Context, id string) {
	for wait := pause; ; wait = min(2*wait, longestPause) {
		err := d.takeOnce(ctx, id)
		if err == nil || ctx.Err() != nil || errors.Is(err, intake.ErrNotFound) {
			return
		}
		d.Log.Error("an import can't go on; it is tried again", "import", id, "in", wait, "err", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
	}
}

// takeOnce returns nil once the import is over.
func (d *Drop) takeOnce(ctx context.Context, id string) (err error) {
	defer func() {
		if p := recover(); p != nil { // a file is never the end of the program
			err = errors.Join(err, fmt.Errorf("import %s: panic: %v", id, p))
		}
	}()
	im, err := d.Gateway.Import(ctx, id)
	if err != nil || im.State != intake.ImportRunning {
		return err
	}
	k, err := d.open(ctx, im)
	if err == nil {
		defer func() { err = errors.Join(err, k.Close()) }()
		im, err = d.Gateway.RunImport(ctx, id, k.rows())
	}
	var unreadable *sheet.Error
	switch {
	case errors.As(err, &unreadable):
		_, err = d.Gateway.FailImport(ctx, id, unreadable.Problem.Problem, unreadable.Row)
		return err
	case errors.Is(err, ErrErased):
		_, err = d.Gateway.FailImport(ctx, id, intake.Problem{Code: CodeErased, Message: ErrErased.Error()}, 0)
		return err
	}
	if err == nil {
		d.Log.Info("an import is over", "import", id, "partner", im.Partner, "state", im.State, "rows", im.Counts.Rows,
			"accepted", im.Counts.Accepted, "merged", im.Counts.Merged, "needs_info", im.Counts.NeedsInfo, "rejected", im.Counts.Rejected)
	}
	return err
}

// CodeErased is why an import fails whose file was deleted while it was under way.
const CodeErased = "file_erased"
