package meetings

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"time"

	"leadgate/channels/payload"
	"leadgate/intake"
)

// Config describes one form that is read. Secrets are resolved already: they hold the value,
// not the name of a file.
type Config struct {
	// Name is for people and logs; Form is the form's id, and part of stored keys.
	Name string `yaml:"name"`
	Form string `yaml:"form"`
	// Token is that of a private app or a service key with the scope "forms".
	Token string `yaml:"token"`
	// URL is HubSpot's; https://api.hubapi.com if empty.
	URL string `yaml:"url"`
	// Every is how often the form is read; 1 minute if 0.
	Every time.Duration `yaml:"every"`
	// Since is from when on submissions are taken in, as 2026-11-23; from the first start if
	// empty.
	Since           string `yaml:"since"`
	payload.Mapping `yaml:",inline"`
}

const (
	defaultURL   = "https://api.hubapi.com"
	defaultEvery = time.Minute
	minEvery     = 10 * time.Second
	maxEvery     = time.Hour
)

var (
	nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	idForm   = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)
)

// Validate returns all faults at once, nil if there are none. Its words hold no secret.
func (c Config) Validate() error {
	faults := c.Mapping.Validate()
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if !nameForm.MatchString(c.Name) {
		fault("name: use lower-case letters, digits, - and _")
	}
	if !idForm.MatchString(c.Form) {
		fault("form %q: want the form's id, such as 4b2f6c0e-5d1a-4a3e-9c1f-0a7d5be0c1d2", c.Form)
	}
	if c.Token == "" {
		fault("token: is missing: that of a private app with the scope forms")
	}
	if c.URL != "" && !safe(c.URL) {
		fault("url: want an address that begins with https://; the token would cross the network in the clear")
	}
	if c.Every != 0 && (c.Every < minEvery || c.Every > maxEvery) {
		fault("every: use %v to %v", minEvery, maxEvery)
	}
	if _, err := time.Parse(time.DateOnly, c.Since); c.Since != "" && err != nil {
		fault("since %q: want a day, such as 2026-11-23", c.Since)
	}
	return errors.Join(faults...)
}

// safe reports whether a token may be sent to an address.
func safe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	here := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	if _, _, err := net.SplitHostPort(u.Host); err == nil && u.Port() == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && here
}

// filled is the configuration with the defaults for what it leaves out.
func (c Config) filled() Config {
	if c.URL == "" {
		c.URL = defaultURL
	}
	if c.Every == 0 {
		c.Every = defaultEvery
	}
	c.Mapping = c.Mapping.WithDefaults(usual)
	return c
}

// named leads to the value of a field of a form.
func named(field string) payload.Pointers {
	return payload.Pointers{"/values/[name=" + field + "]/value"}
}

// usual is what fields of forms are called: HubSpot's own properties of contacts, and ours.
var usual = payload.Mapping{
	PartnerPointer: named("leadgate_partner_id"),
	ProgramPointer: named("leadgate_program"),
	SubmitterEmail: named("leadgate_submitter"),
	Fields: map[intake.Field]payload.Pointers{
		intake.FieldCompanyName:     named("company"),
		intake.FieldCompanyDomain:   {"/values/[name=website]/value"},
		intake.FieldContactName:     {"/values/[name=firstname]/value", "/values/[name=lastname]/value"},
		intake.FieldContactEmail:    named("email"),
		intake.FieldContactPhone:    named("phone"),
		intake.FieldContactRole:     named("jobtitle"),
		intake.FieldProblem:         named("message"),
		intake.FieldProductInterest: named("leadgate_products"),
		intake.FieldConsent:         named("leadgate_consent"),
	},
}

// String shows the configuration without what is secret in it.
func (c Config) String() string { return fmt.Sprintf("form %s (%s)", c.Name, c.Form) }

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
