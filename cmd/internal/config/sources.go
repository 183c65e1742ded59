package config

import "fmt"

// validateSources returns what is wrong with the programs that call us and with the forms that
// we read.
func (c Config) validateSources() Faults {
	var faults Faults
	names := make(map[string]bool)
	for i, w := range c.Webhooks {
		at := fmt.Sprintf("webhooks[%d]", i)
		for _, err := range unjoin(w.Validate()) {
			faults = append(faults, inside(at, err))
		}
		if names[w.Name] {
			faults = append(faults, Fault{Path: at + ".name", Problem: fmt.Sprintf("%q is the name of another one", w.Name)})
		}
		names[w.Name] = true
		for _, other := range c.Webhooks[:i] {
			if w.SharesSecret(other) {
				faults = append(faults, Fault{Path: at + ".secret", Problem: fmt.Sprintf("%q and %q have one secret; give each its own", other.Name, w.Name)})
			}
		}
	}
	if len(c.Webhooks) > 0 && !c.Pages.On() {
		faults = append(faults, Fault{Path: "webhooks", Problem: "nobody can call them without pages, whose listener they are on"})
	}
	forms := make(map[string]bool)
	for i, f := range c.Meetings {
		at := fmt.Sprintf("meetings[%d]", i)
		for _, err := range unjoin(f.Validate()) {
			faults = append(faults, inside(at, err))
		}
		if forms[f.Name] {
			faults = append(faults, Fault{Path: at + ".name", Problem: fmt.Sprintf("%q is the name of another one", f.Name)})
		}
		if f.Form != "" && forms["id "+f.Form] {
			faults = append(faults, Fault{Path: at + ".form", Problem: "it is read already, by another one"})
		}
		forms[f.Name], forms["id "+f.Form] = true, true
	}
	return faults
}
