package csvdrop

import "fmt"

// PageConfig is what an operator sets of the page on which lists are handed in.
type PageConfig struct {
	// PartnerHour is how many lists are taken from one partner's page within an hour.
	PartnerHour int `yaml:"partner_hour"`
}

// DefaultPageConfig is far above what people do.
func DefaultPageConfig() PageConfig { return PageConfig{PartnerHour: 60} }

// Validate returns what is wrong with a configuration, each error with its key.
func (c PageConfig) Validate() []error {
	if c.PartnerHour < 1 {
		return []error{fmt.Errorf("partner_hour: %d: want 1 or more", c.PartnerHour)}
	}
	return nil
}
