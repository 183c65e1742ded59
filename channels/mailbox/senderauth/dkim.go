package senderauth

import (
	"bytes"
	"context"
	"io"
	"strings"

	"github.com/emersion/go-msgauth/dkim"

	"leadgate/channels/mailbox/mailparse"
)

const (
	maxSignatures = 5        // that are verified of one mail
	maxBlank      = 64 << 10 // bytes of white space in a row
)

// evidence is what one check of ours found.
type evidence struct {
	// domain is proven to have sent the mail, and aligned with From; empty if none is.
	domain string
	how    string
	// temporary says that the DNS did not answer, so that a later check may prove it.
	temporary bool
}

// checkDKIM verifies the signatures (RFC 6376) of domains that are aligned with domain. One
// of the same domain is preferred, since its owner may not accept another.
//
// Signatures are verified one at a time, as if the mail had no other: a mail list that signs
// what it forwards does not push the author's out, and what the library does it does in this
// goroutine. A signature that covers other signatures is lost by it; they are rare.
func checkDKIM(ctx context.Context, dns *lookups, raw io.ReadSeeker, domain string) evidence {
	h, err := headerOf(raw)
	if err != nil {
		return evidence{how: "DKIM not checked: " + err.Error()}
	}
	places := h.signatures(domain)
	if len(places) == 0 {
		return evidence{how: "no aligned DKIM signature"}
	}
	var best evidence
	for _, place := range places[:min(len(places), maxSignatures)] {
		e := verify(ctx, dns, raw, h, place)
		switch {
		case e.domain == domain:
			return e
		case best == evidence{}, e.domain != "" && best.domain == "", e.temporary && best.domain == "":
			best = e
		}
	}
	return best
}

func headerOf(raw io.ReadSeeker) (rawHeader, error) {
	if raw == nil {
		return rawHeader{}, errNotWhole
	}
	if _, err := raw.Seek(0, io.SeekStart); err != nil {
		return rawHeader{}, errNotWhole
	}
	return readHeader(raw)
}

// verify verifies one signature.
func verify(ctx context.Context, dns *lookups, raw io.ReadSeeker, h rawHeader, place int) evidence {
	if _, err := raw.Seek(h.size, io.SeekStart); err != nil {
		return evidence{how: "DKIM not checked: " + errNotWhole.Error()}
	}
	body := &steady{ctx: ctx, r: raw}
	found, err := dkim.VerifyWithOptions(io.MultiReader(bytes.NewReader(h.with(place)), body), &dkim.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return dns.LookupTXT(ctx, name) },
		MaxVerifications: 1,
	})
	signer := ascii(claimed(h.fields[place].raw))
	switch {
	case ctx.Err() != nil:
		return evidence{how: "DKIM could not be checked now: no time left", temporary: true}
	case err != nil || len(found) != 1 || body.cut:
		return evidence{how: "DKIM not checked: the mail could not be read"}
	case dkim.IsTempFail(found[0].Err):
		return evidence{how: "DKIM could not be checked now: no key of " + mailparse.Clipped(signer), temporary: true}
	case found[0].Err != nil:
		return evidence{how: "the DKIM signature of " + mailparse.Clipped(signer) + " is no good (" + mailparse.Clipped(strings.TrimPrefix(found[0].Err.Error(), "dkim: ")) + ")"}
	case ascii(found[0].Domain) != signer:
		return evidence{how: "the DKIM signature is ambiguous"}
	}
	return evidence{domain: signer, how: "dkim=pass for " + mailparse.Clipped(signer) + ", verified here"}
}

// steady reads a body. It ends where ctx does, and where white space goes on for longer than
// anybody writes: the library keeps and copies all of it, since at the end of a mail it
// does not count. Then cut is true.
type steady struct {
	ctx   context.Context
	r     io.Reader
	blank int
	cut   bool
}

func (s *steady) Read(p []byte) (int, error) {
	if s.cut || s.ctx.Err() != nil {
		s.cut = true
		return 0, io.EOF
	}
	n, err := s.r.Read(p)
	for i, c := range p[:n] {
		if c != '\r' && c != '\n' && c != ' ' && c != '\t' {
			s.blank = 0
			continue
		}
		if s.blank++; s.blank > maxBlank {
			s.cut = true
			return i, io.EOF
		}
	}
	return n, err
}
