package config

import (
	"strings"
	"testing"
)

func TestABotOfTeamsThatCouldNotTellAnybodyApartIsAFault(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no app id": {"teams: {enabled: true, secret: x, tenant: 0d3c9a71-58be-4f0a-9a6c-7e8f9a0b1c2d}\n", "teams.app_id: is missing"},
		"no pages":  {"teams: {enabled: true, app_id: 6f1c0a5e-2b7d-4c39-8e44-1d2f3a4b5c6d, secret: x, tenant: 0d3c9a71-58be-4f0a-9a6c-7e8f9a0b1c2d}\n", "teams.enabled: Microsoft can't call it"},
		"no secret": {"teams: {enabled: true, app_id: 6f1c0a5e-2b7d-4c39-8e44-1d2f3a4b5c6d, tenant: 0d3c9a71-58be-4f0a-9a6c-7e8f9a0b1c2d}\n", "teams.secret: is missing"},
	} {
		_, err := Load(write(t, "leadgate.yaml", good+tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}
