package templates

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxTitle = 60
	maxShort = 200
	maxLong  = 600
	maxSaid  = 4000
	maxLines = 60
	// maxLink and maxReceipt are in bytes.
	maxLink    = 2000
	maxReceipt = 20_000
)

// line makes s one line of visible characters: white space and line breaks become single
// blanks; control characters, zero-width characters and those that turn the direction of
// text are dropped. What is longer than limit runes ends in "…", behind a whole word if it can.
func line(s string, limit int) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case !invisible(r):
			b.WriteRune(r)
		}
	}
	return short(strings.Join(strings.Fields(b.String()), " "), limit)
}

// invisible reports whether r takes part in text without being seen. Cf holds the bidi
// controls, joiners, byte order mark, soft hyphen and tags.
func invisible(r rune) bool {
	switch r {
	case 0x115F, 0x1160, 0x3164, 0xFFA0, 0x2800: // fillers and a blank that count as letters
		return true
	}
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r)
}

func short(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	head := string(r[:limit-1])
	if i := strings.LastIndexByte(head, ' '); i > len(head)/2 {
		head = head[:i]
	}
	return strings.TrimRight(head, " ,;:") + "…"
}

// lines makes of what a person of the vendor wrote a list of clean lines.
func lines(s string) []string {
	var out []string
	for _, l := range strings.FieldsFunc(short(s, maxSaid), func(r rune) bool { return r == '\n' || r == '\r' }) {
		if l = line(l, maxSaid); l != "" && len(out) < maxLines {
			out = append(out, l)
		}
	}
	return out
}

// link is an address of the web as it is, or "" if s is none that can be shown.
func link(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(s) > maxLink {
		return ""
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>\"'`\\", r) }) {
		return ""
	}
	return s
}

// verbatim is s as it is, but for line breaks at its end, or "" if it can't be shown so.
func verbatim(s string) string {
	s = strings.TrimRight(s, "\r\n")
	hidden := func(r rune) bool { return r != '\n' && (invisible(r) || r == '\u2028' || r == '\u2029') }
	if len(s) > maxReceipt || !utf8.ValidString(s) || strings.ContainsFunc(s, hidden) {
		return ""
	}
	return s
}
