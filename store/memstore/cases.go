package memstore

import (
	"cmp"
	"fmt"
	"slices"

	"leadgate/intake"
	"leadgate/store/internal/canon"
)

// Case implements intake.Cases.
func (tx *txn) Case(number string) (intake.Registration, error) {
	if err := tx.reading(); err != nil {
		return intake.Registration{}, err
	}
	r, ok := tx.cases[number]
	if !ok {
		return intake.Registration{}, fmt.Errorf("case %q: %w", number, intake.ErrNotFound)
	}
	return canon.Clone(r)
}

// PutCase implements intake.Cases.
func (tx *txn) PutCase(r intake.Registration) error {
	if err := tx.writing(); err != nil {
		return err
	}
	r, err := canon.Registration(r)
	if err != nil {
		return err
	}
	old := tx.cases[r.Number] // zero if there is none
	if r.Revision != old.Revision+1 {
		return fmt.Errorf("put case %s at revision %d over %d: %w", r.Number, r.Revision, old.Revision, intake.ErrStale)
	}
	if old.Seq != 0 && old.Seq != r.Seq {
		return fmt.Errorf("put case %s: its seq is %d, not %d", r.Number, old.Seq, r.Seq)
	}
	if n, ok := tx.numbers[r.Seq]; ok && n != r.Number {
		return fmt.Errorf("put case %s: seq %d is that of case %s", r.Number, r.Seq, n)
	}
	if r, err = canon.Clone(r); err != nil {
		return fmt.Errorf("put case %s: %w", r.Number, err)
	}
	set(tx, tx.cases, r.Number, r)
	set(tx, tx.numbers, r.Seq, r.Number)
	return nil
}

// CasesByKey implements intake.Cases.
func (tx *txn) CasesByKey(key string, limit int) ([]intake.Registration, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	var found []intake.Registration
	for _, r := range tx.cases {
		if slices.Contains(r.Identity, key) && slices.Contains(r.IndexKeys(), key) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b intake.Registration) int {
		return cmp.Or(a.Claim.Compare(b.Claim), cmp.Compare(a.Seq, b.Seq))
	})
	return copies(found, limit)
}

// ListCases implements intake.Cases.
func (tx *txn) ListCases(q intake.CaseQuery) ([]intake.Registration, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	var seqs []uint64
	for seq := range tx.numbers {
		if q.Before == 0 || seq < q.Before {
			seqs = append(seqs, seq)
		}
	}
	slices.SortFunc(seqs, func(a, b uint64) int { return cmp.Compare(b, a) })
	var found []intake.Registration
	for _, seq := range seqs {
		if len(found) >= q.Limit {
			break
		}
		r := tx.cases[tx.numbers[seq]]
		if (q.Status == "" || r.Status == q.Status) && (q.Partner == "" || r.Partner == q.Partner) {
			found = append(found, r)
		}
	}
	return copies(found, q.Limit)
}

// Next implements intake.Cases.
func (tx *txn) Next(series string) (uint64, error) {
	if err := tx.writing(); err != nil {
		return 0, err
	}
	n := tx.counters[series] + 1
	set(tx, tx.counters, series, n)
	return n, nil
}

// copies clones the first values, at most limit.
func copies[V any](vs []V, limit int) ([]V, error) {
	vs = slices.Clone(vs[:max(0, min(limit, len(vs)))])
	for i := range vs {
		var err error
		if vs[i], err = canon.Clone(vs[i]); err != nil {
			return nil, err
		}
	}
	return vs, nil
}
