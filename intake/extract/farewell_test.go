package extract

import (
	"testing"

	"leadgate/intake/identity"
)

func TestAFarewellAloneSaysNothing(t *testing.T) {
	e := New(identity.Default(), Options{})
	for text, want := range map[string]bool{
		"":                                       true,
		"\nBest regards\nAna Alpha\nAlpha Ltd\n": true,
		"Hi Mia,\n\nBest regards,\nAna":          true,
		"Mit freundlichen Grüßen\nKarl Groß\nGeschäftsführer: Karl Groß": true,
		"Ana Alpha\nAlpha Ltd\n+44 20 7946 0000":                         true,
		"We meet them on Monday.\n\nBest regards\nAna":                   false,
		"Company: Acme GmbH": false,
	} {
		if got := e.SaysNothing(text, "Ana Alpha"); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
