package mailparse

import (
	"bufio"
	"bytes"
)

// signed reads what is within an opaque signature, as if it stood there without.
func (w *walker) signed(h Header, a Attachment, p params, depth int) delimiter {
	sum := w.digest(maxSigned)
	sum.kept.b = w.body.b[:0]
	d := w.decode(h, sum)
	w.body.b = sum.kept.b
	w.attach(a, sum)
	content := signedContent(sum.kept.b)
	if content == nil {
		w.seals.note(a.Media, a.Name, p)
		return d
	}
	outer := w.source
	w.source = source{r: bufio.NewReaderSize(bytes.NewReader(content), readSize)}
	w.entity(w.header(), depth+1, "")
	w.source = outer
	return d
}

// signedContent returns a copy of what an opaque signed message (RFC 8551, section 3.5.2)
// was made over: a part with its header. The signature is not checked. It returns nil if b
// is no such message, or is cut off.
func signedContent(b []byte) []byte {
	// ContentInfo of signed-data, then SignedData up to its content (RFC 5652, section 5.1).
	r := berReader{left: maxElements}
	b = r.within(b, berSequence)
	b = r.within(afterOID(b, oidSignedData), berExplicit)
	b = r.within(b, berSequence)
	for range 2 { // the version and the algorithms
		e, _ := r.element(b, 0)
		b = e.rest
	}
	b = r.within(b, berSequence)
	b = r.within(afterOID(b, oidData), berExplicit)
	e, _ := r.element(b, 0)
	return r.octets(e, nil, 0)
}

var (
	oidData       = []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")
	oidSignedData = []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
)

// afterOID returns what follows an object identifier, nil if b does not begin with it.
func afterOID(b, oid []byte) []byte {
	if rest, ok := bytes.CutPrefix(b, oid); ok {
		return rest
	}
	return nil
}

const (
	berOctets   = 0x04
	berPieces   = 0x24 // of an octet string
	berSequence = 0x30
	berExplicit = 0xa0

	maxElements = 1 << 20 // that are read in all
	maxBERDepth = 16
)

// berReader reads BER (X.690), of which encoding/asn1 knows only the part that is DER.
type berReader struct {
	left int // elements
}

type berElement struct {
	tag        byte
	body, rest []byte
}

// element reads the element that b begins with.
func (r *berReader) element(b []byte, depth int) (e berElement, ok bool) {
	if r.left--; r.left < 0 || len(b) < 2 || depth > maxBERDepth || b[0]&0x1f == 0x1f {
		return berElement{}, false
	}
	tag, n := b[0], int(b[1])
	b = b[2:]
	if n == 0x80 { // up to two zero bytes
		rest := b
		for !bytes.HasPrefix(rest, []byte{0, 0}) {
			child, ok := r.element(rest, depth+1)
			if !ok {
				return berElement{}, false
			}
			rest = child.rest
		}
		return berElement{tag, b[:len(b)-len(rest)], rest[2:]}, true
	}
	if size := n - 0x80; size > 0 {
		if size > 4 || size > len(b) {
			return berElement{}, false
		}
		n = 0
		for _, c := range b[:size] {
			n = n<<8 | int(c)
		}
		b = b[size:]
	}
	if n > len(b) {
		return berElement{}, false
	}
	return berElement{tag, b[:n], b[n:]}, true
}

// within returns the body of the element that b begins with, nil if its tag is another.
func (r *berReader) within(b []byte, tag byte) []byte {
	e, ok := r.element(b, 0)
	if !ok || e.tag != tag {
		return nil
	}
	return e.body
}

// octets appends the bytes of an octet string, which may come in pieces.
func (r *berReader) octets(e berElement, out []byte, depth int) []byte {
	switch e.tag {
	case berOctets:
		return append(out, e.body...)
	case berPieces:
		for rest := e.body; len(rest) > 0 && depth < maxBERDepth; {
			piece, ok := r.element(rest, depth+1)
			if !ok {
				return out
			}
			out, rest = r.octets(piece, out, depth+1), piece.rest
		}
	}
	return out
}
