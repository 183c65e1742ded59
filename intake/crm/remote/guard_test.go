package remote

import (
	"net/netip"
	"testing"
)

func TestAddresses(t *testing.T) {
	const public, inside, never = "public", "private", "never"
	for ip, want := range map[string]string{
		"8.8.8.8": public, "93.184.216.34": public, "172.15.255.255": public, "172.32.0.1": public,
		"100.63.255.255": public, "100.128.0.1": public, "2606:2800:220:1::1": public, "2a00:1450::1": public,
		"64:ff9b::808:808": public, "::ffff:8.8.8.8": public,

		"127.0.0.1": inside, "127.255.255.254": inside, "10.0.0.1": inside, "172.16.0.1": inside,
		"172.31.255.255": inside, "192.168.1.1": inside, "100.64.0.1": inside, "100.127.255.255": inside,
		"::1": inside, "fc00::1": inside, "fd12:3456::1": inside, "::ffff:127.0.0.1": inside,
		"::ffff:10.0.0.1": inside, "64:ff9b::a00:1": inside,

		"0.0.0.0": never, "0.1.2.3": never, "169.254.169.254": never, "169.254.0.1": never,
		"192.0.0.1": never, "192.0.2.1": never, "192.88.99.1": never, "198.18.0.1": never, "198.19.255.255": never,
		"198.51.100.1": never, "203.0.113.1": never, "224.0.0.1": never, "239.255.255.255": never,
		"240.0.0.1": never, "255.255.255.255": never, "::": never, "fe80::1": never, "fe80::1%eth0": never,
		"fec0::1": never, "ff02::1": never, "::ffff:169.254.169.254": never, "::ffff:0.0.0.0": never,
		"::127.0.0.1": never, "2001::1": never, "2001:db8::1": never, "2002:7f00:1::1": never, "2002:a9fe:a9fe::": never,
		"64:ff9b::a9fe:a9fe": never, "64:ff9b:1::1": never, "100::1": never, "3fff::1": never, "4000::1": never,
		"fd00::1%lo": never,
	} {
		addr := netip.MustParseAddr(ip)
		if got := checkAddr(addr, false) == nil; got != (want == public) {
			t.Errorf("%s: allowed %t", ip, got)
		}
		if got := checkAddr(addr, true) == nil; got != (want != never) {
			t.Errorf("%s with allow_private: allowed %t", ip, got)
		}
	}
}
