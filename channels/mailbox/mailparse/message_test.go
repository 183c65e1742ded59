package mailparse

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the expectations of testdata anew")

var escapedByte = regexp.MustCompile(`\{([0-9a-f]{2})\}`)

// unescape turns the {xx} of a case file into bytes.
func unescape(b []byte) []byte {
	return escapedByte.ReplaceAllFunc(b, func(m []byte) []byte {
		n, _ := strconv.ParseUint(string(m[1:3]), 16, 8)
		return []byte{byte(n)}
	})
}

func mailFiles(t testing.TB) []string {
	files, err := filepath.Glob("testdata/mails/*.txtar")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, err %v", len(files), err)
	}
	return files
}

func TestMails(t *testing.T) {
	for _, file := range mailFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			raw := unescape(a.Files[0].Data)
			p, err := Parse(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			checkParsed(t, &p)
			got, err := json.MarshalIndent(p, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			want := &a.Files[1]
			if *update {
				want.Data = got
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got, want.Data) {
				t.Errorf("got\n%s\nwant\n%s", got, want.Data)
			}
			crlf, err := Parse(bytes.NewReader(bytes.ReplaceAll(raw, []byte("\n"), []byte("\r\n"))))
			if err != nil || !bytes.Contains(raw, []byte("\r")) && crlf.Fingerprint() != p.Fingerprint() {
				t.Errorf("another fingerprint with CR LF, err %v", err)
			}
		})
	}
}

// checkParsed checks what holds for every message, and reports whether it does.
func checkParsed(t testing.TB, p *Parsed) bool {
	t.Helper()
	ok := true
	fault := func(format string, args ...any) {
		t.Helper()
		ok = false
		t.Errorf(format, args...)
	}
	lines := []string{p.Subject, p.MessageID, p.Date, p.Report}
	for _, list := range [][]Address{p.From, p.To, p.ReplyTo} {
		if len(list) > maxAddresses {
			fault("%d addresses", len(list))
		}
		for _, a := range list {
			lines = append(lines, a.Name, a.Address)
		}
	}
	for _, a := range p.Attachments {
		lines = append(lines, a.Name, a.Media, a.Charset)
		if len(a.Content) > a.Kind().limit() || a.Content != nil && int64(len(a.Content)) != a.Size {
			fault("%d of %d bytes of content of %q", len(a.Content), a.Size, a.Name)
		}
	}
	if d := p.Delivery; d != nil {
		lines = append(lines, d.Feedback, d.MessageID, d.MailFrom)
		for _, r := range d.Recipients {
			lines = append(lines, r.Address, r.Original, r.Action, r.Status, r.Detail)
		}
		if len(d.Recipients) > maxAddresses {
			fault("%d recipients", len(d.Recipients))
		}
	}
	lines = append(append(lines, p.InReplyTo...), p.References...)
	lines = append(lines, p.DeliveredTo()...)
	for _, s := range lines {
		if !isLine(s) {
			fault("not one line of text: %q", s)
		}
	}
	for _, s := range []string{p.Text, p.HTML} {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			fault("not a text: %q", s)
		}
		if len(s) > maxAllText+maxParts {
			fault("a text of %d bytes", len(s))
		}
	}
	for _, f := range p.Forwarded {
		if len(f.Forwarded) > 0 {
			fault("a forwarded message has others")
		}
		ok = checkParsed(t, &f) && ok
	}
	if len(p.Forwarded) > maxForwarded || len(p.Attachments) > maxAttachments {
		fault("%d messages and %d attachments within", len(p.Forwarded), len(p.Attachments))
	}
	if len(p.References) > MaxReferences || len(p.InReplyTo) > MaxReferences {
		fault("%d references, %d in reply to", len(p.References), len(p.InReplyTo))
	}
	return ok
}

func isLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func FuzzParse(f *testing.F) {
	for _, file := range mailFiles(f) {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(unescape(a.Files[0].Data))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := Parse(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		checkParsed(t, &p)
		again, err := Parse(iotest.OneByteReader(bytes.NewReader(raw)))
		if err != nil {
			t.Fatal(err)
		}
		if p.Fingerprint() != again.Fingerprint() || asJSON(t, p) != asJSON(t, again) {
			t.Errorf("byte by byte it reads\n%s\nand at once\n%s", asJSON(t, again), asJSON(t, p))
		}
	})
}

func asJSON(t testing.TB, p Parsed) string {
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestFingerprintIsThatOfWhatTheSenderWrote(t *testing.T) {
	const testAddress = "partners@vendor.example"
	base := strings.Join([]string{
		"From: Jane Roe <jane@partner.example>", "To: " + testAddress, "Cc: other@partner.example", "Subject: New",
		"Date: Mon, 23 Nov 2026 08:00:00 +0000", "Message-ID: <lead-1@partner.example>", "",
		"Company: Acme", "Country: Germany", "",
	}, "\r\n")
	same := map[string]string{
		"trace fields":     "Received: from x by y\r\nDelivered-To: z\r\nReturn-Path: <a@b>\r\n" + base,
		"trailing blanks":  strings.Replace(base, "Germany\r\n", "Germany  \r\n", 1) + "\r\n\r\n",
		"case of a domain": strings.Replace(base, "<lead-1@partner.example>", "<lead-1@PARTNER.example>", 1),
		"order of To":      strings.NewReplacer("To: "+testAddress, "To: other@partner.example", "Cc: other@partner.example", "Cc: "+testAddress).Replace(base),
	}
	other := map[string]string{
		"text":       strings.Replace(base, "Germany", "France", 1),
		"Message-ID": strings.Replace(base, "lead-1", "lead-2", 1),
		"From":       strings.Replace(base, "jane@", "joe@", 1),
		"Date":       strings.Replace(base, "08:00", "08:01", 1),
		"attachment": strings.Replace(base, "\r\n\r\n", "\r\nContent-Type: application/pdf\r\n\r\n", 1),
	}
	of := func(s string) string {
		p, err := Parse(strings.NewReader(s))
		if err != nil {
			t.Fatal(err)
		}
		return p.Fingerprint()
	}
	for name, s := range same {
		if of(s) != of(base) {
			t.Errorf("%s changes the fingerprint", name)
		}
	}
	for name, s := range other {
		if of(s) == of(base) {
			t.Errorf("another %s leaves the fingerprint as it is", name)
		}
	}
}

func TestAMessageIDIsQuotedOnALineOfItsOwn(t *testing.T) {
	for text, want := range map[string]string{
		"It failed.\n> Message-ID: <1@x.example>\n":   "1@x.example",
		"Message-Id:\n <1@x.example>":                 "1@x.example",
		"the Message-ID: <1@x.example> was not known": "",
		"Message-Id: <": "", // cut off
		"Message-Id: <\nMessage-Id: <2@x.example>": "2@x.example",
		"": "",
	} {
		if got := quotedMessageID(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
