package intake

import (
	"errors"
	"fmt"
)

// bookCheck finds what is wrong with a clean list of accounts among each other and beside the
// stored ones that stay as they are.
type bookCheck struct {
	tx       Records
	list     []Account
	whole    bool
	byName   map[string]int  // place in the list by domain
	aliasOf  map[string]int  // place in the list of the account of an alias
	partners map[string]bool // who was asked for, and is there
	faults   []EntryFault
}

func newBookCheck(tx Records, l AccountList) *bookCheck {
	return &bookCheck{
		tx: tx, list: l.Accounts, whole: l.Whole,
		byName: make(map[string]int, len(l.Accounts)), aliasOf: make(map[string]int), partners: make(map[string]bool),
	}
}

func (c *bookCheck) fault(entry int, field, format string, a ...any) {
	c.faults = append(c.faults, EntryFault{Entry: entry, Field: field, Problem: fmt.Sprintf(format, a...)})
}

func (c *bookCheck) all() error {
	for i, a := range c.list {
		if first, twice := c.byName[a.Domain]; twice {
			c.fault(i, "domain", "%s is account %d of the list too", a.Domain, first+1)
			continue
		}
		c.byName[a.Domain] = i
	}
	for i, a := range c.list {
		for _, step := range []func(int, Account) error{c.domain, c.aliases} {
			if err := step(i, a); err != nil {
				return err
			}
		}
	}
	for i := range c.list { // with all aliases known
		for _, step := range []func(int, *Account) error{c.parent, c.incumbent} {
			if err := step(i, &c.list[i]); err != nil {
				return err
			}
		}
	}
	for i := range c.list { // with all parents known
		if err := c.ancestors(i); err != nil {
			return err
		}
	}
	return nil
}

// domain must not be an alias that a stored account keeps.
func (c *bookCheck) domain(i int, a Account) error {
	owner, err := c.keptAlias(a.Domain)
	if err == nil && owner != "" {
		c.fault(i, "domain", "%s is an alias of %s; list what is to be said about it there", a.Domain, owner)
	}
	return err
}

// keptAlias is the stored account of an alias, if the list does not replace it; else "".
func (c *bookCheck) keptAlias(domain string) (string, error) {
	if c.whole {
		return "", nil
	}
	owner, err := canonical(c.tx, domain)
	if _, replaced := c.byName[owner]; replaced || owner == domain {
		return "", err
	}
	return owner, err
}

// keptAccount is the stored account of a domain, if the list does not replace it; ErrNotFound.
func (c *bookCheck) keptAccount(domain string) (Account, error) {
	if _, replaced := c.byName[domain]; replaced || c.whole {
		return Account{}, ErrNotFound
	}
	return storedAccount(c.tx, domain)
}

func (c *bookCheck) aliases(i int, a Account) error {
	for _, d := range a.Aliases {
		if other, is := c.byName[d]; is && other != i {
			c.fault(i, "aliases", "%s is account %d of the list; keep it in one place", d, other+1)
			continue
		}
		if other, is := c.aliasOf[d]; is && other != i {
			c.fault(i, "aliases", "%s is an alias of %s already", d, c.list[other].Domain)
			continue
		}
		c.aliasOf[d] = i
		owner, err := c.keptAlias(d)
		if err != nil {
			return err
		}
		if owner != "" {
			c.fault(i, "aliases", "%s is an alias of %s already; take it away there first", d, owner)
		}
		if _, err := c.keptAccount(d); err == nil {
			c.fault(i, "aliases", "%s is an account of its own; remove that one first", d)
		} else if !errors.Is(err, ErrNotFound) {
			return err
		}
	}
	return nil
}

// parent has to be an account; an alias stands for its account.
func (c *bookCheck) parent(i int, a *Account) error {
	if a.Parent == "" {
		return nil
	}
	if place, is := c.aliasOf[a.Parent]; is && place == i {
		c.fault(i, "parent", "%s is the account itself, by an alias", a.Parent)
		a.Parent = ""
		return nil
	} else if is {
		a.Parent = c.list[place].Domain
	}
	owner, err := c.keptAlias(a.Parent)
	if err != nil {
		return err
	}
	if owner != "" {
		a.Parent = owner
	}
	if _, listed := c.byName[a.Parent]; listed {
		return nil
	}
	_, err = c.keptAccount(a.Parent)
	if errors.Is(err, ErrNotFound) {
		c.fault(i, "parent", "no account is %s; list it too", a.Parent)
		return nil
	}
	return err
}

func (c *bookCheck) incumbent(i int, a *Account) error {
	if a.Incumbent == "" {
		return nil
	}
	there, asked := c.partners[a.Incumbent]
	if !asked {
		_, err := c.tx.Record(spacePartner, a.Incumbent)
		if err := ignoreNotFound(err); err != nil {
			return err
		}
		there = err == nil
		c.partners[a.Incumbent] = there
	}
	if !there {
		c.fault(i, "incumbent", "no partner has the id %q; import the partners first", a.Incumbent)
	}
	return nil
}

// ancestors must come to an end.
func (c *bookCheck) ancestors(i int) error {
	a := c.list[i]
	for range accountDepth {
		if a.Parent == "" {
			return nil
		}
		above, err := c.current(a.Parent)
		if errors.Is(err, ErrNotFound) {
			return nil // told already, or of an account that is not in the list
		}
		if err != nil {
			return err
		}
		if above.Domain == c.list[i].Domain {
			c.fault(i, "parent", "%s would stand above itself, by way of %s: take one of the parents between them away", above.Domain, a.Domain)
			return nil
		}
		a = above
	}
	c.fault(i, "parent", "more than %d companies stand above %s, or they stand in a circle", accountDepth, c.list[i].Domain)
	return nil
}

// current is an account as it will be.
func (c *bookCheck) current(domain string) (Account, error) {
	if i, listed := c.byName[domain]; listed {
		return c.list[i], nil
	}
	return c.keptAccount(domain)
}
