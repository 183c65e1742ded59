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

// Input is a message as a channel decoded it. Text and HTML are two forms of the same; one
// may be empty.
type Input struct {
	Subject, Text, HTML string
	// SenderDomain is the registrable domain of the sender; it is never the prospect's.
	SenderDomain string
}

// Result is what was understood.
type Result struct {
	Lead intake.Lead
	// Evidence holds, per field of Lead, the words of the text that it was read from.
	Evidence map[intake.Field]string
	// New is what the person wrote this time, without quotations and signature.
	New string
	// Inline says that Lead was found in the quotation, filled into our own question: all of
	// it, or all but what stands on new lines between the quoted ones.
	Inline bool
}

// Extract reads a lead out of in. The fields that it could not read for sure are absent.
func (e *Extractor) Extract(in Input) Result {
	d := split(e.source(in), e.dict)
	res := Result{New: d.newText()}
	found := e.read(d, d.fresh())
	if (len(found) == 0 || d.onlyBetween()) && answersUs(in.Subject, d) {
		for f, rs := range e.readInline(d) {
			if _, written := found[f]; !written {
				found[f], res.Inline = rs, true
			}
		}
	}
	res.Lead, res.Evidence = e.merge(found, in)
	res.Inline = res.Inline && len(res.Lead) > 0
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
