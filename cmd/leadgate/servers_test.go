package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"leadgate/channels/channeltest/mailserver"
	"leadgate/cmd/internal/admin"
	"leadgate/cmd/internal/app"
	"leadgate/intake"
)

// site is a vendor with real mail servers: mail for partners@vendor.example goes through
// Postfix to Dovecot, where the gateway fetches it; answers go through Postfix to the
// world, which is a sink.
type site struct {
	world   *mailserver.Sink
	dovecot *mailserver.Dovecot
	postfix *mailserver.Postfix
	dir     string
	config  string
	metrics string // host:port
}

const partnersAddress = "partners@vendor.example"

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{world: mailserver.StartSink(t), dir: t.TempDir()}
	s.dovecot = mailserver.StartDovecot(t, "")
	s.postfix = mailserver.StartPostfix(t, s.dovecot.LMTP, s.world.Port)
	s.metrics = mailserver.Loopback(mailserver.FreePort(t))
	s.config = filepath.Join(s.dir, "leadgate.yaml")
	files := map[string]string{
		"password": mailserver.Password + "\n",
		"partners.csv": "id,name,domains\n" +
			"brightpath,Brightpath,brightpath.example\nkestrel-it,Kestrel IT,kestrel-it.example\n",
		"leadgate.yaml": fmt.Sprintf(`
program: Vendor
data: state
log: {level: debug, format: json}
admin: {listen: "%s"}
policy:
  mode: auto
  required: short
  timezone: Europe/Brussels
  contact: {name: Mia Lund, email: mia@vendor.example}
  own_domains: [vendor.example]
budget: {address_hour: 1000, address_day: 1000, domain_hour: 1000, case_day: 1000, hour: 1000000}
mailboxes:
  - name: partners
    address: %s
    imap: {host: 127.0.0.1, port: %d, tls: none, username: %s, password_file: password, poll: 1s}
    sender_proof: {mode: authentication-results, authserv_id: mx.vendor.example}
    smtp: {host: 127.0.0.1, port: %d, tls: none}
`, s.metrics, partnersAddress, s.dovecot.IMAP, partnersAddress, s.postfix.SMTP),
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, stderr, err := leadgate(t, "check", "--config", s.config); err != nil {
		t.Fatalf("check: %v\n%s%s", err, out, stderr)
	}
	if out, stderr, err := leadgate(t, "partners", "import", filepath.Join(s.dir, "partners.csv"), "--config", s.config); err != nil || !strings.Contains(out, "2 partners") {
		t.Fatalf("import: %v\n%s%s", err, out, stderr)
	}
	return s
}

// serve runs the gateway until stopped; its log is kept.
func (s *site) serve(t *testing.T) (stop func(os.Signal), log *output) {
	t.Helper()
	log = new(output)
	cmd := exec.Command(binaryPath(t), "serve", "--config", s.config)
	cmd.Stderr = log
	t.Cleanup(func() {
		if t.Failed() {
			lines := strings.Split(log.String(), "\n")
			t.Logf("the end of the gateway's log:\n%s", strings.Join(lines[max(0, len(lines)-25):], "\n"))
		}
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 20*time.Second, "the gateway runs", func() bool {
		_, err := admin.Dial(filepath.Join(s.dir, "state", app.SocketFile))
		return err == nil
	})
	return func(sig os.Signal) {
		if err := cmd.Process.Signal(sig); err != nil {
			t.Errorf("signal %v: %v", sig, err)
		}
		if err := cmd.Wait(); err != nil && sig != os.Kill {
			t.Errorf("the gateway ended with %v:\n%s", err, log)
		}
	}, log
}

func (s *site) client(t *testing.T) *admin.Client {
	t.Helper()
	c, err := admin.Dial(filepath.Join(s.dir, "state", app.SocketFile))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// send hands a mail to Postfix as the world would. The vendor's border has found DMARC to
// pass for the domain in verdict, if any.
func (s *site) send(t *testing.T, from, verdict, body string) {
	t.Helper()
	if verdict != "" {
		body = "Authentication-Results: mx.vendor.example; dmarc=pass header.from=" + verdict + "\r\n" + body
	}
	if err := deliverTo(mailserver.Loopback(s.postfix.SMTP), from, partnersAddress, body); err != nil {
		t.Errorf("send: %v", err)
	}
}

func (s *site) answer(t *testing.T, n int) *mail.Message {
	t.Helper()
	eventually(t, 30*time.Second, fmt.Sprintf("answer %d arrives", n), func() bool { return len(s.world.Sent()) >= n })
	m, err := mail.ReadMessage(bytes.NewReader(s.world.Sent()[n-1].Data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (s *site) count(t *testing.T, folder string) int {
	t.Helper()
	return s.dovecot.Count(t, partnersAddress, folder, &imap.SearchCriteria{})
}

func TestAMailThroughPostfixAndDovecotIsAnsweredInItsThread(t *testing.T) {
	s := newSite(t)
	stop, log := s.serve(t)
	began := time.Now()
	s.send(t, "ana@brightpath.example", "brightpath.example", registration("ana@brightpath.example", "acme.example"))
	answer := s.answer(t, 1)
	t.Logf("answered after %v", time.Since(began))
	number := caseNumber.FindString(answer.Header.Get("Subject"))
	if number == "" || answer.Header.Get("In-Reply-To") != "<acme.example.ana@brightpath.example>" ||
		answer.Header.Get("To") != "<ana@brightpath.example>" {
		t.Errorf("the answer's header is %v", answer.Header)
	}
	body := new(bytes.Buffer)
	if _, err := body.ReadFrom(answer.Body); err != nil || !strings.Contains(body.String(), "Approved") {
		t.Errorf("the answer says %s, %v", body, err)
	}

	// A word of thanks in the thread, a forged mail of a partner, and a stranger's.
	s.send(t, "ana@brightpath.example", "brightpath.example", "From: ana@brightpath.example\r\nTo: "+partnersAddress+"\r\nSubject: Re: x\r\n"+
		"Message-ID: <thanks@brightpath.example>\r\nIn-Reply-To: "+answer.Header.Get("Message-ID")+"\r\n\r\nThanks!\r\n")
	s.send(t, "tom@kestrel-it.example", "", registration("tom@kestrel-it.example", "forged.example"))
	s.send(t, "x@stranger.example", "stranger.example", registration("x@stranger.example", "strange.example"))
	eventually(t, 30*time.Second, "all mails are filed", func() bool {
		return s.count(t, "INBOX") == 0 && s.count(t, "Processed") == 4
	})
	cases := settled(t, s.client(t), 10*time.Second)
	got := make(map[string]intake.Status)
	for _, c := range cases {
		got[c.CompanyDomain] = c.Status
	}
	want := map[string]intake.Status{
		"acme.example": intake.StatusProvisional, "forged.example": intake.StatusQuarantined, "strange.example": intake.StatusQuarantined,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("cases %v, want %v", got, want)
	}
	if n := len(s.world.Sent()); n != 1 {
		t.Errorf("%d mails went out, want 1", n)
	}
	d, err := s.client(t).Case(context.Background(), number)
	if err != nil || d.Registration.Submissions != 2 {
		t.Errorf("case %s has %d submissions, %v", number, d.Registration.Submissions, err)
	}
	metrics := get(t, "http://"+s.metrics+"/metrics")
	for _, want := range []string{`leadgate_submissions_total{channel="email",outcome="new"} 1`, `leadgate_submissions_total{channel="email",outcome="quarantined"} 2`, "leadgate_store_commits_total", `leadgate_imap_last_success_timestamp_seconds{mailbox="partners"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	if got := get(t, "http://"+s.metrics+"/readyz"); got != "ready\n" {
		t.Errorf("readyz says %q", got)
	}
	stop(syscall.SIGTERM)
	for _, secret := range []string{mailserver.Password, "manual reporting", "Thanks!"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

// partnerMail is a mail of a partner with a text of its own.
func partnerMail(from, subject, id, more, text string) string {
	return "From: " + from + "\r\nTo: " + partnersAddress + "\r\nSubject: " + subject + "\r\nMessage-ID: <" + id + "@brightpath.example>\r\n" +
		"Date: Mon, 23 Nov 2026 09:00:00 +0000\r\n" + more + "\r\n" + strings.ReplaceAll(text, "\n", "\r\n")
}

func body(t *testing.T, m *mail.Message) string {
	t.Helper()
	b, err := io.ReadAll(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAConversationInDepth: several leads in one mail, a command, an answer that comes back,
// and what staff do about mail that was set aside.
func TestAConversationInDepth(t *testing.T) {
	s := newSite(t)
	stop, _ := s.serve(t)
	const ana, proven = "ana@brightpath.example", "brightpath.example"
	client, ctx := s.client(t), context.Background()

	s.send(t, ana, proven, partnerMail(ana, "Two leads", "two", "", `Hi,

Company	Website	Contact	Email	Problem	Consent
Acme GmbH	acme.example	Jane Doe	jane@acme.example	Reporting takes them a day a week	yes
Contoso Ltd	contoso.example	Joe Roe	joe@contoso.example	Backups do not finish at night	yes
`))
	summary := s.answer(t, 1)
	text := body(t, summary)
	cases := settled(t, client, 10*time.Second)
	if len(cases) != 2 || !strings.Contains(text, cases[0].CaseNumber) || !strings.Contains(text, cases[1].CaseNumber) || summary.Header.Get("In-Reply-To") != "<two@brightpath.example>" {
		t.Fatalf("cases %+v, the answer says\n%s", cases, text)
	}

	s.send(t, ana, proven, partnerMail(ana, "Re: your answer", "status", "", "STATUS "+cases[0].CaseNumber+"\n"))
	if text := body(t, s.answer(t, 2)); !strings.Contains(text, cases[0].CaseNumber) || strings.Contains(text, cases[1].CaseNumber) {
		t.Errorf("STATUS is answered\n%s", text)
	}

	// An answer that can't be delivered comes back as a bounce of Postfix's own making.
	s.send(t, "gone@brightpath.example", proven, strings.ReplaceAll(registration("gone@brightpath.example", "third.example"), "Reply-To", "X-Reply-To"))
	var number string
	eventually(t, 30*time.Second, "the bounce is noted", func() bool {
		for _, c := range settled(t, client, 10*time.Second) {
			if c.CompanyDomain == "third.example" {
				number = c.CaseNumber
			}
		}
		if number == "" {
			return false
		}
		d, err := client.Case(ctx, number)
		return err == nil && slices.ContainsFunc(d.Events, func(e intake.Event) bool {
			return e.Kind == intake.EventReported && strings.Contains(e.Note, "failed 5.1.1")
		})
	})

	// What nobody can prove, and what holds nothing, waits for staff.
	s.send(t, "x@stranger.example", "stranger.example", registration("x@stranger.example", "strange.example"))
	s.send(t, "x@stranger.example", "stranger.example", partnerMail("x@stranger.example", "Auto: your ticket", "robot", "Auto-Submitted: auto-replied\r\n", "Ticket received.\n"))
	var out, stderr string
	var err error
	eventually(t, 30*time.Second, "all three wait, and all is filed", func() bool {
		out, stderr, err = leadgate(t, "inbox", "list", "--json", "--config", s.config)
		return s.count(t, "INBOX") == 0 && (err != nil || strings.Count(out, `"id":`) >= 3)
	})
	if err != nil {
		t.Fatalf("inbox list: %v\n%s", err, stderr)
	}
	var waits []struct{ ID, Reason, From string }
	if err := json.Unmarshal([]byte(out), &waits); err != nil || len(waits) != 3 {
		t.Fatalf("the inbox has %s, %v", out, err)
	}
	for _, w := range waits {
		args := []string{"inbox", "discard", w.ID, "--config", s.config}
		if w.Reason == string(intake.ReasonUnknownPartner) {
			args = []string{"inbox", "accept", w.ID, "--partner", "kestrel-it", "--config", s.config}
		} else if shown, _, err := leadgate(t, "inbox", "show", w.ID, "--raw", "--config", s.config); err != nil || !strings.Contains(shown, "Subject: ") {
			t.Errorf("inbox show: %v\n%s", err, shown)
		}
		if out, stderr, err := leadgate(t, args...); err != nil {
			t.Errorf("%v: %v\n%s%s", args, err, out, stderr)
		}
	}
	if out, _, _ := leadgate(t, "inbox", "list", "--config", s.config); !strings.Contains(out, "nothing waits") {
		t.Errorf("the inbox still has\n%s", out)
	}
	s.answer(t, 3) // to the stranger, whom staff vouched for
	stop(syscall.SIGTERM)
	if n := len(s.world.Sent()); n != 3 {
		t.Errorf("%d mails went out, want 3", n)
	}
}

// Mail keeps coming while the IMAP processes are killed, Dovecot is restarted and the
// gateway itself is killed: nothing is lost, nothing is doubled.
func TestCrashesOfServersAndGatewayLoseAndDoubleNothing(t *testing.T) {
	const mails = 120
	s := newSite(t)
	stop, _ := s.serve(t)
	for i := range mails {
		s.send(t, "ana@brightpath.example", "brightpath.example", registration("ana@brightpath.example", fmt.Sprintf("p%d.example", i)))
		switch i {
		case 20, 60:
			s.dovecot.SignalIMAP(t, syscall.SIGKILL)
		case 40, 90:
			stop(os.Kill)
			stop, _ = s.serve(t)
		case 75:
			s.dovecot.Stop(t)
			s.dovecot.Start(t)
		}
	}
	// A killed IMAP process may leave a lock behind, for which Dovecot lets every new one wait
	// two minutes, and a message that it had copied and not yet removed.
	eventually(t, 4*time.Minute, "all mails are taken in", func() bool {
		cases, err := s.client(t).Cases(context.Background(), intake.CaseQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return len(cases) >= mails
	})
	seen := make(map[string]string)
	for _, c := range settled(t, s.client(t), 30*time.Second) {
		if other := seen[c.CompanyDomain]; other != "" {
			t.Errorf("%s has the cases %s and %s", c.CompanyDomain, other, c.CaseNumber)
		}
		seen[c.CompanyDomain] = c.CaseNumber
	}
	if len(seen) != mails {
		t.Errorf("%d prospects have a case, want %d", len(seen), mails)
	}
	eventually(t, 30*time.Second, "all are answered", func() bool {
		answered := make(map[string]string)
		for _, m := range s.world.Sent() {
			number := caseNumber.FindString(string(m.Data))
			answered[number] = number
		}
		return len(answered) == mails
	})
	// The same mail may go out twice if the kill fell into the moment of sending, but then
	// with the same Message-ID.
	ids := make(map[string]string)
	for _, sent := range s.world.Sent() {
		m, err := mail.ReadMessage(bytes.NewReader(sent.Data))
		if err != nil {
			t.Fatal(err)
		}
		number, id := m.Header.Get("X-Leadgate-Case"), m.Header.Get("Message-ID")
		if ids[number] != "" && ids[number] != id {
			t.Errorf("case %s was answered by %s and by %s", number, ids[number], id)
		}
		ids[number] = id
	}
	t.Logf("%d mails went out for %d cases", len(s.world.Sent()), len(ids))
	began := time.Now()
	eventually(t, 4*time.Minute, "all mails are filed", func() bool {
		return s.count(t, "INBOX") == 0 && s.count(t, "Processed") >= mails
	})
	t.Logf("all were filed %v later, %d in Processed", time.Since(began).Round(time.Millisecond), s.count(t, "Processed"))
	stop(syscall.SIGTERM)
}
