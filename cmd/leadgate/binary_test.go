package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/smtp"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/cmd/internal/demo"
	"leadgate/intake"
)

// build compiles the real binary, with extra arguments to go build.
func build(t testing.TB, extra ...string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "leadgate")
	args := append([]string{"build", "-o", bin}, extra...)
	cmd := exec.Command("go", append(args, ".")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return bin
}

// builtOnce is the binary that tests share.
var builtOnce = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "leadgate-test-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "leadgate")
	out, err := exec.Command("go", "build", "-o", bin, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, err
})

func binaryPath(t testing.TB) string {
	t.Helper()
	bin, err := builtOnce()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

func TestMain(m *testing.M) {
	if importFromEnv() {
		return
	}
	status := m.Run()
	if bin, err := builtOnce(); err == nil {
		os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(status)
}

// process is a running gateway.
type process struct {
	cmd     *exec.Cmd
	dir     string
	smtp    string // host:port
	page    string // URL
	said    string // what it printed when it was up
	stderr  *output
	drained chan struct{}
}

// output collects what a process prints, and can be read while it does.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

var (
	smtpLine = regexp.MustCompile(`smtp://(\S+)`)
	pageLine = regexp.MustCompile(`http://\S+/demo`)
)

// startDemo runs the demo on free ports and returns once it said that it takes mail.
func startDemo(t testing.TB, bin, dir string) *process {
	t.Helper()
	cmd := exec.Command(bin, "demo", "--dir", dir, "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
	p := &process{cmd: cmd, dir: dir, stderr: new(output), drained: make(chan struct{})}
	cmd.Stderr = p.stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	go func() {
		defer close(p.drained)
		var seen strings.Builder
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			fmt.Fprintln(&seen, lines.Text())
			if strings.Contains(lines.Text(), "Ctrl-C") {
				said <- seen.String()
			}
		}
		close(said)
	}()
	select {
	case text, ok := <-said:
		if !ok {
			cmd.Wait()
			t.Fatalf("the demo ended at once:\n%s", p.stderr)
		}
		p.said = text
		p.smtp = smtpLine.FindStringSubmatch(text)[1]
		p.page = pageLine.FindString(text)
	case <-time.After(30 * time.Second):
		cmd.Process.Kill()
		t.Fatalf("the demo did not come up:\n%s", p.stderr)
	}
	return p
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.drained
	p.cmd.Wait()
}

// stop ends the process in order and returns what it had to say about it.
func (p *process) stop(t testing.TB) {
	t.Helper()
	p.cmd.Process.Signal(os.Interrupt)
	<-p.drained
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the gateway stopped with %v:\n%s", err, p.stderr)
	}
}

func (p *process) client(t testing.TB) *admin.Client {
	t.Helper()
	c, err := admin.Dial(filepath.Join(p.dir, app.SocketFile))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// deliver hands a mail to the demo by SMTP; nil means that it said 250.
func deliver(addr, from, body string) error {
	return deliverTo(addr, from, demo.Address, body)
}

func deliverTo(addr, from, to, body string) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Mail(from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, body); err != nil {
		return err
	}
	return w.Close() // returns the answer to the final dot
}

// registration is a complete mail about a domain.
func registration(from, domain string) string {
	return strings.ReplaceAll(fmt.Sprintf(`From: %s
To: partners@northwind.example
Subject: New lead
Message-ID: <%s.%s>
Content-Type: text/plain; charset=utf-8

Company: Company %s
Domain: %s
Email: boss@%s
Problem: They lose a day a week to manual reporting.
Consent: yes
`, from, domain, from, domain, domain, domain), "\n", "\r\n")
}

// eventually polls cond, which talks to another process, until it holds.
func eventually(t testing.TB, within time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", within, what)
		case <-tick.C:
		}
	}
}

// settled waits until every case is decided, pushed and answered.
func settled(t testing.TB, c *admin.Client, within time.Duration) []admin.CaseSummary {
	t.Helper()
	var cases []admin.CaseSummary
	eventually(t, within, "all cases decided", func() bool {
		var err error
		if cases, err = c.Cases(context.Background(), intake.CaseQuery{}); err != nil {
			t.Fatal(err)
		}
		for _, s := range cases {
			if s.Status == intake.StatusSubmitted {
				return false
			}
		}
		return true
	})
	for _, s := range cases {
		eventually(t, within, "case "+s.CaseNumber+" answered and pushed", func() bool {
			d, err := c.Case(context.Background(), s.CaseNumber)
			if err != nil {
				t.Fatal(err)
			}
			for _, task := range d.Tasks {
				if task.Lane != intake.LaneTimer {
					return false
				}
			}
			return true
		})
	}
	return cases
}

// records returns the case numbers of the ledger, as often as they stand in it.
func records(t testing.TB, c *admin.Client) map[string]int {
	t.Helper()
	var out bytes.Buffer
	if err := c.Ledger(context.Background(), "json", &out); err != nil {
		t.Fatal(err)
	}
	var entries []map[string]any
	if err := json.Unmarshal(out.Bytes(), &entries); err != nil {
		t.Fatalf("ledger: %v", err)
	}
	count := make(map[string]int)
	for _, e := range entries {
		number, _ := e["case"].(string)
		count[number]++
	}
	return count
}
