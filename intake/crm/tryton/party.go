package tryton

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"leadgate/intake"
)

// account is a company and who is to be spoken to there; 0 for nobody.
type account struct{ party, contact int }

// mechanism is one of the ways to reach a party.
type mechanism struct {
	ID    int    `json:"id"`
	Party int    `json:"party"`
	Type  string `json:"type"`
	Value string `json:"value"`
	Name  string `json:"name"`
}

// domain is that of a website or of an e-mail address, "" for what is neither.
func (m mechanism) domain() string {
	value := strings.ToLower(strings.TrimSpace(m.Value))
	if m.Type == "email" {
		return value[strings.LastIndexByte(value, '@')+1:]
	}
	if !strings.Contains(value, "://") {
		value = "https://" + value
	}
	u, err := url.Parse(value)
	if m.Type != "website" || err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSuffix(u.Hostname(), "."), "www.")
}

// of reports whether the mechanism is of a registrable domain.
func (m mechanism) of(domain string) bool {
	have := m.domain()
	return domain != "" && (have == domain || strings.HasSuffix(have, "."+domain))
}

const maxMechanisms = 500

// mechanisms reads those of a domain, and those that are an e-mail address; either may be "".
func (c *Connector) mechanisms(ctx context.Context, domain, email string) (all []mechanism, err error) {
	where := clause{"OR"}
	if domain != "" {
		for _, before := range []string{"", "%/", "%.", "%@"} { // of 'x.co' no name that only ends so
			where = append(where, clause{"value", "ilike", before + escape(domain) + "%"})
		}
	}
	if email != "" {
		where = append(where, clause{"value", "ilike", escape(email)})
	}
	if len(where) == 1 {
		return nil, nil
	}
	err = c.call(ctx, &all, "party.contact_mechanism.search_read",
		clause{clause{"type", "in", []string{"website", "email"}}, where}, 0, maxMechanisms,
		clause{clause{"type", "DESC"}, clause{"id", "ASC"}}, []string{"party", "type", "value", "name"}) // websites first
	if err == nil && len(all) == maxMechanisms && domain != "" && email != "" { // people of a large company
		more, err := c.mechanisms(ctx, "", email)
		return append(all, more...), err
	}
	return slices.DeleteFunc(all, func(m mechanism) bool {
		return !m.of(domain) && (email == "" || m.Type != "email" || !strings.EqualFold(m.Value, email))
	}), err
}

// escape has a text stand for itself in a pattern.
func escape(s string) string { return strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(s) }

// partyOf is the party that mechanisms are of: by its website before an address, the oldest.
func partyOf(all []mechanism, domain string) int {
	for _, kind := range []string{"website", "email"} {
		for _, m := range all {
			if m.Type == kind && m.of(domain) {
				return m.Party
			}
		}
	}
	return 0
}

// account finds or makes the company of a lead, and its contact there.
func (c *Connector) account(ctx context.Context, l intake.Lead, number string) (account, error) {
	domain, email := l[intake.FieldCompanyDomain], l[intake.FieldContactEmail]
	unlock, err := c.locks.lock(ctx, "company "+cmp.Or(domain, partyName(l)))
	if err != nil {
		return account{}, err
	}
	defer unlock()
	all, err := c.mechanisms(ctx, domain, email)
	if err != nil {
		return account{}, err
	}
	party := partyOf(all, domain)
	if party == 0 {
		if party, err = c.partyBy(ctx, l, number); err != nil {
			return account{}, err
		}
	}
	if party == 0 {
		return c.makeParty(ctx, l, number)
	}
	contact, err := c.contact(ctx, party, l, all)
	return account{party, contact}, err
}

// partyBy finds the party of a company that has no website and no address there: by the code that
// we gave it, or, without a domain, by its name, if that is of one alone.
func (c *Connector) partyBy(ctx context.Context, l intake.Lead, number string) (int, error) {
	where := clause{clause{"code", "=", partyCode(l, number)}}
	if l[intake.FieldCompanyDomain] == "" {
		where = clause{clause{"OR", clause{"code", "=", partyCode(l, number)}, clause{"name", "=", partyName(l)}}}
	}
	var ids []int
	if err := c.call(ctx, &ids, "party.party.search", where, 0, 2, clause{clause{"id", "ASC"}}); err != nil || len(ids) != 1 {
		return 0, err
	}
	return ids[0], nil
}

// partyCode is what makes a second party of the same company impossible: codes are unique.
func partyCode(l intake.Lead, number string) string {
	return cmp.Or(l[intake.FieldCompanyDomain], number)
}

func partyName(l intake.Lead) string {
	return cmp.Or(oneLine(l[intake.FieldCompanyName]), l[intake.FieldCompanyDomain], oneLine(l[intake.FieldContactName]), l[intake.FieldContactEmail], "?")
}

// makeParty makes a company with its contact at once. If another process did so in between, that
// one is taken.
func (c *Connector) makeParty(ctx context.Context, l intake.Lead, number string) (account, error) {
	country, err := c.country(ctx, l[intake.FieldCountry])
	if err != nil {
		return account{}, err
	}
	var reach []values
	if d := l[intake.FieldCompanyDomain]; d != "" {
		reach = append(reach, values{"type": "website", "value": "https://" + d})
	}
	reach = append(reach, contactOf(l)...)
	address := values{}
	if country != 0 {
		address["country"] = country
	}
	v := values{"name": partyName(l), "code": partyCode(l, number), "addresses": clause{clause{"create", []values{address}}}}
	var ids []int
	for {
		v["contact_mechanisms"] = clause{clause{"create", reach}}
		err = c.call(ctx, &ids, "party.party.create", []values{v})
		refused := new(refusedError)
		if !errors.As(err, &refused) || intake.IsUnauthorized(err) {
			break
		}
		if party, found := c.partyBy(ctx, l, number); found == nil && party != 0 {
			ids, err = []int{party}, nil
			break
		}
		phone := slices.IndexFunc(reach, func(v values) bool { return v["type"] == "phone" })
		if phone < 0 {
			break
		}
		reach = slices.Delete(reach, phone, phone+1) // Tryton takes only numbers that it knows to be one
	}
	if err != nil || len(ids) == 0 {
		return account{}, cmp.Or(err, errGone)
	}
	all, err := c.mechanisms(ctx, "", l[intake.FieldContactEmail])
	if err != nil {
		return account{}, err
	}
	contact, err := c.contact(ctx, ids[0], l, all)
	return account{ids[0], contact}, err
}

// contactOf are the ways to reach the contact of a lead.
func contactOf(l intake.Lead) (reach []values) {
	name := oneLine(l[intake.FieldContactName])
	if v := l[intake.FieldContactEmail]; v != "" {
		reach = append(reach, values{"type": "email", "value": v, "name": name, "comment": l[intake.FieldContactRole]})
	}
	if v := l[intake.FieldContactPhone]; v != "" {
		reach = append(reach, values{"type": "phone", "value": v, "name": name, "comment": l[intake.FieldContactRole]})
	}
	return reach
}

// contact finds the contact of a lead among the ways to reach a party, or adds it. Of two that two
// processes added the oldest is it.
func (c *Connector) contact(ctx context.Context, party int, l intake.Lead, all []mechanism) (int, error) {
	email := l[intake.FieldContactEmail]
	if email == "" {
		return 0, nil
	}
	if id := contactIn(all, party, email); id != 0 {
		return id, nil
	}
	v := contactOf(l)[0]
	v["party"] = party
	var ids []int
	if err := c.call(ctx, &ids, "party.contact_mechanism.create", []values{v}); err != nil {
		return 0, err
	}
	all, err := c.mechanisms(ctx, "", email)
	if err != nil {
		return 0, err
	}
	id := contactIn(all, party, email)
	for _, m := range all {
		if m.Party == party && m.ID != id && slices.Contains(ids, m.ID) {
			return id, c.call(ctx, nil, "party.contact_mechanism.delete", []int{m.ID})
		}
	}
	return id, nil
}

func contactIn(all []mechanism, party int, email string) int {
	for _, m := range all {
		if m.Party == party && m.Type == "email" && strings.EqualFold(m.Value, email) {
			return m.ID
		}
	}
	return 0
}

// cache holds what seldom changes.
type cache struct {
	mu       sync.Mutex
	ids      map[string]int
	currency string
	states   map[string]string
}

// country returns the id of a country by its code, 0 if Tryton has none of it.
func (c *Connector) country(ctx context.Context, code string) (int, error) {
	if code == "" {
		return 0, nil
	}
	return c.id(ctx, "country.country", clause{clause{"code", "=", code}})
}

// owner returns the employee who gets new opportunities, 0 for nobody.
func (c *Connector) owner(ctx context.Context) (int, error) {
	s, err := c.open(ctx)
	if err != nil {
		return 0, err
	}
	name := c.config.Mapping.Owner
	if name == "" {
		return s.preference("employee"), nil
	}
	return c.id(ctx, "company.employee", clause{clause{"party.name", "=", name}, clause{"company", "=", s.preference("company")}})
}

// id returns the id of the one record of a model that a clause selects, 0 if there is none. It is
// remembered once there is one.
func (c *Connector) id(ctx context.Context, model string, where clause) (int, error) {
	key := fmt.Sprint(model, where)
	c.cache.mu.Lock()
	id := c.cache.ids[key]
	c.cache.mu.Unlock()
	if id != 0 {
		return id, nil
	}
	var ids []int
	if err := c.call(ctx, &ids, model+".search", where, 0, 1, clause{clause{"id", "ASC"}}); err != nil || len(ids) == 0 {
		return 0, err
	}
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	if c.cache.ids == nil {
		c.cache.ids = make(map[string]int)
	}
	c.cache.ids[key] = ids[0]
	return ids[0], nil
}

// currency returns the code of a company's currency.
func (c *Connector) currency(ctx context.Context, company int) (string, error) {
	c.cache.mu.Lock()
	code := c.cache.currency
	c.cache.mu.Unlock()
	if code != "" {
		return code, nil
	}
	var all []struct {
		Currency struct {
			Code string `json:"code"`
		} `json:"currency."`
	}
	if err := c.call(ctx, &all, "company.company.read", []int{company}, []string{"currency.code"}); err != nil || len(all) == 0 {
		return "", err
	}
	c.cache.mu.Lock()
	defer c.cache.mu.Unlock()
	c.cache.currency = all[0].Currency.Code
	return c.cache.currency, nil
}
