package config

import (
	"strings"
	"testing"
)

func TestTheAPIIsReadAndItsFaultsTold(t *testing.T) {
	const pages = "pages: {listen: \"127.0.0.1:8080\", url: \"https://partners.vendor.example\"}\n"
	for name, tt := range map[string]struct{ text, want string }{
		"beside the pages":           {pages + "api: {enabled: true, key_hour: 10}", ""},
		"switched off":               {"api: {enabled: false}", ""},
		"without pages":              {"api: {enabled: true}", "line 12: api.enabled: takes pages"},
		"nothing may be sent":        {pages + "api: {key_hour: 0}", "line 13: api.key_hour: 0: want 1 or more"},
		"less for all than for each": {pages + "api: {hour: 5}", "line 13: api.hour: 5: want no less than key_hour"},
		"a key that is none":         {pages + "api: {enable: true}", "api.enable: unknown key; did you mean enabled?"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Load(write(t, "leadgate.yaml", good+tt.text+"\n"))
			switch {
			case tt.want == "" && (err != nil || c.API.Hour != 3000):
				t.Error(err, c.API)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
