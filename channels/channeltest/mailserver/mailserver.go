// Package mailserver runs real mail servers for tests, each with a configuration and a
// directory of its own, on free loopback ports, for as long as the test takes. It needs
// nothing but the programs, and touches none that the machine runs already.
package mailserver

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
)

// Password is that of every user of every server here.
const Password = "correct-horse-battery"

// Require skips a test that needs real mail servers: with -short, and where they are
// not installed, unless LEADGATE_REQUIRE_SERVERS=1 says that they must be.
func Require(t *testing.T, programs ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("real mail servers are left out with -short")
	}
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing(t, fmt.Sprintf("%s is not installed (apt-get install dovecot-imapd dovecot-lmtpd postfix)", p))
		}
	}
}

func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("LEADGATE_REQUIRE_SERVERS") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// FreePort returns a loopback port that nobody listens on.
func FreePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// Loopback returns the address of a port on this machine.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
