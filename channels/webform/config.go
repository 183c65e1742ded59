package webform

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"leadgate/channels/pages"
	"leadgate/channels/webform/captcha"
	"leadgate/intake"
)

// Config is what an operator sets of the form.
type Config struct {
	// Enabled has the form at /register.
	Enabled bool `yaml:"enabled"`
	// Fields are those that are asked beside the ones that the policy requires, in their order;
	// DefaultFields if left out.
	Fields []intake.Field `yaml:"fields"`
	// Products are the choices of product_interest; free words if there are none.
	Products []string       `yaml:"products"`
	Captcha  captcha.Config `yaml:"captcha"`
	Limits   Limits         `yaml:"limits"`
	// EmbedOrigins are the sites that may show the form in a frame, beside those of a partner
	// whose signed link it is: https://portal.partner.example.
	EmbedOrigins []string `yaml:"embed_origins"`
	// PostOrigins are the sites whose own forms may be sent here.
	PostOrigins []string `yaml:"post_origins"`
	Meeting     Meeting  `yaml:"meeting"`
	// Texts replace the words of the page, by language.
	Texts map[string]Texts `yaml:"texts"`
}

// Limits bound what comes in. Zero values are those of DefaultLimits.
type Limits struct {
	// Minute is how often one visitor can send the form within a minute.
	Minute int `yaml:"minute"`
	// PartnerHour is how many submissions are taken in for one partner's domain within an
	// hour, Hour for all.
	PartnerHour int `yaml:"partner_hour"`
	Hour        int `yaml:"hour"`
	// Busy is how many submissions are worked on at a time; more are told to come back.
	Busy int `yaml:"busy"`
}

// DefaultLimits are far above what people do.
func DefaultLimits() Limits { return Limits{Minute: 10, PartnerHour: 60, Hour: 1000, Busy: 128} }

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, v := range []struct{ set, def *int }{{&l.Minute, &d.Minute}, {&l.PartnerHour, &d.PartnerHour}, {&l.Hour, &d.Hour}, {&l.Busy, &d.Busy}} {
		if *v.set == 0 {
			*v.set = *v.def
		}
	}
	return l
}

// DefaultFields are asked beside the required ones, and can be left empty.
func DefaultFields() []intake.Field {
	return []intake.Field{
		intake.FieldCountry, intake.FieldContactName, intake.FieldContactRole, intake.FieldContactPhone,
		intake.FieldStage, intake.FieldProductInterest, intake.FieldTargetRevenue,
	}
}

// Meeting is where visitors are sent to book a meeting, once the form is sent.
type Meeting struct {
	// URL is the scheduling page; empty for none.
	URL string `yaml:"url"`
	// Prefill names, for each parameter of that page, what it gets: one of MeetingValues.
	Prefill map[string]string `yaml:"prefill"`
}

// MeetingValues is the full set of what a scheduling page can be given.
func MeetingValues() []string {
	return []string{"email", "name", "first_name", "last_name", "company", "case", "reference"}
}

// Texts are the operator's own words; empty for ours.
type Texts struct {
	Title string `yaml:"title"`
	Intro string `yaml:"intro"`
	// Consent is what the visitor agrees to. It is kept with each registration, word for word.
	Consent string `yaml:"consent"`
	Done    string `yaml:"done"`
}

const maxTexts = 2000

// Validate returns what is wrong with a configuration, each error with its key. reach is who
// reaches the pages.
func (c Config) Validate(reach captcha.Reach) []error {
	if !c.Enabled {
		return nil
	}
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	for i, f := range c.Fields {
		switch {
		case !slices.Contains(intake.Fields(), f):
			fault("fields[%d]: %q is none of %v", i, f, intake.Fields())
		case slices.Index(c.Fields, f) < i:
			fault("fields[%d]: %q is there twice", i, f)
		}
	}
	for i, p := range c.Products {
		if strings.TrimSpace(p) == "" || strings.Contains(p, strings.TrimSpace(intake.ListSeparator)) {
			fault("products[%d]: %q is not one name", i, p)
		}
	}
	for _, err := range c.Captcha.Validate(reach) {
		fault("captcha.%w", err)
	}
	l := c.Limits.withDefaults()
	for key, n := range map[string]int{"minute": l.Minute, "partner_hour": l.PartnerHour, "hour": l.Hour, "busy": l.Busy} {
		if n < 1 {
			fault("limits.%s: %d: want 1 or more", key, n)
		}
	}
	for key, list := range map[string][]string{"embed_origins": c.EmbedOrigins, "post_origins": c.PostOrigins} {
		for i, o := range list {
			if !isOrigin(o) {
				fault("%s[%d]: %q is not an origin like https://portal.partner.example", key, i, o)
			}
		}
	}
	faults = append(faults, c.Meeting.validate()...)
	for lang, t := range c.Texts {
		if !slices.Contains(pages.Languages(), lang) {
			fault("texts.%s: is none of %v", lang, pages.Languages())
		}
		for _, words := range []string{t.Title, t.Intro, t.Consent, t.Done} {
			if len(words) > maxTexts {
				fault("texts.%s: a text has %d bytes; %d are enough", lang, len(words), maxTexts)
			}
		}
	}
	return faults
}

func (m Meeting) validate() []error {
	var faults []error
	if m.URL != "" {
		if u, err := url.Parse(m.URL); err != nil || u.Scheme != "https" || u.Host == "" {
			faults = append(faults, fmt.Errorf("meeting.url: %q is not a URL like https://meetings.vendor.example/discovery", m.URL))
		}
	}
	if m.URL == "" && len(m.Prefill) > 0 {
		faults = append(faults, fmt.Errorf("meeting.prefill: is for a meeting.url; set it too"))
	}
	for parameter, value := range m.Prefill {
		if !slices.Contains(MeetingValues(), value) {
			faults = append(faults, fmt.Errorf("meeting.prefill.%s: %q is none of %v", parameter, value, MeetingValues()))
		}
	}
	return faults
}

func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && s == u.Scheme+"://"+u.Host && !strings.ContainsAny(s, "*;, '\"")
}
