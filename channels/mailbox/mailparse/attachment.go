package mailparse

import (
	"encoding/hex"
	"hash"
	"strings"
)

// Limits of the contents that are kept, in bytes after decoding.
const (
	MaxTable    = 10 << 20 // of KindCSV and KindSheet
	maxCalendar = 256 << 10
	maxCard     = 64 << 10
	maxContents = 24 << 20 // of all attachments of a mail
	maxSigned   = 12 << 20 // of an opaque signature with what it is over
)

// Attachment is a part that is no text of the message.
type Attachment struct {
	Name, Media string
	Size        int64 // decoded
	SHA256      string
	// Content is the decoded content of the kinds that leads are read from (see Kind), nil
	// of others and of what is larger than the limit.
	Content []byte `json:"-"`
	// Charset is the label of the Content-Type; empty if there is none.
	Charset string `json:",omitempty"`
}

// Kind is what an attachment is to us, by its media type and the end of its name.
type Kind string

// The kinds of attachments that have Content.
const (
	KindOther    Kind = ""
	KindCSV      Kind = "csv"      // text/csv, text/tab-separated-values; at most MaxTable bytes
	KindCalendar Kind = "calendar" // text/calendar (RFC 5545); at most maxCalendar bytes
	// KindSheet is a document of a program for spreadsheets; at most MaxTable bytes. Whether it is
	// one that can be read its bytes tell.
	KindSheet Kind = "sheet"
	KindCard  Kind = "card" // text/vcard, text/x-vcard (RFC 6350); at most maxCard bytes
)

// Kind returns what the attachment is to us. The name counts where the media type says
// little, as that of a mail program which knows no tables does.
func (a Attachment) Kind() Kind { return kindOf(a.Media, a.Name) }

func kindOf(media, name string) Kind {
	switch media {
	case "text/csv", "text/x-csv", "application/csv", "application/x-csv", "text/comma-separated-values",
		"text/x-comma-separated-values", "text/tab-separated-values":
		return KindCSV
	case "text/calendar", "application/ics", "text/x-vcalendar":
		return KindCalendar
	case "text/vcard", "text/x-vcard", "text/directory", "application/vcard":
		return KindCard
	}
	if isSheet(media, extension(name)) {
		return KindSheet
	}
	top, _, _ := strings.Cut(media, "/")
	if top != "text" && top != "application" || media == "text/html" || media == "application/pdf" {
		return KindOther
	}
	switch extension(name) {
	case "csv", "tsv":
		return KindCSV
	case "ics":
		return KindCalendar
	case "vcf":
		return KindCard
	}
	return KindOther
}

// isSheet reports whether a part is a workbook, by its type or by the end of its name. Some mail
// programs call any file that a spreadsheet opens vnd.ms-excel.
func isSheet(media, extension string) bool {
	switch extension {
	case "xlsx", "xlsm", "xlsb", "xls", "ods", "numbers":
		return strings.HasPrefix(media, "application/") || media == ""
	case "csv", "tsv", "txt":
		return false
	}
	switch media {
	case "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.oasis.opendocument.spreadsheet",
		"application/vnd.ms-excel.sheet.macroenabled.12", "application/vnd.ms-excel.sheet.binary.macroenabled.12", "application/vnd.ms-excel":
		return true
	}
	return false
}

// limit returns how many bytes of content are kept of a kind.
func (k Kind) limit() int {
	switch k {
	case KindCSV, KindSheet:
		return MaxTable
	case KindCalendar:
		return maxCalendar
	case KindCard:
		return maxCard
	}
	return 0
}

func extension(name string) string {
	return strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
}

// capped keeps the first bytes written to it.
type capped struct {
	b     []byte
	limit int
	cut   bool
}

func (c *capped) Write(p []byte) (int, error) {
	n := min(len(p), c.limit-len(c.b))
	if need := len(c.b) + n; need > cap(c.b) {
		// Twice as much: append adds a quarter to what is large, and copies more often.
		c.b = append(make([]byte, 0, max(need, min(2*cap(c.b), c.limit))), c.b...)
	}
	c.b = append(c.b, p[:n]...)
	c.cut = c.cut || n < len(p)
	return len(p), nil
}

// digest hashes and counts what is written to it, and keeps the first bytes.
type digest struct {
	h    hash.Hash
	n    int64
	kept capped
	buf  [4096]byte
	used int // bytes of buf that are not hashed yet
}

func (d *digest) Write(p []byte) (int, error) {
	d.n += int64(len(p))
	if d.kept.limit > 0 {
		d.kept.Write(p)
	}
	if len(p) > len(d.buf)-d.used {
		d.h.Write(d.buf[:d.used])
		d.used = 0
		if len(p) >= len(d.buf) {
			d.h.Write(p)
			return len(p), nil
		}
	}
	d.used += copy(d.buf[d.used:], p)
	return len(p), nil
}

func (d *digest) hex() string {
	d.h.Write(d.buf[:d.used])
	d.used = 0
	return hex.EncodeToString(d.h.Sum(nil))
}

// content returns a copy of what was kept, nil if that is not all.
func (d *digest) content() []byte {
	if d.kept.cut || d.kept.limit == 0 {
		return nil
	}
	return append(make([]byte, 0, len(d.kept.b)), d.kept.b...)
}

// Seal says why a content can't be read.
type Seal string

// The seals.
const (
	SealNone      Seal = ""
	SealEncrypted Seal = "encrypted" // S/MIME (RFC 8551) or OpenPGP (RFC 3156)
	SealTNEF      Seal = "winmail"   // only a winmail.dat, and no text
)

// seals is what the parts of a message say about reading it: encrypted for certain, and
// what it is if there is no text beside it.
type seals struct {
	encrypted, opaque, tnef bool
}

// note looks at a part.
func (s *seals) note(media, name string, p params) {
	switch {
	case media == "multipart/encrypted":
		s.encrypted = true
	case isSMIME(media, name):
		switch smimeType(p) {
		case "enveloped-data", "authenveloped-data":
			s.encrypted = true
		case "certs-only":
		default:
			s.opaque = true
		}
	case isTNEF(media, name):
		s.tnef = true
	}
}

// TNEF reports whether an attachment is a winmail.dat, which Outlook alone reads.
func (a *Attachment) TNEF() bool { return isTNEF(a.Media, a.Name) }

func isTNEF(media, name string) bool {
	return media == "application/ms-tnef" || media == "application/vnd.ms-tnef" ||
		media == "application/octet-stream" && strings.EqualFold(name, "winmail.dat")
}

func isSMIME(media, name string) bool {
	switch media {
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		return true
	case "application/octet-stream":
		return extension(name) == "p7m"
	}
	return false
}

func smimeType(p params) string { return strings.ToLower(p.get("smime-type")) }

// isSigned reports whether a part may be signed and readable.
func isSigned(media, name string, p params) bool {
	kind := smimeType(p)
	return isSMIME(media, name) && (kind == "" || kind == "signed-data")
}

const inlinePGP = "-----BEGIN PGP MESSAGE-----"

// of returns the seal of a message with these texts.
func (s *seals) of(text, html string) Seal {
	readable := hasWords(text) || hasWords(withoutTags(html))
	switch {
	case s.encrypted, strings.HasPrefix(strings.TrimLeft(text, " \t\n"), inlinePGP), s.opaque && !readable:
		return SealEncrypted
	case s.tnef && !readable:
		return SealTNEF
	}
	return SealNone
}

func hasWords(s string) bool { return strings.TrimSpace(s) != "" }

// withoutTags returns the first text between tags that is more than blanks. It is no reader
// of HTML; it only tells a frame without text.
func withoutTags(s string) string {
	for s != "" {
		text, rest, _ := strings.Cut(s, "<")
		if text = strings.TrimSpace(strings.ReplaceAll(text, "&nbsp;", "")); text != "" {
			return text
		}
		_, s, _ = strings.Cut(rest, ">")
	}
	return ""
}
