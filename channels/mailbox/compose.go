package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// headerWriter writes header fields (RFC 5322). No value can break out of its field: every
// control character becomes a blank.
type headerWriter struct{ b bytes.Buffer }

// raw writes a field of ASCII, folded at blanks where a line would be longer than 78.
func (w *headerWriter) raw(name, value string) {
	value = strings.Join(strings.Fields(strings.Map(noControl, value)), " ")
	column := len(name) + 1
	w.b.WriteString(name + ":")
	for word := range strings.SplitSeq(value, " ") {
		if column+1+len(word) > 78 && column > len(name)+1 {
			w.b.WriteString("\r\n")
			column = 0
		}
		w.b.WriteString(" " + word)
		column += 1 + len(word)
	}
	w.b.WriteString("\r\n")
}

// text writes a field of words in any script (RFC 2047).
func (w *headerWriter) text(name, value string) {
	w.raw(name, mime.QEncoding.Encode("utf-8", mailparse.CleanLine(value)))
}

// address writes a field with one address.
func (w *headerWriter) address(name, display, addr string) {
	w.raw(name, (&mail.Address{Name: mailparse.CleanLine(display), Address: addr}).String())
}

// ids writes a field of message ids.
func (w *headerWriter) ids(name string, ids ...string) {
	w.raw(name, "<"+strings.Join(ids, "> <")+">")
}

// instanceField tells mail of this installation from that of others.
const instanceField = "X-Leadgate-Instance"

// compose builds the mail. The same message gives the same bytes.
func (m *Mailbox) compose(msg intake.Message, to string, t thread, words Rendered) ([]byte, error) {
	if !validID(t.MessageID) {
		return nil, fmt.Errorf("message id %q can't be used in a mail", msg.ID)
	}
	var w headerWriter
	w.address("From", m.cfg.FromName, m.cfg.Address)
	w.address("To", "", to)
	if a := m.replyTo(msg.ID, msg.Facts.Case); a != "" {
		w.address("Reply-To", m.cfg.FromName, a)
	}
	w.text("Subject", t.Subject)
	w.raw("Date", msg.At.UTC().Format(time.RFC1123Z))
	w.ids("Message-ID", t.MessageID)
	if n := len(t.References); n > 0 {
		w.ids("In-Reply-To", t.References[n-1])
		w.ids("References", t.References...)
	}
	// RFC 3834, section 5; and the same for Exchange, without suppressing bounces.
	w.raw("Auto-Submitted", map[bool]string{false: "auto-replied", true: "auto-generated"}[msg.Unprompted])
	w.raw("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply")
	w.raw(instanceField, m.tokens.instance())
	if msg.Facts.Case != "" {
		w.raw("X-Leadgate-Case", msg.Facts.Case)
	}
	w.raw("MIME-Version", "1.0")
	sum := sha256.Sum256([]byte(t.MessageID))
	boundary := "lg-" + hex.EncodeToString(sum[:12])
	w.raw("Content-Type", `multipart/alternative; boundary="`+boundary+`"`)
	w.b.WriteString("\r\n")
	for _, part := range []struct{ media, body string }{{"text/plain", words.Text}, {"text/html", words.HTML}} {
		if part.body == "" {
			continue
		}
		w.b.WriteString("--" + boundary + "\r\n")
		w.raw("Content-Type", part.media+"; charset=utf-8")
		w.raw("Content-Transfer-Encoding", "quoted-printable")
		w.b.WriteString("\r\n")
		if err := writeQuoted(&w.b, part.body); err != nil {
			return nil, err
		}
		w.b.WriteString("\r\n")
	}
	w.b.WriteString("--" + boundary + "--\r\n")
	return w.b.Bytes(), nil
}

// writeQuoted writes text as quoted-printable, lines ended by CR LF.
func writeQuoted(b *bytes.Buffer, s string) error {
	s = strings.ReplaceAll(mailparse.CleanText(s), "\n", "\r\n")
	q := quotedprintable.NewWriter(b)
	if _, err := q.Write([]byte(s)); err != nil {
		return err
	}
	return q.Close()
}

func noControl(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}
