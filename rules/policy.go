package rules

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/rickar/cal/v2"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// Spec is the policy as an operator writes it. Default returns the values of what is left out.
type Spec struct {
	// Version is the operator's own name for this edition of the rules.
	Version string      `yaml:"version" json:"version"`
	Mode    intake.Mode `yaml:"mode" json:"mode"`
	// Timezone is the IANA name of the zone in which days end and times are shown.
	Timezone string   `yaml:"timezone" json:"timezone"`
	Contact  Contact  `yaml:"contact" json:"contact"`
	Calendar Calendar `yaml:"calendar" json:"calendar"`
	// Required is "full" or "short": which fields a registration can't do without.
	Required string `yaml:"required" json:"required"`
	// Decision is the time within which the vendor promises to decide.
	Decision Span `yaml:"decision" json:"decision"`
	// Answer is the time that a partner has to answer a question.
	Answer Span `yaml:"answer" json:"answer"`
	// ProvisionalDays is how many calendar days an approval holds before a next step.
	ProvisionalDays int `yaml:"provisional_days" json:"provisional_days"`
	// Extension bounds how staff may prolong a hold.
	Extension Extension `yaml:"extension" json:"extension"`
	// ConfirmUnproven has the address of a known partner asked whether a mail that can't prove
	// to come from there really does. Without it such mail waits for staff alone.
	ConfirmUnproven bool `yaml:"confirm_unproven_mail" json:"confirm_unproven_mail"`
	// OwnDomains are the vendor's: never a prospect.
	OwnDomains []string `yaml:"own_domains" json:"own_domains"`
	// BlockedDomains are accounts that nobody can register.
	BlockedDomains []string `yaml:"blocked_domains" json:"blocked_domains"`
	// Examples are cases with the verdict that the rules are meant to give. They are judged
	// whenever the policy is read, and are no part of its hash.
	Examples []Example `yaml:"examples" json:"-"`
}

// Extension is how often a hold can be prolonged, and by how many calendar days each time.
type Extension struct {
	Times int `yaml:"times" json:"times"`
	Days  int `yaml:"days" json:"days"`
}

// Contact is the person named to partners who have no manager of their own.
type Contact struct {
	Name  string `yaml:"name" json:"name"`
	Email string `yaml:"email" json:"email"`
}

// Span is a length of time: a count of "hours" or of "business_days" (see Calendar).
type Span struct {
	Value int    `yaml:"value" json:"value"`
	Unit  string `yaml:"unit" json:"unit"`
}

// The units of a Span.
const (
	Hours        = "hours"
	BusinessDays = "business_days"
)

// The values of Spec.Required.
const (
	RequiredFull  = "full"
	RequiredShort = "short"
)

// Default returns the policy of an operator who says nothing: a person decides everything
// but merging and asking, within two business days, and an approval holds for 14 days.
func Default() Spec {
	return Spec{
		Version: "default", Mode: intake.ModeAssist, Timezone: "UTC", Required: RequiredFull,
		Decision:        Span{Value: 2, Unit: BusinessDays},
		Answer:          Span{Value: 10, Unit: BusinessDays},
		ProvisionalDays: 14,
		Extension:       Extension{Times: 2, Days: 30},
	}
}

// Validate returns all that is wrong with s; each error begins with the key concerned.
func (s Spec) Validate(ids *identity.Lists) []error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if !slices.Contains(intake.Modes(), s.Mode) {
		fault("mode: %q is none of %v", s.Mode, intake.Modes())
	}
	if _, err := time.LoadLocation(s.Timezone); err != nil || s.Timezone == "" || s.Timezone == "Local" {
		fault("timezone: %q is not an IANA name like Europe/Brussels", s.Timezone)
	}
	if _, err := mail.ParseAddress(s.Contact.Email); err != nil || s.Contact.Name == "" {
		fault("contact: partners are always given a person to turn to; set name and email")
	}
	if s.Required != RequiredFull && s.Required != RequiredShort {
		fault("required: %q is neither %s nor %s", s.Required, RequiredFull, RequiredShort)
	}
	for key, span := range map[string]Span{"decision": s.Decision, "answer": s.Answer} {
		if span.Value < 1 || span.Value > 365 || (span.Unit != Hours && span.Unit != BusinessDays) {
			fault("%s: want a value of 1 to 365 and the unit %s or %s", key, Hours, BusinessDays)
		}
	}
	if s.ProvisionalDays < 1 || s.ProvisionalDays > 365 {
		fault("provisional_days: %d is not between 1 and 365", s.ProvisionalDays)
	}
	if s.Extension.Times < 0 || s.Extension.Times > 100 || s.Extension.Days < 1 || s.Extension.Days > 365 {
		fault("extension: want times between 0 and 100, and days between 1 and 365")
	}
	for key, list := range map[string][]string{"own_domains": s.OwnDomains, "blocked_domains": s.BlockedDomains} {
		for i, d := range list {
			if _, err := ids.Domain(d); err != nil {
				fault("%s[%d]: %w", key, i, err)
			}
		}
	}
	faults = append(faults, s.Calendar.validate()...)
	slices.SortFunc(faults, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	if len(faults) == 0 {
		return s.failing(ids)
	}
	return faults
}

// Policy is a valid Spec, ready to judge. It implements intake.Policy.
type Policy struct {
	spec    Spec
	source  []byte
	hash    string
	zone    *time.Location
	week    *cal.BusinessCalendar
	own     map[string]bool
	blocked map[string]bool
	gates   []intake.Rule
	rules   []intake.Rule
}

var _ intake.Policy = (*Policy)(nil)

// New makes a policy of a spec; an error if Validate has any.
func New(s Spec, ids *identity.Lists) (*Policy, error) {
	if faults := s.Validate(ids); len(faults) > 0 {
		return nil, faults[0]
	}
	return build(s, ids)
}

// Read makes the policy again whose Source is given.
func Read(source []byte, ids *identity.Lists) (*Policy, error) {
	s := Default()
	if err := json.Unmarshal(source, &s); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return build(s, ids)
}

func build(s Spec, ids *identity.Lists) (*Policy, error) {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(b)
	p := &Policy{
		spec: s, source: b, hash: hex.EncodeToString(sum[:]), zone: zone, week: s.Calendar.week(),
		own: domainSet(ids, s.OwnDomains), blocked: domainSet(ids, s.BlockedDomains),
	}
	p.gates = []intake.Rule{
		rule{"partner-active", partnerActive},
		rule{"required-fields", p.requiredFields},
		rule{"consent", consent},
		rule{"not-the-prospect", p.notTheProspect},
	}
	p.rules = []intake.Rule{
		rule{"blocked-account", p.blockedAccount},
		rule{"duplicate-own", duplicateOwn},
		rule{"protected-by-other", protectedByOther},
		rule{"contested", contested},
		rule{"existing-deal", existingDeal},
		rule{"crm-reachable", crmReachable},
		rule{"similar-account", similarAccount},
		rule{"look-alike-domain", lookAlike(ids)},
		rule{"contact-domain", contactDomain(ids)},
	}
	return p, nil
}

func domainSet(ids *identity.Lists, domains []string) map[string]bool {
	set := make(map[string]bool, len(domains))
	for _, raw := range domains {
		if d, err := ids.Domain(raw); err == nil {
			set[d.Key] = true
		}
	}
	return set
}

// Owns reports whether an account domain is the vendor's own.
func (p *Policy) Owns(domain string) bool { return p.own[domain] }

// OwnNames returns the names of the vendor as its domains have them.
func (p *Policy) OwnNames() []string {
	var names []string
	for _, d := range p.spec.OwnDomains {
		if name, _, _ := strings.Cut(strings.TrimPrefix(d, "www."), "."); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Hash identifies this edition: SHA-256 (hex) over the spec with its defaults.
func (p *Policy) Hash() string { return p.hash }

// Source is what the policy was made of, with its defaults: JSON, for Read.
func (p *Policy) Source() []byte { return slices.Clone(p.source) }

// Version is the operator's name for this edition.
func (p *Policy) Version() string { return p.spec.Version }

// Mode says how much the policy decides by itself.
func (p *Policy) Mode() intake.Mode { return p.spec.Mode }

// ConfirmsUnproven says whether unproven mail from a partner's address is asked to confirm.
func (p *Policy) ConfirmsUnproven() bool { return p.spec.ConfirmUnproven }

// Zone is the programme's time zone.
func (p *Policy) Zone() *time.Location { return p.zone }

// Contact is the programme's contact person.
func (p *Policy) Contact() intake.Contact {
	return intake.Contact{Name: p.spec.Contact.Name, Email: p.spec.Contact.Email}
}

// DecisionDue is the moment until which the vendor promises to decide.
func (p *Policy) DecisionDue(received time.Time) time.Time { return p.after(received, p.spec.Decision) }

// AnswerDue is the moment until which the partner has to answer.
func (p *Policy) AnswerDue(asked time.Time) time.Time { return p.after(asked, p.spec.Answer) }

// Hold is the protection that an approval grants: to the end of the last of the days, in
// the programme's zone. Days are calendar days; one with a clock change counts as one.
func (p *Policy) Hold(approved time.Time) intake.Protection {
	return intake.Protection{Start: approved, End: p.endOfDay(approved, p.spec.ProvisionalDays)}
}

// Extend moves the end of a hold by calendar days, within the bounds of the policy.
func (p *Policy) Extend(held intake.Protection, days int) (intake.Protection, error) {
	x := p.spec.Extension
	switch {
	case held.Extended >= x.Times:
		return held, fmt.Errorf("the hold was extended %d times, and the policy allows no more than %d (extension.times)", held.Extended, x.Times)
	case days < 1 || days > x.Days:
		return held, fmt.Errorf("by how many days? the policy allows 1 to %d (extension.days)", x.Days)
	}
	held.End = p.endOfDay(held.End, days)
	held.Extended++
	return held, nil
}

// endOfDay is the last instant of the day that comes so many calendar days after t.
func (p *Policy) endOfDay(t time.Time, days int) time.Time {
	local := t.In(p.zone)
	end := time.Date(local.Year(), local.Month(), local.Day()+days+1, 0, 0, 0, 0, p.zone)
	return end.Add(-time.Microsecond).UTC()
}

// after adds a span to t. Business days keep the time of day in the programme's zone; what
// starts on another day starts at midnight before the next business day.
func (p *Policy) after(t time.Time, s Span) time.Time {
	if s.Unit == Hours {
		return t.Add(time.Duration(s.Value) * time.Hour)
	}
	local := t.In(p.zone)
	if !p.week.IsWorkday(local) {
		local = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, p.zone)
		for !p.week.IsWorkday(local) {
			local = local.AddDate(0, 0, 1)
		}
	}
	for left := s.Value; left > 0; {
		local = local.AddDate(0, 0, 1)
		if p.week.IsWorkday(local) {
			left--
		}
	}
	return local.UTC()
}

// Judge evaluates every rule; the most severe finding decides, the first of equals. But what
// does not pass the gates is not judged by what others have: half a registration is asked
// to be completed, whoever holds the account, or half registrations would tell who does.
// Only a duplicate of the partner's own is merged, complete or not.
func (p *Policy) Judge(now time.Time, c intake.Case) intake.Decision {
	d := intake.Decision{Outcome: intake.OutcomeApprove}
	judge := func(rules []intake.Rule, decides func(intake.Finding) bool) {
		for _, r := range rules {
			f := r.Judge(now, c)
			if f.Outcome == "" {
				continue
			}
			f.Rule = r.Name()
			d.Findings = append(d.Findings, f)
			d.Problems = append(d.Problems, f.Problems...)
			if decides(f) && f.Outcome.Worse(d.Outcome) {
				d.Outcome, d.Reason, d.Case = f.Outcome, f.Reason, f.Case
			}
		}
	}
	judge(p.gates, func(intake.Finding) bool { return true })
	passed := d.Outcome == intake.OutcomeApprove
	judge(p.rules, func(f intake.Finding) bool { return passed || f.Outcome == intake.OutcomeMerge })
	return d
}

// rule is a named function.
type rule struct {
	name  string
	judge func(now time.Time, c intake.Case) intake.Finding
}

func (r rule) Name() string                                      { return r.name }
func (r rule) Judge(now time.Time, c intake.Case) intake.Finding { return r.judge(now, c) }
