package ledger

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"leadgate/intake"
)

const (
	spaceEntry  = "ledger"
	spaceNote   = "ledger_note"
	spacePush   = "ledger_push"
	spaceFeed   = "ledger_feed"
	spaceDomain = "ledger_domain"
	spaceOrder  = "ledger_order"

	// headKey, in spaceFeed, sorts behind all sequences and holds the last one.
	headKey = "head"
	// pageSize bounds how many entries one transaction reads.
	pageSize = 200
)

// Ledger keeps registrations in a store. It is safe for concurrent use.
type Ledger struct {
	store intake.Store
	now   func() time.Time
}

var _ intake.CRM = (*Ledger)(nil)

// New returns the ledger that lives in store. It opens nothing and starts nothing.
func New(store intake.Store, now func() time.Time) *Ledger {
	return &Ledger{store: store, now: now}
}

// Name is part of stored keys and never changes.
func (l *Ledger) Name() string { return "ledger" }

// Push writes r under its case number. A revision older than the stored one changes
// nothing and is no error; the Ref then names the newer revision.
func (l *Ledger) Push(ctx context.Context, r intake.Record) (intake.Ref, error) {
	if r.Registration.Number == "" {
		return intake.Ref{}, intake.Permanent(errors.New("ledger: push of a registration without a case number"))
	}
	var ref intake.Ref
	err := l.store.Update(ctx, func(tx intake.Tx) error {
		revision, err := upsert(tx, newEntry(r, l.now()))
		ref = intake.Ref{ID: r.Registration.Number, Revision: revision}
		return err
	})
	if err != nil {
		return intake.Ref{}, fmt.Errorf("ledger: push case %s: %w", r.Registration.Number, err)
	}
	return ref, nil
}

// upsert stores e unless something newer is there, and returns the revision that is.
func upsert(tx intake.Tx, e Entry) (int, error) {
	old, err := get[Entry](tx, spaceEntry, e.Case)
	fresh := errors.Is(err, intake.ErrNotFound)
	if err != nil && !fresh {
		return 0, err
	}
	if old.Revision > e.Revision {
		return old.Revision, nil
	}
	names := changed(old, e)
	if len(names) == 0 && old.Revision == e.Revision {
		return e.Revision, nil
	}
	if err := put(tx, spaceEntry, e.Case, e); err != nil {
		return 0, err
	}
	if err := reindex(tx, old, e); err != nil {
		return 0, err
	}
	return e.Revision, record(tx, e, names, fresh)
}

// record appends a step to the history and the feed, and a new case to the list. A
// revision that changes nothing that the ledger keeps leaves no step.
func record(tx intake.Tx, e Entry, names []string, fresh bool) error {
	if len(names) == 0 {
		return nil
	}
	seq, err := tx.Next(spaceEntry)
	if err != nil {
		return err
	}
	if fresh {
		if err := tx.PutRecord(spaceOrder, seqKey(math.MaxUint64-seq), []byte(e.Case)); err != nil {
			return err
		}
	}
	step := Step{Seq: seq, At: e.Pushed, Revision: e.Revision, Status: e.Status, Changed: names}
	if err := put(tx, spacePush, e.Case+"/"+seqKey(seq), step); err != nil {
		return err
	}
	if err := tx.PutRecord(spaceFeed, seqKey(seq), []byte(e.Case)); err != nil {
		return err
	}
	return tx.PutRecord(spaceFeed, headKey, []byte(seqKey(seq)))
}

// reindex moves a case to the domain that its lead names now.
func reindex(tx intake.Tx, old, e Entry) error {
	was, is := old.Lead[intake.FieldCompanyDomain], e.Lead[intake.FieldCompanyDomain]
	if was != "" && was != is {
		if err := tx.DeleteRecord(spaceDomain, was+"/"+e.Case); err != nil {
			return err
		}
	}
	if is == "" || was == is {
		return nil
	}
	return tx.PutRecord(spaceDomain, is+"/"+e.Case, []byte(e.Case))
}

// Lookup returns what the ledger has of the lead's company domain: an open deal for each
// case that may still come to hold the account or does, a customer for each that was won.
// Quarantined cases count for nothing. A lead without a domain matches nothing.
func (l *Ledger) Lookup(ctx context.Context, lead intake.Lead) ([]intake.Match, error) {
	domain := lead[intake.FieldCompanyDomain]
	if domain == "" {
		return nil, nil
	}
	var found []intake.Match
	err := l.store.View(ctx, func(tx intake.Tx) error {
		found = nil
		keys, err := tx.ScanRecords(spaceDomain, domain+"/", "", pageSize)
		if err != nil {
			return err
		}
		for _, k := range keys {
			e, err := get[Entry](tx, spaceEntry, k.Key[len(domain)+1:])
			if err != nil {
				return err
			}
			if m, ok := l.match(e); ok {
				found = append(found, m)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("ledger: look up a company: %w", err)
	}
	return found, nil
}

func (l *Ledger) match(e Entry) (intake.Match, bool) {
	m := intake.Match{
		CRM: l.Name(), Ref: intake.Ref{ID: e.Case, Revision: e.Revision},
		Case: e.Case, Partner: e.Partner, Activity: e.Updated,
	}
	switch {
	case e.Status == intake.StatusQuarantined:
		return m, false
	case e.Status == intake.StatusWon:
		m.Kind = intake.MatchCustomer
	case e.Status.Live():
		m.Kind = intake.MatchOpenDeal
	}
	return m, m.Kind != ""
}

// Changes returns up to a page of steps after cursor. All of them are echoes of pushes,
// since nobody else writes here. A cursor that the ledger did not give is permanent.
func (l *Ledger) Changes(ctx context.Context, cursor string) ([]intake.Change, string, error) {
	if cursor != "" && !validSeq(cursor) {
		return nil, cursor, intake.Permanent(fmt.Errorf("ledger: %q is not a cursor of the ledger", cursor))
	}
	var changes []intake.Change
	next := cursor
	err := l.store.View(ctx, func(tx intake.Tx) (err error) {
		if cursor == "" {
			next, err = head(tx)
			return err
		}
		changes, next, err = since(tx, cursor)
		return err
	})
	if err != nil {
		return nil, cursor, fmt.Errorf("ledger: read changes: %w", err)
	}
	return changes, next, nil
}

// head returns the cursor behind all that is there.
func head(tx intake.Tx) (string, error) {
	b, err := tx.Record(spaceFeed, headKey)
	if errors.Is(err, intake.ErrNotFound) {
		return seqKey(0), nil
	}
	return string(b), err
}

func since(tx intake.Tx, cursor string) ([]intake.Change, string, error) {
	entries, err := tx.ScanRecords(spaceFeed, "", cursor, pageSize)
	if err != nil {
		return nil, cursor, err
	}
	var changes []intake.Change
	for _, f := range entries {
		if f.Key == headKey {
			break
		}
		step, err := get[Step](tx, spacePush, string(f.Value)+"/"+f.Key)
		if err != nil {
			return nil, cursor, err
		}
		changes = append(changes, change(string(f.Value), step))
		cursor = f.Key
	}
	return changes, cursor, nil
}

func change(caseNumber string, s Step) intake.Change {
	c := intake.Change{Case: caseNumber, At: s.At, Own: true, Fields: map[string]string{}}
	if slices.Contains(s.Changed, "status") {
		c.Fields["status"] = string(s.Status)
	}
	return c
}
