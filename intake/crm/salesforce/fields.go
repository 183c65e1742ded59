package salesforce

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"leadgate/intake"
)

// The objects. Those with __c are in examples/salesforce.
const (
	objAccount      = "Account"
	objContact      = "Contact"
	objOpportunity  = "Opportunity"
	objRegistration = "Partner_Registration__c"
	objEvent        = "Partner_Registration_Event__c"
)

// The external ids.
const (
	keyAccount      = "Leadgate_Domain__c"
	keyContact      = "Leadgate_Key__c"
	keyOpportunity  = "Leadgate_Case__c"
	keyRegistration = "Case_Number__c"
	keyEvent        = "Event_Key__c"
)

// How many characters the fields take.
const (
	maxText        = 255
	maxLong        = 32000
	maxCode        = 40
	maxOpportunity = 120 // Opportunity.Name
	maxFirst       = 40
	maxLast        = 80
	maxEmail       = 80
	maxTitle       = 128
)

// own are the fields of a registration: the case's own, written at every push.
func own(r intake.Record) map[string]any {
	g, l := r.Registration, r.Registration.Lead
	role, percent := attribution(g)
	return map[string]any{
		"Name": line(g.Number, 80), "Rev__c": g.Revision, "Status__c": text(string(g.Status), maxCode), "Kind__c": text(l[intake.FieldKind], maxCode),
		"Program__c": text(r.Program, maxText), "Partner_Id__c": text(g.Partner, 80), "Partner_Name__c": text(r.Partner.Name, maxText),
		"Partner_Type__c": text(r.Partner.Motion, maxCode), "Partner_Tier__c": text(r.Partner.Tier, 80),
		"Submitted_By__c": text(g.Contact, maxText), "Attribution__c": role, "Attribution_Percent__c": percent,
		"Channel__c": text(g.Channel, maxCode), "Submitted_At__c": stamp(g.Claim), "Decision_Due__c": stamp(g.DecisionDue),
		"Decided_At__c": stamp(g.Decided), "Decided_By__c": text(strings.Join(g.DecidedBy, ", "), maxText),
		"Decision_Reason__c": text(string(g.Reason), 80), "Protection_Start__c": stamp(g.Protection.Start), "Protection_End__c": stamp(g.Protection.End),
		"Conflict_Status__c": conflict(g), "Parent_Case__c": text(g.Parent, maxCode), "Merged_Into__c": text(g.MergedInto, maxCode),
		"First_Meeting__c": stamp(g.Meeting), "Last_Activity__c": stamp(g.Activity),
		"Company_Name__c": text(l[intake.FieldCompanyName], maxLong), "Company_Domain__c": text(l[intake.FieldCompanyDomain], maxText),
		"Country__c": text(l[intake.FieldCountry], 10), "Contact_Name__c": text(l[intake.FieldContactName], maxText),
		"Contact_Email__c": text(l[intake.FieldContactEmail], maxText), "Contact_Role__c": text(l[intake.FieldContactRole], maxText),
		"Contact_Phone__c": text(l[intake.FieldContactPhone], maxCode), "Problem__c": text(l[intake.FieldProblem], maxLong),
		"Solution_Fit__c": text(l[intake.FieldSolutionFit], maxLong), "Services__c": text(l[intake.FieldServicesNeeded], maxLong),
		"Stage_Guess__c": text(l[intake.FieldStage], maxCode), "Products__c": text(l[intake.FieldProductInterest], maxLong),
		"Competitors__c": text(l[intake.FieldCompetingVendors], maxLong), "Target_Revenue__c": text(l[intake.FieldTargetRevenue], maxCode),
		"Consent__c": text(l[intake.FieldConsent], 10),
	}
}

// attribution is the part of the partner of the case, nil if nobody said it.
func attribution(g intake.Registration) (role, percent any) {
	for _, a := range g.Attribution {
		if a.Partner == g.Partner {
			return a.Role, a.Percent
		}
	}
	return nil, nil
}

// conflict says whether somebody else has a claim: active in a dispute, risk for a case that stands
// behind another's.
func conflict(g intake.Registration) string {
	switch {
	case g.Conflict != "":
		return "active"
	case g.Status == intake.StatusWaitlisted || g.Reason == intake.ReasonExistingDeal:
		return "risk"
	}
	return "none"
}

// text is a value of a field of n characters, nil if there is none. Salesforce counts UTF-16.
func text(s string, n int) any {
	if s = cut(s, n); s == "" {
		return nil
	}
	return s
}

func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) <= n {
		return s
	}
	used := 0
	for i, r := range s {
		if used += max(utf16.RuneLen(r), 1); used > n {
			return s[:i]
		}
	}
	return s
}

// line is s as a field of one line takes it.
func line(s string, n int) string {
	return strings.TrimSpace(cut(strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " "), n))
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// extraNames are what Mapping can write beside the fields of a lead.
func extraNames() []string {
	names := []string{"case", "partner", "partner_name", "program"}
	for _, f := range intake.Fields() {
		names = append(names, string(f))
	}
	return names
}

func extraValue(r intake.Record, name string) string {
	switch name {
	case "case":
		return r.Registration.Number
	case "partner":
		return r.Registration.Partner
	case "partner_name":
		return r.Partner.Name
	case "program":
		return r.Program
	}
	return r.Registration.Lead[intake.Field(name)]
}

// offer is what we would have in the fields of a record of people's. Only what has a value is
// offered.
type offer struct {
	object string
	key    string            // the external id
	fields map[string]string // by field
	first  map[string]string // those written only when the record is made
	update bool              // fields that hold what we wrote are brought up to date
}

func (o offer) names() []string { return slices.Sorted(maps.Keys(o.fields)) }

// offers are what a case has for its account, contact and opportunity; nil for one that it has
// nothing for.
type offers struct {
	account, contact, deal *offer
	domain, email          string
}

func (s *Salesforce) offers(r intake.Record) offers {
	g, l := r.Registration, r.Registration.Lead
	o := offers{domain: strings.ToLower(strings.TrimSpace(l[intake.FieldCompanyDomain])), email: strings.ToLower(strings.TrimSpace(l[intake.FieldContactEmail]))}
	name := line(l[intake.FieldCompanyName], maxText)
	if name == "" {
		name = cut(o.domain, maxText)
	}
	if !creates(g.Status) || name == "" {
		return o
	}
	o.account = s.offer(r, objAccount, s.c.Mapping.Account, keyOr(o.domain, g.Number), map[string]string{"Name": name, "Website": cut(o.domain, maxText)})
	if person := line(l[intake.FieldContactName], maxFirst+maxLast); person != "" || o.email != "" {
		o.contact = s.offer(r, objContact, s.c.Mapping.Contact, keyOr(o.email, g.Number), personFields(person, l))
	}
	if s.wantsDeal(g.Status) {
		o.deal = s.offer(r, objOpportunity, s.c.Mapping.Opportunity, g.Number, map[string]string{
			"Name": dealName(name, r.Partner.Name), "Amount": s.amount(l),
		})
		o.deal.update = true
		o.deal.first["StageName"] = s.c.Stage
		o.deal.first["CloseDate"] = s.c.Now().Add(s.c.CloseAfter).UTC().Format(time.DateOnly)
		if o.deal.fields["Amount"] != "" && s.c.Currency == currencyMulti {
			_, code, _ := strings.Cut(l[intake.FieldTargetRevenue], " ")
			o.deal.first["CurrencyIsoCode"] = code
		}
		s.defaults(o.deal)
	}
	return o
}

// keyOr is an external id: in lower case, or the number of the case that has nothing better.
func keyOr(v, number string) string {
	if v == "" || len(v) > maxText || strings.Trim(v, ".") == "" {
		return number
	}
	return v
}

func (s *Salesforce) offer(r intake.Record, object string, mapped map[string]string, key string, fields map[string]string) *offer {
	o := &offer{object: object, key: key, fields: make(map[string]string), first: make(map[string]string)}
	for f, v := range fields {
		if v != "" {
			o.fields[f] = v
		}
	}
	for ours, theirs := range mapped {
		if v := cut(extraValue(r, ours), maxText); v != "" {
			o.fields[theirs] = v
		}
	}
	owner := s.c.Mapping.Owners[r.Registration.Partner]
	if owner == "" {
		owner = s.c.Mapping.Owner
	}
	if owner != "" {
		o.first["OwnerId"] = owner
	}
	s.defaults(o)
	return o
}

// defaults adds the values that the org requires, where nothing else gives one.
func (s *Salesforce) defaults(o *offer) {
	for f, v := range s.c.Mapping.Defaults[o.object] {
		if o.fields[f] == "" {
			o.first[f] = v
		}
	}
}

// creates reports whether a case in this state is worth a company, a contact and a deal. One that
// nobody has proven or that has ended before it came here is a registration and no more.
func creates(st intake.Status) bool {
	return st.Claims() || st == intake.StatusWaitlisted || st == intake.StatusWon || st == intake.StatusLost
}

func (s *Salesforce) wantsDeal(st intake.Status) bool {
	switch s.c.Opportunity {
	case OpportunityNever:
		return false
	case OpportunityApproved:
		return st.Holds() || st == intake.StatusWon || st == intake.StatusLost
	}
	return true
}

func personFields(name string, l intake.Lead) map[string]string {
	first, last := "", name
	if i := strings.LastIndexByte(name, ' '); i > 0 {
		first, last = cut(name[:i], maxFirst), name[i+1:]
	}
	email := l[intake.FieldContactEmail]
	if last == "" {
		last, _, _ = strings.Cut(email, "@")
	}
	if len(email) > maxEmail {
		email = ""
	}
	return map[string]string{
		"FirstName": first, "LastName": line(last, maxLast), "Email": email,
		"Title": line(l[intake.FieldContactRole], maxTitle), "Phone": line(l[intake.FieldContactPhone], maxCode),
	}
}

// dealName is "Acme GmbH – Northwind Partners", with as much of the company as fits.
func dealName(company, partner string) string {
	if partner = line(partner, 50); partner != "" {
		partner = " – " + partner
	}
	return line(company, maxOpportunity-len(utf16.Encode([]rune(partner)))) + partner
}

// amount is the target revenue of a deal, "" if it is in another currency than the org's.
func (s *Salesforce) amount(l intake.Lead) string {
	number, code, _ := strings.Cut(l[intake.FieldTargetRevenue], " ")
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || l[intake.FieldKind] != intake.KindDeal || code == "" || code != s.c.Currency && s.c.Currency != currencyMulti {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// hash is what Ref.Wrote remembers of a value.
func hash(v string) string {
	sum := sha256.Sum256([]byte(v))
	return hex.EncodeToString(sum[:6])
}

// digest is the hash of all that a case offers: while it is the same, there is nothing to read.
func (o offers) digest() string {
	var all []any
	for _, of := range []*offer{o.account, o.contact, o.deal} {
		if of == nil {
			all = append(all, nil)
			continue
		}
		all = append(all, of.key, of.fields)
	}
	b, _ := json.Marshal(all) // strings alone
	return hash(string(b))
}

const (
	wroteAll = "*" // the key of the digest
	leftOver = "-" // stands for a field that was people's before us
)

// settle returns what is to be written into have, nil if it is to be made, and notes it in wrote.
// What is empty is filled. What somebody changed or emptied stays.
func (o offer) settle(have record, wrote map[string]string) map[string]any {
	body := make(map[string]any)
	put := func(f, v string) {
		body[f] = fieldValue(f, v)
		wrote[o.object+"."+f] = hash(v)
	}
	if have == nil {
		for f, v := range o.first {
			put(f, v)
		}
		for f, v := range o.fields {
			put(f, v)
		}
		return body
	}
	for f, v := range o.fields {
		at := o.object + "." + f
		was, is := wrote[at], have.text(f)
		switch {
		case was == leftOver:
		case is == v:
			wrote[at] = hash(v)
		case was == "" && is == "":
			put(f, v)
		case was == "":
			wrote[at] = leftOver
		case o.update && hash(is) == was:
			put(f, v)
		}
	}
	return body
}

// fieldValue is a value as JSON has it: amounts are numbers, "true" and "false" are not words.
func fieldValue(field, v string) any {
	if field == "Amount" {
		return json.Number(v)
	}
	switch v {
	case "true":
		return true
	case "false":
		return false
	}
	return v
}

// websiteHost is the host of what people write into Website, in lower case and without "www.".
func websiteHost(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(strings.TrimSuffix(u.Hostname(), "."), "www.")
}

// ofDomain reports whether a website is one of the company that has a registrable domain.
func ofDomain(website, domain string) bool {
	host := websiteHost(website)
	return domain != "" && (host == domain || strings.HasSuffix(host, "."+domain))
}
