package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Bindings tie to the chain of events what lies beside it. Each event holds the hash of the
// whole case as it left it, and of each submission and judgement that was stored or removed
// with it: what is edited in the store no longer fits the last event, and the event can't be
// changed without breaking the chain.

// bindCase returns the hash of a case, but for the head of its chain, which follows from it.
// A field that is zero must not show in the JSON of a case, or each new field would make all
// cases of older releases look edited.
func bindCase(r Registration) string {
	r.Head = ""
	canonicalTimes(&r)
	b, err := json.Marshal(r)
	if err != nil { // all fields are plain data, and Thread came out of an encoder
		panic(fmt.Sprintf("case %s does not encode: %v", r.Number, err))
	}
	return hashOf(b)
}

// timesOfCase are the places of all times in a Registration, and in the structs within.
var timesOfCase = timesIn(reflect.TypeFor[Registration]())

func timesIn(t reflect.Type) (places [][]int) {
	for i := range t.NumField() {
		switch f := t.Field(i).Type; {
		case f == reflect.TypeFor[time.Time]():
			places = append(places, []int{i})
		case f.Kind() == reflect.Struct:
			for _, place := range timesIn(f) {
				places = append(places, append([]int{i}, place...))
			}
		}
	}
	return places
}

// canonicalTimes puts all times of r into the form in which stores return them.
func canonicalTimes(r *Registration) {
	v := reflect.ValueOf(r).Elem()
	for _, place := range timesOfCase {
		t := v.FieldByIndex(place).Addr().Interface().(*time.Time)
		if t.IsZero() {
			*t = time.Time{}
			continue
		}
		*t = t.UTC().Truncate(time.Microsecond)
	}
}

func hashOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// removed stands in place of a hash where a record was taken away by the gateway itself.
const removed = "removed"

// bound reports whether records of a space are bound to the events of their case. Their keys
// are submissionKeys.
func bound(space string) bool { return space == spaceSubmission || space == spaceJudgement }

// PutRecord stores a record and, if it is part of a case, has the next event bind it.
func (c *change) PutRecord(space, key string, value []byte) error {
	if bound(space) {
		c.keep(space, key, hashOf(value))
	}
	return c.Tx.PutRecord(space, key, value)
}

// DeleteRecord removes a record and, if it was part of a case, has the next event say so.
func (c *change) DeleteRecord(space, key string) error {
	if bound(space) {
		c.keep(space, key, removed)
	}
	return c.Tx.DeleteRecord(space, key)
}

func (c *change) keep(space, key, hash string) {
	if c.kept == nil {
		c.kept = make(map[string]string)
	}
	c.kept[space+"/"+key] = hash
}

// takeKept returns what the next event of r binds, by space and number within the case.
func (c *change) takeKept(r *Registration) map[string]string {
	var kept map[string]string
	for _, space := range []string{spaceSubmission, spaceJudgement} {
		prefix := space + "/" + casePrefix(r)
		for key, hash := range c.kept {
			if n, of := strings.CutPrefix(key, prefix); of {
				if kept == nil {
					kept = make(map[string]string)
				}
				kept[space+"/"+n] = hash
				delete(c.kept, key)
			}
		}
	}
	return kept
}

// casePrefix begins all keys of what is part of r; see submissionKey.
func casePrefix(r *Registration) string { return fmt.Sprintf("%016x/", r.Seq) }
