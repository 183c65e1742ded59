package csvdrop

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync"

	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake"
)

const (
	// previewChunk is how many rows are judged at once: who else wants to write waits for them.
	previewChunk = 100
	// shownFaults is how many rows that would not be taken in a preview tells of.
	shownFaults = 50
	// heldChecks is how many previews are held for the pages that show them.
	heldChecks = 64
)

// Preview is what the rows of a file would come to if they were taken in now.
type Preview struct {
	// Done says that all rows were judged. Until then the counts grow.
	Done   bool                `json:"done"`
	Counts intake.ImportCounts `json:"counts"`
	// Verdicts are for staff alone: they tell what is taken from what is free.
	Verdicts map[intake.Verdicts]int `json:"-"`
	// Faults are the first rows that would be refused, or asked about; then the first of which a
	// value would be left out.
	Faults  []Fault `json:"faults,omitempty"`
	leftOut []Fault
	Columns []sheet.Column `json:"columns"`
	// Remarks are what is to be known of the columns; they refuse nothing.
	Remarks []sheet.Problem `json:"remarks,omitempty"`
	// Latest is what the rows judged since the last report would come to.
	Latest []intake.RowOutcome `json:"-"`
	// Failed is why the file can't be read to its end; nil if it can.
	Failed *sheet.Problem `json:"failed,omitempty"`
}

// Fault is a problem of a row, and what mends it.
type Fault struct {
	sheet.Problem
	Result intake.RowResult `json:"result"`
	Mend   string           `json:"mend,omitempty"`
	// LeftOut says that the row would be taken in without the value.
	LeftOut bool `json:"left_out,omitempty"`
}

// Preview judges all rows of an import, and takes none in. progress is told of what was found so
// far, from time to time; it may be nil.
func (d *Drop) Preview(ctx context.Context, im intake.Import, progress func(Preview)) (p Preview, err error) {
	k, err := d.open(ctx, im)
	if err != nil {
		return Preview{}, err
	}
	defer func() { err = errors.Join(err, k.Close()) }()
	return preview(ctx, d.Gateway, im.ImportFile, k.Sheet, progress)
}

// Try is Preview of a file that is not kept: it leaves no trace. A file that can't be read is an
// *intake.FileError.
func (d *Drop) Try(ctx context.Context, r *io.SectionReader, f intake.ImportFile, progress func(Preview)) (p Preview, err error) {
	s, err := sheet.Open(r, r.Size(), f.Name, d.options(f.Raw.Media))
	if err != nil {
		return Preview{}, fileError(err)
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	f.Channel, f.ReceivedAt = Channel, d.Now()
	return preview(ctx, d.Gateway, f, s, progress)
}

func preview(ctx context.Context, g Gateway, f intake.ImportFile, s *sheet.Sheet, progress func(Preview)) (Preview, error) {
	p := Preview{Columns: s.Columns(), Remarks: s.Remarks()}
	judge, err := g.PreviewImport(ctx, f)
	if err != nil {
		return p, err
	}
	for !p.Done {
		chunk := make([]sheet.Row, 0, previewChunk)
		rows := make([]intake.ImportRow, 0, previewChunk)
		for len(rows) < previewChunk && !p.Done {
			row, err := s.Next()
			var unreadable *sheet.Error
			switch {
			case err == io.EOF:
				p.Done = true
			case errors.As(err, &unreadable):
				p.Failed, p.Done = &unreadable.Problem, true
			case err != nil:
				return p, err
			default:
				chunk, rows = append(chunk, row), append(rows, importRow(row))
			}
		}
		outcomes, err := judge.Add(ctx, rows)
		if err != nil {
			return p, err
		}
		p.Counts, p.Latest = judge.Counts(), outcomes
		for i, o := range outcomes {
			p.note(chunk[i], o)
		}
		if p.Done {
			p.Faults = append(p.Faults, p.leftOut[:min(len(p.leftOut), shownFaults-len(p.Faults))]...)
		}
		if progress != nil {
			progress(p)
		}
	}
	p.Verdicts = maps.Clone(judge.Verdicts())
	return p, nil
}

// note keeps the problems of a row, if it is one of the first.
func (p *Preview) note(row sheet.Row, o intake.RowOutcome) {
	for _, problem := range o.Problems {
		list := &p.Faults
		if problem.LeftOut {
			list = &p.leftOut
		}
		if len(*list) < shownFaults {
			*list = append(*list, Fault{Problem: placed(row, problem.Problem), Result: o.Result, Mend: problem.Mend, LeftOut: problem.LeftOut})
		}
	}
}

// placed says where in a row a problem is.
func placed(row sheet.Row, p intake.Problem) sheet.Problem {
	for _, known := range row.Problems {
		if known.Code == p.Code && known.Field == p.Field {
			known.Message = p.Message
			return known
		}
	}
	if row.Fault != nil && row.Fault.Code == p.Code {
		return *row.Fault
	}
	for _, known := range row.Problems {
		if known.Field == p.Field && p.Field != "" { // what can't be used is asked for
			known.Problem = p
			return known
		}
	}
	return sheet.Problem{Row: row.Number, Problem: p}
}

// checks are the previews that pages show.
type checks struct {
	mu   sync.Mutex
	byID map[string]*check
	old  []string // the ids, in the order in which they began
}

// check is a preview that is being made, or was.
type check struct {
	dropped chan struct{} // closed once nobody wants it any more

	mu  sync.Mutex
	now Preview
	err error
}

// Checked returns how far the preview of an import is. It begins one in the background if there
// is none, or the last one failed.
func (d *Drop) Checked(im intake.Import) (Preview, error) {
	d.checks.mu.Lock()
	c := d.checks.byID[im.ID]
	if c == nil {
		c = &check{dropped: make(chan struct{})}
		// One that was dropped may be about to stop: the next call tries again.
		if d.jobs.begin("preview of "+im.ID, func(ctx context.Context, _ string) { d.check(ctx, im, c) }) {
			d.checks.add(im.ID, c)
		}
	}
	d.checks.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now, c.err
}

// Forget drops the preview of an import, and stops it: the next one is made anew.
func (d *Drop) Forget(id string) {
	d.checks.mu.Lock()
	defer d.checks.mu.Unlock()
	d.checks.drop(id)
}

// add holds a preview, and drops the oldest if there are too many.
func (c *checks) add(id string, one *check) {
	c.byID[id] = one
	if c.old = append(c.old, id); len(c.old) > heldChecks {
		c.drop(c.old[0])
	}
}

func (c *checks) drop(id string) {
	if one := c.byID[id]; one != nil {
		close(one.dropped)
		delete(c.byID, id)
		c.old = slices.DeleteFunc(c.old, func(old string) bool { return old == id })
	}
}

func (d *Drop) check(ctx context.Context, im intake.Import, c *check) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p, err := d.Preview(ctx, im, func(p Preview) {
		select {
		case <-c.dropped:
			stop()
		default:
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now = p
	})
	if err != nil && ctx.Err() == nil {
		d.Forget(im.ID)
		d.Log.Error("a preview failed", "import", im.ID, "err", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.err = p, err
}
