package extract

import (
	"strings"

	"leadgate/intake"
)

// withoutPartner marks the lines of a form that are about the partner himself as read, so that
// his company and his name are never the prospect's: those below a heading "Partner" or "Your
// details", up to the end of that paragraph or the heading of the prospect.
func (e *Extractor) withoutPartner(lines []line) []line {
	var out []line // a copy, made when it is needed
	for i := 0; i < len(lines); i++ {
		if !e.heads("partner", &lines[i]) || !labelsBelow(lines, i) {
			continue
		}
		if out == nil {
			out = append(out, lines...)
		}
		i = e.dropSection(out, i)
	}
	if out == nil {
		return lines
	}
	return out
}

// dropSection marks the section that line i heads as read and returns its last line.
func (e *Extractor) dropSection(lines []line, i int) int {
	written := false
	j := i
	for ; j < len(lines); j++ {
		l := &lines[j]
		if j > i && (separates(l) && written || e.headsProspect(lines, j)) {
			break
		}
		if j > i && !separates(l) {
			written = true
		}
		l.label, l.used, l.partner = nil, true, true
	}
	return j - 1
}

// heads reports whether a line is nothing but a heading of a kind.
func (e *Extractor) heads(kind string, l *line) bool {
	if l.blank() || len(l.body) > 80 || l.label != nil && l.label.value != "" {
		return false
	}
	head := strings.Trim(l.body[len(bullet.FindString(l.body)):], " \t-=_*#:：[]【】~")
	return e.dict.is(kind, head)
}

// headsProspect reports whether a line is the heading of what is said of the prospect: his
// label without a value.
func (e *Extractor) headsProspect(lines []line, i int) bool {
	l := &lines[i]
	return e.heads("prospect", l) || l.label != nil && l.label.value == "" && l.label.field == intake.FieldCompanyName && labelsBelow(lines, i)
}

// labelsBelow reports whether labels with values stand right below line i, known or not.
func labelsBelow(lines []line, i int) bool {
	for j := i + 1; j < len(lines) && j <= i+3; j++ {
		if l := &lines[j]; l.label != nil && l.label.value != "" || unknownLabel(strings.TrimLeft(l.body, " \t")) {
			return true
		}
	}
	return false
}
