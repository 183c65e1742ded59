package extract

import (
	"strings"
	"sync"
	"unicode/utf8"
)

// phrases is a set of folded phrases, looked up in sentences. A phrase may have a gap.
type phrases struct {
	value string
	// byFirst holds the phrases by their first word, as lists of pieces between gaps, each
	// with a blank around it. A last piece without a blank behind it is the beginning of a word.
	byFirst map[string][][]string
	// stems are beginnings of words that are phrases by themselves, by their first letters.
	stems map[string][]string
}

// stemLetters is how many bytes of a stem are looked up at once.
const stemLetters = 3

func newPhrases(value string) *phrases {
	return &phrases{value: value, byFirst: make(map[string][][]string), stems: make(map[string][]string)}
}

func (p *phrases) add(spelling string) {
	var pieces []string
	for piece := range strings.SplitSeq(spelling, "…") {
		if k := fold(withoutElided(piece)); k != "" {
			pieces = append(pieces, " "+k+" ")
		}
	}
	if len(pieces) == 0 {
		return
	}
	if last := len(pieces) - 1; strings.HasSuffix(spelling, "*") {
		pieces[last] = strings.TrimSuffix(pieces[last], " ")
		if stem := strings.TrimSpace(pieces[0]); last == 0 && !strings.Contains(stem, " ") {
			if len(stem) >= stemLetters {
				p.stems[stem[:stemLetters]] = append(p.stems[stem[:stemLetters]], stem)
			}
			return
		}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(pieces[0]), " ")
	p.byFirst[first] = append(p.byFirst[first], pieces)
}

// withoutElided drops what newWord drops of a word: "en phase d'évaluation".
func withoutElided(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if m := elidedIn(w); m != "" {
			_, last := utf8.DecodeLastRuneInString(m)
			words[i] = w[len(m)-last:]
		}
	}
	return strings.Join(words, " ")
}

// find returns the number of the word behind the first phrase that s holds, and how many
// words it has; longer phrases win at the same place.
func (p *phrases) find(s *sentence, from int) (at, n int, ok bool) {
	for i := from; i < len(s.keys); i++ {
		if n := p.at(s, i); n > 0 {
			return i, n, true
		}
	}
	return 0, 0, false
}

// at returns how many words of the longest phrase stand at word i, 0 if none does.
func (p *phrases) at(s *sentence, i int) int {
	longest := 0
	if i < 0 || i >= len(s.keys) {
		return 0
	}
	if k := s.keys[i]; len(k) >= stemLetters {
		for _, stem := range p.stems[k[:stemLetters]] {
			if strings.HasPrefix(k, stem) {
				longest = 1
			}
		}
	}
	for _, pieces := range p.byFirst[s.keys[i]] {
		rest := s.foldedFrom(i)
		if !strings.HasPrefix(rest, pieces[0]) {
			continue
		}
		all := true
		after := rest[max(0, len(pieces[0])-1):]
		for _, piece := range pieces[1:] {
			j := strings.Index(after, piece)
			if j < 0 {
				all = false
				break
			}
			after = after[j+len(piece)-1:]
		}
		if all {
			n := 1
			for end := s.offset[i] + len(pieces[0]) - 1; i+n < len(s.keys) && s.offset[i+n] < end; n++ {
			}
			longest = max(longest, n)
		}
	}
	return longest
}

func (p *phrases) in(s *sentence) bool {
	_, _, ok := p.find(s, 0)
	return ok
}

// proseDictionary is data/prose.tsv, ready to match.
type proseDictionary struct {
	kinds map[string][]*phrases // by kind, one entry per value in the file's order
	role, roleEnd, roleStart, rolelink, title, degree, particle, legal,
	stop, generic map[string]bool
}

// of returns the phrases of a kind that has no values.
func (d *proseDictionary) of(kind string) *phrases { return d.kinds[kind][0] }

var proseWords = sync.OnceValue(func() *proseDictionary {
	d := &proseDictionary{
		kinds: make(map[string][]*phrases),
		role:  make(map[string]bool), roleEnd: make(map[string]bool), roleStart: make(map[string]bool), rolelink: make(map[string]bool), title: make(map[string]bool), degree: make(map[string]bool),
		particle: make(map[string]bool), legal: make(map[string]bool), stop: make(map[string]bool), generic: make(map[string]bool),
	}
	sets := map[string]map[string]bool{
		"role": d.role, "roleend": d.roleEnd, "rolestart": d.roleStart, "rolelink": d.rolelink, "title": d.title, "degree": d.degree, "particle": d.particle,
		"legal": d.legal, "stop": d.stop, "generic": d.generic,
	}
	for _, row := range rows("data/prose.tsv", 3) {
		for spelling := range strings.SplitSeq(row[2], "|") {
			if set := sets[row[0]]; set != nil {
				if k := fold(spelling); k != "" { // addresses have no key and are in no set
					set[k] = true
				}
				continue
			}
			d.kind(row[0], row[1]).add(spelling)
		}
	}
	return d
})

// kind returns the phrases of a kind and value, new if there are none yet.
func (d *proseDictionary) kind(kind, value string) *phrases {
	for _, p := range d.kinds[kind] {
		if p.value == value {
			return p
		}
	}
	p := newPhrases(value)
	d.kinds[kind] = append(d.kinds[kind], p)
	return p
}
