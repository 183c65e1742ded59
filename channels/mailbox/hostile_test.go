package mailbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leadgate/channels/channeltest"
	"leadgate/intake"
	"leadgate/intake/cputime"
)

// TestHostileMailIsTakenInAndTheNextOneFollows fetches mails that are made to cost time. Each
// is taken in for what can be read of it, soon, what is not read is told, and the mailbox goes
// on.
func TestHostileMailIsTakenInAndTheNextOneFollows(t *testing.T) {
	var nested, lines strings.Builder
	for n := range 5000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", n, n)
	}
	for n := range 10_000 {
		fmt.Fprintf(&lines, "Company: Acme %d\nE-mail: jane@acme%d.example\n\n", n, n)
	}
	const mixed = "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nCompany: Acme GmbH\n"
	for name, tt := range map[string]struct {
		mail    string
		limit   string // that is told; none if empty
		company string // that is read; none if empty
		leads   int    // at most
	}{
		"5000 nested multiparts":      {nested.String() + "\nCompany: Acme GmbH\n", "depth", "", 0},
		"10000 parts":                 {mixed + strings.Repeat("--b\n\nx\n", 10_000) + "--b--\n", "parts", "Acme GmbH", 1},
		"100000 nested elements":      {"Content-Type: text/html\n\n" + strings.Repeat("<b>", 100_000) + "Company: Acme GmbH\n", "", "Acme GmbH", 1},
		"a text of two megabytes":     {"\nCompany: Acme GmbH\n\n" + strings.Repeat("All that they told me about it.\n", 70_000), "text", "Acme GmbH", 1},
		"10000 registrations in line": {"\n" + lines.String(), "", "Acme 0", 50},
	} {
		t.Run(name, func(t *testing.T) {
			server := newIMAPServer(t, allCaps...)
			server.append(t, []byte(strings.ReplaceAll(jane+"Subject: New lead\nMessage-ID: <hostile@partner.example>\n"+tt.mail, "\n", "\r\n")))
			box, logs := newTestMailbox(t, Config{IMAP: imapConfig(server.addr)})
			sink := channeltest.NewSink()
			r := &running{box: box, server: server, sink: sink, ctx: t.Context()}
			began := cputime.Used() // the machine may be busy
			runBox(t, box, sink)
			s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) > 0 })
			if took := cputime.Used() - began; took > 3*slowdown*time.Second {
				t.Errorf("it took %v", took)
			}
			if got := s.Accepted[0].Lead[intake.FieldCompanyName]; got != tt.company {
				t.Errorf("the company is %q, want %q", got, tt.company)
			}
			r.filed(t, 1, 0, 0)
			if n := len(sink.State().Accepted); n > max(1, tt.leads) {
				t.Errorf("%d leads, want at most %d", n, tt.leads)
			}
			if told := strings.Contains(logs.String(), "level=WARN msg=\"message is read in part\"") && strings.Contains(logs.String(), "limits=["+tt.limit); told != (tt.limit != "") {
				t.Errorf("told of a limit: %v\n%s", told, logs)
			}
			server.append(t, leadMail(2, "the next one"))
			r.filed(t, 2, 0, 0)
		})
	}
}

// TestNothingThatAMailNamesIsFetched: neither pictures nor scripts, styles or links.
func TestNothingThatAMailNamesIsFetched(t *testing.T) {
	var asked atomic.Int32
	remote := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer remote.Close()
	page := strings.ReplaceAll(`<html><head><link rel=stylesheet href="URL/a.css"><script src="URL/a.js"></script><style>@import "URL/b.css"</style></head>
<body background="URL/a.png"><img src="URL/b.png" srcset="URL/c.png 2x"><iframe src="URL/d"></iframe><object data="URL/e"></object>
<p>Company: Acme GmbH</p><p>Website: <a href="URL/acme">acme.example</a></p></body></html>`, "URL", remote.URL)
	for _, mail := range []string{
		"Content-Type: text/html\n\n" + page,
		"Content-Type: message/external-body; access-type=URL; URL=\"" + remote.URL + "\"\n\nContent-Type: text/plain\n\n",
	} {
		takeMail(t, believing(t), jane+"List-Help: <"+remote.URL+">\nDisposition-Notification-To: jane@partner.example\n"+mail)
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("the sender's server was asked %d times", n)
	}
}

// TestAFieldWithALongNameIsNoText: what stands in a header field that any signature leaves
// out must not be read as the text.
func TestAFieldWithALongNameIsNoText(t *testing.T) {
	m, _ := newTestMailbox(t, Config{})
	s := takeMail(t, m, jane+"Message-ID: <1@partner.example>\nSubject: Hello\n"+strings.Repeat("X", 300)+": x\n Company: Evil GmbH\n Domain: evil-corp.com\n\nNice to meet you.\n")
	for _, a := range s.Accepted {
		if !a.Lead.Empty() {
			t.Errorf("registered out of a header field: %v", a.Lead)
		}
	}
}
