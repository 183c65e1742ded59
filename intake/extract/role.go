package extract

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// isRole reports whether a folded word names what somebody is, or is part of that: a word of
// the dictionary, or one that is made of such a word, as "subdirector", "Lagerleiterin" and
// "laatupäällikkö" are.
func isRole(key string) bool {
	d := proseWords()
	if d.role[key] {
		return true
	}
	if i := strings.LastIndexByte(key, ' '); i >= 0 {
		key = key[i+1:] // the last word of several in one
	}
	if d.role[key] {
		return true
	}
	if len(key) > maxRoleWord {
		return false
	}
	for i := range key {
		if i > 1 && d.roleEnd[key[i:]] || i > 0 && d.roleStart[key[:i]] && d.role[key[i:]] {
			return true
		}
	}
	return false
}

// maxRoleWord bounds a word that is compared with ends of roles, in bytes.
const maxRoleWord = 60

// shortForm reports whether a word is written in capitals only, as the names of departments
// are: "HSE manager", "H&S manager".
func shortForm(w *word) bool {
	n := utf8.RuneCountInString(w.text)
	return n >= 2 && n <= 5 && w.address == "" && w.link == "" && w.key != "" && upper(w.text) && digits(w.text) == 0 && !proseWords().legal[w.key]
}

// upper reports whether s has capitals and no small letters.
func upper(s string) bool {
	some := false
	for _, r := range s {
		if unicode.IsLower(r) {
			return false
		}
		some = some || unicode.IsUpper(r)
	}
	return some
}

// roleNear finds what a person is by the words around the name: "Jane Doe, CTO of Acme",
// "their CTO Jane Doe", "Jane Doe is the CTO", "Jane Doe (CTO)".
func (p *prose) roleNear(r run) (run, bool) {
	before, inFront := roleBefore(r.s, r.from, p)
	inFront = inFront && !before.has("relation")
	titled := inFront && before.to-before.from == 1 && proseWords().of("profession").at(r.s, before.from) > 0
	if inFront && !titled && r.s.words[before.to-1].soft {
		return before, true
	}
	if role, ok := p.roleBehind(r); ok && !role.has("relation") {
		return role, true
	}
	if !inFront {
		return p.roleOverCompany(r.s, r.from)
	}
	return before, inFront
}

// has reports whether one of the words of a run is of a kind. Who is a friend of
// somebody has no role by that.
func (r run) has(kind string) bool {
	for i := r.from; i < r.to; i++ {
		if proseWords().of(kind).at(r.s, i) > 0 {
			return true
		}
	}
	return false
}

// roleBehind finds a role behind a name.
func (p *prose) roleBehind(r run) (run, bool) {
	s, w := r.s, r.s.words
	at := r.to
	for at < len(w) && w[at-1].soft && proseWords().of("there").at(s, at) > 0 {
		at += proseWords().of("there").at(s, at) // "Jane Doe here, quarry manager at Acme"
	}
	if at < len(w) && w[at-1].soft && (isRole(w[at].key) || tradeWord(&w[at])) {
		if role, ok := p.roleAt(s, at); ok && (!w[role.to-1].soft || at > r.to || endsRole(s, role.to)) { // "Raj Anand IT mgr, …"
			return role, true
		}
	}
	i := at
	for i < len(w) && (w[i].address != "" || isPhoneWord(&w[i])) {
		i++ // an address in brackets may stand between
	}
	if i >= len(w) || closesWith(&w[i-1]) && w[i].capital {
		return run{}, false // what follows is another sentence
	}
	last := &w[i-1]
	if strings.ContainsAny(last.shut, ",(–—;)") || strings.ContainsAny(w[i].open, "(,") || i > r.to || strings.Contains(last.shut, "-") {
		if role, ok := p.roleAt(s, i); ok {
			return role, true
		}
		if role, ok := apposition(s, i, strings.Contains(w[i].open, "(")); ok && i == r.to {
			return role, true
		}
	}
	for j := r.to; j < len(w) && j < r.to+8; j++ { // "who runs claims there as Claims Director"
		if proseWords().of("as").at(s, j) > 0 && w[j].soft {
			if role, ok := p.roleAt(s, j+1); ok {
				return role, true
			}
		}
	}
	if n := proseWords().of("is").at(s, r.to); n > 0 {
		n += proseWords().of("there").at(s, r.to+n) // "Jan is daar bedrijfsleider"
		if role, ok := p.roleAt(s, r.to+n); ok {
			return role, true
		}
	}
	return p.department(r)
}

// closesWith reports whether a word is an address with the full stop of its sentence.
func closesWith(w *word) bool { return w.address != "" && strings.HasSuffix(w.text, ".") }

// ofGerman are words behind which a German noun follows, with its capital.
var ofGerman = set("aus vom im")

// endsRole reports whether a role surely ends before word i, without a mark.
func endsRole(s *sentence, i int) bool {
	return i < len(s.words) && (s.words[i].address != "" || isPhoneWord(&s.words[i]) || proseWords().of("himself").at(s, i) > 0)
}

// department reads where somebody works, of whom no more is said: "Jane Doe from purchasing",
// "Herr Ohlsen aus der Werkstattleitung".
func (p *prose) department(r run) (run, bool) {
	s, w := r.s, r.s.words
	n := proseWords().of("from").at(s, r.to)
	if n == 0 || !w[r.to-1].soft {
		return run{}, false
	}
	from, german := r.to+n, p.german || ofGerman[w[r.to].key]
	for from < len(w) && proseWords().of("article").at(s, from) > 0 {
		from++
	}
	end := from
	for end < len(w) && end-from < 3 && (tradeWord(&w[end]) || isRole(w[end].key)) && (german || !w[end].capital || shortForm(&w[end])) {
		if end++; !w[end-1].soft || end < len(w) && proseWords().of("where").at(s, end) > 0 && !w[end].capital {
			return run{s, from, end}, true
		}
	}
	return run{}, false
}

// maxLoose is how many words that no dictionary has may stand at the end of a role.
const maxLoose = 4

// roleToMark goes on with a role through words that nobody knows, word j the first of them, up
// to a mark or to where a company follows: "capo ufficio utenze, …", "responsabile post-vendita
// della Acme". Only in languages in which the head comes first is that the whole of a role.
func (p *prose) roleToMark(s *sentence, from, j int) (run, bool) {
	w := s.words
	if p.english || p.german || j <= from || !w[j-1].soft {
		return run{}, false
	}
	d := proseWords()
	for k := j; k < len(w) && k < j+maxLoose; k++ {
		at := &w[k]
		opens := k+1 < len(w) && at.soft && w[k+1].capital && !tradeWord(&w[k+1])
		switch small := d.rolelink[at.key]; {
		case at.address != "", at.link != "", at.key == "", digits(at.text) > 0, at.capital:
			return run{}, false
		case k > j && opens && (small || d.of("where").at(s, k) > 0):
			return trimRole(run{s, from, k})
		case small && at.soft && !opens && !isAnd(at.key):
			continue
		case small, d.stop[at.key], verbLike(at.key), d.of("need").at(s, k) > 0, d.of("says").at(s, k) > 0, d.of("himself").at(s, k) > 0:
			return run{}, false
		case !at.soft:
			return run{s, from, k + 1}, true
		}
	}
	return run{}, false
}

// ownedFrom goes back over words from word i to the article before them: those between it and a
// role are part of the role, "their Guest Services Manager", "the accounts payable clerk".
func (p *prose) ownedFrom(s *sentence, i int) int {
	w := s.words
	from := i + 1
	for from > 0 && i+1-from < 4 && w[from-1].soft && w[from-1].link == "" && (opensName(s, from-1) || p.english && p.roleMate(&w[from-1])) {
		from--
	}
	if from > 0 && from <= i && w[from-1].soft && proseWords().of("article").at(s, from-1) == 1 && !w[from-1].capital {
		return from
	}
	return i + 1
}

// roleMate reports whether a small word may stand between an article and a role.
func (p *prose) roleMate(w *word) bool {
	return !w.capital && w.address == "" && w.key != "" && digits(w.text) == 0 && !proseWords().stop[w.key] && !loose[w.key] && !verbLike(w.key)
}

// maxOver is how many words a company's name may have between a role and a person's name.
const maxOver = 8

// roleOverCompany reads a role with the company between it and the name at word i: "the CTO of
// Acme Ltd, Jane Doe", "het hoofd ICT van Acme heet Jan".
func (p *prose) roleOverCompany(s *sentence, i int) (run, bool) {
	w, d := s.words, proseWords()
	for i > 0 && (d.title[w[i-1].key] || d.degree[w[i-1].key]) && !isRole(w[i-1].key) {
		i--
	}
	end := overVerb(s, i)
	if end == 0 || end == i && !strings.HasPrefix(w[i-1].shut, ",") || !w[end-1].capital && !d.legal[w[end-1].key] {
		return run{}, false
	}
	for k := end - 2; k > 0 && k > end-2-maxOver && w[k].soft; k-- {
		if verbLike(w[k].key) && d.of("article").at(s, k) == 0 || d.of("says").at(s, k) > 0 {
			break
		}
		if w[k].capital || !w[k-1].soft || d.of("at").at(s, k) == 0 && d.of("where").at(s, k) == 0 {
			continue
		}
		if role, ok := roleBefore(s, k, p); ok && role.to == k {
			return role, true
		}
	}
	return run{}, false
}

// overVerb goes back over "is" and "is called" before word i.
func overVerb(s *sentence, i int) int {
	for back := 1; back <= 3 && back < i; back++ {
		if proseWords().of("is").at(s, i-back) == back || proseWords().of("named").at(s, i-back) == back {
			return i - back
		}
	}
	return i
}

// statedRole reads "her job title is Practice Director", which no name need stand near.
func (p *prose) statedRole(m *mail, out candidates) bool {
	d := proseWords()
	for i := range p.sents {
		s := &p.sents[i]
		for j := 1; j < len(s.words); j++ {
			n := d.of("titleis").at(s, j)
			if n == 0 || !s.words[j-1].soft || d.of("his").at(s, j-1) == 0 && !(j > 1 && d.of("his").at(s, j-2) > 0) {
				continue
			}
			if role, ok := p.wholePhrase(s, j+n); ok {
				p.addRole(m, role, scoreClear, out)
				return true
			}
		}
	}
	return false
}

// wholePhrase returns the words from i up to a mark if they can all be a role's and one is one.
func (p *prose) wholePhrase(s *sentence, i int) (run, bool) {
	d := proseWords()
	for i < len(s.words) && d.of("article").at(s, i) > 0 {
		i++
	}
	head := false
	for k := i; k < len(s.words) && k < i+7; k++ {
		w := &s.words[k]
		if head = head || isRole(w.key); w.address != "" || w.link != "" || w.key == "" || digits(w.text) > 0 || verbLike(w.key) || d.stop[w.key] && !d.rolelink[w.key] && !tradeWord(w) && !w.capital {
			return run{}, false
		}
		if !w.soft {
			return run{s, i, k + 1}, head && !d.stop[w.key]
		}
	}
	return run{}, false
}

// nominative brings a role that a sentence has in another case into the first: "dyrektorem
// logistyki", "laatupäällikkönsä".
func nominative(role string) string {
	ends := proseWords().kinds["nominative"]
	words := strings.Fields(role)
	for i, w := range words {
		for n := range w {
			if base := caseEnding(ends, w[n:]); base != "" {
				words[i] = w[:n] + base
				break
			}
		}
	}
	return strings.Join(words, " ")
}

// caseEnding returns the first case of an end of a word, "" if it is none of those known. What
// was written with a capital keeps it.
func caseEnding(ends []*phrases, end string) string {
	key := fold(end)
	for _, p := range ends {
		if len(p.byFirst[key]) == 0 {
			continue
		}
		r, n := utf8.DecodeRuneInString(p.value)
		if first, _ := utf8.DecodeRuneInString(end); unicode.IsUpper(first) {
			r = unicode.ToUpper(r)
		}
		return string(r) + p.value[n:]
	}
	return ""
}
