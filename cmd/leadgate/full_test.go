package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A disk that is full: mail is refused for the time being, nothing is acknowledged that is
// not stored, and all goes on once there is room.
func TestAFullDiskRefusesMailAndLosesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("mounts a small disk; make test runs it")
	}
	if os.Getuid() != 0 {
		t.Skip("a disk of its own can be mounted by root alone")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("this machine lets nobody mount: %v %s", err, out)
	}
	t.Cleanup(func() { // after the gateway has stopped
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	p := startDemo(t, binaryPath(t), dir)
	defer p.stop(t)
	acked := make(map[string]bool)
	padding := strings.Repeat("They lose a day a week to manual reporting.\r\n", 1500)
	var refused error
	for i := range 300 {
		domain := fmt.Sprintf("p%d.example", i)
		mail := strings.Replace(registration("ana@brightpath.example", domain), "Consent: yes", "Consent: yes\r\n\r\n"+padding, 1)
		if refused = deliver(p.smtp, "ana@brightpath.example", mail); refused != nil {
			break
		}
		acked[domain] = true
	}
	var answer *textproto.Error
	if !errors.As(refused, &answer) || answer.Code/100 != 4 {
		t.Fatalf("after %d mails the full disk is answered with %v, want a temporary refusal", len(acked), refused)
	}
	t.Logf("%d mails fit, then: %v", len(acked), refused)
	if out, err := exec.Command("mount", "-o", "remount,size=64m", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	eventually(t, 10*time.Second, "mail is taken again", func() bool {
		return deliver(p.smtp, "ana@brightpath.example", registration("ana@brightpath.example", "late.example")) == nil
	})
	acked["late.example"] = true
	resp, err := http.Get(strings.TrimSuffix(p.page, "/demo") + "/readyz")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("readyz: %v, %v", resp, err)
	}
	resp.Body.Close()
	for _, c := range settled(t, p.client(t), time.Minute) {
		if acked[c.CompanyDomain] {
			delete(acked, c.CompanyDomain)
		}
	}
	for domain := range acked {
		t.Errorf("%s was acknowledged and is lost", domain)
	}
}
