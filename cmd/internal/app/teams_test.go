package app

import (
	"net/http"
	"strings"
	"testing"

	"leadgate/channels/teamsbot"
	"leadgate/cmd/internal/config"
)

func TestTheBotOfTeamsStandsOnTheListenerOfThePagesAndLetsNobodyInWithoutAToken(t *testing.T) {
	o := openOffice(t, func(c *config.Config) {
		c.Teams = teamsbot.Config{Enabled: true, AppID: "6f1c0a5e-2b7d-4c39-8e44-1d2f3a4b5c6d", Secret: "s3cret-of-the-bot", Tenant: "0d3c9a71-58be-4f0a-9a6c-7e8f9a0b1c2d"}
	})
	for _, authorization := range []string{"", "Bearer x", "Bearer a.b.c"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.at+teamsbot.Path, strings.NewReader(`{"type":"message"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", authorization)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusForbidden {
			t.Errorf("%q: %d, want 403", authorization, resp.StatusCode)
		}
	}
	all, err := o.app.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	refused, age := 0.0, -1.0
	for _, m := range all {
		if m.GetName() == "leadgate_teams_keys_age_seconds" {
			age = m.GetMetric()[0].GetGauge().GetValue()
		}
		if m.GetName() == "leadgate_teams_refused_total" {
			refused = m.GetMetric()[0].GetCounter().GetValue()
		}
	}
	if refused != 3 {
		t.Errorf("the metrics tell of %v refused calls, want 3", refused)
	}
	if age != 0 {
		t.Errorf("the keys are %v seconds old, want 0 before the first call with a token", age)
	}
	sources, down := o.app.sourcesHealth()
	found := false
	for _, s := range sources {
		found = found || s.Channel == teamsbot.Channel && s.Refused == 3
	}
	if !found || down {
		t.Errorf("the health is %+v, down %v", sources, down)
	}
	if strings.Contains(o.log.String(), "s3cret-of-the-bot") {
		t.Error("the secret is in the log")
	}
}
