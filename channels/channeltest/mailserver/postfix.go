package mailserver

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"
)

var postfixMain = template.Must(template.New("main.cf").Parse(`
compatibility_level = 3.6
queue_directory = {{.Dir}}/queue
data_directory = {{.Dir}}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {{.Dir}}/log
maillog_file_prefixes = {{.Dir}}
myhostname = mx.vendor.example
mydomain = vendor.example
myorigin = vendor.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = vendor.example
virtual_mailbox_maps = inline:{ partners@vendor.example=x }
virtual_transport = lmtp:inet:127.0.0.1:{{.LMTP}}
default_transport = smtp:[127.0.0.1]:{{.Relay}}
relay_transport = smtp:[127.0.0.1]:{{.Relay}}
recipient_delimiter = +
disable_dns_lookups = yes
smtp_host_lookup = native
smtputf8_enable = yes
mailbox_size_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
alias_maps =
alias_database =
`))

var postfixMaster = template.Must(template.New("master.cf").Parse(`
127.0.0.1:{{.SMTP}} inet n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 1 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
lmtp      unix  - - n - - lmtp
error     unix  - - n - - error
retry     unix  - - n - - error
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
`))

// Postfix is a Postfix of our own: it delivers to our domain by LMTP and hands all other
// mail to a relay.
type Postfix struct {
	Dir               string
	SMTP, LMTP, Relay int
}

// StartPostfix starts a server until the test ends. It delivers mail for
// partners@vendor.example to the LMTP port, and all else to the SMTP port of a relay.
func StartPostfix(t *testing.T, lmtp, relay int) *Postfix {
	t.Helper()
	Require(t, "postfix")
	if os.Getuid() != 0 {
		missing(t, "Postfix can be started by root alone")
	}
	p := &Postfix{SMTP: FreePort(t), LMTP: lmtp, Relay: relay}
	var err error
	if p.Dir, err = os.MkdirTemp("", "leadgate-postfix-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(p.Dir) })
	if err := os.Chmod(p.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"conf", "queue", "data"} {
		if err := os.Mkdir(filepath.Join(p.Dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, tmpl := range map[string]*template.Template{"main.cf": postfixMain, "master.cf": postfixMaster} {
		var b bytes.Buffer
		if err := tmpl.Execute(&b, p); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(p.Dir, "conf", name), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(p.Dir, "data")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := p.command("start").CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(p.Dir, "log"))
		t.Fatalf("Postfix does not start: %v\n%s\n%s", err, out, log)
	}
	t.Cleanup(func() {
		pid, _ := os.ReadFile(filepath.Join(p.Dir, "queue/pid/master.pid"))
		if out, err := p.command("stop").CombinedOutput(); err != nil {
			t.Errorf("stop Postfix: %v\n%s", err, out)
		}
		n, _ := strconv.Atoi(strings.TrimSpace(string(pid)))
		for range 500 {
			if _, err := os.Stat(fmt.Sprintf("/proc/%d", n)); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond) // its end is told by nothing else
		}
		t.Error("Postfix does not end")
	})
	return p
}

// command runs Postfix's own control program. Its output goes to a pipe that the daemon
// keeps open, so that the command is not waited for by way of that pipe.
func (p *Postfix) command(verb string) *exec.Cmd {
	cmd := exec.Command("postfix", "-c", filepath.Join(p.Dir, "conf"), verb)
	cmd.WaitDelay = time.Second
	return cmd
}
