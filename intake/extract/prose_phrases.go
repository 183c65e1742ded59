package extract

import (
	"strings"

	"leadgate/intake"
)

// phrases reads stage, consent and kind off fixed phrases.
func (p *prose) phrases(m *mail, out candidates) {
	for i := range p.sents {
		for _, s := range parts(&p.sents[i]) {
			p.readConsent(m, s, out)
			p.readStage(m, s, out)
		}
		p.readKind(m, &p.sents[i], out)
	}
}

// parts cuts a sentence where a hurried writer ends one without a capital behind it, so that
// an "if" or a "not" of one does not speak of the other.
func parts(s *sentence) []*sentence {
	var out []*sentence
	from := 0
	for i := range s.words {
		last := i+1 == len(s.words)
		if w := &s.words[i]; !last && (!strings.ContainsAny(w.shut, ".;!?") || abbreviation(w) || w.link != "" || digitsOf(w.text[len(w.text)-1:]) != "") {
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

// readConsent reads a sentence that says that the prospect agreed, or did not. A condition
// makes it worth nothing.
func (p *prose) readConsent(m *mail, s *sentence, out candidates) {
	yes, no := proseWords().kind("consent", "yes"), proseWords().kind("consent", "no")
	switch {
	case no.in(s):
		p.note(m, s, intake.FieldConsent, intake.ConsentNo, .9, out)
	case yes.in(s) && !asks(s) && !unsure(s, yes) && !denied(s, yes) && !reserved(s, yes):
		p.note(m, s, intake.FieldConsent, intake.ConsentYes, .8, out)
	case s.region == forwarded && invites(s):
		p.note(m, s, intake.FieldConsent, intake.ConsentYes, .8, out)
	case agrees(s):
		p.note(m, s, intake.FieldConsent, intake.ConsentYes, scoreLikely+.05, out)
	}
}

// invites reports whether the prospect, whose own words these are, wants to be called by the
// vendor or lets the partner pass on how.
func invites(s *sentence) bool {
	d := proseWords()
	callme, may := d.of("callme"), d.of("may")
	if callme.in(s) && d.of("vendor").in(s) && !unsure(s, callme) && !denied(s, callme) {
		return true
	}
	at, n, ok := may.find(s, 0)
	by, _, mine := d.of("mydata").find(s, 0)
	return ok && mine && by >= at+n && !unsure(s, may) && !denied(s, may) && !asks(s)
}

// asks reports whether a sentence is a question.
func asks(s *sentence) bool {
	return len(s.words) > 0 && strings.Contains(s.words[len(s.words)-1].shut, "?")
}

// agrees reports whether a sentence has a word of agreeing and one of being reached, of a
// third person and without a doubt.
func agrees(s *sentence) bool {
	agree, reach := proseWords().of("agree"), proseWords().of("reach")
	at, n, ok := agree.find(s, 0)
	if !ok || !reach.in(s) || asks(s) || unsure(s, agree) || negated(s, agree) || reserved(s, agree) {
		return false
	}
	if by, _, _ := reach.find(s, 0); by >= at && by < at+n {
		if _, _, again := reach.find(s, at+n); !again {
			return false // one phrase that is both
		}
	}
	if proseWords().of("self").at(s, 0) > 0 && at < 5 {
		return false // the sender agrees
	}
	for i := at + n; i < min(at+n+3, len(s.keys)) && strings.HasPrefix(s.keys[at], "gern"); i++ {
		if k := s.keys[i]; k == "ich" || k == "wir" {
			return false // "gerne melden wir"
		}
	}
	return true
}

// reserved reports whether a sentence takes back behind a phrase what the phrase says: "you
// may call her once I have asked".
func reserved(s *sentence, of *phrases) bool {
	at, n, _ := of.find(s, 0)
	_, _, ok := proseWords().of("reserve").find(s, at+n)
	return ok
}

// verbal are words behind which "call" is what somebody does.
var verbal = set("will to can may should you i we ll please could and or would they she he")

// negated reports whether a sentence has a "not" outside of a phrase of agreeing like "no
// objection".
func negated(s *sentence, agree *phrases) bool {
	for i := 0; i < len(s.keys); i++ {
		if n := agree.at(s, i); n > 1 {
			i += n - 1
			continue
		}
		if denials[s.keys[i]] || strings.HasSuffix(s.words[i].text, "n't") || strings.HasSuffix(s.words[i].text, "n’t") {
			return true
		}
	}
	return false
}

var denials = set("not nicht kein keine keinen pas jamais no non niet geen nao nie brak inte ikke ei never nog noch ainda todavia aun ancora jeszcze endnu enda yet before bevor whether ask nachfragen vraag ob ej ne henuz degil")

// meets reports whether a sentence says that a meeting is to come.
func meets(s *sentence) bool {
	meeting := proseWords().of("meeting")
	at, n, ok := meeting.find(s, 0)
	for ok && at > 0 && verbal[s.keys[at-1]] { // "we will call them"
		at, n, ok = meeting.find(s, at+n)
	}
	if !ok || agrees(s) {
		return false
	}
	if by, _, past := proseWords().of("past").find(s, 0); past && by < at+n {
		return false
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

// unsure reports whether a sentence puts what a phrase says under a condition before it.
func unsure(s *sentence, of *phrases) bool {
	at, _, _ := of.find(s, 0)
	tongue := tongueOf(s)
	for _, words := range proseWords().kinds["unsure"] {
		if words.value != "" && tongue != "" && words.value != tongue {
			continue // "si" is a condition in French and none in Italian
		}
		for from := 0; from < at; {
			i, n, ok := words.find(s, from)
			if !ok || i >= at {
				break
			}
			if !affirms(s, i) && proseWords().of("needless").at(s, i) == 0 {
				return true
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
		switch s.keys[i] {
		case "not", "nicht", "kein", "keine", "pas", "jamais", "no", "non", "niet", "geen", "nao", "nie", "brak", "inte", "ikke", "ei", "never", "noch", "yet",
			"before", "prima", "avant", "antes":
			return true
		}
		if strings.HasSuffix(s.words[i].text, "n't") || strings.HasSuffix(s.words[i].text, "n’t") {
			return true
		}
	}
	return false
}

// readStage reads how far it is. What is further counts more.
func (p *prose) readStage(m *mail, s *sentence, out candidates) {
	for i, of := range proseWords().kinds["stage"] {
		if of.in(s) && !denied(s, of) && !unsure(s, of) {
			p.note(m, s, intake.FieldStage, of.value, .62+float64(i)*.08, out)
		}
	}
	if meets(s) {
		p.note(m, s, intake.FieldStage, intake.StageDiscoveryScheduled, .68, out)
	}
}

func (p *prose) readKind(m *mail, s *sentence, out candidates) {
	for _, of := range proseWords().kinds["kind"] {
		if of.in(s) {
			p.note(m, s, intake.FieldKind, of.value, scoreLikely, out)
		}
	}
}
