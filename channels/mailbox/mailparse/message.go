package mailparse

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
	MaxReferences   = 32      // the newest
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
	Report string
	// Delivery is what a report of non-delivery, a receipt or a complaint says; nil if the
	// mail has no machine-readable part that says it.
	Delivery    *Delivery `json:",omitempty"`
	Attachments []Attachment
	// Forwarded are the messages that came as attachments, at most maxNested deep. They have
	// no Forwarded of their own.
	Forwarded []Parsed `json:",omitempty"`
	// Sealed says that the content can't be read by us, and why; SealNone if it can.
	Sealed Seal `json:",omitempty"`
	// Limits names the limits that were hit; Guessed says that a character set was guessed.
	Limits  []string
	Guessed bool

	Header Header `json:"-"`
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
	// Content is the decoded content of the kinds that leads are read from (see Kind), nil
	// of others and of what is larger than the limit.
	Content []byte `json:"-"`
	// Charset is the label of the Content-Type; empty if there is none.
	Charset string `json:",omitempty"`
}

// Kind is what an attachment is to us, by its media type and the end of its name.
type Kind string

// The kinds of attachments that have Content.
const (
	KindOther    Kind = ""
	KindCSV      Kind = "csv"      // text/csv, text/tab-separated-values; at most maxTable bytes
	KindCalendar Kind = "calendar" // text/calendar (RFC 5545)
	KindCard     Kind = "card"     // text/vcard, text/x-vcard (RFC 6350)
)

// Seal says why a content can't be read.
type Seal string

// The seals.
const (
	SealNone      Seal = ""
	SealEncrypted Seal = "encrypted" // S/MIME (RFC 8551) or OpenPGP (RFC 3156)
	SealTNEF      Seal = "winmail"   // only a winmail.dat, and no text
)

// Delivery is what a report about earlier mail says: a delivery status notification
// (RFC 3464), a disposition notification (RFC 8098) or a feedback report (RFC 5965).
type Delivery struct {
	Recipients []Recipient `json:",omitempty"`
	// Feedback is the Feedback-Type of a complaint: "abuse"; empty for other reports.
	Feedback string `json:",omitempty"`
	// Original is the header of the mail that is reported about, as far as it came back.
	Original Header `json:",omitempty"`
	// MessageID is that of the mail that is reported about, without angle brackets.
	MessageID string `json:",omitempty"`
}

// Recipient is what a report says about one address.
type Recipient struct {
	Address string
	Action  string `json:",omitempty"` // failed, delayed, delivered, relayed, expanded; lower case
	Status  string `json:",omitempty"` // "5.1.1"
	Detail  string `json:",omitempty"` // Diagnostic-Code, one line
}

// Parse reads a message of any shape in one pass, in memory bounded by the limits above.
// There is no message that it refuses; the error is one of reading r.
func Parse(r io.Reader) (Parsed, error) {
	w := newWalker(r)
	err := w.message()
	p := w.parsed
	p.Header = w.top
	p.fill()
	return p, err
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
		for _, a := range ParseAddresses(v) {
			if !slices.ContainsFunc(p.From, func(b Address) bool { return strings.EqualFold(a.Address, b.Address) }) {
				p.From = append(p.From, a)
			}
		}
	}
	if s := ParseAddresses(h.Get("Sender")); len(s) > 0 {
		p.Sender = s[0]
	}
	p.ReplyTo = ParseAddresses(h.Get("Reply-To"))
	for _, name := range []string{"To", "Cc"} {
		for _, v := range h.All(name) {
			p.To = append(p.To, ParseAddresses(v)...)
		}
	}
	p.Subject = CleanLine(DecodeWords(h.Get("Subject")))
	p.Date = CleanLine(h.Get("Date"))
	if ids := messageIDs(h.Get("Message-ID")); len(ids) > 0 {
		p.MessageID = ids[0]
	}
	p.InReplyTo = lastN(messageIDs(h.Get("In-Reply-To")), MaxReferences)
	p.References = lastN(messageIDs(h.Get("References")), MaxReferences)
}

func lastN(s []string, n int) []string { return s[max(0, len(s)-n):] }

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
