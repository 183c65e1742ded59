package mailbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"leadgate/channels/oauth"
)

// keywordDone marks a message that was dealt with and could not be moved.
const keywordDone imap.Flag = "$LeadgateDone"

// account is an IMAP account and how to get into it.
type account struct {
	cfg   IMAP
	times imapTimes
	roots *x509.CertPool
	// tokens are what we log in with; by password if nil.
	tokens *oauth.Source
	// heard, if not nil, is called whenever the server has said something of use.
	heard func()
}

// session is one IMAP connection. Its methods are called by one goroutine. Each command
// runs under a watchdog that closes the connection; what a closed connection returns is
// never taken for an answer.
type session struct {
	account
	client *imapclient.Client
	conn   net.Conn
	caps   imap.CapSet
	// keeps says that the folder keeps our keyword after we are gone.
	keeps bool
	// wake gets a value when the server says that the folder changed. It has one slot: the
	// handler runs on the goroutine that reads from the server and must not wait.
	wake   chan struct{}
	closed atomic.Bool
	stop   func() bool // ends the watch on the context
}

var errClosed = errors.New("connection closed by the watchdog")

// connect dials, protects the connection and logs in. If the server refuses our token, that
// is done once more with a new one.
func (a account) connect(ctx context.Context) (*session, error) {
	s, err := a.attempt(ctx)
	var refused *tokenRefused
	if !errors.As(err, &refused) {
		return s, err
	}
	a.tokens.Reject(refused.access)
	s, err = a.attempt(ctx)
	if errors.As(err, &refused) {
		a.tokens.Reject(refused.access)
	}
	return s, err
}

func (a account) attempt(ctx context.Context) (*session, error) {
	addr := net.JoinHostPort(a.cfg.Host, strconv.Itoa(a.cfg.Port))
	conn, err := dial(ctx, addr, a.times.command)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	s := &session{account: a, conn: conn, wake: make(chan struct{}, 1)}
	s.stop = context.AfterFunc(ctx, s.kill)
	if err := s.greet(); err != nil {
		s.close()
		return nil, fmt.Errorf("connect to %s: %w", addr, err)
	}
	if err := s.login(ctx); err != nil {
		s.close()
		return nil, fmt.Errorf("log in at %s: %w", addr, err)
	}
	return s, nil
}

// dial connects. A peer that is gone without a word is noticed after a minute and a half,
// if nothing between us answers in its place.
func dial(ctx context.Context, addr string, limit time.Duration) (net.Conn, error) {
	dialer := net.Dialer{
		Timeout:         limit,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 15 * time.Second, Count: 4},
	}
	return dialer.DialContext(ctx, "tcp", addr)
}

// greet starts TLS, if it is wanted, and reads the greeting.
func (s *session) greet() error {
	opts := &imapclient.Options{
		TLSConfig: &tls.Config{ServerName: s.cfg.Host, RootCAs: s.roots, MinVersion: tls.VersionTLS12},
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{
			Mailbox: func(data *imapclient.UnilateralDataMailbox) {
				if data.NumMessages != nil {
					select {
					case s.wake <- struct{}{}:
					default:
					}
				}
			},
		},
	}
	return s.within(s.times.login, "greeting", func() error {
		switch s.cfg.TLS {
		case TLSStart:
			client, err := imapclient.NewStartTLS(s.conn, opts)
			if err != nil {
				return explainTLS(err, "imap", s.cfg.Host)
			}
			s.client = client
		case TLSNone:
			s.client = imapclient.New(s.conn, opts)
		default:
			secure := tls.Client(s.conn, opts.TLSConfig)
			if err := secure.Handshake(); err != nil {
				return explainTLS(err, "imap", s.cfg.Host)
			}
			s.client = imapclient.New(secure, opts)
		}
		return s.client.WaitGreeting()
	})
}

// within runs one command. If it takes longer than d the connection is closed, which ends
// it. A panic of the library is an error of the connection.
func (s *session) within(d time.Duration, name string, command func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.kill()
			err = fmt.Errorf("%s: the IMAP library gave up: %v", name, r)
		}
	}()
	if s.closed.Load() {
		return fmt.Errorf("%s: %w", name, errClosed)
	}
	watchdog := time.AfterFunc(d, s.kill)
	defer watchdog.Stop()
	err = command()
	if s.closed.Load() {
		err = errors.Join(errClosed, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	s.hear()
	return nil
}

func (s *session) hear() {
	if s.heard != nil {
		s.heard()
	}
}

// kill closes the connection at once. It may be called from any goroutine.
func (s *session) kill() {
	s.closed.Store(true)
	s.conn.Close()
}

// dead reports whether the connection can't be used any more.
func (s *session) dead() bool {
	if s.closed.Load() {
		return true
	}
	select {
	case <-s.client.Closed():
		return true
	default:
		return false
	}
}

// close ends the session and waits for the library's reader.
func (s *session) close() {
	s.stop()
	s.kill()
	if s.client != nil {
		s.client.Close()
	}
}

// create makes a folder. An error is not looked at: mostly the folder exists.
func (s *session) create(folder string) {
	s.within(s.times.command, "create folder", func() error { return s.client.Create(folder, nil).Wait() })
}

// selectFolder opens a folder and returns its UIDVALIDITY.
func (s *session) selectFolder(folder string) (uint32, error) {
	var validity uint32
	err := s.within(s.times.command, "select folder", func() error {
		data, err := s.client.Select(folder, nil).Wait()
		if err == nil {
			validity = data.UIDValidity
			s.keeps = slices.Contains(data.PermanentFlags, imap.FlagWildcard) || slices.Contains(data.PermanentFlags, keywordDone)
		}
		return err
	})
	return validity, err
}

// search returns the UIDs of messages that are still to be dealt with: not marked, and not
// deleted by a person. With larger > 0 only those of more bytes than that.
func (s *session) search(larger int64) ([]imap.UID, error) {
	criteria := &imap.SearchCriteria{NotFlag: []imap.Flag{keywordDone, imap.FlagDeleted}, Larger: larger}
	var uids []imap.UID
	err := s.within(s.times.command, "search", func() error {
		data, err := s.client.UIDSearch(criteria, nil).Wait()
		if err == nil {
			uids = data.AllUIDs()
		}
		return err
	})
	return uids, err
}

// waitForMail returns when the folder may have changed: the server pushed something, or
// enough time went by. Pushing is a mere wake-up; some servers never do.
func (s *session) waitForMail(ctx context.Context, idleFor, poll time.Duration) error {
	if !s.caps.Has(imap.CapIdle) {
		return s.sleep(ctx, poll)
	}
	var idle *imapclient.IdleCommand
	err := s.within(s.times.command, "idle", func() (err error) {
		idle, err = s.client.Idle()
		return err
	})
	if err != nil {
		return err
	}
	waitErr := s.sleep(ctx, idleFor)
	if waitErr != nil {
		return waitErr
	}
	return s.within(s.times.command, "end idle", func() error {
		if err := idle.Close(); err != nil {
			return err
		}
		return idle.Wait()
	})
}

// sleep waits for a wake-up, for d at most.
func (s *session) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		s.kill()
		return ctx.Err()
	case <-s.client.Closed():
		return errors.New("the server closed the connection")
	case <-s.wake:
	case <-timer.C:
	}
	return nil
}

// move files a message. It reports false without an error if the server can't: it has
// neither MOVE nor UIDPLUS. The library's own way without MOVE is never used: it deletes
// the message even if the copy failed, and expunges what other programs have deleted.
func (s *session) move(uid imap.UID, folder string) (bool, error) {
	set := imap.UIDSetNum(uid)
	switch {
	case s.caps.Has(imap.CapMove) && s.client.Caps().Has(imap.CapMove):
		err := s.again(folder, func() error {
			return s.within(s.times.command, "move", func() error {
				_, err := s.client.Move(set, folder).Wait()
				return err
			})
		})
		return err == nil, err
	case s.caps.Has(imap.CapUIDPlus):
		err := s.again(folder, func() error {
			return s.within(s.times.command, "copy", func() error {
				_, err := s.client.Copy(set, folder).Wait()
				return err
			})
		})
		if err != nil {
			return false, err
		}
		if err := s.store(uid, imap.FlagDeleted); err != nil {
			return false, err
		}
		err = s.within(s.times.command, "expunge", func() error { return s.client.UIDExpunge(set).Close() })
		return err == nil, err
	}
	return false, nil
}

// again tries a command once more after creating the folder, if the server says that this
// would help (TRYCREATE of RFC 3501, section 7.1).
func (s *session) again(folder string, command func() error) error {
	err := command()
	var status *imap.Error
	if errors.As(err, &status) && status.Code == imap.ResponseCodeTryCreate {
		s.create(folder)
		return command()
	}
	return err
}

// mark sets the keyword of messages that were dealt with.
func (s *session) mark(uid imap.UID) error { return s.store(uid, keywordDone) }

func (s *session) store(uid imap.UID, flag imap.Flag) error {
	return s.within(s.times.command, "store flag", func() error {
		return s.client.Store(imap.UIDSetNum(uid), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Silent: true, Flags: []imap.Flag{flag}}, nil).Close()
	})
}
