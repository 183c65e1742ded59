package mailbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/url"
	"strings"

	"github.com/emersion/go-message"
	"github.com/emersion/go-message/mail"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// instanceField tells mail of this installation from that of others.
const instanceField = "X-Leadgate-Instance"

// complaintField holds what a complaint has to bring back. No answer copies it.
const complaintField = "X-Leadgate-Complaint"

// compose builds the mail, with a file if that has any content. The same message and file give the
// same bytes.
func (m *Mailbox) compose(msg intake.Message, to string, t thread, words Rendered, file intake.Enclosure) ([]byte, error) {
	if !validID(t.MessageID) {
		return nil, fmt.Errorf("message id %q can't be used in a mail", msg.ID)
	}
	h := m.outgoingHeader(msg, to, t)
	sum := sha256.Sum256([]byte(t.MessageID))
	boundary := func(of string) map[string]string {
		return map[string]string{"boundary": "lg-" + of + hex.EncodeToString(sum[:12])}
	}
	var b bytes.Buffer
	if len(file.Content) == 0 {
		h.SetContentType("multipart/alternative", boundary(""))
		w, err := message.CreateWriter(&b, inOrder(h.Header))
		if err == nil {
			err = writeWords(w, words)
		}
		if err != nil {
			return nil, err
		}
		return b.Bytes(), nil
	}
	h.SetContentType("multipart/mixed", boundary("m-"))
	w, err := message.CreateWriter(&b, inOrder(h.Header))
	if err != nil {
		return nil, err
	}
	var inner message.Header
	inner.SetContentType("multipart/alternative", boundary(""))
	alternatives, err := w.CreatePart(inner)
	if err != nil {
		return nil, err
	}
	if err := writeWords(alternatives, words); err != nil {
		return nil, err
	}
	if err := writeFile(w, file); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// writeWords writes the forms of the text, and ends their part.
func writeWords(w *message.Writer, words Rendered) error {
	for _, part := range []struct{ media, body string }{{"text/plain", words.Text}, {"text/html", words.HTML}} {
		if part.body == "" {
			continue
		}
		if err := writePart(w, part.media, part.body); err != nil {
			return err
		}
	}
	return w.Close()
}

// writeFile writes what is attached.
func writeFile(w *message.Writer, file intake.Enclosure) error {
	media, params, err := mime.ParseMediaType(file.Media)
	if err != nil {
		return fmt.Errorf("media type of %s: %w", file.Name, err)
	}
	name := mailparse.CleanLine(file.Name)
	params["name"] = name
	var h message.Header
	h.SetContentType(media, params)
	h.SetContentDisposition("attachment", map[string]string{"filename": name})
	h.Set("Content-Transfer-Encoding", "base64")
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := part.Write(file.Content); err != nil {
		return err
	}
	return part.Close()
}

// outgoingHeader is the header of msg but for what tells the form of its body. No value can
// break out of its field: in what others wrote every control character is a blank.
func (m *Mailbox) outgoingHeader(msg intake.Message, to string, t thread) mail.Header {
	var h mail.Header
	from := mailparse.CleanLine(m.cfg.FromName)
	h.SetAddressList("From", []*mail.Address{{Name: from, Address: m.cfg.Address}})
	h.SetAddressList("To", []*mail.Address{{Address: to}})
	if a := m.replyTo(msg.ID, msg.Facts.Case); a != "" {
		h.SetAddressList("Reply-To", []*mail.Address{{Name: from, Address: a}})
	}
	setSubject(&h, t.Subject)
	h.SetDate(msg.At.UTC())
	h.SetMessageID(t.MessageID)
	if n := len(t.References); n > 0 {
		h.SetMsgIDList("In-Reply-To", t.References[n-1:])
		h.SetMsgIDList("References", t.References)
	}
	// RFC 3834, section 5; and the same for Exchange, without suppressing bounces.
	h.Set("Auto-Submitted", map[bool]string{false: "auto-replied", true: "auto-generated"}[msg.Unprompted])
	h.Set("X-Auto-Response-Suppress", "DR, RN, NRN, OOF, AutoReply")
	h.Set(instanceField, m.tokens.instance())
	h.Set(complaintField, m.tokens.tag(forComplaints, msg.ID))
	if msg.Kind == intake.MessageDigest {
		h.Set("List-Unsubscribe", m.unsubscribe())
	}
	if msg.Facts.Case != "" {
		h.Set("X-Leadgate-Case", mailparse.CleanLine(msg.Facts.Case))
	}
	h.Set("MIME-Version", "1.0")
	return h
}

// unsubscribe is how mail programs switch the weekly digest off for their reader (RFC 2369,
// section 3.2): by a mail that says so in its subject, and in its text for those that put words
// of their own into an empty one.
func (m *Mailbox) unsubscribe() string {
	const words = "DIGEST%20OFF"
	return "<mailto:" + url.PathEscape(m.cfg.Address) + "?subject=" + words + "&body=" + words + ">"
}

// setSubject folds between encoded words (RFC 2047, section 2), as the library does not.
func setSubject(h *mail.Header, subject string) {
	encoded := mime.QEncoding.Encode("utf-8", mailparse.CleanLine(subject))
	if !strings.HasPrefix(encoded, "=?") {
		h.Set("Subject", encoded)
		return
	}
	h.AddRaw([]byte("Subject: " + strings.ReplaceAll(encoded, "?= =?", "?=\r\n =?") + "\r\n"))
}

// inOrder returns a header whose fields are written in the order in which they were set; the
// library writes the last first.
func inOrder(h message.Header) message.Header {
	var out message.Header
	for f := h.Fields(); f.Next(); {
		raw, err := f.Raw()
		if err != nil { // it was not read from anywhere
			out.Add(f.Key(), f.Value())
			continue
		}
		out.AddRaw(raw)
	}
	return out
}

// writePart writes text in one of its forms.
func writePart(w *message.Writer, media, text string) error {
	var h message.Header
	h.SetContentType(media, map[string]string{"charset": "utf-8"})
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(part, strings.ReplaceAll(mailparse.CleanText(text), "\n", "\r\n")); err != nil {
		return err
	}
	return part.Close()
}
