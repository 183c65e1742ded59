package mailbox

import (
	"bytes"
	"context"
	"net"
	"sync/atomic"
	"testing"

	"leadgate/channels/channeltest"
	"leadgate/intake"
)

// committing is a sink that does something between the commit and our next word to the
// server.
type committing struct {
	intake.Sink
	after func()
}

func (c *committing) Accept(ctx context.Context, s intake.Submission) (intake.Receipt, error) {
	r, err := c.Sink.Accept(ctx, s)
	if err == nil {
		c.after()
	}
	return r, err
}

// reset ends every connection through the proxy with a reset.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.SetLinger(0)
		}
		c.Close()
	}
}

// The process ends after the commit, and the connection is reset before the message was
// moved: the next process finds it in the inbox, knows it and does not answer it again.
func TestAResetBetweenCommitAndFilingMakesNoSecondCaseAfterARestart(t *testing.T) {
	for name, moved := range map[string]bool{"before the server has moved it": false, "after the server has moved it": true} {
		t.Run(name, func(t *testing.T) {
			server := newIMAPServer(t, allCaps...)
			server.append(t, leadMail(1, "lead"))
			ctx, end := context.WithCancel(t.Context())
			defer end()
			var committed atomic.Bool
			p := newProxy(t, server.addr, func(_ int, b []byte) ([]byte, bool) {
				if committed.Load() && bytes.Contains(b, []byte("COPYUID")) {
					end()
					return nil, false
				}
				return b, true
			})
			sink, out := channeltest.NewSink(), newSMTPSink(t)
			first, _ := newTestMailbox(t, Config{IMAP: imapConfig(p.addr), SMTP: out.config()})
			quick(first)
			before := &answering{Sink: sink, t: t, box: first}
			err := first.Run(ctx, &committing{before, func() {
				committed.Store(true)
				if !moved {
					end()
					p.reset()
				}
			}})
			before.wg.Wait()
			if err != nil {
				t.Fatal(err)
			}
			if left := server.count(t, "INBOX"); moved != (left == 0) {
				t.Fatalf("%d messages are in the inbox", left)
			}
			second, _ := newTestMailbox(t, Config{IMAP: imapConfig(server.addr), SMTP: out.config()})
			r := &running{box: second, server: server, sink: sink, ctx: t.Context()}
			after := &answering{Sink: sink, t: t, box: second}
			runBox(t, second, after)
			r.filed(t, 1, 0, 0)
			after.wg.Wait()
			if s := sink.State(); len(s.Accepted) != 1 || len(s.Asides) != 0 || len(out.all()) != 1 {
				t.Errorf("%d accepted, %d aside, %d answers", len(s.Accepted), len(s.Asides), len(out.all()))
			}
		})
	}
}

// A folder that was made anew counts from one again: what we know of a number is not about
// the message that has it now.
func TestANumberThatIsUsedAgainIsAnotherMessage(t *testing.T) {
	server := newIMAPServer(t, allCaps...)
	p := newProxy(t, server.addr, nil)
	server.append(t, leadMail(1, "first"))
	r := runIMAP(t, server, p.addr, nil)
	r.filed(t, 1, 0, 0)
	if err := server.user.Delete("INBOX"); err != nil {
		t.Fatal(err)
	}
	if err := server.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	server.append(t, leadMail(2, "second"))
	p.reset()
	s := r.wait(t, func(s channeltest.State) bool { return len(s.Accepted) == 2 })
	r.filed(t, 2, 0, 0)
	if s.Accepted[0].Key == s.Accepted[1].Key {
		t.Errorf("both have the key %s", s.Accepted[0].Key)
	}
}
