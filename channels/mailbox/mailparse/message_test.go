package mailparse

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
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

// checkParsed checks what holds for every message.
func checkParsed(t testing.TB, p *Parsed) {
	t.Helper()
	lines := []string{p.Subject, p.MessageID, p.Date, p.Report, p.Sender.Name, p.Sender.Address}
	for _, list := range [][]Address{p.From, p.To, p.ReplyTo} {
		for _, a := range list {
			lines = append(lines, a.Name, a.Address)
		}
	}
	for _, a := range p.Attachments {
		lines = append(lines, a.Name, a.Media)
	}
	lines = append(append(lines, p.InReplyTo...), p.References...)
	for _, s := range lines {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			t.Errorf("not one line of text: %q", s)
		}
	}
	for _, s := range []string{p.Text, p.HTML} {
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			t.Errorf("not a text: %q", s)
		}
		if len(s) > 2*maxAllText {
			t.Errorf("a text of %d bytes", len(s))
		}
	}
	if len(p.References) > MaxReferences || len(p.InReplyTo) > MaxReferences {
		t.Errorf("%d references, %d in reply to", len(p.References), len(p.InReplyTo))
	}
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
		again, _ := Parse(bytes.NewReader(raw))
		if p.Fingerprint() != again.Fingerprint() {
			t.Error("two runs differ")
		}
	})
}

// TestBombsAreDefused reads messages that are made to cost time or memory.
func TestBombsAreDefused(t *testing.T) {
	head := "From: a@acme.example\nSubject: x\nMessage-ID: <1@x>\n"
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
	for name, tt := range map[string]struct{ mail, limit string }{
		"5000 nested multiparts":    {nested(5000), "depth"},
		"20000 nested multiparts":   {nested(20000), "depth"},
		"10000 parts":               {parts(10_000), "parts"},
		"500000 parts":              {parts(500_000), "parts"},
		"a header of 20 MB":         {head + "X: " + strings.Repeat(strings.Repeat("y", 70)+"\n ", 300_000) + "\n\ntext", "header"},
		"a million header fields":   {head + strings.Repeat("X: y\n", 1_000_000) + "\ntext", "header"},
		"a line of 20 MB":           {head + "\n" + strings.Repeat("x", 20<<20), "text"},
		"quoted-printable of 20 MB": {head + "Content-Transfer-Encoding: quoted-printable\n\n" + strings.Repeat("=41", 7<<20), "text"},
		"base64 of 20 MB":           {head + "Content-Transfer-Encoding: base64\n\n" + strings.Repeat(strings.Repeat("QUFB", 19)+"\n", 270_000), "text"},
		"a part header of 20 MB":    {head + "Content-Type: multipart/mixed; boundary=b\n\n--b\nX: " + strings.Repeat("y", 20<<20), "header"},
		"100000 recipients":         {head + "To: " + strings.Repeat("a@b.example, ", 50_000) + "\n\ntext", ""},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p, err := Parse(strings.NewReader(tt.mail))
			if err != nil {
				t.Fatal(err)
			}
			checkParsed(t, &p)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if tt.limit != "" && (len(p.Limits) == 0 || p.Limits[0] != tt.limit) {
				t.Errorf("limits %q, want %q", p.Limits, tt.limit)
			}
			if len(p.From) != 1 {
				t.Errorf("From %v", p.From)
			}
		})
	}
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
