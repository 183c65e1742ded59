package mailparse

import (
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
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

// CleanLine makes one line of valid UTF-8 of a header value: no control or formatting
// characters, white space folded.
func CleanLine(s string) string {
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

// CleanText makes valid UTF-8 of a text: lines end in "\n", other control characters but
// the tab are gone.
func CleanText(s string) string {
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

// DecodeWords decodes the encoded words of a value (RFC 2047). A word that can't be decoded
// stays as it is, and does not keep the others from being decoded.
func DecodeWords(s string) string {
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

var AddrSpec = regexp.MustCompile(`[^\s<>()\[\]",;:@\\]+@[^\s<>()\[\]",;:@\\]+`)

// ParseAddresses reads a field of addresses (RFC 5322, section 3.4), and if it is not
// written as it should be, whatever in it looks like an address.
func ParseAddresses(v string) []Address {
	if strings.TrimSpace(v) == "" {
		return nil
	}
	parser := mail.AddressParser{WordDecoder: wordDecoder}
	var out []Address
	v = strings.Map(noControl, toUTF8(v))
	if list, err := parser.ParseList(v); err == nil {
		for _, a := range list {
			if len(out) < maxAddresses {
				out = append(out, Address{Name: CleanLine(a.Name), Address: CleanLine(a.Address)})
			}
		}
		return out
	}
	for _, loc := range AddrSpec.FindAllStringIndex(v, maxAddresses) {
		a := Address{Address: strings.Trim(CleanLine(v[loc[0]:loc[1]]), "'.")}
		if len(out) == 0 {
			a.Name = CleanLine(strings.Trim(DecodeWords(v[:loc[0]]), " \"'<"))
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
