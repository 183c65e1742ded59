package result

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// workbook writes an XLSX file with one sheet. Its cells are text, whatever they look like. The
// rows go to a temporary file, and to w at the end: a ZIP file needs their sum.
type workbook struct {
	w    io.Writer
	file *excelize.File
	rows *excelize.StreamWriter
	row  int
	err  error
}

// Sheet is the name of the one sheet.
const Sheet = "Result"

func newWorkbook(w io.Writer) (*workbook, error) {
	f := excelize.NewFile()
	err := f.SetSheetName(f.GetSheetName(0), Sheet)
	if err != nil {
		return nil, fmt.Errorf("start workbook: %w", err)
	}
	rows, err := f.NewStreamWriter(Sheet)
	if err != nil {
		return nil, fmt.Errorf("start workbook: %w", err)
	}
	return &workbook{w: w, file: f, rows: rows}, nil
}

func (b *workbook) Write(row []string) error {
	b.row++
	cells := make([]any, len(row))
	for i, cell := range row {
		cells[i] = strings.ToValidUTF8(cell, "\uFFFD")
	}
	at, err := excelize.CoordinatesToCellName(1, b.row)
	if err == nil {
		err = b.rows.SetRow(at, cells)
	}
	b.err = errors.Join(b.err, err)
	return b.err
}

func (b *workbook) Flush()       {}
func (b *workbook) Error() error { return b.err }

func (b *workbook) close() error {
	err := b.err
	if err == nil {
		err = b.rows.Flush()
	}
	if err == nil {
		err = b.file.Write(b.w)
	}
	return errors.Join(err, b.file.Close())
}
