package templates

import (
	"strings"
	"testing"

	"leadgate/intake"
)

func TestWhatWasLeftOutOfARowIsAHint(t *testing.T) {
	p := intake.RowProblem{
		Problem: intake.Problem{Field: intake.FieldTargetRevenue, Code: intake.ProblemInvalid, Given: "45000", Message: `"45000" has no currency`},
		Mend:    "the row is taken in without it; correct it", LeftOut: true,
	}
	for tag, want := range map[string]string{"en": "taken in without it", "de": "Die Zeile zählt ohne"} {
		if got := Fault(tag, p); !strings.Contains(got, want) || !strings.Contains(got, "45000") {
			t.Errorf("%s: %s", tag, got)
		}
	}
	if got := Fault("de", intake.RowProblem{Problem: p.Problem}); strings.Contains(got, "zählt ohne") {
		t.Errorf("a fault is called a hint: %s", got)
	}
}
