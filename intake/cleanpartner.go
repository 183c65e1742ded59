package intake

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"leadgate/intake/identity"
)

var (
	partnerID    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	partnerCode  = regexp.MustCompile(`^[A-Z0-9]{4,12}$`)
	slackTeam    = regexp.MustCompile(`^[TE][A-Z0-9]{2,20}$`)
	slackChannel = regexp.MustCompile(`^[CG][A-Z0-9]{2,20}$`)
	teamsTenant  = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	channelName  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)
)

// CleanPartner returns p in the form in which it is stored, or all that is wrong with it, each
// an *EntryFault. Domains and addresses are checked by the identity lists: a mail provider's
// domain can't belong to a partner, for then all its users would speak for them.
func (g *Gateway) CleanPartner(p Partner) (Partner, []error) {
	c := partnerCleaner{ids: g.ids, p: &p}
	c.names()
	c.domains()
	c.subdomains()
	c.contacts()
	c.person("manager", &p.Manager)
	c.person("executive", &p.Executive)
	c.place()
	c.bindings()
	c.territories()
	c.named()
	c.certifications()
	c.agreement()
	if len(p.Domains)+len(p.Contacts)+len(c.faults) == 0 {
		c.faults.add("domains", "there is neither a domain nor a contact, so nobody can speak for the partner")
	}
	return p, c.faults
}

// partnerCleaner brings a partner into its form and collects what can't be.
type partnerCleaner struct {
	ids    *identity.Lists
	p      *Partner
	faults entryFaults
}

// cleanLine makes one short line of a text.
func cleanLine(s string) string { return cleanText(s, FieldCompanyName) }

func (c *partnerCleaner) names() {
	p := c.p
	p.ID, p.Code = strings.ToLower(strings.TrimSpace(p.ID)), strings.ToUpper(strings.TrimSpace(p.Code))
	p.Name, p.Legal, p.Tier, p.Program = cleanLine(p.Name), cleanLine(p.Legal), cleanLine(p.Tier), cleanLine(p.Program)
	if !partnerID.MatchString(p.ID) || len(p.ID) > 64 {
		c.faults.add("id", "%q: want lower-case letters, digits and hyphens, like acme-partners", p.ID)
	}
	if p.Code != "" && !partnerCode.MatchString(p.Code) {
		c.faults.add("code", "%q: want 4 to 12 capital letters and digits, like ACME2026", p.Code)
	}
	if p.Name == "" {
		c.faults.add("name", "is missing")
	}
	if p.Status == "" {
		p.Status = PartnerActive
	}
	if !slices.Contains(PartnerStatuses(), p.Status) {
		c.faults.add("status", "%q: want one of %v", p.Status, PartnerStatuses())
	}
	p.StatusFrom = asStored(p.StatusFrom)
	if p.Motion == "" {
		p.Motion = "referral"
	}
	if !slices.Contains(Motions(), p.Motion) {
		c.faults.add("motion", "%q: want one of %v", p.Motion, Motions())
	}
	if p.Quota < 0 {
		c.faults.add("quota", "%d: want 0, for any number, or more", p.Quota)
	}
}

// asStored is a time as stores keep it.
func asStored(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Microsecond)
}

func (c *partnerCleaner) domains() {
	var domains []string
	for i, raw := range c.p.Domains {
		d, err := c.ids.Domain(raw)
		switch {
		case err != nil:
			c.faults.add(fmt.Sprintf("domains[%d]", i), "%v", err)
		case d.FreeMail:
			c.faults.add(fmt.Sprintf("domains[%d]", i), "%q belongs to a mail provider; list the person under contacts instead", raw)
		default:
			domains = append(domains, d.Host)
		}
	}
	c.p.Domains = sortedSet(domains)
}

func (c *partnerCleaner) subdomains() {
	var list []string
	for i, raw := range c.p.Subdomains {
		d, err := c.ids.Domain(raw)
		if err != nil || !slices.Contains(c.p.Domains, d.Host) {
			c.faults.add(fmt.Sprintf("subdomains[%d]", i), "%q is none of the partner's domains; list it there too", raw)
			continue
		}
		list = append(list, d.Host)
	}
	c.p.Subdomains = sortedSet(list)
}

// sortedSet is a list in order, each value once; nil if there is none.
func sortedSet(list []string) []string {
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return nil
	}
	return list
}

func (c *partnerCleaner) contacts() {
	c.p.Contacts = slices.Clone(c.p.Contacts)
	seen := make(map[string]bool)
	for i := range c.p.Contacts {
		p, field := &c.p.Contacts[i], fmt.Sprintf("contacts[%d]", i)
		c.person(field, p)
		if p.Email == "" {
			c.faults.add(field+".email", "is missing")
		}
		if key := strings.ToLower(p.Email); key != "" && seen[key] {
			c.faults.add(field+".email", "%q is there twice", p.Email)
		} else {
			seen[key] = true
		}
		if p.Status != "" && p.Status != ContactBounced && p.Status != ContactLeft {
			c.faults.add(field+".status", "%q: want %s, %s or nothing", p.Status, ContactBounced, ContactLeft)
		}
	}
}

// person cleans one that may be missing.
func (c *partnerCleaner) person(field string, p *Contact) {
	p.Name, p.Role, p.Status = cleanLine(p.Name), cleanLine(p.Role), strings.ToLower(strings.TrimSpace(p.Status))
	if strings.ContainsAny(p.Role, "[];") {
		c.faults.add(field+".role", "%q: leave out semicolons and square brackets", p.Role)
	}
	if p.Email == "" {
		return
	}
	addr, err := cleanAddress(p.Email)
	if err != nil {
		c.faults.add(field+".email", "%v", err)
		return
	}
	p.Email = addr
}

func (c *partnerCleaner) place() {
	p := c.p
	if p.Country = strings.TrimSpace(p.Country); p.Country != "" {
		code, ok := identity.Country(p.Country)
		if !ok {
			c.faults.add("country", "%q is no country's two-letter code, like DE", p.Country)
		}
		p.Country = code
	}
	if p.Locale = strings.TrimSpace(p.Locale); p.Locale != "" {
		tag, ok := identity.Locale(p.Locale)
		if !ok {
			c.faults.add("locale", "%q is no language, like en or pt-BR", p.Locale)
		}
		p.Locale = tag
	}
}

// bindings are where else than by mail the partner is heard.
func (c *partnerCleaner) bindings() {
	p := c.p
	if p.Slack != nil {
		s := Slack{Team: strings.ToUpper(strings.TrimSpace(p.Slack.Team)), Channel: strings.ToUpper(strings.TrimSpace(p.Slack.Channel))}
		// One of them is enough: guests have no workspace of their own, and a workspace that has
		// installed the app needs no shared channel.
		if !slackTeam.MatchString(s.Team) && (s.Team != "" || s.Channel == "") {
			c.faults.add("slack.team", "%q: want the id of a workspace, like T024BE7LD", s.Team)
		}
		if !slackChannel.MatchString(s.Channel) && s.Channel != "" {
			c.faults.add("slack.channel", "%q: want the id of a channel, like C024BE91L", s.Channel)
		}
		p.Slack = &s
	}
	if p.Teams != nil {
		t := Teams{Tenant: strings.ToLower(strings.TrimSpace(p.Teams.Tenant))}
		if !teamsTenant.MatchString(t.Tenant) {
			c.faults.add("teams.tenant", "%q: want the id of a tenant, like 72f988bf-86f1-41af-91ab-2d7cd011db47", t.Tenant)
		}
		p.Teams = &t
	}
	var channels []string
	for i, name := range p.Channels {
		name = strings.ToLower(strings.TrimSpace(name))
		switch {
		case !channelName.MatchString(name):
			c.faults.add(fmt.Sprintf("channels[%d]", i), "%q: want the name of a channel, like email or slack", name)
		case slices.Contains(channels, name):
			c.faults.add(fmt.Sprintf("channels[%d]", i), "%q is there twice", name)
		}
		channels = append(channels, name)
	}
	p.Channels = channels
}

func (c *partnerCleaner) territories() {
	var list []string
	for i, raw := range c.p.Territories {
		rest, without := strings.CutPrefix(strings.TrimSpace(raw), "-")
		code, ok := identity.Territory(rest)
		if !ok {
			c.faults.add(fmt.Sprintf("territories[%d]", i), "%q: want a country like DE or a part of one like US-CA, with - in front to leave it out", raw)
			continue
		}
		if without {
			code = "-" + code
		}
		list = append(list, code)
	}
	c.p.Territories = sortedSet(list)
}

func (c *partnerCleaner) named() {
	c.p.Named = slices.Clone(c.p.Named)
	for i := range c.p.Named {
		n, field := &c.p.Named[i], fmt.Sprintf("named_accounts[%d]", i)
		n.Domain = cleanAccountDomain(c.ids, n.Domain, field+".domain", &c.faults)
		c.day(field+".from", &n.From)
		c.day(field+".to", &n.To)
		if n.From != "" && n.To != "" && n.To < n.From {
			c.faults.add(field+".to", "%s is before %s, from when on it counts", n.To, n.From)
		}
	}
}

// cleanAccountDomain is the registrable domain of a company.
func cleanAccountDomain(ids *identity.Lists, raw, field string, faults *entryFaults) string {
	d, err := ids.Domain(raw)
	switch {
	case err != nil:
		faults.add(field, "%v", err)
		return raw
	case d.FreeMail:
		faults.add(field, "%q belongs to a mail provider; give the company's own domain", raw)
	}
	return d.Key
}

// day checks a calendar day that may be missing.
func (c *partnerCleaner) day(field string, day *string) {
	*day = strings.TrimSpace(*day)
	if _, err := time.Parse(time.DateOnly, *day); *day != "" && err != nil {
		c.faults.add(field, "%q: want a day like 2026-01-31", *day)
	}
}

func (c *partnerCleaner) certifications() {
	c.p.Certifications = slices.Clone(c.p.Certifications)
	for i := range c.p.Certifications {
		t, field := &c.p.Certifications[i], fmt.Sprintf("certifications[%d]", i)
		t.Product, t.Level = cleanLine(t.Product), cleanLine(t.Level)
		if t.Product == "" {
			c.faults.add(field+".product", "is missing")
		}
		c.listable(field+".product", t.Product)
		c.listable(field+".level", t.Level)
		c.day(field+".until", &t.Until)
	}
}

// listable refuses what stands between the values where they are written as one line.
func (c *partnerCleaner) listable(field, v string) {
	if strings.ContainsAny(v, ";|") {
		c.faults.add(field, "%q: leave out semicolons and bars", v)
	}
}

func (c *partnerCleaner) agreement() {
	c.day("agreement_until", &c.p.Agreement)
	a := &c.p.Acknowledged
	a.Version, a.By, a.At = cleanLine(a.Version), strings.TrimSpace(a.By), asStored(a.At)
	if a.Version == "" && (a.By != "" || !a.At.IsZero()) {
		c.faults.add("rules_acknowledged.version", "is missing: which rules did they agree to?")
	}
	if a.By == "" {
		return
	}
	addr, err := cleanAddress(a.By)
	if err != nil {
		c.faults.add("rules_acknowledged.by", "%v", err)
		return
	}
	a.By = addr
}
