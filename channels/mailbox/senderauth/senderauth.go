// Package senderauth decides how well it is proven that a mail comes from its From address.
package senderauth

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// Mode says what proves the sender of a mail.
type Mode string

// The modes of proof.
const (
	// ModeUnset proves nothing: every sender is unverified.
	ModeUnset Mode = ""
	// ModeResults believes the border mail server's Authentication-Results (RFC 8601).
	ModeResults Mode = "authentication-results"
	// ModeNetworks believes mail delivered directly from trusted networks.
	ModeNetworks Mode = "trusted-networks"
	// ModeNone believes From as written. Anybody can then claim to be a partner.
	ModeNone Mode = "none"
)

// Config says what proves the sender of a mail.
type Config struct {
	Mode Mode `yaml:"mode"`
	// AuthservID is the name by which the border mail server signs its results; exact.
	AuthservID string `yaml:"authserv_id"`
	// TrustedNetworks (CIDR) prove mail that is delivered directly; Direct's if empty.
	TrustedNetworks []string `yaml:"trusted_networks"`
}

// Envelope is how a message came. The zero value is a message that was fetched from our own
// account.
type Envelope struct {
	// Direct says that it was handed over by SMTP or LMTP.
	Direct bool
	// IP is the delivering peer's; invalid for a local socket.
	IP netip.Addr
	// Hello and MailFrom are what the peer said; MailFrom is empty for <>.
	Hello, MailFrom string
}

// peer names who delivered a message, for staff.
func (e Envelope) peer() string {
	if !e.IP.IsValid() {
		return "a local socket"
	}
	return e.IP.String()
}

// Verdict is how well the sender is proven.
type Verdict struct {
	Strength intake.Strength
	// How names the evidence, or what was missing, for staff: "dmarc=pass by mx.example".
	How string
}

// Checker judges mails. It is safe for concurrent use.
type Checker struct {
	cfg     Config
	trusted []netip.Prefix
}

// New returns a checker; the error names what is wrong with cfg.
func New(cfg Config) (*Checker, error) {
	trusted, err := ParseNetworks(cfg.TrustedNetworks)
	if err != nil {
		return nil, fmt.Errorf("trusted_networks: %w", err)
	}
	return &Checker{cfg: cfg, trusted: trusted}, nil
}

// ParseNetworks reads networks in CIDR notation.
func ParseNetworks(cidrs []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range cidrs {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network like 10.0.0.0/8", s)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// Contains reports whether an address lies in one of the networks.
func Contains(networks []netip.Prefix, ip netip.Addr) bool {
	for _, n := range networks {
		if n.Contains(ip.Unmap()) {
			return true
		}
	}
	return false
}

// Validate returns everything that is wrong with c, for a mailbox that takes direct delivery
// or does not.
func (c Config) Validate(direct bool) (faults []error) {
	if _, err := ParseNetworks(c.TrustedNetworks); err != nil {
		faults = append(faults, fmt.Errorf("trusted_networks: %w", err))
	}
	switch c.Mode {
	case ModeUnset, ModeNone:
	case ModeResults:
		if c.AuthservID == "" {
			faults = append(faults, fmt.Errorf("authserv_id: must be set for mode %s", c.Mode))
		}
	case ModeNetworks:
		if !direct || len(c.TrustedNetworks) == 0 {
			faults = append(faults, fmt.Errorf("mode %s: needs direct delivery and trusted_networks", c.Mode))
		}
	default:
		faults = append(faults, fmt.Errorf("mode %q: want authentication-results, trusted-networks or none", c.Mode))
	}
	return faults
}

// Check returns how well it is proven that m comes from its first From address. raw is the
// whole message as it came; its position is of no account, before and after.
func (c *Checker) Check(ctx context.Context, m *mailparse.Parsed, raw io.ReadSeeker, e Envelope) Verdict {
	strength, how := c.judge(m, e)
	return Verdict{Strength: strength, How: how}
}

// trusts reports whether a delivering peer is one that proves or checks senders: one in the
// networks, or on this machine if none are configured.
func (c *Checker) trusts(e Envelope) bool {
	if !e.IP.IsValid() || len(c.trusted) == 0 && e.IP.IsLoopback() {
		return true
	}
	return Contains(c.trusted, e.IP)
}

func (c *Checker) judge(m *mailparse.Parsed, e Envelope) (intake.Strength, string) {
	switch c.cfg.Mode {
	case ModeNone:
		return intake.StrengthDomain, "From believed as written (sender_proof: none)"
	case ModeNetworks:
		if e.Direct && c.trusts(e) {
			return intake.StrengthDomain, "delivered by " + e.peer() + " (trusted network)"
		}
		return intake.StrengthUnverified, "not delivered by a trusted network"
	case ModeResults:
		if e.Direct && !c.trusts(e) {
			return intake.StrengthUnverified, "delivered by " + e.peer() + ", whose header is not believed"
		}
		how, ok := judgeResults(m.Header, c.cfg.AuthservID, m.From[0].Domain())
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
func judgeResults(h mailparse.Header, id, domain string) (how string, ok bool) {
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
func resultsBlock(h mailparse.Header) []results {
	var out []results
	for _, f := range h {
		switch {
		case strings.EqualFold(f.Name, "Authentication-Results"):
			out = append(out, parseResults(f.Value))
		case strings.EqualFold(f.Name, "Received") && len(out) > 0:
			return out
		}
	}
	return out
}

// parseResults reads a field tolerantly: what it does not understand it passes over.
func parseResults(v string) results {
	parts := splitOutsideQuotes(DropComments(mailparse.CleanLine(v)))
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

// DropComments removes comments in parentheses, nested ones included, outside of quotes
// (RFC 5322, section 3.2.2).
func DropComments(s string) string {
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

// Organisation returns the registrable domain, or the domain itself if it has none.
func Organisation(domain string) string {
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = ascii
	}
	if o, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return o
	}
	return domain
}

// clipped bounds what others wrote before it is shown.
func clipped(s string) string {
	const limit = 60
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}
