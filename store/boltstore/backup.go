package boltstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// Backup writes the store as it is now to a file at path, which must be on a local disk:
// while the copy is made, the store's file grows with each commit. The copy is read back
// and checked in full before it takes the name, in place of an older one; whatever fails
// leaves the older one as it was. It has mode 0600 and can be opened like any store.
func (s *Store) Backup(ctx context.Context, path string) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.views.Done()
	if err := s.backup(ctx, path); err != nil {
		return fmt.Errorf("back up %s to %s: %w", s.o.Path, path, err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, path string) error {
	if a, err := os.Stat(path); err == nil {
		if b, err := os.Stat(s.o.Path); err == nil && os.SameFile(a, b) {
			return errors.New("this is the store itself")
		}
	}
	tmp, err := tempName(path)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp) }()
	if err := s.copyTo(ctx, tmp); err != nil {
		return err
	}
	if err := checkFile(ctx, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(path))
}

// copyTo writes a snapshot to the file at path and makes it durable.
func (s *Store) copyTo(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = s.db.View(func(btx *bolt.Tx) error {
		_, err := btx.WriteTo(&cancellable{ctx, f})
		return err
	})
	if ctx.Err() != nil {
		err = ctx.Err() // bbolt does not wrap it
	}
	return errors.Join(err, f.Sync(), f.Close())
}

// checkFile checks the closed store at path.
func checkFile(ctx context.Context, path string) (err error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return db.View(func(btx *bolt.Tx) error {
		if _, err := readMeta(btx); err != nil {
			return err
		}
		return checkAll(ctx, btx)
	})
}

// cancellable is a writer that fails once its context is done.
type cancellable struct {
	ctx context.Context
	w   io.Writer
}

func (c *cancellable) Write(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(b)
}

// IsStore reports whether the file at path begins as a store or a backup of one does.
func IsStore(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	var head [20]byte
	_, err = io.ReadFull(f, head[:])
	return err == nil && binary.LittleEndian.Uint32(head[16:]) == bboltMagic
}

// bboltMagic stands behind the header of the first page of every bbolt file, in the order of
// bytes of the machine that wrote it.
const bboltMagic = 0xED0CDAED
