package senderauth

import (
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// ascii returns a domain as the DNS has it: lower case, without a final dot, its labels in
// ASCII (RFC 5891). What can't be written so, or has characters that nobody sees, stays as
// it is, in lower case.
func ascii(domain string) string {
	domain = strings.TrimSuffix(domain, ".")
	if a, err := idna.Lookup.ToASCII(domain); err == nil && !strings.ContainsFunc(domain, invisible) {
		return a
	}
	return strings.ToLower(domain)
}

func invisible(r rune) bool { return unicode.Is(unicode.Cf, r) }

// isHost reports whether a domain, as ascii returns it, can be asked for in the DNS.
func isHost(domain string) bool {
	if len(domain) > 253 || !strings.Contains(domain, ".") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// domainOf returns what stands behind the last @, or all of it without one.
func domainOf(address string) string {
	return address[strings.LastIndexByte(address, '@')+1:]
}

func sameDomain(a, b string) bool { return ascii(a) == ascii(b) }

// aligned reports whether two domains have the same organisational domain: relaxed
// alignment of RFC 7489, section 3.1.
func aligned(a, b string) bool {
	a, b = ascii(a), ascii(b)
	if a == "" || b == "" {
		return false
	}
	if a == b {
		return true
	}
	x, err := publicsuffix.EffectiveTLDPlusOne(a)
	if err != nil {
		return false
	}
	y, err := publicsuffix.EffectiveTLDPlusOne(b)
	return err == nil && x == y
}

// Organisation returns the registrable domain, or the domain itself if it has none.
func Organisation(domain string) string {
	if a, err := idna.Lookup.ToASCII(domain); err == nil {
		domain = a
	}
	if o, err := publicsuffix.EffectiveTLDPlusOne(domain); err == nil {
		return o
	}
	return domain
}
