package mailbox

import (
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
)

// field is one header field, unfolded, its value as written.
type field struct {
	name, value string
}

// header is a header block in the order of the message.
type header []field

// get returns the first value of a field.
func (h header) get(name string) string {
	for i := range h {
		if strings.EqualFold(h[i].name, name) {
			return h[i].value
		}
	}
	return ""
}

func (h header) has(name string) bool {
	for i := range h {
		if strings.EqualFold(h[i].name, name) {
			return true
		}
	}
	return false
}

// all returns every value of a field, topmost first.
func (h header) all(name string) []string {
	var out []string
	for i := range h {
		if strings.EqualFold(h[i].name, name) {
			out = append(out, h[i].value)
		}
	}
	return out
}

// fieldName returns the name of the field that a line begins, "" if the line is none: only
// printable ASCII but the colon may stand before it (RFC 5322, section 3.6.8). A blank
// before the colon is tolerated.
func fieldName(line string) (name, value string) {
	name, value, ok := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	if !ok || name == "" || len(name) > 200 {
		return "", ""
	}
	for i := range len(name) {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return "", ""
		}
	}
	return name, strings.TrimSpace(value)
}

// cleanLine makes one line of valid UTF-8 of a header value: no control or formatting
// characters, white space folded.
func cleanLine(s string) string {
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

// cleanText makes valid UTF-8 of a text: lines end in "\n", other control characters but
// the tab are gone.
func cleanText(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n', r == '\t':
			return r
		case r == '\r', r == '\f', r == '\v':
			return '\n'
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

var (
	wordDecoder = &mime.WordDecoder{CharsetReader: charsetReader}
	encodedWord = regexp.MustCompile(`=\?[^?\s]{1,40}\?[bBqQ]\?[^?]*\?=`)
)

// decodeWords decodes the encoded words of a value (RFC 2047). A word that can't be decoded
// stays as it is, and does not keep the others from being decoded.
func decodeWords(s string) string {
	s = toUTF8(s)
	if out, err := wordDecoder.DecodeHeader(s); err == nil {
		return out
	}
	return encodedWord.ReplaceAllStringFunc(s, func(w string) string {
		if out, err := wordDecoder.Decode(w); err == nil {
			return out
		}
		return w
	})
}

var addrSpec = regexp.MustCompile(`[^\s<>()\[\]",;:@\\]+@[^\s<>()\[\]",;:@\\]+`)

// parseAddresses reads a field of addresses (RFC 5322, section 3.4), and if it is not
// written as it should be, whatever in it looks like an address.
func parseAddresses(v string) []Address {
	if strings.TrimSpace(v) == "" {
		return nil
	}
	parser := mail.AddressParser{WordDecoder: wordDecoder}
	var out []Address
	v = strings.Map(noControl, toUTF8(v))
	if list, err := parser.ParseList(v); err == nil {
		for _, a := range list {
			if len(out) < maxAddresses {
				out = append(out, Address{Name: cleanLine(a.Name), Address: cleanLine(a.Address)})
			}
		}
		return out
	}
	for _, loc := range addrSpec.FindAllStringIndex(v, maxAddresses) {
		a := Address{Address: strings.Trim(cleanLine(v[loc[0]:loc[1]]), "'.")}
		if len(out) == 0 {
			a.Name = cleanLine(strings.Trim(decodeWords(v[:loc[0]]), " \"'<"))
		}
		out = append(out, a)
	}
	return out
}

func noControl(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}
