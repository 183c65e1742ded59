package extract

import (
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"leadgate/intake"
)

// forwardDictionary is data/forward.tsv, ready to match.
type forwardDictionary struct {
	prefixes, replies     map[string]bool // of subjects
	separators, originals map[string]bool
	labels                map[string]string // of header lines, to "from", "to", "subject" or "other"
	verbs                 []string          // of attributions, " wrote "
}

var forwardWords = sync.OnceValue(func() *forwardDictionary {
	f := &forwardDictionary{
		prefixes: make(map[string]bool), replies: make(map[string]bool),
		separators: make(map[string]bool), originals: make(map[string]bool), labels: make(map[string]string),
	}
	for _, row := range rows("data/forward.tsv", 3) {
		for s := range strings.SplitSeq(row[2], "|") {
			switch row[0] {
			case "prefix":
				f.prefixes[fold(s)] = true
			case "reply":
				f.replies[fold(s)] = true
			case "separator":
				f.separators[fold(s)] = true
			case "original":
				f.originals[fold(s)] = true
			case "attribution":
				_, last, _ := strings.Cut(s, "… ")
				f.verbs = append(f.verbs, " "+strings.ToLower(last))
			default:
				if _, known := f.labels[fold(s)]; !known {
					f.labels[fold(s)] = row[0]
				}
			}
		}
	}
	for _, row := range rows("data/quotes.tsv", 3) {
		if row[0] != "separator" {
			continue
		}
		for s := range strings.SplitSeq(row[2], "|") {
			f.originals[fold(s)] = !f.separators[fold(s)]
		}
	}
	return f
})

// attributes reports whether s is a whole attribution that names its author by address. It
// must hold a digit, of the date.
func (f *forwardDictionary) attributes(s string) bool {
	s = strings.ToLower(s)
	if !strings.HasSuffix(s, ":") {
		return false
	}
	dated, addressed := year.MatchString(s), strings.Contains(s, "@")
	for _, v := range f.verbs {
		last := strings.HasSuffix(s, v+":")
		if strings.Contains(s, v) && (addressed && (last || strings.ContainsAny(s, "0123456789")) || last && dated) {
			return true
		}
	}
	return addressed && dated && strings.HasSuffix(s, ">:") && s[0] >= '0' && s[0] <= '9' // "2017-02-05 13:29 GMT Jane <jane@acme.com>:"
}

var year = regexp.MustCompile(`\b(?:19|20)[0-9]{2}\b`)

// unfoldHeaders puts a header that a mail program wrote into one line behind the separator on lines
// of its own, as Yahoo needs it.
func unfoldHeaders(text string) string {
	if !strings.Contains(text, "-- ") {
		return text
	}
	var b strings.Builder
	for raw := range strings.Lines(text) {
		m := behindSeparator.FindStringSubmatchIndex(clip(raw, 2000))
		if m == nil || separatorKind(raw[:m[3]]) == opensNothing {
			b.WriteString(raw)
			continue
		}
		b.WriteString(raw[:m[3]] + "\n")
		rest := raw[m[3]:]
		from := 0
		for _, at := range joinedLabel.FindAllStringSubmatchIndex(rest, 40) {
			if at[2] > from && forwardWords().labels[fold(rest[at[2]:at[3]])] != "" {
				b.WriteString(strings.TrimSpace(rest[from:at[2]]) + "\n")
				from = at[2]
			}
		}
		b.WriteString(rest[from:])
	}
	return b.String()
}

var (
	behindSeparator = regexp.MustCompile(`^([ \t]*-{2,}[^-\n]{4,60}-{2,})[ \t]+\S`)
	// joinedLabel is a label behind the end of a value, without a blank between.
	joinedLabel = regexp.MustCompile(`[>"\p{L}\p{N})]?(\p{Lu}\p{Ll}{1,14}) ?:`)
)

// subjectKind tells from the first prefix of a subject what kind of mail it is of.
func subjectKind(subject string) (forward, reply bool) {
	subject = strings.TrimLeft(subject, " \t[(")
	head, _, ok := strings.Cut(strings.ReplaceAll(subject, "：", ":"), ":")
	if !ok || len(head) > 30 {
		return false, false
	}
	if i := strings.IndexByte(head, '['); i > 0 { // "Re[2]:"
		head = head[:i]
	}
	k := fold(head)
	return forwardWords().prefixes[k], forwardWords().replies[k]
}

// bareSubject drops prefixes and tags in brackets from a subject.
func bareSubject(s string) string {
	for range 8 {
		s = strings.TrimSpace(s)
		head, rest, ok := strings.Cut(strings.Replace(s, "：", ":", 1), ":")
		if k := fold(head); ok && len(head) <= 30 && (forwardWords().prefixes[k] || forwardWords().replies[k]) {
			s = rest
			continue
		}
		if strings.HasPrefix(s, "[") {
			if _, rest, ok := strings.Cut(s, "]"); ok {
				s = rest
				continue
			}
		}
		break
	}
	return strings.TrimSpace(s)
}

// person is a name with an address, as the header of a mail has it.
type person struct {
	name, address string
	at            span
	words         string
}

// message is one of the mails below what was written this time.
type message struct {
	from, to    []person
	subject     string
	head        int // the first line of its header
	first, last int // its body: lines [first, last)
}

const maxMessages = 20

// findForward tells a forward from a reply and, in a forward, cuts what is below into
// messages: their headers and bodies become regions of their own.
func (d *document) findForward(subject string) {
	forward, reply := subjectKind(subject)
	start, certain := -1, false
	byLine := false // an attribution
	for i := range d.lines {
		if d.lines[i].blank() {
			continue
		}
		if i > 5000 {
			break
		}
		kind := d.opensMessage(i)
		if kind == opensNothing {
			continue
		}
		start, certain, byLine = i, kind == opensForward, kind == opensAttribution
		break
	}
	if start < 0 {
		if !reply {
			d.messages = d.bareQuote()
		}
		return
	}
	switch {
	case certain && (forward || !reply || !d.quotedAbove(start)):
	case byLine && !forward:
		return
	case forward:
	case reply, !d.shortAbove(start):
		return
	}
	d.messages = d.cutMessages(start)
}

// bareQuote returns what is quoted without a line that says whose it is, as one message: so
// people pass on what they copied from somewhere.
func (d *document) bareQuote() []message {
	first, last := -1, -1
	for i := range d.lines {
		if d.lines[i].depth == 0 || d.lines[i].blank() {
			continue
		}
		if last = i; first < 0 {
			first = i
		}
	}
	if first < 0 || last-first < 2 || !d.shortAbove(first) {
		return nil
	}
	return []message{{head: first, first: first, last: last + 1}}
}

// quotedAbove reports whether earlier lines than i are quoted: then i is within an answer.
func (d *document) quotedAbove(i int) bool {
	for j := range i {
		if d.lines[j].region == quoted && !d.lines[j].blank() && d.lines[j].depth < d.lines[i].depth {
			return true
		}
	}
	return false
}

// shortAbove reports whether little is written above line i, as people do who forward: no
// answer, no thanks, no labels.
func (d *document) shortAbove(i int) bool {
	words := 0
	for _, l := range d.lines[:i] {
		if l.region != fresh || l.blank() {
			continue
		}
		if l.label != nil {
			return false
		}
		words += len(strings.Fields(l.body))
		for _, s := range sentences([]line{l}) {
			if proseWords().of("thanks").in(&s) {
				return false
			}
		}
	}
	return words <= 25
}

type opening int

const (
	opensNothing opening = iota
	opensForward
	opensOriginal
	opensHeader
	opensAttribution
)

// opensMessage reports whether an earlier mail begins at line i, and how that is marked.
func (d *document) opensMessage(i int) opening {
	body := d.lines[i].body
	switch separatorKind(body) {
	case opensForward:
		return opensForward
	case opensOriginal:
		return opensOriginal
	}
	if d.headerAt(i) {
		return opensHeader
	}
	if d.attribution(i) > 0 {
		return opensAttribution
	}
	return opensNothing
}

var dashed = regexp.MustCompile(`^[\s*]*(?:[-_=~*]{2,}|—+|–+)\s*(.{4,80}?)\s*(?:[-_=~*]{2,}|—+|–+|:)[\s*]*:?\s*$`)

// separatorKind reads the line above a forwarded or answered mail: known words between
// dashes, or before a colon.
func separatorKind(s string) opening {
	if len(s) > 200 {
		return opensNothing
	}
	words := ""
	if m := dashed.FindStringSubmatch(s); m != nil {
		words = m[1]
	} else if t := strings.TrimSpace(s); strings.HasSuffix(t, ":") || strings.HasSuffix(t, "：") {
		words = t
	} else {
		return opensNothing
	}
	k := fold(words)
	for k != "" {
		switch {
		case forwardWords().separators[k]:
			return opensForward
		case forwardWords().originals[k]:
			return opensOriginal
		}
		i := strings.LastIndexByte(k, ' ')
		if i < 0 || !strings.ContainsAny(words, "/") && !strings.HasPrefix(k, "forwarded by") && !strings.HasPrefix(k, "weitergeleitet von") {
			break
		}
		k = k[:i]
	}
	return opensNothing
}

// headerLine reads a line of the header of an earlier mail.
func headerLine(s string) (kind, value string) {
	s = strings.ReplaceAll(s, "：", ":")
	label, value, ok := strings.Cut(s, ":")
	if !ok || len(label) > 40 {
		return "", ""
	}
	return forwardWords().labels[fold(label)], strings.Trim(strings.TrimPrefix(strings.TrimSpace(value), "*"), " \t")
}

// headerAt reports whether the header of an earlier mail begins at line i: among six lines
// are its sender and two more header lines.
func (d *document) headerAt(i int) bool {
	if kind, _ := headerLine(d.lines[i].body); kind == "" {
		return false
	}
	from, others := false, map[string]bool{}
	for j := i; j < len(d.lines) && j < i+7; j++ {
		kind, value := headerLine(d.lines[j].body)
		if kind == "" && j > i && strings.TrimSpace(d.lines[j].body) == "" && j > i+1 {
			break
		}
		switch {
		case kind == "from" && (value != "" || j+1 < len(d.lines) && strings.Contains(d.lines[j+1].body, "@")):
			from = true
		case kind != "":
			label, _, _ := strings.Cut(d.lines[j].body, ":")
			others[fold(label)] = true
		}
	}
	return from && len(others) >= 2
}

// cutMessages reads the mails from line start on and marks their lines.
func (d *document) cutMessages(start int) []message {
	var out []message
	for i := start; i < len(d.lines) && len(out) < maxMessages; {
		kind := opensNothing
		if !d.lines[i].blank() {
			kind = d.opensMessage(i)
		}
		if kind == opensNothing {
			i++
			continue
		}
		m := message{head: i}
		if kind == opensAttribution {
			n := d.attribution(i)
			m.from = d.attributed(i, n)
			m.first = i + n
		} else {
			m.first = d.readHeader(&m, i)
		}
		if len(out) > 0 {
			out[len(out)-1].last = i
		}
		i = max(m.first, i+1)
		m.last = len(d.lines)
		out = append(out, m)
	}
	for _, m := range out {
		for j := m.head; j < m.first && j < len(d.lines); j++ {
			d.lines[j].region = header
		}
		for j := m.first; j < m.last; j++ {
			d.lines[j].region = quoted
			d.lines[j].depth = max(1, d.lines[j].depth)
		}
	}
	return out
}

// readHeader reads the header lines at or below line i and returns the line after them.
func (d *document) readHeader(m *message, i int) int {
	j := i
	if kind, _ := headerLine(d.lines[j].body); kind == "" || separatorKind(d.lines[j].body) != opensNothing {
		j++
		for j < len(d.lines) && j < i+4 && (d.lines[j].blank() || isRule(d.lines[j].body)) {
			j++
		}
	}
	end, last := j, ""
	for ; j < len(d.lines) && j < i+40; j++ {
		l := &d.lines[j]
		kind, value := headerLine(l.body)
		switch {
		case kind == "" && last != "" && !l.blank() && (strings.HasPrefix(l.body, " ") || strings.HasPrefix(l.body, "\t") || strings.HasPrefix(strings.TrimSpace(l.body), "<")):
			kind, value = last, l.body // goes on
		case kind == "" && last == "from" && len(m.from) > 0 && m.from[0].address == "" && len(addresses.FindAllString(l.body, 2)) == 1 && len(strings.Fields(l.body)) < 5:
			kind, value = last, l.body
		case kind == "":
			return end
		}
		end, last = j+1, kind
		at := span{l.start, l.end}
		switch kind {
		case "from":
			m.from = addPeople(m.from, value, at, l.body)
		case "to":
			m.to = addPeople(m.to, value, at, l.body)
		case "subject":
			if m.subject == "" {
				m.subject = value
			}
		}
	}
	return end
}

var rule = regexp.MustCompile(`^[\s\-_=*~–—#+]{3,}$`)

func isRule(s string) bool { return rule.MatchString(s) }

// attributed reads the author out of an attribution of n lines.
func (d *document) attributed(i, n int) []person {
	text := ""
	for _, l := range d.lines[i : i+n] {
		text += " " + strings.TrimSpace(l.body)
	}
	at := span{d.lines[i].start, d.lines[i].end}
	a := addresses.FindStringIndex(text)
	if a == nil {
		return nil
	}
	addr, ok := address(text[a[0]:a[1]])
	if !ok {
		return nil
	}
	before := strings.Trim(text[:a[0]], " <([\"“”„'")
	before = before[strings.LastIndexAny(before, ",\":")+1:]
	if i := strings.LastIndex(before, "„"); i >= 0 {
		before = before[i+len("„"):]
	}
	if i := strings.LastIndex(before, "“"); i >= 0 && i+len("“") < len(before) {
		before = before[i+len("“"):]
	}
	ws := wordsOf(before, 0)
	from := len(ws)
	for from > 0 && len(ws)-from < 4 && ws[from-1].capital && !strings.ContainsAny(ws[from-1].text, "0123456789") && !proseWords().stop[ws[from-1].key] {
		from--
	}
	name := ""
	if from < len(ws) {
		name = strings.Trim(before[ws[from].start:], " \"“”„'")
	}
	return []person{{name: personName(name), address: addr, at: at, words: strings.TrimSpace(d.lines[i].body)}}
}

var linked = regexp.MustCompile(`<?\[?mailto:[^<>\[\]\s]*\]?>?`)

// addPeople reads the mailboxes of a header line.
func addPeople(to []person, v string, at span, words string) []person {
	if len(v) > 4000 {
		v = clip(v, 4000)
	}
	// "Jane Doe [mailto:jane@acme.com]" is an address, "<jane@acme.com<mailto:jane@acme.com>>" is it twice.
	v = strings.NewReplacer("[mailto:", "<", "]", ">", "<mailto:", "<").Replace(v)
	found := addresses.FindAllStringIndex(v, 50)
	if len(found) == 0 {
		if name := personName(v); name != "" && len(to) == 0 {
			to = append(to, person{name: name, at: at, words: strings.TrimSpace(words)})
		}
		return to
	}
	pos := 0
	for _, a := range found {
		addr, ok := address(strings.TrimPrefix(v[a[0]:a[1]], "mailto:"))
		name := strings.Trim(v[pos:a[0]], " <>()[]\"',;\t")
		pos = a[1]
		if !ok {
			continue
		}
		if n := len(to); n > 0 && (strings.EqualFold(to[n-1].address, addr) || to[n-1].address == "") {
			to[n-1].address = addr
			if to[n-1].name == "" {
				to[n-1].name = personName(name)
			}
			continue
		}
		to = append(to, person{name: personName(name), address: addr, at: at, words: strings.TrimSpace(words)})
	}
	return to
}

// personName tidies the display name of a mailbox: "Doe, Jane (Acme)" is Jane Doe. It
// returns "" for what is no name.
func personName(s string) string {
	s = strings.Trim(linked.ReplaceAllString(s, ""), " \t\"'“”„*<>")
	if i := strings.IndexAny(s, "([|"); i > 0 {
		s = s[:i]
	}
	for _, via := range []string{" via ", " - ", " – ", " on behalf of ", " im Auftrag von ", " / "} {
		s, _, _ = strings.Cut(s, via)
	}
	if last, first, ok := strings.Cut(s, ","); ok && !strings.Contains(first, ",") && len(strings.Fields(last)) <= 3 && strings.TrimSpace(first) != "" {
		s = strings.TrimSpace(first) + " " + strings.TrimSpace(last)
	}
	s = short(strings.Trim(s, " \t\"'“”„*,;"))
	if strings.Contains(s, "@") || !isName(s) || utf8.RuneCountInString(s) < 2 {
		return ""
	}
	return s
}

// prospectIn returns the message of a forward that the prospect wrote or was written to, and
// that person: never somebody of the sender's, of ours or of a partner.
func (e *Extractor) prospectIn(m *mail) (int, person, bool) {
	for i, msg := range m.doc.messages {
		for _, p := range msg.from {
			if e.outsider(p.address, m) {
				return i, p, true
			}
		}
	}
	// A mail of the partner to the prospect that the partner forwards.
	for i, msg := range m.doc.messages {
		var others []person
		for _, p := range msg.to {
			if e.outsider(p.address, m) {
				others = append(others, p)
			}
		}
		if len(others) == 1 {
			return i, others[0], true
		}
		if len(others) > 1 {
			return i, person{}, false
		}
	}
	return 0, person{}, false
}

// outsider reports whether an address can be the prospect's.
func (e *Extractor) outsider(addr string, m *mail) bool {
	if addr == "" || strings.EqualFold(addr, m.in.SenderAddress) || machine.MatchString(addr) {
		return false
	}
	d, err := e.ids.Domain(addr[strings.LastIndexByte(addr, '@')+1:])
	if err != nil {
		return false
	}
	return d.FreeMail || !e.foreign(d.Key, m)
}

var machine = regexp.MustCompile(`(?i)^(?:no-?reply|do-?not-?reply|noreply|mailer-daemon|notifications?|postmaster)[^@]*@`)

// readForward finds the prospect in a forward: in the header of the mail that was forwarded,
// and in its author's signature.
func (e *Extractor) readForward(m *mail) candidates {
	out := make(candidates)
	if len(m.doc.messages) == 0 {
		return out
	}
	i, p, ok := e.prospectIn(m)
	if !ok {
		i = 0
	}
	for j := 0; j <= i; j++ {
		msg := &m.doc.messages[j]
		m.doc.markForwarded(msg, e.dict)
	}
	for j := i + 1; ok && j < len(m.doc.messages); j++ { // what the same person wrote before
		if msg := &m.doc.messages[j]; len(msg.from) > 0 && (strings.EqualFold(msg.from[0].address, p.address) || msg.from[0].address == "" && p.name != "" && msg.from[0].name == p.name) {
			m.doc.markForwarded(msg, e.dict)
		}
	}
	if ok {
		e.readPerson(out, p, scoreForward, byForward)
		msg := m.doc.messages[i]
		if len(msg.from) > 0 && msg.from[0] == p {
			e.readSignature(out, m, m.doc.lines[msg.first:msg.last], p)
		}
	}
	return out
}

// readPerson notes name and address of a mailbox.
func (e *Extractor) readPerson(out candidates, p person, score float64, method string) {
	for f, v := range map[intake.Field]string{intake.FieldContactName: p.name, intake.FieldContactEmail: p.address} {
		out.add(f, candidate{value: v, words: p.words, at: p.at, score: score, method: method})
	}
}

// nameLine reports whether a short line is a name: a longer or shorter form of it, perhaps
// with a role behind a comma.
func nameLine(body, name string) bool {
	head, _, _ := strings.Cut(body, ",")
	a, b := fold(head), bareName(name)
	if a == "" || b == "" || len(strings.Fields(a)) > 5 || len(body) > 80 || strings.HasSuffix(body, ".") {
		return false
	}
	return strings.HasPrefix(a+" ", b+" ") || strings.HasPrefix(b+" ", a+" ") && len(a) > 2 || strings.HasSuffix(" "+a, " "+b)
}

// markForwarded makes the lines of a forwarded mail a region of their own, and those of its
// author's signature another.
func (d *document) markForwarded(m *message, dict *dictionary) {
	for i := m.first; i < m.last; i++ {
		d.lines[i].region = forwarded
	}
	if len(m.from) == 0 {
		return // whose signature it is, only its words can tell
	}
	at := -1
	for i := m.first; i < m.last; i++ {
		body := strings.TrimSpace(d.lines[i].body)
		switch {
		case body == "":
		case body == "--" || quoteWords().device(body) || i > m.first && len(body) <= 60 && dict.closes(body):
			at = i
		case len(m.from) > 0 && i > m.first+1 && m.last-i < 14 && nameLine(body, m.from[0].name):
			at = i
		}
		if at >= 0 {
			break
		}
	}
	if at < 0 {
		return
	}
	for i := at; i < m.last; i++ {
		d.lines[i].region = innerSignature
	}
}
