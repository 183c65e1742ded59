package intake

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The spaces of what tells a partner who searches for the accounts of others from one who
// registers: what was judged lately, in numbers by day, so that a further case costs the same
// however many there are. Which company it was is kept as a hash.
const (
	spaceProbing = "probing" // partner → probing
	spaceProbed  = "probed"  // partner/hash of a domain → probed
)

// maxProbed bounds the cases that an alert names, and those that are kept of a day.
const maxProbed = 10

// ProbeLimits say when the registrations of a partner look like a search for what others have:
// at least so many domains within so many days, of which so many percent are taken.
type ProbeLimits struct {
	// Domains is how many different ones it takes; 0 for never.
	Domains int `yaml:"domains" json:"domains"`
	// Taken is how many percent of them were declined, or are somebody else's.
	Taken int `yaml:"taken" json:"taken"`
	// Within is a number of calendar days.
	Within Span `yaml:"within" json:"within"`
}

// Probe is what staff are told of a partner whose registrations look like a search.
type Probe struct {
	Domains int `json:"domains"`
	Taken   int `json:"taken"`
	Days    int `json:"days"`
	// Cases are the newest of those that are taken.
	Cases []string `json:"cases,omitempty"`
}

// probing counts a partner's domains by the day (2026-01-31) on which they were registered.
type probing struct {
	Days map[string]probeDay `json:"days"`
	// Told is the day on which staff were told last.
	Told string `json:"told,omitempty"`
}

type probeDay struct {
	Domains int      `json:"domains"`
	Taken   int      `json:"taken,omitempty"`
	Cases   []string `json:"cases,omitempty"` // those that are taken, newest last
}

// probed is a domain that counts, and the day on which it does.
type probed struct {
	Day   string `json:"day"`
	Taken bool   `json:"taken,omitempty"`
}

// taken reports whether a verdict says that somebody else has the account, or that the partner
// can't. What a person has to look at because of a similar name, say, is not.
func (d Decision) taken() bool {
	switch d.Outcome {
	case OutcomeDecline, OutcomeWaitlist:
		return true
	case OutcomeReview:
		return slices.Contains([]Reason{
			ReasonBlocked, ReasonExistingCustomer, ReasonExistingDeal, ReasonProtectedByOther, ReasonContested,
			ReasonNamedAccount, ReasonRelatedAccount, ReasonRecentContact, ReasonIncumbent,
		}, d.Reason)
	}
	return false
}

// probe counts the account of a case that was judged, once however often that is, and tells
// staff if the partner's look like a search. The partner is told nothing, and nothing changes
// for him: an alert is no verdict, and must not become a way to learn of one.
func (c *change) probe(r *Registration, taken bool) error {
	limits, domain := c.g.policy.Alerts().Probe, r.Lead[FieldCompanyDomain]
	if limits.Domains == 0 || domain == "" || r.Partner == "" {
		return nil
	}
	first, day := c.probeDay(c.at, limits.Within.Value-1), c.probeDay(r.Accepted, 0)
	var was probed
	key := r.Partner + "/" + shortID(domain)
	if err := ignoreNotFound(getJSON(c, spaceProbed, key, &was)); err != nil {
		return err
	}
	fresh := was.Day < first
	if fresh {
		was = probed{Day: day}
	}
	if day < first || !fresh && (was.Taken || !taken) {
		return nil // too long ago, or counted
	}
	var p probing
	if err := ignoreNotFound(getJSON(c, spaceProbing, r.Partner, &p)); err != nil {
		return err
	}
	p.count(was.Day, first, r.Number, fresh, taken)
	was.Taken = taken
	if err := putJSON(c, spaceProbed, key, was); err != nil {
		return err
	}
	if found := p.found(limits); found != nil && p.Told < first {
		p.Told = c.probeDay(c.at, 0)
		if err := c.tellProbe(r.Partner, *found, p.Told); err != nil {
			return err
		}
	}
	return putJSON(c, spaceProbing, r.Partner, p)
}

// probeDay is the day of the programme so many days before t.
func (c *change) probeDay(t time.Time, before int) string {
	return t.In(c.g.policy.Zone()).AddDate(0, 0, -before).Format(time.DateOnly)
}

// count adds to a day, and forgets the days before the first that counts.
func (p *probing) count(day, first, number string, fresh, taken bool) {
	days := map[string]probeDay{}
	for name, d := range p.Days {
		if name >= first {
			days[name] = d
		}
	}
	d := days[day]
	if fresh {
		d.Domains++
	}
	if taken {
		d.Taken++
		d.Cases = append(slices.Clone(d.Cases), number)
		d.Cases = d.Cases[max(0, len(d.Cases)-maxProbed):]
	}
	days[day] = d
	p.Days = days
}

// found is what there is to tell; nil if it is within the limits.
func (p *probing) found(limits ProbeLimits) *Probe {
	f := Probe{Days: limits.Within.Value}
	var days []string
	for name := range p.Days {
		days = append(days, name)
	}
	slices.Sort(days)
	for _, name := range days {
		f.Domains += p.Days[name].Domains
		f.Taken += p.Days[name].Taken
		f.Cases = append(f.Cases, p.Days[name].Cases...)
	}
	if f.Domains < limits.Domains || f.Taken*100 < limits.Taken*f.Domains {
		return nil
	}
	f.Cases = f.Cases[max(0, len(f.Cases)-maxProbed):]
	slices.Reverse(f.Cases)
	return &f
}

// tellProbe tells the programme's contact, and the partner's manager, who may know why.
func (c *change) tellProbe(partnerID string, found Probe, day string) error {
	p, err := partner(c, partnerID)
	if err := ignoreNotFound(err); err != nil {
		return err
	}
	b := Brief{Partner: p.Name, PartnerID: partnerID, Probe: &found}
	lead, id := c.g.policy.Contact(), fmt.Sprintf("P-%s.%s", shortID(partnerID), day)
	if err := c.tellStaff(lead, StaffProbe, b, id, c.programFacts(p)); err != nil || strings.EqualFold(p.Manager.Email, lead.Email) {
		return err
	}
	return c.tellStaff(p.Manager, StaffProbe, b, id, c.programFacts(p))
}
