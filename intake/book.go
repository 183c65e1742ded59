package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"leadgate/intake/identity"
)

// The spaces of the account lists: the accounts by the domain that stands for them, the
// account of each alias, the children of each parent, and the accounts of each likeness of a
// name (see likenesses).
const (
	spaceAccount      = "account"
	spaceAccountAlias = "account_alias"
	spaceAccountChild = "account_child"
	spaceAccountName  = "account_name"
)

const (
	accountPage  = 500 // entries that a transaction writes
	accountDepth = 20  // parents above an account
)

// AccountList is a list of accounts to be stored.
type AccountList struct {
	Accounts []Account `json:"accounts"`
	// Whole says that there are no others: an account that is not in the list is removed.
	Whole bool `json:"whole,omitempty"`
}

// CleanAccount returns a in the form in which it is stored, or all that is wrong with it, each
// an *EntryFault.
func (g *Gateway) CleanAccount(a Account) (Account, []error) {
	var faults entryFaults
	a.Domain = cleanAccountDomain(g.ids, a.Domain, "domain", &faults)
	a.Name, a.Blocked, a.Note = cleanLine(a.Name), cleanLine(a.Blocked), cleanText(a.Note, FieldProblem)
	if slices.Contains([]string{"yes", "no", "true", "false", "y", "n", "x", "0", "1"}, strings.ToLower(a.Blocked)) {
		faults.add("blocked", "%q does not say why; write the reason in words, or leave it empty for an account that is not blocked", a.Blocked)
	}
	if a.Country = strings.TrimSpace(a.Country); a.Country != "" {
		code, ok := identity.Country(a.Country)
		if !ok {
			faults.add("country", "%q is no country's two-letter code, like DE", a.Country)
		}
		a.Country = code
	}
	var aliases []string
	for i, raw := range a.Aliases {
		field, before := fmt.Sprintf("aliases[%d]", i), len(faults)
		d := cleanAccountDomain(g.ids, raw, field, &faults)
		if len(faults) == before && d == a.Domain {
			faults.add(field, "%q is the account's own domain", raw)
		}
		if len(faults) == before {
			aliases = append(aliases, d)
		}
	}
	a.Aliases = sortedSet(aliases)
	if strings.TrimSpace(a.Parent) == "" {
		a.Parent = ""
	} else if a.Parent = cleanAccountDomain(g.ids, a.Parent, "parent", &faults); a.Parent == a.Domain {
		faults.add("parent", "%q is the account itself", a.Parent)
	}
	var ids []string
	for _, id := range a.CRM {
		ids = append(ids, strings.Fields(id)...)
	}
	a.CRM = sortedSet(ids)
	a.Incumbent = strings.ToLower(strings.TrimSpace(a.Incumbent))
	a.Renewal, a.Contacted = asStored(a.Renewal), asStored(a.Contacted)
	a.Confirmed, a.ConfirmedBy = asStored(a.Confirmed), cleanLine(a.ConfirmedBy)
	return a, faults
}

// CheckAccounts returns a list in the form in which it is stored, and all that is wrong with
// its accounts: each by itself, among each other, and beside those that are there and stay.
func (g *Gateway) CheckAccounts(ctx context.Context, l AccountList) (AccountList, []EntryFault, error) {
	clean := AccountList{Accounts: make([]Account, len(l.Accounts)), Whole: l.Whole}
	var faults []EntryFault
	for i, a := range l.Accounts {
		var wrong []error
		clean.Accounts[i], wrong = g.CleanAccount(a)
		faults = append(faults, faultsOf(i, wrong)...)
	}
	err := g.store.View(ctx, func(tx Tx) error {
		c := newBookCheck(tx, clean)
		err := c.all()
		faults = append(faults, c.faults...)
		return err
	})
	return clean, sortedFaults(faults), err
}

// PutAccounts stores a list. With a fault in it nothing is stored; it is written in several
// transactions, so after another error a part may be, and the same call again completes it.
func (g *Gateway) PutAccounts(ctx context.Context, l AccountList) error {
	l, faults, err := g.CheckAccounts(ctx, l)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		f := faults[0]
		return &ErrInput{Problem: fmt.Sprintf("account %s: %s", l.Accounts[f.Entry].Domain, f.Error())}
	}
	// First everything is given up, then taken: so no domain is two accounts' in between.
	if l.Whole {
		if err := g.removeOthers(ctx, l.Accounts); err != nil {
			return err
		}
	}
	for _, step := range []func(Tx, Account) error{g.giveUpAliases, g.putAccount} {
		for part := range slices.Chunk(l.Accounts, accountPage) {
			err := g.update(ctx, func(c *change) error {
				for _, a := range part {
					if err := step(c, a); err != nil {
						return fmt.Errorf("account %s: %w", a.Domain, err)
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *Gateway) removeOthers(ctx context.Context, keep []Account) error {
	kept := make(map[string]bool, len(keep))
	for _, a := range keep {
		kept[a.Domain] = true
	}
	for after := ""; ; {
		var page []Entry
		err := g.store.Update(ctx, func(tx Tx) (err error) {
			if page, err = tx.ScanRecords(spaceAccount, "", after, accountPage); err != nil {
				return err
			}
			for _, e := range page {
				if kept[e.Key] {
					continue
				}
				var a Account
				if err := decode(e, &a); err != nil {
					return err
				}
				if err := parted(tx, a, nil); err != nil {
					return err
				}
				if err := g.deleteAccount(tx, a); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(page) < accountPage {
			return nil
		}
		after = page[len(page)-1].Key
	}
}

// giveUpAliases takes from the stored account of a's domain the aliases that a does not have.
func (g *Gateway) giveUpAliases(tx Tx, a Account) error {
	old, err := storedAccount(tx, a.Domain)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	kept := slices.DeleteFunc(slices.Clone(old.Aliases), func(d string) bool { return !slices.Contains(a.Aliases, d) })
	if len(kept) == len(old.Aliases) {
		return nil
	}
	if err := parted(tx, old, a.Aliases); err != nil {
		return err
	}
	old.Aliases = kept
	return g.putAccount(tx, old)
}

// putAccount stores a clean account with the keys under which it is found. A domain of it
// that another account has got since a was checked is an error.
func (g *Gateway) putAccount(tx Tx, a Account) error {
	value, err := json.Marshal(a)
	if err != nil {
		return err
	}
	old, err := tx.Record(spaceAccount, a.Domain)
	if err := ignoreNotFound(err); err != nil {
		return err
	}
	if bytes.Equal(old, value) {
		return nil
	}
	if err := notTaken(tx, a); err != nil {
		return err
	}
	if old != nil {
		var was Account
		if err := json.Unmarshal(old, &was); err != nil {
			return err
		}
		if err := g.deleteAccount(tx, was); err != nil {
			return err
		}
	}
	for _, k := range g.accountKeys(a) {
		if err := tx.PutRecord(k.space, k.key, []byte(k.value)); err != nil {
			return err
		}
	}
	if err := tx.PutRecord(spaceAccount, a.Domain, value); err != nil || len(a.Aliases) == 0 {
		return err
	}
	return aliased(tx, a.Domain)
}

// parted enqueues a look at the domains that are no longer one company.
func parted(tx Tx, was Account, aliases []string) error {
	gone := slices.DeleteFunc(slices.Clone(was.Aliases), func(d string) bool { return slices.Contains(aliases, d) })
	if len(gone) == 0 {
		return nil
	}
	for _, d := range append(gone, was.Domain) {
		if err := aliased(tx, d); err != nil {
			return err
		}
	}
	return nil
}

// notTaken is ErrStale if a domain of a is another account's.
func notTaken(tx Records, a Account) error {
	for i, d := range append([]string{a.Domain}, a.Aliases...) {
		owner, err := canonical(tx, d)
		if err != nil {
			return err
		}
		if owner != d && owner != a.Domain {
			return fmt.Errorf("%s is an alias of %s: %w", d, owner, ErrStale)
		}
		if i == 0 {
			continue
		}
		if _, err := tx.Record(spaceAccount, d); !errors.Is(err, ErrNotFound) {
			return errors.Join(err, fmt.Errorf("%s is an account of its own: %w", d, ErrStale))
		}
	}
	return nil
}

func (g *Gateway) deleteAccount(tx Tx, a Account) error {
	for _, k := range g.accountKeys(a) {
		if err := tx.DeleteRecord(k.space, k.key); err != nil {
			return err
		}
	}
	return tx.DeleteRecord(spaceAccount, a.Domain)
}

// accountKeys are the keys under which an account is found, beside its domain.
func (g *Gateway) accountKeys(a Account) []listing {
	var keys []listing
	for _, d := range a.Aliases {
		keys = append(keys, listing{space: spaceAccountAlias, key: d, value: a.Domain})
	}
	if a.Parent != "" {
		keys = append(keys, listing{space: spaceAccountChild, key: a.Parent + "/" + a.Domain})
	}
	name := g.ids.Name(a.Name)
	for _, l := range append(sameNames(name), nearNames(name.Key)...) {
		keys = append(keys, listing{space: spaceAccountName, key: l + likenessEnd + a.Domain, value: name.Key})
	}
	return keys
}

// Accounts returns up to limit accounts of the lists, by domain, those after one.
func (g *Gateway) Accounts(ctx context.Context, after string, limit int) ([]Account, error) {
	var page []Entry
	err := g.store.View(ctx, func(tx Tx) (err error) {
		page, err = tx.ScanRecords(spaceAccount, "", after, limit)
		return err
	})
	if err != nil {
		return nil, err
	}
	accounts := make([]Account, len(page))
	for i, e := range page {
		if err := decode(e, &accounts[i]); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

// Account returns what the lists say of the company of a domain, which may be an alias;
// ErrNotFound.
func (g *Gateway) Account(ctx context.Context, domain string) (a Account, err error) {
	d, err := g.ids.Domain(domain)
	if err != nil {
		return a, &ErrInput{Problem: err.Error()}
	}
	err = g.store.View(ctx, func(tx Tx) error {
		a, err = account(tx, d.Key)
		return err
	})
	return a, err
}

// RemoveAccount takes an account from the lists; ErrNotFound. An alias, and a parent of
// others, is an *ErrInput that says what to do first.
func (g *Gateway) RemoveAccount(ctx context.Context, domain string) error {
	d, err := g.ids.Domain(domain)
	if err != nil {
		return &ErrInput{Problem: err.Error()}
	}
	return g.update(ctx, func(tx *change) error {
		a, err := account(tx, d.Key)
		if err != nil {
			return err
		}
		if a.Domain != d.Key {
			return &ErrInput{Problem: fmt.Sprintf("%s is an alias of %s; change that account", d.Key, a.Domain)}
		}
		children, err := tx.ScanRecords(spaceAccountChild, a.Domain+"/", "", 1)
		if err != nil {
			return err
		}
		if len(children) > 0 {
			return &ErrInput{Problem: fmt.Sprintf("%s is the parent of %s; change that account first", a.Domain, strings.TrimPrefix(children[0].Key, a.Domain+"/"))}
		}
		if err := parted(tx, a, nil); err != nil {
			return err
		}
		return g.deleteAccount(tx, a)
	})
}

// canonical returns the domain that stands for the company of a domain: the account's if it
// is an alias of one, else itself.
func canonical(tx Records, domain string) (string, error) {
	owner, err := tx.Record(spaceAccountAlias, domain)
	if errors.Is(err, ErrNotFound) {
		return domain, nil
	}
	return string(owner), err
}

// storedAccount returns the account that a domain stands for; ErrNotFound.
func storedAccount(tx Records, domain string) (a Account, err error) {
	err = getJSON(tx, spaceAccount, domain, &a)
	return a, err
}

// account returns the account of a domain or of an alias; ErrNotFound.
func account(tx Records, domain string) (Account, error) {
	domain, err := canonical(tx, domain)
	if err != nil {
		return Account{}, err
	}
	return storedAccount(tx, domain)
}

// accountDomains returns all domains of the company of a domain, the one that stands for it
// first.
func accountDomains(tx Records, domain string) ([]string, error) {
	a, err := account(tx, domain)
	if errors.Is(err, ErrNotFound) {
		return []string{domain}, nil
	}
	return append([]string{a.Domain}, a.Aliases...), err
}
