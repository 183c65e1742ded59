package hubspot

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"leadgate/intake"
)

const (
	moreDomains  = "hs_additional_domains" // "a.example;b.example"
	moreEmails   = "hs_additional_emails"  // "a@a.example;b@b.example"
	lifecycle    = "lifecyclestage"
	maxCompanies = 50
	maxDeals     = 200 // of a company that are read one by one
	maxGroups    = 5   // of conditions, in a search
)

// companiesOf finds the companies of a domain: the one that has it as its key, then those that have
// it as their own, then as a further one, the oldest first.
func (c *Connector) companiesOf(ctx context.Context, domain string, properties []string) ([]*object, error) {
	properties = append(slices.Clone(properties), domainProperty, "name", "domain", moreDomains, lifecycle, "createdate")
	slices.Sort(properties)
	f, err := c.search(ctx, companies, [][]filter{
		{{domainProperty, "EQ", domain}}, {{"domain", "EQ", domain}}, {{"domain", "EQ", "www." + domain}}, {{moreDomains, "CONTAINS_TOKEN", domain}},
	}, slices.Compact(properties), "createdate", "0", maxCompanies)
	if err != nil {
		return nil, err
	}
	rank := func(o *object) int {
		switch {
		case strings.EqualFold(o.Properties[domainProperty], domain):
			return 1
		case hostIs(o.Properties["domain"], domain):
			return 2
		case slices.ContainsFunc(strings.Split(o.Properties[moreDomains], ";"), func(d string) bool { return hostIs(d, domain) }):
			return 3
		}
		return 0
	}
	all := slices.DeleteFunc(f.Results, func(o *object) bool { return rank(o) == 0 })
	slices.SortStableFunc(all, func(a, b *object) int { return cmp.Compare(rank(a), rank(b)) })
	return all, nil
}

// hostIs reports whether what people typed for a domain is that one.
func hostIs(typed, domain string) bool {
	host := strings.ToLower(strings.TrimSpace(typed))
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host = rest
	}
	host, _, _ = strings.Cut(host, "/")
	return strings.TrimPrefix(host, "www.") == domain
}

// hasEmail reports whether an address is one of a contact's.
func (o *object) hasEmail(email string) bool {
	all := append(strings.Split(o.Properties[moreEmails], ";"), o.Properties["email"])
	return slices.ContainsFunc(all, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), email) })
}

// dealProperties are what is read of a deal, beside its own fields.
var dealProperties = []string{
	caseProperty, partnerProperty, prefix + "status", "dealname", "pipeline", "dealstage", "hs_is_closed", "hs_is_closed_won", "hubspot_owner_id",
	"amount", "deal_currency_code", "closedate", "hs_next_step", "notes_last_contacted", "notes_last_updated", "createdate",
	modified, "hs_merged_object_ids",
}

const modified = "hs_lastmodifieddate"

// Lookup finds the company of a lead by its domain, and what deals it has: by a search, and by the key
// that our own companies have, which takes no time to be found. A lead without a domain is looked up by
// its name; whether that is the same company is for people to say.
func (c *Connector) Lookup(ctx context.Context, lead intake.Lead) ([]intake.Match, error) {
	all, err := c.lookup(ctx, lead)
	if err != nil {
		return nil, c.fail("look up", cmp.Or(lead[intake.FieldCompanyDomain], "a company"), err)
	}
	return all, nil
}

func (c *Connector) lookup(ctx context.Context, lead intake.Lead) (matches []intake.Match, err error) {
	domain, name := lead[intake.FieldCompanyDomain], line(lead[intake.FieldCompanyName], 250)
	if domain == "" && name == "" {
		return nil, nil
	}
	a, err := c.details(ctx)
	if err != nil {
		return nil, err
	}
	if domain == "" {
		f, err := c.search(ctx, companies, [][]filter{{{"name", "EQ", name}}}, []string{"name"}, "createdate", "0", maxCompanies)
		if err != nil {
			return nil, err
		}
		for _, o := range f.Results {
			matches = append(matches, c.match(a, intake.MatchAccount, o))
		}
		return matches, nil
	}
	found, err := c.companiesOf(ctx, domain, nil)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || found[0].Properties[domainProperty] != domain {
		ours, err := c.readAll(ctx, companies, []string{domain}, domainProperty, []string{lifecycle})
		if err != nil {
			return nil, err
		}
		for _, o := range ours {
			if !slices.ContainsFunc(found, func(f *object) bool { return f.ID == o.ID }) {
				found = append(found, o)
			}
		}
	}
	return c.dealsOf(ctx, a, found)
}

// dealsOf are the matches of companies that were found.
func (c *Connector) dealsOf(ctx context.Context, a account, found []*object) (matches []intake.Match, err error) {
	if len(found) == 0 {
		return nil, nil
	}
	var of []string
	for _, o := range found {
		of = append(of, o.ID)
	}
	links, many, err := c.linksFrom(ctx, companies, of, deals, false)
	if err != nil {
		return nil, err
	}
	var ids []string
	for company, some := range links {
		if len(some) > maxDeals {
			slices.SortFunc(some, func(a, b string) int { return cmp.Compare(integer(b), integer(a)) })
			some, many = some[:maxDeals], append(many, company)
		}
		ids = append(ids, some...)
	}
	all, err := c.readAll(ctx, deals, ids, "", dealProperties)
	if err == nil && len(many) > 0 {
		all, err = c.dealsOfMany(ctx, many, all)
	}
	if err != nil {
		return nil, err
	}
	customer := false
	for _, d := range all {
		switch c.outcome(nil, d) {
		case intake.DealOpen:
			matches = append(matches, c.match(a, intake.MatchOpenDeal, d))
		case intake.DealWon:
			matches = append(matches, c.match(a, intake.MatchCustomer, d))
			customer = true
		}
	}
	for _, o := range found {
		kind := intake.MatchAccount
		if o.Properties[lifecycle] == "customer" {
			kind = intake.MatchCustomer
		}
		if kind != intake.MatchCustomer || !customer {
			matches = append(matches, c.match(a, kind, o))
		}
	}
	return matches, nil
}

// dealsOfMany adds to deals the open ones of companies that have very many, and one that was won, as a
// search finds them: one that was made a moment ago may be missed.
func (c *Connector) dealsOfMany(ctx context.Context, of []string, all []*object) ([]*object, error) {
	slices.Sort(of)
	of = slices.Compact(of)
	of = of[:min(len(of), maxGroups)]
	for _, w := range []struct {
		property, value string
		rows            int
	}{{"hs_is_closed", "false", pageRows}, {"hs_is_closed_won", "true", 1}} {
		var groups [][]filter
		for _, company := range of {
			groups = append(groups, []filter{{"associations.company", "EQ", company}, {w.property, "EQ", w.value}})
		}
		f, err := c.search(ctx, deals, groups, dealProperties, "-createdate", "0", w.rows)
		if err != nil {
			return nil, err
		}
		for _, o := range f.Results {
			if !slices.ContainsFunc(all, func(d *object) bool { return d.ID == o.ID }) {
				all = append(all, o)
			}
		}
	}
	return all, nil
}

// match tells of a deal, or of a company.
func (c *Connector) match(a account, kind intake.MatchKind, o *object) intake.Match {
	m := intake.Match{
		CRM: c.Name(), Kind: kind, Ref: intake.Ref{ID: o.ID, URL: a.link(companyType, o.ID)},
		Case: o.Properties[caseProperty], Partner: o.Properties[partnerProperty],
	}
	if _, deal := o.Properties["dealstage"]; deal {
		m.Ref.URL = a.link(dealType, o.ID)
		for _, p := range []string{"notes_last_updated", "notes_last_contacted", "createdate"} {
			if at := moment(o.Properties[p]); at.After(m.Activity) {
				m.Activity = at
			}
		}
	}
	return m
}
