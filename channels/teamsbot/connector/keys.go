package connector

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"sync"
	"time"

	"leadgate/channels/oauth"
)

const (
	// keysFresh is how old the keys may be before they are fetched again, KeysStale how old if
	// they can't be.
	keysFresh = 24 * time.Hour
	KeysStale = 5 * 24 * time.Hour
	// keysPause is between two fetches that unknown keys cause, keysRetry after one that failed.
	keysPause = time.Minute
	keysRetry = 10 * time.Second

	keysTimeout = 10 * time.Second
	maxKeys     = 1 << 20
	minBits     = 2048
)

// ErrNoKeys says that the keys of the Bot Connector service could not be fetched, so that
// nothing can be said of a token.
var ErrNoKeys = errors.New("the keys of the Bot Connector service could not be fetched")

var errUnknownKey = errors.New("the token is signed by an unknown key")

// key is one of the published keys.
type key struct {
	public *rsa.PublicKey
	// endorsed are the channels for which it signs; none for all.
	endorsed []string
}

// keySet are the keys that the OpenID metadata at url lead to. It may be used by many goroutines;
// one of them fetches, the others wait.
type keySet struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu      sync.Mutex
	keys    map[string]key
	fetched time.Time     // when keys were fetched
	next    time.Time     // before which nothing is fetched
	busy    chan struct{} // closed when the fetch under way is over; nil without one
	err     error         // of the last fetch
}

// find returns the key with an id. The keys are fetched if there are none, if they are old, or
// if the id is unknown and that was not tried just now. Keys that are known are used on while
// newer ones can't be had.
func (s *keySet) find(ctx context.Context, id string) (key, error) {
	for {
		s.mu.Lock()
		now := s.now()
		age := now.Sub(s.fetched)
		k, known := s.keys[id]
		if s.keys == nil || age > KeysStale {
			known = false
		}
		if known && (age <= keysFresh || now.Before(s.next)) {
			s.mu.Unlock()
			return k, nil
		}
		if s.busy == nil && now.Before(s.next) {
			err := s.err
			s.mu.Unlock()
			if err != nil {
				return key{}, err
			}
			return key{}, fmt.Errorf("%w %.60q", errUnknownKey, id)
		}
		busy := s.fetch(now)
		s.mu.Unlock()
		if known { // old, and good until the new ones are there
			return k, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return key{}, ctx.Err()
		}
	}
}

// fetch begins to fetch, unless that is under way; s.mu is held. It goes on if who caused it
// goes away, for no longer than keysTimeout.
func (s *keySet) fetch(now time.Time) <-chan struct{} {
	if s.busy != nil {
		return s.busy
	}
	busy := make(chan struct{})
	s.busy = busy
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), keysTimeout)
		defer cancel()
		keys, err := s.load(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.err, s.busy, s.next = nil, nil, now.Add(keysPause)
		if err != nil {
			s.err, s.next = fmt.Errorf("%w: %w", ErrNoKeys, err), now.Add(keysRetry)
		} else {
			s.keys, s.fetched = keys, now
		}
		close(busy)
	}()
	return busy
}

// age is how old the keys are, zero if there are none yet, and the error of the last fetch.
func (s *keySet) age() (time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		return 0, s.err
	}
	return s.now().Sub(s.fetched), s.err
}

// load fetches the metadata and the keys that they name (OpenID Connect Discovery 1.0, section 4;
// RFC 7517). The member endorsements is Microsoft's.
func (s *keySet) load(ctx context.Context) (map[string]key, error) {
	var metadata struct {
		Keys string `json:"jwks_uri"`
	}
	if err := s.get(ctx, s.url, &metadata); err != nil {
		return nil, err
	}
	var set struct {
		Keys []struct {
			ID           string   `json:"kid"`
			Type         string   `json:"kty"`
			Use          string   `json:"use"`
			N            string   `json:"n"`
			E            string   `json:"e"`
			Endorsements []string `json:"endorsements"`
		} `json:"keys"`
	}
	if err := s.get(ctx, metadata.Keys, &set); err != nil {
		return nil, err
	}
	keys := make(map[string]key)
	for _, k := range set.Keys {
		public, err := rsaKey(k.N, k.E)
		if k.Type != "RSA" || k.ID == "" || k.Use != "" && k.Use != "sig" || err != nil {
			continue // of no use to us
		}
		keys[k.ID] = key{public, k.Endorsements}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("there is no key for RS256 at %s", metadata.Keys)
	}
	return keys, nil
}

func (s *keySet) get(ctx context.Context, at string, to any) error {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "https" && !oauth.IsLoopback(u.Hostname()) {
		return fmt.Errorf("%q is no address to fetch keys from", at)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", at, resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys+1))
	switch {
	case err != nil:
		return fmt.Errorf("read %s: %w", at, err)
	case len(b) > maxKeys:
		return fmt.Errorf("%s answers with more than %d bytes", at, maxKeys)
	}
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("read %s: %w", at, err)
	}
	return nil
}

// rsaKey reads the members of RFC 7518, section 6.3.1.
func rsaKey(n, e string) (*rsa.PublicKey, error) {
	modulus, err := base64.RawURLEncoding.DecodeString(n)
	if err != nil {
		return nil, err
	}
	exponent, err := base64.RawURLEncoding.DecodeString(e)
	if err != nil {
		return nil, err
	}
	k := &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}
	if k.N.BitLen() < minBits || k.E < 3 || k.E&1 == 0 || len(exponent) > 4 {
		return nil, errors.New("a weak key")
	}
	return k, nil
}
