package intake

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	spaceRenewal = "renewal" // domain of an account → the end of its contract that staff were told of
	spaceWinner  = "winner"  // domain of a company → winner

	renewalHour = 8 // of every day
	// maxRenewals bounds the contracts that a mail tells of; the others follow the next day.
	maxRenewals = 100
)

// Renewal is a contract of a customer that ends soon, and whose partner has not confirmed that
// it goes on.
type Renewal struct {
	Account string    `json:"account"` // its domain
	Name    string    `json:"name,omitempty"`
	Ends    time.Time `json:"ends"`
	Partner string    `json:"partner"` // name, or else id
}

// winner is who last won a deal with a company, and by which case.
type winner struct {
	Partner string    `json:"partner"`
	Case    string    `json:"case"`
	At      time.Time `json:"at"`
}

// remembersWinner notes whose deal with the company was won, or that it was not after all.
func (c *change) remembersWinner(r *Registration, to Status) error {
	domain := r.Lead[FieldCompanyDomain]
	if domain == "" || to != StatusWon && r.Status != StatusWon {
		return nil
	}
	if to == StatusWon {
		return putJSON(c, spaceWinner, domain, winner{Partner: r.Partner, Case: r.Number, At: c.at})
	}
	var w winner
	if err := getJSON(c, spaceWinner, domain, &w); err != nil || w.Case != r.Number {
		return ignoreNotFound(err)
	}
	return c.DeleteRecord(spaceWinner, domain)
}

// serves returns the id of the partner who has to confirm that an account goes on: who serves
// it, else who last won a deal with it; "" if nobody does.
func serves(tx Records, a Account) (string, error) {
	if a.Incumbent != "" {
		return a.Incumbent, nil
	}
	var last winner
	for _, domain := range append([]string{a.Domain}, a.Aliases...) {
		var w winner
		if err := ignoreNotFound(getJSON(tx, spaceWinner, domain, &w)); err != nil {
			return "", err
		}
		if w.At.After(last.At) {
			last = w
		}
	}
	return last.Partner, nil
}

// awaitRenewals sees to it that renewals are looked at the next morning.
func (c *change) awaitRenewals(after time.Time) error {
	if c.g.staffChannel == "" || c.g.policy.Alerts().Renewal == (Span{}) {
		return nil
	}
	return c.await("renewals", LaneTimer, c.g.oclock(renewalHour, after))
}

// runRenewals tells staff of the contracts that end soon, of each once, and has that done again
// the next day.
func (g *Gateway) runRenewals(ctx context.Context, t Task) (effect, error) {
	date, err := g.dayOf(t)
	if err != nil {
		return nil, err
	}
	found, err := g.ending(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at all accounts: %w", err)
	}
	return func(c *change) error {
		if err := c.awaitRenewals(c.since(t)); err != nil {
			return err
		}
		return c.tellRenewals(found, date)
	}, nil
}

// ending returns the accounts that are to be told of, the earliest end first. It goes through
// the list a page at a time: nothing else waits for it.
func (g *Gateway) ending(ctx context.Context) ([]Account, error) {
	var found []Account
	now := g.stamp()
	for after, more := "", true; more; {
		var page []Entry
		var due []Account
		err := g.store.View(ctx, func(tx Tx) (err error) {
			due = nil
			if page, err = tx.ScanRecords(spaceAccount, "", after, accountPage); err != nil {
				return err
			}
			for _, e := range page {
				var a Account
				if err := decode(e, &a); err != nil {
					return err
				}
				is, err := g.isEnding(tx, a, now)
				if err != nil {
					return err
				}
				if is {
					due = append(due, a)
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		found = append(found, due...)
		if more = len(page) == accountPage; more {
			after = page[len(page)-1].Key
		}
	}
	slices.SortStableFunc(found, func(a, b Account) int { return a.Renewal.Compare(b.Renewal) })
	return found, nil
}

// isEnding reports whether staff are to be told of an account: its contract ends soon, nobody
// has confirmed that it goes on, and they were not told of that end.
func (g *Gateway) isEnding(tx Records, a Account, now time.Time) (bool, error) {
	span := g.policy.Alerts().Renewal
	if span == (Span{}) || a.Renewal.IsZero() || a.Renewal.Before(now) || a.Renewal.After(g.policy.End(now, span)) || a.Confirmed.Equal(a.Renewal) {
		return false, nil
	}
	var told time.Time
	err := getJSON(tx, spaceRenewal, a.Domain, &told)
	if err := ignoreNotFound(err); err != nil || told.Equal(a.Renewal) {
		return false, err
	}
	partner, err := serves(tx, a)
	return partner != "", err
}

// tellRenewals tells each person of staff of the accounts of his partners in one mail.
func (c *change) tellRenewals(found []Account, date string) error {
	told := make(map[string][]Renewal) // by address
	for _, seen := range found {
		a, err := storedAccount(c, seen.Domain)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		is, err := c.g.isEnding(c, a, c.at)
		if err != nil {
			return err
		}
		if !is {
			continue // it changed while we looked
		}
		id, err := serves(c, a)
		if err != nil {
			return err
		}
		p, err := partner(c, id)
		if err := ignoreNotFound(err); err != nil {
			return err
		}
		to := strings.ToLower(c.staffFor(p, StaffRenewals, Brief{})[0].Email)
		if len(told[to]) == maxRenewals {
			continue
		}
		if p.Name == "" {
			p.Name = id
		}
		told[to] = append(told[to], Renewal{Account: a.Domain, Name: a.Name, Ends: a.Renewal, Partner: p.Name})
		if err := putJSON(c, spaceRenewal, a.Domain, a.Renewal); err != nil {
			return err
		}
	}
	for _, to := range slices.Sorted(maps.Keys(told)) {
		if err := c.tellStaff(Contact{Email: to}, StaffRenewals, Brief{Renewals: told[to]}, "R-"+date, c.programFacts(Partner{})); err != nil {
			return err
		}
	}
	return nil
}

// ConfirmRenewal notes that the contract of an account goes on, as its partner has said. That
// counts for the end that the account has now: the next one has to be confirmed again.
func (g *Gateway) ConfirmRenewal(ctx context.Context, domain, by string) (a Account, err error) {
	person, err := g.person(by)
	if err != nil {
		return a, err
	}
	if !person.may("", nil) {
		return a, &ErrInput{fmt.Sprintf("the role of %s does not permit it", person.Name)}
	}
	d, err := g.ids.Domain(domain)
	if err != nil {
		return a, &ErrInput{Problem: err.Error()}
	}
	err = g.update(ctx, func(c *change) error {
		if a, err = account(c, d.Key); err != nil {
			return err
		}
		if a.Renewal.IsZero() {
			return &ErrInput{Problem: fmt.Sprintf("the lists do not say when the contract of %s ends; import its renewal first", a.Domain)}
		}
		a.Confirmed, a.ConfirmedBy = a.Renewal, person.Name
		return g.putAccount(c, a)
	})
	return a, err
}
