package templates

import (
	"strings"

	"leadgate/intake"
)

// locale holds the words of a language that are needed outside of sentences. Labels are
// read back from replies, so they are no matter for overrides.
type locale struct {
	labels   map[intake.Field]string
	why      map[intake.Field]string // why the field is asked for, a sentence
	examples map[intake.Field]string
	values   map[string]string // of stage and consent
	statuses map[intake.Status]string
	problems map[string]string // by code, a sentence; what it asks for comes after it
	given    string            // stands for {given} where the words are not known
	weekdays [7]string         // from Sunday
	months   [12]string
	form     string // of a moment
}

const fallback = "en"

// locales is the full set, by language.
var locales = map[string]*locale{"en": english}

// chain lists where to look for words of a BCP 47 tag, the best first: "de-at", "de", "en".
func chain(tag string) []string {
	tag = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(tag), "_", "-"))
	var list []string
	for tag != "" && tag != fallback {
		list = append(list, tag)
		tag = tag[:max(0, strings.LastIndexByte(tag, '-'))]
	}
	return append(list, fallback)
}

func localeFor(tag string) *locale {
	for _, t := range chain(tag) {
		if l := locales[t]; l != nil {
			return l
		}
	}
	return locales[fallback]
}

// Label is the name of a field as partners see it and as it is understood in what they
// send; "" for what is no field.
func Label(locale string, f intake.Field) string { return localeFor(locale).labels[f] }

// StatusWord is the public word for a state; that of a state that partners do not see is
// the one of a pending case.
func StatusWord(locale string, s intake.Status) string {
	l := localeFor(locale)
	if w := l.statuses[s]; w != "" {
		return w
	}
	return l.statuses[intake.StatusSubmitted]
}
