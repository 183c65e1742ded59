package hubspot

import (
	"context"
	"slices"

	"leadgate/intake"
)

const dealObject = "deal"

// Compare holds deals against what a push would leave there: a hundred cases a call, by their numbers,
// which no search is asked for.
func (c *Connector) Compare(ctx context.Context, all []intake.Record) (found []intake.Difference, err error) {
	a, err := c.details(ctx)
	if err != nil {
		return nil, c.fail("compare", "cases", err)
	}
	for some := range slices.Chunk(all, maxBatch) {
		more, err := c.compare(ctx, a, some)
		if err != nil {
			return nil, c.fail("compare", "cases", err)
		}
		found = append(found, more...)
	}
	return found, nil
}

func (c *Connector) compare(ctx context.Context, a account, all []intake.Record) (found []intake.Difference, err error) {
	var numbers, properties []string
	for _, p := range own {
		properties = append(properties, p.name)
	}
	properties = append(properties, names(c.dealFields(intake.Record{}, a, nil))...)
	for _, r := range all {
		numbers = append(numbers, r.Registration.Number)
	}
	there, err := c.readAll(ctx, deals, numbers, caseProperty, properties)
	if err != nil {
		return nil, err
	}
	byCase := make(map[string]*object)
	for _, d := range there {
		byCase[d.Properties[caseProperty]] = d
	}
	for _, r := range all {
		number := r.Registration.Number
		d := byCase[number]
		if d == nil {
			found = append(found, intake.Difference{Case: number, Object: dealObject, Ours: number})
			continue
		}
		found = append(found, c.differences(a, d, r)...)
	}
	return found, nil
}

// differences are those between a deal and its case.
func (c *Connector) differences(a account, d *object, r intake.Record) (found []intake.Difference) {
	g := r.Registration
	if integer(d.Properties[revProperty]) > g.Revision { // ours is what is old
		return nil
	}
	add := func(field, ours, stays string) {
		found = append(found, intake.Difference{
			Case: g.Number, Object: dealObject, ID: d.ID, Field: field, There: d.Properties[field], Ours: ours, Stays: stays,
		})
	}
	stale := c.stale(d, r)
	for _, p := range own {
		// Each push leaves these two, and nobody looks at them.
		if ours, differs := stale[p.name]; differs && p.name != eventsProperty && p.name != revProperty {
			add(p.name, ours, "")
		}
	}
	for _, f := range c.dealFields(r, a, d) {
		if write, stays := f.fate(g.CRM[c.Name()].Wrote[f.key]); write || stays != "" {
			add(f.name, f.ours, stays)
		}
	}
	return found
}
