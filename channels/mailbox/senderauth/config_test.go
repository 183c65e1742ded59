package senderauth

import (
	"errors"
	"strings"
	"testing"
)

func TestValidateSaysWhatIsWrong(t *testing.T) {
	for name, tt := range map[string]struct {
		config Config
		direct bool
		want   string // "" if nothing is
	}{
		"nothing":                             {Config{}, false, ""},
		"one name":                            {Config{Mode: ModeResults, AuthservID: "mx.vendor.example"}, false, ""},
		"several names and a pattern":         {Config{Mode: ModeResults, AuthservIDs: []string{"dmarc.icloud.com", "*.mail.yahoo.com"}}, false, ""},
		"Exchange Online":                     {Config{Mode: ModeResults, Microsoft: true, VerifyDKIM: true}, false, ""},
		"results without a name":              {Config{Mode: ModeResults, VerifyDKIM: true}, false, "authserv_id: must be set"},
		"a pattern for a name":                {Config{Mode: ModeResults, AuthservID: "*.vendor.example"}, false, "patterns go to authserv_ids"},
		"a pattern of a whole country":        {Config{Mode: ModeResults, AuthservIDs: []string{"*.co.uk"}}, false, "strangers"},
		"a pattern of everything":             {Config{Mode: ModeResults, AuthservIDs: []string{"*"}}, false, "only as *."},
		"a pattern within a name":             {Config{Mode: ModeResults, AuthservIDs: []string{"mx*.vendor.example"}}, false, "only as *."},
		"two patterns in one":                 {Config{Mode: ModeResults, AuthservIDs: []string{"*.*.vendor.example"}}, false, "only as *."},
		"an empty name":                       {Config{Mode: ModeResults, AuthservIDs: []string{""}}, false, "is not a name"},
		"a whole field":                       {Config{Mode: ModeResults, AuthservIDs: []string{"mx; dmarc=pass"}}, false, "is not a name"},
		"the border, and direct delivery":     {Config{Mode: ModeDirect, TrustedNetworks: []string{"10.0.0.0/8"}}, true, ""},
		"the border, and fetched mail":        {Config{Mode: ModeDirect}, false, "needs direct delivery"},
		"networks, and fetched mail":          {Config{Mode: ModeNetworks, TrustedNetworks: []string{"10.0.0.0/8"}}, false, "needs direct delivery"},
		"a network that is none":              {Config{Mode: ModeDirect, TrustedNetworks: []string{"10"}}, true, "trusted_networks"},
		"a key of another mode":               {Config{Mode: ModeNone, Microsoft: true}, false, "microsoft: has no meaning but with mode authentication-results"},
		"a signature check without its mode":  {Config{VerifyDKIM: true}, false, "verify_dkim: has no meaning"},
		"a mode that there is not":            {Config{Mode: "dkim"}, true, `mode "dkim": want authentication-results, direct, trusted-networks or none`},
		"a list, and a mode without a border": {Config{Mode: ModeDirect, AuthservIDs: []string{"mx"}}, true, "authserv_ids: has no meaning"},
	} {
		t.Run(name, func(t *testing.T) {
			err := errors.Join(tt.config.Validate(tt.direct)...)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func TestACheckerIsNotMadeOfAFault(t *testing.T) {
	for _, c := range []Config{{TrustedNetworks: []string{"x"}}, {AuthservID: "*.x.example"}, {AuthservIDs: []string{"*.com"}}} {
		if _, err := New(c); err == nil {
			t.Errorf("no fault in %+v", c)
		}
	}
}

func TestNamesOfTheBorder(t *testing.T) {
	b, err := newBorder(Config{AuthservID: "MX.Vendor.Example", AuthservIDs: []string{"*.Mail.Yahoo.example", "dmarc.icloud.com"}})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{
		"mx.vendor.example": true, "MX.VENDOR.EXAMPLE": true, "dmarc.icloud.com": true, "spf.icloud.com": false,
		"atlas324.free.mail.yahoo.example": true, "a.MAIL.yahoo.example": true, "mail.yahoo.example": false, ".mail.yahoo.example": false,
		"evilmail.yahoo.example": false, "a.mail.yahoo.example.evil.example": false, "x.mx.vendor.example": false, "*.mail.yahoo.example": true, "": false,
	} {
		if b.has(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
	if (border{}).has("") {
		t.Error("no name is a name")
	}
}
