package ledger

import (
	"context"
	"fmt"

	"leadgate/intake"
)

// Get returns the entry of a case; ErrNotFound.
func (l *Ledger) Get(ctx context.Context, caseNumber string) (Entry, error) {
	var e Entry
	err := l.store.View(ctx, func(tx intake.Tx) (err error) {
		e, err = get[Entry](tx, spaceEntry, caseNumber)
		return err
	})
	if err != nil {
		return Entry{}, fmt.Errorf("ledger: case %s: %w", caseNumber, err)
	}
	return e, nil
}

// List returns up to limit entries, the case that came last first, and the place after
// which the next page starts; an empty place means that there is no further page. The
// first page starts at "".
func (l *Ledger) List(ctx context.Context, after string, limit int) ([]Entry, string, error) {
	limit = min(max(limit, 1), pageSize)
	var page []Entry
	var next string
	err := l.store.View(ctx, func(tx intake.Tx) error {
		page, next = nil, ""
		keys, err := tx.ScanRecords(spaceOrder, "", after, limit+1)
		if err != nil {
			return err
		}
		if len(keys) > limit {
			keys, next = keys[:limit], keys[limit-1].Key
		}
		for _, k := range keys {
			e, err := get[Entry](tx, spaceEntry, string(k.Value))
			if err != nil {
				return err
			}
			page = append(page, e)
		}
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("ledger: list: %w", err)
	}
	return page, next, nil
}
