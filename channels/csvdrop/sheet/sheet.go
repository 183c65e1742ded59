package sheet

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"leadgate/intake"
	"leadgate/intake/extract"
)

// headRows are the rows, empty ones apart, among which the names of the columns are looked for.
const headRows = 10

// minKnown is how many names of columns must be known for a row to be the one with the names.
const minKnown = 2

// Options say how a file is read.
type Options struct {
	// Extractor knows the names of columns and reads the values.
	Extractor *extract.Extractor
	// Charset is what a mail says the encoding is; it counts for text that is not Unicode.
	Charset string
	// TempDir is where large workbooks are unpacked; empty for the system's.
	TempDir string
}

// Column is a column of the sender's.
type Column struct {
	Name  string
	Field intake.Field // "" if it is of none
}

// Row is a row of data.
type Row struct {
	Number int // as a spreadsheet counts
	// Lead is what was read, clean as intake.Clean says; Evidence the words that each value was
	// read from.
	Lead     intake.Lead
	Evidence map[intake.Field]string
	// Extra are the values of columns that are of no field, by name.
	Extra map[string]string
	// Answer is what a result file said about the row before its sender corrected it.
	Answer Answer
	// Cells are the sender's own, one for each of Columns, as they stand in the file. A row whose
	// end was not found has none.
	Cells []string
	// Problems are what is wrong with single cells. Fault is why the row can't be taken at all;
	// it has no lead then.
	Problems []Problem
	Fault    *Problem
}

// Counts says how far a file was read. Rows is always Read and Faulted together, unless they were
// only counted.
type Counts struct {
	Rows    int // of data
	Read    int
	Faulted int
	Skipped int // that name the columns once more
}

// source gives the rows of a file.
type source interface {
	next() (record, error)
}

// Sheet is a list that is being read. It is for one goroutine.
type Sheet struct {
	format    Format
	encoding  string
	delimiter rune
	name      string // of the sheet in a workbook

	book    *workbook
	in      source
	known   *extract.Columns
	columns []Column
	names   []string // by which Extra keeps them
	own     []int    // of the file's columns those of the sender
	parts   []int    // of the file's columns the parts of an answer
	ours    bool     // whether it is a result file
	width   int      // columns of the file

	number int // of the row with the names
	counts Counts
	err    error
}

// Open finds the names of the columns of a file. The name is how its sender calls it. A file
// that can't be read gives an *Error; other errors are the reader's. Whoever opened closes.
func Open(r io.ReaderAt, size int64, name string, o Options) (*Sheet, error) {
	if size > MaxBytes {
		return nil, refuse(CodeTooLarge, "the file has more than %d MiB, and nothing of it was read; send it in parts", MaxBytes>>20)
	}
	if size <= 0 {
		return nil, empty()
	}
	format, err := formatOf(r, size, name)
	if err != nil {
		return nil, err
	}
	s := &Sheet{format: format}
	if format == FormatXLSX {
		err = s.openBook(r, size, o)
	} else {
		err = s.openText(r, size, o)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func empty() *Error { return refuse(CodeEmpty, "the file is empty; was it saved before it was sent?") }

// Format returns how the list is stored.
func (s *Sheet) Format() Format { return s.format }

// Delimiter returns what separates the cells, 0 in a workbook.
func (s *Sheet) Delimiter() rune { return s.delimiter }

// Encoding returns the encoding of delimited text, "" for a workbook.
func (s *Sheet) Encoding() string { return s.encoding }

// Name returns the name of the sheet in a workbook.
func (s *Sheet) Name() string { return s.name }

// Columns returns the columns of the sender, without those of an answer.
func (s *Sheet) Columns() []Column { return slices.Clone(s.columns) }

// Answered reports whether the file is one of our result files.
func (s *Sheet) Answered() bool { return s.ours }

// Counts returns how far the file was read.
func (s *Sheet) Counts() Counts { return s.counts }

// Close gives back what a workbook was unpacked to.
func (s *Sheet) Close() error {
	if s.book == nil {
		return nil
	}
	book := s.book
	s.book = nil
	return book.close()
}

// openText finds the separator by which most names of columns are known.
func (s *Sheet) openText(r io.ReaderAt, size int64, o Options) error {
	t, err := textOf(r, size, o.Charset)
	if err != nil {
		return err
	}
	s.encoding = t.name
	told, skip, err := toldSeparator(t.open(r, size))
	if err != nil {
		return err
	}
	body := func() (io.Reader, error) {
		in := t.open(r, size)
		_, err := io.CopyN(io.Discard, in, skip)
		return in, err
	}
	var best head
	for _, sep := range separators(told) {
		in, err := body()
		if err != nil {
			return err
		}
		h, err := headOf(newDelimited(in, sep), o.Extractor)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			return err
		}
		h.sep = sep
		if h.better(best) {
			best = h
		}
	}
	if err := s.take(best, o.Extractor); err != nil {
		return err
	}
	in, err := body()
	if err != nil {
		return err
	}
	d := newDelimited(in, best.sep)
	for d.row < s.number {
		if _, err := d.next(); err != nil {
			return err
		}
	}
	d.columns = s.width
	s.in, s.delimiter = d, rune(best.sep)
	return nil
}

// separators are those that are tried, the likeliest first; what the file says comes before all.
func separators(told byte) []byte {
	all := []byte{';', ',', '\t', '|'}
	if told == 0 {
		return all
	}
	return append([]byte{told}, slices.DeleteFunc(all, func(c byte) bool { return c == told })...)
}

var sepLine = regexp.MustCompile(`^"?[sS][eE][pP]=([^\r\n"])"?[;,\t|]*(?:\r\n|\r|\n)`)

// toldSeparator returns the separator that a first line for Excel tells, and the length of that
// line, which no spreadsheet shows.
func toldSeparator(in io.Reader) (sep byte, length int64, err error) {
	b := make([]byte, 32)
	n, err := io.ReadFull(in, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, 0, err
	}
	m := sepLine.FindSubmatch(b[:n])
	if m == nil {
		return 0, 0, nil
	}
	if len(m[1]) == 1 && m[1][0] >= ' ' && m[1][0] != '"' || m[1][0] == '\t' {
		sep = m[1][0]
	}
	return sep, int64(len(m[0])), nil
}

// openBook finds the first visible sheet whose columns have names that are known.
func (s *Sheet) openBook(r io.ReaderAt, size int64, o Options) error {
	book, sheets, err := openWorkbook(r, size, o.TempDir)
	if err != nil {
		return err
	}
	s.book = book
	var best head
	for _, name := range sheets {
		if err := book.show(name); err != nil {
			continue // a chart
		}
		h, err := headOf(book, o.Extractor)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			return err
		}
		if best.rows == 0 && h.rows > 0 || best.known() < minKnown && h.known() >= minKnown {
			best, s.name = h, name
		}
	}
	if err := s.take(best, o.Extractor); err != nil {
		return err
	}
	if err := book.show(s.name); err != nil {
		return err
	}
	for book.number < s.number {
		if _, err := book.next(); err != nil {
			return err
		}
	}
	s.in = book
	return nil
}

// head is the row with the names of the columns, and how it was found.
type head struct {
	sep     byte
	record  record
	columns *extract.Columns
	rows    int // that are not empty
	cells   int // in the first of them
	fault   *Problem
}

func (h head) known() int {
	if h.columns == nil {
		return 0
	}
	return h.columns.Known()
}

// better reports whether more is known of a file as h reads it.
func (h head) better(than head) bool {
	if h.known() != than.known() {
		return h.known() > than.known()
	}
	return h.known() == 0 && h.cells > than.cells
}

// headOf looks among the first rows for the one that names the most columns.
func headOf(in source, e *extract.Extractor) (head, error) {
	var h head
	for h.rows < headRows {
		rec, err := in.next()
		if err == io.EOF {
			return h, nil
		}
		if err != nil {
			return h, err
		}
		if rec.fault == nil && blank(rec.cells) {
			continue
		}
		h.rows++
		if h.rows == 1 {
			h.cells = len(rec.cells)
		}
		if rec.fault != nil {
			if h.fault == nil {
				h.fault = rec.fault
			}
			continue
		}
		names, parts, _ := namesOf(rec.cells)
		if c := e.Columns(without(names, parts)); c.Known() > h.known() {
			h.record, h.columns = rec, c
		}
	}
	return h, nil
}

// namesOf returns the names of the columns as the sender gave them, and which of them are of an
// answer.
func namesOf(cells []string) (names []string, parts []int, ours bool) {
	for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	parts, ours = answerColumns(cells)
	names = slices.Clone(cells)
	if ours {
		for i := range names {
			names[i] = Restore(names[i])
		}
	}
	return names, parts, ours
}

// without blanks the names of the columns of an answer.
func without(names []string, parts []int) []string {
	out := slices.Clone(names)
	for i := range out {
		if parts[i] >= 0 {
			out[i] = ""
		}
	}
	return out
}

// take settles what the columns hold.
func (s *Sheet) take(h head, e *extract.Extractor) error {
	switch {
	case h.rows == 0:
		return empty()
	case h.known() < minKnown && h.fault != nil:
		return &Error{Problem: *h.fault}
	case h.known() < minKnown:
		sep := ';'
		if h.sep != 0 {
			sep = rune(h.sep)
		}
		err := refuse(CodeNoHeader, "no row among the first names columns that we know; put a line like this above the list, with the columns that you have, in any order and language: %s", headerLine(sep))
		return err
	}
	names, parts, ours := namesOf(h.record.cells)
	s.number, s.ours, s.parts, s.width = h.record.number, ours, parts, len(names)
	var own []string
	for i, name := range names {
		if parts[i] < 0 {
			s.own = append(s.own, i)
			own = append(own, name)
		}
	}
	if len(own) > MaxColumns || h.record.more {
		err := refuse(CodeTooManyColumns, "the list has more than %d columns; delete those that we don't need", MaxColumns)
		err.Row = s.number
		return err
	}
	s.known = e.Columns(own)
	if i, j, twice := s.known.Twice(); twice {
		err := refuse(CodeTwoColumns, "the columns %q (%s) and %q (%s) say the same of a prospect (%s); delete or rename one of them",
			short(own[i]), Letters(s.own[i]+1), short(own[j]), Letters(s.own[j]+1), strings.ReplaceAll(string(s.known.Field(i)), "_", " "))
		err.Row, err.Column, err.Name, err.Field = s.number, s.own[j]+1, short(own[j]), s.known.Field(i)
		return err
	}
	seen := make(map[string]int)
	for i, name := range own {
		s.columns = append(s.columns, Column{Name: name, Field: s.known.Field(i)})
		key := strings.Join(strings.Fields(name), " ")
		if key == "" {
			key = "column " + Letters(s.own[i]+1)
		}
		if seen[key]++; seen[key] > 1 {
			key += " (" + strconv.Itoa(seen[key]) + ")"
		}
		s.names = append(s.names, key)
	}
	return nil
}

// Next returns the next row of data, io.EOF behind the last. An *Error is a limit or a damage of
// the file: the rows before it are good, and what is behind can't be had.
func (s *Sheet) Next() (Row, error) {
	rec, err := s.data()
	if err != nil {
		return Row{}, err
	}
	row := s.row(rec)
	if row.Fault != nil {
		s.counts.Faulted++
	} else {
		s.counts.Read++
	}
	return row, nil
}

// Count returns how many rows of data there are from here on, down to the end or to what can't be
// read. It is much faster than reading them, and leaves none to Next. Other errors are the
// reader's.
func (s *Sheet) Count() (n int, err error) {
	for {
		_, err := s.data()
		var e *Error
		switch {
		case err == io.EOF || errors.As(err, &e):
			return n, nil
		case err != nil:
			return n, err
		}
		n++
	}
}

// data returns the next record that is a row of data.
func (s *Sheet) data() (rec record, err error) {
	for s.err == nil {
		if rec, s.err = s.in.next(); s.err != nil {
			var e *Error
			if errors.As(s.err, &e) {
				e.Rows = s.counts.Rows
			}
			break
		}
		if rec.fault == nil && !rec.more && blank(rec.cells) {
			continue
		}
		if rec.fault == nil && s.known.NamesAgain(s.pick(rec.cells)) {
			s.counts.Skipped++
			continue
		}
		if s.counts.Rows == MaxRows {
			e := refuse(CodeTooManyRows, "the list has more than %d rows; the first %d were read, down to the row above this one: send the rest as a list of its own", MaxRows, MaxRows)
			e.Row, e.Rows = rec.number, s.counts.Rows
			s.err = e
			break
		}
		s.counts.Rows++
		return rec, nil
	}
	return record{}, s.err
}

// pick returns the sender's cells of a row of the file.
func (s *Sheet) pick(cells []string) []string {
	if len(s.own) == s.width && len(cells) == s.width {
		return cells
	}
	out := make([]string, len(s.own))
	for i, at := range s.own {
		if at < len(cells) {
			out[i] = cells[at]
		}
	}
	return out
}

// row reads a row of data.
func (s *Sheet) row(rec record) Row {
	row := Row{Number: rec.number, Fault: rec.fault}
	if rec.cells == nil {
		return row
	}
	row.Cells = s.pick(rec.cells)
	for i, part := range s.parts {
		if part >= 0 && i < len(rec.cells) {
			*row.Answer.cell(part) = Restore(rec.cells[i])
		}
	}
	if s.ours {
		row.Cells = slices.Clone(row.Cells)
		for i, cell := range row.Cells {
			row.Cells[i] = Restore(cell)
		}
	}
	if row.Fault != nil {
		row.Fault.Name = s.nameAt(row.Fault.Column)
		return row
	}
	if at := surplus(rec, s.width); at > 0 {
		row.Fault = fault(rec.number, at, CodeMoreCells,
			"the row has more cells than the list has columns, so that its values may stand in the wrong ones; put a cell that holds the separator between quotation marks")
		return row
	}
	s.read(&row)
	return row
}

// surplus returns the first column behind the last with a name that has a text, 0 if none has.
func surplus(rec record, width int) int {
	for i := width; i < len(rec.cells); i++ {
		if !blankCell(rec.cells[i]) {
			return i + 1
		}
	}
	if rec.more {
		return len(rec.cells) + 1
	}
	return 0
}

func (s *Sheet) nameAt(column int) string {
	if i := slices.Index(s.own, column-1); i >= 0 {
		return short(s.columns[i].Name)
	}
	return ""
}

var (
	rounded      = regexp.MustCompile(`^[+-]?[0-9]([.,][0-9]+)?E\+[0-9]{2,3}$`)
	formulaError = regexp.MustCompile(`^(?:#[\p{Lu}0-9/]{2}[\p{Lu}0-9/ ]*[!?]?|Err:[0-9]{3})$`)
)

// read reads the lead of a row.
func (s *Sheet) read(row *Row) {
	cells := row.Cells
	spoilt := func(i int, code, words string) {
		if &cells[0] == &row.Cells[0] {
			cells = slices.Clone(cells)
		}
		p := *fault(row.Number, s.own[i]+1, code, "%s", words)
		p.Name, p.Field, p.Given = short(s.columns[i].Name), s.columns[i].Field, short(cells[i])
		row.Problems = append(row.Problems, p)
		cells[i] = ""
	}
	for i, cell := range row.Cells {
		switch {
		case cell == "" || s.columns[i].Field == "":
		case cell[0] == '\'' && starts(cell):
			if &cells[0] == &row.Cells[0] {
				cells = slices.Clone(cells)
			}
			cells[i] = strings.TrimLeft(cell, "'") // how others neutralise it
		case (cell[0] == '#' || cell[0] == 'E') && formulaError.MatchString(cell):
			spoilt(i, CodeFormulaError, "the spreadsheet shows an error here instead of a value; type the value")
		case len(cell) < 32 && strings.Contains(cell, "E+") && rounded.MatchString(cell):
			spoilt(i, CodeRounded, "the spreadsheet has rounded this number; format the column as text and type the number again")
		}
	}
	if s.known.AddsUp(cells) && !s.tells(cells) {
		row.Fault = fault(row.Number, 0, CodeTotal, "this looks like the sum of the rows above; delete it, or add the company's website if it is called so")
		return
	}
	lead := s.known.Lead(cells)
	for _, p := range lead.Problems {
		row.Problems = append(row.Problems, s.problem(row.Number, p))
	}
	slices.SortStableFunc(row.Problems, func(a, b Problem) int { return a.Column - b.Column })
	if row.Extra = s.extra(row.Cells); row.Answer.Case == "" && !about(lead.Fields) {
		row.Fault = &Problem{Row: row.Number, Problem: intake.Problem{
			Field: intake.FieldCompanyName, Code: intake.ProblemMissing,
			Message: "the row names no company, no website and no contact's e-mail address; give one of them at least",
		}}
		return
	}
	row.Lead = lead.Fields
	row.Evidence = make(map[intake.Field]string, len(lead.Evidence))
	for f, e := range lead.Evidence {
		row.Evidence[f] = e.Words
	}
}

// tells reports whether a row gives a website or an address, which no sum does.
func (s *Sheet) tells(cells []string) bool {
	for i, c := range s.columns {
		if (c.Field == intake.FieldCompanyDomain || c.Field == intake.FieldContactEmail) && !blankCell(cells[i]) {
			return true
		}
	}
	return false
}

func about(l intake.Lead) bool {
	return l[intake.FieldCompanyName] != "" || l[intake.FieldCompanyDomain] != "" || l[intake.FieldContactEmail] != ""
}

// problem says in which column a problem with a field is. A value that came out of another
// field's column has none.
func (s *Sheet) problem(row int, p intake.Problem) Problem {
	out := Problem{Row: row, Problem: p}
	for i, c := range s.columns {
		if c.Field == p.Field && p.Field != "" {
			out.Column, out.Name = s.own[i]+1, short(c.Name)
			break
		}
	}
	return out
}

// extra returns the values of the columns that are of no field.
func (s *Sheet) extra(cells []string) map[string]string {
	var out map[string]string
	for i, c := range s.columns {
		if c.Field != "" || i == s.known.Currency() || blankCell(cells[i]) {
			continue
		}
		if out == nil {
			out = make(map[string]string)
		}
		out[s.names[i]] = strings.TrimSpace(cells[i])
	}
	return out
}

// blank reports whether a row says nothing.
func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(s string) bool {
		return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
	})
}

func blankCell(s string) bool { return strings.TrimSpace(s) == "" }
