package slackbot

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"leadgate/channels/chat"
	"leadgate/intake"
	"leadgate/templates"
)

// Mode is the way in which Slack reaches us.
type Mode string

// The modes.
const (
	// ModeHTTP: Slack calls us, and signs what it sends.
	ModeHTTP Mode = "http"
	// ModeSocket: we keep a connection to Slack open. No public address is needed.
	ModeSocket Mode = "socket"
)

// Modes is the full set.
func Modes() []Mode { return []Mode{ModeHTTP, ModeSocket} }

// Cards says where the card of a case is kept.
type Cards string

// The places.
const (
	// CardsChannel: in the channel in which it was registered, if that belongs to one partner.
	CardsChannel Cards = "channel"
	// CardsDirect: in a direct message to who registered.
	CardsDirect Cards = "direct"
)

// Config is an app of Slack. Secrets are resolved already: they hold the value.
type Config struct {
	// Enabled has the app answer.
	Enabled bool `yaml:"enabled"`
	Mode    Mode `yaml:"mode"`
	// SigningSecret proves in ModeHTTP that a request is Slack's, AppToken (xapp-…) opens the
	// connection of ModeSocket.
	SigningSecret string `yaml:"signing_secret"`
	AppToken      string `yaml:"app_token"`
	// BotToken (xoxb-…) is that of the vendor's own workspace.
	BotToken string `yaml:"bot_token"`
	// ClientID and ClientSecret let partners install the app in their own workspaces; empty for
	// the vendor's alone.
	ClientID     string `yaml:"client_id"`
	ClientSecret string `yaml:"client_secret"`
	// Command is the slash command.
	Command string `yaml:"command"`
	// Fields are asked beside the least that a registration takes, and can be left empty.
	Fields []intake.Field `yaml:"fields"`
	Cards  Cards          `yaml:"cards"`
	// Locale is the language where that of the partner is not known.
	Locale string `yaml:"locale"`
	// Consent takes the place of what is agreed to, by language: en, de.
	Consent map[string]string `yaml:"consent"`
	Limits  Limits            `yaml:"limits"`
	Staff   Staff             `yaml:"staff"`
	// APIURL is where Slack's Web API is; https://slack.com/api/ if empty.
	APIURL string `yaml:"api_url"`
	// ResponseURL begins the addresses to which answers are posted.
	ResponseURL string `yaml:"response_url"`
}

// Limits bound what comes in.
type Limits struct {
	// UserHour is how many registrations one person can send in an hour, TeamHour how many all
	// of a workspace.
	UserHour int `yaml:"user_hour"`
	TeamHour int `yaml:"team_hour"`
}

// Staff are told of what waits for a decision in a channel of their own.
type Staff struct {
	// Channel is its id; empty for none.
	Channel string `yaml:"channel"`
	// Users may decide there: the id of a user and the name or address under which he is on the
	// list of staff.
	Users map[string]string `yaml:"users"`
}

const (
	apiURL      = "https://slack.com/api/"
	responseURL = "https://hooks.slack.com/"
	minSecret   = 16
)

// Default is what counts where nothing is said.
func Default() Config {
	return Config{
		Mode: ModeHTTP, Command: "/register", Cards: CardsChannel, Locale: "en",
		Limits: Limits{UserHour: 30, TeamHour: 300}, APIURL: apiURL, ResponseURL: responseURL,
	}
}

var (
	commandForm = regexp.MustCompile(`^/[a-z0-9_-]{1,31}$`)
	channelForm = regexp.MustCompile(`^[CG][A-Z0-9]{1,20}$`)
	userForm    = regexp.MustCompile(`^[UW][A-Z0-9]{1,20}$`)
)

// Validate returns all that is wrong, each as "key: what". Its words hold no secret.
func (c Config) Validate() error {
	if !c.Enabled {
		return nil
	}
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	switch c.Mode {
	case ModeHTTP:
		if len(c.SigningSecret) < minSecret {
			fault("signing_secret: is missing or too short: it stands on the page Basic Information of the app, and proves that a request is Slack's")
		}
	case ModeSocket:
		if !strings.HasPrefix(c.AppToken, "xapp-") {
			fault("app_token: want an app-level token, xapp-…, with the scope connections:write")
		}
	default:
		fault("mode %q: want one of %v", c.Mode, Modes())
	}
	if !strings.HasPrefix(c.BotToken, "xoxb-") {
		fault("bot_token: want the bot token of your own workspace, xoxb-…, from the page OAuth & Permissions")
	}
	if (c.ClientID == "") != (c.ClientSecret == "") {
		fault("client_id: installing takes client_id and client_secret, both or neither")
	}
	if !commandForm.MatchString(c.Command) {
		fault("command %q: want a slash and up to 31 lower-case letters, digits, - and _", c.Command)
	}
	for i, f := range c.Fields {
		if !slices.Contains(intake.Fields(), f) {
			fault("fields[%d]: %q is no field; want some of %v", i, f, intake.Fields())
		} else if slices.Contains(chat.Minimum(), f) {
			fault("fields[%d]: %q is always asked", i, f)
		}
	}
	if c.Cards != CardsChannel && c.Cards != CardsDirect {
		fault("cards %q: want %s or %s", c.Cards, CardsChannel, CardsDirect)
	}
	for lang, words := range c.Consent {
		if lang != templates.Language(lang) {
			fault("consent: there are no forms in %q; want en or de", lang)
		}
		if n := len([]rune(words)); n > maxLabel {
			fault("consent: the words in %s have %d characters; Slack shows up to %d", lang, n, maxLabel)
		}
	}
	if c.Limits.UserHour < 1 || c.Limits.TeamHour < c.Limits.UserHour {
		fault("limits: want user_hour of 1 or more, and team_hour no less than that")
	}
	if c.Staff.Channel != "" && !channelForm.MatchString(c.Staff.Channel) {
		fault("staff.channel: %q: want the id of a channel, like C024BE91L", c.Staff.Channel)
	}
	for id, name := range c.Staff.Users {
		if !userForm.MatchString(id) || name == "" {
			fault("staff.users: want the id of a user, like U024BE7LH, and a name of your list of staff; got %q: %q", id, name)
		}
	}
	if len(c.Staff.Users) > 0 && c.Staff.Channel == "" {
		fault("staff.users: nobody can decide without staff.channel")
	}
	for key, base := range map[string]string{"api_url": c.APIURL, "response_url": c.ResponseURL} {
		if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "https" && u.Hostname() != "127.0.0.1" || !strings.HasSuffix(base, "/") {
			fault("%s: %q: want an address that begins with https:// and ends with a slash", key, base)
		}
	}
	return errors.Join(faults...)
}
