package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// accounts are the entries of the vendor's lists that a claim is to: the company's own, and
// those of its group if a claim is to all of it.
func (p *Policy) accounts(c intake.Case) []intake.Account {
	list := []intake.Account{c.Known.Account}
	if p.spec.GroupScope == GroupWhole {
		list = append(list, c.Known.Group...)
	}
	return list
}

// blockedAccount: by its domain, by a record of a CRM or by its country, an account is certainly
// the blocked one. By its name alone, or by the contact's address, a person has to say so.
func (p *Policy) blockedAccount(_ time.Time, c intake.Case) intake.Finding {
	f := intake.Finding{Outcome: intake.OutcomeDecline, Reason: intake.ReasonBlocked}
	if f.Evidence = p.certainlyBlocked(c); f.Evidence != "" {
		return f
	}
	f.Outcome = intake.OutcomeReview
	_, host, _ := strings.Cut(c.Registration.Lead[intake.FieldContactEmail], "@")
	if d, err := p.ids.Domain(host); err == nil && p.blocked[d.Key] {
		f.Evidence = "the contact is at " + d.Key + ", which is on the list of blocked accounts"
		return f
	}
	for _, alike := range c.Known.Alike {
		if alike.Account.Blocked != "" {
			f.Evidence = fmt.Sprintf("perhaps the blocked %s: %s: %s", describe(alike.Account), alike.Evidence, alike.Account.Blocked)
			return f
		}
	}
	return intake.Finding{}
}

func (p *Policy) certainlyBlocked(c intake.Case) string {
	lead := c.Registration.Lead
	if domain := lead[intake.FieldCompanyDomain]; p.blocked[domain] {
		return domain + " is on the list of blocked accounts"
	}
	if country := lead[intake.FieldCountry]; slices.Contains(p.spec.BlockedCountries, country) {
		return country + " is on the list of blocked countries"
	}
	for _, a := range p.accounts(c) {
		if a.Blocked != "" {
			return describe(a) + " is blocked: " + a.Blocked
		}
	}
	if lead[intake.FieldCompanyDomain] == "" {
		return "" // a CRM can have found it by its name alone
	}
	listed := slices.Clone(c.Known.Group)
	for _, alike := range c.Known.Alike {
		listed = append(listed, alike.Account)
	}
	for _, a := range listed {
		if i := slices.IndexFunc(c.Matches, func(m intake.Match) bool { return m.Ref.ID != "" && slices.Contains(a.CRM, m.Ref.ID) }); a.Blocked != "" && i >= 0 {
			return fmt.Sprintf("record %s in %s is that of %s, which is blocked: %s", c.Matches[i].Ref.ID, c.Matches[i].CRM, describe(a), a.Blocked)
		}
	}
	return ""
}

// describe names an account beside another one.
func describe(a intake.Account) string {
	return fmt.Sprintf("%s (%s, %s)", or(a.Name, "an account"), or(a.Domain, "no domain"), or(a.Country, "country unknown"))
}

// incumbent is the partner who serves the company: the one of the vendor's list, or else the one
// whom the CRM names with what the company bought.
func incumbent(c intake.Case) string {
	if c.Known.Account.Incumbent != "" {
		return c.Known.Account.Incumbent
	}
	for _, m := range c.Matches {
		if m.Kind == intake.MatchCustomer && m.Partner != "" {
			return m.Partner
		}
	}
	return ""
}

// existingCustomer: who buys already is no new business, but for the partner who serves them.
func (p *Policy) existingCustomer(now time.Time, c intake.Case) intake.Finding {
	customer := p.customer(c)
	serves := incumbent(c)
	if customer == "" && serves == "" {
		return intake.Finding{}
	}
	f := intake.Finding{Outcome: intake.OutcomeReview, Reason: intake.ReasonExistingCustomer, Evidence: customer}
	if customer == "" {
		f.Reason, f.Evidence = intake.ReasonIncumbent, describe(c.Known.Account)
	}
	switch serves {
	case "":
	case c.Registration.Partner:
		f.Outcome, f.Reason = intake.OutcomeApprove, intake.ReasonIncumbent
		f.Evidence += ", served by this partner"
	default:
		f.Evidence += ", served by partner " + serves
	}
	if renewal := c.Known.Account.Renewal; p.spec.Renewal.Value > 0 && !renewal.Before(now) && !renewal.After(p.End(now, p.spec.Renewal)) {
		f.Evidence += fmt.Sprintf("; its contract ends on %s, within %s", p.day(renewal), p.spec.Renewal)
	}
	return f
}

// customer says which record or entry makes the company a customer, "" if none does.
func (p *Policy) customer(c intake.Case) string {
	for _, a := range p.accounts(c) {
		if a.Customer {
			return describe(a) + " is a customer by our list"
		}
	}
	for _, m := range c.Matches {
		if m.Kind == intake.MatchCustomer && (m.Case == "" || m.Case != c.Registration.Number) {
			return fmt.Sprintf("%s %s in %s", m.Kind, m.Ref.ID, m.CRM)
		}
	}
	return ""
}

// existingDeal: the CRM knows an open deal that no registration of ours made. One of this
// partner's own is no obstacle, and neither is one that nobody has touched for long; a person can
// see both.
func (p *Policy) existingDeal(now time.Time, c intake.Case) intake.Finding {
	var noted intake.Finding
	for _, m := range c.Matches {
		if m.Kind != intake.MatchOpenDeal || m.Case != "" {
			continue
		}
		f := intake.Finding{
			Outcome: intake.OutcomeReview, Reason: intake.ReasonExistingDeal,
			Evidence: fmt.Sprintf("%s %s in %s", m.Kind, m.Ref.ID, m.CRM),
		}
		switch {
		case m.Partner != "" && m.Partner == c.Registration.Partner:
			f.Outcome, f.Evidence = intake.OutcomeApprove, f.Evidence+", which names this partner"
		case !m.Activity.IsZero() && p.spec.DealActivity.Value > 0 && now.After(p.End(m.Activity, p.spec.DealActivity)):
			f.Outcome, f.Reason = intake.OutcomeApprove, intake.ReasonStaleDeal
			f.Evidence += ", without activity since " + p.day(m.Activity)
		case m.Partner == "" && c.Registration.Lead[intake.FieldCompanyDomain] != "":
			f.Outcome = p.spec.DirectDeal // without a domain it can have been found by the name alone
		}
		if noted.Outcome == "" || f.Outcome.Worse(noted.Outcome) {
			noted = f
		}
	}
	return noted
}

// recentContact: direct sales talked to the company a short while ago.
func (p *Policy) recentContact(now time.Time, c intake.Case) intake.Finding {
	at := c.Known.Account.Contacted
	if p.spec.RecentContact.Value < 1 || at.IsZero() || now.After(p.End(at, p.spec.RecentContact)) {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeReview, Reason: intake.ReasonRecentContact,
		Evidence: fmt.Sprintf("direct sales was in contact on %s, within %s", p.day(at), p.spec.RecentContact),
	}
}

// namedAccount: the company is another partner's by agreement.
func (p *Policy) namedAccount(_ time.Time, c intake.Case) intake.Finding {
	others := slices.DeleteFunc(slices.Clone(c.Known.Named), func(id string) bool { return id == c.Registration.Partner })
	switch {
	case len(others) > 0:
		return intake.Finding{
			Outcome: intake.OutcomeReview, Reason: intake.ReasonNamedAccount,
			Evidence: "a named account of partner " + strings.Join(others, ", "),
		}
	case len(c.Known.Named) > 0:
		return intake.Finding{
			Outcome: intake.OutcomeApprove, Reason: intake.ReasonNamedAccount, Evidence: "a named account of this partner",
		}
	}
	return intake.Finding{}
}

// relatedAccount: a parent, a child or a sibling of the company is somebody else's. That is for a
// person, unless a claim is to the whole group.
func (p *Policy) relatedAccount(_ time.Time, c intake.Case) intake.Finding {
	if p.spec.GroupScope == GroupWhole {
		return intake.Finding{}
	}
	v, found := first(p.rivals(c), func(v intake.Rival) bool {
		return v.Grade == identity.GradeRelated && v.Partner != c.Registration.Partner
	})
	if found {
		return finding(intake.OutcomeReview, intake.ReasonRelatedAccount, v)
	}
	for _, a := range c.Known.Group {
		what := ""
		switch {
		case a.Blocked != "":
			what = "is blocked: " + a.Blocked
		case a.Incumbent != "" && a.Incumbent != c.Registration.Partner:
			what = "is served by partner " + a.Incumbent
		case a.Customer && a.Incumbent == "":
			what = "is a customer"
		default:
			continue
		}
		return intake.Finding{
			Outcome: intake.OutcomeReview, Reason: intake.ReasonRelatedAccount,
			Evidence: fmt.Sprintf("%s of the same group %s", describe(a), what),
		}
	}
	return intake.Finding{}
}

// crmReachable: what could not be looked up is never approved unseen.
func crmReachable(_ time.Time, c intake.Case) intake.Finding {
	if len(c.Unreachable) == 0 {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeReview, Reason: intake.ReasonCRMUnverified,
		Evidence: "could not ask " + strings.Join(c.Unreachable, ", "),
	}
}

// similarAccount: what may be the same company under another domain is for a person.
func (p *Policy) similarAccount(_ time.Time, c intake.Case) intake.Finding {
	v, found := first(p.rivals(c), func(v intake.Rival) bool {
		return v.Partner != c.Registration.Partner && (v.Grade == identity.GradePossible || v.Grade == identity.GradeProbable)
	})
	if found {
		return finding(intake.OutcomeReview, intake.ReasonSimilarAccount, v)
	}
	if len(c.Known.Alike) == 0 {
		return intake.Finding{}
	}
	lead, alike := c.Registration.Lead, c.Known.Alike[0]
	this := intake.Account{Name: lead[intake.FieldCompanyName], Domain: lead[intake.FieldCompanyDomain], Country: lead[intake.FieldCountry]}
	return intake.Finding{
		Outcome: intake.OutcomeReview, Reason: intake.ReasonSimilarAccount,
		Evidence: fmt.Sprintf("%s beside %s of our list: %s", describe(this), describe(alike.Account), alike.Evidence),
	}
}

// lookAlike: a domain that mixes scripts or imitates another is never matched by itself.
func (p *Policy) lookAlike(_ time.Time, c intake.Case) intake.Finding {
	domain := c.Registration.Lead[intake.FieldCompanyDomain]
	if domain == "" || !p.ids.Suspect(domain) {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeReview, Reason: intake.ReasonHomograph,
		Evidence: domain + " mixes look-alike letters",
	}
}

// contactDomain notes a contact of another company; it does not stand in the way.
func (p *Policy) contactDomain(_ time.Time, c intake.Case) intake.Finding {
	lead := c.Registration.Lead
	_, host, found := strings.Cut(lead[intake.FieldContactEmail], "@")
	d, err := p.ids.Domain(host)
	if !found || err != nil || d.FreeMail || lead[intake.FieldCompanyDomain] == "" || d.Key == lead[intake.FieldCompanyDomain] || slices.Contains(c.Known.Account.Aliases, d.Key) {
		return intake.Finding{}
	}
	return intake.Finding{
		Outcome: intake.OutcomeApprove, Reason: intake.ReasonContactDomain,
		Evidence: fmt.Sprintf("the contact is at %s, the company at %s", d.Key, lead[intake.FieldCompanyDomain]),
	}
}
