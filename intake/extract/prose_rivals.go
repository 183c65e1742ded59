package extract

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"leadgate/intake"
)

// maxRivals is how many names a list of vendors has at most.
const maxRivals = 6

// findRivals finds the vendors and products that sentences name as those in use or compared:
// behind words like "currently on", or in front of words like "is also in the running".
func (e *Extractor) findRivals(m *mail, p *prose, out candidates) {
	var names []string
	var first *sentence
	add := func(s *sentence, got []string) {
		names = append(names, got...)
		if first == nil && len(got) > 0 {
			first = s
		}
	}
	for i := range p.sents {
		for _, s := range parts(&p.sents[i]) {
			if s.region != fresh && s.region != forwarded {
				continue
			}
			for j := 0; j < len(s.words); j++ {
				if n := proseWords().of("uses").at(s, j); n > 0 && !notSo(s, j) {
					add(s, e.rivalsAt(m, p, &p.sents[i], s, j+n))
					j += n - 1
				} else if n := proseWords().of("rivals").at(s, j); n > 0 {
					add(s, e.rivalsBefore(m, p, &p.sents[i], s, j))
					j += n - 1
				}
			}
		}
	}
	if len(names) > 0 && len(names) <= maxRivals {
		p.note(m, first, intake.FieldCompetingVendors, list(strings.Join(names, "; ")), scoreLikely+.05, out)
	}
}

// rivalsAt reads the list of names that begins at word i of a part of whole.
func (e *Extractor) rivalsAt(m *mail, p *prose, whole, s *sentence, i int) []string {
	var out []string
	for i < len(s.words) && len(out) < maxRivals {
		to := e.ledTo(s, i, len(out) == 0)
		if to < 0 {
			break
		}
		r, ok := e.rival(m, p, whole, s, to)
		switch {
		case ok:
			out = append(out, r.text(m.doc))
			i = r.to
		case proseWords().of("ourselves").at(s, to) > 0:
			i = to + proseWords().of("ourselves").at(s, to)
		case e.product(s, to) > 0:
			i = to + e.product(s, to)
		default:
			return out
		}
		if i >= len(s.words) {
			break
		}
		if last := &s.words[i-1]; strings.Contains(last.shut, ",") || last.soft && (isAnd(s.words[i].key) || proseWords().of("beside").at(s, i) > 0) {
			if isAnd(s.words[i].key) {
				i++
			}
			continue
		}
		break
	}
	return out
}

// notSo reports whether one of the two words before word i says that it is not so.
func notSo(s *sentence, i int) bool {
	for j := max(0, i-2); j < i; j++ {
		if denials[s.keys[j]] || strings.HasSuffix(s.words[j].text, "n't") || strings.HasSuffix(s.words[j].text, "n’t") {
			return true
		}
	}
	return false
}

// ledTo returns the word behind the small words that may stand before a name at word i: "the
// product of". It is -1 if none stands there.
func (e *Extractor) ledTo(s *sentence, i int, first bool) int {
	for n := 0; i < len(s.words) && n < 6; n++ {
		k := max(proseWords().of("article").at(s, i), proseWords().of("lead_in").at(s, i), proseWords().of("beside").at(s, i))
		if k == 0 || !s.words[i+k-1].soft && !first || e.product(s, i) > 0 || proseWords().of("ourselves").at(s, i) > 0 {
			break
		}
		i += k
	}
	if i >= len(s.words) {
		return -1
	}
	return i
}

// rivalsBefore reads the list of names that ends before word i: "Acme and Basco are pitching".
func (e *Extractor) rivalsBefore(m *mail, p *prose, whole, s *sentence, i int) []string {
	from := i
	for from > 0 && i-from < 12 {
		w := &s.words[from-1]
		if !opensName(s, from-1) && !isAnd(w.key) && !proseWords().legal[w.key] && proseWords().of("article").at(s, from-1) == 0 || from < i && !w.soft && !strings.Contains(w.shut, ",") {
			break
		}
		from--
	}
	for from < i && !opensName(s, from) {
		from++
	}
	if from == i || !s.words[i-1].soft {
		return nil
	}
	out := e.rivalsAt(m, p, whole, s, from)
	return out
}

// rival returns the name at word i, if it can be a vendor's or a product's: not one of ours,
// the partner, the prospect, a person, a country or a common word.
func (e *Extractor) rival(m *mail, p *prose, whole, s *sentence, i int) (run, bool) {
	w := &s.words[i]
	if !opensName(s, i) || proseWords().generic[w.key] || w.link != "" && !strings.Contains(w.text, ".") || e.product(s, i) > 0 || e.own(w.key) {
		return run{}, false
	}
	r := run{s, i, i + 1}
	for r.to < len(s.words) && s.words[r.to-1].soft && ((opensName(s, r.to) || s.words[r.to].capital && !p.german && len(s.words[r.to].text) > 1) && (!p.german || inner(s.words[r.to].text)) || proseWords().legal[s.words[r.to].key] && s.keys[r.to] != "as") {
		r.to++
	}
	v := r.text(m.doc)
	common := r.to-r.from == 1 && plural(w.key)
	company := p.company.s == whole && s.words[i].start >= p.company.s.words[p.company.from].start && s.words[i].start < p.company.s.words[p.company.to-1].end
	if common || company || m.sender.is(v) || p.isPerson(v) || e.dict.countries[fold(v)] != "" ||
		p.company.to > 0 && strings.Contains(strings.Join(p.company.keys(), " "), fold(v)) || utf8.RuneCountInString(v) < 2 {
		return run{}, false
	}
	return r, true
}

// inner reports whether a word has a capital inside, as no common noun has.
func inner(s string) bool {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ContainsFunc(s[n:], unicode.IsUpper)
}

// plural reports whether a German noun has the look of a common one.
func plural(key string) bool {
	for _, end := range []string{"ung", "ungen", "heit", "keit", "schaft", "listen", "daten", "liste", "papier", "anten", "system", "systeme", "losung", "losungen", "lieferanten", "anbieter", "anbietern", "tabellen", "archiv", "zettel", "ordner", "programm"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
}

// own reports whether a folded word is the vendor's name.
func (e *Extractor) own(key string) bool {
	return slices.ContainsFunc(e.opts.OwnNames, func(name string) bool { return fold(name) == key })
}

// product returns of how many words the name of one of our products is that stands at word
// i: our name and what it is called. It is 0 if none stands there.
func (e *Extractor) product(s *sentence, i int) int {
	if !e.own(s.words[i].key) || !s.words[i].soft {
		return 0
	}
	n := 1
	for i+n < len(s.words) && n < 4 && s.words[i+n-1].soft && opensName(s, i+n) && !proseWords().generic[s.words[i+n].key] && !proseWords().legal[s.words[i+n].key] {
		if proseWords().of("desk").at(s, i+n) > 0 {
			return 0 // "Vendor Partner Team"
		}
		n++
	}
	if n == 1 || i+n < len(s.words) && s.words[i+n-1].soft && proseWords().of("desk").at(s, i+n) > 0 {
		return 0 // "a Vendor Platinum partner"
	}
	return n
}

// findProducts finds the products of ours that the prospect is said to be interested in.
func (e *Extractor) findProducts(m *mail, p *prose, out candidates) {
	if len(e.opts.OwnNames) == 0 {
		return
	}
	var names []string
	var first *sentence
	for i := range p.sents {
		s := &p.sents[i]
		if s.region != fresh && s.region != forwarded {
			continue
		}
		for j := 0; j < len(s.words); j++ {
			n := e.product(s, j)
			if n == 0 {
				continue
			}
			if p.german {
				n = min(n, 2) // what follows may be any noun
			}
			names = append(names, run{s, j, j + n}.text(m.doc))
			if j += n - 1; first == nil {
				first = s
			}
		}
	}
	if len(names) > 0 && len(names) <= maxRivals {
		p.note(m, first, intake.FieldProductInterest, list(strings.Join(names, "; ")), scoreLikely+.05, out)
	}
}

func isAnd(key string) bool {
	return slices.Contains([]string{"and", "und", "et", "y", "e", "en", "i", "oraz", "och", "og", "or", "oder", "ou", "o", "ja", "a", "ve", "es", "si", "sowie", "plus", "also"}, key)
}
