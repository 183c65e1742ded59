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
	values   map[string]string // of stage, consent and kind
	statuses map[intake.Status]string
	problems map[string]string // by code, a sentence; what it asks for comes after it
	// faulty are by code what is wrong with a file of rows or with a row, and what mends it; by
	// "code:field" or "code:given" where a field, or what was given, has words of its own. There
	// are none in English, in which the readers of files speak.
	faulty   map[string]string
	places   *strings.Replacer // the words of a place in a file, as its reader says it in English
	choose   string            // what can be chosen of, in the place of {of}, a sentence
	given    string            // stands for {given} where the words are not known
	quotes   [2]string
	weekdays [7]string // from Sunday
	months   [12]string
	form     string            // of a moment
	zones    map[string]string // abbreviations of time zones that have others here
	// away is how far it is: today, tomorrow, in {n} days.
	away [3]string

	// What stands in the rules: the sentences by term, and how a length of time is counted, one
	// and several. The forms are those that follow "within" and "after".
	terms map[string]string
	units map[intake.Unit][2]string
	and   string

	// What staff read.
	outcomes  map[intake.Outcome]string
	reasons   map[intake.Reason]string
	requests  map[intake.Verb]string
	acts      map[intake.StaffAct]string
	conflicts map[intake.ConflictType]string
	evidence  map[intake.EvidenceKind]string
	digest    map[string]string
}

const fallback = "en"

// locales is the full set, by language. A further language takes three things: its locale in
// a file of its own, with every word that english has; its phrases, in <language>/phrases.tmpl,
// with every sentence that en/phrases.tmpl has; and its entry here. The files in kinds put
// sentences in order and hold no words, so they serve all languages. Its labels have to be
// understood by package extract, which must also know the lines that are ours when they come
// back, and the commands that its phrases print by package command.
// The tests hold it to all of that.
var locales = map[string]*locale{"en": english, "de": german}

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

// StageWord is the word for what a partner may read of a state.
func StageWord(locale string, s intake.PublicStage) string { return localeFor(locale).stage(s) }
