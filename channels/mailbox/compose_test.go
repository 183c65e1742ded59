package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// capture is a transport that keeps what it is given, and refuses what it is told to.
type capture struct {
	mu     sync.Mutex // several are sent at once
	sent   []outgoing
	refuse func(outgoing) error
}

func (c *capture) send(_ context.Context, o outgoing) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse != nil {
		if err := c.refuse(o); err != nil {
			return err
		}
	}
	c.sent = append(c.sent, o)
	return nil
}

func capturing(t testing.TB, m *Mailbox) *capture {
	t.Helper()
	c := &capture{}
	m.transport = c
	return c
}

// summary is a message about several cases at once.
func summary() intake.Message {
	m := testMessage()
	m.ID, m.Facts.Case, m.Kind = "S-0123456789abcdef0123.1", "", intake.MessageSummary
	return m
}

// TestOutgoingHeaders compares the envelope and header of each kind of mail with
// testdata/outgoing.txtar.
func TestOutgoingHeaders(t *testing.T) {
	no := false
	unprompted, cold := testMessage(), testMessage()
	unprompted.ID, unprompted.Unprompted = "LG-2026-000123-K.7", true
	cold.ID, cold.To.Thread = "LG-2026-000123-K.2.1763888218000000", nil
	digest := summary()
	digest.ID, digest.Kind, digest.To.Thread, digest.Unprompted = "P-0123456789abcdef0123.1", intake.MessageDigest, nil, true
	long := testMessage()
	th := thread{Mailbox: "partners", MessageID: "last@partner.example", Subject: "Re: " + strings.Repeat("Ein sehr langer Betreff für einen neuen Lead ", 5)}
	for i := range 60 {
		th.References = append(th.References, fmt.Sprintf("reference-%02d@partner.example", i))
	}
	long.To.Thread = th.encode()
	a := &txtar.Archive{Comment: []byte("Envelope sender and header of outgoing mails (go test -update).\n")}
	for _, tt := range []struct {
		name string
		cfg  Config
		msg  intake.Message
	}{
		{"answer", Config{FromName: "Vendor Partnerprogramm Süd"}, testMessage()},
		{"unprompted", Config{}, unprompted},
		{"without-a-thread", Config{}, cold},
		{"summary-of-several-cases", Config{}, summary()},
		{"digest-of-the-week", Config{}, digest},
		{"long-thread-and-subject", Config{}, long},
		{"plain-addresses", Config{ReturnPath: ReturnAddress, ReplyToken: &no}, testMessage()},
		{"empty-return-path", Config{ReturnPath: ReturnEmpty, ReplyToken: &no}, testMessage()},
		{"address-with-a-plus", Config{Address: "vendor+partners@vendor.example"}, testMessage()},
	} {
		m, _ := newTestMailbox(t, tt.cfg)
		c := capturing(t, m)
		if _, err := m.Reply(t.Context(), tt.msg); err != nil {
			t.Fatal(err)
		}
		head, _, _ := bytes.Cut(c.sent[0].data, []byte("\r\n\r\n"))
		block := fmt.Sprintf("MAIL FROM:<%s>\nRCPT TO:<%s>\n\n%s\n", c.sent[0].from, c.sent[0].to, strings.ReplaceAll(string(head), "\r\n", "\n"))
		a.Files = append(a.Files, txtar.File{Name: tt.name, Data: []byte(block)})
		checkOutgoing(t, m, c.sent[0])
	}
	const file = "testdata/outgoing.txtar"
	if *update {
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := txtar.Format(a); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// checkOutgoing checks what holds for every mail of ours.
func checkOutgoing(t testing.TB, m *Mailbox, o outgoing) {
	t.Helper()
	msg, err := mail.ReadMessage(bytes.NewReader(o.data))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{
		"From": 1, "To": 1, "Cc": 0, "Bcc": 0, "Sender": 0, "Subject": 1, "Date": 1, "Message-Id": 1,
		"Auto-Submitted": 1, "X-Auto-Response-Suppress": 1, "X-Leadgate-Instance": 1, "Precedence": 0,
	} {
		if n := len(msg.Header[name]); n != want {
			t.Errorf("%d fields %s, want %d", n, name, want)
		}
	}
	to, err := msg.Header.AddressList("To")
	if err != nil || len(to) != 1 || to[0].Address != o.to {
		t.Errorf("To %v for %s, err %v", to, o.to, err)
	}
	suppress := strings.ToLower(msg.Header.Get("X-Auto-Response-Suppress"))
	if strings.Contains(suppress, "all") || strings.Contains(suppress, "ndr") {
		t.Errorf("bounces are suppressed: %s", suppress)
	}
	if refs := strings.Fields(msg.Header.Get("References")); len(refs) > keptReferences+1 {
		t.Errorf("%d references", len(refs))
	}
	for line := range strings.SplitSeq(string(o.data), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d bytes: %q", len(line), line)
		}
	}
	p := parsed(t, string(o.data))
	if f := m.classify(&p, delivery{}); f.class != classOwn {
		t.Errorf("our own mail is taken for %s (%s)", f.class, f.detail)
	}
	if o.from != "" && !m.own.has(o.from) {
		t.Errorf("the return path %s is none of ours", o.from)
	}
}

// TestAMessageOfABatchHasNoCaseMark: a summary is about no single case, and still has a
// thread and addresses of its own.
func TestAMessageOfABatchHasNoCaseMark(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	c := capturing(t, m)
	msg := summary()
	raw, err := m.Reply(t.Context(), msg)
	if err != nil {
		t.Fatal(err)
	}
	p := parsed(t, string(c.sent[0].data))
	if p.Subject != "Re: Neuer Lead für Grün" || p.Header.Has("X-Leadgate-Case") {
		t.Errorf("subject %q", p.Subject)
	}
	if !strings.Contains(string(raw), m.tokens.messageID(msg.ID)) {
		t.Errorf("thread %s", raw)
	}
	answer := takeMail(t, m, jane+"To: "+p.ReplyTo[0].Address+"\nIn-Reply-To: <"+p.MessageID+">\n\nCompany: Acme GmbH\n")
	if len(answer.Accepted) != 1 || answer.Accepted[0].Case != "" || m.ForgedTokens() != 0 {
		t.Errorf("%+v, %d forged", answer, m.ForgedTokens())
	}
	bounced := takeMail(t, m, dsn(c.sent[0].from, "x@y", "failed", "5.1.1", "no"))
	if len(bounced.Asides) != 1 || bounced.Asides[0].Delivery.Message != msg.ID {
		t.Errorf("%+v", bounced)
	}
}

// TestRepliesGoToAnAddressOfTheirOwnOnceOneIsSeenToWork: a mail server that does not deliver
// such addresses would refuse the partner's reply.
func TestRepliesGoToAnAddressOfTheirOwnOnceOneIsSeenToWork(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	m.cfg.ReplyToken = nil
	c := capturing(t, m)
	replyTo := func() string {
		t.Helper()
		if _, err := m.Reply(t.Context(), testMessage()); err != nil {
			t.Fatal(err)
		}
		p := parsed(t, string(c.sent[len(c.sent)-1].data))
		return p.Header.Get("Reply-To")
	}
	if a := replyTo(); a != "" {
		t.Errorf("Reply-To %s before any such address was seen to work", a)
	}
	takeMail(t, m, jane+"To: partners+r.agcamgxaek6ok236bnpoonjr3f@vendor.example\n\nCompany: Acme GmbH\n")
	if a := replyTo(); a != "" {
		t.Errorf("Reply-To %s after a forged one came", a)
	}
	takeMail(t, m, dsn(c.sent[0].from, "x@y", "failed", "5.1.1", "no"))
	if a := replyTo(); !strings.Contains(a, "partners+r.") {
		t.Errorf("Reply-To %q after a bounce came to such an address", a)
	}
}

// TestNothingOfTheInboundMailIsEchoed: a stranger can't have us send his words to others.
func TestNothingOfTheInboundMailIsEchoed(t *testing.T) {
	m := believing(t)
	c := capturing(t, m)
	s := takeMail(t, m, "From: =?utf-8?q?Buy_pills_at_evil.example?= <jane@partner.example>\nReply-To: Visit evil.example <jane@partner.example>\nTo: partners@vendor.example\nCc: victim@example.org\nSubject: New lead\nMessage-ID: <1@partner.example>\n\nCompany: Acme GmbH\n\nVisit http://evil.example/\n")
	msg := testMessage()
	msg.To = s.Accepted[0].Reply
	if _, err := m.Reply(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"evil.example", "pills", "victim"} {
		if bytes.Contains(c.sent[0].data, []byte(word)) {
			t.Errorf("the answer holds %q", word)
		}
	}
}

// TestNoEncodedWordBreaksOutOfTheHeader sends mails whose Subject and From hide line ends in
// encoded words (RFC 2047), and reads the header of the answer.
func TestNoEncodedWordBreaksOutOfTheHeader(t *testing.T) {
	m := believing(t)
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z]{0,5}(\r\n|\n|\r|\x00|\x{2028}|\x{85})(Bcc|To|X-Injected|Content-Type)?: ?[a-z@.]{0,20}`))
		word := func(name string) string {
			var b strings.Builder
			b.WriteString("=?utf-8?q?")
			for _, c := range []byte(text.Draw(rt, name)) {
				fmt.Fprintf(&b, "=%02X", c)
			}
			return b.String() + "?="
		}
		inbound := "From: " + word("from") + " <jane@partner.example>\nReply-To: " + word("reply to") + " <jane@partner.example>\nSubject: " + word("subject") +
			"\nMessage-ID: <" + rapid.StringMatching(`[a-z<>\\ \t]{0,10}`).Draw(rt, "id") + "@partner.example>\nReferences: " + word("references") + "\n\nCompany: Acme GmbH\n"
		u, err := m.understand(delivery{content: strings.NewReader(inbound)})
		if err != nil {
			rt.Fatal(err)
		}
		if u.found.class != classPerson {
			return // a name that shows an address, or a subject of a machine
		}
		c := capturing(t, m)
		msg := testMessage()
		msg.To = m.route(&u)
		if _, err := m.Reply(t.Context(), msg); err != nil {
			rt.Fatal(err)
		}
		head, _, _ := strings.Cut(string(c.sent[0].data), "\r\n\r\n")
		for line := range strings.SplitSeq(head, "\r\n") {
			name, _, _ := strings.Cut(line, ":")
			if line == "" || strings.ContainsAny(line, "\r\n\x00") || line[0] != ' ' && !ourFields[name] {
				rt.Fatalf("header line %q", line)
			}
		}
		p, err := mailparse.Parse(bytes.NewReader(c.sent[0].data))
		if err != nil || len(p.To) != 1 || p.Header.Has("Bcc") || p.Header.Has("X-Injected") {
			rt.Fatalf("the answer goes to %v, err %v", p.To, err)
		}
	})
}

// ourFields are all fields that we write.
var ourFields = func() map[string]bool {
	all := make(map[string]bool)
	for _, n := range strings.Fields("From To Reply-To Subject Date Message-Id In-Reply-To References Auto-Submitted X-Auto-Response-Suppress X-Leadgate-Instance X-Leadgate-Complaint X-Leadgate-Case Mime-Version Content-Type") {
		all[n] = true
	}
	return all
}()

// TestServersThatRefuseReturnPathsGetThePlainAddress: hosted mail servers send only from
// addresses that they know.
func TestServersThatRefuseReturnPathsGetThePlainAddress(t *testing.T) {
	m, l := newTestMailbox(t, Config{})
	c := capturing(t, m)
	tries := 0
	c.refuse = func(o outgoing) error {
		tries++
		if o.from != testAddress {
			return intake.Permanent(&smtp.SMTPError{Code: 550, Message: "not allowed to send as"})
		}
		return nil
	}
	for i := range 3 {
		msg := testMessage()
		msg.ID = fmt.Sprintf("LG-2026-000123-K.%d", i+2)
		if _, err := m.Reply(t.Context(), msg); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.sent) != 3 || tries != 4 || c.sent[2].from != testAddress {
		t.Errorf("%d sent in %d tries", len(c.sent), tries)
	}
	if !strings.Contains(l.String(), "refuses return paths") {
		t.Error("nobody is told")
	}
}

func TestRefusalsOfTheRecipientAreNoFaultOfTheReturnPath(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	c := capturing(t, m)
	refusal := errors.New("no such user")
	c.refuse = func(outgoing) error { return intake.Permanent(refusal) }
	if _, err := m.Reply(t.Context(), testMessage()); !errors.Is(err, refusal) || !intake.IsPermanent(err) {
		t.Errorf("err %v", err)
	}
	c.refuse = func(outgoing) error { return refusal }
	if _, err := m.Reply(t.Context(), testMessage()); !errors.Is(err, refusal) || intake.IsPermanent(err) {
		t.Errorf("err %v", err)
	}
	c.refuse = nil
	if _, err := m.Reply(t.Context(), testMessage()); err != nil || c.sent[0].from == testAddress {
		t.Errorf("from %v, err %v", c.sent, err)
	}
}

func TestReturnPathsOfTheConfiguration(t *testing.T) {
	yes := true
	valid := func(change func(*Config)) error {
		c := Config{Name: "partners", Address: testAddress, Outbox: "x", Direct: &Direct{Listen: "127.0.0.1:0"}}
		change(&c)
		return c.Validate()
	}
	for name, tt := range map[string]struct {
		change func(*Config)
		want   string // of the error, "" for none
	}{
		"nothing":                      {func(*Config) {}, ""},
		"empty":                        {func(c *Config) { c.ReturnPath = ReturnEmpty }, ""},
		"another word":                 {func(c *Config) { c.ReturnPath = "null" }, "return_path"},
		"a plus":                       {func(c *Config) { c.Address = "a+b@vendor.example" }, ""},
		"a plus and verp":              {func(c *Config) { c.Address, c.ReturnPath = "a+b@vendor.example", ReturnVERP }, "return_path verp"},
		"a plus and tokens":            {func(c *Config) { c.Address, c.ReplyToken = "a+b@vendor.example", &yes }, "reply_token"},
		"an address as human":          {func(c *Config) { c.TreatAsHuman = []string{"crm@partner.example", "partner.example"} }, ""},
		"something else as human":      {func(c *Config) { c.TreatAsHuman = []string{"partner.example", "@partner.example"} }, "treat_as_human"},
		"something with blanks as one": {func(c *Config) { c.TreatAsHuman = []string{"a b"} }, "treat_as_human"},
	} {
		err := valid(tt.change)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
