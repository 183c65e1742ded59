package pagestest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"
)

// What is fetched of axe-core, and what it has to be to the bit.
const (
	axePackage = "axe-core@4.14.1"
	axeSum     = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
)

// axe is the text of axe-core, from the user's cache or else by npm.
var axe = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "leadgate-test", axePackage)
	if text, err := readAxe(dir); err == nil {
		return text, nil
	}
	if err := fetchAxe(dir); err != nil {
		return "", fmt.Errorf("axe-core is not there: %w", err)
	}
	return readAxe(dir)
})

func readAxe(dir string) (string, error) {
	b, err := os.ReadFile(filepath.Join(dir, "axe.min.js"))
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != axeSum {
		return "", fmt.Errorf("%s/axe.min.js is not the one of %s: its SHA-256 is %x", dir, axePackage, sum)
	}
	return string(b), nil
}

// fetchAxe has npm put axe-core into a directory. Several test binaries may do so at once: the
// one that is last leaves its copy.
func fetchAxe(dir string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return fmt.Errorf("npm is not installed (apt-get install nodejs npm)")
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	cmd := exec.Command(npm, "install", "--prefix", temp, "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", axePackage)
	cmd.Dir = temp
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm install %s: %w: %s", axePackage, err, strings.TrimSpace(said.String()))
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	err = os.Rename(filepath.Join(temp, "node_modules", "axe-core"), dir)
	if _, read := readAxe(dir); read == nil {
		return nil // another has just put it there
	}
	return err
}

// Violation is one rule of axe-core that a page breaks.
type Violation struct {
	ID, Impact, Help, HelpURL string
	Nodes                     []Node
}

// Node is where.
type Node struct{ HTML, FailureSummary string }

func (v Violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s, %s", v.ID, v.Impact, v.Help, v.HelpURL)
	for _, n := range v.Nodes {
		fmt.Fprintf(&b, "\n  %s\n  %s", n.HTML, strings.ReplaceAll(n.FailureSummary, "\n", "\n  "))
	}
	return b.String()
}

// Axe returns every rule of axe-core that the page breaks, best practices included.
func (p *Page) Axe() []Violation {
	p.t.Helper()
	text, err := axe()
	if err != nil {
		p.t.Fatal(err)
	}
	Eval[chromedp.Void](p, text+";1")
	return Eval[[]Violation](p, `axe.run({resultTypes: ["violations"]}).then(r => r.violations.map(v => ({
		ID: v.id, Impact: v.impact, Help: v.help, HelpURL: v.helpUrl,
		Nodes: v.nodes.map(n => ({HTML: n.html, FailureSummary: n.failureSummary})),
	})))`)
}
