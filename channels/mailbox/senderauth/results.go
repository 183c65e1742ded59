package senderauth

import (
	"strings"

	"leadgate/channels/mailbox/mailparse"
)

// exchangeOnline is how staff are told of results without a name.
const exchangeOnline = "Exchange Online"

// microsoftHosts are what the hosts of Exchange Online are called. Only the hops between
// them may stand above its results.
var microsoftHosts = []string{".outlook.com", ".outlook.cn", ".office365.us"}

// failed are the results of DMARC that say no: fail, and what rspamd calls it by the policy.
var failed = map[string]bool{"fail": true, "reject": true, "quarantine": true, "softfail": true}

// standing is what the border's results say about a From address.
type standing string

const (
	// standingProven is dmarc=pass, or dkim=pass of an aligned domain.
	standingProven standing = "proven"
	// standingRefuted is dmarc=fail, or dmarc=pass of another domain. No further evidence is
	// asked for.
	standingRefuted standing = "refuted"
	// standingOpen is everything else: nothing was said that we believe.
	standingOpen standing = "open"
)

// finding is a standing, with words for staff.
type finding struct {
	standing standing
	how      string
}

// judge reads the topmost block of Authentication-Results (RFC 8601), which must be the
// border's: fields further down can have been written by anybody. Of each method the topmost
// result counts, but a dmarc=fail wherever it stands in the block. SPF does not count: what
// it proves is the last server that forwarded, and results don't say whether one did.
func (b border) judge(h mailparse.Header, domain string) finding {
	block := b.block(h)
	switch {
	case len(block) == 0:
		return finding{standingOpen, "no Authentication-Results"}
	case !block[0].ours:
		return finding{standingOpen, "the topmost Authentication-Results are not by " + b.String()}
	}
	dmarc := judgeDMARC(block, domain)
	if dmarc.standing != standingOpen {
		return dmarc
	}
	r, dkim := topmost(block, "dkim")
	for _, m := range dkim {
		if m.result == "pass" && aligned(m.signer(), domain) {
			if r.damaged {
				return finding{standingOpen, "the results by " + r.author() + " are damaged"}
			}
			return finding{standingProven, "dkim=pass for " + mailparse.Clipped(m.signer()) + " by " + r.author()}
		}
	}
	if dmarc.how != "" {
		return finding{standingOpen, dmarc.how + ", and no aligned dkim=pass"}
	}
	return finding{standingOpen, "neither dmarc=pass nor an aligned dkim=pass by " + block[0].author()}
}

// judgeDMARC returns what the block says of DMARC. It has no words if it says nothing.
func judgeDMARC(block []results, domain string) finding {
	for _, r := range block {
		for _, m := range r.methods {
			if r.ours && m.name == "dmarc" && failed[m.result] {
				return finding{standingRefuted, "dmarc=" + m.result + " by " + r.author()}
			}
		}
	}
	r, dmarc := topmost(block, "dmarc")
	for _, m := range dmarc {
		if m.result != "pass" {
			return finding{standingOpen, "dmarc=" + mailparse.Clipped(m.result) + " by " + r.author()}
		}
		if from, ok := m.props["header.from"]; ok && !sameDomain(domainOf(from), domain) { // some write the whole address
			return finding{standingRefuted, "dmarc=pass by " + r.author() + " is for another domain"}
		}
	}
	switch {
	case len(dmarc) == 0:
		return finding{standing: standingOpen}
	case below(block, "dmarc", "dkim"):
		return finding{standingOpen, "the dmarc result stands below one of dkim by " + r.author()}
	case r.damaged:
		return finding{standingOpen, "the results by " + r.author() + " are damaged"}
	}
	return finding{standingProven, "dmarc=pass by " + r.author()}
}

// below reports whether the topmost result of a method stands in a lower field than that of
// another. A border that checks DKIM alone may leave a forged dmarc=pass there; one that
// checks both writes DMARC, which comes last, into the same field or above.
func below(block []results, name, other string) bool {
	for _, r := range block {
		if !r.ours {
			continue
		}
		var has, hasOther bool
		for _, m := range r.methods {
			has, hasOther = has || m.name == name, hasOther || m.name == other
		}
		if has || hasOther {
			return !has
		}
	}
	return false
}

// topmost returns the first field of ours that has results of a method, and those.
func topmost(block []results, name string) (results, []method) {
	for _, r := range block {
		var found []method
		for _, m := range r.methods {
			if m.name == name {
				found = append(found, m)
			}
		}
		if r.ours && len(found) > 0 {
			return r, found
		}
	}
	return results{}, nil
}

// block returns the topmost fields that no Received field parts. A field without a name is
// Exchange Online's if it is the topmost and no hop from outside stands above it; then it is
// the whole block, since a second one would be the sender's.
func (b border) block(h mailparse.Header) []results {
	var out []results
	fromOutside := false
	for _, f := range h {
		switch {
		case strings.EqualFold(f.Name, "Authentication-Results"):
			r := parseResults(f.Value)
			if b.microsoft && len(out) == 0 && !fromOutside && r.id == "" && len(r.methods) > 0 {
				r.ours = true
				return []results{r}
			}
			r.ours = b.has(r.id)
			out = append(out, r)
		case strings.EqualFold(f.Name, "Received"):
			if len(out) > 0 {
				return out
			}
			fromOutside = fromOutside || !withinMicrosoft(f.Value)
		}
	}
	return out
}

// withinMicrosoft reports whether a Received field is a hop between hosts of Exchange Online.
func withinMicrosoft(received string) bool {
	words := strings.Fields(strings.ToLower(DropComments(received)))
	return len(words) > 3 && words[0] == "from" && isMicrosoft(words[1]) && words[2] == "by" && isMicrosoft(words[3])
}

func isMicrosoft(host string) bool {
	for _, suffix := range microsoftHosts {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// author names who wrote a field, for staff.
func (r results) author() string {
	if r.id == "" {
		return exchangeOnline
	}
	return mailparse.Clipped(r.id)
}
