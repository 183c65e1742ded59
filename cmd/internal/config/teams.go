package config

// validateTeams returns what is wrong with the bot in Teams.
func (c Config) validateTeams() Faults {
	if !c.Teams.Enabled {
		return nil
	}
	var faults Faults
	for _, err := range c.Teams.Validate() {
		faults = append(faults, inside("teams", err))
	}
	if !c.Pages.On() {
		faults = append(faults, Fault{Path: "teams.enabled", Problem: "Microsoft can't call it without pages, whose listener it is on"})
	}
	return faults
}
