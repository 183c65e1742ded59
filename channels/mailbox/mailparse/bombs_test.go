package mailparse

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"leadgate/intake/cputime"
)

const (
	bombTime = 200 * time.Millisecond
	bombHeap = 64 << 20 // bytes that may be allocated, also those that are free again
)

// TestBombsAreDefused reads messages that are made to cost time or memory.
func TestBombsAreDefused(t *testing.T) {
	const (
		head  = "From: a@acme.example\nSubject: x\nMessage-ID: <1@x>\n"
		multi = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nCompany: Acme\n--b\n"
	)
	nested := func(n int) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i)
		}
		return b.String() + "\nCompany: Acme\n"
	}
	parts := func(n int) string {
		return head + "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", n) + "--b--\n"
	}
	field := func(name, unit string, size int) string {
		return head + name + ": " + strings.Repeat(unit, size/len(unit)) + "\n\ntext"
	}
	from := func(unit string) string {
		return "From: " + strings.Repeat(unit, 1_000_000/len(unit)) + "\nSubject: x\n\ntext"
	}
	body := func(header, unit string, size int) string {
		return head + header + "\n" + strings.Repeat(unit, size/len(unit))
	}
	repeat := func(n int, make func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(make(i))
		}
		return b.String()
	}
	encoded := "From: x@y\n\nx"
	for range 20 {
		encoded = "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(encoded))
	}
	ber := func(tag byte, body string) string {
		n := len(body)
		return string([]byte{tag, 0x84, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + body
	}
	signed := func(content string) string {
		data := ber(berSequence, string(oidData)+ber(berExplicit, content))
		info := ber(berSequence, string(oidSignedData)+ber(berExplicit, ber(berSequence, "\x02\x01\x01\x31\x00"+data)))
		return "Content-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\n" + wrapped(info)
	}
	signatures := "\n" + strings.Repeat("x", 2<<20)
	for len(signatures) < 11<<20 {
		signatures = signed(ber(berOctets, signatures))
	}
	for name, tt := range map[string]struct{ mail, limit string }{
		"5000 nested multiparts":               {nested(5000), "depth"},
		"20000 nested multiparts":              {nested(20000), "depth"},
		"10000 parts":                          {parts(10_000), "parts"},
		"500000 parts":                         {parts(500_000), "parts"},
		"10000 nested messages":                {head + strings.Repeat("Content-Type: message/rfc822\n\n", 10_000), "forwarded"},
		"messages nested in base64":            {head + encoded, "forwarded"},
		"400 messages of many fields":          {head + "Content-Type: multipart/digest; boundary=b\n\n" + strings.Repeat("--b\n\n"+strings.Repeat("X: y\n", 10_000)+"\n", 400), "header"},
		"a header of 20 MB":                    {field("X", strings.Repeat("y", 70)+"\n ", 20<<20), "header"},
		"a header line of 20 MB":               {field("X", "y", 20<<20), "header"},
		"a million header fields":              {head + strings.Repeat("X: y\n", 1_000_000) + "\ntext", "header"},
		"a million From fields":                {strings.Repeat("From: a@b.example\n", 1_000_000) + "\ntext", "header"},
		"a million lines in a header":          {head + strings.Repeat("x\n", 1_000_000) + "\ntext", ""},
		"a part header of 20 MB":               {head + multi + "X: " + strings.Repeat("y", 20<<20), "header"},
		"a part header of a million fields":    {head + multi + strings.Repeat("X: y\n", 1_000_000), "header"},
		"a boundary of a megabyte":             {head + "Content-Type: multipart/mixed; boundary=" + strings.Repeat("b", 900_000) + "\n\n--" + strings.Repeat("b", 900_000) + "\n\ntext", ""},
		"100000 parameters":                    {head + "Content-Type: text/plain" + strings.Repeat("; a=b", 100_000) + "\n\ntext", ""},
		"100000 pieces of a name":              {head + "Content-Type: application/pdf" + repeat(50_000, func(i int) string { return fmt.Sprintf("; name*%d=x", i) }) + "\n\ntext", ""},
		"parameters of quotes":                 {head + "Content-Type: text/plain" + strings.Repeat(`; a="\`, 150_000) + "\n\ntext", ""},
		"a line of 20 MB":                      {body("", "x", 20<<20), "text"},
		"35 MB of empty lines":                 {body("", "\n", 35<<20), "text"},
		"35 MB of empty lines in a file":       {body("Content-Type: application/pdf\n", "\r\n", 35<<20), ""},
		"35 MB of short lines in a message":    {head + multi + "Content-Type: message/rfc822\n\nFrom: a@b\n\n" + strings.Repeat("x\n", 17<<20), "text"},
		"35 MB of empty lines in a part":       {head + multi + "\n" + strings.Repeat("\n", 35<<20), "text"},
		"20 MB of what may be delimiters":      {head + multi + "\n" + strings.Repeat("--\n", 7<<20), "text"},
		"quoted-printable of 20 MB":            {body("Content-Transfer-Encoding: quoted-printable\n", "=41", 20<<20), "text"},
		"quoted-printable attachment":          {body("Content-Type: application/pdf\nContent-Transfer-Encoding: quoted-printable\n", "=41=42=43=\n", 10<<20), ""},
		"base64 of 20 MB":                      {body("Content-Transfer-Encoding: base64\n", strings.Repeat("QUFB", 19)+"\n", 20<<20), "text"},
		"a base64 attachment of 35 MB":         {body("Content-Type: application/pdf\nContent-Transfer-Encoding: base64\n", strings.Repeat("QUFB", 19)+"\n", 35<<20), ""},
		"a base64 table of 20 MB":              {body("Content-Type: text/csv\nContent-Transfer-Encoding: base64\n", strings.Repeat("QUFB", 19)+"\n", 20<<20), "attachment"},
		"many tables":                          {head + "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\nContent-Type: text/csv\n\n"+strings.Repeat(strings.Repeat("a,b,c,d,e,f,g,", 5)+"\n", 60_000), 7), "attachment"},
		"signatures of signatures":             {head + signatures, "text"},
		"a signature in many pieces":           {head + signed("\x24\x80"+strings.Repeat("\x04\x00", 4<<20)+"\x00\x00"), ""},
		"a signature of many levels":           {head + signed(strings.Repeat("\x24\x80", 4<<20)), ""},
		"100000 nested elements":               {body("Content-Type: text/html\n", "<b>", 300_000), ""},
		"flowed quotes of a megabyte":          {body("Content-Type: text/plain; format=flowed\n", "> \n>> \n", 1<<20), ""},
		"UTF-7 of a megabyte":                  {body("Content-Type: text/plain; charset=utf-7\n", "+AOk-", 1<<20), ""},
		"Japanese of a megabyte":               {body("Content-Type: text/plain; charset=iso-2022-jp\n", "\x1b$B2q\x1b(B", 1<<20), ""},
		"Latin 1 of a megabyte":                {body("", "\xe9a", 1<<20), ""},
		"100000 tags without a text":           {body("Content-Type: application/ms-tnef\n", "<", 300_000), ""},
		"encoded words in the subject":         {"From: a@acme.example\nSubject: " + strings.Repeat("=?utf-8?q?=C3=A9?= ", 50_000) + "\n\ntext", ""},
		"encoded words of many sets":           {"From: a@acme.example\nSubject: " + strings.Repeat("=?x?q?=E9?==?y?b?6Q==?=", 40_000) + "\n\ntext", ""},
		"encoded words without end":            {"From: a@acme.example\nSubject: " + strings.Repeat("=?a?q?", 150_000) + "\n\ntext", ""},
		"beginnings of encoded words":          {"From: a@acme.example\nSubject: " + strings.Repeat("=?", 450_000) + "\n\ntext", ""},
		"encoded words in From":                {from("=?utf-8?q?=C3=A9?= "), ""},
		"brackets in From":                     {from("<"), ""},
		"quotes in From":                       {from(`"`), ""},
		"comments in From":                     {from("("), ""},
		"closed comments in From":              {from("()"), ""},
		"at signs in From":                     {from("a@"), ""},
		"commas in From":                       {from(","), ""},
		"groups in From":                       {from("a:;,"), ""},
		"addresses without commas in From":     {from("<a@b> "), ""},
		"a million addresses":                  {field("To", "a@b.example, ", 13_000_000), "header"},
		"50000 addresses":                      {field("To", "a@b.example, ", 650_000), "addresses"},
		"900 fields of addresses":              {head + strings.Repeat("Cc: "+strings.Repeat("a@b.example, ", 70)+"c@d\n", 900), "addresses"},
		"900 fields of senders":                {repeat(900, func(i int) string { return fmt.Sprintf("From: a%d@b.example, b%d@b.example, c%d@b.example\n", i, i, i) }) + "\ntext", "addresses"},
		"100000 references":                    {field("References", "<1@x> ", 900_000), ""},
		"a reference of a megabyte":            {field("References", "<", 900_000), ""},
		"a report of 500000 recipients":        {body("Content-Type: message/delivery-status\n", "\nFinal-Recipient: rfc822; a@b\nAction: failed\n", 20<<20), ""},
		"a report of folded lines":             {body("Content-Type: message/delivery-status\n", "Status: 5\n x\n x\n x\n x\n x\n x\n x\n x\n", 20<<20), ""},
		"a report with its text in many lines": {body("Content-Type: multipart/report; report-type=delivery-status\n", "Message-ID:\n", 1<<20), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var p Parsed
			var took time.Duration
			var used uint64
			for range 3 { // the machine may be busy
				p, took, used = measured(t, tt.mail)
				if took < slowdown*bombTime {
					break
				}
			}
			t.Logf("%d ms, %d KiB", took.Milliseconds(), used>>10)
			if took > slowdown*bombTime {
				t.Errorf("took %v", took)
			}
			if used > bombHeap {
				t.Errorf("allocated %d MiB", used>>20)
			}
			checkParsed(t, &p)
			if tt.limit != "" && (len(p.Limits) == 0 || p.Limits[0] != tt.limit) {
				t.Errorf("limits %q, want %q", p.Limits, tt.limit)
			}
			if len(p.Header) < 2 {
				t.Errorf("header %v", p.Header)
			}
		})
	}
}

// measured parses a mail and returns what that took: processor time, and the bytes that were
// allocated on the way.
func measured(t *testing.T, mail string) (p Parsed, took time.Duration, used uint64) {
	t.Helper()
	r := strings.NewReader(mail)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	start := cputime.Used()
	p, err := Parse(r)
	p.DeliveredTo()
	took = cputime.Used() - start
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	return p, took, after.TotalAlloc - before.TotalAlloc
}
