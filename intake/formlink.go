package intake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	spaceFormLinks = "form_links" // id of a partner → how often its links were revoked

	// FormLinkLife is how long a partner's link to the form works, DoneLinkLife how long the
	// page of what came in is there, and doneFresh how long that names the prospect's contact.
	FormLinkLife = 365 * day
	DoneLinkLife = 90 * day
	doneFresh    = time.Hour
)

// FormLink makes a partner's link to the form. With PurposeForm whoever has it registers for the
// partner: it replaces the proof of the sender's address, and goes to the partner alone. With
// PurposeEmbed it is for the partner's own pages, where everybody can read it: it proves nothing.
func (g *Gateway) FormLink(ctx context.Context, id string, purpose Purpose) (url string, expires time.Time, err error) {
	if g.links == nil {
		return "", time.Time{}, &ErrInput{"there are no links without pages: set pages.url"}
	}
	if purpose != PurposeForm && purpose != PurposeEmbed {
		return "", time.Time{}, &ErrInput{fmt.Sprintf("a link to the form is for %s or %s, not for %q", PurposeForm, PurposeEmbed, purpose)}
	}
	expires = g.stamp().Add(FormLinkLife).Truncate(time.Second)
	err = g.store.View(ctx, func(tx Tx) error {
		p, err := partner(tx, id)
		if err != nil {
			return fmt.Errorf("partner %q: %w", id, err)
		}
		if p.Status == PartnerOffboarded {
			return &ErrInput{fmt.Sprintf("%s has left the programme: a link would open nothing", p.Name)}
		}
		revoked, err := revokedLinks(tx, id)
		if err != nil {
			return err
		}
		url = g.links.Form(Grant{For: purpose, Partner: id, Links: revoked, Expires: expires.Unix()})
		return nil
	})
	return url, expires, err
}

// UploadLink is the page for files of registrations behind the same token as a partner's own link to
// the form. A link of PurposeEmbed leads to no upload there.
func UploadLink(form string) string {
	base, token, _ := strings.Cut(form, PathForm+"?p=")
	return base + PathImport + "?p=" + token
}

// RevokeFormLinks ends all links of a partner to the form, and to what came of its files.
func (g *Gateway) RevokeFormLinks(ctx context.Context, id string) error {
	return g.update(ctx, func(c *change) error {
		if _, err := partner(c, id); err != nil {
			return fmt.Errorf("partner %q: %w", id, err)
		}
		revoked, err := revokedLinks(c, id)
		if err != nil {
			return err
		}
		return putJSON(c, spaceFormLinks, id, revoked+1)
	})
}

// FormByLink returns the partner whose link to the form it is, and whether it proves that its
// bearer registers for that partner; ErrLinkInvalid, ErrLinkExpired, ErrLinkRevoked (also of a
// partner who has left).
func (g *Gateway) FormByLink(ctx context.Context, token string) (p Partner, proves bool, err error) {
	grant, err := g.readLink(token, PurposeForm)
	if proves = err == nil; errors.Is(err, ErrLinkInvalid) {
		grant, err = g.readLink(token, PurposeEmbed)
	}
	if err != nil {
		return Partner{}, false, err
	}
	err = g.store.View(ctx, func(tx Tx) error {
		p, err = bearerOf(tx, grant)
		return err
	})
	return p, proves, err
}

// revokedLinks is how often the links of a partner were revoked.
func revokedLinks(tx Records, id string) (n int, err error) {
	return n, ignoreNotFound(getJSON(tx, spaceFormLinks, id, &n))
}

// bearerOf returns the partner whose link a grant is of; ErrLinkRevoked, also if it has left.
func bearerOf(tx Tx, grant Grant) (Partner, error) {
	p, err := partner(tx, grant.Partner)
	if errors.Is(err, ErrNotFound) || err == nil && p.Status == PartnerOffboarded {
		return Partner{}, ErrLinkRevoked
	}
	if err != nil {
		return Partner{}, err
	}
	if revoked, err := revokedLinks(tx, p.ID); err != nil || revoked != grant.Links {
		return Partner{}, cmp.Or(err, ErrLinkRevoked)
	}
	return p, nil
}

// SpeaksFor reports whether an address is one of a partner.
func (g *Gateway) SpeaksFor(ctx context.Context, id, address string) (bool, error) {
	var owner string
	err := g.store.View(ctx, func(tx Tx) (err error) {
		owner, err = partnerOf(tx, strings.ToLower(address))
		return err
	})
	return owner != "" && owner == id, err
}

// DoneLink is the page that tells who registered that it came in. partner is who was proven to
// have done so, "" for nobody: only the proven learn how the case stands.
func (g *Gateway) DoneLink(ctx context.Context, receipt Receipt, partner string) (string, error) {
	grant := Grant{For: PurposeDone, Case: receipt.Case, Partner: partner, New: !receipt.Known, Expires: g.stamp().Add(DoneLinkLife).Unix()}
	err := g.store.View(ctx, func(tx Tx) error {
		r, err := tx.Case(receipt.Case)
		grant.Links = r.Links
		return err
	})
	return g.links.Done(grant), err
}

// Done is what is shown of a registration that came in. Without a proven partner it is the same
// whoever the address belongs to, and whatever becomes of the case.
type Done struct {
	Case     string    `json:"case_number"`
	Company  string    `json:"company"`
	Received time.Time `json:"received"`
	// Status is the link to the page of the case; "" if nobody is proven.
	Status string `json:"status_link,omitempty"`
	// Partner is who was proven, "" for nobody.
	Partner string `json:"partner,omitempty"`
	// Contact are name and address of the prospect's contact, as they were typed just now, for
	// a little while after. Of what was registered before they are not told.
	Contact Contact `json:"contact,omitzero"`
}

// DoneByLink returns what the page of a registration shows; ErrLinkInvalid, ErrLinkExpired.
func (g *Gateway) DoneByLink(ctx context.Context, token string) (Done, error) {
	grant, err := g.readLink(token, PurposeDone)
	if err != nil {
		return Done{}, err
	}
	var d Done
	err = g.store.View(ctx, func(tx Tx) error {
		r, err := tx.Case(grant.Case)
		if errors.Is(err, ErrNotFound) || err == nil && r.Status == StatusErased {
			return ErrLinkInvalid
		}
		if err != nil {
			return err
		}
		d = Done{Case: r.Number, Company: r.Lead[FieldCompanyName], Received: r.Claim}
		if grant.Partner != "" && grant.Partner == r.Partner && grant.Links == r.Links {
			status := StatusGrant(&r, g.stamp())
			status.Expires = min(status.Expires, grant.Expires)
			d.Partner, d.Status = r.Partner, g.links.Status(status)
		}
		made := time.Unix(grant.Expires, 0).Add(-DoneLinkLife)
		if grant.New && g.now().Sub(made) < doneFresh {
			d.Contact = Contact{Name: r.Lead[FieldContactName], Email: r.Lead[FieldContactEmail]}
		}
		return nil
	})
	return d, err
}
