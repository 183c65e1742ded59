package extract

import (
	"regexp"
	"strings"

	"leadgate/intake"
)

// phrases reads stage, consent and kind off fixed phrases.
func (p *prose) phrases(m *mail, lines []line, out candidates) {
	for i, total := 0, 0; i < len(lines) && total < maxProse; i++ {
		said, labelled := beside(&lines[i])
		total += len(lines[i].body)
		for j := range said {
			for _, s := range parts(&said[j]) {
				p.readConsent(m, s, out)
				if labelled {
					p.readStage(m, s, out)
				}
			}
		}
	}
	for i := range p.sents {
		for _, s := range parts(&p.sents[i]) {
			p.readConsent(m, s, out)
			p.readStage(m, s, out)
		}
		p.readKind(m, &p.sents[i], out)
	}
}

// beside returns what is said on a line that was read as a label with its value: what goes
// on behind the first sentence; or on a line that was taken into a longer value, whole.
func beside(l *line) (said []sentence, labelled bool) {
	if l.blank() || !l.used && (l.label == nil || l.label.weak) {
		return nil, false
	}
	if l.label == nil {
		return sentences([]line{*l}), false
	}
	switch l.label.field {
	case intake.FieldConsent, intake.FieldStage, intake.FieldKind, intake.FieldCompetingVendors:
		return nil, true
	}
	bare := *l
	bare.label = nil
	if said = sentences([]line{bare}); len(said) < 2 {
		return nil, true
	}
	return said[1:], true
}

// parts cuts a sentence where a hurried writer ends one without a capital behind it, so that
// an "if" or a "not" of one does not speak of the other.
func parts(s *sentence) []*sentence {
	var out []*sentence
	from := 0
	for i := range s.words {
		last := i+1 == len(s.words)
		if w := &s.words[i]; !last && (!strings.ContainsAny(w.shut, ".;!") || abbreviation(w) || proseWords().legal[w.key] || w.link != "" || digitsOf(w.text[len(w.text)-1:]) != "") {
			continue
		}
		if last && from == 0 {
			return []*sentence{s}
		}
		part := newSentence(s.words[from:i+1], s.region, s.block)
		out, from = append(out, &part), i+1
	}
	return out
}

func (p *prose) note(m *mail, s *sentence, f intake.Field, value string, score float64, out candidates) {
	at, words := m.doc.words(s.start, s.end)
	out.add(f, candidate{value: value, words: words, at: at, score: score * factors[s.region], method: byProse})
}

// asks reports whether a sentence is a question.
func asks(s *sentence) bool {
	return len(s.words) > 0 && strings.Contains(s.words[len(s.words)-1].shut, "?")
}

// verbal are words behind which "call" is what somebody does.
var verbal = set("will to can may should you i we ll please could and or would they she he")

var denials = set("not nicht kein keine keinen pas jamais no non niet geen nao nie brak inte ikke ei never nog noch ainda todavia aun ancora jeszcze endnu enda yet before bevor whether ask nachfragen vraag ob ej ne henuz degil nem nu")

// meets reports whether a sentence says that a meeting is to come: it is fixed, or has a date.
func meets(s *sentence) bool {
	meeting := proseWords().of("meeting")
	at, n, ok := meeting.find(s, 0)
	for ok && at > 0 && verbal[s.keys[at-1]] { // "we will call them"
		at, n, ok = meeting.find(s, at+n)
	}
	if !ok || asks(s) || unsure(s, meeting) || offCalendar(s, at) {
		return false
	}
	past := proseWords().of("past")
	if by, _, over := past.find(s, 0); over && by < at+n {
		return false
	}
	if agrees(s) {
		return dated(s) && !past.in(s) // "she agreed to a call", and there is one
	}
	if dated(s) && !past.in(s) && !proseWords().of("over").in(s) {
		return true
	}
	for from := 0; ; {
		by, m, ok := proseWords().of("fixed").find(s, from)
		if !ok {
			return false
		}
		if by+m <= at || by >= at+n {
			return by-at < 9 && at-by < 9
		}
		from = by + m
	}
}

// dated reports whether a sentence names a day: a day and a month, "the 19th", "20/10", or a
// day of the week with an hour.
func dated(s *sentence) bool {
	month, weekday := proseWords().of("month"), proseWords().of("weekday")
	for i := range s.words {
		if month.at(s, i) > 0 && (i > 0 && dayNumber(s, i-1) || i > 1 && month.at(s, i) > 0 && linksDay[s.keys[i-1]] && dayNumber(s, i-2) || i+1 < len(s.words) && dayNumber(s, i+1)) {
			return true
		}
		if weekday.at(s, i) > 0 && i+1 < len(s.words) && (dayNumber(s, i+1) || i+2 < len(s.words) && dayNumber(s, i+2)) {
			return true
		}
		if dayMonth.MatchString(s.words[i].text) || ordinal.MatchString(s.words[i].text) && i > 0 && s.keys[i-1] == "the" {
			return true
		}
	}
	return false
}

var (
	dayMonth = regexp.MustCompile(`^(?:[0-3]?[0-9][./][01]?[0-9][.]?(?:/?(?:20)?[0-9]{2})?|20[0-9]{2}-[01][0-9]-[0-3][0-9])$`)
	ordinal  = regexp.MustCompile(`^[0-3]?[0-9](?:st|nd|rd|th)$`)
	linksDay = set("de of do")
)

// dayNumber reports whether word i can be the day of a month.
func dayNumber(s *sentence, i int) bool {
	k := strings.TrimRight(s.keys[i], "stndrheo")
	return len(k) > 0 && len(k) <= 2 && k[0] >= '0' && k[0] <= '9' && digitsOf(k) == k
}

// unsure reports whether a sentence puts what a phrase says under a condition before it.
func unsure(s *sentence, of *phrases) bool {
	at, _, _ := of.find(s, 0)
	for _, words := range proseWords().kinds["unsure"] {
		for from := 0; from < at; {
			i, n, ok := words.find(s, from)
			if !ok || i >= at {
				break
			}
			if !affirms(s, i) && proseWords().of("needless").at(s, i) == 0 {
				if words.value == "" {
					return true
				}
				if tongue := tongueOf(s); tongue == "" || tongue == words.value {
					return true
				}
				break // "si" is a condition in French and none in Italian
			}
			from = i + n
		}
	}
	return false
}

// affirms reports whether word i is a yes that only looks like a condition: "sí, me dijo".
func affirms(s *sentence, i int) bool {
	return s.keys[i] == "si" && strings.ContainsAny(s.words[i].text, "íìÍÌ") || i == 0 && strings.HasPrefix(s.words[i].shut, ",")
}

// tongueOf returns in which of the languages that share little words a sentence is, empty if
// that is not clear.
func tongueOf(s *sentence) string {
	best, most, tie := "", 0, false
	for _, words := range proseWords().kinds["tongue"] {
		n := 0
		for i := range s.keys {
			if words.at(s, i) > 0 {
				n++
			}
		}
		switch {
		case n > most:
			best, most, tie = words.value, n, false
		case n == most:
			tie = true
		}
	}
	if tie || most < 2 {
		return ""
	}
	return best
}

// denied reports whether a word before the phrase turns it round.
func denied(s *sentence, of *phrases) bool {
	at, n, _ := of.find(s, 0)
	for i := max(0, at-4); i < at+n && i < len(s.keys); i++ {
		if denials[s.keys[i]] || early[s.keys[i]] {
			return true
		}
		if strings.HasSuffix(s.words[i].text, "n't") || strings.HasSuffix(s.words[i].text, "n’t") {
			return true
		}
	}
	return false
}

// early are words before a phrase by which it is still to come.
var early = set("prima avant antes")

// readStage reads how far it is. What is further counts more.
func (p *prose) readStage(m *mail, s *sentence, out candidates) {
	for i, of := range proseWords().kinds["stage"] {
		at, n, ok := of.find(s, 0)
		for ok && !stands(s, of.value, at, n) {
			at, n, ok = of.find(s, at+n)
		}
		if ok && !denied(s, of) && !unsure(s, of) {
			p.note(m, s, intake.FieldStage, of.value, .62+float64(i)*.08, out)
		}
	}
	if meets(s) {
		p.note(m, s, intake.FieldStage, intake.StageDiscoveryScheduled, .68, out)
	}
}

// stands reports whether the n words at word i, which name a stage, say that it is reached.
func stands(s *sentence, stage string, i, n int) bool {
	d := proseWords()
	switch stage {
	case intake.StageDiscoveryScheduled:
		return !asks(s) && !over(s, i) && !offCalendar(s, i)
	case intake.StageEvaluation: // "they compare delivery notes" says nothing
		return len(s.keys) <= n+1 || d.of("weighing").at(s, i) < n || d.of("offers").in(s) || d.of("addressee").in(s)
	}
	return true
}

// offCalendar reports whether a meeting that word i speaks of is only wished, called off, or
// one of every week.
func offCalendar(s *sentence, i int) bool {
	d := proseWords()
	if d.of("calledoff").in(s) {
		return true
	}
	at, _, ok := d.of("wished").find(s, max(0, i-6))
	return ok && at <= i
}

// over reports whether words right before word at say that it has been: "I spoke to her at a
// workshop on 3 October".
func over(s *sentence, at int) bool {
	by, _, ok := proseWords().of("over").find(s, max(0, at-6))
	return ok && by < at
}

func (p *prose) readKind(m *mail, s *sentence, out candidates) {
	for _, of := range proseWords().kinds["kind"] {
		if of.in(s) {
			p.note(m, s, intake.FieldKind, of.value, scoreLikely, out)
		}
	}
}

// namesKind reports whether a sentence has a word of what is registered, and not as a part of
// a role ("Quality Systems Lead") or as a verb ("who will lead it", "only deal with him").
func namesKind(s *sentence, of *phrases) bool {
	for from := 0; ; {
		at, n, ok := of.find(s, from)
		if !ok {
			return false
		}
		from = at + n
		if k := s.keys[at]; n > 1 || k != "lead" && k != "deal" {
			return true
		}
		last := at+1 == len(s.words)
		if at > 0 && asVerb[s.keys[at-1]] || !last && (s.keys[at+1] == "with" || s.keys[at+1] == "by") {
			continue
		}
		if s.keys[at] == "deal" || at == 0 || !s.words[at-1].soft || !s.words[at].capital && (last || !strings.Contains(s.words[at].shut+s.words[at+1].open, "(") && s.words[at].shut != ",") {
			return true
		}
		if before := &s.words[at-1]; asNoun[before.key] || !before.capital && s.words[at].capital {
			return true
		}
	}
}

// asVerb are words behind which "lead" and "deal" are what somebody does, asNoun those behind
// which a lead is one to register, also where a comma follows.
var (
	asVerb = set("will to can may should would must could who you i we they please only cannot")
	asNoun = set("a an the this that new our following one another as of register registering first second next and neuer neuen neues den der ein einen als un une le ce nouveau uno nuevo el este como il nuovo questo come een nieuwe de um o novo este nowy jako ett en ny nytt et nyt fresh hot warm sales qualified")
)
