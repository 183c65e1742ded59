package identity

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// Country reads an ISO 3166-1 alpha-2 code in any case. UK is what people write for GB.
func Country(code string) (string, bool) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if code == "UK" {
		return "GB", true
	}
	r, err := language.ParseRegion(code)
	if err != nil || len(code) != 2 || !r.IsCountry() || slices.Contains(noCountries, code) {
		return "", false
	}
	return code, true
}

// noCountries are codes that CLDR takes for countries' and ISO 3166-1 does not, or no longer.
var noCountries = strings.Fields(`
	AC AN BU CP CQ CS CT DD DG DY EA EZ FQ FX HV IC JT MI NH NQ NT PC PU PZ RH SU TA TP UN VD WK YD YU ZR`)

// Territory reads the code of a country or, after a hyphen, of a part of one (ISO 3166-2), in
// any case.
func Territory(code string) (string, bool) {
	first, part, divided := strings.Cut(strings.ToUpper(strings.TrimSpace(code)), "-")
	first, ok := Country(first)
	if !ok || !divided {
		return first, ok
	}
	code = first + "-" + part
	return code, subdivisions()[code]
}

// subdivisions is the set of all parts of countries.
var subdivisions = sync.OnceValue(func() map[string]bool {
	set := make(map[string]bool)
	err := eachLine(embedded("subdivisions"), func(line string) error {
		country, parts, _ := strings.Cut(line, " ")
		for part := range strings.FieldsSeq(parts) {
			set[country+"-"+part] = true
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return set
})

// Locale reads a BCP 47 tag and returns it as it is usually written.
func Locale(tag string) (string, bool) {
	t, err := language.Parse(strings.TrimSpace(tag))
	if err != nil || t == language.Und {
		return "", false
	}
	return t.String(), true
}
