package mailbox

import (
	"bytes"
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpora is the directory of the public mail collections: LEADGATE_CORPORA, or
// shared/corpora beside the module. The test is skipped where there is none.
func corpora(t testing.TB, collection string) string {
	t.Helper()
	dir := filepath.Join(cmp.Or(os.Getenv("LEADGATE_CORPORA"), filepath.Join("..", "..", "..", "shared", "corpora")), collection)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("skipped: no mail collection in %s; set LEADGATE_CORPORA to the directory of the collections", dir)
	}
	return dir
}

// readCorpus understands every mail of a collection.
func readCorpus(t testing.TB, m *Mailbox, dir string, each func(path string, u understood)) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || filepath.Ext(path) != ".eml" {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		u, err := m.understand(delivery{receivedAt: testNow, content: bytes.NewReader(raw)})
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		each(strings.TrimPrefix(path, dir), u)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRealBouncesAreNeverAnswered reads real bounces of some sixty kinds of mail servers, and
// what is none of them.
func TestRealBouncesAreNeverAnswered(t *testing.T) {
	dir := corpora(t, "sisimai-set-of-emails")
	m, _ := newTestMailbox(t, Config{})
	count := make(map[class]int)
	all, failed := 0, 0
	readCorpus(t, m, dir, func(path string, u understood) {
		if strings.Contains(path, "/not/") && !emptyReturnPath(&u.mail) {
			if c := u.found.class; c == classBounce || c == classComplaint || c == classReceipt {
				t.Errorf("%s is no bounce: %s (%s)", path, c, u.found.detail)
			}
			return
		}
		all++
		count[u.found.class]++
		if d := m.report(&u.mail, u.found, nil); d != nil && d.Failed {
			failed++
		}
		if v := u.verdict(delivery{}); v.human() && len(u.read.Leads) > 0 {
			t.Errorf("%s, of class %s, would make a case: %v", path, u.found.class, u.read.Leads)
		}
		if u.found.class.treatment() == toAnswer {
			t.Logf("taken for a person's: %s, %q from %v", path, u.mail.Subject, u.mail.From)
		}
	})
	recognised := all
	for c, n := range count {
		if c.treatment() == toAnswer || c == classQuiet || c == classAmbiguous {
			recognised -= n
		}
		t.Logf("%-10s %d", c, n)
	}
	t.Logf("%d of %d recognised (%.1f %%), %d of them as failed for good", recognised, all, 100*float64(recognised)/float64(all), failed)
	if all < 400 || float64(recognised) < 0.976*float64(all) {
		t.Errorf("%d of %d recognised", recognised, all)
	}
}
