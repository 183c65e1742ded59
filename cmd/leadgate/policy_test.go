package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// policyFile writes a copy of the example policy with changes, old and new in turn.
func policyFile(t *testing.T, changes ...string) string {
	t.Helper()
	b, err := os.ReadFile("../../examples/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(changes...).Replace(string(b))
	if len(changes) > 0 && text == string(b) {
		t.Fatalf("the example does not hold %q", changes[0])
	}
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestThePolicyOfTheExamplesPassesItsOwn(t *testing.T) {
	out, stderr, err := leadgate(t, "policy", "test", policyFile(t))
	if err != nil || strings.Count(out, "ok  ") < 13 || !strings.Contains(out, "all as expected; policy ") {
		t.Errorf("%v\n%s%s", err, out, stderr)
	}
}

func TestAPolicyWhoseExamplesFailIsRefusedWithItsLine(t *testing.T) {
	for name, tt := range map[string]struct{ from, to, at, want string }{
		"another verdict": {"expect: merge", "expect: decline", "name: a second registration of one's own", "line LINE: examples[35]: a second registration of one's own is merged: expected decline"},
		"no such key":     {"mode: assist", "mood: assist", "mode: assist", "mood: unknown key; did you mean mode?"},
		"no such holiday": {"[BE]", "[BX]", "[BE]", `line LINE: calendar.holidays[0]: no holidays are known of "BX"`},
	} {
		t.Run(name, func(t *testing.T) {
			file := policyFile(t, tt.from, tt.to)
			text, err := os.ReadFile(policyFile(t))
			if err != nil {
				t.Fatal(err)
			}
			before, _, _ := strings.Cut(string(text), tt.at)
			tt.want = strings.Replace(tt.want, "LINE", strconv.Itoa(1+strings.Count(before, "\n")), 1)
			if _, stderr, err := leadgate(t, "policy", "test", file); err == nil || !strings.Contains(stderr, file) || !strings.Contains(stderr, tt.want) {
				t.Errorf("%v\n%s", err, stderr)
			}
			config := filepath.Join(t.TempDir(), "leadgate.yaml")
			gateway := `{program: Vendor, data: state, policy_file: ` + file + `, mailboxes: [
  {name: partners, address: partners@vendor.example, outbox: out, direct: {listen: "127.0.0.1:0"}, sender_proof: {mode: none}}]}`
			if err := os.WriteFile(config, []byte(gateway), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, stderr, err := leadgate(t, "check", "--config", config); err == nil || !strings.Contains(stderr, "line 1: policy_file: ") || !strings.Contains(stderr, tt.want) {
				t.Errorf("in a gateway: %v\n%s", err, stderr)
			}
		})
	}
}

func TestVerdictsAreExplainedAndTriedWithAnotherPolicy(t *testing.T) {
	p := startDemo(t, binaryPath(t), t.TempDir())
	defer p.stop(t)
	for id, company := range map[string]string{"one": "acme", "two": "globex"} {
		mail := "From: Ana <ana@brightpath.example>\r\nTo: partners@northwind.example\r\nMessage-ID: <" + id + "@brightpath.example>\r\nSubject: lead\r\n\r\n" +
			"Company: " + company + "\r\nWebsite: " + company + ".example\r\nContact: Jane Doe, CTO\r\nEmail: jane@" + company + ".example\r\n" +
			"Problem: Invoices are typed by hand.\r\nStage: new intro\r\nConsent: yes\r\nCountry: Belgium\r\nProduct interest: Backup\r\n"
		if err := deliver(p.smtp, "ana@brightpath.example", mail); err != nil {
			t.Fatal(err)
		}
	}
	number := caseNumber.FindString(p.answers(t, "ana@brightpath.example", 2)[0].Header.Get("Subject"))
	out, stderr, err := leadgate(t, "policy", "explain", number, "--dir", p.dir)
	if err != nil || !strings.Contains(out, "made again from what was known then: the same") {
		t.Errorf("explain: %v\n%s%s", err, out, stderr)
	}
	out, stderr, err = leadgate(t, "policy", "backtest", policyFile(t, "[secret-customer.example]", "[globex.example, secret-customer.example]"), "--dir", p.dir)
	if err != nil || strings.Count(out, "globex") != 1 || !strings.Contains(out, "decline (blocked_account)\n1 of 2 verdicts would be others\n") {
		t.Errorf("backtest: %v\n%s%s", err, out, stderr)
	}
	failing := policyFile(t, "expect: merge", "expect: decline")
	if _, stderr, err := leadgate(t, "policy", "backtest", failing, "--dir", p.dir); err == nil || !strings.Contains(stderr, "expected decline") {
		t.Errorf("a policy whose examples fail: %v\n%s", err, stderr)
	}
	if out, stderr, err := leadgate(t, "policy", "backtest", failing, "--ignore-examples", "--dir", p.dir); err != nil || !strings.Contains(out, "0 of 2 verdicts would be others") {
		t.Errorf("without its examples: %v\n%s%s", err, out, stderr)
	}
	if _, stderr, err := leadgate(t, "policy", "backtest", policyFile(t, "mode: assist", "mood: assist"), "--ignore-examples", "--dir", p.dir); err == nil || !strings.Contains(stderr, "unknown key") {
		t.Errorf("a policy with another fault: %v\n%s", err, stderr)
	}
	if out, stderr, err := leadgate(t, "policy", "explain", "", "--dir", p.dir); err == nil || !strings.Contains(stderr, `"" is not a case number like LG-2026-384207-D`) {
		t.Errorf("no number: %v\n%s%s", err, out, stderr)
	}
	for _, last := range []string{"", "0d", "d", "90", "-1d", "1w", "99999999999d"} {
		if _, stderr, err := leadgate(t, "policy", "backtest", policyFile(t), "--dir", p.dir, "--last", last); err == nil || !strings.Contains(stderr, "want a span like 90d or 36h") {
			t.Errorf("--last %q: %v\n%s", last, err, stderr)
		}
	}
	if _, stderr, err := leadgate(t, "policy", "explain", "LG-2026-000000-0", "--dir", p.dir); err == nil || !strings.Contains(stderr, "is not a case number like") {
		t.Errorf("no such case: %v\n%s", err, stderr)
	}
}
