package ledger

import (
	"context"
	"fmt"
	"time"

	"leadgate/intake"
)

// Step is what one push changed. It names fields and holds no value but the status, so
// that the history outlives an erasure.
type Step struct {
	Seq      uint64        `json:"seq"` // order of all steps of the ledger
	At       time.Time     `json:"at"`
	Revision int           `json:"revision"`
	Status   intake.Status `json:"status"`
	Changed  []string      `json:"changed"`
}

// Note is an event of a case as it was told to the ledger.
type Note struct {
	N       int              `json:"n"`
	At      time.Time        `json:"at"`
	Kind    intake.EventKind `json:"kind"`
	Actor   string           `json:"actor,omitempty"`
	From    intake.Status    `json:"from,omitempty"`
	To      intake.Status    `json:"to,omitempty"`
	Reason  intake.Reason    `json:"reason,omitempty"`
	Changed []intake.Field   `json:"changed,omitempty"`
	Note    string           `json:"note,omitempty"`
}

// Note adds e to the timeline of its case, under e.N, so that a repeat changes nothing. A
// case that was never pushed is ErrNotFound, which a retry heals once the push is through;
// an event of another case than ref's is permanent.
func (l *Ledger) Note(ctx context.Context, ref intake.Ref, n intake.Note) error {
	e := n.Event
	if ref.ID != e.Case {
		return intake.Permanent(fmt.Errorf("ledger: event %d of case %s is not of record %s", e.N, e.Case, ref.ID))
	}
	err := l.store.Update(ctx, func(tx intake.Tx) error {
		if _, err := tx.Record(spaceEntry, e.Case); err != nil {
			return err
		}
		return put(tx, spaceNote, noteKey(e), Note{
			N: e.N, At: stamp(e.At), Kind: e.Kind, Actor: e.Actor, From: e.From, To: e.To,
			Reason: e.Reason, Changed: e.Fields, Note: e.Note,
		})
	})
	if err != nil {
		return fmt.Errorf("ledger: note event %d of case %s: %w", e.N, e.Case, err)
	}
	return nil
}

func noteKey(e intake.Event) string { return fmt.Sprintf("%s/%09d", e.Case, e.N) }

// History returns up to limit steps and up to limit notes of a case, oldest first. An
// unknown case has none.
func (l *Ledger) History(ctx context.Context, caseNumber string, limit int) ([]Step, []Note, error) {
	var steps []Step
	var notes []Note
	err := l.store.View(ctx, func(tx intake.Tx) (err error) {
		if steps, err = scan[Step](tx, spacePush, caseNumber+"/", limit); err != nil {
			return err
		}
		notes, err = scan[Note](tx, spaceNote, caseNumber+"/", limit)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("ledger: history of case %s: %w", caseNumber, err)
	}
	return steps, notes, nil
}
