package senderauth

import "testing"

func TestAlignmentIsThatOfTheOrganisation(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"partner.example", "partner.example", true},
		{"partner.example", "PARTNER.example.", true},
		{"mail.partner.example", "crm.partner.example", true},
		{"partner.example", "evilpartner.example", false},
		{"partner.example", "partner.example.evil.example", false},
		{"example", "partner.example", false},
		{"a.co.uk", "b.co.uk", false},
		{"mail.a.co.uk", "a.co.uk", true},
		{"co.uk", "a.co.uk", false},
		{"a.github.io", "b.github.io", false},
		{"münchen.example", "mail.xn--mnchen-3ya.example", true},
		{"MÜNCHEN.example", "xn--mnchen-3ya.example", true},
		{"partner.exam\u200bple", "partner.example", false},
		{"", "", false},
		{"", "partner.example", false},
	} {
		if aligned(tt.a, tt.b) != tt.want || aligned(tt.b, tt.a) != tt.want {
			t.Errorf("%q and %q: %v", tt.a, tt.b, !tt.want)
		}
	}
}

func TestDomainsThatTheDNSCanBeAskedFor(t *testing.T) {
	for domain, want := range map[string]bool{
		"partner.example": true, "_x.partner-1.example": true, "localhost": false, "": false, "a..b": false, ".a.b": false, "a.b.": false,
		"a b.example": false, "a/b.example": false, "ü.example": false, "a\x00.example": false, `x"@y.example`: false,
	} {
		if isHost(domain) != want {
			t.Errorf("%q: %v", domain, !want)
		}
	}
}
