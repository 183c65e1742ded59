package extract

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

const (
	maxLong     = 4000 // runes of a text
	maxShort    = 200  // runes of any other value
	maxList     = 20   // entries of a list
	maxEvidence = 300  // runes
)

// readLabels collects the values of all labelled lines.
func (e *Extractor) readLabels(d *document, lines []line) candidates {
	found := make(candidates)
	last := -1 // the last labelled line
	for i := range lines {
		if lines[i].label != nil {
			last = i
		}
	}
	e.readHalves(d, lines, found)
	form := e.questions(lines) >= 3
	for i := range lines {
		l := lines[i].label
		if lines[i].partner {
			continue
		}
		if l == nil || l.weak {
			e.readQuestion(d, lines, i, found)
			if form && !lines[i].used {
				e.readAsked(d, lines, i, found)
			}
		}
		if l == nil || e.headerRow(l) {
			continue
		}
		field := l.field
		if field == intake.FieldCompanyName && runsOn(l.value) || field == intake.FieldProblem && addresses.MatchString(l.value) {
			lines[i].label = nil // "Lead: Acme, Jane Doe, jane@acme.com, they want …" is prose
			continue
		}
		if field == intake.FieldContactName && companyByName(lines, i) {
			field = intake.FieldCompanyName
		}
		value, from, to := e.collect(lines, i, last)
		for j := from; j < to && isText(field); j++ {
			lines[j].used = true
		}
		if value == "" || e.empty(value) && !tick(l.field, value) {
			continue
		}
		for j := from; j < to; j++ {
			lines[j].used = true
		}
		score, method := scoreLabel, byLabel
		switch {
		case l.cells:
			score, method = scoreTable, byTable
		case from != i:
			score, method = scoreNextLine, byNextLine
		case l.weak:
			score = scoreClear
		}
		at, words := evidence(d, lines, from, to)
		for f, v := range e.values(field, value) {
			found.add(f, candidate{value: v, words: words, at: at, score: score * factors[lines[i].region], method: method})
		}
	}
	return found
}

// runsOn reports whether what stands behind a label for a company is a sentence, or the whole
// lead in one line.
func runsOn(value string) bool {
	commas := strings.Count(value, ",")
	return strings.Contains(value, "@") && commas > 1 || commas > 0 && len(strings.Fields(value)) > 8
}

// readQuestion reads a line that asks for the consent in its own words and answers: "Did she
// agree to be contacted? Yes".
func (e *Extractor) readQuestion(d *document, lines []line, i int, found candidates) {
	body := lines[i].body[len(bullet.FindString(lines[i].body)):]
	at := strings.LastIndexAny(body, ":?")
	if at < 8 || at > maxLabelBytes {
		return
	}
	s := newSentenceOf(&line{body: body[:at]})
	if s == nil || !proseWords().of("agree").in(s) || !proseWords().of("reach").in(s) && !proseWords().of("of_consent").in(s) {
		return
	}
	value, to := trimValue(body[at+1:]), i+1
	if value == "" && i+1 < len(lines) && lines[i+1].label == nil {
		value, to = trimValue(lines[i+1].body), i+2
	}
	if v := e.consent(value); v != "" && len(value) < 200 {
		at, words := evidence(d, lines, i, to)
		found.add(intake.FieldConsent, candidate{value: v, words: words, at: at, score: scoreHeader * factors[lines[i].region], method: byLabel})
		for j := i; j < to; j++ {
			lines[j].used = true
		}
	}
}

// question is a line that asks something and answers it.
var question = regexp.MustCompile(`^[\s>*•-]*(?:[0-9]{1,2}[.)]\s*)?¿?([^?？:]{4,100})[?？]\*{0,2}[ \t]*(\S.*)$`)

// questions counts the lines that ask and answer: several are a form.
func (e *Extractor) questions(lines []line) int {
	n := 0
	for i := range lines {
		if strings.ContainsAny(lines[i].body, "?？") && question.MatchString(clip(lines[i].body, 400)) {
			n++
		}
	}
	return n
}

// readAsked reads a line of a form of questions, "What is their position? Manager", by the
// label that the question holds.
func (e *Extractor) readAsked(d *document, lines []line, i int, found candidates) {
	q := question.FindStringSubmatch(clip(lines[i].body, maxValue))
	if q == nil {
		return
	}
	f, ok := e.askedFor(q[1])
	value := trimValue(q[2])
	if !ok || len(found[f]) > 0 || e.empty(strings.Trim(value, "()")) {
		return
	}
	at, words := evidence(d, lines, i, i+1)
	for f, v := range e.values(f, value) {
		found.add(f, candidate{value: v, words: words, at: at, score: scoreClear * factors[lines[i].region], method: byLabel})
	}
	lines[i].used = true
}

// readHalves reads a contact's name off two lines that are labelled "First name" and "Last
// name".
func (e *Extractor) readHalves(d *document, lines []line, found candidates) {
	half := map[string]int{}
	for i := range lines {
		if lines[i].partner {
			continue
		}
		head, value, ok := headAndValue(lines[i].body)
		if !ok || e.empty(value) || len(value) > 60 {
			continue
		}
		for _, kind := range []string{"given", "family"} {
			if !e.halfOf(kind, fold(head)) {
				continue
			}
			if _, twice := half[kind]; twice {
				return // of two people
			}
			half[kind] = i
		}
	}
	given, okGiven := half["given"]
	family, okFamily := half["family"]
	if !okGiven || !okFamily || given == family {
		return
	}
	_, first, _ := headAndValue(lines[given].body)
	_, last, _ := headAndValue(lines[family].body)
	at, words := evidence(d, lines, given, given+1)
	found.add(intake.FieldContactName, candidate{
		value: short(first + " " + last), words: words, at: at, score: scoreLabel * factors[lines[given].region], method: byLabel,
	})
	for _, i := range []int{given, family} {
		lines[i].used, lines[i].label = true, nil
	}
}

// halfOf reports whether a folded label names one half of the contact's name.
func (e *Extractor) halfOf(kind, k string) bool {
	for range 4 {
		if _, ok := e.dict.words[kind][k]; ok {
			return true
		}
		first, rest, ok := strings.Cut(k, " ")
		if _, qualifies := e.dict.words["qualifier"][first]; !ok || !qualifies {
			return false
		}
		k = rest
	}
	return false
}

// headAndValue cuts a line at its first strong separator.
func headAndValue(s string) (head, value string, ok bool) {
	s = s[len(bullet.FindString(s)):]
	top := clip(s, 60)
	for i := 0; i < len(top); i++ {
		if n, strong := separator(top, i); strong {
			value = trimValue(clip(s[i+n:], maxShort))
			return unmark(top[:i]), value, value != "" && i > 0
		}
	}
	return "", "", false
}

// plainName are labels that say only that a name stands beside them.
var plainName = set("name nombre nom nome naam namn navn nimi jmeno isim nev nume")

// companyByName reports whether the label at line i says only "Name" and is the company's:
// another label names the contact and none the company.
func companyByName(lines []line, i int) bool {
	if k, _, _ := strings.Cut(fold(strings.TrimLeft(lines[i].body[len(bullet.FindString(lines[i].body)):], " *")), " "); !plainName[k] {
		return false
	}
	contact := false
	for j := range lines {
		if l := lines[j].label; j != i && l != nil {
			if l.field == intake.FieldCompanyName && !l.weak {
				return false
			}
			contact = contact || l.field == intake.FieldContactName && l.value != ""
		}
	}
	return contact
}

// headerRow reports whether a table row names columns: its value is a label as well.
func (e *Extractor) headerRow(l *labelled) bool {
	_, isLabel := e.dict.labels[fold(l.value)]
	return l.cells && isLabel
}

// collect returns the value of the label at line i and the lines [from, to) that it was
// read from: the rest of the line; the next line if that is empty; further lines of a text
// or of a bulleted list.
func (e *Extractor) collect(lines []line, i, last int) (value string, from, to int) {
	f := lines[i].label.field
	value, from, to = lines[i].label.value, i, i+1
	if e.slot(value) && !tick(f, value) {
		value = ""
	}
	switch {
	case isText(f):
		to = textEnd(lines, i, last)
	case value == "" && isList(f):
		to = listEnd(lines, i)
	case value == "":
		next := i + 1
		for next < len(lines) && next < i+3 && lines[next].blank() && !lines[next].gap {
			next++
		}
		if next >= len(lines) || lines[next].gap || lines[next].label != nil || unknownLabel(lines[next].body) || lines[next].blank() {
			return "", i, i
		}
		if _, box := ticked(lines[next].body); box {
			end := next
			for end < len(lines) && end < next+12 && boxed(lines[end].body) {
				value += " " + strings.TrimSpace(clip(lines[end].body, 200))
				end++
			}
			return value, next, end
		}
		body := clip(lines[next].body, maxValue)
		value = trimValue(body[len(bullet.FindString(body)):])
		if f == intake.FieldContactName {
			return contactBelow(lines, next, value)
		}
		return value, next, next + 1
	default:
		return value, from, to
	}
	parts := []string{value}
	for _, l := range lines[i+1 : to] {
		body := l.body
		if isList(f) {
			body = body[len(bullet.FindString(body)):]
		}
		parts = append(parts, strings.TrimSpace(body))
	}
	sep := "\n"
	if isList(f) {
		sep = "; "
	}
	return strings.Trim(clip(strings.Join(parts, sep), maxValue), " \n;"), from, to
}

// contactBelow adds to a contact's name what stands of him on the lines below it: his role, his
// address, his number, each on a line of its own.
func contactBelow(lines []line, i int, name string) (value string, from, to int) {
	parts := []string{name}
	j := i + 1
	for ; j < len(lines) && j <= i+4; j++ {
		l := &lines[j]
		if l.blank() || l.gap {
			break
		}
		if l.label != nil || unknownLabel(l.body) || isRule(l.body) || len(l.body) > 60 || strings.HasSuffix(strings.TrimSpace(l.body), ".") {
			return name, i, i + 1
		}
		parts = append(parts, strings.TrimSpace(l.body))
	}
	return strings.Join(parts, "; "), i, j
}

// boxed reports whether a line is a box of a form and its text.
func boxed(s string) bool {
	_, ok := ticked(s)
	return ok
}

// textEnd returns the line after the last one of a text: the next label, also one that is
// not known, a quotation, or else the end of the paragraph.
func textEnd(lines []line, i, last int) int {
	j := i + 1
	written := lines[i].label.value != ""
	for ; j < len(lines) && lines[j].label == nil && !lines[j].gap; j++ {
		if unknownLabel(lines[j].body) && !wrapped(lines[j-1].body, lines[j].body) {
			break
		}
		if lines[j].blank() && written && (j > last || lines[i].label.value == "" && headsNext(lines, j)) {
			break
		}
		if parallel(&lines[i], &lines[j]) || strings.HasPrefix(strings.TrimSpace(lines[j].body), ourQuotation) {
			break
		}
		written = written || !lines[j].blank()
	}
	for j > i+1 && lines[j-1].blank() {
		j--
	}
	return j
}

// ourQuotation begins the lines in which our mails show the words that a value was read from.
const ourQuotation = `you wrote "`

// listEnd returns the line after the last one of a list: the first that is blank or a label.
func listEnd(lines []line, i int) int {
	j := i + 1
	for j < len(lines) && lines[j].label == nil && !lines[j].blank() && !lines[j].gap && !unknownLabel(lines[j].body) && j <= i+maxList {
		j++
	}
	return j
}

// headsNext reports whether the paragraph behind the blank line j begins with a short line that
// heads others, as the one above it did.
func headsNext(lines []line, j int) bool {
	for j < len(lines) && lines[j].blank() {
		j++
	}
	if j+1 >= len(lines) || lines[j+1].blank() {
		return false
	}
	head := strings.TrimSpace(lines[j].body)
	return len(strings.Fields(head)) <= 8 && len(head) <= 60 && !strings.HasSuffix(head, ".") && !strings.HasSuffix(head, ",")
}

// parallel reports whether line b is written as the labelled line a is, with the same mark in
// front or between label and value: then it is a point of its own.
func parallel(a, b *line) bool {
	if a.label.value == "" || b.blank() {
		return false
	}
	x, y := strings.TrimSpace(bullet.FindString(a.body)), strings.TrimSpace(bullet.FindString(b.body))
	if x != "" && (x == y || startsWithDigit(x) && startsWithDigit(y)) {
		return true
	}
	mark, _ := firstMark(a.body)
	other, words := firstMark(b.body)
	return mark != "" && mark != ":" && mark != "：" && mark == other && words <= 4
}

// firstMark returns the first separator of a line and how many words stand before it.
func firstMark(s string) (mark string, words int) {
	s = s[len(bullet.FindString(s)):]
	top := clip(s, 60)
	for i := 1; i < len(top); i++ {
		if n, _ := separator(top, i); n > 0 {
			return top[i : i+n], len(strings.Fields(top[:i]))
		}
	}
	return "", 0
}

func isText(f intake.Field) bool {
	return f == intake.FieldProblem || f == intake.FieldSolutionFit
}

func isList(f intake.Field) bool {
	return f == intake.FieldServicesNeeded || f == intake.FieldProductInterest || f == intake.FieldCompetingVendors
}

// evidence returns the place and the words of lines [from, to): one piece of the text, so
// that a value that spans quoted lines has only its first as evidence.
func evidence(d *document, lines []line, from, to int) (span, string) {
	if lines[from].depth > 0 || lines[to-1].depth > 0 {
		to = from + 1
	}
	return d.words(lines[from].start, lines[to-1].end)
}

// words returns a piece of the text without white space around it, bounded, and its place.
func (d *document) words(start, end int) (span, string) {
	s := d.text[start:end]
	start += len(s) - len(strings.TrimLeft(s, " \t\n"))
	s = cutRunes(strings.TrimSpace(s), maxEvidence)
	return span{start, start + len(s)}, s
}

// slot reports whether a value is an empty place of a form: "____", "[company domain]".
func (e *Extractor) slot(v string) bool { return marksSlot(v) || fold(v) == "" }

func marksSlot(v string) bool {
	if strings.HasPrefix(v, "[") && strings.HasSuffix(v, "]") {
		return true
	}
	return strings.HasPrefix(v, "<") && strings.HasSuffix(v, ">") && !strings.ContainsAny(v, "@.")
}

// empty reports whether a value says that there is none: "n/a", "tbd", an empty slot.
func (e *Extractor) empty(v string) bool {
	if marksSlot(v) {
		return true
	}
	k := fold(v)
	_, says := e.dict.words["empty"][k]
	return k == "" || says
}

// ours reports whether a value holds an address of our own domains, as the contact line of
// a mail of ours does.
func (e *Extractor) ours(v string) bool {
	return slices.ContainsFunc(addressesIn(v, 4), func(a string) bool {
		d, err := e.ids.Domain(a[strings.LastIndexByte(a, '@')+1:])
		return err == nil && e.opts.OwnDomain(d.Key)
	})
}

// cutRunes returns the first n runes of s, trimmed.
func cutRunes(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return strings.TrimSpace(s[:i])
		}
		n--
	}
	return s
}
