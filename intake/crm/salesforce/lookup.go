package salesforce

import (
	"context"
	"strings"

	"leadgate/intake"
)

// Lookup tells what the org knows of the company's domain, in one call: by the external id, by the
// website, and by the addresses of people of accounts without a website. A lead without a domain
// matches nothing.
func (s *Salesforce) Lookup(ctx context.Context, lead intake.Lead) ([]intake.Match, error) {
	domain := strings.ToLower(strings.TrimSpace(lead[intake.FieldCompanyDomain]))
	if domain == "" {
		return nil, nil
	}
	const account = "Id, Name, Website, Leadgate_Domain__c, Type, LastActivityDate, LastModifiedDate"
	site := like(domain)
	of := "Account." + strings.ReplaceAll(account, ", ", ", Account.")
	var accounts, mates, deals, more []record
	_, err := s.read(ctx, map[string]*[]record{"acc": &accounts, "mate": &mates, "opp": &deals, "more": &more},
		s.query("acc", bind("SELECT "+account+" FROM Account WHERE Leadgate_Domain__c = ? OR "+onSite("Website")+" ORDER BY CreatedDate ASC LIMIT 200", domain, site, site, site)),
		s.query("mate", bind("SELECT Id, "+of+" FROM Contact WHERE Email LIKE '%@?' AND AccountId != null LIMIT 200", site)),
		s.query("opp", bind("SELECT "+s.dealColumns("")+" FROM Opportunity WHERE (Account.Leadgate_Domain__c = ? OR "+onSite("Account.Website")+") AND (IsClosed = false OR IsWon = true) ORDER BY IsClosed ASC, CreatedDate DESC LIMIT 200", domain, site, site, site)),
		s.query("more", bind("SELECT "+s.dealColumns("")+" FROM Opportunity WHERE AccountId IN (SELECT AccountId FROM Contact WHERE Email LIKE '%@?') AND (IsClosed = false OR IsWon = true) ORDER BY IsClosed ASC, CreatedDate DESC LIMIT 200", site)),
	)
	if err != nil {
		return nil, s.fail("look up a company", err)
	}
	for _, m := range mates {
		if a := m.ref("Account"); websiteHost(a.text("Website")) == "" {
			a["mate"] = true
			accounts = append(accounts, a)
		}
	}
	return s.matches(domain, accounts, append(deals, more...)), nil
}

// matches are what there is of the accounts that are the company's: its deals, and whether it has
// bought.
func (s *Salesforce) matches(domain string, accounts, deals []record) []intake.Match {
	var all []intake.Match
	theirs, bought, seen := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	var order []record
	for _, a := range accounts {
		mine := a["mate"] == true || strings.EqualFold(a.text(keyAccount), domain) || ofDomain(a.text("Website"), domain)
		if mine && !theirs[a.text("Id")] {
			theirs[a.text("Id")] = true
			order = append(order, a)
		}
	}
	for _, d := range deals {
		id, account := d.text("Id"), d.text("AccountId")
		m := s.match(d)
		switch {
		case !theirs[account] || seen[id]:
		case m.Kind == intake.MatchOpenDeal && s.outcome(d) == intake.DealOpen:
			all = append(all, m)
		case m.Kind == intake.MatchCustomer && !bought[account]:
			bought[account] = true
			all = append(all, m)
		}
		seen[id] = true
	}
	for _, a := range order {
		id := a.text("Id")
		m := intake.Match{CRM: s.c.Name, Kind: intake.MatchAccount, Ref: s.dealRef(id, objAccount), Activity: a.time("LastActivityDate")}
		if m.Activity.IsZero() {
			m.Activity = a.time("LastModifiedDate")
		}
		if strings.HasPrefix(a.text("Type"), "Customer") && !bought[id] {
			m.Kind = intake.MatchCustomer
		}
		all = append(all, m)
	}
	return all
}
