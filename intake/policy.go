package intake

import (
	"slices"
	"time"

	"leadgate/intake/identity"
)

// Policy is the published rules, as the pipeline needs them. It is pure: no I/O, and no
// clock but the times passed in, because it runs inside the transaction that acts on it.
type Policy interface {
	// Hash identifies the version, Version is the operator's name for it; every decision names
	// the hash.
	Hash() string
	Version() string
	// Judge returns the verdict on a case. All findings are kept; the worst decides.
	Judge(now time.Time, c Case) Decision
	// Terms are the times and numbers that a partner is promised. Those of the zero Partner are
	// for whom nobody knows yet.
	Terms(p Partner) Terms
	// End is the last moment of a span that begins at from; Before is the moment so long before
	// an end.
	End(from time.Time, s Span) time.Time
	Before(end time.Time, s Span) time.Time
	// Scope is the part of an account that a lead claims, where the policy lets partners share
	// one; "" for the whole.
	Scope(l Lead) string
	// GroupWide says that a claim is to all companies of a group.
	GroupWide() bool
	// Published is what everybody may read of the rules. It names no account.
	Published() Published
	// ConfirmsUnproven says whether a mail that claims to come from a partner and can't prove
	// it is answered by a request to confirm, which tells nothing of what was sent.
	ConfirmsUnproven() bool
	// Alerts are what staff are told of by themselves, beside the cases.
	Alerts() Alerts
	// Zone is the time zone of the programme, in which days end and times are shown.
	Zone() *time.Location
	// Contact is the person named to partners who have no manager of their own.
	Contact() Contact
}

// Alerts are the bounds from which staff are told of something that is about no single case.
type Alerts struct {
	// Renewal is how long before its end the contract of a customer has to be confirmed by the
	// partner who serves it; it need not be with the zero Span.
	Renewal Span
	Probe   ProbeLimits
}

// Published is what everybody may read of the rules, for the page and the mail about them.
type Published struct {
	Version string `json:"version"`
	Hash    string `json:"hash"`
	// Terms are those of a partner without a tier, Tiers those of the tiers, by name.
	Terms Terms            `json:"terms"`
	Tiers map[string]Terms `json:"tiers,omitempty"`
	// Required are the fields that a registration can't do without.
	Required []Field `json:"required"`
	// Territories says that partners register in their territories, Certified are the products
	// that take a certification, Split is the field by which partners can share an account.
	Territories bool     `json:"territories,omitempty"`
	Certified   []string `json:"certified,omitempty"`
	Split       Field    `json:"split,omitempty"`
}

// A Rule judges one aspect of a case. Rules are pure, as Policy is.
type Rule interface {
	Name() string
	// Judge returns the zero Finding if the rule has nothing to say.
	Judge(now time.Time, c Case) Finding
}

// Mode says how much the policy decides by itself.
type Mode string

// The modes.
const (
	// ModeObserve: everything goes to review, the verdict is recorded.
	ModeObserve Mode = "observe"
	// ModeAssist: merging and asking happen by themselves, all else is recommended.
	ModeAssist Mode = "assist"
	// ModeAuto: clean approvals, hard declines and the waiting list happen by themselves.
	ModeAuto Mode = "auto"
)

// Modes is the full set.
func Modes() []Mode { return []Mode{ModeObserve, ModeAssist, ModeAuto} }

// Case is all that a rule may look at.
type Case struct {
	Registration Registration `json:"registration"`
	Partner      Partner      `json:"partner"`
	// Known is what the vendor's own lists say of the company.
	Known Known `json:"known,omitzero"`
	// Rivals are the other live cases that may be about the same company, by (Claim, Seq).
	Rivals []Rival `json:"rivals,omitempty"`
	// Past are the partner's own ended cases of certainly the same account, newest first.
	Past []Past `json:"past,omitempty"`
	// Holds is how many other cases of the partner hold an account now.
	Holds int `json:"holds,omitempty"`
	// Matches is what the CRMs know; Unreachable names those that could not be asked.
	Matches     []Match  `json:"matches,omitempty"`
	Unreachable []string `json:"unreachable,omitempty"`
}

// Rival is another case that may be about the same company.
type Rival struct {
	Number   string         `json:"case"`
	Partner  string         `json:"partner"`
	Status   Status         `json:"status"`
	Strength Strength       `json:"strength"`
	Claim    time.Time      `json:"claim_time,omitzero"`
	Earlier  bool           `json:"earlier,omitempty"` // its claim is the older one
	Grade    identity.Grade `json:"grade"`
	Evidence string         `json:"evidence,omitempty"` // why it may be the same, for staff
	Scope    string         `json:"scope,omitempty"`
	// Met is when its partner first met the company, as was proven; zero if he has not.
	Met time.Time `json:"met,omitzero"`
	// Certified are the certifications of its partner.
	Certified []Certification `json:"certified,omitempty"`
	// Lead says that it is the lead of which the case judged is the deal.
	Lead bool `json:"lead,omitempty"`
}

// Past is a case that has ended.
type Past struct {
	Number  string    `json:"case"`
	Status  Status    `json:"status"`
	Reason  Reason    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
	Cooling time.Time `json:"cooling_until,omitzero"`
}

// Outcome is what a finding asks for.
type Outcome string

// The outcomes, mildest first.
const (
	OutcomeApprove  Outcome = "approve"
	OutcomeReview   Outcome = "review"
	OutcomeAsk      Outcome = "needs_info"
	OutcomeWaitlist Outcome = "waitlist"
	OutcomeDecline  Outcome = "decline"
	OutcomeMerge    Outcome = "merge"
)

// Outcomes is the full set, mildest first.
func Outcomes() []Outcome {
	return []Outcome{OutcomeApprove, OutcomeReview, OutcomeAsk, OutcomeWaitlist, OutcomeDecline, OutcomeMerge}
}

// Worse reports whether o is more severe than p. No outcome counts as approve.
func (o Outcome) Worse(p Outcome) bool { return o.rank() > p.rank() }

func (o Outcome) rank() int { return max(0, slices.Index(Outcomes(), o)) }

// Reason is a code of why a case is where it is. The set is closed: what a partner reads
// is chosen by the code's disclosure class, never composed from the evidence.
type Reason string

// The reasons.
const (
	ReasonMissingField     Reason = "missing_field"
	ReasonConsentRequired  Reason = "consent_required"
	ReasonQuestion         Reason = "question"
	ReasonUnknownPartner   Reason = "unknown_partner"
	ReasonUnverified       Reason = "unverified"
	ReasonPartnerInactive  Reason = "partner_inactive"
	ReasonDuplicateOwn     Reason = "duplicate_own"
	ReasonBlocked          Reason = "blocked_account"
	ReasonProtectedByOther Reason = "protected_by_other"
	ReasonContested        Reason = "contested"
	ReasonExistingDeal     Reason = "existing_deal"
	ReasonExistingCustomer Reason = "existing_customer"
	ReasonSimilarAccount   Reason = "similar_account"
	ReasonHomograph        Reason = "homograph_suspect"
	ReasonCRMUnverified    Reason = "crm_unverified"
	ReasonContactDomain    Reason = "contact_domain_differs"
	ReasonAskedEnough      Reason = "asked_enough"
	ReasonUnclearReply     Reason = "unclear_reply"
	ReasonNotEligible      Reason = "not_eligible"
	ReasonOutsideTerritory Reason = "territory"
	ReasonNoNextStep       Reason = "no_next_step"
	ReasonNoInfoInTime     Reason = "no_info_in_time"
	ReasonAutomatic        Reason = "automatic_mail"
	ReasonAppeal           Reason = "appeal"
	ReasonWithdrawn        Reason = "withdrawn_by_partner"
	ReasonDuplicateInFile  Reason = "duplicate_in_file"
	ReasonFreeMailOnly     Reason = "free_mail_only"
	ReasonCountryNeeded    Reason = "country_needed"
	ReasonScopeNeeded      Reason = "scope_needed"
	ReasonProductNeeded    Reason = "product_needed"
	ReasonStaleDeal        Reason = "stale_deal"
	ReasonNamedAccount     Reason = "named_account"
	ReasonCertification    Reason = "certification"
	ReasonRelatedAccount   Reason = "related_account"
	ReasonQuota            Reason = "quota"
	ReasonRecentContact    Reason = "recent_direct_contact"
	ReasonIncumbent        Reason = "incumbent"
	ReasonCondition        Reason = "condition"
	ReasonCoolingOff       Reason = "cooling_off"
	ReasonWindowEnded      Reason = "window_ended"
	ReasonNoTouch          Reason = "no_touch"
	ReasonRevoked          Reason = "revoked"
	ReasonNotConfirmed     Reason = "not_confirmed"
	ReasonElevated         Reason = "elevated"
	ReasonHolderLeft       Reason = "holder_left"
	ReasonOffboarded       Reason = "offboarded"
	ReasonResolved         Reason = "conflict_resolved"
)

// Reasons is the full set.
func Reasons() []Reason {
	return []Reason{
		ReasonMissingField, ReasonConsentRequired, ReasonQuestion, ReasonUnknownPartner,
		ReasonUnverified, ReasonPartnerInactive, ReasonDuplicateOwn, ReasonBlocked,
		ReasonProtectedByOther, ReasonContested, ReasonExistingDeal, ReasonExistingCustomer,
		ReasonSimilarAccount, ReasonHomograph, ReasonCRMUnverified, ReasonContactDomain,
		ReasonAskedEnough, ReasonUnclearReply, ReasonNotEligible, ReasonOutsideTerritory, ReasonNoNextStep,
		ReasonNoInfoInTime, ReasonAutomatic, ReasonAppeal, ReasonWithdrawn,
		ReasonDuplicateInFile, ReasonFreeMailOnly, ReasonCountryNeeded, ReasonScopeNeeded,
		ReasonProductNeeded, ReasonStaleDeal, ReasonNamedAccount, ReasonCertification,
		ReasonRelatedAccount, ReasonQuota, ReasonRecentContact, ReasonIncumbent, ReasonCondition,
		ReasonCoolingOff, ReasonWindowEnded, ReasonNoTouch, ReasonRevoked, ReasonNotConfirmed,
		ReasonElevated, ReasonHolderLeft, ReasonOffboarded, ReasonResolved,
	}
}

// DeclineReasons are those that staff can decline a case for.
func DeclineReasons() []Reason {
	return []Reason{
		ReasonNotEligible, ReasonBlocked, ReasonExistingCustomer, ReasonExistingDeal, ReasonProtectedByOther,
		ReasonNamedAccount, ReasonRelatedAccount, ReasonRecentContact, ReasonOutsideTerritory, ReasonCertification,
		ReasonQuota, ReasonPartnerInactive, ReasonMissingField, ReasonConsentRequired, ReasonFreeMailOnly,
		ReasonNoInfoInTime, ReasonRevoked, ReasonNoTouch, ReasonIncumbent,
	}
}

// fixable reports whether the partner can mend what the reason says and register again.
func (r Reason) fixable() bool {
	switch r {
	case ReasonMissingField, ReasonConsentRequired, ReasonFreeMailOnly, ReasonCountryNeeded, ReasonScopeNeeded,
		ReasonProductNeeded, ReasonCertification, ReasonQuota, ReasonNoInfoInTime, ReasonPartnerInactive,
		ReasonResolved, ReasonProtectedByOther, ReasonContested, ReasonCoolingOff:
		return true
	}
	return false
}

// Finding is what one rule found. Evidence is for staff and may name others; it never
// reaches a partner.
type Finding struct {
	Rule     string    `json:"rule"`
	Outcome  Outcome   `json:"outcome"`
	Reason   Reason    `json:"reason,omitempty"`
	Evidence string    `json:"evidence,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
	// Case is the other case concerned, if there is one.
	Case string `json:"case,omitempty"`
}

// Decision is the verdict of a policy: the worst finding's outcome and reason, and the
// whole trace.
type Decision struct {
	Outcome  Outcome   `json:"outcome"`
	Reason   Reason    `json:"reason,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
	Problems []Problem `json:"problems,omitempty"`
	// Case is the case into which to merge, with OutcomeMerge.
	Case string `json:"case,omitempty"`
	// Acts says that the policy lets the outcome happen by itself; else it is a
	// recommendation to a person.
	Acts bool `json:"acts,omitempty"`
	// Order are the cases of a conflict in the order of the published hierarchy, this one
	// included; empty if there is no conflict.
	Order []string `json:"order,omitempty"`
}
