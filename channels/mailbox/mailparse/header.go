package mailparse

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Field is one header field, unfolded, its value as written.
type Field struct {
	Name, Value string
}

// Header is a header block in the order of the message.
type Header []Field

// Get returns the first value of a field.
func (h Header) Get(name string) string {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			return h[i].Value
		}
	}
	return ""
}

// Has reports whether a field is there, with or without a value.
func (h Header) Has(name string) bool {
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			return true
		}
	}
	return false
}

// All returns every value of a field, topmost first.
func (h Header) All(name string) []string {
	var out []string
	for i := range h {
		if strings.EqualFold(h[i].Name, name) {
			out = append(out, h[i].Value)
		}
	}
	return out
}

// FieldName splits the line that begins a field; the name is "" if it begins none: only
// printable ASCII but the colon may stand before it (RFC 5322, section 3.6.8). A blank
// before the colon is tolerated. All who ask where a header ends ask here: what one took for
// a field and another for the text could be proven and never have been signed.
func FieldName[T string | []byte](line T) (name string, value T) {
	colon := -1
	for i := range min(len(line), maxFieldName) {
		if line[i] == ':' {
			colon = i
			break
		}
	}
	end := colon
	for end > 0 && (line[end-1] == ' ' || line[end-1] == '\t') {
		end--
	}
	if end <= 0 {
		return "", line[:0]
	}
	for i := range end {
		if line[i] <= ' ' || line[i] >= 0x7f {
			return "", line[:0]
		}
	}
	value = line[colon+1:]
	for len(value) > 0 && value[0] <= ' ' {
		value = value[1:]
	}
	for len(value) > 0 && value[len(value)-1] <= ' ' {
		value = value[:len(value)-1]
	}
	if known, ok := knownNames[string(line[:end])]; ok {
		return known, value
	}
	return string(line[:end]), value
}

// knownNames spares the usual names the memory.
var knownNames = func() map[string]string {
	names := make(map[string]string)
	for _, n := range []string{
		"Received", "From", "To", "Cc", "Subject", "Date", "Message-ID", "Message-Id", "MIME-Version", "Mime-Version",
		"Content-Type", "Content-Transfer-Encoding", "Content-Disposition", "Content-Language", "Content-ID", "In-Reply-To",
		"References", "Reply-To", "Sender", "Return-Path", "Delivered-To", "DKIM-Signature", "Authentication-Results",
		"Received-SPF", "User-Agent", "X-Mailer", "X-Received", "ARC-Seal", "ARC-Message-Signature",
		"ARC-Authentication-Results", "Auto-Submitted", "X-Google-DKIM-Signature", "X-Gm-Message-State", "Thread-Topic",
		"Thread-Index", "Accept-Language", "X-MS-Has-Attach", "X-Spam-Status", "List-Unsubscribe", "Precedence",
	} {
		names[n] = n
	}
	return names
}()

const maxFieldName = 998 // bytes: no line may be longer (RFC 5322, section 2.1.1)

// CleanLine makes one line of valid UTF-8 of a header value: no control or formatting
// characters, white space folded.
func CleanLine(s string) string {
	if isCleanLine(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, toUTF8(s))
	return strings.Join(strings.Fields(s), " ")
}

// Clipped makes one short line of what others wrote, to be shown.
func Clipped(s string) string {
	const limit = 60 // runes
	s = CleanLine(s)
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}

// isCleanLine spares the usual value the work.
func isCleanLine(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == ' ' && last == ' ' {
			return false
		}
		last = s[i]
	}
	return last != ' ' || s == ""
}

// CleanText makes valid UTF-8 of a text: lines end in "\n", other control characters but
// the tab are gone.
func CleanText(s string) string {
	clean := cleanPrefix(s)
	if clean == len(s) {
		return s
	}
	out := make([]byte, 0, len(s))
	for s != "" {
		out = append(out, s[:clean]...)
		if s = s[clean:]; s == "" {
			break
		}
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == '\r' && strings.HasPrefix(s[1:], "\n"):
		case r == '\r', r == '\f', r == '\v':
			out = append(out, '\n')
		case r == utf8.RuneError:
			out = utf8.AppendRune(out, r)
		}
		s = s[size:]
		clean = cleanPrefix(s)
	}
	return string(out)
}

// cleanPrefix returns how many bytes of a text may stay as they are.
func cleanPrefix(s string) int {
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < 0x7f || c == '\n' || c == '\t' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			return i
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r <= 0x9f || size == 1 {
			return i
		}
		i += size
	}
	return len(s)
}
