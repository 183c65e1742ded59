package mailserver

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Capability returns a line of configuration with which a Dovecot says that it can do just
// this after login, such as "IMAP4rev1 IDLE".
func Capability(words string) string { return "imap_capability = " + words + "\n" }

// Quota returns lines of configuration that limit what each user may keep, such as "30K".
func Quota(limit string) string {
	return "mail_plugins = quota\nplugin {\n  quota = maildir:User quota\n  quota_rule = *:storage=" + limit + "\n}\n"
}

// LimitDisk puts the mail of all users on a disk of their own with so much room, such as
// "1m". It is called before anybody gets mail. Where mounting is not allowed the test is
// skipped, whatever is required: no program is missing.
func (d *Dovecot) LimitDisk(t *testing.T, room string) {
	t.Helper()
	dir := filepath.Join(d.Dir, "mail")
	options := fmt.Sprintf("size=%s,mode=0755,uid=%d,gid=%d", room, d.uid, d.gid)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no disk of limited room can be mounted here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "--lazy", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount: %v: %s", err, out)
		}
	})
}

// FillDisk leaves no room on the disk of LimitDisk.
func (d *Dovecot) FillDisk(t *testing.T) {
	t.Helper()
	f, err := os.Create(filepath.Join(d.Dir, "mail", "filler"))
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	f.Close()
}

// Fill puts n messages into the inbox of a user who has no mail yet, past the server, as if
// they had come over the last week. With a keyword each is marked with it.
func (d *Dovecot) Fill(t *testing.T, user string, n int, keyword string, message func(int) []byte) {
	t.Helper()
	home := filepath.Join(d.Dir, "mail", user)
	maildir := filepath.Join(home, "Maildir")
	dirs := []string{home, maildir, filepath.Join(maildir, "cur"), filepath.Join(maildir, "new"), filepath.Join(maildir, "tmp")}
	for _, dir := range dirs {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	sub, flags := "new", ""
	if keyword != "" {
		sub, flags = "cur", ":2,a" // the first one in the list of keywords
		if err := os.WriteFile(filepath.Join(maildir, "dovecot-keywords"), []byte("0 "+keyword+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const week = 7 * 24 * time.Hour
	begin := time.Now().Add(-week)
	for i := range n {
		at := begin.Add(week / time.Duration(n) * time.Duration(i))
		raw := message(i)
		name := fmt.Sprintf("%d.M%dP1.outage,S=%d,W=%d%s", at.Unix(), i, len(raw), len(raw), flags)
		file := filepath.Join(maildir, sub, name)
		if err := os.WriteFile(file, raw, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(home, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, int(d.uid), int(d.gid)))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Recreate brings everything in folder back into the inbox of a user and makes the server
// forget all numbers of messages, as after a restore from a backup: the inbox gets another
// UIDVALIDITY. The server is restarted. It returns how many messages came back.
func (d *Dovecot) Recreate(t *testing.T, user, folder string) int {
	t.Helper()
	before := d.validity(t, user)
	d.Stop(t)
	maildir := filepath.Join(d.Dir, "mail", user, "Maildir")
	moved := 0
	for _, sub := range []string{"cur", "new"} {
		files, err := filepath.Glob(filepath.Join(maildir, "."+folder, sub, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if err := os.Rename(file, filepath.Join(maildir, "cur", filepath.Base(file))); err != nil {
				t.Fatal(err)
			}
			moved++
		}
	}
	for _, dir := range []string{maildir, filepath.Join(maildir, "."+folder)} {
		files, err := filepath.Glob(filepath.Join(dir, "dovecot*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "dovecot-keywords") {
				continue // it names the flags in the names of files
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	for { // it is the time in seconds; a restart within one gives the same
		d.Start(t)
		if d.validity(t, user) != before {
			return moved
		}
		d.Stop(t)
		for _, file := range []string{"dovecot-uidlist", "dovecot.index.log", "dovecot-uidvalidity"} {
			os.Remove(filepath.Join(maildir, file))
		}
	}
}

func (d *Dovecot) validity(t *testing.T, user string) uint32 {
	t.Helper()
	c := d.Login(t, user)
	defer c.Close()
	data, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return data.UIDValidity
}
