package config

// validateAPI returns what is wrong with the settings of the API.
func (c Config) validateAPI() Faults {
	var faults Faults
	if c.API.Enabled && !c.Pages.On() {
		faults = append(faults, Fault{Path: "api.enabled", Problem: "takes pages, on whose listener the API is"})
	}
	for _, err := range unjoin(c.API.Validate()) {
		faults = append(faults, inside("api", err))
	}
	return faults
}
