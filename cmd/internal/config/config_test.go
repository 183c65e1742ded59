package config

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leadgate/channels/mailbox"
	"leadgate/channels/mailbox/senderauth"
)

// write puts files into a directory and returns the path of the first.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

const good = `
program: Northwind Cloud
data: state
policy:
  contact: {name: Mia, email: mia@northwind.example}
mailboxes:
  - name: partners
    address: partners@northwind.example
    direct: {listen: "127.0.0.1:0", trusted_networks: [127.0.0.0/8]}
    sender_proof: {mode: trusted-networks}
    outbox: out
`

func TestAShortFileIsFilledWithDefaults(t *testing.T) {
	path := write(t, "leadgate.yaml", good)
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.CasePrefix != "LG" || c.Policy.Mode != "assist" || c.Policy.NextStep.Value != 14 || !c.CRM.Ledger {
		t.Errorf("defaults are %+v", c)
	}
	if want := filepath.Join(filepath.Dir(path), "state"); c.Data != want {
		t.Errorf("data %s, want %s: relative to the file", c.Data, want)
	}
	if c.Mailboxes[0].Outbox != filepath.Join(filepath.Dir(path), "out") {
		t.Errorf("outbox %s", c.Mailboxes[0].Outbox)
	}
}

func TestEveryFaultIsToldAtOnceWithItsLine(t *testing.T) {
	path := write(t, "leadgate.yaml", `progam: Northwind Cloud
data: state
log: {level: loud, format: json}
policy:
  mode: automatic
  timezone: Mars/Olympus
  next_step: many
  contact: {name: Mia, email: mia@northwind.example}
mailboxes:
  - name: partners
    adress: partners@northwind.example
    direct: {listen: "127.0.0.1:0"}
    outbox: out
  - name: partners
    address: partners@northwind.example
    direct: {listen: "127.0.0.1:0"}
    outbox: out
    smtp: {host: mail.example, password_file: missing}
crm:
  webhooks:
    - {name: bridge, url: "http://10.0.0.1/", secret: short}
data: twice
`)
	_, err := Load(path)
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{
		"line 1: progam: unknown key; did you mean program?",
		"program: is missing",
		"line 3: log.level: \"loud\"",
		"line 5: policy.mode: \"automatic\"",
		"line 6: policy.timezone: \"Mars/Olympus\"",
		"line 7: policy.next_step: \"many\" is not a length of time like 72 hours, 14 days or 2 business days",
		"line 11: mailboxes[0].adress: unknown key; did you mean address?",
		"mailboxes[0].address",
		"line 14: mailboxes[1].name: \"partners\" is the name of another mailbox",
		"line 18: mailboxes[1].smtp.password_file: ",
		"line 21: crm.webhooks[0].url: ",
		"line 21: crm.webhooks[0].secret: ",
		"line 22: data: is given on line 2 already",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing begins with %q in:\n%v", want, err)
		}
	}
	for i := 1; i < len(faults); i++ {
		if faults[i].Line < faults[i-1].Line {
			t.Errorf("faults are out of order: %v", err)
		}
	}
}

func TestFilesThatAreNoConfiguration(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"an empty file":    {"", "the file is empty"},
		"no YAML":          {"a: b: c", "mapping values"},
		"a list":           {"- a\n", "program: is missing"},
		"two documents":    {"a: 1\n---\nb: 2\n", "more than one document"},
		"comments alone":   {"# nothing\n", "the file is empty"},
		"a list as text":   {"program: [1]\ndata: x\n", "line 1: program: want a text, not a list"},
		"a word as choice": {good + "crm: {ledger: maybe}\n", `line 12: crm.ledger: want true or false, not "maybe"`},
		"a number as time": {strings.Replace(good, "    outbox", "    imap: {host: h, username: u, password: p, poll: soon}\n    outbox", 1), `mailboxes[0].imap.poll: want a time like 30s or 5m, not "soon"`},
		"a tier's key":     {strings.Replace(good, "policy:", "policy:\n  tiers: {gold: {windw: 3 days}}", 1), "line 5: policy.tiers.gold.windw: unknown key; did you mean window?"},
		"a tier's value":   {strings.Replace(good, "policy:", "policy:\n  tiers: {gold: {window: 3 weeks, extension: {times: 900}}}", 1), "line 5: policy.tiers.gold.window: \"3 weeks\" is not a length of time"},
		"a tier too long":  {strings.Replace(good, "policy:", "policy:\n  tiers:\n    gold:\n      extension: {times: 900}", 1), "line 7: policy.tiers.gold.extension.times: want a number between 0 and 100"},
		"an expression":    {strings.Replace(good, "policy:", "policy:\n  conditions: [{name: x, outcome: review, when: amont > 1}]", 1), "line 5: policy.conditions[0].when: line 1, column 1: unknown name amont"},
		"a text as keys":   {"policy: strict\n", `line 1: policy: want keys with values, not "strict"`},
		"a list in a list": {strings.Replace(good, "[127.0.0.0/8]", "[[a]]", 1), "mailboxes[0].direct.trusted_networks[0]: want a text, not a list"},
		"no address":       {strings.Replace(good, "mia@northwind.example", "mia", 1), `line 5: policy.contact.email: "mia" is not an address`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(write(t, "leadgate.yaml", c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	withSMTP := strings.Replace(good, "    outbox: out", "    smtp: {host: mail.example, username: u, %s}", 1)
	for _, c := range []struct{ name, entry, content, want string }{
		{"a secret of a file loses its newline", "password_file: pw", "s3cret\r\n", "s3cret"},
		{"a secret may look like a number", "password_file: pw", "0123\n", "0123"},
		{"a secret may stand in place", "password: direct", "", "direct"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, err := Load(write(t, "leadgate.yaml", strings.Replace(withSMTP, "%s", c.entry, 1), "pw", c.content))
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.Mailboxes[0].SMTP.Password; got != c.want {
				t.Errorf("read %q, want %q", got, c.want)
			}
		})
	}
	for _, c := range []struct{ name, entry, content, want string }{
		{"both ways at once are refused", "password: a, password_file: pw", "b", "is given beside password"},
		{"an empty file is refused", "password_file: pw", "\n", "is empty"},
		{"a missing file is refused", "password_file: none", "", "no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Load(write(t, "leadgate.yaml", strings.Replace(withSMTP, "%s", c.entry, 1), "pw", c.content))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if faults, ok := errors.AsType[Faults](err); !ok || len(faults) != 1 {
				t.Errorf("not one fault: %v", err)
			}
		})
	}
	hook := good + "crm:\n  webhooks:\n    - {name: bridge, url: \"https://crm.example/\", secret_file: none}\n"
	hook = strings.Replace(hook, "    outbox: out", "    imap: {host: mail.example, username: u, password_file: none}\n    outbox: out", 1)
	_, err := Load(write(t, "leadgate.yaml", hook))
	if faults, ok := errors.AsType[Faults](err); !ok || len(faults) != 2 {
		t.Errorf("two missing files make other than two faults: %v", err)
	}
}

func TestTokensForMailServersComeFromFilesAndCommands(t *testing.T) {
	with := func(login string) string {
		return strings.Replace(good, "    outbox: out", "    outbox: out\n    imap: {host: mail.example, username: u, oauth: {"+login+"}}", 1)
	}
	c, err := Load(write(t, "leadgate.yaml", with("token_url: \"https://login.example/token\", client_id: us, client_secret_file: cs, refresh_token_file: rt, scopes: [mail, offline]"), "cs", "one\n", "rt", "two\n"))
	if err != nil {
		t.Fatal(err)
	}
	if o := c.Mailboxes[0].IMAP.OAuth; o.ClientSecret != "one" || o.RefreshToken != "two" || len(o.Scopes) != 2 {
		t.Errorf("read %+v", o)
	}
	for login, want := range map[string]string{
		"token_command: print-a-token":          "[/bin/sh -c print-a-token]",
		"token_command: [print, a token]":       "[print a token]",
		"token_command: {print: token}":         `want a list, not keys with values`,
		"token_url: https://login.example":      "oauth.client_id: must be set",
		"refresh_token_file: rt":                "no such file",
		"token_command: x, client_secret: y":    "oauth.token_command: is given beside",
		"token_uri: \"https://login.example/\"": "did you mean token_url?",
	} {
		c, err := Load(write(t, "leadgate.yaml", with(login)))
		if err == nil {
			if got := fmt.Sprint(c.Mailboxes[0].IMAP.OAuth.TokenCommand); got != want {
				t.Errorf("%s: read %s, want %s", login, got, want)
			}
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", login, err, want)
		}
	}
}

func TestWhoBelievesEverybodyIsWarned(t *testing.T) {
	for mode, want := range map[string]string{
		"{mode: trusted-networks}": "",
		"{mode: none}":             "mailboxes[0].sender_proof: senders are believed as written; anybody can speak for any partner",
		"{}":                       "mailboxes[0].sender_proof: every sender is unverified: nothing is ever answered",
	} {
		c, err := Load(write(t, "leadgate.yaml", strings.Replace(good, "{mode: trusted-networks}", mode, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Warnings(), "\n"); got != want {
			t.Errorf("%s: warned of %q, want %q", mode, got, want)
		}
	}
}

func TestProofThatFetchedMailMayNotHaveIsWarnedOf(t *testing.T) {
	direct, microsoft := senderauth.Config{Mode: senderauth.ModeDirect}, senderauth.Config{Mode: senderauth.ModeResults, Microsoft: true}
	for name, tt := range map[string]struct {
		box  mailbox.Config
		want string
	}{
		"direct, and nothing is fetched": {mailbox.Config{SenderProof: direct, Direct: &mailbox.Direct{}}, ""},
		"direct, and mail is fetched":    {mailbox.Config{SenderProof: direct, Direct: &mailbox.Direct{}, IMAP: &mailbox.IMAP{Host: "imap.vendor.example"}}, "DKIM signature alone"},
		"microsoft at Exchange Online":   {mailbox.Config{SenderProof: microsoft, IMAP: &mailbox.IMAP{Host: "Outlook.Office365.com"}}, ""},
		"microsoft somewhere else":       {mailbox.Config{SenderProof: microsoft, IMAP: &mailbox.IMAP{Host: "imap.notoffice365.com"}}, "anybody can speak for any partner"},
	} {
		got := strings.Join(Config{Mailboxes: []mailbox.Config{tt.box}}.Warnings(), "\n")
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: warned of %q, want %q", name, got, tt.want)
		}
	}
}

func TestListsOfTheOperatorCount(t *testing.T) {
	path := write(t, "leadgate.yaml", good+"identity: {free_mail: mine.txt}\n", "mine.txt", "# ours\nmail.northwind.example\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := c.Identity.Lists()
	if err != nil {
		t.Fatal(err)
	}
	if d, err := ids.Domain("mail.northwind.example"); err != nil || !d.FreeMail {
		t.Errorf("%+v, %v: want a mail provider", d, err)
	}
	if _, err := Load(write(t, "leadgate.yaml", good+"identity: {free_mail: mine.txt}\n", "mine.txt", "not a domain\n")); err == nil {
		t.Error("a list with a bad line is accepted")
	}
}

// The example is loaded as a user would: with the files for its secrets beside it.
func TestTheExampleIsWithoutFaults(t *testing.T) {
	example, err := os.ReadFile("../../../examples/leadgate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(write(t, "leadgate.yaml", string(example), "imap-password", "x", "smtp-password", "x")); err != nil {
		t.Fatal(err)
	}
}

// Every setting that the example shows commented out is a real one, with a value that works.
func TestWhatTheExampleCommentsOutIsRealToo(t *testing.T) {
	b, err := os.ReadFile("../../../examples/leadgate.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var on []string
	for line := range strings.Lines(string(b)) {
		trimmed := strings.TrimLeft(line, " ")
		if rest, isComment := strings.CutPrefix(trimmed, "# "); isComment && setting(rest) {
			line = line[:len(line)-len(trimmed)] + rest
		}
		on = append(on, line)
	}
	text := strings.Join(on, "")
	text = strings.Replace(text, "    outbox: /var/spool/leadgate\n", "", 1)                         // smtp is set already
	text = strings.Replace(text, "      password_file: imap-password     # or password: …\n", "", 1) // oauth is
	command := "      oauth: {token_command: [/usr/local/bin/mail-token, partners]}\n"
	if !strings.Contains(text, command) {
		t.Error("the other way to get a token is not shown")
	}
	text = strings.Replace(text, command, "", 1)
	text = strings.NewReplacer("  webhooks: []\n  # - name", "  webhooks:\n  - name", "  tryton: []\n  # - name", "  tryton:\n  - name", "  hubspot: []\n  # - name", "  hubspot:\n  - name", "  salesforce: []\n  # - name", "  salesforce:\n  - name", "\n  # - name: sandbox", "\n  - name: sandbox").Replace(text)
	text = strings.ReplaceAll(text, "\n#   - name", "\n  - name")
	path := write(t, "leadgate.yaml", text,
		"imap-password", "x", "smtp-password", "x", "tryton-password", "x", "salesforce-secret", "s", "salesforce-hook", "0123456789abcdef", "salesforce-key.pem", rsaKey(t), "webhook-secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"free-mail.txt", "", "shared-hosts.txt", "", "legal-forms.txt", "", "suffixes.txt", "",
		"cert.pem", "", "key.pem", "", "oauth-secret", "x", "oauth-refresh", "x",
		"hooks-secret", "0123456789abcdef", "hooks-secret-old", "fedcba9876543210", "calls-secret", "123456789abcdef0", "calendly-key", "23456789abcdef01", "hubspot-token", "x", "hubspot-secret", "x", "hubspot-secret-old", "y",
		"slack-signing-secret", "8f742231b10e8888abcd99yyyzzz85a5", "slack-app-token", "xapp-1", "slack-bot-token", "xoxb-1", "slack-client-secret", "x", "teams-secret", "x", "logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
	c, err := Load(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if c.Mailboxes[0].Direct == nil || c.Mailboxes[0].IMAP.OAuth == nil || c.Mailboxes[0].Canary.Every == 0 || len(c.CRM.Webhooks) != 1 || len(c.CRM.Tryton) != 1 || c.CRM.Tryton[0].Password != "x" || len(c.CRM.Tryton[0].Mapping.Defaults) != 1 || len(c.CRM.Salesforce) != 2 || c.CRM.Salesforce[0].ClientSecret != "s" || c.CRM.Salesforce[0].Hook.Organization == "" || len(c.CRM.Salesforce[0].Mapping.Owners) != 1 || c.CRM.Salesforce[1].PrivateKey == "" ||
		len(c.CRM.HubSpot) != 1 || c.CRM.HubSpot[0].Token != "x" || c.CRM.HubSpot[0].PreviousSecret != "y" || len(c.CRM.HubSpot[0].Mapping.Defaults.Deals) != 1 || c.Identity.Suffixes == "" || c.Templates == "" || len(c.Pages.TrustedProxies) != 1 || len(c.Staff) != 1 || len(c.Staff[0].Partners) != 1 ||
		!c.Form.Enabled || c.Form.Meeting.URL == "" || len(c.Form.Fields) == 0 || c.Pages.Brand.Color == "" || c.Alerts.DownAfter == 0 || c.Policy.Probe.Domains == 0 ||
		len(c.Webhooks) != 3 || c.Webhooks[0].PreviousSecret == "" || c.Webhooks[2].Meeting.Start == nil || len(c.Meetings) != 1 || c.Meetings[0].Token != "x" || c.Lists.Folder.Path == "" || c.Lists.Folder.Settle == 0 ||
		!c.Slack.Enabled || c.Slack.BotToken != "xoxb-1" || c.Slack.AppToken != "xapp-1" || c.Slack.SigningSecret == "" || c.Slack.ClientSecret != "x" || c.Slack.Staff.Users["U024BE7LH"] != "mia" ||
		!c.Teams.Enabled || c.Teams.Secret != "x" || len(c.Teams.Fields) != 2 {
		t.Errorf("not everything was switched on:\n%s", text)
	}
}

// rsaKey is a key in PEM.
func rsaKey(t *testing.T) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// setting reports whether a comment is a line of YAML.
func setting(comment string) bool {
	key, _, found := strings.Cut(strings.TrimSpace(comment), ":")
	return found && key != "" && key == strings.ToLower(key) && !strings.ContainsAny(key, " (,`") &&
		key != "observe" && key != "full" && key != "short" && key != "none" &&
		key != "authentication-results" && key != "trusted-networks"
}
