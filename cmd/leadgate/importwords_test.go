package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestImportsAreFoundByADomainAndSpokenOfInWords(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	file := filepath.Join(t.TempDir(), "leads.csv")
	writeFile(t, file, strings.Replace(list(0, 2, 0), "www.c1.example", "", 1))
	if out, stderr, err := leadgate(t, "import", file, "--partner", "brightpath", "--dir", p.dir, "--dry-run"); strings.Contains(out, "company_domain") {
		t.Errorf("a field is called as programs call it: %v\n%s%s", err, out, stderr)
	}
	if _, stderr, err := leadgate(t, "import", file, "--partner", "brightpath", "--dir", p.dir); err != nil && !strings.Contains(err.Error(), "2") {
		t.Fatal(err, stderr)
	}
	for partner, want := range map[string]string{"brightpath.example": "leads.csv", "BRIGHTPATH": "leads.csv", "nobody": "no partner has the id, code or domain"} {
		out, stderr, _ := leadgate(t, "imports", "list", "--dir", p.dir, "--partner", partner)
		if !strings.Contains(out+stderr, want) {
			t.Errorf("%s: %s%s", partner, out, stderr)
		}
	}
}
