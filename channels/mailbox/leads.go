package mailbox

import (
	"slices"
	"strings"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
	"leadgate/intake/extract"
)

// registered reports whether leads were written as registrations: one of them says who the
// prospect is, in a form. Sentences of programs and newsletters name companies as well. In
// a thread of ours a form without the name will do.
func registered(leads []extract.Lead, inThread bool) bool {
	return slices.ContainsFunc(leads, func(l extract.Lead) bool {
		for f, e := range l.Evidence {
			if inForm(e) && (inThread || naming(f)) {
				return true
			}
		}
		return false
	})
}

// formed reports whether leads were written by a program that registers them, like a form on a
// partner's site: one says in two ways who the prospect is, and something more. Tickets, receipts and newsletters have labels too. In a thread of ours any form will
// do.
func formed(leads []extract.Lead, inThread bool) bool {
	if inThread {
		return registered(leads, true)
	}
	return slices.ContainsFunc(leads, func(l extract.Lead) bool {
		who, all := 0, 0
		for f, e := range l.Evidence {
			if inForm(e) {
				all++
				if naming(f) || f == intake.FieldContactName {
					who++
				}
			}
		}
		return who > 1 && all > 2
	})
}

// inForm reports whether a value was read from a label, a table or a file rather than from a
// sentence.
func inForm(e extract.Evidence) bool {
	switch e.Method {
	case "label", "table", "next line", "card", "answer":
		return true
	}
	return false
}

// naming reports whether a field says who the prospect is.
func naming(f intake.Field) bool {
	switch f {
	case intake.FieldCompanyName, intake.FieldCompanyDomain, intake.FieldContactEmail:
		return true
	}
	return false
}

// named reports whether one of the leads says who the prospect is, in whatever words. A link
// or an address that merely stands there does not.
func named(leads []extract.Lead) bool {
	return slices.ContainsFunc(leads, func(l extract.Lead) bool {
		for f, e := range l.Evidence {
			if naming(f) && e.Method != "scan" && e.Method != "address" && e.Method != "signature" {
				return true
			}
		}
		return false
	})
}

// passesBounceOn reports whether a person sends on a bounce, by what the mail is called
// behind its prefixes.
func passesBounceOn(p *mailparse.Parsed) bool {
	subject := clipRunes(p.Subject, maxSubject)
	bare := subject
	for replyPrefix.MatchString(bare) {
		bare = replyPrefix.ReplaceAllString(bare, "")
	}
	return bare != subject && bounceSubject.MatchString(strings.TrimSpace(bare))
}

// notOfBounces drops what was read of a bounce that a person passes on, unless it holds a
// registration in a form: mail servers write of users and hosts.
func notOfBounces(u *understood) {
	if passesBounceOn(&u.mail) && !registered(u.read.Leads, false) {
		u.read.Leads, u.read.Class = nil, extract.ClassNotALead
	}
}
