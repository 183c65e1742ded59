package intake

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
)

// ImportPreview finds out what the rows of a file would come to, and leaves no trace: each chunk
// is judged in a transaction that is taken back. It holds a few bytes a row, and no row.
//
// It is used by one goroutine.
type ImportPreview struct {
	g      *Gateway
	im     Import
	counts ImportCounts
	staff  map[Verdicts]int
	seed   maphash.Seed
	seen   map[uint64]bool // accounts and contents of earlier chunks that would be cases
	last   int
}

// Verdicts is what the policy would make of rows, without asking the CRMs.
type Verdicts struct {
	Outcome Outcome `json:"outcome"`
	Reason  Reason  `json:"reason,omitempty"`
}

// PreviewImport begins the preview of a file. It need not be kept: Raw may be empty. ErrNotFound
// if there is no such partner.
func (g *Gateway) PreviewImport(ctx context.Context, f ImportFile) (*ImportPreview, error) {
	if f.ReceivedAt.IsZero() || f.Channel == "" {
		return nil, errors.New("a preview needs a channel and a time")
	}
	err := g.store.View(ctx, func(tx Tx) error {
		_, err := partner(tx, f.Partner)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("partner %q: %w", f.Partner, err)
	}
	return &ImportPreview{
		g: g, im: Import{ID: "preview-" + newID(), ImportFile: f, Claim: g.stamp()}, staff: map[Verdicts]int{},
		seed: maphash.MakeSeed(), seen: map[uint64]bool{},
	}, nil
}

// Counts is what a partner may see. An account that somebody else has is accepted there like any
// other: it is a case.
func (p *ImportPreview) Counts() ImportCounts { return p.counts }

// Verdicts is how often the policy would come to what, of the rows that would be cases. It is for
// staff alone: it tells what is taken from what is free.
func (p *ImportPreview) Verdicts() map[Verdicts]int { return p.staff }

var errPreview = errors.New("a preview is taken back")

// previewed is what a chunk would come to.
type previewed struct {
	outcomes []RowOutcome
	seen     []uint64
	staff    []Verdicts
}

// Add judges further rows, up to MaxImportRows, and returns what a partner may see of each. The
// number of a case is there only if the partner has it already.
func (p *ImportPreview) Add(ctx context.Context, rows []ImportRow) ([]RowOutcome, error) {
	taken, err := p.g.prepareRows(ctx, p.im, rows)
	if err != nil {
		return nil, err
	}
	if len(rows) > 0 && rows[0].Number <= p.last {
		return nil, fmt.Errorf("row %d does not follow the one before", rows[0].Number)
	}
	var chunk previewed
	err = p.g.store.Update(ctx, func(tx Tx) error {
		c := &change{Tx: tx, g: p.g, at: p.g.stamp()}
		var err error
		if chunk, err = p.judge(c, taken); err != nil {
			return err
		}
		return errPreview
	})
	if !errors.Is(err, errPreview) {
		return nil, err
	}
	for i := range chunk.outcomes {
		chunk.outcomes[i].explain()
		p.counts.add(chunk.outcomes[i])
		p.last = chunk.outcomes[i].Row
	}
	for _, h := range chunk.seen {
		p.seen[h] = true
	}
	for _, v := range chunk.staff {
		p.staff[v]++
	}
	return chunk.outcomes, nil
}

// judge takes a chunk in, for a while.
func (p *ImportPreview) judge(c *change, taken []*rowAcceptance) (chunk previewed, err error) {
	by, err := partner(c, p.im.Partner)
	if err != nil {
		return chunk, err
	}
	first, err := c.Next("case") // cases from here on are none
	if err != nil {
		return chunk, err
	}
	im := p.im
	if err := putJSON(c, spaceImport, im.ID, im); err != nil { // what joins a case is told of by it
		return chunk, err
	}
	for _, r := range taken {
		o, err := r.run(c, &im, by)
		if err != nil {
			return chunk, fmt.Errorf("row %d: %w", r.row.Number, err)
		}
		names, err := p.names(c, r)
		if err != nil {
			return chunk, err
		}
		isNew := r.outcome == "new"
		if isNew && p.known(names) {
			o = RowOutcome{Row: o.Row, Result: RowMerged, Reason: ReasonDuplicateInFile, Problems: r.hints(nil)}
			isNew = false
		}
		if isNew {
			chunk.seen = append(chunk.seen, names...)
			v, err := c.wouldCome(o.Case)
			if err != nil {
				return chunk, err
			}
			chunk.staff = append(chunk.staff, v)
		}
		if o.Case != "" {
			known, err := c.Case(o.Case)
			if err != nil {
				return chunk, err
			}
			if known.Seq >= first {
				o.Case = ""
			}
		}
		chunk.outcomes = append(chunk.outcomes, o)
	}
	return chunk, nil
}

// names are what tells that a row is about an account of an earlier chunk.
func (p *ImportPreview) names(c *change, r *rowAcceptance) ([]uint64, error) {
	out := []uint64{maphash.String(p.seed, r.content)}
	for _, named := range r.domains() {
		domains, err := accountDomains(c, named)
		if err != nil {
			return nil, err
		}
		for _, domain := range domains {
			out = append(out, maphash.String(p.seed, domain+"\x00"+c.g.policy.Scope(r.s.Lead)))
		}
	}
	return out, nil
}

func (p *ImportPreview) known(names []uint64) bool {
	for _, h := range names {
		if p.seen[h] {
			return true
		}
	}
	return false
}

// wouldCome is the verdict on a case as it stands, without the CRMs, on which nobody acts.
func (c *change) wouldCome(number string) (Verdicts, error) {
	r, err := c.Case(number)
	if err != nil {
		return Verdicts{}, err
	}
	in, err := c.input(&r)
	if err != nil {
		return Verdicts{}, err
	}
	d := c.g.policy.Judge(c.at, in)
	return Verdicts{Outcome: d.Outcome, Reason: d.Reason}, nil
}
