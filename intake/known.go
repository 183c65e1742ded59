package intake

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"leadgate/intake/identity"
)

// Bounds of what Known holds.
const (
	maxGroup  = 50
	maxAlike  = 20  // a name that more accounts have is too common to say anything
	scanAlike = 200 // accounts whose name is half the same, of which few are nearly the same
)

// known returns what the lists say about the company of a lead at a time; zone is the
// programme's, for days.
func (g *Gateway) known(tx Records, lead Lead, at time.Time, zone *time.Location) (Known, error) {
	var k Known
	domain := lead[FieldCompanyDomain]
	if domain != "" {
		var err error
		if k.Account, err = account(tx, domain); ignoreNotFound(err) != nil {
			return k, err
		}
		if k.Named, err = namedBy(tx, domain, at.In(zone).Format(time.DateOnly)); err != nil {
			return k, err
		}
		if k.Group, err = group(tx, k.Account); err != nil {
			return k, err
		}
	}
	var err error
	k.Alike, err = g.alike(tx, lead, cmp.Or(k.Account.Domain, domain))
	return k, err
}

// namedBy returns the partners for whom a company, under any of its domains, is a named
// account on a day.
func namedBy(tx Records, domain, day string) ([]string, error) {
	domains, err := accountDomains(tx, domain)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, d := range domains {
		of, err := partnersNaming(tx, d, day)
		if err != nil {
			return nil, err
		}
		ids = append(ids, of...)
	}
	return sortedSet(ids), nil
}

// group returns the parents of an account, the nearest first, then its siblings and its
// children.
func group(tx Records, a Account) ([]Account, error) {
	if a.Domain == "" {
		return nil, nil
	}
	var all []Account
	seen := map[string]bool{a.Domain: true}
	join := func(domain string) (Account, error) {
		if seen[domain] || len(all) == maxGroup {
			return Account{}, nil
		}
		seen[domain] = true
		member, err := storedAccount(tx, domain)
		if err == nil {
			all = append(all, member)
		}
		return member, ignoreNotFound(err)
	}
	for up := a.Parent; up != ""; {
		parent, err := join(up)
		if err != nil {
			return nil, err
		}
		up = parent.Parent
	}
	for _, parent := range []string{a.Parent, a.Domain} {
		if parent == "" {
			continue
		}
		entries, err := tx.ScanRecords(spaceAccountChild, parent+"/", "", maxGroup+1)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if _, err := join(strings.TrimPrefix(e.Key, parent+"/")); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// likenessEnd parts a likeness from the account that has it; no name holds one.
const likenessEnd = "\t"

// sameNames are the likenesses that names share which are the same, in another spelling or in
// letters that look alike too.
func sameNames(n identity.Name) []string {
	var all []string
	for _, key := range []string{n.Key, n.Alt} {
		if key != "" {
			all = append(all, "="+identity.Skeleton(key))
		}
	}
	return sortedSet(all)
}

// nearRunes is from how many letters on names that differ by one are alike.
const nearRunes = 8

// nearNames are the likenesses of a name of which another shares one that differs by one
// letter: its length with its first half, and with its second. One letter more, less or other
// is in one half only.
func nearNames(key string) []string {
	n := utf8.RuneCountInString(key)
	if n < nearRunes {
		return nil
	}
	r := []rune(key)
	return []string{fmt.Sprintf("<%d:%s", n, string(r[:n/2])), fmt.Sprintf(">%d:%s", n, string(r[n/2:]))}
}

// nearTo are the likenesses that names can have which differ from a key by one letter.
func nearTo(key string) []string {
	r := []rune(key)
	if len(r) < nearRunes {
		return nil
	}
	var all []string
	for n := max(nearRunes, len(r)-1); n <= len(r)+1; n++ {
		all = append(all, fmt.Sprintf("<%d:%s", n, string(r[:n/2])), fmt.Sprintf(">%d:%s", n, string(r[len(r)-(n-n/2):])))
	}
	return all
}

// alike returns the accounts whose name is the same as a lead's or nearly so, the most alike
// first, without the one of its own.
func (g *Gateway) alike(tx Records, lead Lead, own string) ([]Alike, error) {
	name := g.ids.Name(lead[FieldCompanyName])
	if name.Key == "" {
		return nil, nil
	}
	domains, err := g.candidates(tx, name)
	if err != nil {
		return nil, err
	}
	var found []graded
	for _, d := range domains {
		if d == own {
			continue
		}
		a, err := storedAccount(tx, d)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if grade, why := identity.CompareNames(name, g.ids.Name(a.Name), lead[FieldCountry], a.Country); grade != identity.GradeNone {
			found = append(found, graded{Alike{Account: a, Evidence: why}, grade})
		}
	}
	slices.SortStableFunc(found, func(a, b graded) int { return b.grade.Compare(a.grade) })
	var all []Alike
	for _, f := range found[:min(len(found), maxAlike)] {
		all = append(all, f.Alike)
	}
	return all, nil
}

type graded struct {
	Alike
	grade identity.Grade
}

// candidates returns the domains of accounts whose name may be like a name, in order. What too
// many share is left out.
func (g *Gateway) candidates(tx Records, name identity.Name) ([]string, error) {
	var domains []string
	for _, likeness := range sameNames(name) {
		same, err := tx.ScanRecords(spaceAccountName, likeness+likenessEnd, "", maxAlike+1)
		if err != nil {
			return nil, err
		}
		if len(same) <= maxAlike {
			domains = append(domains, owners(same, likeness)...)
		}
	}
	var near []string
	for _, likeness := range nearTo(name.Key) {
		half, err := tx.ScanRecords(spaceAccountName, likeness+likenessEnd, "", scanAlike+1)
		if err != nil {
			return nil, err
		}
		if len(half) > scanAlike {
			continue
		}
		half = slices.DeleteFunc(half, func(e Entry) bool {
			other := string(e.Value)
			grade, _ := identity.CompareNames(name, identity.Name{Key: other, Skeleton: identity.Skeleton(other)}, "", "")
			return other == name.Key || grade == identity.GradeNone
		})
		near = append(near, owners(half, likeness)...)
	}
	if near = sortedSet(near); len(near) <= maxAlike {
		domains = append(domains, near...)
	}
	return sortedSet(domains), nil
}

// owners are the domains of the accounts that share a likeness.
func owners(entries []Entry, likeness string) []string {
	domains := make([]string, len(entries))
	for i, e := range entries {
		domains[i] = strings.TrimPrefix(e.Key, likeness+likenessEnd)
	}
	return domains
}
