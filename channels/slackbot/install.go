package slackbot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/slack-go/slack"
)

// Secrets keep the tokens of the workspaces that have installed the app.
type Secrets interface {
	// Recall returns what was kept under a name, "" if there is nothing. Keep replaces it.
	Recall(ctx context.Context, name string) (string, error)
	Keep(ctx context.Context, name, secret string) error
}

// Memory keeps in which message a case is shown. Its methods are those of Secrets.
type Memory = Secrets

// Installation is the app in one workspace, or in all of an organisation, whose Team is then "".
type Installation struct {
	Enterprise string `json:"enterprise,omitempty"`
	Team       string `json:"team,omitempty"`
	Token      string `json:"token"`
	Bot        string `json:"bot,omitempty"` // user id
	// Disabled says why it is no good any more, "" if it is.
	Disabled string    `json:"disabled,omitempty"`
	At       time.Time `json:"at,omitzero"`
	// home says that it is the vendor's own workspace.
	home bool
}

// errNotInstalled says that the app is not in a workspace, or not any more.
var errNotInstalled = errors.New("the app is not installed in the workspace, or was removed from it")

func installationName(enterprise, team string) string {
	return "slack-installation-" + enterprise + "-" + team
}

// homeName is under what is kept whether the configured token was taken back. A new token begins
// anew.
func (b *Bot) homeName() string {
	sum := sha256.Sum256([]byte(b.cfg.BotToken))
	return "slack-installation-home-" + hex.EncodeToString(sum[:12])
}

// home is the vendor's own workspace. Its id is known once Slack was asked.
func (b *Bot) home(ctx context.Context) (Installation, error) {
	i := Installation{Token: b.cfg.BotToken, home: true}
	kept, err := b.secrets.Recall(ctx, b.homeName())
	if err != nil {
		return i, err
	}
	if kept != "" {
		if err := json.Unmarshal([]byte(kept), &i); err != nil {
			return i, fmt.Errorf("the installation at home: %w", err)
		}
		i.Token, i.home = b.cfg.BotToken, true
	}
	return i, nil
}

func (b *Bot) keepHome(ctx context.Context, i Installation) error {
	i.Token = "" // it stands in the configuration
	text, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return b.secrets.Keep(ctx, b.homeName(), string(text))
}

// installation returns the app in a workspace; errNotInstalled. As long as nobody could ask Slack
// which one is home, every workspace without an installation of its own is.
func (b *Bot) installation(ctx context.Context, enterprise, team string) (Installation, error) {
	home, err := b.home(ctx)
	if err != nil {
		return home, err
	}
	if team == "" || home.Team == team {
		return home, home.usable()
	}
	for _, name := range []string{installationName(enterprise, team), installationName("", team), installationName(enterprise, "")} {
		if name == installationName("", "") {
			continue
		}
		kept, err := b.secrets.Recall(ctx, name)
		if err != nil {
			return Installation{}, err
		}
		if kept == "" {
			continue
		}
		var i Installation
		if err := json.Unmarshal([]byte(kept), &i); err != nil {
			return i, fmt.Errorf("the installation in %s: %w", team, err)
		}
		return i, i.usable()
	}
	if home.Team == "" {
		return home, home.usable()
	}
	return Installation{}, errNotInstalled
}

func (i Installation) usable() error {
	if i.Disabled != "" {
		return fmt.Errorf("%w: %s", errNotInstalled, i.Disabled)
	}
	return nil
}

// keep stores an installation that was made by OAuth.
func (b *Bot) keep(ctx context.Context, i Installation) error {
	text, err := json.Marshal(i)
	if err != nil {
		return err
	}
	return b.secrets.Keep(ctx, installationName(i.Enterprise, i.Team), string(text))
}

// disable ends an installation. The token is forgotten.
func (b *Bot) disable(ctx context.Context, i Installation, why string) error {
	if i.Disabled != "" {
		return nil
	}
	i.Token, i.Disabled, i.At = "", why, b.now()
	b.log.Error("the app was removed from a workspace; answers there go by mail", "channel", Channel, "team", i.Team, "home", i.home, "why", why)
	if i.home {
		return b.keepHome(ctx, i)
	}
	return b.keep(ctx, i)
}

// learn asks Slack for the workspace of the configured token.
func (b *Bot) learn(ctx context.Context) error {
	home, err := b.home(ctx)
	if err != nil || home.Disabled != "" {
		return errors.Join(err, home.usable())
	}
	who, err := b.fast(home).AuthTestContext(ctx)
	if err != nil {
		return err
	}
	if home.Team == who.TeamID && home.Bot == who.UserID {
		return nil
	}
	home.Team, home.Enterprise, home.Bot, home.At = who.TeamID, who.EnterpriseID, who.UserID, b.now()
	return b.keepHome(ctx, home)
}

// revoked reports whether an error of Slack says that a token is no good any more.
// https://docs.slack.dev/reference/methods/auth.test#errors
func revoked(err error) bool {
	switch code(err) {
	case "invalid_auth", "account_inactive", "token_revoked", "not_authed", "token_expired", "team_access_not_granted":
		return true
	}
	return false
}

// code is the word of an error of Slack, "" for any other.
func code(err error) string {
	var said slack.SlackErrorResponse
	if errors.As(err, &said) {
		return said.Err
	}
	return ""
}
