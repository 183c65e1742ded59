package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The spaces of the directory: the partners by id, and under which key which of them is found.
const (
	spacePartner        = "partner"
	spacePartnerDomain  = "partner_domain"
	spacePartnerContact = "partner_contact"
	spacePartnerCode    = "partner_code"
	spacePartnerSlack   = "partner_slack"
	spacePartnerRoom    = "partner_slack_channel"
	spacePartnerTeams   = "partner_teams"
	spacePartnerNamed   = "partner_named"
	partnerPage         = 200
)

// listing is a key under which a partner is found.
type listing struct {
	space, key, value string
	field             string // that it comes from
}

// listings are all keys under which a partner is found.
func (p Partner) listings() []listing {
	var all []listing
	list := func(space, key, field string) {
		all = append(all, listing{space: space, key: key, value: p.ID, field: field})
	}
	for _, d := range p.Domains {
		list(spacePartnerDomain, d, "domains") // they were sorted, so a place says nothing
	}
	for i, c := range p.Contacts {
		if c.Status != ContactLeft { // who has left speaks for nobody, or for another partner by now
			list(spacePartnerContact, strings.ToLower(c.Email), fmt.Sprintf("contacts[%d].email", i))
		}
	}
	if p.Code != "" {
		list(spacePartnerCode, p.Code, "code")
	}
	if p.Slack != nil {
		if p.Slack.Channel != "" {
			list(spacePartnerSlack, p.Slack.key(), "slack.channel")
			list(spacePartnerRoom, p.Slack.Channel, "slack.channel") // its id is the same in all workspaces
		} else {
			list(spacePartnerSlack, p.Slack.Team+"/="+p.ID, "slack.team") // several can share a workspace
		}
	}
	if p.Teams != nil {
		list(spacePartnerTeams, p.Teams.Tenant, "teams.tenant")
	}
	return append(all, p.namedListings()...)
}

func (s Slack) key() string { return s.Team + "/" + s.Channel }

// namedListings hold, for each of the partner's named accounts, from when to when it is one.
// Several partners can have the same account: the partner's id is part of the key.
func (p Partner) namedListings() []listing {
	spans := make(map[string][]string)
	for _, n := range p.Named {
		spans[n.Domain] = append(spans[n.Domain], n.From+" "+n.To)
	}
	var all []listing
	for domain, list := range spans {
		all = append(all, listing{
			space: spacePartnerNamed, key: domain + "/" + p.ID, value: strings.Join(list, "\n"), field: "named_accounts",
		})
	}
	return all
}

// CheckPartners returns partners in the form in which they are stored, and all that is wrong
// with them: each by itself, among each other, and beside the partners that are there and not
// replaced.
func (g *Gateway) CheckPartners(ctx context.Context, partners []Partner) ([]Partner, []EntryFault, error) {
	clean := make([]Partner, len(partners))
	var faults []EntryFault
	for i, p := range partners {
		var wrong []error
		clean[i], wrong = g.CleanPartner(p)
		faults = append(faults, faultsOf(i, wrong)...)
	}
	err := g.store.View(ctx, func(tx Tx) error {
		taken, err := takenTwice(tx, clean)
		faults = append(faults, taken...)
		return err
	})
	return clean, sortedFaults(faults), err
}

// takenTwice returns what is wrong with the keys of partners who are about to be stored.
func takenTwice(tx Records, partners []Partner) ([]EntryFault, error) {
	first := make(map[string]int)
	var faults []EntryFault
	for i, p := range partners {
		if j, twice := first[p.ID]; twice {
			faults = append(faults, EntryFault{Entry: i, Field: "id", Problem: fmt.Sprintf("%q is the id of partner %d of the list too", p.ID, j+1)})
			continue
		}
		first[p.ID] = i
	}
	owners := make(map[[2]string]string)
	for i, p := range partners {
		for _, l := range p.listings() {
			if l.space == spacePartnerNamed || l.space == spacePartnerSlack {
				continue // several can name an account, and share a workspace; a channel is told of by its own key
			}
			owner, taken := owners[[2]string{l.space, l.key}]
			if !taken {
				owners[[2]string{l.space, l.key}] = p.ID
				stored, err := tx.Record(l.space, l.key)
				if err := ignoreNotFound(err); err != nil {
					return nil, err
				}
				if _, replaced := first[string(stored)]; !replaced {
					owner = string(stored)
				}
			}
			if owner != "" && owner != p.ID {
				faults = append(faults, EntryFault{
					Entry: i, Field: l.field, Problem: fmt.Sprintf("%s belongs to partner %s already; take it away there first", l.key, owner),
				})
			}
		}
	}
	return faults, nil
}

// PutPartners adds or replaces partners, all or none. Each has to be clean; what belongs to
// another partner is an error that names both.
func (g *Gateway) PutPartners(ctx context.Context, partners []Partner) error {
	return g.update(ctx, func(c *change) error {
		faults, err := takenTwice(c, partners)
		if err != nil {
			return err
		}
		if len(faults) > 0 {
			f := faults[0]
			return &ErrInput{Problem: fmt.Sprintf("partner %s: %s", partners[f.Entry].ID, f.Error())}
		}
		for _, p := range partners {
			was, err := partner(c, p.ID)
			if err := ignoreNotFound(err); err != nil {
				return err
			}
			if err := unlist(c, was); err != nil {
				return err
			}
			if p.Status != PartnerActive && was.ID != "" && (was.Status != p.Status || !was.StatusFrom.Equal(p.StatusFrom)) {
				if err := c.leave(p); err != nil {
					return err
				}
			}
		}
		for _, p := range partners {
			if err := putPartner(c, p); err != nil {
				return err
			}
		}
		return nil
	})
}

// unlist has a partner found under no key any more.
func unlist(tx Tx, old Partner) error {
	for _, l := range old.listings() {
		if err := tx.DeleteRecord(l.space, l.key); err != nil {
			return err
		}
	}
	return nil
}

func putPartner(tx Tx, p Partner) error {
	for _, l := range p.listings() {
		if err := tx.PutRecord(l.space, l.key, []byte(l.value)); err != nil {
			return err
		}
	}
	return putJSON(tx, spacePartner, p.ID, p)
}

// IsPartner reports whether a domain belongs to a partner. If the store does not tell, it is
// taken for none.
func (g *Gateway) IsPartner(domain string) bool {
	var id string
	err := g.store.View(context.Background(), func(tx Tx) (err error) {
		id, err = domainOwner(tx, strings.ToLower(domain))
		return err
	})
	return err == nil && id != ""
}

// Partner returns a partner by id; ErrNotFound.
func (g *Gateway) Partner(ctx context.Context, id string) (p Partner, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		p, err = partner(tx, id)
		return err
	})
	return p, err
}

// FindPartner returns the partner that staff mean by an id, a code or a domain; ErrNotFound.
func (g *Gateway) FindPartner(ctx context.Context, name string) (p Partner, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		id := strings.ToLower(strings.TrimSpace(name))
		if p, err = partner(tx, id); !errors.Is(err, ErrNotFound) {
			return err
		}
		owner, err := partnerByCode(tx, id)
		if err == nil && owner == "" {
			owner, err = domainOwner(tx, id)
		}
		if err != nil {
			return err
		}
		p, err = partner(tx, owner)
		return err
	})
	return p, err
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
// contact, else of the owner of the address's domain. Whether the sender is proven to be who
// he says is not looked at here.
func partnerOf(tx Records, address string) (string, error) {
	address = strings.ToLower(address)
	id, err := listedUnder(tx, spacePartnerContact, address)
	if err != nil || id != "" {
		return id, err
	}
	_, domain, _ := strings.Cut(address, "@")
	return domainOwner(tx, domain)
}

// domainOwner returns the id of the partner of exactly a domain, or of the nearest one above
// it whose sub-domains speak for the partner too; or "". A domain of another partner in
// between ends the search: what is below it is theirs, or nobody's.
func domainOwner(tx Records, domain string) (string, error) {
	id, err := listedUnder(tx, spacePartnerDomain, domain)
	if err != nil || id != "" {
		return id, err
	}
	nearest := ""
	for _, above, more := strings.Cut(domain, "."); more; _, above, more = strings.Cut(above, ".") {
		id, err := listedUnder(tx, spacePartnerDomain, above)
		if err != nil {
			return "", err
		}
		if id == "" {
			continue
		}
		if nearest != "" && id != nearest {
			return "", nil
		}
		nearest = id
		p, err := partner(tx, id)
		if err != nil {
			return "", err
		}
		if slices.Contains(p.Subdomains, above) {
			return id, nil
		}
	}
	return "", nil
}

// partnerByCode returns the id of the partner of a code, or "".
func partnerByCode(tx Records, code string) (string, error) {
	return listedUnder(tx, spacePartnerCode, strings.ToUpper(strings.TrimSpace(code)))
}

// partnerBySlack returns the id of the partner of a shared channel, or "".
func partnerBySlack(tx Records, s Slack) (string, error) {
	return listedUnder(tx, spacePartnerSlack, s.key())
}

// partnerByTeams returns the id of the partner of a tenant, or "".
func partnerByTeams(tx Records, t Teams) (string, error) {
	return listedUnder(tx, spacePartnerTeams, strings.ToLower(t.Tenant))
}

// listedUnder returns the id of the partner who is found under a key, or "".
func listedUnder(tx Records, space, key string) (string, error) {
	id, err := tx.Record(space, key)
	return string(id), ignoreNotFound(err)
}

// partnersNaming returns the ids of the partners for whom a domain is a named account on a
// day (2026-01-31), in order.
func partnersNaming(tx Records, domain, day string) ([]string, error) {
	entries, err := tx.ScanRecords(spacePartnerNamed, domain+"/", "", partnerPage)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range entries {
		for span := range strings.SplitSeq(string(e.Value), "\n") {
			from, to, _ := strings.Cut(span, " ")
			if day >= from && (to == "" || day <= to) {
				ids = append(ids, strings.TrimPrefix(e.Key, domain+"/"))
				break
			}
		}
	}
	return ids, nil
}
