package mailbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
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
	// junk says that the folder is the one that the server puts spam into: what lies there is
	// taken in and never answered.
	junk bool
	// blame counts per UID how often fetching it failed, refused how often storing it did, large
	// holds those that turned out larger than the server had said, putOff until when those wait
	// whose sender can't be checked, and stored those that are stored and not yet filed. All
	// hold for one UIDVALIDITY.
	validity uint32
	blame    map[imap.UID]int
	refused  map[imap.UID]refusal
	large    map[imap.UID]bool
	putOff   map[imap.UID]time.Time
	stored   map[imap.UID]place
	// taken counts the messages that were stored.
	taken int

	condition condition
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
	// retry is the same while the store refuses a message, putOff for how long a message is
	// left alone whose sender can't be checked.
	retry, putOff       time.Duration
	backoff, maxBackoff time.Duration
	// settled is how long a session has to last for the back-off to begin anew.
	settled time.Duration
	// refused is how long we stay away at least from a server that does not let us in.
	refused time.Duration
}

func defaultIMAPTimes() imapTimes {
	return imapTimes{
		command: 30 * time.Second, login: time.Minute, fetch: 10 * time.Minute, progress: 30 * time.Second,
		// With the time-out of a command a connection that is dead is noticed within 4 minutes.
		idle: 3 * time.Minute, retry: 30 * time.Second, putOff: 5 * time.Minute,
		backoff: time.Second, maxBackoff: 5 * time.Minute, settled: 10 * time.Second, refused: time.Minute,
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
	// maxRefusals is how often a message may be refused while others are stored before it is
	// set aside.
	maxRefusals = 5
	// maxAgain is how many messages that were put off are tried again each time.
	maxAgain = 5
)

func newFetcher(m *Mailbox, cfg IMAP) *fetcher {
	return &fetcher{
		m: m, cfg: cfg, times: defaultIMAPTimes(), condition: condition{now: m.deps.Now},
		blame: make(map[imap.UID]int), refused: make(map[imap.UID]refusal), large: make(map[imap.UID]bool),
		putOff: make(map[imap.UID]time.Time), stored: make(map[imap.UID]place),
	}
}

// login is how to get into the account.
func (f *fetcher) login() account {
	return account{cfg: f.cfg, times: f.times, roots: f.m.deps.RootCAs, tokens: f.m.imapTokens}
}

// run keeps a session going until ctx is done.
func (f *fetcher) run(ctx context.Context, sink intake.Sink) error {
	wait := f.times.backoff
	for {
		began := time.Now()
		worked, err := f.session(ctx, sink)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if worked && time.Since(began) >= f.times.settled {
			wait = f.times.backoff
		}
		f.condition.failed(err)
		pause := f.pause(err, wait)
		f.m.deps.Log.Warn("connection lost", "folder", f.cfg.Folder, "err", err, "retry_in", pause.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		wait = min(2*wait, f.times.maxBackoff)
	}
}

// pause is how long to wait after err, with jitter, so that many do not come back at once. A
// server that does not want us is left alone for longer: it may lock the account.
func (f *fetcher) pause(err error, wait time.Duration) time.Duration {
	pause := wait/2 + rand.N(wait/2+1)
	if refusesUs(err) {
		pause = max(pause, f.times.refused+rand.N(f.times.refused/4+1))
	}
	return pause
}

// session connects and takes mail in until something fails. worked says that the folder
// was gone through at least once.
func (f *fetcher) session(ctx context.Context, sink intake.Sink) (worked bool, err error) {
	in := f.login()
	in.heard = f.condition.heard
	s, err := in.connect(ctx)
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
			f.condition.failed(refused)
			f.m.deps.Log.Warn("message not stored; it stays where it is", "err", refused)
			pause, poll = min(pause, f.times.retry), min(poll, f.times.retry)
		} else {
			f.condition.succeeded()
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
	f.condition.heard()
	validity, err := s.selectFolder(f.cfg.Folder)
	if err != nil {
		return fmt.Errorf("folder %q: %w", f.cfg.Folder, err)
	}
	if validity != f.validity { // other messages may bear the same UIDs now
		clear(f.blame)
		clear(f.refused)
		clear(f.large)
		clear(f.putOff)
		clear(f.stored)
		f.validity = validity
	}
	return nil
}

// drain deals with every message in the folder. refused is the reason why messages that
// were fetched could not be stored; they stay and are tried again. err says that the
// connection is of no use any more, or that the store takes nothing at all.
//
// Those that made no trouble before come first: however many messages the store refuses, they
// keep no other from being stored.
//
// Each message is filed as soon as it is stored, unless filing was cut short before: a
// server that hangs there must not keep the other messages from being stored.
func (f *fetcher) drain(ctx context.Context, s *session, sink intake.Sink) (refused, err error) {
	todo, err := s.search(0)
	if err != nil || len(todo) == 0 {
		return nil, err
	}
	large, err := s.search(f.m.cfg.MaxSize)
	if err != nil {
		return nil, err
	}
	slices.Sort(large)
	slices.Sort(todo)
	slices.SortStableFunc(todo, func(a, b imap.UID) int { return f.troubles(a) - f.troubles(b) })
	behind := len(f.stored) > 0
	inARow, again := 0, 0
	for _, uid := range todo {
		if _, ok := f.stored[uid]; ok || f.waits(uid, &again) {
			continue
		}
		_, big := slices.BinarySearch(large, uid)
		err := f.take(ctx, s, sink, uid, big || f.large[uid])
		if err == nil && !behind {
			err = f.file(s, uid)
		}
		var sinkErr *sinkError
		switch {
		case err == nil:
			inARow = 0
		case errors.Is(err, errNotNow):
			f.putOff[uid] = time.Now().Add(f.times.putOff)
			f.m.deps.Log.Info("message put off", "uid", uint32(uid), "err", err)
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

// troubles is how often a message could not be fetched or stored.
func (f *fetcher) troubles(uid imap.UID) int { return f.blame[uid] + f.refused[uid].times }

// refusal is how often the store did not take a message.
type refusal struct {
	times int
	// alone counts those times before which the store took another message: then it is not the
	// store that is bad. seen is fetcher.taken as it was last.
	alone, seen int
}

// again returns the refusal once more, after so many messages were stored.
func (r refusal) again(taken int) refusal {
	if r.times++; r.seen < taken {
		r.alone++
	}
	r.seen = taken
	return r
}

// waits reports whether a message was put off and is not to be tried now. Checking may take
// as long as a stranger's name server likes, so that only a few are tried again each time:
// they must not keep new mail from being read. again counts them.
func (f *fetcher) waits(uid imap.UID, again *int) bool {
	until, ok := f.putOff[uid]
	switch {
	case !ok:
		return false
	case *again == maxAgain || time.Now().Before(until):
		return true
	}
	*again++
	return false
}

// sinkError says that a message was fetched but not stored: the message stays.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }
func (e *sinkError) Unwrap() error { return e.err }

// take fetches one message and has it stored.
func (f *fetcher) take(ctx context.Context, s *session, sink intake.Sink, uid imap.UID, large bool) error {
	got, fetchErr := s.fetch(uid, large, f.m.cfg.MaxSize, f.m.deps.SpoolDir)
	defer func() { got.remove() }()
	var sinkErr *sinkError
	switch {
	case errors.As(fetchErr, &sinkErr):
		return fetchErr
	case errors.Is(fetchErr, errLonger) && !large:
		f.large[uid] = true // it is known now
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
	d := delivery{key: f.key(uid), receivedAt: got.received, content: got.file, junk: f.junk}
	if d.receivedAt.IsZero() {
		d.receivedAt = f.m.deps.Now()
	}
	switch {
	case fetchErr != nil:
		d.aside = verdict{intake.AsideRepeatedFailed, fmt.Sprintf("fetching it failed %d times", maxBlame)}
	case f.refused[uid].alone >= maxRefusals:
		d.aside = verdict{intake.AsideRepeatedFailed, fmt.Sprintf("storing it failed %d times, while others were stored", maxRefusals)}
	case large:
		d.aside = verdict{intake.AsideTooLarge, fmt.Sprintf("%d bytes, the limit is %d; only its beginning was read", got.size, f.m.cfg.MaxSize)}
	}
	out, err := f.m.take(ctx, sink, d)
	if err != nil {
		if !errors.Is(err, errNotNow) && ctx.Err() == nil {
			f.refused[uid] = f.refused[uid].again(f.taken)
		}
		return &sinkError{fmt.Errorf("uid %d: %w", uid, err)}
	}
	f.taken++
	delete(f.blame, uid)
	delete(f.refused, uid)
	delete(f.large, uid)
	delete(f.putOff, uid)
	switch {
	case fetchErr != nil, f.junk && s.keeps:
		f.stored[uid] = placeHere
	case out.aside, f.junk:
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
			f.condition.unfiled(nil)
			return nil
		case err != nil && s.dead():
			return err
		case err != nil:
			f.cannotFile(uid, folder, err)
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

// cannotFile tells a person, once until filing works again: a full account refuses every
// message.
func (f *fetcher) cannotFile(uid imap.UID, folder string, err error) {
	level := slog.LevelError
	if f.condition.unfiled(fmt.Errorf("stored messages can't be filed in %q and stay where they are, marked: %w", folder, err)) {
		level = slog.LevelInfo
	}
	f.m.deps.Log.Log(context.Background(), level, "stored message can't be filed; it stays where it is, marked", "uid", uint32(uid), "folder", folder, "err", err)
}
