package intake

import (
	"context"
	"fmt"
	"time"
)

// What tests of the directory and of the account lists see of the inside.
var (
	PartnerOf      = partnerOf
	PartnerByCode  = partnerByCode
	PartnerBySlack = partnerBySlack
	PartnerByTeams = partnerByTeams
	PartnersNaming = partnersNaming
	Canonical      = canonical
	AccountDomains = accountDomains
)

// AccountPage is how many accounts a transaction writes.
const AccountPage = accountPage

// Known is known for tests.
func (g *Gateway) Known(tx Records, lead Lead, at time.Time, zone *time.Location) (Known, error) {
	return g.known(tx, lead, at, zone)
}

// Indexes returns the keys under which partners and accounts are found, as they are stored and
// as they are made anew from the entries.
func (g *Gateway) Indexes(s Store) (stored, rebuilt map[string]string, err error) {
	stored, rebuilt = make(map[string]string), make(map[string]string)
	scan := func(tx Tx, space string, each func(Entry) error) error {
		all, err := tx.ScanRecords(space, "", "", 1<<20)
		if err != nil {
			return err
		}
		for _, e := range all {
			if err := each(e); err != nil {
				return err
			}
		}
		return nil
	}
	put := func(to map[string]string, l listing) error {
		at := l.space + "/" + l.key
		if old, twice := to[at]; twice {
			return fmt.Errorf("%s is %s and %s", at, old, l.value)
		}
		to[at] = l.value
		return nil
	}
	err = s.View(context.Background(), func(tx Tx) error {
		for _, space := range []string{
			spacePartnerDomain, spacePartnerContact, spacePartnerCode, spacePartnerSlack, spacePartnerRoom, spacePartnerTeams, spacePartnerNamed,
			spaceAccountAlias, spaceAccountChild, spaceAccountName,
		} {
			if err := scan(tx, space, func(e Entry) error {
				return put(stored, listing{space: space, key: e.Key, value: string(e.Value)})
			}); err != nil {
				return err
			}
		}
		if err := scan(tx, spacePartner, func(e Entry) error {
			var p Partner
			if err := decode(e, &p); err != nil {
				return err
			}
			for _, l := range p.listings() {
				if err := put(rebuilt, l); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		return scan(tx, spaceAccount, func(e Entry) error {
			var a Account
			if err := decode(e, &a); err != nil {
				return err
			}
			for _, l := range g.accountKeys(a) {
				if err := put(rebuilt, l); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return stored, rebuilt, err
}
