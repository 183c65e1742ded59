package senderauth

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"leadgate/channels/mailbox/mailparse"
)

// Limits of a header whose signatures are verified. Verifying takes time in proportion to
// the number of fields times the number of names in a signature.
const (
	maxHeader      = 1 << 20
	maxFields      = 1000
	maxSignature   = 8 << 10
	signatureField = "dkim-signature"
)

// onlyOnce are the fields that a mail has at most once (RFC 5322, section 3.6). A signature
// covers the lowest field of a name and a reader takes the topmost, so that of two one can
// be added to a signed mail.
var onlyOnce = map[string]bool{
	"from": true, "sender": true, "reply-to": true, "to": true, "cc": true, "subject": true, "date": true,
	"message-id": true, "in-reply-to": true, "references": true,
	"mime-version": true, "content-type": true, "content-transfer-encoding": true,
}

// rawField is a header field as it came, its line ends included.
type rawField struct {
	name string // lower case
	raw  []byte
}

// rawHeader is a header that every reader understands alike.
type rawHeader struct {
	fields []rawField
	size   int64 // bytes up to the body
}

var (
	errNotWhole = errors.New("the mail was not kept whole")
	errDamaged  = errors.New("the header is damaged")
)

// errTwice says that a field may have been added on the way of a mail.
func errTwice(name string) error { return fmt.Errorf("the header has %q more than once", name) }

// readHeader reads a header strictly. We read mails more tolerantly than signatures are
// verified: what one takes for the header and the other for the text must not be proven.
// The error says what is wrong, for staff.
func readHeader(r io.Reader) (rawHeader, error) {
	var h rawHeader
	seen := make(map[string]bool)
	lines := bufio.NewReader(io.LimitReader(r, maxHeader))
	for {
		line, err := lines.ReadBytes('\n')
		if h.size += int64(len(line)); err != nil {
			if h.size == maxHeader {
				return h, errors.New("the header is too long")
			}
			return h, errNotWhole
		}
		text := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		switch {
		case len(text) == 0 && len(h.fields) > 0:
			return h, nil
		case bytes.ContainsAny(text, "\r\x00"):
			return h, errDamaged
		case len(text) > 0 && (text[0] == ' ' || text[0] == '\t') && len(h.fields) > 0:
			last := &h.fields[len(h.fields)-1]
			last.raw = append(last.raw, line...)
			continue
		}
		name, _ := mailparse.FieldName(string(text))
		name = strings.ToLower(name)
		switch {
		case name == "":
			return h, errDamaged
		case onlyOnce[name] && seen[name]:
			return h, errTwice(name)
		case len(h.fields) == maxFields:
			return h, errors.New("the header has too many fields")
		}
		seen[name] = true
		h.fields = append(h.fields, rawField{name, line})
	}
}

// twice returns the first field that h has more than once and a mail only once; "" if there
// is none. A border's results don't say which of two it has verified.
func twice(h mailparse.Header) string {
	seen := make(map[string]bool)
	for _, f := range h {
		name := strings.ToLower(f.Name)
		if onlyOnce[name] && seen[name] {
			return name
		}
		seen[name] = true
	}
	return ""
}

// signatures returns the places of the signatures that an aligned domain claims, topmost
// first.
func (h rawHeader) signatures(domain string) (places []int) {
	for i, f := range h.fields {
		if f.name == signatureField && len(f.raw) <= maxSignature && aligned(claimed(f.raw), domain) {
			places = append(places, i)
		}
	}
	return places
}

// claimed returns the domain of a signature, its tag d=.
func claimed(signature []byte) string {
	_, value, _ := strings.Cut(string(signature), ":")
	for tag := range strings.SplitSeq(value, ";") {
		if k, v, _ := strings.Cut(tag, "="); strings.TrimSpace(k) == "d" {
			return strings.Join(strings.Fields(v), "")
		}
	}
	return ""
}

// with returns the header with one of its signatures alone, and the line that ends it.
func (h rawHeader) with(place int) []byte {
	var b bytes.Buffer
	for i, f := range h.fields {
		if f.name != signatureField || i == place {
			b.Write(f.raw)
		}
	}
	b.WriteString("\r\n")
	return b.Bytes()
}
