package mailbox

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Ids are packed into addresses, whose local part may have 64 bytes (RFC 5321, section
// 4.5.3.1.1). The first byte says how.
const (
	packedText    = 0 // the id itself
	packedNumbers = 1 // the numbers of which a case number or a message id of a case is made
	packedRandom  = 2 // of "S-0123456789abcdef.1": the letter, the bytes and the number
)

var numbersOfID = regexp.MustCompile(`^([A-Z0-9]{1,8})-([0-9]{4})-([0-9]{6,7})-([0-9A-Z])(?:\.([0-9]{1,9})(?:\.([0-9]{1,18}))?)?$`)

var randomID = regexp.MustCompile(`^([A-Z])-((?:[0-9a-f]{2}){1,32})\.([0-9]{1,9})$`)

// pack returns id in few bytes. What is not of the usual form, or would come back otherwise,
// is packed as it is.
func pack(id string) []byte {
	for _, b := range [][]byte{packNumbers(id), packRandom(id)} {
		if b != nil && unpack(b) == id {
			return b
		}
	}
	return append([]byte{packedText}, id...)
}

func packRandom(id string) []byte {
	parts := randomID.FindStringSubmatch(id)
	if parts == nil {
		return nil
	}
	random, err := hex.DecodeString(parts[2])
	if err != nil { // the pattern has let it through
		panic(err)
	}
	b := []byte{packedRandom, parts[1][0], byte(len(random))}
	return binary.AppendUvarint(append(b, random...), number(parts[3], 10))
}

func unpackRandom(b []byte) string {
	if len(b) < 2 || len(b) < 3+int(b[1]) {
		return ""
	}
	random, rest := b[2:2+int(b[1])], b[2+int(b[1]):]
	n, size := binary.Uvarint(rest)
	if size != len(rest) {
		return ""
	}
	return fmt.Sprintf("%c-%x.%d", b[0], random, n)
}

const firstYear = 2000

func packNumbers(id string) []byte {
	parts := numbersOfID.FindStringSubmatch(id)
	if parts == nil {
		return nil
	}
	year := number(parts[2], 10)
	if year < firstYear {
		return nil
	}
	b := []byte{packedNumbers}
	b = binary.AppendUvarint(b, number(parts[1], 36))
	b = binary.AppendUvarint(b, year-firstYear)
	b = binary.AppendUvarint(b, number(parts[3], 10)*36+number(parts[4], 36))
	for _, s := range parts[5:] {
		if s != "" {
			b = binary.AppendUvarint(b, number(s, 10))
		}
	}
	return b
}

// number reads digits that a pattern has let through.
func number(s string, base int) uint64 {
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// unpack undoes pack; "" if b is nothing packed.
func unpack(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	switch b[0] {
	case packedText:
		return string(b[1:])
	case packedNumbers:
		return unpackNumbers(b[1:])
	case packedRandom:
		return unpackRandom(b[1:])
	}
	return ""
}

func unpackNumbers(b []byte) string {
	var n []uint64
	for len(b) > 0 {
		v, size := binary.Uvarint(b)
		if size <= 0 {
			return ""
		}
		n, b = append(n, v), b[size:]
	}
	if len(n) < 3 || len(n) > 5 {
		return ""
	}
	id := fmt.Sprintf("%s-%04d-%06d-%s", base36(n[0]), firstYear+n[1], n[2]/36, base36(n[2]%36))
	for _, v := range n[3:] {
		id += "." + strconv.FormatUint(v, 10)
	}
	return id
}

func base36(n uint64) string { return strings.ToUpper(strconv.FormatUint(n, 36)) }
