package csvdrop

import "fmt"

// Config is what an operator sets of lists that are handed in.
type Config struct {
	// PartnerHour is how many lists are taken from one partner's page within an hour.
	PartnerHour int `yaml:"partner_hour"`
}

// DefaultConfig is far above what people do.
func DefaultConfig() Config { return Config{PartnerHour: 60} }

// Validate returns what is wrong with a configuration, each error with its key.
func (c Config) Validate() []error {
	if c.PartnerHour < 1 {
		return []error{fmt.Errorf("partner_hour: %d: want 1 or more", c.PartnerHour)}
	}
	return nil
}
