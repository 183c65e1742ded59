package tryton

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"leadgate/intake"
)

// needs is what the user has to be allowed.
var needs = []struct {
	model  string
	rights []string
}{
	{"sale.opportunity", []string{"read", "write", "create", "delete"}},
	{"party.party", []string{"read", "create"}},
	{"party.contact_mechanism", []string{"read", "create", "delete"}},
	{"party.address", []string{"create"}},
	{"ir.note", []string{"read", "write", "create", "delete"}},
	{"sale.sale", []string{"read"}},
}

// Verify logs in, and looks at the user's company and rights, at the employee, and at the fields and
// states that the mapping names.
func (c *Connector) Verify(ctx context.Context) ([]intake.Lack, error) {
	lacks, err := c.verify(ctx)
	if err != nil {
		return nil, c.fail("verify", "the set-up", err)
	}
	return lacks, nil
}

func (c *Connector) verify(ctx context.Context) (lacks []intake.Lack, err error) {
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	lack := func(mend, what string, args ...any) {
		lacks = append(lacks, intake.Lack{What: fmt.Sprintf(what, args...), Mend: mend})
	}
	var fields map[string]struct {
		Type      string
		Selection any
	}
	err = c.call(ctx, &fields, "sale.opportunity.fields_get", []string{})
	if failed := new(failedError); errors.As(err, &failed) {
		lack("activate it: trytond-admin -u sale_opportunity --activate-dependencies", "module sale_opportunity")
		return lacks, nil
	}
	if err != nil {
		return nil, err
	}
	if s.preference("company") == 0 {
		lack("give the user a company, and make it the present one", "company of the user %s", c.config.User)
	}
	var models []string
	for _, n := range needs {
		models = append(models, n.model)
	}
	var access map[string]map[string]any
	if err := c.call(ctx, &access, "ir.model.access.get_access", models); err != nil {
		return nil, err
	}
	for _, n := range needs {
		for _, right := range n.rights {
			if !granted(access[n.model][right]) {
				lack(`give the user the groups "Sale Opportunity" and "Sales"`, "right to %s %s", right, n.model)
			}
		}
	}
	if id, err := c.owner(ctx); err != nil {
		return nil, err
	} else if id == 0 && c.config.Mapping.Owner != "" {
		lack("add the employee to the company, or change mapping.owner", "employee %s", c.config.Mapping.Owner)
	}
	return append(lacks, c.verifyMapping(fields["state"].Selection, func(f string) string { return fields[f].Type })...), nil
}

// verifyMapping looks for what the mapping names; typeOf says of which type a field is, "" if there is
// none.
func (c *Connector) verifyMapping(states any, typeOf func(string) string) (lacks []intake.Lack) {
	lack := func(mend, what string, args ...any) {
		lacks = append(lacks, intake.Lack{What: fmt.Sprintf(what, args...), Mend: mend})
	}
	for _, f := range slices.Sorted(maps.Values(c.config.Mapping.Fields)) {
		if t := typeOf(f); t != "char" && t != "text" {
			lack("add it by a module of yours, or change mapping.fields", "field %s of sale.opportunity, of type char or text", f)
		}
	}
	for _, f := range slices.Sorted(maps.Keys(c.config.Mapping.Defaults)) {
		if typeOf(f) == "" {
			lack("change mapping.defaults", "field %s of sale.opportunity", f)
		}
	}
	known := make(map[string]bool)
	pairs, _ := states.([]any)
	for _, p := range pairs {
		if pair, ok := p.([]any); ok && len(pair) == 2 {
			known[fmt.Sprint(pair[0])] = true
		}
	}
	for _, state := range slices.Sorted(maps.Keys(c.config.Mapping.Stages)) {
		if !known[state] {
			lack("change mapping.stages", "state %s of sale.opportunity", state)
		}
	}
	return lacks
}

// granted reads a right: true or 1.
func granted(v any) bool {
	n, _ := v.(float64)
	b, _ := v.(bool)
	return b || n != 0
}
