package remote

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"leadgate/intake"
)

var (
	errPrivate   = errors.New("the host is on a private network or this machine; set allow_private if that is meant")
	errForbidden = errors.New("the host's address is not one that requests can be sent to")
)

// NewDialer returns a dialer that looks at each address after resolution and before
// connecting, so that no answer of a name server gets around the check.
func NewDialer(allowPrivate bool) *net.Dialer {
	return &net.Dialer{
		Timeout: 10 * time.Second,
		Control: func(network, address string, _ syscall.RawConn) error {
			if network != "tcp4" && network != "tcp6" {
				return fmt.Errorf("connect by %s: %w", network, errForbidden)
			}
			at, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("connect to %q: %w", address, errForbidden)
			}
			return checkAddr(at.Addr(), allowPrivate)
		},
	}
}

// checkAddr returns nil for an address that may be connected to.
func checkAddr(ip netip.Addr, allowPrivate bool) error {
	if ip.Zone() != "" {
		return errForbidden
	}
	ip = unwrap(ip)
	if contains(private, ip) {
		if allowPrivate {
			return nil
		}
		return errPrivate
	}
	if ip.Is4() && !contains(reserved, ip) || contains(global6, ip) && !contains(reserved, ip) {
		return nil
	}
	return errForbidden
}

// unwrap returns the IPv4 address inside an IPv6 address of the mapped or the NAT64 form.
// The latter is how an IPv6-only host reaches any IPv4 address, private ones included.
func unwrap(ip netip.Addr) netip.Addr {
	if nat64.Contains(ip) {
		b := ip.As16()
		return netip.AddrFrom4([4]byte(b[12:]))
	}
	return ip.Unmap()
}

func contains(list []netip.Prefix, ip netip.Addr) bool {
	for _, p := range list {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// The address blocks are those of the IANA special-purpose address registries. Of IPv6,
// only global unicast (2000::/3) is assigned to hosts at all.
var (
	nat64   = netip.MustParsePrefix("64:ff9b::/96")
	global6 = prefixes("2000::/3")
	private = prefixes(
		"127.0.0.0/8", "::1/128", // this host
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // private
		"100.64.0.0/10", // shared by carriers
		"fc00::/7",      // unique local
	)
	reserved = prefixes(
		"0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
		"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
	)
)

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

// CheckURL accepts an absolute https URL. It refuses early what the dialer would refuse at
// every attempt, and hosts that some resolvers read as numbers.
func CheckURL(raw string, allowPrivate bool) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Opaque != "" {
		return errors.New("is not an absolute URL")
	}
	switch {
	case u.Scheme == "http" && !allowPrivate:
		return errors.New("must begin with https://; http:// takes allow_private: true")
	case u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must begin with https://")
	case u.User != nil:
		return errors.New("must not hold a user name or password")
	case u.Fragment != "":
		return errors.New("must not hold a fragment (#)")
	}
	if _, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && err != nil {
		return errors.New("the port is not one")
	}
	return checkHost(u.Hostname(), allowPrivate)
}

func checkHost(host string, allowPrivate bool) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		return checkAddr(ip, allowPrivate)
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if host == "" || numericLabel.MatchString(last) {
		return errors.New("the host is neither a name nor an address")
	}
	if !allowPrivate && (last == "localhost" || last == "local" || last == "internal" || last == "localdomain") {
		return errPrivate
	}
	return nil
}

// numericLabel matches a last label that makes the whole host a number to some resolvers:
// "2130706433", "0x7f000001", "127.1".
var numericLabel = regexp.MustCompile(`^(0x[0-9a-f]*|[0-9]+)$`)

// guardError returns the refusal that caused err, or nil. It is permanent: the address is
// wrong until somebody changes the configuration or the name server.
func guardError(err error) error {
	for _, e := range []error{errPrivate, errForbidden} {
		if errors.Is(err, e) {
			return intake.Permanent(e)
		}
	}
	return nil
}
