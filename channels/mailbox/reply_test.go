package mailbox

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"pgregory.net/rapid"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

func testMessage() intake.Message {
	return intake.Message{
		ID: "LG-2026-000123-K.2", Kind: intake.MessageReceived, At: testNow,
		To: intake.Route{Channel: Channel, Address: "jane@partner.example", Thread: thread{
			Mailbox: "partners", MessageID: "q1@partner.example", References: []string{"r0@partner.example", "r1@partner.example"}, Subject: "AW: Re: [LG-2026-000001-A] Neuer Lead für Grün",
		}.encode()},
		Facts: intake.Facts{Case: "LG-2026-000123-K", Program: "Vendor", Status: intake.StatusInReview, Zone: "UTC", Received: testNow},
	}
}

// composed sends a message through an outbox and returns the file.
func composed(t *testing.T, m *Mailbox, msg intake.Message) ([]byte, *mail.Message) {
	t.Helper()
	if _, err := m.Reply(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(m.cfg.Outbox, msg.ID+".eml"))
	if err != nil {
		t.Fatal(err)
	}
	read, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return b, read
}

func TestAnswerHasTheHeaderOfAMachine(t *testing.T) {
	m, _ := newTestMailbox(t, Config{FromName: "Vendor Partnerprogramm Süd"})
	raw, got := composed(t, m, testMessage())
	want := map[string]string{
		"From":                     "Vendor Partnerprogramm Süd <partners@vendor.example>",
		"To":                       "<jane@partner.example>",
		"Cc":                       "",
		"Bcc":                      "",
		"Subject":                  "Re: Neuer Lead für Grün [LG-2026-000123-K]",
		"Date":                     "Mon, 23 Nov 2026 09:00:00 +0000",
		"In-Reply-To":              "<q1@partner.example>",
		"References":               "<r0@partner.example> <r1@partner.example> <q1@partner.example>",
		"Message-Id":               "<" + m.tokens.messageID("LG-2026-000123-K.2") + ">",
		"Auto-Submitted":           "auto-replied",
		"X-Auto-Response-Suppress": "DR, RN, NRN, OOF, AutoReply",
		"Reply-To":                 "Vendor Partnerprogramm Süd <" + m.replyTo("", "LG-2026-000123-K") + ">",
		"X-Leadgate-Instance":      m.tokens.instance(),
		"X-Leadgate-Case":          "LG-2026-000123-K",
		"Mime-Version":             "1.0",
	}
	for name, w := range want {
		if g := mailparse.DecodeWords(got.Header.Get(name)); strings.ReplaceAll(g, `"`, "") != w {
			t.Errorf("%s: %q, want %q", name, g, w)
		}
	}
	for line := range strings.SplitSeq(string(raw), "\r\n") {
		if len(line) > 78 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("line of %d bytes: %q", len(line), line)
		}
	}
	p, err := mailparse.Parse(bytes.NewReader(raw))
	if err != nil || !strings.Contains(p.Text, "Grüße, Vendor") || !strings.Contains(p.HTML, "<p>Case LG") {
		t.Errorf("text %q, HTML %q, err %v", p.Text, p.HTML, err)
	}
	if v := m.classify(&p, delivery{}); v.reason != intake.AsideOwn {
		t.Errorf("our own answer is taken for %q", v.reason)
	}
}

func TestAnswerThatNobodyAskedForSaysSo(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	msg := testMessage()
	msg.Unprompted, msg.To.Thread = true, nil
	_, got := composed(t, m, msg)
	if g := got.Header.Get("Auto-Submitted"); g != "auto-generated" {
		t.Errorf("Auto-Submitted: %s", g)
	}
	if g := got.Header.Get("Subject"); g != "Your registration [LG-2026-000123-K]" {
		t.Errorf("Subject: %s", g)
	}
	if g := got.Header.Get("In-Reply-To") + got.Header.Get("References"); g != "" {
		t.Errorf("a thread out of nothing: %s", g)
	}
}

func TestThreadGrowsByTheAnswer(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	msg := testMessage()
	raw, err := m.Reply(t.Context(), msg)
	if err != nil {
		t.Fatal(err)
	}
	var next thread
	if err := json.Unmarshal(raw, &next); err != nil {
		t.Fatal(err)
	}
	if next.MessageID != m.tokens.messageID(msg.ID) || len(next.References) != 3 || next.Mailbox != "partners" {
		t.Errorf("%+v", next)
	}
	msg.ID, msg.To.Thread = "LG-2026-000123-K.3", raw
	_, got := composed(t, m, msg)
	if g := got.Header.Get("In-Reply-To"); g != "<"+next.MessageID+">" {
		t.Errorf("In-Reply-To: %s", g)
	}
	if g := got.Header.Get("Subject"); strings.Count(mailparse.DecodeWords(g), "[LG-") != 1 || strings.Count(g, "Re:") != 1 {
		t.Errorf("Subject: %s", g)
	}
}

// TestAQuestionWhoWroteHoldsNothingOfTheMail: whoever is asked may see what a stranger wrote
// in our name.
func TestAQuestionWhoWroteHoldsNothingOfTheMail(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	s := takeMail(t, m, "From: Buy now at spam.example <jane@partner.example>\nMessage-ID: <buy-now-at-http://spam.example@evil.example>\nReferences: <visit/spam.example@evil.example>\nSubject: Visit spam.example\n\nCompany: Acme\n")
	msg := testMessage()
	msg.ID, msg.Kind, msg.To = "LG-2026-000123-K.confirm", intake.MessageConfirm, s.Accepted[0].Reply
	data, got := composed(t, m, msg)
	if strings.Contains(string(data), "spam.example") || got.Header.Get("References")+got.Header.Get("In-Reply-To") != "" {
		t.Errorf("the question carries what a stranger wrote:\n%s", data)
	}
	if again := m.answers(&mailparse.Parsed{InReplyTo: []string{strings.Trim(got.Header.Get("Message-ID"), "<>")}}, nil); again.caseNumber() != "LG-2026-000123-K" {
		t.Errorf("an answer to it continues %q", again.message)
	}
}

func TestReferencesStayBounded(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	msg := testMessage()
	th := thread{MessageID: "last@x", Subject: "s", References: []string{"bad id", "evil>\r\nBcc: x@y"}}
	for range 400 {
		th.References = append(th.References, strings.Repeat("r", len(th.References)%50+1)+"@x")
	}
	th.References[2] = "first@x"
	msg.To.Thread = th.encode()
	_, got := composed(t, m, msg)
	refs := strings.Fields(got.Header.Get("References"))
	if len(refs) != keptReferences+1 || refs[0] != "<first@x>" || refs[keptReferences] != "<last@x>" {
		t.Errorf("%d references: %s", len(refs), refs)
	}
}

func TestReplySubject(t *testing.T) {
	for in, want := range map[string]string{
		"New lead":                                   "Re: New lead [C-2026-000001-K]",
		"Re: AW: Fwd: RE[2]: New lead":               "Re: New lead [C-2026-000001-K]",
		"Re: New lead [LG-2026-000009-X]":            "Re: New lead [C-2026-000001-K]",
		"[LG-2026-000009-X] [LG-2026-000010-Y] Lead": "Re: Lead [C-2026-000001-K]",
		"":                       "Re: [C-2026-000001-K]",
		"Reseller: new [urgent]": "Re: Reseller: new [urgent] [C-2026-000001-K]",
		strings.Repeat("ü", 300): "Re: " + strings.Repeat("ü", maxReplySubject) + " [C-2026-000001-K]",
		"a\r\nBcc: x@y.example":  "Re: a Bcc: x@y.example [C-2026-000001-K]",
	} {
		if got := replySubject(in, true, "C-2026-000001-K"); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestNoValueBreaksOutOfTheHeader composes answers of arbitrary values.
func TestNoValueBreaksOutOfTheHeader(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z]{0,5}(\r\n|\n|\r| |\x00)?(Bcc: x@y|=\?utf-8\?q\?=0A\?=)?[^a]{0,100}`))
		msg := testMessage()
		msg.Facts.Case = text.Draw(rt, "case")
		th := thread{MessageID: text.Draw(rt, "id"), References: []string{text.Draw(rt, "ref")}, Subject: text.Draw(rt, "subject")}
		to, err := envelopeAddress(msg.To.Address)
		if err != nil {
			rt.Fatal(err)
		}
		b, err := m.compose(msg, to, m.nextThread(msg, th, Rendered{Subject: text.Draw(rt, "rendered")}), Rendered{Text: text.Draw(rt, "text")}, intake.Enclosure{})
		if err != nil {
			rt.Fatal(err)
		}
		head, _, _ := strings.Cut(string(b), "\r\n\r\n")
		for line := range strings.SplitSeq(head, "\r\n") {
			name, _, _ := strings.Cut(line, ":")
			if line == "" || strings.ContainsAny(line, "\r\n\x00") || line[0] != ' ' && !ourFields[name] {
				rt.Fatalf("header line %q", line)
			}
		}
	})
}

func TestAddressesThatCannotBeAnsweredAreFinal(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	for _, to := range []string{"", "jane", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", "Jane <jane@x.example>", "a@-bad-.example"} {
		msg := testMessage()
		msg.To.Address = to
		if _, err := m.Reply(t.Context(), msg); !intake.IsPermanent(err) {
			t.Errorf("%q: %v", to, err)
		}
	}
	msg := testMessage()
	msg.To.Thread = json.RawMessage(`{"message_id":7}`)
	if _, err := m.Reply(t.Context(), msg); !intake.IsPermanent(err) {
		t.Errorf("a thread of another channel: %v", err)
	}
}

func TestOutboxReplacesTheSameFile(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	first, _ := composed(t, m, testMessage())
	second, _ := composed(t, m, testMessage())
	files, err := os.ReadDir(m.cfg.Outbox)
	if err != nil || len(files) != 1 || !bytes.Equal(first, second) {
		t.Errorf("%d files, same bytes %v, err %v", len(files), bytes.Equal(first, second), err)
	}
	other := testMessage()
	other.ID = "LG-2026-000123-K.3"
	composed(t, m, other)
	if files, _ = os.ReadDir(m.cfg.Outbox); len(files) != 2 {
		t.Errorf("%d files", len(files))
	}
}

func TestSubmissionTellsFinalFromPassingRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		refuse, refuseData error
		permanent          bool
	}{
		"no such recipient":   {&smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no"}, nil, true},
		"a passing refusal":   {&smtp.SMTPError{Code: 450, EnhancedCode: smtp.EnhancedCode{4, 2, 0}, Message: "later"}, nil, false},
		"the text is refused": {nil, &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "no"}, true},
		"try the text later":  {nil, &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"}, false},
		"not logged in":       {&smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "log in"}, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			sink := newSMTPSink(t)
			sink.refuse, sink.refuseData = tt.refuse, tt.refuseData
			m, _ := newTestMailbox(t, Config{SMTP: sink.config()})
			_, err := m.Reply(t.Context(), testMessage())
			if err == nil || intake.IsPermanent(err) != tt.permanent {
				t.Errorf("permanent %v, want %v: %v", intake.IsPermanent(err), tt.permanent, err)
			}
		})
	}
}

func TestSubmissionEndsWithTheContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		if c, err := l.Accept(); err == nil {
			accepted <- c // and says nothing
		}
	}()
	host, port := hostPort(l.Addr().String())
	m, _ := newTestMailbox(t, Config{SMTP: &SMTP{Host: host, Port: port, TLS: TLSNone, Username: "u", Password: testPassword}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := m.Reply(ctx, testMessage()); done <- err }()
	c := <-accepted
	defer c.Close()
	start := time.Now()
	cancel()
	if err := <-done; err == nil || intake.IsPermanent(err) || strings.Contains(err.Error(), testPassword) {
		t.Errorf("err %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestNoServerIsAPassingFault(t *testing.T) {
	m, _ := newTestMailbox(t, Config{SMTP: &SMTP{Host: "127.0.0.1", Port: 1, TLS: TLSNone}})
	_, err := m.Reply(t.Context(), testMessage())
	if err == nil || intake.IsPermanent(err) {
		t.Errorf("err %v", err)
	}
	if errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestRepliersAnswerFromTheMailboxThatWasWrittenTo(t *testing.T) {
	a, _ := newTestMailbox(t, Config{Name: "partners"})
	b, _ := newTestMailbox(t, Config{Name: "leads", Address: "leads@vendor.example"})
	r := Repliers{a, b}
	msg := testMessage()
	msg.To.Thread = thread{Mailbox: "leads", Subject: "x"}.encode()
	if _, err := r.Reply(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(b.cfg.Outbox); len(files) != 1 {
		t.Errorf("%d answers from the second mailbox", len(files))
	}
	msg.To.Thread = nil
	if _, err := r.Reply(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(a.cfg.Outbox); len(files) != 1 {
		t.Errorf("%d answers from the first mailbox", len(files))
	}
}

// TestAnswersInTheQuotationAreMarked: what was found in our quoted question is told apart.
func TestAnswersInTheQuotationAreMarked(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	const head = "From: a@partner.example\nSubject: AW: LG-2026-000123-K\n\n"
	for body, want := range map[string]bool{
		"See below.\n\n> Country: Spain\n> Your contact: x\n": true,
		"Country: Spain\n\n> Country: France\n":               false,
		"Thanks!\n\n> Current state: Approved\n":              false,
	} {
		d := delivery{receivedAt: testNow, content: strings.NewReader(head + body)}
		u, err := m.understand(d)
		if err != nil {
			t.Fatal(err)
		}
		sender, err := m.checked(t.Context(), &u, d)
		if err != nil {
			t.Fatal(err)
		}
		s := m.submissionsOf(&u, d, intake.Raw{}, sender)[0]
		if s.Inline != want || s.CaseHint != "LG-2026-000123-K" || s.Lead[intake.FieldCountry] == "FR" {
			t.Errorf("%q: inline %v, lead %v, hint %q", body, s.Inline, s.Lead, s.CaseHint)
		}
	}
}
