package rules

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"leadgate/intake"
)

// Tier are the terms of a tier. What is left out is as in the terms of the programme; a clock of
// "0 days" is switched off. Its keys are those of intake.Terms.
type Tier struct {
	Decision            intake.Span          `yaml:"decision" json:"decision,omitzero"`
	DecisionReminders   []int                `yaml:"decision_reminders" json:"decision_reminders,omitzero"`
	Answer              intake.Span          `yaml:"answer" json:"answer,omitzero"`
	AnswerReminders     []intake.Span        `yaml:"answer_reminders" json:"answer_reminders,omitzero"`
	NextStep            intake.Span          `yaml:"next_step" json:"next_step,omitzero"`
	NextStepReminders   []intake.Span        `yaml:"next_step_reminders" json:"next_step_reminders,omitzero"`
	Window              intake.Span          `yaml:"window" json:"window,omitzero"`
	WindowReminders     []intake.Span        `yaml:"window_reminders" json:"window_reminders,omitzero"`
	AtOnce              *bool                `yaml:"at_once" json:"at_once,omitempty"`
	Invitation          *bool                `yaml:"invitation" json:"invitation,omitempty"`
	Idle                intake.Span          `yaml:"idle" json:"idle,omitzero"`
	IdleAnswer          intake.Span          `yaml:"idle_answer" json:"idle_answer,omitzero"`
	Extension           TierExtension        `yaml:"extension" json:"extension,omitzero"`
	Appeal              intake.AppealTerms   `yaml:"appeal" json:"appeal,omitzero"`
	Conflict            intake.ConflictTerms `yaml:"conflict" json:"conflict,omitzero"`
	CoolingOff          intake.Span          `yaml:"cooling_off" json:"cooling_off,omitzero"`
	Confirm             intake.Span          `yaml:"confirm" json:"confirm,omitzero"`
	Unknown             intake.Span          `yaml:"unknown" json:"unknown,omitzero"`
	FirstRight          intake.Span          `yaml:"first_right" json:"first_right,omitzero"`
	Reopen              intake.Span          `yaml:"reopen" json:"reopen,omitzero"`
	RunOut              *bool                `yaml:"run_out" json:"run_out,omitempty"`
	ProvisionalWhenLate *bool                `yaml:"provisional_when_late" json:"provisional_when_late,omitempty"`
}

// TierExtension are the bounds of extensions in a tier.
type TierExtension struct {
	Times  *int        `yaml:"times" json:"times,omitempty"`
	Days   *int        `yaml:"days" json:"days,omitempty"`
	Active intake.Span `yaml:"active" json:"active,omitzero"`
	Auto   *bool       `yaml:"auto" json:"auto,omitempty"`
	Grace  intake.Span `yaml:"grace" json:"grace,omitzero"`
}

const wantSpan = "want a time like 2 business days, 48 hours or 14 days"

// longest is the longest hold that can be given at a time, in days.
const longest = 365

// sound reports whether a span is one: those that no text was read into may be anything.
func sound(s intake.Span) bool {
	return s == (intake.Span{}) || s.Value >= 0 && slices.Contains(intake.Units(), s.Unit)
}

// validateTerms returns what is wrong with the terms whose keys begin with prefix.
func validateTerms(prefix string, t intake.Terms) []error {
	var faults []error
	fault := func(key, problem string, a ...any) {
		faults = append(faults, fmt.Errorf("%s%s: %s", prefix, key, fmt.Sprintf(problem, a...)))
	}
	for key, span := range clocks(t) {
		if !sound(span) || span.Value < 1 && slices.Contains(needed, key) {
			fault(key, wantSpan)
		}
	}
	for _, key := range []string{"window", "next_step"} {
		if s := clocks(t)[key]; s.Value > longest && s.Unit != intake.Hours || s.Value > longest*24 {
			fault(key, "a hold is given for %d days at most", longest)
		}
	}
	for _, percent := range t.DecisionReminders {
		if percent < 1 || percent > 99 {
			fault("decision_reminders", "%d is not a part of the time in percent, 1 to 99", percent)
		}
	}
	for _, r := range []struct {
		key       string
		reminders []intake.Span
		of        intake.Span
	}{
		{"answer_reminders", t.AnswerReminders, t.Answer},
		{"next_step_reminders", t.NextStepReminders, t.NextStep},
		{"window_reminders", t.WindowReminders, t.Window},
	} {
		for i, s := range r.reminders {
			switch at := fmt.Sprintf("%s[%d]", r.key, i); {
			case !sound(s) || s.Value < 1:
				fault(at, wantSpan)
			case r.of.Value > 0 && s.Unit == r.of.Unit && s.Value >= r.of.Value:
				fault(at, "%s is not within the %s that it reminds of", s, r.of)
			}
		}
	}
	if t.Extension.Times < 0 || t.Extension.Times > 100 {
		fault("extension.times", "want a number between 0 and 100")
	}
	if t.Extension.Days < 1 || t.Extension.Days > longest {
		fault("extension.days", "want a number between 1 and %d", longest)
	}
	return faults
}

// needed are the clocks that can't be switched off: without them a case would wait, or hold an
// account, for ever.
var needed = []string{"decision", "answer", "next_step", "window"}

// clocks returns the spans of terms by key.
func clocks(t intake.Terms) map[string]intake.Span {
	found := make(map[string]intake.Span)
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			key := prefix + v.Type().Field(i).Tag.Get("yaml")
			if span, ok := v.Field(i).Interface().(intake.Span); ok {
				found[key] = span
			} else if v.Field(i).Kind() == reflect.Struct {
				walk(key+".", v.Field(i))
			}
		}
	}
	walk("", reflect.ValueOf(t))
	return found
}

// withoutZeroClocks returns the terms with the one way to write that a clock is off.
func withoutZeroClocks(t intake.Terms) intake.Terms {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		for i := range v.NumField() {
			if span, ok := v.Field(i).Interface().(intake.Span); ok && span.Value == 0 {
				v.Field(i).SetZero()
			} else if !ok && v.Field(i).Kind() == reflect.Struct {
				walk(v.Field(i))
			}
		}
	}
	walk(reflect.ValueOf(&t).Elem())
	return t
}

// overlay returns base with what the tier says put in its place.
func overlay(base intake.Terms, own Tier) intake.Terms {
	merge(reflect.ValueOf(&base).Elem(), reflect.ValueOf(own))
	return withoutZeroClocks(base)
}

func merge(base, own reflect.Value) {
	for i := range own.NumField() {
		field, into := own.Field(i), base.FieldByName(own.Type().Field(i).Name)
		_, span := field.Interface().(intake.Span)
		switch {
		case field.Kind() == reflect.Struct && !span:
			merge(into, field)
		case field.IsZero():
		case field.Kind() == reflect.Pointer:
			into.Set(field.Elem())
		default:
			into.Set(field)
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
		local = p.midnight(local.Year(), local.Month(), local.Day())
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

// midnight is the first instant of a day. Where the clock change skips midnight, that is later.
func (p *Policy) midnight(year int, month time.Month, day int) time.Time {
	t := time.Date(year, month, day, 0, 0, 0, 0, p.zone)
	noon := time.Date(year, month, day, 12, 0, 0, 0, p.zone)
	for t.Day() != noon.Day() {
		t = t.Add(15 * time.Minute)
	}
	return t
}

// endOfDay is the last instant of the day that comes so many calendar days after t.
func (p *Policy) endOfDay(t time.Time, days int) time.Time {
	local := t.In(p.zone)
	return p.midnight(local.Year(), local.Month(), local.Day()+days+1).Add(-time.Microsecond).UTC()
}

// Published is what everybody may read.
func (p *Policy) Published() intake.Published {
	out := intake.Published{
		Version: p.spec.Version, Hash: p.hash, Terms: p.spec.Terms,
		Required: append(p.required(), intake.FieldConsent), Territories: p.spec.Territories,
		Certified: slices.Clone(p.spec.CertifiedProducts), Split: p.spec.Split,
	}
	for name, own := range p.spec.Tiers {
		if out.Tiers == nil {
			out.Tiers = make(map[string]intake.Terms)
		}
		out.Tiers[name] = overlay(p.spec.Terms, own)
	}
	return out
}
