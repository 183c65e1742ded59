package intake

import (
	"context"
	"fmt"
	"time"
)

const (
	spaceJudgement = "judgement" // see judgementKey
	spacePolicy    = "policy"    // hash → what the policy was made of
)

// Judgement is a verdict of the policy with everything that it was made from, so that it can
// be made again, under the same policy or another one.
type Judgement struct {
	Case string    `json:"case"`
	At   time.Time `json:"at"`
	// Policy is the Hash of the policy.
	Policy  string   `json:"policy"`
	Input   Case     `json:"input"`
	Verdict Decision `json:"verdict"`
}

// judgementKey rises with the cases, and with the events of a case.
func judgementKey(r *Registration) string { return submissionKey(r, r.Events) }

// keepJudgement stores what was judged and how, beside the event that tells of it.
func (c *change) keepJudgement(in Case, d Decision) error {
	return putJSON(c, spaceJudgement, judgementKey(&in.Registration), Judgement{
		Case: in.Registration.Number, At: c.at, Policy: c.g.policy.Hash(), Input: in, Verdict: d,
	})
}

// JudgementQuery selects judgements.
type JudgementQuery struct {
	// Case is the number of the case; of all if empty.
	Case string
	// Since leaves out what was judged before.
	Since time.Time
	// After continues behind the last key of an earlier answer.
	After string
	Limit int
}

// Judgements returns judgements by case, oldest case first, and within a case in their order.
// next continues the list; it is "" at the end. ErrNotFound if there is no such case.
func (g *Gateway) Judgements(ctx context.Context, q JudgementQuery) (found []Judgement, next string, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		found, next = nil, ""
		prefix := ""
		if q.Case != "" {
			number, _ := g.numbers.Parse(q.Case)
			r, err := tx.Case(number)
			if err != nil {
				return err
			}
			prefix = fmt.Sprintf("%016x/", r.Seq)
		}
		entries, err := tx.ScanRecords(spaceJudgement, prefix, q.After, q.Limit)
		if err != nil {
			return err
		}
		for _, e := range entries {
			var j Judgement
			if err := decode(e, &j); err != nil {
				return err
			}
			if !j.At.Before(q.Since) {
				found = append(found, j)
			}
		}
		if len(entries) == q.Limit {
			next = entries[len(entries)-1].Key
		}
		return nil
	})
	return found, next, err
}

// KeepPolicy stores what a policy was made of under its hash, for whoever wants to judge by it
// again.
func KeepPolicy(ctx context.Context, s Store, hash string, source []byte) error {
	if err := s.Update(ctx, func(tx Tx) error { return tx.PutRecord(spacePolicy, hash, source) }); err != nil {
		return fmt.Errorf("policy %s: %w", hash, err)
	}
	return nil
}

// PolicySource returns what KeepPolicy stored; ErrNotFound.
func (g *Gateway) PolicySource(ctx context.Context, hash string) (source []byte, err error) {
	err = g.store.View(ctx, func(tx Tx) (err error) {
		source, err = tx.Record(spacePolicy, hash)
		return err
	})
	return source, err
}
