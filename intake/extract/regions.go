package extract

import (
	"regexp"
	"strings"
	"sync"
)

// region says whose words a line holds.
type region int

const (
	fresh     region = iota // written this time
	quoted                  // written before, by anybody
	signature               // about the sender

	header         // the header of a forwarded mail
	forwarded      // its text
	innerSignature // about its author
	disclaimer     // what lawyers add
)

// line is a line of the normalised text.
type line struct {
	start, end int // of body in the text
	body       string
	region     region
	depth      int  // how often it was quoted
	gap        bool // what stood right above it was filtered out
	label      *labelled
	used       bool // it belongs to the value of a label above
	partner    bool // it is about the partner, in a form
}

func (l *line) blank() bool { return strings.TrimSpace(l.body) == "" }

// document is a normalised text cut into lines.
type document struct {
	text  string
	lines []line
	// messages are the mails within a forward, outermost first; empty if it is none.
	messages []message
}

// split cuts a mail's text into lines and tells new words from quoted and forwarded ones and
// from the signature.
func split(text string, in Input, dict *dictionary) *document {
	d := &document{text: text}
	pos := 0
	for raw := range strings.Lines(text) {
		body := strings.TrimSuffix(raw, "\n")
		depth, skip := quotePrefix(body)
		l := line{start: pos + skip, end: pos + len(body), body: body[skip:], depth: depth}
		if depth > 0 {
			l.region = quoted
		}
		if label, ok := dict.labelled(l.body); ok {
			l.label = &label
		}
		d.lines = append(d.lines, l)
		if pos += len(raw); len(d.lines) == maxLines {
			break
		}
	}
	d.markQuotes()
	d.findForward(in.Subject)
	d.markSignature(in.SenderName, dict)
	return d
}

// quotePrefix counts the ">" before a line and the bytes that they take.
func quotePrefix(s string) (depth, skip int) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '>':
			depth++
			skip = i + 1
		case ' ':
			if i > skip {
				return depth, skip
			}
		default:
			return depth, eatBlank(s, skip)
		}
	}
	return depth, eatBlank(s, skip)
}

func eatBlank(s string, i int) int {
	if i > 0 && i < len(s) && s[i] == ' ' {
		return i + 1
	}
	return i
}

// markQuotes finds where mail programs put the earlier mail below without ">": everything
// from there on is quoted, once more for each such place.
func (d *document) markQuotes() {
	extra := 0
	for i := 0; i < len(d.lines); i++ {
		l := &d.lines[i]
		if extra > 0 {
			l.region = quoted
			l.depth += extra
		}
		if l.blank() || l.depth > extra {
			continue
		}
		if n := d.attribution(i); n > 0 {
			if next := d.nextText(i + n); next < len(d.lines) && d.lines[next].depth > 0 {
				for j := i; j < i+n; j++ {
					d.lines[j].region, d.lines[j].depth = quoted, max(d.lines[j].depth, 1)
				}
				i += n - 1
				continue
			}
			extra++
			l.region, l.depth = quoted, extra
			continue
		}
		if isSeparator(l.body) || d.headerAt(i) {
			extra++
			l.region, l.depth = quoted, extra
			i = d.skipHeaderBlock(i, extra)
		}
	}
}

// nextText returns the index of the first line from i on that is not blank.
func (d *document) nextText(i int) int {
	for i < len(d.lines) && d.lines[i].blank() {
		i++
	}
	return i
}

// attribution returns of how many lines the attribution is that begins at line i, 0 if
// none does. Mail programs wrap it into up to three lines.
func (d *document) attribution(i int) int {
	joined := ""
	for n := 1; n <= 3 && i+n <= len(d.lines); n++ {
		body := strings.TrimSpace(d.lines[i+n-1].body)
		if body == "" || len(joined)+len(body) > 300 {
			return 0
		}
		joined = strings.TrimSpace(joined + " " + body)
		if n == 1 && !quoteWords().opens(joined) && !strings.Contains(joined, "@") && !year.MatchString(joined) {
			return 0
		}
		if quoteWords().attributes(joined) || forwardWords().attributes(joined) {
			return n
		}
	}
	return 0
}

// isSeparator reports whether a line stands above an earlier mail.
func isSeparator(s string) bool { return separatorKind(s) != opensNothing }

// skipHeaderBlock marks the header lines at or below line i, so that they do not count as
// one more mail, and returns the last of them.
func (d *document) skipHeaderBlock(i, depth int) int {
	last := i
	for j := i + 1; j < len(d.lines) && j <= i+8; j++ {
		if d.lines[j].blank() && last == i {
			continue
		}
		if kind, _ := headerLine(d.lines[j].body); kind == "" {
			break
		}
		last = j
	}
	for j := i; j <= last; j++ {
		d.lines[j].region, d.lines[j].depth = quoted, max(d.lines[j].depth, depth)
	}
	return last
}

// markSignature finds the part of the new text that is about the sender: from "-- ", from a
// telephone's line, from a farewell or from the sender's name on.
func (d *document) markSignature(sender string, dict *dictionary) {
	goesOn := d.leadBelow()
	seen := false // something was written before
	for i := 0; i < len(d.lines); i++ {
		l := &d.lines[i]
		if l.region != fresh || l.blank() {
			continue
		}
		body := strings.TrimRight(l.body, " ")
		farewell := seen && !goesOn[i] && (len(body) <= 60 && dict.closes(body) || signs(body, sender))
		if body == "--" || quoteWords().device(body) || farewell {
			i = d.signatureFrom(i)
			seen = false
			continue
		}
		if seen && !goesOn[i] && disclaims(l) {
			for ; i < len(d.lines) && d.lines[i].region == fresh; i++ {
				d.lines[i].region = disclaimer
			}
			continue
		}
		seen = true
	}
}

// closes reports whether a line is a farewell, alone or before a name.
func (d *dictionary) closes(body string) bool {
	if d.is("closing", body) {
		return true
	}
	words, name, ok := strings.Cut(body, ",")
	return ok && len(strings.Fields(name)) <= 3 && !strings.ContainsAny(name, ".!?:0123456789@") && d.is("closing", words)
}

// signs reports whether a line begins with the sender's full name, as signatures do.
func signs(body, sender string) bool {
	k := fold(sender)
	return len(body) <= 80 && strings.Contains(k, " ") && !strings.HasSuffix(strings.TrimSpace(body), ".") && strings.HasPrefix(fold(body)+" ", k+" ")
}

// disclaims reports whether a line begins what lawyers add below a mail.
func disclaims(l *line) bool {
	if len(l.body) < 20 {
		return false
	}
	s := newSentenceOf(&line{body: clip(l.body, 400)})
	return s != nil && proseWords().of("disclaimer").at(s, 0) > 0
}

// signatureFrom marks the new lines from i up to the next quoted one, and returns the last.
func (d *document) signatureFrom(i int) int {
	for ; i < len(d.lines) && d.lines[i].region == fresh; i++ {
		d.lines[i].region = signature
	}
	return i - 1
}

// leadBelow tells for each line whether something that only a lead would have is labelled
// below it in the new text: then a farewell does not end the letter.
func (d *document) leadBelow() []bool {
	out := make([]bool, len(d.lines))
	below := false
	for i := len(d.lines) - 1; i >= 0; i-- {
		l := &d.lines[i]
		if l.region != fresh {
			below = false
			continue
		}
		out[i] = below
		below = below || l.label != nil && leadOnly[l.label.field]
	}
	return out
}

// newText returns what was written this time.
func (d *document) newText() string {
	var b strings.Builder
	for i := range d.lines {
		if d.lines[i].region == fresh {
			b.WriteString(strings.TrimRight(d.lines[i].body, " "))
			b.WriteByte('\n')
		}
		if b.Len() > maxNewBytes {
			break
		}
	}
	out := strings.TrimSpace(b.String())
	for {
		i := strings.LastIndexByte(out, '\n')
		if i < 0 || !isRule(out[i+1:]) {
			return clip(out, maxNewBytes)
		}
		out = strings.TrimSpace(out[:i])
	}
}

// fresh returns the lines that were written this time, blank ones included.
func (d *document) fresh() []line {
	var out []line
	gap := false
	for _, l := range d.lines {
		if l.region != fresh {
			gap = true
			continue
		}
		l.gap, gap = gap, false
		out = append(out, l)
	}
	return out
}

// caseNumber is the form of a case number anywhere in a text.
var caseNumber = regexp.MustCompile(`(?i)\b[A-Z0-9]{1,8}-[0-9]{4}-[0-9]{6,7}-[0-9A-Z]\b`)

// taggedSubject is a subject with the number of something in brackets.
var taggedSubject = regexp.MustCompile(`\[#?[A-Z]{1,8}-?[0-9]{3,}[-0-9A-Z]*\]`)

// answersUs reports whether a mail answers one of ours: its subject or what it quotes has a
// case number. It decides nothing but whether quoted lines are read at all.
func answersUs(subject string, d *document) bool {
	if _, reply := subjectKind(subject); caseNumber.MatchString(subject) || reply && taggedSubject.MatchString(subject) {
		return true
	}
	for i := range d.lines {
		if d.lines[i].depth == 1 && caseNumber.MatchString(d.lines[i].body) {
			return true
		}
	}
	return false
}

// quoteDictionary is data/quotes.tsv, ready to match.
type quoteDictionary struct {
	attributions [][2]string // first and last words, lower case
	devices      []string
}

var quoteWords = sync.OnceValue(func() *quoteDictionary {
	q := &quoteDictionary{}
	for _, row := range rows("data/quotes.tsv", 3) {
		for _, s := range strings.Split(row[2], "|") {
			switch row[0] {
			case "attribution":
				first, last, _ := strings.Cut(strings.ToLower(s), " … ")
				q.attributions = append(q.attributions, [2]string{first + " ", " " + last})
			case "device":
				q.devices = append(q.devices, strings.ToLower(s))
			}
		}
	}
	return q
})

// opens reports whether s may be the beginning of an attribution.
func (q *quoteDictionary) opens(s string) bool {
	s = strings.ToLower(clip(s, 40))
	for _, a := range q.attributions {
		if strings.HasPrefix(s, a[0]) {
			return true
		}
	}
	return false
}

// attributes reports whether s is a whole attribution. It must hold a digit, of the date.
func (q *quoteDictionary) attributes(s string) bool {
	s = strings.ToLower(s)
	if !strings.HasSuffix(s, ":") || !strings.ContainsAny(s, "0123456789") {
		return false
	}
	for _, a := range q.attributions {
		if strings.HasPrefix(s, a[0]) && strings.Contains(s, a[1]) {
			return true
		}
	}
	return false
}

func (q *quoteDictionary) device(s string) bool {
	s = strings.ToLower(clip(strings.TrimSpace(s), 60))
	for _, p := range q.devices {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
