package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

const (
	spaceRaw = "raw"
	// rawPart is how much of a payload one record holds, so that a large payload is never
	// in memory as a whole.
	rawPart = 512 << 10
)

// Keep implements Sink. A payload is stored in parts under its hash, each part in a
// transaction of its own: the same payload twice is one, and a crash in between leaves
// parts that the next attempt completes. r is read twice where it can seek back to its
// start (the hash must be known before the first part is stored), and is held in memory
// only if it can't.
func (g *Gateway) Keep(ctx context.Context, r io.Reader) (Raw, error) {
	seeker, err := seekable(r)
	if err != nil {
		return Raw{}, err
	}
	h := sha256.New()
	size, err := io.Copy(h, seeker)
	if err != nil {
		return Raw{}, fmt.Errorf("read payload: %w", err)
	}
	raw := Raw{SHA256: hex.EncodeToString(h.Sum(nil)), Size: size}
	if _, err := seeker.Seek(0, io.SeekStart); err != nil {
		return Raw{}, fmt.Errorf("read payload again: %w", err)
	}
	buf := make([]byte, min(size, rawPart))
	for part := 0; int64(part)*rawPart < size; part++ {
		n, err := io.ReadFull(seeker, buf)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return Raw{}, fmt.Errorf("read payload again: %w", err)
		}
		err = g.store.Update(ctx, func(tx Tx) error {
			return tx.PutRecord(spaceRaw, rawKey(raw.SHA256, part), buf[:n])
		})
		if err != nil {
			return Raw{}, fmt.Errorf("keep payload: %w", err)
		}
	}
	return raw, nil
}

// Raw writes a kept payload to w and checks it against its hash.
func (g *Gateway) Raw(ctx context.Context, raw Raw, w io.Writer) error {
	h := sha256.New()
	for part := 0; int64(part)*rawPart < raw.Size; part++ {
		var b []byte
		err := g.store.View(ctx, func(tx Tx) (err error) {
			b, err = tx.Record(spaceRaw, rawKey(raw.SHA256, part))
			return err
		})
		if err != nil {
			return fmt.Errorf("payload %s part %d: %w", raw.SHA256, part, err)
		}
		h.Write(b)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	if hex.EncodeToString(h.Sum(nil)) != raw.SHA256 {
		return fmt.Errorf("payload %s is damaged", raw.SHA256)
	}
	return nil
}

func rawKey(sha string, part int) string { return fmt.Sprintf("%s/%05d", sha, part) }

func seekable(r io.Reader) (io.ReadSeeker, error) {
	if s, ok := r.(io.ReadSeeker); ok {
		return s, nil
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read payload: %w", err)
	}
	return bytes.NewReader(b), nil
}
