package extract

import (
	"regexp"
	"slices"
	"strings"

	"leadgate/intake"
)

// prose is what is known of the sentences of one lead while they are read.
type prose struct {
	sents   []sentence
	people  []run    // names of persons
	domains []string // registrable domains that may be the prospect's
	address string   // of the contact
	contact run
	company run
	role    run
	entry   bool // of a list
	// passedOn says that the prospect's own words are among the sentences.
	passedOn bool
	german   bool // nouns begin with a capital
	english  bool
}

// readProse reads what whole sentences say. found is what labels gave before: it helps to
// tell names from other words.
func (e *Extractor) readProse(m *mail, lines []line, found candidates) candidates {
	out := make(candidates)
	lines = aboveOurs(lines)
	e.readJapanese(m, lines, out)
	p := &prose{sents: proseOf(lines)}
	if len(p.sents) == 0 {
		return out
	}
	p.entry = len(lines) > 0 && strings.TrimSpace(bullet.FindString(lines[0].body)) != ""
	for i := range p.sents {
		p.passedOn = p.passedOn || p.sents[i].region == forwarded && len(p.sents[i].words) > 5
	}
	p.german, p.english = isGerman(p.sents), isEnglish(p.sents)
	e.addressesAndLinks(m, p, found, out)
	e.findContact(m, p, found, out)
	e.findRole(m, p, out)
	e.companies(m, p, out)
	e.findPhone(m, p, out)
	e.findCountry(m, p, out)
	e.findMoney(m, p, out)
	p.phrases(m, out)
	e.findRivals(m, p, out)
	if _, ok := out.best(intake.FieldProblem); !ok && !m.continues {
		e.findProblem(m, p, out)
	}
	return out
}

// aboveOurs returns the lines above a mail of ours that came back without marks. Its first
// words are not known, so that only the first paragraph is the person's for sure, and no
// paragraph if there is only one.
func aboveOurs(lines []line) []line {
	for i := range lines {
		if !oursAt(lines[i].body) {
			continue
		}
		first := 0
		for first < i && lines[first].blank() {
			first++
		}
		for first < i && !lines[first].blank() {
			first++
		}
		for j := first; j < i; j++ {
			if !lines[j].blank() {
				return lines[:first]
			}
		}
		return nil
	}
	return lines
}

// oursAt reports whether a line is one that all our mails have.
func oursAt(body string) bool {
	if len(body) > 120 {
		return false
	}
	head, _, ok := strings.Cut(body, ":")
	if ok && ourLabels[fold(head)] {
		return true
	}
	return strings.HasPrefix(strings.ToLower(body), "please leave the case number in the subject")
}

// ourLabels are labels of our mails that no partner fills in.
var ourLabels = map[string]bool{"case number": true, "current state": true, "your contact": true, "your answer is due by": true}

// proseOf returns the sentences of the lines that are no labels with values.
func proseOf(lines []line) []sentence {
	var rest []line
	gap := false
	for i := range lines {
		if lines[i].used || lines[i].label != nil && !lines[i].label.weak {
			gap = true
			continue
		}
		l := lines[i]
		l.gap = l.gap || gap
		gap = false
		rest = append(rest, l)
	}
	return sentences(rest)
}

// isGerman reports whether sentences are in German, where every noun has a capital.
func isGerman(sents []sentence) bool {
	n := 0
	for i := range sents {
		for _, k := range sents[i].keys {
			switch k {
			case "und", "der", "die", "ist", "nicht", "wir", "mit", "von", "bei", "sie", "das", "ein", "eine", "einen", "für":
				n++
			}
		}
		if n > 3 {
			return true
		}
	}
	return false
}

// isEnglish reports whether sentences are in English.
func isEnglish(sents []sentence) bool {
	n := 0
	for i := range sents {
		for _, k := range sents[i].keys {
			switch k {
			case "the", "is", "are", "they", "and", "for", "with", "of", "their", "please", "at", "have":
				n++
			}
		}
		if n > 1 {
			return true
		}
	}
	return false
}

// addressesAndLinks collects addresses and links that can be the prospect's.
func (e *Extractor) addressesAndLinks(m *mail, p *prose, found candidates, out candidates) {
	type place struct {
		addr string
		s    *sentence
	}
	var addrs []place
	var links []place
	for i := range p.sents {
		s := &p.sents[i]
		for j := range s.words {
			w := &s.words[j]
			if w.address != "" && e.outsider(w.address, m) && !slices.ContainsFunc(addrs, func(a place) bool { return strings.EqualFold(a.addr, w.address) }) {
				addrs = append(addrs, place{w.address, s})
			}
			if w.link == "" {
				continue
			}
			if key := e.domain(unwrapURL(w.link)); key != "" && !e.foreign(key, m) && !slices.ContainsFunc(links, func(l place) bool { return l.addr == key }) {
				links = append(links, place{key, s})
			}
		}
	}
	for i, a := range addrs {
		score := scoreClear
		if i > 0 {
			if domainOf(a.addr) != domainOf(addrs[0].addr) {
				score = scoreLikely // another company's: which one is meant?
			} else {
				score = scoreHint
			}
		}
		at, words := m.doc.words(a.s.start, a.s.end)
		out.add(intake.FieldContactEmail, candidate{value: a.addr, words: words, at: at, score: score * factors[a.s.region], method: byProse})
		if key, ok := e.companyOf(a.addr, m.in.SenderDomain); ok && !slices.Contains(p.domains, key) {
			p.domains = append(p.domains, key)
		}
	}
	for i, l := range links {
		at, words := m.doc.words(l.s.start, l.s.end)
		score := scoreLikely
		if i > 0 {
			score = scoreHint
		}
		out.add(intake.FieldCompanyDomain, candidate{value: l.addr, words: words, at: at, score: score * factors[l.s.region], method: byProse})
		if !slices.Contains(p.domains, l.addr) {
			p.domains = append(p.domains, l.addr)
		}
	}
	for _, f := range []intake.Field{intake.FieldCompanyDomain, intake.FieldContactEmail} {
		if c, ok := found.best(f); ok {
			key := c.value
			if f == intake.FieldContactEmail {
				if key, ok = e.companyOf(key, m.in.SenderDomain); !ok {
					continue
				}
			}
			if !slices.Contains(p.domains, key) {
				p.domains = append([]string{key}, p.domains...)
			}
		}
	}
	if len(p.domains) > 4 {
		p.domains = p.domains[:4]
	}
	if c, ok := found.best(intake.FieldContactEmail); ok {
		p.address = c.value
	} else if len(addrs) > 0 {
		p.address = addrs[0].addr
	}
}

func domainOf(addr string) string { return strings.ToLower(addr[strings.LastIndexByte(addr, '@')+1:]) }

// findContact finds the name of the contact: the one that the address is made of, the one
// that stands before it, or the one that the sentence announces.
func (e *Extractor) findContact(m *mail, p *prose, found, out candidates) {
	if c, ok := found.best(intake.FieldContactName); ok {
		p.contact = p.mentioned(c.value)
		if p.contact.to > 0 {
			p.people = append(p.people, p.contact)
		}
		return
	}
	best, top := run{}, 0.0
	better := func(r run, score float64) {
		if r.to > r.from && score > top && !m.sender.isPerson(r) {
			best, top = r, score
		}
	}
	if p.address != "" {
		better(p.addressed(p.address))
		for i := range p.sents {
			s := &p.sents[i]
			for j := range s.words {
				if strings.EqualFold(s.words[j].address, p.address) {
					if r, ok := p.nameBefore(s, j); ok && !e.companyLike(r, p) {
						better(r, scoreClear)
					}
				}
			}
		}
	}
	for i := range p.sents {
		s := &p.sents[i]
		for j := range s.words {
			r, ok := p.nameAt(s, j)
			if !ok && j > 0 && proseWords().title[s.words[j-1].key] && s.words[j-1].capital && p.nameRun(run{s, j, j + 1}) && p.cued("person", s, j) {
				better(run{s, j, j + 1}, scoreLikely)
			}
			if !ok || j > 0 && s.words[j-1].soft && (nameWord(&s.words[j-1]) || opensName(s, j-1)) && !isRole(s.words[j-1].key) {
				continue // within a name
			}
			score, role := 0.0, false
			if _, role = p.roleNear(r); role {
				score = scoreClear - .02
			}
			if p.cued("person", s, r.from) {
				score = max(score, scoreLikely)
				if role {
					score = scoreClear
				}
			}
			if score > 0 && (e.companyLike(r, p) || e.dict.countries[strings.Join(r.keys(), " ")] != "") {
				score = 0
			}
			better(r, score*factors[s.region])
		}
	}
	if top == 0 && p.address != "" {
		best, top = p.lowerName(p.address)
	}
	if top == 0 {
		return
	}
	for best.from > 0 && best.s.words[best.from-1].key != "" && proseWords().degree[best.s.words[best.from-1].key] && best.s.words[best.from-1].capital == best.s.words[best.from].capital {
		best.from--
	}
	if best.from > 0 && proseWords().degree[best.s.words[best.from-1].key] {
		best.from--
	}
	p.contact = best
	p.people = append(p.people, best)
	p.addPerson(m, best, top, out)
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
	return run{}
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

// announced reports whether the words before a run say that a company follows, or those
// behind it that a company wants something.
func (p *prose) announced(r run) bool {
	if p.cued("company", r.s, r.from) {
		return true
	}
	if p.role.s == r.s && r.from < p.role.to && r.to > p.role.from {
		return false
	}
	if p.contact.s == r.s && p.contact.to <= r.from && r.from-p.contact.to < 10 && p.cued("where", r.s, r.from) {
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
	if p.contact.to == 0 {
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
	p.role = role
	v := role.text(m.doc)
	at, words := m.doc.words(role.s.start, role.s.end)
	out.add(intake.FieldContactRole, candidate{value: strings.Trim(v, " ,.;:\"”“„"), words: words, at: at, score: score * factors[role.s.region], method: byProse})
}

var phoneLike = regexp.MustCompile(`(?:\+|\(?0)[0-9][0-9 ()./\-–]{5,20}[0-9]`)

// findPhone finds the contact's number: the only one in the text.
func (e *Extractor) findPhone(m *mail, p *prose, out candidates) {
	seen := 0
	for i := range p.sents {
		s := &p.sents[i]
		text := m.doc.text[s.start:s.end]
		if mine(s) {
			continue
		}
		for _, v := range phoneLike.FindAllString(text, 4) {
			if digits(v) < 7 || digits(v) > 15 {
				continue
			}
			seen++
			at, words := m.doc.words(s.start, s.end)
			score := scoreLikely + .05
			if seen > 1 {
				score = scoreHint
			}
			out.add(intake.FieldContactPhone, candidate{value: v, words: words, at: at, score: score * factors[s.region], method: byProse})
		}
	}
}

// mine reports whether a sentence speaks of the sender's own number.
func mine(s *sentence) bool {
	return strings.Contains(s.folded, " my ") || strings.Contains(s.folded, " call me ") || strings.Contains(s.folded, " reach me ") || strings.Contains(s.folded, " mich ") || strings.Contains(s.folded, " meine ")
}

// findCountry finds the one country that is named.
func (e *Extractor) findCountry(m *mail, p *prose, out candidates) {
	for i := range p.sents {
		s := &p.sents[i]
		for j := range s.words {
			for n := min(4, len(s.words)-j); n > 0; n-- {
				if !s.words[j].capital || s.words[j].address != "" {
					break
				}
				soft := true
				for k := j; k < j+n-1; k++ {
					soft = soft && s.words[k].soft
				}
				name := strings.Join(run{s, j, j + n}.keys(), " ")
				code := e.dict.countries[name]
				if !soft || code == "" || len(name) < 4 && !(s.words[j].text == strings.ToUpper(s.words[j].text) && (name == "uk" || name == "usa" || name == "uae")) {
					continue
				}
				if p.inCompany(s, j, j+n) || j > 0 && s.words[j-1].soft && opensName(s, j-1) || j+n < len(s.words) && s.words[j+n-1].soft && opensName(s, j+n) {
					break
				}
				at, words := m.doc.words(s.start, s.end)
				out.add(intake.FieldCountry, candidate{value: code, words: words, at: at, score: (scoreLikely + .02) * factors[s.region], method: byProse})
				break
			}
		}
	}
}

func (p *prose) inCompany(s *sentence, from, to int) bool {
	return p.company.s == s && from >= p.company.from && to <= p.company.to
}

var amountLike = regexp.MustCompile(`(?i)(?:(?:€|\$|£|¥|₹|us\$|a\$|[a-z]{3})\s?)?[0-9][0-9.,'’ ]*[0-9]?\s?(?:k|tsd\.?|tausend|mille|thousand|m|mio\.?|mn|million(?:en|s|es|i)?|millones|milhões|mln|bn|mrd\.?|tys\.?|tkr|mkr)?\b\.?\s?(?:€|\$|£|¥|₹|zł|kr\.?|[a-z]{2,8}\b\.?)?`)

// findMoney finds the one amount that the deal may be worth.
func (e *Extractor) findMoney(m *mail, p *prose, out candidates) {
	for i := range p.sents {
		s := &p.sents[i]
		if proseWords().of("turnover").in(s) {
			continue
		}
		text := m.doc.text[s.start:s.end]
		for _, v := range amountLike.FindAllString(text, 20) {
			if money := e.dict.money(strings.TrimSpace(v)); money != "" {
				at, words := m.doc.words(s.start, s.end)
				out.add(intake.FieldTargetRevenue, candidate{value: money, words: words, at: at, score: (scoreLikely + .02) * factors[s.region], method: byProse})
			}
		}
	}
}

// phrases reads stage, consent and kind off fixed phrases.
func (p *prose) phrases(m *mail, out candidates) {
	for i := range p.sents {
		s := &p.sents[i]
		p.readConsent(m, s, out)
		p.readStage(m, s, out)
		p.readKind(m, s, out)
	}
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
	case yes.in(s) && !unsure(s, yes) && !denied(s, yes):
		p.note(m, s, intake.FieldConsent, intake.ConsentYes, .8, out)
	case s.region == forwarded && proseWords().of("callme").in(s) && proseWords().of("vendor").in(s) && !unsure(s, proseWords().of("callme")):
		p.note(m, s, intake.FieldConsent, intake.ConsentYes, .8, out)
	case agrees(s):
		p.note(m, s, intake.FieldConsent, intake.ConsentYes, scoreLikely+.05, out)
	}
}

// agrees reports whether a sentence has a word of agreeing and one of being reached, of a
// third person and without a doubt.
func agrees(s *sentence) bool {
	agree, reach := proseWords().of("agree"), proseWords().of("reach")
	at, n, ok := agree.find(s, 0)
	if !ok || !reach.in(s) || unsure(s, agree) || negated(s, agree) {
		return false
	}
	if by, _, _ := reach.find(s, 0); by >= at && by < at+n {
		if _, _, again := reach.find(s, at+n); !again {
			return false // one phrase that is both
		}
	}
	if len(s.words) > 0 && proseWords().of("self").at(s, 0) > 0 && at < 5 {
		return false // the sender agrees
	}
	return strings.TrimSpace(s.words[len(s.words)-1].shut) != "?"
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
	i, _, ok := proseWords().of("unsure").find(s, 0)
	return ok && i < at
}

// denied reports whether a word before the phrase turns it round.
func denied(s *sentence, of *phrases) bool {
	at, n, _ := of.find(s, 0)
	for i := max(0, at-4); i < at+n && i < len(s.keys); i++ {
		switch s.keys[i] {
		case "not", "nicht", "kein", "keine", "pas", "jamais", "no", "non", "niet", "geen", "nao", "nie", "brak", "inte", "ikke", "ei", "never", "noch", "yet":
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

// findRivals finds the vendors and products that sentences name as those in use or compared.
func (e *Extractor) findRivals(m *mail, p *prose, out candidates) {
	var names []string
	first := -1
	for i := range p.sents {
		s := &p.sents[i]
		for j := 0; j < len(s.words); j++ {
			n := proseWords().of("uses").at(s, j)
			if n == 0 {
				continue
			}
			if got := e.rivalsAt(m, p, s, j+n); len(got) > 0 {
				names = append(names, got...)
				if first < 0 {
					first = i
				}
			}
			j += n - 1
		}
	}
	if len(names) == 0 {
		return
	}
	p.note(m, &p.sents[first], intake.FieldCompetingVendors, list(strings.Join(names, "; ")), scoreLikely, out)
}

// rivalsAt reads the list of names that begins at word i.
func (e *Extractor) rivalsAt(m *mail, p *prose, s *sentence, i int) []string {
	var out []string
	for i < len(s.words) && len(out) < 6 {
		w := &s.words[i]
		if proseWords().of("article").at(s, i) > 0 && w.soft && len(out) == 0 {
			i++
			continue
		}
		if !opensName(s, i) || proseWords().generic[w.key] || w.link != "" && !strings.Contains(w.text, ".") {
			break
		}
		r := run{s, i, i + 1}
		for r.to < len(s.words) && s.words[r.to-1].soft && opensName(s, r.to) && !p.german {
			r.to++
		}
		v := r.text(m.doc)
		if m.sender.is(v) || p.isPerson(v) || p.company.to > 0 && strings.Contains(strings.Join(p.company.keys(), " "), fold(v)) {
			break
		}
		out = append(out, v)
		i = r.to
		if i >= len(s.words) {
			break
		}
		last := &s.words[i-1]
		if strings.HasPrefix(last.shut, ",") {
			if isAnd(s.words[i].key) {
				i++
			}
			continue
		}
		if last.soft && isAnd(s.words[i].key) {
			i++
			continue
		}
		break
	}
	return out
}

func isAnd(key string) bool {
	return slices.Contains([]string{"and", "und", "et", "y", "e", "en", "i", "oraz", "och", "og", "or", "oder", "ou", "o"}, key)
}

// clause is a part of a sentence that may describe the prospect's need: words [from, to).
type clause struct {
	s        *sentence
	from, to int
	score    int
}

// findProblem chooses what says what the prospect wants or suffers from: the likeliest
// clause and those that go on with it.
func (e *Extractor) findProblem(m *mail, p *prose, out candidates) {
	var all []clause
	for i := range p.sents {
		c := e.needClause(m, p, &p.sents[i])
		c.score = e.needScore(m, p, c)
		all = append(all, c)
	}
	best := -1
	for i := range all {
		if all[i].score >= 3 && (best < 0 || all[i].score > all[best].score) {
			best = i
		}
	}
	if best < 0 {
		return
	}
	from, to, size := best, best+1, all[best].to-all[best].from
	near := func(i, least int) bool {
		return i >= 0 && i < len(all) && all[i].score >= least && all[i].s.block == all[best].s.block && all[i].s.region == all[best].s.region && size+all[i].to-all[i].from <= 45
	}
	for to-from < 3 && near(to, 3) {
		size += all[to].to - all[to].from
		to++
	}
	for to-from < 3 && near(from-1, all[best].score) {
		from--
		size += all[from].to - all[from].from
	}
	var parts []string
	for _, c := range all[from:to] {
		parts = append(parts, textOf(m.doc, c))
	}
	first, last := all[from], all[to-1]
	end := last.s.end
	if m.doc.depthAt(first.s.start) > 0 {
		end = min(end, m.doc.lineEnd(first.s.words[first.from].start))
	}
	at, words := m.doc.words(first.s.words[first.from].start, max(end, first.s.words[first.from].end))
	score := scoreLikely + .05
	if all[best].score >= 5 {
		score = scoreClear
	}
	out.add(intake.FieldProblem, candidate{value: cutRunes(strings.Join(parts, " "), maxLong), words: words, at: at, score: score, method: byProse})
}

// depthAt returns how often the line at an offset was quoted.
func (d *document) depthAt(off int) int {
	if i := d.lineAt(off); i >= 0 {
		return d.lines[i].depth
	}
	return 0
}

// lineEnd returns the end of the line at an offset.
func (d *document) lineEnd(off int) int {
	if i := d.lineAt(off); i >= 0 {
		return d.lines[i].end
	}
	return len(d.text)
}

// lineAt returns the number of the line at an offset, -1 if none is.
func (d *document) lineAt(off int) int {
	i, found := slices.BinarySearchFunc(d.lines, off, func(l line, off int) int { return l.start - off })
	if !found {
		i--
	}
	return min(i, len(d.lines)-1)
}

// needClause takes off a sentence what only says who it is about: the contact with address
// and role in front, or words before a colon.
func (e *Extractor) needClause(m *mail, p *prose, s *sentence) clause {
	c := clause{s: s, to: len(s.words)}
	if proseWords().of("greeting").at(s, 0) > 0 {
		for i := 0; i < 5 && i+4 < len(s.words); i++ {
			if strings.ContainsAny(s.words[i].shut, ",!") {
				c.from = i + 1
				break
			}
		}
	}
	for i := range s.words {
		w := &s.words[i]
		identity := w.address != "" || w.link != "" ||
			p.contact.s == s && i >= p.contact.from && i < p.contact.to || p.role.s == s && i >= p.role.from && i < p.role.to
		if identity && i < len(s.words)*3/4 {
			c.from = i + 1
		}
		if strings.Contains(w.shut, ":") && i < 9 && i+5 < len(s.words) && c.from <= i {
			c.from = i + 1
		}
	}
	for c.from > 0 && c.from < c.to && (relative[s.words[c.from].key] || isPhoneWord(&s.words[c.from]) || isAnd(s.words[c.from].key)) {
		c.from++
	}
	if p.company.s == s && p.company.from <= c.from+2 && p.company.to > c.from && p.company.to < len(s.words)*2/3 && c.from > 0 {
		c.from = p.company.to
	}
	if rest := afterPlace(s, c.from); c.from > 0 && rest > c.from {
		if c.from = rest; c.to-c.from < 5 {
			return clause{s: s} // "of Acme in Lyon": it only says who it is about
		}
	}
	if c.to-c.from < 5 {
		c.from = 0
	}
	if c.to-c.from > 14 {
		for i := c.from; i+6 < c.to; i++ { // "she told us that they lose orders"
			if n := proseWords().of("says").at(s, i); n > 0 && i+n+5 < c.to {
				c.from = i + n
				break
			}
		}
	}
	return c
}

// afterPlace returns the word behind "of Acme in Lyon, France" at word i, i if no such words
// stand there.
func afterPlace(s *sentence, i int) int {
	for i > 0 && i < len(s.words) {
		n := proseWords().of("where").at(s, i)
		if n == 0 || i+n >= len(s.words) || !opensName(s, i+n) {
			break
		}
		i += n + 1
		for i < len(s.words) && joins(s, i) {
			i++
		}
	}
	for i > 0 && i < len(s.words) && relative[s.words[i].key] {
		i++
	}
	return i
}

// textOf returns the words of a clause as they were written, on one line.
func textOf(d *document, c clause) string {
	var b strings.Builder
	s := c.s
	for i := c.from; i < c.to; i++ {
		w := s.words[i]
		if i > c.from {
			prev := s.words[i-1]
			between := d.text[prev.end:w.start]
			if i := strings.IndexByte(between, '\n'); i >= 0 {
				between = strings.TrimRight(between[:i], " \t") + " " + strings.TrimLeft(between[i:], "> \n\t")
			}
			b.WriteString(strings.ReplaceAll(between, "\t", " "))
		}
		b.WriteString(d.text[w.start:w.end])
	}
	if last := s.words[len(s.words)-1]; s.end > last.end {
		b.WriteString(d.text[last.end:s.end])
	}
	return strings.TrimSpace(b.String())
}

// relative are words that join a clause to the name before it.
var relative = set("who which that and qui che")

// needScore says how much a clause looks like a description of the prospect's need.
func (e *Extractor) needScore(m *mail, p *prose, c clause) int {
	d := proseWords()
	if c.to-c.from < 4 {
		return 0
	}
	s := newSentence(c.s.words[c.from:c.to], c.s.region, 0)
	text := m.doc.text[s.start:s.end]
	score := 2
	if d.of("need").in(&s) {
		score += 2
	}
	switch own := d.of("ours").in(&s); {
	case s.region == forwarded && own:
		score++ // the prospect speaks
	case s.region == fresh && p.passedOn:
		score -= 2 // what the partner says about it
	}
	for from, n := 0, 0; n < 2; n++ {
		at, w, ok := d.of("pain").find(&s, from)
		if !ok {
			break
		}
		score++
		from = at + w
	}
	if d.of("third").at(&s, 0) > 0 || p.company.s == c.s && p.company.from < 3 || c.from > 0 {
		score++
	}
	if d.of("not_need").in(&s) {
		score -= 3
	}
	if d.of("intent").in(&s) || d.of("register").in(&s) && s.region == fresh {
		score -= 2
	}
	if d.of("thanks").in(&s) && len(s.words) < 12 || d.of("apology").in(&s) {
		score -= 3
	}
	if d.of("greeting").at(&s, 0) > 0 {
		score -= 2
	}
	for _, of := range d.kinds["consent"] {
		if of.in(&s) {
			score -= 4
		}
	}
	if d.of("of_consent").in(&s) || agrees(&s) {
		score -= 3
	}
	for _, of := range d.kinds["stage"] {
		if of.in(&s) {
			score -= 3
			break
		}
	}
	if meets(&s) {
		score -= 2
	}
	for _, w := range s.words {
		if w.address != "" || w.link != "" {
			score -= 2
		}
	}
	if p.contact.s == c.s && c.from == 0 {
		score--
	}
	if strings.HasSuffix(strings.TrimSpace(text), "?") {
		score -= 2
	}
	if d.of("self").at(&s, 0) > 0 && s.region == fresh {
		score -= 2
	}
	if amountIn(&s) || e.amounts(text) {
		score -= 3
	}
	if phoneLike.MatchString(text) {
		score -= 2
	}
	if d.of("uses").in(&s) && !d.of("need").in(&s) {
		score--
	}
	if len(s.words) < 6 {
		score--
	}
	if len(s.words) > 8 {
		score++
	}
	return score
}

// amounts reports whether an amount of money stands in a text.
func (e *Extractor) amounts(text string) bool {
	for _, v := range amountLike.FindAllString(text, 20) {
		if e.dict.money(strings.TrimSpace(v)) != "" {
			return true
		}
	}
	return false
}

// amountIn reports whether a sentence has a word that announces an amount.
func amountIn(s *sentence) bool { return proseWords().of("money").in(s) }
