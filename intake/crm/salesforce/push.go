package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// The parts of a Ref.
const (
	partAccount     = "account"
	partContact     = "contact"
	partOpportunity = "opportunity"
)

// olderRevision is what the rule in the org says to a revision that is older than the one there.
const olderRevision = "LEADGATE_OLDER_REVISION"

// maxRounds is how often a push reads and writes: others may make between the two what it is about
// to make, and a duplicate rule may name what no query has found.
const maxRounds = 4

// Push writes the case. If it has nothing new for account, contact and opportunity since the last
// push, that is one call which writes the registration, else one that reads and one that writes all.
func (s *Salesforce) Push(ctx context.Context, r intake.Record) (intake.Ref, error) {
	g := r.Registration
	if g.Number == "" {
		return intake.Ref{}, intake.Permanent(s.fail("push", errors.New("a registration without a case number")))
	}
	known, offered := g.CRM[s.c.Name], s.offers(r)
	if g.Status == intake.StatusErased {
		if err := s.forget(ctx, g.Number, known.Parts[partOpportunity]); err != nil {
			return intake.Ref{}, s.fail("erase the timeline of case "+g.Number, err)
		}
	}
	if isID(known.ID) && known.Wrote[wroteAll] == offered.digest() && known.Revision <= g.Revision {
		err := s.touch(ctx, r)
		if err == nil {
			known.Revision = g.Revision
			return known, nil
		}
		_, gone := refused(err, "NOT_FOUND", "ENTITY_IS_DELETED")
		if !gone && !isOlder(err) {
			return intake.Ref{}, s.fail("push case "+g.Number, err)
		}
	}
	p := push{s: s, r: r, known: known, offers: offered}
	ref, err := p.run(ctx)
	if err != nil {
		return intake.Ref{}, s.fail("push case "+g.Number, err)
	}
	return ref, nil
}

func isOlder(err error) bool {
	r, rule := refused(err, "FIELD_CUSTOM_VALIDATION_EXCEPTION")
	return rule && strings.Contains(r.Message, olderRevision)
}

// touch writes the case's own fields into the registration that is there.
func (s *Salesforce) touch(ctx context.Context, r intake.Record) error {
	_, err := s.do(ctx, remote.Call{
		Method: http.MethodPatch, In: s.registration(r),
		Path: s.path("sobjects/" + objRegistration + "/" + keyRegistration + "/" + segment(r.Registration.Number) + "?updateOnly=true"),
	})
	return err
}

// registration are the own fields with those that the operator added.
func (s *Salesforce) registration(r intake.Record) map[string]any {
	body := own(r)
	for ours, theirs := range s.c.Mapping.Registration {
		body[theirs] = text(extraValue(r, ours), maxText)
	}
	return body
}

// push is one that reads before it writes.
type push struct {
	s     *Salesforce
	r     intake.Record
	known intake.Ref
	offers
	adopt map[string]string // ids that a duplicate rule named, by object
}

func (p *push) run(ctx context.Context) (intake.Ref, error) {
	var err error
	for range maxRounds {
		var there found
		if there, err = p.look(ctx); err != nil {
			return intake.Ref{}, err
		}
		if there.id == "" && isID(p.known.ID) {
			return intake.Ref{}, intake.Gone(fmt.Errorf("registration %s was deleted there", p.known.ID))
		}
		if there.revision > p.r.Registration.Revision {
			return p.ref(ctx, there, there.wrote, there.revision)
		}
		var ref intake.Ref
		if ref, err = p.write(ctx, there); err == nil {
			return ref, nil
		}
		if isOlder(err) {
			continue // somebody was faster, with something newer: read it
		}
		if _, taken := refused(err, "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"); taken {
			continue // somebody made it since
		}
		if named, ok := refused(err, "DUPLICATES_DETECTED"); !ok || !p.take(named) {
			return intake.Ref{}, err
		}
	}
	return intake.Ref{}, err
}

// take adopts the record that a duplicate rule named, if it named one.
func (p *push) take(named *refusal) bool {
	object := map[string]string{"acc": objAccount, "con": objContact, "opp": objOpportunity}[named.step]
	id := ""
	for _, m := range named.Duplicate.Matches {
		for _, r := range m.Records {
			if r.Record.Attributes.Type != "" && r.Record.Attributes.Type != object || !isID(r.Record.ID) || id != "" && !sameID(id, r.Record.ID) {
				return false
			}
			id = r.Record.ID
		}
	}
	if id == "" || object == "" || object == objOpportunity || p.adopt[object] != "" {
		return false
	}
	if p.adopt == nil {
		p.adopt = make(map[string]string)
	}
	p.adopt[object] = id
	return true
}

// found is what is there of a case.
type found struct {
	id                     string // of the registration
	revision               int
	account, contact, deal record // nil if there is none
	links                  record // the registration's fields that refer to them
	wrote                  map[string]string
	// taken says of which objects another record has the external id: people have tied the
	// registration to one that is not what we would have chosen, so we leave that alone.
	taken map[string]bool
}

// look reads all that a push needs, in one call.
func (p *push) look(ctx context.Context) (found, error) {
	var regs, accounts, contacts, deals, mates []record
	s, g := p.s, p.r.Registration
	out := map[string]*[]record{"reg": &regs}
	queries := []step{s.query("reg", bind("SELECT Id, Rev__c, Wrote__c, Account__c, Contact__c, Opportunity__c, "+
		s.columns(objAccount, "Account__r.")+", "+s.columns(objContact, "Contact__r.")+", "+s.columns(objOpportunity, "Opportunity__r.")+
		" FROM Partner_Registration__c WHERE Case_Number__c = ? LIMIT 2", g.Number))}
	ask := func(ref string, into *[]record, soql string) {
		out[ref] = into
		queries = append(queries, s.query(ref, soql))
	}
	if p.account != nil {
		where, args := "Leadgate_Domain__c = ?", []any{p.account.key}
		if p.domain != "" {
			where, args = where+" OR "+onSite("Website"), append(args, like(p.domain), like(p.domain), like(p.domain))
		}
		if id := p.adopt[objAccount]; id != "" {
			where, args = where+" OR Id = ?", append(args, id)
		}
		ask("acc", &accounts, bind("SELECT "+s.columns(objAccount, "")+" FROM Account WHERE "+where+" ORDER BY CreatedDate ASC, Id ASC LIMIT 200", args...))
	}
	if p.contact != nil {
		where, args := "Leadgate_Key__c = ?", []any{p.contact.key}
		if p.email != "" {
			where, args = where+" OR Email = ?", append(args, p.email)
		}
		if id := p.adopt[objContact]; id != "" {
			where, args = where+" OR Id = ?", append(args, id)
		}
		ask("con", &contacts, bind("SELECT "+s.columns(objContact, "")+" FROM Contact WHERE "+where+" ORDER BY CreatedDate ASC, Id ASC LIMIT 50", args...))
	}
	if p.account != nil && p.domain != "" {
		ask("mate", &mates, bind("SELECT Id, "+s.columns(objAccount, "Account.")+" FROM Contact WHERE Email LIKE '%@?' AND AccountId != null ORDER BY CreatedDate ASC, Id ASC LIMIT 50", like(p.domain)))
	}
	ask("opp", &deals, bind("SELECT "+s.columns(objOpportunity, "")+" FROM Opportunity WHERE Leadgate_Case__c = ? LIMIT 2", g.Number))
	if _, err := s.read(ctx, out, queries...); err != nil {
		return found{}, err
	}
	if len(regs) > 1 || len(deals) > 1 {
		return found{}, several(g.Number)
	}
	f := found{wrote: maps.Clone(p.known.Wrote), taken: make(map[string]bool)}
	var reg record
	if len(regs) == 1 {
		reg = regs[0]
		f.id, f.links = reg.text("Id"), reg
		f.revision, _ = strconv.Atoi(reg.text("Rev__c"))
		if f.wrote == nil {
			_ = json.Unmarshal([]byte(reg.text("Wrote__c")), &f.wrote)
		}
	}
	if f.wrote == nil {
		f.wrote = make(map[string]string)
	}
	var err error
	if f.account, err = p.pickAccount(reg.ref("Account__r"), accounts, mates); err != nil {
		return f, err
	}
	f.contact, err = p.pickContact(reg.ref("Contact__r"), contacts, f.account)
	if f.deal = reg.ref("Opportunity__r"); f.deal == nil && len(deals) == 1 {
		f.deal = deals[0]
	}
	for _, a := range accounts {
		if p.account != nil && strings.EqualFold(a.text(keyAccount), p.account.key) && !sameID(a.text("Id"), f.account.text("Id")) {
			f.taken[objAccount] = true
		}
	}
	f.taken[objOpportunity] = len(deals) == 1 && !sameID(deals[0].text("Id"), f.deal.text("Id"))
	return f, err
}

// columns are what is read of an object of people's.
func (s *Salesforce) columns(object, prefix string) string {
	var extra map[string]string
	names := []string{"Id"}
	switch object {
	case objAccount:
		names, extra = append(names, "Name", "Website", keyAccount), s.c.Mapping.Account
	case objContact:
		names, extra = append(names, "FirstName", "LastName", "Email", "Title", "Phone", "AccountId", keyContact), s.c.Mapping.Contact
	case objOpportunity:
		names, extra = append(names, "Name", "Amount", "AccountId", keyOpportunity), s.c.Mapping.Opportunity
	}
	for _, f := range slices.Sorted(maps.Values(extra)) {
		if !slices.Contains(names, f) {
			names = append(names, f)
		}
	}
	return prefix + strings.Join(names, ", "+prefix)
}

// pickAccount finds the company: the one that people have linked, that of the external id, the
// oldest of its website, the only one for which somebody works who has an address of its domain.
func (p *push) pickAccount(linked record, accounts, mates []record) (record, error) {
	if linked != nil || p.account == nil {
		return linked, nil
	}
	for _, a := range accounts {
		if strings.EqualFold(a.text(keyAccount), p.account.key) {
			return a, nil
		}
	}
	for _, a := range accounts {
		if ofDomain(a.text("Website"), p.domain) {
			return a, nil
		}
	}
	for _, a := range accounts {
		if !sameID(a.text("Id"), p.adopt[objAccount]) {
			continue
		}
		if host := websiteHost(a.text("Website")); host != "" && p.domain != "" {
			return nil, intake.Conflicting(fmt.Errorf("a duplicate rule of Salesforce holds %s for account %s, whose website is another; give that account the right website, or except the user of the gateway from the rule", p.domain, a.text("Id")))
		}
		return a, nil
	}
	var one record
	for _, m := range mates {
		a := m.ref("Account")
		if host := websiteHost(a.text("Website")); a == nil || host != "" {
			continue // of another website: someone who has changed companies
		}
		if one != nil && !sameID(one.text("Id"), a.text("Id")) {
			return nil, nil
		}
		one = a
	}
	return one, nil
}

// pickContact finds the person, by the external id or by the address, at the account first.
func (p *push) pickContact(linked record, contacts []record, account record) (record, error) {
	if p.contact == nil {
		return linked, nil
	}
	for _, c := range contacts {
		if strings.EqualFold(c.text(keyContact), p.contact.key) {
			return c, nil
		}
	}
	var some record
	for _, c := range contacts {
		switch {
		case p.email == "" || !strings.EqualFold(c.text("Email"), p.email):
		case account != nil && sameID(c.text("AccountId"), account.text("Id")):
			return c, nil
		case some == nil:
			some = c
		}
	}
	if some != nil {
		return some, nil
	}
	for _, c := range contacts {
		if !sameID(c.text("Id"), p.adopt[objContact]) {
			continue
		}
		if c.text("Email") != "" && p.email != "" {
			return nil, intake.Conflicting(fmt.Errorf("a duplicate rule of Salesforce holds the contact of the case for contact %s, whose address is another; give that contact the right address, or except the user of the gateway from the rule", c.text("Id")))
		}
		return c, nil
	}
	if p.email == "" {
		return linked, nil
	}
	return nil, nil
}

// write makes and fills all, in one call: all of it is done or nothing.
func (p *push) write(ctx context.Context, there found) (intake.Ref, error) {
	s, wrote := p.s, maps.Clone(there.wrote)
	var steps []step
	put := func(ref string, o *offer, have record, body map[string]any, keyField string) string {
		id, url := have.text("Id"), ""
		switch {
		case have == nil:
			url = "/" + keyField + "/" + segment(o.key)
			id = "@{" + ref + ".id}"
		case there.taken[o.object]:
			return id
		case have.text(keyField) == "":
			body[keyField] = o.key
			fallthrough
		default:
			url = "/" + id
		}
		if have == nil || len(body) > 0 {
			steps = append(steps, step{Method: http.MethodPatch, URL: s.path("sobjects/" + o.object + url), Ref: ref, Body: body, object: o.object})
		}
		return id
	}
	account, contact, deal := there.account.text("Id"), there.contact.text("Id"), there.deal.text("Id")
	if p.account != nil {
		account = put("acc", p.account, there.account, p.account.settle(there.account, wrote), keyAccount)
	}
	if p.contact != nil {
		body := p.contact.settle(there.contact, wrote)
		if account != "" && there.contact.text("AccountId") == "" {
			body["AccountId"] = account
		}
		contact = put("con", p.contact, there.contact, body, keyContact)
	}
	deleted := there.deal == nil && p.known.Parts[partOpportunity] != "" // somebody did not want it
	if p.deal != nil && !deleted {
		body := p.deal.settle(there.deal, wrote)
		if account != "" && there.deal.text("AccountId") == "" {
			body["AccountId"] = account
		}
		deal = put("opp", p.deal, there.deal, body, keyOpportunity)
		if there.deal == nil && contact != "" {
			steps = append(steps, step{
				Method: http.MethodPost, URL: s.path("sobjects/OpportunityContactRole"), Ref: "role", object: "OpportunityContactRole",
				Body: map[string]any{"OpportunityId": deal, "ContactId": contact, "IsPrimary": true},
			})
		}
	}
	wrote[wroteAll] = p.digest()
	body := s.registration(p.r)
	for f, v := range s.c.Mapping.Defaults[objRegistration] {
		if _, ours := body[f]; !ours && there.id == "" {
			body[f] = fieldValue(f, v)
		}
	}
	for f, id := range map[string]string{"Account__c": account, "Contact__c": contact, "Opportunity__c": deal} {
		is := there.links.text(f)
		if id != "" && (is == "" || wrote[objRegistration+"."+f] == hash(is)) { // else people have tied it to something
			body[f] = id
		}
	}
	kept, _ := json.Marshal(wrote) // strings alone
	body["Wrote__c"] = string(kept)
	steps = append(steps, step{
		Method: http.MethodPatch, Ref: "reg", object: objRegistration, Body: body,
		URL: s.path("sobjects/" + objRegistration + "/" + keyRegistration + "/" + segment(p.r.Registration.Number)),
	})
	results, _, err := s.composite(ctx, steps)
	if err != nil {
		return intake.Ref{}, err
	}
	made := func(have record, ref string) record {
		if have != nil {
			return have
		}
		var out struct {
			ID string `json:"id"`
		}
		if json.Unmarshal(results[ref].Body, &out) != nil || !isID(out.ID) {
			return nil
		}
		return record{"Id": out.ID}
	}
	there.account, there.contact, there.deal = made(there.account, "acc"), made(there.contact, "con"), made(there.deal, "opp")
	if there.id == "" {
		there.id = made(nil, "reg").text("Id")
	}
	if there.id == "" {
		return intake.Ref{}, errors.New("the answer of Salesforce names no record")
	}
	for f, id := range map[string]string{"Account__c": there.account.text("Id"), "Contact__c": there.contact.text("Id"), "Opportunity__c": there.deal.text("Id")} {
		if body[f] != nil {
			wrote[objRegistration+"."+f] = hash(id)
		}
	}
	return p.ref(ctx, there, wrote, p.r.Registration.Revision)
}

func (p *push) ref(ctx context.Context, there found, wrote map[string]string, revision int) (intake.Ref, error) {
	ref := intake.Ref{ID: there.id, Revision: revision, Parts: make(map[string]string), Wrote: wrote}
	if have := p.s.session.Load(); have != nil {
		ref.URL = have.instance + "/lightning/r/" + objRegistration + "/" + there.id + "/view"
	}
	for part, r := range map[string]record{partAccount: there.account, partContact: there.contact, partOpportunity: there.deal} {
		id := r.text("Id")
		if id == "" && part == partOpportunity {
			id = p.known.Parts[part] // deleted there: it stays so
		}
		if id != "" {
			ref.Parts[part] = id
		}
	}
	return ref, ctx.Err()
}

// Note adds an event to the registration's timeline, in one call. Its key is unique in the org: who
// comes again finds it taken, and nothing of the call is done. What a partner wrote becomes a
// finished task of the opportunity, too, if that is wanted.
func (s *Salesforce) Note(ctx context.Context, ref intake.Ref, n intake.Note) error {
	e := n.Event
	body := map[string]any{
		keyEvent:          fmt.Sprintf("%s#%d", e.Case, e.N),
		"Registration__r": map[string]any{keyRegistration: e.Case},
		"At__c":           stamp(e.At), "Kind__c": text(string(e.Kind), maxCode), "Direction__c": "internal",
		"Actor__c": text(e.Actor, maxText), "From_Status__c": text(string(e.From), maxCode), "To_Status__c": text(string(e.To), maxCode),
		"Reason__c": text(string(e.Reason), 80), "Body__c": text(e.Note, maxLong),
	}
	if n.Text != "" || n.Subject != "" {
		body["Direction__c"], body["Sender__c"] = "in", text(n.From, maxText)
		body["Subject__c"], body["Body__c"] = text(n.Subject, maxText), text(n.Text, maxLong)
	}
	steps := []step{{Method: http.MethodPost, URL: s.path("sobjects/" + objEvent), Ref: "event", Body: body, object: objEvent}}
	if deal := ref.Parts[partOpportunity]; s.c.Tasks && n.Text != "" && isID(deal) {
		steps = append(steps, step{Method: http.MethodPost, URL: s.path("sobjects/Task"), Ref: "task", object: "Task", Body: map[string]any{
			"WhatId": deal, "Status": "Completed", "ActivityDate": e.At.UTC().Format("2006-01-02"),
			"Subject": line(taskSubject+n.Subject, maxText), "Description": text(n.From+"\n\n"+n.Text, maxLong),
		}})
	}
	_, _, err := s.composite(ctx, steps)
	if r, lost := refused(err, "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY"); lost && r.step == "task" {
		_, _, err = s.composite(ctx, steps[:1]) // the deal is gone, the registration is not
	}
	if r, taken := refused(err, "DUPLICATE_VALUE"); taken && r.step == "event" {
		return nil
	}
	if err != nil {
		return s.fail(fmt.Sprintf("note %d of case %s", e.N, e.Case), err)
	}
	return nil
}
