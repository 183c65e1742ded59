package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	spaceBatch     = "batch"      // Batch.ID → batch
	spaceBatchCase = "batch_case" // case number → Batch.ID of the batch whose answer awaits it
	// batchPatience is how long the one answer to a batch waits for the last of its cases.
	batchPatience = 2 * time.Minute
	// maxSummary bounds the cases that one message tells of.
	maxSummary = 100
)

// batch is what the one answer to several submissions waits for and tells.
type batch struct {
	ID      string     `json:"id"`
	Size    int        `json:"size"`
	Told    int        `json:"told"` // submissions that came to a state worth telling
	Cases   []string   `json:"cases"`
	Faults  []RowFault `json:"faults,omitempty"`
	Partner string     `json:"partner"`
	To      Route      `json:"to"`
	Sent    bool       `json:"sent,omitempty"`
}

// reportBatch counts a submission of a batch that is done already. One that opened a case, or
// put one back into the checks, is counted when that case is announced.
func (a *acceptance) reportBatch(c *change, proven bool) error {
	if a.s.Batch.ID == "" || !proven {
		return nil
	}
	if _, ok := importOf(a.s.Batch.ID); ok {
		return a.reportJoined(c)
	}
	b, err := c.batch(a.s.Batch.ID)
	if err != nil {
		return err
	}
	if b.Size == 0 { // the first that is seen
		speaker, err := a.speaker(c)
		if err != nil {
			return err
		}
		b = batch{ID: a.s.Batch.ID, Size: a.s.Batch.Size, Faults: append(b.Faults, a.s.Batch.Faults...), Partner: speaker, Cases: b.Cases, Told: b.Told}
		if a.s.Mute == "" {
			b.To = a.s.Reply
		}
		err = c.Enqueue(Task{Key: "batch:" + shortID(b.ID), Lane: LaneTimer, Case: "batch:" + b.ID, Due: c.at.Add(batchPatience), Payload: quoted(b.ID)})
		if err != nil {
			return err
		}
	}
	if a.receipt.Case == "" {
		b.Told++
		return c.putBatch(b)
	}
	if err := c.putBatch(b); err != nil {
		return err
	}
	return a.reportJoined(c)
}

// reportJoined has a case told of that the submission joined, if its checks are over.
func (a *acceptance) reportJoined(c *change) error {
	if a.receipt.Case == "" || a.outcome == "new" && a.receipt.Status == StatusSubmitted {
		return nil
	}
	r, err := c.Case(a.receipt.Case)
	if err != nil || r.Status == StatusSubmitted {
		return err
	}
	w, err := c.batchOf(r.Number)
	if err != nil || w.Batch != a.s.Batch.ID {
		return err // told on the way
	}
	_, err = c.tellBatch(r.Number, w) // joined, and there is nothing more to come
	return err
}

// awaited says which batch awaits a case, and for how many of its submissions.
type awaited struct {
	Batch string `json:"batch"`
	N     int    `json:"n"`
}

// awaitBatch has the next answer about a case told by the batch.
func (c *change) awaitBatch(number, id string) error {
	if id == "" {
		return nil
	}
	w, err := c.batchOf(number)
	if err != nil {
		return err
	}
	if w.Batch == id {
		w.N++
		return putJSON(c, spaceBatchCase, number, w)
	}
	if w.Batch != "" {
		if err := c.dropAwaited(number); err != nil {
			return err
		}
	}
	return c.putAwaited(number, awaited{Batch: id, N: 1})
}

// putAwaited has w await a case that nothing awaits.
func (c *change) putAwaited(number string, w awaited) error {
	if id, ok := importOf(w.Batch); ok {
		if err := c.PutRecord(spaceImportOpen, id+"/"+number, nil); err != nil {
			return err
		}
	}
	return putJSON(c, spaceBatchCase, number, w)
}

// dropAwaited has nothing await a case.
func (c *change) dropAwaited(number string) error {
	w, err := c.batchOf(number)
	if err != nil || w.Batch == "" {
		return err
	}
	if id, ok := importOf(w.Batch); ok {
		if err := c.DeleteRecord(spaceImportOpen, id+"/"+number); err != nil {
			return err
		}
	}
	return c.DeleteRecord(spaceBatchCase, number)
}

// batchOf returns what awaits a case; its Batch is "" if nothing does.
func (c *change) batchOf(number string) (w awaited, err error) {
	err = getJSON(c, spaceBatchCase, number, &w)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return w, err
}

// passBatchOn has a batch tell of another case in the place of one that was merged into it.
func (c *change) passBatchOn(from, to string) error {
	w, err := c.batchOf(from)
	if err != nil || w.Batch == "" {
		return err
	}
	known, err := c.batchOf(to)
	if err != nil {
		return err
	}
	if known.Batch == w.Batch {
		w.N += known.N
	}
	return errors.Join(c.dropAwaited(from), c.dropAwaited(to), c.putAwaited(to, w))
}

// tellBatch counts a case of a batch that has come to a state worth telling. It reports false
// if the answer to the batch has gone out: the case is late, and is told by itself.
func (c *change) tellBatch(number string, w awaited) (bool, error) {
	if err := c.dropAwaited(number); err != nil {
		return false, err
	}
	if id, ok := importOf(w.Batch); ok {
		im, err := imported(c, id)
		return im.Summarised.IsZero(), err
	}
	b, err := c.batch(w.Batch)
	if err != nil || b.Sent {
		return false, err
	}
	b.Told += w.N
	b.Cases = append(b.Cases, number)
	return true, c.putBatch(b)
}

func (c *change) batch(id string) (batch, error) {
	b := batch{ID: id}
	err := getJSON(c, spaceBatch, id, &b)
	if errors.Is(err, ErrNotFound) {
		err = nil
	}
	return b, err
}

// putBatch stores b and sends its answer once all its submissions are told of.
func (c *change) putBatch(b batch) error {
	if b.Size > 0 && b.Told >= b.Size && !b.Sent {
		b.Sent = true
		if err := c.summarise(b); err != nil {
			return err
		}
	}
	return putJSON(c, spaceBatch, b.ID, b)
}

// summarise enqueues the one answer to a batch.
func (c *change) summarise(b batch) error {
	if b.To.Address == "" {
		return nil
	}
	p, err := partner(c, b.Partner)
	if err != nil {
		return err
	}
	m := Message{ID: "S-" + shortID(b.ID) + ".1", Kind: MessageSummary, To: b.To, Facts: c.programFacts(p), Faults: b.Faults, At: c.at}
	if m.Cases, err = c.factsOf(b.Cases, b.Partner); err != nil {
		return err
	}
	return c.send(m, "summary:"+b.ID)
}

// factsOf returns what may be told to a partner of cases, each once. Those that are no longer
// his, or were erased, are left out.
func (c *change) factsOf(numbers []string, partnerID string) ([]Facts, error) {
	var all []Facts
	for i, number := range numbers {
		if slices.Contains(numbers[:i], number) || len(all) == maxSummary {
			continue
		}
		r, err := c.Case(number)
		if err != nil {
			return nil, err
		}
		if r.Partner != partnerID || r.Status == StatusErased {
			continue
		}
		f, err := c.facts(&r)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// runBatch answers a batch of which some case is late, with what there is.
func (g *Gateway) runBatch(_ context.Context, t Task) (effect, error) {
	var id string
	if err := json.Unmarshal(t.Payload, &id); err != nil {
		return nil, Permanent(fmt.Errorf("batch of task %s: %w", t.Key, err))
	}
	return func(c *change) error {
		b, err := c.batch(id)
		if err != nil || b.Sent {
			return err
		}
		b.Told = b.Size
		return c.putBatch(b)
	}, nil
}

// shortID is a name of fixed length for an id of any length.
func shortID(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:10])
}

func quoted(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil { // a string
		panic(err)
	}
	return b
}

// cleanProblems bounds what a channel says about fields.
func cleanProblems(problems []Problem) []Problem {
	var out []Problem
	for _, p := range problems {
		if slices.Contains(Fields(), p.Field) && p.Code != "" && len(out) < len(Fields()) {
			p.Given = cleanGiven(p.Given)
			p.Message = strings.TrimSpace(cut(cleanText(p.Message, FieldCompanyName), maxWordsRunes))
			out = append(out, p)
		}
	}
	return out
}
