package intake

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ClaimReceipt is a signed statement of the vendor's: which partner claimed which prospect
// when, and what had become of it. The partner keeps it as text and can prove it to anybody
// who has the vendor's public key. It names no prospect: it holds a hash that can be compared
// with a domain that one knows.
type ClaimReceipt struct {
	Case    string `json:"case"`
	Partner string `json:"partner,omitempty"`
	// Prospect is the ProspectHash of the domain, "" if the case names none.
	Prospect string    `json:"prospect,omitempty"`
	Claim    time.Time `json:"claim_time"`
	Accepted time.Time `json:"accepted_at"`
	Decided  time.Time `json:"decided_at,omitzero"`
	Status   Status    `json:"status"`
	Policy   string    `json:"policy,omitempty"` // Policy.Hash
	// Head is the hash of the last event of the case: the history before it can't be told otherwise
	// any more. How many events that were is not said: some are about others.
	Head      string `json:"head"`
	Key       string `json:"key"` // Signer.KeyID
	Signature []byte `json:"signature"`
}

// NewReceipt signs what r says now.
func NewReceipt(r Registration, s Signer) ClaimReceipt {
	c := ClaimReceipt{
		Case: r.Number, Partner: r.Partner, Claim: r.Claim, Accepted: r.Accepted, Decided: r.Decided,
		Status: r.Status, Policy: r.Policy, Head: r.Head, Key: s.KeyID(),
	}
	if domain := r.Lead[FieldCompanyDomain]; domain != "" {
		c.Prospect = ProspectHash(r.Number, domain)
	}
	c.Signature = s.Sign(c.message())
	return c
}

// receipt returns the text of a receipt of r as it was recorded, "" if there is no key to sign
// it with.
func (c *change) receipt(r *Registration) string {
	if c.g.signer == nil {
		return ""
	}
	return NewReceipt(*r, c.g.signer).Text()
}

// ProspectHash hides a domain. The case number makes it another one in each receipt, so that
// receipts can't be searched for a domain. Whoever guesses the domain can of course check it.
func ProspectHash(caseNumber, domain string) string {
	sum := sha256.Sum256([]byte("leadgate prospect\n" + caseNumber + "\n" + domain))
	return "sha256:" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// The first and the last line of a receipt's text.
const (
	receiptBegin = "-----BEGIN LEADGATE RECEIPT-----"
	receiptEnd   = "-----END LEADGATE RECEIPT-----"
)

// The lines of a receipt's text, in their order. All of them are always there.
const (
	lineCase = iota
	linePartner
	lineProspect
	lineClaimed
	lineAccepted
	lineDecided
	lineStatus
	linePolicy
	lineHead
	lineKey
	lineSignature
	lineCount
)

var receiptLines = [lineCount]string{
	"Case:", "Partner:", "Prospect:", "Claimed:", "Accepted:", "Decided:",
	"Status:", "Policy:", "Head:", "Key:", "Signature:",
}

const (
	receiptTime  = "2006-01-02T15:04:05.000000Z"
	receiptNone  = "-" // stands for a value that there is not
	receiptWidth = 72
)

// values returns what stands in the lines, but for the signature.
func (c ClaimReceipt) values() [lineSignature]string {
	return [lineSignature]string{
		receiptWord(c.Case), receiptWord(c.Partner), receiptValue(c.Prospect), receiptMoment(c.Claim), receiptMoment(c.Accepted),
		receiptMoment(c.Decided), receiptWord(string(c.Status)), receiptWord(c.Policy), receiptWord(c.Head), receiptWord(c.Key),
	}
}

// receiptWord writes a value without blanks, line breaks and colons, whatever it holds: it can
// be broken over lines, and can be taken for no other line.
func receiptWord(s string) string {
	if s == receiptNone {
		return "%2D"
	}
	return receiptValue(url.QueryEscape(s))
}

func receiptValue(s string) string {
	if s == "" {
		return receiptNone
	}
	return s
}

func receiptMoment(t time.Time) string {
	if t.IsZero() {
		return receiptNone
	}
	return t.UTC().Format(receiptTime)
}

// message is what is signed.
func (c ClaimReceipt) message() []byte {
	b := []byte("leadgate receipt\n")
	for i, v := range c.values() {
		b = append(b, receiptLines[i]+" "+v+"\n"...)
	}
	return b
}

// Text returns the receipt in a form that survives mail: no line is longer than 72
// characters, and blanks, line breaks and quotation marks before lines mean nothing.
func (c ClaimReceipt) Text() string {
	var b strings.Builder
	b.WriteString(receiptBegin + "\n")
	for i, v := range c.values() {
		writeReceiptLine(&b, receiptLines[i], v)
	}
	writeReceiptLine(&b, receiptLines[lineSignature], base64.RawStdEncoding.EncodeToString(c.Signature))
	b.WriteString(receiptEnd + "\n")
	return b.String()
}

// writeReceiptLine writes a name and a value, which goes on in further lines if it is long.
func writeReceiptLine(b *strings.Builder, name, value string) {
	b.WriteString(name + " ")
	for room := receiptWidth - len(name) - 1; value != ""; room = receiptWidth {
		n := min(room, len(value))
		b.WriteString(value[:n] + "\n")
		value = value[n:]
	}
}

// ReadReceipt finds the receipt in a text, such as a mail that quotes it.
func ReadReceipt(text string) (ClaimReceipt, error) {
	words, err := receiptWords(text)
	if err != nil {
		return ClaimReceipt{}, err
	}
	values, err := receiptFields(words)
	if err != nil {
		return ClaimReceipt{}, err
	}
	return parseReceipt(values)
}

// receiptWords returns the words between the first and the last line of the receipt.
func receiptWords(text string) ([]string, error) {
	var words []string
	begun, ended := false, false
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(strings.TrimLeft(line, "> \t|"))
		switch {
		case line == receiptBegin && begun:
			return nil, errors.New("the text holds several receipts; give one at a time")
		case line == receiptBegin:
			begun = true
		case line == receiptEnd && begun:
			ended = true
		case begun && !ended:
			words = append(words, strings.Fields(line)...)
		}
	}
	switch {
	case !begun:
		return nil, fmt.Errorf("there is no receipt in it: no line %q", receiptBegin)
	case !ended:
		return nil, fmt.Errorf("the receipt has no end: no line %q", receiptEnd)
	}
	return words, nil
}

// receiptFields puts the words of each line together.
func receiptFields(words []string) (values [lineCount]string, err error) {
	at := -1
	for _, w := range words {
		switch {
		case at+1 < lineCount && w == receiptLines[at+1]:
			at++
		case at < 0:
			return values, fmt.Errorf("the receipt begins with %q, not with %q", w, receiptLines[0])
		default:
			values[at] += w
		}
	}
	if at+1 < lineCount {
		return values, fmt.Errorf("the receipt has no line %q, or not in its place", receiptLines[at+1])
	}
	return values, nil
}

func parseReceipt(values [lineCount]string) (c ClaimReceipt, err error) {
	word := func(line int) string {
		if values[line] == receiptNone {
			return ""
		}
		s, wrong := url.QueryUnescape(values[line])
		err = errors.Join(err, wrong)
		return s
	}
	moment := func(line int) (t time.Time) {
		if values[line] == receiptNone {
			return t
		}
		t, wrong := time.Parse(receiptTime, values[line])
		err = errors.Join(err, wrong)
		return t
	}
	signature, wrong := base64.RawStdEncoding.Strict().DecodeString(values[lineSignature])
	c = ClaimReceipt{
		Case: word(lineCase), Partner: word(linePartner), Prospect: word(lineProspect), Claim: moment(lineClaimed),
		Accepted: moment(lineAccepted), Decided: moment(lineDecided), Status: Status(word(lineStatus)),
		Policy: word(linePolicy), Head: word(lineHead), Key: word(lineKey), Signature: signature,
	}
	if err = errors.Join(err, wrong); err != nil {
		return ClaimReceipt{}, fmt.Errorf("the receipt is damaged: %w", err)
	}
	// What was read must be what is written so: there is one text for each receipt.
	for i, v := range c.values() {
		if v != values[i] {
			return ClaimReceipt{}, fmt.Errorf("the receipt is damaged: %s %q", receiptLines[i], values[i])
		}
	}
	return c, nil
}

// Verify checks the signature; ErrUnknownKey if none of the keys made it.
func (c ClaimReceipt) Verify(keys Keyring) error {
	return keys.verify(c.Key, c.message(), c.Signature)
}

// About reports whether the receipt is about the domain, as the gateway writes domains.
func (c ClaimReceipt) About(domain string) bool { return c.Prospect == ProspectHash(c.Case, domain) }

// Compare returns what the receipt says and the case does not bear out, in words; nothing if
// it is part of the case's history.
func (c ClaimReceipt) Compare(r Registration, events []Event) []string {
	var differ []string
	note := func(format string, args ...any) { differ = append(differ, fmt.Sprintf(format, args...)) }
	switch {
	case r.Number != c.Case:
		return []string{"the case is " + r.Number}
	case !slices.ContainsFunc(events, func(e Event) bool { return e.Hash == c.Head }):
		note("the event that the receipt was given after is not in the history of the case")
	}
	if !r.Claim.Equal(c.Claim) {
		note("the claim time of the case is %s now", receiptMoment(r.Claim))
	}
	if !r.Accepted.Equal(c.Accepted) {
		note("the case was accepted at %s", receiptMoment(r.Accepted))
	}
	if r.Partner != c.Partner {
		note("the partner of the case is %q now", r.Partner)
	}
	if domain := r.Lead[FieldCompanyDomain]; c.Prospect != "" && !c.About(domain) {
		note("the case is about another prospect now")
	}
	if err := VerifyChain(r, events); err != nil {
		note("the history of the case is damaged: %v", err)
	}
	return differ
}
