package csvdrop

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"leadgate/intake"
)

// FolderConfig says which folder is watched.
type FolderConfig struct {
	// Path is a directory with a directory of each partner in it, by the partner's id, code
	// or domain; "" for none.
	Path string `yaml:"path"`
	// Every is how often it is looked at; 5s if zero.
	Every time.Duration `yaml:"every"`
	// Settle is for how long a file must not have changed to be whole; 10s if zero.
	Settle time.Duration `yaml:"settle"`
}

const (
	defaultEvery  = 5 * time.Second
	defaultSettle = 10 * time.Second
	shortestEvery = time.Second
)

// Validate returns all that is wrong, each with its key.
func (c FolderConfig) Validate() error {
	var errs []error
	if c.Path == "" && (c.Every != 0 || c.Settle != 0) {
		errs = append(errs, errors.New("path: is missing: the directory that is watched"))
	}
	if c.Every != 0 && c.Every < shortestEvery {
		errs = append(errs, fmt.Errorf("every: %s: want %s or more", c.Every, shortestEvery))
	}
	if c.Settle < 0 {
		errs = append(errs, fmt.Errorf("settle: %s: want a time like %s", c.Settle, defaultSettle))
	}
	return errors.Join(errs...)
}

// The directories in that of a partner. A file that is taken in moves from the partner's directory
// to takenDir, and with its result to doneDir; one that can't be read moves to failedDir.
const (
	takenDir  = "taken"
	doneDir   = "done"
	failedDir = "failed"
)

// Folder takes in the files that are laid into the directories of partners, as an SFTP server or
// a shared drive does. A file leaves a partner's own directory only once it is kept. What is done
// with a file is found out from where it lies and from what it says, so that it goes on whenever
// the process was killed. Run it in one process.
type Folder struct {
	cfg  FolderConfig
	deps FolderDeps

	// Of the one goroutine that runs.
	sights map[string]sight // by directory and file
	ids    map[string]sight // the imports of files in takenDir
	warned map[string]bool
	mended map[string]bool // directories whose halfway moves were ended
	step   func(string)    // for tests: called between two steps

	mu      sync.Mutex
	trouble []Trouble
	looked  time.Time
}

// FolderDeps are what a Folder is made with.
type FolderDeps struct {
	Drop *Drop
	// Mail is the channel through which contacts of partners are told; "" for none.
	Mail string
	Now  func() time.Time // time.Now if nil
	Log  *slog.Logger     // discarded if nil
}

// Trouble is what is wrong with a folder.
type Trouble struct {
	// Path is within the folder; "" for all of it.
	Path    string
	Problem string
}

func (t Trouble) String() string {
	if t.Path == "" {
		return t.Problem
	}
	return t.Path + ": " + t.Problem
}

// sight is how a file was seen.
type sight struct {
	size  int64
	mtime time.Time
	since time.Time
	id    string // of its import
}

func (s sight) same(info fs.FileInfo) bool {
	return s.size == info.Size() && s.mtime.Equal(info.ModTime())
}

// NewFolder returns a Folder. It looks at nothing until it is run.
func NewFolder(c FolderConfig, d FolderDeps) *Folder {
	if c.Every == 0 {
		c.Every = defaultEvery
	}
	if c.Settle == 0 {
		c.Settle = defaultSettle
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	return &Folder{
		cfg: c, deps: d, sights: make(map[string]sight), ids: make(map[string]sight), warned: make(map[string]bool), mended: make(map[string]bool),
		step: func(string) {},
	}
}

// Run looks at the folder again and again until ctx is done.
func (f *Folder) Run(ctx context.Context, _ intake.Sink) error {
	tick := time.NewTicker(f.cfg.Every)
	defer tick.Stop()
	for {
		f.Look(ctx)
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Look sees to all that lies in the folder, once. What goes wrong is told by Health and the log,
// and tried again the next time. It is called by one goroutine.
func (f *Folder) Look(ctx context.Context) {
	l := &look{Folder: f, seen: make(map[string]bool)}
	err := l.all(ctx)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		l.found = slices.Insert(l.found, 0, Trouble{Problem: err.Error()})
	}
	for _, known := range []map[string]sight{f.sights, f.ids} {
		for name := range known {
			if !l.seen[name] {
				delete(known, name)
			}
		}
	}
	warned := make(map[string]bool)
	for _, t := range l.found {
		warned[t.String()] = true
		if !f.warned[t.String()] {
			f.deps.Log.Warn("lists can't be taken from the folder", "path", t.Path, "err", t.Problem)
		}
	}
	f.warned = warned
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trouble = l.found
	if err == nil {
		f.looked = f.deps.Now()
	}
}

// Health returns what was wrong at the last look, what is about all of it first, and when the whole
// folder was looked at last; zero for never.
func (f *Folder) Health() ([]Trouble, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trouble, f.looked
}

var _ intake.Watched = (*Folder)(nil)

// longestTrouble bounds how much of what is wrong is told in a line.
const longestTrouble = 5

// Condition implements intake.Watched. Files that lie where nobody takes them are as good as
// not sent, so that staff are told.
func (f *Folder) Condition() intake.Condition {
	found, _ := f.Health()
	return intake.Condition{Name: "folder of lists", Down: len(found) > 0, Problem: Troubles(found)}
}

// Troubles puts what is wrong into a line; "" for nothing.
func Troubles(found []Trouble) string {
	var words []string
	for _, t := range found[:min(len(found), longestTrouble)] {
		words = append(words, t.String())
	}
	if n := len(found) - len(words); n > 0 {
		words = append(words, fmt.Sprintf("and %d more", n))
	}
	return strings.Join(words, "; ")
}

// look is one look at the folder.
type look struct {
	*Folder
	found []Trouble
	seen  map[string]bool
}

func (l *look) trouble(path string, err error) {
	var p *fs.PathError
	if errors.As(err, &p) && path != "" {
		err = fmt.Errorf("%s: %w", p.Op, p.Err) // the path is said
	}
	l.found = append(l.found, Trouble{Path: path, Problem: err.Error()})
}

// ignored reports whether a name is of a file that somebody still writes, or of none for us.
func ignored(name string) bool {
	if strings.HasPrefix(name, ".") {
		return true
	}
	for _, end := range []string{".part", ".tmp", ".filepart"} {
		if strings.HasSuffix(strings.ToLower(name), end) {
			return true
		}
	}
	return false
}

func (l *look) all(ctx context.Context) error {
	root, err := os.OpenRoot(l.cfg.Path)
	if err != nil {
		return err
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case ignored(e.Name()):
		case !e.IsDir():
			l.trouble(e.Name(), errors.New("it is no directory of a partner, and nothing is taken from it; files belong into one"))
		default:
			if err := l.directory(ctx, root, e.Name()); err != nil {
				l.trouble(e.Name(), err)
			}
		}
	}
	return nil
}

// directory sees to the directory of a partner.
func (l *look) directory(ctx context.Context, root *os.Root, name string) error {
	was, err := root.Lstat(name)
	if err != nil {
		return err
	}
	dir, err := root.OpenRoot(name)
	if err != nil {
		return err
	}
	defer dir.Close()
	is, err := dir.Stat(".")
	if err != nil {
		return err
	}
	if !os.SameFile(was, is) {
		return errors.New("it was changed for another one")
	}
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return err
	}
	partner, err := l.deps.Drop.Gateway.FindPartner(ctx, name)
	if errors.Is(err, intake.ErrNotFound) {
		if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !ignored(e.Name()) }) {
			return errors.New("no partner has this id, code or domain, and the files in it wait")
		}
		return nil
	}
	if err != nil {
		return err
	}
	if partner.Status == intake.PartnerOffboarded {
		if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !ignored(e.Name()) && !e.IsDir() }) {
			return errors.New("this partner has left, and the files in it wait")
		}
		return nil
	}
	p := &drawer{look: l, dir: dir, name: name, partner: partner, mode: is.Mode() & (fs.ModePerm | fs.ModeSetgid)}
	if len(entries) == 0 {
		return nil
	}
	if err := p.prepare(); err != nil {
		return err
	}
	if err := p.each(ctx, takenDir, p.finish); err != nil {
		return err
	}
	return p.each(ctx, ".", p.take)
}
