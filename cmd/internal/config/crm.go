package config

import (
	"fmt"
	"time"
)

// validate returns what is wrong with the systems of record.
func (c CRM) validate() Faults {
	var faults Faults
	if c.Every < time.Second || c.Every > time.Hour {
		faults = append(faults, Fault{Path: "crm.every", Problem: fmt.Sprintf("%s: want a time like 30s, from 1s to 1h", c.Every)})
	}
	names := map[string]bool{"ledger": c.Ledger}
	check := func(kind string, i int, name string, err error) {
		at := fmt.Sprintf("crm.%s[%d]", kind, i)
		for _, err := range unjoin(err) {
			faults = append(faults, inside(at, err))
		}
		if names[name] {
			faults = append(faults, Fault{Path: at + ".name", Problem: fmt.Sprintf("%q is the name of another CRM", name)})
		}
		names[name] = true
	}
	for i, w := range c.Webhooks {
		check("webhooks", i, w.Name, w.Validate())
	}
	for i, t := range c.Tryton {
		check("tryton", i, t.Name, t.Validate())
	}
	for i, s := range c.Salesforce {
		check("salesforce", i, s.Name, s.Validate())
	}
	for i, h := range c.HubSpot {
		check("hubspot", i, h.Name, h.Validate())
	}
	return faults
}
