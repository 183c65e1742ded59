package desk

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"leadgate/intake"
)

// saying is a sentence that the gateway composes for staff, and how the pages tell it. The
// gateway has it in English and with its own codes, for logs and the command line.
type saying struct {
	// says is the sentence as it is composed: a format of package fmt.
	says string
	// en and de are the words, with {1}, {2} … for what stood in the verbs of the format. No
	// en means as it says.
	en, de string
}

// What is wrong with a form or with the time at which it comes.
const (
	problemDays    = "by how many days? Give a whole number"
	problemReason  = "choose a reason"
	problemChanged = "the case has changed since you opened the page. This is how it is now; look at what is new, then decide again"
	problemRole    = "your role does not permit this decision"
	problemNotYet  = "this can't be done by a link yet. Use the command line"
)

// problems are the reasons for which a decision is not carried out. The first that fits counts.
var problems = []saying{
	{says: problemDays, de: "um wie viele Tage? Geben Sie eine ganze Zahl an"},
	{says: problemReason, de: "wählen Sie einen Grund"},
	{says: problemChanged, de: "der Vorgang hat sich geändert, seit Sie die Seite geöffnet haben. So steht er jetzt; sehen Sie sich an, was neu ist, und entscheiden Sie dann noch einmal"},
	{says: problemRole, de: "Ihre Rolle erlaubt diese Entscheidung nicht"},
	{says: problemNotYet, de: "das geht noch nicht über einen Link. Nehmen Sie die Kommandozeile"},
	{
		says: "the policy found %s (%s); to approve it all the same, say why in a rationale of at least %d characters",
		de:   "die Regeln raten ab: {1}. Um trotzdem zu genehmigen, geben Sie eine Begründung von mindestens {3} Zeichen an",
		en:   "the policy advises against it: {1}. To approve it all the same, say why in a rationale of at least {3} characters",
	},
	{
		says: "the case is %s; a hold that was granted is revoked, by two persons, or released if nothing happens",
		en:   "the case is “{1}”; an approval that was given is revoked, by two people, or released if nothing happens",
		de:   "der Stand ist „{1}“. Eine erteilte Genehmigung nehmen zwei Personen zurück, oder ihr Schutz wird beendet, wenn nichts geschieht",
	},
	{says: "reason %q: want one of %v", en: "choose a reason", de: "wählen Sie einen Grund"},
	{says: "a refusal needs a rationale of at least %d characters; it stays with staff", de: "eine Ablehnung braucht eine Begründung von mindestens {1} Zeichen; sie bleibt in unserem Team"},
	{says: "nobody holds the account, so there is nothing to wait for", en: "the company is not protected for anybody, so there is nothing to wait for", de: "das Unternehmen ist für niemanden geschützt; es gibt also nichts, worauf zu warten wäre"},
	{says: "the question has fewer than %d characters", de: "die Frage hat weniger als {1} Zeichen"},
	{says: "the role of %s does not permit it", de: "die Rolle von {1} erlaubt das nicht"},
	{says: "you made the decision that is appealed; somebody else has to look at it", de: "gegen Ihre eigene Entscheidung wurde Einspruch eingelegt; jemand anderes muss ihn sich ansehen"},
	{says: "the case has no company domain, so nothing could be held; ask the partner for it first", de: "zum Vorgang fehlt die Domain des Unternehmens; ohne sie lässt sich nichts schützen. Fragen Sie den Partner zuerst danach"},
	{says: "there are more than %d live cases of %s; end some of them first", de: "zu {2} laufen mehr als {1} Vorgänge; beenden Sie zuerst einige davon"},
	{says: "the case is %s; there is no end of a hold that could be moved", en: "the case is “{1}”; there is no end of a protection that could be moved", de: "der Stand ist „{1}“; es gibt kein Ende eines Schutzes, das sich verschieben ließe"},
	{
		says: "the hold was extended %d times, and the policy allows no more than %d (extension.times)",
		en:   "the protection was extended {1} times, and the rules allow no more than {2}",
		de:   "der Schutz wurde schon {1}-mal verlängert, und die Regeln erlauben höchstens {2}-mal",
	},
	{says: "by how many days? the policy allows 1 to %d (extension.days)", en: "by how many days? The rules allow 1 to {1}", de: "um wie viele Tage? Die Regeln erlauben 1 bis {1}"},
	{says: "%q is no next step; want %s or %s", de: "{1} ist kein nächster Schritt; möglich sind {2} und {3}"},
	{says: "the case is part of the conflict %s, in which %s goes first by the published order; resolve the conflict", de: "der Vorgang gehört zum Konflikt {1}, in dem nach der veröffentlichten Reihenfolge {2} vorgeht; entscheiden Sie zuerst den Konflikt"},
	{says: "the partner has not asked for an extension", de: "der Partner hat nicht um eine Verlängerung gebeten"},
	{says: "when was it?", de: "wann war es?"},
	{says: "the case is %s; a next step changes nothing any more", en: "the case is “{1}”; a next step changes nothing any more", de: "der Stand ist „{1}“; ein nächster Schritt ändert nichts mehr"},
	{says: "the case is %s and holds no account", en: "the case is “{1}”, and no company is protected by it", de: "der Stand ist „{1}“; es ist kein Unternehmen dadurch geschützt"},
	{
		says: "a hold is released when the partner was asked whether it is still on and did not answer; for a cause it is revoked, by two persons",
		de:   "ein Schutz wird beendet, wenn der Partner auf die Frage, ob es weitergeht, nicht geantwortet hat; aus einem anderen Grund nehmen ihn zwei Personen zurück",
	},
	{says: "you asked for it; another person has to confirm it", de: "Sie haben es vorgeschlagen; eine andere Person muss zustimmen"},
	{
		says: "nobody else on the list of staff may confirm it; it takes a second person with the role admin or revops",
		de:   "außer Ihnen darf niemand im Team zustimmen; es braucht eine zweite Person mit der Rolle admin oder revops",
	},
	{says: "the case is %s, and no appeal", en: "the case is “{1}”; there is no appeal", de: "der Stand ist „{1}“; es gibt keinen Einspruch"},
	{
		says: "case %s can't be approved: the appeal of case %s is about the same account and is to be decided first",
		de:   "Vorgang {1} kann nicht genehmigt werden: Der Einspruch in Vorgang {2} betrifft dasselbe Unternehmen und ist zuerst zu entscheiden",
	},
	{
		says: "case %s can't be approved: its account is protected under case %s",
		de:   "Vorgang {1} kann nicht genehmigt werden: Sein Unternehmen ist unter Vorgang {2} geschützt",
	},
	{
		says: "a case that is %s cannot become %s by %s; possible: %s",
		en:   "the case is “{1}” now. From there it can't become “{2}”", de: "der Stand ist jetzt „{1}“. Von da aus ist „{2}“ nicht möglich",
	},
	{
		says: "a case that is %s cannot become %s by %s",
		en:   "the case is “{1}” now. From there it can't become “{2}”", de: "der Stand ist jetzt „{1}“. Von da aus ist „{2}“ nicht möglich",
	},
}

// notes are what events add about themselves.
var notes = []saying{
	{says: "too late", de: "zu spät"},
	{says: "to be made again", de: "wird neu angelegt"},
	{says: "other terms", de: "andere Fristen"},
	{says: "promised until %s", de: "zugesagt bis {1}"},
	{says: "the account is free", en: "the company is free", de: "das Unternehmen ist frei"},
	{says: "the first meeting began", de: "das erste Treffen hat begonnen"},
	{says: "to be judged again", en: "to be checked again", de: "wird noch einmal geprüft"},
	{says: "appeal acknowledged", de: "Einspruch bestätigt"},
	{says: "to %s, %d days later", en: "to {1}, {2} days later", de: "bis {1}, um {2} Tage"},
	{says: "extended by %d days", de: "um {1} Tage verlängert"},
	{says: "from case %s", de: "aus Vorgang {1}"},
	{says: "into case %s", de: "in Vorgang {1}"},
	{says: "of case %s", de: "aus Vorgang {1}"},
	{says: "with %s", de: "gemeinsam mit {1}"},
	{says: "meeting %s; told by %s", en: "meeting on {1}, told by {2}", de: "Treffen am {1}, gemeldet von {2}"},
	{says: "meeting %s; %s", en: "meeting on {1}, {2}", de: "Treffen am {1}, {2}"},
	{says: "meeting %s", en: "meeting on {1}", de: "Treffen am {1}"},
	{says: "intro %s; told by %s", en: "introduction on {1}, told by {2}", de: "Vorstellung am {1}, gemeldet von {2}"},
	{says: "intro %s; %s", en: "introduction on {1}, {2}", de: "Vorstellung am {1}, {2}"},
	{says: "intro %s", en: "introduction on {1}", de: "Vorstellung am {1}"},
	{says: "%s left", de: "{1}, verlassen"},
	{says: "%s resolved", de: "{1}, entschieden"},
	{says: "%s acknowledged", de: "{1}, bestätigt"},
	{says: "%s ended", de: "{1}, beendet"},
}

// evidence is what rules found, where it is more than names.
var evidence = []saying{
	{says: "direct sales was in contact on %s, within %s", de: "der Direktvertrieb hatte am {1} Kontakt, innerhalb von {2}"},
	{says: "a named account of this partner", de: "diesem Partner fest zugeordnet"},
	{says: "a named account of partner %s", de: "fest zugeordnet: Partner {1}"},
	{says: "could not ask %s", de: "nicht erreichbar: {1}"},
	{says: "%s beside %s of our list: %s", de: "{1} neben {2} aus unserer Liste: {3}"},
	{says: "%s mixes look-alike letters", de: "{1} mischt Buchstaben, die sich zum Verwechseln ähneln"},
	{says: "the contact is at %s, the company at %s", de: "der Kontakt ist bei {1}, das Unternehmen bei {2}"},
	{says: "on %s the partner was not certified for %s", de: "am {1} war der Partner nicht zertifiziert für {2}"},
	{says: "the partner holds %d accounts of %d", de: "der Partner hält {1} von {2} Unternehmen"},
	{
		says: "case %s was %s (%s) and can be registered again after %s UTC",
		en:   "case {1} is “{2}” ({3}) and can be registered again after {4} UTC", de: "Vorgang {1} ist „{2}“ ({3}) und kann nach {4} UTC neu registriert werden",
	},
	{says: "case %s of partner %s (%s): %s", de: "Vorgang {1} von Partner {2} ({3}): {4}"},
	{says: "has no domain: known by name and country alone: %s, %s", de: "ohne Domain, nur nach Name und Land bekannt: {1}, {2}"},
	{says: "%s: can't be told: %v", de: "{1}: lässt sich nicht feststellen: {2}"},
	{says: "%s is on the list of blocked accounts", de: "{1} steht auf der Liste der gesperrten Unternehmen"},
	{says: "%s is on the list of blocked countries", de: "{1} steht auf der Liste der gesperrten Länder"},
	{says: "the country is not known; the partner's territories are %s", de: "das Land ist nicht bekannt; die Gebiete des Partners sind {1}"},
	{says: "%s is outside of the partner's territories %s", de: "{1} liegt außerhalb der Gebiete des Partners: {2}"},
	{says: "only a part of %s is in the partner's territories %s", de: "nur ein Teil von {1} gehört zu den Gebieten des Partners: {2}"},
	{says: "the partner is active from %s UTC on only", de: "der Partner ist erst ab {1} UTC aktiv"},
}

var (
	verb     = regexp.MustCompile(`%[a-z]`)
	hole     = regexp.MustCompile(`\{\d\}`)
	rfc3339  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$`)
	patterns = make(map[string]*regexp.Regexp) // by format
)

func init() {
	for _, all := range [][]saying{problems, notes, evidence} {
		for _, s := range all {
			pattern := verb.ReplaceAllString(regexp.QuoteMeta(s.says), `(.+?)`)
			patterns[s.says] = regexp.MustCompile(`(?s)^` + pattern + `$`)
		}
	}
}

// say tells in a language what the gateway said. What is not on the list stays as it is: it is
// somebody's own words, or a name.
func (d *Desk) say(lang string, all []saying, said string) string {
	for _, s := range all {
		found := patterns[s.says].FindStringSubmatch(said)
		if found == nil {
			continue
		}
		return hole.ReplaceAllStringFunc(s.in(lang), func(h string) string {
			n, _ := strconv.Atoi(h[1 : len(h)-1])
			return d.word(lang, found[n])
		})
	}
	return said
}

// in is the saying in a language, with holes.
func (s saying) in(lang string) string {
	switch {
	case lang == "de":
		return s.de
	case s.en != "":
		return s.en
	}
	n := 0
	return verb.ReplaceAllStringFunc(s.says, func(string) string { n++; return "{" + strconv.Itoa(n) + "}" })
}

// word is what people call a state, a reason or a time; all else is its own name.
func (d *Desk) word(lang, code string) string {
	name := ""
	switch {
	case slices.Contains(intake.Statuses(), intake.Status(code)):
		name = "status"
	case slices.Contains(intake.Reasons(), intake.Reason(code)):
		name = "why"
	case rfc3339.MatchString(code):
		if t, err := time.Parse(time.RFC3339, code); err == nil {
			return d.site.Moment(lang, t)
		}
	}
	var b strings.Builder
	if name == "" || d.confirm[lang].ExecuteTemplate(&b, name, code) != nil {
		return code
	}
	return b.String()
}

// dealField is what people call a field of a deal.
func (d *Desk) dealField(lang, name string) string {
	var b strings.Builder
	if d.confirm[lang].ExecuteTemplate(&b, "deal.field", name) != nil || b.Len() == 0 {
		return name
	}
	return b.String()
}

// sentence makes one of words; "" of none.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(words)
	words = string(unicode.ToUpper(first)) + words[size:]
	if strings.HasSuffix(words, ".") || strings.HasSuffix(words, "?") {
		return words
	}
	return words + "."
}
