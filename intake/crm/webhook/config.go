package webhook

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"leadgate/intake/crm/remote"
)

// Config is what an operator sets.
type Config struct {
	// Name is stored with each case and must not change afterwards.
	Name string `yaml:"name"`
	// URL takes the requests. Its path and query may be secret and are never logged.
	URL string `yaml:"url"`
	// Secret is the key that both sides hold: "whsec_" and 24 to 64 bytes in base64.
	Secret string `yaml:"secret"`
	// Timeout bounds one attempt; 15 s if not set.
	Timeout time.Duration `yaml:"timeout"`
	// AllowPrivate permits http:// and addresses of the local host and of private
	// networks. Link-local addresses, where clouds keep their credentials, stay refused.
	AllowPrivate bool `yaml:"allow_private"`
	// Now is the clock that dates attempts; time.Now if not set.
	Now func() time.Time `yaml:"-"`
}

const (
	defaultTimeout = 15 * time.Second
	maxTimeout     = 2 * time.Minute
	secretPrefix   = "whsec_"
)

// Validate returns all faults at once, nil if there are none. Its words hold no secret.
func (c Config) Validate() error {
	var faults []error
	if !nameForm.MatchString(c.Name) {
		faults = append(faults, errors.New("name: use lower-case letters, digits, - and _"))
	}
	if err := remote.CheckURL(c.URL, c.AllowPrivate); err != nil {
		faults = append(faults, fmt.Errorf("url: %w", err))
	}
	if _, err := decodeSecret(c.Secret); err != nil {
		faults = append(faults, fmt.Errorf("secret: %w", err))
	}
	if c.Timeout < 0 || c.Timeout > maxTimeout {
		faults = append(faults, fmt.Errorf("timeout: use up to %v", maxTimeout))
	}
	return errors.Join(faults...)
}

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)

// decodeSecret returns the key bytes of a "whsec_" secret.
func decodeSecret(s string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(s, secretPrefix)
	if !ok {
		return nil, errors.New(`must begin with "whsec_"`)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New(`what follows "whsec_" is not base64`)
	}
	if len(key) < 24 || len(key) > 64 {
		return nil, fmt.Errorf("holds %d bytes, must hold 24 to 64", len(key))
	}
	return key, nil
}

// String shows the configuration without what is secret in it.
func (c Config) String() string {
	host := "?"
	if u, err := url.Parse(c.URL); err == nil {
		host = u.Host
	}
	return fmt.Sprintf("webhook %s to %s", c.Name, host)
}

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }
