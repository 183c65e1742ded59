package mailbox

import (
	"strings"

	"leadgate/channels/mailbox/mailparse"
)

// ReturnPath says where bounces of answers go.
type ReturnPath string

// The return paths.
const (
	// ReturnVERP is an address of its own for each answer, partners+b.TOKEN@domain, so that a
	// bounce is known whatever it says. The mail server has to deliver mail to such addresses.
	ReturnVERP ReturnPath = "verp"
	// ReturnAddress is the address of the mailbox.
	ReturnAddress ReturnPath = "address"
	// ReturnEmpty is the empty one: there are no bounces.
	ReturnEmpty ReturnPath = "empty"
)

// withReturn fills in where bounces and answers go.
func (c Config) withReturn() Config {
	plain := !c.hasPlus()
	c.ReturnPath = or(c.ReturnPath, map[bool]ReturnPath{true: ReturnVERP, false: ReturnAddress}[plain])
	return c
}

// hasPlus reports whether the address of the mailbox has a plus already, so that there is no
// room for another.
func (c Config) hasPlus() bool { return strings.Contains(c.Address, "+") }

func (c Config) validateReturn(f *faults) {
	switch c.ReturnPath {
	case ReturnVERP, ReturnAddress, ReturnEmpty:
	default:
		f.addf("return_path %q: want verp, address or empty", c.ReturnPath)
	}
	if c.hasPlus() && c.ReturnPath == ReturnVERP {
		f.addf("return_path verp: %s has a plus already", c.Address)
	}
	if c.hasPlus() && c.ReplyToken != nil && *c.ReplyToken {
		f.addf("reply_token: %s has a plus already", c.Address)
	}
}

// validateHumans wants addresses or domains.
func validateHumans(f *faults, list []string) {
	for _, who := range list {
		if !isAddress(who) && (strings.Contains(who, "@") || !isAddress("x@"+who)) {
			f.addf("treat_as_human %q: want an address or a domain", who)
		}
	}
}

const maxLocal = 64 // bytes of a local part: RFC 5321, section 4.5.3.1.1

// tagged returns the address of this mailbox with a tag that proves to know id. It is false
// where the local part has no room for one.
func (m *Mailbox) tagged(p purpose, id string) (string, bool) {
	i := strings.LastIndexByte(m.cfg.Address, '@')
	local := m.cfg.Address[:i] + "+" + m.tokens.tag(p, id)
	if m.cfg.hasPlus() || len(local) > maxLocal {
		return "", false
	}
	return local + m.cfg.Address[i:], true
}

// returnPath is the envelope sender of the message id.
func (m *Mailbox) returnPath(id string) string {
	switch m.cfg.ReturnPath {
	case ReturnEmpty:
		return ""
	case ReturnAddress:
		return m.cfg.Address
	}
	if m.plainReturn.Load() {
		return m.cfg.Address
	}
	if a, ok := m.tagged(forBounces, id); ok {
		return a
	}
	return m.cfg.Address
}

// replyTo is the address that answers to a message come to, "" if From will do. It names the
// case if there is a single one.
func (m *Mailbox) replyTo(id, caseNumber string) string {
	use := m.plusWorks.Load()
	if m.cfg.ReplyToken != nil {
		use = *m.cfg.ReplyToken
	}
	if !use {
		return ""
	}
	a, _ := m.tagged(forReplies, or(caseNumber, id))
	return a
}

// foundTag is a tag of our form in an address of this mailbox; id is "" if it is forged.
type foundTag struct {
	purpose purpose
	id      string
}

// tagsOf returns the tags of our form in the addresses that a mail was sent to.
func (m *Mailbox) tagsOf(p *mailparse.Parsed, envelope []string) []foundTag {
	var out []foundTag
	seen := make(map[string]bool)
	for _, a := range append(p.DeliveredTo(), envelope...) {
		a = strings.ToLower(a)
		if seen[a] {
			continue
		}
		seen[a] = true
		if t := m.tagOf(a); t.purpose != "" {
			if t.id != "" {
				m.plusWorks.Store(true)
			}
			out = append(out, t)
		}
	}
	return out
}

// tagOf returns the tag in an address of this mailbox; it is zero if there is none of our form.
func (m *Mailbox) tagOf(address string) foundTag {
	if !m.own.has(address) {
		return foundTag{}
	}
	_, tag, _ := strings.Cut(address[:strings.LastIndexByte(address, '@')], "+")
	purpose, id := m.tokens.openTag(tag)
	return foundTag{purpose, id}
}
