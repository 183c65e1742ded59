package mailserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// dovecotConfig is for Dovecot 2.3. Every user exists, with one password.
var dovecotConfig = template.Must(template.New("dovecot").Parse(`
base_dir = {{.Dir}}/run
state_dir = {{.Dir}}/state
log_path = {{.Dir}}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = {{.User}}
default_internal_group = {{.Group}}
default_login_user = {{.User}}
mail_uid = {{.User}}
mail_gid = {{.Group}}
first_valid_uid = 1
mail_home = {{.Dir}}/mail/%u
mail_location = maildir:~/Maildir
recipient_delimiter = +
{{.Extra}}
passdb {
  driver = static
  args = password=` + Password + `
}
userdb {
  driver = static
  args = uid={{.User}} gid={{.Group}} home={{.Dir}}/mail/%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = /
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
service imap-login {
  chroot =
  process_min_avail = 1
  service_count = 0
  inet_listener imap {
    port = {{.IMAP}}
  }
  inet_listener imaps {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = {{.LMTP}}
  }
}
`))

// Dovecot is a Dovecot of our own, run as an unprivileged user in a directory of its own.
type Dovecot struct {
	Dir, User, Group, Extra string
	IMAP, LMTP              int

	uid, gid uint32
	cmd      *exec.Cmd
	pid      atomic.Int32 // of cmd; read while it is restarted
	done     chan error
}

// StartDovecot starts a server until the test ends. extra are further lines of its
// configuration.
func StartDovecot(t *testing.T, extra string) *Dovecot {
	t.Helper()
	Require(t, "dovecot")
	version, err := exec.Command("dovecot", "--version").Output()
	if err != nil || !bytes.HasPrefix(version, []byte("2.3.")) {
		missing(t, fmt.Sprintf("the test configuration is for Dovecot 2.3, this is %s", bytes.TrimSpace(version)))
	}
	d := &Dovecot{Extra: extra, IMAP: FreePort(t), LMTP: FreePort(t)}
	d.account(t)
	d.Dir, err = os.MkdirTemp("", "leadgate-dovecot-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(d.Dir) })
	if err := os.Chmod(d.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"run", "state", "mail"} {
		if err := os.Mkdir(filepath.Join(d.Dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var conf bytes.Buffer
	if err := dovecotConfig.Execute(&conf, d); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.conf(), conf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "run", "state", "mail", "dovecot.conf"} {
		if err := os.Chown(filepath.Join(d.Dir, path), int(d.uid), int(d.gid)); err != nil {
			t.Fatal(err)
		}
	}
	d.Start(t)
	t.Cleanup(func() { d.kill(t) })
	return d
}

func (d *Dovecot) conf() string { return filepath.Join(d.Dir, "dovecot.conf") }

// account picks the user to run as: ourselves, or nobody if we are root, because Dovecot
// refuses to deliver mail as root.
func (d *Dovecot) account(t *testing.T) {
	t.Helper()
	u, err := user.Current()
	if err == nil && u.Uid == "0" {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		t.Fatal(err)
	}
	g, err := user.LookupGroupId(u.Gid)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	d.User, d.Group, d.uid, d.gid = u.Username, g.Name, uint32(uid), uint32(gid)
}

// Start runs the server and waits for the first login: the port answers before that.
func (d *Dovecot) Start(t *testing.T) {
	t.Helper()
	d.cmd = exec.Command("dovecot", "-F", "-c", d.conf())
	if os.Getuid() == 0 {
		d.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: d.uid, Gid: d.gid}}
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d.pid.Store(int32(d.cmd.Process.Pid))
	d.done = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(d.cmd, d.done)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		c, err := imapclient.DialInsecure(Loopback(d.IMAP), nil)
		if err == nil {
			err = c.Login("ready@vendor.example", Password).Wait()
			c.Close()
		}
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(d.Dir, "log"))
			t.Fatalf("Dovecot does not start: %v\n%s", err, log)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Stop ends the server and its children.
func (d *Dovecot) Stop(t *testing.T) {
	t.Helper()
	if d.cmd == nil {
		return
	}
	for _, pid := range d.Children(t, "") {
		syscall.Kill(pid, syscall.SIGCONT)
	}
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("stop Dovecot: %v", err)
	}
	select {
	case <-d.done:
	case <-time.After(10 * time.Second):
		d.cmd.Process.Kill()
		<-d.done
		t.Error("Dovecot had to be killed")
	}
	d.cmd = nil
}

// kill ends the server for good. An orderly end takes it more than a second.
func (d *Dovecot) kill(t *testing.T) {
	if d.cmd == nil {
		return
	}
	children := d.Children(t, "")
	d.cmd.Process.Kill() // first, or it would replace them
	<-d.done
	for _, pid := range children {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	d.cmd = nil
}

// Children returns the ids of the server's processes of a name, all if it is empty.
func (d *Dovecot) Children(t *testing.T, name string) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, file := range stats {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // ended in the meantime
		}
		var pid, parent int
		var state string
		head, tail, _ := strings.Cut(string(b), ") ")
		id, comm, _ := strings.Cut(head, " (")
		pid, _ = strconv.Atoi(id)
		fmt.Sscan(tail, &state, &parent)
		if parent == int(d.pid.Load()) && (name == "" || comm == name) {
			out = append(out, pid)
		}
	}
	return out
}

// SignalIMAP sends a signal to every process that serves a logged-in client.
func (d *Dovecot) SignalIMAP(t *testing.T, sig syscall.Signal) int {
	t.Helper()
	pids := d.Children(t, "imap")
	for _, pid := range pids {
		if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("signal %d: %v", pid, err)
		}
	}
	return len(pids)
}

// Login returns another client of a user.
func (d *Dovecot) Login(t *testing.T, name string) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(Loopback(d.IMAP), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(name, Password).Wait(); err != nil {
		c.Close()
		t.Fatal(err)
	}
	return c
}

// Count returns how many messages a folder holds that meet criteria, 0 if there is none.
func (d *Dovecot) Count(t *testing.T, name, folder string, criteria *imap.SearchCriteria) int {
	t.Helper()
	c := d.Login(t, name)
	defer c.Close()
	if _, err := c.Select(folder, &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		return 0
	}
	data, err := c.UIDSearch(criteria, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return len(data.AllUIDs())
}
