package extract

import (
	"slices"
	"strings"

	"leadgate/intake"
)

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
