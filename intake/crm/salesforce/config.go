package salesforce

import (
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"leadgate/intake"
	"leadgate/intake/crm/remote"
)

// Config is what an operator sets.
type Config struct {
	// Name is stored with each case and must not change afterwards.
	Name string `yaml:"name"`
	// LoginURL is the org's My Domain: "https://northwind.my.salesforce.com".
	LoginURL string `yaml:"login_url"`
	// ClientID is the consumer key of the External Client App. With ClientSecret it logs in by
	// client credentials, with PrivateKey and Username by JWT bearer.
	ClientID     string `yaml:"client_id"`
	ClientSecret string `yaml:"client_secret"`
	// PrivateKey is an RSA key in PEM, whose certificate the app holds.
	PrivateKey string `yaml:"private_key"`
	Username   string `yaml:"username"`
	// Audience is for whom the JWT is: https://login.salesforce.com if not set, for sandboxes
	// https://test.salesforce.com.
	Audience string `yaml:"audience"`
	// APIVersion is that of the paths: "68.0".
	APIVersion string `yaml:"api_version"`
	// Timeout bounds one call; 20 s if not set.
	Timeout time.Duration `yaml:"timeout"`
	// AllowPrivate permits http:// and addresses of private networks.
	AllowPrivate bool `yaml:"allow_private"`
	// Opportunity says for which registrations there is one: always, approved or never.
	Opportunity string `yaml:"opportunity"`
	// Stage is the StageName with which an opportunity begins, CloseAfter when it closes unless
	// somebody knows better; 90 days if not set.
	Stage      string        `yaml:"stage"`
	CloseAfter time.Duration `yaml:"close_after"`
	// Currency is the org's (EUR), or multi if it has several; without it amounts are neither
	// written nor read.
	Currency string `yaml:"currency"`
	// Tasks says that what partners write is also put into the opportunity's activities.
	Tasks   bool    `yaml:"tasks"`
	Mapping Mapping `yaml:"mapping"`
	Hook    Hook    `yaml:"hook"`
	// Now is the clock; time.Now if not set.
	Now func() time.Time `yaml:"-"`
}

// Mapping fits the org. Keys are names of ours, fields are API names of theirs.
type Mapping struct {
	// Account, Contact, Opportunity and Registration are further fields that are written, by
	// fields of a lead and by "partner", "partner_name", "program" and "case".
	Account      map[string]string `yaml:"account"`
	Contact      map[string]string `yaml:"contact"`
	Opportunity  map[string]string `yaml:"opportunity"`
	Registration map[string]string `yaml:"registration"`
	// Defaults are values of fields that the org requires, by object and field; they are written
	// when a record is made.
	Defaults map[string]map[string]string `yaml:"defaults"`
	// Stages say what a StageName means: open, won or lost; the org says it of the others.
	Stages map[string]string `yaml:"stages"`
	// Owner is the id of the user to whom new records belong, Owners by partner.
	Owner  string            `yaml:"owner"`
	Owners map[string]string `yaml:"owners"`
}

// Hook takes outbound messages in. It is off without a token.
type Hook struct {
	// Token is what ?token= of the URL has to be, 16 characters or more.
	Token string `yaml:"token"`
	// Organization is the id of the org that may call.
	Organization string `yaml:"organization"`
}

// The values of Config.Opportunity.
const (
	OpportunityAlways   = "always"
	OpportunityApproved = "approved"
	OpportunityNever    = "never"
)

const (
	defaultVersion    = "68.0"
	defaultStage      = "Prospecting"
	defaultAudience   = "https://login.salesforce.com"
	defaultCloseAfter = 90 * 24 * time.Hour
	maxTimeout        = 2 * time.Minute
	currencyMulti     = "multi"
)

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	versionForm  = regexp.MustCompile(`^[0-9]{2,3}\.0$`)
	apiName      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,79}$`)
	currencyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

func (c Config) withDefaults() Config {
	set := func(v *string, to string) {
		if *v == "" {
			*v = to
		}
	}
	set(&c.APIVersion, defaultVersion)
	set(&c.Opportunity, OpportunityAlways)
	set(&c.Stage, defaultStage)
	set(&c.Audience, defaultAudience)
	if c.CloseAfter == 0 {
		c.CloseAfter = defaultCloseAfter
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.LoginURL = strings.TrimSuffix(c.LoginURL, "/")
	return c
}

// Validate returns all faults at once, nil if there are none. Its words hold no secret.
func (c Config) Validate() error {
	c = c.withDefaults()
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if !nameForm.MatchString(c.Name) {
		fault("name: use lower-case letters, digits, - and _")
	}
	if err := remote.CheckURL(c.LoginURL, c.AllowPrivate); err != nil {
		fault("login_url: %w", err)
	} else if u, _ := url.Parse(c.LoginURL); u.Path != "" || u.RawQuery != "" {
		fault("login_url: give the host alone, as in https://northwind.my.salesforce.com")
	}
	if c.ClientID == "" {
		fault("client_id: is missing: the consumer key of the External Client App")
	}
	faults = append(faults, c.validateLogin()...)
	if !versionForm.MatchString(c.APIVersion) {
		fault("api_version: %q is not like 68.0", c.APIVersion)
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		fault("timeout: use up to %v", maxTimeout)
	}
	if !slices.Contains([]string{OpportunityAlways, OpportunityApproved, OpportunityNever}, c.Opportunity) {
		fault("opportunity: %q is none of always, approved, never", c.Opportunity)
	}
	if c.CloseAfter < 0 {
		fault("close_after: use a time like 2160h")
	}
	if c.Currency != "" && c.Currency != currencyMulti && !currencyForm.MatchString(c.Currency) {
		fault("currency: %q is neither a code like EUR nor multi", c.Currency)
	}
	faults = append(faults, c.Mapping.validate()...)
	if c.Hook.Token != "" && len(c.Hook.Token) < 16 {
		fault("hook.token: use 16 characters or more")
	}
	if c.Hook.Token != "" && !isID(c.Hook.Organization) {
		fault("hook.organization: is missing: the id of the org, 00D and 12 or 15 characters more")
	}
	return errors.Join(faults...)
}

// validateLogin finds out whether there is one way to log in.
func (c Config) validateLogin() (faults []error) {
	switch {
	case c.ClientSecret != "" && (c.LoginURL == "https://login.salesforce.com" || c.LoginURL == "https://test.salesforce.com"):
		// https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_client_credentials_flow.htm
		return []error{errors.New("login_url: with client_secret Salesforce takes only the org's own address (My Domain), as in https://northwind.my.salesforce.com")}
	case c.ClientSecret != "" && c.PrivateKey != "":
		return []error{errors.New("client_secret: is given beside private_key; keep one of them")}
	case c.ClientSecret == "" && c.PrivateKey == "":
		return []error{errors.New("client_secret: is missing; or give private_key and username")}
	case c.ClientSecret != "":
		return nil
	}
	if _, err := c.key(); err != nil {
		faults = append(faults, errors.New("private_key: is not an RSA key in PEM of 2048 bits or more"))
	}
	if c.Username == "" {
		faults = append(faults, errors.New("username: is missing: who the gateway is in Salesforce"))
	}
	if err := remote.CheckURL(c.Audience, c.AllowPrivate); err != nil {
		faults = append(faults, fmt.Errorf("audience: %w", err))
	}
	return faults
}

func (c Config) key() (*rsa.PrivateKey, error) {
	k, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(c.PrivateKey))
	if err == nil && k.N.BitLen() < 2048 {
		err = errors.New("too short")
	}
	return k, err
}

func (m Mapping) validate() (faults []error) {
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf("mapping."+format, a...)) }
	for _, part := range m.parts() {
		for _, ours := range slices.Sorted(maps.Keys(part.fields)) {
			if !slices.Contains(extraNames(), ours) {
				fault("%s.%s: is no field; known: %s", part.key, ours, strings.Join(extraNames(), ", "))
			}
			if theirs := part.fields[ours]; !apiName.MatchString(theirs) {
				fault("%s.%s: %q is no API name of a field", part.key, ours, theirs)
			}
		}
	}
	for _, object := range slices.Sorted(maps.Keys(m.Defaults)) {
		if !slices.Contains([]string{objAccount, objContact, objOpportunity, objRegistration}, object) {
			fault("defaults.%s: is none of Account, Contact, Opportunity, Partner_Registration__c", object)
		}
		for _, f := range slices.Sorted(maps.Keys(m.Defaults[object])) {
			if !apiName.MatchString(f) {
				fault("defaults.%s.%s: is no API name of a field", object, f)
			}
		}
	}
	for _, s := range slices.Sorted(maps.Keys(m.Stages)) {
		if !slices.Contains([]string{intake.DealOpen, intake.DealWon, intake.DealLost}, m.Stages[s]) {
			fault("stages.%s: %q is none of open, won, lost", s, m.Stages[s])
		}
	}
	if m.Owner != "" && !isID(m.Owner) {
		fault("owner: %q is no id of a user", m.Owner)
	}
	for _, p := range slices.Sorted(maps.Keys(m.Owners)) {
		if !isID(m.Owners[p]) {
			fault("owners.%s: %q is no id of a user", p, m.Owners[p])
		}
	}
	return faults
}

// mapped are the further fields of an object.
type mapped struct {
	key, object string
	fields      map[string]string
}

func (m Mapping) parts() []mapped {
	return []mapped{
		{"account", objAccount, m.Account},
		{"contact", objContact, m.Contact},
		{"opportunity", objOpportunity, m.Opportunity},
		{"registration", objRegistration, m.Registration},
	}
}

// String shows the configuration without what is secret in it.
func (c Config) String() string { return fmt.Sprintf("salesforce %s at %s", c.Name, c.LoginURL) }

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
