package mailparse

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestKindsFollowTheTypeAndElseTheName(t *testing.T) {
	for _, tt := range []struct {
		media, name string
		want        Kind
	}{
		{"text/csv", "", KindCSV},
		{"text/csv", "leads.xlsx", KindCSV},
		{"text/tab-separated-values", "", KindCSV},
		{"application/vnd.ms-excel", "Leads.CSV", KindCSV},
		{"application/octet-stream", "leads.tsv", KindCSV},
		{"text/plain", "leads.csv", KindCSV},
		{"text/plain", "leads.csv.txt", KindOther},
		{"text/plain", "csv", KindCSV},
		{"text/html", "leads.csv", KindOther},
		{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "leads.xlsx", KindSheet},
		{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "leads", KindSheet},
		{"application/octet-stream", "Leads.XLSX", KindSheet},
		{"application/vnd.ms-excel", "leads.xls", KindSheet},
		{"application/vnd.ms-excel", "leads", KindSheet},
		{"application/vnd.ms-excel", "leads.tsv", KindCSV},
		{"application/x-iwork-numbers-sffnumbers", "leads.numbers", KindSheet},
		{"image/png", "leads.xlsx", KindOther},
		{"image/png", "leads.csv", KindOther},
		{"text/calendar", "", KindCalendar},
		{"application/ics", "invite", KindCalendar},
		{"application/octet-stream", "invite.ics", KindCalendar},
		{"text/vcard", "", KindCard},
		{"text/x-vcard", "jane.vcf", KindCard},
		{"application/octet-stream", "jane.VCF", KindCard},
		{"application/pdf", "", KindOther},
		{"", "", KindOther},
	} {
		if got := (Attachment{Media: tt.media, Name: tt.name}).Kind(); got != tt.want {
			t.Errorf("%s, %q: got %q, want %q", tt.media, tt.name, got, tt.want)
		}
	}
}

func TestContentIsKeptUpToItsLimitAndNotBeyond(t *testing.T) {
	for _, media := range []string{"text/csv", "text/calendar", "text/vcard"} {
		limit := kindOf(media, "").limit()
		for _, size := range []int{0, 1, limit, limit + 1} {
			raw := strings.Repeat("x", size)
			p, err := Parse(strings.NewReader("From: a@b.example\nContent-Type: " + media + "; charset=latin1\nContent-Transfer-Encoding: base64\n\n" + wrapped(raw)))
			if err != nil || len(p.Attachments) != 1 {
				t.Fatalf("%s of %d bytes: %+v, err %v", media, size, p.Attachments, err)
			}
			a := p.Attachments[0]
			if a.Size != int64(size) || a.Charset != "latin1" {
				t.Errorf("%s: %d bytes in %q, want %d in latin1", media, a.Size, a.Charset, size)
			}
			if size > limit {
				if a.Content != nil || len(p.Limits) != 1 || p.Limits[0] != "attachment" {
					t.Errorf("%s of %d bytes: %d bytes of content, limits %q", media, size, len(a.Content), p.Limits)
				}
			} else if a.Content == nil || string(a.Content) != raw || p.Limits != nil {
				t.Errorf("%s of %d bytes: %d bytes of content, limits %q", media, size, len(a.Content), p.Limits)
			}
		}
	}
}

func TestContentsOfOneMailDoNotMix(t *testing.T) {
	p, err := Parse(strings.NewReader(strings.Join([]string{
		"From: a@b.example", "Content-Type: multipart/mixed; boundary=b", "",
		"--b", "Content-Type: text/csv", "", "first,1", "--b", "", "text", "--b", "Content-Type: text/csv", "", "second", "--b", "Content-Type: application/pdf", "", "third", "--b--", "",
	}, "\n")))
	if err != nil || len(p.Attachments) != 3 {
		t.Fatalf("%+v, err %v", p.Attachments, err)
	}
	for i, want := range []string{"first,1\n", "second\n", ""} {
		if got := string(p.Attachments[i].Content); got != want {
			t.Errorf("content %d is %q, want %q", i, got, want)
		}
	}
}

// wrapped encodes in base64, in lines.
func wrapped(s string) string {
	e := base64.StdEncoding.EncodeToString([]byte(s))
	var b strings.Builder
	for len(e) > 76 {
		b.WriteString(e[:76] + "\r\n")
		e = e[76:]
	}
	return b.String() + e + "\r\n"
}
