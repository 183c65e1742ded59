package extract

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalise brings text into the one form that is read and that evidence is taken from:
// valid UTF-8, lines ended by "\n", no control or invisible characters but "\n" and "\t",
// every other white space a blank.
func normalise(s string) string {
	if len(s) <= maxText && isPlain(s) {
		return s
	}
	s = clip(strings.ToValidUTF8(clip(s, maxText), "\uFFFD"), maxText)
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r', r == '\u2028', r == '\u2029', r == '\f', r == '\v', r == '\u0085':
			return '\n'
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, s)
}

// isPlain reports whether s is of what can be seen of ASCII, line ends and tabs.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// letters without a decomposition that people leave out or write otherwise
var plain = strings.NewReplacer("ł", "l", "ø", "o", "æ", "ae", "œ", "oe", "ß", "ss", "đ", "d", "ı", "i", "ð", "d", "þ", "th", "ς", "σ")

// fold maps the spellings of a label to one: NFKC, case, accents, punctuation, white space,
// a trailing remark in parentheses.
func fold(s string) string {
	s = strings.TrimSpace(s)
	if isASCII(s) {
		return words(dropRemark(strings.ToLower(s)))
	}
	s = strings.ToLower(norm.NFKD.String(s))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, s)
	return words(dropRemark(plain.Replace(norm.NFC.String(s))))
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// dropRemark cuts a trailing "(…)" such as "(required)", if something stands before it.
func dropRemark(s string) string {
	s = strings.TrimRight(s, " *:?!")
	if strings.HasSuffix(s, ")") {
		if i := strings.LastIndexByte(s, '('); i > 0 {
			return s[:i]
		}
	}
	return s
}

// words joins the runs of letters and digits by single blanks; apostrophes and full stops
// vanish ("l'entreprise", "k.A.").
func words(s string) string {
	if areWords(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mc, r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		case r == '\'' || r == '’' || r == '.':
		default:
			gap = true
		}
	}
	return b.String()
}

// areWords reports whether s is runs of ASCII letters and digits with single blanks between.
func areWords(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c >= 'A' && c <= 'Z':
		case c == ' ' && i > 0 && i < len(s)-1 && s[i-1] != ' ':
		default:
			return false
		}
	}
	return true
}
