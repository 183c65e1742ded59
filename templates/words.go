package templates

import (
	"cmp"
	"strings"

	"leadgate/intake"
)

// Why is why a field is asked for, a sentence or two.
func Why(locale string, f intake.Field) string { return localeFor(locale).why[f] }

// Example is what could stand in a field.
func Example(locale string, f intake.Field) string { return localeFor(locale).examples[f] }

// Word is a value of stage, consent or kind as people read it, and any other value as it is.
func Word(locale, value string) string {
	return cmp.Or(localeFor(locale).values[value], value)
}

// Explain says what is wrong with a field and what is wanted, as a message that asks for it does.
func Explain(locale string, p intake.Problem) string {
	l := localeFor(locale)
	if p.Field == "" {
		return l.problem(p)
	}
	a := l.ask(p, l.labels[p.Field])
	return strings.TrimSpace(a.Why)
}

// Act is what a button says by which staff do something.
func Act(locale string, a intake.StaffAct) string { return localeFor(locale).acts[a] }

// Language is the built-in language nearest to a locale: "en" or "de".
func Language(locale string) string {
	for _, t := range chain(locale) {
		if locales[t] != nil {
			return t
		}
	}
	return fallback
}

// Reason is a reason as staff read it.
func Reason(locale string, r intake.Reason) string {
	return cmp.Or(localeFor(locale).reasons[r], string(r))
}
