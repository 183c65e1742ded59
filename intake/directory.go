package intake

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	spacePartner        = "partner"
	spacePartnerDomain  = "partner_domain"
	spacePartnerContact = "partner_contact"
	partnerPage         = 200
)

var partnerID = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// CleanPartner returns p in the form in which it is stored, or all that is wrong with it.
// Domains and addresses are checked by the identity lists: a mail provider's domain can't
// belong to a partner, for then all its users would speak for them.
func (g *Gateway) CleanPartner(p Partner) (Partner, []error) {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	p.ID, p.Name = strings.ToLower(strings.TrimSpace(p.ID)), strings.TrimSpace(p.Name)
	if !partnerID.MatchString(p.ID) || len(p.ID) > 64 {
		fault("id %q: want lower-case letters, digits and hyphens, like acme-partners", p.ID)
	}
	if p.Name == "" {
		fault("name is missing")
	}
	if p.Status == "" {
		p.Status = PartnerActive
	}
	if !slices.Contains(PartnerStatuses(), p.Status) {
		fault("status %q: want one of %v", p.Status, PartnerStatuses())
	}
	if p.Motion == "" {
		p.Motion = "referral"
	}
	if !slices.Contains(Motions(), p.Motion) {
		fault("motion %q: want one of %v", p.Motion, Motions())
	}
	var domains []string
	for _, raw := range p.Domains {
		d, err := g.ids.Domain(raw)
		switch {
		case err != nil:
			fault("domain %q: %w", raw, err)
		case d.FreeMail:
			fault("domain %q belongs to a mail provider; list the person under contacts instead", raw)
		default:
			domains = append(domains, d.Host)
		}
	}
	slices.Sort(domains)
	p.Domains = slices.Compact(domains)
	for i, c := range p.Contacts {
		addr, err := cleanAddress(c.Email)
		if err != nil {
			fault("contact %q: %w", c.Email, err)
			continue
		}
		p.Contacts[i].Email = addr
	}
	if p.Manager.Email != "" {
		addr, err := cleanAddress(p.Manager.Email)
		if err != nil {
			fault("manager %q: %w", p.Manager.Email, err)
		}
		p.Manager.Email = addr
	}
	if len(p.Domains)+len(p.Contacts) == 0 {
		fault("has neither a domain nor a contact, so nobody can speak for it")
	}
	return p, faults
}

// PutPartners adds or replaces partners, all or none. Each has to be clean; a domain or a
// contact that belongs to another partner is an error that names both.
func (g *Gateway) PutPartners(ctx context.Context, partners []Partner) error {
	return g.store.Update(ctx, func(tx Tx) error {
		for _, p := range partners {
			if err := putPartner(tx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func putPartner(tx Tx, p Partner) error {
	old, err := partner(tx, p.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	for space, keys := range old.directoryKeys() {
		for _, k := range keys {
			if err := tx.DeleteRecord(space, k); err != nil {
				return err
			}
		}
	}
	for space, keys := range p.directoryKeys() {
		for _, k := range keys {
			owner, err := tx.Record(space, k)
			if err == nil && string(owner) != p.ID {
				return fmt.Errorf("partner %s: %s belongs to partner %s already", p.ID, k, owner)
			}
			if err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
			if err := tx.PutRecord(space, k, []byte(p.ID)); err != nil {
				return err
			}
		}
	}
	return putJSON(tx, spacePartner, p.ID, p)
}

// IsPartner reports whether a domain belongs to a partner. If the store does not tell, it is
// taken for none.
func (g *Gateway) IsPartner(domain string) bool {
	err := g.store.View(context.Background(), func(tx Tx) error {
		_, err := tx.Record(spacePartnerDomain, strings.ToLower(domain))
		return err
	})
	return err == nil
}

func (p Partner) directoryKeys() map[string][]string {
	keys := map[string][]string{spacePartnerDomain: p.Domains}
	for _, c := range p.Contacts {
		keys[spacePartnerContact] = append(keys[spacePartnerContact], strings.ToLower(c.Email))
	}
	return keys
}

// Partners returns the directory by id.
func (g *Gateway) Partners(ctx context.Context) ([]Partner, error) {
	var all []Partner
	for after := ""; ; {
		var page []Entry
		err := g.store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.ScanRecords(spacePartner, "", after, partnerPage)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			var p Partner
			if err := decode(e, &p); err != nil {
				return nil, err
			}
			all = append(all, p)
		}
		if len(page) < partnerPage {
			return all, nil
		}
		after = page[len(page)-1].Key
	}
}

// partner returns a partner by id; ErrNotFound.
func partner(tx Records, id string) (Partner, error) {
	var p Partner
	err := getJSON(tx, spacePartner, id, &p)
	return p, err
}

// partnerOf returns the id of the partner for whom an address speaks, or "": of a listed
// contact, else of the owner of exactly the address's domain. Whether the sender is proven
// to be who he says is not looked at here.
func partnerOf(tx Records, address string) (string, error) {
	address = strings.ToLower(address)
	id, err := tx.Record(spacePartnerContact, address)
	if errors.Is(err, ErrNotFound) {
		_, domain, _ := strings.Cut(address, "@")
		id, err = tx.Record(spacePartnerDomain, domain)
	}
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return string(id), err
}
