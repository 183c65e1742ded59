package memstore

import (
	"fmt"

	"leadgate/intake"
	"leadgate/store/internal/canon"
)

// AppendEvent implements intake.Journal.
func (tx *txn) AppendEvent(e intake.Event) error {
	if err := tx.writing(); err != nil {
		return err
	}
	e, err := canon.Event(e)
	if err != nil {
		return err
	}
	old := tx.events[e.Case]
	if e.N != len(old)+1 {
		return fmt.Errorf("event %d of case %s after event %d: %w", e.N, e.Case, len(old), intake.ErrStale)
	}
	if e, err = canon.Clone(e); err != nil {
		return fmt.Errorf("event %d of case %s: %w", e.N, e.Case, err)
	}
	// The full slice expression keeps an append that is rolled back out of the old array.
	set(tx, tx.events, e.Case, append(old[:len(old):len(old)], e))
	return nil
}

// Events implements intake.Journal.
func (tx *txn) Events(caseNumber string) ([]intake.Event, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	es := tx.events[caseNumber]
	return copies(es, len(es))
}
