package senderauth

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"

	"blitiri.com.ar/go/spf"

	"leadgate/channels/mailbox/mailparse"
)

// checkSPF asks whether the domain of the envelope sender, which must be aligned with
// domain, lets the delivering peer send for it (RFC 7208). A forwarder delivers with a
// sender of its own, which is not aligned.
func checkSPF(ctx context.Context, dns *lookups, relays []netip.Prefix, e Envelope, domain string) evidence {
	if !e.Direct {
		return evidence{how: "SPF not checked: the mail was fetched"}
	}
	if !judgeable(e.IP, relays) {
		return evidence{how: "SPF not checked: delivered by " + e.peer() + ", which is no server of a sender"}
	}
	sender := e.MailFrom
	if sender == "" {
		sender = "postmaster@" + e.Hello // RFC 7208, section 2.4
	}
	local, claimed, _ := strings.Cut(sender, "@")
	claimed = ascii(claimed)
	if !isHost(claimed) { // a second @ included
		return evidence{how: "SPF not checked: the envelope sender has no domain"}
	}
	if !aligned(claimed, domain) {
		return evidence{how: "SPF is of no account: the envelope sender is of " + mailparse.Clipped(claimed)}
	}
	result, why := spf.CheckHostWithSender(e.IP.Unmap().AsSlice(), e.Hello, local+"@"+claimed, spf.WithContext(ctx), spf.WithResolver(dns))
	switch {
	case dns.exhausted():
		return evidence{how: "SPF is of no account: the record of " + mailparse.Clipped(claimed) + " asks too much of the DNS"}
	case result == spf.TempError || ctx.Err() != nil:
		return evidence{how: "SPF could not be checked now: no answer for " + mailparse.Clipped(claimed), temporary: true}
	case result != spf.Pass:
		return evidence{how: "spf=" + string(result) + " for " + mailparse.Clipped(claimed)}
	case errors.Is(why, spf.ErrMatchedAll):
		return evidence{how: "SPF is of no account: " + mailparse.Clipped(claimed) + " lets everybody send for it"}
	}
	return evidence{domain: claimed, how: "spf=pass for " + mailparse.Clipped(claimed) + ", checked here"}
}

// judgeable reports whether an address can be that of a sender's mail server: not one of
// ours, and not one that many networks have.
func judgeable(ip netip.Addr, relays []netip.Prefix) bool {
	ip = ip.Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !Contains(relays, ip)
}

var _ spf.DNSResolver = Resolver(nil)

var _ Resolver = (*net.Resolver)(nil)
