package boltstore

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
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
	place, ok := tx.place(e.Case, e.N == 1)
	last := 0
	if ok {
		last = tx.lastEvent(place)
	}
	if e.N != last+1 {
		return fmt.Errorf("event %d of case %s after event %d: %w", e.N, e.Case, last, intake.ErrStale)
	}
	value, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("event %d of case %s: %w", e.N, e.Case, err)
	}
	tx.put(tableEvent, binary.BigEndian.AppendUint32(place, uint32(e.N)), value)
	return tx.broken
}

// lastEvent returns the number of the last event under the prefix, 0 if there is none.
func (tx *txn) lastEvent(prefix []byte) int {
	k, _ := tx.cursor(tableEvent).before(binary.BigEndian.AppendUint32(bytes.Clone(prefix), 1<<32-1))
	if !bytes.HasPrefix(k, prefix) {
		return 0
	}
	return eventNumber(k)
}

func eventNumber(key []byte) int { return int(binary.BigEndian.Uint32(key[len(key)-4:])) }

// Events implements intake.Journal.
func (tx *txn) Events(caseNumber string) ([]intake.Event, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	prefix, ok := tx.place(caseNumber, false)
	if !ok {
		return nil, nil
	}
	var events []intake.Event
	c := tx.cursor(tableEvent)
	for k, v := c.seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.next() {
		var e intake.Event
		if err := decode(tableEvent, v, &e); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}
