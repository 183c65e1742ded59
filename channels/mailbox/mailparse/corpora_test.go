package mailparse

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"html"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leadgate/intake/cputime"
)

// corporaDir returns the directory of the public mail collections: LEADGATE_CORPORA, or
// shared/corpora beside the module. The test is skipped where there is none.
func corporaDir(t testing.TB) string {
	t.Helper()
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(root)
		if parent == root {
			t.Fatal("no go.mod above the package")
		}
		root = parent
	}
	dir := cmp.Or(os.Getenv("LEADGATE_CORPORA"), filepath.Join("..", "shared", "corpora"))
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("skipped: no mail collections in %s; set LEADGATE_CORPORA to their directory", dir)
	}
	return dir
}

// TestCorporaFiles reads every file of the collections, be it a mail or not.
func TestCorporaFiles(t *testing.T) {
	dir := corporaDir(t)
	files, slowest, slowestFile := 0, time.Duration(0), ""
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		start := cputime.Used()
		p, err := Parse(bytes.NewReader(raw))
		took := cputime.Used() - start
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if took > slowest {
			slowest, slowestFile = took, path
		}
		if took > slowdown*250*time.Millisecond {
			t.Errorf("%s took %v", path, took)
		}
		if !checkParsed(t, &p) {
			t.Errorf("in %s", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files, the slowest %v: %s", files, slowest, slowestFile)
}

// expectedMail is what CPython's email package reads of a mail.
type expectedMail struct {
	Path       string
	Subject    string
	From       []string
	MessageID  string `json:"message_id"`
	BodyTokens int    `json:"body_tokens"`
	Tokens     []string
}

func expectedMails(t testing.TB, dir string) []expectedMail {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, "expected-cpython.jsonl"))
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	defer f.Close()
	var out []expectedMail
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var e expectedMail
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if err := lines.Err(); err != nil || len(out) == 0 {
		t.Fatalf("%d mails, err %v", len(out), err)
	}
	return out
}

// rate counts how often two readers agree.
type rate struct{ same, of int }

func (r *rate) add(same bool) {
	r.of++
	if same {
		r.same++
	}
}

func (r *rate) percent() float64 { return 100 * float64(r.same) / float64(max(1, r.of)) }

// TestCorporaAgree compares with what another reader, which shares no code with this one,
// makes of the same mails. It is no oracle: some of what it reads is wrong.
func TestCorporaAgree(t *testing.T) {
	dir := corporaDir(t)
	var bodies, subjects, senders, ids rate
	for _, want := range expectedMails(t, dir) {
		raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(want.Path)))
		if err != nil {
			t.Error(err)
			continue
		}
		p, err := Parse(bytes.NewReader(raw))
		if err != nil {
			t.Errorf("%s: %v", want.Path, err)
		}
		checkParsed(t, &p)
		if want.BodyTokens >= 3 && len(want.Tokens) > 0 {
			text, found := p.Text+"\n"+html.UnescapeString(p.HTML), 0
			for _, token := range want.Tokens {
				if strings.Contains(text, token) {
					found++
				}
			}
			ok := 2*found >= len(want.Tokens)
			bodies.add(ok)
			if !ok {
				t.Logf("body lost: %s: %d of %d, want %q, has %.200q", want.Path, found, len(want.Tokens), want.Tokens, text)
			}
		}
		if want.Subject != "" {
			same := CleanLine(want.Subject) == p.Subject
			subjects.add(same)
			if !same {
				t.Logf("subject: %s: %q, here %q", want.Path, want.Subject, p.Subject)
			}
		}
		if len(want.From) > 0 && strings.Contains(want.From[0], "@") {
			same := len(p.From) > 0 && strings.EqualFold(p.From[0].Address, want.From[0])
			senders.add(same)
			if !same {
				t.Logf("from: %s: %q, here %q", want.Path, want.From, p.From)
			}
		}
		if want.MessageID != "" {
			same := strings.Trim(want.MessageID, " <>") == p.MessageID
			ids.add(same)
			if !same {
				t.Logf("message id: %s: %q, here %q", want.Path, want.MessageID, p.MessageID)
			}
		}
	}
	t.Logf("bodies %d of %d (%.2f %% lost), subjects %.1f %%, From %.1f %%, Message-ID %.1f %%",
		bodies.same, bodies.of, 100-bodies.percent(), subjects.percent(), senders.percent(), ids.percent())
	for name, tt := range map[string]struct {
		got, want float64
	}{
		"bodies": {bodies.percent(), 99.2}, "subjects": {subjects.percent(), 96},
		"From": {senders.percent(), 98}, "Message-ID": {ids.percent(), 98},
	} {
		if tt.got < tt.want {
			t.Errorf("%s: the same in %.2f %%, want %.1f %%", name, tt.got, tt.want)
		}
	}
}
