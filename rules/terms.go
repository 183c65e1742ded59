package rules

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"leadgate/intake"
)

// validateTerms returns what is wrong with the terms whose keys begin with prefix.
func validateTerms(prefix string, t intake.Terms) []error {
	var faults []error
	fault := func(key, problem string, a ...any) {
		faults = append(faults, fmt.Errorf("%s%s: %s", prefix, key, fmt.Sprintf(problem, a...)))
	}
	for key, span := range map[string]intake.Span{"decision": t.Decision, "answer": t.Answer, "next_step": t.NextStep, "window": t.Window} {
		if span.Value < 1 {
			fault(key, "want a time like 2 business days, 48 hours or 14 days")
		}
	}
	if t.Extension.Times < 0 || t.Extension.Times > 100 || t.Extension.Days < 1 || t.Extension.Days > 365 {
		fault("extension", "want times between 0 and 100, and days between 1 and 365")
	}
	for _, percent := range t.DecisionReminders {
		if percent < 1 || percent > 99 {
			fault("decision_reminders", "%d is not a part of the time in percent, 1 to 99", percent)
		}
	}
	return faults
}

// overlay returns base with what own says put in its place.
func overlay(base, own intake.Terms) intake.Terms {
	merge(reflect.ValueOf(&base).Elem(), reflect.ValueOf(own))
	return base
}

func merge(base, own reflect.Value) {
	for i := range own.NumField() {
		field := own.Field(i)
		_, span := field.Interface().(intake.Span)
		switch {
		case field.Kind() == reflect.Struct && !span:
			merge(base.Field(i), field)
		case !field.IsZero():
			base.Field(i).Set(field)
		}
	}
}

// Terms are those of the partner's tier.
func (p *Policy) Terms(partner intake.Partner) intake.Terms {
	if own, ok := p.spec.Tiers[partner.Tier]; ok && partner.Tier != "" {
		return overlay(p.spec.Terms, own)
	}
	return p.spec.Terms
}

// End is the last moment of a span that begins at from. Days end with the last of them in the
// programme's zone, one with a clock change counting as one; business days keep the time of
// day, and what starts on another day starts at midnight before the next business day.
func (p *Policy) End(from time.Time, s intake.Span) time.Time {
	switch s.Unit {
	case intake.Hours:
		return from.Add(time.Duration(s.Value) * time.Hour)
	case intake.Days:
		return p.endOfDay(from, s.Value)
	}
	local := from.In(p.zone)
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

// Before is the moment so long before an end, at the same time of day for days.
func (p *Policy) Before(end time.Time, s intake.Span) time.Time {
	if s.Unit == intake.Hours {
		return end.Add(-time.Duration(s.Value) * time.Hour)
	}
	local := end.In(p.zone)
	if s.Unit == intake.Days {
		return local.AddDate(0, 0, -s.Value).UTC()
	}
	for left := s.Value; left > 0; {
		local = local.AddDate(0, 0, -1)
		if p.week.IsWorkday(local) {
			left--
		}
	}
	return local.UTC()
}

// endOfDay is the last instant of the day that comes so many calendar days after t.
func (p *Policy) endOfDay(t time.Time, days int) time.Time {
	local := t.In(p.zone)
	end := time.Date(local.Year(), local.Month(), local.Day()+days+1, 0, 0, 0, 0, p.zone)
	return end.Add(-time.Microsecond).UTC()
}

// Scope is the part of an account that a lead claims: all of it, unless the policy splits
// accounts.
func (p *Policy) Scope(intake.Lead) string { return "" }

// Published is what everybody may read.
func (p *Policy) Published() intake.Published {
	required := full
	if p.spec.Required == RequiredShort {
		required = short
	}
	return intake.Published{
		Version: p.spec.Version, Hash: p.hash, Terms: p.spec.Terms, Tiers: p.spec.Tiers,
		Required: append(slices.Clone(required), intake.FieldConsent),
	}
}
