package mailbox

import (
	"io"
	"slices"
	"strings"
)

// Limits of what is read of one message. What lies beyond is passed over, and the message
// says so in Limits.
const (
	maxHeaderBytes  = 1 << 20
	maxHeaderFields = 1000
	maxDepth        = 20
	maxParts        = 500
	maxPartText     = 1 << 20 // bytes of text of one part
	maxAllText      = 2 << 20 // bytes of each kind of text
	maxAttachments  = 100     // that are named
	maxAddresses    = 200     // per field
	maxReferences   = 32      // the newest
)

// Parsed is a message as far as it could be read. All strings are valid UTF-8 without
// control characters; texts keep line feeds and tabs.
type Parsed struct {
	// From are the different mailboxes of all From fields; FromFields counts the fields.
	From       []Address
	FromFields int
	Sender     Address
	ReplyTo    []Address
	To         []Address // To and Cc
	Subject    string
	MessageID  string // without angle brackets
	InReplyTo  []string
	References []string // oldest first
	Date       string   // as written
	Text, HTML string
	// Report is the report-type of a multipart/report (RFC 6522), or the type of a part
	// that only reports have; lower case.
	Report      string
	Attachments []Attachment
	// Limits names the limits that were hit; Guessed says that a character set was guessed.
	Limits  []string
	Guessed bool

	header header
	// digests are the SHA-256 of all attachments, named or not.
	digests []string
}

// Address is a mailbox of a message.
type Address struct {
	Name, Address string
}

// Domain returns what stands behind the @, lower case.
func (a Address) Domain() string {
	return strings.ToLower(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
}

// Attachment is a part that is no text of the message.
type Attachment struct {
	Name, Media string
	Size        int64 // decoded
	SHA256      string
}

// Parse reads a message of any shape in one pass, in memory bounded by the limits above.
// There is no message that it refuses; the error is one of reading r.
func Parse(r io.Reader) (Parsed, error) {
	w := newWalker(r)
	err := w.message()
	p := w.parsed
	p.header = w.top
	p.fill()
	return p, err
}

// Readable reports whether anything of a mail was found: a header field or some text.
func (p *Parsed) Readable() bool {
	return len(p.header) > 0 && (len(p.From) > 0 || p.FromFields > 0 || p.Subject != "" || p.MessageID != "")
}

// fill reads the fields of the header that the channel needs.
func (p *Parsed) fill() {
	h := p.header
	for _, v := range h.all("From") {
		p.FromFields++
		for _, a := range parseAddresses(v) {
			if !slices.ContainsFunc(p.From, func(b Address) bool { return strings.EqualFold(a.Address, b.Address) }) {
				p.From = append(p.From, a)
			}
		}
	}
	if s := parseAddresses(h.get("Sender")); len(s) > 0 {
		p.Sender = s[0]
	}
	p.ReplyTo = parseAddresses(h.get("Reply-To"))
	for _, name := range []string{"To", "Cc"} {
		for _, v := range h.all(name) {
			p.To = append(p.To, parseAddresses(v)...)
		}
	}
	p.Subject = cleanLine(decodeWords(h.get("Subject")))
	p.Date = cleanLine(h.get("Date"))
	if ids := messageIDs(h.get("Message-ID")); len(ids) > 0 {
		p.MessageID = ids[0]
	}
	p.InReplyTo = lastN(messageIDs(h.get("In-Reply-To")), maxReferences)
	p.References = lastN(messageIDs(h.get("References")), maxReferences)
}

func lastN(s []string, n int) []string { return s[max(0, len(s)-n):] }

// messageIDs splits a field of message ids (RFC 5322, section 3.6.4), tolerating commas
// between them and missing brackets.
func messageIDs(v string) []string {
	var out []string
	if v = cleanLine(v); v == "" {
		return nil
	}
	if !strings.Contains(v, "<") {
		return strings.FieldsFunc(v, func(r rune) bool { return r == ' ' || r == ',' || r == '>' })
	}
	for {
		_, rest, ok := strings.Cut(v, "<")
		if !ok {
			return out
		}
		id, rest, ok := strings.Cut(rest, ">")
		if id = strings.Join(strings.Fields(id), ""); id != "" {
			out = append(out, id)
		}
		if !ok {
			return out
		}
		v = rest
	}
}
