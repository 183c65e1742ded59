package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"leadgate/channels/pages"
	"leadgate/channels/webform/captcha"
	"leadgate/intake"
)

// Pages is the listener for people: partners look at their cases there and staff decide, both
// by signed links. Without an address there are no pages and no links.
type Pages struct {
	Listen string `yaml:"listen"`
	// URL is where the world finds the listener, and with what links begin.
	URL string `yaml:"url"`
	// TrustedProxies are the networks of the proxies in front of it: their word is taken for
	// where a visitor comes from.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Brand is how the pages look.
	Brand pages.Brand `yaml:"brand"`
}

// On reports whether there are pages.
func (p Pages) On() bool { return p.URL != "" }

// secure reports whether the pages are where Slack and Teams call.
func (p Pages) secure() bool { return strings.HasPrefix(strings.ToLower(p.URL), "https://") }

func (p Pages) validate() Faults {
	var faults Faults
	fault := func(key, format string, a ...any) {
		faults = append(faults, Fault{Path: "pages." + key, Problem: fmt.Sprintf(format, a...)})
	}
	if _, _, err := net.SplitHostPort(p.Listen); p.Listen != "" && err != nil {
		fault("listen", "%q: want host:port, such as 127.0.0.1:8080", p.Listen)
	}
	switch {
	case p.URL == "" && p.Listen != "":
		fault("url", "is missing: the address of the pages as partners find it, such as https://partners.vendor.example")
	case p.URL != "" && p.Listen == "":
		fault("listen", "is missing: where to listen, such as 127.0.0.1:8080")
	}
	if p.URL != "" {
		if problem := wrongURL(p.URL); problem != "" {
			fault("url", "%q %s", p.URL, problem)
		}
	}
	for i, network := range p.TrustedProxies {
		if _, err := netip.ParsePrefix(network); err != nil {
			fault(fmt.Sprintf("trusted_proxies[%d]", i), "%q is not a network like 127.0.0.0/8 or 10.1.2.3/32", network)
		}
	}
	for _, err := range p.Brand.Validate() {
		faults = append(faults, inside("pages.brand", err))
	}
	return faults
}

// Reach says who reaches the pages, as the captcha of the form wants to know.
func (p Pages) Reach() captcha.Reach {
	u, err := url.Parse(p.URL)
	host, _, split := net.SplitHostPort(p.Listen)
	if err == nil && split == nil && loopback(host) && loopback(u.Hostname()) {
		return captcha.Loopback
	}
	return captcha.Public
}

func (c Config) validateForm() Faults {
	var faults Faults
	if c.Form.Enabled && !c.Pages.On() {
		faults = append(faults, Fault{Path: "form.enabled", Problem: "takes pages: set pages.listen and pages.url"})
	}
	for _, err := range c.Form.Validate(c.Pages.Reach()) {
		faults = append(faults, inside("form", err))
	}
	return faults
}

// wrongURL says what is wrong with the address of the pages, or "".
func wrongURL(address string) string {
	if _, err := intake.NewLinks(address, make([]byte, 32)); err != nil {
		return "is not a URL like https://partners.vendor.example"
	}
	u, err := url.Parse(address)
	if err != nil || u.User != nil || u.Fragment != "" {
		return "is not a URL like https://partners.vendor.example"
	}
	if u.Scheme != "https" && !loopback(u.Hostname()) {
		return "is not https: links are keys, and would cross the network in the clear"
	}
	return ""
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (p Pages) warnings() []string {
	host, _, err := net.SplitHostPort(p.Listen)
	if err == nil && loopback(host) && strings.HasPrefix(p.URL, "https:") && len(p.TrustedProxies) == 0 {
		return []string{"pages.trusted_proxies: is empty, and a proxy stands in front: to the limit of requests all visitors are one"}
	}
	return nil
}

func validateStaff(staff []intake.Staff) Faults {
	var faults Faults
	called := make(map[string]int) // whose a name or an address is
	for i, s := range staff {
		fault := func(key, format string, a ...any) {
			faults = append(faults, Fault{Path: fmt.Sprintf("staff[%d].%s", i, key), Problem: fmt.Sprintf(format, a...)})
		}
		if strings.TrimSpace(s.Name) == "" {
			fault("name", "is missing: what the record of a case calls the person")
		}
		if a, err := mail.ParseAddress(s.Email); err != nil || a.Address != s.Email {
			fault("email", "%q is not an address like mia@vendor.example", s.Email)
		}
		for key, value := range map[string]string{"name": s.Name, "email": strings.ToLower(s.Email)} {
			if whose, taken := called[value]; value != "" && taken && whose != i {
				fault(key, "%q is somebody else's", value)
			}
			called[value] = i
		}
		if len(s.Roles) == 0 {
			fault("roles", "is missing: some of %v", intake.Roles())
		}
		for n, role := range s.Roles {
			if !slices.Contains(intake.Roles(), role) {
				fault(fmt.Sprintf("roles[%d]", n), "%q is none of %v", role, intake.Roles())
			}
		}
	}
	return faults
}
