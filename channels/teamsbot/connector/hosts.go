package connector

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"leadgate/channels/oauth"
)

// Hosts are where the Bot Connector service of Teams answers. The first is exact: anybody can
// register a name below trafficmanager.net. The last two serve the clouds of the US government.
var (
	exactHosts   = []string{"smba.trafficmanager.net"}
	hostSuffixes = []string{".botframework.com", ".teams.microsoft.com", ".teams.microsoft.us"}
)

// ErrHost says that a service URL leads to nobody whom the bot's token may be shown.
var ErrHost = errors.New("the service URL is none of the Bot Connector service")

// serviceURL returns a service URL without its last slash, if it is one to send to. loopback
// lets in this machine, where tests have their service.
func serviceURL(raw string, loopback bool) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
		return nil, fmt.Errorf("%w: %q", ErrHost, raw)
	}
	host := strings.ToLower(u.Hostname())
	if loopback && oauth.IsLoopback(host) {
		return trimmed(u), nil
	}
	if u.Scheme != "https" || u.Port() != "" && u.Port() != "443" || !knownHost(host) {
		return nil, fmt.Errorf("%w: %q", ErrHost, raw)
	}
	return trimmed(u), nil
}

func trimmed(u *url.URL) *url.URL {
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), ""
	return u
}

func knownHost(host string) bool {
	for _, h := range exactHosts {
		if host == h {
			return true
		}
	}
	for _, s := range hostSuffixes {
		if strings.HasSuffix(host, s) {
			return true
		}
	}
	return false
}

// sameService reports whether two service URLs are one: case and a last slash tell nothing, as
// newer SDKs of Microsoft have it.
func sameService(a, b string) bool {
	return a != "" && strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}
