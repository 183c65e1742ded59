package extract

import (
	"slices"
	"strings"

	"leadgate/intake"
)

// clause is a part of a sentence that may describe the prospect's need: words [from, to).
type clause struct {
	s        *sentence
	from, to int
	score    int
	cut      bool // words in front were taken off
}

// findProblem chooses what says what the prospect wants or suffers from: the likeliest
// clause and those that go on with it.
func (e *Extractor) findProblem(m *mail, p *prose, out candidates) {
	var all []clause
	for i := range p.sents {
		for _, c := range e.needParts(p, &p.sents[i]) {
			c = e.needClause(m, p, c)
			c.score = e.needScore(m, p, c)
			all = append(all, c)
		}
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
	if last.to < len(last.s.words) {
		end = last.s.words[last.to-1].end
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

// needParts cuts a sentence into what may describe a need by itself: where a hurried writer
// ends a sentence without a capital behind it, and at the commas of a run-on one that tells
// who the contact is as well.
func (e *Extractor) needParts(p *prose, s *sentence) []clause {
	if whole := (clause{s: s, to: len(s.words)}); !e.tells(p, whole) {
		return []clause{whole}
	}
	var out []clause
	for _, part := range parts(s) {
		from := 0
		for from < len(s.words) && s.words[from].start < part.start {
			from++
		}
		c := clause{s: s, from: from, to: from + len(part.words)}
		if len(part.words) > 14 && e.tells(p, c) {
			out = append(out, e.segments(p, c)...)
		} else {
			out = append(out, c)
		}
	}
	return out
}

// segments returns the pieces of a run-on sentence between its commas that do not tell who
// or how; pieces side by side stay together.
func (e *Extractor) segments(p *prose, c clause) []clause {
	var out []clause
	from, open := c.from, false
	for i := c.from; i < c.to; i++ {
		if w := &c.s.words[i]; i+1 < c.to && (!strings.Contains(w.shut, ",") || c.s.words[i+1].start == w.end+1) {
			continue // no comma, or that of "9,000"
		}
		seg := clause{s: c.s, from: from, to: i + 1}
		from = i + 1
		if e.tells(p, seg) {
			out, open = append(out, seg), false
			continue
		}
		if open {
			out[len(out)-1].to = seg.to
			continue
		}
		seg.cut = len(out) > 0
		out, open = append(out, seg), true
	}
	return out
}

// tells reports whether words say who somebody is or what was agreed, beside which there may
// be a need.
func (e *Extractor) tells(p *prose, c clause) bool {
	for i := c.from; i < c.to; i++ {
		if w := &c.s.words[i]; w.address != "" || w.link != "" || p.contact.s == c.s && i >= p.contact.from && i < p.contact.to {
			return true
		}
	}
	s := newSentence(c.s.words[c.from:c.to], c.s.region, 0)
	return agrees(&s) || proseWords().kind("consent", "yes").in(&s)
}

// needClause takes off a sentence what only says who it is about: the contact with address
// and role in front, or words before a colon.
func (e *Extractor) needClause(m *mail, p *prose, c clause) clause {
	for c.to-c.from > 5 && isPhoneWord(&c.s.words[c.from]) {
		c.from++
	}
	s, start, n := c.s, c.from, c.to-c.from
	if proseWords().of("greeting").at(s, start) > 0 {
		for i := start; i < start+5 && i+4 < c.to; i++ {
			if strings.ContainsAny(s.words[i].shut, ",!") {
				c.from = i + 1
				break
			}
		}
	}
	for i := start; i < c.to; i++ {
		w := &s.words[i]
		identity := w.address != "" || w.link != "" ||
			p.contact.s == s && i >= p.contact.from && i < p.contact.to || p.role.s == s && i >= p.role.from && i < p.role.to
		if identity && i-start < n*3/4 {
			c.from = i + 1
		}
		if strings.Contains(w.shut, ":") && i-start < 9 && i+5 < c.to && c.from <= i {
			c.from = i + 1
		}
	}
	for (c.from > start || c.cut) && c.from < c.to && (relative[s.words[c.from].key] || isPhoneWord(&s.words[c.from]) || isAnd(s.words[c.from].key)) {
		c.from++
	}
	if p.company.s == s && p.company.from <= c.from+2 && p.company.to > c.from && p.company.to < start+n*2/3 && c.from > start {
		c.from = p.company.to
	}
	if rest := min(afterPlace(s, c.from), c.to); c.from > start && rest > c.from {
		if c.from = rest; c.to-c.from < 5 {
			return clause{s: s} // "of Acme in Lyon": it only says who it is about
		}
	}
	if c.to-c.from < 5 && n > 4 {
		c.from = start
	}
	c.cut = c.cut || c.from > start
	if c.to-c.from > 14 {
		for i := c.from; i+6 < c.to; i++ { // "she told us that they lose orders"
			if n := proseWords().of("says").at(s, i); n > 0 && i+n+5 < c.to {
				c.from, c.cut = i+n, true
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
	if c.to == 0 {
		return ""
	}
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
	if last := s.words[c.to-1]; c.to == len(s.words) && s.end > last.end {
		b.WriteString(d.text[last.end:s.end])
	} else if strings.HasPrefix(last.shut, ".") {
		b.WriteByte('.')
	}
	return strings.TrimSpace(b.String())
}

// relative are words that join a clause to the name before it.
var relative = set("who which that and qui che")

// needScore says how much a clause looks like a description of the prospect's need.
func (e *Extractor) needScore(m *mail, p *prose, c clause) int {
	d := proseWords()
	if plainWords(c) < 4 {
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
	pains := 0
	for from := 0; pains < 2; pains++ {
		at, w, ok := d.of("pain").find(&s, from)
		if !ok {
			break
		}
		from = at + w
	}
	score += pains
	switch {
	case d.of("need").in(&s):
	case pains > 0:
		score -= p.introduces(c, &s)
	default:
		score -= 2 * p.introduces(c, &s)
	}
	if !d.of("need").in(&s) && pains == 0 && d.of("describes").in(&s) {
		score -= 2
	}
	if d.of("third").at(&s, 0) > 0 || p.company.s == c.s && p.company.from < 3 || c.cut {
		score++
	}
	score -= e.otherThanNeed(p, c, &s, text)
	if len(s.words) < 6 {
		score--
	}
	if len(s.words) > 8 {
		score++
	}
	return score
}

// plainWords counts the words of a clause that are no addresses, links and numbers.
func plainWords(c clause) int {
	n := 0
	for i := c.from; i < c.to; i++ {
		if w := &c.s.words[i]; w.address == "" && w.link == "" && digits(w.text) == 0 {
			n++
		}
	}
	return n
}

// otherThanNeed returns by how much a clause is less likely a need because it says something
// else: what is registered, who agreed to what, how far it is, whom to write to, an amount.
func (e *Extractor) otherThanNeed(p *prose, c clause, s *sentence, text string) int {
	d, n := proseWords(), 0
	if d.of("not_need").in(s) {
		n += 3
	}
	if d.of("intent").in(s) || d.of("register").in(s) && s.region == fresh {
		n += 2
	}
	if d.of("thanks").in(s) && len(s.words) < 12 || d.of("apology").in(s) {
		n += 3
	}
	if d.of("greeting").at(s, 0) > 0 || d.of("self").at(s, 0) > 0 && s.region == fresh {
		n += 2
	}
	for _, of := range d.kinds["consent"] {
		if of.in(s) {
			n += 4
		}
	}
	switch {
	case agrees(s) || d.of("of_consent").in(s) && d.of("reach").in(s):
		n += 5
	case d.of("of_consent").in(s):
		n += 3
	}
	for _, of := range d.kinds["stage"] {
		if of.in(s) {
			n += 4
			break
		}
	}
	if meets(s) {
		n += 2
	}
	for _, w := range s.words {
		if w.address != "" || w.link != "" {
			n += 2
		}
	}
	if p.contact.s == c.s && !c.cut && p.contact.from >= c.from && p.contact.from < c.to {
		n++
	}
	if strings.HasSuffix(strings.TrimSpace(text), "?") {
		n += 2
	}
	if amountIn(s) || e.amounts(text) {
		n += 3
	}
	if phoneLike.MatchString(withNumbers(text)) {
		n += 2
	}
	if d.of("uses").in(s) && !d.of("need").in(s) {
		n++
	}
	return n
}

// introduces returns how much less likely a clause without a word of need is one because it
// only says who somebody is, or speaks to the reader.
func (p *prose) introduces(c clause, s *sentence) int {
	n := 0
	if p.company.s == c.s && p.company.from < c.to && p.company.to > c.from {
		n++
	}
	for _, r := range p.people {
		if r.s == c.s && r.from < c.to && r.to > c.from {
			n++
			break
		}
	}
	if s.region == fresh && proseWords().of("addressee").in(s) {
		n++
	}
	return n
}

// amounts reports whether an amount of money stands in a text.
func (e *Extractor) amounts(text string) bool {
	for _, v := range amountLike.FindAllString(withNumbers(text), 20) {
		if e.dict.money(strings.TrimSpace(v)) != "" {
			return true
		}
	}
	return false
}

// amountIn reports whether a sentence has a word that announces an amount.
func amountIn(s *sentence) bool { return proseWords().of("money").in(s) }
