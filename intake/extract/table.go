package extract

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	textunicode "golang.org/x/text/encoding/unicode"

	"leadgate/intake"
	"leadgate/intake/identity"
)

// Limits of what is read of a table; a row beyond them is named in a fault.
const (
	maxAttachment = 5 << 20 // bytes of a file
	maxFaults     = 50
	maxColumns    = 64
	maxCell       = 8 << 10 // bytes
	maxRow        = 256 << 10
	maxHeader     = 10 // rows in which the names of the columns are looked for
	maxTorn       = 5  // rows with a quotation mark that is never closed
)

// separators are those of files of separated values, the likeliest first.
var separators = []rune{',', ';', '\t', '|'}

// readTable reads leads out of a file of separated values, in any of the forms in which
// spreadsheets write one. A file whose columns we don't know gives nothing: it may be about
// anything.
func readTable(e *Extractor, a Attachment) ([]Lead, []intake.RowFault) {
	text := cutLines(decodeText(a))
	sep, text, first := e.separatorOf(text)
	if sep == 0 {
		return nil, nil
	}
	return e.leadsOf(separated(text, sep, first), nil, byTable, scoreTable)
}

// leadsOfRows reads a table whose columns are named by a row among the first, one lead from
// each row below. at tells where a cell stands in Result.Text; nil if the table stands
// elsewhere. Rows of faults count from 1. A table without such a row gives nothing.
func (e *Extractor) leadsOfRows(rows [][]string, at func(row, col int) (start, end int), method string, score float64) ([]Lead, []intake.RowFault) {
	table := make([]tableRow, len(rows))
	for i, cells := range rows {
		table[i] = tableRow{number: i + 1, cells: cells}
	}
	return e.leadsOf(table, at, method, score)
}

// tableRow is a row with its number, as a spreadsheet counts.
type tableRow struct {
	number int
	cells  []string
	fault  string // why it could not be read
}

func (r *tableRow) blank() bool {
	return r.fault == "" && !slices.ContainsFunc(r.cells, func(s string) bool { return strings.ContainsFunc(s, isAlnum) })
}

func (e *Extractor) leadsOf(rows []tableRow, at func(row, col int) (start, end int), method string, score float64) ([]Lead, []intake.RowFault) {
	head, cols := e.header(rows)
	if cols == nil {
		return nil, nil
	}
	var leads []Lead
	var faults []intake.RowFault
	for i := head + 1; i < len(rows); i++ {
		r := &rows[i]
		if r.blank() || e.repeatsHeader(r, cols) {
			continue
		}
		if len(leads) == MaxLeads || len(faults) == maxFaults {
			return leads, append(faults, unread(rows[i:]))
		}
		place := func(col int) (int, int) { return 0, 0 }
		if at != nil {
			place = func(col int) (int, int) { return at(i, col) }
		}
		lead, problem := e.leadOfRow(r, cols, place, method, score)
		if problem != nil {
			faults = append(faults, intake.RowFault{Row: r.number, Problem: *problem})
			continue
		}
		leads = append(leads, lead)
	}
	return leads, faults
}

// unread is the fault for the rows behind the last that is read.
func unread(rows []tableRow) intake.RowFault {
	n := 0
	for i := range rows {
		if !rows[i].blank() {
			n++
		}
	}
	return intake.RowFault{Row: rows[0].number, Problem: intake.Problem{
		Code:    intake.ProblemTooLong,
		Message: fmt.Sprintf("from here on %d rows were not read; send a long list by the CSV upload", n),
	}}
}

// column is what a column of a table holds; the zero column is ignored.
type column struct {
	field         intake.Field
	given, family bool // the column holds this half of the contact's name
}

// header finds the row that names the columns: the one among the first with the most labels,
// two at least, one of which tells whom the row is about.
func (e *Extractor) header(rows []tableRow) (row int, cols []column) {
	most := 1
	for i := range rows[:min(len(rows), maxHeader)] {
		if c, n := e.columns(rows[i].cells); n > most {
			row, cols, most = i, c, n
		}
	}
	return row, cols
}

// columns reads a row as names of columns and counts the fields that it names; 0 if it does
// not tell whom a row is about.
func (e *Extractor) columns(cells []string) (cols []column, known int) {
	cells = cells[:min(len(cells), maxColumns)]
	cols = make([]column, len(cells))
	has := make(map[intake.Field]bool)
	for i, cell := range cells {
		if len(cell) > maxLabelBytes {
			continue
		}
		k := fold(unmark(cell))
		f, ok := e.dict.label(k, true)
		switch {
		case e.dict.is("given", cell):
			cols[i] = column{field: intake.FieldContactName, given: true}
			has[intake.FieldContactName] = true
		case e.dict.is("family", cell):
			cols[i] = column{field: intake.FieldContactName, family: true}
		case ok && !e.dict.weak[k]:
			cols[i], has[f] = column{field: f}, true
		}
	}
	e.weakColumns(cells, cols, has)
	if !has[intake.FieldCompanyName] && !has[intake.FieldCompanyDomain] && !has[intake.FieldContactEmail] {
		return cols, 0
	}
	return cols, len(has)
}

// weakColumns settles the columns whose names have two meanings by what else there is. A
// "Name" is a person's beside a company's; a "Lead" is a company beside a person.
func (e *Extractor) weakColumns(cells []string, cols []column, has map[intake.Field]bool) {
	person := has[intake.FieldContactName]
	for i, cell := range cells {
		if cols[i].field == intake.FieldContactName && e.dict.is("name", cell) && !has[intake.FieldCompanyName] {
			cols[i] = column{}
			person = slices.ContainsFunc(cols, func(c column) bool { return c.field == intake.FieldContactName })
		}
	}
	has[intake.FieldContactName] = person
	for i, cell := range cells {
		k := fold(unmark(cell))
		f := e.dict.labels[k]
		if !e.dict.weak[k] || has[f] || cols[i] != (column{}) {
			continue
		}
		switch {
		case f == intake.FieldCompanyName && person,
			f == intake.FieldContactName && has[intake.FieldContactEmail],
			f == intake.FieldProblem:
			cols[i], has[f] = column{field: f}, true
		}
	}
	if !has[intake.FieldContactName] {
		delete(has, intake.FieldContactName)
	}
}

// repeatsHeader reports whether a row names the columns once more, or adds them up.
func (e *Extractor) repeatsHeader(r *tableRow, cols []column) bool {
	return e.namesAgain(r.cells, cols) || e.addsUp(r.cells)
}

// namesAgain reports whether a row names the columns once more.
func (e *Extractor) namesAgain(cells []string, cols []column) bool {
	labels := 0
	for i, cell := range cells[:min(len(cells), len(cols))] {
		if f := cols[i].field; f != "" && e.dict.labels[fold(unmark(clip(cell, maxLabelBytes)))] == f {
			labels++
		}
	}
	return labels >= 2
}

// addsUp reports whether a row begins with the word for a sum.
func (e *Extractor) addsUp(cells []string) bool {
	i := slices.IndexFunc(cells, func(s string) bool { return strings.ContainsFunc(s, isAlnum) })
	return i >= 0 && len(cells[i]) <= maxLabelBytes && e.dict.is("total", cells[i])
}

// leadOfRow reads one row. A cell that is not what its column says is named in a problem of
// the lead; a row about nobody is one by itself.
func (e *Extractor) leadOfRow(r *tableRow, cols []column, at func(col int) (start, end int), method string, score float64) (Lead, *intake.Problem) {
	if r.fault != "" {
		return Lead{}, &intake.Problem{Code: intake.ProblemTooLong, Message: r.fault}
	}
	l := e.readCells(r, cols, at, method, score)
	if l.Fields[intake.FieldCompanyName] == "" && l.Fields[intake.FieldCompanyDomain] == "" && l.Fields[intake.FieldContactEmail] == "" {
		return Lead{}, &intake.Problem{
			Field: intake.FieldCompanyName, Code: intake.ProblemMissing,
			Message: "the row names no company, no domain and no contact's e-mail address",
		}
	}
	return l, nil
}

// readCells reads the cells of a row, whomever it is about.
func (e *Extractor) readCells(r *tableRow, cols []column, at func(col int) (start, end int), method string, score float64) Lead {
	found := e.cells(r, cols)
	l := Lead{Fields: make(intake.Lead, len(found)+1), Evidence: make(map[intake.Field]Evidence, len(found)+1)}
	var conflict []intake.Field
	var refused map[intake.Field]string
	for _, c := range found {
		start, end := at(c.col)
		given := func(f intake.Field, v string) {
			switch old := l.Fields[f]; {
			case old != "" && !strings.EqualFold(old, v) && f == c.field:
				conflict = append(conflict, f)
			case old == "":
				l.Fields[f] = v
				l.Evidence[f] = Evidence{Words: cutRunes(c.value, maxEvidence), Start: start, End: end, Score: score, Method: method}
			}
		}
		if e.valuesTo(given, c) == 0 && refused[c.field] == "" {
			if refused == nil {
				refused = make(map[intake.Field]string)
			}
			refused[c.field] = c.value
		}
	}
	for _, f := range intake.Fields() {
		if slices.Contains(conflict, f) {
			l.Problems = append(l.Problems, intake.Problem{Field: f, Code: intake.ProblemConflict, Message: "the row gives this twice, differently; which one is right?"})
			l.drop(f)
		} else if refused[f] != "" && l.Fields[f] == "" {
			l.refuse(e, f, refused[f])
		}
	}
	e.settlePhone(&l)
	e.cleanRow(&l)
	return l
}

// valuesTo hands on what a cell gives, and returns how many values that is.
func (e *Extractor) valuesTo(given func(intake.Field, string), c cell) int {
	switch c.field {
	case intake.FieldContactPhone: // its meaning depends on the country, which may stand behind
		given(c.field, c.value)
		return 1
	case intake.FieldContactName, intake.FieldCompanyName:
		values := e.values(c.field, c.value)
		for f, v := range values {
			given(f, v)
		}
		return len(values)
	}
	v := e.single(c.field, c.value)
	if v == "" {
		return 0
	}
	given(c.field, v)
	return 1
}

// cell is a cell with a value, and what it is about.
type cell struct {
	field intake.Field
	value string
	col   int
}

// cells returns the cells of a row that have a value, the halves of a name joined.
func (e *Extractor) cells(r *tableRow, cols []column) []cell {
	var out []cell
	name := -1
	for i, raw := range r.cells[:min(len(r.cells), len(cols))] {
		value := trimValue(normalise(raw))
		if cols[i].field == "" || e.empty(value) && !tick(cols[i].field, value) {
			continue
		}
		if !cols[i].given && !cols[i].family {
			out = append(out, cell{cols[i].field, value, i})
			continue
		}
		switch {
		case name < 0:
			name = len(out)
			out = append(out, cell{intake.FieldContactName, short(value), i})
		case cols[i].family:
			out[name].value += " " + short(value)
		default:
			out[name].value = short(value) + " " + out[name].value
		}
	}
	return out
}

// settlePhone reads the telephone number as in the country of the row.
func (e *Extractor) settlePhone(l *Lead) {
	raw := l.Fields[intake.FieldContactPhone]
	if raw == "" {
		return
	}
	region := l.Fields[intake.FieldCountry]
	if region == "" {
		region = countryOfDomain(l.Fields[intake.FieldCompanyDomain])
	}
	if number, ok := identity.Phone(raw, region); ok {
		l.Fields[intake.FieldContactPhone] = number
		return
	}
	l.drop(intake.FieldContactPhone)
	l.refuse(e, intake.FieldContactPhone, raw)
}

// refuse notes that a value was given that can't be one of the field.
func (l *Lead) refuse(e *Extractor, f intake.Field, v string) {
	_, problems := intake.Clean(e.ids, intake.Lead{f: v})
	if len(problems) == 0 {
		given, words := cutRunes(short(v), 80), "%q is not clear to us; give one value"
		if f == intake.FieldContactName && strings.ContainsFunc(v, isDigit) {
			words = "%q has a digit, which no name of a person has; write the first and the last name alone"
		}
		problems = []intake.Problem{{Field: f, Code: intake.ProblemInvalid, Message: fmt.Sprintf(words, given), Given: given}}
	}
	l.Problems = append(l.Problems, problems...)
}

// cleanRow leaves out what is not of the form of a lead. The telephone number has it, by
// settlePhone, and is dear to read.
func (e *Extractor) cleanRow(l *Lead) {
	number := l.Fields[intake.FieldContactPhone]
	delete(l.Fields, intake.FieldContactPhone)
	clean, problems := intake.Clean(e.ids, l.Fields)
	if number != "" {
		clean[intake.FieldContactPhone] = number
	}
	l.Problems = append(l.Problems, problems...)
	for f := range l.Evidence {
		if clean[f] == "" {
			delete(l.Evidence, f)
		}
	}
	l.Fields = clean
}

// separatorOf returns what separates the values of text: that by which most columns have a
// name that we know. It also returns the text without the line by which Excel is told, and the
// number of its first row. 0 stands for a text that is no table of leads.
func (e *Extractor) separatorOf(text string) (sep rune, rest string, first int) {
	first = 1
	if line, below, ok := strings.Cut(text, "\n"); ok && len(line) <= len(`"sep=;"`)+1 {
		if s, told := strings.CutPrefix(strings.ToLower(strings.Trim(line, "\"\r ")), "sep="); told && s != "" {
			text, first = below, 2
		}
	}
	most := 0
	for _, s := range separators {
		if strings.ContainsRune(text, s) {
			head := separated(clip(text, 4*maxHeader*maxCell), s, first)
			if i, cols := e.header(head); cols != nil {
				if _, n := e.columns(head[i].cells); n > most {
					sep, most = s, n
				}
			}
		}
	}
	return sep, text, first
}

// separated cuts text into rows and cells. It takes quotation marks as they come. A mark that
// is opened and never closed would swallow the rows below: such a row is a fault, and reading
// goes on with the next line.
func separated(text string, sep rune, first int) []tableRow {
	var rows []tableRow
	number, width := first, 0
	for torn := 0; torn <= maxTorn && text != ""; torn++ {
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.LazyQuotes, r.FieldsPerRecord = sep, true, -1
		r.TrimLeadingSpace = sep != '\t'
		from, rest := int64(0), ""
		for {
			cells, err := r.Read()
			if err != nil {
				break
			}
			start := from
			from = r.InputOffset()
			blank := blankLines(text[start:from])
			number += blank.lines
			row := tableRow{number: number, cells: cells}
			number++
			width = max(width, len(cells))
			if tears(cells, width, sep) {
				row.fault = "a cell of this row is too long, or a quotation mark in it is never closed"
				row.cells = nil
				_, rest, _ = strings.Cut(text[start+int64(blank.bytes):], "\n")
				rows = append(rows, row)
				break
			}
			rows = append(rows, row)
		}
		text = rest
	}
	return rows
}

// cutLines cuts off what is longer than a row can be.
func cutLines(text string) string {
	var b strings.Builder
	for rest := text; ; {
		i := strings.IndexByte(rest, '\n')
		if i < 0 {
			i = len(rest)
		}
		if i > maxRow || b.Len() > 0 {
			if b.Len() == 0 {
				b.WriteString(text[:len(text)-len(rest)])
			}
			b.WriteString(clip(rest[:i], maxRow))
			b.WriteString(rest[i:min(i+1, len(rest))])
		}
		if i >= len(rest) {
			break
		}
		rest = rest[i+1:]
	}
	if b.Len() > 0 {
		return b.String()
	}
	return text
}

// tears reports whether a row holds what can't be one cell: too much text, or, in a row that has
// too few cells, the cells of the rows below.
func tears(cells []string, width int, sep rune) bool {
	_, below, _ := strings.Cut(cells[len(cells)-1], "\n")
	return len(cells) < width && strings.ContainsRune(below, sep) ||
		slices.ContainsFunc(cells, func(s string) bool { return len(s) > maxCell })
}

// blank counts the empty lines before a record, which a spreadsheet counts as rows.
type blank struct{ lines, bytes int }

func blankLines(s string) blank {
	var b blank
	for b.bytes < len(s) && (s[b.bytes] == '\n' || s[b.bytes] == '\r') {
		if s[b.bytes] == '\n' {
			b.lines++
		}
		b.bytes++
	}
	return b
}

// decodeText returns the text of an attachment in UTF-8, its line ends as "\n": by its byte
// order mark, by the place of zero bytes, by its label, and else as Windows writes in the West.
func decodeText(a Attachment) string {
	b := a.Content[:min(len(a.Content), maxAttachment)]
	s := ""
	switch dec := utf16Of(b); {
	case dec != nil:
		s = decodeBy(dec, b)
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		s = string(b[3:])
	case utf8.Valid(b[:len(b)-torn(b, len(a.Content))]):
		s = string(b)
	default:
		enc, err := htmlindex.Get(a.Charset)
		if err != nil || enc == textunicode.UTF8 {
			enc = charmap.Windows1252
		}
		s = decodeBy(enc, b)
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	return strings.ReplaceAll(s, "\x00", "")
}

// torn returns how many bytes at the end of b may be the beginning of a character: none if b
// is all that there was.
func torn(b []byte, all int) int {
	if len(b) == all {
		return 0
	}
	return len(b) - len(bytes.TrimRightFunc(b, func(r rune) bool { return r == utf8.RuneError }))
}

func decodeBy(enc encoding.Encoding, b []byte) string {
	out, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		return string(b)
	}
	return string(out)
}

// utf16Of returns the encoding of UTF-16 text, nil for other text. Without a byte order mark
// it is known by the zero bytes of Latin letters.
func utf16Of(b []byte) encoding.Encoding {
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xfe}):
		return textunicode.UTF16(textunicode.LittleEndian, textunicode.ExpectBOM)
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return textunicode.UTF16(textunicode.BigEndian, textunicode.ExpectBOM)
	}
	var zero [2]int
	head := b[:min(len(b), 1000)&^1]
	for i, c := range head {
		if c == 0 {
			zero[i&1]++
		}
	}
	switch most := len(head) / 4; {
	case most == 0:
	case zero[1] > most && zero[0] == 0:
		return textunicode.UTF16(textunicode.LittleEndian, textunicode.IgnoreBOM)
	case zero[0] > most && zero[1] == 0:
		return textunicode.UTF16(textunicode.BigEndian, textunicode.IgnoreBOM)
	}
	return nil
}
