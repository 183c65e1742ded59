package sheet

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzSheet holds what is true of every file: each row of data is handed out once, as read or as
// faulted, in the order of the file, with one cell for each column; what stops the reader says
// why; and no input takes long.
func FuzzSheet(f *testing.F) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil || len(names) < 10 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	for _, s := range []string{
		"Company;Website;Note\nA;a.example;\"oh\nB;b.example;\n", "sep=,\r\nCompany,E-mail\r\"A\"\"\",\"x\" y\r\n",
		"Company\tWebsite\tCase\tResult\n'=A\ta.example\tLG-2026-373125-G\tregistered\n", "Firma;Umsatz (T€);Status\nA;1,2 Mio;neu\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		started := time.Now()
		s, err := Open(bytes.NewReader(content), int64(len(content)), "list.csv", Options{Extractor: reader, TempDir: t.TempDir()})
		var e *Error
		if err != nil {
			if !errors.As(err, &e) || e.Code == "" || e.Message == "" {
				t.Fatalf("%v is no *Error", err)
			}
			return
		}
		defer s.Close()
		var rows, faulted, last int
		for {
			row, err := s.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				if !errors.As(err, &e) || e.Code == "" || e.Message == "" || e.Rows != rows {
					t.Fatalf("%v after %d rows", err, rows)
				}
				break
			}
			rows++
			if row.Fault != nil {
				faulted++
			}
			if (row.Fault == nil) == (row.Lead == nil) {
				t.Fatalf("row %d has lead %v and fault %v", row.Number, row.Lead, row.Fault)
			}
			if row.Number <= last {
				t.Fatalf("row %d comes behind row %d", row.Number, last)
			}
			last = row.Number
			if row.Cells != nil && len(row.Cells) != len(s.Columns()) {
				t.Fatalf("%d cells in %d columns", len(row.Cells), len(s.Columns()))
			}
			for _, cell := range row.Cells {
				if !utf8.ValidString(cell) {
					t.Fatalf("row %d: %q", row.Number, cell)
				}
			}
			for _, p := range append(row.Problems, Problem{}) {
				if p.Column > s.width {
					t.Fatalf("%+v is beyond the columns", p)
				}
			}
		}
		if c := s.Counts(); c.Rows != rows || c.Faulted != faulted || c.Read != rows-faulted {
			t.Fatalf("counted %+v of %d rows, %d of them faulted", c, rows, faulted)
		}
		if d := time.Since(started); d > 20*time.Second {
			t.Fatalf("%d bytes took %s", len(content), d)
		}
	})
}
