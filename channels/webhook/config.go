package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/textproto"
	"regexp"
	"slices"
	"time"

	"leadgate/channels/payload"
	"leadgate/intake"
	"leadgate/intake/signature"
)

// Config describes one source. Secrets are resolved already: they hold the value, not the name
// of a file.
type Config struct {
	// Name is the end of the path, /hooks/NAME, and part of stored keys.
	Name   string           `yaml:"name"`
	Scheme signature.Scheme `yaml:"scheme"`
	Secret string           `yaml:"secret"`
	// PreviousSecret is good too, while the other side changes to Secret.
	PreviousSecret string `yaml:"previous_secret"`
	// Header holds the secret in the scheme bearer; Authorization if empty.
	Header string `yaml:"header"`
	// Tolerance is how old a signature may be; what the scheme says if 0.
	Tolerance time.Duration `yaml:"tolerance"`
	// MaxBody is the largest request in bytes, Rate how many there may be in a minute.
	MaxBody int64 `yaml:"max_body"`
	Rate    int   `yaml:"rate"`
	// Filter leads to values of which each must be one of those listed; what is something else
	// is answered and left.
	Filter map[string]payload.Pointers `yaml:"filter"`
	// Elements leads to a list of which each element is a payload of its own. A request that is
	// a list itself is always taken apart.
	Elements string `yaml:"elements"`
	// ID leads to what together names an event, and is the same when it is delivered again.
	// Without it the same payload is the same event, for 30 days.
	ID              payload.Pointers `yaml:"id"`
	payload.Mapping `yaml:",inline"`
	Meeting         Meeting `yaml:"meeting"`
}

// Meeting says where the payload of a booking has what.
type Meeting struct {
	// Event leads to what happened, Booked and Canceled are its values.
	Event    payload.Pointers `yaml:"event"`
	Booked   payload.Pointers `yaml:"booked"`
	Canceled payload.Pointers `yaml:"canceled"`
	// Moved leads to a truth: the cancellation is half of a new date.
	Moved payload.Pointers `yaml:"moved"`
	// UID leads to a name that a booking and its cancellation share, Start to a time (RFC
	// 3339), Attendees to the e-mail address of the prospect.
	UID       payload.Pointers `yaml:"uid"`
	Start     payload.Pointers `yaml:"start"`
	Title     payload.Pointers `yaml:"title"`
	Attendees payload.Pointers `yaml:"attendees"`
}

const (
	defaultMaxBody = 256 << 10
	limitMaxBody   = 1 << 20 // what the listener takes
	defaultRate    = 300
	maxTolerance   = time.Hour
	minSecret      = 16
)

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// Validate returns all faults at once, nil if there are none. Its words hold no secret.
func (c Config) Validate() error {
	faults := c.Mapping.Validate()
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if !nameForm.MatchString(c.Name) {
		fault("name: use lower-case letters, digits, - and _; it is the end of the address")
	}
	if !slices.Contains(signature.Schemes(), c.Scheme) {
		fault("scheme %q: want one of %v", c.Scheme, signature.Schemes())
	}
	for key, secret := range map[string]string{"secret": c.Secret, "previous_secret": c.PreviousSecret} {
		_, err := signature.StandardKey(secret)
		switch {
		case secret == "" && key == "secret":
			fault("secret: is missing: what the source signs with")
		case secret == "":
		case c.Scheme == signature.SchemeStandard && err != nil:
			fault("%s: %w", key, err)
		case len(secret) < minSecret:
			fault("%s: has fewer than %d characters", key, minSecret)
		}
	}
	if c.Header != "" && c.Scheme != signature.SchemeBearer {
		fault("header: only the scheme bearer has one to choose")
	}
	if c.Tolerance < 0 || c.Tolerance > maxTolerance {
		fault("tolerance: use up to %v", maxTolerance)
	}
	if c.MaxBody < 0 || c.MaxBody > limitMaxBody {
		fault("max_body: use up to %d", limitMaxBody)
	}
	if c.Rate < 0 {
		fault("rate: use 1 or more, a minute")
	}
	for _, at := range slices.Sorted(maps.Keys(c.Filter)) {
		if err := (payload.Pointers{at}).Check(); err != nil {
			fault("filter: %w", err)
		}
	}
	if err := (payload.Pointers{c.Elements}).Check(); err != nil {
		fault("elements: %w", err)
	}
	if err := c.ID.Check(); err != nil {
		fault("id: %w", err)
	}
	for key, p := range map[string]payload.Pointers{
		"event": c.Meeting.Event, "moved": c.Meeting.Moved, "uid": c.Meeting.UID, "start": c.Meeting.Start,
		"title": c.Meeting.Title, "attendees": c.Meeting.Attendees,
	} {
		if err := p.Check(); err != nil {
			fault("meeting.%s: %w", key, err)
		}
	}
	full := c.filled()
	if len(full.Fields) == 0 && len(full.Meeting.Event) == 0 {
		faults = append(faults, errors.New("fields: is missing: where the payload has the company, the contact and so on"))
	}
	if full.Partner == "" && len(full.PartnerPointer) == 0 {
		faults = append(faults, errors.New("partner: is missing: whose source it is; or give partner_pointer"))
	}
	return errors.Join(faults...)
}

// filled is the configuration with the defaults for what it leaves out, among them where
// Calendly has what.
func (c Config) filled() Config {
	c.Header = textproto.CanonicalMIMEHeaderKey(c.Header)
	if c.Header == "" {
		c.Header = "Authorization"
	}
	if c.Tolerance == 0 {
		c.Tolerance = signature.Of(c.Scheme).Tolerance
	}
	if c.MaxBody == 0 {
		c.MaxBody = defaultMaxBody
	}
	if c.Rate == 0 {
		c.Rate = defaultRate
	}
	if c.Scheme == signature.SchemeCalendly {
		c.Mapping = c.Mapping.WithDefaults(calendly.Mapping)
		if len(c.ID) == 0 {
			c.ID = calendly.ID
		}
		if len(c.Meeting.Event) == 0 {
			c.Meeting = calendly.Meeting
		}
	}
	return c
}

// calendly is where Calendly has what; the answers to the questions of the booking page are the
// operator's to map.
var calendly = Config{
	ID: payload.Pointers{"/event", "/payload/uri"},
	Mapping: payload.Mapping{
		PartnerPointer: payload.Pointers{"/payload/tracking/utm_content", "/payload/tracking/salesforce_uuid"},
		ProgramPointer: payload.Pointers{"/payload/tracking/utm_campaign"},
		Fields: map[intake.Field]payload.Pointers{
			"contact_name": {"/payload/name"}, "contact_email": {"/payload/email"},
		},
	},
	Meeting: Meeting{
		Event:  payload.Pointers{"/event"},
		Booked: payload.Pointers{"invitee.created"}, Canceled: payload.Pointers{"invitee.canceled"},
		Moved: payload.Pointers{"/payload/rescheduled"}, UID: payload.Pointers{"/payload/uri"},
		Start: payload.Pointers{"/payload/scheduled_event/start_time"}, Title: payload.Pointers{"/payload/scheduled_event/name"},
		Attendees: payload.Pointers{"/payload/email"},
	},
}

// verifier checks this source.
func (c Config) verifier() signature.Verifier {
	if c.Scheme == signature.SchemeBearer {
		return signature.Bearer(c.Header)
	}
	return signature.Of(c.Scheme)
}

func (c Config) secrets() []string {
	if c.PreviousSecret == "" {
		return []string{c.Secret}
	}
	return []string{c.Secret, c.PreviousSecret}
}

// SharesSecret reports whether two sources have a secret in common, the previous ones included,
// and what was signed for one would be good for the other. HubSpot signs the address too, and
// gives all sources of an app one secret.
func (c Config) SharesSecret(other Config) bool {
	if c.Scheme == signature.SchemeHubSpot && other.Scheme == signature.SchemeHubSpot {
		return false
	}
	own := c.keys()
	return slices.ContainsFunc(other.keys(), func(key string) bool { return slices.Contains(own, key) })
}

// keys are what the secrets stand for; none for one that is missing.
func (c Config) keys() []string {
	var all []string
	for _, secret := range c.secrets() {
		if key, err := signature.StandardKey(secret); c.Scheme == signature.SchemeStandard && err == nil {
			secret = string(key)
		}
		if secret != "" {
			all = append(all, secret)
		}
	}
	return all
}

// String shows the configuration without what is secret in it.
func (c Config) String() string { return fmt.Sprintf("source %s (%s)", c.Name, c.Scheme) }

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
