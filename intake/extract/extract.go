package extract

import (
	"fmt"
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
	// OwnNames are the vendor's names, with which the names of its products begin.
	OwnNames []string
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
	// Leads are in the order of the message, at most MaxLeads; one at least for ClassLead and
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

// mail is one message while it is read.
type mail struct {
	in  Input
	doc *document
	// sender is what is known of the partner: words of his own name and company.
	sender signatory
	// continues says that it answers a mail of ours: its sentences describe no need.
	continues bool
}

// Extract reads leads out of in.
func (e *Extractor) Extract(in Input) Result {
	m := &mail{in: in, doc: split(e.source(in), in, e.dict)}
	m.sender, m.continues = e.signatory(m), answersUs(in.Subject, m.doc)
	res := Result{New: m.doc.newText(), Text: m.doc.text}
	e.readAttached(&res, m)
	shared := e.readForward(m)
	shared.addAll(e.readMessages(m))
	if own := e.readLeads(m, shared); len(res.Leads) == 0 || addsTo(res.Leads, own) {
		res.Leads = append(res.Leads, own...)
	}
	if len(res.Leads) == 0 || len(m.doc.messages) == 0 && m.doc.onlyBetween() {
		res.Inline = e.answer(&res, m)
	}
	if len(res.Leads) > MaxLeads {
		res.Leads = res.Leads[:MaxLeads]
		res.Faults = append(res.Faults, intake.RowFault{Row: MaxLeads + 1, Problem: intake.Problem{
			Code:    intake.ProblemTooLong,
			Message: fmt.Sprintf("only the first %d registrations were read; send the others in a mail of their own", MaxLeads),
		}})
	}
	res.Class = e.classify(&res, m)
	return res
}

// addsTo reports whether the leads of a text are others than those of the table that came
// along: each has an address that the table has not.
func addsTo(table, own []Lead) bool {
	for _, l := range own {
		addr := l.Fields[intake.FieldContactEmail]
		if addr == "" {
			return false
		}
		for _, t := range table {
			if strings.EqualFold(t.Fields[intake.FieldContactEmail], addr) {
				return false
			}
		}
	}
	return true
}

// MaxLeads is how many leads are read out of one message.
const MaxLeads = 50

// answer adds what was filled into our question within the quotation, and reports whether
// there was anything.
func (e *Extractor) answer(res *Result, m *mail) bool {
	if len(res.Leads) > 1 || !answersUs(m.in.Subject, m.doc) {
		return false
	}
	found := e.readInline(m.doc)
	if len(res.Leads) == 1 {
		for f := range res.Leads[0].Fields {
			delete(found, f)
		}
	}
	l := e.merge(found, m)
	if len(l.Fields) == 0 {
		return false
	}
	if len(res.Leads) == 0 {
		res.Leads = []Lead{l}
		return true
	}
	for f, v := range l.Fields {
		if _, written := res.Leads[0].Fields[f]; !written {
			res.Leads[0].Fields[f], res.Leads[0].Evidence[f] = v, l.Evidence[f]
		}
	}
	return true
}

// source picks the text to read: the HTML form if it has a table of labels, which plain
// text twins tear apart, or if the plain form is empty or a mere pointer to it; else the
// plain form.
func (e *Extractor) source(in Input) string {
	text := e.unfoldPairs(unfoldHeaders(normalise(in.Text)))
	if in.HTML == "" {
		return text
	}
	html := e.unfoldPairs(normalise(htmlText(clip(in.HTML, maxText))))
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
	lines := split(clip(text, maxNewBytes), Input{}, e.dict).lines
	for i := range lines {
		if columns, _ := e.textHeader(lines, i); columns != nil {
			return true
		}
	}
	return false
}

// unfoldPairs puts labels that stand in one line, "Company: Acme | Role: CTO" or
// "company=Acme; role=CTO", on lines of their own.
func (e *Extractor) unfoldPairs(text string) string {
	if !strings.ContainsAny(text, "|;·/") && !strings.Contains(text, "   ") {
		return text
	}
	var b strings.Builder
	n := 0
	for raw := range strings.Lines(text) {
		line := strings.TrimSuffix(raw, "\n")
		mark := ""
		if n++; len(line) < 4000 && n < maxLines {
			mark = e.pairMark(line)
		}
		if mark == "" {
			b.WriteString(raw)
			continue
		}
		b.WriteByte('\n')
		for pair := range strings.SplitSeq(line, mark) {
			b.WriteString(strings.TrimSpace(pair))
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// pairMark returns the mark between labels with values in a line, "" if it is no such line.
func (e *Extractor) pairMark(line string) string {
	for _, mark := range []string{"; ", " | ", " · ", ";", " / ", "   "} {
		if strings.Count(line, mark) == 0 {
			continue
		}
		pairs, labels, keyed := strings.Split(line, mark), 0, 0
		if len(pairs) > 30 {
			continue
		}
		for _, pair := range pairs {
			if !strings.ContainsAny(pair, ":=") {
				continue
			}
			if l, ok := e.dict.labelled(pair); ok && l.value != "" && !l.cells {
				labels++
			}
			if key, _, ok := strings.Cut(strings.TrimSpace(pair), "="); ok && key != "" && len(key) <= 30 && !strings.ContainsAny(key, ".,/?") {
				keyed++
			}
		}
		if loose := mark == " / " || mark == "   "; loose {
			if labels > 1 && labels == len(pairs) {
				return mark
			}
			continue
		}
		if labels > 1 && labels*2 >= len(pairs) || keyed > 3 && keyed >= len(pairs)-1 {
			return mark
		}
	}
	return ""
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
