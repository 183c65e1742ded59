package intake

import (
	"context"
	"errors"
	"slices"
	"strings"
)

const (
	spaceImportAnswer = "import_answer" // id and Message.ID → the file that goes with the message

	// maxAsked is how many people who send the same file while it is taken in are told.
	maxAsked = 20
)

// ImportAsked is somebody who sent a file that had come before.
type ImportAsked struct {
	// Key names the delivery.
	Key string `json:"key"`
	To  Route  `json:"to,omitzero"`
}

// askedID names the message to who sent a file, by the delivery: it comes again, and the message
// does not.
func askedID(key string) string { return "S-" + shortID("file:"+key) + ".1" }

// deliveredBefore reports whether a file came with a delivery of which we know.
func deliveredBefore(tx Records, im Import, key string) (bool, error) {
	if key == "" {
		return false, nil
	}
	if key == im.Key || slices.ContainsFunc(im.Asked, func(a ImportAsked) bool { return a.Key == key }) {
		return true, nil
	}
	_, err := tx.Record(spaceSentTo, askedID(key))
	return err == nil, ignoreNotFound(err)
}

// PartnerOf returns the partner for whom an address speaks; ErrNotFound if it is nobody's, or of
// one who has left.
func (g *Gateway) PartnerOf(ctx context.Context, address string) (p Partner, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		id, err := partnerOf(tx, address)
		if err != nil {
			return err
		}
		if p, err = partner(tx, id); err == nil && p.Status == PartnerOffboarded {
			err = ErrNotFound
		}
		return err
	})
	return p, err
}

// TellImport has who sent a file that had come before told what became of it, once for each key
// of a delivery: at once if that was told already, and else together with the first. The delivery
// that the import was opened with is told by the import itself. ErrNotFound.
func (g *Gateway) TellImport(ctx context.Context, id, key string, to Route) error {
	return g.update(ctx, func(c *change) error {
		im, err := imported(c, id)
		if err != nil || im.Key == key || slices.ContainsFunc(im.Asked, func(a ImportAsked) bool { return a.Key == key }) {
			return err
		}
		if !im.Summarised.IsZero() {
			m, err := c.importMessage(im)
			if err != nil {
				return err
			}
			m.ID, m.To, m.Import.Again = askedID(key), to, true
			return c.send(m, im.batch())
		}
		if len(im.Asked) == maxAsked {
			return nil
		}
		asked := ImportAsked{Key: key, To: to}
		if strings.EqualFold(to.Address, im.Reply.Address) { // one person, who wants one answer, in the newest thread
			im.Reply, asked.To = to, Route{}
		}
		im.Asked = append(im.Asked, asked)
		return putJSON(c, spaceImport, id, im)
	})
}

// RefusedFile is a file of which nothing could be read.
type RefusedFile struct {
	// Key names the delivery with which it came.
	Key     string
	Partner string
	Name    string
	Reply   Route
	Why     *FileError
}

// RefuseFile tells a partner why a file can't be read, and what to do, once for each key.
func (g *Gateway) RefuseFile(ctx context.Context, f RefusedFile) error {
	boundAddresses(&Sender{}, &f.Reply)
	err := g.update(ctx, func(c *change) error {
		p, err := partner(c, f.Partner)
		if err != nil {
			return err
		}
		return c.send(Message{
			ID: askedID(f.Key), Kind: MessageImported, To: f.Reply, Facts: c.programFacts(p), At: c.at,
			Import: &ImportFacts{
				Name: cleanText(f.Name, FieldCompanyName), State: ImportFailed, Cause: &RowProblem{Problem: f.Why.Problem}, Place: f.Why.Place,
			},
		}, "file:"+shortID(f.Key))
	})
	if err == nil {
		g.log.Info("a file was refused", "partner", f.Partner, "code", f.Why.Problem.Code)
	}
	return err
}

// Enclosure is a file that goes with a message.
type Enclosure struct {
	Name, Media string
	Content     []byte
}

// ImportAnswer returns the file that goes with a message about an import: what make returned in
// the first attempt to send it, in every further one. Once the message is sent it is forgotten.
func (g *Gateway) ImportAnswer(ctx context.Context, id, message string, make func() (Enclosure, error)) (Enclosure, error) {
	var e Enclosure
	key := id + "/" + message
	err := g.store.View(ctx, func(tx Tx) error { return getJSON(tx, spaceImportAnswer, key, &e) })
	if !errors.Is(err, ErrNotFound) {
		return e, err
	}
	if e, err = make(); err != nil {
		return Enclosure{}, err
	}
	err = g.store.Update(ctx, func(tx Tx) error {
		var first Enclosure
		switch err := getJSON(tx, spaceImportAnswer, key, &first); {
		case err == nil:
			e = first
			return nil
		case !errors.Is(err, ErrNotFound):
			return err
		}
		return putJSON(tx, spaceImportAnswer, key, e)
	})
	return e, err
}

// forgetAnswers deletes what goes with messages about a file that are still to be sent.
func forgetAnswers(tx Tx, id string) error {
	for {
		entries, err := tx.ScanRecords(spaceImportAnswer, id+"/", "", importPage)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			if err := tx.DeleteRecord(spaceImportAnswer, e.Key); err != nil {
				return err
			}
		}
	}
}
