package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/emersion/go-imap/v2"
)

// maxCopies is how many answers may wait to be copied. More are not copied.
const maxCopies = 100

// copies hands mails over and keeps a copy of each in a folder of the IMAP account, as mail
// programs do. The copy is a courtesy: the answer neither waits for it nor fails with it,
// and copies that wait at the end of the program are not made.
type copies struct {
	transport
	folder  string
	account func() account
	queue   chan outgoing
	log     *slog.Logger
}

func newCopies(inner transport, folder string, in func() account, log *slog.Logger) *copies {
	return &copies{transport: inner, folder: folder, account: in, queue: make(chan outgoing, maxCopies), log: log}
}

func (c *copies) send(ctx context.Context, o outgoing) error {
	if err := c.transport.send(ctx, o); err != nil {
		return err
	}
	select {
	case c.queue <- o:
	default:
		c.lost(o, errors.New("too many answers wait to be copied"))
	}
	return nil
}

// run makes the copies until ctx is done.
func (c *copies) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case o := <-c.queue:
			c.store(ctx, o)
		}
	}
}

// store copies one mail, and those that wait behind it, over one connection.
func (c *copies) store(ctx context.Context, o outgoing) {
	s, err := c.account().connect(ctx)
	if err != nil {
		c.lost(o, err)
		return
	}
	defer s.close()
	for {
		if err := s.appendTo(c.folder, o.data); err != nil {
			c.lost(o, err)
			if s.dead() {
				return
			}
		}
		select {
		case o = <-c.queue:
		default:
			return
		}
	}
}

func (c *copies) lost(o outgoing, err error) {
	c.log.Warn("the answer was sent, but no copy of it is kept", "message", o.id, "folder", c.folder, "err", err)
}

// appendTo puts a message into a folder, as read.
func (s *session) appendTo(folder string, message []byte) error {
	return s.again(folder, func() error {
		return s.within(s.times.command, fmt.Sprintf("append to folder %q", folder), func() error {
			cmd := s.client.Append(folder, int64(len(message)), &imap.AppendOptions{Flags: []imap.Flag{imap.FlagSeen}})
			// If the server refuses, the command ends before all is written. Its answer says why.
			_, writeErr := bytes.NewReader(message).WriteTo(cmd)
			closeErr := cmd.Close()
			if _, err := cmd.Wait(); err != nil {
				return err
			}
			return errors.Join(writeErr, closeErr)
		})
	})
}
