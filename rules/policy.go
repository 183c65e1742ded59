package rules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
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
	// Modes are the mode in the place of Mode where a reason decides; "approve" is for the
	// approval of what nothing speaks against.
	Modes map[intake.Reason]intake.Mode `yaml:"modes" json:"modes,omitempty"`
	// Timezone is the IANA name of the zone in which days end and times are shown.
	Timezone string   `yaml:"timezone" json:"timezone"`
	Contact  Contact  `yaml:"contact" json:"contact"`
	Calendar Calendar `yaml:"calendar" json:"calendar"`
	// Required is "full" or "short": which fields a registration can't do without.
	Required string `yaml:"required" json:"required"`
	// DealFields are what a deal can't do without besides. Many call each registration a deal, so
	// there are none unless the operator says so.
	DealFields []intake.Field `yaml:"deal_fields" json:"deal_fields,omitempty"`
	// Terms are the times and numbers that partners are promised.
	intake.Terms `yaml:",inline"`
	// Tiers are terms of their own for partners of a tier, by its name; what one leaves out is
	// as in Terms.
	Tiers map[string]Tier `yaml:"tiers" json:"tiers,omitempty"`
	// ConfirmUnproven has the address of a known partner asked whether a mail that can't prove
	// to come from there really does. Without it such mail waits for staff alone.
	ConfirmUnproven bool `yaml:"confirm_unproven_mail" json:"confirm_unproven_mail"`
	// OwnDomains are the vendor's: never a prospect.
	OwnDomains []string `yaml:"own_domains" json:"own_domains"`
	// BlockedDomains are accounts that nobody can register, BlockedCountries (ISO 3166-1) where
	// nobody can register any.
	BlockedDomains   []string `yaml:"blocked_domains" json:"blocked_domains"`
	BlockedCountries []string `yaml:"blocked_countries" json:"blocked_countries,omitempty"`
	// Territories has every registration say its country. A country outside the partner's own
	// territories gives the outcome Territory: OutcomeReview or OutcomeDecline.
	Territories bool           `yaml:"territories" json:"territories,omitempty"`
	Territory   intake.Outcome `yaml:"territory" json:"territory"`
	// CertifiedProducts take a certification of the partner. AskProduct has who names no
	// product asked for it.
	CertifiedProducts []string `yaml:"certified_products" json:"certified_products,omitempty"`
	AskProduct        bool     `yaml:"ask_product" json:"ask_product,omitempty"`
	// Split is the field by which partners can share an account, "" if they can't. Scopes are
	// the values that it can have then; any if there are none.
	Split  intake.Field `yaml:"split" json:"split,omitempty"`
	Scopes []string     `yaml:"scopes" json:"scopes,omitempty"`
	// GroupScope is GroupAccount if a claim is to one company, GroupWhole if it is to all
	// that belong together with it.
	GroupScope string `yaml:"group_scope" json:"group_scope"`
	// DirectDeal is the outcome, OutcomeReview or OutcomeDecline, if direct sales has a deal
	// with the company. A deal without activity for as long as DealActivity is only noted;
	// none is too old with the zero Span.
	DirectDeal   intake.Outcome `yaml:"direct_deal" json:"direct_deal"`
	DealActivity intake.Span    `yaml:"deal_activity" json:"deal_activity"`
	// RecentContact is how long a contact of direct sales with a company has registrations of
	// it looked at; not at all with the zero Span.
	RecentContact intake.Span `yaml:"recent_contact" json:"recent_contact"`
	// Renewal is how long before the end of a customer's contract who judges is told of it, and
	// staff if the partner who serves it has not confirmed that it goes on.
	Renewal intake.Span `yaml:"renewal" json:"renewal"`
	// Probe is from when on staff are told of a partner who seems to search for what others have.
	Probe intake.ProbeLimits `yaml:"probe" json:"probe,omitzero"`
	// Conditions are rules of the operator's own.
	Conditions []Condition `yaml:"conditions" json:"conditions,omitempty"`
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

// The values of Spec.GroupScope.
const (
	GroupAccount = "account"
	GroupWhole   = "group"
)

// Cleanly is the key of Spec.Modes for approvals.
const Cleanly intake.Reason = "approve"

// Default returns the policy of an operator who says nothing: a person decides everything
// but merging and asking, within two business days, and an approval holds for 14 days.
func Default() Spec {
	return Spec{
		Version: "default", Mode: intake.ModeAssist, Timezone: "UTC", Required: RequiredFull,
		Territory: intake.OutcomeReview, GroupScope: GroupAccount,
		DirectDeal: intake.OutcomeReview, DealActivity: days(180), Renewal: days(90),
		Probe: intake.ProbeLimits{Domains: 20, Taken: 60, Within: days(7)},
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

// Policy is a valid Spec, ready to judge. It implements intake.Policy.
type Policy struct {
	spec    Spec
	source  []byte
	hash    string
	zone    *time.Location
	week    *cal.BusinessCalendar
	ids     *identity.Lists
	own     map[string]bool
	blocked map[string]bool
	// certified and scopes are the words of CertifiedProducts and Scopes; see word.
	certified map[string]bool
	scopes    map[string]bool
	gates     []intake.Rule
	rules     []intake.Rule
}

var _ intake.Policy = (*Policy)(nil)

// New makes a policy of a spec; an error if Validate has any.
func New(s Spec, ids *identity.Lists) (*Policy, error) {
	if faults := s.Validate(ids); len(faults) > 0 {
		return nil, faults[0]
	}
	return compile(s, ids)
}

// Read makes the policy again whose Source is given. What the source does not have, it did not
// say when it was written: defaults of today have no part in it.
func Read(source []byte, ids *identity.Lists) (*Policy, error) {
	var s Spec
	if err := json.Unmarshal(source, &s); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, source); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return build(s, compact.Bytes(), ids)
}

// compile makes a policy of a spec whose source is not written yet.
func compile(s Spec, ids *identity.Lists) (*Policy, error) {
	s.Terms = withoutZeroClocks(s.Terms)
	source, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return build(s, source, ids)
}

func build(s Spec, source []byte, ids *identity.Lists) (*Policy, error) {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return nil, fmt.Errorf("timezone: %w", err)
	}
	sum := sha256.Sum256(source)
	p := &Policy{
		spec: s, source: source, hash: hex.EncodeToString(sum[:]), zone: zone, week: s.Calendar.week(), ids: ids,
		own: domainSet(ids, s.OwnDomains), blocked: domainSet(ids, s.BlockedDomains),
		certified: wordSet(s.CertifiedProducts), scopes: wordSet(s.Scopes),
	}
	asking, judging, err := p.conditions()
	if err != nil {
		return nil, err
	}
	p.gates = append([]intake.Rule{
		rule{"partner-active", partnerActive},
		rule{"required-fields", p.requiredFields},
		rule{"company-domain", p.companyDomain},
		rule{"country", p.countryNeeded},
		rule{"product", p.productNeeded},
		rule{"scope", p.scopeNeeded},
		rule{"consent", consent},
		rule{"not-the-prospect", p.notTheProspect},
	}, asking...)
	p.rules = append([]intake.Rule{
		rule{"blocked-account", p.blockedAccount},
		rule{"cooling-off", coolingOff},
		rule{"duplicate-own", p.duplicateOwn},
		rule{"protected-by-other", p.protectedByOther},
		rule{"contested", p.contested},
		rule{"existing-customer", p.existingCustomer},
		rule{"existing-deal", p.existingDeal},
		rule{"recent-contact", p.recentContact},
		rule{"named-account", p.namedAccount},
		rule{"territory", p.territory},
		rule{"certification", p.certification},
		rule{"quota", quota},
		rule{"related-account", p.relatedAccount},
		rule{"crm-reachable", crmReachable},
		rule{"similar-account", p.similarAccount},
		rule{"look-alike-domain", p.lookAlike},
		rule{"contact-domain", p.contactDomain},
	}, judging...)
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

// word is the form in which two spellings of a product or a scope are the same.
func word(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

func wordSet(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[word(s)] = true
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

// Alerts are what staff are told of by themselves.
func (p *Policy) Alerts() intake.Alerts {
	a := intake.Alerts{Renewal: p.spec.Renewal, Probe: p.spec.Probe}
	if a.Renewal.Value == 0 {
		a.Renewal = intake.Span{}
	}
	return a
}

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
	passed := !d.Outcome.Worse(intake.OutcomeReview)
	judge(p.rules, func(f intake.Finding) bool { return passed || f.Outcome == intake.OutcomeMerge })
	if slices.ContainsFunc(d.Findings, func(f intake.Finding) bool { return f.Reason == intake.ReasonContested }) {
		d.Order = p.ranking(now, c).numbers()
	}
	d.Acts = p.acts(d)
	return d
}

// acts reports whether the mode lets an outcome happen by itself.
func (p *Policy) acts(d intake.Decision) bool {
	mode := p.mode(d)
	switch d.Outcome {
	case intake.OutcomeMerge, intake.OutcomeAsk:
		return mode != intake.ModeObserve
	case intake.OutcomeApprove, intake.OutcomeDecline, intake.OutcomeWaitlist:
		return mode == intake.ModeAuto
	}
	return false
}

// mode is the one for what decides.
func (p *Policy) mode(d intake.Decision) intake.Mode {
	reason := d.Reason
	if d.Outcome == intake.OutcomeApprove {
		reason = Cleanly
	}
	if mode, ok := p.spec.Modes[reason]; ok {
		return mode
	}
	return p.spec.Mode
}

// rule is a named function.
type rule struct {
	name  string
	judge func(now time.Time, c intake.Case) intake.Finding
}

func (r rule) Name() string                                      { return r.name }
func (r rule) Judge(now time.Time, c intake.Case) intake.Finding { return r.judge(now, c) }
