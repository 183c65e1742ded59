package remote

import (
	"strings"
	"unicode"
)

// maxWords is how much of what the other side says goes into an error.
const maxWords = 300

// Words are what the other side said of a fault, fit for staff to read: one line, cut, without
// what can't be printed. It is for the fields of an answer that are known to tell what is wrong;
// a body as it came may hold what is nobody's business.
func Words(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r)
	}), " ")
	if r := []rune(s); len(r) > maxWords {
		return string(r[:maxWords]) + "…"
	}
	return s
}
