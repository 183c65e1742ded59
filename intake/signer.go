package intake

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Signer signs receipts and checkpoints with an Ed25519 key. Whoever implements it keeps the
// key where nobody gets it who can write to the store: else what was signed could be signed
// again after an edit. Its methods are safe for concurrent use.
type Signer interface {
	// KeyID is the KeyID of the public key.
	KeyID() string
	// Sign returns the Ed25519 signature of a message.
	Sign(message []byte) []byte
}

// KeyID names a public key: the first 8 bytes of its SHA-256, in hex.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:8])
}

// ErrUnknownKey says that something was signed by a key that is not among the known ones.
var ErrUnknownKey = errors.New("signed by an unknown key")

var errSignature = errors.New("the signature does not fit")

// Keyring holds public keys by KeyID: the one in use and those before it.
type Keyring map[string]ed25519.PublicKey

// Add puts a key into the ring.
func (k Keyring) Add(key ed25519.PublicKey) { k[KeyID(key)] = key }

// verify checks a signature by the key of an id; ErrUnknownKey.
func (k Keyring) verify(id string, message, signature []byte) error {
	key, known := k[id]
	switch {
	case !known:
		return fmt.Errorf("%w: %s", ErrUnknownKey, id)
	case !ed25519.Verify(key, message, signature):
		return errSignature
	}
	return nil
}

const keyPrefix = "ed25519:"

// FormatKey writes a public key as one word.
func FormatKey(key ed25519.PublicKey) string {
	return keyPrefix + base64.RawURLEncoding.EncodeToString(key)
}

// ParseKey reads what FormatKey wrote.
func ParseKey(word string) (ed25519.PublicKey, error) {
	text, ok := strings.CutPrefix(word, keyPrefix)
	key, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%q is no public key: want %s and 43 characters", word, keyPrefix)
	}
	return key, nil
}

// ReadKeys reads public keys, one a line; what follows the key on its line, empty lines and
// lines that begin with # are for people.
func ReadKeys(r io.Reader) (Keyring, error) {
	ring := make(Keyring)
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		key, err := ParseKey(words[0])
		if err != nil {
			return nil, err
		}
		ring.Add(key)
	}
	return ring, lines.Err()
}
