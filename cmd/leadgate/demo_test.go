package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/cmd/internal/demo"
	"leadgate/intake"
)

// leadgate runs a command of the real binary and returns what it printed.
func leadgate(t testing.TB, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.Command(binaryPath(t), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// answers returns the mails of the outbox to an address that name a case number, oldest
// first, once there are at least n of them.
func (p *process) answers(t testing.TB, to string, n int) []*mail.Message {
	t.Helper()
	var found []*mail.Message
	eventually(t, 5*time.Second, fmt.Sprintf("%d answers to %s", n, to), func() bool {
		found = nil
		files, err := filepath.Glob(filepath.Join(p.dir, "outbox", "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			m, err := mail.ReadMessage(bytes.NewReader(b))
			if err != nil {
				t.Fatalf("%s is no mail: %v", f, err)
			}
			if strings.Contains(m.Header.Get("To"), to) {
				found = append(found, m)
			}
		}
		return len(found) >= n
	})
	return found
}

var caseNumber = regexp.MustCompile(`LG-\d{4}-\d{6}-[0-9A-HJKMNP-TV-Z]`)

// The story of the README, with the very commands that the demo prints.
func TestTheDemoDoesWhatItPrints(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		needServer(t, "curl")
	}
	dir := t.TempDir()
	p := startDemo(t, binaryPath(t), dir)
	defer p.stop(t)
	if want := "  " + binaryPath(t) + " cases list --dir " + dir + "\n"; !strings.Contains(p.said, want) {
		t.Errorf("the demo does not print %q:\n%s", want, p.said)
	}
	lines := regexp.MustCompile(`curl .*`).FindAllString(p.said, -1)
	if len(lines) != 3 {
		t.Fatalf("the demo prints %d curl lines:\n%s", len(lines), p.said)
	}
	send := func(line string) {
		t.Helper()
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}

	began := time.Now()
	send(lines[0])
	first := p.answers(t, "ana@brightpath.example", 1)[0]
	t.Logf("answered after %v", time.Since(began))
	number := caseNumber.FindString(first.Header.Get("Subject"))
	if number == "" || !strings.HasPrefix(first.Header.Get("Subject"), "Re: New lead: Acme GmbH") {
		t.Fatalf("the answer's subject is %q", first.Header.Get("Subject"))
	}

	send(lines[0])
	for _, m := range p.answers(t, "ana@brightpath.example", 2) {
		if got := m.Header.Get("X-Leadgate-Case"); got != number {
			t.Errorf("the same mail again is answered with %s, want %s", got, number)
		}
	}
	send(lines[1])
	rival := p.answers(t, "tom@kestrel-it.example", 1)[0]
	if caseNumber.FindString(rival.Header.Get("Subject")) == number {
		t.Error("the competitor was told the holder's number")
	}
	send(lines[2])
	p.answers(t, "ana@brightpath.example", 3)

	client := p.client(t)
	status := make(map[string]intake.Status)
	for _, s := range settled(t, client, 5*time.Second) {
		status[s.Partner+" "+s.CompanyDomain] = s.Status
	}
	want := map[string]intake.Status{
		"brightpath acme.example": intake.StatusProvisional,
		"kestrel-it acme.example": intake.StatusWaitlisted,
		"brightpath ":             intake.StatusNeedsInfo,
	}
	if fmt.Sprint(status) != fmt.Sprint(want) {
		t.Errorf("cases %v, want %v", status, want)
	}

	out, stderr, err := leadgate(t, "cases", "show", number, "--dir", dir)
	if err != nil {
		t.Fatalf("cases show: %v\n%s", err, stderr)
	}
	for _, told := range []string{number, "Brightpath Consulting", "jane.doe@acme.example", "submitted → approved_provisional by policy", "pushed by crm:ledger", "notified by channel:email", "The chain of hashes is whole."} {
		if !strings.Contains(out, told) {
			t.Errorf("cases show does not tell %q:\n%s", told, out)
		}
	}
	page := get(t, p.page)
	for _, told := range []string{number, "Acme GmbH", "tom@kestrel-it.example", "needs_info"} {
		if !strings.Contains(page, told) {
			t.Errorf("the page does not show %q", told)
		}
	}
	if p.stderr.String() != "" {
		t.Errorf("the demo complained:\n%s", p.stderr)
	}
}

func get(t testing.TB, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", url, resp.Status, err)
	}
	return string(b)
}

// needServer fails where the servers must be there, as in CI, and skips elsewhere.
func needServer(t testing.TB, name string) {
	t.Helper()
	if os.Getenv("LEADGATE_REQUIRE_SERVERS") == "1" {
		t.Fatalf("%s is missing; make test installs it", name)
	}
	t.Skipf("%s is missing; make test installs it", name)
}

func TestAFilledInReplyCompletesTheCase(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	ask := "From: Ana <ana@brightpath.example>\r\nTo: partners@northwind.example\r\nMessage-ID: <one@brightpath.example>\r\nSubject: lead\r\n\r\nCompany: Blue Harbour\r\n"
	if err := deliver(p.smtp, "ana@brightpath.example", ask); err != nil {
		t.Fatal(err)
	}
	question := p.answers(t, "ana@brightpath.example", 1)[0]
	if got := question.Header.Get("In-Reply-To"); got != "<one@brightpath.example>" {
		t.Errorf("the question answers %q", got)
	}
	reply := "From: Ana <ana@brightpath.example>\r\nTo: partners@northwind.example\r\nMessage-ID: <two@brightpath.example>\r\n" +
		"Subject: RE: something else\r\nIn-Reply-To: " + question.Header.Get("Message-ID") + "\r\n\r\n" +
		"Company domain: blueharbour.example\r\nContact e-mail: lars@blueharbour.example\r\nProblem: Invoices are typed by hand.\r\nConsent: yes\r\n" +
		"\r\nOn Monday, Northwind Cloud wrote:\r\n> Company domain: \r\n> Contact e-mail: \r\n"
	if err := deliver(p.smtp, "ana@brightpath.example", reply); err != nil {
		t.Fatal(err)
	}
	p.answers(t, "ana@brightpath.example", 2)
	cases := settled(t, p.client(t), 5*time.Second)
	if len(cases) != 1 || cases[0].Status != intake.StatusProvisional || cases[0].CompanyDomain != "blueharbour.example" {
		t.Errorf("cases %+v", cases)
	}

	// What nothing is read from is not lost on staff.
	news := strings.Replace(reply, "<two@", "<three@", 1)
	news = news[:strings.Index(news, "\r\n\r\n")] + "\r\n\r\nWe meet them on 3 December.\r\n"
	if err := deliver(p.smtp, "ana@brightpath.example", news); err != nil {
		t.Fatal(err)
	}
	if out, stderr, err := leadgate(t, "cases", "list", "--dir", p.dir); err != nil || !strings.Contains(out, "approved_provisional, 1 unread") {
		t.Errorf("the list says %s %s, %v", out, stderr, err)
	}
	if out, _, err := leadgate(t, "cases", "show", cases[0].CaseNumber, "--dir", p.dir); err != nil || !strings.Contains(out, "| We meet them on 3 December.") {
		t.Errorf("the story does not tell what the partner wrote: %s, %v", out, err)
	}
}

func TestNobodyUnknownIsAnswered(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	for i, body := range []string{
		strings.ReplaceAll(registration("x@stranger.example", "victim.example"), "Problem: They", "Problem: SPAM-CANARY They"),
		"From: x@stranger.example\r\nTo: partners@northwind.example\r\nSubject: hi\r\n\r\nSPAM-CANARY\r\n",
		"From: mailer-daemon@stranger.example\r\nTo: partners@northwind.example\r\nSubject: failure\r\nAuto-Submitted: auto-replied\r\n\r\nSPAM-CANARY\r\n",
		"\x00\x01 no header at all SPAM-CANARY",
	} {
		if err := deliver(p.smtp, "x@stranger.example", body); err != nil {
			t.Fatalf("mail %d was refused: %v", i, err)
		}
	}
	if err := deliver(p.smtp, "ana@brightpath.example", registration("ana@brightpath.example", "fine.example")); err != nil {
		t.Fatal(err)
	}
	p.answers(t, "ana@brightpath.example", 1) // the rest goes on
	client := p.client(t)
	settled(t, client, 5*time.Second)
	files, err := filepath.Glob(filepath.Join(p.dir, "outbox", "L*"))
	if err != nil || len(files) != 1 {
		t.Errorf("outbox %v, %v: want one answer", files, err)
	}
	quarantined, err := client.Cases(context.Background(), intake.CaseQuery{Status: intake.StatusQuarantined})
	if err != nil || len(quarantined) != 1 || quarantined[0].CompanyDomain != "victim.example" {
		t.Errorf("quarantined %+v, %v", quarantined, err)
	}
	asides, err := client.Inbox(context.Background(), false)
	if err != nil || len(asides) != 3 {
		t.Errorf("set aside %+v, %v: want 3", asides, err)
	}
	for _, a := range asides {
		if a.Raw.SHA256 == "" {
			t.Errorf("%s was kept without its bytes", a.Reason)
		}
	}
	if strings.Contains(p.stderr.String(), "SPAM-CANARY") {
		t.Error("the text of a mail is in the log")
	}
}

func TestABackupOfARunningGatewayIsWholeAndReadable(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	if err := deliver(p.smtp, "ana@brightpath.example", registration("ana@brightpath.example", "acme.example")); err != nil {
		t.Fatal(err)
	}
	settled(t, p.client(t), 5*time.Second)
	restored := t.TempDir()
	if _, err := demo.WriteTries(restored); err != nil { // so that it passes for a demo's
		t.Fatal(err)
	}
	out, stderr, err := leadgate(t, "backup", filepath.Join(restored, app.StoreFile), "--dir", p.dir)
	if err != nil || !strings.Contains(out, "checked") {
		t.Fatalf("backup: %v\n%s%s", err, out, stderr)
	}
	want, _, _ := leadgate(t, "cases", "list", "--json", "--dir", p.dir)
	got, stderr, err := leadgate(t, "cases", "list", "--json", "--dir", restored)
	if err != nil || got != want || !strings.Contains(got, "acme.example") {
		t.Errorf("the backup holds %s, want %s; %v %s", got, want, err, stderr)
	}
	if _, stderr, err = leadgate(t, "backup", filepath.Join(restored, app.StoreFile), "--dir", p.dir); err != nil {
		t.Errorf("a newer backup in the place of an older one: %v %s", err, stderr)
	}
	letter := filepath.Join(restored, "letter.txt")
	if err := os.WriteFile(letter, []byte("Dear Jane, this is no backup."), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, err = leadgate(t, "backup", letter, "--dir", p.dir); err == nil || !strings.Contains(stderr, "exists and is no backup") {
		t.Errorf("a backup over a letter: %v %s", err, stderr)
	}
}

func TestASecondGatewayOnTheSameStoreIsToldWhoHasIt(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	_, stderr, err := leadgate(t, "demo", "--dir", p.dir, "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
	if err == nil || !strings.Contains(stderr, fmt.Sprintf("pid %d", p.cmd.Process.Pid)) {
		t.Errorf("the second says %v: %s", err, stderr)
	}
	if strings.Contains(stderr, "timeout") {
		t.Errorf("the second tells of a wait: %s", stderr)
	}
}

func TestCommandsWorkOnTheStoreOfAStoppedGateway(t *testing.T) {
	dir := t.TempDir()
	p := startDemo(t, binaryPath(t), dir)
	if err := deliver(p.smtp, "x@stranger.example", registration("x@stranger.example", "acme.example")); err != nil {
		t.Fatal(err)
	}
	p.stop(t)
	out, stderr, err := leadgate(t, "cases", "list", "--dir", dir)
	number := caseNumber.FindString(out)
	if err != nil || number == "" {
		t.Fatalf("list: %v\n%s%s", err, out, stderr)
	}
	if out, stderr, err = leadgate(t, "cases", "assign", number, "--partner", "kestrel-it", "--by", "mia", "--dir", dir); err != nil || !strings.Contains(out, "submitted; answers go to x@stranger.example (email)") {
		t.Fatalf("assign: %v\n%s%s", err, out, stderr)
	}
	p = startDemo(t, binaryPath(t), dir) // goes on with what the command left to do
	defer p.stop(t)
	cases := settled(t, p.client(t), 5*time.Second)
	if len(cases) != 1 || cases[0].Status != intake.StatusProvisional || cases[0].Partner != "kestrel-it" {
		t.Errorf("cases %+v", cases)
	}
	p.answers(t, "x@stranger.example", 1)
}

func TestStaffCommandsSayWhatIsWrong(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	if err := deliver(p.smtp, "ana@brightpath.example", registration("ana@brightpath.example", "acme.example")); err != nil {
		t.Fatal(err)
	}
	number := settled(t, p.client(t), 5*time.Second)[0].CaseNumber
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"approving twice", []string{"approve", number}, "a case that is approved_provisional cannot become approved_provisional by staff; possible: "},
		{"declining without a reason", []string{"decline", number}, "a refusal needs a rationale"},
		{"an unknown reason code", []string{"decline", number, "--reason", "because", "--rationale", "long enough here"}, `reason "because": want one of`},
		{"asking nothing", []string{"ask", number}, "the question has fewer than"},
		{"a mistyped number", []string{"show", number[:len(number)-1] + "?"}, "is not a case number like LG-2026-"},
		{"an unknown case", []string{"show", "LG-2026-000001-" + symbolFor(t, "2026-000001")}, "not found"},
		{"no number", []string{"show"}, "accepts 1 arg"},
		{"an empty number", []string{"show", ""}, `"" is not a case number`},
		{"an empty number to decide", []string{"approve", ""}, `"" is not a case number like LG-2026-`},
		{"an unknown state", []string{"list", "--status", "foo"}, `--status "foo": want one of [quarantined submitted `},
		{"a negative limit", []string{"list", "--limit", "-1"}, "--limit -1: must not be negative"},
		{"an unknown command", []string{"frob"}, `unknown command "frob" for "leadgate cases"; known: `},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, stderr, err := leadgate(t, append(append([]string{"cases"}, c.args...), "--dir", p.dir)...)
			if err == nil || !strings.Contains(stderr, c.want) {
				t.Errorf("said %q, want %q", stderr, c.want)
			}
		})
	}
	for _, by := range []string{"mia", "jo"} {
		if _, stderr, err := leadgate(t, "cases", "revoke", number, "--by", by, "--rationale", "The customer objected.", "--message", "They asked us not to.", "--dir", p.dir); err != nil {
			t.Fatalf("revoke: %v %s", err, stderr)
		}
	}
	if m := p.answers(t, "ana@brightpath.example", 2); m[1].Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("the decision goes out as %q", m[1].Header.Get("Auto-Submitted"))
	}
}

// symbolFor finds the check symbol of a number by trying all.
func symbolFor(t testing.TB, body string) string {
	t.Helper()
	g, err := intake.NewNumbering("LG", make([]byte, 16))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range "0123456789ABCDEFGHJKMNPQRSTVWXYZ" {
		if _, ok := g.Parse("LG-" + body + "-" + string(c)); ok {
			return string(c)
		}
	}
	t.Fatal("no symbol fits")
	return ""
}

func TestStoppingIsQuickAndClean(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	began := time.Now()
	p.stop(t)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("an idle gateway took %v to stop", took)
	}
	if _, err := admin.Dial(filepath.Join(p.dir, app.SocketFile)); err == nil {
		t.Error("the admin socket still answers")
	}
}

func TestAddressesOfTheDemoThatDoNotWork(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct{ name, http, smtp, want string }{
		{"no address for mail", "127.0.0.1:0", "foo", `--smtp "foo": want host:port`},
		{"no address for the page", "foo", "127.0.0.1:0", `--http "foo": want host:port`},
		{"mail on a port in use", "127.0.0.1:0", taken.Addr().String(), "address already in use; choose other addresses with --http (the page) and --smtp (mail)"},
		{"the page on a port in use", taken.Addr().String(), "127.0.0.1:0", "address already in use; choose other addresses with --http (the page) and --smtp (mail)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, stderr, err := leadgate(t, "demo", "--dir", t.TempDir(), "--http", c.http, "--smtp", c.smtp)
			if err == nil || !strings.Contains(stderr, c.want) {
				t.Errorf("said %q, want %q", stderr, c.want)
			}
		})
	}
}

func TestCheckWarnsAndNamesAMissingFileOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "leadgate.yaml")
	_, stderr, err := leadgate(t, "check", "--config", file)
	if err == nil || strings.Count(stderr, file) != 1 {
		t.Errorf("a missing file: %v %s", err, stderr)
	}
	text := `{program: Vendor, data: state, policy: {contact: {name: Mia, email: mia@vendor.example}}, mailboxes: [
  {name: partners, address: partners@vendor.example, outbox: out, direct: {listen: "127.0.0.1:0"}, sender_proof: {mode: none}}]}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, stderr, err := leadgate(t, "check", "--config", file)
	want := "warning: mailboxes[0].sender_proof: senders are believed as written; anybody can speak for any partner\n"
	if err != nil || !strings.Contains(out, want) {
		t.Errorf("check: %v\n%s%s", err, out, stderr)
	}
}

func TestFaultsOfAnImportNameTheLinesOfTheFile(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	for _, c := range []struct{ name, csv, want string }{
		{"what the reader finds", "id,name,domains\na,A,a.example\n\na,B,b.example\n", "line 4 (a): line 2 has the same id"},
		{"what the gateway finds", "id,name,domains\na,A,a.example\n\nb,B,gmail.com\n", "line 4 (b): domains[0]: \"gmail.com\" belongs to a mail provider"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "partners.csv")
			if err := os.WriteFile(file, []byte(c.csv), 0o600); err != nil {
				t.Fatal(err)
			}
			_, stderr, err := leadgate(t, "partners", "import", file, "--dir", p.dir)
			if err == nil || !strings.Contains(stderr, c.want) {
				t.Errorf("said %q, want %q", stderr, c.want)
			}
		})
	}
}
