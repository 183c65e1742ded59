package sheet

import (
	"encoding/csv"
	"io"
	"strings"

	"leadgate/intake"
)

// form is the list that we offer to be filled in: the names of its columns, which any of our
// readers knows, and a row that shows what belongs there.
type form struct{ names, example []string }

var forms = map[string]form{
	"en": {
		names: []string{
			"Company", "Website", "Country", "Contact", "Role", "E-mail", "Phone", "Problem", "Services needed", "Stage",
			"Product interest", "Competing vendors", "Revenue", "Consent",
		},
		example: []string{
			"Example GmbH", "www.customer.example", "Germany", "Jane Doe", "CTO", "jane.doe@customer.example", "0049 30 123456",
			"They lose a day a week to manual reporting.", "", "evaluation", "", "", "120000 EUR", "yes",
		},
	},
	"de": {
		names: []string{
			"Firma", "Website", "Land", "Kontakt", "Rolle", "E-Mail", "Telefon", "Problem", "Benötigte Leistungen", "Phase",
			"Produktinteresse", "Andere Anbieter", "Erwarteter Umsatz", "Einwilligung",
		},
		example: []string{
			"Beispiel GmbH", "www.kunde.example", "Deutschland", "Erika Beispiel", "Leiterin IT", "erika.beispiel@kunde.example", "0049 30 123456",
			"Sie verlieren jede Woche einen Tag mit Berichten von Hand.", "", "Evaluierung", "", "", "120000 EUR", "ja",
		},
	},
}

// isExample reports whether the cells of a row hold whom an example above is about.
func (s *Sheet) isExample(cells []string) bool {
	for _, f := range forms {
		about := 0
		for i, c := range s.columns {
			for _, at := range []int{exampleCompany, exampleWebsite, exampleMail} {
				if cells[i] == f.example[at] && c.Field == exampleFields[at] {
					about++
				}
			}
		}
		if about == len(exampleFields) {
			return true
		}
	}
	return false
}

// Where in an example it says whom it is about.
const (
	exampleCompany = 0
	exampleWebsite = 1
	exampleMail    = 5
)

var exampleFields = map[int]intake.Field{
	exampleCompany: intake.FieldCompanyName, exampleWebsite: intake.FieldCompanyDomain, exampleMail: intake.FieldContactEmail,
}

// WriteTemplate writes the list that senders may fill in, in the language of a locale: the line
// that names the columns, and an example below.
func WriteTemplate(w io.Writer, locale string, delimiter rune) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma = delimiter
	f := forms[Language(locale)]
	return out.WriteAll([][]string{f.names, f.example})
}

// headerLine returns the line that names the columns, as it is expected on top of a list.
func headerLine(delimiter rune) string {
	var b strings.Builder
	out := csv.NewWriter(&b)
	out.Comma = delimiter
	if err := out.WriteAll([][]string{forms["en"].names}); err != nil {
		panic(err) // into memory
	}
	return strings.TrimSpace(b.String())
}
