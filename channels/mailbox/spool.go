package mailbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// spool is a message, or what was got of it, in a file that lives as long as it is dealt
// with.
type spool struct {
	file *os.File
	// size is what the server says, of the whole message.
	size     int64
	received time.Time
}

const spoolPrefix = "leadgate-mail-"

// CleanSpool removes what a process that was killed has left in a Deps.SpoolDir, and returns
// how many files. No mailbox may run on the directory.
func CleanSpool(dir string) (removed int, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("clean spool: %w", err)
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), spoolPrefix) || !f.Type().IsRegular() {
			continue
		}
		if e := os.Remove(filepath.Join(dir, f.Name())); e != nil {
			err = errors.Join(err, fmt.Errorf("clean spool: %w", e))
			continue
		}
		removed++
	}
	return removed, err
}

func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, spoolPrefix+"*")
	if err != nil {
		return nil, fmt.Errorf("spool message: %w", err)
	}
	return &spool{file: f}, nil
}

func (s *spool) rewind() error {
	_, err := s.file.Seek(0, io.SeekStart)
	return err
}

// remove deletes the file. A nil spool has none.
func (s *spool) remove() {
	if s == nil {
		return
	}
	s.file.Close()
	os.Remove(s.file.Name())
}

// partOfLarge is how much is read of a message that is too large.
const partOfLarge = 256 << 10

// fetch streams one message into a spool file, or its beginning if it is known to be larger
// than limit. It returns nil and no error if there is no such message any more. With an error it returns what was
// got, nothing if it is a *sinkError; the session is of no use then.
//
// A message counts as fetched only if as many bytes came as the server announced and the
// server then said OK: a connection that is lost in the middle looks to the library like a
// short message.
func (s *session) fetch(uid imap.UID, large bool, limit int64, dir string) (*spool, error) {
	section := &imap.FetchItemBodySection{Peek: true}
	if large {
		limit = min(limit, partOfLarge)
		section.Partial = &imap.SectionPartial{Size: limit}
	}
	got, err := newSpool(dir)
	if err != nil {
		return nil, &sinkError{err}
	}
	f := fetch{uid: uid, section: section, into: got, limit: limit}
	err = s.within(s.times.fetch, fmt.Sprintf("fetch uid %d", uid), func() error { return s.run(&f) })
	if err == nil && !f.seen {
		got.remove()
		return nil, nil
	}
	if err == nil && !f.body {
		err = fmt.Errorf("fetch uid %d: the server sent no body", uid)
	}
	if err != nil {
		s.kill()
	}
	var disk *sinkError
	if errors.As(err, &disk) {
		got.remove()
		return nil, err
	}
	return got, err
}

// fetch is one FETCH command and what came of it.
type fetch struct {
	uid     imap.UID
	section *imap.FetchItemBodySection
	into    *spool
	limit   int64 // bytes that are taken
	seen    bool  // the message is there
	body    bool  // it came as a whole
}

var (
	errShort = errors.New("the message broke off")
	// errLonger is about a server that has told a smaller size before.
	errLonger = errors.New("more comes than was asked for")
)

// run sends the command and reads what comes. As long as something comes the watchdog on
// progress is held off. After an error the library is not to be touched any more: its
// reader and ours would both read from the connection.
func (s *session) run(f *fetch) error {
	alive := time.AfterFunc(s.times.progress, s.kill)
	defer alive.Stop()
	cmd := s.client.Fetch(imap.UIDSetNum(f.uid), &imap.FetchOptions{
		UID: true, Flags: true, InternalDate: true, RFC822Size: true,
		BodySection: []*imap.FetchItemBodySection{f.section},
	})
	for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
		f.seen = true
		for item := msg.Next(); item != nil; item = msg.Next() {
			switch item := item.(type) {
			case imapclient.FetchItemDataInternalDate:
				f.into.received = item.Time
			case imapclient.FetchItemDataRFC822Size:
				f.into.size = item.Size
			case imapclient.FetchItemDataBodySection:
				if item.Literal == nil {
					continue
				}
				if item.Literal.Size() > f.limit {
					s.kill()
					io.Copy(io.Discard, item.Literal) // what is under way
					return errLonger
				}
				body := &watched{item.Literal, func() { alive.Reset(s.times.progress); s.hear() }}
				if err := s.copyBody(f, body, item.Literal.Size()); err != nil {
					return err
				}
			}
		}
	}
	return cmd.Close()
}

// copyBody writes a literal to the spool file. It reads to its end whatever happens: the
// library waits for that.
func (s *session) copyBody(f *fetch, body io.Reader, size int64) error {
	disk := &diskWriter{w: f.into.file}
	n, err := io.Copy(disk, body)
	switch {
	case disk.err != nil:
		s.kill()
		io.Copy(io.Discard, body)
		return &sinkError{fmt.Errorf("spool message: %w", disk.err)}
	case err != nil:
		return err
	case n != size || s.closed.Load():
		return errShort
	}
	f.body = true
	return nil
}

// diskWriter remembers its own errors, to tell a full disk from a lost connection.
type diskWriter struct {
	w   io.Writer
	err error
}

func (d *diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	if err != nil {
		d.err = err
	}
	return n, err
}

// watched calls progress whenever something was read.
type watched struct {
	r        io.Reader
	progress func()
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if n > 0 {
		w.progress()
	}
	return n, err
}
