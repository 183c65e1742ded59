package memstore

import (
	"fmt"
	"slices"
	"strings"

	"leadgate/intake"
)

type recordKey struct{ space, key string }

// Record implements intake.Records.
func (tx *txn) Record(space, key string) ([]byte, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	v, ok := tx.records[recordKey{space, key}]
	if !ok {
		return nil, fmt.Errorf("record %s/%s: %w", space, key, intake.ErrNotFound)
	}
	return slices.Clone(v), nil
}

// PutRecord implements intake.Records.
func (tx *txn) PutRecord(space, key string, value []byte) error {
	if err := tx.writing(); err != nil {
		return err
	}
	set(tx, tx.records, recordKey{space, key}, slices.Clone(value))
	return nil
}

// DeleteRecord implements intake.Records.
func (tx *txn) DeleteRecord(space, key string) error {
	if err := tx.writing(); err != nil {
		return err
	}
	remove(tx, tx.records, recordKey{space, key})
	return nil
}

// ScanRecords implements intake.Records.
func (tx *txn) ScanRecords(space, prefix, after string, limit int) ([]intake.Entry, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	var found []intake.Entry
	for k, v := range tx.records {
		if k.space == space && strings.HasPrefix(k.key, prefix) && (after == "" || k.key > after) {
			found = append(found, intake.Entry{Key: k.key, Value: slices.Clone(v)})
		}
	}
	slices.SortFunc(found, func(a, b intake.Entry) int { return strings.Compare(a.Key, b.Key) })
	return found[:max(0, min(limit, len(found)))], nil
}
