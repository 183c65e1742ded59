package oauth

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
)

// Config says where tokens come from: a refresh token, the client's own credentials, or a
// command. Secrets are resolved already.
type Config struct {
	TokenURL     string `yaml:"token_url"`
	ClientID     string `yaml:"client_id"`
	ClientSecret string `yaml:"client_secret"`
	// RefreshToken is what a person's consent has given; without it the client asks in its
	// own name.
	RefreshToken string `yaml:"refresh_token"`
	// Scopes are asked for in the client's own name; a refresh token has its own.
	Scopes []string `yaml:"scopes"`
	// TokenCommand prints a token as the first line of its output.
	TokenCommand Command `yaml:"token_command"`
}

// Command is a program with its arguments.
type Command []string

// UnmarshalYAML takes a list as a program with its arguments, and a text as a line for the
// shell.
func (c *Command) UnmarshalYAML(unmarshal func(any) error) error {
	var line string
	if unmarshal(&line) == nil {
		*c = nil
		if line != "" {
			*c = Command{"/bin/sh", "-c", line}
		}
		return nil
	}
	var list []string
	if err := unmarshal(&list); err != nil {
		return err
	}
	*c = list
	return nil
}

// Validate returns all faults, each with the key that it is about.
func (c Config) Validate() []error {
	if len(c.TokenCommand) > 0 {
		if c.TokenURL != "" || c.ClientID != "" || c.ClientSecret != "" || c.RefreshToken != "" || len(c.Scopes) > 0 {
			return []error{errors.New("token_command: is given beside other ways to get a token; keep one of them")}
		}
		if c.TokenCommand[0] == "" {
			return []error{errors.New("token_command: names no program")}
		}
		return nil
	}
	var faults []error
	fault := func(format string, a ...any) { faults = append(faults, fmt.Errorf(format, a...)) }
	if err := checkURL(c.TokenURL); err != nil {
		fault("token_url: %w", err)
	}
	if c.ClientID == "" {
		fault("client_id: must be set, unless token_command is")
	}
	if c.RefreshToken == "" && c.ClientSecret == "" {
		fault("refresh_token: must be set, or client_secret for a client that asks in its own name")
	}
	return faults
}

// checkURL wants an address that what is sent there stays secret on the way to, but for this
// machine, where tests and proxies run.
func checkURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return errors.New("must be set, unless token_command is")
	case err != nil || u.Host == "":
		return errors.New("must be an address such as https://login.vendor.example/token")
	case u.User != nil:
		return errors.New("must not hold a password; use client_id and client_secret")
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	}
	return errors.New("must begin with https://, because secrets are sent there")
}

// IsLoopback reports whether host is this machine, by its address: a name can be pointed
// anywhere, but for localhost (RFC 6761, section 6.3).
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
