package sheet

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/xuri/excelize/v2"
)

// maxHeld is up to what size the parts of a workbook are unpacked in memory; larger ones go to
// temporary files.
const maxHeld = 4 << 20

// workbook reads the rows of one sheet of an XLSX file.
type workbook struct {
	file   *excelize.File
	rows   *excelize.Rows
	number int
	// work is how many rows, and cells far off a list, were looked at in all sheets.
	work int
}

// maxWork bounds workbook.work. A file of some KiB can name the last row of a thousand sheets, or
// the last cell of each row, and the library fills in all that is before.
const maxWork = 16 << 20

// openWorkbook unpacks a file and returns the names of its visible sheets.
func openWorkbook(r io.ReaderAt, size int64, tmp string) (w *workbook, sheets []string, err error) {
	defer guard(&err)
	f, err := excelize.OpenReader(io.NewSectionReader(r, 0, size), excelize.Options{
		UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxHeld, TmpDir: tmp,
	})
	if err != nil {
		return nil, nil, damaged(err)
	}
	w = &workbook{file: f}
	for _, name := range f.GetSheetList() {
		if visible, err := f.GetSheetVisible(name); err == nil && visible {
			sheets = append(sheets, name)
		}
	}
	return w, sheets, nil
}

// show goes to the first row of a sheet.
func (w *workbook) show(name string) (err error) {
	defer guard(&err)
	if err := w.leave(); err != nil {
		return damaged(err)
	}
	rows, err := w.file.Rows(name)
	if err != nil {
		return damaged(err)
	}
	w.rows, w.number = rows, 0
	return nil
}

func (w *workbook) leave() error {
	rows := w.rows
	if w.rows = nil; rows == nil {
		return nil
	}
	return rows.Close()
}

// next returns the next row, as its sheet shows it: of a formula the value that was stored with
// it.
func (w *workbook) next() (rec record, err error) {
	defer guard(&err)
	if !w.rows.Next() {
		if err := w.rows.Error(); err != nil {
			return record{}, damaged(err)
		}
		return record{}, io.EOF
	}
	w.number++
	cells, err := w.rows.Columns()
	if err != nil {
		return record{}, damaged(err)
	}
	if w.work += 1 + max(0, len(cells)-maxStored); w.work > maxWork {
		return record{}, refuse(CodeUnpackedLarge, "the workbook has cells far below the list or beside it; copy the list alone into a new workbook")
	}
	rec.number = w.number
	for i, cell := range cells {
		switch {
		case i >= maxStored:
			rec.more = rec.more || strings.TrimSpace(cell) != ""
		case len(cell) > MaxCell && rec.fault == nil:
			rec.fault = fault(w.number, i+1, CodeCellTooLong, "the cell has more than %d KiB of text; shorten it", MaxCell>>10)
		}
	}
	rec.cells = cells[:min(len(cells), maxStored)]
	return rec, nil
}

func (w *workbook) close() error {
	return errors.Join(w.leave(), w.file.Close())
}

func damaged(err error) error {
	var e *Error
	if errors.As(err, &e) {
		return err
	}
	e = refuse(CodeDamaged, "the workbook can't be read; save it anew from your spreadsheet, or as CSV UTF-8")
	e.Err = err
	return e
}

// guard turns a panic of the library over a hostile workbook into an error: it indexes by
// numbers that stand in the file.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = damaged(fmt.Errorf("excelize: %v", p))
	}
}
