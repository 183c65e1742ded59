package tryton

import (
	"testing"
	"time"

	"leadgate/intake/crm/crmtest"
)

func TestConformance(t *testing.T) {
	w := newWorld(t)
	crmtest.Run(t, crmtest.Harness{
		Stages:  []string{"Lead", "Opportunity"},
		Without: []crmtest.Fault{crmtest.Answer410, crmtest.Answer422, crmtest.MultiStatus},
		New:     func(r crmtest.Reporter) crmtest.System { return w.system(r) },
		Impatient: func(r crmtest.Reporter) crmtest.System {
			return w.system(r, func(c *Config) { c.Timeout = 50 * time.Millisecond })
		},
	})
}
