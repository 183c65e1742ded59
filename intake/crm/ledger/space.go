package ledger

import (
	"encoding/json"
	"fmt"
	"strings"

	"leadgate/intake"
)

// seqKey writes a sequence number so that byte order is number order.
func seqKey(n uint64) string { return fmt.Sprintf("%020d", n) }

func validSeq(s string) bool {
	return len(s) == 20 && strings.Trim(s, "0123456789") == ""
}

func get[T any](tx intake.Tx, space, key string) (T, error) {
	var v T
	b, err := tx.Record(space, key)
	if err != nil {
		return v, err
	}
	return decode[T](space, key, b)
}

func decode[T any](space, key string, b []byte) (T, error) {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return v, fmt.Errorf("decode %s %s: %w", space, key, err)
	}
	return v, nil
}

func put(tx intake.Tx, space, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s %s: %w", space, key, err)
	}
	return tx.PutRecord(space, key, b)
}

func scan[T any](tx intake.Tx, space, prefix string, limit int) ([]T, error) {
	entries, err := tx.ScanRecords(space, prefix, "", limit)
	if err != nil {
		return nil, err
	}
	values := make([]T, 0, len(entries))
	for _, e := range entries {
		v, err := decode[T](space, e.Key, e.Value)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}
