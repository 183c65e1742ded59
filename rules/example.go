package rules

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// Example is a case and the verdict that the rules are meant to give. What it leaves out is
// as in a registration that nothing speaks against. Times are written "2026-03-04" or
// "2026-03-04 10:00", in the programme's zone; a Span is how long ago something was.
type Example struct {
	Name string `yaml:"name"`
	// Lead replaces fields of a complete lead; an empty value takes one away.
	Lead map[string]string `yaml:"lead"`
	// Claim is when it was sent in, Now when it is judged: at once if empty.
	Claim string `yaml:"claim"`
	Now   string `yaml:"now"`
	// Asks is how often the partner was asked before.
	Asks int `yaml:"asks"`
	// Met is when the partner first met the company.
	Met string `yaml:"met"`
	// Channel is the name of the channel, Strength how well the sender is proven.
	Channel  string          `yaml:"channel"`
	Strength intake.Strength `yaml:"strength"`
	// Inactive says that the partner is suspended.
	Inactive bool           `yaml:"inactive_partner"`
	Partner  ExamplePartner `yaml:"partner"`
	// Known is what the vendor's lists say of the company.
	Known ExampleKnown `yaml:"known"`
	// Rivals are other cases about the same company, Past ended ones of the same partner, CRM is
	// what a CRM knows of it.
	Rivals []ExampleRival `yaml:"rivals"`
	Past   []ExamplePast  `yaml:"past"`
	CRM    []ExampleMatch `yaml:"crm"`
	// CRMDown says that the CRM can't be asked.
	CRMDown bool `yaml:"crm_down"`
	// Expect is the outcome, and Reason, if given, its code. Acts, if given, is whether it happens
	// by itself. First, if given, says who comes first in a conflict: "own", or "another" partner.
	Expect intake.Outcome `yaml:"expect"`
	Reason intake.Reason  `yaml:"reason"`
	Acts   *bool          `yaml:"acts"`
	First  string         `yaml:"first"`
}

// ExamplePartner is the partner of the example.
type ExamplePartner struct {
	Motion         string                 `yaml:"motion"`
	Tier           string                 `yaml:"tier"`
	Country        string                 `yaml:"country"`
	Status         intake.PartnerStatus   `yaml:"status"`
	StatusFrom     string                 `yaml:"status_from"`
	Territories    []string               `yaml:"territories"`
	Certifications []ExampleCertification `yaml:"certifications"`
	// Quota is how many accounts the partner can hold, Holds how many he does.
	Quota int `yaml:"quota"`
	Holds int `yaml:"holds"`
}

// ExampleCertification is a certification and its last day.
type ExampleCertification struct {
	Product string `yaml:"product"`
	Until   string `yaml:"until"`
}

// ExampleKnown is what the lists say.
type ExampleKnown struct {
	ExampleAccount `yaml:",inline"`
	// Named are for whom it is a named account: "own" or "another".
	Named []string `yaml:"named"`
	// Group are companies that belong together with it, Alike some with the same name.
	Group []ExampleAccount `yaml:"group"`
	Alike []ExampleAccount `yaml:"alike"`
}

// ExampleAccount is an entry of the lists.
type ExampleAccount struct {
	// Blocked is why nobody can register it.
	Blocked  string `yaml:"blocked"`
	Customer bool   `yaml:"customer"`
	// Incumbent is who serves it: "own" or "another".
	Incumbent string      `yaml:"incumbent"`
	Renewal   string      `yaml:"renewal"`
	Contacted intake.Span `yaml:"contacted"`
	// CRM are the ids of its records; those of CRM in the example are "0", "1" and so on.
	CRM []string `yaml:"crm"`
}

// ExampleRival is another case.
type ExampleRival struct {
	// Own says that it is the same partner's.
	Own    bool          `yaml:"own"`
	Status intake.Status `yaml:"status"`
	// Later says that it was claimed after the example.
	Later bool `yaml:"later"`
	// Claim is when, if that matters.
	Claim string `yaml:"claim"`
	// Grade is how sure it is the same company: certain if empty.
	Grade          identity.Grade         `yaml:"grade"`
	Strength       intake.Strength        `yaml:"strength"`
	Scope          string                 `yaml:"scope"`
	Met            string                 `yaml:"met"`
	Certifications []ExampleCertification `yaml:"certifications"`
	// Lead says that the example is the deal that came of it.
	Lead bool `yaml:"lead"`
}

// ExamplePast is an ended case.
type ExamplePast struct {
	Status intake.Status `yaml:"status"`
	Reason intake.Reason `yaml:"reason"`
	// Cooling is until when the account can't be registered again.
	Cooling string `yaml:"cooling_until"`
}

// ExampleMatch is a record of a CRM.
type ExampleMatch struct {
	Kind intake.MatchKind `yaml:"kind"`
	// Own says that it names the partner of the example, Another that it names another one.
	Own     bool `yaml:"own"`
	Another bool `yaml:"another"`
	// Idle is for how long nothing happened to it.
	Idle intake.Span `yaml:"idle"`
}

// The partners and the case of examples.
const (
	examplePartner = "example-partner"
	exampleOther   = "another-partner"
	exampleCase    = "EX-2026-000001-X"
)

// exampleWho are the partners as examples name them.
var exampleWho = map[string]string{"own": examplePartner, "another": exampleOther}

// exampleTime is when examples are claimed and judged: a Wednesday.
var exampleTime = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

// exampleMoment reads a time of an example. What is no time is a fault that faults has told.
func exampleMoment(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04", text, zone); err == nil {
		return t.UTC(), nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time like 2026-03-04 or 2026-03-04 10:00", text)
	}
	return t.UTC(), nil
}

// exampleReader makes a case of an example.
type exampleReader struct {
	p   *Policy
	now time.Time
}

func (e exampleReader) at(text string) time.Time {
	t, _ := exampleMoment(text, e.p.zone)
	return t
}

func (e exampleReader) ago(s intake.Span) time.Time {
	if s.Value == 0 {
		return time.Time{}
	}
	return e.p.Before(e.now, s)
}

// input returns the example as the policy gets a case, and when it is judged.
func (p *Policy) input(x Example) (time.Time, intake.Case) {
	claim := exampleTime
	if x.Claim != "" {
		claim, _ = exampleMoment(x.Claim, p.zone)
	}
	e := exampleReader{p, claim}
	if x.Now != "" {
		e.now = e.at(x.Now)
	}
	c := intake.Case{
		Registration: intake.Registration{
			Number: exampleCase, Seq: 2, Partner: examplePartner, Strength: cmp.Or(x.Strength, intake.StrengthDomain),
			Status: intake.StatusSubmitted, Claim: claim, Accepted: claim, Lead: p.exampleLead(x), Channel: cmp.Or(x.Channel, "email"),
			Asks: x.Asks, Meeting: e.at(x.Met), Met: x.Met != "",
		},
		Partner: e.partner(x), Known: e.known(x.Known), Holds: x.Partner.Holds,
	}
	if x.CRMDown {
		c.Unreachable = []string{"crm"}
	}
	for i, v := range x.Rivals {
		c.Rivals = append(c.Rivals, e.rival(i, v, claim))
	}
	for i, v := range x.Past {
		c.Past = append(c.Past, intake.Past{
			Number: fmt.Sprintf("EX-2026-0002%02d-X", i), Status: cmp.Or(v.Status, intake.StatusDeclined), Reason: v.Reason, Cooling: e.at(v.Cooling),
		})
	}
	for i, m := range x.CRM {
		match := intake.Match{CRM: "crm", Kind: m.Kind, Ref: intake.Ref{ID: strconv.Itoa(i)}, Activity: e.now}
		if m.Idle.Value > 0 {
			match.Activity = e.ago(m.Idle)
		}
		switch {
		case m.Own:
			match.Partner = examplePartner
		case m.Another:
			match.Partner = exampleOther
		}
		c.Matches = append(c.Matches, match)
	}
	return e.now, c
}

// exampleLead is complete by the policy, but for what the example says.
func (p *Policy) exampleLead(x Example) intake.Lead {
	lead := intake.Lead{
		intake.FieldCompanyName: "Acme Industries", intake.FieldCompanyDomain: "acme.example",
		intake.FieldContactName: "Jane Doe", intake.FieldContactEmail: "jane@acme.example",
		intake.FieldContactRole: "Head of Operations", intake.FieldStage: intake.StageNewIntro,
		intake.FieldProblem: "Reporting takes them a day a week.", intake.FieldConsent: intake.ConsentYes,
	}
	if p.spec.Territories {
		lead[intake.FieldCountry] = "BE"
	}
	if p.spec.AskProduct {
		lead[intake.FieldProductInterest] = "Any"
	}
	switch {
	case len(p.spec.Scopes) > 0:
		lead[p.spec.Split] = p.spec.Scopes[0]
	case p.spec.Split != "":
		lead[p.spec.Split] = cmp.Or(lead[p.spec.Split], "Any")
	}
	for f, v := range x.Lead {
		lead[intake.Field(f)] = v
	}
	return lead
}

func (e exampleReader) partner(x Example) intake.Partner {
	p := intake.Partner{
		ID: examplePartner, Name: "Example Partner", Status: cmp.Or(x.Partner.Status, intake.PartnerActive), StatusFrom: e.at(x.Partner.StatusFrom),
		Motion: x.Partner.Motion, Tier: x.Partner.Tier, Country: x.Partner.Country, Domains: []string{"partner.example"},
		Territories: x.Partner.Territories, Certifications: certifications(x.Partner.Certifications), Quota: x.Partner.Quota,
	}
	if x.Inactive {
		p.Status = intake.PartnerSuspended
	}
	return p
}

func certifications(list []ExampleCertification) []intake.Certification {
	var out []intake.Certification
	for _, v := range list {
		out = append(out, intake.Certification{Product: v.Product, Until: v.Until})
	}
	return out
}

func (e exampleReader) known(x ExampleKnown) intake.Known {
	k := intake.Known{Account: e.account(x.ExampleAccount, "acme.example")}
	for _, who := range x.Named {
		k.Named = append(k.Named, exampleWho[who])
	}
	for i, a := range x.Group {
		k.Group = append(k.Group, e.account(a, fmt.Sprintf("group%d.example", i)))
	}
	for i, a := range x.Alike {
		k.Alike = append(k.Alike, intake.Alike{Account: e.account(a, fmt.Sprintf("alike%d.example", i)), Evidence: "example"})
	}
	return k
}

func (e exampleReader) account(x ExampleAccount, domain string) intake.Account {
	return intake.Account{
		Domain: domain, Blocked: x.Blocked, Customer: x.Customer, Incumbent: exampleWho[x.Incumbent],
		Renewal: e.at(x.Renewal), Contacted: e.ago(x.Contacted), CRM: x.CRM,
	}
}

func (e exampleReader) rival(i int, v ExampleRival, claim time.Time) intake.Rival {
	rival := intake.Rival{
		Number: fmt.Sprintf("EX-2026-0001%02d-X", i), Partner: exampleOther, Status: v.Status, Strength: cmp.Or(v.Strength, intake.StrengthDomain),
		Claim: claim.Add(-time.Hour), Earlier: !v.Later, Grade: cmp.Or(v.Grade, identity.GradeCertain), Evidence: "example",
		Scope: v.Scope, Met: e.at(v.Met), Certified: certifications(v.Certifications), Lead: v.Lead,
	}
	if v.Own {
		rival.Partner = examplePartner
	}
	if v.Later {
		rival.Claim = claim.Add(time.Hour)
	}
	if v.Claim != "" {
		rival.Claim = e.at(v.Claim)
	}
	return rival
}

// exampleFaults collects what in an example is no such thing.
type exampleFaults struct {
	zone  *time.Location
	found []string
}

func (e *exampleFaults) check(ok bool, format string, a ...any) {
	if !ok {
		e.found = append(e.found, fmt.Sprintf(format, a...))
	}
}

func (e *exampleFaults) moment(key, text string) {
	_, err := exampleMoment(text, e.zone)
	e.check(err == nil, "%s: %v", key, err)
}

func (e *exampleFaults) who(key, name string) {
	e.check(name == "" || exampleWho[name] != "", "%s: %q is neither own nor another", key, name)
}

// oneOf checks a word that may be left out.
func oneOf[T ~string](e *exampleFaults, key string, word T, all []T) {
	e.check(word == "" || slices.Contains(all, word), "%s: %q is none of %v", key, word, all)
}

// must checks a word that may not.
func must[T ~string](e *exampleFaults, key string, word T, all []T) {
	e.check(slices.Contains(all, word), "%s: %q is none of %v", key, word, all)
}

// faults tells what in the example is no such thing.
func (x Example) faults(zone *time.Location) []string {
	e := &exampleFaults{zone: zone}
	for _, f := range slices.Sorted(maps.Keys(x.Lead)) {
		e.check(slices.Contains(intake.Fields(), intake.Field(f)), "lead.%s: there is no such field", f)
	}
	e.moment("claim", x.Claim)
	e.moment("now", x.Now)
	e.moment("met", x.Met)
	oneOf(e, "strength", x.Strength, intake.Strengths())
	oneOf(e, "partner.status", x.Partner.Status, intake.PartnerStatuses())
	e.moment("partner.status_from", x.Partner.StatusFrom)
	for _, name := range x.Known.Named {
		e.who("known.named", name)
	}
	for _, a := range slices.Concat([]ExampleAccount{x.Known.ExampleAccount}, x.Known.Group, x.Known.Alike) {
		e.who("known.incumbent", a.Incumbent)
		e.moment("known.renewal", a.Renewal)
	}
	x.otherFaults(e)
	must(e, "expect", x.Expect, intake.Outcomes())
	oneOf(e, "reason", x.Reason, intake.Reasons())
	e.who("first", x.First)
	return e.found
}

// otherFaults are those of other cases and of the CRM.
func (x Example) otherFaults(e *exampleFaults) {
	for i, v := range x.Rivals {
		at := fmt.Sprintf("rivals[%d].", i)
		must(e, at+"status", v.Status, intake.Statuses())
		must(e, at+"grade", v.Grade, identity.Grades())
		oneOf(e, at+"strength", v.Strength, intake.Strengths())
		e.moment(at+"claim", v.Claim)
		e.moment(at+"met", v.Met)
	}
	for i, v := range x.Past {
		at := fmt.Sprintf("past[%d].", i)
		oneOf(e, at+"status", v.Status, intake.Statuses())
		oneOf(e, at+"reason", v.Reason, intake.Reasons())
		e.moment(at+"cooling_until", v.Cooling)
	}
	for i, m := range x.CRM {
		must(e, fmt.Sprintf("crm[%d].kind", i), m.Kind, intake.MatchKinds())
	}
}

// ExampleResult is what became of an example.
type ExampleResult struct {
	Example Example
	Got     intake.Decision
}

// OK reports whether the verdict is the one that was meant.
func (r ExampleResult) OK() bool {
	x := r.Example
	return r.Got.Outcome == x.Expect && (x.Reason == "" || r.Got.Reason == x.Reason) &&
		(x.Acts == nil || *x.Acts == r.Got.Acts) && (x.First == "" || x.First == r.first())
}

// first is who comes first in a conflict, as examples name it; "" if there is none.
func (r ExampleResult) first() string {
	switch {
	case len(r.Got.Order) == 0:
		return ""
	case r.Got.Order[0] == exampleCase:
		return "own"
	}
	return "another"
}

// String says in a line what was meant and what came.
func (r ExampleResult) String() string {
	if r.OK() {
		return fmt.Sprintf("%s: %s", r.Example.Name, verdict(r.Got.Outcome, r.Got.Reason))
	}
	if r.Got.Outcome == r.Example.Expect && (r.Example.Reason == "" || r.Got.Reason == r.Example.Reason) {
		return fmt.Sprintf("%s: %s as expected, but acts: %t, first: %q", r.Example.Name, verdict(r.Got.Outcome, r.Got.Reason), r.Got.Acts, r.first())
	}
	var why []string
	for _, f := range r.Got.Findings {
		if f.Outcome != intake.OutcomeApprove {
			why = append(why, f.Rule)
		}
	}
	return fmt.Sprintf("%s: expected %s, the rules say %s%s", r.Example.Name, verdict(r.Example.Expect, r.Example.Reason),
		verdict(r.Got.Outcome, r.Got.Reason), strings.TrimSuffix(" by "+strings.Join(why, ", "), " by "))
}

func verdict(o intake.Outcome, r intake.Reason) string {
	if r == "" {
		return string(o)
	}
	return fmt.Sprintf("%s (%s)", o, r)
}

// Test judges the examples of the policy.
func (p *Policy) Test() []ExampleResult {
	var out []ExampleResult
	for _, x := range p.spec.Examples {
		now, c := p.input(x)
		out = append(out, ExampleResult{Example: x, Got: p.Judge(now, c)})
	}
	return out
}

// failing returns the faults of the examples, and those whose verdict is another one.
func (s Spec) failing(ids *identity.Lists, zone *time.Location) []error {
	var faults []error
	for i, x := range s.Examples {
		for _, fault := range x.faults(zone) {
			faults = append(faults, fmt.Errorf("examples[%d].%s", i, fault))
		}
	}
	if len(faults) > 0 || len(s.Examples) == 0 {
		return faults
	}
	p, err := compile(s, ids)
	if err != nil {
		return []error{err}
	}
	for i, r := range p.Test() {
		if !r.OK() {
			faults = append(faults, fmt.Errorf("examples[%d]: %s", i, r))
		}
	}
	return faults
}
