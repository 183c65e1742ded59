package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Audit checks that a store tells what the gateway wrote, and nothing was edited, added or
// taken away since: each case against the chain of its events, the events against the signed
// checkpoints, the checkpoints against a witness outside the store. It only reads.
type Audit struct {
	Store Store
	// Keys are the public keys that may have signed; they come from outside the store.
	Keys Keyring
	// Witness are the lines of the witness, read before Verify is called; nil for none.
	Witness []WitnessLine
	// Older says that the store is a copy, which may end before the witness does.
	Older bool
}

// AuditReport is what an Audit found.
type AuditReport struct {
	Cases       int `json:"cases"`
	Events      int `json:"events"`
	Checkpoints int `json:"checkpoints"`
	// Unchecked counts the events that no checkpoint tells of yet: those of the last minute,
	// or since the gateway was killed. Nothing but their own hashes protects them.
	Unchecked int          `json:"unchecked_events"`
	Witnessed int          `json:"witnessed_checkpoints"`
	Faults    []AuditFault `json:"faults"`
	// Notes are what a person should know and what is no fault.
	Notes []string `json:"notes,omitempty"`
}

// AuditFault is one thing that is wrong, and where: in an event of a case, in a case, in a
// checkpoint, or in none of these.
type AuditFault struct {
	Case       string `json:"case,omitempty"`
	Event      int    `json:"event,omitempty"`
	Checkpoint int    `json:"checkpoint,omitempty"`
	Problem    string `json:"problem"`
}

func (f AuditFault) String() string {
	where := ""
	switch {
	case f.Case != "" && f.Event > 0:
		where = fmt.Sprintf("case %s, event %d: ", f.Case, f.Event)
	case f.Case != "":
		where = fmt.Sprintf("case %s: ", f.Case)
	case f.Checkpoint > 0:
		where = fmt.Sprintf("checkpoint %d: ", f.Checkpoint)
	}
	return where + f.Problem
}

const auditPage = 100

// auditor is an Audit under way.
type auditor struct {
	Audit
	report AuditReport
	// lines are the hashes of the checkpoints that were read, by N-1, and heads what they say
	// of each case. missing counts the last ones that are not there; stopped says that no more
	// can be read.
	lines   []string
	missing int
	stopped bool
	heads   map[string][]witnessedHead
	done    map[string]bool // cases that were looked at
}

// witnessedHead is a Head and the checkpoint that tells of it.
type witnessedHead struct {
	Head
	checkpoint int
}

// Verify reads the whole store. It may run beside a gateway that writes: each case is seen in
// one moment. The error is one of reading, such as a cancelled context; what is wrong with the
// store stands in the report.
func (a Audit) Verify(ctx context.Context) (AuditReport, error) {
	v := &auditor{Audit: a, heads: make(map[string][]witnessedHead), done: make(map[string]bool)}
	v.report.Faults = []AuditFault{}
	for _, step := range []func(context.Context) error{v.checkpoints, v.cases, v.strays, v.marks} {
		if err := step(ctx); err != nil {
			return v.report, err
		}
	}
	v.compareWitness()
	v.report.Cases, v.report.Checkpoints = len(v.done), len(v.lines)
	return v.report, nil
}

func (v *auditor) fault(f AuditFault, format string, args ...any) {
	f.Problem = fmt.Sprintf(format, args...)
	v.report.Faults = append(v.report.Faults, f)
}

// view runs fn in a view that has all checkpoints before it.
func (v *auditor) view(ctx context.Context, fn func(Tx) error) error {
	return v.Store.View(ctx, func(tx Tx) error {
		v.catchUp(tx, math.MaxInt)
		return fn(tx)
	})
}

// checkpoints reads the chain of checkpoints, and then checks that there are no others.
func (v *auditor) checkpoints(ctx context.Context) error {
	for more := true; more; {
		if err := v.Store.View(ctx, func(tx Tx) error {
			more = v.catchUp(tx, auditPage)
			return nil
		}); err != nil {
			return err
		}
	}
	for after, more := "", true; more; {
		if err := v.view(ctx, func(tx Tx) error {
			found, err := tx.ScanRecords(spaceCheckpoint, "", after, auditPage)
			if more = len(found) == auditPage; err != nil {
				return err
			}
			for _, e := range found {
				if at, err := strconv.ParseInt(e.Key, 16, 64); err != nil || checkpointKey(int(math.MaxInt64-at)) != e.Key || at == math.MaxInt64 {
					v.fault(AuditFault{}, "a record lies among the checkpoints that is none: %q", e.Key)
				}
				after = e.Key
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// catchUp reads checkpoints that were not read yet and reports whether there may be more.
func (v *auditor) catchUp(tx Tx, limit int) bool {
	if v.stopped {
		return false
	}
	last, err := newest(tx)
	if err != nil {
		v.fault(AuditFault{}, "the checkpoints can't be read: %v", err)
		v.stopped = true
		return false
	}
	for ; len(v.lines) < last && limit > 0; limit-- {
		v.checkpoint(tx, len(v.lines)+1)
		if v.missing > maxMissing {
			v.fault(AuditFault{Checkpoint: last}, "too many are missing before it")
			v.stopped = true
			return false
		}
	}
	return len(v.lines) < last
}

// maxMissing is how many checkpoints in a row may be missing before no more are looked for.
const maxMissing = 100

// checkpoint checks checkpoint n, which follows those that were read.
func (v *auditor) checkpoint(tx Tx, n int) {
	at := AuditFault{Checkpoint: n}
	prev := ""
	if n > 1 {
		prev = v.lines[n-2]
	}
	p, err := checkpointOf(tx, n)
	v.lines = append(v.lines, p.Hash)
	if err == nil {
		v.missing = 0
	}
	switch {
	case errors.Is(err, ErrNotFound):
		v.fault(at, "is missing")
		v.missing++
		return
	case err != nil:
		v.fault(at, "can't be read: %v", err)
		return
	case p.N != n:
		v.fault(at, "is numbered %d", p.N)
	case p.Hash != p.digest():
		v.fault(at, "was changed")
	case p.Prev != prev:
		v.fault(at, "does not follow from the one before")
	}
	if err := p.Line().verify(v.Keys); err != nil {
		v.fault(at, "%v", err)
		return // what it says counts for nothing
	}
	for _, h := range p.Heads {
		v.heads[h.Case] = append(v.heads[h.Case], witnessedHead{h, n})
	}
}

// cases looks at all cases that the store lists, that a checkpoint names, or that wait for one.
func (v *auditor) cases(ctx context.Context) error {
	q := CaseQuery{Limit: auditPage}
	for more := true; more; {
		var page []Registration
		if err := v.view(ctx, func(tx Tx) (err error) {
			if page, err = tx.ListCases(q); err != nil {
				v.fault(AuditFault{}, "the list of cases can't be read: %v", err)
			}
			return nil
		}); err != nil {
			return err
		}
		for _, r := range page {
			if err := v.lookAt(ctx, r.Number); err != nil {
				return err
			}
			q.Before = r.Seq
		}
		more = len(page) == q.Limit
	}
	for _, number := range slices.Sorted(maps.Keys(v.heads)) {
		if err := v.lookAt(ctx, number); err != nil {
			return err
		}
	}
	return nil
}

// marks looks at what waits for a checkpoint.
func (v *auditor) marks(ctx context.Context) error {
	for after, more := "", true; more; {
		var page []Entry
		if err := v.view(ctx, func(tx Tx) (err error) {
			page, err = tx.ScanRecords(spacePending, "", after, auditPage)
			return err
		}); err != nil {
			return err
		}
		for _, e := range page {
			var h Head
			if err := decode(e, &h); err != nil {
				v.fault(AuditFault{}, "what waits for a checkpoint can't be read: %v", err)
			} else if err := v.lookAt(ctx, h.Case); err != nil {
				return err
			}
			after = e.Key
		}
		more = len(page) == auditPage
	}
	return nil
}

// lookAt checks one case, unless that was done.
func (v *auditor) lookAt(ctx context.Context, number string) error {
	if v.done[number] {
		return nil
	}
	v.done[number] = true
	var payloads []Raw
	err := v.view(ctx, func(tx Tx) error {
		payloads = v.oneCase(tx, number)
		return nil
	})
	if err != nil {
		return err
	}
	for _, raw := range payloads {
		if err := v.payload(ctx, AuditFault{Case: number}, raw); err != nil {
			return err
		}
	}
	return nil
}

// oneCase checks a case with its events, submissions and judgements, and returns the payloads
// that its submissions name.
func (v *auditor) oneCase(tx Tx, number string) []Raw {
	at := AuditFault{Case: number}
	r, err := tx.Case(number)
	if errors.Is(err, ErrNotFound) {
		v.fault(at, "is gone")
		return nil
	}
	if err != nil {
		v.fault(at, "can't be read: %v", err)
		return nil
	}
	events, err := tx.Events(number)
	if err != nil {
		v.fault(at, "the events can't be read: %v", err)
		return nil
	}
	v.report.Events += len(events)
	v.chain(number, r, events)
	v.checkedEvents(tx, r, events)
	return v.keptRecords(tx, r, events)
}

// chain checks the events among themselves, and the case against the last of them.
func (v *auditor) chain(number string, r Registration, events []Event) {
	at := AuditFault{Case: number}
	var broken *ChainError
	switch err := VerifyChain(r, events); {
	case errors.As(err, &broken):
		at.Event = broken.Event
		v.fault(at, "%s", broken.Problem)
		return
	case len(events) == 0:
		v.fault(at, "has no events")
		return
	case r.Number != number:
		v.fault(at, "says that it is case %s", r.Number)
	}
	if last := events[len(events)-1]; last.Bind != bindCase(r) {
		at.Event = last.N
		v.fault(at, "the case is not as its last event left it: it was edited")
	}
}

// checkedEvents checks the events against the checkpoints.
func (v *auditor) checkedEvents(tx Tx, r Registration, events []Event) {
	upTo := 0
	for _, h := range v.heads[r.Number] {
		at := AuditFault{Case: r.Number, Event: h.N}
		switch {
		case h.N > len(events):
			v.fault(at, "checkpoint %d tells of this event, and it is gone", h.checkpoint)
		case h.N < 1 || events[h.N-1].Hash != h.Hash:
			v.fault(at, "it is not the event that checkpoint %d tells of", h.checkpoint)
		}
		upTo = max(upTo, h.N)
	}
	v.report.Unchecked += max(len(events)-upTo, 0)
	var mark Head
	switch err := getJSON(tx, spacePending, pendingKey(&r), &mark); {
	case errors.Is(err, ErrNotFound) && len(events) > upTo:
		v.fault(AuditFault{Case: r.Number, Event: upTo + 1}, "no checkpoint tells of this event, and none is going to")
	case errors.Is(err, ErrNotFound):
	case err != nil:
		v.fault(AuditFault{Case: r.Number}, "what waits for a checkpoint can't be read: %v", err)
	case mark != Head{Case: r.Number, N: r.Events, Hash: r.Head}:
		v.fault(AuditFault{Case: r.Number, Event: mark.N}, "what waits for a checkpoint is not the end of the history")
	}
}

// keptRecords checks the submissions and judgements of a case against the hashes in its events.
func (v *auditor) keptRecords(tx Tx, r Registration, events []Event) (payloads []Raw) {
	want := make(map[string]Head) // space and number → hash, and the event that says so
	for _, e := range events {
		for key, hash := range e.Kept {
			if want[key] = (Head{N: e.N, Hash: hash}); hash == removed {
				delete(want, key)
			}
		}
	}
	for _, space := range []string{spaceSubmission, spaceJudgement} {
		prefix := casePrefix(&r)
		for after, more := "", true; more; {
			page, err := tx.ScanRecords(space, prefix, after, auditPage)
			if err != nil {
				v.fault(AuditFault{Case: r.Number}, "its %ss can't be read: %v", space, err)
				return payloads
			}
			for _, e := range page {
				after = e.Key
				name := space + "/" + strings.TrimPrefix(e.Key, prefix)
				kept, known := want[name]
				delete(want, name)
				at := AuditFault{Case: r.Number, Event: kept.N}
				switch {
				case !known:
					v.fault(at, "no event tells of %s", name)
				case kept.Hash != hashOf(e.Value):
					v.fault(at, "%s was changed", name)
				case space == spaceSubmission:
					payloads = append(payloads, payloadOf(e.Value)...)
				}
			}
			more = len(page) == auditPage
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		v.fault(AuditFault{Case: r.Number, Event: want[name].N}, "%s is gone", name)
	}
	return payloads
}

func payloadOf(submission []byte) []Raw {
	var s struct {
		Raw Raw `json:"raw"`
	}
	if err := json.Unmarshal(submission, &s); err != nil || s.Raw.SHA256 == "" {
		return nil
	}
	return []Raw{s.Raw}
}

// payload checks what a submission was read from against the hash in the submission.
func (v *auditor) payload(ctx context.Context, at AuditFault, raw Raw) error {
	h := sha256.New()
	for part := 0; int64(part)*rawPart < raw.Size; part++ {
		missing := false
		err := v.Store.View(ctx, func(tx Tx) error {
			b, err := tx.Record(spaceRaw, rawKey(raw.SHA256, part))
			if missing = errors.Is(err, ErrNotFound); missing {
				return nil
			}
			h.Write(b)
			return err
		})
		if err != nil {
			return err
		}
		if missing {
			v.fault(at, "the payload %s of a submission is gone", raw.SHA256)
			return nil
		}
	}
	if hex.EncodeToString(h.Sum(nil)) != raw.SHA256 {
		v.fault(at, "the payload %s of a submission was changed", raw.SHA256)
	}
	return nil
}

// strays looks for submissions and judgements of no case.
func (v *auditor) strays(ctx context.Context) error {
	for _, space := range []string{spaceSubmission, spaceJudgement} {
		for after, more := "", true; more; {
			if err := v.view(ctx, func(tx Tx) (err error) {
				for range auditPage {
					if after, more, err = v.stray(tx, space, after); err != nil || !more {
						return err
					}
				}
				return nil
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// stray looks at the first record behind a key, and returns a key behind all of the same case.
func (v *auditor) stray(tx Tx, space, after string) (next string, more bool, err error) {
	found, err := tx.ScanRecords(space, "", after, 1)
	if err != nil || len(found) == 0 {
		return "", false, err
	}
	key := found[0].Key
	head, _, _ := strings.Cut(key, "/")
	seq, wrong := strconv.ParseUint(head, 16, 64)
	if wrong != nil || len(head) != 16 {
		v.fault(AuditFault{}, "%s/%s is of no case", space, key)
		return key, true, nil
	}
	cases, err := tx.ListCases(CaseQuery{Before: seq + 1, Limit: 1})
	if err == nil && (len(cases) == 0 || cases[0].Seq != seq) {
		v.fault(AuditFault{}, "%s/%s is of no case", space, key)
	}
	return max(key, head+"/~"), true, nil // a list that can't be read was told of already
}

// compareWitness checks the checkpoints against what stands outside the store.
func (v *auditor) compareWitness() {
	last := 0
	for i, l := range v.Witness {
		at := AuditFault{Checkpoint: l.N}
		if err := l.verify(v.Keys); err != nil {
			v.fault(at, "in the witness: %v", err)
			continue
		}
		if l.N != i+1 {
			v.fault(at, "stands at line %d of the witness", i+1)
			continue
		}
		if l.N <= len(v.lines) && v.lines[l.N-1] != l.Hash {
			v.fault(at, "it is not the one that the witness knows")
		}
		last = max(last, l.N)
		v.report.Witnessed++
	}
	switch ends := len(v.lines); {
	case v.Witness == nil:
	case last > ends && v.Older:
		v.report.Notes = append(v.report.Notes, fmt.Sprintf("the copy ends at checkpoint %d, the witness knows %d", ends, last))
	case last > ends:
		v.fault(AuditFault{}, "the store ends at checkpoint %d, the witness knows %d: it was restored from an older backup, or its end was cut off", ends, last)
	case last < ends:
		v.report.Notes = append(v.report.Notes, fmt.Sprintf("the witness does not know the checkpoints after %d yet; the gateway tells it at the next start at the latest", last))
	}
}
