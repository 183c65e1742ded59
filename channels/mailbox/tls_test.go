package mailbox

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"leadgate/channels/channeltest"
)

// testTLS returns a configuration whose certificate is good for 127.0.0.1, and who vouches
// for it.
func testTLS(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, pool
}

func TestProtectedFetching(t *testing.T) {
	cfg, roots := testTLS(t)
	for _, protection := range []TLS{TLSImplicit, TLSStart} {
		t.Run(string(protection), func(t *testing.T) {
			server := newIMAPServerTLS(t, cfg, protection, imap.CapMove, imap.CapIdle)
			mail := literal{strings.NewReader(string(leadMail(1, "New lead")))}
			if _, err := server.user.Append("INBOX", mail, &imap.AppendOptions{Time: testNow}); err != nil {
				t.Fatal(err)
			}
			r := runIMAP(t, server, server.addr, func(m *Mailbox) {
				m.imap.cfg.TLS = protection
				m.deps.RootCAs = roots
			})
			r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 1 })
			r.filed(t, 1, 0, 0)

			stranger := runIMAP(t, server, server.addr, func(m *Mailbox) { m.imap.cfg.TLS = protection })
			eventually(t, "an unknown certificate is refused", 5*time.Second, func() bool {
				return strings.Contains(stranger.box.Health().Problem, "certificate")
			})
		})
	}
}

// authSession is a session of a server that wants a login.
type authSession struct {
	sinkSession
	login *string
}

func (*authSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (a *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if password != testPassword {
			return smtp.ErrAuthFailed
		}
		*a.login = username
		return nil
	}), nil
}

func TestProtectedSubmission(t *testing.T) {
	cfg, roots := testTLS(t)
	for _, protection := range []TLS{TLSImplicit, TLSStart} {
		t.Run(string(protection), func(t *testing.T) {
			sink := &smtpSink{t: t}
			var login, hello string
			server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
				hello = c.Hostname()
				return &authSession{sinkSession{s: sink}, &login}, nil
			}))
			server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			host, port := hostPort(l.Addr().String())
			if protection == TLSImplicit {
				l = tls.NewListener(l, cfg)
			} else {
				server.TLSConfig = cfg
			}
			done := make(chan struct{})
			go func() { defer close(done); server.Serve(l) }()
			defer func() { l.Close(); server.Close(); <-done }()
			m, _ := newTestMailbox(t, Config{SMTP: &SMTP{Host: host, Port: port, TLS: protection, Username: "user", Password: testPassword, Hello: "leadgate.vendor.example"}})
			if _, err := m.Reply(t.Context(), testMessage()); err == nil || !strings.Contains(err.Error(), "certificate") {
				t.Errorf("an unknown certificate: %v", err)
			}
			m.transport.(*submission).roots = roots
			if _, err := m.Reply(t.Context(), testMessage()); err != nil {
				t.Fatal(err)
			}
			if login != "user" || hello != "leadgate.vendor.example" || len(sink.all()) != 1 {
				t.Errorf("login %q, hello %q, %d sent", login, hello, len(sink.all()))
			}
			m.transport.(*submission).cfg.Password = "wrong"
			_, err = m.Reply(t.Context(), testMessage())
			if err == nil || strings.Contains(err.Error(), "wrong") {
				t.Errorf("a wrong password: %v", err)
			}
		})
	}
}

// certificate returns one for 127.0.0.1 that signs itself, after change, and who vouches for
// it.
func certificate(t *testing.T, change func(*x509.Certificate)) (*tls.Config, *x509.CertPool) {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
	}
	change(c)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool
}

// script is a server that says what a test wants and keeps all that it reads, protected or
// not.
type script struct {
	addr string
	mu   sync.Mutex
	read bytes.Buffer
}

func (s *script) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read.Write(p)
}

func (s *script) heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read.String()
}

// newScript starts a server. talk greets, and answers lines; with a configuration the
// connection is protected from the beginning, or from where talk says upgrade.
func newScript(t *testing.T, implicit bool, cfg *tls.Config, greeting string, talk func(line string) (answer string, upgrade bool)) *script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{addr: l.Addr().String()}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				if implicit {
					c = tls.Server(c, cfg)
				}
				io.WriteString(c, greeting)
				lines := bufio.NewReader(io.TeeReader(c, s))
				for {
					line, err := lines.ReadString('\n')
					if err != nil {
						return
					}
					answer, upgrade := talk(strings.TrimSpace(line))
					io.WriteString(c, answer)
					if upgrade {
						c = tls.Server(c, cfg)
						lines = bufio.NewReader(io.TeeReader(c, s))
					}
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return s
}

// imapTalk answers as an IMAP server does that has STARTTLS or not.
func imapTalk(hasSTARTTLS bool) func(string) (string, bool) {
	return func(line string) (string, bool) {
		tag, command, _ := strings.Cut(line, " ")
		switch {
		case command == "CAPABILITY":
			return "* CAPABILITY IMAP4rev1\r\n" + tag + " OK done\r\n", false
		case command == "STARTTLS" && hasSTARTTLS:
			return tag + " OK begin\r\n", true
		}
		return tag + " BAD unknown command\r\n", false
	}
}

func smtpTalk(hasSTARTTLS bool) func(string) (string, bool) {
	return func(line string) (string, bool) {
		switch command, _, _ := strings.Cut(line, " "); {
		case command == "EHLO":
			if hasSTARTTLS {
				return "250-fake.example\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n", false
			}
			return "250-fake.example\r\n250 AUTH PLAIN\r\n", false
		case command == "STARTTLS" && hasSTARTTLS:
			return "220 begin\r\n", true
		}
		return "502 5.5.1 unknown command\r\n", false
	}
}

// Whatever is wrong with the protection, nobody logs in, the password stays here, and the
// words say what to do.
func TestWithoutProtectionNoPasswordIsSent(t *testing.T) {
	const imapGreeting, smtpGreeting = "* OK fake\r\n", "220 fake.example\r\n"
	stale := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }
	early := func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }
	foreign := func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"other.example"} }
	fine := func(*x509.Certificate) {}
	for name, tt := range map[string]struct {
		protection TLS
		change     func(*x509.Certificate)
		strangers  bool // nobody vouches for the certificate
		greeting   string
		stripped   bool
		want       string
	}{
		"an expired certificate":                {TLSImplicit, stale, false, "", false, "have it renewed on the server, or set the clock"},
		"an expired certificate after STARTTLS": {TLSStart, stale, false, "", false, "have it renewed on the server, or set the clock"},
		"a certificate of tomorrow":             {TLSImplicit, early, false, "", false, "have it renewed on the server, or set the clock"},
		"a certificate for another":             {TLSImplicit, foreign, false, "", false, ".host to a name that it holds"},
		"a certificate for another by STARTTLS": {TLSStart, foreign, false, "", false, ".host to a name that it holds"},
		"a certificate of strangers":            {TLSImplicit, fine, true, "", false, "signed by nobody that this machine trusts"},
		"STARTTLS taken away":                   {TLSStart, fine, false, "", true, "the server offers no STARTTLS, or somebody between takes it away"},
		"a login before the protection":         {TLSStart, fine, false, "* PREAUTH welcome\r\n", false, "logged in before the connection is protected"},
		"the same without STARTTLS":             {TLSStart, fine, false, "* PREAUTH welcome\r\n", true, "offers no STARTTLS"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, roots := certificate(t, tt.change)
			if tt.strangers {
				roots = x509.NewCertPool()
			}
			t.Run("imap", func(t *testing.T) {
				server := newScript(t, tt.protection == TLSImplicit, cfg, or(tt.greeting, imapGreeting), imapTalk(!tt.stripped))
				host, port := hostPort(server.addr)
				box, _ := newTestMailbox(t, Config{IMAP: &IMAP{Host: host, Port: port, TLS: tt.protection, Username: "u", Password: testPassword}})
				box.deps.RootCAs = roots
				runBox(t, box, channeltest.NewSink())
				eventually(t, "the health says so", 10*time.Second, func() bool { return box.Health().State == StateDown })
				if p := box.Health().Problem; !strings.Contains(p, tt.want) {
					t.Errorf("%s, want %q", p, tt.want)
				}
				if heard := server.heard(); strings.Contains(heard, testPassword) || strings.Contains(heard, "LOGIN") {
					t.Errorf("the server heard %q", heard)
				}
			})
			if tt.greeting != "" {
				return // SMTP has nothing of the kind
			}
			t.Run("smtp", func(t *testing.T) {
				server := newScript(t, tt.protection == TLSImplicit, cfg, smtpGreeting, smtpTalk(!tt.stripped))
				host, port := hostPort(server.addr)
				box, _ := newTestMailbox(t, Config{SMTP: &SMTP{Host: host, Port: port, TLS: tt.protection, Username: "u", Password: testPassword}})
				box.transport.(*submission).roots = roots
				_, err := box.Reply(t.Context(), testMessage())
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
				if heard := server.heard(); strings.Contains(heard, "AUTH") {
					t.Errorf("the server heard %q", heard)
				}
			})
		})
	}
}

func TestAServerThatTakesNoPasswordsGetsNone(t *testing.T) {
	server := newScript(t, false, nil, "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] fake\r\n", imapTalk(false))
	box, _ := newTestMailbox(t, Config{IMAP: imapConfig(server.addr)})
	runBox(t, box, channeltest.NewSink())
	eventually(t, "the health says so", 10*time.Second, func() bool { return strings.Contains(box.Health().Problem, "LOGINDISABLED") })
	if heard := server.heard(); strings.Contains(heard, testPassword) {
		t.Errorf("the server heard %q", heard)
	}
}
