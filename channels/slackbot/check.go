package slackbot

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"
)

// Check is one thing that was looked at. Mend is what to do, "" if it is as it should be.
type Check struct{ What, Mend string }

// OK reports whether nothing is to be done.
func (c Check) OK() bool { return c.Mend == "" }

// Verify asks Slack whether an app of a configuration works, and ourselves at url, the address of
// the pages, as Slack would. It changes nothing.
func Verify(ctx context.Context, c Config, url string, client *http.Client) []Check {
	if client == nil {
		client = &http.Client{Timeout: slowPatience}
	}
	all := []Check{c.checkToken(ctx, client)}
	if !all[0].OK() {
		return all
	}
	all = append(all, c.checkScopes(ctx, client))
	if c.Mode == ModeSocket {
		all = append(all, c.checkSocket(ctx, client))
	} else {
		all = append(all, c.checkReach(ctx, url, client))
	}
	if c.Staff.Channel != "" {
		all = append(all, c.checkStaff(ctx, client))
	}
	return all
}

func (c Config) api(client *http.Client, more ...slack.Option) *slack.Client {
	return slack.New(c.BotToken, append([]slack.Option{slack.OptionAPIURL(c.APIURL), slack.OptionHTTPClient(client)}, more...)...)
}

func (c Config) checkToken(ctx context.Context, client *http.Client) Check {
	who, err := c.api(client).AuthTestContext(ctx)
	switch {
	case revoked(err):
		return Check{"bot token", fmt.Sprintf("Slack does not take slack.bot_token (%s). Install the app in your workspace and copy the Bot User OAuth Token", code(err))}
	case err != nil:
		return Check{"bot token", "Slack can't be reached at " + c.APIURL + ": " + reason(err)}
	}
	return Check{What: fmt.Sprintf("bot token: workspace %s (%s), user %s", who.Team, who.TeamID, who.UserID)}
}

func (c Config) checkScopes(ctx context.Context, client *http.Client) Check {
	var given []string
	api := c.api(client, slack.OptionOnResponseHeaders(func(_ string, h http.Header) {
		for s := range strings.SplitSeq(h.Get("X-OAuth-Scopes"), ",") {
			if s = strings.TrimSpace(s); s != "" {
				given = append(given, s)
			}
		}
	}))
	if _, err := api.AuthTestContext(ctx); err != nil {
		return Check{"scopes", reason(err)}
	}
	if len(given) == 0 {
		return Check{"scopes", "Slack did not say which scopes the token has; is slack.api_url Slack's?"}
	}
	missing := slices.DeleteFunc(Scopes(), func(s string) bool { return slices.Contains(given, s) })
	if len(missing) > 0 {
		return Check{"scopes", "add " + strings.Join(missing, ", ") + " on the page OAuth & Permissions, and install the app again"}
	}
	what := "scopes: all"
	if slices.Contains(given, "channels:history") {
		what += ", and replies are read without a mention"
	}
	return Check{What: what}
}

func (c Config) checkSocket(ctx context.Context, client *http.Client) Check {
	_, _, err := c.api(client, slack.OptionAppLevelToken(c.AppToken)).StartSocketModeContext(ctx)
	if err != nil {
		return Check{"Socket Mode", fmt.Sprintf("the connection is refused (%s). Switch Socket Mode on for the app, and give slack.app_token the scope connections:write", first(code(err), reason(err)))}
	}
	return Check{What: "Socket Mode: a connection is granted"}
}

// checkReach sends the question that Slack asks when an address is entered.
func (c Config) checkReach(ctx context.Context, url string, client *http.Client) Check {
	at := strings.TrimSuffix(url, "/") + PathEvents
	body := []byte(`{"type":"url_verification","challenge":"leadgate-verify"}`)
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(c.SigningSecret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return Check{"address", "pages.url: " + err.Error()}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := client.Do(req)
	if err != nil {
		return Check{"address", at + " can't be reached from here: " + reason(err) + ". Start the gateway, and let https in"}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxText))
	var said struct {
		Challenge string `json:"challenge"`
	}
	switch {
	case err != nil:
		return Check{"address", at + ": " + err.Error()}
	case resp.StatusCode == http.StatusUnauthorized:
		return Check{"address", at + " does not take the signature. The gateway that runs there has another slack.signing_secret, or its clock is off"}
	case resp.StatusCode != http.StatusOK || json.Unmarshal(text, &said) != nil || said.Challenge != "leadgate-verify":
		return Check{"address", fmt.Sprintf("%s answers %s, and not as the gateway does. Let your proxy pass %s on", at, resp.Status, "/slack/")}
	}
	return Check{What: "address: " + at + " answers"}
}

func (c Config) checkStaff(ctx context.Context, client *http.Client) Check {
	in, err := c.api(client).GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: c.Staff.Channel})
	switch {
	case err != nil:
		return Check{"channel of staff", fmt.Sprintf("slack.staff.channel %s: %s. Give its id, and invite the app", c.Staff.Channel, first(code(err), reason(err)))}
	case in.IsExtShared || in.IsPendingExtShared:
		return Check{"channel of staff", c.Staff.Channel + " is shared with another company, whose people would read what staff are told. Take a channel of your own"}
	case !in.IsMember:
		return Check{"channel of staff", "invite the app to " + c.Staff.Channel}
	}
	return Check{What: "channel of staff: " + first(in.Name, c.Staff.Channel)}
}
