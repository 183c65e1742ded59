package senderauth

import (
	"context"

	"github.com/emersion/go-msgauth/dmarc"

	"leadgate/channels/mailbox/mailparse"
)

// policy is what the owner of a domain publishes about mail in its name (RFC 7489).
type policy struct {
	// by is the domain that publishes it; empty if none does.
	by string
	// asks is what shall be done with mail that nothing proves.
	asks dmarc.Policy
	// strictDKIM and strictSPF accept the very domain alone, not one of the same
	// organisation.
	strictDKIM, strictSPF bool
}

// lookupPolicy asks for the policy of a domain, and if it has none for that of its
// organisation. temporary says that the DNS did not answer.
func lookupPolicy(ctx context.Context, dns *lookups, domain string) (p policy, temporary bool) {
	options := &dmarc.LookupOptions{
		LookupTXT: func(name string) ([]string, error) { return dns.LookupTXT(ctx, name) },
	}
	record, err := dmarc.LookupWithOptions(domain, options)
	if err == nil {
		return policyOf(record, domain, record.Policy), false
	}
	organisation := Organisation(domain)
	if dmarc.IsTempFail(err) || organisation == domain {
		return policy{}, dmarc.IsTempFail(err)
	}
	record, err = dmarc.LookupWithOptions(organisation, options)
	if err != nil {
		return policy{}, dmarc.IsTempFail(err)
	}
	if record.SubdomainPolicy != "" {
		record.Policy = record.SubdomainPolicy
	}
	return policyOf(record, organisation, record.Policy), false
}

func policyOf(r *dmarc.Record, by string, asks dmarc.Policy) policy {
	return policy{
		by: by, asks: asks,
		strictDKIM: r.DKIMAlignment == dmarc.AlignmentStrict, strictSPF: r.SPFAlignment == dmarc.AlignmentStrict,
	}
}

// words says what the policy asks for, for staff; empty if it asks for nothing.
func (p policy) words() string {
	if p.asks != dmarc.PolicyReject && p.asks != dmarc.PolicyQuarantine {
		return ""
	}
	return mailparse.Clipped(p.by) + " asks to " + string(p.asks) + " such mail (DMARC)"
}
