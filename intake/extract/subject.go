package extract

import (
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

// readSubject reads the company off a subject like "New lead: Acme GmbH" or "Registration of
// Acme". What the text confirms is surer.
func (e *Extractor) readSubject(m *mail, found candidates) candidates {
	out := make(candidates)
	forward, reply := subjectKind(m.in.Subject)
	if forward || reply {
		return out
	}
	subject := normalise(bareSubject(m.in.Subject))
	if i := strings.IndexAny(subject, "\n\t"); i >= 0 {
		subject = strings.Join(strings.Fields(subject), " ")
	}
	if subject == "" || len(subject) > 300 {
		return out
	}
	words := cutRunes(subject, maxEvidence)
	for _, v := range e.subjectCompanies(subject) {
		if m.sender.is(v) || e.dict.countries[fold(v)] != "" || e.commonWords(v) {
			continue
		}
		out.add(intake.FieldCompanyName, candidate{value: v, words: words, score: scoreSubject + .02, method: bySubject})
		break
	}
	if m.doc.freshWords() > 12 {
		return out
	}
	inner := &mail{in: m.in, doc: &document{text: subject}, sender: m.sender}
	for f, of := range e.readProse(inner, []line{{body: subject, end: len(subject)}}, found) {
		for _, c := range of {
			if f == intake.FieldCompanyName && len(out[f]) > 0 {
				continue
			}
			c.at, c.words, c.method = span{}, words, bySubject
			out.add(f, c)
		}
	}
	return out
}

// freshWords counts the words that were written this time.
func (d *document) freshWords() int {
	n := 0
	for i := range d.lines {
		if d.lines[i].region == fresh {
			n += len(strings.Fields(d.lines[i].body))
		}
	}
	return n
}

// subjectCompanies returns what stands behind words that announce a registration.
func (e *Extractor) subjectCompanies(subject string) []string {
	var out []string
	for _, sep := range []string{":", " - ", " – ", " — ", " | "} {
		head, rest, ok := strings.Cut(subject, sep)
		if !ok {
			continue
		}
		s := newSentenceOf(&line{body: head})
		if s == nil || !announces(s) {
			continue
		}
		if v := e.subjectName(rest); v != "" {
			return append(out, v)
		}
	}
	s := newSentenceOf(&line{body: subject})
	if s == nil {
		return nil
	}
	for i := range s.words {
		n := proseWords().of("subject").at(s, i)
		if n == 0 || i+n >= len(s.words) {
			continue
		}
		for proseWords().of("article").at(s, i+n) > 0 && !s.words[i+n].capital || proseWords().of("where").at(s, i+n) == 1 && !s.words[i+n].capital {
			if n++; i+n >= len(s.words) {
				return out
			}
		}
		if !s.words[i+n-1].soft && s.words[i+n-1].shut != ":" {
			continue
		}
		if v := e.subjectName(subject[s.words[i+n].start:]); v != "" {
			out = append(out, v)
		}
	}
	return out
}

// announces reports whether the head of a subject is about a registration and nothing else.
func announces(s *sentence) bool {
	for i := range s.words {
		if proseWords().of("subject").at(s, i) > 0 {
			return len(s.words) < 6
		}
	}
	return false
}

// subjectName cuts a name out of the rest of a subject: up to a mark, a bracket or a word
// that no name has.
func (e *Extractor) subjectName(v string) string {
	for _, sep := range []string{" - ", " – ", " — ", " | ", "; ", " / ", "(", "[", ": ", " // ", ", "} {
		if i := strings.Index(v, sep); i >= 0 {
			if rest := firstWord(fold(v[i+len(sep):])); sep == ", " && proseWords().legal[rest] {
				continue
			}
			v = v[:i]
		}
	}
	v = strings.Trim(short(v), " \"'“”„,:;!?*")
	if last := v[strings.LastIndexByte(v, ' ')+1:]; strings.HasSuffix(v, ".") && !proseWords().legal[fold(last)] {
		v = strings.TrimRight(v, ".")
	}
	s := newSentenceOf(&line{body: v})
	if s == nil || len(s.words) > 7 || utf8.RuneCountInString(v) > 70 || !s.words[0].capital {
		return ""
	}
	lower := 0
	for i := range s.words {
		w := &s.words[i]
		if w.address != "" || strings.Contains(w.link, "/") || proseWords().stop[w.key] && !proseWords().particle[w.key] && !proseWords().legal[w.key] && (i == 0 || i == len(s.words)-1) {
			return ""
		}
		if !w.capital && !proseWords().particle[w.key] && !proseWords().legal[w.key] && w.text != "&" {
			lower++
		}
	}
	if lower > 0 {
		return ""
	}
	return companyName(v)
}

// readKindOf reads what is registered off the words of the subject and of the new text: a
// lead or a deal; nothing if both are named.
func (e *Extractor) readKindOf(m *mail) candidates {
	out := make(candidates)
	count := map[string]int{}
	first := map[string]candidate{}
	note := func(s *sentence, at span, words string, method string) {
		for _, of := range proseWords().kinds["kindword"] {
			if namesKind(s, of) {
				count[of.value]++
				if _, ok := first[of.value]; !ok {
					first[of.value] = candidate{value: of.value, words: words, at: at, score: scoreLikely, method: method}
				}
			}
		}
	}
	subject := normalise(bareSubject(m.in.Subject))
	if s := newSentenceOf(&line{body: clip(strings.Join(strings.Fields(subject), " "), 300)}); s != nil {
		if forward, reply := subjectKind(m.in.Subject); !forward && !reply {
			note(s, span{}, cutRunes(subject, maxEvidence), bySubject)
		}
	}
	n := 0
	written := aboveOurs(m.doc.fresh())
	for i := range written {
		l := &written[i]
		if l.blank() || l.label != nil && l.label.value != "" && !l.label.weak {
			continue
		}
		if n++; n > 60 {
			break
		}
		if s := newSentenceOf(&line{body: clip(l.body, 2000), start: l.start}); s != nil {
			at, words := m.doc.words(l.start, l.end)
			note(s, at, words, byProse)
		}
	}
	if len(count) != 1 {
		return out
	}
	for _, c := range first {
		out.add(intake.FieldKind, c)
	}
	return out
}
