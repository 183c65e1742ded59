package mailbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
	"leadgate/intake/command"
	"leadgate/intake/extract"
)

// media is the type under which mails are stored.
const media = "message/rfc822"

// delivery is one message as a transport got it.
type delivery struct {
	// key identifies it at its source; empty if only its content can (see directKey).
	key        string
	receivedAt time.Time
	content    io.ReadSeeker
	envelope   senderauth.Envelope
	nullSender bool
	// aside, if set, sets the message aside whatever it holds.
	aside verdict
}

// outcome is what became of a delivery.
type outcome struct {
	receipt intake.Receipt
	// filed says where it belongs: among what was processed, or aside.
	aside  bool
	proven bool
}

// take stores a message and gives it to the sink. The message is acknowledged to its source
// only if the error is nil.
func (m *Mailbox) take(ctx context.Context, sink intake.Sink, d delivery) (outcome, error) {
	raw, err := sink.Keep(ctx, d.content)
	if err != nil {
		return outcome{}, fmt.Errorf("keep message: %w", err)
	}
	raw.Media = media
	if _, err := d.content.Seek(0, io.SeekStart); err != nil {
		return outcome{}, fmt.Errorf("read spooled message: %w", err)
	}
	p, v, err := m.understand(d)
	if err != nil {
		return outcome{}, fmt.Errorf("read spooled message: %w", err)
	}
	if d.key == "" {
		d.key = directKey(&p)
	}
	if !v.human() {
		receipt, err := sink.SetAside(ctx, intake.Aside{
			Key: d.key, Channel: channelName, Reason: v.reason, Detail: v.detail,
			From: firstAddress(&p), Subject: clipRunes(p.Subject, maxSubject), ReceivedAt: d.receivedAt, Raw: raw,
		})
		if err != nil {
			return outcome{}, fmt.Errorf("set message aside: %w", err)
		}
		m.deps.Log.Info("message set aside", "key", d.key, "reason", string(v.reason), "aside", receipt.Aside)
		return outcome{receipt: receipt, aside: true}, nil
	}
	return m.accept(ctx, sink, d, m.submissions(ctx, &p, d, raw))
}

// accept gives all submissions of a message to the sink, in their order. A redelivery after a
// fault in between finds those that were taken in already.
func (m *Mailbox) accept(ctx context.Context, sink intake.Sink, d delivery, all []intake.Submission) (out outcome, err error) {
	out.aside = true
	for i, s := range all {
		receipt, err := sink.Accept(ctx, s)
		if err != nil {
			return outcome{}, fmt.Errorf("accept message: %w", err)
		}
		if i == 0 {
			out.receipt = receipt
		}
		out.aside = out.aside && receipt.Case == ""
		out.proven = s.Sender.Strength.Proven()
		m.deps.Log.Info("message taken in", "key", s.Key, "case", receipt.Case, "known", receipt.Known)
	}
	return out, nil
}

// understand parses and classifies a message. A panic of the reader makes it unreadable: a
// message is never the end of the program.
func (m *Mailbox) understand(d delivery) (p mailparse.Parsed, v verdict, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, v, err = mailparse.Parsed{}, verdict{intake.AsideUnreadable, "the reader gave up on it"}, nil
			m.deps.Log.Error("reader gave up on a message", "key", d.key, "err", fmt.Sprintf("%T", r))
		}
	}()
	p, err = mailparse.Parse(d.content)
	if err != nil {
		return p, verdict{}, err
	}
	switch {
	case !d.aside.human():
		v = d.aside
	case !p.Readable():
		v = verdict{intake.AsideUnreadable, "no header of a mail was found"}
	default:
		v = m.classify(&p, d.nullSender)
	}
	return p, v, nil
}

// submissions reads a person's mail: one submission for each lead in it, or one without.
func (m *Mailbox) submissions(ctx context.Context, p *mailparse.Parsed, d delivery, raw intake.Raw) []intake.Submission {
	from := p.From[0]
	proof := m.proof.Check(ctx, p, d.content, d.envelope)
	read := m.deps.Extractor.Extract(extractInput(p))
	s := intake.Submission{
		Key: d.key, Content: p.Fingerprint(), Deliberate: p.MessageID == "",
		Channel:    channelName,
		Sender:     intake.Sender{Address: from.Address, Name: clipRunes(from.Name, 120), Strength: proof.Strength, How: proof.How},
		Reply:      intake.Route{Channel: channelName, Address: replyAddress(p), Thread: m.threadOf(p)},
		ReceivedAt: d.receivedAt,
		Inline:     read.Inline, Text: read.New, Reader: extract.Version(),
		Meetings: read.Meetings, Commands: command.Parse(read.New),
		NotALead: read.Class == extract.ClassNotALead,
		Subject:  clipRunes(p.Subject, maxSubject),
		CaseHint: subjectHint(p.Subject),
		Raw:      raw,
	}
	s.Case, _ = m.tokens.thread(p)
	if len(read.Leads) == 0 {
		return []intake.Submission{s}
	}
	if len(read.Leads) > 1 || len(read.Faults) > 0 {
		s.Batch = intake.Batch{ID: d.key, Size: len(read.Leads), Faults: read.Faults}
	}
	all := make([]intake.Submission, len(read.Leads))
	for i, l := range read.Leads {
		all[i] = s
		all[i].Lead, all[i].Problems = l.Fields, l.Problems
		all[i].Evidence = make(map[intake.Field]string, len(l.Evidence))
		for f, e := range l.Evidence {
			all[i].Evidence[f] = e.Words
		}
		if i > 0 {
			all[i].Key = fmt.Sprintf("%s#%d", s.Key, i+1)
			all[i].Content = fmt.Sprintf("%s#%d", s.Content, i+1)
			all[i].Commands, all[i].Meetings = nil, nil
		}
	}
	return all
}

// replyAddress returns where the answer goes: to From, or to Reply-To if it is one address
// in the same organisation. Another one is how mail is made to be sent to strangers.
func replyAddress(p *mailparse.Parsed) string {
	from := p.From[0]
	if len(p.ReplyTo) == 1 && isAddress(p.ReplyTo[0].Address) && senderauth.Organisation(p.ReplyTo[0].Domain()) == senderauth.Organisation(from.Domain()) {
		return p.ReplyTo[0].Address
	}
	return from.Address
}

// thread is what an answer needs to stand below the mail that it answers. It is stored with
// the case, as intake.Route.Thread.
type thread struct {
	// Mailbox is the name of the mailbox that was written to.
	Mailbox    string   `json:"mailbox"`
	MessageID  string   `json:"message_id,omitempty"`
	References []string `json:"references,omitempty"`
	Subject    string   `json:"subject,omitempty"`
}

func (m *Mailbox) threadOf(p *mailparse.Parsed) json.RawMessage {
	t := thread{Mailbox: m.cfg.Name, MessageID: p.MessageID, References: p.References, Subject: clipRunes(p.Subject, maxSubject)}
	return t.encode()
}

func (t thread) encode() json.RawMessage {
	b, err := json.Marshal(t)
	if err != nil { // strings only
		panic(err)
	}
	return b
}

const maxSubject = 300 // runes that are kept of a subject

// directKey is the key of a message that only its content identifies: a mail server that
// delivers it again after a lost answer sends the same. Without a Message-ID the same
// content may be two mails.
func directKey(p *mailparse.Parsed) string {
	if p.MessageID != "" {
		return "smtp:" + p.Fingerprint()
	}
	var b [16]byte
	rand.Read(b[:]) // never fails
	return "smtp:" + hex.EncodeToString(b[:])
}

func firstAddress(p *mailparse.Parsed) string {
	if len(p.From) == 0 {
		return ""
	}
	return p.From[0].Address
}

// clipRunes returns the first n runes of s.
func clipRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	r := []rune(s)
	return strings.TrimSpace(string(r[:min(n, len(r))]))
}
