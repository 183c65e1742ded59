package senderauth

import (
	"context"
	"io"
	"strings"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// checkOurselves looks for proof without believing any server's word: DKIM, and for mail
// that a sender's server hands to us SPF, both aligned with From as DMARC asks (RFC 7489,
// section 3.1).
func (c *Checker) checkOurselves(ctx context.Context, m *mailparse.Parsed, raw io.ReadSeeker, e Envelope) Verdict {
	domain := ascii(m.From[0].Domain())
	switch {
	case len(m.From) > 1 || m.FromFields > 1:
		return unverified("more than one From")
	case !isHost(domain):
		return unverified("From has no domain that could be checked")
	}
	ctx, cancel := context.WithTimeout(ctx, maxLookupTime)
	defer cancel()
	dns := &lookups{r: c.resolver}
	found := []evidence{checkDKIM(ctx, dns, raw, domain)}
	if c.cfg.Mode == ModeDirect && found[0].domain != domain {
		found = append(found, checkSPF(ctx, dns, c.trusted, e, domain))
	}
	for _, f := range found {
		if f.domain == domain {
			return proven(f.how)
		}
	}
	p, unknown := lookupPolicy(ctx, dns, domain)
	return weigh(found, p, unknown)
}

// weigh decides where no check proved the very domain of From: a domain of the same
// organisation is good unless the policy is strict. found is of DKIM, and of SPF if it was
// checked. unknown says that the policy could not be asked for.
func weigh(found []evidence, p policy, unknown bool) Verdict {
	strict := []bool{p.strictDKIM, p.strictSPF}
	v := Verdict{Strength: intake.StrengthUnverified}
	var words []string
	for i, f := range found {
		switch {
		case f.domain != "" && unknown:
			v.Temporary = true
			words = append(words, f.how+", but its DMARC policy could not be checked now")
		case f.domain != "" && !strict[i]:
			return proven(f.how)
		case f.domain != "":
			words = append(words, f.how+", but "+mailparse.Clipped(p.by)+" accepts no other domain (DMARC)")
		default:
			v.Temporary = v.Temporary || f.temporary
			words = append(words, f.how)
		}
	}
	if w := p.words(); w != "" {
		words = append(words, w)
	}
	v.How = strings.Join(words, "; ")
	return v
}
