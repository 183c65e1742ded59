package mailbox

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/channels/mailbox/senderauth"
	"leadgate/intake"
	"leadgate/intake/command"
	"leadgate/intake/extract"
)

// submissions makes one submission of each lead in a message, or one of a message without.
// The error is errNotNow.
func (m *Mailbox) submissions(ctx context.Context, u *understood, d delivery, raw intake.Raw) ([]intake.Submission, error) {
	sender, proof := m.sender(ctx, u, d)
	if proof.Temporary && m.waits(u, d) {
		return nil, errNotNow
	}
	s := m.submission(u, d, raw)
	s.Sender = sender
	s.Content = u.mail.Fingerprint()
	return perLead(s, &u.read), nil
}

// errNotNow says that what would prove the sender could not be looked up. The message stays
// where it is, or with the server that delivers it, and comes again.
var errNotNow = errors.New("the DNS does not answer, so that the sender can't be checked now")

// patience is for how long a message waits for the DNS. Then its sender is unverified: a
// domain whose name servers are gone for good must not keep it out for ever.
const patience = 4 * time.Hour

// waits reports whether a message is so new that it can come again. Of one that a server
// delivers we know nothing but the date that it bears.
func (m *Mailbox) waits(u *understood, d delivery) bool {
	since := d.receivedAt
	if d.envelope.Direct {
		var err error
		if since, err = mail.ParseDate(u.mail.Date); err != nil {
			return false
		}
	}
	return m.deps.Now().Sub(since).Abs() < patience
}

// submission is what all submissions of a message have in common, but for who sent it.
func (m *Mailbox) submission(u *understood, d delivery, raw intake.Raw) intake.Submission {
	p := &u.mail
	s := intake.Submission{
		Key: d.key, Deliberate: p.MessageID == "",
		Channel: channelName, Reply: m.route(u), ReceivedAt: d.receivedAt,
		Inline: u.read.Inline, Text: u.read.New, Reader: extract.Version(),
		Meetings: u.read.Meetings, Mute: u.mute(d), Note: readingNote(p),
		NotALead: u.read.Class == extract.ClassNotALead,
		Subject:  clipRunes(p.Subject, maxSubject),
		Case:     u.answers.caseNumber(), CaseHint: subjectHint(p.Subject),
		Raw: raw,
	}
	if u.found.class.treatment() != toMuteLeads { // a program asks for nothing in a word
		s.Commands, s.Agrees = command.Parse(u.read.New), command.Agrees(u.read.New)
	}
	return s
}

// readingNote tells staff what a reading may have missed; empty if nothing.
func readingNote(p *mailparse.Parsed) string {
	var notes []string
	if len(p.Limits) > 0 {
		notes = append(notes, "read in part, beyond the limit of "+strings.Join(p.Limits, ", "))
	}
	if slices.ContainsFunc(p.Attachments, func(a mailparse.Attachment) bool { return a.TNEF() }) {
		notes = append(notes, "a winmail.dat was not read")
	}
	if p.Sealed == mailparse.SealEncrypted {
		notes = append(notes, "an encrypted part was not read")
	}
	if p.Guessed {
		notes = append(notes, "the character set was guessed")
	}
	return strings.Join(notes, "; ")
}

// sender is who sent a message, and how well that is proven.
func (m *Mailbox) sender(ctx context.Context, u *understood, d delivery) (intake.Sender, senderauth.Verdict) {
	from := u.mail.From[0]
	proof := m.proof.Check(ctx, &u.mail, d.content, d.envelope)
	s := intake.Sender{Address: from.Address, Name: clipRunes(from.Name, maxName), Strength: proof.Strength, How: proof.How}
	if m.foreignReplyTo(&u.mail) {
		s.How += "; Reply-To of somebody else was ignored"
	}
	return s, proof
}

const maxName = 120 // runes that are kept of a name

// perLead makes a submission of each lead that was read. What is there once for all of them
// goes with the first.
func perLead(s intake.Submission, read *extract.Result) []intake.Submission {
	if len(read.Leads) > 1 || len(read.Faults) > 0 {
		s.Batch = intake.Batch{ID: s.Key, Size: max(1, len(read.Leads)), Faults: read.Faults}
	}
	if len(read.Leads) == 0 {
		return []intake.Submission{s}
	}
	all := make([]intake.Submission, len(read.Leads))
	for i, l := range read.Leads {
		all[i] = s
		all[i].Lead, all[i].Problems = l.Fields, l.Problems
		all[i].Evidence = make(map[intake.Field]string, len(l.Evidence))
		for f, e := range l.Evidence {
			all[i].Evidence[f] = e.Words
			if !inForm(e) {
				all[i].Weak = append(all[i].Weak, f)
			}
		}
		slices.Sort(all[i].Weak)
		if i > 0 {
			all[i].Key = fmt.Sprintf("%s#%d", s.Key, i+1)
			all[i].Commands, all[i].Meetings = nil, nil
		}
		if i > 0 && s.Content != "" {
			all[i].Content = fmt.Sprintf("%s#%d", s.Content, i+1)
		}
	}
	return all
}

// route is where the answer to a message goes; nowhere if nobody reads there.
func (m *Mailbox) route(u *understood) intake.Route {
	switch u.found.class {
	case classPerson, classQuiet, classAcknowledgement, classAutomatic, classList, classVacation:
	default:
		return intake.Route{}
	}
	if len(u.mail.From) == 0 || machineLocal.MatchString(fromLocal(&u.mail)) && !m.treatedAsHuman(&u.mail) {
		return intake.Route{}
	}
	return intake.Route{Channel: channelName, Address: m.replyAddress(&u.mail), Thread: m.threadOf(&u.mail)}
}

// replyAddress returns where the answer goes: to From, or to Reply-To if it is one address
// in the same company. Another one is how mail is made to be sent to strangers.
func (m *Mailbox) replyAddress(p *mailparse.Parsed) string {
	if len(p.ReplyTo) == 1 && !m.foreignReplyTo(p) && !m.own.has(p.ReplyTo[0].Address) {
		return p.ReplyTo[0].Address
	}
	return p.From[0].Address
}

// foreignReplyTo reports whether Reply-To names anybody but one person of the sender's
// company.
func (m *Mailbox) foreignReplyTo(p *mailparse.Parsed) bool {
	if len(p.ReplyTo) == 0 {
		return false
	}
	from, to := p.From[0], p.ReplyTo[0]
	switch {
	case len(p.ReplyTo) > 1 || !isAddress(to.Address):
		return true
	case strings.EqualFold(from.Address, to.Address):
		return false
	}
	return !m.sameCompany(from.Domain(), to.Domain())
}

// sameCompany reports whether two domains are of one company. Those of mail providers and of
// hosts that many share are of none.
func (m *Mailbox) sameCompany(a, b string) bool {
	first, err := m.deps.Identity.Domain(a)
	if err != nil || first.FreeMail {
		return false
	}
	second, err := m.deps.Identity.Domain(b)
	return err == nil && !second.FreeMail && first.Key == second.Key
}
