package extract

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

// labelled is a line that begins with the name of a field.
type labelled struct {
	field intake.Field
	value string
	// cells says that the line is a table row: label, tab, value.
	cells bool
	// weak says that the label may name other things as well.
	weak bool
}

// leadOnly are the fields that a signature never labels.
var leadOnly = map[intake.Field]bool{
	intake.FieldCompanyName: true, intake.FieldProblem: true, intake.FieldStage: true,
	intake.FieldConsent: true, intake.FieldProductInterest: true, intake.FieldServicesNeeded: true,
	intake.FieldTargetRevenue: true, intake.FieldCompetingVendors: true, intake.FieldSolutionFit: true,
}

const (
	maxLabelBytes = 120
	maxSeparators = 4 // of a line that are tried
)

var bullet = regexp.MustCompile(`^[\s|]*(?:(?:[-*•·▪◦‣–+○●■□☐✓✔]|\(?[0-9]{1,2}[.)]|[a-zA-Z][.)])\s+)?`)

// labelled reads a line as label, separator and value, or as a label alone. Of several
// separators the first counts whose left side is a label, so that a value keeps its own.
func (d *dictionary) labelled(s string) (labelled, bool) {
	s = strings.TrimRight(s[len(bullet.FindString(s)):], " \t|")
	head := clip(s, maxLabelBytes)
	tried := 0
	for i := 0; i < len(head) && tried < maxSeparators; {
		n, strong := separator(head, i)
		if n == 0 {
			_, size := utf8.DecodeRuneInString(head[i:])
			i += size
			continue
		}
		tried++
		if f, ok := d.label(fold(unmark(s[:i])), strong); ok {
			return labelled{
				field: f, value: trimValue(clip(s[i+n:], maxValue)), cells: s[i] == '\t', weak: d.weak[fold(unmark(s[:i]))],
			}, true
		}
		i += n
	}
	if len(s) > maxLabelBytes {
		return labelled{}, false
	}
	f, ok := d.label(fold(unmark(s)), false)
	return labelled{field: f, weak: d.weak[fold(unmark(s))]}, ok
}

// separator returns the length of the separator at s[i], 0 if none is there, and whether it
// is one that hardly stands within words. A dash needs a blank beside it.
func separator(s string, i int) (n int, strong bool) {
	if strings.HasPrefix(s[i:], "...") {
		n := len(s[i:]) - len(strings.TrimLeft(s[i:], ". "))
		return n, true // a dotted line
	}
	for _, sep := range []string{"->", "=>", ":", "：", "=", "→", "⇒", "|", "\t", "】", "］"} {
		if strings.HasPrefix(s[i:], sep) {
			return len(sep), true
		}
	}
	for _, mark := range []string{"? ", "？"} {
		if rest := s[i:]; i > 0 && strings.HasPrefix(rest, mark) && !strings.HasPrefix(rest, "? *") && !strings.HasPrefix(rest, "? :") {
			return len(mark), false // "Consent? Yes"
		}
	}
	for _, dash := range []string{"-", "–", "—"} {
		if strings.HasPrefix(s[i:], dash) {
			after := i + len(dash)
			if i > 0 && s[i-1] == ' ' || after < len(s) && s[after] == ' ' {
				return len(dash), false
			}
		}
	}
	return 0, false
}

// unknownLabels is one to four words, each with a capital first, a colon and a value.
var unknownLabels = regexp.MustCompile(`^\s?[*_]{0,2}((?:\p{Lu}[\p{L}\p{N}'’/&-]*[ \t]+){0,3}\p{Lu}[\p{L}\p{N}'’/&-]*)[ \t]?[*_]{0,2}[:：][*_]{0,2}[ \t]+\S`)

// unknownLabel reports whether a line looks like a label with a value, whatever it names.
func unknownLabel(s string) bool { return unknownLabels.MatchString(clip(s, maxLabelBytes)) }

// wrapped reports whether a line of one capitalised word and a colon rather goes on with the
// sentence of the line above, which a mail program broke.
func wrapped(above, s string) bool {
	above = strings.TrimRight(above, " \t")
	n := utf8.RuneCountInString(above)
	word, _, _ := strings.Cut(strings.TrimSpace(s), ":")
	return n >= 55 && n <= 80 && !strings.ContainsRune(".!?:;", rune(above[len(above)-1])) &&
		!strings.ContainsAny(word, " \t") && word != strings.ToUpper(word)
}

// unmark drops the marks of bold text and headings around a label.
func unmark(s string) string { return strings.Trim(s, " \t*_#\"“”„»«[]`") }

// trimValue drops white space, closing marks of bold text and empty slots around a value.
func trimValue(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, `"`) && (strings.HasSuffix(s, `",`) || strings.HasSuffix(s, `"`)) && len(s) > 2 {
		s = strings.Trim(s, `",`) // of a program
	}
	s = strings.TrimPrefix(s, "**")
	s = strings.TrimPrefix(s, "* ")
	s = strings.Trim(s, " \t_")
	if strings.HasPrefix(s, "*") && strings.HasSuffix(s, "*") || strings.HasSuffix(s, "**") {
		s = strings.Trim(s, "*")
	}
	return strings.TrimSpace(s)
}
