package tryton

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"leadgate/intake"
)

const opportunityObject = "sale.opportunity"

// Compare holds opportunities and sheets against what a push would leave there.
func (c *Connector) Compare(ctx context.Context, all []intake.Record) (found []intake.Difference, err error) {
	for chunk := range slices.Chunk(all, page) {
		some, err := c.compare(ctx, chunk)
		if err != nil {
			return nil, c.fail("compare", "cases", err)
		}
		found = append(found, some...)
	}
	return found, nil
}

func (c *Connector) compare(ctx context.Context, all []intake.Record) (found []intake.Difference, err error) {
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	var numbers []string
	for _, r := range all {
		numbers = append(numbers, r.Registration.Number)
	}
	rows, err := c.opportunities(ctx, clause{clause{"reference", "in", numbers}}, 0, page*maxCopies, "id ASC")
	if err != nil {
		return nil, err
	}
	sheets, err := c.sheets(ctx, rows)
	if err != nil {
		return nil, err
	}
	for _, r := range all {
		number := r.Registration.Number
		of := slices.DeleteFunc(slices.Clone(rows), func(o *opportunity) bool { return o.Reference != number })
		o, extra, err := choose(of, s.user)
		switch {
		case err != nil:
			found = append(found, intake.Difference{Case: number, Object: opportunityObject, There: fmt.Sprint(len(of)), Ours: "1", Stays: err.Error()})
			continue
		case o == nil:
			found = append(found, intake.Difference{Case: number, Object: opportunityObject, Ours: "1"})
			continue
		case len(extra) > 0:
			found = append(found, intake.Difference{Case: number, Object: opportunityObject, ID: strconv.Itoa(o.ID), There: fmt.Sprint(1 + len(extra)), Ours: "1"})
		}
		found = append(found, c.differences(o, sheets[o.ID], r)...)
	}
	return found, nil
}

// sheets reads those of opportunities, by opportunity.
func (c *Connector) sheets(ctx context.Context, rows []*opportunity) (map[int]*sheet, error) {
	of := make(map[string]*opportunity)
	var resources []string
	for _, o := range rows {
		of[resource(o.ID)] = o
		resources = append(resources, resource(o.ID))
	}
	sheets := make(map[int]*sheet)
	if len(resources) == 0 {
		return sheets, nil
	}
	var notes []remark
	err := c.call(ctx, &notes, "ir.note.search_read",
		clause{clause{"resource", "in", resources}, clause{"message", "like", "[% state]%"}}, 0, page*maxCopies,
		clause{clause{"id", "ASC"}}, []string{"message", "resource", "_timestamp"})
	for _, n := range notes {
		o := of[n.Resource]
		if o != nil && sheets[o.ID] == nil {
			sheets[o.ID] = &sheet{remark: n, lines: parseSheet(n.Message)}
		}
	}
	return sheets, err
}

// differences are those between an opportunity with its sheet and a case.
func (c *Connector) differences(o *opportunity, have *sheet, r intake.Record) (found []intake.Difference) {
	g := r.Registration
	add := func(field, there, ours, stays string) {
		found = append(found, intake.Difference{
			Case: g.Number, Object: opportunityObject, ID: strconv.Itoa(o.ID), Field: field, There: there, Ours: ours, Stays: stays,
		})
	}
	if have == nil {
		have = &sheet{}
	}
	if have.revision() > g.Revision { // ours is what is old
		return nil
	}
	for _, f := range c.fields(o, r, o.Seller.Currency.Code) {
		write, stays := f.fate(g.CRM[c.Name()].Wrote[f.name])
		if write || stays != "" {
			add(f.name, f.have, f.want, stays)
		}
	}
	want := &sheet{lines: parseSheet(sheetOf(r).text(g.Number))}
	for _, name := range sheetNames() {
		if name == "revision" { // what is noted of a case makes one that no push follows
			continue
		}
		if there, ours := have.value(name), want.value(name); there != ours {
			add("sheet: "+name, there, ours, "")
		}
		if theirs, mapped := c.config.Mapping.Fields[name]; mapped && o.extra[theirs] != oneLine(want.value(name)) {
			add(theirs, o.extra[theirs], oneLine(want.value(name)), "")
		}
	}
	return found
}
