package sheet

import (
	"bytes"
	"io"
)

const (
	// window is how much of a file is looked at for the end of one row.
	window = 1 << 20
	// maxTorn is how many rows may have a quotation mark that nothing closes. Each costs a look at
	// a whole window.
	maxTorn = 50
	// maxStored is how many cells of a row are kept.
	maxStored = 4 * MaxColumns
)

// record is a row as it stands in the file.
type record struct {
	number int
	cells  []string
	// more says that there are cells with text behind those that are kept.
	more  bool
	fault *Problem
}

// delimited cuts text into rows and cells, as RFC 4180 says and as programs do that don't: lines
// end in LF, CR LF or CR; a quotation mark within a cell needs no doubling if what it means can
// be told; one that is opened and never closed costs its own row and not those below.
type delimited struct {
	in      io.Reader
	sep     byte
	columns int // of the header; 0 as long as it is not known

	buf   []byte
	start int // of the row in buf
	ended bool
	skip  bool // the rest of a line that was too long
	row   int
	torn  int

	// The row: its cells one behind the other, and where each ends.
	text []byte
	ends []int
	long int  // the first cell that is too long, from 1
	more bool // text behind the cells that are kept
}

func newDelimited(in io.Reader, sep byte) *delimited {
	return &delimited{in: in, sep: sep, buf: make([]byte, 0, 64<<10)}
}

// outcome of a look at the text of a row.
type outcome int

const (
	whole      outcome = iota
	unfinished         // the row may go on behind the text
	open               // a quotation mark is not closed
)

// next returns the next row, io.EOF behind the last. The cells are the caller's.
func (d *delimited) next() (record, error) {
	if err := d.skipLine(); err != nil {
		return record{}, err
	}
	for {
		if d.start == len(d.buf) && d.ended {
			return record{}, io.EOF
		}
		n, out := d.scan(d.buf[d.start:])
		switch {
		case out == unfinished && len(d.buf)-d.start < window:
			if err := d.fill(); err != nil {
				return record{}, err
			}
			continue
		case out == unfinished:
			return d.tear(CodeRowTooLong, "this row is longer than a row can be; check for line breaks that are missing")
		case out == open, d.swallows():
			return d.tear(CodeQuotes, "a quotation mark in this row is never closed; close it, or write it twice if it belongs to the text")
		}
		d.start += n
		d.row++
		if d.long > 0 {
			return record{number: d.row, cells: d.cells(), fault: fault(d.row, d.long, CodeCellTooLong,
				"the cell has more than %d KiB of text; shorten it", MaxCell>>10)}, nil
		}
		return record{number: d.row, cells: d.cells(), more: d.more}, nil
	}
}

// tear gives up the row at the start, and goes on behind its first line.
func (d *delimited) tear(code, words string) (record, error) {
	if d.torn++; d.torn > maxTorn {
		e := refuse(CodeManyQuotes, "more than %d rows have a quotation mark that is never closed; save the list anew from your spreadsheet", maxTorn)
		e.Row = d.row + 1
		return record{}, e
	}
	d.row++
	d.skip = true
	return record{number: d.row, fault: fault(d.row, 0, code, "%s", words)}, d.skipLine()
}

// skipLine drops what is left of a line that was given up.
func (d *delimited) skipLine() error {
	for d.skip {
		rest := d.buf[d.start:]
		i := bytes.IndexAny(rest, "\r\n")
		switch {
		case i < 0 && d.ended:
			d.start, d.skip = len(d.buf), false
		case i < 0, rest[i] == '\r' && i+1 == len(rest) && !d.ended:
			if i < 0 {
				d.start = len(d.buf)
			}
			if err := d.fill(); err != nil {
				return err
			}
		default:
			if rest[i] == '\r' && i+1 < len(rest) && rest[i+1] == '\n' {
				i++
			}
			d.start += i + 1
			d.skip = false
		}
	}
	return nil
}

// fill reads more text behind what there is, twice as much as that at least, so that a row is
// looked at a few times only, however long.
func (d *delimited) fill() error {
	have := len(d.buf) - d.start
	if cap(d.buf) < 2*have {
		b := make([]byte, have, min(4*have, 2*window))
		copy(b, d.buf[d.start:])
		d.buf, d.start = b, 0
	} else {
		copy(d.buf, d.buf[d.start:])
		d.buf, d.start = d.buf[:have], 0
	}
	for empty := 0; len(d.buf) < cap(d.buf); {
		n, err := d.in.Read(d.buf[len(d.buf):cap(d.buf)])
		d.buf = d.buf[:len(d.buf)+n]
		if err == io.EOF {
			d.ended = true
			return nil
		}
		if err != nil {
			return err
		}
		if n > 0 {
			continue
		}
		if empty++; empty > 100 {
			return io.ErrNoProgress
		}
	}
	return nil
}

// scan cuts the first row of b into cells and returns its length.
func (d *delimited) scan(b []byte) (n int, out outcome) {
	d.text, d.ends, d.long, d.more = d.text[:0], d.ends[:0], 0, false
	for at := 0; ; {
		p := at
		for p < len(b) && b[p] == ' ' {
			p++
		}
		if p < len(b) && b[p] == '"' {
			if at, out = d.quoted(b, p+1); out != whole {
				return 0, out
			}
		} else {
			at += d.plain(b[at:])
		}
		if at == len(b) && !d.ended {
			return 0, unfinished
		}
		d.endCell()
		switch {
		case at == len(b):
			return at, whole
		case b[at] == d.sep:
			at++
		case b[at] == '\n':
			return at + 1, whole
		default: // CR
			if at+1 == len(b) && !d.ended {
				return 0, unfinished
			}
			if at+1 < len(b) && b[at+1] == '\n' {
				at++
			}
			return at + 1, whole
		}
	}
}

// plain adds text up to the end of its cell, and returns its length.
func (d *delimited) plain(b []byte) int {
	for i, c := range b {
		if c == d.sep || c == '\n' || c == '\r' {
			d.add(b[:i])
			return i
		}
	}
	d.add(b)
	return len(b)
}

// quoted adds the text from at to the quotation mark that closes it, and returns where the cell
// ends.
func (d *delimited) quoted(b []byte, at int) (end int, out outcome) {
	unclosed := func() (int, outcome) {
		if d.ended || len(b) >= window {
			return 0, open
		}
		return 0, unfinished
	}
	for from := at; ; {
		i := bytes.IndexByte(b[at:], '"')
		if i < 0 {
			return unclosed()
		}
		d.add(b[at : at+i])
		at += i + 1
		if at < len(b) && b[at] == '"' {
			d.add(b[at : at+1])
			at++
			continue
		}
		after := at
		for after < len(b) && b[after] == ' ' {
			after++
		}
		switch {
		case after == len(b) && !d.ended:
			return 0, unfinished
		case after == len(b) || b[after] == d.sep || b[after] == '\n' || b[after] == '\r':
			return after, whole
		case at-2 > from && b[at-2] == d.sep && bytes.ContainsAny(b[from:at], "\r\n"):
			return 0, open // it opens a cell of a row below
		}
		// Neither doubled nor at the end: it belongs to the text if another one closes the words
		// behind it, and else the text goes on without quotation marks.
		next := bytes.IndexByte(b[at:], '"')
		stop := d.stop(b[at:])
		switch {
		case next < 0 && stop < 0 && !d.ended:
			return 0, unfinished
		case next >= 0 && (stop < 0 || next < stop):
			d.add([]byte{'"'})
		default:
			return at + d.plain(b[at:]), whole
		}
	}
}

// stop returns where a separator or the end of a line stands in b, -1 if nowhere.
func (d *delimited) stop(b []byte) int {
	for i, c := range b {
		if c == d.sep || c == '\n' || c == '\r' {
			return i
		}
	}
	return -1
}

// add adds to the cell.
func (d *delimited) add(b []byte) {
	if len(d.ends) >= maxStored {
		d.more = d.more || len(bytes.TrimSpace(b)) > 0
		return
	}
	from := 0
	if n := len(d.ends); n > 0 {
		from = d.ends[n-1]
	}
	d.text = append(d.text, b...)
	if d.long == 0 && len(d.text)-from > MaxCell {
		d.long = len(d.ends) + 1
	}
}

func (d *delimited) endCell() {
	if len(d.ends) < maxStored {
		d.ends = append(d.ends, len(d.text))
	}
}

// cells returns the cells of the row, which share one text.
func (d *delimited) cells() []string {
	s := string(d.text)
	out := make([]string, len(d.ends))
	from := 0
	for i, end := range d.ends {
		out[i], from = s[from:end], end
	}
	return out
}

// swallows reports whether the last cell of a row that has too few of them holds rows below, cut
// as this one is.
func (d *delimited) swallows() bool {
	n := len(d.ends)
	if n == 0 || n >= d.columns || d.columns < 3 {
		return false
	}
	from := 0
	if n > 1 {
		from = d.ends[n-2]
	}
	_, below, _ := bytes.Cut(d.text[from:d.ends[n-1]], []byte("\n"))
	for line := range bytes.Lines(below) {
		if 2*bytes.Count(line, []byte{d.sep}) >= d.columns-1 {
			return true
		}
	}
	return false
}
