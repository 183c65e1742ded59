package extract

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"leadgate/intake"
)

// Words of our own mails: of the list of what was understood, and of the lines below its
// entries, in the languages in which we write. Such a list asks nothing.
var (
	wordsUnderstood = []string{"what we understood", "haben wir sie verstanden"}
	wordsYouWrote   = []string{"you wrote", "sie schrieben"}
)

// holds reports whether s, in small letters, has one of the words.
func holds(s string, words []string) bool {
	s = strings.ToLower(s)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(s, w) })
}

// readInline collects the answers that were filled into our question within the quotation:
// "Label: value" on one quoted line, or one new line below an empty "Label:". Values never
// go on in a further line. Nothing is taken of what was quoted twice.
func (e *Extractor) readInline(d *document) candidates {
	found := make(candidates)
	spoken := d.answersAbove()
	for i := range d.lines {
		l := &d.lines[i]
		if l.region != quoted || l.depth != 1 {
			continue
		}
		if holds(l.body, wordsUnderstood) {
			break
		}
		f, value, ok := e.asked(l)
		if !ok || youWrote(d, i+1) {
			continue
		}
		from := i
		if e.slot(value) && !tick(f, value) {
			if from, ok = d.answerBelow(i); !ok {
				continue
			}
			value = trimValue(clip(d.lines[from].body, maxValue))
		} else if spoken {
			continue // the line is as we wrote it
		}
		if e.empty(value) && !tick(f, value) || e.ours(value) || holds(value, wordsYouWrote) {
			continue
		}
		at, words := evidence(d, d.lines, from, from+1)
		for field, v := range e.values(f, value) {
			found.add(field, candidate{value: v, words: words, at: at, score: scoreAnswer, method: byAnswer})
		}
	}
	return found
}

// answersAbove reports whether the person wrote sentences in front of the quotation: then the
// quotation is what we said, and nobody filled anything into it.
func (d *document) answersAbove() bool {
	for i := range d.lines {
		l := &d.lines[i]
		if l.region == quoted {
			return false
		}
		if l.region != fresh || l.blank() || salutes(l.body) || strings.HasSuffix(strings.TrimSpace(l.body), ":") {
			continue // "On Monday the vendor wrote:" is a mail program's
		}
		if s := newSentenceOf(l); s != nil && !proseWords().of("filled_in").in(s) && (len(s.words) > 3 || utf8.RuneCountInString(l.body) > 20 || proseWords().of("thanks").in(s)) {
			return true
		}
	}
	return false
}

// asked reads a line as our question puts it: an exact label at the very beginning, a colon
// and perhaps a value.
func (e *Extractor) asked(l *line) (f intake.Field, value string, ok bool) {
	if r, _ := utf8.DecodeRuneInString(l.body); !unicode.IsLetter(r) {
		return "", "", false // indented or a bullet: ours
	}
	i := strings.IndexAny(l.body, ":：?？")
	if i < 0 || i > maxLabelBytes || strings.Contains(l.body[:i], "\t") {
		return "", "", false
	}
	_, size := utf8.DecodeRuneInString(l.body[i:])
	f, ok = e.dict.labels[fold(l.body[:i])]
	if !ok && strings.ContainsAny(l.body[i:i+size], "?？") {
		f, ok = e.askedFor(l.body[:i])
	}
	return f, trimValue(clip(l.body[i+size:], maxValue)), ok
}

// askedFor returns what a question asks for: the one field of which a label stands in it.
func (e *Extractor) askedFor(question string) (intake.Field, bool) {
	keys := strings.Fields(fold(question))
	if s := newSentenceOf(&line{body: question}); s != nil && proseWords().of("agree").in(s) && proseWords().of("reach").in(s) {
		return intake.FieldConsent, true
	}
	var found intake.Field
	longest := 0
	for i := range keys {
		for n := min(4, len(keys)-i); n > 0; n-- {
			k := strings.Join(keys[i:i+n], " ")
			f, ok := e.dict.labels[k]
			if !ok || e.dict.weak[k] || len(k) < 4 {
				continue
			}
			if n > longest || n == longest && (found == intake.FieldCompanyName || found == intake.FieldContactName) {
				found, longest = f, n
			}
			break
		}
	}
	return found, longest > 0
}

// youWrote reports whether the line at i shows the words of an entry of our list above it.
func youWrote(d *document, i int) bool {
	if i >= len(d.lines) {
		return false
	}
	below := strings.ToLower(strings.TrimSpace(d.lines[i].body))
	return slices.ContainsFunc(wordsYouWrote, func(w string) bool { return strings.HasPrefix(below, w) })
}

// answerBelow returns the first of the new lines between the quoted line i and a later one.
func (d *document) answerBelow(i int) (int, bool) {
	from := i + 1
	for from < len(d.lines) && from < i+3 && d.lines[from].region == fresh && d.lines[from].blank() {
		from++
	}
	if from >= len(d.lines) || d.lines[from].region != fresh || d.lines[from].blank() || d.lines[from].label != nil {
		return 0, false
	}
	for _, l := range d.lines[from:min(from+20, len(d.lines))] {
		if l.region == quoted {
			return from, l.depth == 1
		}
	}
	return 0, false
}

// onlyBetween reports whether all labels of the new text stand between quoted lines, as those
// of a person do who answers within the quotation.
func (d *document) onlyBetween() bool {
	first, last := -1, -1
	for i := range d.lines {
		if d.lines[i].region != quoted {
			continue
		}
		if last = i; first < 0 {
			first = i
		}
	}
	for i := range d.lines {
		if l := &d.lines[i]; l.region == fresh && l.label != nil && (first < 0 || i < first || i > last) {
			return false
		}
	}
	return true
}
