package salesforce

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"leadgate/intake"
)

func goodConfig() Config {
	return Config{Name: "salesforce", LoginURL: "https://northwind.my.salesforce.com", ClientID: "key", ClientSecret: "s3cret-canary"}
}

func TestFaultsOfAConfigAreAllNamed(t *testing.T) {
	if err := goodConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Name = "Sales Force" }, "name: "},
		{func(c *Config) { c.LoginURL = "http://northwind.my.salesforce.com" }, "login_url: "},
		{func(c *Config) { c.LoginURL = "https://northwind.my.salesforce.com/lightning" }, "login_url: give the host alone"},
		{func(c *Config) { c.LoginURL = "https://login.salesforce.com" }, "login_url: with client_secret"},
		{func(c *Config) { c.LoginURL = "https://10.0.0.1" }, "login_url: "},
		{func(c *Config) { c.ClientID = "" }, "client_id: "},
		{func(c *Config) { c.ClientSecret = "" }, "client_secret: is missing"},
		{func(c *Config) { c.PrivateKey = "x" }, "client_secret: is given beside private_key"},
		{func(c *Config) { c.ClientSecret, c.PrivateKey = "", "no key" }, "private_key: "},
		{func(c *Config) { c.ClientSecret, c.PrivateKey = "", "no key" }, "username: "},
		{func(c *Config) { c.ClientSecret, c.PrivateKey, c.Audience = "", "x", "login" }, "audience: "},
		{func(c *Config) { c.APIVersion = "v68" }, "api_version: "},
		{func(c *Config) { c.Timeout = time.Hour }, "timeout: "},
		{func(c *Config) { c.Opportunity = "sometimes" }, "opportunity: "},
		{func(c *Config) { c.CloseAfter = -1 }, "close_after: "},
		{func(c *Config) { c.Currency = "Euro" }, "currency: "},
		{func(c *Config) { c.Mapping.Account = map[string]string{"nothing": "X__c"} }, "mapping.account.nothing: "},
		{func(c *Config) { c.Mapping.Opportunity = map[string]string{"country": "X FROM"} }, "mapping.opportunity.country: "},
		{func(c *Config) { c.Mapping.Defaults = map[string]map[string]string{"Lead": nil} }, "mapping.defaults.Lead: "},
		{func(c *Config) { c.Mapping.Defaults = map[string]map[string]string{"Account": {"a b": "x"}} }, "mapping.defaults.Account.a b: "},
		{func(c *Config) { c.Mapping.Stages = map[string]string{"Won": "yes"} }, "mapping.stages.Won: "},
		{func(c *Config) { c.Mapping.Owner = "me" }, "mapping.owner: "},
		{func(c *Config) { c.Mapping.Owners = map[string]string{"northwind": "x"} }, "mapping.owners.northwind: "},
		{func(c *Config) { c.Hook.Token = "short" }, "hook.token: "},
		{func(c *Config) { c.Hook.Token = hookToken }, "hook.organization: "},
	} {
		config := goodConfig()
		c.change(&config)
		err := config.Validate()
		if err == nil || !strings.Contains("\n"+err.Error(), "\n"+c.want) {
			t.Errorf("want %q: %v", c.want, err)
		}
		if _, none := New(config); none == nil {
			t.Errorf("%q: a connector is made", c.want)
		}
	}
}

func TestAConfigShowsNoSecret(t *testing.T) {
	c := goodConfig()
	c.Hook.Token = hookToken
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "c", c)
	if s := fmt.Sprintf("%v %+v %#v %s", c, c, c, c) + log.String(); strings.Contains(s, "canary") || strings.Contains(s, hookToken) || !strings.Contains(s, "northwind") {
		t.Error(s)
	}
}

func TestMappedFieldsAreFilledAndDefaultsAreGivenOnce(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Mapping = Mapping{
			Account:  map[string]string{"country": "Industry", "partner_name": "Type"},
			Defaults: map[string]map[string]string{objAccount: {"Industry": "unused"}, objOpportunity: {"NextStep": "Call"}},
			Owners:   map[string]string{"northwind": "005000000000001"},
		}
	})
	w.org.Show(objAccount, "Industry")
	w.c.Mapping.Owners["northwind"] = w.org.User("Kim Sales")
	rec := sampleDeal()
	ref := mustPush(t, w.Salesforce, rec)
	a, o := w.org.All(objAccount)[0], w.org.All(objOpportunity)[0]
	if a["Industry"] != "DE" || a["Type"] != "Northwind Partners" || o["NextStep"] != "Call" || o["OwnerId"] != w.org.User("Kim Sales") || o["Amount"] != 120000.0 {
		t.Errorf("%v %v", a, o)
	}
	if err := w.org.Update(objOpportunity, ref.Parts[partOpportunity], map[string]any{"NextStep": ""}); err != nil {
		t.Fatal(err)
	}
	rec = next(rec, ref)
	rec.Registration.Lead[intake.FieldTargetRevenue] = "130000 EUR"
	mustPush(t, w.Salesforce, rec)
	if o := w.org.All(objOpportunity)[0]; o["NextStep"] != nil || o["Amount"] != 130000.0 {
		t.Errorf("%v", o)
	}
}

func TestTheStagesOfTheMappingSayWhatTheyMean(t *testing.T) {
	s, err := New(goodConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.c.Mapping.Stages = map[string]string{"Handed over": intake.DealWon}
	for want, deal := range map[string]record{
		intake.DealWon:  {"StageName": "Handed over", "IsClosed": false},
		intake.DealLost: {"StageName": "x", "IsClosed": true, "IsWon": false},
		intake.DealOpen: {"StageName": "x"},
	} {
		if have := s.outcome(deal); have != want {
			t.Errorf("%v is %s, want %s", deal, have, want)
		}
	}
}

func TestErrorsOfTheOrgUnwrap(t *testing.T) {
	cause := errors.New("x")
	if !errors.Is(&refusal{err: cause}, cause) {
		t.Error("it does not")
	}
}
