package intake_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"time"

	"leadgate/intake"
	"leadgate/store/memstore"
)

// interrupted is a store with something that happens before an Update, once some are over. If it
// fails, the Update does.
type interrupted struct {
	intake.Store
	mu     sync.Mutex
	left   int
	before func() error
}

func (f *interrupted) Update(ctx context.Context, fn func(intake.Tx) error) error {
	f.mu.Lock()
	f.left--
	now := f.left < 0
	f.mu.Unlock()
	if now {
		if err := f.before(); err != nil {
			return err
		}
	}
	return f.Store.Update(ctx, fn)
}

// endless are rows about different companies; read counts them.
func endless(read *int) iter.Seq2[intake.ImportRow, error] {
	return func(yield func(intake.ImportRow, error) bool) {
		for ; yield(intake.ImportRow{Number: *read + 2, Lead: firm(*read)}, nil); *read++ {
		}
	}
}

func TestRowsAreReadNoFurtherWhenTheyCannotBeTakenIn(t *testing.T) {
	for name, c := range map[string]struct {
		before func() error
		want   any
	}{
		"a store that fails":                     {func() error { return errDown }, errDown},
		"a store that panics":                    {func() error { panic("torn") }, "torn"},
		"an import that somebody else has ended": {func() error { return intake.ErrImportOver }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			store := &interrupted{Store: memstore.New(), left: 1 << 30, before: c.before}
			w := newWorld(t, store)
			im, err := w.gateway.OpenImport(t.Context(), file("alpha", "a.csv"))
			if err != nil {
				t.Fatal(err)
			}
			store.left = 2 // to start it, and for one chunk
			read := 0
			var panicked any
			func() {
				defer func() { panicked = recover() }()
				_, err = w.gateway.RunImport(t.Context(), im.ID, endless(&read))
			}()
			store.left = 1 << 30
			switch want := c.want.(type) {
			case error:
				if !errors.Is(err, want) {
					t.Errorf("RunImport: %v", err)
				}
			default:
				if err != nil || panicked != want {
					t.Errorf("RunImport: %v, panic %v", err, panicked)
				}
			}
			chunk := len(w.outcomes(im.ID))
			if chunk == 0 || read > 5*chunk {
				t.Errorf("%d rows were taken in, and %d read", chunk, read)
			}
		})
	}
}

// strict asks partners of one tier for consent, whatever a lead says.
type strict struct{ intake.Policy }

func (s strict) Judge(now time.Time, c intake.Case) intake.Decision {
	d := s.Policy.Judge(now, c)
	if c.Partner.Tier == "strict" {
		d.Findings = append(d.Findings, intake.Finding{
			Rule: "strict", Outcome: intake.OutcomeAsk, Problems: []intake.Problem{{Field: intake.FieldConsent, Code: intake.ProblemConsent}},
		})
	}
	return d
}

func TestARowIsAskedForWhatThePartnerIsAskedWhenItIsTakenIn(t *testing.T) {
	store := &interrupted{Store: memstore.New(), left: 1 << 30}
	w := newWorldWith(t, store, func(o *intake.Options) { o.Policy = strict{o.Policy} })
	im, err := w.gateway.OpenImport(t.Context(), file("alpha", "a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.gateway.StartImport(t.Context(), im.ID); err != nil {
		t.Fatal(err)
	}
	store.left = 0
	store.before = func() error { // the rows are prepared, and not taken in
		store.left = 1 << 30
		return w.gateway.PutPartners(t.Context(), []intake.Partner{
			{ID: "alpha", Name: "Alpha", Status: intake.PartnerActive, Tier: "strict", Domains: []string{"alpha.example"}},
		})
	}
	_, outcomes, err := w.gateway.AcceptRows(t.Context(), im.ID, firms(0, 3))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		if o.Result != intake.RowNeedsInfo {
			t.Errorf("row %d came to %s", o.Row, o.Result)
		}
	}
}
