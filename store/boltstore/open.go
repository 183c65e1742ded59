package boltstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// schema is the version of the layout that this release writes. A file of a newer one is
// refused.
const schema = 1

var errNoStore = errors.New("this is no store of leadgate")

var (
	keySchema = []byte("schema")
	keyClean  = []byte("clean")
)

// Options says how to open a store. Only Path is needed.
type Options struct {
	// Path is the file. Its directory must exist and lie on a local file system.
	Path string
	// Timeout is how long to wait for a process that has the file open; 5 s if 0.
	Timeout time.Duration
	// Log gets warnings and what a person must act on; nothing is logged if it is nil.
	Log *slog.Logger
	// MaxSize is the size in bytes that the file may reach; no limit if 0.
	MaxSize int
	// InitialMmapSize is how much address space is mapped at once, 1 GiB if 0. When the
	// file outgrows it, the writer waits for all Views.
	InitialMmapSize int
	// VerifyTime is how long Open may check a file that was not closed in good order; the
	// rest is checked while the store is in use. 10 s if 0.
	VerifyTime time.Duration
	// Now dates finished tasks; time.Now if nil.
	Now func() time.Time

	// For tests: noSync leaves out fsync, openFile is how bbolt opens the file to write.
	noSync   bool
	openFile func(string, int, os.FileMode) (*os.File, error)
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	if o.InitialMmapSize == 0 {
		o.InitialMmapSize = 1 << 30
	}
	if o.VerifyTime == 0 {
		o.VerifyTime = 10 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = logger(o.Log)
	return o
}

// bolt returns the options with which bbolt opens the file to write. The list of free pages
// is not kept in the file: kept, it is rewritten with each commit, and one View that stays
// open makes the file grow by gigabytes.
func (o Options) bolt() *bolt.Options {
	return &bolt.Options{
		Timeout:         o.Timeout,
		NoFreelistSync:  true,
		PreLoadFreelist: true,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: o.InitialMmapSize,
		MaxSize:         o.MaxSize,
		NoSync:          o.noSync,
		OpenFile:        o.openFile,
	}
}

// Open opens the store at o.Path and creates it if there is none. It fails if another
// process has it open, if a newer release wrote it, or if it is damaged; the error says what
// to do. The caller closes the store.
func Open(o Options) (*Store, error) {
	o = o.withDefaults()
	if err := create(o); err != nil {
		return nil, fmt.Errorf("create %s: %w", o.Path, err)
	}
	verified, err := inspect(o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Path, err)
	}
	db, err := bolt.Open(o.Path, 0o600, o.bolt())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Path, o.explain(err))
	}
	s := &Store{
		o: o, db: db, owner: ownerPath(o.Path),
		wake: make(chan struct{}, 1), written: make(chan struct{}), verified: make(chan struct{}),
	}
	if err := s.begin(verified); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", o.Path, err), db.Close())
	}
	return s, nil
}

// begin takes possession of the open file: it names the process beside it, marks it as in
// use and starts what runs in the background.
func (s *Store) begin(verified verdict) error {
	if err := s.writeOwner(); err != nil {
		return err
	}
	if verified == leftClean {
		if err := s.db.Update(func(btx *bolt.Tx) error { return setClean(btx, false) }); err != nil {
			s.releaseOwner()
			return err
		}
	}
	var ctx context.Context
	ctx, s.verifying = context.WithCancel(context.Background())
	if verified == unfinished {
		btx, err := s.db.Begin(false)
		if err != nil {
			s.releaseOwner()
			return err
		}
		s.o.Log.Warn("the store was not closed in good order; the check goes on in the background", "path", s.o.Path)
		go s.verifyBehind(ctx, btx)
	} else {
		close(s.verified)
	}
	go s.write()
	return nil
}

// cleanVerifyTime bounds the look at a file that was closed in good order.
const cleanVerifyTime = time.Second

// verdict is what is known of a file before it is opened to write.
type verdict int

const (
	leftClean  verdict = iota // closed in good order
	intact                    // not closed in good order, and checked
	unfinished                // not closed in good order, and checked in part
)

// inspect looks at the file without changing it. bbolt itself must not meet a damaged file:
// it would end the process from a goroutine of its own.
func inspect(o Options) (v verdict, err error) {
	db, err := bolt.Open(o.Path, 0o600, &bolt.Options{ReadOnly: true, Timeout: o.Timeout})
	if err != nil {
		return 0, o.explain(err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	btx, err := db.Begin(false)
	if err != nil {
		return 0, err
	}
	defer func() { _ = btx.Rollback() }()
	clean, err := readMeta(btx)
	if errors.Is(err, errNoStore) { // or one whose first pages lead astray
		return 0, cmp.Or(verifyPages(context.Background(), btx), err)
	}
	if err != nil {
		return 0, err
	}
	limit, cut := o.VerifyTime, unfinished
	if clean { // a disk may have failed since; what can be seen quickly is looked at
		limit, cut = min(limit, cleanVerifyTime), leftClean
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	switch err := verifyPages(ctx, btx); {
	case errors.Is(err, context.DeadlineExceeded):
		return cut, nil
	case err != nil:
		return 0, err
	case clean:
		return leftClean, nil
	}
	o.Log.Info("the store was not closed in good order; it was checked and is intact", "path", o.Path)
	return intact, nil
}

// readMeta checks the version of the layout and returns whether the file was closed in good
// order. It survives a file so damaged that reading it faults.
func readMeta(btx *bolt.Tx) (clean bool, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = damaged("its first pages cannot be read: %v", p)
		}
	}()
	if info, err := os.Stat(btx.DB().Path()); err != nil {
		return false, err
	} else if info.Size() < btx.Size() {
		return false, damaged("it has %d bytes of %d", info.Size(), btx.Size())
	}
	meta := btx.Bucket([]byte(bucketNames[bucketMeta]))
	if meta == nil {
		return false, errNoStore
	}
	version, err := strconv.Atoi(string(meta.Get(keySchema)))
	switch {
	case err != nil:
		return false, damaged("it names no version")
	case version > schema:
		return false, fmt.Errorf("a newer leadgate wrote this store (layout %d, this release knows %d): run that release, or restore a backup made before the upgrade", version, schema)
	}
	for _, name := range bucketNames {
		if btx.Bucket([]byte(name)) == nil {
			return false, damaged("it has no bucket %s", name)
		}
	}
	return string(meta.Get(keyClean)) == "1", nil
}

func setClean(btx *bolt.Tx, clean bool) error {
	v := "0"
	if clean {
		v = "1"
	}
	return btx.Bucket([]byte(bucketNames[bucketMeta])).Put(keyClean, []byte(v))
}

// explain turns an error of bbolt's into words for an operator.
func (o Options) explain(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%s: %w", heldBy(o.Path), err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum):
		return damaged("%w", err)
	case errors.Is(err, berrors.ErrVersionMismatch):
		return fmt.Errorf("this is no store that this release can read: %w", err)
	}
	return err
}
