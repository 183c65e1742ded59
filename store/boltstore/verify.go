package boltstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	bolt "go.etcd.io/bbolt"
)

// ErrDamaged is wrapped by what Open, Check and Backup return for a file that is not whole.
var ErrDamaged = errors.New("the store is damaged")

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w (%w): keep the file for inspection and restore the latest backup in its place", ErrDamaged, fmt.Errorf(format, args...))
}

// The parts of a bbolt page, in the byte order of the machine.
const (
	pageHeader   = 16 // id 8, flags 2, count 2, overflow 4
	pageElement  = 16
	bucketHeader = 16 // root page 8, sequence 8
	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagBucket   = 0x01 // of a leaf's element
	firstPage    = 2    // after the two meta pages
)

// verifyPages reads every page that btx can reach, and checks that each is what it should
// be, that none is reached twice, and that keys are in order. bbolt has a check of its own,
// Tx.Check; it cannot be stopped, must not run beside a writer, and on a file without a
// list of free pages ends the process when there is something to find.
func verifyPages(ctx context.Context, btx *bolt.Tx) error {
	f, err := os.Open(btx.DB().Path())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	size := btx.DB().Info().PageSize
	v := &verifier{ctx: ctx, file: f, pageSize: size, seen: make([]bool, btx.Size()/int64(size))}
	return v.page(uint64(btx.Cursor().Bucket().Root()), nil, nil)
}

type verifier struct {
	ctx      context.Context
	file     io.ReaderAt
	pageSize int
	seen     []bool
}

// page checks a page and all below it. Its keys are to be from low, and below high if that
// is not nil.
func (v *verifier) page(id uint64, low, high []byte) error {
	if err := v.ctx.Err(); err != nil {
		return err
	}
	p, err := v.read(id)
	if err != nil {
		return err
	}
	return v.elements(id, p, low, high)
}

// read returns a page with its overflow, each marked as seen.
func (v *verifier) read(id uint64) ([]byte, error) {
	if err := v.see(id); err != nil {
		return nil, err
	}
	p := make([]byte, v.pageSize)
	if _, err := v.file.ReadAt(p, int64(id)*int64(v.pageSize)); err != nil {
		return nil, damaged("page %d: %w", id, err)
	}
	if got := binary.NativeEndian.Uint64(p); got != id {
		return nil, damaged("page %d says that it is page %d", id, got)
	}
	overflow := uint64(binary.NativeEndian.Uint32(p[12:]))
	if overflow == 0 {
		return p, nil
	}
	if overflow >= uint64(len(v.seen)) {
		return nil, damaged("page %d goes on beyond the end", id)
	}
	for i := uint64(1); i <= overflow; i++ {
		if err := v.see(id + i); err != nil {
			return nil, err
		}
	}
	p = make([]byte, (1+int(overflow))*v.pageSize)
	if _, err := v.file.ReadAt(p, int64(id)*int64(v.pageSize)); err != nil {
		return nil, damaged("page %d: %w", id, err)
	}
	return p, nil
}

func (v *verifier) see(id uint64) error {
	if id < firstPage || id >= uint64(len(v.seen)) {
		return damaged("there is no page %d", id)
	}
	if v.seen[id] {
		return damaged("page %d is in use twice", id)
	}
	v.seen[id] = true
	return nil
}

// elements checks the contents of a page, or of a bucket so small that it lies within its
// parent's page.
func (v *verifier) elements(id uint64, p, low, high []byte) error {
	if len(p) < pageHeader {
		return damaged("page %d is too short", id)
	}
	flags := binary.NativeEndian.Uint16(p[8:])
	count := int(binary.NativeEndian.Uint16(p[10:]))
	if flags != flagBranch && flags != flagLeaf || flags == flagBranch && count == 0 {
		return damaged("page %d has flags %#x and %d elements", id, flags, count)
	}
	var prev element
	for i := range count {
		e, err := parseElement(p, i, flags)
		if err != nil {
			return damaged("page %d element %d: %w", id, i, err)
		}
		if bytes.Compare(e.key, low) < 0 || high != nil && bytes.Compare(e.key, high) >= 0 ||
			i > 0 && bytes.Compare(prev.key, e.key) >= 0 {
			return damaged("page %d element %d is out of order", id, i)
		}
		if flags == flagLeaf {
			err = v.bucket(id, e)
		} else if i > 0 {
			err = v.page(prev.child, prev.key, e.key)
		}
		if err != nil {
			return err
		}
		prev = e
	}
	if flags == flagBranch {
		return v.page(prev.child, prev.key, high)
	}
	return nil
}

// bucket checks what is below a leaf's element, if it is a bucket.
func (v *verifier) bucket(id uint64, e element) error {
	switch {
	case !e.bucket:
		return nil
	case len(e.value) < bucketHeader:
		return damaged("page %d: bucket %q is too short", id, e.key)
	}
	if root := binary.NativeEndian.Uint64(e.value); root != 0 {
		return v.page(root, nil, nil)
	}
	return v.elements(id, e.value[bucketHeader:], nil, nil)
}

// element is one entry of a page: of a branch a key and a page, of a leaf a key and a value.
type element struct {
	key, value []byte
	child      uint64
	bucket     bool
}

func parseElement(p []byte, i int, flags uint16) (element, error) {
	at := pageHeader + i*pageElement
	if at+pageElement > len(p) {
		return element{}, errShort
	}
	h := p[at : at+pageElement]
	word := func(n int) uint64 { return uint64(binary.NativeEndian.Uint32(h[4*n:])) }
	r := reader{b: p[at:]}
	var e element
	if flags == flagBranch {
		r.take(word(0))
		e = element{key: r.take(word(1)), child: binary.NativeEndian.Uint64(h[8:])}
	} else {
		r.take(word(1))
		e = element{key: r.take(word(2)), value: r.take(word(3)), bucket: word(0)&flagBucket != 0}
	}
	return e, r.err
}

// verifyBehind checks what btx sees while the store is in use.
func (s *Store) verifyBehind(ctx context.Context, btx *bolt.Tx) {
	defer close(s.verified)
	defer func() { _ = btx.Rollback() }()
	switch err := verifyPages(ctx, btx); {
	case errors.Is(err, context.Canceled):
		s.o.Log.Warn("the check of the store was not finished; the next start begins it anew", "path", s.o.Path)
		s.damage.Store(&err) // unknown counts as damage: Close leaves the file marked
	case err != nil:
		s.damage.Store(&err)
		s.o.Log.Error("the store is damaged", "path", s.o.Path, "err", err)
	default:
		s.o.Log.Info("the store was checked and is intact", "path", s.o.Path)
	}
}
