package extract

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"leadgate/intake"
)

// whole is all that a file of testdata/mails states: class, leads and what is unclear.
type whole struct {
	Class    Class            `json:"class"`
	New      string           `json:"new"`
	Leads    []intake.Lead    `json:"leads"`
	Methods  []string         `json:"methods,omitempty"` // by which the fields of the first lead were found
	Problems []intake.Problem `json:"problems,omitempty"`
}

// TestMails reads each file of testdata/mails: prose, forwards and several leads in a mail.
// The name of a file is a sentence about it.
func TestMails(t *testing.T) {
	files, err := filepath.Glob("testdata/mails/*.txtar")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files, err %v", len(files), err)
	}
	e := newTestExtractor()
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in, want := parseMail(t, a)
			res := e.Extract(in)
			x := whole{Class: res.Class, New: res.New, Leads: []intake.Lead{}}
			for i, l := range res.Leads {
				x.Leads = append(x.Leads, l.Fields)
				x.Problems = append(x.Problems, l.Problems...)
				for _, f := range intake.Fields() {
					if ev, ok := l.Evidence[f]; ok && i == 0 {
						x.Methods = append(x.Methods, string(f)+": "+ev.Method)
					}
				}
			}
			got, err := json.MarshalIndent(x, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			if *update {
				want.Data = got
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got, want.Data) {
				t.Errorf("got\n%s\nwant\n%s", got, want.Data)
			}
			checkInvariants(t, e, in)
		})
	}
}

func parseMail(t *testing.T, a *txtar.Archive) (Input, *txtar.File) {
	t.Helper()
	in := Input{SenderName: "Bob Partner", SenderAddress: "bob@partner.example", SenderDomain: "partner.example"}
	var want *txtar.File
	for i := range a.Files {
		s := string(a.Files[i].Data)
		switch name := a.Files[i].Name; name {
		case "text":
			in.Text = s
		case "html":
			in.HTML = s
		case "subject":
			in.Subject = strings.TrimSpace(s)
		case "forwarded":
			from, text, _ := strings.Cut(s, "\n\n")
			n, addr, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(from, "From: "), ">"), " <")
			in.Forwarded = append(in.Forwarded, Forwarded{FromName: n, FromAddress: addr, Text: text})
		case "want.json":
			want = &a.Files[i]
		default:
			t.Fatalf("unknown section %q", name)
		}
	}
	if want == nil {
		t.Fatal("no want.json")
	}
	return in, want
}
