package intake

import (
	"context"
	"errors"
	"strconv"
)

const (
	spacePast  = "past"  // partner/domain → the partner's last refused case of the account
	spaceHolds = "holds" // partner → how many accounts it holds
)

// remembers notes a refusal for the next registration of the same account by the same partner.
func (c *change) remembers(r *Registration) error {
	domain := r.Lead[FieldCompanyDomain]
	if domain == "" || r.Partner == "" {
		return nil
	}
	return putJSON(c, spacePast, r.Partner+"/"+domain, Past{
		Number: r.Number, Status: r.Status, Reason: r.Reason, At: c.at, Cooling: r.Cooling,
	})
}

// past returns the partner's refused cases of the account of r.
func (c *change) past(r *Registration) ([]Past, error) {
	domains, err := c.accountDomains(r)
	if err != nil {
		return nil, err
	}
	var all []Past
	for _, domain := range domains {
		var p Past
		err := getJSON(c, spacePast, r.Partner+"/"+domain, &p)
		if errors.Is(err, ErrNotFound) || err == nil && p.Number == r.Number {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// countHold counts an account that a partner came to hold, or that he lost.
func (c *change) countHold(partnerID string, gained bool) error {
	n, err := c.holds(partnerID)
	if err != nil {
		return err
	}
	if gained {
		n++
	} else {
		n--
	}
	return c.PutRecord(spaceHolds, partnerID, []byte(strconv.Itoa(max(0, n))))
}

// holds is how many accounts a partner holds now.
func (c *change) holds(partnerID string) (int, error) {
	b, err := c.Record(spaceHolds, partnerID)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(b))
}

// Holds is how many accounts a partner holds now.
func (g *Gateway) Holds(ctx context.Context, partnerID string) (n int, err error) {
	err = g.store.View(ctx, func(tx Tx) error {
		n, err = (&change{Tx: tx, g: g}).holds(partnerID)
		return err
	})
	return n, err
}
