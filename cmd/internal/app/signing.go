package app

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"leadgate/intake"
)

// The names, in the data directory, of the key that signs receipts and checkpoints, of all
// public keys that there ever were, and of the witness of the checkpoints. All three lie
// outside the store, so that who edits the store can't sign what he made of it.
const (
	SigningKeyFile = "signing.key"
	PublicKeysFile = "signing.pub"
	WitnessFile    = "audit.log"
)

// signer is the key in use.
type signer struct {
	key ed25519.PrivateKey
	id  string
}

var _ intake.Signer = (*signer)(nil)

func (s *signer) KeyID() string              { return s.id }
func (s *signer) Sign(message []byte) []byte { return ed25519.Sign(s.key, message) }
func (s *signer) public() ed25519.PublicKey  { return s.key.Public().(ed25519.PublicKey) }

// openSigner reads the key of a data directory, and makes one if there is none. Its public key
// is added to the known ones. To change the key, move its file away: the next start makes
// another, and what the old one signed stays valid.
func openSigner(data string) (*signer, error) {
	path := filepath.Join(data, SigningKeyFile)
	key, err := readSigningKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeSigningKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("signing key: %w", err)
	}
	s := &signer{key: key}
	s.id = intake.KeyID(s.public())
	if err := rememberKey(data, s.public()); err != nil {
		return nil, fmt.Errorf("public keys: %w", err)
	}
	return s, nil
}

const pemPrivateKey = "PRIVATE KEY"

func readSigningKey(path string) (ed25519.PrivateKey, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others: chmod 600 it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != pemPrivateKey {
		return nil, fmt.Errorf("%s holds no %s in PEM", path, pemPrivateKey)
	}
	any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	key, ok := any.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds a key of another kind than Ed25519", path)
	}
	return key, nil
}

func makeSigningKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writeWhole(path, pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: der}))
}

// ReadPublicKeys returns all public keys that a data directory knows.
func ReadPublicKeys(data string) (_ intake.Keyring, err error) {
	f, err := os.Open(filepath.Join(data, PublicKeysFile))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	keys, err := intake.ReadKeys(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return keys, nil
}

// PublicKey returns the public key in use, as a word.
func PublicKey(data string) (string, error) {
	key, err := readSigningKey(filepath.Join(data, SigningKeyFile))
	if err != nil {
		return "", fmt.Errorf("signing key: %w", err)
	}
	return intake.FormatKey(key.Public().(ed25519.PublicKey)), nil
}

// rememberKey adds a public key to the known ones.
func rememberKey(data string, key ed25519.PublicKey) error {
	known, err := ReadPublicKeys(data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, have := known[intake.KeyID(key)]; have {
		return nil
	}
	path := filepath.Join(data, PublicKeysFile)
	before, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	line := fmt.Sprintf("%s %s since %s\n", intake.FormatKey(key), intake.KeyID(key), time.Now().UTC().Format(time.DateOnly))
	return writeWhole(path, append(before, line...))
}

// writeWhole puts a file that only its owner may read in the place of path, durably and as a
// whole.
func writeWhole(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
