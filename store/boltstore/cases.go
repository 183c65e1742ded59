package boltstore

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"leadgate/intake"
	"leadgate/store/internal/canon"
)

// head is what must be known of a case without reading all of it: to check a revision, to
// keep the index, to filter lists.
type head struct {
	number   string
	revision int
	claim    time.Time
	status   intake.Status
	partner  string
	keys     []string
}

func headOf(r *intake.Registration) head {
	return head{r.Number, r.Revision, r.Claim, r.Status, r.Partner, r.IndexKeys()}
}

func (h head) encode() []byte {
	b := appendString(nil, h.number)
	b = binary.AppendUvarint(b, uint64(h.revision))
	b = appendTime(b, h.claim)
	b = appendString(b, string(h.status))
	b = appendString(b, h.partner)
	for _, k := range h.keys {
		b = appendString(b, k)
	}
	return b
}

func decodeHead(b []byte) (head, error) {
	r := reader{b: b}
	h := head{
		number: r.str(), revision: int(r.uvarint()), claim: r.time(),
		status: intake.Status(r.str()), partner: r.str(),
	}
	for r.err == nil && len(r.b) > 0 {
		h.keys = append(h.keys, r.str())
	}
	if r.err != nil {
		return head{}, fmt.Errorf("table case_head holds a damaged value: %w", r.err)
	}
	return h, nil
}

// matches reports whether a list that is filtered by q shows the case.
func (h head) matches(q intake.CaseQuery) bool {
	return (q.Status == "" || h.status == q.Status) && (q.Partner == "" || h.partner == q.Partner)
}

// Case implements intake.Cases.
func (tx *txn) Case(number string) (intake.Registration, error) {
	if err := tx.reading(); err != nil {
		return intake.Registration{}, err
	}
	seq := tx.read(tableCaseNo, []byte(number))
	if seq == nil {
		return intake.Registration{}, fmt.Errorf("case %q: %w", number, intake.ErrNotFound)
	}
	return tx.caseBySeq(seq)
}

func (tx *txn) caseBySeq(seq []byte) (intake.Registration, error) {
	var r intake.Registration
	err := decode(tableCase, tx.read(tableCase, seq), &r)
	return r, err
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
	seq, old, err := tx.oldHead(&r)
	if err != nil {
		return err
	}
	value, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("put case %s: %w", r.Number, err)
	}
	h := headOf(&r)
	tx.put(tableCase, seq, value)
	tx.put(tableCaseHead, seq, h.encode())
	if old.revision == 0 {
		tx.put(tableCaseNo, []byte(r.Number), seq)
	}
	tx.reindex(seq, old, h)
	return tx.broken
}

// oldHead returns what is stored of r's case, a zero head if there is nothing, after it
// checked that r may follow it.
func (tx *txn) oldHead(r *intake.Registration) (seq []byte, old head, err error) {
	seq = uintKey(r.Seq)
	stored := tx.read(tableCaseNo, []byte(r.Number))
	if stored != nil {
		if old, err = decodeHead(tx.read(tableCaseHead, stored)); err != nil {
			return nil, head{}, err
		}
	}
	if r.Revision != old.revision+1 {
		return nil, head{}, fmt.Errorf("put case %s at revision %d over %d: %w", r.Number, r.Revision, old.revision, intake.ErrStale)
	}
	if stored != nil && !bytes.Equal(stored, seq) {
		return nil, head{}, fmt.Errorf("put case %s: its seq is %d, not %d", r.Number, lastUint(stored), r.Seq)
	}
	if stored == nil && tx.read(tableCaseHead, seq) != nil {
		return nil, head{}, fmt.Errorf("put case %s: seq %d is that of another case", r.Number, r.Seq)
	}
	return seq, old, nil
}

// reindex moves the case from the account keys of old to those of h.
func (tx *txn) reindex(seq []byte, old, h head) {
	sameClaim := old.claim.Equal(h.claim)
	for _, k := range old.keys {
		if !sameClaim || !slices.Contains(h.keys, k) {
			tx.delete(tableCaseKey, indexKey(k, old.claim, seq))
		}
	}
	for _, k := range h.keys {
		if !sameClaim || !slices.Contains(old.keys, k) {
			tx.put(tableCaseKey, indexKey(k, h.claim, seq), nil)
		}
	}
}

func indexKey(key string, claim time.Time, seq []byte) []byte {
	return append(appendTime(appendString(nil, key), claim), seq...)
}

// CasesByKey implements intake.Cases.
func (tx *txn) CasesByKey(key string, limit int) ([]intake.Registration, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	var found []intake.Registration
	prefix := appendString(nil, key)
	c := tx.cursor(tableCaseKey)
	for k, _ := c.seek(prefix); bytes.HasPrefix(k, prefix) && len(found) < limit; k, _ = c.next() {
		r, err := tx.caseBySeq(k[len(k)-8:])
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// ListCases implements intake.Cases.
func (tx *txn) ListCases(q intake.CaseQuery) ([]intake.Registration, error) {
	if err := tx.reading(); err != nil {
		return nil, err
	}
	c := tx.cursor(tableCaseHead)
	k, v := c.last()
	if q.Before != 0 {
		k, v = c.before(uintKey(q.Before))
	}
	var found []intake.Registration
	for ; k != nil && len(found) < q.Limit; k, v = c.prev() {
		h, err := decodeHead(v)
		if err != nil {
			return nil, err
		}
		if !h.matches(q) {
			continue
		}
		r, err := tx.caseBySeq(k)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// Next implements intake.Cases.
func (tx *txn) Next(series string) (uint64, error) {
	if err := tx.writing(); err != nil {
		return 0, err
	}
	key := appendString(nil, series)
	n := uint64(1)
	if v := tx.read(tableCounter, key); v != nil {
		n = lastUint(v) + 1
	}
	tx.put(tableCounter, key, uintKey(n))
	return n, tx.broken
}
