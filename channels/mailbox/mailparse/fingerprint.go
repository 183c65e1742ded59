package mailparse

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Fingerprint returns the SHA-256 (hex) over what the sender wrote, and nothing that
// transport adds or changes: the same mail by way of an alias, a list or a redelivery has
// the same.
func (p *Parsed) Fingerprint() string {
	h := sha256.New()
	add := func(name string, values ...string) {
		for _, v := range values {
			fmt.Fprintf(h, "%s %d:%s\n", name, len(v), v)
		}
	}
	add("from", addressKeys(p.From)...)
	add("to", addressKeys(p.To)...)
	add("subject", p.Subject)
	add("date", p.Date)
	add("id", messageIDKey(p.MessageID))
	add("text", trimLines(p.Text))
	if p.Text == "" {
		add("html", trimLines(p.HTML))
	}
	digests := slices.Clone(p.digests)
	slices.Sort(digests)
	add("part", digests...)
	return hex.EncodeToString(h.Sum(nil))
}

// addressKeys returns the addresses in lower case, sorted, each once.
func addressKeys(list []Address) []string {
	var out []string
	for _, a := range list {
		out = append(out, strings.ToLower(a.Address))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// messageIDKey lowers the domain, whose case means nothing.
func messageIDKey(id string) string {
	i := strings.LastIndexByte(id, '@')
	return id[:i+1] + strings.ToLower(id[i+1:])
}

// trimLines drops trailing blanks of lines and blank lines at the end.
func trimLines(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		b.WriteString(strings.TrimRight(line, " \t\n"))
		b.WriteByte('\n')
	}
	return strings.TrimRight(b.String(), "\n")
}
