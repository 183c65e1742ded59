package rules

import (
	"cmp"
	"fmt"
	"maps"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/identity"
)

var countryCode = regexp.MustCompile(`^[A-Z]{2}$`)

// SplitFields are the fields by which an account can be shared. Others are no choice of a few
// words: who writes differently would get an account of their own.
func SplitFields() []intake.Field {
	return []intake.Field{intake.FieldProductInterest, intake.FieldServicesNeeded, intake.FieldCountry}
}

// Validate returns all that is wrong with s; each error begins with the key concerned.
func (s Spec) Validate(ids *identity.Lists) []error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if !slices.Contains(intake.Modes(), s.Mode) {
		fault("mode: %q is none of %v", s.Mode, intake.Modes())
	}
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil || s.Timezone == "" || s.Timezone == "Local" {
		fault("timezone: %q is not an IANA name like Europe/Brussels", s.Timezone)
		zone = time.UTC
	}
	if _, err := mail.ParseAddress(s.Contact.Email); err != nil || s.Contact.Name == "" {
		fault("contact: partners are always given a person to turn to; set name and email")
	}
	if s.Required != RequiredFull && s.Required != RequiredShort {
		fault("required: %q is neither %s nor %s", s.Required, RequiredFull, RequiredShort)
	}
	faults = append(faults, validateTerms("", s.Terms)...)
	for tier, t := range s.Tiers {
		if strings.TrimSpace(tier) == "" {
			fault("tiers: a tier without a name is the programme itself")
		}
		faults = append(faults, validateTerms("tiers."+tier+".", overlay(s.Terms, t))...)
	}
	faults = append(faults, s.validateLists(ids)...)
	faults = append(faults, s.validateChoices()...)
	faults = append(faults, s.validateConditions()...)
	faults = append(faults, s.Calendar.validate()...)
	slices.SortFunc(faults, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	if len(faults) == 0 {
		return s.failing(ids, zone)
	}
	return faults
}

func (s Spec) validateLists(ids *identity.Lists) []error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	for i, f := range s.DealFields {
		if !slices.Contains(intake.Fields(), f) {
			fault("deal_fields[%d]: %q is none of %v", i, f, intake.Fields())
		}
	}
	for key, list := range map[string][]string{"own_domains": s.OwnDomains, "blocked_domains": s.BlockedDomains} {
		for i, d := range list {
			if _, err := ids.Domain(d); err != nil {
				fault("%s[%d]: %w", key, i, err)
			}
		}
	}
	for i, code := range s.BlockedCountries {
		if !countryCode.MatchString(code) {
			fault("blocked_countries[%d]: %q is not a two-letter code like BE", i, code)
		}
	}
	for key, list := range map[string][]string{"certified_products": s.CertifiedProducts, "scopes": s.Scopes} {
		for i, v := range list {
			if word(v) == "" || strings.Contains(v, strings.TrimSpace(intake.ListSeparator)) {
				fault("%s[%d]: %q is not one name", key, i, v)
			}
		}
	}
	return faults
}

func (s Spec) validateChoices() []error {
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	for _, reason := range slices.Sorted(maps.Keys(s.Modes)) {
		if reason != Cleanly && !slices.Contains(intake.Reasons(), reason) {
			fault("modes.%s: is neither %s nor one of %v", reason, Cleanly, intake.Reasons())
		}
		if !slices.Contains(intake.Modes(), s.Modes[reason]) {
			fault("modes.%s: %q is none of %v", reason, s.Modes[reason], intake.Modes())
		}
	}
	for key, o := range map[string]intake.Outcome{"territory": s.Territory, "direct_deal": s.DirectDeal} {
		if o != intake.OutcomeReview && o != intake.OutcomeDecline {
			fault("%s: %q is neither %s nor %s", key, o, intake.OutcomeReview, intake.OutcomeDecline)
		}
	}
	if s.GroupScope != GroupAccount && s.GroupScope != GroupWhole {
		fault("group_scope: %q is neither %s nor %s", s.GroupScope, GroupAccount, GroupWhole)
	}
	if s.Split != "" && !slices.Contains(SplitFields(), s.Split) {
		fault("split: %q is none of %v", s.Split, SplitFields())
	}
	if s.Split == "" && len(s.Scopes) > 0 {
		fault("scopes: are the values of the field that split names; set it too")
	}
	if s.AskProduct && len(s.CertifiedProducts) == 0 {
		fault("ask_product: is for certified_products; set them too")
	}
	for key, span := range map[string]intake.Span{"deal_activity": s.DealActivity, "recent_contact": s.RecentContact, "renewal": s.Renewal} {
		if !sound(span) {
			fault("%s: %s", key, wantSpan)
		}
	}
	return append(faults, validateProbe(s.Probe)...)
}

func validateProbe(p intake.ProbeLimits) []error {
	if p.Domains == 0 {
		return nil
	}
	var faults []error
	if p.Domains < 2 {
		faults = append(faults, fmt.Errorf("probe.domains: %d: want 2 or more, or 0 for never", p.Domains))
	}
	if p.Taken < 1 || p.Taken > 100 {
		faults = append(faults, fmt.Errorf("probe.taken: %d is not a part in percent, 1 to 100", p.Taken))
	}
	if p.Within.Unit != intake.Days || p.Within.Value < 1 || p.Within.Value > longestProbe {
		faults = append(faults, fmt.Errorf("probe.within: want 1 to %d days, like 7 days", longestProbe))
	}
	return faults
}

// longestProbe bounds the days whose counts are kept of a partner.
const longestProbe = 90
