package hubspot

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestAllFaultsOfAConfigurationAreToldAtOnce(t *testing.T) {
	err := Config{
		Name: "Not A Name", Version: "4", URL: "http://10.0.0.1?x", Token: "pat with blank", OAuth: &OAuth{}, PreviousSecret: "secret-one",
		Calls: -1, Searches: 5000, Timeout: time.Hour,
		Mapping: Mapping{
			Stage: "x", Stages: map[string]string{"a": "maybe"}, Ends: map[string]string{"won": "x", "declined": ""}, Owner: "nobody",
			Fields:   Objects{Deals: map[string]string{"nonsense": "x", "problem": "dealname"}, Contacts: map[string]string{"problem": "leadgate_x"}},
			Defaults: Objects{Companies: map[string]string{"leadgate_domain": "x"}},
		},
	}.Validate()
	for _, want := range []string{
		"name: ", "version: ", "url: ", "oauth: is given beside token", "oauth: client_id: ", "oauth: client_secret: ", "oauth: refresh_token: ", "previous_secret: ",
		"calls_per_second: ", "searches_per_second: ", "timeout: ", "mapping: pipeline: ", "mapping: stages: a: ", "mapping: ends: won: use", "mapping: ends: declined: the stage", "mapping: owner: ", "mapping: fields: deals: nonsense is none of",
		`mapping: fields: deals: problem: "dealname"`, `mapping: fields: contacts: problem: "leadgate_x"`, `mapping: defaults: companies: "leadgate_domain"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told: %v", want, err)
		}
	}
	if err := (Config{Name: "a", Token: "a b"}).Validate(); err == nil || strings.Contains(err.Error(), "a b") {
		t.Errorf("%v", err)
	}
	for _, c := range []Config{{Name: "hubspot", Token: "pat-x"}, {Name: "hubspot", OAuth: &OAuth{"a", "b", "c"}, Version: "v3", Secret: "s", PreviousSecret: "t"}} {
		if err := c.Validate(); err != nil {
			t.Error(err)
		}
	}
	if _, err := New(Config{Name: "hubspot"}); err == nil || !strings.Contains(err.Error(), "token: is missing") {
		t.Error(err)
	}
}

func TestAConfigurationShowsNoSecret(t *testing.T) {
	c := Config{Name: "hubspot", Token: "secret-one", Secret: "secret-two", PreviousSecret: "secret-three", OAuth: &OAuth{"id", "secret-four", "secret-five"}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "config", c, "oauth", *c.OAuth)
	said := fmt.Sprintf("%v %+v %#v %s %v %+v %#v", c, c, c, c, *c.OAuth, *c.OAuth, *c.OAuth) + log.String()
	if strings.Contains(said, "secret-") || !strings.Contains(said, "hubspot hubspot at api.hubapi.com") {
		t.Error(said)
	}
}
