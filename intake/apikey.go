package intake

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"regexp"
	"strings"
	"time"
)

const (
	spaceAPIKey = "api_key" // id → storedKey
	apiKeyPage  = 200
	maxKeyName  = 100
)

// APIKey is what lets a program speak for a partner. It is never deleted: who made it and who
// revoked it stay on record.
type APIKey struct {
	// ID names the key, and is no secret.
	ID      string `json:"id"`
	Partner string `json:"partner"`
	// Name is what people call it: "Alpha portal".
	Name      string    `json:"name"`
	Created   time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	// Expires is from when it is no good any more, zero for never.
	Expires   time.Time `json:"expires_at,omitzero"`
	Revoked   time.Time `json:"revoked_at,omitzero"`
	RevokedBy string    `json:"revoked_by,omitempty"`
	// Used is the day (2026-11-23, UTC) on which it was last used, "" for never.
	Used string `json:"last_used,omitempty"`
}

// storedKey is a key with the SHA-256 of its secret, which is all that is known of that.
type storedKey struct {
	APIKey
	Hash string `json:"hash"`
}

var (
	// ErrKeyInvalid is the one answer to a key that is none, was mistyped, has expired or was
	// revoked.
	ErrKeyInvalid = errors.New("the API key is not good")
	// ErrPartnerBarred: the key is good, and its partner takes no part in the programme now.
	ErrPartnerBarred = errors.New("the partner takes no part in the programme now")
)

// good reports whether the key itself counts at a time.
func (k APIKey) good(now time.Time) bool {
	return k.Revoked.IsZero() && (k.Expires.IsZero() || now.Before(k.Expires))
}

// barred reports whether a partner's programs are kept out: it is suspended or gone, or not in
// yet. Who is on the way out can still see to his cases.
func (p Partner) barred(now time.Time) bool {
	counts := !p.StatusFrom.After(now)
	switch p.Status {
	case PartnerSuspended, PartnerOffboarded:
		return counts
	case PartnerActive:
		return !counts
	}
	return false
}

// MintAPIKey makes a key of a partner and returns it with its token, which nobody can ever show
// again. The key works up to the end of a day (2027-12-31) in the programme's zone, or without
// end if that is ""; *ErrInput.
func (g *Gateway) MintAPIKey(ctx context.Context, partnerID, name, lastDay, by string) (APIKey, string, error) {
	name = cleanText(name, FieldCompanyName)
	if name == "" || len([]rune(name)) > maxKeyName {
		return APIKey{}, "", &ErrInput{fmt.Sprintf("a key needs a name of at most %d characters, such as what it is for", maxKeyName)}
	}
	k := storedKey{APIKey: APIKey{ID: keyID(), Name: name, Created: g.stamp()}}
	if lastDay != "" {
		day, err := time.ParseInLocation(time.DateOnly, lastDay, g.policy.Zone())
		if err != nil {
			return APIKey{}, "", &ErrInput{fmt.Sprintf("%q is not a day like 2027-12-31", lastDay)}
		}
		if k.Expires = day.AddDate(0, 0, 1).UTC(); !k.good(k.Created) {
			return APIKey{}, "", &ErrInput{fmt.Sprintf("%s is over", lastDay)}
		}
	}
	token, hash := newToken(k.ID)
	k.Hash = hash
	err := g.store.Update(ctx, func(tx Tx) error {
		p, err := partner(tx, strings.ToLower(strings.TrimSpace(partnerID)))
		if errors.Is(err, ErrNotFound) {
			return &ErrInput{fmt.Sprintf("no partner is %s", partnerID)}
		}
		if err != nil {
			return err
		}
		k.Partner = p.ID
		if k.CreatedBy, err = g.keyKeeper(by, p.ID); err != nil {
			return err
		}
		return putJSON(tx, spaceAPIKey, k.ID, k)
	})
	if err != nil {
		return APIKey{}, "", err
	}
	g.log.Info("API key made", "key", k.ID, "partner", k.Partner, "by", k.CreatedBy)
	return k.APIKey, token, nil
}

// keyKeeper returns the name of who sees to a partner's keys; *ErrInput if the person may not.
func (g *Gateway) keyKeeper(by, partnerID string) (string, error) {
	person, err := g.person(by)
	if err != nil {
		return "", err
	}
	if !person.May(ActApprove, &Registration{Partner: partnerID}) {
		return "", &ErrInput{fmt.Sprintf("the role of %s does not permit it", person.Name)}
	}
	return person.Name, nil
}

// RevokeAPIKey ends a key at once; ErrNotFound, *ErrInput. One that is revoked stays so, with
// who did it first.
func (g *Gateway) RevokeAPIKey(ctx context.Context, id, by string) (k APIKey, err error) {
	err = g.store.Update(ctx, func(tx Tx) error {
		stored, err := apiKey(tx, id)
		if err != nil {
			return fmt.Errorf("API key %s: %w", id, err)
		}
		name, err := g.keyKeeper(by, stored.Partner)
		if err != nil {
			return err
		}
		if stored.Revoked.IsZero() {
			stored.Revoked, stored.RevokedBy = g.stamp(), name
		}
		k = stored.APIKey
		return putJSON(tx, spaceAPIKey, id, stored)
	})
	if err != nil {
		return APIKey{}, err
	}
	g.log.Info("API key revoked", "key", k.ID, "partner", k.Partner, "by", k.RevokedBy)
	return k, nil
}

// APIKeys returns the keys of a partner, or all if that is "", by id.
func (g *Gateway) APIKeys(ctx context.Context, partnerID string) ([]APIKey, error) {
	var all []APIKey
	for after := ""; ; {
		var page []Entry
		err := g.store.View(ctx, func(tx Tx) (err error) {
			page, err = tx.ScanRecords(spaceAPIKey, "", after, apiKeyPage)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, e := range page {
			var k storedKey
			if err := decode(e, &k); err != nil {
				return nil, err
			}
			if partnerID == "" || k.Partner == partnerID {
				all = append(all, k.APIKey)
			}
		}
		if len(page) < apiKeyPage {
			return all, nil
		}
		after = page[len(page)-1].Key
	}
}

// Authenticate returns the key that a token is; ErrKeyInvalid, ErrPartnerBarred. That the check
// sum of a token is wrong everybody can work out; whatever else is wrong takes as long as if
// nothing were.
func (g *Gateway) Authenticate(ctx context.Context, token string) (APIKey, error) {
	id, sum, ok := readToken(token)
	if !ok {
		return APIKey{}, ErrKeyInvalid
	}
	var k storedKey
	var p Partner
	err := g.store.View(ctx, func(tx Tx) (err error) {
		if k, err = apiKey(tx, id); errors.Is(err, ErrNotFound) {
			k = storedKey{Hash: strings.Repeat("0", hex.EncodedLen(sha256.Size))}
		} else if err != nil {
			return err
		}
		p, err = partner(tx, k.Partner)
		return ignoreNotFound(err)
	})
	if err != nil {
		return APIKey{}, fmt.Errorf("API key %s: %w", id, err)
	}
	now := g.stamp()
	same := subtle.ConstantTimeCompare([]byte(k.Hash), []byte(sum)) == 1
	switch {
	case !same, !k.good(now), p.ID == "":
		return APIKey{}, ErrKeyInvalid
	case p.barred(now):
		return APIKey{}, ErrPartnerBarred
	}
	if today := now.Format(time.DateOnly); k.Used != today {
		k.Used = today
		g.noteUse(ctx, id, today)
	}
	return k.APIKey, nil
}

// noteUse puts down the day on which a key was used. A key whose use can't be noted works.
func (g *Gateway) noteUse(ctx context.Context, id, day string) {
	err := g.store.Update(ctx, func(tx Tx) error {
		k, err := apiKey(tx, id)
		if err != nil || k.Used >= day {
			return err
		}
		k.Used = day
		return putJSON(tx, spaceAPIKey, id, k)
	})
	if err != nil && ctx.Err() == nil {
		g.log.Warn("note the use of an API key", "key", id, "err", err)
	}
}

func apiKey(tx Records, id string) (k storedKey, err error) {
	err = getJSON(tx, spaceAPIKey, id, &k)
	return k, err
}

// A token is lgk_ID_SECRET with a check sum at its end, so that scanners for secrets know one
// when they see it and a typing error is told from a wrong key. The secret is 256 random bits:
// nobody can guess it, so its hash needs no salt and no work.
const (
	tokenPrefix = "lgk_"
	tokenIDLen  = 12
	secretLen   = 43 // base62 digits of 256 bits
	checkLen    = 6  // base62 digits of 32 bits
	idSymbols   = "0123456789abcdefghjkmnpqrstvwxyz"
	base62      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

var tokenForm = regexp.MustCompile(`^` + tokenPrefix + `([0-9a-hjkmnp-tv-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$`)

func keyID() string {
	var b [tokenIDLen]byte
	fillRandom(b[:])
	for i := range b {
		b[i] = idSymbols[b[i]%byte(len(idSymbols))] // 32 symbols: none comes more often
	}
	return string(b[:])
}

// newToken returns the token of a new secret, and what is stored of it.
func newToken(id string) (token, hash string) {
	var secret [32]byte
	fillRandom(secret[:])
	body := tokenPrefix + id + "_" + inBase62(secret[:], secretLen)
	return body + tokenCheck(body), tokenHash(body)
}

// readToken returns the id that a token names and the hash of its secret.
func readToken(token string) (id, hash string, ok bool) {
	m := tokenForm.FindStringSubmatch(token)
	if m == nil {
		return "", "", false
	}
	body := strings.TrimSuffix(token, m[3])
	return m[1], tokenHash(body), tokenCheck(body) == m[3]
}

// tokenHash is over the id too, so that a stored hash is good in its own place alone.
func tokenHash(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func tokenCheck(body string) string {
	n := crc32.ChecksumIEEE([]byte(body))
	return inBase62([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, checkLen)
}

// inBase62 writes bytes as a number of so many digits.
func inBase62(b []byte, digits int) string {
	n, sixtyTwo, digit := new(big.Int).SetBytes(b), big.NewInt(int64(len(base62))), new(big.Int)
	out := make([]byte, digits)
	for i := digits - 1; i >= 0; i-- {
		n.DivMod(n, sixtyTwo, digit)
		out[i] = base62[digit.Int64()]
	}
	return string(out)
}

func fillRandom(b []byte) {
	if _, err := rand.Read(b); err != nil {
		panic(err) // documented never to happen
	}
}
