package mailparse

import "strings"

// unflow joins the lines of a text that says format=flowed (RFC 3676): a line that ends in a
// blank goes on in the next one of the same quote depth. With delSp that blank is no part of
// the text. The signature separator is never joined.
func unflow(s string, delSp bool) string {
	var out strings.Builder
	out.Grow(len(s))
	open, depth := false, 0 // a line that goes on, and its quote depth
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\r\n")
		text := strings.TrimLeft(line, ">")
		quotes := len(line) - len(text)
		text = strings.TrimPrefix(text, " ") // space-stuffing
		signature := text == "-- "
		if open && (quotes != depth || signature) {
			out.WriteByte('\n')
			open = false
		}
		if !open && quotes > 0 {
			out.WriteString(line[:quotes])
			out.WriteByte(' ')
		}
		open, depth = strings.HasSuffix(text, " ") && !signature, quotes
		if open && delSp {
			text = text[:len(text)-1]
		}
		out.WriteString(text)
		if !open {
			out.WriteByte('\n')
		}
	}
	if open {
		out.WriteByte('\n')
	}
	return out.String()
}
