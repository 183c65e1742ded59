package mailparse

import "io"

// embedded reads a message within this one: that which a report is about, of which only the
// header matters, or one that was sent as an attachment.
func (w *walker) embedded(h Header, a Attachment) delimiter {
	r := &partReader{w: w, sum: w.digest(0)}
	r.dec = newLineDecoder(h.Get("Content-Transfer-Encoding"), r, &w.decoded)
	switch {
	case w.parsed.Report != "":
		inner := w.within(r)
		inner.skipPreamble()
		if h := inner.header(); len(h) > 0 && (w.parsed.Delivery == nil || w.parsed.Delivery.Original == nil) {
			w.parsed.delivery().Original = h
		}
		inner.release()
	case w.nested == maxNested, w.budget.forwarded == maxForwarded:
		w.parsed.limit("forwarded")
	default:
		w.budget.forwarded++
		inner := w.within(r)
		_ = inner.message() // r has no errors of its own
		p := inner.parsed
		inner.release()
		for _, name := range p.Limits {
			w.parsed.limit(name)
		}
		below := p.Forwarded
		p.Forwarded = nil
		if len(p.Header) > 0 || p.Text != "" || p.HTML != "" {
			w.parsed.Forwarded = append(w.parsed.Forwarded, p)
		}
		w.parsed.Forwarded = append(w.parsed.Forwarded, below...)
	}
	_, _ = io.Copy(io.Discard, r)
	w.attach(a, r.sum)
	return r.end
}

// within returns a walker for a message within this one.
func (w *walker) within(r io.Reader) *walker {
	inner := newWalker(r, w.budget)
	inner.nested = w.nested + 1
	return inner
}

// partReader reads the decoded body of a part of w, and hashes it.
type partReader struct {
	w    *walker
	dec  lineDecoder
	sum  *digest
	buf  []byte // decoded and not yet read
	from int    // where buf is read
	done bool
	end  delimiter
}

// Write takes what the decoder decoded.
func (r *partReader) Write(p []byte) (int, error) {
	r.buf = append(r.buf, p...)
	return r.sum.Write(p)
}

func (r *partReader) Read(p []byte) (int, error) {
	const enough = 16 << 10
	if r.from == len(r.buf) {
		r.buf, r.from = r.buf[:0], 0
		for !r.done && len(r.buf) < enough {
			r.end, r.done = r.w.step(r.dec)
		}
		if len(r.buf) == 0 {
			return 0, io.EOF
		}
	}
	n := copy(p, r.buf[r.from:])
	r.from += n
	return n, nil
}
