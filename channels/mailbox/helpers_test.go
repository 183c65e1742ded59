package mailbox

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"leadgate/channels/channeltest"
	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testAddress  = "partners@vendor.example"
	testPassword = "correct-horse-battery"
)

var (
	testKey       = []byte("0123456789abcdef0123456789abcdef")
	testExtractor = sync.OnceValue(func() *extract.Extractor {
		return extract.New(identity.Default(), extract.Options{OwnNames: []string{"vendor"}})
	})
	testNow = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
)

// testRenderer says little, in both forms.
var testRenderer = RendererFunc(func(m intake.Message) (Rendered, error) {
	return Rendered{
		Subject: "Your registration",
		Text:    "Case " + mailparse.CleanLine(m.Facts.Case) + " is registered.\nGrüße, " + m.Facts.Program,
		HTML:    "<p>Case " + mailparse.CleanLine(m.Facts.Case) + " is registered.</p>",
	}, nil
})

// logs collects what a mailbox logs, for the search for secrets.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newTestMailbox(t *testing.T, cfg Config) (*Mailbox, *logs) {
	t.Helper()
	cfg.Name = or(cfg.Name, "partners")
	cfg.Address = or(cfg.Address, testAddress)
	cfg.FromName = or(cfg.FromName, "Vendor Partners")
	if cfg.SMTP == nil && cfg.Outbox == "" {
		cfg.Outbox = t.TempDir()
	}
	if cfg.ReplyToken == nil && !cfg.hasPlus() {
		yes := true
		cfg.ReplyToken = &yes
	}
	if cfg.IMAP == nil && cfg.Direct == nil {
		cfg.Direct = &Direct{Listen: "127.0.0.1:0"}
	}
	l := &logs{}
	m, err := New(cfg, Deps{
		Key: testKey, Extractor: testExtractor(), Renderer: testRenderer, SpoolDir: t.TempDir(),
		Now: func() time.Time { return testNow }, Log: slog.New(slog.NewTextHandler(l, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, secret := range []string{testPassword, "Acme Secret Body"} {
			if strings.Contains(l.String(), secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
	})
	return m, l
}

// eventually asks until cond holds.
func eventually(t *testing.T, what string, limit time.Duration, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for !cond() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited %v until %s", limit, what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// leadMail is the n-th mail of a partner.
func leadMail(n int, subject string) []byte {
	return mailOf("From: Jane Partner <jane@partner.example>", "To: "+testAddress, "Cc: other@partner.example",
		"Subject: "+strings.NewReplacer("\r", "", "\n", "\r\n ").Replace(encodeRaw(subject)), fmt.Sprintf("Message-ID: <lead-%d@partner.example>", n),
		"Date: Mon, 23 Nov 2026 08:00:00 +0000", "", fmt.Sprintf("Company: Acme %d", n), "Country: Germany", "Notes: Acme Secret Body")
}

// encodeRaw is a subject as an attacker encodes it: control characters in an encoded word.
func encodeRaw(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	var b strings.Builder
	b.WriteString("=?utf-8?q?")
	for i := range len(s) {
		fmt.Fprintf(&b, "=%02X", s[i])
	}
	b.WriteString("?=")
	return b.String()
}

func robotMail(n int) []byte {
	return mailOf("From: Jane Partner <jane@partner.example>", "To: "+testAddress, "Subject: Out of office",
		fmt.Sprintf("Message-ID: <robot-%d@partner.example>", n), "Auto-Submitted: auto-replied", "", "Company: Acme")
}

// unreadableMail has a header, because the server in memory hands nothing else out, but
// nothing in it that a mail has.
func unreadableMail(n int) []byte { return mailOf(fmt.Sprintf("X-Number: %d", n), "", "\x00\xff\x01") }

func mailOf(lines ...string) []byte { return []byte(strings.Join(lines, "\r\n") + "\r\n") }

// smtpSink is a mail server that takes answers.
type smtpSink struct {
	t      *testing.T
	server *smtp.Server
	addr   string
	mu     sync.Mutex
	sent   []channeltest.Sent
	// refuse, if set, is what a recipient is answered; refuseData what the text is.
	refuse, refuseData error
	// hello are the names that clients greeted with.
	hello []string
}

func newSMTPSink(t *testing.T) *smtpSink {
	t.Helper()
	s := &smtpSink{t: t}
	s.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hello = append(s.hello, c.Hostname())
		return &sinkSession{s: s}, nil
	}))
	s.server.Domain = "sink.example"
	s.server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	done := make(chan struct{})
	go func() { defer close(done); s.server.Serve(l) }()
	t.Cleanup(func() { l.Close(); s.server.Close(); <-done })
	return s
}

func (s *smtpSink) config() *SMTP {
	host, port := hostPort(s.addr)
	return &SMTP{Host: host, Port: port, TLS: TLSNone}
}

func (s *smtpSink) all() []channeltest.Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]channeltest.Sent(nil), s.sent...)
}

func hostPort(addr string) (string, int) {
	host, port, _ := net.SplitHostPort(addr)
	n, _ := strconv.Atoi(port)
	return host, n
}

type sinkSession struct {
	s  *smtpSink
	to []string
}

func (c *sinkSession) Mail(string, *smtp.MailOptions) error { return nil }
func (c *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if c.s.refuse != nil {
		return c.s.refuse
	}
	c.to = append(c.to, to)
	return nil
}

func (c *sinkSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.refuseData != nil {
		return c.s.refuseData
	}
	c.s.sent = append(c.s.sent, channeltest.Sent{To: c.to, Data: b})
	return nil
}

func (c *sinkSession) Reset()        { c.to = nil }
func (c *sinkSession) Logout() error { return nil }

// imapServer is an IMAP server in memory with one user.
type imapServer struct {
	user *imapmemserver.User
	addr string
}

func newIMAPServer(t *testing.T, caps ...imap.Cap) *imapServer {
	t.Helper()
	return newIMAPServerTLS(t, nil, TLSNone, caps...)
}

// newIMAPServerTLS is an IMAP server that protects its connections.
func newIMAPServerTLS(t *testing.T, cfg *tls.Config, protection TLS, caps ...imap.Cap) *imapServer {
	t.Helper()
	mem := imapmemserver.New()
	user := imapmemserver.NewUser(testAddress, testPassword)
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	mem.AddUser(user)
	set := imap.CapSet{imap.CapIMAP4rev1: {}}
	for _, c := range caps {
		set[c] = struct{}{}
	}
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return mem.NewSession(), nil, nil
		},
		Caps: set, InsecureAuth: cfg == nil, TLSConfig: cfg, Logger: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if protection == TLSImplicit {
		l = tls.NewListener(l, cfg)
	}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(l) }()
	t.Cleanup(func() { l.Close(); server.Close(); <-done })
	return &imapServer{user: user, addr: addr}
}

func (s *imapServer) append(t *testing.T, raw []byte, flags ...imap.Flag) {
	t.Helper()
	r := literal{bytes.NewReader(raw)}
	if _, err := s.user.Append("INBOX", r, &imap.AppendOptions{Flags: flags, Time: testNow.Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
}

type literal struct{ sized }

type sized interface {
	io.Reader
	Size() int64
}

// count returns how many messages a folder holds.
func (s *imapServer) count(t *testing.T, folder string) int {
	t.Helper()
	data, err := s.user.Status(folder, &imap.StatusOptions{NumMessages: true})
	if err != nil {
		var status *imap.Error
		if errors.As(err, &status) && status.Code == imap.ResponseCodeNonExistent {
			return 0
		}
		t.Fatal(err)
	}
	return int(*data.NumMessages)
}

func imapConfig(addr string) *IMAP {
	host, port := hostPort(addr)
	return &IMAP{Host: host, Port: port, TLS: TLSNone, Username: testAddress, Password: testPassword}
}

// quick makes the fetcher of m impatient.
func quick(m *Mailbox) {
	m.imap.times = imapTimes{
		command: 5 * time.Second, login: 5 * time.Second, fetch: 10 * time.Second, progress: 5 * time.Second,
		idle: 2 * time.Second, retry: 10 * time.Millisecond, putOff: 20 * time.Millisecond, backoff: 5 * time.Millisecond, maxBackoff: 50 * time.Millisecond,
	}
}

// proxy stands between a client and a server and does harm.
type proxy struct {
	addr   string
	mu     sync.Mutex
	conns  []net.Conn
	closed bool
	stall  chan struct{} // closed: nothing is copied any more
	// tamper sees what the server sends on connection n (0, 1, …) and returns what goes on;
	// false closes the connection after it.
	tamper func(n int, b []byte) ([]byte, bool)
}

func newProxy(t *testing.T, target string, tamper func(n int, b []byte) ([]byte, bool)) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{addr: l.Addr().String(), stall: make(chan struct{}), tamper: tamper}
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", target)
			if err != nil {
				c.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, c, s)
			if p.closed {
				c.Close()
				s.Close()
			}
			p.mu.Unlock()
			wg.Go(func() { p.copy(s, c, nil, 0) })
			wg.Go(func() { p.copy(c, s, p.tamper, n) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		p.closed = true
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		wg.Wait()
	})
	return p
}

func (p *proxy) copy(dst, src net.Conn, tamper func(int, []byte) ([]byte, bool), n int) {
	defer dst.Close()
	buf := make([]byte, 32<<10)
	for {
		k, err := src.Read(buf)
		select {
		case <-p.stall:
			io.Copy(io.Discard, src) // until somebody closes it
			return
		default:
		}
		out, ok := buf[:k], err == nil
		if tamper != nil && k > 0 {
			more := true
			if out, more = tamper(n, out); !more {
				ok = false
			}
		}
		if _, werr := dst.Write(out); werr != nil || !ok {
			src.Close()
			return
		}
	}
}

// dialIMAP logs in as another program of the same user.
func dialIMAP(t *testing.T, addr string) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Login(testAddress, testPassword).Wait(); err != nil {
		c.Close()
		t.Fatal(err)
	}
	return c
}
