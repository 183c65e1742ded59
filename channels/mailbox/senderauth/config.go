package senderauth

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Mode says what proves the sender of a mail.
type Mode string

// The modes of proof. The comment of the package says what each trusts.
const (
	// ModeUnset proves nothing: every sender is unverified.
	ModeUnset Mode = ""
	// ModeResults believes the border mail server's Authentication-Results (RFC 8601).
	ModeResults Mode = "authentication-results"
	// ModeDirect checks SPF, DKIM and DMARC itself: we are the border mail server.
	ModeDirect Mode = "direct"
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
	// AuthservIDs are further names, for a border of several servers. "*.mx.example" stands
	// for every name below mx.example, not for mx.example itself.
	AuthservIDs []string `yaml:"authserv_ids"`
	// Microsoft believes results without a name, as Exchange Online writes them.
	Microsoft bool `yaml:"microsoft"`
	// VerifyDKIM lets us verify signatures ourselves where the results prove nothing.
	VerifyDKIM bool `yaml:"verify_dkim"`
	// TrustedNetworks (CIDR) prove mail that is delivered directly; Direct's if empty. With
	// ModeDirect they are relays of ours, whose address says nothing about the sender.
	TrustedNetworks []string `yaml:"trusted_networks"`
}

// Validate returns everything that is wrong with c, for a mailbox that takes direct delivery
// or does not.
func (c Config) Validate(direct bool) (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if _, err := ParseNetworks(c.TrustedNetworks); err != nil {
		fault("trusted_networks: %w", err)
	}
	if _, err := newBorder(c); err != nil {
		fault("%w", err)
	}
	switch c.Mode {
	case ModeUnset, ModeNone:
	case ModeResults:
		if c.AuthservID == "" && len(c.AuthservIDs) == 0 && !c.Microsoft {
			fault("authserv_id: must be set for mode %s, or authserv_ids, or microsoft", c.Mode)
		}
	case ModeDirect:
		if !direct {
			fault("mode %s: needs direct delivery; for fetched mail use %s", c.Mode, ModeResults)
		}
	case ModeNetworks:
		if !direct || len(c.TrustedNetworks) == 0 {
			fault("mode %s: needs direct delivery and trusted_networks", c.Mode)
		}
	default:
		fault("mode %q: want authentication-results, direct, trusted-networks or none", c.Mode)
	}
	for _, key := range []struct {
		name string
		set  bool
	}{{"authserv_ids", len(c.AuthservIDs) > 0}, {"microsoft", c.Microsoft}, {"verify_dkim", c.VerifyDKIM}} {
		if key.set && c.Mode != ModeResults {
			fault("%s: has no meaning but with mode %s", key.name, ModeResults)
		}
	}
	return faults
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

// border is whose results are believed.
type border struct {
	ids       []string // lower case; "*." begins a pattern
	microsoft bool
}

func newBorder(c Config) (border, error) {
	b := border{microsoft: c.Microsoft}
	if strings.Contains(c.AuthservID, "*") {
		return border{}, fmt.Errorf("authserv_id %q: is one exact name; patterns go to authserv_ids", c.AuthservID)
	}
	if c.AuthservID != "" {
		b.ids = append(b.ids, strings.ToLower(c.AuthservID))
	}
	for _, id := range c.AuthservIDs {
		if err := checkID(id); err != nil {
			return border{}, fmt.Errorf("authserv_ids: %q %w", id, err)
		}
		b.ids = append(b.ids, strings.ToLower(id))
	}
	return b, nil
}

// checkID refuses a pattern that strangers can have a name under.
func checkID(id string) error {
	if id == "" || strings.ContainsAny(id, " \t;=()\"") {
		return fmt.Errorf("is not a name like mx.example.com")
	}
	below, pattern := strings.CutPrefix(id, "*.")
	if strings.Contains(below, "*") {
		return fmt.Errorf("may have a * only as *. at its beginning")
	}
	if pattern {
		if _, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(below)); err != nil {
			return fmt.Errorf("would believe servers of strangers; want a domain of your provider, like *.mail.example.com")
		}
	}
	return nil
}

// has reports whether a field that is named id is the border's.
func (b border) has(id string) bool {
	id = strings.ToLower(id)
	for _, want := range b.ids {
		below, pattern := strings.CutPrefix(want, "*")
		if id != "" && (id == want || pattern && len(id) > len(below) && strings.HasSuffix(id, below)) {
			return true
		}
	}
	return false
}

// String names the border for staff.
func (b border) String() string {
	names := b.ids
	if b.microsoft {
		names = append(names[:len(names):len(names)], exchangeOnline)
	}
	return strings.Join(names, ", ")
}
