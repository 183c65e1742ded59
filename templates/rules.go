package templates

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"leadgate/intake"
)

// rulesView is the rules of the programme in words: what a registration needs, and a sentence
// for each term.
type rulesView struct {
	Version     string
	Required    []string
	Terms       []string
	Tiers       []tierView
	Territories bool
	Certified   string
	Split       string
}

// tierView is what is different for partners of a tier; there may be no Terms that are.
type tierView struct {
	Name  string
	Terms []string
}

func (l *locale) rules(p *intake.Published) *rulesView {
	if p == nil {
		return nil
	}
	v := &rulesView{
		Version: line(p.Version, maxShort), Terms: l.sentences(p.Terms),
		Territories: p.Territories, Split: l.labels[p.Split],
	}
	for _, f := range p.Required {
		if label := l.labels[f]; label != "" {
			v.Required = append(v.Required, label)
		}
	}
	var products []string
	for _, c := range p.Certified {
		products = append(products, line(c, maxShort))
	}
	v.Certified = strings.Join(products, ", ")
	for _, name := range slices.Sorted(maps.Keys(p.Tiers)) {
		own := slices.DeleteFunc(l.sentences(p.Tiers[name]), func(s string) bool { return slices.Contains(v.Terms, s) })
		v.Tiers = append(v.Tiers, tierView{line(name, maxShort), own})
	}
	return v
}

// sentences says all terms in words. A clock that does not run is not spoken of.
func (l *locale) sentences(t intake.Terms) []string {
	var out []string
	say := func(key string, args ...string) {
		out = append(out, strings.NewReplacer(args...).Replace(l.terms[key]))
	}
	span := func(key string, s intake.Span) {
		if s.Value > 0 {
			say(key, "{span}", l.span(s))
		}
	}
	spans := func(key string, all []intake.Span) {
		if len(all) > 0 {
			say(key, "{span}", l.list(all))
		}
	}
	either := func(is bool, yes, no string) {
		if is {
			say(yes)
		} else {
			say(no)
		}
	}
	span("decision", t.Decision)
	if t.Decision.Value > 0 {
		either(t.ProvisionalWhenLate, "decision_late_approved", "decision_late")
	}
	span("answer", t.Answer)
	spans("answer_reminders", t.AnswerReminders)
	if t.AtOnce {
		span("at_once", t.Window)
	} else {
		span("next_step", t.NextStep)
		spans("next_step_reminders", t.NextStepReminders)
		either(t.Invitation, "invitation", "no_invitation")
		span("window", t.Window)
	}
	spans("window_reminders", t.WindowReminders)
	say("locked")
	span("idle", t.Idle)
	span("idle_answer", t.IdleAnswer)
	out = append(out, l.extension(t.Extension)...)
	span("appeal", t.Appeal.Within)
	span("appeal_acknowledge", t.Appeal.Acknowledge)
	span("appeal_plan", t.Appeal.Plan)
	span("conflict_acknowledge", t.Conflict.Acknowledge)
	span("conflict_plan", t.Conflict.Plan)
	span("cooling_off", t.CoolingOff)
	span("confirm", t.Confirm)
	span("unknown", t.Unknown)
	span("first_right", t.FirstRight)
	span("reopen", t.Reopen)
	either(t.RunOut, "run_out", "no_run_out")
	return out
}

func (l *locale) extension(x intake.ExtensionTerms) []string {
	if x.Times <= 0 || x.Days <= 0 {
		return []string{l.terms["no_extension"]}
	}
	key := "extension"
	if x.Times == 1 {
		key = "extension_once"
	}
	days := l.span(intake.Span{Value: x.Days, Unit: intake.Days})
	out := []string{strings.NewReplacer("{n}", fmt.Sprint(x.Times), "{span}", days).Replace(l.terms[key])}
	if x.Active.Value > 0 {
		out = append(out, strings.ReplaceAll(l.terms["extension_active"], "{span}", l.span(x.Active)))
	}
	if x.Auto {
		out = append(out, l.terms["extension_auto"])
	}
	if x.Grace.Value > 0 {
		out = append(out, strings.ReplaceAll(l.terms["extension_grace"], "{span}", l.span(x.Grace)))
	}
	return out
}

// span writes "1 day" or "2 business days".
func (l *locale) span(s intake.Span) string {
	return fmt.Sprint(s.Value) + " " + l.units[s.Unit][min(max(s.Value, 1), 2)-1]
}

// list writes "3 days, 7 days and 12 days".
func (l *locale) list(all []intake.Span) string {
	var words []string
	for _, s := range all {
		words = append(words, l.span(s))
	}
	if n := len(words) - 1; n > 0 {
		return strings.Join(words[:n], ", ") + " " + l.and + " " + words[n]
	}
	return strings.Join(words, "")
}
