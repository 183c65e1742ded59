// Package directory reads lists of partners from files.
package directory

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gocarina/gocsv"

	"leadgate/intake"
)

// Help describes the file to who writes one.
const Help = `The file is CSV in UTF-8 with a header line; semicolons or tabs may stand for the commas.
Columns:
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
  locale         language of the answers; only en has texts so far, others fall back to it
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
	partners, _, err := ReadLines(r)
	return partners, err
}

// ReadLines is ReadCSV that also returns the line of the file on which each partner begins.
func ReadLines(r io.Reader) ([]intake.Partner, []int, error) {
	src, err := io.ReadAll(io.LimitReader(r, 16<<20))
	if err != nil {
		return nil, nil, err
	}
	t, err := parse(src)
	if err != nil {
		return nil, nil, err
	}
	var rows []row
	if err := gocsv.UnmarshalCSV(t, &rows); err != nil {
		return nil, nil, err
	}
	var partners []intake.Partner
	var faults []error
	ids := make(map[string]int)
	for i, row := range rows {
		line := t.lines[i+1]
		fault := func(err error) { faults = append(faults, fmt.Errorf("line %d (%s): %w", line, row.ID, err)) }
		p, err := row.partner()
		if err != nil {
			fault(err)
		}
		id := strings.ToLower(strings.TrimSpace(row.ID)) // as the gateway compares them
		if first, twice := ids[id]; twice && id != "" {
			fault(fmt.Errorf("line %d has the same id", first))
		} else {
			ids[id] = line
		}
		partners = append(partners, p)
	}
	return partners, t.lines[1:], errors.Join(faults...)
}

// table is a file taken apart: its records, the header first, and the line of the file,
// counted from 1, on which each begins. It is a gocsv.CSVReader.
type table struct {
	records [][]string
	lines   []int
	read    int
}

// Read returns the next record.
func (t *table) Read() ([]string, error) {
	if t.read == len(t.records) {
		return nil, io.EOF
	}
	t.read++
	return t.records[t.read-1], nil
}

// ReadAll returns the records that were not read yet.
func (t *table) ReadAll() ([][]string, error) {
	rest := t.records[t.read:]
	t.read = len(t.records)
	return rest, nil
}

// parse takes a file apart, or returns what is wrong with its form.
func parse(src []byte) (*table, error) {
	if line := notUTF8(src); line > 0 {
		return nil, fmt.Errorf("line %d is not UTF-8; save the file as UTF-8 CSV", line)
	}
	text := strings.TrimPrefix(string(src), "\uFEFF")
	if strings.TrimSpace(text) == "" {
		return nil, errors.New("the file is empty")
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = separator(text)
	r.FieldsPerRecord = -1 // counted below, so that all faults are told
	t := new(table)
	var faults []error
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t, errors.Join(faults...)
		}
		if err != nil {
			var form *csv.ParseError
			if errors.As(err, &form) {
				err = fmt.Errorf("line %d: %w", form.StartLine, form.Err)
			}
			return nil, errors.Join(append(faults, err)...)
		}
		line, _ := r.FieldPos(0)
		t.records, t.lines = append(t.records, record), append(t.lines, line)
		if header := t.records[0]; len(t.records) == 1 {
			if err := checkHeader(header); err != nil {
				return nil, fmt.Errorf("header line: %w", err)
			}
		} else if len(record) != len(header) {
			faults = append(faults, fmt.Errorf("line %d (%s): wrong number of fields: %d, the header has %d; a field with a %q in it must be quoted", line, record[0], len(record), len(header), r.Comma))
		}
	}
}

func checkHeader(header []string) error {
	for i, h := range header {
		if !slices.Contains(columns, h) {
			return fmt.Errorf("unknown column %q; known: %s", h, strings.Join(columns, ", "))
		}
		if slices.Contains(header[:i], h) {
			return fmt.Errorf("column %q is there twice", h)
		}
	}
	return nil
}

// notUTF8 returns the first line that is not text in UTF-8, or 0. UTF-16 shows by its zero
// bytes or its byte order mark.
func notUTF8(src []byte) int {
	n := 0
	for line := range bytes.Lines(src) {
		n++
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return n
		}
	}
	return 0
}

// separator is what stands between the names of the header line: no name has any of these.
// Spreadsheets write semicolons where the comma is the decimal sign.
func separator(text string) rune {
	header, _, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
	for _, r := range ",;\t" {
		if strings.ContainsRune(header, r) {
			return r
		}
	}
	return ','
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
