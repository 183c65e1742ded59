package sheet

import (
	"encoding/csv"
	"io"
	"strings"

	"github.com/gocarina/gocsv"
)

// line is a row of the list that we offer to be filled in. The tags are names that any of our
// readers knows.
type line struct {
	Company  string `csv:"Company"`
	Website  string `csv:"Website"`
	Country  string `csv:"Country"`
	Contact  string `csv:"Contact"`
	Role     string `csv:"Role"`
	Email    string `csv:"E-mail"`
	Phone    string `csv:"Phone"`
	Problem  string `csv:"Problem"`
	Services string `csv:"Services needed"`
	Stage    string `csv:"Stage"`
	Product  string `csv:"Product interest"`
	Rivals   string `csv:"Competing vendors"`
	Revenue  string `csv:"Revenue"`
	Consent  string `csv:"Consent"`
}

// WriteTemplate writes the list that senders may fill in: the line that names the columns, and
// an example below.
func WriteTemplate(w io.Writer, delimiter rune) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma = delimiter
	return gocsv.MarshalCSV([]line{{
		Company: "Example GmbH", Website: "www.customer.example", Country: "Germany",
		Contact: "Jane Doe", Role: "CTO", Email: "jane.doe@customer.example", Phone: "0049 30 123456",
		Problem: "They lose a day a week to manual reporting.", Stage: "evaluation", Revenue: "120000 EUR", Consent: "yes",
	}}, gocsv.NewSafeCSVWriter(out))
}

// headerLine returns the line that names the columns, as it is expected on top of a list.
func headerLine(delimiter rune) string {
	var b strings.Builder
	out := csv.NewWriter(&b)
	out.Comma = delimiter
	if err := gocsv.MarshalCSV([]line{}, gocsv.NewSafeCSVWriter(out)); err != nil {
		panic(err) // the tags above
	}
	return strings.TrimSpace(b.String())
}
