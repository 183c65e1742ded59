package mailparse

import "strings"

// DecodeWords decodes the encoded words of a value (RFC 2047) in one pass. It joins the
// bytes of neighbours before it converts them, because many programs cut words within a
// character, and it tolerates blanks in a word, a missing end and missing blanks around it.
// A word of a character set that nobody knows is guessed; what is no word stays as it is.
func DecodeWords(s string) string {
	s = toUTF8(s)
	i := strings.Index(s, "=?")
	if i < 0 {
		return s
	}
	var out strings.Builder
	var pending []byte // of the words so far, in charset
	charset := ""
	flush := func() {
		text, _ := decodeText(pending, charset)
		out.WriteString(text)
		pending = pending[:0]
	}
	inWords := false
	for {
		w, n := encodedWord(s[i:])
		if n == 0 {
			// Not a word: up to the next one that may be.
			next := strings.Index(s[i+2:], "=?")
			if next < 0 {
				next = len(s) - i - 2
			}
			if inWords {
				flush()
				inWords = false
			}
			out.WriteString(s[:i+2+next])
			if s = s[i+2+next:]; s == "" {
				return out.String()
			}
			i = 0
			continue
		}
		between := s[:i]
		if inWords && (strings.TrimLeft(between, " \t") != "" || !strings.EqualFold(charset, w.charset)) {
			flush()
		}
		if !inWords || strings.TrimLeft(between, " \t") != "" {
			out.WriteString(between)
		}
		charset, inWords = w.charset, true
		pending = w.appendTo(pending)
		s = s[i+n:]
		if i = strings.Index(s, "=?"); i < 0 {
			flush()
			out.WriteString(s)
			return out.String()
		}
	}
}

// word is an encoded word.
type word struct {
	charset, text string
	base64        bool
}

// encodedWord reads the word that s begins with, and returns its length, 0 if there is none.
func encodedWord(s string) (w word, n int) {
	const maxCharset = 64
	rest := s[len("=?"):]
	i := strings.IndexByte(rest[:min(len(rest), maxCharset)], '?')
	if i <= 0 || strings.ContainsAny(rest[:i], " \t=<>\"") {
		return word{}, 0
	}
	w.charset, rest = rest[:i], rest[i+1:]
	if len(rest) < 2 || rest[1] != '?' {
		return word{}, 0
	}
	switch rest[0] {
	case 'b', 'B':
		w.base64 = true
	case 'q', 'Q':
	default:
		return word{}, 0
	}
	rest = rest[2:]
	head := len(s) - len(rest)
	for from := 0; ; {
		i := strings.IndexByte(rest[from:], '?')
		if i < 0 { // cut off
			w.text = rest
			return w, len(s)
		}
		i += from
		switch {
		case i+1 < len(rest) && rest[i+1] == '=':
			// "==?=" in base64 and "=?=" in a quoted text both end here.
			w.text = rest[:i]
			return w, head + i + 2
		case i > 1 && rest[i-1] == '=' && (rest[i-2] == ' ' || rest[i-2] == '\t'):
			w.text = rest[:i-2] // the next word begins before this one ends
			return w, head + i - 2
		}
		from = i + 1
	}
}

// appendTo appends the bytes that the word stands for.
func (w word) appendTo(out []byte) []byte {
	if w.base64 {
		return appendBase64(out, w.text)
	}
	for i := 0; i < len(w.text); i++ {
		c := w.text[i]
		switch {
		case c == '_':
			c = ' '
		case c == '=' && i+2 < len(w.text):
			if hi, lo := unhex(w.text[i+1]), unhex(w.text[i+2]); hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

// appendBase64 decodes what there is of base64, passing over alien bytes.
func appendBase64[T string | []byte](out []byte, s T) []byte {
	var acc uint32
	bits := 0
	for i := range len(s) {
		v := base64Value[s[i]]
		if v < 0 {
			continue
		}
		acc = acc<<6 | uint32(v)
		if bits += 6; bits >= 8 {
			bits -= 8
			out = append(out, byte(acc>>bits))
		}
	}
	return out
}
