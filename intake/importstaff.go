package intake

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// spaceImportStaff: id of an import and address → listed, until the summary is written.
const spaceImportStaff = "import_staff"

// listed is what one person of the vendor will be told of a file, in one message.
type listed struct {
	To    string       `json:"to"`
	Lines []DigestLine `json:"lines"`
}

// briefByFile has staff told of r with the other cases of the file of rows that awaits it, in
// the place of a message for each. It reports false if none does, or its summary is written.
func (c *change) briefByFile(r *Registration, kind MessageKind, told []Contact) (bool, error) {
	w, err := c.batchOf(r.Number)
	if err != nil || staffLine[kind] == "" {
		return false, err
	}
	id, ok := importOf(w.Batch)
	if !ok {
		return false, nil
	}
	im, err := imported(c, id)
	if err != nil || !im.Summarised.IsZero() {
		return false, ignoreNotFound(err)
	}
	for _, to := range told {
		if to.Email == "" {
			continue
		}
		key := id + "/" + strings.ToLower(to.Email)
		var l listed
		if err := ignoreNotFound(getJSON(c, spaceImportStaff, key, &l)); err != nil {
			return false, err
		}
		l.To, l.Lines = cmp.Or(l.To, to.Email), addLine(l.Lines, staffLine[kind], r.Number)
		if err := putJSON(c, spaceImportStaff, key, l); err != nil {
			return false, err
		}
	}
	return true, nil
}

// tellStaffOfImport tells each person of the vendor what there is to do about the cases of a file.
func (c *change) tellStaffOfImport(im Import) error {
	p, err := partner(c, im.Partner)
	if err != nil {
		return err
	}
	entries, err := c.ScanRecords(spaceImportStaff, im.ID+"/", "", maxForgotten)
	if err != nil {
		return err
	}
	facts := im.facts()
	facts.Link = "" // the partner's own
	for _, e := range entries {
		var l listed
		if err := decode(e, &l); err != nil {
			return err
		}
		b := Brief{Partner: p.Name, PartnerID: p.ID, Gathered: true, Digest: l.Lines, Import: &facts}
		err := errors.Join(
			c.tellStaff(Contact{Email: l.To}, StaffDigest, b, fmt.Sprintf("L-%s.%d", shortID(im.batch()), im.Told+1), c.programFacts(p)),
			c.DeleteRecord(spaceImportStaff, e.Key))
		if err != nil {
			return err
		}
	}
	return nil
}
