package api

import (
	"errors"
	"fmt"
)

// Config says whether partners' programs are served, and how much they may send.
type Config struct {
	Enabled bool `yaml:"enabled"`
	// KeyHour is how many registrations and withdrawals one key may send within an hour, Hour
	// how many all keys may send together.
	KeyHour int `yaml:"key_hour"`
	Hour    int `yaml:"hour"`
}

// Default is what counts where nothing is said.
func Default() Config { return Config{KeyHour: 300, Hour: 3000} }

// Validate returns all that is wrong, each as "key: what".
func (c Config) Validate() error {
	var faults []error
	if c.KeyHour < 1 {
		faults = append(faults, fmt.Errorf("key_hour: %d: want 1 or more", c.KeyHour))
	}
	if c.Hour < c.KeyHour {
		faults = append(faults, fmt.Errorf("hour: %d: want no less than key_hour", c.Hour))
	}
	return errors.Join(faults...)
}
