package extract

import (
	"slices"
	"strings"

	"leadgate/intake"
)

// judged are the fields whose values must be of a form or one of a few words.
var judged = []intake.Field{
	intake.FieldStage, intake.FieldConsent, intake.FieldKind, intake.FieldCountry, intake.FieldTargetRevenue,
	intake.FieldContactEmail, intake.FieldContactPhone, intake.FieldCompanyDomain,
}

// Unclear returns what stands behind the labels of a text though it is no value of the field:
// "first call held" in a line "Stage: first call held". Of several such lines the first counts.
func (e *Extractor) Unclear(text string) map[intake.Field]string {
	out := make(map[intake.Field]string)
	for line := range strings.Lines(clip(text, maxNewBytes)) {
		l, ok := e.dict.labelled(strings.TrimSpace(line))
		if !ok || l.weak || out[l.field] != "" || !slices.Contains(judged, l.field) {
			continue
		}
		if l.value == "" || e.empty(l.value) || tick(l.field, l.value) || len(e.values(l.field, l.value)) > 0 {
			continue
		}
		out[l.field] = cutRunes(short(l.value), 80)
	}
	return out
}
