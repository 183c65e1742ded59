package extract

import (
	"slices"
	"strings"
	"unicode/utf8"

	"leadgate/intake"
)

// bareRows reads rows without names of columns, "Acme | Jane Doe | jane@acme.com | slow
// reports", one lead from each: two rows at least, of as many cells, with the address in the
// same column and of another company each. It returns how many lines they have, 0 if none
// begin at the first.
func (e *Extractor) bareRows(m *mail, lines []line) (leads []candidates, n int) {
	if !strings.Contains(clip(lines[0].body, 1000), "@") {
		return nil, 0
	}
	for _, mark := range []string{"|", "\t", ";", " · ", " / "} {
		var rows [][]piece
		mail, seen := -1, map[string]bool{}
		for n = 0; n < len(lines) && n < MaxLeads; n++ {
			cells := cellsOf(line{body: clip(lines[n].body, 1000)}, mark)
			at := slices.IndexFunc(cells, func(c piece) bool { return e.email(c.text) != "" })
			if len(cells) < 3 || at < 0 || len(rows) > 0 && (at != mail || len(cells) != len(rows[0])) {
				break
			}
			addr := e.email(cells[at].text)
			if !e.outsider(addr, m) || seen[addr] || lines[n].label != nil && lines[n].label.value != "" && !lines[n].label.cells {
				break
			}
			mail, seen[addr] = at, true
			rows = append(rows, cells)
		}
		if len(rows) < 2 {
			continue
		}
		columns := e.bareColumns(rows, mail)
		if !slices.Contains(columns, intake.FieldCompanyName) {
			return nil, 0
		}
		for i, cells := range rows {
			leads = append(leads, e.readRow(m, lines[i], columns, cells))
		}
		return leads, len(rows)
	}
	return nil, 0
}

// bareColumns tells what columns without names hold by what stands in them: the name that an
// address is made of, a role, a telephone number, a text; the first of the rest is the company.
func (e *Extractor) bareColumns(rows [][]piece, mail int) []intake.Field {
	columns := make([]intake.Field, len(rows[0]))
	columns[mail] = intake.FieldContactEmail
	holds := func(col int, is func(text, addr string) bool) bool {
		n := 0
		for _, cells := range rows {
			if is(cells[col].text, e.email(cells[mail].text)) {
				n++
			}
		}
		return 2*n > len(rows)
	}
	kinds := []struct {
		field intake.Field
		is    func(text, addr string) bool
	}{
		{intake.FieldContactPhone, func(s, _ string) bool { return phone(s) != "" }},
		{intake.FieldContactName, looksLikeName},
		{intake.FieldCountry, func(s, _ string) bool { return e.country(s) != "" }},
		{intake.FieldContactRole, func(s, _ string) bool { return len(strings.Fields(s)) <= 5 && roleLine(s) }},
		{intake.FieldProblem, func(s, _ string) bool {
			return utf8.RuneCountInString(s) > 60 || len(strings.Fields(s)) > 3 && !capital(s)
		}},
		{intake.FieldCompanyName, func(s, _ string) bool { return capital(s) && len(strings.Fields(s)) <= 7 && companyName(s) != "" }},
	}
	for _, kind := range kinds {
		for col := range columns {
			if columns[col] == "" && !slices.Contains(columns, kind.field) && holds(col, kind.is) {
				columns[col] = kind.field
			}
		}
	}
	return columns
}
