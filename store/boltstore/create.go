package boltstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// create makes an empty store at o.Path if there is nothing. It is made under another name
// and appears under its own when it is whole and on disk, so that a crash leaves none or a
// good one.
func create(o Options) error {
	switch info, err := os.Stat(o.Path); {
	case err == nil && info.Size() == 0:
		return errors.New("there is an empty file of that name: restore a backup, or remove the file to start anew")
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	tmp, err := tempName(o.Path)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp) }()
	if err := initialise(tmp, o); err != nil {
		return err
	}
	// Unlike a rename, a link does not replace what another process made meanwhile.
	switch err := os.Link(tmp, o.Path); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil: // not every file system has links
		if err := os.Rename(tmp, o.Path); err != nil {
			return err
		}
	}
	return syncPath(filepath.Dir(o.Path))
}

// initialise writes an empty store to the file at path.
func initialise(path string, o Options) error {
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType, NoSync: o.noSync})
	if err != nil {
		return err
	}
	err = db.Update(func(btx *bolt.Tx) error {
		for _, name := range bucketNames {
			if _, err := btx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		meta := btx.Bucket([]byte(bucketNames[bucketMeta]))
		return errors.Join(meta.Put(keySchema, []byte(strconv.Itoa(schema))), setClean(btx, true))
	})
	return errors.Join(err, db.Close(), syncPath(path))
}

// tempName returns a new name beside path. The file exists, is empty and can be read by
// nobody else.
func tempName(path string) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

// syncPath makes the file or directory at path durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
