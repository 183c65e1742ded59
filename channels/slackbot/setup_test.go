package slackbot

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"
	"go.yaml.in/yaml/v3"
)

func TestTheManifestIsOneAndHasWhatTheAppNeeds(t *testing.T) {
	src, err := os.ReadFile("../../examples/slack/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m slack.Manifest
	d := yaml.NewDecoder(bytes.NewReader(src))
	d.KnownFields(true) // Slack refuses a key that it does not know
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var again slack.Manifest
	if err := json.Unmarshal(text, &again); err != nil || !reflect.DeepEqual(m, again) {
		t.Errorf("%v: it is not the same after a round trip:\n%+v\n%+v", err, m, again)
	}
	if got := m.OAuthConfig.Scopes.Bot; !slices.Equal(got, Scopes()) {
		t.Errorf("scopes %q, want %q", got, Scopes())
	}
	c := m.Features.SlashCommands[0]
	if c.Command != Default().Command || !c.ShouldEscape || !strings.HasSuffix(c.Url, PathCommands) ||
		!strings.HasSuffix(m.Settings.Interactivity.RequestUrl, PathInteractions) || !strings.HasSuffix(m.Settings.EventSubscriptions.RequestUrl, PathEvents) ||
		!strings.HasSuffix(m.OAuthConfig.RedirectUrls[0], PathOAuth) {
		t.Errorf("%+v", m)
	}
	if got := m.Settings.EventSubscriptions.BotEvents; !slices.Equal(got, []string{"app_mention", "app_uninstalled", "tokens_revoked", "message.im"}) {
		t.Errorf("events %q", got)
	}
	if len(m.Display.Name) > 35 || len(m.Display.Description) > 140 || len(c.UsageHint) > 1000 {
		t.Error("a text is too long for Slack")
	}
}

// scoped answers with the scopes of a token, as Slack does in a header.
type scoped struct{ scopes string }

func (s scoped) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		resp.Header.Set("X-OAuth-Scopes", s.scopes)
	}
	return resp, err
}

func TestVerifyingSaysWhatToMend(t *testing.T) {
	all := strings.Join(Scopes(), ",")
	for name, tt := range map[string]struct {
		scopes string
		change func(*Config)
		refuse func(call) string
		want   string // in what is to be mended; "" for nothing
	}{
		"all is well":                 {all, nil, nil, ""},
		"a token that was taken back": {all, nil, refusing("auth.test", "token_revoked"), "slack.bot_token (token_revoked)"},
		"a scope is missing":          {strings.Replace(all, "chat:write,", "", 1), nil, nil, "add chat:write on"},
		"another signing secret":      {all, func(c *Config) { c.SigningSecret = "another-secret-another" }, nil, "slack.signing_secret"},
		"the channel of staff is unknown": {
			all, func(c *Config) { c.Staff.Channel = "C0NONE" }, refusing("conversations.info", "channel_not_found"), "slack.staff.channel",
		},
		"no connection is granted": {all, func(c *Config) { c.Mode, c.AppToken = ModeSocket, "xapp-1" }, refusing("apps.connections.open", "not_allowed_token_type"), "connections:write"},
	} {
		t.Run(name, func(t *testing.T) {
			w := openWorld(t)
			w.slack.set(func(p *peer) { p.refuse = tt.refuse })
			c := w.bot.cfg
			if tt.change != nil {
				tt.change(&c)
			}
			var mend []string
			for _, check := range Verify(t.Context(), c, w.url, &http.Client{Transport: scoped{tt.scopes}}) {
				if !check.OK() {
					mend = append(mend, check.What+": "+check.Mend)
				}
			}
			if said := strings.Join(mend, "\n"); (tt.want == "") != (said == "") || !strings.Contains(said, tt.want) || strings.Contains(said, "xoxb-") {
				t.Errorf("said %q", said)
			}
		})
	}
	unreachable := Default()
	unreachable.APIURL, unreachable.BotToken = "http://127.0.0.1:1/api/", "xoxb-1"
	if c := Verify(t.Context(), unreachable, "", nil); len(c) != 1 || c[0].OK() {
		t.Errorf("%+v", c)
	}
}
