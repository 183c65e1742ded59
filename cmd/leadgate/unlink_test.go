package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestStaffRevokeTheLinksToACase(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	const from = "ana@brightpath.example"
	if err := deliver(p.smtp, from, registration(from, "acme.example")); err != nil {
		t.Fatal(err)
	}
	number := settled(t, p.client(t), 5*time.Second)[0].CaseNumber
	out, stderr, err := leadgate(t, "cases", "unlink", number, "--by", "mia", "--dir", p.dir)
	if err != nil || !strings.Contains(out, number) {
		t.Fatalf("unlink: %v\n%s%s", err, out, stderr)
	}
	out, _, _ = leadgate(t, "cases", "show", number, "--dir", p.dir)
	if !strings.Contains(out, "unlinked by staff:mia") {
		t.Errorf("the history does not tell:\n%s", out)
	}
	_, stderr, err = leadgate(t, "cases", "unlink", "LG-1", "--dir", p.dir)
	if err == nil || !strings.Contains(stderr, "not a case number") {
		t.Errorf("no case number: %v\n%s", err, stderr)
	}
}

func TestTheDemoHasPagesBehindLinks(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	for path, want := range map[string]int{"/demo": 200, "/rules": 200, "/status/x": 404, "/desk/x": 404, "/assets/pages.css": 200, "/livez": 200} {
		resp, err := http.Get(strings.TrimSuffix(p.page, "/demo") + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s, want %d", path, resp.Status, want)
		}
	}
}
