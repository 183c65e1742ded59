package extract

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxSetOff is how many words a name has at most that marks alone set off.
const maxSetOff = 8

// germanArticles stand before a name without being of it, also where a sentence begins.
var germanArticles = set("der die das den dem")

// setOff returns the words from word i on that stand by themselves, up to the next mark or to a
// legal form. ok is false if one of them belongs to no name: it is a sentence then.
func (p *prose) setOff(s *sentence, i int) (r run, ok bool) {
	d, w := proseWords(), s.words
	for i < len(w) && d.of("article").at(s, i) == 1 && (!w[i].capital || germanArticles[w[i].key] && !p.inDomain(w[i].key)) {
		i++
	}
	for j := i; j < len(w) && j < i+maxSetOff; j++ {
		if !p.nameable(s, i, j) {
			return run{}, false
		}
		last := j+1 == len(w)
		next := min(j+1, len(w)-1)
		switch {
		case j > i && legalForm(&w[j]) && (last || !d.legal[w[next].key] && w[next].text != "&" && w[next].text != "+" && !joinsPartners(s, next)):
			return run{s, i, j + 1}, true
		case last, !w[j].soft && (digits(w[j].text) > 0 || !joins(s, next)):
			return run{s, i, j + 1}, !last || !closesQuestion(&w[j])
		case w[next].address != "" || w[next].link != "":
			return run{s, i, j + 1}, true
		case p.placeBehind(s, i, next), !w[next].capital && d.of("need").at(s, next) > 0, d.of("nameof").at(s, next) > 0 && !isAnd(w[next].key) && p.domainOfAll(run{s, i, j + 1}.spelt()):
			return run{s, i, j + 1}, true
		}
	}
	return run{}, false
}

// spelt returns the words of a run with blanks between.
func (r run) spelt() string {
	var out []string
	for i := r.from; i < r.to; i++ {
		out = append(out, r.s.words[i].text)
	}
	return strings.Join(out, " ")
}

// joinsPartners reports whether word j and the one behind it end a firm's name: "and Sons".
func joinsPartners(s *sentence, j int) bool {
	return isAnd(s.words[j].key) && j+1 < len(s.words) && partners[s.words[j+1].key]
}

func closesQuestion(w *word) bool { return strings.Contains(w.shut, "?") }

// nameable reports whether word j may stand in a name that begins with word i: words that
// sentences are made of may only with a capital, those that join the words of a name only
// within.
func (p *prose) nameable(s *sentence, i, j int) bool {
	d, w := proseWords(), &s.words[j]
	if w.address != "" || w.link != "" || w.key == "" && w.text != "&" && w.text != "+" {
		return false
	}
	if w.text == "&" || w.text == "+" || d.legal[w.key] && j > i {
		return true
	}
	if !w.capital && (d.of("article").at(s, j) > 0 && !d.particle[w.key] && d.of("nameof").at(s, j) == 0 || d.of("kindword").at(s, j) > 0) {
		return false
	}
	if d.of("nameof").at(s, j) > 0 || d.particle[w.key] || isAnd(w.key) || d.of("where").at(s, j) > 0 && j > i {
		return w.capital || j > i && w.soft
	}
	if w.capital {
		return !d.stop[w.key] || j > i || d.of("namestart").at(s, j) > 0
	}
	return !d.stop[w.key] && (!isRole(w.key) || p.inDomains(run{s, j, j + 1})) && !verbLike(w.key) && d.of("need").at(s, j) == 0 && d.of("says").at(s, j) == 0 && d.of("uses").at(s, j) == 0
}

// placeBehind reports whether word j, behind a name that begins with word i, says where that
// is: "Acme in Leeds". What the domain is made of belongs to the name: "Szkoła w Brzozowie".
func (p *prose) placeBehind(s *sentence, i, j int) bool {
	d, w := proseWords(), s.words
	if w[j].capital || d.of("where").at(s, j) == 0 || d.particle[w[j].key] || isAnd(w[j].key) || d.of("nameof").at(s, j) > 0 {
		return false
	}
	if j+1 >= len(w) {
		return true
	}
	return d.of("nameinner").at(s, j) == 0 || !p.inDomains(run{s, j + 1, j + 2}) || p.inDomains(run{s, i, j})
}

// inDomains reports whether a domain has one of the words of a run, or its beginning.
func (p *prose) inDomains(r run) bool {
	return slices.ContainsFunc(p.domains, func(key string) bool {
		label, _, _ := strings.Cut(key, ".")
		letters := strings.ReplaceAll(label, "-", "")
		for i := r.from; i < r.to; i++ {
			for _, k := range []string{r.s.keys[i], fold(digraphs.Replace(r.s.words[i].text))} {
				if utf8.RuneCountInString(k) > 3 && strings.Contains(letters, k) && !proseWords().legal[k] {
					return true
				}
				for part := range strings.SplitSeq(label, "-") {
					if len(part) > 4 && strings.HasPrefix(k, part) {
						return true
					}
				}
			}
		}
		return likeness(label, r) > 0
	})
}

// opensSetOff reports whether the words from word i on are set off in front: by a colon or a
// dash, by words that announce a company, or by where the contact works.
func (p *prose) opensSetOff(s *sentence, i int) bool {
	if i > 0 {
		if shut := s.words[i-1].shut; strings.Contains(shut, ":") || strings.Contains(shut, "-") || strings.Contains(shut, "–") || strings.Contains(shut, "—") {
			return true
		}
	}
	if p.contact.s == s && p.contact.to <= i && i-p.contact.to < 10 && s.words[i].capital && p.cued("where", s, i) {
		return true // "Jane Doe, director of the Institute for Soils"
	}
	return p.cued("company", s, i)
}

// inFull returns the whole of the name that a run is part of, if marks set it off: "new lead:
// basisschool De Zon (dezon.be)", though the domain is made of some of its words only.
func (p *prose) inFull(r run) run {
	for i := max(0, r.from-maxSetOff); i <= r.from; i++ {
		if !p.opensSetOff(r.s, i) {
			continue
		}
		if whole, ok := p.setOff(r.s, i); ok && whole.from <= r.from && whole.to >= r.to && p.mayBeWhole(whole, r) {
			return whole
		}
	}
	return p.withArticle(p.lowerTail(r))
}

// withArticle adds to a name the article before it that has a capital though no sentence begins
// there: "with Les Jardins de Provence".
func (p *prose) withArticle(r run) run {
	w := r.s.words
	if i := r.from - 1; i > 0 && w[i].soft && w[i-1].soft && w[i].capital && !upper(w[i].text) && !p.german && proseWords().particle[w[i].key] && !w[i-1].capital {
		return run{r.s, i, r.to}
	}
	return r
}

// lowerTail adds to a name without capitals the one word behind it that stands before a mark or
// before where the company is: "met kestrel outdoor media at the fair".
func (p *prose) lowerTail(r run) run {
	w := r.s.words
	if w[r.from].capital || w[r.to-1].capital || !w[r.to-1].soft || r.to-r.from < 2 || legalForm(&w[r.to-1]) {
		return r
	}
	j, whole := r.to, run{r.s, r.from, r.to + 1}
	if !p.nameable(r.s, r.from, j) || w[j].capital || len(w[j].key) < 3 || proseWords().particle[w[j].key] || isAnd(w[j].key) || proseWords().of("where").at(r.s, j) > 0 || digits(w[j].text) > 0 {
		return r
	}
	if (j+1 == len(w) || !w[j].soft || p.placeBehind(r.s, r.from, j+1)) && !p.crossesPerson(whole) {
		return whole
	}
	return r
}

// speltBefore returns the name for which a run in brackets right behind it is short: "Technische
// Werke Arnstadt GmbH (TWA)".
func (p *prose) speltBefore(r run) run {
	w := r.s.words
	if r.from == 0 || r.to-r.from > 1 || !strings.HasSuffix(w[r.from].open, "(") || !strings.HasPrefix(w[r.from].shut, ")") || w[r.from-1].shut != "" {
		return r
	}
	for _, before := range runs(r.s) {
		if before.to == r.from && before.to-before.from > 1 && !p.crossesPerson(before) {
			return before
		}
	}
	return r
}

// mayBeWhole reports whether a run is no more than the name of which r is a part. Where names
// have capitals, words without one are a description before an English or German name, and
// behind any.
func (p *prose) mayBeWhole(whole, r run) bool {
	if p.crossesPerson(whole) || whole.to-r.to > 3 {
		return false
	}
	w := r.s.words
	if !w[r.to-1].capital && !w[r.from].capital {
		return true
	}
	d := proseWords()
	for i := whole.from; i < whole.to; i++ {
		if w[i].capital || i >= r.from && i < r.to || w[i].key == "" || d.legal[w[i].key] || digits(w[i].text) > 0 {
			continue
		}
		small := d.particle[w[i].key] || d.of("nameof").at(r.s, i) > 0 || isAnd(w[i].key)
		switch {
		case i < r.from && !small && (p.english || p.german):
			return false
		case i >= r.to && small && !(isAnd(w[i].key) && i+1 < whole.to && (partners[w[i+1].key] || w[i+1].capital)):
			return false // "Clinica Monte Boglia di Lugano"
		case i >= r.to && !small && !partners[w[i].key] && d.of("nametail").at(r.s, i) == 0:
			return false
		}
	}
	return true
}

// crossesPerson reports whether a run has words of a person's name that is not all of it within.
func (p *prose) crossesPerson(r run) bool {
	return slices.ContainsFunc(p.people, func(q run) bool { return q.s == r.s && q.from < r.to && r.from < q.to })
}

// announcedInFull finds a name that marks set off and that shares words with the domain, where
// the domain is not made of them: "kancelaria notarialna jaworska" at notariusz-jaworska.pl.
func (p *prose) announcedInFull() (run, bool) {
	for i := range p.sents {
		s := &p.sents[i]
		for at := range s.words {
			if !p.opensSetOff(s, at) {
				continue
			}
			if r, ok := p.setOff(s, at); ok && !p.crossesPerson(r) && p.inDomains(r) && !p.rival(r) {
				return r, true
			}
		}
	}
	return run{}, false
}
