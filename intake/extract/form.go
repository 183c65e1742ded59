package extract

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

// formLine is a short head, a mark and a value, whatever the head names.
var formLine = regexp.MustCompile(`^\s*(?:[-*•·>]\s+)?\[?([\p{L}@][\p{L}\p{N} .'’/_*-]{0,28}?)(?:\s?=>?\s*|(?:\]|\s?[:：]|\s[-–—>]+|/)\s+|\s*\t\s*)(\S.*)$`)

// readForm reads lines whose labels nobody knows ("Fkt.: Betriebsleiter") by what their
// values are: a name that the contact's address is made of, a role, the company that a
// domain stands for. It takes several such lines for a form.
func (e *Extractor) readForm(m *mail, lines []line, found candidates) {
	if m.continues {
		return
	}
	lines = aboveOurs(lines)
	address, ok := found.best(intake.FieldContactEmail)
	if !ok {
		address = formAddress(e, m, lines)
	}
	domain, _ := e.companyOf("x@"+domainOf(address.value), m.in.SenderDomain)
	if d, ok := found.best(intake.FieldCompanyDomain); ok {
		domain = d.value
	}
	heads := 0
	for i := range lines {
		if formLine.MatchString(clip(lines[i].body, 400)) {
			heads++
		}
	}
	if heads < 3 || address.value == "" {
		return
	}
	for i := range lines {
		l := &lines[i]
		h := formLine.FindStringSubmatch(clip(l.body, 400))
		if h == nil || l.used || l.partner || l.label != nil && !l.label.weak {
			continue
		}
		value := trimValue(h[2])
		if utf8.RuneCountInString(value) > 80 || e.empty(value) {
			continue
		}
		add := func(f intake.Field, v string, score float64) {
			at, words := m.doc.words(l.start, l.end)
			found.add(f, candidate{value: v, words: words, at: at, score: score * factors[l.region], method: byLabel})
			l.used = true
		}
		contact := e.contact(value)
		name, role := contact[intake.FieldContactName], contact[intake.FieldContactRole]
		switch {
		case len(found[intake.FieldContactName]) == 0 && name != "" && looksLikeName(name, address.value):
			add(intake.FieldContactName, name, scoreClear)
			if role != "" {
				add(intake.FieldContactRole, role, scoreClear)
			}
		case len(found[intake.FieldCompanyName]) == 0 && companyLine(value, domain) >= scoreClear && !m.sender.is(value):
			add(intake.FieldCompanyName, companyName(value), scoreClear)
		case len(found[intake.FieldContactRole]) == 0 && len(strings.Fields(value)) <= 5 && roleLine(value) && !strings.ContainsAny(value, ".,!?@:|()"):
			add(intake.FieldContactRole, value, scoreLikely)
		}
	}
}

// formAddress returns the one address of an outsider among the lines.
func formAddress(e *Extractor, m *mail, lines []line) candidate {
	out := candidate{}
	for i := range lines {
		if lines[i].partner {
			continue
		}
		for _, a := range addresses.FindAllString(clip(lines[i].body, 400), 4) {
			addr, ok := address(strings.TrimPrefix(a, "mailto:"))
			if !ok || !e.outsider(addr, m) {
				continue
			}
			if out.value != "" && !strings.EqualFold(out.value, addr) {
				return candidate{}
			}
			out.value = addr
		}
	}
	return out
}
