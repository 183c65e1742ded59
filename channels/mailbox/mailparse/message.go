package mailparse

import (
	"io"
	"slices"
	"strings"
)

// Limits of what is read of one message. What lies beyond is passed over, and the message
// says so in Limits.
const (
	maxHeaderBytes    = 1 << 20 // of the header of the message, and of each part
	maxHeaderFields   = 1000
	maxDepth          = 20 // of multiparts
	maxParts          = 500
	maxNested         = 3        // messages within messages
	maxForwarded      = 20       // messages that came as attachments
	maxForwardedHead  = 64 << 10 // bytes of the header of each of them
	maxPartText       = 1 << 20  // bytes of text of one part
	maxAllText        = 2 << 20  // bytes of each kind of text
	maxTexts          = 8 << 20  // bytes of text of a message and those within it
	maxAttachments    = 100      // that are named
	maxAddresses      = 200      // per field
	maxAddressField   = 64 << 10 // bytes of a field of addresses
	maxSubject        = 64 << 10 // bytes
	maxReferenceField = 64 << 10 // bytes of a field of message ids
	MaxReferences     = 32       // the newest
)

// Parsed is a message as far as it could be read. All strings are valid UTF-8 without
// control characters; texts keep line feeds and tabs.
type Parsed struct {
	// From are the different mailboxes of all From fields; FromFields counts the fields.
	From       []Address
	FromFields int
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
	Report string
	// Delivery is what a report of non-delivery, a receipt or a complaint says; nil if the
	// mail has nothing machine-readable that says it. A report may name no recipients.
	Delivery    *Delivery `json:",omitempty"`
	Attachments []Attachment
	// Forwarded are the messages that came as attachments, at most maxForwarded and maxNested
	// deep, the outer before those within it. They have no Forwarded of their own, and their
	// text is no part of Text.
	Forwarded []Parsed `json:",omitempty"`
	// Sealed says that the content can't be read by us, and why; SealNone if it can.
	Sealed Seal `json:",omitempty"`
	// Limits names the limits that were hit: header, depth, parts, text, attachment (one is
	// larger than is kept), attachments, forwarded, addresses. Guessed says that a character
	// set was guessed.
	Limits  []string
	Guessed bool
	// Damaged says that the header was read in part, or that other readers may see it end
	// elsewhere: a line in it is none, or no field.
	Damaged bool `json:",omitempty"`

	Header Header `json:"-"`
	// digests are the SHA-256 of all attachments, named or not.
	digests []string
}

// Parse reads a message of any shape in one pass, in memory bounded by the limits above.
// There is no message that it refuses; the error is one of reading r.
func Parse(r io.Reader) (Parsed, error) {
	w := newWalker(r, new(budget))
	defer w.release()
	err := w.message()
	return w.parsed, err
}

// Readable reports whether anything of a mail was found: a header field or some text.
func (p *Parsed) Readable() bool {
	return len(p.Header) > 0 && (len(p.From) > 0 || p.FromFields > 0 || p.Subject != "" || p.MessageID != "")
}

// fill reads the fields of the header that the channel needs.
func (p *Parsed) fill() {
	h := p.Header
	for _, v := range h.All("From") {
		p.FromFields++
		if len(p.From) == maxAddresses {
			continue
		}
		for _, a := range ParseAddresses(v) {
			if len(p.From) < maxAddresses && !slices.ContainsFunc(p.From, func(b Address) bool { return strings.EqualFold(a.Address, b.Address) }) {
				p.From = append(p.From, a)
			}
		}
	}
	p.ReplyTo = ParseAddresses(h.Get("Reply-To"))
	for _, name := range []string{"To", "Cc"} {
		for _, v := range h.All(name) {
			if len(p.To) < maxAddresses {
				p.To = append(p.To, ParseAddresses(v)...)
			}
		}
	}
	p.To = p.To[:min(len(p.To), maxAddresses)]
	if max(len(p.From), len(p.To), len(p.ReplyTo)) == maxAddresses {
		p.limit("addresses")
	}
	p.Subject = CleanLine(DecodeWords(clip(h.Get("Subject"), maxSubject)))
	p.Date = CleanLine(clip(h.Get("Date"), maxSubject))
	if ids := messageIDs(clip(h.Get("Message-ID"), maxReferenceField)); len(ids) > 0 {
		p.MessageID = ids[0]
	}
	p.InReplyTo = newest(h.Get("In-Reply-To"))
	p.References = newest(h.Get("References"))
}

// limit notes that a limit was hit.
func (p *Parsed) limit(name string) {
	if !slices.Contains(p.Limits, name) {
		p.Limits = append(p.Limits, name)
	}
}

// newest returns the last message ids of a field.
func newest(v string) []string {
	if cut := len(v) - maxReferenceField; cut > 0 {
		v = v[cut:]
		v = v[max(0, strings.IndexAny(v, "< ,")):]
	}
	ids := messageIDs(v)
	return ids[max(0, len(ids)-MaxReferences):]
}

// messageIDs splits a field of message ids (RFC 5322, section 3.6.4), tolerating commas
// between them and missing brackets.
func messageIDs(v string) []string {
	var out []string
	if v = CleanLine(v); v == "" {
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
