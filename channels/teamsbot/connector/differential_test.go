package connector_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"leadgate/channels/channeltest/npm"
	"leadgate/channels/teamsbot/teamstest"
)

// judge has the SDK of Microsoft authenticate activities with headers, and prints a list of
// whether each is let in.
const judge = `
const {ConfigurationBotFrameworkAuthentication} = require("botbuilder");
const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const auth = new ConfigurationBotFrameworkAuthentication({
  ValidateAuthority: "true", ToChannelFromBotLoginUrl: input.idp + "/" + input.tenant, ToChannelFromBotOAuthScope: "https://api.botframework.com",
  ToBotFromChannelTokenIssuer: "https://api.botframework.com", OAuthUrl: "https://api.botframework.com",
  ToBotFromChannelOpenIdMetadataUrl: input.idp + "/metadata", ToBotFromEmulatorOpenIdMetadataUrl: input.idp + "/metadata",
  MicrosoftAppId: input.app, MicrosoftAppPassword: "x", MicrosoftAppType: "SingleTenant", MicrosoftAppTenantId: input.tenant,
});
(async () => {
  const verdicts = [];
  for (const c of input.cases) {
    try { await auth.authenticateRequest(c.activity, c.header); verdicts.push(true); } catch (e) { verdicts.push(false); }
  }
  console.log(JSON.stringify(verdicts));
})();
`

func TestTheSDKOfMicrosoftLetsInTheSameButWhereWeMeanToDiffer(t *testing.T) {
	dir := npm.Require(t, "botbuilder@4.23.3")
	w := open(t)
	now := time.Now()
	set := func(name string, v any) func(jwt.MapClaims) {
		return func(c jwt.MapClaims) {
			if c[name] = v; v == nil {
				delete(c, name)
			}
		}
	}
	at := func(name string, d time.Duration) func(jwt.MapClaims) { return set(name, now.Add(d).Unix()) }
	same := func(jwt.MapClaims) {}
	stranger := teamstest.NewKey(t, 1, "stranger", "msteams")
	cases := []struct {
		name      string
		claims    func(jwt.MapClaims)
		activity  func(teamstest.Activity) teamstest.Activity
		key       *teamstest.Key
		microsoft string // "" for what we do, else the difference and why
	}{
		{name: "a good token", claims: same},
		{name: "for another bot", claims: set("aud", "another")},
		{name: "for a list with us in it", claims: set("aud", []string{teamstest.AppID}), microsoft: "refuses; RFC 7519 lets aud be a list"},
		{name: "of another issuer", claims: set("iss", "https://evil.example")},
		{name: "over for 4 minutes", claims: at("exp", -4*time.Minute)},
		{name: "over for 6 minutes", claims: at("exp", -6*time.Minute)},
		{name: "without an end", claims: set("exp", nil), microsoft: "lets it in; a token that never ends is good for whoever finds it"},
		{name: "good in 4 minutes", claims: at("nbf", 4*time.Minute)},
		{name: "good in 10 minutes", claims: at("nbf", 10*time.Minute)},
		{name: "without a service", claims: set("serviceurl", nil)},
		{name: "of another service", claims: set("serviceurl", w.service.URL+"/other")},
		{name: "of the service without its last slash", claims: set("serviceurl", w.service.URL), microsoft: "refuses; its newer SDK lets it in"},
		{name: "for a channel that the key does not sign for", claims: same, activity: func(a teamstest.Activity) teamstest.Activity { return a.With("channelId", "facebook") }},
		{name: "for no channel", claims: same, activity: func(a teamstest.Activity) teamstest.Activity { return a.With("channelId", nil) }},
		{name: "by an unknown key", claims: same, key: stranger},
	}
	type judged struct {
		Activity teamstest.Activity `json:"activity"`
		Header   string             `json:"header"`
	}
	var all []judged
	for _, c := range cases {
		claims := w.claims()
		c.claims(claims)
		a := w.message("hi")
		if c.activity != nil {
			a = c.activity(a)
		}
		key := c.key
		if key == nil {
			key = w.idp.Key()
		}
		all = append(all, judged{a, "Bearer " + key.Sign(claims)})
	}
	input, err := json.Marshal(map[string]any{"idp": w.idp.URL, "app": teamstest.AppID, "tenant": teamstest.Tenant, "cases": all})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "-e", judge)
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(input), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var microsoft []bool
	if err := json.Unmarshal(out, &microsoft); err != nil || len(microsoft) != len(cases) {
		t.Fatalf("%s: %v", out, err)
	}
	for i, c := range cases {
		ours := w.status(t, teamstest.Request(t, "http://bot.example", all[i].Activity.JSON(), all[i].Header)) == 200
		if differs := ours != microsoft[i]; differs != (c.microsoft != "") {
			t.Errorf("%s: we let it in: %v, Microsoft: %v; known difference: %q", c.name, ours, microsoft[i], c.microsoft)
		}
	}
}
