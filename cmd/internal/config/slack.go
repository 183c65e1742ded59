package config

import (
	"fmt"
	"slices"

	"leadgate/channels/slackbot"
	"leadgate/intake"
)

// validateSlack returns what is wrong with the settings of Slack.
func (c Config) validateSlack() Faults {
	if !c.Slack.Enabled {
		return nil
	}
	var faults Faults
	for _, err := range unjoin(c.Slack.Validate()) {
		faults = append(faults, inside("slack", err))
	}
	if c.Slack.Mode == slackbot.ModeHTTP && !c.Pages.On() {
		faults = append(faults, Fault{Path: "slack.mode", Problem: "http takes pages, on whose listener Slack calls; socket takes none"})
	}
	if c.Slack.ClientID != "" && !c.Pages.On() {
		faults = append(faults, Fault{Path: "slack.client_id", Problem: "takes pages, on whose listener the app is installed"})
	}
	for id, name := range c.Slack.Staff.Users {
		known := slices.ContainsFunc(c.Staff, func(s intake.Staff) bool { return s.Called(name) })
		if len(c.Staff) > 0 && !known {
			faults = append(faults, Fault{Path: "slack.staff.users", Problem: fmt.Sprintf("%s: %q is not on the list of staff", id, name)})
		}
	}
	if len(c.Slack.Staff.Users) > 0 && !c.Pages.On() {
		faults = append(faults, Fault{Path: "slack.staff.users", Problem: "takes pages: a decision by a button is one by a link"})
	}
	return faults
}

// slackWarnings are about settings of Slack that are no fault.
func (c Config) slackWarnings() (warnings []string) {
	if c.Slack.Enabled && len(c.Slack.Staff.Users) > 0 && len(c.Staff) == 0 {
		warnings = append(warnings, "slack.staff.users: there is no list of staff; each of these users may decide everything")
	}
	if c.Slack.Enabled && c.Slack.Mode == slackbot.ModeHTTP && c.Pages.On() && !c.Pages.secure() {
		warnings = append(warnings, "slack.mode: pages.url is not at https://, where alone Slack calls; mode socket takes no address")
	}
	return warnings
}
