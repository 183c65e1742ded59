package mailbox

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// Renderer finds the words of a message.
type Renderer interface {
	Render(m intake.Message) (Rendered, error)
}

// Rendered are the words of a message, in both forms that a mail has. The subject is used
// where there is no thread to answer in.
type Rendered struct {
	Subject, Text, HTML string
}

// RendererFunc makes a Renderer of a function.
type RendererFunc func(intake.Message) (Rendered, error)

// Render calls f.
func (f RendererFunc) Render(m intake.Message) (Rendered, error) { return f(m) }

const (
	maxReplySubject = 120 // runes of the original subject
	keptReferences  = 20  // the newest; the first is kept as well
)

// Reply sends m to its one recipient, in the thread of the mail that it answers. The mail is
// the same in every attempt, so that a repeat is recognised by its Message-ID.
func (m *Mailbox) Reply(ctx context.Context, msg intake.Message) (json.RawMessage, error) {
	var t thread
	if len(msg.To.Thread) > 0 {
		if err := json.Unmarshal(msg.To.Thread, &t); err != nil {
			return nil, intake.OwnFault(fmt.Errorf("thread of message %s: %w", msg.ID, err))
		}
	}
	to, err := envelopeAddress(msg.To.Address)
	if err != nil {
		return nil, intake.Permanent(fmt.Errorf("message %s: %w", msg.ID, err))
	}
	enclosed, err := m.enclosure(ctx, &msg)
	if err != nil {
		return nil, fmt.Errorf("result for message %s: %w", msg.ID, err)
	}
	words, err := m.deps.Renderer.Render(msg)
	if err != nil {
		return nil, intake.OwnFault(fmt.Errorf("render message %s: %w", msg.ID, err))
	}
	next := m.nextThread(msg, t, words)
	data, err := m.compose(msg, to, next, words, enclosed)
	if err != nil {
		return nil, intake.OwnFault(fmt.Errorf("compose message %s: %w", msg.ID, err))
	}
	err = m.hand(ctx, outgoing{id: msg.ID, from: m.returnPath(msg.ID), to: to, data: data})
	m.sending.note(err, m.deps.Now())
	if err != nil {
		return nil, fmt.Errorf("send message %s: %w", msg.ID, err)
	}
	m.deps.Log.Info("answer sent", "case", msg.Facts.Case, "message", msg.ID, "kind", string(msg.Kind))
	return thread{Mailbox: m.cfg.Name, MessageID: next.MessageID, References: next.References, Subject: next.Subject}.encode(), nil
}

// enclosure returns the file that goes with a message, and has the message say so. Where there is
// a link to the file, a large one does not go along.
func (m *Mailbox) enclosure(ctx context.Context, msg *intake.Message) (e intake.Enclosure, err error) {
	if msg.Import == nil || m.deps.Lists == nil {
		return e, nil
	}
	most := maxEnclosed
	if msg.Import.Link == "" {
		most = 0
	}
	if e, err = m.deps.Lists.Enclosure(ctx, *msg, most); err != nil || len(e.Content) == 0 {
		return e, err
	}
	facts := *msg.Import
	facts.Attached, msg.Import = true, &facts
	return e, nil
}

// hand hands a mail over. Some servers send only from addresses that they know: one that
// refuses a mail gets it once more, from the address of the mailbox, and if that helps, so
// do all others. A mail that was refused has gone to nobody.
func (m *Mailbox) hand(ctx context.Context, o outgoing) error {
	err := m.transport.send(ctx, o)
	if !intake.IsPermanent(err) || o.from == "" || o.from == m.cfg.Address {
		return err
	}
	o.from = m.cfg.Address
	if m.transport.send(ctx, o) != nil {
		return err
	}
	m.plainReturn.Store(true)
	m.deps.Log.Warn("the mail server refuses return paths of their own; bounces come to the mailbox's address now", "err", err)
	return nil
}

// nextThread is the thread with msg as its newest member.
func (m *Mailbox) nextThread(msg intake.Message, t thread, words Rendered) thread {
	if msg.Kind == intake.MessageConfirm { // whoever it goes to may have written none of it
		t = thread{}
	}
	refs := slices.Clone(t.References)
	if t.MessageID != "" && !slices.Contains(refs, t.MessageID) {
		refs = append(refs, t.MessageID)
	}
	refs = slices.DeleteFunc(refs, func(id string) bool { return !validID(id) })
	if len(refs) > keptReferences+1 {
		refs = append(refs[:1:1], refs[len(refs)-keptReferences:]...)
	}
	return thread{
		Mailbox: m.cfg.Name, MessageID: m.tokens.messageID(msg.ID), References: refs,
		Subject: replySubject(or(t.Subject, words.Subject), t.Subject != "", msg.Facts.Case),
	}
}

var (
	caseMark    = regexp.MustCompile(`(?i)\s*\[[A-Z0-9]{1,8}-[0-9]{4}-[0-9]{6,7}-[0-9A-Z]\]\s*`)
	replyPrefix = regexp.MustCompile(`(?i)^\s*(?:re|aw|antw|antwort|wg|fwd?|tr|rv|rif|r|sv|vs|odp|enc|auto|automatic reply)\s*(?:\[\d+\])?\s*[:：]\s*`)
)

// replySubject is "Re: <original> [case]": the original without the prefixes and case
// numbers that earlier answers have added to it.
func replySubject(original string, answers bool, caseNumber string) string {
	s := mailparse.CleanLine(caseMark.ReplaceAllString(original, " "))
	for replyPrefix.MatchString(s) {
		s = replyPrefix.ReplaceAllString(s, "")
	}
	s = clipRunes(s, maxReplySubject)
	if answers {
		s = strings.TrimSpace("Re: " + s)
	}
	if caseNumber != "" {
		s = strings.TrimSpace(s + " [" + caseNumber + "]")
	}
	return s
}

// validID reports whether s can stand between the brackets of a Message-ID.
func validID(s string) bool {
	return s != "" && len(s) <= 300 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>()[]\\,;\"", r)
	})
}

// envelopeAddress returns the one address that a message goes to, its domain in ASCII.
func envelopeAddress(s string) (string, error) {
	if !isAddress(s) {
		return "", fmt.Errorf("%q is not one e-mail address", mailparse.Clipped(s))
	}
	i := strings.LastIndexByte(s, '@')
	domain, err := idna.Lookup.ToASCII(s[i+1:])
	if err != nil {
		return "", fmt.Errorf("the domain of %q is not valid", mailparse.Clipped(s))
	}
	return s[:i+1] + domain, nil
}

// Repliers answers for several mailboxes: each message goes through the one that its thread
// names, and through the first if none is named.
type Repliers []*Mailbox

// Reply implements intake.Replier.
func (r Repliers) Reply(ctx context.Context, msg intake.Message) (json.RawMessage, error) {
	if len(r) == 0 {
		return nil, fmt.Errorf("message %s: no mailbox is configured", msg.ID)
	}
	var t thread
	if len(msg.To.Thread) > 0 {
		if err := json.Unmarshal(msg.To.Thread, &t); err != nil {
			return nil, intake.OwnFault(fmt.Errorf("thread of message %s: %w", msg.ID, err))
		}
	}
	for _, m := range r {
		if m.cfg.Name == t.Mailbox {
			return m.Reply(ctx, msg)
		}
	}
	return r[0].Reply(ctx, msg)
}
