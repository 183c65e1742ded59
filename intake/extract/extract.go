package extract

import (
	"strings"
	"unicode/utf8"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// Limits of what is read; the rest is ignored.
const (
	maxText     = 2 << 20 // bytes of each of the texts
	maxLines    = 20_000
	maxValue    = 16 << 10 // bytes of what stands after a label
	maxNewBytes = 64 << 10 // of Result.New
)

// Options say whose domains are never the prospect's.
type Options struct {
	// OwnDomain reports whether a registrable domain is the vendor's; nil means none is.
	OwnDomain func(key string) bool
	// PartnerDomain reports whether a registrable domain is a partner's; nil means none is.
	PartnerDomain func(key string) bool
}

// Extractor reads leads. It is immutable and safe for concurrent use.
type Extractor struct {
	ids  *identity.Lists
	opts Options
	dict *dictionary
}

// New returns an extractor over the lists of domains.
func New(ids *identity.Lists, opts Options) *Extractor {
	if opts.OwnDomain == nil {
		opts.OwnDomain = func(string) bool { return false }
	}
	if opts.PartnerDomain == nil {
		opts.PartnerDomain = func(string) bool { return false }
	}
	return &Extractor{ids: ids, opts: opts, dict: builtin()}
}

// Input is a message as a channel decoded it. Text and HTML are two forms of the same; all
// fields may be empty.
type Input struct {
	Subject, Text, HTML string
	// SenderName and SenderAddress are of the person who sent it: the partner, never the
	// prospect. SenderDomain is the registrable domain of the address.
	SenderName, SenderAddress, SenderDomain string
	// Forwarded are messages that came along as attachments.
	Forwarded []Forwarded
	// Tables, Cards and Calendars are the attachments that leads and meetings are read from.
	Tables    []Attachment // CSV (RFC 4180) and what spreadsheets make of it
	Cards     []Attachment // vCard (RFC 6350)
	Calendars []Attachment // iCalendar (RFC 5545)
}

// Forwarded is a message within the message.
type Forwarded struct {
	FromName, FromAddress, Subject, Text, HTML string
}

// Attachment is a file as it came.
type Attachment struct {
	Name    string
	Charset string // label; empty if there is none
	Content []byte
}

// Class says what a message is to a reader who does not know who sent it.
type Class string

// The classes.
const (
	ClassLead     Class = "lead"
	ClassMulti    Class = "multi"      // several leads
	ClassReply    Class = "reply"      // answers or continues something and registers nothing new
	ClassNotALead Class = "not_a_lead" // surely nothing is registered
	ClassUnclear  Class = "unclear"    // a person may have meant to register something
)

// Result is what was understood.
type Result struct {
	Class Class
	// Leads are in the order of the message, at most maxLeads; one at least for ClassLead and
	// ClassMulti. A reply that gives some fields has one.
	Leads []Lead
	// Text is the normalised text that the spans of the evidence point into.
	Text string
	// New is what the person wrote this time, without quotations and signature.
	New string
	// Inline says that the lead was found in the quotation, filled into our own question: all of
	// it, or all but what stands on new lines between the quoted ones.
	Inline   bool
	Meetings []intake.Meeting
	// Faults are rows of an attached table that hold no lead.
	Faults []intake.RowFault
}

// Lead is one prospect as it was read. A field is absent that could not be read for sure.
type Lead struct {
	Fields intake.Lead
	// Evidence holds the origin of each of the fields.
	Evidence map[intake.Field]Evidence
	// Problems are fields that were given more than once, differently.
	Problems []intake.Problem
}

// Evidence is where a value comes from.
type Evidence struct {
	Words string `json:"words"`
	// Start and End are byte offsets into Result.Text; both are 0 for what stands elsewhere:
	// in the subject or in an attachment.
	Start int `json:"start"`
	End   int `json:"end"`
	// Score is how sure the reading is, 0 to 1.
	Score float64 `json:"score"`
	// Method names how it was found: "label", "table", "prose", "subject", "forwarded" …
	Method string `json:"method"`
}

// Version names the reader and its dictionary: the same bytes give the same result under
// the same version.
func Version() string { return version() }

// Extract reads leads out of in.
func (e *Extractor) Extract(in Input) Result {
	d := split(e.source(in), e.dict)
	res := Result{New: d.newText(), Text: d.text}
	found := e.read(d, d.fresh())
	if (len(found) == 0 || d.onlyBetween()) && answersUs(in.Subject, d) {
		for f, rs := range e.readInline(d) {
			if _, written := found[f]; !written {
				found[f], res.Inline = rs, true
			}
		}
	}
	lead, words := e.merge(found, in)
	res.Inline = res.Inline && len(lead) > 0
	res.Class = ClassUnclear
	if len(lead) > 0 {
		l := Lead{Fields: lead, Evidence: make(map[intake.Field]Evidence)}
		for f, w := range words {
			l.Evidence[f] = Evidence{Words: w, Score: 1, Method: "label"}
		}
		res.Class, res.Leads = ClassLead, []Lead{l}
	}
	return res
}

// source picks the text to read: the HTML form if it has a table of labels, which plain
// text twins tear apart, or if the plain form is empty or a mere pointer to it; else the
// plain form.
func (e *Extractor) source(in Input) string {
	text := normalise(in.Text)
	if in.HTML == "" {
		return text
	}
	html := normalise(htmlText(clip(in.HTML, maxText)))
	if e.hasLabelTable(html) || 5*len(strings.TrimSpace(text)) < len(strings.TrimSpace(html)) {
		return html
	}
	if strings.TrimSpace(text) == "" {
		return html
	}
	return text
}

// hasLabelTable reports whether the converted HTML has a two-cell row whose first cell is
// a label.
func (e *Extractor) hasLabelTable(text string) bool {
	for line := range strings.Lines(text) {
		if label, _, ok := strings.Cut(line, "\t"); ok {
			if _, known := e.dict.labels[fold(label)]; known {
				return true
			}
		}
	}
	return false
}

// clip returns the first n bytes of s at most, without tearing a character.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
