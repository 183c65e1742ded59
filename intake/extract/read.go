package extract

import (
	"slices"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

const (
	maxLong     = 4000 // runes of a text
	maxShort    = 200  // runes of any other value
	maxList     = 20   // entries of a list
	maxEvidence = 300  // runes
	maxReadings = 8    // different values of a field that are kept
)

// reading is one value that the text gives for a field.
type reading struct {
	value, evidence string
}

// readings are the different values found, by field.
type readings map[intake.Field][]reading

func (r readings) add(f intake.Field, value, evidence string) {
	for _, old := range r[f] {
		if strings.EqualFold(old.value, value) {
			return
		}
	}
	if len(r[f]) < maxReadings {
		r[f] = append(r[f], reading{value, cutRunes(evidence, maxEvidence)})
	}
}

// read collects the values of all labelled lines.
func (e *Extractor) read(d *document, lines []line) readings {
	found := make(readings)
	last := -1 // the last labelled line
	for i := range lines {
		if lines[i].label != nil {
			last = i
		}
	}
	for i := range lines {
		l := lines[i].label
		if l == nil || e.headerRow(l) {
			continue
		}
		value, from, to := e.collect(lines, i, last)
		if value == "" || e.empty(value) && !tick(l.field, value) {
			continue
		}
		for f, v := range e.values(l.field, value) {
			found.add(f, v, evidence(d, lines, from, to))
		}
	}
	return found
}

// headerRow reports whether a table row names columns: its value is a label as well.
func (e *Extractor) headerRow(l *labelled) bool {
	_, isLabel := e.dict.labels[fold(l.value)]
	return l.cells && isLabel
}

// collect returns the value of the label at line i and the lines [from, to) that it was
// read from: the rest of the line; the next line if that is empty; further lines of a text
// or of a bulleted list.
func (e *Extractor) collect(lines []line, i, last int) (value string, from, to int) {
	f := lines[i].label.field
	value, from, to = lines[i].label.value, i, i+1
	if e.slot(value) && !tick(f, value) {
		value = ""
	}
	switch {
	case isText(f):
		to = textEnd(lines, i, last)
	case value == "" && isList(f):
		to = listEnd(lines, i)
	case value == "":
		next := i + 1
		for next < len(lines) && next < i+3 && lines[next].blank() && !lines[next].gap {
			next++
		}
		if next >= len(lines) || lines[next].gap || lines[next].label != nil || unknownLabel(lines[next].body) || lines[next].blank() {
			return "", i, i
		}
		body := clip(lines[next].body, maxValue)
		return trimValue(body[len(bullet.FindString(body)):]), next, next + 1
	default:
		return value, from, to
	}
	parts := []string{value}
	for _, l := range lines[i+1 : to] {
		body := l.body
		if isList(f) {
			body = body[len(bullet.FindString(body)):]
		}
		parts = append(parts, strings.TrimSpace(body))
	}
	sep := "\n"
	if isList(f) {
		sep = "; "
	}
	return strings.Trim(clip(strings.Join(parts, sep), maxValue), " \n;"), from, to
}

// textEnd returns the line after the last one of a text: the next label, also one that is
// not known, a quotation, or else the end of the paragraph.
func textEnd(lines []line, i, last int) int {
	j := i + 1
	written := lines[i].label.value != ""
	for ; j < len(lines) && lines[j].label == nil && !lines[j].gap; j++ {
		if unknownLabel(lines[j].body) && !wrapped(lines[j-1].body, lines[j].body) {
			break
		}
		if lines[j].blank() && written && j > last {
			break
		}
		written = written || !lines[j].blank()
	}
	for j > i+1 && lines[j-1].blank() {
		j--
	}
	return j
}

// listEnd returns the line after the last one of a list: the first that is blank or a label.
func listEnd(lines []line, i int) int {
	j := i + 1
	for j < len(lines) && lines[j].label == nil && !lines[j].blank() && !lines[j].gap && !unknownLabel(lines[j].body) && j <= i+maxList {
		j++
	}
	return j
}

func isText(f intake.Field) bool {
	return f == intake.FieldProblem || f == intake.FieldSolutionFit
}

func isList(f intake.Field) bool {
	return f == intake.FieldServicesNeeded || f == intake.FieldProductInterest || f == intake.FieldCompetingVendors
}

// evidence returns the words of lines [from, to): one piece of the text, so that a value
// that spans quoted lines has only its first as evidence.
func evidence(d *document, lines []line, from, to int) string {
	if lines[from].depth > 0 || lines[to-1].depth > 0 {
		to = from + 1
	}
	return strings.TrimSpace(d.text[lines[from].start:lines[to-1].end])
}

// slot reports whether a value is an empty place of a form: "____", "[company domain]".
func (e *Extractor) slot(v string) bool {
	if strings.HasPrefix(v, "[") && strings.HasSuffix(v, "]") {
		return true
	}
	if strings.HasPrefix(v, "<") && strings.HasSuffix(v, ">") && !strings.ContainsAny(v, "@.") {
		return true
	}
	return fold(v) == ""
}

// empty reports whether a value says that there is none: "n/a", "tbd", an empty slot.
func (e *Extractor) empty(v string) bool { return e.slot(v) || e.dict.is("empty", v) }

// ours reports whether a value holds an address of our own domains, as the contact line of
// a mail of ours does.
func (e *Extractor) ours(v string) bool {
	return slices.ContainsFunc(addresses.FindAllString(v, 4), func(a string) bool {
		d, err := e.ids.Domain(a[strings.LastIndexByte(a, '@')+1:])
		return err == nil && e.opts.OwnDomain(d.Key)
	})
}

// merge keeps the fields of which the text gives exactly one value, and derives the
// company's domain from the contact's address if it was not given.
func (e *Extractor) merge(found readings, in Input) (intake.Lead, map[intake.Field]string) {
	lead, words := intake.Lead{}, map[intake.Field]string{}
	for f, rs := range found {
		if len(rs) == 1 {
			lead[f], words[f] = rs[0].value, rs[0].evidence
		}
	}
	if addr := lead[intake.FieldContactEmail]; addr != "" && len(found[intake.FieldCompanyDomain]) == 0 {
		if key, ok := e.companyOf(addr, in.SenderDomain); ok {
			lead[intake.FieldCompanyDomain] = key
			words[intake.FieldCompanyDomain] = words[intake.FieldContactEmail]
		}
	}
	return lead, words
}

// companyOf returns the registrable domain of an address if it can be the prospect's: no
// mail provider, not the sender's, no partner's and not our own.
func (e *Extractor) companyOf(addr, sender string) (string, bool) {
	d, err := e.ids.Domain(addr[strings.LastIndexByte(addr, '@')+1:])
	if err != nil || d.FreeMail || d.Key == sender || e.opts.OwnDomain(d.Key) || e.opts.PartnerDomain(d.Key) {
		return "", false
	}
	return d.Key, true
}

// cutRunes returns the first n runes of s, trimmed.
func cutRunes(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return strings.TrimSpace(s[:i])
		}
		n--
	}
	return s
}
