package hubspot

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// Config is what an operator sets.
type Config struct {
	// Name is stored with each case and must not change afterwards.
	Name string `yaml:"name"`
	// Version is that of the API: a date like 2026-09, which is the default, or v3.
	Version string `yaml:"version"`
	// URL is where the API is; https://api.hubapi.com if not set.
	URL string `yaml:"url"`
	// Token is a service key, the static token of an app of a project, or the token of a legacy
	// private app. OAuth is for an app with OAuth, in its place.
	Token string `yaml:"token"`
	OAuth *OAuth `yaml:"oauth"`
	// Secret is the client secret of the app whose webhooks call us; "" for none. PreviousSecret is
	// good too, while it is changed.
	Secret         string `yaml:"secret"`
	PreviousSecret string `yaml:"previous_secret"`
	// Calls and Searches are how many there may be in a second; 8 and 4 if not set.
	Calls    float64 `yaml:"calls_per_second"`
	Searches float64 `yaml:"searches_per_second"`
	// Timeout bounds one call; 20 s if not set.
	Timeout time.Duration `yaml:"timeout"`
	// AllowPrivate permits http:// and addresses of the local host and of private networks.
	AllowPrivate bool    `yaml:"allow_private"`
	Mapping      Mapping `yaml:"mapping"`
	// Zone is the programme's, in which the days of a protection are; UTC if not set.
	Zone *time.Location `yaml:"-"`
	// Now is the clock; time.Now if not set.
	Now func() time.Time `yaml:"-"`
}

// OAuth is an app that somebody has let into the account.
type OAuth struct {
	ClientID     string `yaml:"client_id"`
	ClientSecret string `yaml:"client_secret"`
	RefreshToken string `yaml:"refresh_token"`
}

// Mapping says what of ours is what there. Properties, pipelines and stages are named by their
// internal names and ids.
type Mapping struct {
	// Pipeline and Stage are those of new deals; the account's first ones if not set.
	Pipeline string `yaml:"pipeline"`
	Stage    string `yaml:"stage"`
	// Stages says of the id of a stage whether it is open, won or lost; what the pipeline says if not.
	Stages map[string]string `yaml:"stages"`
	// Ends are the stages into which the deal of a case is moved that has ended, by its status:
	// "declined", "expired", "withdrawn", "merged". Where none is named, and where people have moved the
	// deal, it stays.
	Ends map[string]string `yaml:"ends"`
	// Owner is the address of the user who gets deals of partners that have no executive who is one.
	Owner string `yaml:"owner"`
	// Fields are further properties that are filled, by what they are filled with: "problem", "partner".
	Fields Objects `yaml:"fields"`
	// Defaults are the values of properties that a new record gets, by property.
	Defaults Objects `yaml:"defaults"`
}

// ended are the states of which Mapping.Ends can speak.
var ended = []intake.Status{intake.StatusDeclined, intake.StatusExpired, intake.StatusWithdrawn, intake.StatusMerged}

// Objects is something for each kind of record.
type Objects struct {
	Deals     map[string]string `yaml:"deals"`
	Companies map[string]string `yaml:"companies"`
	Contacts  map[string]string `yaml:"contacts"`
}

func (o Objects) of(kind string) map[string]string {
	return map[string]map[string]string{deals: o.Deals, companies: o.Companies, contacts: o.Contacts}[kind]
}

const (
	defaultVersion = "2026-09"
	legacyVersion  = "v3"
	defaultURL     = "https://api.hubapi.com"
	maxTimeout     = 40 * time.Second
	maxRate        = 1000
)

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	versionForm  = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}$`)
	propertyForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)
)

// Validate returns all faults at once, nil if there are none. Its words hold no secret.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !nameForm.MatchString(c.Name) {
		fault("name: use lower-case letters, digits, - and _")
	}
	if c.Version != "" && c.Version != legacyVersion && !versionForm.MatchString(c.Version) {
		fault("version: use one like %s, or %s", defaultVersion, legacyVersion)
	}
	if c.URL != "" {
		if err := remote.CheckURL(c.URL, c.AllowPrivate); err != nil {
			fault("url: %w", err)
		} else if strings.Contains(c.URL, "?") {
			fault("url: must not hold a query (?)")
		}
	}
	switch {
	case c.Token == "" && c.OAuth == nil:
		fault("token: is missing: a service key, or the token of an app; or give oauth")
	case c.Token != "" && c.OAuth != nil:
		fault("oauth: is given beside token; keep one of them")
	case strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }):
		fault("token: holds a character that no token has")
	}
	if o := c.OAuth; o != nil {
		for _, f := range []struct{ key, value string }{
			{"client_id", o.ClientID}, {"client_secret", o.ClientSecret}, {"refresh_token", o.RefreshToken},
		} {
			if f.value == "" {
				fault("oauth: %s: is missing", f.key)
			}
		}
	}
	if c.PreviousSecret != "" && c.Secret == "" {
		fault("previous_secret: is of no use without secret")
	}
	for key, n := range map[string]float64{"calls_per_second": c.Calls, "searches_per_second": c.Searches} {
		if n < 0 || n > maxRate {
			fault("%s: use up to %d", key, maxRate)
		}
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		fault("timeout: use up to %v", maxTimeout)
	}
	return errors.Join(append(faults, c.Mapping.validate()...)...)
}

func (m Mapping) validate() (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("mapping: "+format, args...)) }
	if m.Stage != "" && m.Pipeline == "" {
		fault("pipeline: is missing: stage is one of it")
	}
	for _, id := range slices.Sorted(maps.Keys(m.Stages)) {
		if v := m.Stages[id]; v != intake.DealOpen && v != intake.DealWon && v != intake.DealLost {
			fault("stages: %s: use open, won or lost", id)
		}
	}
	for _, st := range slices.Sorted(maps.Keys(m.Ends)) {
		if !slices.Contains(ended, intake.Status(st)) {
			fault("ends: %s: use declined, expired, withdrawn or merged", st)
		}
		if m.Ends[st] == "" {
			fault("ends: %s: the stage is missing", st)
		}
	}
	if _, err := mail.ParseAddress(m.Owner); m.Owner != "" && err != nil {
		fault("owner: use the address of a user of HubSpot")
	}
	known := valueNames()
	for _, kind := range kinds() {
		for _, ours := range slices.Sorted(maps.Keys(m.Fields.of(kind))) {
			if !slices.Contains(known, ours) {
				fault("fields: %s: %s is none of %s", kind, ours, strings.Join(known, ", "))
			}
			if theirs := m.Fields.of(kind)[ours]; !free(kind, theirs) {
				fault("fields: %s: %s: %q is no property that can be filled", kind, ours, theirs)
			}
		}
		for _, p := range slices.Sorted(maps.Keys(m.Defaults.of(kind))) {
			if !propertyForm.MatchString(p) || strings.HasPrefix(p, prefix) {
				fault("defaults: %s: %q is no property that can be set", kind, p)
			}
		}
	}
	return faults
}

// free reports whether a property of a kind is none that is filled anyway.
func free(kind, property string) bool {
	return propertyForm.MatchString(property) && !strings.HasPrefix(property, prefix) && !slices.Contains(standard[kind], property)
}

// String shows the configuration without what is secret in it.
func (c Config) String() string {
	host := "?"
	if u, err := url.Parse(c.filled().URL); err == nil {
		host = u.Host
	}
	return fmt.Sprintf("hubspot %s at %s", c.Name, host)
}

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

// String hides what is secret.
func (OAuth) String() string { return "oauth" }

// GoString is String, so that %#v shows no secret either.
func (o OAuth) GoString() string { return o.String() }

// LogValue is String, for slog.
func (o OAuth) LogValue() slog.Value { return slog.StringValue(o.String()) }

// filled is c with its defaults.
func (c Config) filled() Config {
	if c.Version == "" {
		c.Version = defaultVersion
	}
	if c.URL == "" {
		c.URL = defaultURL
	}
	c.URL = strings.TrimRight(c.URL, "/")
	if c.Calls == 0 {
		c.Calls = 8
	}
	if c.Searches == 0 {
		c.Searches = 4
	}
	if c.Zone == nil {
		c.Zone = time.UTC
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
