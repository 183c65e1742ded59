package captcha

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Kind is a kind of provider.
type Kind string

// The kinds.
const (
	KindAltcha              Kind = "altcha" // work for the visitor's machine, without anybody else
	KindRecaptchaV2         Kind = "recaptcha-v2"
	KindRecaptchaV3         Kind = "recaptcha-v3"
	KindRecaptchaEnterprise Kind = "recaptcha-enterprise"
	KindTurnstile           Kind = "turnstile"
	KindHCaptcha            Kind = "hcaptcha"
	KindFriendly            Kind = "friendly"
	KindOff                 Kind = "off" // no captcha; for pages that the machine alone reaches
)

// Kinds is the full set.
func Kinds() []Kind {
	return []Kind{KindAltcha, KindRecaptchaV2, KindRecaptchaV3, KindRecaptchaEnterprise, KindTurnstile, KindHCaptcha, KindFriendly, KindOff}
}

// OnOutage is what becomes of submissions while the provider can't be asked.
type OnOutage string

// The ways through an outage.
const (
	OutageConfirm OnOutage = "confirm" // taken in, and held until the sender confirms by mail
	OutageClosed  OnOutage = "closed"  // not taken in for now
	OutageOpen    OnOutage = "open"    // taken in as if they had passed
)

// WithoutToken is what becomes of submissions without a token.
type WithoutToken string

// The ways for those whose browser runs no scripts.
const (
	TokenlessConfirm WithoutToken = "confirm"
	TokenlessRefuse  WithoutToken = "refuse"
)

// Config is what an operator sets. Secrets are resolved already: they hold the value, not the
// name of a file.
type Config struct {
	// Provider is altcha if empty.
	Provider Kind   `yaml:"provider"`
	SiteKey  string `yaml:"site_key"`
	// Secret is the secret of siteverify, or the API key of Enterprise and Friendly Captcha.
	// ALTCHA has none: its key is the gateway's own.
	Secret string `yaml:"secret"`
	// Project is the Google Cloud project of Enterprise.
	Project string `yaml:"project"`
	// Hostnames are the hosts of pages on which a token may be made: ours, as browsers see it.
	// Not for ALTCHA.
	Hostnames []string `yaml:"hostnames"`
	// Action is what tokens are made for; register if empty. For reCAPTCHA v3 and Enterprise
	// and Turnstile.
	Action string `yaml:"action"`
	// MinScore is the score of reCAPTCHA v3 and Enterprise below which a submission has to be
	// confirmed; 0.5 if 0.
	MinScore float64 `yaml:"min_score"`
	// URL is the origin that the gateway asks, the provider's own if empty: also
	// https://www.recaptcha.net and https://eu.frcapi.com.
	URL string `yaml:"url"`
	// WidgetURL is the origin that browsers load reCAPTCHA from, or that the widget of Friendly
	// Captcha asks; the provider's own if empty, or URL if that is one of the two above.
	WidgetURL string `yaml:"widget_url"`
	// Timeout bounds one question; 4 s if 0.
	Timeout time.Duration `yaml:"timeout"`
	// MaxNumber is how much work ALTCHA gives at most, in hashes; 50,000 if 0, which takes a
	// telephone a second or two.
	MaxNumber int64 `yaml:"max_number"`
	// OnOutage is confirm if empty, WithoutToken as well.
	OnOutage     OnOutage     `yaml:"on_outage"`
	WithoutToken WithoutToken `yaml:"without_token"`
	// TestKeys allows the keys that providers publish for tests, with which robots pass, and
	// Hostnames to be empty.
	TestKeys bool `yaml:"test_keys"`
}

// Reach is who reaches the pages.
type Reach string

// The reaches.
const (
	Public   Reach = "public"
	Loopback Reach = "loopback" // this machine alone
)

const (
	defaultTimeout = 4 * time.Second
	// maxTimeout keeps a visitor from waiting for more than five seconds in all.
	maxTimeout       = 4500 * time.Millisecond
	defaultAction    = "register"
	defaultScore     = 0.5
	defaultMaxNumber = 50_000
	maxMaxNumber     = 10_000_000
)

// withDefaults returns a copy in which every default is filled in.
func (c Config) withDefaults() Config {
	c.Provider = cmp.Or(c.Provider, KindAltcha)
	k := kinds[c.Provider]
	c.URL = strings.TrimSuffix(cmp.Or(c.URL, k.url), "/")
	if k.widgetURL != "" && slices.Contains(alternatives, c.URL) {
		c.WidgetURL = cmp.Or(c.WidgetURL, c.URL) // who asks in Europe does not mean to show elsewhere
	}
	c.WidgetURL = strings.TrimSuffix(cmp.Or(c.WidgetURL, k.widgetURL), "/")
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.OnOutage = cmp.Or(c.OnOutage, OutageConfirm)
	c.WithoutToken = cmp.Or(c.WithoutToken, TokenlessConfirm)
	if k.action {
		c.Action = cmp.Or(c.Action, defaultAction)
	}
	if k.score {
		c.MinScore = cmp.Or(c.MinScore, defaultScore)
	}
	if c.Provider == KindAltcha {
		c.MaxNumber = cmp.Or(c.MaxNumber, defaultMaxNumber)
	}
	hosts := make([]string, len(c.Hostnames))
	for i, h := range c.Hostnames {
		hosts[i] = plainHost(h)
	}
	c.Hostnames = hosts
	return c
}

// kinds says where a provider is and which settings are its own.
var kinds = map[Kind]struct {
	url, widgetURL                 string
	remote, project, action, score bool
}{
	KindAltcha:              {},
	KindOff:                 {},
	KindRecaptchaV2:         {url: "https://www.google.com", widgetURL: "https://www.google.com", remote: true},
	KindRecaptchaV3:         {url: "https://www.google.com", widgetURL: "https://www.google.com", remote: true, action: true, score: true},
	KindRecaptchaEnterprise: {url: "https://recaptchaenterprise.googleapis.com", widgetURL: "https://www.google.com", remote: true, project: true, action: true, score: true},
	KindTurnstile:           {url: "https://challenges.cloudflare.com", remote: true, action: true},
	KindHCaptcha:            {url: "https://api.hcaptcha.com", remote: true},
	KindFriendly:            {url: "https://global.frcapi.com", widgetURL: "https://global.frcapi.com", remote: true},
}

// alternatives are origins of providers that answer us and browsers alike.
var alternatives = []string{"https://www.recaptcha.net", "https://eu.frcapi.com"}

// faults collects everything that is wrong with a configuration.
type faults []error

func (f *faults) addf(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

// Validate returns all faults of a captcha for pages of that reach, each with the key that it
// is about. No secret is in their words.
func (c Config) Validate(r Reach) []error {
	c = c.withDefaults()
	var f faults
	k, known := kinds[c.Provider]
	if !known {
		f.addf("provider %q: is none of %v", c.Provider, Kinds())
		return f // what else belongs to it nobody knows
	}
	if c.Provider == KindOff && r != Loopback {
		f.addf("provider \"off\": is for pages that this machine alone reaches; altcha needs no account and no third party")
	}
	if k.remote {
		c.validateKeys(&f)
		c.validateHostnames(&f)
	}
	c.validateOwn(&f)
	c.validateForeign(&f)
	if !slices.Contains([]OnOutage{OutageConfirm, OutageClosed, OutageOpen}, c.OnOutage) {
		f.addf("on_outage %q: want confirm, closed or open", c.OnOutage)
	}
	if c.WithoutToken != TokenlessConfirm && c.WithoutToken != TokenlessRefuse {
		f.addf("without_token %q: want confirm or refuse", c.WithoutToken)
	}
	return f
}

func (c Config) validateKeys(f *faults) {
	for _, key := range []struct{ name, value, where string }{
		{"site_key", c.SiteKey, "the public key"},
		{"secret", c.Secret, "the key that belongs to site_key and that nobody else may know"},
	} {
		switch {
		case key.value == "":
			f.addf("%s: is missing: %s, from the provider's console", key.name, key.where)
		case !printable(key.value):
			f.addf("%s: has blanks or signs that no key has; copy it again", key.name)
		case isTestKey(key.value) && !c.TestKeys:
			f.addf("%s: is one that the provider publishes for tests, with which every robot passes; use your own, or set test_keys: true", key.name)
		}
	}
	if c.TestKeys && !isTestKey(c.SiteKey) && !isTestKey(c.Secret) {
		f.addf("test_keys: the keys are none that a provider publishes for tests, so that all checks can be made; remove it")
	}
	if c.SiteKey != "" && c.SiteKey == c.Secret {
		f.addf("secret: is the same as site_key, which everybody can read in the page")
	}
}

func (c Config) validateHostnames(f *faults) {
	if len(c.Hostnames) == 0 && !c.TestKeys {
		f.addf("hostnames: is missing: the hosts that the form is shown on, such as [partners.vendor.example]; tokens of other sites are refused")
	}
	for i, h := range c.Hostnames {
		if !hostForm.MatchString(h) {
			if _, err := netip.ParseAddr(h); err != nil {
				f.addf("hostnames[%d] %q: want a host without scheme, port and path, such as partners.vendor.example", i, h)
			}
		}
	}
}

// validateOwn looks at the settings that a provider has.
func (c Config) validateOwn(f *faults) {
	k := kinds[c.Provider]
	if k.project && !projectForm.MatchString(c.Project) {
		f.addf("project %q: want the id of the Google Cloud project, such as my-project-123", c.Project)
	}
	if k.action && !actionForm.MatchString(c.Action) {
		f.addf("action %q: want up to 32 letters, digits and _", c.Action)
	}
	if k.score && !(c.MinScore >= 0 && c.MinScore <= 1) { // nor is it no number
		f.addf("min_score: want 0 to 1, not %v", c.MinScore)
	}
	if c.Provider == KindAltcha && (c.MaxNumber < 1000 || c.MaxNumber > maxMaxNumber) {
		f.addf("max_number %d: want 1000 to %d", c.MaxNumber, maxMaxNumber)
	}
	if !k.remote {
		return
	}
	if err := checkOrigin(c.URL); err != "" {
		f.addf("url %q: %s", shownURL(c.URL), err)
	}
	if err := checkOrigin(c.WidgetURL); err != "" && k.widgetURL != "" {
		f.addf("widget_url %q: %s", shownURL(c.WidgetURL), err)
	}
	if c.Timeout < 100*time.Millisecond || c.Timeout > maxTimeout {
		f.addf("timeout %s: want 100ms to %s", c.Timeout, maxTimeout)
	}
}

// validateForeign looks for settings that the provider does nothing with: who set them
// believes in a check that is not made.
func (c Config) validateForeign(f *faults) {
	k := kinds[c.Provider]
	for _, s := range []struct {
		key   string
		given bool
		has   bool
	}{
		{"site_key", c.SiteKey != "", k.remote},
		{"secret", c.Secret != "", k.remote},
		{"hostnames", len(c.Hostnames) > 0, k.remote},
		{"url", c.URL != "", k.remote},
		{"widget_url", c.WidgetURL != "", k.widgetURL != ""},
		{"project", c.Project != "", k.project},
		{"action", c.Action != "", k.action},
		{"min_score", c.MinScore != 0, k.score},
		{"max_number", c.MaxNumber != 0, c.Provider == KindAltcha},
		{"test_keys", c.TestKeys, k.remote},
	} {
		if s.given && !s.has {
			f.addf("%s: does nothing with %s; remove it", s.key, c.Provider)
		}
	}
}

// Warnings returns what is no fault and yet worth a second look, each with its key.
func (c Config) Warnings() []string {
	c = c.withDefaults()
	var warnings []string
	if c.TestKeys {
		warnings = append(warnings, "test_keys: every robot passes; not for production")
	}
	if c.OnOutage == OutageOpen && kinds[c.Provider].remote {
		warnings = append(warnings, "on_outage: while the provider is down, or our keys are wrong, every robot passes")
	}
	if c.Provider == KindOff {
		warnings = append(warnings, "provider: there is no captcha")
	}
	return warnings
}

// String shows the configuration without what is secret in it.
func (c Config) String() string { return "captcha " + string(cmp.Or(c.Provider, KindAltcha)) }

// GoString is String, so that %#v shows no secret either.
func (c Config) GoString() string { return c.String() }

// LogValue is String, for slog.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

var (
	hostForm    = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$`)
	projectForm = regexp.MustCompile(`^([a-z0-9.-]+:)?[a-z0-9][a-z0-9-]{4,62}$`)
	actionForm  = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)
)

// testKeys are the keys that providers publish, with which a check is none.
var testKeys = regexp.MustCompile(`^(6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ_MXjiZKhI|6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe|` + // reCAPTCHA
	`[123]x0{16,}(AA|AB|BB|FF)|` + // Turnstile
	`[123]0000000-ffff-ffff-ffff-00000000000[123]|0x0{40})$`) // hCaptcha

func isTestKey(key string) bool { return testKeys.MatchString(key) }

// plainHost is a host as it is compared.
func plainHost(h string) string { return strings.TrimSuffix(strings.ToLower(h), ".") }

// printable reports whether s has printable ASCII alone, without blanks.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}

// checkOrigin says what is wrong with an origin, or "". The secret is sent there, so that only
// this machine may be asked in the clear, where tests and proxies run.
func checkOrigin(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return "want an origin such as https://www.recaptcha.net"
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return "want an origin without user, path and query, such as https://www.recaptcha.net"
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return ""
	}
	return "must begin with https://, because the secret is sent there"
}

// shownURL is an address without what may be secret in it.
func shownURL(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "?"
	}
	return u.Redacted()
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
