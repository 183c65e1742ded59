package mailbox

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"

	"leadgate/channels/mailbox/mailparse"
)

// tokens makes and checks the Message-IDs of our answers, <lg.CASE.N.MAC@domain>. The MAC is
// an HMAC-SHA256 over the rest, cut to 80 bits: whoever names such an id has seen an answer
// of ours about that case. The domain is not part of it.
type tokens struct {
	key    []byte
	domain string
}

const tokenMAC = 16 // letters of base32

var lowerBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// messageID returns the Message-ID of the message id "CASE.N", without angle brackets.
func (t tokens) messageID(id string) string {
	return "lg." + id + "." + t.mac(id) + "@" + t.domain
}

func (t tokens) mac(id string) string {
	h := hmac.New(sha256.New, t.key)
	h.Write([]byte("message-id\x00" + strings.ToUpper(id)))
	return lowerBase32.EncodeToString(h.Sum(nil)[:10])
}

// parse returns the case number that a Message-ID proves to be known.
func (t tokens) parse(messageID string) (caseNumber string, ok bool) {
	local, _, found := strings.Cut(strings.Trim(messageID, "<> "), "@")
	if !found || len(local) > 100 || !strings.HasPrefix(strings.ToLower(local), "lg.") {
		return "", false
	}
	i := strings.LastIndexByte(local, '.')
	id, mac := local[len("lg."):max(i, len("lg."))], strings.ToLower(local[i+1:])
	caseNumber, _, found = strings.Cut(id, ".")
	if !found || len(mac) != tokenMAC || !hmac.Equal([]byte(mac), []byte(t.mac(id))) {
		return "", false
	}
	return strings.ToUpper(caseNumber), true
}

// thread returns the case that a mail answers: by In-Reply-To, else by the newest of its
// References that is ours.
func (t tokens) thread(p *mailparse.Parsed) (caseNumber string, ok bool) {
	for _, ids := range [][]string{p.InReplyTo, p.References} {
		for i := len(ids) - 1; i >= 0; i-- {
			if c, ok := t.parse(ids[i]); ok {
				return c, true
			}
		}
	}
	return "", false
}

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
