package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

const (
	// importPatience is how long the one message about an import waits for the last of its cases,
	// importPause how long between two looks.
	importPatience = 15 * time.Minute
	importPause    = 2 * time.Second
)

var errImportOpen = errors.New("some cases of the import are still to be judged")

// ImportFacts is all that a message may say of a file of rows.
type ImportFacts struct {
	// ID is for the channel, which may send the result along; "" of a file that was not kept.
	ID     string       `json:"id,omitempty"`
	Name   string       `json:"name,omitempty"`
	State  ImportState  `json:"state"`
	Counts ImportCounts `json:"counts"`
	// Left is how many rows were not taken in.
	Left int `json:"left,omitempty"`
	// Link is where the result is; "" for nowhere.
	Link string `json:"link,omitempty"`
	// Cause is why the file can't be read, or not to its end, and Place where that is.
	Cause *RowProblem `json:"cause,omitempty"`
	Place string      `json:"place,omitempty"`
	// Again says that the same file was sent before, and that this is what came of it then.
	Again bool `json:"again,omitempty"`
	// Standing is how its cases stand, in a message of later; nil in the first.
	Standing *ImportStanding `json:"standing,omitempty"`
	// Attached is set by the channel that sends the result along.
	Attached bool `json:"-"`
}

// awaitSummary has the message about an import that is over written, once.
func (c *change) awaitSummary(im *Import) error {
	return c.Enqueue(Task{
		Key: fmt.Sprintf("import:%s:%d", im.ID, im.Told), Lane: LaneTimer, Case: im.batch(), Due: c.at, Payload: quoted(im.ID),
	})
}

// runImport writes the message about an import, once no case of it waits for its checks any
// more or after some time. No case counts anything for it: a check would wait for the next.
func (g *Gateway) runImport(ctx context.Context, t Task) (effect, error) {
	var id string
	if err := json.Unmarshal(t.Payload, &id); err != nil {
		return nil, Permanent(fmt.Errorf("import of task %s: %w", t.Key, err))
	}
	err := g.store.View(ctx, func(tx Tx) error {
		im, err := imported(tx, id)
		if err != nil || !im.over() || !g.stamp().Before(im.Ended.Add(importPatience)) {
			return err
		}
		open, err := tx.ScanRecords(spaceImportOpen, id+"/", "", 1)
		if err == nil && len(open) > 0 {
			err = RetryAfter(importPause, errImportOpen)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return func(c *change) error {
		im, err := imported(c, id)
		if err != nil || !im.over() || !im.Summarised.IsZero() || t.Key != fmt.Sprintf("import:%s:%d", im.ID, im.Told) {
			return err // it goes on, and will be told of then
		}
		im.Summarised = c.at
		return errors.Join(putJSON(c, spaceImport, id, im), c.tellImport(im))
	}, nil
}

// tellImport enqueues the one message about an import, also to who asked meanwhile. The budget
// does not hold it back: it stands for all those that were not sent.
func (c *change) tellImport(im Import) error {
	m, err := c.importMessage(im)
	if err != nil {
		return err
	}
	m.ID, m.To, m.Unprompted = fmt.Sprintf("S-%s.%d", shortID(im.batch()), im.Told+1), im.Reply, true
	err = c.send(m, im.batch())
	for _, asked := range im.Asked {
		again := m
		again.ID, again.To = askedID(asked.Key), asked.To
		err = errors.Join(err, c.send(again, im.batch()))
	}
	return err
}

// importMessage is what is told of an import as it stands, but for its name and where it goes.
func (c *change) importMessage(im Import) (Message, error) {
	p, err := partner(c, im.Partner)
	if err != nil {
		return Message{}, err
	}
	facts := ImportFacts{ID: im.ID, Name: im.Name, State: im.State, Counts: im.Counts, Left: im.Left(), Link: im.Link}
	if im.Cause != nil {
		facts.Cause, facts.Place = &RowProblem{Problem: *im.Cause}, im.CausePlace()
	}
	return Message{Kind: MessageImported, Facts: c.programFacts(p), Import: &facts, At: c.at}, nil
}
