package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStaffFindARequestUntilTheyHaveSeenToIt is the whole way of EXTEND: by mail, in a subject,
// into the list of staff, and out of it again.
func TestStaffFindARequestUntilTheyHaveSeenToIt(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	const from = "ana@brightpath.example"
	if err := deliver(p.smtp, from, registration(from, "acme.example")); err != nil {
		t.Fatal(err)
	}
	number := settled(t, p.client(t), 5*time.Second)[0].CaseNumber
	run := func(args ...string) string {
		t.Helper()
		out, stderr, err := leadgate(t, append(append([]string{"cases"}, args...), "--dir", p.dir)...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, stderr)
		}
		return out
	}
	if out := run("list", "--requests"); !strings.Contains(out, "no cases") {
		t.Errorf("requests before there are any:\n%s", out)
	}
	if err := deliver(p.smtp, from, "From: "+from+"\r\nTo: partners@northwind.example\r\nSubject: EXTEND "+number+" they are on holiday\r\nMessage-ID: <2@x>\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	p.answers(t, from, 2)
	if out := run("list", "--requests"); !strings.Contains(out, number+"  approved_provisional, asks to extend, 1 unread") {
		t.Errorf("requests:\n%s", out)
	}
	if out := run("show", number); !strings.Contains(out, "the partner asks to extend") || !strings.Contains(out, "1 message of the partner, below") {
		t.Errorf("the case:\n%s", out)
	}
	run("read", number)
	if out := run("list"); strings.Contains(out, "asks to") || strings.Contains(out, "unread") {
		t.Errorf("after it was seen to:\n%s", out)
	}
}

func TestTheInboxIsInOrderAndSaysWhereAnswersGo(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	const from = "x@stranger.example"
	for _, body := range []string{
		registration(from, "first.example"),
		"From: " + from + "\r\nTo: partners@northwind.example\r\nSubject: second\r\n\r\nHello there.\r\n",
		registration(from, "third.example"),
		"From: " + from + "\r\nTo: partners@northwind.example\r\nSubject: fourth\r\n\r\nHello again.\r\n",
	} {
		if err := deliver(p.smtp, from, body); err != nil {
			t.Fatal(err)
		}
	}
	out, stderr, err := leadgate(t, "inbox", "list", "--dir", p.dir)
	if err != nil {
		t.Fatalf("list: %v\n%s", err, stderr)
	}
	at := 0
	for _, about := range []string{"first.example", "second", "third.example", "fourth"} {
		i := strings.Index(out, about)
		if i < at {
			t.Errorf("%s is not in the order of receipt:\n%s", about, out)
		}
		at = i
	}
	number := caseNumber.FindString(out)
	out, stderr, err = leadgate(t, "inbox", "accept", number, "--partner", "kestrel-it", "--dir", p.dir)
	if err != nil || !strings.Contains(out, "answers go to x@stranger.example, which is not at a domain of ") {
		t.Errorf("accept: %v\n%s%s", err, out, stderr)
	}
	for _, verb := range []string{"accept", "show", "discard"} {
		if _, stderr, err = leadgate(t, "inbox", verb, "nosuch", "--dir", p.dir); err == nil || !strings.Contains(stderr, "there is no entry nosuch; see leadgate inbox list") {
			t.Errorf("%s of what is not there: %v, %s", verb, err, stderr)
		}
	}
}

func TestADiscardedCaseKeepsTheReasonOfItsQuarantine(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	if err := deliver(p.smtp, "x@stranger.example", registration("x@stranger.example", "first.example")); err != nil {
		t.Fatal(err)
	}
	out, _, err := leadgate(t, "cases", "list", "--dir", p.dir)
	if err != nil {
		t.Fatal(err)
	}
	number := caseNumber.FindString(out)
	if _, stderr, err := leadgate(t, "inbox", "discard", number, "--dir", p.dir); err != nil {
		t.Fatalf("discard: %v\n%s", err, stderr)
	}
	d, err := p.client(t).Case(context.Background(), number)
	if last := d.Events[len(d.Events)-1]; err != nil || d.Registration.Reason != "unknown_partner" || last.Reason != "unknown_partner" {
		t.Errorf("%v: %s, event %+v", err, d.Registration.Reason, last)
	}
}

func TestOnePartnerIsNoPlural(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	for _, tt := range [][2]string{
		{"id,name,domains\na,A,a.example\n", "1 partner imported: 1 added\n"},
		{"id,name,domains\na,A,a.example\nb,B,b.example\n", "2 partners imported: 1 added, 1 unchanged\n"},
	} {
		csv, want := tt[0], tt[1]
		file := filepath.Join(t.TempDir(), "partners.csv")
		if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, stderr, err := leadgate(t, "partners", "import", file, "--dir", p.dir); err != nil || out != want {
			t.Errorf("%v: %q %s, want %q", err, out, stderr, want)
		}
	}
}
