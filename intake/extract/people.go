package extract

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"leadgate/intake"
)

// nameWord reports whether a word may be part of a person's name.
func nameWord(w *word) bool {
	if w.address != "" || w.link != "" || !w.capital || w.key == "" {
		return false
	}
	d := proseWords()
	if len(w.text) > 60 || d.stop[w.key] && d.of("given").byFirst[w.key] == nil || d.legal[w.key] || isRole(w.key) || d.title[w.key] {
		return false
	}
	lower := false
	for _, r := range w.text {
		if unicode.IsDigit(r) {
			return false
		}
		lower = lower || unicode.IsLower(r)
	}
	return lower || utf8.RuneCountInString(w.text) <= 1 || len(w.text) > 3
}

// localLike reports whether the part of an address before the "@" is made of a name: in what
// way names are put into addresses. full says that more than one of its words is in it.
func localLike(addr string, words []string) (ok, full bool) {
	local := strings.ToLower(addr[:max(0, strings.LastIndexByte(addr, '@'))])
	local, _, _ = strings.Cut(local, "+")
	local = strings.TrimRight(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, fold(local)), "0123456789")
	if len(local) < 2 || len(words) == 0 {
		return false, false
	}
	first, last := words[0], words[len(words)-1]
	all := strings.Join(words, "")
	if len(words) == 1 {
		return local == first && len(first) > 2, false
	}
	initial := func(s string) string { _, n := utf8.DecodeRuneInString(s); return s[:n] }
	initials := ""
	for _, w := range words {
		initials += initial(w)
	}
	switch local {
	case all, first + last, last + first, initial(first) + last, first + initial(last), last + initial(first), initials[:len(initials)-len(initial(last))] + last:
		return true, true
	case first, last, initials:
		return true, local == initials && len(words) > 2 || len(local) > 2
	}
	if len(words) > 2 {
		middle := words[1]
		switch local {
		case middle + last, first + middle, middle, initial(first) + middle + last, initial(first) + middle, first + middle + last, last + middle + first:
			return true, true
		}
	}
	// "k.lindstrm", "seb.mller": letters left out; "jdoering" for "Jane Döring"
	return false, false
}

// addressed finds the person to whom an address belongs, by the address itself.
func (p *prose) addressed(addr string) (run, float64) {
	best, top := run{}, 0.0
	parts := addressParts(addr)
	for i := range p.sents {
		s := &p.sents[i]
		for a := range s.words {
			if !nameWord(&s.words[a]) && !(len(parts) > 1 && s.words[a].capital && parts[s.words[a].key]) {
				continue
			}
			for n := 4; n >= 1; n-- {
				r := run{s, a, a + n}
				if !p.nameRun(r) && !wordForWord(r, parts) || n > 1 && s.words[a+n-1].soft && a+n < len(s.words) && nameWord(&s.words[a+n]) {
					continue
				}
				ok, full := likeAddress(addr, r)
				score := 0.0
				switch {
				case ok && n > 1 && full:
					score = .9 - float64(n)/100
				case ok && n > 1:
					score = .8
				case ok:
					score = .76
				}
				if score > top {
					best, top = r, score
				}
			}
		}
	}
	return best, top
}

// addressParts returns the words that marks part in an address before the "@".
func addressParts(addr string) map[string]bool {
	local, _, _ := strings.Cut(addr, "@")
	out := make(map[string]bool)
	for part := range strings.FieldsFuncSeq(strings.ToLower(local), func(r rune) bool { return !unicode.IsLetter(r) }) {
		out[part] = true
	}
	return out
}

// wordForWord reports whether a run is the words of an address one by one: then they are a name
// though they may be other words as well, "Jan", "Ola", "Dean".
func wordForWord(r run, parts map[string]bool) bool {
	if r.to > len(r.s.words) || r.to-r.from < 2 || r.to-r.from != len(parts) {
		return false
	}
	for i := r.from; i < r.to; i++ {
		if w := &r.s.words[i]; !w.capital || !parts[w.key] || i < r.to-1 && !w.soft {
			return false
		}
	}
	return true
}

// likeAddress compares a run with an address, in both ways of writing umlauts.
func likeAddress(addr string, r run) (ok, full bool) {
	var plain, written []string
	for _, w := range r.s.words[r.from:r.to] {
		plain = append(plain, strings.ReplaceAll(w.key, " ", ""))
		written = append(written, strings.ReplaceAll(fold(digraphs.Replace(w.text)), " ", ""))
	}
	if ok, full = localLike(addr, plain); !ok {
		ok, full = localLike(addr, written)
	}
	return ok, full
}

// nameRun reports whether the words of r can be a person's name: they stand together, begin
// and end with name words, and have only particles besides.
func (p *prose) nameRun(r run) bool {
	w := r.s.words
	if r.to > len(w) || !nameWord(&w[r.from]) || !nameWord(&w[r.to-1]) {
		return false
	}
	for i := r.from; i < r.to; i++ {
		if i > r.from && !w[i-1].soft && !(w[i-1].shut == "." && utf8.RuneCountInString(w[i-1].key) == 1) {
			return false
		}
		if !nameWord(&w[i]) && !proseWords().particle[w[i].key] {
			return false
		}
	}
	return true
}

// nameAt returns the name that begins at word i: two to four words.
func (p *prose) nameAt(s *sentence, i int) (run, bool) {
	for i < len(s.words) && proseWords().title[s.words[i].key] {
		i++
	}
	best := run{}
	for n := 2; n <= 4; n++ {
		if r := (run{s, i, i + n}); i+n <= len(s.words) && p.nameRun(r) {
			best = r
		}
	}
	return best, best.to > 0
}

// nameBefore returns the name that ends right before word i.
func (p *prose) nameBefore(s *sentence, i int) (run, bool) {
	best := run{}
	for n := 2; n <= 4; n++ {
		if r := (run{s, i - n, i}); i-n >= 0 && p.nameRun(r) {
			best = r
		}
	}
	return best, best.to > 0
}

// isPerson reports whether a name is that of somebody found in the text.
func (p *prose) isPerson(v string) bool {
	k := fold(v)
	for _, r := range p.people {
		if name := strings.Join(r.keys(), " "); name == k || strings.Contains(" "+name+" ", " "+k+" ") {
			return true
		}
	}
	return false
}

func (p *prose) isPersonRun(r run) bool {
	for _, q := range p.people {
		if q.s == r.s && r.from >= q.from && r.to <= q.to {
			return true
		}
	}
	return false
}

// apposition reads what stands in brackets behind a name, or between it and what can only
// follow a role: an address, or the company behind a word like "at".
func apposition(s *sentence, i int, brackets bool) (run, bool) {
	w := s.words
	for i < len(w) && proseWords().of("article").at(s, i) > 0 && w[i].soft {
		i++
	}
	end := i
	for end < len(w) && end-i < 6 && w[end].address == "" && w[end].link == "" && w[end].key != "" && digits(w[end].text) == 0 {
		if end > i && proseWords().of("at").at(s, end) > 0 && !w[end].capital && end+1 < len(w) && opensName(s, end+1) {
			break
		}
		if verbLike(w[end].key) || proseWords().of("is").at(s, end) > 0 && !w[end].capital {
			return run{}, false
		}
		end++
		if !w[end-1].soft {
			break
		}
	}
	if end == i || end-i > 5 || proseWords().legal[w[end-1].key] {
		return run{}, false
	}
	if brackets {
		return run{s, i, end}, strings.Contains(w[end-1].shut, ")")
	}
	if end < len(w) && strings.HasPrefix(w[end-1].shut, ",") && w[end].address != "" && !w[i].capital {
		return run{s, i, end}, true
	}
	return run{}, false
}

func isPhoneWord(w *word) bool {
	return w.key == "tel" || w.key == "phone" || digits(w.text) >= 2 && digits(w.text)*2 >= len(w.text)
}

func digits(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// roleAt reads a role that begins at word i, behind an article: words up to a mark or to
// what says where.
func (p *prose) roleAt(s *sentence, i int) (run, bool) {
	w := s.words
	for i < len(w) && proseWords().of("article").at(s, i) > 0 && !isRole(w[i].key) {
		i += proseWords().of("article").at(s, i)
	}
	end, head, strange := i, false, 0
	for j := i; j < len(w) && j < i+9; j++ {
		k := &w[j]
		if head && k.text == "&" && k.soft && j+1 < len(w) && w[j+1].capital {
			end = j + 1
			continue // "Director of IT & Facilities"
		}
		if k.address != "" || k.link != "" || k.key == "" || digits(k.text) > 0 {
			break
		}
		role, trade := isRole(k.key), tradeWord(k)
		switch {
		case proseWords().legal[k.key] && k.capital && j > i && !trade:
			return run{s, i, end}, head && end > i
		case role, trade:
		case !head && (verbLike(k.key) || proseWords().of("is").at(s, j) > 0 || proseWords().stop[k.key] && !k.capital && !proseWords().rolelink[k.key]):
			return run{}, false
		case !head && !proseWords().rolelink[k.key]:
			if strange++; strange > 2 {
				return run{}, false
			}
		case head && p.stopsRole(s, j):
			if whole, ok := p.roleToMark(s, i, j); ok {
				return whole, true
			}
			whole, ok := trimRole(run{s, i, end})
			return whole, ok && !(whole.to-whole.from == 1 && lonely[w[whole.from].key] && w[whole.from].key != "partner")
		}
		head = head || role
		end = j + 1
		if !k.soft {
			break
		}
	}
	if !head || end-i == 1 && lonely[w[i].key] {
		return run{}, false
	}
	return trimRole(run{s, i, end})
}

// trimRole takes small words off the end of a role.
func trimRole(r run) (run, bool) {
	w := r.s.words
	for r.to > r.from && !isRole(w[r.to-1].key) && !w[r.to-1].capital && !tradeWord(&w[r.to-1]) && (proseWords().rolelink[w[r.to-1].key] || proseWords().stop[w[r.to-1].key]) {
		r.to--
	}
	return r, r.to > r.from
}

// verbLike are small words that no role has.
func verbLike(key string) bool {
	return slices.Contains([]string{"who", "which", "that", "told", "said", "says", "asked", "der", "die", "das", "qui", "que", "che", "die", "som", "który", "która", "has", "hat", "ha", "heeft"}, key)
}

// stopsRole reports whether the role ends before word j: a company follows, or a word that
// begins something else.
func (p *prose) stopsRole(s *sentence, j int) bool {
	w := &s.words[j]
	small := proseWords().rolelink[w.key]
	if proseWords().of("himself").at(s, j) > 0 || small && (p.companyAt(s, j+1) || proseWords().of("body").at(s, j+1) > 0) {
		return true
	}
	if j+1 < len(s.words) && w.soft && small && !w.capital {
		next := &s.words[j+1]
		switch {
		case tradeWord(next), isRole(next.key):
			return false
		case proseWords().of("article").at(s, j+1) > 0 && j+2 < len(s.words):
			return !tradeWord(&s.words[j+2]) && s.words[j+2].capital
		}
		if p.fieldOf(s, j) {
			return false
		}
		// "Director of Residential", but not of a company
		if next.capital && !next.soft && len(p.domains) > 0 && !p.likeDomain(run{s, j + 1, j + 2}) && w.key != "and" {
			return false
		}
		// "responsable de admisiones", but "CTO de Acme"
		return next.capital || verbLike(w.key) || proseWords().stop[next.key]
	}
	if proseWords().of("where").at(s, j) > 0 || proseWords().stop[w.key] && !w.capital || small {
		return true
	}
	before := &s.words[j-1]
	if isRole(before.key) && !w.soft && !w.capital {
		return false // "adviseur informatievoorziening"
	}
	return !w.capital && !proseWords().rolelink[before.key]
}

// fieldOf reports whether what follows the small word j is what somebody is responsible for and
// not the company: the domain is made of other words, and a mark or "at" follows.
func (p *prose) fieldOf(s *sentence, j int) bool {
	w, d := s.words, proseWords()
	to := j + 1
	for to < len(w) && to < j+6 && (opensName(s, to) || to > j+1 && isAnd(w[to].key) && to+1 < len(w) && opensName(s, to+1)) {
		if to++; !w[to-1].soft {
			break
		}
	}
	if to == j+1 || len(p.domains) == 0 || d.legal[w[to-1].key] || p.companyAt(s, j+1) {
		return false
	}
	ended := to == len(w) || !w[to-1].soft || d.of("at").at(s, to) > 0 || d.of("where").at(s, to) > 0
	for i := j + 1; i < to; i++ {
		if p.inCompany(s, i, i+1) || w[i].shut == "'" {
			return false
		}
	}
	return ended && named(p, run{s, j + 1, to})
}

// named reports whether the company is named elsewhere than by a run: some other words stand for
// a domain.
func named(p *prose, r run) bool {
	tries := 0
	for i := range p.sents {
		for _, other := range runs(&p.sents[i]) {
			if tries++; tries > 60 {
				return false
			}
			if (other.s != r.s || other.to <= r.from || other.from >= r.to) && p.companyIn(other) {
				return true
			}
		}
	}
	return false
}

// companyIn reports whether some words of a run are those of a domain.
func (p *prose) companyIn(r run) bool {
	for i := r.from; i < r.to; i++ {
		if p.companyAt(r.s, i) {
			return true
		}
	}
	return false
}

// companyAt reports whether the words from j on are the company that a domain stands for.
func (p *prose) companyAt(s *sentence, j int) bool {
	for to := j + 1; to <= len(s.words) && to <= j+4 && opensName(s, to-1); to++ {
		if r := (run{s, j, to}); (to > j+1 || !tradeWord(&s.words[j])) && p.likeDomain(r) {
			return true
		}
		if !s.words[to-1].soft {
			break
		}
	}
	return false
}

// likeDomain reports whether one of the domains is made of a run.
func (p *prose) likeDomain(r run) bool {
	for _, key := range p.domains {
		if label, _, _ := strings.Cut(key, "."); likeness(label, r) > 0 {
			return true
		}
	}
	return false
}

// tradeWord reports whether a word names what somebody is responsible for.
func tradeWord(w *word) bool {
	return proseWords().of("trade").byFirst[firstWord(w.key)] != nil || isRole(w.key)
}

func firstWord(s string) string {
	s, _, _ = strings.Cut(s, " ")
	return s
}

// roleBefore reads a role that ends right before word i: "CTO Jane Doe", "their business
// manager, Leonard Finch".
func roleBefore(s *sentence, i int, p *prose) (run, bool) {
	w := s.words
	end, titled := beforeTitles(s, i)
	if end == 0 {
		return run{}, false
	}
	if !roleWord(&w[end-1]) {
		if titled || w[end-1].shut == "," || w[end-1].soft && !p.english && !p.german {
			if role, ok := roleHead(s, end); ok {
				return role, true
			}
		}
		return roleOf(s, end)
	}
	if end-1 > 0 && w[end-1].shut != "" && w[end-1].shut != "," && w[end-1].shut != ":" && w[end-1].shut != "=" {
		return run{}, false
	}
	from := p.roleFrom(s, end)
	head := false
	for j := from; j < end; j++ {
		head = head || isRole(w[j].key)
	}
	if end-from == 1 && lonely[w[from].key] {
		return run{}, false
	}
	return run{s, from, end}, head
}

// roleWord reports whether a word can end a role.
func roleWord(w *word) bool { return isRole(w.key) || tradeWord(w) }

// beforeTitles goes back from the name at word i over titles, "is" and "there" to where a role
// may end.
func beforeTitles(s *sentence, i int) (end int, titled bool) {
	w, d := s.words, proseWords()
	end = i
	for end > 0 && (d.title[w[end-1].key] || d.degree[w[end-1].key]) && !isRole(w[end-1].key) {
		end--
		titled = true
	}
	if titled && end > 1 && d.of("article").at(s, end-1) == 1 && !w[end-2].soft {
		end-- // ", de heer Jansen"
	}
	end = overIs(s, end)
	if end > 1 && (w[end-1].soft || w[end-1].shut == ",") && isRole(w[end-2].key) && w[end-2].soft && d.of("there").at(s, end-1) == 1 {
		end-- // "the supervisor there Jane Doe"
	}
	return end, titled
}

// roleHead reads a role that ends before word end with words that nobody knows, where the head
// comes first: "la coordinadora de gestión documental, señora Ospina".
func roleHead(s *sentence, end int) (run, bool) {
	w, d := s.words, proseWords()
	for from := end - 2; from >= 0 && from >= end-6 && w[from].soft && !w[from].capital && !w[end-1].capital; from-- {
		if isRole(w[from].key) && !lonely[w[from].key] && (from == 0 || d.of("article").at(s, from-1) > 0 || d.of("is").at(s, from-1) > 0 || !w[from-1].soft) {
			return run{s, from, end}, true
		}
		if verbLike(w[from].key) || d.stop[w[from].key] && !d.rolelink[w[from].key] || d.of("need").at(s, from) > 0 || d.of("says").at(s, from) > 0 {
			break
		}
	}
	return run{}, false
}

// roleOf reads a role that ends before word end with the name of what somebody is responsible
// for: "Dyrektor ds. technicznych Jan Nowak", "Director of Widgets Jane Doe".
func roleOf(s *sentence, end int) (run, bool) {
	w, d := s.words, proseWords()
	if end < 3 || !w[end-1].soft || !d.rolelink[w[end-2].key] || !isRole(w[end-3].key) || w[end-1].address != "" || d.stop[w[end-1].key] || isAnd(w[end-2].key) {
		return run{}, false
	}
	return run{s, end - 3, end}, true
}

// roleFrom returns where the role begins that ends before word end.
func (p *prose) roleFrom(s *sentence, end int) int {
	w, d := s.words, proseWords()
	from := end - 1
	for from > 0 && w[from-1].soft && end-from < 6 {
		k := &w[from-1]
		unknown := !d.stop[k.key] && !loose[k.key]
		switch {
		case k.address != "", k.link != "", d.of("article").at(s, from-1) > 0 && !tradeWord(k) && !(k.key == "de" && from > 1 && isRole(w[from-2].key)):
			return from
		case d.rolelink[k.key] && from-2 >= 0 && w[from-2].soft && roleWord(&w[from-2]):
			from -= 2
		case roleWord(k), shortForm(k):
			from--
		case (k.capital || p.english) && !p.german && p.ownedFrom(s, from-1) < from-1 && !p.likeDomain(run{s, p.ownedFrom(s, from-1), from}):
			from = p.ownedFrom(s, from-1)
		case p.english && !k.capital && from-2 >= 0 && unknown && (!w[from-2].soft || d.of("article").at(s, from-2) > 0):
			from-- // "box office manager"
		case !p.german && from-1 == 0 && k.capital && unknown:
			from--
		default:
			return from
		}
	}
	return from
}

// overIs goes back over "is" and "there is" to the role before: "The owner is Jane Doe",
// "Projektleiter im Haus ist Herr Roe", "Le patron s'appelle Jean".
func overIs(s *sentence, end int) int {
	for back := 1; back <= 3 && back < end; back++ {
		if proseWords().of("is").at(s, end-back) != back && proseWords().of("named").at(s, end-back) != back {
			continue
		}
		for between := 0; between <= 2 && end-back-between > 0; between++ {
			i := end - back - between
			if between > 0 && proseWords().of("there").at(s, i) != between {
				continue
			}
			if (isRole(s.words[i-1].key) || tradeWord(&s.words[i-1])) && s.words[i-1].soft {
				return i
			}
			if w := s.words; between == 0 && i > 1 && isRole(w[i-2].key) && w[i-2].soft && w[i-1].soft && !w[i-1].capital && !proseWords().stop[w[i-1].key] {
				return i // "projectleider informatievoorziening is Jane Doe"
			}
		}
	}
	return end
}

// lonely are words that are a role only with another: "Lead: Jane Doe" is none.
var lonely = set("lead partner head chief m p contact principal principale referente referent")

// loose are words before a role that do not belong to it.
var loose = set("new current former local young old good nice very own then whose by met with contact former main key same other called")

// signatory is what is known of the sender, who is never the prospect.
type signatory struct {
	name    string // folded
	company []string
}

// signatory reads the sender's name and company: out of the header and of the signature.
func (e *Extractor) signatory(m *mail) signatory {
	out := signatory{name: fold(m.in.SenderName)}
	if last, first, ok := strings.Cut(m.in.SenderName, ","); ok {
		out.name = fold(first + " " + last)
	}
	if label, _, ok := strings.Cut(m.in.SenderDomain, "."); ok {
		out.company = append(out.company, strings.ReplaceAll(label, "-", ""))
	}
	for i := range m.doc.lines {
		l := &m.doc.lines[i]
		if l.region != signature || len(l.body) > 120 {
			continue
		}
		for _, r := range signatureCompanies(l) {
			out.company = append(out.company, strings.ReplaceAll(bareName(r), " ", ""))
		}
		if len(out.company) > 10 {
			break
		}
	}
	return out
}

// signatureCompanies returns the names with a legal form in a line.
func signatureCompanies(l *line) []string {
	var out []string
	s := newSentenceOf(l)
	if s == nil {
		return nil
	}
	for _, r := range runs(s) {
		if r.to-r.from > 1 && proseWords().legal[s.words[r.to-1].key] {
			var words []string
			for _, w := range s.words[r.from:r.to] {
				words = append(words, w.text)
			}
			out = append(out, strings.Join(words, " "))
		}
	}
	return out
}

func newSentenceOf(l *line) *sentence {
	ws := wordsOf(l.body, l.start)
	if len(ws) == 0 {
		return nil
	}
	s := newSentence(ws, l.region, 0)
	return &s
}

// is reports whether a name is the sender's own or that of the sender's company.
func (s signatory) is(name string) bool {
	bare := bareName(name)
	if bare == "" || bare == s.name {
		return true
	}
	joined := strings.ReplaceAll(bare, " ", "")
	return slices.ContainsFunc(s.company, func(c string) bool {
		return c != "" && (c == joined || len(joined) > 4 && strings.HasPrefix(c, joined) || len(c) > 4 && strings.HasPrefix(joined, c))
	})
}

func (p *prose) addPerson(m *mail, r run, score float64, out candidates) {
	v := uninflected(r.text(m.doc), p.address)
	at, words := m.doc.words(r.s.start, r.s.end)
	out.add(intake.FieldContactName, candidate{value: v, words: words, at: at, score: score * factors[r.s.region], method: byProse})
}

// uninflected takes the case off a name whose parts the address has without: "Sanna Nikulan",
// sanna.nikula@acme.example.
func uninflected(name, addr string) string {
	local, _, _ := strings.Cut(addr, "@")
	parts := strings.FieldsFunc(strings.ToLower(local), func(r rune) bool { return !unicode.IsLetter(r) })
	if len(parts) < 2 {
		return name
	}
	words := strings.Fields(name)
	for i, w := range words {
		key, letters := []rune(fold(w)), []rune(w)
		for _, part := range parts {
			n := utf8.RuneCountInString(part)
			if more := len(key) - n; len(key) == len(letters) && n > 2 && more > 0 && more < 4 && strings.HasPrefix(string(key), part) {
				words[i] = string(letters[:n])
				break
			}
		}
	}
	return strings.Join(words, " ")
}
