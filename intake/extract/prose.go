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
	// nameEnd is where the contact's name ends that a label gave, 0 if none did.
	nameEnd int
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
	p.phrases(m, lines, out)
	e.findRivals(m, p, out)
	e.findProducts(m, p, out)
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
	body = strings.ToLower(body)
	return strings.HasPrefix(body, "please leave the case number in the subject") || strings.HasPrefix(body, "bitte lassen sie die vorgangsnummer im betreff")
}

// ourLabels are labels of our mails that no partner fills in, in the languages in which we write.
var ourLabels = map[string]bool{
	"case number": true, "current state": true, "your contact": true, "your answer is due by": true,
	"vorgangsnummer": true, "so steht es": true, "bei fragen hilft ihnen": true, "ihre antwort erwarten wir bis": true,
}

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
			case "the", "are", "they", "and", "with", "their", "please", "you", "this", "would", "has", "from", "who", "our", "she", "his", "wants", "needs", "it", "new", "lead", "hello", "hi", "team":
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

var amountLike = regexp.MustCompile(`(?i)(?:(?:€|\$|£|¥|₹|us\$|a\$|r\$|\bs/\.?|euros?|[a-z]{3})\s?)?[0-9][0-9.,'’ ]*[0-9]?\s?(?:k|tsd\.?|tausend|mille|thousand|mila|mil|duizend|tusen|tusind|tuhatta|tis\.|tisíc|m|mio\.?|mn|million(?:en|s|es|i)?|milion[ei]|millones|milhões|miljoner|mln|bn|mrd\.?|tys\.?|tkr|mkr)?\b\.?\s?(?:\$\s?(?:can?|us)\b|€|\$|£|¥|₹|zł|kr\.?|(?:d['’]|de\s)?[a-z]{2,8}\b\.?)?(?:\s?\([a-z]{3}\))?`)

// ranged is what stands before the upper end of a range: "between 60 and".
var ranged = regexp.MustCompile(`(?i)[0-9][0-9.,]*\s?(?:k|€|\$|£|eur|tsd\.?|tausend|thousand)?\s?(?:and|to|or|bis|und|oder|et|à|ou|a|y|o|e|en|tot|och|och|till|og|til|do|i|ja|až|ve|-|–)\s?[€$£]?$`)

// maxSentence bounds the bytes in which numbers are looked for: no sentence is as long.
const maxSentence = 4 << 10

// withNumbers returns the part of a sentence in which numbers may stand, "" if none do.
// Looking for one costs more than all else that is done with a sentence.
func withNumbers(text string) string {
	if text = clip(text, maxSentence); strings.ContainsAny(text, "0123456789") {
		return text
	}
	return ""
}

// findMoney finds the one amount that the deal may be worth.
func (e *Extractor) findMoney(m *mail, p *prose, out candidates) {
	for i := range p.sents {
		s := &p.sents[i]
		if proseWords().of("turnover").in(s) {
			continue
		}
		text := m.doc.text[s.start:s.end]
		for _, v := range amountLike.FindAllStringIndex(withNumbers(text), 20) {
			money := e.dict.money(strings.TrimSpace(text[v[0]:v[1]]))
			if money != "" && !ranged.MatchString(strings.TrimRight(text[max(0, v[0]-40):v[0]], " ")) {
				at, words := m.doc.words(s.start, s.end)
				out.add(intake.FieldTargetRevenue, candidate{value: money, words: words, at: at, score: (scoreLikely + .02) * factors[s.region], method: byProse})
			}
		}
	}
}
