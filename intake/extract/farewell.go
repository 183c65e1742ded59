package extract

import "strings"

// maxFarewell bounds the lines of a mail that says nothing.
const maxFarewell = 12

// SaysNothing reports whether a text, without quotations, holds nothing but a greeting, a
// farewell and what people put below it. sender is the name of who wrote it.
func (e *Extractor) SaysNothing(text, sender string) bool {
	first, n := "", 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || first == "" && len(line) <= 60 && strings.HasSuffix(line, ",") && len(strings.Fields(line)) <= 5 && !e.dict.closes(strings.TrimSuffix(line, ",")) {
			continue
		}
		if first == "" {
			first = strings.TrimRight(line, " ,")
		}
		n++
	}
	return n == 0 || n <= maxFarewell && (len(first) <= 60 && e.dict.closes(first) || signs(first, sender))
}
