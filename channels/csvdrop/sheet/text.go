package sheet

import (
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
)

// text is how the bytes of a file become characters.
type text struct {
	name string
	skip int64                 // the byte order mark
	dec  transform.Transformer // nil if the bytes are UTF-8 already
}

// open returns the characters of r in UTF-8.
func (t text) open(r io.ReaderAt, size int64) io.Reader {
	in := io.Reader(io.NewSectionReader(r, t.skip, size-t.skip))
	if t.dec == nil {
		return in
	}
	t.dec.Reset()
	return transform.NewReader(in, t.dec)
}

// textOf tells the encoding of a file: by its byte order mark, by the place of zero bytes, by
// whether it is UTF-8 from end to end, by what its sender says, and else as Windows writes in
// the West. A file whose lines end as those of old Macs, and whose letters lie where theirs did,
// is read so.
func textOf(r io.ReaderAt, size int64, label string) (text, error) {
	head := make([]byte, min(size, 4096))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return text{}, err
	}
	switch le, be := unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM); {
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}):
		return text{"UTF-16LE", 2, le.NewDecoder()}, nil
	case bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return text{"UTF-16BE", 2, be.NewDecoder()}, nil
	case zeros(head, 1):
		return text{"UTF-16LE", 0, le.NewDecoder()}, nil
	case zeros(head, 0):
		return text{"UTF-16BE", 0, be.NewDecoder()}, nil
	}
	c, err := count(io.NewSectionReader(r, 0, size))
	if err != nil {
		return text{}, err
	}
	skip := int64(0)
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		skip = 3
	}
	switch {
	case c.wrong == 0:
		return text{"UTF-8", skip, nil}, nil
	case skip > 0 || c.long > c.wrong:
		return text{"UTF-8", skip, runes.ReplaceIllFormed()}, nil // with a letter or two destroyed
	}
	if enc, err := htmlindex.Get(label); err == nil && enc != unicode.UTF8 && enc != encoding.Replacement {
		if name, err := htmlindex.Name(enc); err == nil && name != "utf-16le" && name != "utf-16be" {
			return text{name, 0, enc.NewDecoder()}, nil
		}
	}
	if c.cr > 0 && c.lf == 0 && c.low > c.high {
		return text{"macintosh", 0, charmap.Macintosh.NewDecoder()}, nil
	}
	return text{"windows-1252", 0, charmap.Windows1252.NewDecoder()}, nil
}

// zeros reports whether b is Latin text with a zero beside each letter, at the even (0) or the
// odd places (1).
func zeros(b []byte, place int) bool {
	b = b[:len(b)&^1]
	n := [2]int{}
	for i, c := range b {
		if c == 0 {
			n[i&1]++
		}
	}
	return len(b) >= 4 && n[place] > len(b)/4 && n[1-place] == 0
}

// counted is what bytes a file has.
type counted struct {
	long, wrong int // characters of UTF-8 with several bytes, and bytes that are of none
	low, high   int // bytes from 0x80 and from 0xc0 on
	cr, lf      int
}

func count(r io.Reader) (counted, error) {
	var c counted
	buf := make([]byte, 64<<10)
	kept := 0
	for {
		n, err := io.ReadFull(r, buf[kept:])
		last := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !last {
			return c, err
		}
		rest := c.add(buf[:kept+n], last)
		if last {
			return c, nil
		}
		kept = copy(buf, rest)
	}
}

// add counts b and returns its last bytes if they may go on in what follows.
func (c *counted) add(b []byte, last bool) []byte {
	for i := 0; i < len(b); {
		if b[i] < utf8.RuneSelf {
			switch b[i] {
			case '\r':
				c.cr++
			case '\n':
				c.lf++
			}
			i++
			continue
		}
		if !last && !utf8.FullRune(b[i:]) {
			return b[i:]
		}
		r, n := utf8.DecodeRune(b[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			c.wrong++
			if b[i] < 0xc0 {
				c.low++
			} else {
				c.high++
			}
		default:
			c.long++
		}
		i += n
	}
	return nil
}
