package csvdrop

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"leadgate/channels/csvdrop/sheet"
	"leadgate/intake"
)

// drawer is the directory of a partner within a Folder, for one look. Nothing outside it is ever
// opened, and no symbolic link is followed to a file.
type drawer struct {
	*look
	dir     *os.Root
	name    string
	partner intake.Partner
	mode    fs.FileMode // of the directory; what is made in it has the same
}

// prepare makes the directories, and ends moves that a killed process left halfway.
func (d *drawer) prepare() error {
	for _, sub := range []string{takenDir, doneDir, failedDir} {
		err := d.dir.Mkdir(sub, 0o700)
		if err == nil {
			err = d.dir.Chmod(sub, d.mode)
		}
		if errors.Is(err, fs.ErrExist) {
			var info fs.FileInfo
			if info, err = d.dir.Lstat(sub); err == nil && !info.IsDir() {
				err = fmt.Errorf("%s is no directory", sub)
			}
		}
		if err != nil {
			return err
		}
	}
	if d.mended[d.name] {
		return nil
	}
	for _, sub := range []string{doneDir, failedDir} {
		if err := d.mend(sub); err != nil {
			return err
		}
	}
	d.mended[d.name] = true
	return nil
}

// each calls fn with the files of a directory, the oldest first. What goes wrong with one does not
// hold up the others.
func (d *drawer) each(ctx context.Context, sub string, fn func(context.Context, string, *os.File, fs.FileInfo) error) error {
	entries, err := fs.ReadDir(d.dir.FS(), sub)
	if err != nil {
		return err
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		if ignored(e.Name()) || e.IsDir() {
			continue
		}
		at := path.Join(sub, e.Name())
		info, err := d.dir.Lstat(at)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil && !info.Mode().IsRegular() {
			err = errors.New("it is no file but a link or something else, and is not opened")
		}
		if err != nil {
			d.trouble(path.Join(d.name, at), err)
			continue
		}
		infos = append(infos, info)
	}
	slices.SortFunc(infos, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for _, info := range infos {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := d.with(ctx, path.Join(sub, info.Name()), info, fn); err != nil && ctx.Err() == nil {
			d.trouble(path.Join(d.name, sub, info.Name()), err)
		}
	}
	return nil
}

// with calls fn with a file that was seen to be one.
func (d *drawer) with(ctx context.Context, at string, seen fs.FileInfo, fn func(context.Context, string, *os.File, fs.FileInfo) error) error {
	f, err := d.dir.OpenFile(at, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe put in its place does not hold us up
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(seen, info) || !info.Mode().IsRegular() {
		return nil // changed for another one: the next look sees that
	}
	d.seen[d.key(at)] = true
	return fn(ctx, at, f, info)
}

func (d *drawer) key(at string) string { return path.Join(d.name, at) }

// settled reports whether a file is whole: it has not changed for a while, by its own time or as
// far as we have seen.
func (d *drawer) settled(at string, info fs.FileInfo) bool {
	now := d.deps.Now()
	s, known := d.sights[d.key(at)]
	if !known || !s.same(info) {
		s = sight{size: info.Size(), mtime: info.ModTime(), since: now}
		d.sights[d.key(at)] = s
	}
	since := s.since
	if s.mtime.Before(since) {
		since = s.mtime
	}
	return now.Sub(since) >= d.cfg.Settle
}

// take takes a file in that lies in the partner's own directory.
func (d *drawer) take(ctx context.Context, at string, f *os.File, info fs.FileInfo) error {
	if !d.settled(at, info) {
		return nil
	}
	err := d.start(ctx, at, f, info)
	var unreadable *intake.FileError
	switch {
	case errors.As(err, &unreadable):
		d.deps.Log.Info("a list in the folder can't be read", "path", d.key(at), "partner", d.partner.ID, "err", err)
		return d.file(at, failedDir, d.why(unreadable.Problem, cellOf(err)))
	case errors.Is(err, errChanged):
		return nil
	case err != nil:
		return err
	}
	return d.file(at, takenDir)
}

var errChanged = errors.New("the file was changed while it was read")

// start keeps a file and has its rows taken in. Both are durable when it returns.
func (d *drawer) start(ctx context.Context, at string, f *os.File, info fs.FileInfo) error {
	s := Submitted{
		Partner: d.partner, Name: path.Base(at), Channel: d.deps.Mail,
		Sender: intake.Sender{Address: "folder:" + d.name, Strength: intake.StrengthVerified, How: "laid into the folder of " + d.name},
	}
	file, err := s.File()
	if err != nil {
		return err
	}
	im, before, err := d.deps.Drop.Take(ctx, io.NewSectionReader(f, 0, info.Size()), file, func() error {
		now, err := d.dir.Lstat(at)
		if err != nil || !os.SameFile(now, info) || now.Size() != info.Size() || !now.ModTime().Equal(info.ModTime()) {
			return errChanged // what was kept is not started
		}
		d.step("kept")
		return nil
	})
	if err != nil {
		return err
	}
	d.step("started")
	d.deps.Log.Info("a list was taken from the folder", "path", d.key(at), "partner", d.partner.ID, "import", im.ID, "rows", im.Total, "was", before)
	return nil
}

// finish sees to a file that was taken in: once its import is over and told of, it is filed with
// the result beside it.
func (d *drawer) finish(ctx context.Context, at string, f *os.File, info fs.FileInfo) error {
	id, err := d.importOf(at, f, info)
	if err != nil {
		return err
	}
	im, err := d.deps.Drop.Gateway.Import(ctx, id)
	if errors.Is(err, intake.ErrNotFound) { // somebody has put it here, or changed it
		d.deps.Log.Warn("a file among those taken in was not; it is taken in now", "path", d.key(at), "partner", d.partner.ID)
		return d.file(at, ".")
	}
	if err != nil || im.Summarised.IsZero() {
		return err
	}
	result := companion{end: "result", write: func(w io.Writer) (string, error) {
		o, err := d.deps.Drop.result(ctx, im, "", w)
		return string(o.Format), err
	}}
	switch {
	case !im.Erased.IsZero():
		err = d.file(at, failedDir, d.why(intake.Problem{Code: CodeErased, Message: ErrErased.Error()}, ""))
	case im.Cause != nil:
		err = d.file(at, failedDir, result, d.why(*im.Cause, im.CausePlace()))
	default:
		err = d.file(at, doneDir, result)
	}
	if err == nil {
		d.deps.Log.Info("the result of a list lies in the folder", "path", d.key(at), "partner", d.partner.ID, "import", id, "state", im.State)
	}
	return err
}

// importOf returns the import that a file would be.
func (d *drawer) importOf(at string, f *os.File, info fs.FileInfo) (string, error) {
	if s, known := d.ids[d.key(at)]; known && s.same(info) {
		return s.id, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	id := intake.ImportID(d.partner.ID, hex.EncodeToString(h.Sum(nil)))
	d.ids[d.key(at)] = sight{size: info.Size(), mtime: info.ModTime(), id: id}
	return id, nil
}

// companion is a file that lies beside another: NAME.end.format.
type companion struct {
	end   string
	write func(io.Writer) (format string, err error)
}

// why tells in the partner's language what is wrong with a file.
func (d *drawer) why(p intake.Problem, cell string) companion {
	words := d.deps.Drop.Words.Fault(d.partner.Locale, intake.RowProblem{Problem: p})
	if cell != "" {
		words += " (" + cell + ")"
	}
	return companion{end: "error", write: func(w io.Writer) (string, error) {
		_, err := fmt.Fprintln(w, words)
		return "txt", err
	}}
}

// cellOf names the cell of an error as spreadsheets in every language do, "C7"; "" if it is about
// the whole file.
func cellOf(err error) string {
	var unreadable *sheet.Error
	if !errors.As(err, &unreadable) || unreadable.Row == 0 {
		return ""
	}
	return fmt.Sprintf("%s%d", sheet.Letters(max(1, unreadable.Column)), unreadable.Row)
}

// file moves a file into a directory, and puts its companions beside it. These are written under
// hidden names first, and shown once the file is there: whoever sees a file is not told of
// another one, and a process that is killed in between is finished by mend, or does it anew.
func (d *drawer) file(at, to string, beside ...companion) error {
	name, err := d.free(path.Base(at), to, beside)
	if err != nil {
		return err
	}
	var hidden []string
	for _, c := range beside {
		as, err := d.hide(to, name, c)
		if err != nil {
			return err
		}
		hidden = append(hidden, as)
		d.step("written beside")
	}
	if err := d.dir.Rename(at, path.Join(to, name)); err != nil {
		return err
	}
	for _, as := range hidden {
		d.step("moved")
		if err := d.show(to, as); err != nil {
			delete(d.mended, d.name)
			return err
		}
	}
	d.step("shown")
	return d.sync(to)
}

// hide writes a companion under a hidden name, and returns that.
func (d *drawer) hide(to, name string, c companion) (string, error) {
	temp := path.Join(to, "."+name+"."+c.end+".tmp")
	if err := d.dir.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	f, err := d.dir.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	format, err := c.write(f)
	if err == nil {
		err = f.Chmod(d.mode & 0o666)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, d.dir.Remove(temp))
	}
	d.step("written")
	as := "." + name + "." + c.end + "." + format
	return as, d.dir.Rename(temp, path.Join(to, as))
}

func (d *drawer) show(to, hidden string) error {
	return d.dir.Rename(path.Join(to, hidden), path.Join(to, hidden[1:]))
}

// sync makes what was renamed in a directory durable. Without it the file would come again, and
// nothing would come of that.
func (d *drawer) sync(sub string) error {
	f, err := d.dir.Open(sub)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// longestName leaves room behind a name for the ends of companions: file systems take 255 bytes.
const longestName = 200

// free returns a name that nothing in a directory has: "list.csv", "list-2.csv". Nor has anything
// there that of a companion.
func (d *drawer) free(name, in string, beside []companion) (string, error) {
	entries, err := fs.ReadDir(d.dir.FS(), in)
	if err != nil {
		return "", err
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
			return e.Name() == name || slices.ContainsFunc(beside, func(c companion) bool { return strings.HasPrefix(e.Name(), name+"."+c.end+".") })
		})
	}
	end := path.Ext(name)
	stem := strings.TrimSuffix(name, end)
	if len(end) > longestName/2 {
		stem, end = name, ""
	}
	stem = strings.ToValidUTF8(stem[:min(len(stem), longestName-len(end))], "")
	for n, try := 2, stem+end; ; n++ {
		if !taken(try) {
			return try, nil
		}
		try = fmt.Sprintf("%s-%d%s", stem, n, end)
	}
}

// mend shows the companions of files that were moved when the process was killed. Those of files
// that were not are written anew.
func (d *drawer) mend(sub string) error {
	entries, err := fs.ReadDir(d.dir.FS(), sub)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, hidden := strings.CutPrefix(e.Name(), ".")
		of := companionOf(name)
		if !hidden || of == "" || e.IsDir() {
			continue
		}
		if _, err := d.dir.Lstat(path.Join(sub, of)); errors.Is(err, fs.ErrNotExist) {
			err = d.dir.Remove(path.Join(sub, e.Name()))
			if err != nil {
				return err
			}
			continue
		}
		if err := d.show(sub, e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// companionOf returns the name of the file that a companion lies beside; "" if it is none.
func companionOf(name string) string {
	for _, end := range []string{".result.csv", ".result.xlsx", ".error.txt"} {
		if of, found := strings.CutSuffix(name, end); found {
			return of
		}
	}
	return ""
}
