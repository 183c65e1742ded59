package config

import (
	"fmt"
	"net"
	"strings"
)

// listener is an address at which the gateway is reached, and its key.
type listener struct{ path, at string }

// validateListeners finds those that want the same address: only one would come up.
func (c Config) validateListeners() Faults {
	all := []listener{{"admin.listen", c.Admin.Listen}, {"pages.listen", c.Pages.Listen}}
	for i, m := range c.Mailboxes {
		if m.Direct != nil {
			all = append(all, listener{fmt.Sprintf("mailboxes[%d].direct.listen", i), m.Direct.Listen})
		}
	}
	var faults Faults
	for i, l := range all {
		for _, other := range all[:i] {
			if sameAddress(l.at, other.at) {
				faults = append(faults, Fault{Path: l.path, Problem: fmt.Sprintf("%q is taken by %s (%q)", l.at, other.path, other.at)})
				break
			}
		}
	}
	return faults
}

// sameAddress reports whether two addresses to listen on can't both be had. A port of 0 is any
// that is free; what is no host:port is for others to refuse.
func sameAddress(a, b string) bool {
	if strings.HasPrefix(a, "unix:") {
		return a == b
	}
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" || portA == "" {
		return false
	}
	hostA, hostB = literal(hostA), literal(hostB)
	return hostA == hostB || hostA == "" || hostB == ""
}

// literal is a host as it is listened on; "" for all of the machine.
func literal(host string) string {
	if strings.EqualFold(host, "localhost") {
		return "127.0.0.1"
	}
	ip := net.ParseIP(host)
	switch {
	case ip == nil:
		return strings.ToLower(host)
	case ip.IsUnspecified():
		return ""
	}
	return ip.String()
}
