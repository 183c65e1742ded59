package directory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

func (l *list[T, R]) readCSV(src []byte) (rows[R], error) {
	t, err := parse(src, columnsOf[R]())
	if err != nil {
		return rows[R]{}, err
	}
	header := t.records[0]
	read := rows[R]{
		list:   make([]R, len(t.records)-1),
		given:  func(int) []string { return header },
		lineOf: func(i int, _ string) int { return t.lines[i+1] },
	}
	for i, record := range t.records[1:] {
		r := &read.list[i]
		for n, text := range record {
			if err := setText(fieldOf(r, header[n]), text); err != nil {
				read.faults = append(read.faults, Fault{Line: t.lines[i+1], ID: record[0], Field: header[n], Problem: err.Error()})
			}
		}
	}
	return read, nil
}

func writeCSV[R any](w io.Writer, all []R) error {
	out := csv.NewWriter(w)
	columns := columnsOf[R]()
	if err := out.Write(columns); err != nil {
		return err
	}
	for i := range all {
		record := make([]string, len(columns))
		for n, name := range columns {
			record[n] = textOf(fieldOf(&all[i], name))
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// table is a file taken apart: its records, the header first, and the line of the file,
// counted from 1, on which each begins.
type table struct {
	records [][]string
	lines   []int
}

// parse takes a file apart, or returns what is wrong with its form.
func parse(src []byte, columns []string) (*table, error) {
	text := string(src)
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the file is empty")
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = separator(text)
	r.FieldsPerRecord = -1 // counted below, so that all faults are told
	t := new(table)
	var faults Faults
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			var form *csv.ParseError
			if !errors.As(err, &form) {
				return nil, err
			}
			return nil, append(faults, Fault{Line: form.StartLine, Problem: form.Err.Error()})
		}
		line, _ := r.FieldPos(0)
		t.records, t.lines = append(t.records, record), append(t.lines, line)
		if header := t.records[0]; len(t.records) == 1 {
			if err := checkHeader(header, columns); err != nil {
				return nil, fmt.Errorf("header line: %w", err)
			}
		} else if len(record) != len(header) {
			faults = append(faults, Fault{Line: line, ID: record[0], Problem: fmt.Sprintf("wrong number of fields: %d, the header has %d; a field with a %q in it must be quoted", len(record), len(header), r.Comma)})
		}
	}
	if len(faults) > 0 {
		return nil, faults
	}
	return t, nil
}

func checkHeader(header, columns []string) error {
	for i, h := range header {
		if !slices.Contains(columns, h) {
			return fmt.Errorf("unknown column %q; known: %s", h, strings.Join(columns, ", "))
		}
		if slices.Contains(header[:i], h) {
			return fmt.Errorf("column %q is there twice", h)
		}
	}
	return nil
}

// notUTF8 returns the first line that is not text in UTF-8, or 0. UTF-16 shows by its zero
// bytes or its byte order mark.
func notUTF8(src []byte) int {
	n := 0
	for line := range bytes.Lines(src) {
		n++
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return n
		}
	}
	return 0
}

// separator is what stands between the names of the header line: no name has any of these.
// Spreadsheets write semicolons where the comma is the decimal sign.
func separator(text string) rune {
	header, _, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
	for _, r := range ",;\t" {
		if strings.ContainsRune(header, r) {
			return r
		}
	}
	return ','
}
