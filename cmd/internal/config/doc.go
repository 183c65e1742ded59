// Package config owns the configuration file: its form, its defaults, and finding all its
// faults at once, each with its line and how to mend it. It starts nothing and opens
// nothing but the file itself and the files that it names for secrets.
package config
