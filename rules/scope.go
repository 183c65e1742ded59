package rules

import (
	"slices"
	"strings"

	"leadgate/intake"
)

// GroupWide says that a claim to a company is one to its whole group.
func (p *Policy) GroupWide() bool { return p.spec.GroupScope == GroupWhole }

// Scope is the part of an account that a lead claims: the entries of the field that splits
// accounts, in one form and order; "" for all of it, where the policy splits none.
func (p *Policy) Scope(l intake.Lead) string {
	if p.spec.Split == "" {
		return ""
	}
	var list []string
	for _, v := range l.List(p.spec.Split) {
		if w := word(v); w != "" {
			list = append(list, w)
		}
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), intake.ListSeparator)
}
