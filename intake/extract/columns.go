package extract

import (
	"math"
	"slices"
	"strings"

	"leadgate/intake"
)

// Columns says what the columns of a table hold. It is for tables that are too long to be read
// as a whole: whoever has the rows asks for them one by one. It is safe for concurrent use.
type Columns struct {
	e     *Extractor
	cols  []column
	known int
	// revenue is the column of the amounts, -1 if there is none; unit is what its name says they
	// are in, "EUR" or "k€"; currency is the column that says it for each row, or -1.
	revenue, currency int
	unit              string
	// instead has by column the one that is read in its place, for both give the same field.
	instead map[int]int
}

// Columns reads the names of the columns of a table, by the dictionary by which mails are read.
// At most 64 columns are known.
func (e *Extractor) Columns(names []string) *Columns {
	c := &Columns{e: e, revenue: -1, currency: -1}
	names = slices.Clone(names)
	units := make(map[int]string)
	for i, name := range names {
		label, unit := e.dict.unitOf(name)
		if unit != "" {
			names[i], units[i] = label, unit
		}
	}
	c.cols, c.known = e.columns(names)
	c.settleCountry(names)
	c.settleRevenue(names)
	c.settleTwice(names)
	for i := range c.cols {
		switch {
		case c.cols[i].field == intake.FieldTargetRevenue && c.revenue < 0:
			c.revenue, c.unit = i, units[i]
		case c.cols[i].field == "" && c.currency < 0 && e.dict.is("currency", unmark(clip(names[i], maxLabelBytes))):
			c.currency = i
		}
	}
	return c
}

// settleCountry takes the column "Country" alone for the country where others, "Region" or
// "Headquarters", would be it without that one.
func (c *Columns) settleCountry(names []string) {
	var all []int
	own := -1
	for i, col := range c.cols {
		if col.field != intake.FieldCountry {
			continue
		}
		all = append(all, i)
		if c.e.dict.own[fold(unmark(clip(names[i], maxLabelBytes)))] {
			if own >= 0 {
				return
			}
			own = i
		}
	}
	for _, i := range all {
		if own >= 0 && i != own {
			c.cols[i] = column{}
		}
	}
}

// ofDeals are the fields that a list of deals has, and an address book has not.
var ofDeals = []intake.Field{
	intake.FieldProblem, intake.FieldSolutionFit, intake.FieldServicesNeeded, intake.FieldStage,
	intake.FieldProductInterest, intake.FieldCompetingVendors, intake.FieldConsent, intake.FieldKind,
}

// settleRevenue takes a column "Revenue" for that of the deal in a list of deals. In a list of
// companies it is what they turn over.
func (c *Columns) settleRevenue(names []string) {
	has := func(f intake.Field) bool {
		return slices.ContainsFunc(c.cols, func(col column) bool { return col.field == f })
	}
	if c.known == 0 || has(intake.FieldTargetRevenue) || !slices.ContainsFunc(ofDeals, has) {
		return
	}
	for i := range c.cols {
		k := fold(unmark(clip(names[i], maxLabelBytes)))
		if c.cols[i] == (column{}) && c.e.dict.weak[k] && c.e.dict.labels[k] == intake.FieldTargetRevenue {
			c.cols[i] = column{field: intake.FieldTargetRevenue}
			c.known++
			return
		}
	}
}

// ofWhom are the fields that say whom a registration is about, and which kind it is of.
var ofWhom = []intake.Field{
	intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactName, intake.FieldContactEmail, intake.FieldKind,
}

// settleTwice takes of several columns that give the same field the one that is named best, and of
// equals the first. Which company or person is meant is not for us to choose: see Twice.
func (c *Columns) settleTwice(names []string) {
	best := make(map[intake.Field]int)
	for i, col := range c.cols {
		if col.field == "" || slices.Contains(ofWhom, col.field) {
			continue
		}
		if j, found := best[col.field]; !found || c.rank(names[i], col.field) < c.rank(names[j], col.field) {
			best[col.field] = i
		}
	}
	for i, col := range c.cols {
		if j, found := best[col.field]; found && i != j {
			if c.instead == nil {
				c.instead = make(map[int]int)
			}
			c.instead[i], c.cols[i] = j, column{}
		}
	}
}

// rank says how badly a column is named for a field: 0 as it is called first of all, and the more
// the further behind its name stands in the dictionary; most by something like a name.
func (c *Columns) rank(name string, f intake.Field) int {
	k := fold(unmark(clip(name, maxLabelBytes)))
	if c.e.dict.labels[k] != f {
		return math.MaxInt
	}
	return c.e.dict.place[k]
}

// Instead returns the column that is read in place of column i, since both give the same field.
func (c *Columns) Instead(i int) (of int, ok bool) {
	of, ok = c.instead[i]
	return of, ok
}

// Known counts the fields that have a column; it is 0 if no column tells whom a row is about.
func (c *Columns) Known() int { return c.known }

// Field returns the field of column i, "" if it is of none.
func (c *Columns) Field(i int) intake.Field {
	if i >= len(c.cols) {
		return ""
	}
	return c.cols[i].field
}

// Currency returns the column that says what the amounts are in, -1 if there is none.
func (c *Columns) Currency() int { return c.currency }

// Twice returns the first two columns that give the same field of those that say whom a row is
// about: it would have to be chosen between them. The two halves of a person's
// name are no such columns.
func (c *Columns) Twice() (first, second int, ok bool) {
	for j := range c.cols {
		for i := range c.cols[:j] {
			a, b := c.cols[i], c.cols[j]
			if a.field != "" && a.field == b.field && (a == b || a.given == a.family || b.given == b.family) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// NamesAgain reports whether a row names the columns once more, as in lists that were put
// together out of several.
func (c *Columns) NamesAgain(cells []string) bool { return c.e.namesAgain(cells, c.cols) }

// AddsUp reports whether a row begins with the word for a sum.
func (c *Columns) AddsUp(cells []string) bool { return c.e.addsUp(cells) }

// Lead reads a row as the tables in mails are read. Cells that can't be what their column says
// are named in the problems of the lead; whether it is about anybody is for the caller to see.
func (c *Columns) Lead(cells []string) Lead {
	if i := c.revenue; i >= 0 && i < len(cells) {
		if v := c.amount(cells); v != cells[i] {
			cells = slices.Clone(cells)
			cells[i] = v
		}
	}
	return c.e.readCells(&tableRow{cells: cells}, c.cols, func(int) (int, int) { return 0, 0 }, byTable, scoreTable)
}

// Domain returns the domain of the company that an address of a contact is at, as it is taken from
// the address in a mail; "" if it is not the company's.
func (c *Columns) Domain(address string) string {
	if address == "" {
		return ""
	}
	domain, _ := c.e.companyOf(address, "")
	return domain
}

// amount returns the amount of a row with its currency, if that stands elsewhere.
func (c *Columns) amount(cells []string) string {
	v := trimValue(normalise(clip(cells[c.revenue], maxMoney)))
	if !strings.ContainsFunc(v, isDigit) || c.e.dict.currency(v) != "" {
		return cells[c.revenue]
	}
	unit := c.unit
	if c.currency >= 0 && c.currency < len(cells) {
		switch code := c.e.dict.currency(clip(cells[c.currency], maxMoney)); {
		case unit == "":
			unit = code
		case code != "" && code != c.e.dict.currency(c.e.dict.money("1 "+unit)):
			return cells[c.revenue] // the name of the column says another one
		}
	}
	if unit == "" {
		return cells[c.revenue]
	}
	return v + " " + unit
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }

// unitOf splits the name of a column of amounts from what it says they are in: "Revenue (EUR)",
// "Umsatz in T€", "Deal value USD". The unit is "" if there is none.
func (d *dictionary) unitOf(name string) (label, unit string) {
	name = normalise(clip(name, maxLabelBytes))
	for i, r := range name {
		if i == 0 || !strings.ContainsRune(" ([/,-:", r) {
			continue
		}
		label = name[:i]
		if f, ok := d.label(fold(unmark(label)), true); !ok || f != intake.FieldTargetRevenue {
			continue
		}
		unit = strings.Trim(name[i:], " ()[]/,-:*")
		for _, in := range []string{"in ", "en ", "i ", "em "} {
			unit = strings.TrimPrefix(unit, in)
		}
		if d.money("1 "+unit) != "" {
			return label, unit
		}
	}
	return name, ""
}
