package mailbox

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
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
