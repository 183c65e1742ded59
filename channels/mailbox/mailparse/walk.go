package mailparse

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"mime"
	"regexp"
	"slices"
	"strings"
)

// walker reads a message line by line, in one pass. Multiparts (RFC 2046, section 5.1) are
// found by the boundaries that are open: a part ends at any of them, so that a missing end,
// a broken header or a damaged body never takes what follows with it.
//
// It is not built on a MIME library, because those that there are refuse or lose messages
// that people do send (see the cases of the tests), and go through nested parts once for
// each level.
type walker struct {
	r      *bufio.Reader
	err    error // of reading, but io.EOF
	eof    bool
	piece  []byte // the current piece of a line
	start  bool   // the piece begins a line
	again  bool   // the piece is to be read once more
	open   []string
	parts  int
	top    Header
	parsed Parsed
	text   strings.Builder
	html   strings.Builder
}

func newWalker(r io.Reader) *walker {
	return &walker{r: bufio.NewReaderSize(r, 64<<10), start: true}
}

// message reads the whole message.
func (w *walker) message() error {
	w.skipPreamble()
	w.top = w.header()
	w.entity(w.top, 0)
	w.parsed.Text, w.parsed.HTML = CleanText(w.text.String()), CleanText(w.html.String())
	return w.err
}

// next reads the next piece of a line: a whole line unless it is longer than the buffer.
// It reports whether there was one.
func (w *walker) next() bool {
	if w.again {
		w.again = false
		return true
	}
	if w.eof {
		return false
	}
	w.start = len(w.piece) == 0 || w.piece[len(w.piece)-1] == '\n'
	b, err := w.r.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		w.eof = true
		if !errors.Is(err, io.EOF) {
			w.err = err
		}
	}
	w.piece = b
	return len(b) > 0
}

// unread makes next return the current piece once more.
func (w *walker) unread() { w.again = true }

// skipPreamble passes over blank lines and the separator of mbox files at the top.
func (w *walker) skipPreamble() {
	for range 20 {
		if !w.next() {
			return
		}
		line := bytes.TrimSpace(w.piece)
		if len(line) > 0 && !bytes.HasPrefix(line, []byte("From ")) && !bytes.HasPrefix(line, []byte(">From ")) {
			w.unread()
			return
		}
	}
}

// header reads fields up to a blank line, or up to a line that is no field: what follows is
// the body then.
func (w *walker) header() Header {
	var h Header
	var value []byte // of the last field
	finish := func() Header {
		if len(h) > 0 {
			h[len(h)-1].Value = string(value)
		}
		return h
	}
	size := 0
	for w.next() {
		line := bytes.TrimRight(w.piece, "\r\n")
		if w.start && len(line) == 0 {
			return finish()
		}
		if w.boundary().level >= 0 {
			w.unread()
			return finish()
		}
		if size += len(w.piece); size > maxHeaderBytes || len(h) > maxHeaderFields {
			w.limit("header")
			continue
		}
		if len(h) > 0 && (!w.start || line[0] == ' ' || line[0] == '\t') {
			value = append(append(value, ' '), bytes.TrimSpace(line)...)
			continue
		}
		name, first := fieldName(string(line))
		if name == "" {
			if len(bytes.TrimSpace(line)) > 0 {
				w.unread()
			}
			return finish()
		}
		finish()
		h, value = append(h, Field{Name: name}), []byte(first)
	}
	return finish()
}

// delimiter is a boundary line: the level of the multipart that it belongs to, -1 if the
// line is none, and whether it closes it.
type delimiter struct {
	level   int
	closing bool
}

var noDelimiter = delimiter{level: -1}

// boundary reads the current line as a delimiter of one of the open multiparts, the
// innermost first.
func (w *walker) boundary() delimiter {
	if !w.start || !bytes.HasPrefix(w.piece, []byte("--")) {
		return noDelimiter
	}
	line := bytes.TrimRight(w.piece[2:], " \t\r\n")
	for i := len(w.open) - 1; i >= 0; i-- {
		rest, ok := bytes.CutPrefix(line, []byte(w.open[i]))
		if ok && (len(rest) == 0 || string(rest) == "--") {
			return delimiter{i, len(rest) > 0}
		}
	}
	return noDelimiter
}

// entity reads the body that belongs to h, and returns the delimiter that ended it.
func (w *walker) entity(h Header, depth int) delimiter {
	w.parts++
	media, params := mediaType(h.Get("Content-Type"))
	if w.parts > maxParts {
		w.limit("parts")
		return w.skip()
	}
	if strings.HasPrefix(media, "multipart/") {
		if depth < maxDepth {
			return w.multipart(media, params, depth)
		}
		w.limit("depth")
		return w.skip()
	}
	w.noteReport(media, params)
	return w.leaf(h, media, params)
}

// multipart reads the parts of a multipart.
func (w *walker) multipart(media string, params map[string]string, depth int) delimiter {
	w.noteReport(media, params)
	level := len(w.open)
	boundary := params["boundary"]
	if boundary == "" {
		boundary = w.guessBoundary()
	}
	w.open = append(w.open, boundary)
	defer func() { w.open = w.open[:level] }()
	d := w.skip() // the preamble
	for d.level == level && !d.closing {
		d = w.entity(w.header(), depth+1)
	}
	if d.level == level { // closed: the epilogue belongs to the parent
		w.open = w.open[:level]
		return w.skip()
	}
	return d
}

// guessBoundary returns the boundary of a multipart that does not name it: what the first
// line that looks like a delimiter has.
func (w *walker) guessBoundary() string {
	for w.next() {
		line := bytes.TrimRight(w.piece, " \t\r\n")
		if w.boundary().level >= 0 || w.start && len(line) > 4 && bytes.HasPrefix(line, []byte("--")) {
			w.unread()
			return string(line[2:])
		}
	}
	return "none"
}

// noteReport remembers what only reports about mail have.
func (w *walker) noteReport(media string, params map[string]string) {
	switch media {
	case "multipart/report":
		w.parsed.Report = cmp.Or(strings.ToLower(CleanLine(params["report-type"])), "report")
	case "message/delivery-status", "message/disposition-notification", "message/feedback-report":
		w.parsed.Report = cmp.Or(w.parsed.Report, strings.TrimPrefix(media, "message/"))
	}
}

// skip passes over lines up to the next delimiter.
func (w *walker) skip() delimiter {
	for w.next() {
		if d := w.boundary(); d.level >= 0 {
			return d
		}
	}
	return noDelimiter
}

// leaf reads a body without parts: text of the message, or an attachment.
func (w *walker) leaf(h Header, media string, params map[string]string) delimiter {
	name := fileName(h, params)
	disposition, _, _ := strings.Cut(strings.ToLower(h.Get("Content-Disposition")), ";")
	isText := (media == "text/plain" || media == "text/html") && strings.TrimSpace(disposition) != "attachment"
	if isText {
		body := &capped{limit: maxPartText}
		d := w.decode(h, body)
		w.addText(media, body, params["charset"])
		return d
	}
	sum := &digest{h: sha256.New()}
	d := w.decode(h, sum)
	w.parsed.digests = append(w.parsed.digests, sum.hex())
	if len(w.parsed.Attachments) < maxAttachments {
		w.parsed.Attachments = append(w.parsed.Attachments, Attachment{Name: name, Media: media, Size: sum.n, SHA256: sum.hex()})
	}
	return d
}

// decode writes the decoded body to dst. The line end before a delimiter belongs to the
// delimiter; for text it does not matter, and digests only need to be the same every time.
func (w *walker) decode(h Header, dst io.Writer) delimiter {
	dec := newLineDecoder(h.Get("Content-Transfer-Encoding"), dst)
	defer dec.end()
	for w.next() {
		if d := w.boundary(); d.level >= 0 {
			return d
		}
		dec.line(w.piece)
	}
	return noDelimiter
}

func (w *walker) addText(media string, body *capped, label string) {
	if body.cut {
		w.limit("text")
	}
	text, guessed := decodeText(body.b, label)
	w.parsed.Guessed = w.parsed.Guessed || guessed
	dst := &w.text
	if media == "text/html" {
		dst = &w.html
	}
	if dst.Len()+len(text) > maxAllText {
		w.limit("text")
		return
	}
	if dst.Len() > 0 {
		dst.WriteByte('\n')
	}
	dst.WriteString(text)
}

func (w *walker) limit(name string) {
	if !slices.Contains(w.parsed.Limits, name) {
		w.parsed.Limits = append(w.parsed.Limits, name)
	}
}

var (
	typeToken  = regexp.MustCompile(`^[\s"']*([A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+)`)
	paramToken = regexp.MustCompile(`(?i)[;\s](boundary|charset|name|report-type)\s*=\s*(?:"([^"]*)"?|([^;\s]+))`)
)

// mediaType reads a Content-Type. What is not written as it should be is searched for what
// matters. Text is the default (RFC 2045, section 5.2).
func mediaType(v string) (string, map[string]string) {
	if strings.TrimSpace(v) == "" {
		return "text/plain", nil
	}
	if m, p, err := mime.ParseMediaType(v); err == nil && strings.Contains(m, "/") {
		return m, p
	}
	params := make(map[string]string)
	for _, m := range paramToken.FindAllStringSubmatch(v, 20) {
		if k := strings.ToLower(m[1]); params[k] == "" {
			params[k] = m[2] + m[3]
		}
	}
	if m := typeToken.FindStringSubmatch(v); m != nil {
		return strings.ToLower(m[1]), params
	}
	switch v = strings.ToLower(v); {
	case strings.Contains(v, "html"):
		return "text/html", params
	case !strings.Contains(v, "/"):
		return "text/plain", params
	}
	return "application/octet-stream", params
}

// fileName returns the name of an attachment, without any path.
func fileName(h Header, params map[string]string) string {
	name := params["name"]
	if _, p, err := mime.ParseMediaType(h.Get("Content-Disposition")); err == nil && p["filename"] != "" {
		name = p["filename"]
	}
	name = CleanLine(DecodeWords(name))
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

// capped keeps the first bytes written to it.
type capped struct {
	b     []byte
	limit int
	cut   bool
}

func (c *capped) Write(p []byte) (int, error) {
	n := min(len(p), c.limit-len(c.b))
	c.b = append(c.b, p[:n]...)
	c.cut = c.cut || n < len(p)
	return len(p), nil
}

// digest hashes and counts what is written to it.
type digest struct {
	h hash.Hash
	n int64
}

func (d *digest) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	return d.h.Write(p)
}

func (d *digest) hex() string { return hex.EncodeToString(d.h.Sum(nil)) }
