package teamsbot

import (
	"fmt"
	"regexp"
	"slices"

	"leadgate/intake"
)

// Config is what an operator sets of the bot. The secret is resolved already.
type Config struct {
	// Enabled has the bot answer at Path, on the listener of the pages.
	Enabled bool `yaml:"enabled"`
	// AppID is the application (client) id of the app registration, Secret one of its client
	// secrets, Tenant the directory (tenant) id in which it lives.
	AppID  string `yaml:"app_id"`
	Secret string `yaml:"secret"`
	Tenant string `yaml:"tenant"`
	// Tenants are let in beside our own and those of partners; what their people register waits
	// for a confirmation by mail. AnyTenant stands for all.
	Tenants []string `yaml:"tenants"`
	// Fields are asked for beside the usual ones, and can be left empty.
	Fields []intake.Field `yaml:"fields"`
	// Hour is how many registrations are taken in for one partner within an hour, and for one
	// tenant of nobody's; DefaultHour if 0.
	Hour int `yaml:"hour"`

	// For tests, which have a service of their own on this machine.
	metadata, login string
	loopback        bool
}

// DefaultHour is far above what people do.
const DefaultHour = 60

// AnyTenant in Config.Tenants lets everybody in who could install the app.
const AnyTenant = "*"

// MultiTenant is the tenant of a bot that was registered as multi-tenant, before August 2025.
const MultiTenant = "botframework.com"

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Validate returns all that is wrong with a configuration, each error with its key.
func (c Config) Validate() []error {
	if !c.Enabled {
		return nil
	}
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	switch {
	case c.AppID == "":
		fault("app_id: is missing; without it nobody could be told from anybody else")
	case !guid.MatchString(c.AppID):
		fault("app_id: %q is no id like 72f988bf-86f1-41af-91ab-2d7cd011db47", c.AppID)
	}
	if c.Secret == "" {
		fault("secret: is missing: a client secret of the app registration")
	}
	if !guid.MatchString(c.Tenant) && c.Tenant != MultiTenant {
		fault("tenant: %q is no id of a directory like 72f988bf-86f1-41af-91ab-2d7cd011db47; an old multi-tenant bot has %s", c.Tenant, MultiTenant)
	}
	for i, t := range c.Tenants {
		if !guid.MatchString(t) && t != AnyTenant {
			fault("tenants[%d]: %q is no id of a directory like 72f988bf-86f1-41af-91ab-2d7cd011db47, nor %q for all", i, t, AnyTenant)
		}
	}
	for i, f := range c.Fields {
		switch {
		case !slices.Contains(intake.Fields(), f):
			fault("fields[%d]: %q is none of %v", i, f, intake.Fields())
		case slices.Index(c.Fields, f) < i:
			fault("fields[%d]: %q is there twice", i, f)
		}
	}
	if c.Hour < 0 {
		fault("hour: %d: want 1 or more, or 0 for %d", c.Hour, DefaultHour)
	}
	return faults
}
