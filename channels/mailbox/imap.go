package mailbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"

	"leadgate/intake"
)

// fetcher takes mail in from an IMAP account (RFC 9051, RFC 3501). One goroutine owns one
// connection; after any fault the connection is thrown away and a new one is made.
type fetcher struct {
	m     *Mailbox
	cfg   IMAP
	times imapTimes
	// blame counts per UID how often fetching it failed, and stored holds the UIDs that are
	// stored and not yet filed. Both hold for one UIDVALIDITY.
	validity uint32
	blame    map[imap.UID]int
	stored   map[imap.UID]place

	mu    sync.Mutex
	state Health
}

// imapTimes are how long the fetcher waits. Every command has an end: the library has no
// time-out of its own, so that a silent server would hold it for ever.
type imapTimes struct {
	command, login time.Duration
	// fetch is how long fetching a message may take in all, progress how long it may stand
	// still.
	fetch, progress time.Duration
	// idle is after how long the folder is looked at even if nothing was pushed.
	idle time.Duration
	// retry is the same while the store refuses a message.
	retry               time.Duration
	backoff, maxBackoff time.Duration
}

func defaultIMAPTimes() imapTimes {
	return imapTimes{
		command: 30 * time.Second, login: time.Minute, fetch: 10 * time.Minute, progress: 30 * time.Second,
		idle: 5 * time.Minute, retry: 30 * time.Second, backoff: time.Second, maxBackoff: 5 * time.Minute,
	}
}

// place is where a message is filed.
type place int

const (
	placeProcessed place = iota
	placeAside
	placeHere // it stays in the folder, marked
)

const (
	// maxBlame is how often fetching a UID may fail before it is set aside.
	maxBlame = 3
	// maxSinkErrors in a row end a drain: the store is down, not a message bad.
	maxSinkErrors = 3
)

func newFetcher(m *Mailbox, cfg IMAP) *fetcher {
	return &fetcher{m: m, cfg: cfg, times: defaultIMAPTimes(), blame: make(map[imap.UID]int), stored: make(map[imap.UID]place)}
}

// run keeps a session going until ctx is done.
func (f *fetcher) run(ctx context.Context, sink intake.Sink) error {
	wait := f.times.backoff
	for {
		worked, err := f.session(ctx, sink)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if worked {
			wait = f.times.backoff
		}
		f.failed(err)
		pause := wait/2 + rand.N(wait/2+1) // jitter, so that many do not come back at once
		f.m.deps.Log.Warn("connection lost", "err", err, "retry_in", pause.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		wait = min(2*wait, f.times.maxBackoff)
	}
}

// session connects and takes mail in until something fails. worked says that the folder
// was gone through at least once.
func (f *fetcher) session(ctx context.Context, sink intake.Sink) (worked bool, err error) {
	s, err := f.connect(ctx)
	if err != nil {
		return false, err
	}
	defer s.close()
	if err := f.open(s); err != nil {
		return false, err
	}
	for {
		refused, err := f.drain(ctx, s, sink)
		if err != nil {
			return worked, err
		}
		worked = true
		pause, poll := f.times.idle, f.cfg.Poll
		if refused != nil {
			f.failed(refused)
			f.m.deps.Log.Warn("message not stored; it stays where it is", "err", refused)
			pause, poll = min(pause, f.times.retry), min(poll, f.times.retry)
		} else {
			f.succeeded()
		}
		if err := s.waitForMail(ctx, pause, poll); err != nil {
			return worked, err
		}
	}
}

// open creates the folders that mail is filed in and selects the one that is read.
func (f *fetcher) open(s *session) error {
	for _, folder := range []string{f.cfg.ProcessedFolder, f.cfg.AsideFolder} {
		s.create(folder) // it exists, or filing will say what is wrong
	}
	validity, err := s.selectFolder(f.cfg.Folder)
	if err != nil {
		return err
	}
	if validity != f.validity { // other messages may bear the same UIDs now
		clear(f.blame)
		clear(f.stored)
		f.validity = validity
	}
	return nil
}

// drain deals with every message in the folder. refused is the reason why messages that
// were fetched could not be stored; they stay and are tried again. err says that the
// connection is of no use any more, or that the store takes nothing at all.
//
// Each message is filed as soon as it is stored, unless filing was cut short before: a
// server that hangs there must not keep the other messages from being stored.
func (f *fetcher) drain(ctx context.Context, s *session, sink intake.Sink) (refused, err error) {
	todo, err := s.search(0)
	if err != nil {
		return nil, err
	}
	large, err := s.search(f.m.cfg.MaxSize)
	if err != nil {
		return nil, err
	}
	slices.Sort(todo)
	slices.SortStableFunc(todo, func(a, b imap.UID) int { return f.blame[a] - f.blame[b] })
	behind := len(f.stored) > 0
	inARow := 0
	for _, uid := range todo {
		if _, ok := f.stored[uid]; ok {
			continue
		}
		err := f.take(ctx, s, sink, uid, slices.Contains(large, uid))
		if err == nil && !behind {
			err = f.file(s, uid)
		}
		var sinkErr *sinkError
		switch {
		case err == nil:
			inARow = 0
		case s.dead() || !errors.As(err, &sinkErr) || inARow+1 == maxSinkErrors:
			return nil, err
		default:
			refused = err
			inARow++
		}
	}
	for _, uid := range todo {
		if err := f.file(s, uid); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// sinkError says that a message was fetched but not stored: the message stays.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

// take fetches one message and has it stored.
func (f *fetcher) take(ctx context.Context, s *session, sink intake.Sink, uid imap.UID, large bool) error {
	got, fetchErr := s.fetch(uid, large, f.m.deps.SpoolDir)
	defer func() { got.remove() }()
	var sinkErr *sinkError
	switch {
	case errors.As(fetchErr, &sinkErr):
		return fetchErr
	case fetchErr != nil:
		f.blame[uid]++
		if f.blame[uid] < maxBlame || ctx.Err() != nil {
			return fetchErr
		}
	case got == nil:
		return nil // gone in the meantime
	}
	if err := got.rewind(); err != nil {
		return &sinkError{err}
	}
	d := delivery{key: f.key(uid), receivedAt: got.received, content: got.file}
	if d.receivedAt.IsZero() {
		d.receivedAt = f.m.deps.Now()
	}
	switch {
	case fetchErr != nil:
		d.aside = verdict{intake.AsideRepeatedFailed, fmt.Sprintf("fetching it failed %d times", maxBlame)}
	case large:
		d.aside = verdict{intake.AsideTooLarge, fmt.Sprintf("%d bytes, the limit is %d; only its header was read", got.size, f.m.cfg.MaxSize)}
	}
	out, err := f.m.take(ctx, sink, d)
	if err != nil {
		return &sinkError{fmt.Errorf("uid %d: %w", uid, err)}
	}
	delete(f.blame, uid)
	switch {
	case fetchErr != nil:
		f.stored[uid] = placeHere
	case out.aside:
		f.stored[uid] = placeAside
	default:
		f.stored[uid] = placeProcessed
	}
	return fetchErr
}

func (f *fetcher) key(uid imap.UID) string {
	return fmt.Sprintf("imap:%s@%s:%s:%d:%d", f.cfg.Username, f.cfg.Host, f.cfg.Folder, f.validity, uid)
}

// file moves a message that is stored out of the folder. If the server can't or won't, the
// message is marked, and if that fails as well, remembered: it is never stored again and
// again. The error is one of the connection.
func (f *fetcher) file(s *session, uid imap.UID) error {
	where, ok := f.stored[uid]
	if !ok {
		return nil
	}
	if where != placeHere {
		folder := f.cfg.ProcessedFolder
		if where == placeAside {
			folder = f.cfg.AsideFolder
		}
		moved, err := s.move(uid, folder)
		switch {
		case moved:
			delete(f.stored, uid)
			return nil
		case err != nil && s.dead():
			return err
		case err != nil:
			f.m.deps.Log.Error("stored message can't be filed; it stays where it is, marked", "uid", uint32(uid), "folder", folder, "err", err)
		}
	}
	err := s.mark(uid)
	switch {
	case err == nil:
		delete(f.stored, uid)
	case s.dead():
		return err
	default:
		f.m.deps.Log.Error("stored message can't be marked; it is passed over until a restart", "uid", uint32(uid), "err", err)
	}
	return nil
}

func (f *fetcher) health() Health {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

func (f *fetcher) succeeded() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state = Health{LastSuccess: f.m.deps.Now()}
}

func (f *fetcher) failed(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.state.Problem = err.Error()
	}
}
