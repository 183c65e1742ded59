package mailbox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
)

// receiver takes mail in by direct delivery, over SMTP (RFC 5321) or LMTP (RFC 2033). What
// is acknowledged with 250 is stored; anything else stays in the queue of the deliverer.
type receiver struct {
	m        *Mailbox
	cfg      Direct
	allowed  []netip.Prefix
	listener net.Listener
	server   *smtp.Server

	mu     sync.Mutex
	ctx    context.Context // for taking messages in; nil before run
	sink   intake.Sink
	active sync.WaitGroup // messages that are being taken in
	ending bool
}

// Limits of direct delivery. The time-outs follow RFC 5321, section 4.5.3.2.7: a whole
// message has to come within the first.
const (
	receiveTimeout = 5 * time.Minute
	replyTimeout   = time.Minute
	maxRecipients  = 50
	maxLine        = 64 << 10
	// graceful is how long messages that are being stored may take after the end.
	graceful = time.Second
)

// listen opens the listener. A second call does nothing.
func (r *receiver) listen() error {
	if r.listener != nil {
		return nil
	}
	allowed, err := senderauth.ParseNetworks(r.cfg.TrustedNetworks)
	if err != nil {
		return fmt.Errorf("direct.trusted_networks: %w", err)
	}
	r.allowed = allowed
	network, addr := "tcp", r.cfg.Listen
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	server, err := r.newServer()
	if err != nil {
		return err
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		return fmt.Errorf("listen for mail on %s: %w", r.cfg.Listen, err)
	}
	r.server, r.listener = server, l
	return nil
}

func (r *receiver) addrs() []string {
	if r.listener == nil {
		return nil
	}
	return []string{r.listener.Addr().String()}
}

func (r *receiver) newServer() (*smtp.Server, error) {
	_, domain, _ := strings.Cut(r.m.cfg.Address, "@")
	s := smtp.NewServer(smtp.BackendFunc(r.newSession))
	s.LMTP = r.cfg.Protocol == ProtocolLMTP
	s.Domain = domain
	s.MaxMessageBytes = r.cfg.MaxSize
	s.MaxRecipients = maxRecipients
	s.MaxLineLength = maxLine
	s.ReadTimeout, s.WriteTimeout = receiveTimeout, replyTimeout
	s.EnableSMTPUTF8 = true
	s.ErrorLog = slog.NewLogLogger(r.m.deps.Log.Handler(), slog.LevelWarn)
	if r.cfg.TLSCert != "" {
		cert, err := tls.LoadX509KeyPair(r.cfg.TLSCert, r.cfg.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("direct.tls_cert: %w", err)
		}
		s.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	return s, nil
}

// run serves until ctx is done. Messages that are being stored then get a moment to finish;
// all connections are closed after it, silent ones included.
func (r *receiver) run(ctx context.Context, sink intake.Sink) error {
	taking, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r.mu.Lock()
	r.ctx, r.sink = taking, sink
	r.mu.Unlock()
	served := make(chan error, 1)
	go func() { served <- r.server.Serve(r.listener) }()
	var err error
	select {
	case <-ctx.Done():
		err = ctx.Err()
		r.listener.Close()
		r.finish(cancel)
		r.server.Close()
		<-served
	case err = <-served:
		err = fmt.Errorf("serve mail on %s: %w", r.cfg.Listen, err)
		r.finish(cancel)
		r.server.Close()
	}
	return err
}

// finish waits for messages that are being taken in, then cancels them.
func (r *receiver) finish(cancel func()) {
	r.mu.Lock()
	r.ending = true
	r.mu.Unlock()
	done := make(chan struct{})
	go func() { r.active.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(graceful):
		cancel()
		r.server.Close() // ends those that still receive
		<-done
	}
}

// begin registers a message that is being taken in; false at the end of the program.
func (r *receiver) begin() (context.Context, intake.Sink, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ending || r.ctx == nil {
		return nil, nil, false
	}
	r.active.Add(1)
	return r.ctx, r.sink, true
}

// Replies. The words tell the postmaster on the other side what to do.
var (
	errNotAllowed = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "this network may not deliver here"}
	errNoMailbox  = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox here"}
	errNotStored  = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "the message could not be stored; please try again later"}
	errUnchecked  = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 4, 3}, Message: "the DNS of the sender's domain does not answer; please try again later"}
	errEnding     = &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "shutting down; please try again later"}
	errTooLarge   = &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "the message is too large"}
	errLongLine   = &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: "a line of the message is too long"}
)

func (r *receiver) newSession(c *smtp.Conn) (smtp.Session, error) {
	s := &delivering{r: r, envelope: senderauth.Envelope{Direct: true, Hello: c.Hostname()}}
	if a, ok := c.Conn().RemoteAddr().(*net.TCPAddr); ok {
		s.envelope.IP, _ = netip.AddrFromSlice(a.IP)
		s.envelope.IP = s.envelope.IP.Unmap()
		if len(r.allowed) > 0 && !senderauth.Contains(r.allowed, s.envelope.IP) {
			return nil, errNotAllowed
		}
	}
	return s, nil
}

// delivering is one connection of a mail server.
type delivering struct {
	r          *receiver
	envelope   senderauth.Envelope
	nullSender bool
	recipients []string
}

var (
	_ smtp.Session     = (*delivering)(nil)
	_ smtp.LMTPSession = (*delivering)(nil)
)

func (s *delivering) Mail(from string, _ *smtp.MailOptions) error {
	s.nullSender, s.envelope.MailFrom = from == "", from
	return nil
}

// Rcpt accepts the addresses of this mailbox alone: it relays nothing.
func (s *delivering) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !s.r.m.own.has(to) {
		return errNoMailbox
	}
	s.recipients = append(s.recipients, to)
	return nil
}

func (s *delivering) Data(body io.Reader) error { return s.take(body) }

// LMTPData gives every recipient the same answer: they are one mailbox.
func (s *delivering) LMTPData(body io.Reader, _ smtp.StatusCollector) error { return s.take(body) }

func (s *delivering) Reset()        { s.nullSender, s.envelope.MailFrom, s.recipients = false, "", nil }
func (s *delivering) Logout() error { return nil }

// take stores a message. What it returns is the reply, success included: the case number is
// told only to a sender who is proven, for everybody else it would be a probe.
func (s *delivering) take(body io.Reader) error {
	r := s.r
	ctx, sink, ok := r.begin()
	if !ok {
		return errEnding
	}
	defer r.active.Done()
	spooled, err := newSpool(r.m.deps.SpoolDir)
	if err != nil {
		return r.notStored(err)
	}
	defer spooled.remove()
	disk := &diskWriter{w: spooled.file}
	if _, err := io.Copy(disk, body); err != nil {
		switch {
		case disk.err != nil:
			return r.notStored(err)
		case errors.Is(err, smtp.ErrDataTooLarge):
			return errTooLarge
		case errors.Is(err, smtp.ErrTooLongLine):
			return errLongLine
		}
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 4, 2}, Message: "the message broke off"}
	}
	if err := spooled.rewind(); err != nil {
		return r.notStored(err)
	}
	out, err := r.m.take(ctx, sink, delivery{
		receivedAt: r.m.deps.Now(), content: spooled.file, envelope: s.envelope, nullSender: s.nullSender, recipients: s.recipients,
	})
	switch {
	case errors.Is(err, errNotNow):
		r.m.deps.Log.Info("message put off", "err", err)
		return errUnchecked
	case err != nil:
		return r.notStored(err)
	}
	reply := &smtp.SMTPError{Code: 250, EnhancedCode: smtp.EnhancedCode{2, 0, 0}, Message: "accepted"}
	if out.proven && out.receipt.Case != "" {
		reply.Message = "accepted as " + out.receipt.Case
	}
	return reply
}

func (r *receiver) notStored(err error) error {
	r.m.deps.Log.Warn("message not stored; the mail server keeps it", "err", err)
	return errNotStored
}
