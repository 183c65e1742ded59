package mailserver

import (
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

// Sent is a mail that a Sink took.
type Sent struct {
	To   []string
	Data []byte
}

// Sink is an SMTP server that keeps what it is given: the world outside. It knows nobody whose
// name begins with "gone".
type Sink struct {
	Port int
	mu   sync.Mutex
	sent []Sent
}

// StartSink starts a sink until the test ends.
func StartSink(t *testing.T) *Sink {
	t.Helper()
	s := &Sink{}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &sinkSession{sink: s}, nil }))
	server.Domain = "sink.example"
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = l.Addr().(*net.TCPAddr).Port
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	// The listener as well: the server knows it only once it serves.
	t.Cleanup(func() { l.Close(); server.Close(); <-done })
	return s
}

// Sent returns what was taken so far.
func (s *Sink) Sent() []Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Sent(nil), s.sent...)
}

type sinkSession struct {
	sink *Sink
	to   []string
}

func (c *sinkSession) Mail(string, *smtp.MailOptions) error { return nil }

func (c *sinkSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "gone") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	c.to = append(c.to, to)
	return nil
}

func (c *sinkSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	c.sink.mu.Lock()
	defer c.sink.mu.Unlock()
	c.sink.sent = append(c.sink.sent, Sent{To: c.to, Data: b})
	return nil
}

func (c *sinkSession) Reset()        { c.to = nil }
func (c *sinkSession) Logout() error { return nil }
