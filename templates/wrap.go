package templates

import (
	"strings"
	"unicode/utf8"
)

// width is the longest line of prose, in runes: with a quotation mark or two in front it
// still fits where mails are shown in 80 columns.
const width = 76

// layout breaks long lines at blanks, drops blanks at line ends and doubled empty lines. The
// blank after the colon of a line to fill in stays.
func layout(text string) string {
	var out []string
	for l := range strings.SplitSeq(text, "\n") {
		slot := strings.HasSuffix(l, ": ")
		l = strings.TrimRight(l, " \t\r")
		if slot {
			l += " "
		}
		if l == "" && (len(out) == 0 || out[len(out)-1] == "") {
			continue
		}
		out = append(out, wrapLine(l)...)
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n") + "\n"
}

// wrapLine breaks one line. What follows is indented as the line is, and by two more in a
// list, so that it can't be taken for a line of its own.
func wrapLine(l string) []string {
	if utf8.RuneCountInString(l) <= width {
		return []string{l}
	}
	rest := strings.TrimLeft(l, " ")
	indent := l[:len(l)-len(rest)]
	hang := indent
	if indent != "" || strings.HasPrefix(rest, "- ") {
		hang += "  "
	}
	var out []string
	current := indent
	for i, word := range strings.Fields(rest) {
		if i > 0 && utf8.RuneCountInString(current)+1+utf8.RuneCountInString(word) > width {
			out = append(out, current)
			current = hang + word
			continue
		}
		if i > 0 {
			current += " "
		}
		current += word
	}
	return append(out, current)
}
