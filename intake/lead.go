package intake

import (
	"slices"
	"strings"
)

// Field names one datum of a lead. The names are stored, shown in JSON and used by
// templates as label keys.
type Field string

// The fields that a lead can have.
const (
	FieldCompanyName      Field = "company_name"
	FieldCompanyDomain    Field = "company_domain"
	FieldCountry          Field = "country"
	FieldContactName      Field = "contact_name"
	FieldContactEmail     Field = "contact_email"
	FieldContactRole      Field = "contact_role"
	FieldContactPhone     Field = "contact_phone"
	FieldProblem          Field = "problem"
	FieldSolutionFit      Field = "solution_fit"
	FieldServicesNeeded   Field = "services_needed"
	FieldStage            Field = "stage"
	FieldProductInterest  Field = "product_interest"
	FieldCompetingVendors Field = "competing_vendors"
	FieldTargetRevenue    Field = "target_revenue"
	FieldConsent          Field = "consent"
	FieldKind             Field = "kind"
)

// Fields is the full set, in the order in which people are shown them.
func Fields() []Field {
	return []Field{
		FieldCompanyName, FieldCompanyDomain, FieldCountry,
		FieldContactName, FieldContactEmail, FieldContactRole, FieldContactPhone,
		FieldProblem, FieldSolutionFit, FieldServicesNeeded, FieldStage,
		FieldProductInterest, FieldCompetingVendors, FieldTargetRevenue, FieldConsent, FieldKind,
	}
}

// The values of FieldStage: how far the partner has come with the prospect.
const (
	StageNewIntro           = "new_intro"
	StageDiscoveryScheduled = "discovery_scheduled"
	StageEvaluation         = "evaluation"
)

// The values of FieldConsent: whether the prospect agreed to be contacted.
const (
	ConsentYes = "yes"
	ConsentNo  = "no"
)

// The values of FieldKind: what the partner registers.
const (
	KindLead = "lead"
	KindDeal = "deal"
)

// Kinds is the full set of values of FieldKind.
func Kinds() []string { return []string{KindLead, KindDeal} }

// ListSeparator stands between the entries of a list field.
const ListSeparator = "; "

// Stages is the full set of values of FieldStage.
func Stages() []string { return []string{StageNewIntro, StageDiscoveryScheduled, StageEvaluation} }

// Lead is what a partner tells about a prospect. Values are as the channel read them until
// Clean has run; afterwards they are trimmed, bounded and of the stated form. An absent
// field is the empty string.
//
//   - company_domain: registrable domain in ASCII form (acme.co.uk)
//   - country: ISO 3166-1 alpha-2, upper case
//   - contact_email: address with ASCII domain, local part as typed
//   - stage: one of Stages
//   - consent: "yes", "no" or absent; never assumed
//   - contact_phone: E.164, "+493012345678"
//   - kind: one of Kinds
//   - lists (services_needed, product_interest, competing_vendors): entries joined by "; "
//   - target_revenue: decimal amount and ISO 4217 code, "120000 EUR"
type Lead map[Field]string

// Clone returns an independent copy.
func (l Lead) Clone() Lead {
	c := make(Lead, len(l))
	for f, v := range l {
		c[f] = v
	}
	return c
}

// Empty reports whether no field has a value.
func (l Lead) Empty() bool {
	for _, v := range l {
		if v != "" {
			return false
		}
	}
	return true
}

// names reports whether the lead says whom it is about. Without that there is nothing to
// register.
func (l Lead) names() bool {
	return l[FieldCompanyName] != "" || l[FieldCompanyDomain] != "" || l[FieldContactEmail] != "" || l[FieldContactName] != ""
}

// Fill copies the values of add into fields that are empty here or listed in replace, and
// returns the fields that changed, in the order of Fields. What stands in a record is
// never overwritten by a later submission unless it was asked for.
func (l Lead) Fill(add Lead, replace ...Field) []Field {
	var changed []Field
	for _, f := range Fields() {
		v := add[f]
		if v == "" || v == l[f] {
			continue
		}
		if l[f] == "" || slices.Contains(replace, f) {
			l[f] = v
			changed = append(changed, f)
		}
	}
	return changed
}

// List splits the value of a list field.
func (l Lead) List(f Field) []string {
	if l[f] == "" {
		return nil
	}
	return strings.Split(l[f], ListSeparator)
}

// A Problem is all that a partner ever sees of an error: which field, a code that programs
// can match, and words that say what to do next. It holds no data of anybody else.
type Problem struct {
	Field   Field  `json:"field,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message,omitempty"`
	// Given is what the sender wrote, if it can't be used.
	Given string `json:"given,omitempty"`
}

// The codes of a Problem.
const (
	ProblemMissing          = "missing_field"
	ProblemInvalid          = "invalid_value"
	ProblemInvalidDomain    = "invalid_domain"
	ProblemNotCompanyDomain = "not_a_company_domain"
	ProblemFreeMail         = "free_mail_only"
	ProblemOwnDomain        = "not_the_prospect"
	ProblemConsent          = "consent_required"
	ProblemTooLong          = "too_long"
	ProblemTooShort         = "too_short"
	ProblemFileErased       = "file_erased"  // the file told of somebody who was erased
	ProblemUnknownCase      = "unknown_case" // a case number that is none of the sender's
	ProblemConflict         = "conflicting_values"
)
