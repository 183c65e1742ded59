package mailparse

import (
	"strings"
	"testing"
)

func TestBodiesAreDecodedWhereverTheBufferEnds(t *testing.T) {
	const n = 100_000
	for _, tt := range []struct{ name, encoding, unit, want string }{
		{"codes in one line", "quoted-printable", "=41", "A"},
		{"codes in short lines", "quoted-printable", "=41=\r\n", "A"},
		{"hard and soft breaks", "quoted-printable", "=41 \t\r\nb=\n", "A\nb"},
		{"base64 in one line", "base64", "QUFB", "AAA"},
		{"base64 in lines that cut its groups", "base64", "QU\r\nFBQ\r\nUFB\r\n", "AAAAAA"},
		{"lines that end in CR LF", "8bit", "ab\r\n", "ab\n"},
		{"lines that end in either", "", "a\r\nb\n\r\n", "a\nb\n\n"},
		{"lines like delimiters", "7bit", "--\r\n-\n--x\n", "--\n-\n--x\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, media := range []string{"text/plain", "text/csv"} {
				for _, shift := range []int{0, 1, 2} { // of the header
					mail := "From: a@b.example\nX: " + strings.Repeat("x", shift) + "\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: " + media +
						"\nContent-Transfer-Encoding: " + tt.encoding + "\n\n" + strings.Repeat(tt.unit, n) + "\n--b\nContent-Type: text/html\n\nlast\n--b--\n"
					p, err := Parse(strings.NewReader(mail))
					if err != nil || p.HTML != "last\n" {
						t.Fatalf("the next part is %q, err %v", p.HTML, err)
					}
					got := p.Text
					if media == "text/csv" {
						got = string(p.Attachments[0].Content)
					}
					want := strings.Repeat(tt.want, n)
					if strings.TrimRight(got, "\n") != strings.TrimRight(want, "\n") {
						t.Errorf("%s: got %d bytes, want %d; the first that differ: %d", media, len(got), len(want), differ(got, want))
					}
				}
			}
		})
	}
}

// differ returns where two strings begin to differ.
func differ(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestSignedContentIsNoneOfADamagedSignature(t *testing.T) {
	deep := strings.Repeat("\x24\x80", maxBERDepth+2) + "\x04\x01x" + strings.Repeat("\x00\x00", maxBERDepth+2)
	r := berReader{left: maxElements}
	if e, ok := r.element([]byte(deep), 0); ok {
		t.Errorf("read %d bytes that are too deep", len(e.body))
	}
	for _, s := range []string{"", "0", "0\x80", "0\x85\x01\x01\x01\x01\x01", "0\x84\xff\xff\xff\xff", "0\x02\x06\x09", "\x1f\x1f\x1f"} {
		if got := signedContent([]byte(s)); got != nil {
			t.Errorf("%q: got %q", s, got)
		}
	}
}

func TestBase64GoesOnWithinAGroup(t *testing.T) {
	var out strings.Builder
	dec := newLineDecoder("base64", &out, new([]byte))
	dec.line([]byte("QU\n"))
	dec.(bulkDecoder).lines([]byte("FBQUFB\nQU\n"))
	dec.line([]byte("FB"))
	dec.end()
	if out.String() != "AAAAAAAAA" {
		t.Errorf("got %q", out.String())
	}
}
