package hubspot

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"leadgate/intake"
)

// The kinds of records, as paths call them.
const (
	deals     = "deals"
	companies = "companies"
	contacts  = "contacts"
	notes     = "notes"
	emails    = "emails"
	meetings  = "meetings"
)

// kinds are those that a case is written to.
func kinds() []string { return []string{deals, companies, contacts} }

// prefix begins the names of all properties that are ours; group is where people find them.
const (
	prefix = "leadgate_"
	group  = "leadgate"
)

// The properties by which records are found, and in which a push leaves how far it came. The key of
// a company is its registrable domain, or the number of the case that it came with if it has none.
const (
	caseProperty    = prefix + "case"
	domainProperty  = prefix + "domain"
	revProperty     = prefix + "rev"
	eventsProperty  = prefix + "events"
	partnerProperty = prefix + "partner_id"
)

// form is a type of property and how people see it, as HubSpot calls both.
type form struct{ Type, Field string }

var (
	text     = form{"string", "text"}
	long     = form{"string", "textarea"}
	choice   = form{"enumeration", "select"}
	count    = form{"number", "number"}
	day      = form{"date", "date"}
	instant  = form{"datetime", "date"}
	maxValue = 65_536 // characters of a text
)

// property is one that is ours.
type property struct {
	name, label string
	form        form
	options     []string
	unique      bool
	// value is what it says of a case; zone is the programme's.
	value func(r intake.Record, zone *time.Location) string
}

// own are the properties of deals that hold what is the case's own. They are written at every push.
var own = ownProperties()

func ownProperties() []property {
	plain := func(f func(g intake.Registration) string) func(intake.Record, *time.Location) string {
		return func(r intake.Record, _ *time.Location) string { return f(r.Registration) }
	}
	at := func(f func(g intake.Registration) time.Time) func(intake.Record, *time.Location) string {
		return plain(func(g intake.Registration) string { return stamp(f(g)) })
	}
	all := []property{
		{"case", "Case", text, nil, true, plain(func(g intake.Registration) string { return g.Number })},
		{"status", "Registration status", choice, strs(intake.Statuses()), false, plain(func(g intake.Registration) string { return string(g.Status) })},
		{"reason", "Registration reason", text, nil, false, plain(func(g intake.Registration) string { return string(g.Reason) })},
		{"program", "Partner programme", text, nil, false, func(r intake.Record, _ *time.Location) string { return r.Program }},
		{"partner", "Partner", text, nil, false, func(r intake.Record, _ *time.Location) string { return r.Partner.Name }},
		{"partner_id", "Partner id", text, nil, false, plain(func(g intake.Registration) string { return g.Partner })},
		{"partner_type", "Partner type", choice, intake.Motions(), false, func(r intake.Record, _ *time.Location) string { return r.Partner.Motion }},
		{"partner_tier", "Partner tier", text, nil, false, func(r intake.Record, _ *time.Location) string { return r.Partner.Tier }},
		{"submitted_by", "Submitted by", text, nil, false, plain(func(g intake.Registration) string { return g.Contact })},
		{"channel", "Registration channel", text, nil, false, plain(func(g intake.Registration) string { return g.Channel })},
		{"attribution", "Attribution", choice, []string{intake.RoleSourced, intake.RoleInfluenced}, false, plain(func(g intake.Registration) string { return attribution(g).Role })},
		{"attribution_percent", "Attribution percent", count, nil, false, plain(func(g intake.Registration) string {
			if a := attribution(g); a.Role != "" {
				return strconv.Itoa(a.Percent)
			}
			return ""
		})},
		{"submitted_at", "Submitted at", instant, nil, false, at(func(g intake.Registration) time.Time { return g.Claim })},
		{"decision_due", "Decision due", instant, nil, false, at(func(g intake.Registration) time.Time { return g.DecisionDue })},
		{"decided_at", "Decided at", instant, nil, false, at(func(g intake.Registration) time.Time { return g.Decided })},
		{"decided_by", "Decided by", text, nil, false, plain(func(g intake.Registration) string { return strings.Join(g.DecidedBy, ", ") })},
		{"protection_start", "Protection start", day, nil, false, func(r intake.Record, zone *time.Location) string {
			return date(r.Registration.Protection.Start, zone)
		}},
		{"protection_end", "Protection end", day, nil, false, func(r intake.Record, zone *time.Location) string {
			return date(r.Registration.Protection.End, zone)
		}},
		{"conflict_status", "Conflict status", choice, []string{"none", "risk", "active"}, false, plain(conflict)},
		{"parent", "Lead of the deal", text, nil, false, plain(func(g intake.Registration) string { return g.Parent })},
		{"merged_into", "Merged into", text, nil, false, plain(func(g intake.Registration) string { return g.MergedInto })},
		{"first_meeting", "First meeting", instant, nil, false, at(func(g intake.Registration) time.Time { return g.Meeting })},
		{"last_activity", "Last activity on the registration", instant, nil, false, at(func(g intake.Registration) time.Time { return g.Activity })},
		{"rev", "Revision", count, nil, false, plain(func(g intake.Registration) string { return strconv.Itoa(g.Revision) })},
		{"events", "Events", count, nil, false, plain(func(g intake.Registration) string { return strconv.Itoa(g.Events) })},
	}
	for _, f := range intake.Fields() {
		p := property{name: string(f), label: "As registered: " + strings.ReplaceAll(string(f), "_", " "), form: text}
		switch f {
		case intake.FieldProblem, intake.FieldSolutionFit, intake.FieldServicesNeeded:
			p.form = long
		case intake.FieldKind:
			p.form, p.options = choice, intake.Kinds()
		case intake.FieldStage:
			p.form, p.options = choice, intake.Stages()
		case intake.FieldConsent:
			p.form, p.options = choice, []string{intake.ConsentYes, intake.ConsentNo}
		}
		p.value = plain(func(g intake.Registration) string { return g.Lead[f] })
		all = append(all, p)
	}
	for i := range all {
		all[i].name = prefix + all[i].name
	}
	return all
}

// schema are all properties that are ours, by kind of record.
func schema() map[string][]property {
	return map[string][]property{
		deals:     own,
		companies: {{name: domainProperty, label: "Key of Leadgate", form: text, unique: true}},
	}
}

// standard are the properties of HubSpot's own that a push fills.
var standard = map[string][]string{
	deals:     {"dealname", "amount", "pipeline", "dealstage", "hubspot_owner_id"},
	companies: {"name", "domain", "country"},
	contacts:  {"email", "firstname", "lastname", "jobtitle", "phone"},
}

// valueNames are what Mapping.Fields can fill with: the names of own without their prefix.
func valueNames() (names []string) {
	for _, p := range own {
		names = append(names, strings.TrimPrefix(p.name, prefix))
	}
	return names
}

// values is what own says of a case.
func values(r intake.Record, zone *time.Location) map[string]string {
	all := make(map[string]string)
	for _, p := range own {
		all[p.name] = cut(p.value(r, zone), maxValue)
	}
	return all
}

func strs[T ~string](all []T) (out []string) {
	for _, v := range all {
		out = append(out, string(v))
	}
	return out
}

// stamp is a time as a property of type datetime has it.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func date(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(time.DateOnly)
}

// moment reads a time of HubSpot: as in RFC 3339, or milliseconds since 1970.
func moment(s string) time.Time {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC()
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t
	}
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil && ms > 0 {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

// attribution is the part of the partner of a case.
func attribution(g intake.Registration) intake.Attribution {
	for _, a := range g.Attribution {
		if a.Partner == g.Partner {
			return a
		}
	}
	return intake.Attribution{}
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

// same reports whether two values of a property are one to HubSpot.
func same(f form, a, b string) bool {
	if a == b {
		return true
	}
	switch f {
	case count:
		x, bad := strconv.ParseFloat(a, 64)
		y, worse := strconv.ParseFloat(b, 64)
		return bad == nil && worse == nil && x == y
	case instant, day:
		x, y := moment(a), moment(b)
		return !x.IsZero() && x.Equal(y)
	}
	return false
}

// cut bounds a text to n characters.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) <= n {
		return s
	}
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// line makes one line of a text.
func line(s string, n int) string { return cut(strings.Join(strings.Fields(s), " "), n) }

// dealName is how a new deal is called.
func dealName(r intake.Record) string {
	l := r.Registration.Lead
	name := l[intake.FieldCompanyName]
	for _, f := range []intake.Field{intake.FieldCompanyDomain, intake.FieldContactName, intake.FieldContactEmail} {
		if name == "" {
			name = l[f]
		}
	}
	if name == "" {
		name = r.Registration.Number
	}
	if r.Partner.Name != "" {
		name = fmt.Sprintf("%s – %s", name, r.Partner.Name)
	}
	return line(name, 1000)
}
