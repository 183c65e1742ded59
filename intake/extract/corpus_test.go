package extract

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadgate/intake"
)

// corpora is the folder of public collections of mails; see its README files.
func corpora(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("LEADGATE_CORPORA")
	if dir == "" {
		dir = "../../../shared/corpora"
	}
	dir = filepath.Join(dir, name)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no corpus %s; set LEADGATE_CORPORA to the folder that has it", name)
	}
	return dir
}

// TestForwardsOfManyClients reads forwards as a dozen mail programs write them in twenty
// languages (crisp-email-forward-parser, MIT). All are of John Doe; some are mere answers.
func TestForwardsOfManyClients(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpora(t, "crisp-email-forward-parser"), "test/fixtures/*_body*.txt"))
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	e := newTestExtractor()
	right, forwards := 0, 0
	for _, file := range files {
		name := filepath.Base(file)
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		answer := strings.Contains(name, "variant_4")
		in := Input{Text: string(body), SenderDomain: "partner.example", SenderAddress: "bob@partner.example"}
		switch {
		case answer:
			in.Subject = "Re: Integer consequat non purus"
		case strings.Contains(name, "outlook"): // these have no separator: the subject tells
			in.Subject = "Fwd: Integer consequat non purus"
		}
		lead := first(e, in)
		got := lead[intake.FieldContactEmail]
		switch {
		case answer && got != "":
			t.Errorf("%s is an answer, and %s was taken for the contact", name, got)
		case answer:
		case strings.EqualFold(got, "john.doe@acme.com"):
			right++
			forwards++
			if n := lead[intake.FieldContactName]; n != "" && n != "John Doe" {
				t.Errorf("%s: the contact's name is %q", name, n)
			}
		default:
			forwards++
			t.Logf("%s: contact %q", name, got)
		}
	}
	t.Logf("%d of %d forwards", right, forwards)
	if right*100 < forwards*97 {
		t.Errorf("%d of %d forwards, want 97 in 100", right, forwards)
	}
}

// TestRepliesAreTrimmed compares what is new in a reply with what others have found to be
// (discourse/email_reply_trimmer, MIT), farewells aside, which they keep.
func TestRepliesAreTrimmed(t *testing.T) {
	dir := filepath.Join(corpora(t, "discourse-email_reply_trimmer"), "test")
	files, err := filepath.Glob(filepath.Join(dir, "emails/*.txt"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	e := newTestExtractor()
	right := 0
	for _, file := range files {
		body, want := read(t, file), read(t, filepath.Join(dir, "trimmed", filepath.Base(file)))
		if got := e.Extract(Input{Text: body, Subject: "Re: x"}).New; bare(got) == bare(want) || bare(got) == bare(e.Extract(Input{Text: want, Subject: "Re: x"}).New) {
			right++
		} else {
			t.Logf("%s: kept %q, others %q", filepath.Base(file), cutRunes(got, 200), cutRunes(want, 200))
		}
	}
	t.Logf("%d of %d replies trimmed alike", right, len(files))
	if right < floorTrimmed {
		t.Errorf("%d replies trimmed alike, want %d", right, floorTrimmed)
	}
}

// TestSignaturesAreCut compares with the texts without signature of mailgun/talon
// (Apache-2.0).
func TestSignaturesAreCut(t *testing.T) {
	dir := filepath.Join(corpora(t, "talon"), "tests/fixtures/signature/emails/stripped")
	files, err := filepath.Glob(filepath.Join(dir, "*_signature"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	e := newTestExtractor()
	cut := 0
	for _, file := range files {
		base := strings.TrimSuffix(file, "_signature")
		sender, _, _ := strings.Cut(read(t, base+"_sender"), "<")
		got := e.Extract(Input{Text: read(t, base+"_body"), SenderName: strings.Trim(sender, " \"\n")}).New
		signature := bare(read(t, file))
		if !strings.Contains(bare(got), signature) {
			cut++
		} else {
			t.Logf("%s: the signature was kept", filepath.Base(base))
		}
	}
	t.Logf("%d of %d signatures cut", cut, len(files))
	if cut < floorSignatures {
		t.Errorf("%d signatures cut, want %d", cut, floorSignatures)
	}
}

// What is reached.
const (
	floorTrimmed    = 29
	floorSignatures = 3
)

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func bare(s string) string { return strings.Join(strings.Fields(s), " ") }
