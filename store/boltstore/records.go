package boltstore

import (
	"bytes"

	"leadgate/intake"
)

func recordKey(space, key string) []byte { return append(appendString(nil, space), key...) }

// noRecord is an error, and mostly the answer that is hoped for: its words are made when asked for.
type noRecord struct{ space, key string }

func (e *noRecord) Error() string {
	return "record " + e.space + "/" + e.key + ": " + intake.ErrNotFound.Error()
}
func (e *noRecord) Unwrap() error { return intake.ErrNotFound }

// Record implements intake.Records.
func (tx *txn) Record(space, key string) ([]byte, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	v := tx.read(tableRec, recordKey(space, key))
	if v == nil {
		return nil, &noRecord{space, key}
	}
	return bytes.Clone(v), nil
}

// PutRecord implements intake.Records.
func (tx *txn) PutRecord(space, key string, value []byte) error {
	if err := tx.writing(); err != nil {
		return err
	}
	// bbolt keeps the slice until the commit, when the caller may have changed it.
	tx.put(tableRec, recordKey(space, key), append([]byte{}, value...))
	return tx.broken
}

// DeleteRecord implements intake.Records.
func (tx *txn) DeleteRecord(space, key string) error {
	if err := tx.writing(); err != nil {
		return err
	}
	if k := recordKey(space, key); tx.read(tableRec, k) != nil {
		tx.delete(tableRec, k)
	}
	return tx.broken
}

// ScanRecords implements intake.Records.
func (tx *txn) ScanRecords(space, prefix, after string, limit int) ([]intake.Entry, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	var found []intake.Entry
	within := recordKey(space, prefix)
	start := recordKey(space, max(prefix, after))
	c := tx.cursor(tableRec)
	for k, v := c.seek(start); bytes.HasPrefix(k, within) && len(found) < limit; k, v = c.next() {
		key := string(k[len(within)-len(prefix):])
		if after != "" && key <= after {
			continue
		}
		found = append(found, intake.Entry{Key: key, Value: bytes.Clone(v)})
	}
	return found, nil
}
