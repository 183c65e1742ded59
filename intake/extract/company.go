package extract

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

// run is a sequence of words of a sentence that may be a name: words [from, to).
type run struct {
	s        *sentence
	from, to int
}

func (r run) text(d *document) string {
	return strings.Join(strings.Fields(d.text[r.s.words[r.from].start:r.s.words[r.to-1].end]), " ")
}

func (r run) keys() []string {
	var out []string
	for _, w := range r.s.words[r.from:r.to] {
		out = append(out, strings.Fields(w.key)...)
	}
	return out
}

// runs cuts a sentence into the longest sequences of capitalised words, with the small words
// that names have within.
func runs(s *sentence) []run {
	var out []run
	for i := 0; i < len(s.words); i++ {
		if !opensName(s, i) {
			continue
		}
		j := i + 1
		for j < len(s.words) && joins(s, j) {
			j++
		}
		for j > i+1 && !opensName(s, j-1) && !proseWords().legal[s.words[j-1].key] && !endsName(s, j-1) {
			j--
		}
		j = behindForm(s, i, j)
		out = append(out, run{s, i, j})
		i = j - 1
	}
	return out
}

// behindForm returns where the name at words [i, j) ends if a legal form stands within: behind
// it come towns and persons, "Kiviranta Oy Tampereelta", but for a second form.
func behindForm(s *sentence, i, j int) int {
	for k := i + 1; k+1 < j; k++ {
		next := &s.words[k+1]
		if next.key == "de" && proseWords().legal[s.words[min(k+2, j-1)].key] {
			continue // "SA de CV"
		}
		if s.words[k].key == "co" && s.words[k-1].text == "&" && strings.HasPrefix(s.words[k].shut, ".") && !proseWords().legal[next.key] {
			return k + 1 // "Hartley & Co. Finance Director …"
		}
		if legalForm(&s.words[k]) && !proseWords().legal[next.key] && next.text != "&" && next.text != "+" && !isAnd(next.key) && !endsName(s, k+1) {
			return k + 1
		}
	}
	return j
}

// opensName reports whether word i may begin a name.
func opensName(s *sentence, i int) bool {
	w := &s.words[i]
	return w.capital && w.address == "" && w.key != "" && (w.link == "" || !strings.Contains(w.link, "/")) && (!proseWords().stop[w.key] || initial(w))
}

// initial reports whether a word is a single letter with a full stop, "A." of "A. J. Whitmore".
func initial(w *word) bool { return len(w.text) == 1 && w.capital && w.shut == "." }

// joins reports whether word j goes on with the name before it.
func joins(s *sentence, j int) bool {
	before, w := &s.words[j-1], &s.words[j]
	if proseWords().legal[w.key] && (before.shut == "." || before.shut == "," && w.key != "co") && w.capital && before.capital {
		return true // "Apex Roofing, Inc."
	}
	if before.shut == "," && listed(s, j) || inBrackets(s, j) || inBrackets(s, j-1) && proseWords().legal[w.key] {
		return true
	}
	if !before.soft && !(before.shut == "." && abbreviation(before)) {
		return false
	}
	if w.address != "" || strings.Contains(w.link, "/") {
		return false
	}
	if opensName(s, j) || proseWords().legal[w.key] && (w.capital || !smallForms[w.key] || proseWords().legal[before.key]) || endsName(s, j) {
		return true
	}
	if j+1 >= len(s.words) || !w.soft {
		return false
	}
	if proseWords().legal[before.key] && before.key != "group" && w.text != "&" && w.text != "+" && !(w.key == "de" && (s.words[j+1].key == "cv" || s.words[j+1].key == "rl")) {
		return false // "Vaubert SA de Lyon"
	}
	if isAnd(w.key) && partners[s.words[j+1].key] {
		return true
	}
	switch {
	case w.text == "&" || w.text == "+":
		return true
	case proseWords().particle[w.key] && !w.capital:
		return opensName(s, j+1) || j+2 < len(s.words) && proseWords().particle[s.words[j+1].key] && opensName(s, j+2)
	case w.key != "" && w.key[0] >= '0' && w.key[0] <= '9':
		return opensName(s, j+1)
	case proseWords().particle[w.key] && w.capital:
		return opensName(s, j+1) // "Scheepswerf De Merwestreek"
	case w.capital && proseWords().of("nameinner").at(s, j) > 0:
		return opensName(s, j+1) // "Vinařství Na Kopečku"
	case proseWords().stop[w.key] && w.capital && s.words[j+1].text == "&":
		return j+2 < len(s.words) && opensName(s, j+2)
	case proseWords().stop[w.key] && w.capital:
		return opensName(s, j+1) && utf8.RuneCountInString(w.key) > 3 // "Smart Lead Systems"
	}
	return false
}

// inBrackets reports whether word j is a word in brackets before a legal form: "Acme (UK) Ltd".
func inBrackets(s *sentence, j int) bool {
	w := s.words
	return strings.HasSuffix(w[j].open, "(") && w[j].shut == ")" && j > 0 && w[j-1].shut == "" && w[j-1].capital && j+1 < len(w) && w[j+1].open == "" && legalForm(&w[j+1])
}

// endsName reports whether word j ends the name of a company though it is a word of sentences:
// "Larkspur Veterinary Partners".
func endsName(s *sentence, j int) bool {
	w := s.words
	return j > 0 && w[j].capital && w[j-1].capital && w[j-1].soft && proseWords().of("nameend").at(s, j) > 0
}

// listed reports whether word j goes on with a firm of several partners: "Hobbs, Crane &
// Little".
func listed(s *sentence, j int) bool {
	w := s.words
	for k := j; k < len(w) && k < j+4 && opensName(s, k); k++ {
		if w[k].soft && k+2 < len(w) && (w[k+1].text == "&" && opensName(s, k+2) || isAnd(w[k+1].key) && partners[w[k+2].key]) {
			return true
		}
		if w[k].shut != "," {
			return false
		}
	}
	return false
}

// partners are words behind "and" at the end of a firm's name.
var partners = set("cie co associati associes associados fils sohne soehne sons partner partners figli hijos zonen daughters bruder brothers filhos fills sonn son datter dottre daughter synowie soner sonner")

// companies finds the names of companies in sentences: those that the prospect's domains
// stand for, those behind words that announce one, and those with a legal form.
func (e *Extractor) companies(m *mail, p *prose, out candidates) {
	for _, key := range p.domains {
		e.companyOfDomain(m, p, key, out)
	}
	e.companyOfAddress(m, p, out)
	for i := range p.sents {
		s := &p.sents[i]
		for _, r := range runs(s) {
			r = e.trimRun(r, p)
			if r.to <= r.from {
				continue
			}
			score := e.companyScore(p, r)
			if score == 0 {
				continue
			}
			e.addCompany(m, p, p.inFull(r), score, out)
		}
	}
}

func (e *Extractor) addCompany(m *mail, p *prose, r run, score float64, out candidates) {
	v := strings.Trim(r.text(m.doc), " ,;:")
	if m := articled.FindString(v); m != "" && (m[0] >= 'a' || r.from == 0 && !p.inDomain(fold(v))) {
		v = v[len(m):]
	}
	if e.commonWords(v) && !p.domainOfAll(v) || utf8.RuneCountInString(v) < 2 || m.sender.is(v) || p.isPerson(v) || e.dict.countries[fold(v)] != "" {
		return
	}
	at, words := m.doc.words(r.s.start, r.s.end)
	if !p.fragment(r) {
		v += legalStop(r)
	}
	out.add(intake.FieldCompanyName, candidate{value: v, words: words, at: at, score: score * factors[r.s.region], method: byProse})
}

// articled is an article that French and Italians join to a name.
var articled = regexp.MustCompile(`^(?:[Ll]|d|dell|all|nell|dall)['’]`)

// inDomain reports whether a domain begins with a folded name, article and all.
func (p *prose) inDomain(name string) bool {
	return slices.ContainsFunc(p.domains, func(d string) bool {
		label, _, _ := strings.Cut(strings.ReplaceAll(d, "-", ""), ".")
		return strings.HasPrefix(label, strings.ReplaceAll(name, " ", ""))
	})
}

// domainOfAll reports whether a domain is made of the whole of a name.
func (p *prose) domainOfAll(v string) bool {
	return slices.ContainsFunc(p.domains, func(d string) bool {
		label, _, _ := strings.Cut(d, ".")
		return strings.Contains(v, " ") && strings.ReplaceAll(label, "-", "") == strings.ReplaceAll(fold(v), " ", "")
	})
}

// commonWords reports whether a name is none: labels of forms and words that subjects have.
func (e *Extractor) commonWords(v string) bool {
	s := newSentenceOf(&line{body: v})
	if s == nil {
		return true
	}
	if _, isLabel := e.dict.labels[fold(v)]; isLabel || e.dict.otherLabel(fold(v)) {
		return true
	}
	for i := range s.words {
		if !proseWords().stop[s.words[i].key] && proseWords().of("subject").at(s, i) == 0 {
			return false
		}
	}
	return true
}

// legalStop returns the full stop that belongs to a shortened legal form at the end of a
// name. At the end of a sentence it may be the sentence's, unless the form always has one.
func legalStop(r run) string {
	w := &r.s.words[r.to-1]
	if !strings.HasPrefix(w.shut, ".") || !proseWords().legal[w.key] {
		return ""
	}
	if strings.Contains(w.text, ".") || len(w.shut) > 1 || stoppedForms[w.key] && r.to < len(r.s.words) && !(r.s.words[r.to].capital && proseWords().stop[r.s.words[r.to].key]) {
		return "."
	}
	if alwaysStopped[w.key] {
		return "."
	}
	return ""
}

// stoppedForms are legal forms that many write with a full stop; alwaysStopped have one even
// where a sentence ends with them.
var (
	stoppedForms  = set("ltd co cie pty pte pvt bros soc sp spol")
	alwaysStopped = set("inc corp lda ltda coop sti")
)

// fragment reports whether a name is all of a sentence, so that the full stop behind its legal
// form ends that: "1) Tunstead Quarries Ltd. Permits expire …".
func (p *prose) fragment(r run) bool {
	w := r.s.words
	last := &w[r.to-1]
	if strings.HasPrefix(last.shut, ".,") || strings.Contains(last.text, ".") || alwaysStopped[last.key] {
		return false
	}
	return p.opensSetOff(r.s, r.from) || r.from == 0 && r.to < len(w) && w[r.to].capital
}

// trimRun takes off what can't belong to a company's name: roles and the contact's name at
// either end.
func (e *Extractor) trimRun(r run, p *prose) run {
	w := r.s.words
	for r.from < r.to && (isRole(w[r.from].key) && r.to-r.from > 1 && !proseWords().legal[w[r.to-1].key] || proseWords().title[w[r.from].key] || proseWords().legal[w[r.from].key] && r.to-r.from == 1) {
		r.from++
	}
	for _, person := range p.people {
		if person.s == r.s && person.from < r.to && person.to > r.from {
			if person.from > r.from {
				r.to = person.from
			} else {
				r.from = max(r.from, person.to)
			}
		}
	}
	return r
}

// companyScore says how sure it is that a run is the prospect's name.
func (e *Extractor) companyScore(p *prose, r run) float64 {
	w := r.s.words
	legal := r.to-r.from > 1 && legalForm(&w[r.to-1])
	score := 0.0
	if legal {
		score = scoreClear
	}
	if p.announced(r) {
		score = max(score, scoreLikely)
		if legal {
			score = scoreCertain
		}
	}
	if score > 0 && (p.rival(r) || p.amongRivals(r) || p.besides(r)) {
		return 0
	}
	if score == scoreClear && len(p.domains) > 0 {
		return scoreHint // a form alone, and the prospect's domain is not made of it
	}
	return score
}

// besides reports whether a name stands where others than the prospect are named: in a row
// with another, behind words for where somebody was before, or as the place where he is.
func (p *prose) besides(r run) bool {
	w := r.s.words
	if r.to+1 < len(w) && w[r.to-1].soft && w[r.to].soft && isAnd(w[r.to].key) && opensName(r.s, r.to+1) && !p.named(r.s, r.to+1) {
		return true
	}
	if r.from > 1 && w[r.from-1].soft && w[r.from-2].soft && isAnd(w[r.from-1].key) && !proseWords().particle[w[r.from-1].key] && opensName(r.s, r.from-2) && !p.named(r.s, r.from-2) {
		return true
	}
	if p.cued("past_employer", r.s, r.from) {
		return true
	}
	return p.placed(r) || p.townOf(r)
}

// named reports whether word i is part of a person's name.
func (p *prose) named(s *sentence, i int) bool {
	for _, r := range p.people {
		if r.s == s && r.from <= i && i < r.to {
			return true
		}
	}
	return false
}

// places are prepositions that stand before towns as well as before companies.
var places = set("in im en a w i em v no na")

// placed reports whether a name is where the company is rather than the company: between the
// contact and a preposition of places another one stands, "COO at a food company in Leeds".
func (p *prose) placed(r run) bool {
	w := r.s.words
	if r.from == 0 || !places[w[r.from-1].key] || p.contact.s != r.s || p.contact.to > r.from || legalForm(&w[r.to-1]) {
		return false
	}
	for i := p.contact.to; i < r.from-1; i++ {
		if proseWords().of("where").at(r.s, i) > 0 {
			return true
		}
	}
	return false
}

// amongRivals reports whether a sentence names those who compete with us before a run, or
// nothing announces the run as the prospect.
func (p *prose) amongRivals(r run) bool {
	at, _, ok := proseWords().of("rivalry").find(r.s, 0)
	return ok && (at < r.from || !p.cued("company", r.s, r.from))
}

// smallForms are legal forms that are small words too: without a capital they are part of a
// name only behind another form, "sp. z o.o.".
var smallForms = set("z o as se ad dd pt")

// maxTries bounds the words that are compared with a domain.
const maxTries = 600

// legalForm reports whether a word is surely a legal form: those that are words as well
// ("as", "co", "se") only in capitals.
func legalForm(w *word) bool {
	if !proseWords().legal[w.key] || w.key == "group" {
		return false
	}
	switch w.key {
	case "se", "co", "o", "as", "z", "sa", "soc", "sp", "ad", "dd", "pt":
		return w.text == strings.ToUpper(w.text)
	}
	return true
}

// companyOfDomain finds the words of which a domain's first label is made.
func (e *Extractor) companyOfDomain(m *mail, p *prose, key string, out candidates) {
	label, _, _ := strings.Cut(key, ".")
	letters := label
	if u, err := e.ids.Domain(key); err == nil {
		ul, _, _ := strings.Cut(u.Unicode, ".")
		if f := strings.ReplaceAll(fold(ul), " ", "-"); f != "" {
			letters = f
		}
	}
	joined := strings.ReplaceAll(letters, "-", "")
	best, top := e.likest(p, letters)
	if top == 0 {
		if best, top = p.lowerCompany(joined); top == 0 {
			whole, ok := p.announcedInFull()
			if !ok {
				return
			}
			best, top = whole, scoreClear
		}
	} else {
		best = p.speltOut(leftOf(e.widen(best, p), joined), joined)
		if p.townOf(best) {
			return
		}
	}
	best = p.inFull(p.speltBefore(best))
	p.company = best
	e.addCompany(m, p, best, top, out)
}

// townOf reports whether a run is only the town in a longer name, which stands in a case that it
// has not by itself: "w Szpitalu Powiatowym w Zalesinie".
func (p *prose) townOf(r run) bool {
	w := r.s.words
	if r.from < 2 || r.to-r.from > 1 || !places[w[r.from-1].key] || !w[r.from-1].soft || !w[r.from-2].soft {
		return false
	}
	return opensName(r.s, r.from-2) && !isRole(w[r.from-2].key) && !p.named(r.s, r.from-2)
}

// companyOfAddress finds the words of which the address of a contact at a mail provider is made:
// "ocean.tile@gmail.com". All of its letters must be there, so that no first name is taken.
func (e *Extractor) companyOfAddress(m *mail, p *prose, out candidates) {
	local, _, ok := strings.Cut(p.address, "@")
	if !ok || len(p.domains) > 0 {
		return
	}
	label := strings.ReplaceAll(strings.NewReplacer(".", "-", "_", "-").Replace(fold(local)), " ", "-")
	best, top := e.likest(p, label)
	if top < scoreCertain || best.to-best.from < 2 && len(label) < 8 {
		return
	}
	if best = p.speltOut(e.widen(best, p), strings.ReplaceAll(label, "-", "")); p.isPersonRun(best) {
		return
	}
	p.company = best
	e.addCompany(m, p, best, scoreCertain, out)
}

// likest returns the words that a domain's letters stand for best, and how well; 0 if none.
func (e *Extractor) likest(p *prose, letters string) (best run, top float64) {
	tries := 0
	for i := range p.sents {
		s := &p.sents[i]
		for _, r := range runs(s) {
			r = e.trimRun(r, p)
			if tries += r.to - r.from; tries > maxTries {
				break
			}
			for a := r.from; a < r.to; a++ {
				for b := min(r.to, a+7); b > a; b-- {
					sub := run{s, a, b}
					if last := &s.words[b-1]; p.isPersonRun(sub) || proseWords().particle[last.key] && !last.capital {
						continue
					}
					if score := likeness(letters, sub); score > top || score > 0 && score == top && p.linkBehind(sub) && !p.linkBehind(best) {
						best, top = sub, score
					}
				}
			}
		}
	}
	return best, top
}

// speltOut adds to a run the words beside it that a domain goes on with letter by letter, though
// no name begins or goes on with them: "Farmácias Boa Saúde", "Klinik am See", "Studio 21".
func (p *prose) speltOut(r run, letters string) run {
	w := r.s.words
	for a := max(0, r.from-3); a < r.to; a++ {
		all := ""
		for b := a; b < len(w) && b < a+7 && w[b].address == "" && w[b].link == ""; b++ {
			if b > a && w[b-1].shut == "'" && strings.HasPrefix(letters, all+"s") {
				all += "s" // "Tanner's Bakery"
			}
			if all += strings.ReplaceAll(w[b].key, " ", ""); !strings.HasPrefix(letters, all) {
				break
			}
			if all == letters && b >= r.from && w[a].capital && (w[b].capital || digits(w[b].text) > 0) {
				return withForm(run{r.s, min(a, r.from), max(b+1, r.to)})
			}
			if !w[b].soft && w[b].shut != "'" {
				break
			}
		}
	}
	return r
}

// withForm adds to a run the legal form behind it.
func withForm(r run) run {
	w := r.s.words
	for r.to < len(w) && w[r.to-1].soft && legalForm(&w[r.to]) {
		r.to++
	}
	return r
}

// lowerCompany finds a company in a text without capitals: all letters of the domain in the
// order of some words, which a mark, an article or an announcing word sets off.
func (p *prose) lowerCompany(letters string) (run, float64) {
	for i := range p.sents {
		s := &p.sents[i]
		for a := range s.words {
			for n := 5; n > 0; n-- {
				if a+n > len(s.words) {
					continue
				}
				all, soft := "", true
				for j := a; j < a+n; j++ {
					all += strings.ReplaceAll(s.words[j].key, " ", "")
					soft = soft && (j == a+n-1 || s.words[j].soft) && s.words[j].link == "" && s.words[j].address == ""
				}
				if !soft || all != letters || len(letters) < 5 {
					continue
				}
				r := withForm(run{s, a, a + n})
				for back := 0; back <= 2 && r.from >= back; back++ {
					if back > 0 && n > 1 && len(s.words[r.from-back].key) < 5 {
						break // no word for a trade, and the domain is a name without it
					}
					if at := r.from - back; at == 0 || !s.words[at-1].soft || proseWords().stop[s.words[at-1].key] || p.cued("company", s, at) {
						return run{s, at, r.to}, scoreClear
					}
				}
				if n > 2 {
					return r, scoreClear
				}
			}
		}
	}
	return run{}, 0
}

// likeness says how well a domain's letters stand for the words of a run: all of them in
// full, their beginnings, or some.
func likeness(label string, r run) float64 {
	letters := strings.ReplaceAll(label, "-", "")
	var words []string
	for _, w := range r.s.words[r.from:r.to] {
		if !proseWords().legal[w.key] && !proseWords().particle[w.key] {
			words = append(words, strings.Fields(w.key)...)
		}
	}
	if len(words) == 0 {
		return 0
	}
	all := strings.Join(words, "")
	digraphs := umlauts(r)
	switch {
	case all == letters, digraphs == letters, withAnd(r, letters):
		return scoreCertain + .05
	case len(all) >= 4 && strings.HasPrefix(letters, all), len(all) >= 5 && strings.HasSuffix(letters, all):
		return scoreClear + float64(len(all))/1000
	case len(all) >= 2 && strings.HasPrefix(label, all+"-"):
		return scoreClear
	case len(letters) >= 4 && len(words) == 1 && strings.HasPrefix(all, letters):
		return scoreClear
	case len(words) > 1 && len(letters) >= 3 && (abbreviates(letters, words) || abbreviates(letters, strings.Fields(umlautWords(r)))):
		return .8 + float64(len(words))/1000
	case inAnyOrder(label, words):
		return scoreCertain
	}
	return 0
}

// leftOf adds to a run the word before it that a domain begins with, though no name does:
// "60 North", "Les Ateliers".
func leftOf(r run, letters string) run {
	w := r.s.words
	if r.from == 0 || !w[r.from-1].soft || w[r.from-1].key == "" {
		return r
	}
	all := strings.ReplaceAll(w[r.from-1].key, " ", "") + strings.ReplaceAll(w[r.from].key, " ", "")
	if strings.HasPrefix(letters, all) {
		r.from--
	}
	return r
}

// inAnyOrder reports whether each part of a domain is a word of a name, or its beginning or
// end: "reinders-tiefbau" and "Spezialtiefbau Reinders".
func inAnyOrder(label string, words []string) bool {
	parts := strings.Split(label, "-")
	if len(parts) < 2 || len(parts) > len(words) {
		return false
	}
	used := make([]bool, len(words))
	for _, part := range parts {
		found := false
		for i, w := range words {
			if !used[i] && !found && (w == part || len(part) > 3 && (strings.HasPrefix(w, part) || strings.HasSuffix(w, part))) {
				used[i], found = true, true
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// withAnd reports whether a domain writes out the "&" of a name.
func withAnd(r run, letters string) bool {
	and := false
	for _, w := range r.s.words[r.from:r.to] {
		and = and || w.text == "&" || w.text == "+"
	}
	if !and {
		return false
	}
	for _, word := range []string{"and", "und", "et", "y", "e", "en", "i", "og", "och", "n"} {
		all := ""
		for _, w := range r.s.words[r.from:r.to] {
			switch {
			case w.text == "&" || w.text == "+":
				all += word
			case !proseWords().legal[w.key]:
				all += strings.ReplaceAll(w.key, " ", "")
			}
		}
		if all == letters {
			return true
		}
	}
	return false
}

// abbreviates reports whether letters are made of the beginnings of words: of the first, of
// the last, and of those between, some of which may be left out.
func abbreviates(letters string, words []string) bool {
	if len(words) == 0 || len(letters) > 63 {
		return false
	}
	reached := map[int]bool{0: true} // bytes of letters that the words so far can stand for
	for i, w := range words {
		next := make(map[int]bool)
		for from := range reached {
			if i > 0 && i < len(words)-1 {
				next[from] = true
			}
			for n := 1; n <= len(w) && from+n <= len(letters) && letters[from+n-1] == w[n-1]; n++ {
				next[from+n] = true
			}
		}
		reached = next
	}
	return reached[len(letters)]
}

// umlauts returns the letters of a run as Germans write them without umlauts.
func umlauts(r run) string { return strings.ReplaceAll(umlautWords(r), " ", "") }

var digraphs = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "Ä", "Ae", "Ö", "Oe", "Ü", "Ue", "å", "aa", "Å", "Aa", "ø", "oe", "Ø", "Oe", "æ", "ae")

func umlautWords(r run) string {
	var out []string
	for _, w := range r.s.words[r.from:r.to] {
		if !proseWords().legal[w.key] && !proseWords().particle[w.key] {
			out = append(out, fold(digraphs.Replace(w.text)))
		}
	}
	return strings.Join(out, " ")
}

// apart reports whether the word before a run is what somebody does there and no part of its
// name: "ICT van het College", "Einkauf der Lindner GmbH".
func apart(r run) bool {
	w := r.s.words
	before := &w[r.from-1]
	return tradeWord(before) && (shortForm(before) || proseWords().particle[w[r.from].key] && !w[r.from].capital)
}

// widen adds to a run what belongs to the same name: a legal form, further capitalised words
// behind it, and words before it, unless a sentence begins with them.
func (e *Extractor) widen(r run, p *prose) run {
	w := r.s.words
	full := e.trimRun(run{r.s, r.from, r.to}, p)
	for _, whole := range runs(r.s) {
		if whole.from <= r.from && r.to <= whole.to {
			full = e.trimRun(whole, p)
		}
	}
	for r.to < full.to && (!isRole(w[r.to].key) && !p.german || proseWords().legal[w[r.to].key]) {
		if proseWords().particle[w[r.to].key] && !w[r.to].capital && !proseWords().legal[w[full.to-1].key] && !(isAnd(w[r.to].key) && partners[w[r.to+1].key]) {
			break // "Clinica Monte Boglia di Lugano"
		}
		r.to++
	}
	if p.german && full.to > r.to && proseWords().legal[w[full.to-1].key] {
		r.to = full.to
	}
	for r.to > r.from+1 && proseWords().particle[w[r.to-1].key] && !w[r.to-1].capital {
		r.to--
	}
	for r.from > full.from && !isRole(w[r.from-1].key) && !apart(r) {
		if r.from == 1 && p.english && !proseWords().legal[w[r.to-1].key] {
			break // any word has a capital there
		}
		if p.english || !p.german || r.from-full.from <= 2 || proseWords().legal[w[r.to-1].key] {
			r.from--
			continue
		}
		break
	}
	if r.from > 1 && w[r.from-1].text == "of" && w[r.from-1].soft && w[r.from-2].soft && opensName(r.s, r.from-2) && !isRole(w[r.from-2].key) && !p.named(r.s, r.from-2) {
		r.from -= 2 // "City of Leeds"
	}
	for r.from < r.to-1 && (proseWords().particle[w[r.from].key] && !w[r.from].capital || !opensName(r.s, r.from)) {
		r.from++
	}
	return r
}

// noName reports whether a line is surely not a company's name: a greeting, a sentence, or
// words that every mail has.
func noName(l *line) bool {
	s := newSentenceOf(l)
	if s == nil || proseWords().of("greeting").at(s, 0) > 0 {
		return true
	}
	last := &s.words[len(s.words)-1]
	if strings.HasPrefix(last.shut, ".") && !proseWords().legal[last.key] && !strings.Contains(last.text, ".") {
		return true
	}
	for i := range s.words {
		if w := &s.words[i]; !proseWords().stop[w.key] && digits(w.text) < len(w.text) {
			return false
		}
	}
	return true
}
