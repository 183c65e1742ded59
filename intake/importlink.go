package intake

import (
	"context"
	"errors"
	"strings"
	"time"
)

// importLinkLife is how long the page of a file of rows is there.
const importLinkLife = 90 * day

// importLink makes the link to the page of a file that works from some time on; "" without pages.
func (g *Gateway) importLink(tx Records, im Import, from time.Time) (string, error) {
	if g.links == nil {
		return "", nil
	}
	revoked, err := revokedLinks(tx, im.Partner)
	if err != nil {
		return "", err
	}
	return g.links.Import(Grant{
		Partner: im.Partner, Import: im.ID, Links: revoked, Expires: from.Add(importLinkLife).Truncate(time.Second).Unix(),
	}), nil
}

// renewImportLink gives a file that comes again a link that works, if the one it has works no more.
func (g *Gateway) renewImportLink(tx Records, im *Import, now time.Time) error {
	if g.links == nil {
		return nil
	}
	revoked, err := revokedLinks(tx, im.Partner)
	if err != nil {
		return err
	}
	grant, err := g.links.Read(im.Link[strings.LastIndexByte(im.Link, '/')+1:], now)
	if err == nil && grant.Links == revoked && grant.Import == im.ID {
		return nil
	}
	if im.Link, err = g.importLink(tx, *im, now); err != nil {
		return err
	}
	return putJSON(tx, spaceImport, im.ID, im)
}

// ImportByLink returns the file of rows whose page a link leads to; ErrLinkInvalid,
// ErrLinkExpired, ErrLinkRevoked. A partner's links to the form and to its files are revoked
// together.
func (g *Gateway) ImportByLink(ctx context.Context, token string) (im Import, err error) {
	grant, err := g.readLink(token, PurposeImport)
	if err != nil {
		return Import{}, err
	}
	err = g.store.View(ctx, func(tx Tx) error {
		p, err := bearerOf(tx, grant)
		if err != nil {
			return err
		}
		if im, err = imported(tx, grant.Import); errors.Is(err, ErrNotFound) || err == nil && im.Partner != p.ID {
			return ErrLinkInvalid
		}
		return err
	})
	return im, err
}

// forgetFile deletes a file of rows, which tells of a person, and what it said of those rows that
// came to no case. What its cases came to stays.
func (c *change) forgetFile(id string) error {
	im, err := imported(c, id)
	if err != nil || !im.Erased.IsZero() {
		return ignoreNotFound(err)
	}
	if err := forgetAnswers(c, id); err != nil {
		return err
	}
	im.Erased, im.Name, im.Note = c.at, "", ""
	if err := putJSON(c, spaceImport, id, im); err != nil {
		return err
	}
	if used, err := usedByAny(c, im.Raw.SHA256); err != nil {
		return err
	} else if !used {
		for part := 0; int64(part)*rawPart < im.Raw.Size; part++ {
			if err := c.DeleteRecord(spaceRaw, rawKey(im.Raw.SHA256, part)); err != nil {
				return err
			}
		}
	}
	return eachRows(c, id, func(key string, rows []RowOutcome) error {
		told := false
		for i := range rows {
			for j := range rows[i].Problems {
				told = true
				rows[i].Problems[j].Given, rows[i].Problems[j].Message = "", ""
			}
		}
		if !told {
			return nil
		}
		return putJSON(c, spaceImportRows, key, rows)
	})
}

// usedByAny says whether an import needs the bytes of a file: another partner may have handed in
// the same, and bytes are kept once.
func usedByAny(tx Records, sha256 string) (bool, error) {
	for after := ""; ; {
		page, err := tx.ScanRecords(spacePartner, "", after, partnerPage)
		if err != nil {
			return false, err
		}
		for _, e := range page {
			after = e.Key
			im, err := imported(tx, ImportID(e.Key, sha256))
			switch {
			case err == nil && im.Erased.IsZero():
				return true, nil
			case ignoreNotFound(err) != nil:
				return false, err
			}
		}
		if len(page) < partnerPage {
			return false, nil
		}
	}
}

// forgetRows deletes what became of the rows of a file.
func forgetRows(tx Records, id string) error {
	return eachRows(tx, id, func(key string, _ []RowOutcome) error { return tx.DeleteRecord(spaceImportRows, key) })
}

// eachRows calls fn with every chunk of what became of the rows of a file.
func eachRows(tx Records, id string, fn func(key string, rows []RowOutcome) error) error {
	for after := ""; ; {
		entries, err := tx.ScanRecords(spaceImportRows, id+"/", after, importPage)
		if err != nil {
			return err
		}
		for _, e := range entries {
			var rows []RowOutcome
			if err := decode(e, &rows); err != nil {
				return err
			}
			after = e.Key
			if err := fn(e.Key, rows); err != nil {
				return err
			}
		}
		if len(entries) < importPage {
			return nil
		}
	}
}
