package result

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"

	"github.com/gocarina/gocsv"

	"leadgate/channels/csvdrop/sheet"
)

// Options say what the file looks like: as the one that came.
type Options struct {
	Format    sheet.Format
	Delimiter rune           // of delimited text; 0 for a comma
	Columns   []sheet.Column // the sender's
	// Locale says in which language the columns of the answers are named; English if "".
	Locale string
}

// For returns the options for the result of a sheet.
func For(s *sheet.Sheet) Options {
	return Options{Format: s.Format(), Delimiter: s.Delimiter(), Columns: s.Columns()}
}

// Writer writes a result file. It is for one goroutine.
type Writer struct {
	out     rows
	columns int
	err     error
}

// rows takes the rows of a file in one of the formats, the answers in the columns behind the
// sender's.
type rows interface {
	gocsv.CSVWriter
	// close ends the file.
	close() error
}

// New writes the names of the columns. The file is whole once Close has returned nil.
func New(w io.Writer, o Options) (*Writer, error) {
	names := make([]string, len(o.Columns))
	for i, c := range o.Columns {
		names[i] = c.Name
	}
	out := &Writer{columns: len(names)}
	switch o.Format {
	case sheet.FormatDelimited:
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return nil, fmt.Errorf("write result file: %w", err)
		}
		// Line breaks within cells stay as they are, which UseCRLF would not leave so.
		c := csv.NewWriter(w)
		if o.Delimiter != 0 {
			c.Comma = o.Delimiter
		}
		out.out = delimited{c}
	case sheet.FormatXLSX:
		b, err := newWorkbook(w)
		if err != nil {
			return nil, err
		}
		out.out = b
	default:
		return nil, fmt.Errorf("result file: unknown format %q", o.Format)
	}
	out.err = beside{out.out, slices.Clip(names)}.Write(sheet.AnswerColumns(o.Locale))
	return out, out.err
}

// Write adds a row: the cells as sheet.Row has them, and the answer. After an error every
// further one is the same.
func (w *Writer) Write(cells []string, a sheet.Answer) error {
	if w.err != nil {
		return w.err
	}
	row := make([]string, w.columns, w.columns+4)
	copy(row, cells)
	if err := gocsv.MarshalCSVWithoutHeaders([]sheet.Answer{a}, beside{w.out, row}); err != nil {
		w.err = fmt.Errorf("write result file: %w", err)
	}
	return w.err
}

// Close ends the file. It does not close what it is written to.
func (w *Writer) Close() error {
	err := w.out.close()
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("write result file: %w", err)
	}
	return w.err
}

// beside puts the cells of the sender in front of the columns that gocsv writes, and makes both
// harmless.
type beside struct {
	rows
	cells []string
}

func (b beside) Write(answer []string) error {
	row := append(b.cells[:len(b.cells):cap(b.cells)], answer...)
	for i, cell := range row {
		row[i] = sheet.Neutralise(cell)
	}
	return b.rows.Write(row)
}

// Flush is called by gocsv behind each row; the file is flushed when it is full, and at its end.
func (b beside) Flush() {}

// delimited is a file of separated values.
type delimited struct{ *csv.Writer }

func (d delimited) close() error {
	d.Flush()
	return d.Error()
}
