package slackbot

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/slack-go/slack"
)

// Scopes are what the app asks for.
func Scopes() []string {
	return []string{"commands", "chat:write", "app_mentions:read", "users:read", "users:read.email", "channels:read", "groups:read", "im:write", "im:history"}
}

const (
	stateCookie  = "leadgate_slack_install"
	installLife  = 10 * time.Minute
	authorizeURL = "https://slack.com/oauth/v2/authorize"
)

// install sends a browser to Slack, with a state that only this browser has.
func (b *Bot) install(c echo.Context) error {
	state := rand.Text()
	c.SetCookie(&http.Cookie{
		Name: stateCookie, Value: state, Path: PathOAuth, MaxAge: int(installLife.Seconds()), HttpOnly: true,
		Secure: strings.HasPrefix(b.url, "https://"), SameSite: http.SameSiteLaxMode,
	})
	c.Response().Header().Set("Cache-Control", "no-store")
	q := url.Values{"client_id": {b.cfg.ClientID}, "scope": {strings.Join(Scopes(), ",")}, "state": {state}, "redirect_uri": {b.url + PathOAuth}}
	return c.Redirect(http.StatusFound, authorizeURL+"?"+q.Encode())
}

// installed takes what Slack sends the browser back with for a token.
// https://docs.slack.dev/authentication/installing-with-oauth
func (b *Bot) installed(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	cookie, err := c.Cookie(stateCookie)
	state := c.QueryParam("state")
	if err != nil || state == "" || subtle.ConstantTimeCompare([]byte(cookie.Value), []byte(state)) != 1 {
		return c.String(http.StatusForbidden, "This installation was not begun in this browser, or too long ago. Begin it again at "+b.url+PathInstall+"\n")
	}
	c.SetCookie(&http.Cookie{Name: stateCookie, Path: PathOAuth, MaxAge: -1})
	if c.QueryParam("error") != "" || c.QueryParam("code") == "" {
		return c.String(http.StatusBadRequest, "The app was not installed. Nothing was changed.\n")
	}
	ctx := c.Request().Context()
	got, err := slack.GetOAuthV2ResponseContext(ctx, b.patient, b.cfg.ClientID, b.cfg.ClientSecret, c.QueryParam("code"), b.url+PathOAuth, slack.OAuthOptionAPIURL(b.cfg.APIURL))
	if err != nil || got.AccessToken == "" {
		b.log.Warn("an installation failed", "channel", Channel, "err", code(err))
		return c.String(http.StatusBadGateway, "Slack did not complete the installation. Begin it again at "+b.url+PathInstall+"\n")
	}
	i := Installation{Enterprise: got.Enterprise.ID, Team: got.Team.ID, Token: got.AccessToken, Bot: got.BotUserID, At: b.now()}
	if got.IsEnterpriseInstall {
		i.Team = ""
	}
	if i.Enterprise == "" && i.Team == "" {
		return errors.New("slack did not say into what the app was installed")
	}
	if err := b.keep(ctx, i); err != nil {
		return err
	}
	b.log.Info("the app was installed in a workspace", "channel", Channel, "team", i.Team, "enterprise", i.Enterprise)
	return c.String(http.StatusOK, "The app is installed. Type "+b.cfg.Command+" in a channel, or mention the app.\n")
}
