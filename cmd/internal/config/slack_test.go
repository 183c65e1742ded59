package config

import (
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
