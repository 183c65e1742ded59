package sheet

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

// Limits of a file. What a spreadsheet shows as empty does not count.
const (
	MaxBytes   = 10 << 20
	MaxRows    = 50_000
	MaxColumns = 64
	MaxCell    = 8 << 10 // bytes
)

// The codes of problems with the whole file.
const (
	CodeTooLarge       = "file_too_large"
	CodeTooManyRows    = "too_many_rows"
	CodeTooManyColumns = "too_many_columns"
	CodeUnpackedLarge  = "unpacked_too_large"
	CodeUnsupported    = "unsupported_format"
	CodeDamaged        = "damaged_file"
	CodeEmpty          = "empty_file"
	CodeNoHeader       = "no_header"
	CodeTwoColumns     = "two_columns_for_one_field"
	CodeManyQuotes     = "many_quotes_not_closed"
)

// The codes of problems with one row, beside those of intake.
const (
	CodeQuotes       = "quotes_not_closed"
	CodeCellTooLong  = "cell_too_long"
	CodeRowTooLong   = "row_too_long"
	CodeMoreCells    = "more_cells_than_columns"
	CodeTotal        = "sum_of_other_rows"
	CodeRounded      = "rounded_by_spreadsheet" // 4,93012E+11
	CodeFormulaError = "formula_error"          // #REF!
)

// Codes is the full set of this package's own.
func Codes() []string {
	return []string{
		CodeTooLarge, CodeTooManyRows, CodeTooManyColumns, CodeUnpackedLarge, CodeUnsupported, CodeDamaged, CodeEmpty,
		CodeNoHeader, CodeTwoColumns, CodeQuotes, CodeManyQuotes, CodeCellTooLong, CodeRowTooLong, CodeMoreCells, CodeTotal, CodeRounded, CodeFormulaError,
	}
}

// A Problem is what a sender is told about a file, a row or a cell. It quotes only what stands
// in the file.
type Problem struct {
	Row    int    `json:"row,omitempty"`    // as a spreadsheet counts; 0 for the whole file
	Column int    `json:"column,omitempty"` // from 1; 0 for the whole row
	Name   string `json:"name,omitempty"`   // of the column
	intake.Problem
}

// Place returns where it is, "row 7, column C (E-mail)"; "" for the whole file.
func (p Problem) Place() string {
	var parts []string
	if p.Row > 0 {
		parts = append(parts, fmt.Sprintf("row %d", p.Row))
	}
	if p.Column > 0 {
		at := "column " + Letters(p.Column)
		if p.Name != "" {
			at += " (" + p.Name + ")"
		}
		parts = append(parts, at)
	}
	return strings.Join(parts, ", ")
}

func (p Problem) String() string {
	if at := p.Place(); at != "" {
		return at + ": " + p.Message
	}
	return p.Message
}

// An Error says why a file can't be read, or not further.
type Error struct {
	Problem
	// Rows is how many rows of data were handed out before.
	Rows int
	Err  error // what a library said, for the log
}

func (e *Error) Error() string {
	if e.Rows > 0 {
		return fmt.Sprintf("%s (%d rows were read)", e.Problem, e.Rows)
	}
	return e.String()
}

func (e *Error) Unwrap() error { return e.Err }

func refuse(code, format string, args ...any) *Error {
	return &Error{Problem: Problem{Problem: intake.Problem{Code: code, Message: fmt.Sprintf(format, args...)}}}
}

// fault returns why a row can't be read.
func fault(row, column int, code, format string, args ...any) *Problem {
	return &Problem{Row: row, Column: column, Problem: intake.Problem{Code: code, Message: fmt.Sprintf(format, args...)}}
}

// Letters returns the name by which a spreadsheet shows a column, counted from 1: A, Z, AA.
func Letters(column int) string {
	var b []byte
	for ; column > 0; column = (column - 1) / 26 {
		b = append([]byte{byte('A' + (column-1)%26)}, b...)
	}
	return string(b)
}

// short bounds what is quoted of a file.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > 60 {
		s = string([]rune(s)[:59]) + "…"
	}
	return s
}
