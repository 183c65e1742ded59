package tryton

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
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
	// URL is that of the server, "https://tryton.example.com"; Database is the name of its database.
	URL      string `yaml:"url"`
	Database string `yaml:"database"`
	// WebURL is that of the web client, for links; URL if not set.
	WebURL   string `yaml:"web_url"`
	User     string `yaml:"user"`
	Password string `yaml:"password"`
	// Timeout bounds one call; 20 s if not set.
	Timeout time.Duration `yaml:"timeout"`
	// AllowPrivate permits http:// and addresses of the local host and of private networks.
	AllowPrivate bool    `yaml:"allow_private"`
	Mapping      Mapping `yaml:"mapping"`
	// Now is the clock; time.Now if not set.
	Now func() time.Time `yaml:"-"`
}

// Mapping says what of ours is what there.
type Mapping struct {
	// Owner is the name of the employee who gets new opportunities; the user's own if not set.
	Owner string `yaml:"owner"`
	// Fields are further fields of text of the opportunity that are always written, by what is
	// written into them: a name of the sheet, "status", "partner", "problem". Theirs belong to a
	// module of the vendor's own.
	Fields map[string]string `yaml:"fields"`
	// Stages says of a state of the opportunity whether it is open, won or lost.
	Stages map[string]string `yaml:"stages"`
	// Defaults are values that a new opportunity gets, by their field.
	Defaults map[string]any `yaml:"defaults"`
}

const (
	maxTimeout = 40 * time.Second
	web        = "/#"
)

// outcomes is what the states of an opportunity mean if the mapping does not say otherwise.
var outcomes = map[string]string{
	"lead": intake.DealOpen, "opportunity": intake.DealOpen, "converted": intake.DealOpen,
	"won": intake.DealWon, "lost": intake.DealLost, "cancelled": intake.DealLost,
}

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	databaseForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)
	fieldForm    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
)

// Validate returns all faults at once, nil if there are none. Its words hold no secret.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if !nameForm.MatchString(c.Name) {
		fault("name: use lower-case letters, digits, - and _")
	}
	if err := remote.CheckURL(c.URL, c.AllowPrivate); err != nil {
		fault("url: %w", err)
	} else if strings.ContainsAny(c.URL, "?") {
		fault("url: must not hold a query (?)")
	}
	if u, err := url.Parse(c.WebURL); c.WebURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		fault("web_url: is not an absolute URL")
	}
	if !databaseForm.MatchString(c.Database) {
		fault("database: use letters, digits, ., - and _")
	}
	if c.User == "" {
		fault("user: is missing")
	}
	if c.Password == "" {
		fault("password: is missing")
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		fault("timeout: use up to %v", maxTimeout)
	}
	return errors.Join(append(faults, c.Mapping.validate()...)...)
}

func (m Mapping) validate() (faults []error) {
	known := sheetNames()
	for _, ours := range slices.Sorted(maps.Keys(m.Fields)) {
		if !slices.Contains(known, ours) {
			faults = append(faults, fmt.Errorf("mapping: fields: %s is none of %s", ours, strings.Join(known, ", ")))
		}
		if theirs := m.Fields[ours]; !fieldForm.MatchString(theirs) || slices.Contains(managed, theirs) {
			faults = append(faults, fmt.Errorf("mapping: fields: %s: %q is no field that can be written", ours, theirs))
		}
	}
	for _, state := range slices.Sorted(maps.Keys(m.Stages)) {
		if v := m.Stages[state]; v != intake.DealOpen && v != intake.DealWon && v != intake.DealLost {
			faults = append(faults, fmt.Errorf("mapping: stages: %s: use open, won or lost", state))
		}
	}
	for _, f := range slices.Sorted(maps.Keys(m.Defaults)) {
		if !fieldForm.MatchString(f) || f == "reference" || f == "company" {
			faults = append(faults, fmt.Errorf("mapping: defaults: %q is no field that can be set", f))
		}
	}
	return faults
}

// managed are the fields of the opportunity that no mapping may write.
var managed = []string{"id", "number", "reference", "party", "contact", "company", "employee", "amount", "description", "state", "comment"}

// String shows the configuration without what is secret in it.
func (c Config) String() string {
	host := "?"
	if u, err := url.Parse(c.URL); err == nil {
		host = u.Host
	}
	return fmt.Sprintf("tryton %s: %s at %s", c.Name, c.Database, host)
}

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
