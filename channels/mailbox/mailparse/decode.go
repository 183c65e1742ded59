package mailparse

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
	"golang.org/x/text/encoding/charmap"
)

// charsetNames are names in use that no registry has.
var charsetNames = map[string]string{
	"cp932": "shift_jis", "ms932": "shift_jis", "x-sjis": "shift_jis", "windows-31j": "shift_jis",
	"utf8": "utf-8", "ascii": "us-ascii", "ansi": "windows-1252", "cp1252": "windows-1252",
	"latin1": "iso-8859-1", "latin-1": "iso-8859-1", "x-gbk": "gbk", "gb2312": "gbk", "x-mac-roman": "macintosh",
	"ks_c_5601-1987": "euc-kr", "ms949": "euc-kr", "cp949": "euc-kr", "unicode-1-1-utf-8": "utf-8",
	"iso-8859-8-i": "iso-8859-8", "cp1251": "windows-1251", "cp1250": "windows-1250", "default": "windows-1252",
}

// charsetReader converts from a character set to UTF-8; an unknown one is an error.
func charsetReader(name string, r io.Reader) (io.Reader, error) {
	name = strings.ToLower(strings.Trim(strings.TrimSpace(name), `"'`))
	name, _, _ = strings.Cut(name, "*") // language tag, RFC 2231 section 5
	if known, ok := charsetNames[name]; ok {
		name = known
	}
	return charset.Reader(name, r)
}

// decodeText converts b, labelled with a character set, to UTF-8. If the label is missing,
// unknown or wrong it guesses UTF-8 and else Windows-1252, and says so.
func decodeText(b []byte, label string) (text string, guessed bool) {
	name := strings.ToLower(strings.Trim(strings.TrimSpace(label), `"'`))
	switch name {
	case "", "us-ascii", "ascii", "utf-8", "utf8":
		if utf8.Valid(b) {
			return string(b), false
		}
		return toUTF8(string(b)), true
	}
	r, err := charsetReader(name, bytes.NewReader(b))
	if err != nil {
		return toUTF8(string(b)), true
	}
	out, err := io.ReadAll(io.LimitReader(r, maxPartText))
	if err != nil {
		return toUTF8(string(b)), true
	}
	return strings.ToValidUTF8(string(out), "\uFFFD"), false
}

// toUTF8 returns s if it is UTF-8, and else reads it as Windows-1252, the usual source of
// bytes without a label. A text that was cut within a character is still UTF-8.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	if n := len(s); n > utf8.UTFMax {
		for cut := 1; cut < utf8.UTFMax; cut++ {
			if utf8.RuneStart(s[n-cut]) && utf8.ValidString(s[:n-cut]) && !utf8.FullRuneInString(s[n-cut:]) {
				return s[:n-cut]
			}
		}
	}
	out, err := charmap.Windows1252.NewDecoder().String(s)
	if err != nil {
		return strings.ToValidUTF8(s, "\uFFFD")
	}
	return out
}

// lineDecoder decodes the lines of a body, each as it comes, into a writer.
type lineDecoder interface {
	// line takes one piece of a line, with its line end if it is the last piece.
	line(b []byte)
	// end flushes what is pending.
	end()
}

// newLineDecoder returns the decoder for a Content-Transfer-Encoding (RFC 2045, section 6),
// as people write it: "base64;", "8-bit". An unknown one leaves the body as it is.
func newLineDecoder(encoding string, w io.Writer) lineDecoder {
	token, _, _ := strings.Cut(strings.ToLower(encoding), ";")
	switch strings.Trim(token, " \t\"'") {
	case "base64":
		return &base64Lines{w: w}
	case "quoted-printable":
		return &quotedLines{w: w}
	}
	return identityLines{w}
}

// identityLines ends lines with LF alone: relays change line ends, and a text is the same
// with either.
type identityLines struct{ w io.Writer }

func (d identityLines) line(b []byte) {
	if body, ok := bytes.CutSuffix(b, []byte("\r\n")); ok {
		d.w.Write(body)
		b = b[len(b)-1:]
	}
	d.w.Write(b)
}

func (d identityLines) end() {}

// base64Lines passes over alien bytes and missing padding, and stops where the base64 ends:
// at the padding, or at a line of words that a list server has added.
type base64Lines struct {
	w    io.Writer
	quad []byte
	done bool
	// begun says that something was decoded; plain, that the body is no base64 at all,
	// whatever its label says.
	begun, plain bool
}

var base64Alphabet = func() (t [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = true
	}
	return t
}()

func (d *base64Lines) line(b []byte) {
	if d.plain {
		identityLines{d.w}.line(b)
		return
	}
	whole := b
	b = bytes.TrimSpace(b)
	if d.done || len(b) == 0 {
		return
	}
	alien := 0
	for _, c := range b {
		if !base64Alphabet[c] && c != '=' {
			alien++
		}
	}
	if alien*10 > len(b) {
		if d.plain = !d.begun; d.plain {
			d.line(whole)
		}
		d.done = true
		return
	}
	d.begun = true
	out := make([]byte, 0, len(b))
	for _, c := range b {
		if c == '=' {
			d.done = true
			break
		}
		if !base64Alphabet[c] {
			continue
		}
		if d.quad = append(d.quad, c); len(d.quad) == 4 {
			out = decodeQuad(out, d.quad)
			d.quad = d.quad[:0]
		}
	}
	d.w.Write(out)
}

func (d *base64Lines) end() {
	if len(d.quad) > 1 {
		d.w.Write(decodeQuad(nil, d.quad))
	}
	d.quad = nil
}

// decodeQuad appends the bytes that two to four characters of the alphabet stand for.
func decodeQuad(out, quad []byte) []byte {
	var dst [3]byte
	n, err := base64.RawStdEncoding.Decode(dst[:], quad)
	if err != nil {
		return out
	}
	return append(out, dst[:n]...)
}

// quotedLines decodes quoted-printable; what is no code stays as it is.
type quotedLines struct {
	w       io.Writer
	pending []byte // the pieces of a line so far
}

const maxPendingLine = 64 << 10

func (d *quotedLines) line(b []byte) {
	d.pending = append(d.pending, b...)
	if !bytes.HasSuffix(b, []byte("\n")) && len(d.pending) < maxPendingLine {
		return
	}
	d.end()
}

func (d *quotedLines) end() {
	line := bytes.TrimRight(d.pending, " \t\r\n")
	ended := bytes.HasSuffix(d.pending, []byte("\n"))
	if !ended {
		line = d.pending
	}
	soft := ended && bytes.HasSuffix(line, []byte("="))
	line = bytes.TrimSuffix(line, []byte("="))
	out := make([]byte, 0, len(line)+1)
	for i := 0; i < len(line); i++ {
		if line[i] == '=' && i+2 < len(line) {
			if hi, lo := unhex(line[i+1]), unhex(line[i+2]); hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, line[i])
	}
	if ended && !soft {
		out = append(out, '\n')
	}
	d.w.Write(out)
	d.pending = d.pending[:0]
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'A' && c <= 'F':
		return int(c - 'A' + 10)
	case c >= 'a' && c <= 'f':
		return int(c - 'a' + 10)
	}
	return -1
}
