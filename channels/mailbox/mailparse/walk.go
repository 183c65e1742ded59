package mailparse

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"sync"
)

// walker reads a message line by line, in one pass. Multiparts (RFC 2046, section 5.1) are
// found by the boundaries that are open: a part ends at any of them, so that a missing end,
// a broken header or a damaged body never takes what follows with it.
//
// It is not built on a MIME library, because those that there are refuse or lose messages
// that people do send (see the cases of the tests), and go through nested parts once for
// each level.
type walker struct {
	*buffers
	source
	err    error // of reading, but io.EOF
	text   pieces
	html   pieces
	body   capped // of a part
	seals  seals
	parsed Parsed
	// damaged says that a header was read which other readers may see end elsewhere.
	damaged bool

	nested int // how many messages are around this one
	budget *budget
}

// source is where a walker reads, and the boundaries that are open there.
type source struct {
	r     *bufio.Reader
	eof   bool
	piece []byte // the current piece of a line
	start bool   // the piece begins a line
	again bool   // the piece is to be read once more
	open  []string
}

// budget is what a message and those within it may use together.
type budget struct {
	parts, texts, contents, forwarded int
}

// buffers is the memory that walkers use one after another.
type buffers struct {
	reader  *bufio.Reader
	body    []byte // of a text or of what is kept
	field   []byte // of a header
	decoded []byte // of at most readSize bytes
	sum     digest
}

const (
	readSize = 64 << 10 // bytes
	keepSize = 1 << 20  // bytes of a buffer that is worth keeping
)

var pool = sync.Pool{New: func() any {
	return &buffers{reader: bufio.NewReaderSize(nil, readSize), sum: digest{h: sha256.New()}}
}}

func newWalker(r io.Reader, b *budget) *walker {
	mem := pool.Get().(*buffers)
	mem.reader.Reset(r)
	return &walker{buffers: mem, source: source{r: mem.reader}, body: capped{b: mem.body}, budget: b}
}

// release gives the memory back; nothing of what was read may refer to it.
func (w *walker) release() {
	w.reader.Reset(nil)
	if cap(w.body.b) <= keepSize {
		w.buffers.body = w.body.b
	}
	if cap(w.field) > keepSize {
		w.field = nil
	}
	pool.Put(w.buffers)
	w.buffers, w.source = nil, source{}
}

// digest returns the digest of a part, which keeps so many bytes.
func (w *walker) digest(keep int) *digest {
	d := &w.sum
	d.h.Reset()
	d.n, d.used = 0, 0
	d.kept = capped{limit: keep}
	return d
}

// message reads the whole message.
func (w *walker) message() error {
	w.oldLineEnds()
	w.skipPreamble()
	p := &w.parsed
	p.Header = w.header()
	p.Damaged = w.damaged
	w.entity(p.Header, 0, "")
	p.Text, p.HTML = CleanText(w.text.join()), CleanText(w.html.join())
	p.Sealed = w.seals.of(p.Text, p.HTML)
	p.fill()
	p.completeDelivery()
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
	w.start = w.atLineStart()
	b, err := w.r.ReadSlice('\n')
	if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
		w.ended(err)
	}
	w.piece = b
	return len(b) > 0
}

func (w *walker) ended(err error) {
	w.eof = true
	if err != nil && !errors.Is(err, io.EOF) {
		w.err = err
	}
}

// atLineStart reports whether what comes next begins a line.
func (w *walker) atLineStart() bool { return len(w.piece) == 0 || w.piece[len(w.piece)-1] == '\n' }

// unread makes next return the current piece once more.
func (w *walker) unread() { w.again = true }

// peek returns up to n of the bytes that follow the current piece.
func (w *walker) peek(n int) []byte {
	w.piece = bytes.Clone(w.piece) // peeking may move the buffer
	b, _ := w.r.Peek(n)
	return b
}

// oldLineEnds makes the lines of a message that has none but those of old Macs end in LF.
func (w *walker) oldLineEnds() {
	line, _ := w.r.Peek(4 << 10)
	line, _, _ = bytes.Cut(line, lineFeed)
	if bytes.Count(bytes.TrimRight(line, "\r"), []byte("\r")) < 3 {
		return
	}
	w.r, w.damaged = bufio.NewReaderSize(crReader{w.r}, readSize), true
}

// crReader reads CR as LF.
type crReader struct{ r io.Reader }

func (c crReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\r' {
			p[i] = '\n'
		}
	}
	return n, err
}

// skipPreamble passes over a byte order mark, blank lines and the separator of mbox files at
// the top.
func (w *walker) skipPreamble() {
	for range 20 {
		if !w.next() {
			return
		}
		w.piece = bytes.TrimPrefix(w.piece, []byte("\uFEFF"))
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
	value := w.field[:0] // of the last field
	defer func() { w.field = value[:0] }()
	finish := func() Header {
		if len(h) > 0 && h[len(h)-1].Value == "" {
			h[len(h)-1].Value = string(value)
		}
		return h
	}
	size, strays := 0, 0
	limit := maxHeaderBytes
	if w.nested > 0 {
		limit = maxForwardedHead
	}
	for w.next() {
		line := bytes.TrimRight(w.piece, "\r\n")
		if w.start && len(line) == 0 {
			return finish()
		}
		if w.boundary().level >= 0 {
			w.unread()
			return finish()
		}
		if size += len(w.piece); size > limit {
			w.damaged = true
			w.parsed.limit("header")
			continue
		}
		w.damaged = w.damaged || !isHeaderLine(w.piece)
		if len(h) > 0 && !w.start {
			value = append(value, line...) // of a line that is longer than the buffer
			continue
		}
		if len(h) > 0 && (line[0] == ' ' || line[0] == '\t') {
			value = append(append(value, ' '), bytes.TrimSpace(line)...)
			continue
		}
		name, first := FieldName(bytes.TrimLeft(line, " \t"))
		if name == "" {
			w.damaged = true
			if len(bytes.TrimSpace(line)) == 0 {
				return finish()
			}
			if strays++; strays < maxStrays && w.headerGoesOn() {
				continue
			}
			w.unread()
			return finish()
		}
		if len(h) == maxHeaderFields {
			w.damaged = true
			w.parsed.limit("header")
			size = limit
			continue
		}
		finish()
		if h == nil {
			h = make(Header, 0, 16)
		}
		h, value = append(h, Field{Name: name}), append(value[:0], first...)
	}
	return finish()
}

// isHeaderLine reports whether all readers see one line where we do.
func isHeaderLine(piece []byte) bool {
	line := bytes.TrimSuffix(bytes.TrimSuffix(piece, lineFeed), []byte("\r"))
	return bytes.IndexByte(line, '\r') < 0 && bytes.IndexByte(line, 0) < 0
}

const (
	maxStrays = 20      // lines in a header that are no fields
	lookahead = 2 << 10 // bytes after such a line
)

// sureFields are fields that nobody writes into a text; lower case.
var sureFields = []string{
	"content-type", "content-transfer-encoding", "content-disposition", "mime-version", "message-id", "received",
	"return-path", "dkim-signature",
}

// headerGoesOn reports whether the current line, which is no field, only strayed into a
// header: fields that no text has follow it before the next blank line.
func (w *walker) headerGoesOn() bool {
	rest := w.peek(lookahead)
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, lineFeed)
		if len(bytes.TrimSpace(line)) == 0 || bytes.HasPrefix(line, []byte("--")) {
			return false
		}
		for _, f := range sureFields {
			if len(line) > len(f) && line[len(f)] == ':' && strings.EqualFold(string(line[:len(f)]), f) {
				return true
			}
		}
	}
	return false
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
	if len(w.piece) < 2 || w.piece[0] != '-' || w.piece[1] != '-' || !w.start {
		return noDelimiter
	}
	line := bytes.TrimRight(w.piece[2:], " \t\r\n")
	for i := len(w.open) - 1; i >= 0; i-- {
		b := w.open[i]
		if len(line) < len(b) || string(line[:len(b)]) != b {
			continue
		}
		if rest := line[len(b):]; len(rest) == 0 || string(rest) == "--" {
			return delimiter{i, len(rest) > 0}
		}
	}
	return noDelimiter
}

// entity reads the body that belongs to h, and returns the delimiter that ended it. Within
// parent, the type of the multipart around it, the default type is another.
func (w *walker) entity(h Header, depth int, parent string) delimiter {
	if w.budget.parts++; w.budget.parts > maxParts {
		w.parsed.limit("parts")
		return w.drain()
	}
	contentType := h.Get("Content-Type")
	if contentType == "" && parent == "multipart/digest" {
		contentType = "message/rfc822" // RFC 2046, section 5.1.5
	}
	media, p := mediaType(contentType)
	if media == "multipart/report" {
		w.parsed.Report = cmp.Or(strings.ToLower(p.text("report-type")), "report")
	}
	if strings.HasPrefix(media, "multipart/") {
		w.seals.note(media, "", p)
		if depth < maxDepth {
			return w.multipart(media, p, depth)
		}
		w.parsed.limit("depth")
		return w.skip()
	}
	return w.leaf(h, media, p, depth)
}

// multipart reads the parts of a multipart.
func (w *walker) multipart(media string, p params, depth int) delimiter {
	level := len(w.open)
	w.open = append(w.open, cmp.Or(p.boundary(), noBoundary))
	defer func() { w.open = w.open[:level] }()
	d := w.preamble(level)
	for d.level == level && !d.closing {
		d = w.entity(w.header(), depth+1, media)
	}
	if d.level == level { // closed: the epilogue belongs to the parent
		w.open = w.open[:level]
		return w.skip()
	}
	return d
}

// noBoundary stands for the boundary of a multipart that names none; no line has it.
const noBoundary = "\n"

// preamble reads what stands before the first part of the multipart of a level. Its boundary
// may be missing or wrong: then that of the first line counts that looks like one. If there
// is none the preamble is the text.
func (w *walker) preamble(level int) delimiter {
	w.body = capped{b: w.body.b[:0], limit: maxPartText}
	for w.next() {
		d := w.boundary()
		if d.level < 0 && w.adopt(level) {
			d = delimiter{level: level}
		}
		if d.level >= 0 {
			if d.level != level {
				w.keepPreamble()
			}
			return d
		}
		(&identityLines{w: &w.body}).line(w.piece)
	}
	w.keepPreamble()
	return noDelimiter
}

func (w *walker) keepPreamble() {
	if len(bytes.TrimSpace(w.body.b)) == 0 {
		return
	}
	media := "text/plain"
	if bytes.Contains(bytes.ToLower(w.body.b[:min(len(w.body.b), 1<<10)]), []byte("<html")) {
		media = "text/html"
	}
	w.addText(media, nil)
}

// adopt takes the current line as the delimiter of the multipart of a level, if it looks
// like one and there was no other so far.
func (w *walker) adopt(level int) bool {
	line := bytes.TrimRight(w.piece, " \t\r\n")
	if !w.start || len(line) <= 4 || !bytes.HasPrefix(line, []byte("--")) || bytes.Trim(line, "-") == nil {
		return false
	}
	if w.open[level] != noBoundary {
		const field = "content-"
		next := w.peek(len(field))
		if !strings.EqualFold(string(next), field) {
			return false
		}
		line = bytes.TrimRight(w.piece, " \t\r\n")
	}
	w.open[level] = string(line[2:])
	return true
}

// skip passes over lines up to the next delimiter.
func (w *walker) skip() delimiter {
	if len(w.open) == 0 {
		return w.drain()
	}
	for {
		if len(w.lines()) > 0 {
			continue
		}
		if !w.next() {
			return noDelimiter
		}
		if d := w.boundary(); d.level >= 0 {
			return d
		}
	}
}

// lines takes whole lines out of the buffer, as many as there are before what may be a
// delimiter; none if next has to look.
func (w *walker) lines() []byte {
	buf, _ := w.r.Peek(w.r.Buffered())
	if w.again || len(buf) == 0 || w.atLineStart() && w.mayDelimit(buf) {
		return nil
	}
	end := 0
	for end < len(buf) {
		// Where one line begins like a delimiter the next one often does.
		i := bytes.IndexByte(buf[end:], '\n')
		if i >= 0 && (len(buf) < end+i+2 || buf[end+i+1] != '-') {
			if n := bytes.Index(buf[end+i:], []byte("\n--")); n >= 0 {
				i += n
			} else {
				i = -1
			}
		}
		if i < 0 {
			end += bytes.LastIndexByte(buf[end:], '\n') + 1
			break
		}
		if end += i + 1; w.mayDelimit(buf[end:]) {
			break
		}
	}
	if end > 0 {
		w.piece = buf[end-1 : end]
		w.r.Discard(end)
	}
	return buf[:end]
}

// mayDelimit reports whether a line begins as an open boundary does; so do the last bytes of
// the buffer, where too few are left to tell.
func (w *walker) mayDelimit(line []byte) bool {
	if line[0] != '-' || len(line) > 1 && line[1] != '-' {
		return false
	}
	for _, b := range w.open {
		if len(line) < len(b)+2 || string(line[2:len(b)+2]) == b {
			return true
		}
	}
	return false
}

// drain passes over all that is left.
func (w *walker) drain() delimiter {
	w.again = false
	_, err := io.Copy(io.Discard, w.r)
	w.ended(err)
	return noDelimiter
}

// leaf reads a body without parts: text of the message, a report, a message or an attachment.
func (w *walker) leaf(h Header, media string, p params, depth int) delimiter {
	disposition, dp := parseParams(h.Get("Content-Disposition"))
	a := Attachment{Name: fileName(dp, p), Media: media, Charset: CleanLine(p.get("charset"))}
	switch {
	case isBody(a, strings.EqualFold(disposition, "attachment"), depth == 0):
		w.body = capped{b: w.body.b[:0], limit: maxPartText}
		d := w.decode(h, &w.body)
		w.addText(media, p)
		return d
	case isReport(media):
		return w.report(h, a)
	case isMessage(a), media == "text/rfc822-headers" && w.parsed.Report != "":
		return w.embedded(h, a)
	}
	if isSigned(media, a.Name, p) && depth < maxDepth {
		return w.signed(h, a, p, depth)
	}
	w.seals.note(media, a.Name, p)
	keep := a.Kind().limit()
	sum := w.digest(min(keep, maxContents-w.budget.contents))
	sum.kept.b = w.body.b[:0]
	d := w.decode(h, sum)
	w.body.b = sum.kept.b
	if a.Content = sum.content(); a.Content == nil && keep > 0 {
		w.parsed.limit("attachment")
	}
	w.budget.contents += len(a.Content)
	w.attach(a, sum)
	return d
}

// isBody reports whether a part is text of the message itself.
func isBody(a Attachment, attached, whole bool) bool {
	switch {
	case a.Media == "text/html", a.Media == "text/plain":
		return a.Kind() == KindOther && (!attached || whole && a.Name == "")
	case a.Media == "text/enriched", a.Media == "text/richtext", a.Media == "text/markdown":
		return a.Name == "" && !attached
	}
	return whole && a.Name == "" && strings.HasPrefix(a.Media, "text/") && a.Kind() == KindOther
}

func isMessage(a Attachment) bool {
	switch a.Media {
	case "message/rfc822", "message/global", "message/news", "message/global-headers":
		return true
	case "application/octet-stream":
		return extension(a.Name) == "eml"
	}
	return false
}

func (w *walker) attach(a Attachment, sum *digest) {
	a.Size, a.SHA256 = sum.n, sum.hex()
	w.parsed.digests = append(w.parsed.digests, a.SHA256)
	if len(w.parsed.Attachments) == maxAttachments {
		w.parsed.limit("attachments")
		return
	}
	w.parsed.Attachments = append(w.parsed.Attachments, a)
}

// report reads what a machine says about earlier mail.
func (w *walker) report(h Header, a Attachment) delimiter {
	w.parsed.Report = cmp.Or(w.parsed.Report, strings.TrimPrefix(strings.TrimPrefix(a.Media, "message/"), "global-"))
	sum := w.digest(maxReport)
	d := w.decode(h, sum)
	w.parsed.delivery().read(string(sum.kept.b))
	w.attach(a, sum)
	return d
}

// decode writes the decoded body to dst. The line end before a delimiter belongs to the
// delimiter; for text it does not matter, and digests only need to be the same every time.
func (w *walker) decode(h Header, dst io.Writer) delimiter {
	dec := newLineDecoder(h.Get("Content-Transfer-Encoding"), dst, &w.decoded)
	text := dst == io.Writer(&w.body)
	for {
		if d, ended := w.step(dec); ended {
			return d
		}
		if text && w.body.cut {
			return w.skip()
		}
	}
}

// step decodes some of a body. At its end it returns the delimiter.
func (w *walker) step(dec lineDecoder) (d delimiter, ended bool) {
	if bulk, ok := dec.(bulkDecoder); ok {
		if b := w.lines(); len(b) > 0 {
			bulk.lines(b)
			return d, false
		}
	}
	if !w.next() {
		dec.end()
		return noDelimiter, true
	}
	if d = w.boundary(); d.level >= 0 {
		dec.end()
		return d, true
	}
	dec.line(w.piece)
	return d, false
}

// addText adds the body just read to the text of the message.
func (w *walker) addText(media string, p params) {
	if w.body.cut {
		w.parsed.limit("text")
	}
	label, dst := p.get("charset"), &w.text
	if media == "text/html" {
		dst = &w.html
		if label == "" {
			label = htmlCharset(w.body.b)
		}
	}
	text, guessed := decodeText(w.body.b, label)
	w.parsed.Guessed = w.parsed.Guessed || guessed
	if media != "text/html" && strings.EqualFold(p.get("format"), "flowed") {
		text = unflow(text, strings.EqualFold(p.get("delsp"), "yes"))
	}
	if room := min(maxAllText-dst.size, maxTexts-w.budget.texts); len(text) > room {
		w.parsed.limit("text")
		text = clip(text, max(0, room))
	}
	dst.add(text)
	w.budget.texts += len(text)
}

// pieces are the texts of the parts of one kind.
type pieces struct {
	list []string
	size int // bytes
}

func (p *pieces) add(s string) {
	if s != "" {
		p.list = append(p.list, s)
		p.size += len(s) + 1
	}
}

// join parts them by a line feed.
func (p *pieces) join() string { return strings.Join(p.list, "\n") }
