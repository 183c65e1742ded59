package mailparse

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-message"
)

// benchMails are mails as partners send them: a short text, what a mail program makes of a
// reply, one with a file, a long table in HTML and a report.
func benchMails() [][]byte {
	trace := strings.Repeat("Received: from mx.partner.example (mx.partner.example [192.0.2.1])\r\n\tby mx.vendor.example with ESMTPS id 4Xabc; Mon, 23 Nov 2026 08:00:00 +0000\r\n", 4) +
		"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=partner.example; s=s1;\r\n\th=from:to:subject:date; bh=" + strings.Repeat("A", 44) + "; b=" + strings.Repeat("B", 344) + "\r\n"
	head := trace + "From: =?utf-8?q?Jane_D=C3=B6e?= <jane@partner.example>\r\nTo: Partners <partners@vendor.example>\r\nCc: Joe <joe@partner.example>\r\n" +
		"Subject: =?utf-8?q?Neuer_Lead:_Gr=C3=BCne_Energie?=\r\nDate: Mon, 23 Nov 2026 08:00:00 +0000\r\nMessage-ID: <lead-1@partner.example>\r\nMIME-Version: 1.0\r\n"
	text := "Company: Acme GmbH\r\nContact: J=C3=B6rg Roe\r\nE-Mail: jorg@acme.example\r\nCountry: Germany\r\n\r\n" + strings.Repeat("They look for a solution that fits their plants in Europe, with =C3=9F.\r\n", 15)
	qp := "Content-Transfer-Encoding: quoted-printable\r\n"
	plain := "Content-Type: text/plain; charset=utf-8\r\n" + qp + "\r\n" + text
	page := "Content-Type: text/html; charset=utf-8\r\n" + qp + "\r\n<html><body><table>" + strings.Repeat("<tr><td style=3D\"x\">Company</td><td>Acme =C3=BC</td></tr>\r\n", 100) + "</table></body></html>\r\n"
	alternative := "Content-Type: multipart/alternative; boundary=\"b2\"\r\n\r\n--b2\r\n" + plain + "\r\n--b2\r\n" + page + "\r\n--b2--\r\n"
	var file strings.Builder
	encoded := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("%PDF leads"), 6_000))
	for len(encoded) > 76 {
		file.WriteString(encoded[:76] + "\r\n")
		encoded = encoded[76:]
	}
	mixed := "Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n--b1\r\n" + alternative + "\r\n--b1\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\n" +
		"Content-Disposition: attachment; filename=\"a.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + file.String() + "\r\n--b1--\r\n"
	report := "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b1\"\r\n\r\n--b1\r\n" + plain + "\r\n--b1\r\nContent-Type: message/delivery-status\r\n\r\n" +
		"Reporting-MTA: dns; mx.partner.example\r\n\r\nFinal-Recipient: rfc822; jane@partner.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b1\r\nContent-Type: message/rfc822\r\n\r\n" + head + plain + "\r\n--b1--\r\n"
	var out [][]byte
	for _, body := range []string{plain, plain, plain, alternative, alternative, alternative, page, mixed, report} {
		out = append(out, []byte(head+body))
	}
	return out
}

// BenchmarkParse reads mails, and in turn the same mails by go-message, which only walks the
// parts and reads their bodies. The metric "ratio" is how many times as fast Parse is; an
// operation is one mail by Parse.
func BenchmarkParse(b *testing.B) {
	mails := benchMails()
	var ours, theirs time.Duration
	rounds := 0
	timed := func(read func(io.Reader) error) time.Duration {
		start := time.Now()
		for _, m := range mails {
			if err := read(bytes.NewReader(m)); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start)
	}
	for b.Loop() {
		ours += timed(func(r io.Reader) error { _, err := Parse(r); return err })
		theirs += timed(walkMessage)
		rounds++
	}
	n := float64(rounds * len(mails))
	b.ReportMetric(float64(ours.Nanoseconds())/n, "ns/op")
	b.ReportMetric(n/ours.Seconds(), "mails/s")
	b.ReportMetric(n/theirs.Seconds(), "go-message-mails/s")
	b.ReportMetric(float64(theirs)/float64(ours), "ratio")
}

// walkMessage reads all bodies of a mail with go-message.
func walkMessage(r io.Reader) error {
	e, err := message.Read(r)
	if err != nil && !message.IsUnknownCharset(err) {
		return err
	}
	return walkEntity(e)
}

func walkEntity(e *message.Entity) error {
	parts := e.MultipartReader()
	if parts == nil {
		_, err := io.Copy(io.Discard, e.Body)
		return err
	}
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil && !message.IsUnknownCharset(err) {
			return err
		}
		if err := walkEntity(p); err != nil {
			return err
		}
	}
}
