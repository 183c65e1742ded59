package intake_test

import (
	"testing"

	"leadgate/intake"
	"leadgate/store/memstore"
)

func TestAChannelAndAWorkspaceTellForWhomSomebodySpeaks(t *testing.T) {
	h := newWorld(t, memstore.New())
	for _, p := range []intake.Partner{
		{ID: "a", Name: "A", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"a.example"}, Slack: &intake.Slack{Team: "T1", Channel: "C1"}},
		{ID: "b", Name: "B", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"b.example"}, Slack: &intake.Slack{Team: "T2", Channel: "C2"}, Teams: &intake.Teams{Tenant: "72f988bf-86f1-41af-91ab-2d7cd011db47"}},
		{ID: "c", Name: "C", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"c.example"}, Slack: &intake.Slack{Team: "T2", Channel: "C3"}},
		{ID: "e", Name: "E", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"e.example"}, Slack: &intake.Slack{Channel: "C5"}},
		{ID: "f", Name: "F", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"f.example"}, Slack: &intake.Slack{Team: "T6"}},
		{ID: "g", Name: "G", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"g.example"}, Slack: &intake.Slack{Team: "T7"}},
		{ID: "h", Name: "H", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"h.example"}, Slack: &intake.Slack{Team: "T7"}},
	} {
		if err := h.gateway.PutPartners(t.Context(), []intake.Partner{p}); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		at            intake.Slack
		channel, team string
	}{
		"a channel, from any workspace":    {intake.Slack{Team: "T9", Channel: "C1"}, "a", ""},
		"a workspace, in any channel":      {intake.Slack{Team: "T1", Channel: "C9"}, "", "a"},
		"two partners share the workspace": {intake.Slack{Team: "T2", Channel: "C3"}, "c", ""},
		"the beginning of an id is no id":  {intake.Slack{Team: "T", Channel: "C"}, "", ""},
		"they disagree":                    {intake.Slack{Team: "T1", Channel: "C2"}, "b", "a"},
		"nothing is known":                 {intake.Slack{}, "", ""},
		"a channel of guests":              {intake.Slack{Team: "T9", Channel: "C5"}, "e", ""},
		"a workspace without a channel":    {intake.Slack{Team: "T6", Channel: "C9"}, "", "f"},
		"two share one without a channel":  {intake.Slack{Team: "T7"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			channel, team, err := h.gateway.PartnersOfSlack(t.Context(), tt.at)
			if err != nil || channel != tt.channel || team != tt.team {
				t.Errorf("%q, %q, %v", channel, team, err)
			}
		})
	}
	err := h.gateway.PutPartners(t.Context(), []intake.Partner{{ID: "d", Name: "D", Status: intake.PartnerActive, Motion: "msp", Domains: []string{"d.example"}, Slack: &intake.Slack{Team: "T4", Channel: "C1"}}})
	if err == nil {
		t.Error("two partners have one channel")
	}
	if id, err := h.gateway.PartnerOfTeams(t.Context(), intake.Teams{Tenant: "72F988BF-86F1-41AF-91AB-2D7CD011DB47"}); id != "b" || err != nil {
		t.Error(id, err)
	}
	if id, err := h.gateway.PartnerOfAddress(t.Context(), "Bob@A.example"); id != "a" || err != nil {
		t.Error(id, err)
	}
}
