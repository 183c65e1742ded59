package mailbox

import (
	"regexp"
	"strings"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// Limits of what is read of a report.
const (
	maxReported = 300       // runes that are shown
	maxWords    = 16 << 10  // bytes that are read as words for people: they stand first
	maxReturned = 512 << 10 // bytes in which our Message-ID is looked for
)

// report reads what a mail reports about one of our messages: a server, or a machine that
// answers for a reader who is away. Which one is told by the
// address that it came to, or by a Message-ID that it names: both prove that the message was
// seen. A complaint silences whoever complains, so that it has to prove more; see complained.
// A report that proves nothing names none.
func (m *Mailbox) report(p *mailparse.Parsed, f finding, envelope []string) *intake.Delivery {
	var d intake.Delivery
	switch f.class {
	case classBounce, classComplaint, classReceipt:
		d = delivered(p, f)
	case classVacation:
		return &intake.Delivery{Away: true, Message: m.answers(p, envelope).message}
	default:
		return nil
	}
	if d.Complaint {
		d.Message = m.complained(p)
	} else {
		d.Message = m.returned(p)
	}
	for _, t := range m.tagsOf(p, envelope) {
		if t.purpose == forBounces && t.id != "" {
			d.Message = t.id
		}
	}
	return &d
}

// complained is the id of our message that a complaint is about, by what only its recipient
// got: the return path, or the field for complaints, in the header that comes back. Our
// Message-ID is also known to everybody whom the recipient copies on an answer.
func (m *Mailbox) complained(p *mailparse.Parsed) string {
	var headers []mailparse.Header
	var paths []string
	if p.Delivery != nil {
		headers, paths = append(headers, p.Delivery.Original), append(paths, p.Delivery.MailFrom)
	}
	for i := range p.Forwarded {
		headers = append(headers, p.Forwarded[i].Header)
	}
	for _, h := range headers {
		if id, _ := m.tokens.openFor(forComplaints, strings.TrimSpace(h.Get(complaintField))); id != "" {
			return id
		}
		for _, a := range mailparse.ParseAddresses(h.Get("Return-Path")) {
			paths = append(paths, a.Address)
		}
	}
	for _, path := range paths {
		if t := m.tagOf(strings.ToLower(path)); t.purpose == forBounces && t.id != "" {
			return t.id
		}
	}
	return ""
}

// returned is the id of our message that a mail brings back, wherever in it: in the report,
// in what comes with it, in its own header, or in its text.
func (m *Mailbox) returned(p *mailparse.Parsed) string {
	var ids []string
	if p.Delivery != nil {
		ids = append(ids, p.Delivery.MessageID, p.Delivery.Original.Get("Message-ID"))
	}
	for i := range p.Forwarded {
		ids = append(ids, p.Forwarded[i].MessageID)
	}
	ids = append(append(ids, p.InReplyTo...), p.References...)
	for _, text := range []string{p.Text, p.HTML} {
		ids = append(ids, ourID.FindAllString(head(text, maxReturned), 10)...)
	}
	for _, v := range ids {
		if id, _ := m.tokens.message(v); id != "" {
			return id
		}
	}
	return ""
}

// ourID is what a Message-ID of ours looks like in a text.
var ourID = regexp.MustCompile(`(?i)\blg\.[a-z0-9.-]+@[a-z0-9.-]+`)

// delivered reads whether the message arrived, from the part for machines if there is one,
// else from the words for people.
func delivered(p *mailparse.Parsed, f finding) intake.Delivery {
	switch {
	case f.class == classComplaint:
		return fromComplaint(p)
	case p.Delivery != nil && len(p.Delivery.Recipients) > 0:
		return fromReport(p.Delivery.Recipients, f.class == classReceipt)
	case f.class == classReceipt:
		return intake.Delivery{Detail: "a receipt"}
	}
	return fromWords(p)
}

func fromComplaint(p *mailparse.Parsed) intake.Delivery {
	d := intake.Delivery{Complaint: true, Detail: "complaint"}
	if p.Delivery == nil {
		return d
	}
	switch kind := p.Delivery.Feedback; kind {
	case "":
	case "not-spam", "auth-failure", "dmarc": // praise, and what is no complaint of the recipient
		d.Complaint, d.Detail = false, "feedback: "+kind
	default:
		d.Detail = "complaint: " + shown(kind)
	}
	if r := p.Delivery.Recipients; len(r) > 0 {
		d.Recipient = shown(r[0].Address)
	}
	return d
}

// fromReport reads the first recipient that failed, else the first: our messages have one.
func fromReport(all []mailparse.Recipient, receipt bool) intake.Delivery {
	r := all[0]
	for _, other := range all {
		if failed(other) {
			r = other
			break
		}
	}
	d := intake.Delivery{
		Recipient: shown(r.Address), Status: statusCode.FindString(r.Status),
		Failed: failed(r) && !receipt, Detail: shown(strings.TrimSpace(r.Action + " " + r.Detail)),
	}
	return d
}

// failed reports whether a message will not arrive: the action says so, whatever the class of
// the status, or the status does where no action is named.
func failed(r mailparse.Recipient) bool {
	return r.Action == "failed" || r.Action == "" && strings.HasPrefix(r.Status, "5.")
}

var (
	statusCode = regexp.MustCompile(`\b[245]\.\d{1,3}\.\d{1,3}\b`)
	replyCode  = regexp.MustCompile(`\b(?:4[2357]\d|5[0-57]\d)[ -]`)
	delayWords = regexp.MustCompile(`(?i)delay|still (?:being )?(?:retr|try|attempt)|will (?:be retried|retry|keep trying|continue to)|warning|not yet been delivered|no action is required|verzögert|différé|retras|ritard|vertraag`)
	failWords  = regexp.MustCompile(`(?i)fail|permanent|undeliver|not (?:be )?deliver|returned|rejected|unknown|unzustellbar|nicht zugestellt|non remis|no entreg|non recapit|não entreg|onbestelbaar|niedostarcz|不能|無法|无法|退信|エラー|できません`)
)

// fromWords reads a bounce that only people were meant to read.
func fromWords(p *mailparse.Parsed) intake.Delivery {
	text := head(p.Text, maxWords)
	d := intake.Delivery{Status: statusCode.FindString(text)}
	if failed := mailparse.ParseAddresses(p.Header.Get("X-Failed-Recipients")); len(failed) > 0 {
		d.Recipient = shown(failed[0].Address)
	}
	for line := range strings.Lines(text) {
		if replyCode.MatchString(line) || d.Status != "" && strings.Contains(line, d.Status) {
			d.Detail = shown(line)
			break
		}
	}
	switch {
	case delayWords.MatchString(p.Subject), strings.HasPrefix(d.Status, "4."), strings.HasPrefix(d.Status, "2."):
	case strings.HasPrefix(d.Status, "5."), p.Header.Has("X-Failed-Recipients"), replyCode.MatchString(d.Detail) && strings.Contains(d.Detail, "5"):
		d.Failed = true
	default:
		d.Failed = bounceSubject.MatchString(p.Subject) && failWords.MatchString(p.Subject)
	}
	return d
}

// head returns the first n bytes of s.
func head(s string, n int) string { return s[:min(n, len(s))] }

// shown makes one line that staff may be shown of what others wrote.
func shown(s string) string { return clipRunes(mailparse.CleanLine(s), maxReported) }
