package mailbox

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-smtp"

	"leadgate/channels"
	"leadgate/channels/channeltest"
)

func TestChannelByIMAP(t *testing.T) {
	for name, caps := range map[string][]imap.Cap{
		"with MOVE":           {imap.CapMove, imap.CapUIDPlus, imap.CapIdle},
		"with UIDPLUS":        {imap.CapUIDPlus, imap.CapIdle},
		"with neither":        {imap.CapIdle},
		"with MOVE, no IDLE":  {imap.CapMove},
		"with nothing at all": nil,
	} {
		t.Run(name, func(t *testing.T) {
			channeltest.Run(t, func(t *testing.T) channeltest.Wire { return newIMAPWire(t, caps...) })
		})
	}
}

func TestChannelByDirectDelivery(t *testing.T) {
	for _, p := range []Protocol{ProtocolSMTP, ProtocolLMTP} {
		t.Run(string(p), func(t *testing.T) {
			channeltest.Run(t, func(t *testing.T) channeltest.Wire { return newDirectWire(t, p) })
		})
	}
}

// ends is what both wires have in common.
type ends struct {
	box     *Mailbox
	answers *smtpSink
}

func (e *ends) Channel() channels.Channel          { return e.box }
func (e *ends) Sent(*testing.T) []channeltest.Sent { return e.answers.all() }
func (*ends) Lead(n int, subject string) []byte    { return leadMail(n, subject) }
func (*ends) Robot(n int) []byte                   { return robotMail(n) }
func (*ends) Unreadable(n int) []byte              { return unreadableMail(n) }

// imapWire is a mailbox that fetches from a server in memory, through a proxy.
type imapWire struct {
	ends
	server *imapServer
	proxy  *proxy
}

func newIMAPWire(t *testing.T, caps ...imap.Cap) *imapWire {
	w := &imapWire{server: newIMAPServer(t, caps...)}
	w.proxy = newProxy(t, w.server.addr, nil)
	w.answers = newSMTPSink(t)
	cfg := imapConfig(w.proxy.addr)
	w.box, _ = newTestMailbox(t, Config{IMAP: cfg, SMTP: w.answers.config()})
	quick(w.box)
	w.box.imap.cfg.Poll = w.box.imap.times.retry
	return w
}

func (w *imapWire) Deliver(t *testing.T, message []byte) { w.server.append(t, message) }
func (w *imapWire) Retry(*testing.T)                     {}
func (w *imapWire) Silence(*testing.T)                   { close(w.proxy.stall) }

func (w *imapWire) Unacknowledged(t *testing.T) int {
	return w.server.count(t, "INBOX") - w.server.marked(t)
}

// marked returns how many messages of the inbox are marked as dealt with.
func (s *imapServer) marked(t *testing.T) int {
	t.Helper()
	c := dialIMAP(t, s.addr)
	defer c.Close()
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	data, err := c.UIDSearch(&imap.SearchCriteria{Flag: []imap.Flag{keywordDone}}, nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	return len(data.AllUIDs())
}

// directWire is a mailbox that a mail server with a queue delivers to.
type directWire struct {
	ends
	protocol Protocol
	mu       sync.Mutex
	queue    [][]byte
}

func newDirectWire(t *testing.T, p Protocol) *directWire {
	w := &directWire{protocol: p}
	w.answers = newSMTPSink(t)
	w.box, _ = newTestMailbox(t, Config{Direct: &Direct{Listen: "127.0.0.1:0", Protocol: p}, SMTP: w.answers.config()})
	if err := w.box.Listen(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *directWire) Deliver(t *testing.T, message []byte) {
	w.mu.Lock()
	w.queue = append(w.queue, message)
	w.mu.Unlock()
	w.attempt(t, message)
}

func (w *directWire) Retry(t *testing.T) {
	w.mu.Lock()
	queue := append([][]byte(nil), w.queue...)
	w.mu.Unlock()
	for _, message := range queue {
		w.attempt(t, message)
	}
}

func (w *directWire) attempt(t *testing.T, message []byte) {
	reply, err := deliver(w.box.Addrs()[0], w.protocol, "bounces@partner.example", []string{testAddress}, message)
	if err != nil {
		var status *smtp.SMTPError
		if !errors.As(err, &status) || !status.Temporary() {
			t.Errorf("refused for good: %v", err)
		}
		return
	}
	if !strings.Contains(reply, "accepted") {
		t.Errorf("reply %q", reply)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.queue {
		if bytes.Equal(w.queue[i], message) {
			w.queue = append(w.queue[:i], w.queue[i+1:]...)
			break
		}
	}
}

func (w *directWire) Unacknowledged(*testing.T) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.queue)
}

// Silence opens connections that say nothing, and one that stops in the middle of a text.
func (w *directWire) Silence(t *testing.T) {
	for _, say := range []string{"", "HELO"} {
		c, err := net.Dial("tcp", w.box.Addrs()[0])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if say == "" {
			continue
		}
		client := smtp.NewClient(c)
		if w.protocol == ProtocolLMTP {
			client = smtp.NewClientLMTP(c)
		}
		if err := client.Mail("a@partner.example", nil); err != nil {
			t.Fatal(err)
		}
		if err := client.Rcpt(testAddress, nil); err != nil {
			t.Fatal(err)
		}
		data, err := client.Data()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := data.Write(leadMail(9, "half")[:50]); err != nil {
			t.Fatal(err)
		}
	}
}

// deliver is one delivery by a mail server; it returns the words of the acknowledgement.
func deliver(addr string, p Protocol, from string, to []string, message []byte) (string, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	c := smtp.NewClient(conn)
	if p == ProtocolLMTP {
		c = smtp.NewClientLMTP(conn)
	}
	if err := c.Mail(from, nil); err != nil {
		return "", err
	}
	for _, rcpt := range to {
		if err := c.Rcpt(rcpt, nil); err != nil {
			return "", err
		}
	}
	w, err := c.Data()
	if err != nil {
		return "", err
	}
	if _, err := w.Write(message); err != nil {
		return "", err
	}
	if p == ProtocolLMTP {
		status, err := w.CloseWithLMTPResponse()
		if err != nil {
			var each smtp.LMTPDataError
			if errors.As(err, &each) {
				return "", each[to[0]]
			}
			return "", err
		}
		return status[to[0]].StatusText, nil
	}
	status, err := w.CloseWithResponse()
	if err != nil {
		return "", err
	}
	return status.StatusText, nil
}
