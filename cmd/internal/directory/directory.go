// Package directory reads lists of partners from files.
package directory

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"

	"github.com/gocarina/gocsv"

	"leadgate/intake"
)

// Help describes the file to who writes one.
const Help = `The file is CSV with a header line. Columns:
  id             lower-case letters, digits and hyphens; stays the same for ever
  name           the partner's name
  domains        e-mail domains whose users speak for the partner, separated by blanks
  contacts       people outside these domains, or worth naming: Ana Silva <ana@x.example>; …
  motion         referral, reseller, marketplace, si, msp, isv, distributor, integration,
                 affiliate or services; referral if empty
  status         active, suspended, offboarding or offboarded; active if empty
  tier           your own word
  manager_name   the person of yours whom the partner can ask
  manager_email
  country        two-letter code
  locale         language of the answers, such as en or de-AT
Only id, name, and one of domains and contacts must be filled.`

// row is a line of the file.
type row struct {
	ID           string `csv:"id"`
	Name         string `csv:"name"`
	Domains      string `csv:"domains"`
	Contacts     string `csv:"contacts"`
	Motion       string `csv:"motion"`
	Status       string `csv:"status"`
	Tier         string `csv:"tier"`
	ManagerName  string `csv:"manager_name"`
	ManagerEmail string `csv:"manager_email"`
	Country      string `csv:"country"`
	Locale       string `csv:"locale"`
}

var columns = []string{
	"id", "name", "domains", "contacts", "motion", "status", "tier",
	"manager_name", "manager_email", "country", "locale",
}

// ReadCSV reads partners as Help describes them, or all faults of form, by line. Whether the
// values make sense is for intake.Gateway.CleanPartner to say.
func ReadCSV(r io.Reader) ([]intake.Partner, error) {
	src, err := io.ReadAll(io.LimitReader(r, 16<<20))
	if err != nil {
		return nil, err
	}
	text := strings.TrimPrefix(string(src), "\uFEFF")
	header, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, fmt.Errorf("header line: %w", err)
	}
	for _, h := range header {
		if !slices.Contains(columns, h) {
			return nil, fmt.Errorf("header line: unknown column %q; known: %s", h, strings.Join(columns, ", "))
		}
	}
	var rows []row
	if err := gocsv.UnmarshalString(text, &rows); err != nil {
		return nil, err
	}
	var partners []intake.Partner
	var faults []error
	for i, row := range rows {
		p, err := row.partner()
		if err != nil {
			faults = append(faults, fmt.Errorf("row %d (%s): %w", i+1, row.ID, err))
		}
		partners = append(partners, p)
	}
	return partners, errors.Join(faults...)
}

func (r row) partner() (intake.Partner, error) {
	p := intake.Partner{
		ID: r.ID, Name: r.Name, Status: intake.PartnerStatus(r.Status), Motion: r.Motion,
		Tier: r.Tier, Domains: strings.FieldsFunc(r.Domains, separates),
		Manager: intake.Contact{Name: r.ManagerName, Email: r.ManagerEmail},
		Country: strings.ToUpper(r.Country), Locale: r.Locale,
	}
	for entry := range strings.SplitSeq(r.Contacts, ";") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		a, err := mail.ParseAddress(entry)
		if err != nil {
			return p, fmt.Errorf("contacts: %q is not like Ana Silva <ana@x.example>", entry)
		}
		p.Contacts = append(p.Contacts, intake.Contact{Name: a.Name, Email: a.Address})
	}
	return p, nil
}

func separates(r rune) bool { return r == ' ' || r == ';' || r == ',' || r == '\t' || r == '\n' }
