package identity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Address is an e-mail address.
type Address struct {
	Local  string // as written; only the receiving host may say whether case matters
	Domain string // ASCII, lower case
}

// String returns the address as it stands in an SMTP command.
func (a Address) String() string { return a.Local + "@" + a.Domain }

// Key is the address in lower case, for comparing: in practice no host tells Jane@ from
// jane@.
func (a Address) Key() string { return lower(a.Local) + "@" + a.Domain }

// lower may be longer than its input in bytes (Ⱥ).
func lower(s string) string { return norm.NFC.String(strings.ToLower(s)) }

// Email reads exactly one address without a name around it: a dot-atom or a quoted
// string before the "@", a domain of at least two labels after it, within the lengths of
// RFC 5321 section 4.5.3.1. Letters beyond ASCII are allowed on both sides (RFC 6531);
// the domain is returned in ASCII. Spaces around the address are dropped. Control,
// format and line characters anywhere, lists, comments, domain literals and source
// routes are refused, so that a valid Address can stand in a header. The error is an
// *Error with CodeInvalidEmail.
func Email(raw string) (Address, error) {
	refused := func() (Address, error) { return Address{}, newError(CodeInvalidEmail, raw) }
	if len(raw) > maxInput || !utf8.ValidString(raw) || strings.ContainsFunc(raw, unprintable) {
		return refused()
	}
	s := strings.Trim(raw, " ")
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return refused()
	}
	local, ok := localPart(norm.NFC.String(s[:at]))
	if !ok {
		return refused()
	}
	domain, ok := toASCII(s[at+1:])
	if !ok || !strings.Contains(domain, ".") || isIP(domain) {
		return refused()
	}
	longest := max(len(local), len(lower(local)))
	if longest > 64 || longest+1+len(domain) > 254 {
		return refused()
	}
	return Address{Local: local, Domain: domain}, nil
}

// unprintable holds what could break or disguise a header: controls (C), among them CR
// and LF, format characters such as direction marks, and line separators.
func unprintable(r rune) bool {
	if r < utf8.RuneSelf {
		return r < ' ' || r == 0x7f
	}
	return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp)
}

// localPart checks the part before "@" and takes off quotes that it does not need.
func localPart(s string) (string, bool) {
	if len(s) < 2 || s[0] != '"' {
		return s, dotAtom(s)
	}
	if s[len(s)-1] != '"' {
		return "", false
	}
	content, ok := unquote(s[1 : len(s)-1])
	if !ok {
		return "", false
	}
	if dotAtom(content) {
		return content, true
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(content) + `"`, true
}

// unquote reads the inside of a quoted string (RFC 5321 section 4.1.2): printable ASCII,
// a backslash before any character.
func unquote(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\\' {
			if i++; i == len(s) {
				return "", false
			}
			c = s[i]
		} else if c == '"' {
			return "", false
		}
		if c < ' ' || c > '~' {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// dotAtom is atext *("." atext), with letters beyond ASCII as RFC 6531 allows.
func dotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		if !atext(r) && r != '.' {
			return false
		}
	}
	return true
}

func atext(r rune) bool {
	switch {
	case r >= utf8.RuneSelf:
		return unicode.IsGraphic(r) && !unicode.IsSpace(r)
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	default:
		return strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
}
