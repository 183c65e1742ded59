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

	// maxWaiting bounds how many cases of an address one page shows.
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
	// Waiting are the registrations under that address: the one that the link was mailed for,
	// then the others, the newest first. Done says that the one of the link was answered, or
	// waits no longer: the link shows nothing then.
	Waiting []Confirmable `json:"waiting"`
	Done    bool          `json:"done"`
}

func waitingPrefix(address string) string { return strings.ToLower(address) + "/" }

// waitingKey sorts the newest first.
func waitingKey(r *Registration) string {
	return waitingPrefix(r.Contact) + fmt.Sprintf("%016x", ^r.Seq)
}

// unawait has r found no more by who confirms.
func (c *change) unawait(r *Registration) error {
	if r.ConfirmBy.IsZero() {
		return nil
	}
	return c.DeleteRecord(spaceWaiting, waitingKey(r))
}

// waiting returns r, and the newest others of its address that can be confirmed.
func waiting(c *change, r *Registration) ([]Registration, error) {
	cases := []Registration{*r}
	entries, err := c.ScanRecords(spaceWaiting, waitingPrefix(r.Contact), "", maxWaiting)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		other, err := c.Case(string(e.Value))
		if err != nil {
			return nil, err
		}
		if other.Number != r.Number && c.confirmable(&other) {
			cases = append(cases, other)
		}
	}
	return cases, nil
}

// confirmable reports whether the sender of r was asked whether it is his, and can still say so.
func (c *change) confirmable(r *Registration) bool {
	return r.Status == StatusQuarantined && !r.ConfirmBy.IsZero() && !c.at.After(r.ConfirmBy)
}

// ConfirmationByLink returns what the bearer of a link can confirm. It changes nothing. The errors
// are ErrLinkInvalid and ErrLinkExpired.
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
		if !c.confirmable(&r) {
			return fn(c, &r, nil)
		}
		all, err := waiting(c, &r)
		if err != nil {
			return err
		}
		return fn(c, &r, all)
	})
}

func confirmation(r *Registration, waiting []Registration) Confirmation {
	v := Confirmation{Address: r.Contact, Done: true}
	if !slices.ContainsFunc(waiting, func(w Registration) bool { return w.Number == r.Number }) {
		return v // whoever was passed the link on learns and confirms nothing more by it
	}
	for _, w := range waiting {
		v.Done = v.Done && w.Number != r.Number
		v.Waiting = append(v.Waiting, Confirmable{
			Case: w.Number, Company: w.Lead[FieldCompanyName], Domain: w.Lead[FieldCompanyDomain],
			Contact: w.Lead[FieldContactName], Received: w.Claim, By: w.ConfirmBy,
		})
	}
	return v
}
