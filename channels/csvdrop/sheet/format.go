package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"
)

// Format is how a list is stored.
type Format string

// The formats that are read.
const (
	FormatDelimited Format = "csv"
	FormatXLSX      Format = "xlsx"
)

// Formats is the full set.
func Formats() []Format { return []Format{FormatDelimited, FormatXLSX} }

const saveAs = "in your spreadsheet choose File, Save as, and there \"Excel workbook (.xlsx)\" or \"CSV UTF-8\""

// What a file is that is no list, as Problem.Given of CodeUnsupported says it.
const (
	kindXLS      = "XLS"
	kindXLSB     = "XLSB"
	kindODS      = "ODS"
	kindNumbers  = "Numbers"
	kindPDF      = "PDF"
	kindPicture  = "picture"
	kindPacked   = "packed"
	kindDocument = "document"
)

func unsupported(kind, format string, args ...any) *Error {
	e := refuse(CodeUnsupported, format, args...)
	e.Given = kind
	return e
}

// formatOf tells a file by its first bytes; the name alone decides nothing. It refuses what is
// no list that we read, and says what to do.
func formatOf(r io.ReaderAt, size int64, name string) (Format, error) {
	head := make([]byte, min(size, 4096))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	has := func(magic ...string) bool {
		for _, m := range magic {
			if bytes.HasPrefix(head, []byte(m)) {
				return true
			}
		}
		return false
	}
	text := strings.ToLower(string(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")))
	switch {
	case has("PK\x03\x04", "PK\x05\x06"):
		return FormatXLSX, packed(r, size)
	case has("\xd0\xcf\x11\xe0"):
		return "", unsupported(kindXLS, "this is a workbook of Excel 97 to 2003, or one with a password; take off the password if there is one, and %s", saveAs)
	case has("%PDF"):
		return "", unsupported(kindPDF, "this is a PDF, from which no columns can be read for sure; open the list that it was printed from, and %s", saveAs)
	case has("\x89PNG", "\xff\xd8\xff", "GIF8", "II*\x00", "MM\x00*", "RIFF", "BM") && binary(head):
		return "", unsupported(kindPicture, "this is a picture, and no list can be read from it; type the list into a spreadsheet, and %s", saveAs)
	case has("\x1f\x8b", "7z\xbc\xaf", "Rar!", "BZh", "\xfd7zXZ"):
		return "", unsupported(kindPacked, "this is a packed file; unpack it and send the list itself")
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"), strings.HasPrefix(text, "<table"),
		strings.HasPrefix(text, "<?xml"), strings.HasPrefix(text, "<workbook"), strings.HasPrefix(text, "{\\rtf"):
		return "", unsupported(kindDocument, "this is a web page or another document, even if its name ends in %q; open it in a spreadsheet, and %s", path.Ext(name), saveAs)
	case binary(head):
		return "", refuse(CodeUnsupported, "this is no list that we can read; %s", saveAs)
	}
	return FormatDelimited, nil
}

// binary reports whether b holds more control characters than any text. The zeros of UTF-16 are
// none.
func binary(b []byte) bool {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) || zeros(b, 0) || zeros(b, 1) {
		return false
	}
	n := 0
	for _, c := range b {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' {
			n++
		}
	}
	return n > 2 && n > len(b)/20
}

const (
	// maxUnpacked bounds what a workbook unpacks to. 50,000 rows of 20 columns come to 60 MiB.
	maxUnpacked = 96 << 20
	// maxAside bounds all but the sheets and their texts, which are held in memory.
	maxAside   = 16 << 20
	maxEntries = 2000
)

// packed looks into a ZIP file before it is unpacked.
func packed(r io.ReaderAt, size int64) error {
	z, err := zip.NewReader(r, size)
	if err != nil {
		e := refuse(CodeDamaged, "the file is damaged; save it anew from your spreadsheet, and send it once more")
		e.Err = err
		return e
	}
	if len(z.File) > maxEntries {
		return refuse(CodeUnpackedLarge, "the workbook has more parts than a list has; copy the list into a new workbook")
	}
	kind := ""
	var all, aside uint64
	for _, f := range z.File {
		name := strings.ToLower(strings.ReplaceAll(f.Name, "\\", "/"))
		switch {
		case name == "xl/workbook.xml":
			kind = "xlsx"
		case name == "xl/workbook.bin":
			kind = "xlsb"
		case name == "content.xml" && kind == "":
			kind = "ods"
		case strings.HasPrefix(name, "index/") && strings.HasSuffix(name, ".iwa") && kind == "":
			kind = "numbers"
		}
		// A size that is not the true one is found out when it is unpacked.
		if all += f.UncompressedSize64; f.UncompressedSize64 > maxUnpacked || all > maxUnpacked {
			return refuse(CodeUnpackedLarge, "the workbook unpacks to more than %d MiB; copy the list alone into a new workbook", maxUnpacked>>20)
		}
		if name == "xl/sharedstrings.xml" || strings.HasPrefix(name, "xl/worksheets/sheet") {
			continue
		}
		if aside += f.UncompressedSize64; aside > maxAside {
			return refuse(CodeUnpackedLarge, "the workbook holds much more than a list; copy the list alone into a new workbook")
		}
	}
	switch kind {
	case "xlsx":
		return nil
	case "ods":
		return unsupported(kindODS, "this is an OpenDocument file; %s", saveAs)
	case "numbers":
		return unsupported(kindNumbers, "this is a document of Numbers; choose File, Export To, and there Excel or CSV")
	case "xlsb":
		return unsupported(kindXLSB, "this is a binary workbook of Excel; %s", saveAs)
	}
	return refuse(CodeUnsupported, "this is a packed file or another document; send the list itself: %s", saveAs)
}
