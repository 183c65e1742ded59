package mailbox

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"

	"leadgate/intake"
)

// proof decides how well it is proven that a mail comes from its From address.
type proof struct {
	mode    ProofMode
	id      string // authserv-id
	trusted []netip.Prefix
}

// peer is who handed a message over by direct delivery. The zero value is a message that
// was fetched from our own account.
type peer struct {
	direct bool
	// ip is invalid for a local socket.
	ip netip.Addr
}

func (c peer) String() string {
	if !c.ip.IsValid() {
		return "a local socket"
	}
	return c.ip.String()
}

// trusts reports whether a delivering peer is one that proves or checks senders: one in the
// networks, or on this machine if none are configured.
func (p proof) trusts(c peer) bool {
	if !c.ip.IsValid() || len(p.trusted) == 0 && c.ip.IsLoopback() {
		return true
	}
	return contains(p.trusted, c.ip)
}

// judge returns the strength of the proof and what it rests on, in words for staff.
func (p proof) judge(m *Parsed, from Address, c peer) (intake.Strength, string) {
	switch p.mode {
	case ProofNone:
		return intake.StrengthDomain, "From believed as written (sender_proof: none)"
	case ProofNetworks:
		if c.direct && p.trusts(c) {
			return intake.StrengthDomain, "delivered by " + c.String() + " (trusted network)"
		}
		return intake.StrengthUnverified, "not delivered by a trusted network"
	case ProofResults:
		if c.direct && !p.trusts(c) {
			return intake.StrengthUnverified, "delivered by " + c.String() + ", whose header is not believed"
		}
		how, ok := judgeResults(m.header, p.id, from.Domain())
		if ok {
			return intake.StrengthDomain, how
		}
		return intake.StrengthUnverified, how
	}
	return intake.StrengthUnverified, "no sender_proof is configured"
}

// judgeResults reads the topmost block of Authentication-Results (RFC 8601), which must be
// the border's: fields further down can have been written by anybody. The block ends at the
// next Received field. Of each method the topmost result counts. What it returns says what
// was found; ok is true for dmarc=pass of the From domain, or for dkim=pass of an aligned
// domain where the border does not check DMARC.
func judgeResults(h header, id, domain string) (how string, ok bool) {
	block := resultsBlock(h)
	switch {
	case len(block) == 0:
		return "no Authentication-Results", false
	case !strings.EqualFold(block[0].id, id):
		return "the topmost Authentication-Results are not by " + id, false
	}
	if dmarc := topmost(block, id, "dmarc"); len(dmarc) > 0 {
		from := dmarc[0].props["header.from"]
		from = from[strings.LastIndexByte(from, '@')+1:] // some write the whole address
		switch {
		case dmarc[0].result != "pass":
			return "dmarc=" + clipped(dmarc[0].result) + " by " + id, false
		case from != "" && !sameDomain(from, domain):
			return "dmarc=pass by " + id + " is for another domain", false
		}
		return "dmarc=pass by " + id, true
	}
	for _, dkim := range topmost(block, id, "dkim") {
		if dkim.result == "pass" && aligned(dkim.signer(), domain) {
			return "dkim=pass for " + clipped(dkim.signer()) + " by " + id, true
		}
	}
	return "neither dmarc=pass nor an aligned dkim=pass by " + id, false
}

// topmost returns the results of a method in the first field by id that has any.
func topmost(block []results, id, name string) []method {
	for _, r := range block {
		var found []method
		for _, m := range r.methods {
			if m.name == name {
				found = append(found, m)
			}
		}
		if strings.EqualFold(r.id, id) && len(found) > 0 {
			return found
		}
	}
	return nil
}

// results is one Authentication-Results field.
type results struct {
	id      string
	methods []method
}

// method is one result: "dkim=pass header.d=example.com".
type method struct {
	name, result string
	props        map[string]string // lower-case names
}

// signer returns the domain that signed, for a result of dkim.
func (m method) signer() string {
	if d := m.props["header.d"]; d != "" {
		return strings.ToLower(d)
	}
	i := m.props["header.i"]
	return strings.ToLower(i[strings.LastIndexByte(i, '@')+1:])
}

// resultsBlock returns the topmost fields that no Received field parts.
func resultsBlock(h header) []results {
	var out []results
	for _, f := range h {
		switch {
		case strings.EqualFold(f.name, "Authentication-Results"):
			out = append(out, parseResults(f.value))
		case strings.EqualFold(f.name, "Received") && len(out) > 0:
			return out
		}
	}
	return out
}

// parseResults reads a field tolerantly: what it does not understand it passes over.
func parseResults(v string) results {
	parts := splitOutsideQuotes(dropComments(cleanLine(v)))
	head := strings.Fields(parts[0])
	if len(head) == 0 || strings.Contains(parts[0], "=") {
		return results{} // no authserv-id: nobody's
	}
	r := results{id: strings.Trim(head[0], `"`)}
	for _, part := range parts[1:] {
		if m, ok := parseMethod(part); ok {
			r.methods = append(r.methods, m)
		}
	}
	return r
}

func parseMethod(s string) (method, bool) {
	for _, eq := range []string{" =", "= "} {
		for strings.Contains(s, eq) {
			s = strings.ReplaceAll(s, eq, "=")
		}
	}
	words := strings.Fields(s)
	if len(words) == 0 {
		return method{}, false
	}
	name, result, ok := strings.Cut(strings.ToLower(words[0]), "=")
	name, _, _ = strings.Cut(name, "/") // version
	if !ok || name == "" {
		return method{}, false
	}
	m := method{name: name, result: result, props: make(map[string]string)}
	for _, w := range words[1:] {
		k, v, ok := strings.Cut(w, "=")
		if k = strings.ToLower(k); ok && m.props[k] == "" {
			m.props[k] = strings.Trim(v, `"`)
		}
	}
	return m, true
}

// dropComments removes comments in parentheses, nested ones included, outside of quotes
// (RFC 5322, section 3.2.2).
func dropComments(s string) string {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				b.WriteString(s[i : i+2])
			}
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
			b.WriteByte(c)
		case c == '(' && !quoted:
			depth++
		case c == ')' && depth > 0:
			depth--
			b.WriteByte(' ')
		case depth == 0:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// splitOutsideQuotes splits at semicolons. The result has at least one element.
func splitOutsideQuotes(s string) []string {
	quoted := false
	return strings.Split(strings.Map(func(r rune) rune {
		if r == '"' {
			quoted = !quoted
		}
		if r == ';' && !quoted {
			return 0
		}
		return r
	}, s), "\x00")
}

func sameDomain(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "."), strings.TrimSuffix(b, "."))
}

// aligned reports whether two domains have the same organisational domain: relaxed
// alignment of RFC 7489, section 3.1.
func aligned(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	if sameDomain(a, b) {
		return true
	}
	x, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(a))
	if err != nil {
		return false
	}
	y, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(b))
	return err == nil && x == y
}
