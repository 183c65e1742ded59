package intake

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
)

// Numbering makes case numbers: PREFIX-YYYY-NNNNNN-C. NNNNNN is the year's counter under a
// keyed permutation, so that numbers never repeat and tell nobody how many cases there
// are; seven digits once the six are used up. C is a check symbol that catches one wrong
// character and any swap of two. A number identifies a case; knowing it gives no access.
type Numbering struct {
	prefix string
	cipher cipher.Block
}

// NewNumbering returns the numbering for a prefix of 1 to 8 letters and digits and a secret
// key that must stay the same for the life of the store.
func NewNumbering(prefix string, key []byte) (Numbering, error) {
	prefix = strings.ToUpper(prefix)
	if prefix == "" || len(prefix) > 8 || strings.Trim(prefix, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return Numbering{}, fmt.Errorf("case number prefix %q: want 1 to 8 letters or digits", prefix)
	}
	if len(key) < 16 {
		return Numbering{}, fmt.Errorf("case number key has %d bytes: want at least 16", len(key))
	}
	sum := sha256.Sum256(key)
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return Numbering{}, fmt.Errorf("case number key: %w", err)
	}
	return Numbering{prefix: prefix, cipher: block}, nil
}

const (
	sixDigits   = 1_000_000
	sevenDigits = 10_000_000
	// checkSymbols are Crockford's 32: no I, L, O, U.
	checkSymbols = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
)

// Number returns the case number for the counter n = 1, 2, 3 … of the year (4 digits). An
// error means that the year has no numbers left.
func (g Numbering) Number(year int, n uint64) (string, error) {
	if year < 1000 || year > 9999 || n == 0 || n > sevenDigits-1 {
		return "", fmt.Errorf("no case number for counter %d of year %d", n, year)
	}
	var digits string
	if n < sixDigits {
		digits = fmt.Sprintf("%06d", g.permute(year, n-1, sixDigits-1)+1)
	} else {
		digits = fmt.Sprintf("%07d", g.permute(year, n-sixDigits, sevenDigits-sixDigits)+sixDigits)
	}
	body := fmt.Sprintf("%04d-%s", year, digits)
	return g.prefix + "-" + body + "-" + string(checkSymbol(body)), nil
}

// Parse returns the canonical form of a case number that a person typed: upper case, O read
// as 0, I and L as 1, and reports whether its form and check symbol are right.
func (g Numbering) Parse(s string) (string, bool) {
	prefix, body, found := strings.Cut(strings.ToUpper(strings.TrimSpace(s)), "-")
	if !found || prefix != g.prefix {
		return "", false
	}
	body = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(body)
	parts := strings.Split(body, "-")
	if len(parts) != 3 || len(parts[0]) != 4 || len(parts[2]) != 1 ||
		len(parts[1]) < 6 || len(parts[1]) > 7 ||
		strings.Trim(parts[0]+parts[1], "0123456789") != "" {
		return "", false
	}
	if checkSymbol(parts[0]+"-"+parts[1]) != parts[2][0] {
		return "", false
	}
	return prefix + "-" + body, true
}

// permute is a keyed bijection on [0, size): a balanced Feistel network over the next even
// number of bits, walked until the value lies inside (Black and Rogaway, "Ciphers with
// Arbitrary Finite Domains", 2002).
func (g Numbering) permute(year int, n, size uint64) uint64 {
	half := uint(1)
	for uint64(1)<<(2*half) < size {
		half++
	}
	mask := uint64(1)<<half - 1
	for {
		left, right := n>>half, n&mask
		for round := range 6 {
			left, right = right, left^(g.round(year, round, right)&mask)
		}
		n = left<<half | right
		if n < size {
			return n
		}
	}
}

func (g Numbering) round(year, round int, v uint64) uint64 {
	var b [aes.BlockSize]byte
	binary.BigEndian.PutUint32(b[0:], uint32(year))
	binary.BigEndian.PutUint32(b[4:], uint32(round))
	binary.BigEndian.PutUint64(b[8:], v)
	g.cipher.Encrypt(b[:], b[:])
	return binary.BigEndian.Uint64(b[:])
}

// checkSymbol weighs each digit with its own power of x in GF(32) and adds them up. Powers
// differ and are not zero, so that one changed digit changes the sum, and so does a swap
// of two unequal digits, or of a digit with the symbol itself (weight 1).
func checkSymbol(body string) byte {
	var sum byte
	weight := byte(2) // x
	for i := len(body) - 1; i >= 0; i-- {
		if body[i] == '-' {
			continue
		}
		sum ^= gf32Mul(weight, body[i]-'0')
		weight = gf32Mul(weight, 2)
	}
	return checkSymbols[sum]
}

// gf32Mul multiplies in GF(2^5) modulo x^5+x^2+1, for which x generates all 31 units.
func gf32Mul(a, b byte) byte {
	var p byte
	for b > 0 {
		if b&1 == 1 {
			p ^= a
		}
		b >>= 1
		a <<= 1
		if a&0x20 != 0 {
			a ^= 0x25
		}
	}
	return p
}
