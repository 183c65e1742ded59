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
	// Terms are the times and numbers that partners are promised.
	intake.Terms `yaml:",inline"`
	// Tiers are terms of their own for partners of a tier, by its name; what one leaves out is
	// as in Terms.
	Tiers map[string]intake.Terms `yaml:"tiers" json:"tiers,omitempty"`
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

// Contact is the person named to partners who have no manager of their own.
type Contact struct {
	Name  string `yaml:"name" json:"name"`
	Email string `yaml:"email" json:"email"`
}

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
		Terms: intake.Terms{
			Decision: business(2), DecisionReminders: []int{50, 80},
			Answer: business(10), AnswerReminders: []intake.Span{business(3), business(7)},
			NextStep: days(14), NextStepReminders: []intake.Span{days(7), days(12)},
			Window: days(90), WindowReminders: []intake.Span{days(7), days(1)}, Invitation: true,
			Idle: days(30), IdleAnswer: business(10),
			Extension:  intake.ExtensionTerms{Times: 2, Days: 30, Active: days(30), Grace: business(3)},
			Appeal:     intake.AppealTerms{Within: business(10), Acknowledge: hours(24), Plan: business(5)},
			Conflict:   intake.ConflictTerms{Acknowledge: hours(24), Plan: business(5)},
			CoolingOff: days(30), Confirm: hours(72), Unknown: days(14),
			FirstRight: business(3), Reopen: days(30),
		},
	}
}

func hours(n int) intake.Span    { return intake.Span{Value: n, Unit: intake.Hours} }
func days(n int) intake.Span     { return intake.Span{Value: n, Unit: intake.Days} }
func business(n int) intake.Span { return intake.Span{Value: n, Unit: intake.BusinessDays} }

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
	faults = append(faults, validateTerms("", s.Terms)...)
	for tier, t := range s.Tiers {
		faults = append(faults, validateTerms("tiers."+tier+".", overlay(s.Terms, t))...)
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

// ConfirmsUnproven says whether unproven mail from a partner's address is asked to confirm.
func (p *Policy) ConfirmsUnproven() bool { return p.spec.ConfirmUnproven }

// Zone is the programme's time zone.
func (p *Policy) Zone() *time.Location { return p.zone }

// Contact is the programme's contact person.
func (p *Policy) Contact() intake.Contact {
	return intake.Contact{Name: p.spec.Contact.Name, Email: p.spec.Contact.Email}
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
	d.Acts = p.acts(d)
	return d
}

// acts reports whether the mode lets an outcome happen by itself.
func (p *Policy) acts(d intake.Decision) bool {
	switch d.Outcome {
	case intake.OutcomeMerge, intake.OutcomeAsk:
		return p.spec.Mode != intake.ModeObserve
	case intake.OutcomeApprove, intake.OutcomeDecline, intake.OutcomeWaitlist:
		return p.spec.Mode == intake.ModeAuto
	}
	return false
}

// rule is a named function.
type rule struct {
	name  string
	judge func(now time.Time, c intake.Case) intake.Finding
}

func (r rule) Name() string                                      { return r.name }
func (r rule) Judge(now time.Time, c intake.Case) intake.Finding { return r.judge(now, c) }
