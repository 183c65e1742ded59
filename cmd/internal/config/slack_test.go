package config

import (
	"errors"
	"strings"
	"testing"
)

func TestSlackIsRefusedWithWhatMendsIt(t *testing.T) {
	const app = "slack:\n  enabled: true\n  signing_secret: 8f742231b10e8888abcd99yyyzzz85a5\n  bot_token: xoxb-1\n"
	const pages = "pages: {listen: '127.0.0.1:0', url: 'https://partners.vendor.example'}\n"
	for name, tt := range map[string]struct{ text, want string }{
		"all is there":                  {pages + app, ""},
		"a connection needs no pages":   {"slack: {enabled: true, mode: socket, app_token: xapp-1, bot_token: xoxb-1}\n", ""},
		"nobody can call":               {app, "slack.mode"},
		"no secret":                     {pages + "slack: {enabled: true, bot_token: xoxb-1}\n", "slack.signing_secret"},
		"no token":                      {pages + "slack: {enabled: true, signing_secret: 8f742231b10e8888abcd99yyyzzz85a5}\n", "slack.bot_token"},
		"a command without a slash":     {pages + app + "  command: register\n", "slack.command"},
		"a field that is always asked":  {pages + app + "  fields: [stage]\n", "slack.fields[0]"},
		"half of what installing takes": {pages + app + "  client_id: x\n", "slack.client_id"},
		"an API in the clear":           {pages + app + "  api_url: http://slack.example/api/\n", "slack.api_url"},
		"deciders who are not of the staff": {
			pages + app + "  staff: {channel: C1, users: {U1: eve}}\nstaff: [{name: mia, email: mia@vendor.example, roles: [admin]}]\n", "slack.staff.users",
		},
		"switched off, nothing counts": {"slack: {enabled: false}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, "leadgate.yaml", good+tt.text))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%v", err)
			}
			if err != nil && (strings.Contains(err.Error(), "8f742231") || strings.Contains(err.Error(), "xoxb-1")) {
				t.Errorf("a secret is in %v", err)
			}
		})
	}
}

func TestASecretThatCannotBeReadIsOneFault(t *testing.T) {
	_, err := Load(write(t, "leadgate.yaml", good+"pages: {listen: '127.0.0.1:0', url: 'https://partners.vendor.example'}\nslack: {enabled: true, signing_secret: 8f742231b10e8888abcd99yyyzzz85a5, bot_token_file: not-there}\n"))
	var faults Faults
	if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Path != "slack.bot_token_file" {
		t.Errorf("%v", err)
	}
}

func TestPagesInTheClearWhichSlackAndTeamsDoNotCallAreWarnedOf(t *testing.T) {
	const (
		slack  = "slack: {enabled: true, mode: MODE, signing_secret: 8f742231b10e8888abcd99yyyzzz85a5, app_token: xapp-1, bot_token: xoxb-1}\n"
		teams  = "teams: {enabled: true, app_id: 6f1c0a5e-2b7d-4c39-8e44-1d2f3a4b5c6d, secret: x, tenant: 0d3c9a71-58be-4f0a-9a6c-7e8f9a0b1c2d}\n"
		clear  = "pages: {listen: '127.0.0.1:0', url: 'http://127.0.0.1:8080'}\n"
		secure = "pages: {listen: '127.0.0.1:0', url: 'https://partners.vendor.example', trusted_proxies: [127.0.0.0/8]}\n"
	)
	for name, tt := range map[string]struct{ text, want string }{
		"Slack that calls":       {clear + strings.Replace(slack, "MODE", "http", 1), "slack.mode"},
		"Slack that is called":   {clear + strings.Replace(slack, "MODE", "socket", 1), ""},
		"Slack with TLS":         {secure + strings.Replace(slack, "MODE", "http", 1), ""},
		"Teams":                  {clear + teams, "teams"},
		"Teams with TLS":         {secure + teams, ""},
		"neither is switched on": {clear, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(write(t, "leadgate.yaml", good+tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if got, _, _ := strings.Cut(strings.Join(c.Warnings(), "\n"), ":"); got != tt.want {
				t.Errorf("warned of %q", got)
			}
		})
	}
}
