package mailparse

import (
	"regexp"
	"strings"
)

// Delivery is what a report about earlier mail says: a delivery status notification
// (RFC 3464), a disposition notification (RFC 8098) or a feedback report (RFC 5965).
type Delivery struct {
	Recipients []Recipient `json:",omitempty"`
	// Feedback is the Feedback-Type of a complaint: "abuse"; empty for other reports.
	Feedback string `json:",omitempty"`
	// MailFrom is the envelope sender of the mail that is complained about.
	MailFrom string `json:",omitempty"`
	// Original is the header of the mail that is reported about, as far as it came back.
	Original Header `json:",omitempty"`
	// MessageID is that of the mail that is reported about, without angle brackets.
	MessageID string `json:",omitempty"`
}

// Recipient is what a report says about one address.
type Recipient struct {
	Address string
	// Original is the address that the mail was sent to, if it went on to Address from there.
	Original string `json:",omitempty"`
	// Action is failed, delayed, delivered, relayed or expanded; of a receipt its disposition:
	// displayed, deleted, processed, denied. Lower case.
	Action string `json:",omitempty"`
	Status string `json:",omitempty"` // "5.1.1" (RFC 3463)
	Detail string `json:",omitempty"` // Diagnostic-Code, one line, at most maxDetail bytes
}

// Limits of what is read of reports.
const (
	maxReport    = 256 << 10 // bytes of a report part, and of the header that came back
	maxDetail    = 1000      // bytes
	maxQuotedLog = 64 << 10  // bytes of text that are searched for a Message-ID
)

// isReport reports whether a part of this type is what a machine says about earlier mail.
func isReport(media string) bool {
	switch media {
	case "message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
		"message/global-disposition-notification", "message/feedback-report":
		return true
	}
	return false
}

var statusCode = regexp.MustCompile(`(?:^|[\s#(])([245]\.\d{1,3}\.\d{1,3})(?:$|[\s):;,#-])`)

// status finds an enhanced status code (RFC 3463); an IP address is none.
func status(v string) string {
	if m := statusCode.FindStringSubmatch(v); m != nil {
		return m[1]
	}
	return ""
}

// read adds what a report part says. The groups of recipients are parted by blank lines, but
// programs forget those or write too many, so a field that is already there begins a group
// as well, and one without an address goes on with the group before.
func (d *Delivery) read(content string) {
	var group Recipient
	blank := false
	finish := func() {
		if group != (Recipient{}) && len(d.Recipients) < maxAddresses {
			d.Recipients = append(d.Recipients, group.whole())
		}
		group = Recipient{}
	}
	set := func(field *string, v string, begins bool) {
		named := group.Address != "" || group.Original != ""
		if *field != "" || begins && blank && named && (group.Action != "" || group.Status != "") {
			finish()
		}
		blank = false
		*field = v
	}
	for _, f := range reportFields(content) {
		v := CleanLine(f.Value)
		switch strings.ToLower(f.Name) {
		case "":
			blank = true
		case "final-recipient":
			set(&group.Address, reportAddress(v), true)
		case "original-recipient", "original-rcpt-to":
			set(&group.Original, reportAddress(v), true)
		case "action":
			set(&group.Action, firstWord(v), false)
		case "disposition":
			_, kind, _ := strings.Cut(v, ";")
			set(&group.Action, firstWord(kind), false)
		case "status":
			set(&group.Status, status(v), false)
		case "diagnostic-code":
			set(&group.Detail, clip(v, maxDetail), false)
		case "original-message-id":
			if ids := messageIDs(v); len(ids) > 0 && d.MessageID == "" {
				d.MessageID = ids[0]
			}
		case "original-mail-from":
			d.MailFrom = reportAddress(v)
		case "feedback-type":
			d.Feedback = clip(firstWord(v), maxDetail)
		}
	}
	finish()
}

// whole fills what follows from the other fields.
func (r Recipient) whole() Recipient {
	if r.Address == "" {
		r.Address = r.Original
	}
	if r.Address == r.Original {
		r.Original = ""
	}
	if r.Status == "" {
		r.Status = status(r.Detail)
	}
	return r
}

// reportFields reads the fields of a report part, with an empty one for each blank line.
// Lines that are none are passed over.
func reportFields(content string) []Field {
	var out []Field
	for line := range strings.Lines(content) {
		line = strings.TrimRight(line, "\r\n")
		if len(out) == maxHeaderFields {
			return out
		}
		switch n := len(out); {
		case strings.TrimSpace(line) == "":
			out = append(out, Field{})
		case (line[0] == ' ' || line[0] == '\t') && n > 0 && out[n-1].Name != "":
			if len(out[n-1].Value) < maxDetail {
				out[n-1].Value += " " + strings.TrimSpace(line)
			}
		default:
			if name, value := FieldName(strings.TrimLeft(line, " \t")); name != "" {
				out = append(out, Field{name, value})
			}
		}
	}
	return out
}

// reportAddress reads "rfc822; jane@acme.example" (RFC 3464, section 2.1.2), with or without
// its type.
func reportAddress(v string) string {
	if kind, rest, ok := strings.Cut(v, ";"); ok && !strings.ContainsAny(kind, "@<") {
		v = rest
	}
	if found := AddrSpec.FindString(v); found != "" {
		return strings.Trim(found, "'.")
	}
	return clip(strings.Trim(strings.TrimSpace(v), "<>"), maxDetail)
}

// firstWord returns the first word in lower case, as far as letters and hyphens go.
func firstWord(v string) string {
	v = strings.ToLower(strings.TrimSpace(v))
	if i := strings.IndexFunc(v, func(r rune) bool { return (r < 'a' || r > 'z') && r != '-' }); i >= 0 {
		v = v[:i]
	}
	return v
}

// quotedMessageID returns the Message-ID that a text quotes in a line of its own, as bounces
// without the original as a part do.
func quotedMessageID(text string) string {
	const field = "message-id:"
	text = text[:min(len(text), maxQuotedLog)]
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimLeft(line, "> \t|")
		if len(line) < len(field) || !strings.EqualFold(line[:len(field)], field) {
			continue
		}
		value := strings.TrimSpace(line[len(field):])
		if value == "" { // folded
			value, _, _ = strings.Cut(strings.TrimLeft(text, "> \t|"), "\n")
		}
		if ids := messageIDs(value); strings.Contains(value, "<") && len(ids) > 0 {
			return ids[0]
		}
	}
	return ""
}

// delivery returns p.Delivery, which it makes if there is none.
func (p *Parsed) delivery() *Delivery {
	if p.Delivery == nil {
		p.Delivery = new(Delivery)
	}
	return p.Delivery
}

// completeDelivery finds what the parts of a report did not say: a relay may have made one
// text of them all.
func (p *Parsed) completeDelivery() {
	if p.Report == "delivery-status" && (p.Delivery == nil || len(p.Delivery.Recipients) == 0) {
		var d Delivery
		d.read(clip(p.Text, maxReport))
		for _, r := range d.Recipients {
			if r.Address != "" && (r.Action != "" || r.Status != "") {
				p.delivery().Recipients = append(p.delivery().Recipients, r)
			}
		}
	}
	d := p.Delivery
	if d == nil || d.MessageID != "" {
		return
	}
	if ids := messageIDs(clip(d.Original.Get("Message-ID"), maxReferenceField)); len(ids) > 0 {
		d.MessageID = ids[0]
	} else if d.MessageID = quotedMessageID(p.Text); d.MessageID == "" && len(p.InReplyTo) == 1 {
		d.MessageID = p.InReplyTo[0]
	}
}
