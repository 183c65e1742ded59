package mailbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"regexp"
	"strings"

	"leadgate/channels/mailbox/mailparse"
)

// tokens makes and checks what proves that somebody has seen a message of ours: the
// Message-IDs of our answers, <lg.CASE.N.MAC@domain>, and the tags behind the plus of the
// addresses that bounces and answers come to. Each MAC is an HMAC-SHA256 cut to 80 bits, and
// each purpose has its own, so that none can be used in place of another. The domain is not
// part of it.
type tokens struct {
	key    []byte
	domain string
}

// purpose is what a token is good for. It is part of what is signed.
type purpose string

const (
	forMessageID  purpose = "message-id"
	forBounces    purpose = "return-path"
	forReplies    purpose = "reply-to"
	forComplaints purpose = "complaint"
	forInstance   purpose = "instance"
)

const (
	macBytes   = 10
	macLetters = 16 // of base32
)

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

func mac(key []byte, p purpose, what string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(string(p) + "\x00" + what))
	return h.Sum(nil)[:macBytes]
}

// signed reports whether sum is the MAC of what.
func (t tokens) signed(p purpose, what string, sum []byte) bool {
	return hmac.Equal(sum, mac(t.key, p, what))
}

// instance is the mark of all mail of ours, 8 digits. It tells our own mail apart and proves
// nothing: everybody who was ever answered knows it.
func (t tokens) instance() string {
	return hex.EncodeToString(mac(t.key, forInstance, "instance")[:4])
}

// messageID returns the Message-ID of the message id, without angle brackets.
func (t tokens) messageID(id string) string {
	sum := mac(t.key, forMessageID, strings.ToUpper(id))
	return "lg." + id + "." + lowerBase32.EncodeToString(sum) + "@" + t.domain
}

// message returns the id of the message that a Message-ID proves to be known. Forged says
// that it looks like one of ours and is not.
func (t tokens) message(messageID string) (id string, forged bool) {
	local, domain, found := strings.Cut(strings.Trim(messageID, "<> "), "@")
	if !found || len(local) > 200 || !strings.HasPrefix(strings.ToLower(local), "lg.") {
		return "", false
	}
	i := strings.LastIndexByte(local, '.')
	id = local[len("lg."):max(i, len("lg."))]
	sum, err := lowerBase32.DecodeString(strings.ToLower(local[i+1:]))
	if err != nil || id == "" || !t.signed(forMessageID, strings.ToUpper(id), sum) {
		return "", strings.EqualFold(domain, t.domain)
	}
	if strings.Contains(id, ".") && isCaseNumber(caseOf(id)) {
		id = strings.ToUpper(id)
	}
	return id, false
}

// tag returns what proves to know id and is good for one purpose: "r." and a token for answers
// and "b." and a token for bounces, which stand behind the plus of an address, and "c." and a
// token for complaints, which stands in the header of our mail. Mail servers may change its
// case.
func (t tokens) tag(p purpose, id string) string {
	what := pack(id)
	return tagPrefix[p] + lowerBase32.EncodeToString(append(what, mac(t.key, p, string(what))...))
}

var tagPrefix = map[purpose]string{forBounces: "b.", forReplies: "r.", forComplaints: "c."}

// openTag returns what a tag of an address is for, and the id that it proves to be known. The
// id is "" if the token is not one of ours, and the purpose too if the tag has not even its
// form: people may use tags as they like.
func (t tokens) openTag(tag string) (p purpose, id string) {
	for _, p := range []purpose{forBounces, forReplies} {
		if id, ok := t.openFor(p, tag); ok {
			return p, id
		}
	}
	return "", ""
}

// openFor returns the id that a tag for one purpose proves to be known, "" if the token is not
// ours. It is false if the tag has not its form.
func (t tokens) openFor(p purpose, tag string) (id string, ok bool) {
	token, ok := strings.CutPrefix(strings.ToLower(tag), tagPrefix[p])
	if !ok {
		return "", false
	}
	b, err := lowerBase32.DecodeString(token)
	if err != nil || len(b) <= macBytes || lowerBase32.EncodeToString(b) != token {
		return "", true // the last check: one token has one form
	}
	what, sum := b[:len(b)-macBytes], b[len(b)-macBytes:]
	if !t.signed(p, string(what), sum) {
		return "", true
	}
	return unpack(what), true
}

// caseOf returns the case number in the id of a message, "" if the message is about no single
// case.
func caseOf(id string) string {
	number, _, _ := strings.Cut(strings.ToUpper(id), ".")
	if !isCaseNumber(number) {
		return ""
	}
	return number
}

func isCaseNumber(s string) bool { return subjectCase.FindString(s) == s && s != "" }

var subjectCase = regexp.MustCompile(`(?i)\b[A-Z0-9]{1,8}-[0-9]{4}-[0-9]{6,7}-[0-9A-Z]\b`)

// subjectHint returns the case number that the subject shows, the last of them; people lose
// the brackets in which we put it.
// Anybody can type it.
func subjectHint(subject string) string {
	all := subjectCase.FindAllString(subject, -1)
	if len(all) == 0 {
		return ""
	}
	return strings.ToUpper(all[len(all)-1])
}

// answered is what a mail proves to answer.
type answered struct {
	// message is the id of a message of ours, or a case number where only that is known.
	message string
	// forged counts the tokens that look like ours and are not.
	forged int
}

// caseNumber is the case that is continued, "" if there is no single one.
func (a answered) caseNumber() string { return caseOf(a.message) }

// answers returns what a mail answers: by the address that it was sent to, else by
// In-Reply-To, else by the newest of its References that is ours. Providers rewrite
// Message-IDs, but no addresses.
func (m *Mailbox) answers(p *mailparse.Parsed, envelope []string) (a answered) {
	for _, tagged := range m.tagsOf(p, envelope) {
		switch {
		case tagged.id == "":
			a.forged++
		case a.message == "":
			a.message = tagged.id
		}
	}
	for _, ids := range [][]string{p.InReplyTo, p.References} {
		for i := len(ids) - 1; i >= max(0, len(ids)-mailparse.MaxReferences); i-- {
			id, forged := m.tokens.message(ids[i])
			if forged {
				a.forged++
			}
			if a.message == "" {
				a.message = id
			}
		}
	}
	return a
}
