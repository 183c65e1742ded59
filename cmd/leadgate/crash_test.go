package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"leadgate/cmd/internal/admin"
)

var rounds = flag.Int("kill-rounds", 300, "how often the gateway is killed")

// harness sends mails to a gateway that is killed at random moments, and knows which of
// them were acknowledged.
type harness struct {
	mu    sync.Mutex
	acked map[string]bool // by domain; false: sent, not acknowledged
	next  int
}

// pick returns a mail that was not acknowledged yet: now and then an old one, as a mail
// server would send it again, else a new one.
func (h *harness) pick() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if rand.IntN(3) == 0 {
		for domain, ok := range h.acked {
			if !ok {
				return domain
			}
		}
	}
	h.next++
	domain := fmt.Sprintf("prospect-%d.example", h.next)
	h.acked[domain] = false
	return domain
}

func (h *harness) ack(domain string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acked[domain] = true
}

// round starts the gateway, sends from several connections at once and kills it in between.
func (h *harness) round(t *testing.T, bin, dir string, after time.Duration) {
	t.Helper()
	p := startDemo(t, bin, dir)
	var senders sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				domain := h.pick()
				if deliver(p.smtp, "ana@brightpath.example", registration("ana@brightpath.example", domain)) == nil {
					h.ack(domain)
				}
			}
		})
	}
	time.AfterFunc(after, func() { p.kill(); close(stop) })
	senders.Wait()
	<-p.drained
}

// verify returns what is wrong: acknowledged mails without a case, cases, numbers or
// records that stand there twice, damaged histories, answers with another number.
func (h *harness) verify(t *testing.T, c *admin.Client, dir string) []string {
	t.Helper()
	var wrong []string
	complain := func(format string, a ...any) { wrong = append(wrong, fmt.Sprintf(format, a...)) }
	byDomain, byNumber := make(map[string]string), make(map[string]bool)
	for _, s := range settled(t, c, time.Minute) {
		if other := byDomain[s.CompanyDomain]; other != "" {
			complain("%s has the cases %s and %s", s.CompanyDomain, other, s.CaseNumber)
		}
		if byNumber[s.CaseNumber] {
			complain("the number %s was given twice", s.CaseNumber)
		}
		byDomain[s.CompanyDomain], byNumber[s.CaseNumber] = s.CaseNumber, true
		d, err := c.Case(context.Background(), s.CaseNumber)
		if err != nil {
			t.Fatal(err)
		}
		if d.Chain != "" {
			complain("history: %s", d.Chain)
		}
	}
	report, err := c.Audit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Faults {
		complain("audit: %s", f)
	}
	inLedger := records(t, c)
	for number, n := range inLedger {
		if n != 1 || !byNumber[number] {
			complain("the ledger has %d records of case %s", n, number)
		}
	}
	answers := answered(t, dir)
	for domain, ok := range h.acked {
		number := byDomain[domain]
		if ok && number == "" {
			complain("%s was acknowledged and is lost", domain)
		}
		if number == "" {
			continue
		}
		if inLedger[number] != 1 {
			complain("case %s has %d records in the ledger", number, inLedger[number])
		}
		if n := len(answers[number]); n != 1 {
			complain("case %s has %d different answers", number, n)
		}
	}
	return wrong
}

// answered returns the mails of the outbox by the case number that they name.
func answered(t *testing.T, dir string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "outbox", "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	answers := make(map[string][]string)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(b)) {
			if number, found := strings.CutPrefix(line, "X-Leadgate-Case: "); found {
				number = strings.TrimSpace(number)
				answers[number] = append(answers[number], f)
			}
		}
	}
	return answers
}

func TestAKilledGatewayLosesAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills the gateway hundreds of times; make test runs it")
	}
	bin, dir := binaryPath(t), t.TempDir()
	h := &harness{acked: make(map[string]bool)}
	for range *rounds {
		h.round(t, bin, dir, time.Duration(10+rand.IntN(250))*time.Millisecond)
	}
	p := startDemo(t, bin, dir)
	defer p.stop(t)
	for _, w := range h.verify(t, p.client(t), dir) {
		t.Error(w)
	}
	acked := 0
	for _, ok := range h.acked {
		if ok {
			acked++
		}
	}
	t.Logf("%d rounds, %d mails, %d of them acknowledged", *rounds, len(h.acked), acked)
	if acked < *rounds {
		t.Errorf("only %d mails were acknowledged in %d rounds: the test proves little", acked, *rounds)
	}
}

// The harness must find a gateway that acknowledges before it commits.
func TestTheCrashHarnessFindsAnEarlyAcknowledgement(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and kills a broken gateway; make test runs it")
	}
	bin, dir := build(t, "-overlay", acknowledgeEarly(t)), t.TempDir()
	h := &harness{acked: make(map[string]bool)}
	for range 10 {
		h.round(t, bin, dir, time.Duration(50+rand.IntN(200))*time.Millisecond)
	}
	p := startDemo(t, binaryPath(t), dir)
	defer p.stop(t)
	wrong := h.verify(t, p.client(t), dir)
	for _, w := range wrong {
		if strings.Contains(w, "acknowledged and is lost") {
			t.Logf("found, as it must be: %s (and %d more)", w, len(wrong)-1)
			return
		}
	}
	t.Errorf("nothing was found: %q", wrong)
}

// acknowledgeEarly writes a build overlay in which the store answers its callers some time
// before it commits.
func acknowledgeEarly(t *testing.T) string {
	t.Helper()
	source, err := filepath.Abs("../../store/boltstore/writer.go")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	broken := string(b)
	for old, changed := range map[string]string{
		"	if err := btx.Commit(); err != nil {": "	s.answer()\n	time.Sleep(20 * time.Millisecond)\n	if err := btx.Commit(); err != nil {",
		"		close(u.done)\n	}\n	s.updates":       "		select {\n		case <-u.done:\n		default:\n			close(u.done)\n		}\n	}\n	s.updates",
		"	\"syscall\"\n":                        "	\"syscall\"\n	\"time\"\n",
	} {
		if strings.Count(broken, old) != 1 {
			t.Fatalf("writer.go no longer holds %q once; teach this test the new form", old)
		}
		broken = strings.Replace(broken, old, changed, 1)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "writer.go")
	if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: file}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
