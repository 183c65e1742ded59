package intake

import (
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

// FormLink makes a link by which whoever has it registers for a partner. It replaces the proof of
// the sender's address.
func (g *Gateway) FormLink(ctx context.Context, id string) (url string, expires time.Time, err error) {
	if g.links == nil {
		return "", time.Time{}, &ErrInput{"there are no links without pages: set pages.url"}
	}
	expires = g.stamp().Add(FormLinkLife).Truncate(time.Second)
	err = g.store.View(ctx, func(tx Tx) error {
		if _, err := partner(tx, id); err != nil {
			return fmt.Errorf("partner %q: %w", id, err)
		}
		var revoked int
		if err := getJSON(tx, spaceFormLinks, id, &revoked); ignoreNotFound(err) != nil {
			return err
		}
		url = g.links.Form(Grant{Partner: id, Links: revoked, Expires: expires.Unix()})
		return nil
	})
	return url, expires, err
}

// RevokeFormLinks ends all links of a partner to the form.
func (g *Gateway) RevokeFormLinks(ctx context.Context, id string) error {
	return g.update(ctx, func(c *change) error {
		if _, err := partner(c, id); err != nil {
			return fmt.Errorf("partner %q: %w", id, err)
		}
		var revoked int
		if err := getJSON(c, spaceFormLinks, id, &revoked); ignoreNotFound(err) != nil {
			return err
		}
		return putJSON(c, spaceFormLinks, id, revoked+1)
	})
}

// FormByLink returns the partner for whom a link registers; ErrLinkInvalid, ErrLinkExpired,
// ErrLinkRevoked (also of a partner who has left).
func (g *Gateway) FormByLink(ctx context.Context, token string) (Partner, error) {
	grant, err := g.readLink(token, PurposeForm)
	if err != nil {
		return Partner{}, err
	}
	var p Partner
	err = g.store.View(ctx, func(tx Tx) error {
		p, err = partner(tx, grant.Partner)
		if errors.Is(err, ErrNotFound) || err == nil && p.Status == PartnerOffboarded {
			return ErrLinkRevoked
		}
		if err != nil {
			return err
		}
		var revoked int
		if err := getJSON(tx, spaceFormLinks, p.ID, &revoked); ignoreNotFound(err) != nil {
			return err
		}
		if revoked != grant.Links {
			return ErrLinkRevoked
		}
		return nil
	})
	return p, err
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
func (g *Gateway) DoneLink(number, partner string) string {
	return g.links.Done(Grant{Case: number, Partner: partner, Expires: g.stamp().Add(DoneLinkLife).Unix()})
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
	// Contact are name and address of the prospect's contact, as they were typed, for a
	// little while after.
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
		if grant.Partner != "" && grant.Partner == r.Partner {
			now := g.stamp()
			d.Partner, d.Status = r.Partner, g.links.Status(StatusGrant(&r, now))
		}
		made := time.Unix(grant.Expires, 0).Add(-DoneLinkLife)
		if g.now().Sub(made) < doneFresh {
			d.Contact = Contact{Name: r.Lead[FieldContactName], Email: r.Lead[FieldContactEmail]}
		}
		return nil
	})
	return d, err
}
