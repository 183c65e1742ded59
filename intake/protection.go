package intake

import "fmt"

// terms are what the policy promises to a partner, known or not.
func (c *change) terms(partnerID string) (Terms, error) {
	p, err := partner(c, partnerID)
	if err := ignoreNotFound(err); err != nil {
		return Terms{}, err
	}
	return c.g.policy.Terms(p), nil
}

// extended is the protection of r with a later end, by calendar days; an error, in words for
// staff, if the rules do not allow it.
func (c *change) extended(r *Registration, days int) (Protection, error) {
	terms, err := c.terms(r.Partner)
	if err != nil {
		return Protection{}, err
	}
	x, held := terms.Extension, r.Protection
	switch {
	case held.Extended >= x.Times:
		return held, fmt.Errorf("the hold was extended %d times, and the policy allows no more than %d (extension.times)", held.Extended, x.Times)
	case days < 1 || days > x.Days:
		return held, fmt.Errorf("by how many days? the policy allows 1 to %d (extension.days)", x.Days)
	}
	held.End = c.g.policy.End(held.End, Span{Value: days, Unit: Days})
	held.Extended++
	return held, nil
}
