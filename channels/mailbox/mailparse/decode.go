package mailparse

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
)

// lineDecoder decodes the lines of a body, each as it comes, into a writer.
type lineDecoder interface {
	// line takes one piece of a line, with its line end if it is the last piece.
	line(b []byte)
	// end flushes what is pending.
	end()
}

// bulkDecoder is a lineDecoder that can take many whole lines at once.
type bulkDecoder interface {
	lineDecoder
	lines(b []byte)
}

// newLineDecoder returns the decoder for a Content-Transfer-Encoding (RFC 2045, section 6),
// as people write it: "base64;", "8-bit", "quoted printable". An unknown one leaves the body
// as it is. The decoder writes into scratch before it writes to w.
func newLineDecoder(encoding string, w io.Writer, scratch *[]byte) lineDecoder {
	token := strings.ToLower(strings.TrimLeft(encoding, " \t\"'("))
	switch {
	case strings.HasPrefix(token, "base64"), strings.HasPrefix(token, "base-64"):
		return &base64Lines{w: w, out: scratch}
	case strings.HasPrefix(token, "quoted"):
		return &quotedLines{w: w, out: scratch}
	}
	return &identityLines{w: w, out: scratch}
}

// identityLines ends lines with LF alone: relays change line ends, and a text is the same
// with either.
type identityLines struct {
	w   io.Writer
	out *[]byte // reused; only for lines
}

var lineFeed = []byte{'\n'}

func (d *identityLines) line(b []byte) {
	if n := len(b); n > 1 && b[n-1] == '\n' && b[n-2] == '\r' {
		d.w.Write(bytes.TrimRight(b, "\r\n"))
		b = lineFeed
	}
	d.w.Write(b)
}

// lines takes many whole lines at once.
func (d *identityLines) lines(b []byte) {
	if bytes.IndexByte(b, '\r') < 0 {
		d.w.Write(b)
		return
	}
	out := (*d.out)[:0]
	for i, c := range b {
		if c == '\n' && i > 0 && b[i-1] == '\r' {
			for len(out) > 0 && out[len(out)-1] == '\r' {
				out = out[:len(out)-1]
			}
		}
		out = append(out, c)
	}
	*d.out = out
	d.w.Write(out)
}

func (d *identityLines) end() {}

// base64Lines passes over alien bytes and missing padding, and stops where the base64 ends:
// at a line of words that a list server has added. After padding only what can't be words
// goes on, because some programs encode in pieces.
type base64Lines struct {
	w      io.Writer
	quad   [4]byte
	n      int     // bytes in quad
	out    *[]byte // reused
	padded bool
	done   bool
	// begun says that something was decoded; plain, that the body is no base64 at all,
	// whatever its label says.
	begun, plain bool
}

// base64Value has the value of each character of the alphabet, -1 of others.
var base64Value = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = int8(i)
	}
	return t
}()

const minBase64Line = 20 // characters of a line that goes on after padding

func (d *base64Lines) line(b []byte) {
	if d.plain {
		(&identityLines{w: d.w}).line(b)
		return
	}
	if d.done {
		return
	}
	whole := b
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return
	}
	if d.n == 0 && len(b)%4 == 0 && (!d.padded || len(b) >= minBase64Line) {
		buf := d.grow(len(b))
		if n, err := base64.StdEncoding.Decode(buf, b); err == nil {
			d.begun, d.padded = true, b[len(b)-1] == '='
			d.w.Write(buf[:n])
			return
		}
	}
	alien := 0
	for _, c := range b {
		if base64Value[c] < 0 && c != '=' {
			alien++
		}
	}
	if d.padded || alien*10 > len(b) || isWords(b) {
		d.done = true
		if d.plain = !d.begun; d.plain {
			d.line(whole)
		}
		return
	}
	d.begun = true
	out := d.grow(len(b))[:0]
	for _, c := range b {
		if c == '=' {
			d.padded = true
			break
		}
		if base64Value[c] < 0 {
			continue
		}
		d.quad[d.n] = c
		if d.n++; d.n == 4 {
			out = appendBase64(out, d.quad[:])
			d.n = 0
		}
	}
	if d.padded {
		out = appendBase64(out, d.quad[:d.n])
		d.n = 0
	}
	d.w.Write(out)
}

// lines takes many whole lines at once.
func (d *base64Lines) lines(b []byte) {
	if d.n == 0 && !d.padded && !d.done && !d.plain {
		buf := d.grow(len(b))
		if n, err := base64.StdEncoding.Decode(buf, b); err == nil && n > 0 {
			d.begun, d.padded = true, bytes.HasSuffix(bytes.TrimRight(b, "\r\n"), []byte("="))
			d.w.Write(buf[:n])
			return
		}
	}
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n') + 1
		d.line(b[:i])
		b = b[i:]
	}
}

// isWords reports whether a line has blanks as often as text has.
func isWords(b []byte) bool {
	blanks := bytes.Count(b, []byte(" "))
	return blanks > 0 && len(b) < 20*(blanks+1)
}

// grow returns room for n bytes.
func (d *base64Lines) grow(n int) []byte {
	if cap(*d.out) < n {
		*d.out = make([]byte, n)
	}
	return (*d.out)[:cap(*d.out)]
}

func (d *base64Lines) end() {
	if d.n > 1 {
		d.w.Write(appendBase64(nil, d.quad[:d.n]))
	}
	d.n = 0
}

// quotedLines decodes quoted-printable; what is no code stays as it is.
type quotedLines struct {
	w       io.Writer
	pending []byte  // the pieces of a line so far
	out     *[]byte // reused
}

const maxPendingLine = 64 << 10

func (d *quotedLines) line(b []byte) {
	if len(d.pending) == 0 && b[len(b)-1] == '\n' {
		d.lines(b)
		return
	}
	d.pending = append(d.pending, b...)
	if b[len(b)-1] != '\n' && len(d.pending) < maxPendingLine {
		return
	}
	d.end()
}

// lines takes many whole lines at once.
func (d *quotedLines) lines(b []byte) {
	if len(d.pending) > 0 { // the first one ends a line that was begun
		i := bytes.IndexByte(b, '\n') + 1
		d.line(b[:i])
		b = b[i:]
	}
	out := (*d.out)[:0]
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n') + 1
		out = appendQuoted(out, b[:i])
		b = b[i:]
	}
	*d.out = out
	d.w.Write(out)
}

func (d *quotedLines) end() {
	// A code that is cut in two by the end of the piece waits for the rest.
	n := len(d.pending)
	keep := 0
	if n >= maxPendingLine && d.pending[n-1] != '\n' {
		if i := bytes.LastIndexByte(d.pending[n-2:], '='); i >= 0 {
			keep = 2 - i
		}
	}
	*d.out = appendQuoted((*d.out)[:0], d.pending[:n-keep])
	d.w.Write(*d.out)
	d.pending = append(d.pending[:0], d.pending[n-keep:]...)
}

// appendQuoted decodes one line, or a piece of it if it has no end.
func appendQuoted(out, line []byte) []byte {
	n := len(line)
	ended := n > 0 && line[n-1] == '\n'
	for ended && n > 0 && (line[n-1] == '\n' || line[n-1] == '\r' || line[n-1] == ' ' || line[n-1] == '\t') {
		n--
	}
	soft := ended && n > 0 && line[n-1] == '='
	if n > 0 && line[n-1] == '=' {
		n--
	}
	line = line[:n]
	for i := 0; i < n; i++ {
		c := line[i]
		if c == '=' && i+2 < n {
			if hi, lo := unhex(line[i+1]), unhex(line[i+2]); hi >= 0 && lo >= 0 {
				c = byte(hi<<4 | lo)
				i += 2
			}
		}
		out = append(out, c)
	}
	if ended && !soft {
		out = append(out, '\n')
	}
	return out
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
