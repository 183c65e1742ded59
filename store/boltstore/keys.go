package boltstore

import (
	"encoding/binary"
	"errors"
	"time"
)

var errShort = errors.New("the value is too short")

func appendUint(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }

// appendTime appends t in microseconds such that bytes sort as times, those before 1970 too.
func appendTime(b []byte, t time.Time) []byte {
	return appendUint(b, uint64(t.UnixMicro())^1<<63)
}

// appendString appends the length and the string: no string followed by anything can be
// taken for another, whatever bytes it holds.
func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func uintKey(n uint64) []byte { return appendUint(nil, n) }

func lastUint(b []byte) uint64 { return binary.BigEndian.Uint64(b[len(b)-8:]) }

func parseTime(b []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(b) ^ 1<<63)).UTC()
}

// A reader takes a value apart. After the first fault it returns zero values and keeps the
// error.
type reader struct {
	b   []byte
	err error
}

func (r *reader) take(n uint64) []byte {
	if r.err == nil && n > uint64(len(r.b)) {
		r.err = errShort
	}
	if r.err != nil {
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) uvarint() uint64 {
	n, size := binary.Uvarint(r.b)
	if r.err == nil && size <= 0 {
		r.err = errShort
	}
	if r.err != nil {
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) str() string { return string(r.take(r.uvarint())) }

func (r *reader) time() time.Time {
	if b := r.take(8); b != nil {
		return parseTime(b)
	}
	return time.Time{}
}
