package hubspot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadgate/intake"
)

// The names of Ref.Parts.
const (
	partCompany = "company"
	partContact = "contact"
)

// lateSearch is how late a search may be.
const lateSearch = time.Minute

// theirs stands in Ref.Wrote for a field that people had filled before we came.
const theirs = "*"

// Push writes the case to its deal, and makes deal, company and contact where there are none.
//
// A case that is new takes four calls: a search for the company, and one each to make company, contact
// and deal, together with their associations. None asks first whether it is there: leadgate_domain,
// the e-mail address and leadgate_case are unique, and a refusal says that it is, even if no search
// knows it yet. Later pushes take two: the deal is read and written.
func (c *Connector) Push(ctx context.Context, r intake.Record) (intake.Ref, error) {
	number := r.Registration.Number
	if number == "" {
		return intake.Ref{}, intake.Permanent(c.fail("push", "a case", errors.New("it has no number")))
	}
	p := &push{c: c, r: r, known: r.Registration.CRM[c.Name()]}
	p.ref = intake.Ref{ID: p.known.ID, Parts: maps.Clone(p.known.Parts), Wrote: maps.Clone(p.known.Wrote), Revision: r.Registration.Revision}
	if p.ref.Parts == nil {
		p.ref.Parts = make(map[string]string)
	}
	if p.ref.Wrote == nil {
		p.ref.Wrote = make(map[string]string)
	}
	if err := p.run(ctx); err != nil {
		return intake.Ref{}, c.fail("push", "case "+number, err)
	}
	if r.Registration.Status == intake.StatusErased {
		p.ref.Wrote = nil // an address can be guessed from its hash
	}
	return p.ref, nil
}

// push is one on its way.
type push struct {
	c       *Connector
	r       intake.Record
	known   intake.Ref
	ref     intake.Ref
	account account
}

func (p *push) run(ctx context.Context) (err error) {
	if p.account, err = p.c.details(ctx); err != nil {
		return err
	}
	number := p.r.Registration.Number
	switch {
	case p.known.ID == "" && p.r.Registration.Status == intake.StatusErased:
		d, err := p.c.get(ctx, deals, number, caseProperty, p.properties(), companies, contacts)
		if err != nil || d == nil {
			return err
		}
		return p.complete(ctx, d)
	case p.known.ID == "":
		return p.begin(ctx)
	}
	d, err := p.c.get(ctx, deals, p.known.ID, "", p.properties(), companies, contacts)
	if err != nil {
		return err
	}
	if d == nil || d.Properties[caseProperty] != number { // deleted, or made one with another deal
		if d, err = p.c.get(ctx, deals, number, caseProperty, p.properties(), companies, contacts); err != nil {
			return err
		}
	}
	if d == nil {
		return intake.Gone(fmt.Errorf("somebody deleted its deal %s or made it one with another", p.known.ID))
	}
	return p.complete(ctx, d)
}

func (p *push) properties() []string {
	var all []string
	for _, f := range own {
		all = append(all, f.name)
	}
	for _, f := range p.c.dealFields(p.r, p.account, nil) {
		all = append(all, f.name)
	}
	return all
}

// begin makes the deal of a case of which nothing is known to be there.
func (p *push) begin(ctx context.Context) error {
	company, contact, err := p.around(ctx)
	if err != nil {
		return err
	}
	d, made, err := p.deal(ctx, company, contact)
	if err != nil {
		return err
	}
	if made {
		p.ref.ID, p.ref.URL = d.ID, p.account.link(dealType, d.ID)
		p.c.noted.begin(p.r.Registration.Number, 0, p.r.Registration.Events)
		return nil
	}
	for _, part := range []struct{ kind, id string }{{companies, company}, {contacts, contact}} {
		if part.id == "" || d.linkedTo(part.kind, part.id) != "" {
			continue // people may have tied it to another
		}
		if err := p.c.link(ctx, deals, d.ID, part.kind, part.id); err != nil {
			return err
		}
	}
	return p.complete(ctx, d)
}

// makes reports whether a case in this state is worth a company and a contact. One that nobody has proven,
// or that ended before it came here, is a deal and no more.
func makes(st intake.Status) bool {
	return st.Claims() || st == intake.StatusWaitlisted || st == intake.StatusWon || st == intake.StatusLost
}

// around finds or makes company and contact. Where none are to be made, the company that a search finds
// is tied as it is.
func (p *push) around(ctx context.Context) (company, contact string, err error) {
	domain := p.r.Registration.Lead[intake.FieldCompanyDomain]
	switch {
	case makes(p.r.Registration.Status):
		if company, err = p.company(ctx); err != nil {
			return "", "", err
		}
		contact, err = p.contact(ctx, company)
	case domain != "":
		var all []*object
		if all, err = p.c.companiesOf(ctx, domain, nil); len(all) > 0 {
			company = all[0].ID
			p.ref.Parts[partCompany], p.ref.Wrote[companies] = company, brief(company)
		}
	}
	return company, contact, err
}

// deal makes the deal. If there is one it is returned as it is, and made is false.
func (p *push) deal(ctx context.Context, company, contact string) (d *object, made bool, err error) {
	number := p.r.Registration.Number
	pipeline, stage, err := p.c.start(ctx)
	if err != nil {
		return nil, false, err
	}
	owner, err := p.c.ownerFor(ctx, p.r)
	if err != nil {
		return nil, false, err
	}
	v := maps.Clone(p.c.config.Mapping.Defaults.Deals)
	if v == nil {
		v = make(map[string]string)
	}
	v["pipeline"], v["dealstage"] = pipeline, stage
	if owner != "" {
		v["hubspot_owner_id"] = owner
	}
	for name, value := range values(p.r, p.c.config.Zone) {
		if value != "" {
			v[name] = value
		}
	}
	wrote := make(map[string]string)
	for _, f := range p.c.dealFields(p.r, p.account, nil) {
		if f.ours != "" {
			v[f.name], wrote[f.key] = f.ours, f.brief(f.ours)
		}
	}
	if len(p.c.config.Mapping.Ends) > 0 {
		wrote[deals+".dealstage"] = brief(v["dealstage"])
	}
	d, err = p.c.create(ctx, deals, v, associate(associate(nil, company, dealToCompany), contact, dealToContact))
	if err == nil {
		maps.Copy(p.ref.Wrote, wrote)
		return d, true, nil
	}
	if !taken(err) {
		return nil, false, err
	}
	there, failed := p.c.get(ctx, deals, number, caseProperty, p.properties(), companies, contacts)
	if failed != nil { // nobody knows what err means
		return nil, false, failed
	}
	if there == nil {
		p.c.lines.forget() // of which people may have mended what was refused
		p.c.people.forget()
		return nil, false, err
	}
	return there, false, nil
}

// complete brings a deal that is there to what the case says.
func (p *push) complete(ctx context.Context, d *object) error {
	g := p.r.Registration
	p.ref.ID, p.ref.URL = d.ID, p.account.link(dealType, d.ID)
	if rev := integer(d.Properties[revProperty]); rev > g.Revision {
		p.ref.Revision = rev
		return nil
	}
	if err := p.parts(ctx, d); err != nil {
		return err
	}
	v := p.c.stale(d, p.r)
	if len(p.c.config.Mapping.Ends) > 0 { // has it be known where deals begin
		if _, _, err := p.c.start(ctx); err != nil {
			return err
		}
	}
	for _, f := range p.c.dealFields(p.r, p.account, d) {
		write, _ := f.fate(p.ref.Wrote[f.key])
		if write {
			v[f.name] = f.ours
		}
		f.remember(p.ref.Wrote, write)
	}
	if len(v) > 0 {
		if _, err := p.c.update(ctx, deals, d.ID, v); err != nil {
			return err
		}
	}
	p.c.noted.begin(g.Number, integer(d.Properties[eventsProperty]), g.Events)
	return nil
}

// parts fills company and contact where something came to be known that was not, and sees to it that
// the deal has those of the case, if they are others now and people have not tied it to theirs.
func (p *push) parts(ctx context.Context, d *object) error {
	company, contact := d.linkedTo(companies, p.ref.Parts[partCompany]), d.linkedTo(contacts, p.ref.Parts[partContact])
	moved := company != "" && p.ref.Wrote[companies] != brief(company) // by people
	for part, id := range map[string]string{partCompany: company, partContact: contact} {
		if id != "" {
			p.ref.Parts[part] = id
		} else if p.known.ID != "" { // people deleted it, or untied it
			delete(p.ref.Parts, part)
		}
	}
	l := p.r.Registration.Lead
	if !makes(p.r.Registration.Status) {
		return nil
	}
	switch id := p.ref.Parts[partCompany]; {
	case p.ref.Wrote[partCompany] != brief(companyKey(p.r)) && (l[intake.FieldCompanyName] != "" || l[intake.FieldCompanyDomain] != ""):
		if err := p.retie(ctx, d, moved); err != nil {
			return err
		}
	case p.lacks(companies, id):
		if err := p.fill(ctx, companies, id, nil); err != nil {
			return err
		}
	}
	switch id := p.ref.Parts[partContact]; {
	case l[intake.FieldContactEmail] == "":
	case p.ref.Wrote[partContact] != contactKey(p.r):
		forget(p.ref.Wrote, contacts)
		id, err := p.contact(ctx, p.ref.Parts[partCompany])
		if err != nil || id == contact {
			return err
		}
		return p.c.link(ctx, deals, d.ID, contacts, id)
	case p.lacks(contacts, id):
		return p.fill(ctx, contacts, id, nil)
	}
	return nil
}

// retie ties a deal to the company of its case, which is another one than at the last push, or has a
// domain that was not known then.
func (p *push) retie(ctx context.Context, d *object, moved bool) error {
	old, domain := p.ref.Parts[partCompany], p.r.Registration.Lead[intake.FieldCompanyDomain]
	if moved {
		p.ref.Wrote[partCompany] = brief(companyKey(p.r))
		return nil
	}
	if domain != "" && old != "" && p.ref.Wrote[partCompany] == brief(p.r.Registration.Number) {
		there, err := p.c.companiesOf(ctx, domain, nil)
		if err != nil {
			return err
		}
		if len(there) == 0 {
			_, err := p.c.update(ctx, companies, old, map[string]string{domainProperty: domain})
			if err == nil {
				p.ref.Wrote[partCompany] = brief(domain)
				return p.fill(ctx, companies, old, nil)
			}
			if !taken(err) && !missing(err) {
				return err
			}
		}
	}
	forget(p.ref.Wrote, companies)
	id, err := p.company(ctx)
	if err != nil || id == old {
		return err
	}
	return p.c.link(ctx, deals, d.ID, companies, id)
}

// forget drops what is remembered of the fields of a kind.
func forget(wrote map[string]string, kind string) {
	maps.DeleteFunc(wrote, func(k, _ string) bool { return strings.HasPrefix(k, kind+".") })
}

// contactKey stands for the address by which the contact was found or made.
func contactKey(r intake.Record) string {
	return brief(strings.ToLower(r.Registration.Lead[intake.FieldContactEmail]))
}

// lacks reports whether there is something to fill a record of a kind with, of which it is not known
// who wrote it. One that people tied to the deal is theirs.
func (p *push) lacks(kind, id string) bool {
	return id != "" && p.ref.Wrote[kind] == brief(id) && slices.ContainsFunc(p.c.partFields(kind, p.r, nil), func(f field) bool { return f.ours != "" && p.ref.Wrote[f.key] == "" })
}

// fill completes a company or contact where it is empty. There is one of each for many cases, so that
// what was once filled is left alone. have is the record, nil to have it read.
func (p *push) fill(ctx context.Context, kind, id string, have *object) (err error) {
	if have == nil {
		if have, err = p.c.get(ctx, kind, id, "", names(p.c.partFields(kind, p.r, nil))); err != nil || have == nil {
			return err
		}
	}
	v := make(map[string]string)
	for _, f := range p.c.partFields(kind, p.r, have) {
		write := f.ours != "" && f.there == "" && p.ref.Wrote[f.key] == ""
		if write {
			v[f.name] = f.ours
		}
		f.remember(p.ref.Wrote, write)
	}
	if len(v) == 0 {
		return nil
	}
	_, err = p.c.update(ctx, kind, have.ID, v)
	if missing(err) { // a search or a conflict told of it
		return intake.RetryAfter(lateSearch, fmt.Errorf("the %s %s was deleted a moment ago", singular[kind], have.ID))
	}
	if key := v[domainProperty]; key != "" && taken(err) { // another company got the key meanwhile
		delete(v, domainProperty)
		if len(v) == 0 {
			return nil
		}
		_, err = p.c.update(ctx, kind, have.ID, v)
	}
	return err
}

// company finds or makes the company of a case; "" for a case that names none.
func (p *push) company(ctx context.Context) (string, error) {
	l := p.r.Registration.Lead
	domain := l[intake.FieldCompanyDomain]
	if domain == "" && l[intake.FieldCompanyName] == "" {
		return "", nil
	}
	if domain != "" {
		all, err := p.c.companiesOf(ctx, domain, names(p.c.partFields(companies, p.r, nil)))
		if err != nil {
			return "", err
		}
		if len(all) > 0 {
			p.ref.Wrote[partCompany] = brief(companyKey(p.r))
			return p.adopt(ctx, companies, partCompany, all[0])
		}
	}
	v := maps.Clone(p.c.config.Mapping.Defaults.Companies)
	id, err := p.make(ctx, companies, partCompany, v, nil, companyKey(p.r), domainProperty)
	if err == nil {
		p.ref.Wrote[partCompany] = brief(companyKey(p.r))
	}
	return id, err
}

// contact finds or makes the contact of a case; "" for a case that names none by an address. A company
// that it does not have yet becomes its company.
func (p *push) contact(ctx context.Context, company string) (string, error) {
	email := p.r.Registration.Lead[intake.FieldContactEmail]
	if email == "" {
		return "", nil
	}
	v := maps.Clone(p.c.config.Mapping.Defaults.Contacts)
	id, err := p.make(ctx, contacts, partContact, v, associate(nil, company, contactToCompany), email, "email")
	if err == nil {
		p.ref.Wrote[partContact] = contactKey(p.r)
	}
	return id, err
}

// make makes a company or contact, or adopts the one that has its key.
func (p *push) make(ctx context.Context, kind, part string, v map[string]string, to []association, key, keyProperty string) (string, error) {
	if v == nil {
		v = make(map[string]string)
	}
	fields := p.c.partFields(kind, p.r, nil)
	for _, f := range fields {
		if f.ours != "" {
			v[f.name] = f.ours
		}
	}
	o, err := p.c.create(ctx, kind, v, to)
	if err == nil {
		p.ref.Parts[part], p.ref.Wrote[kind] = o.ID, brief(o.ID)
		for _, f := range fields {
			f.remember(p.ref.Wrote, f.ours != "")
		}
		return o.ID, nil
	}
	if !taken(err) {
		return "", err
	}
	by, byProperty := key, keyProperty
	if id := existingID(err); id != "" {
		by, byProperty = id, ""
	}
	there, failed := p.c.get(ctx, kind, by, byProperty, append(names(fields), moreEmails), companies)
	if failed != nil { // nobody knows what err means
		return "", failed
	}
	if there == nil || byProperty == "" && !there.hasEmail(key) {
		return "", err
	}
	if len(to) > 0 && there.linkedTo(companies, "") == "" {
		if err := p.c.link(ctx, kind, there.ID, companies, to[0].To.ID); err != nil {
			return "", err
		}
	}
	return p.adopt(ctx, kind, part, there)
}

// adopt takes a company or contact that is there for that of the case, and fills what is empty.
func (p *push) adopt(ctx context.Context, kind, part string, o *object) (string, error) {
	p.ref.Parts[part], p.ref.Wrote[kind] = o.ID, brief(o.ID)
	return o.ID, p.fill(ctx, kind, o.ID, o)
}

// companyKey is what makes a second company impossible.
func companyKey(r intake.Record) string {
	if domain := r.Registration.Lead[intake.FieldCompanyDomain]; domain != "" {
		return domain
	}
	return r.Registration.Number
}

// stale are the own properties of a deal that differ from what the case says.
func (c *Connector) stale(d *object, r intake.Record) map[string]string {
	v := make(map[string]string)
	want := values(r, c.config.Zone)
	for _, p := range own {
		if !same(p.form, d.Properties[p.name], want[p.name]) {
			v[p.name] = want[p.name]
		}
	}
	return v
}

// field is a property that people may change.
type field struct {
	key, name string
	form      form
	// ours is what we would have there, "" if we know nothing; there what is.
	ours, there string
	known       bool // there is known
}

func names(all []field) (out []string) {
	for _, f := range all {
		out = append(out, f.name)
	}
	return out
}

// dealFields are those of a deal; have is nil if it is not known what is there.
func (c *Connector) dealFields(r intake.Record, a account, have *object) []field {
	all := []field{
		{name: "dealname", form: text, ours: dealName(r)},
		{name: "amount", form: count, ours: amount(r.Registration.Lead, a.Currency)},
	}
	if to, moves := c.stageOf(r.Registration.Status, have); moves {
		all = append(all, field{name: "dealstage", form: text, ours: to})
	}
	return c.fields(deals, all, r, have)
}

// stageOf is the stage into which a case that has ended moves its deal, or out of it when it lives again.
func (c *Connector) stageOf(st intake.Status, have *object) (to string, moves bool) {
	ends := c.config.Mapping.Ends
	to = ends[string(st)]
	if have == nil {
		return to, len(ends) > 0
	}
	if st.Claims() && slices.Contains(slices.Collect(maps.Values(ends)), have.Properties["dealstage"]) {
		all, _ := c.lines.peek()
		_, to = c.first(all)
	}
	return to, to != ""
}

// partFields are those of a company or a contact.
func (c *Connector) partFields(kind string, r intake.Record, have *object) []field {
	l := r.Registration.Lead
	first, last := split(l[intake.FieldContactName])
	all := []field{
		{name: "email", form: text, ours: l[intake.FieldContactEmail]},
		{name: "firstname", form: text, ours: first},
		{name: "lastname", form: text, ours: last},
		{name: "jobtitle", form: text, ours: l[intake.FieldContactRole]},
		{name: "phone", form: text, ours: l[intake.FieldContactPhone]},
	}
	if kind == companies {
		all = []field{
			{name: domainProperty, form: text, ours: companyKey(r)},
			{name: "name", form: text, ours: l[intake.FieldCompanyName]},
			{name: "domain", form: text, ours: l[intake.FieldCompanyDomain]},
			{name: "country", form: text, ours: l[intake.FieldCountry]},
		}
	}
	return c.fields(kind, all, r, have)
}

// fields adds those of the mapping, and what is there.
func (c *Connector) fields(kind string, all []field, r intake.Record, have *object) []field {
	mapped, want := c.config.Mapping.Fields.of(kind), values(r, c.config.Zone)
	for _, ours := range slices.Sorted(maps.Keys(mapped)) {
		all = append(all, field{name: mapped[ours], form: formOf(prefix + ours), ours: want[prefix+ours]})
	}
	for i, f := range all {
		all[i].key, all[i].ours = kind+"."+f.name, cut(f.ours, maxValue)
		if have != nil {
			all[i].there, all[i].known = have.Properties[f.name], true
		}
	}
	return all
}

func formOf(name string) form {
	for _, p := range own {
		if p.name == name {
			return p.form
		}
	}
	return text
}

// fate says whether a push writes a field of a deal, or why it leaves it. wrote is what we remember to
// have written.
func (f field) fate(wrote string) (write bool, stays string) {
	switch {
	case same(f.form, f.ours, f.there):
		return false, ""
	case f.there == "" && wrote == "", f.there != "" && wrote == f.brief(f.there):
		return true, ""
	case f.ours == "": // what people have there says more
		return false, ""
	}
	return false, "changed there by hand"
}

// remember notes what is in a field after a push: what we wrote, or that it is people's.
func (f field) remember(wrote map[string]string, written bool) {
	switch {
	case written && f.ours == "":
		delete(wrote, f.key)
	case written || f.known && f.ours != "" && wrote[f.key] == "" && same(f.form, f.ours, f.there):
		wrote[f.key] = f.brief(f.ours)
	case f.known && f.there != "" && wrote[f.key] == "":
		wrote[f.key] = theirs
	}
}

// brief is a short hash of a value of the field, however HubSpot writes numbers.
func (f field) brief(s string) string {
	if n, err := strconv.ParseFloat(s, 64); err == nil && f.form == count {
		s = strconv.FormatFloat(n, 'f', -1, 64)
	}
	return brief(s)
}

// brief is a short hash of a value, "" of none.
func brief(s string) string {
	if s == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}

// amount is the revenue that a deal is registered with, if it is in the currency of the account.
func amount(l intake.Lead, currency string) string {
	n, code, _ := strings.Cut(l[intake.FieldTargetRevenue], " ")
	if l[intake.FieldKind] != intake.KindDeal || code == "" || code != currency {
		return ""
	}
	return n
}

// split makes a first name and a last one of a name: the last word is the last name, and a single
// one too, for HubSpot shows who has no first name.
func split(name string) (first, last string) {
	words := strings.Fields(name)
	if len(words) == 0 {
		return "", ""
	}
	n := len(words) - 1
	return strings.Join(words[:n], " "), words[n]
}

// integer reads a whole number, 0 for what is none.
func integer(s string) int {
	f, _ := strconv.ParseFloat(s, 64)
	return int(f)
}
