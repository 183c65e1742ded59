package extract

import (
	"maps"
	"testing"

	"leadgate/intake"
	"leadgate/intake/identity"
)

func TestWhatStandsBehindALabelAndIsNoValueIsTold(t *testing.T) {
	e := New(identity.Default(), Options{})
	for text, want := range map[string]map[intake.Field]string{
		"Company: Acme\nStage: first call held\n":            {intake.FieldStage: "first call held"},
		"Phase: Erstgespräch irgendwie geführt vielleicht":   {intake.FieldStage: "Erstgespräch irgendwie geführt vielleicht"},
		"- Stage: half way\nStage: three quarters":           {intake.FieldStage: "half way"},
		"Stage: discovery scheduled\nConsent: yes":           {},
		"Stage: \nConsent: -":                                {},
		"We spoke of the stage: it was a nice one, truly so": {},
		"": {},
	} {
		if got := e.Unclear(text); !maps.Equal(got, want) {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
