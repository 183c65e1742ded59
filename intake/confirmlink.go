package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	spaceWaiting = "waiting_confirm" // address and place of the case → number

	// maxWaiting bounds how many cases of an address wait to be confirmed.
	maxWaiting = 50
)

// Confirmable is a registration that somebody made under a person's address. That person, and
// nobody else, is shown it, to say whether it is his.
type Confirmable struct {
	Case    string `json:"case_number"`
	Company string `json:"company"`
	Domain  string `json:"domain"`
	Contact string `json:"contact"`
	// Received is when it came in, By until when it can be confirmed.
	Received time.Time `json:"received"`
	By       time.Time `json:"confirm_by"`
}

// Confirmation is what the page behind a link that was mailed to a person shows.
type Confirmation struct {
	// Address is the person's.
	Address string `json:"address"`
	// Waiting are the registrations under that address, the oldest first; Done says that the
	// one that the link was mailed for waits no longer.
	Waiting []Confirmable `json:"waiting"`
	Done    bool          `json:"done"`
}

// awaitConfirm has r found by who confirms for its address. It returns false if too many wait.
func (c *change) awaitConfirm(r *Registration) (bool, error) {
	prefix := waitingPrefix(r.Contact)
	waiting, err := c.waiting(r.Contact)
	if err != nil || len(waiting) >= maxWaiting {
		return false, err
	}
	return true, c.PutRecord(spaceWaiting, prefix+fmt.Sprintf("%016x", r.Seq), []byte(r.Number))
}

func waitingPrefix(address string) string { return strings.ToLower(address) + "/" }

// waiting returns the cases of an address that can be confirmed, and forgets those that can't be
// any more.
func (c *change) waiting(address string) ([]Registration, error) {
	entries, err := c.ScanRecords(spaceWaiting, waitingPrefix(address), "", 2*maxWaiting)
	if err != nil {
		return nil, err
	}
	var cases []Registration
	for _, e := range entries {
		r, err := c.Case(string(e.Value))
		if err != nil {
			return nil, err
		}
		if !c.confirmable(&r) {
			if err := c.DeleteRecord(spaceWaiting, e.Key); err != nil {
				return nil, err
			}
			continue
		}
		cases = append(cases, r)
	}
	return cases, nil
}

// confirmable reports whether the sender of r was asked whether it is his, and can still say so.
func (c *change) confirmable(r *Registration) bool {
	return r.Status == StatusQuarantined && !r.ConfirmBy.IsZero() && !c.at.After(r.ConfirmBy)
}

// ConfirmationByLink returns what the bearer of a link can confirm. It changes nothing that
// anybody sees. The errors are ErrLinkInvalid and ErrLinkExpired.
func (g *Gateway) ConfirmationByLink(ctx context.Context, token string) (Confirmation, error) {
	var v Confirmation
	err := g.confirming(ctx, token, func(c *change, r *Registration, waiting []Registration) error {
		v = confirmation(r, waiting)
		return nil
	})
	return v, err
}

// ConfirmByLink says of registrations whether they are the bearer's: those are checked now, with
// the time at which they came in, and the others are closed. What waits no longer, or does not
// wait for this address, is left as it is. It returns what waits afterwards.
func (g *Gateway) ConfirmByLink(ctx context.Context, token string, numbers []string, mine bool) (Confirmation, error) {
	var v Confirmation
	err := g.confirming(ctx, token, func(c *change, r *Registration, waiting []Registration) error {
		speaker, err := partnerOf(c, r.Contact)
		if err != nil {
			return err
		}
		var left []Registration
		for _, w := range waiting {
			if !slices.Contains(numbers, w.Number) {
				left = append(left, w)
				continue
			}
			if err := c.answered(&w, speaker, mine); err != nil {
				return err
			}
			if w.Number == r.Number {
				*r = w
			}
		}
		v = confirmation(r, left)
		return nil
	})
	return v, err
}

// answered takes the word of the person whose address a registration gives.
func (c *change) answered(r *Registration, speaker string, mine bool) error {
	switch {
	case !mine:
		return c.move(r, StatusWithdrawn, Event{Trigger: TriggerWithdraw, Actor: "partner:" + speaker, Reason: ReasonNotConfirmed})
	case speaker == "":
		return ErrLinkRevoked // the address is no partner's any more
	}
	return c.ownUp(r, speaker, r.Submissions)
}

func (g *Gateway) confirming(ctx context.Context, token string, fn func(c *change, r *Registration, waiting []Registration) error) error {
	grant, err := g.readLink(token, PurposeConfirm)
	if err != nil {
		return err
	}
	return g.update(ctx, func(c *change) error {
		r, err := c.Case(grant.Case)
		if errors.Is(err, ErrNotFound) || err == nil && r.Status == StatusErased {
			return ErrLinkInvalid
		}
		if err != nil {
			return err
		}
		waiting, err := c.waiting(r.Contact)
		if err != nil {
			return err
		}
		return fn(c, &r, waiting)
	})
}

func confirmation(r *Registration, waiting []Registration) Confirmation {
	v := Confirmation{Address: r.Contact, Done: true}
	for _, w := range waiting {
		v.Done = v.Done && w.Number != r.Number
		v.Waiting = append(v.Waiting, Confirmable{
			Case: w.Number, Company: w.Lead[FieldCompanyName], Domain: w.Lead[FieldCompanyDomain],
			Contact: w.Lead[FieldContactName], Received: w.Claim, By: w.ConfirmBy,
		})
	}
	return v
}
