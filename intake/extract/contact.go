package extract

import (
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

const maxName = 120 // runes of a person's name

// contact splits "Jane Doe <jane@acme.example>, CTO, +49 30 123456" into name, address,
// role and telephone. Of what can't be told apart only the name is used; of several people
// nothing.
func (e *Extractor) contact(v string) map[intake.Field]string {
	out := make(map[intake.Field]string)
	if strings.IndexByte(v, '@') >= 0 {
		switch addr := e.email(v); {
		case addr != "":
			out[intake.FieldContactEmail] = addr
		case addresses.MatchString(v):
			return nil // several people, or an address that is none
		}
	}
	if v = withoutLinks(v); strings.IndexByte(v, '@') >= 0 {
		v = addresses.ReplaceAllString(v, "\x00")
	}
	v = strings.ReplaceAll(v, "mailto:", "")
	var rest []string
	for _, piece := range pieces(v) {
		p := phone(piece)
		if p == "" {
			p = phonePiece(piece) // "tel. 42 612 34 56"
		}
		if p != "" && out[intake.FieldContactPhone] == "" {
			out[intake.FieldContactPhone] = p
			continue
		}
		rest = append(rest, piece)
	}
	if len(rest) > 0 && isName(rest[0]) {
		role, name := roleInFront(withoutTitle(rest[0]))
		if proseWords().stop[fold(name)] {
			return out
		}
		if out[intake.FieldContactName] = name; role != "" {
			out[intake.FieldContactRole] = role
		}
		if len(rest) == 2 && digits(rest[1]) < 3 && utf8.RuneCountInString(rest[1]) <= 80 {
			out[intake.FieldContactRole] = rest[1]
		}
	}
	return out
}

// roleInFront parts "Meister Jens Voss" into role and name.
func roleInFront(s string) (role, name string) {
	first, rest, _ := strings.Cut(s, " ")
	if len(strings.Fields(rest)) > 1 && isRole(fold(first)) && !isRole(fold(rest)) {
		return first, rest
	}
	return "", s
}

// withoutTitle takes salutations off a name; degrees stay.
func withoutTitle(name string) string {
	words := strings.Fields(name)
	for len(words) > 1 && proseWords().title[fold(words[0])] {
		words = words[1:]
	}
	if n := len(words); n > 1 && proseWords().title[fold(words[n-1])] {
		words = words[:n-1]
	}
	if last := words[len(words)-1]; strings.HasSuffix(last, "様") && len(last) > len("様") {
		words[len(words)-1] = strings.TrimSuffix(last, "様")
	}
	return strings.Join(words, " ")
}

// pieces splits at the marks that people put between the parts of a contact. The place of
// an address, marked by NUL, separates too.
func pieces(v string) []string {
	for _, dash := range []string{" - ", " – ", " — ", " / "} {
		v = strings.ReplaceAll(v, dash, "\x00")
	}
	var out []string
	for _, p := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune("\x00,;|()<>[]\t\n", r) }) {
		p = short(strings.Trim(p, " \"'.*"))
		if strings.ContainsFunc(p, isAlnum) {
			out = append(out, p)
		}
	}
	return out
}

// isName reports whether s can be a person's name: some letters, no digit, not a sentence.
func isName(s string) bool {
	return utf8.RuneCountInString(s) <= maxName && len(strings.Fields(s)) <= 6 &&
		!strings.ContainsAny(s, "0123456789@{}[]。；=") && strings.ContainsFunc(s, isAlnum)
}
