// Package senderauth decides how well it is proven that a mail comes from its From address.
// It owns the reading of what mail servers say about a sender, and our own checks of SPF,
// DKIM and DMARC. It refuses to guess: what is not proven is unverified, with words for
// staff that say what was missing. It changes no mail and keeps nothing.
//
// # The modes, and what each trusts
//
// The key sender_proof of a mailbox chooses one.
//
//	mode                     trusts                                      risk
//	authentication-results   what your border mail server wrote on top   a border that lets senders' own fields of its name in
//	  with microsoft         the topmost field, which has no name        mail that does not come through Exchange Online
//	  with verify_dkim       besides, signatures that we verify          the DNS that this machine asks
//	direct                   SPF, DKIM and DMARC as we check them        the DNS; only if senders' servers deliver to us
//	trusted-networks         whoever delivers from these networks        whoever can send from there can be any partner
//	none                     everybody                                   anybody can claim to be any partner
//	(not set)                nobody                                      none; nothing is answered by itself
//
// Where the header counts, the sender of a mail is unverified whose header others may read
// differently: a line in it is no field, or a field is there twice that a mail has once. What
// was verified need not be what we read then.
//
// # authentication-results
//
// Every mail server that takes mail from the internet checks it and writes the outcome on
// top of the mail (RFC 8601), under a name of its own, the authserv-id. We believe the
// fields of that name, and only in the topmost block: what stands below the next Received
// field may be the sender's.
//
// To find the name, open a mail that came from outside, show its source, and look at the
// topmost Authentication-Results. The name is the first word:
//
//	Authentication-Results: mx.example.com; dkim=pass header.d=partner.example; dmarc=pass …
//	                        ^^^^^^^^^^^^^^
//
// The sender is proven by dmarc=pass of the domain of From, or, if nothing was said about
// DMARC, by dkim=pass of a domain of the same organisation. dmarc=fail ends it. SPF alone
// does not count here, since the field does not tell whether the mail was forwarded.
//
// The border must remove fields of its own name that come in from outside (RFC 8601, section
// 5). Not every one does so by itself, and OpenDKIM can remove the wrong one of several. Try
// it: send yourself a mail with two fields of that name that you made up. A border that
// always writes a result of DKIM and of DMARC, be it none, is safe in either case: of each
// method the topmost result counts, and a field below is not looked at. From one that writes
// DKIM alone, a dmarc=pass below its own result is not believed either.
//
//	# Google Workspace, Gmail
//	sender_proof: { mode: authentication-results, authserv_id: mx.google.com }
//
//	# Postfix with rspamd, whose milter_headers uses the routine authentication-results: by
//	# default the name is the host's
//	sender_proof: { mode: authentication-results, authserv_id: mail.example.com }
//
//	# Postfix with OpenDKIM and OpenDMARC: AuthservID in the files of both, the same name
//	sender_proof: { mode: authentication-results, authserv_id: mail.example.com }
//
//	# a provider of many servers; *. stands for every name below, and only for those
//	sender_proof: { mode: authentication-results, authserv_ids: ["*.mail.yahoo.com"] }
//
//	# iCloud signs each check with a name of its own
//	sender_proof:
//	  mode: authentication-results
//	  authserv_ids: [bimi.icloud.com, dmarc.icloud.com, dkim-verifier.icloud.com, spf.icloud.com]
//
// Exchange Online (Microsoft 365) writes no name. With microsoft: true a field without one
// is believed if it is the topmost of all and only hops between Microsoft's own hosts stand
// above it. Set it for a mailbox that lies at Exchange Online and for no other: elsewhere a
// field without a name is the sender's. A local Exchange that mail reaches from Exchange
// Online adds a hop, so that nothing is proven; there use verify_dkim.
//
//	sender_proof: { mode: authentication-results, microsoft: true }
//
// ARC fields (RFC 8617) are not looked at: they are the word of forwarders.
//
// # verify_dkim
//
// Where the results leave it open, we verify the signatures (RFC 6376) ourselves, over the
// mail as it came. It needs a DNS resolver that answers truly, and mail that reached us
// unchanged: a server that rewrites subjects or adds footers breaks signatures. A mail that
// is too large to be kept whole is not proven so.
//
//	sender_proof: { mode: authentication-results, authserv_id: mx.example.com, verify_dkim: true }
//
// # direct
//
// Leadgate is the border: the MX record points to it, and senders' servers deliver to it. We
// check DKIM as above, and SPF (RFC 7208) of the delivering address; either proves the
// sender if its domain is aligned with From as the domain's DMARC policy asks (RFC 7489).
// Behind another mail server SPF would be that server's: networks of relays of your own go
// to trusted_networks, and mail from private addresses is never judged by SPF. A record that
// lets everybody send proves nothing.
//
//	direct: { listen: "0.0.0.0:25" }
//	sender_proof: { mode: direct }
//
// If the DNS does not answer, the sender is unverified for now, and the verdict says so
// (Verdict.Temporary): the mail waits for a few hours before it is taken in like that.
package senderauth
