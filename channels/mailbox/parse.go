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
	// junk says that the mail server took it for spam: it is taken in and never answered.
	junk bool
	// recipients are those of the envelope, where the transport told them.
	recipients []string
	// vouched says that staff take it for a person's mail: it is read whatever it is.
	vouched bool
}

// outcome is what became of a delivery.
type outcome struct {
	receipt intake.Receipt
	// filed says where it belongs: among what was processed, or aside.
	aside  bool
	proven bool
}

// take stores a message and gives it to the sink. The message is acknowledged to its source
// only if the error is nil; with errNotNow it may come again after a while.
func (m *Mailbox) take(ctx context.Context, sink intake.Sink, d delivery) (outcome, error) {
	if ours, err := m.canary.arrived(d); ours || err != nil {
		return outcome{}, err
	}
	raw, err := sink.Keep(ctx, d.content)
	if err != nil {
		return outcome{}, fmt.Errorf("keep message: %w", err)
	}
	raw.Media = media
	if _, err := d.content.Seek(0, io.SeekStart); err != nil {
		return outcome{}, fmt.Errorf("read spooled message: %w", err)
	}
	u, err := m.understand(d)
	if err != nil {
		return outcome{}, fmt.Errorf("read spooled message: %w", err)
	}
	if d.key == "" {
		d.key = directKey(&u.mail)
	}
	m.forged.Add(uint64(u.answers.forged))
	if len(u.mail.Limits) > 0 { // it is kept whole
		m.deps.Log.Warn("message is read in part", "key", d.key, "limits", u.mail.Limits)
	}
	if v := u.verdict(d); !v.human() {
		receipt, err := sink.SetAside(ctx, m.aside(ctx, &u, v, d, raw))
		if err != nil {
			return outcome{}, fmt.Errorf("set message aside: %w", err)
		}
		m.deps.Log.Info("message set aside", "key", d.key, "reason", string(v.reason), "aside", receipt.Aside)
		return outcome{receipt: receipt, aside: true}, nil
	}
	sender, err := m.checked(ctx, &u, d)
	if err != nil {
		return outcome{}, err
	}
	lists, err := m.lists(ctx, &u, d, sender)
	if err != nil {
		return outcome{}, err
	}
	if len(lists.files) > 0 {
		return m.takeWithLists(ctx, sink, &u, lists, d, raw)
	}
	all := m.submissionsOf(&u, d, raw, sender)
	if a, ok := m.unprovenList(&u, d, sender, all, raw); ok {
		receipt, err := sink.SetAside(ctx, a)
		if err != nil {
			return outcome{}, fmt.Errorf("set message aside: %w", err)
		}
		return outcome{receipt: receipt, aside: true}, nil
	}
	return m.accept(ctx, sink, d, all)
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

// understood is a message as it was read.
type understood struct {
	mail mailparse.Parsed
	// found says who wrote it. The zero value is a message that can't be read at all.
	found   finding
	answers answered
	// read is what its text says; empty for what is set aside whatever it says.
	read extract.Result
}

// understand parses, classifies and reads a message. A panic of the reader makes it
// unreadable: a message is never the end of the program.
func (m *Mailbox) understand(d delivery) (u understood, err error) {
	defer func() {
		if r := recover(); r != nil {
			u, err = understood{found: unreadable("the reader gave up on it")}, nil
			m.deps.Log.Error("reader gave up on a message", "key", d.key, "err", fmt.Sprintf("%T", r))
		}
	}()
	if u.mail, err = mailparse.Parse(d.content); err != nil {
		return u, err
	}
	if !u.mail.Readable() {
		u.found = unreadable("no header of a mail was found")
		return u, nil
	}
	u.found = m.classify(&u.mail, d)
	u.answers = m.answers(&u.mail, d.recipients)
	if d.vouched || d.aside.human() && u.found.class.treatment() != toSetAside {
		u.read = m.deps.Extractor.Extract(extractInput(&u.mail))
	}
	if !d.vouched && u.found.class == classPerson && !m.treatedAsHuman(&u.mail) {
		notOfBounces(&u)
		acknowledged(&u)
	}
	return u, nil
}

func unreadable(detail string) finding {
	return finding{verdict: verdict{intake.AsideUnreadable, detail}}
}

// verdict is why the message is set aside; zero if it is taken in.
func (u *understood) verdict(d delivery) verdict {
	switch t := u.found.class.treatment(); {
	case !d.aside.human():
		return d.aside
	case t == toSetAside, t == toMuteLeads && !formed(u.read.Leads, u.answers.caseNumber() != ""):
		return u.found.verdict
	case u.mail.Sealed == mailparse.SealEncrypted && !named(u.read.Leads):
		return verdict{intake.AsideSealed, "encrypted: only its recipient's key opens it"}
	case u.mail.Sealed == mailparse.SealTNEF && !named(u.read.Leads):
		return verdict{intake.AsideSealed, "only a winmail.dat, which Outlook alone reads"}
	}
	return verdict{}
}

// mute is why the message is not answered by itself, in words for staff; empty if it is.
func (u *understood) mute(d delivery) string {
	why := u.found.mute()
	if d.junk {
		why = strings.TrimPrefix(strings.TrimSuffix(why, noAnswer)+"; found in the junk folder"+noAnswer, "; ")
	}
	return why
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

// clipRunes returns the first n runes of s.
func clipRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	r := []rune(s)
	return strings.TrimSpace(string(r[:min(n, len(r))]))
}
