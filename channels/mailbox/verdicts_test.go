package mailbox

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the expectations of testdata anew")

var escapedByte = regexp.MustCompile(`\{([0-9a-f]{2})\}`)

// caseMail returns the mail of a case file of mailparse, in which {xx} is a byte.
func caseMail(t testing.TB, file string) []byte {
	t.Helper()
	a, err := txtar.ParseFile(file)
	if err != nil || len(a.Files) == 0 {
		t.Fatalf("%s: %v", file, err)
	}
	return escapedByte.ReplaceAllFunc(a.Files[0].Data, func(m []byte) []byte {
		n, _ := strconv.ParseUint(string(m[1:3]), 16, 8)
		return []byte{byte(n)}
	})
}

// TestVerdicts compares what becomes of the mails of mailparse with testdata/verdicts.txt: a
// line for each, with its class, why it is set aside and what its sender is told.
func TestVerdicts(t *testing.T) {
	files, err := filepath.Glob("mailparse/testdata/mails/*.txtar")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, err %v", len(files), err)
	}
	m, _ := newTestMailbox(t, Config{})
	var b strings.Builder
	for _, file := range files {
		u, err := m.understand(delivery{content: bytes.NewReader(caseMail(t, file))})
		if err != nil {
			t.Fatal(err)
		}
		v := u.verdict(delivery{})
		fmt.Fprintf(&b, "%s: %s", strings.TrimSuffix(filepath.Base(file), ".txtar"), or(u.found.class, "none"))
		if !v.human() {
			fmt.Fprintf(&b, " | %s | %s", v.reason, v.detail)
		}
		if n := noticeOf(&u, v); n != "" {
			fmt.Fprintf(&b, " | notice: %s", n)
		}
		if d := m.report(&u.mail, u.found, nil); d != nil {
			fmt.Fprintf(&b, " | %s %s failed=%v complaint=%v", or(d.Recipient, "nobody"), d.Status, d.Failed, d.Complaint)
		}
		b.WriteString("\n")
	}
	const table = "testdata/verdicts.txt"
	if *update {
		if err := os.WriteFile(table, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(map[string]bool)
	for line := range strings.Lines(string(want)) {
		lines[line] = true
	}
	for line := range strings.Lines(b.String()) {
		if !lines[line] {
			t.Errorf("new or other than in %s (go test -update if it is right): %s", table, line)
		}
		delete(lines, line)
	}
	for line := range lines {
		t.Errorf("gone from the mails: %s", line)
	}
}
