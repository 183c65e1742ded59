package ledger

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"time"

	"leadgate/intake"
)

// Format is a file format of Export.
type Format string

// The formats.
const (
	// FormatCSV is RFC 4180 with a header line, UTF-8, every cell quoted.
	FormatCSV Format = "csv"
	// FormatJSON is one array of entries, one entry a line.
	FormatJSON Format = "json"
)

// Formats is the full set.
func Formats() []Format { return []Format{FormatCSV, FormatJSON} }

// Export writes all entries to w, the newest case first. It reads the store page by page,
// so that a slow w holds no transaction; cases that come in meanwhile are left out. After
// an error w holds part of a file.
func (l *Ledger) Export(ctx context.Context, w io.Writer, format Format) error {
	b := bufio.NewWriter(w)
	var err error
	switch format {
	case FormatCSV:
		err = l.exportCSV(ctx, b)
	case FormatJSON:
		err = l.exportJSON(ctx, b)
	default:
		return fmt.Errorf("ledger: export: no such format %q", format)
	}
	if err == nil {
		err = b.Flush()
	}
	if err != nil {
		return fmt.Errorf("ledger: export: %w", err)
	}
	return nil
}

// all yields every entry, or an error as the last.
func (l *Ledger) all(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		after := ""
		for {
			page, next, err := l.List(ctx, after, pageSize)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if next == "" {
				return
			}
			after = next
		}
	}
}

func (l *Ledger) exportJSON(ctx context.Context, w *bufio.Writer) error {
	separator := "[\n"
	for e, err := range l.all(ctx) {
		if err != nil {
			return err
		}
		b, err := json.Marshal(e)
		if err != nil {
			return err
		}
		// A bufio.Writer keeps its first error until Flush.
		_, _ = w.WriteString(separator)
		_, _ = w.Write(b)
		separator = ",\n"
	}
	if separator == "[\n" {
		_, _ = w.WriteString("[")
	}
	_, err := w.WriteString("\n]\n")
	return err
}

func (l *Ledger) exportCSV(ctx context.Context, w *bufio.Writer) error {
	if err := writeRow(w, columns()); err != nil {
		return err
	}
	for e, err := range l.all(ctx) {
		if err != nil {
			return err
		}
		if err := writeRow(w, e.cells()); err != nil {
			return err
		}
	}
	return nil
}

// columns and cells go side by side; the columns are published names.
func columns() []string {
	var names []string
	for _, v := range (Entry{}).values() {
		names = append(names, v.name)
	}
	for _, f := range intake.Fields() {
		names = append(names, string(f))
	}
	return append(names, "revision", "updated_at")
}

func (e Entry) cells() []string {
	var cells []string
	for _, v := range e.values() {
		switch v := v.value.(type) {
		case time.Time:
			cells = append(cells, timeCell(v))
		case string:
			cells = append(cells, v)
		}
	}
	for _, f := range intake.Fields() {
		cells = append(cells, e.Lead[f])
	}
	return append(cells, strconv.Itoa(e.Revision), timeCell(e.Updated))
}

func timeCell(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// writeRow quotes every cell, so that what is in one does not depend on its content.
func writeRow(w *bufio.Writer, cells []string) error {
	for i, c := range cells {
		if i > 0 {
			_ = w.WriteByte(',')
		}
		_ = w.WriteByte('"')
		_, _ = w.WriteString(strings.ReplaceAll(inert(c), `"`, `""`))
		_ = w.WriteByte('"')
	}
	_, err := w.WriteString("\r\n")
	return err
}

// inert returns the cell so that no spreadsheet takes it, or a part of it, for a formula: an
// operator, plain or full-width, gets an apostrophe in front where it begins the cell or
// follows a line break, a tab or a semicolon, at which a spreadsheet set up for another
// country splits even inside quotes. Blanks and invisible characters in between count for
// nothing. A cell that begins with a control character gets one too.
func inert(cell string) string {
	cell = formulaInside.ReplaceAllString(cell, "${1}'${2}")
	if formulaAhead.MatchString(cell) {
		return "'" + cell
	}
	return cell
}

const operators = `[=+\-@＝＋－＠﹦﹢﹣﹫−]`

var (
	formulaAhead  = regexp.MustCompile(`^(?:[\t\r\n\x00]|[\s\p{Z}\p{C}]*` + operators + `)`)
	formulaInside = regexp.MustCompile(`([;\t\r\n][\s\p{Z}\p{C}]*)(` + operators + `)`)
)
