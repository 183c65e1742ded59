package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"leadgate/intake"
)

// accept takes what was set aside in after all. Its payload lies in a file meanwhile, for it
// may be large.
func (a *App) accept(ctx context.Context, id, partner, by string) (_ []intake.Receipt, err error) {
	aside, err := a.gateway.Aside(ctx, id)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Join(a.cfg.Data, spoolDir), "aside-*")
	if err != nil {
		return nil, fmt.Errorf("spool %s: %w", id, err)
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if err := a.gateway.Raw(ctx, aside.Raw, f); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("spool %s: %w", id, err)
	}
	return a.gateway.AcceptAside(ctx, id, partner, by, f)
}
