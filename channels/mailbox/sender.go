package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"leadgate/channels/oauth"
	"leadgate/intake"
)

// outgoing is a mail that is ready to go.
type outgoing struct {
	// id is unique for the mail and the same in every attempt.
	id       string
	from, to string
	data     []byte
}

// transport hands mails over. An error marked permanent means that this mail will never be
// taken; after any other it may or may not have been.
type transport interface {
	send(ctx context.Context, o outgoing) error
}

var (
	_ transport = (*submission)(nil)
	_ transport = outbox("")
)

// Time-outs of submission: to connect and for each command; for the server's last word on
// the text; and for everything together.
const (
	submitCommand = 30 * time.Second
	submitData    = 2 * time.Minute
	submitAll     = 5 * time.Minute
)

// submission hands mails to an SMTP server (RFC 6409), one connection for each.
type submission struct {
	cfg   SMTP
	roots *x509.CertPool // nil: the system's
	// tokens are what we log in with; by password if nil.
	tokens *oauth.Source
}

// send hands one mail over. If the server refuses our token, that is done once more with a
// new one: no mail was begun then.
func (s *submission) send(ctx context.Context, o outgoing) error {
	ctx, cancel := context.WithTimeout(ctx, submitAll)
	defer cancel()
	err := s.attempt(ctx, o)
	var refused *tokenRefused
	if !errors.As(err, &refused) {
		return err
	}
	s.tokens.Reject(refused.access)
	err = s.attempt(ctx, o)
	if errors.As(err, &refused) {
		s.tokens.Reject(refused.access)
	}
	return err
}

func (s *submission) attempt(ctx context.Context, o outgoing) error {
	addr := net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port))
	conn, err := dial(ctx, addr, submitCommand)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", addr, err)
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	// The library sets no deadline while it shakes hands.
	conn.SetDeadline(time.Now().Add(submitCommand))
	c, err := s.client(conn)
	if err != nil {
		return fmt.Errorf("greet %s: %w", addr, err)
	}
	if s.cfg.Username != "" {
		if err := s.login(ctx, c); err != nil {
			return fmt.Errorf("log in at %s: %w", addr, &loginFault{err})
		}
	}
	if err := s.transfer(c, o); err != nil {
		return fmt.Errorf("%s: %w", addr, err)
	}
	c.Quit() // the mail is taken, whatever is said to that
	return nil
}

// loginFault is why we could not log in to send.
type loginFault struct{ err error }

func (e *loginFault) Error() string { return e.err.Error() }
func (e *loginFault) Unwrap() error { return e.err }

func (s *submission) login(ctx context.Context, c *smtp.Client) error {
	if s.tokens == nil {
		return c.Auth(sasl.NewPlainClient("", s.cfg.Username, s.cfg.Password))
	}
	access, err := s.tokens.Token(ctx)
	if err != nil {
		return err
	}
	mechanism, err := oauth.Mechanism(c.SupportsAuth, s.cfg.Username, access, s.cfg.Host, s.cfg.Port)
	if err != nil {
		return err
	}
	err = c.Auth(mechanism)
	var refused *oauth.Refused
	var status *smtp.SMTPError
	if errors.As(err, &refused) || errors.As(err, &status) && !status.Temporary() {
		return &tokenRefused{access, err}
	}
	return err
}

// client starts TLS as configured and greets the server.
func (s *submission) client(conn net.Conn) (*smtp.Client, error) {
	cfg := &tls.Config{ServerName: s.cfg.Host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	var c *smtp.Client
	switch s.cfg.TLS {
	case TLSNone:
		c = smtp.NewClient(conn)
	case TLSStart:
		var err error
		if c, err = smtp.NewClientStartTLS(conn, cfg); err != nil {
			return nil, explainTLS(err, "smtp", s.cfg.Host)
		}
	default:
		secure := tls.Client(conn, cfg)
		if err := secure.Handshake(); err != nil {
			return nil, explainTLS(err, "smtp", s.cfg.Host)
		}
		c = smtp.NewClient(secure)
	}
	c.CommandTimeout, c.SubmissionTimeout = submitCommand, submitData
	if err := c.Hello(s.cfg.Hello); err != nil {
		if certificateAdvice(err, "smtp", s.cfg.Host) != "" {
			return nil, explainTLS(err, "smtp", s.cfg.Host) // STARTTLS shakes hands only now
		}
		return nil, err
	}
	return c, nil
}

// transfer sends the mail. What the server says to the sender, the recipient or the text
// with a code of 500 and more is about this mail and final.
func (s *submission) transfer(c *smtp.Client, o outgoing) error {
	var opts *smtp.MailOptions
	if !isASCII(o.to) || !isASCII(o.from) {
		if ok, _ := c.Extension("SMTPUTF8"); !ok {
			return intake.Permanent(errors.New("the server can't send to an address outside of ASCII"))
		}
		opts = &smtp.MailOptions{UTF8: true}
	}
	if size, ok := c.MaxMessageSize(); ok && size > 0 && size < len(o.data) {
		return intake.OwnFault(fmt.Errorf("the mail has %d bytes, the server takes %d", len(o.data), size))
	}
	if err := c.Mail(o.from, opts); err != nil {
		return senderRefused(err)
	}
	if err := c.Rcpt(o.to, nil); err != nil {
		return final("recipient", err)
	}
	w, err := c.Data()
	if err != nil {
		return final("data", err)
	}
	if _, err := w.Write(o.data); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	if err := w.Close(); err != nil {
		return final("end of data", err)
	}
	return nil
}

// senderRefused is a refusal that came before the server knew for whom the mail is.
func senderRefused(err error) error {
	err = final("sender", err)
	if intake.IsPermanent(err) {
		return intake.OwnFault(err)
	}
	return err
}

// final marks a refusal as permanent. That we are not logged in is a fault of the
// configuration, which somebody can heal, and not of the mail.
func final(step string, err error) error {
	wrapped := fmt.Errorf("%s: %w", step, err)
	var status *smtp.SMTPError
	if errors.As(err, &status) && status.Code >= 500 && status.Code != 530 && status.Code != 535 {
		return intake.Permanent(wrapped)
	}
	return wrapped
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// outbox writes mails into a directory, one file each, for a mail server or a person to
// pick up. The name comes from the mail's id: a repeat replaces the same file.
type outbox string

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9._-]`)

func (dir outbox) send(_ context.Context, o outgoing) (err error) {
	if err := os.MkdirAll(string(dir), 0o700); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	f, err := os.CreateTemp(string(dir), ".mail-*")
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	_, err = f.Write(o.data)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(string(dir), unsafeName.ReplaceAllString(o.id, "_")+".eml"))
	}
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}
