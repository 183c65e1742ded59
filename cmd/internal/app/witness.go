package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"leadgate/intake"
	"leadgate/store/boltstore"
)

// witness is the file to which the lines of checkpoints are appended.
type witness struct{ path string }

var _ intake.Witness = witness{}

// witnessTail is more than two lines take.
const witnessTail = 4096

// tail returns the whole lines at the end of the file, and where they end: what a crash left
// of a line behind them is none.
func (w witness) tail() (lines []byte, end int64, err error) {
	f, err := os.Open(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	start := max(info.Size()-witnessTail, 0)
	b, err := io.ReadAll(io.NewSectionReader(f, start, witnessTail))
	if err != nil {
		return nil, 0, err
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	if len(b) == 0 && start > 0 {
		return nil, 0, fmt.Errorf("%s ends in a line that is none of ours", w.path)
	}
	return b, start + int64(len(b)), nil
}

// Last implements intake.Witness.
func (w witness) Last() (l intake.WitnessLine, err error) {
	lines, _, err := w.tail()
	if err != nil || len(lines) == 0 {
		return l, err
	}
	lines = lines[:len(lines)-1]
	return intake.ParseWitnessLine(string(lines[bytes.LastIndexByte(lines, '\n')+1:]))
}

// Append implements intake.Witness.
func (w witness) Append(lines []intake.WitnessLine) (err error) {
	_, end, err := w.tail()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Truncate(end); err != nil {
		return err
	}
	var b bytes.Buffer
	for _, l := range lines {
		fmt.Fprintln(&b, l)
	}
	if _, err := f.WriteAt(b.Bytes(), end); err != nil {
		return err
	}
	if err := f.Sync(); err != nil || end > 0 {
		return err
	}
	return syncDir(filepath.Dir(w.path)) // the file is new
}

// ReadWitness returns the lines of a witness, none if there is no file.
func ReadWitness(path string) ([]intake.WitnessLine, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	lines := []intake.WitnessLine{}
	for n := 1; ; n++ {
		line, rest, whole := bytes.Cut(b, []byte("\n"))
		if !whole {
			return lines, nil
		}
		l, err := intake.ParseWitnessLine(string(line))
		if err != nil {
			return nil, fmt.Errorf("%s line %d: %w", path, n, err)
		}
		lines, b = append(lines, l), rest
	}
}

// audit checks the store of the running gateway.
func (a *App) audit(ctx context.Context) (intake.AuditReport, error) {
	return auditStore(ctx, a.store, a.cfg.Data, false)
}

// AuditFile checks a store that nobody has open, by the keys and the witness of a data
// directory: the store of that directory, or a copy of it, which may be older.
func AuditFile(ctx context.Context, path, data string) (_ intake.AuditReport, err error) {
	if !boltstore.IsStore(path) {
		return intake.AuditReport{}, fmt.Errorf("%s is no store of leadgate", path)
	}
	s, err := boltstore.Open(boltstore.Options{Path: path})
	if err != nil {
		return intake.AuditReport{}, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return auditStore(ctx, s, data, path != filepath.Join(data, StoreFile))
}

// auditStore checks the file itself and then what it tells.
func auditStore(ctx context.Context, s *boltstore.Store, data string, older bool) (intake.AuditReport, error) {
	keys, err := ReadPublicKeys(data)
	if err != nil {
		return intake.AuditReport{}, fmt.Errorf("public keys: %w", err)
	}
	lines, err := ReadWitness(filepath.Join(data, WitnessFile))
	if err != nil {
		return intake.AuditReport{}, fmt.Errorf("witness: %w", err)
	}
	if lines == nil {
		lines = []intake.WitnessLine{}
	}
	report, err := intake.Audit{Store: s, Keys: keys, Witness: lines, Older: older}.Verify(ctx)
	if err != nil {
		return report, err
	}
	switch err := s.Check(ctx); {
	case errors.Is(err, boltstore.ErrDamaged):
		report.Faults = append(report.Faults, intake.AuditFault{Problem: err.Error()})
	case err != nil:
		return report, err
	}
	return report, nil
}
