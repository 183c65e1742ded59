package extract

import (
	"regexp"
	"slices"
	"strings"

	"leadgate/intake"
)

// findContact finds the name of the contact: the one that the address is made of, the one
// that stands before it, or the one that the sentence announces.
func (e *Extractor) findContact(m *mail, p *prose, found, out candidates) {
	if c, ok := found.best(intake.FieldContactName); ok {
		p.contact, p.nameEnd = p.mentioned(c.value), c.at.end
		if p.contact.to > 0 {
			p.people = append(p.people, p.contact)
		}
		return
	}
	var best surest
	if p.address != "" {
		e.beside(p, m, &best)
	}
	for i := range p.sents {
		e.introduced(p, m, &p.sents[i], &best)
	}
	if best.score == 0 && p.address != "" {
		if best.run, best.score = p.lowerName(p.address); best.score == 0 {
			best.run, best.score = p.lowerByRole()
		}
	}
	if best.score == 0 {
		return
	}
	p.contact = withDegrees(best.run)
	p.people = append(p.people, p.contact)
	p.addPerson(m, p.contact, best.score, out)
}

// surest is the name that is most likely the contact's of those seen.
type surest struct {
	run   run
	score float64
}

// offer takes a name that is surer, unless it is the sender's.
func (b *surest) offer(r run, score float64, m *mail) {
	if r.to > r.from && score > b.score && !m.sender.isPerson(r) {
		b.run, b.score = r, score
	}
}

// beside offers the names that the contact's address is made of or that stand before it.
func (e *Extractor) beside(p *prose, m *mail, best *surest) {
	r, score := p.addressed(p.address)
	best.offer(r, score, m)
	for i := range p.sents {
		s := &p.sents[i]
		for j := range s.words {
			if !strings.EqualFold(s.words[j].address, p.address) {
				continue
			}
			if r, ok := p.nameBefore(s, j); ok && !e.companyLike(r, p) {
				best.offer(r, scoreClear, m)
			}
		}
	}
}

// introduced offers the names in a sentence that a role stands near or that words announce.
func (e *Extractor) introduced(p *prose, m *mail, s *sentence, best *surest) {
	d := proseWords()
	for j := range s.words {
		r, ok := p.nameAt(s, j)
		if !ok && j > 0 && d.title[s.words[j-1].key] && s.words[j-1].capital && p.nameRun(run{s, j, j + 1}) && p.cued("person", s, j) {
			best.offer(run{s, j, j + 1}, scoreLikely, m)
		}
		within := j > 0 && s.words[j-1].soft && (nameWord(&s.words[j-1]) || opensName(s, j-1)) && !isRole(s.words[j-1].key)
		if !ok || allTrade(r) || within {
			continue
		}
		best.offer(r, e.announcedName(p, r)*factors[s.region], m)
	}
}

// announcedName says how surely a name is the contact's by the words around it, 0 if they do
// not say so.
func (e *Extractor) announcedName(p *prose, r run) float64 {
	score := 0.0
	at, near := p.roleNear(r)
	role := near && !ourOwn(at)
	if role {
		score = scoreClear - .02
	}
	if p.cued("person", r.s, r.from) {
		score = max(score, scoreLikely)
		if role {
			score = scoreClear
		}
	}
	if score > 0 && (e.companyLike(r, p) || e.dict.countries[strings.Join(r.keys(), " ")] != "") {
		return 0
	}
	return score
}

// withDegrees takes the degrees before a name into it.
func withDegrees(r run) run {
	w, degree := r.s.words, proseWords().degree
	for r.from > 0 && w[r.from-1].key != "" && degree[w[r.from-1].key] && w[r.from-1].capital == w[r.from].capital {
		r.from--
	}
	if r.from > 0 && degree[w[r.from-1].key] {
		r.from--
	}
	return r
}

// mentioned finds a name in the sentences.
func (p *prose) mentioned(name string) run {
	want := strings.Fields(bareName(name))
	if len(want) == 0 {
		return run{}
	}
	for i := range p.sents {
		s := &p.sents[i]
		for j := range s.words {
			if j+len(want) > len(s.words) {
				break
			}
			if slices.Equal(strings.Fields(strings.Join(run{s, j, j + len(want)}.keys(), " ")), want) {
				return run{s, j, j + len(want)}
			}
		}
	}
	return p.firstName(want[0])
}

// firstName finds where somebody is called by his first name alone.
func (p *prose) firstName(key string) run {
	for i := range p.sents {
		s := &p.sents[i]
		for j := range s.words {
			if s.words[j].key == key && len(key) > 2 && nameWord(&s.words[j]) {
				return run{s, j, j + 1}
			}
		}
	}
	return run{}
}

// ourOwn reports whether a role is of somebody at the sender's: "our engineer Jane Doe".
func ourOwn(role run) bool {
	s := role.s
	return s.region == fresh && role.from > 0 && s.words[role.from-1].soft && proseWords().of("ours").at(s, role.from-1) == 1
}

// allTrade reports whether all words of a run say what somebody is responsible for.
func allTrade(r run) bool {
	for i := r.from; i < r.to; i++ {
		if !tradeWord(&r.s.words[i]) {
			return false
		}
	}
	return true
}

// lowerByRole finds a name in a text without capitals by the role before it and by what ends
// it: "titolare è wanda ferrari 347 …".
func (p *prose) lowerByRole() (run, float64) {
	for i := range p.sents {
		s := &p.sents[i]
		for j := 1; j+1 < len(s.words); j++ {
			to := j + 2
			if proseWords().particle[s.words[j+1].key] && s.words[j+1].soft {
				to++
			}
			if to > len(s.words) || !plainWord(&s.words[j]) || !plainWord(&s.words[to-1]) || !s.words[j].soft {
				continue
			}
			if w := &s.words[to-1]; w.soft && to < len(s.words) && s.words[to].address == "" && !isPhoneWord(&s.words[to]) {
				continue
			}
			if role, ok := roleBefore(s, j, p); ok && s.words[role.to-1].soft {
				return run{s, j, to}, scoreLikely
			}
		}
	}
	return run{}, 0
}

// plainWord reports whether a word without a capital may be part of a name.
func plainWord(w *word) bool {
	return w.address == "" && w.link == "" && !w.capital && !proseWords().stop[w.key] && !tradeWord(w) && !proseWords().rolelink[w.key] && digits(w.text) == 0 && len(w.key) > 2
}

// lowerName finds a name in a text without capitals: two words of which the address is made,
// or of which the first is in it and the second ends something.
func (p *prose) lowerName(addr string) (run, float64) {
	plain := func(w *word) bool {
		return w.address == "" && w.link == "" && w.key != "" && !proseWords().stop[w.key] && !isRole(w.key) && digits(w.text) == 0 && len(w.key) > 1
	}
	for i := range p.sents {
		s := &p.sents[i]
		for j := 0; j+1 < len(s.words); j++ {
			if !plain(&s.words[j]) || !plain(&s.words[j+1]) || !s.words[j].soft {
				continue
			}
			r := run{s, j, j + 2}
			ok, _ := likeAddress(addr, r)
			both, _ := likeAddress(addr, run{s, j + 1, j + 2})
			switch single, _ := likeAddress(addr, run{s, j, j + 1}); {
			case ok && !single && !both:
				return r, scoreClear
			case ok && single:
				next := j + 2
				if p.cued("person", s, j) || next >= len(s.words) || !s.words[j+1].soft || s.words[next].address != "" || digits(s.words[next].text) > 0 || proseWords().stop[s.words[next].key] {
					return r, scoreLikely
				}
			}
		}
	}
	return run{}, 0
}

// companyLike reports whether a run is rather a company: a legal form follows, or a domain
// is made of it.
func (e *Extractor) companyLike(r run, p *prose) bool {
	w := r.s.words
	if r.to < len(w) && w[r.to-1].soft && (proseWords().legal[w[r.to].key] || w[r.to].text == "&" || w[r.to].capital && !isRole(w[r.to].key)) {
		return true
	}
	for _, key := range p.domains {
		if label, _, _ := strings.Cut(key, "."); likeness(label, r) > 0 {
			return true
		}
	}
	return false
}

func (s signatory) isPerson(r run) bool {
	return strings.Join(r.keys(), " ") == s.name
}

// cued reports whether a phrase of a kind ends right before word i, an article or title
// between.
func (p *prose) cued(kind string, s *sentence, i int) bool {
	for i > 0 && (proseWords().title[s.words[i-1].key] || proseWords().of("article").at(s, i-1) > 0) {
		i--
	}
	for back := 1; back <= 5 && i-back >= 0; back++ {
		if n := proseWords().of(kind).at(s, i-back); n == back {
			last := &s.words[i-1]
			return last.soft || last.shut == ":" || kind == "company" && last.shut == "," || strings.HasPrefix(last.shut, "\"") || s.words[i].open != ""
		}
	}
	return false
}

// indefinite are articles that no name has before it: "writes it into a Book".
var indefinite = set("a an ein eine einem einen einer eines une een un uno una um uma en et ett")

// announced reports whether the words before a run say that a company follows, or those
// behind it that a company wants something.
func (p *prose) announced(r run) bool {
	if p.cued("company", r.s, r.from) {
		return true
	}
	if p.role.s == r.s && r.from < p.role.to && r.to > p.role.from {
		return false
	}
	if p.contact.s == r.s && p.contact.to <= r.from && r.from-p.contact.to < 10 && p.cued("where", r.s, r.from) && !indefinite[r.s.keys[r.from-1]] {
		return true
	}
	if p.linkBehind(r) {
		return true
	}
	w := r.s.words
	if p.role.s == r.s && p.role.from == r.to && strings.ContainsAny(w[r.to-1].shut, ",:") && p.contact.s == r.s && p.contact.from >= p.role.to {
		return true // "Acme, coordinator Jane Doe"
	}
	if p.entry && r.s == &p.sents[0] && r.from == 0 && strings.ContainsAny(w[r.to-1].shut, ",:(–—;") {
		return true
	}
	if r.from <= 2 && !p.isPersonRun(r) {
		for i := r.to; i < r.to+6 && i < len(r.s.words); i++ {
			if (i == r.to) == r.s.words[r.to-1].soft && proseWords().of("need").at(r.s, i) > 0 {
				return true // "Acme is looking for", "Acme, here in Brazil, wants"
			}
			if i == r.to && r.s.words[r.to-1].soft || opensName(r.s, i) && nameWord(&r.s.words[i]) && i == r.to {
				break
			}
		}
	}
	return false
}

// linkBehind reports whether a link follows a run in brackets or behind a comma.
func (p *prose) linkBehind(r run) bool {
	w := r.s.words
	if r.to >= len(w) {
		return false
	}
	next := &w[r.to]
	if next.link != "" && slices.ContainsFunc(p.domains, func(d string) bool { return strings.Contains(strings.ToLower(next.link), d) }) {
		return strings.ContainsAny(next.open, "(<[") || strings.HasPrefix(w[r.to-1].shut, ",")
	}
	return false
}

// rival reports whether a run stands where rivals are named.
func (p *prose) rival(r run) bool { return p.cued("uses", r.s, r.from) }

// findRole finds what the contact is: where he is named, or where the sentences behind say
// "she is".
func (e *Extractor) findRole(m *mail, p *prose, out candidates) {
	if p.statedRole(m, out) || p.roleBelow(m, out) || p.contact.to == 0 {
		return
	}
	defer func() {
		if p.role.to == 0 {
			p.pronounRole(m, out)
		}
	}()
	name := strings.Join(p.contact.keys(), " ")
	for i := range p.sents {
		s := &p.sents[i]
		for j := range s.words {
			r := run{s, j, j + (p.contact.to - p.contact.from)}
			if r.to > len(s.words) || strings.Join(r.keys(), " ") != name {
				continue
			}
			role, ok := p.roleNear(r)
			if !ok && r.from == 0 && r.to == len(s.words) && i+1 < len(p.sents) && p.sents[i+1].block == s.block {
				if next := &p.sents[i+1]; roleLine(textOf(m.doc, clause{s: next, to: len(next.words)})) {
					role, ok = run{next, 0, len(next.words)}, true
				}
			}
			if !ok {
				continue
			}
			p.addRole(m, role, scoreClear, out)
			return
		}
	}
}

// roleBelow reads the line right below a name that a label gave.
func (p *prose) roleBelow(m *mail, out candidates) bool {
	for i := range p.sents {
		s := &p.sents[i]
		if p.nameEnd == 0 || s.start < p.nameEnd || !p.lineBelow(m.doc.text, s) {
			continue
		}
		if roleLine(textOf(m.doc, clause{s: s, to: len(s.words)})) && len(s.words) < 8 && !strings.ContainsAny(s.words[len(s.words)-1].shut, ".,") {
			p.addRole(m, run{s, 0, len(s.words)}, scoreClear, out)
			return true
		}
	}
	return false
}

// lineBelow reports whether a sentence is the whole of the line below the contact's name.
func (p *prose) lineBelow(text string, s *sentence) bool {
	between, rest := text[p.nameEnd:s.start], text[min(s.end, len(text)):]
	rest, _, _ = strings.Cut(rest, "\n")
	return strings.Count(between, "\n") == 1 && strings.TrimSpace(between) == "" && strings.TrimSpace(rest) == ""
}

// pronounRole reads "she is their head of IT" in the sentence of the contact's name or in the
// two behind it.
func (p *prose) pronounRole(m *mail, out candidates) {
	near := -1
	for i := range p.sents {
		s := &p.sents[i]
		if s == p.contact.s {
			near = i
		}
		if near < 0 || i > near+2 {
			continue
		}
		for j := range s.words {
			n := 0
			switch first := s.words[j].key == p.contact.s.words[p.contact.from].key; {
			case s == p.contact.s && j < p.contact.to:
			case proseWords().of("pronoun").at(s, j) > 0:
				n = proseWords().of("pronoun").at(s, j)
			case s.words[j].shut == "'" && proseWords().of("he").at(s, j) > 0: // "she's"
				n = 1
			case first && j+1 < len(s.words) && proseWords().of("is").at(s, j+1) > 0: // "Jane is the head"
				n = 1 + proseWords().of("is").at(s, j+1)
			}
			for n > 0 && j+n < len(s.words) && proseWords().of("there").at(s, j+n) > 0 {
				n++
			}
			if n == 0 {
				continue
			}
			if role, ok := p.roleAt(s, j+n); ok && role.from <= j+n+2 {
				p.addRole(m, role, scoreClear-.05, out)
				return
			}
		}
	}
}

func (p *prose) addRole(m *mail, role run, score float64, out candidates) {
	for role.to-role.from > 1 && proseWords().of("is").at(role.s, role.to-1) > 0 && !role.s.words[role.to-1].capital {
		role.to-- // "la jefa de nóminas es …"
	}
	p.role = role
	v := nominative(role.text(m.doc))
	at, words := m.doc.words(role.s.start, role.s.end)
	out.add(intake.FieldContactRole, candidate{value: strings.Trim(v, " ,.;:\"”“„"), words: words, at: at, score: score * factors[role.s.region], method: byProse})
}

var phoneLike = regexp.MustCompile(`(?:\+|\(?0)[0-9][0-9 ()./\-–]{5,20}[0-9]`)

// findPhone finds the contact's number: the only one in the text.
func (e *Extractor) findPhone(m *mail, p *prose, out candidates) {
	seen := 0
	for i := range p.sents {
		s := &p.sents[i]
		if mine(s) {
			continue
		}
		for _, v := range numbersIn(m.doc.text, s) {
			if digits(v.value) < 7 || digits(v.value) > 15 {
				continue
			}
			v.at, v.words = m.doc.words(s.start, s.end)
			v.score, v.method = (scoreLikely+.05)*factors[s.region], byProse
			if seen++; seen > 1 {
				v.score = scoreHint * factors[s.region]
			}
			out.add(intake.FieldContactPhone, v)
		}
	}
}

// maxNumbers is how many numbers of a sentence are looked at.
const maxNumbers = 4

// numbersIn returns the numbers of a sentence that look as those of telephones do.
func numbersIn(text string, s *sentence) []candidate {
	var out []candidate
	for _, at := range phoneLike.FindAllStringIndex(withNumbers(text[s.start:s.end]), maxNumbers) {
		v := text[s.start+at[0] : s.start+at[1]]
		if ofOrder(s, s.start+at[0]) {
			continue
		}
		out = append(out, candidate{value: v, bare: v[0] != '+' && !strings.HasPrefix(v, "00") && !announcesNumber(s, s.start+at[0])})
	}
	if len(out) == 0 {
		return plainNumbers(text, s)
	}
	return out
}

// announcesNumber reports whether the word before a place in the text says that a telephone
// number follows.
func announcesNumber(s *sentence, at int) bool {
	for i := len(s.words) - 1; i >= 0; i-- {
		if s.words[i].end <= at {
			return proseWords().of("phonecue").at(s, i) > 0
		}
	}
	return false
}

// plainNumber is a number as it is dialled where none begins with a zero: "954 123 456",
// "(11) 98765-4321".
var plainNumber = regexp.MustCompile(`^\(?[1-9][0-9]{0,4}\)?(?:[ .–-]?[0-9]{2,5}){1,4}(?:[^0-9]|$)`)

// plainNumbers finds numbers without any prefix, behind a word that announces one or beside an
// address. What is no number in the prospect's country is left out later.
func plainNumbers(text string, s *sentence) []candidate {
	var out []candidate
	for i := 1; i < len(s.words) && len(out) < 2; i++ {
		before, w := &s.words[i-1], &s.words[i]
		cued := proseWords().of("phonecue").at(s, i-1) > 0
		if w.text[0] < '1' || w.text[0] > '9' || before.address == "" && !cued || ofOrder(s, w.start) {
			continue
		}
		from := w.start
		if strings.HasSuffix(w.open, "(") {
			from--
		}
		v := strings.TrimRight(plainNumber.FindString(clip(text[from:min(s.end, len(text))], 40)), " ,;)")
		if n := digits(v); n >= 8 && n <= 11 {
			out = append(out, candidate{value: v, bare: !cued})
		}
	}
	return out
}

// mine reports whether a sentence of the sender speaks of the sender's own number.
func mine(s *sentence) bool {
	d := proseWords()
	return s.region != forwarded && (d.of("mydata").in(s) || d.of("callme").in(s))
}

// ofOrder reports whether one of the two words before a place in the text says that the number
// there is one of an order, a customer or a tax office.
func ofOrder(s *sentence, at int) bool {
	for i := len(s.words) - 1; i >= 0; i-- {
		if s.words[i].end <= at {
			return proseWords().of("othernumber").at(s, i) > 0 || proseWords().of("othernumber").at(s, i-1) > 0
		}
	}
	return false
}
