package extract

import (
	"slices"
	"strings"
	"unicode"

	"leadgate/intake"
)

// readLeads reads the leads of a mail's text: several if it is cut into blocks that each
// name a prospect, else one at most. shared is what was found outside the text.
func (e *Extractor) readLeads(m *mail, shared candidates) []Lead {
	lines := e.withoutPartner(m.doc.readable())
	rows, rest := e.tables(m, lines)
	if len(rows) == 1 {
		shared.addAll(rows[0])
		rows = nil
	}
	if len(rows) > 1 {
		return e.leadsOfBlocks(m, rows, e.readAll(m, rest))
	}
	for _, cut := range []func(*mail, []line) ([][]line, []line){e.headedBlocks, e.labelBlocks, e.entryBlocks, e.paragraphBlocks} {
		blocks, outside := cut(m, rest)
		if len(blocks) < 2 {
			continue
		}
		found := make([]candidates, len(blocks))
		for i, b := range blocks {
			found[i] = e.readBlock(m, b, nil)
		}
		if distinct(found) && allNamed(found) {
			return e.leadsOfBlocks(m, found, e.readAll(m, outside))
		}
	}
	found := e.readBlock(m, rest, shared)
	found.addAll(e.readSubject(m, found))
	found.addAll(e.readKindOf(m))
	l := e.merge(found, m)
	if len(l.Fields) == 0 && len(l.Problems) == 0 {
		return nil
	}
	return []Lead{l}
}

// leadsOfBlocks makes a lead of each block; common is what was said for all of them.
func (e *Extractor) leadsOfBlocks(m *mail, blocks []candidates, common candidates) []Lead {
	kind := e.readKindOf(m)
	var out []Lead
	for _, found := range blocks {
		for f, cs := range common {
			if len(found[f]) == 0 {
				for _, c := range cs {
					found.add(f, c)
				}
			}
		}
		found.addAll(kind)
		l := e.merge(found, m)
		if l.Fields[intake.FieldCompanyName] == "" && l.Fields[intake.FieldContactEmail] == "" && l.Fields[intake.FieldCompanyDomain] == "" {
			continue
		}
		if out = append(out, l); len(out) > MaxLeads { // one more tells that there are more
			break
		}
	}
	return out
}

// distinct reports whether at least two blocks name prospects, and no two the same.
func distinct(found []candidates) bool {
	var names []string
	for _, c := range found {
		name := ""
		for _, f := range []intake.Field{intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactEmail} {
			if v, ok := c.best(f); ok {
				name = bareName(v.value)
				break
			}
		}
		if name == "" {
			continue
		}
		if slices.Contains(names, name) {
			return false
		}
		names = append(names, name)
	}
	return len(names) > 1
}

// allNamed reports whether each block names a company or a person.
func allNamed(found []candidates) bool {
	for _, c := range found {
		_, company := c.best(intake.FieldCompanyName)
		_, person := c.best(intake.FieldContactName)
		if !company && !person {
			return false
		}
	}
	return true
}

// readBlock reads the lines of one lead. known is what is known of it from elsewhere.
func (e *Extractor) readBlock(m *mail, lines []line, known candidates) candidates {
	found := e.readLabels(m.doc, lines)
	e.readHeading(m, lines, found)
	e.readForm(m, lines, found)
	found.addAll(known)
	found.addAll(e.readProse(m, lines, found))
	return found
}

// readHeading takes the first line of a block for the company, if the lines below are labels
// and none names it: "### Acme Corp".
func (e *Extractor) readHeading(m *mail, lines []line, found candidates) {
	if len(found[intake.FieldCompanyName]) > 0 || len(found[intake.FieldContactEmail]) == 0 {
		return
	}
	for i := range lines {
		l := &lines[i]
		if separates(l) {
			continue
		}
		head := strings.Trim(l.body, " #*=_-:")
		if noName(l) || i+2 >= len(lines) || lines[i+1].label == nil && lines[i+2].label == nil || labelsOf(lines) < 2 || !headsForm(head) || m.sender.is(head) {
			return
		}
		at, words := m.doc.words(l.start, l.end)
		l.used = true
		found.add(intake.FieldCompanyName, candidate{value: companyName(head), words: words, at: at, score: scoreLikely * factors[l.region], method: byLabel})
		return
	}
}

// headsForm reports whether a line above labels may be a company's name and is no sentence.
func headsForm(head string) bool {
	words := strings.Fields(head)
	return len(words) > 0 && len(words) <= 6 && capital(head) && !strings.ContainsAny(head, "@:?!") &&
		(!strings.HasSuffix(head, ".") || proseWords().legal[fold(words[len(words)-1])])
}

// labelsOf counts the lines with labels.
func labelsOf(lines []line) int {
	n := 0
	for i := range lines {
		if lines[i].label != nil {
			n++
		}
	}
	return n
}

// readAll reads, of what stands around several leads, the sentences that are said of all.
func (e *Extractor) readAll(m *mail, lines []line) candidates {
	out := make(candidates)
	p := &prose{sents: proseOf(lines)}
	for i := range p.sents {
		s := &p.sents[i]
		if proseWords().of("forall").in(s) {
			p.readConsent(m, s, out)
			p.readStage(m, s, out)
		}
	}
	return out
}

// readable returns the lines that leads are read from, blank ones included: what was written
// this time and what was forwarded.
func (d *document) readable() []line {
	var out []line
	gap := false
	for i, l := range d.lines {
		if l.region != fresh && l.region != forwarded {
			gap = true
			continue
		}
		l.gap, gap = gap, false
		l.used = l.label == nil && d.within(i)
		out = append(out, l)
	}
	return out
}

// within reports whether line i stands right between quoted lines, as the rest of one that a
// mail program broke does.
func (d *document) within(i int) bool {
	return i > 0 && i+1 < len(d.lines) && d.lines[i].region == fresh && d.lines[i-1].region == quoted && d.lines[i+1].region == quoted && d.lines[i-1].depth > 0 && d.lines[i+1].depth > 0
}

// headedBlocks cuts at headings like "Lead 1" or "Kunde 2: Acme".
func (e *Extractor) headedBlocks(_ *mail, lines []line) (blocks [][]line, outside []line) {
	var starts []int
	for i := range lines {
		if e.numberedHeading(lines[i].body) {
			starts = append(starts, i)
		}
	}
	return cutAt(lines, starts, e.lastLabel(lines))
}

// numberedHeading reports whether a line is the name of a prospect's label and a number.
func (e *Extractor) numberedHeading(s string) bool {
	if len(s) > 100 {
		return false
	}
	head, _, _ := strings.Cut(unmark(strings.Trim(s, " -=_*#:")), ":")
	k := fold(strings.Trim(unmark(head), " -=_*#"))
	name := strings.TrimRight(k, "0123456789")
	if name == k || name == "" {
		return false
	}
	name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(name), " no"), " nr")
	f, known := e.dict.labels[name]
	return known && (f == intake.FieldCompanyName || f == intake.FieldKind) || e.dict.words["kind"][name] != ""
}

// labelBlocks cuts where a label of the company comes again with another value, each time
// with more than that about the prospect.
func (e *Extractor) labelBlocks(_ *mail, lines []line) (blocks [][]line, outside []line) {
	var starts []int
	seen := make(map[string]bool)
	for i := range lines {
		l := lines[i].label
		if l == nil || l.weak || l.field != intake.FieldCompanyName {
			continue
		}
		value := l.value
		if value == "" && i+1 < len(lines) {
			value = lines[i+1].body
		}
		if k := bareName(value); k != "" && !seen[k] && !e.empty(value) {
			seen[k] = true
			starts = append(starts, i)
		}
	}
	if len(starts) < 2 {
		return nil, nil
	}
	last := e.lastLabel(lines)
	for i, from := range starts {
		to := last + 1
		if i+1 < len(starts) {
			to = starts[i+1]
		}
		if !tellsMore(lines[from:max(from, to)]) {
			return nil, nil
		}
	}
	// What stands right above the first label of a block belongs to it: "Domain" may come first.
	return cutAt(lines, e.blockStarts(lines, starts), last)
}

// blockStarts moves the beginning of each block up to the first label of its paragraph, if
// all blocks begin so.
func (e *Extractor) blockStarts(lines []line, starts []int) []int {
	out := slices.Clone(starts)
	for i, at := range starts {
		for at > 0 && lines[at-1].label != nil && !lines[at-1].blank() && (i == 0 || at-1 > starts[i-1]) {
			at--
		}
		if i > 0 && at == starts[i-1]+1 {
			return starts
		}
		out[i] = at
	}
	for i, at := range out {
		if (starts[i] - at) != (starts[0] - out[0]) {
			return starts
		}
	}
	return out
}

// tellsMore reports whether a block has labels of a prospect besides the company's name.
func tellsMore(lines []line) bool {
	for _, l := range lines {
		if l.label == nil {
			continue
		}
		switch l.label.field {
		case intake.FieldContactName, intake.FieldContactEmail, intake.FieldCompanyDomain, intake.FieldContactPhone, intake.FieldProblem:
			return true
		}
	}
	return false
}

// lastLabel returns the index of the last line that belongs to labels.
func (e *Extractor) lastLabel(lines []line) int {
	last := -1
	for i := range lines {
		if lines[i].label != nil {
			last = i
		}
	}
	for last >= 0 && last+1 < len(lines) && !lines[last+1].blank() {
		last++
	}
	if last < 0 {
		return len(lines) - 1
	}
	return last
}

// cutAt cuts lines at starts; what stands before the first and after the last is outside.
func cutAt(lines []line, starts []int, last int) (blocks [][]line, outside []line) {
	if len(starts) < 2 {
		return nil, nil
	}
	if last < starts[len(starts)-1] {
		last = len(lines) - 1
	}
	for i, from := range starts {
		to := last + 1
		if i+1 < len(starts) {
			to = starts[i+1]
		}
		blocks = append(blocks, lines[from:to])
	}
	return blocks, append(slices.Clone(lines[:starts[0]]), lines[last+1:]...)
}

// entryBlocks cuts a list of which each entry has an address of its own.
func (e *Extractor) entryBlocks(m *mail, lines []line) (blocks [][]line, outside []line) {
	var starts []int
	last, numbered := -1, 0
	for i := range lines {
		if startsWithDigit(bullet.FindString(lines[i].body)) {
			numbered++
		}
	}
	margin := marginOf(lines)
	for i := range lines {
		mark := strings.TrimSpace(bullet.FindString(lines[i].body))
		if mark != "" && len(starts) > 0 && indent(lines[i].body) > margin+1 {
			last = i // a point within an entry
			continue
		}
		if l := lines[i].label; mark != "" && numbered < 2 && l != nil && !l.weak {
			return nil, nil // the points of one lead
		}
		if mark != "" && (numbered < 2 || startsWithDigit(mark)) {
			starts = append(starts, i)
			last = i
			continue
		}
		if mark != "" && len(starts) > 0 {
			last = i // an entry of several points
			continue
		}
		if last >= 0 && i == last+1 && !lines[i].blank() && len(starts) > 0 {
			last = i // an entry of several lines
		}
	}
	blocks, outside = cutAt(lines, starts, last)
	return e.addressedBlocks(m, blocks, outside)
}

// indent counts the blanks in front of a line.
func indent(s string) int { return len(s) - len(strings.TrimLeft(s, " \t")) }

// marginOf returns how far the outermost entries of a list are indented.
func marginOf(lines []line) int {
	least := 1 << 20
	for i := range lines {
		if strings.TrimSpace(bullet.FindString(lines[i].body)) != "" {
			least = min(least, indent(lines[i].body))
		}
	}
	return least
}

func startsWithDigit(s string) bool {
	s = strings.TrimLeft(s, " \t(|")
	return s != "" && s[0] >= '0' && s[0] <= '9'
}

// paragraphBlocks cuts at blank lines, if paragraphs have addresses of different companies.
func (e *Extractor) paragraphBlocks(m *mail, lines []line) (blocks [][]line, outside []line) {
	var starts []int
	for i := range lines {
		if !separates(&lines[i]) && (i == 0 || separates(&lines[i-1])) {
			starts = append(starts, i)
		}
	}
	blocks, outside = cutAt(lines, starts, len(lines)-1)
	return e.addressedBlocks(m, blocks, outside)
}

// separates reports whether a line stands between paragraphs: it is blank or a rule.
func separates(l *line) bool { return l.blank() || isRule(l.body) }

// addressedBlocks keeps the blocks that hold an address of a prospect, if these are of
// different companies; the rest is outside.
func (e *Extractor) addressedBlocks(m *mail, blocks [][]line, outside []line) ([][]line, []line) {
	var kept [][]line
	seen := make(map[string]bool)
	for _, b := range blocks {
		of := ""
		for i := range b {
			if b[i].partner {
				continue
			}
			for _, a := range addresses.FindAllString(b[i].body, 4) {
				if addr, ok := address(strings.TrimPrefix(a, "mailto:")); ok && e.outsider(addr, m) && of == "" {
					of = domainOf(addr)
				}
			}
		}
		if of == "" {
			outside = append(outside, b...)
			continue
		}
		if seen[of] {
			return nil, nil
		}
		seen[of] = true
		kept = append(kept, b)
	}
	if len(kept) < 2 || !alike(kept) {
		return nil, nil
	}
	return kept, outside
}

// alike reports whether blocks are written in the same way: a form of many labels below a
// paragraph that has none is the one lead of which the paragraph speaks.
func alike(blocks [][]line) bool {
	least, most := 1<<20, 0
	for _, b := range blocks {
		n := labelsOf(b)
		least, most = min(least, n), max(most, n)
	}
	return least > 0 || most < 4
}

// tables finds header rows and the rows below them, and reads each row as a lead. rest is
// what stands around.
func (e *Extractor) tables(m *mail, lines []line) (rows []candidates, rest []line) {
	for i := 0; i < len(lines); i++ {
		if turned, n := e.turnedTable(m, lines[i:]); n > 0 {
			rows = append(rows, turned...)
			i += n - 1
			continue
		}
		columns, kind := e.textHeader(lines, i)
		if columns == nil {
			if bare, n := e.bareRows(m, lines[i:]); n > 0 {
				rows = append(rows, bare...)
				i += n - 1
				continue
			}
			rest = append(rest, lines[i])
			continue
		}
		e.columnsByContent(lines[i+1:], kind, columns)
		j := i + 1
		for ; j < len(lines); j++ {
			if lines[j].blank() || isRule(strings.NewReplacer("|", "-", "+", "-", ":", "-", "\t", "-").Replace(lines[j].body)) {
				if j+1 < len(lines) && len(cellsOf(lines[j+1], kind)) > 1 || !lines[j].blank() {
					continue
				}
				break
			}
			cells := cellsOf(lines[j], kind)
			if len(cells) < 2 || len(cells) > len(columns)+1 {
				break
			}
			if len(rows) <= MaxLeads {
				rows = append(rows, e.readRow(m, lines[j], columns, cells))
			}
		}
		if j == i+1 {
			rest = append(rest, lines[i])
			continue
		}
		i = j - 1
	}
	return rows, rest
}

// columnsByContent tells columns whose name nobody knows by what stands in the first row that
// has as many cells: a name that the address is made of, a role.
func (e *Extractor) columnsByContent(below []line, mark string, columns []intake.Field) {
	mail := slices.Index(columns, intake.FieldContactEmail)
	for i := range below {
		cells := cellsOf(below[i], mark)
		if i > 3 || mail < 0 {
			return
		}
		if len(cells) != len(columns) || e.email(cells[mail].text) == "" {
			continue
		}
		for j, c := range cells {
			switch {
			case columns[j] != "":
			case !slices.Contains(columns, intake.FieldContactName) && looksLikeName(c.text, e.email(cells[mail].text)):
				columns[j] = intake.FieldContactName
			case !slices.Contains(columns, intake.FieldContactRole) && roleLine(c.text) && len(strings.Fields(c.text)) <= 5:
				columns[j] = intake.FieldContactRole
			}
		}
		return
	}
}

// turnedTable reads a table whose rows are labels and whose columns are leads. It returns how
// many lines it has, 0 if none begins at the first line.
func (e *Extractor) turnedTable(m *mail, lines []line) (leads []candidates, n int) {
	for _, mark := range []string{"\t", "|", " · "} {
		first := cellsOf(lines[0], mark)
		if len(first) < 3 || len(first) > MaxLeads {
			continue
		}
		labels, seen := 0, map[intake.Field]bool{}
		for n = 0; n < len(lines) && n < 40; n++ {
			cells := cellsOf(lines[n], mark)
			if len(cells) != len(first) {
				break
			}
			if f, ok := e.dict.label(fold(unmark(cells[0].text)), false); ok && !seen[f] {
				if _, header := e.dict.label(fold(unmark(cells[1].text)), false); header {
					return nil, 0
				}
				seen[f] = true
				labels++
			}
		}
		if labels < 3 || labels*2 < n || !seen[intake.FieldCompanyName] {
			continue
		}
		leads = make([]candidates, len(first)-1)
		for col := range leads {
			leads[col] = make(candidates)
			for _, l := range lines[:n] {
				cells := cellsOf(l, mark)
				if f, ok := e.dict.label(fold(unmark(cells[0].text)), false); ok {
					leads[col].addAll(e.readRow(m, l, []intake.Field{f}, cells[col+1:col+2]))
				}
			}
		}
		return leads, n
	}
	return nil, 0
}

// piece is a part of a line.
type piece struct {
	text       string
	start, end int // in the line's body
}

// separators of cells, and how they look in a line
var cellMarks = []string{"|", "\t", " · ", ";", "  ", ","}

// textHeader reads line i as the names of columns: two fields at least, of which one is of the
// company or its contact, and a row of as many cells below.
func (e *Extractor) textHeader(lines []line, i int) (columns []intake.Field, mark string) {
	if lines[i].blank() || len(lines[i].body) > 1000 {
		return nil, ""
	}
	for _, mark := range cellMarks {
		cells := cellsOf(lines[i], mark)
		if len(cells) < 2 {
			continue
		}
		columns = columns[:0]
		known, seen := 0, map[intake.Field]bool{}
		for _, c := range cells {
			f, ok := e.dict.label(fold(unmark(c.text)), false)
			if !ok || seen[f] {
				f = ""
			} else {
				known++
				seen[f] = true
			}
			columns = append(columns, f)
		}
		if known == 1 && len(cells) > 2 && seen[intake.FieldCompanyName] && e.addressColumn(lines, i, mark, columns) {
			return columns, mark
		}
		if known < 2 || known*3 < len(cells) || !seen[intake.FieldCompanyName] && !seen[intake.FieldContactEmail] && !seen[intake.FieldCompanyDomain] {
			continue
		}
		if !seen[intake.FieldContactEmail] {
			e.addressColumn(lines, i, mark, columns)
		}
		below := i + 1
		for below < len(lines) && below < i+3 && (lines[below].blank() || isRule(strings.NewReplacer("|", "-", "+", "-", ":", "-", "\t", "-").Replace(lines[below].body))) {
			below++
		}
		if below >= len(lines) || len(cellsOf(lines[below], mark)) < min(len(cells), 3)-len(cells)/4 || len(cellsOf(lines[below], mark)) < 2 {
			continue
		}
		if len(cells) == 2 && e.labelCells(cellsOf(lines[below], mark)) {
			continue // label and value in each row
		}
		return columns, mark
	}
	return nil, ""
}

// addressColumn finds the column of addresses in the row below a header of which little is
// known, and reports whether there is one.
func (e *Extractor) addressColumn(lines []line, i int, mark string, columns []intake.Field) bool {
	below := i + 1
	for below < len(lines) && below < i+3 && (lines[below].blank() || isRule(lines[below].body)) {
		below++
	}
	if below >= len(lines) {
		return false
	}
	cells := cellsOf(lines[below], mark)
	if len(cells) != len(columns) {
		return false
	}
	for j, c := range cells {
		if columns[j] == "" && e.email(c.text) != "" {
			columns[j] = intake.FieldContactEmail
			return true
		}
	}
	return false
}

func (e *Extractor) labelCells(cells []piece) bool {
	_, ok := e.dict.label(fold(unmark(cells[0].text)), false)
	return ok
}

// cellsOf cuts a line at a mark. Bars at both ends count for nothing.
func cellsOf(l line, mark string) []piece {
	body := strings.TrimRight(l.body, " ")
	off := 0
	if mark == "|" {
		trimmed := strings.TrimLeft(body, " ")
		off = len(body) - len(trimmed)
		if strings.HasPrefix(trimmed, "|") {
			trimmed, off = trimmed[1:], off+1
		}
		body = strings.TrimSuffix(strings.TrimRight(trimmed, " "), "|")
	}
	if !strings.Contains(body, mark) {
		return nil
	}
	if (mark == "," || mark == ";") && strings.Contains(body, `"`) {
		return quotedCells(body, mark[0])
	}
	var out []piece
	for pos := 0; pos <= len(body) && len(out) < 40; {
		end := strings.Index(body[pos:], mark)
		if end < 0 {
			end = len(body)
		} else {
			end += pos
		}
		text := strings.TrimSpace(body[pos:end])
		if mark != "  " || text != "" {
			out = append(out, piece{text, off + pos, off + end})
		}
		pos = end + len(mark)
	}
	return out
}

// quotedCells cuts a line of separated values of which some are in quotation marks.
func quotedCells(body string, mark byte) []piece {
	var out []piece
	start, inside := 0, false
	for i := 0; i <= len(body) && len(out) < 40; i++ {
		switch {
		case i < len(body) && body[i] == '"':
			inside = !inside
		case i == len(body) || body[i] == mark && !inside:
			out = append(out, piece{strings.Trim(strings.TrimSpace(body[start:i]), `"`), start, i})
			start = i + 1
		}
	}
	return out
}

// readRow reads the cells of a row below a header.
func (e *Extractor) readRow(m *mail, l line, columns []intake.Field, cells []piece) candidates {
	found := make(candidates)
	for i, c := range cells {
		if i >= len(columns) || columns[i] == "" || c.text == "" || e.empty(c.text) && !tick(columns[i], c.text) {
			continue
		}
		at, words := m.doc.words(l.start+c.start, l.start+c.end)
		for f, v := range e.values(columns[i], trimValue(c.text)) {
			score := scoreHeader
			if f != columns[i] {
				score -= .05
			}
			found.add(f, candidate{value: v, words: words, at: at, score: score * factors[l.region], method: byTable})
		}
	}
	return found
}

// capital reports whether s begins with a capital or a digit.
func capital(s string) bool {
	for _, r := range s {
		return unicode.IsUpper(r) || unicode.IsDigit(r)
	}
	return false
}
