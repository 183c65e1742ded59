package webform

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

// opened is a form that was given out: when, and as which one. It is signed, so that its age is
// what it says, and stands in the form as a hidden field.
type opened struct {
	at time.Time
	// nonce names the form: what comes twice from one form is the same submission.
	nonce [16]byte
}

var errForged = errors.New("not a form of ours")

const (
	openedBody = 8 + 16
	openedMAC  = 16
)

// open makes a new form.
func (f *Form) open() opened {
	o := opened{at: f.now()}
	if _, err := rand.Read(o.nonce[:]); err != nil {
		panic(err) // documented never to happen
	}
	return o
}

func (f *Form) sign(o opened) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(o.at.Unix()))
	b = append(b, o.nonce[:]...)
	return base64.RawURLEncoding.EncodeToString(append(b, f.mac(b)...))
}

func (f *Form) readOpened(s string) (opened, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != openedBody+openedMAC || !hmac.Equal(b[openedBody:], f.mac(b[:openedBody])) {
		return opened{}, errForged
	}
	o := opened{at: time.Unix(int64(binary.BigEndian.Uint64(b)), 0)}
	copy(o.nonce[:], b[8:])
	return o, nil
}

func (f *Form) mac(b []byte) []byte {
	m := hmac.New(sha256.New, f.key)
	m.Write([]byte("form\x00"))
	m.Write(b)
	return m.Sum(nil)[:openedMAC]
}
