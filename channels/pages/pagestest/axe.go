package pagestest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/chromedp/chromedp"

	"leadgate/channels/channeltest/npm"
)

// What is fetched of axe-core, and what it has to be to the bit.
const (
	axePackage = "axe-core@4.14.1"
	axeSum     = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
)

// axe is the text of axe-core, from the user's cache or else by npm.
var axe = sync.OnceValues(func() (string, error) {
	dir, err := npm.Install(axePackage)
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != axeSum {
		return "", fmt.Errorf("%s/node_modules/axe-core/axe.min.js is not the one of %s: its SHA-256 is %x", dir, axePackage, sum)
	}
	return string(b), nil
})

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
