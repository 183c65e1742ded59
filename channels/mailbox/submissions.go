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

// checked is who sent a message. The error is errNotNow.
func (m *Mailbox) checked(ctx context.Context, u *understood, d delivery) (intake.Sender, error) {
	sender, proof := m.sender(ctx, u, d)
	if proof.Temporary && m.waits(u, d) {
		return sender, errNotNow
	}
	return sender, nil
}

// submissionsOf makes one submission of each lead in a message, or one of a message without.
func (m *Mailbox) submissionsOf(u *understood, d delivery, raw intake.Raw, sender intake.Sender) []intake.Submission {
	s := m.submission(u, d, raw)
	s.Sender = sender
	s.Content = u.mail.Fingerprint()
	if all := m.perCase(s, u); len(all) > 0 {
		return all
	}
	all := perLead(s, &u.read)
	for i := range all {
		all[i].Unclear = m.deps.Extractor.Unclear(partOf(&u.read, i))
	}
	return all
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
		Key: d.key, MessageID: clipRunes(p.MessageID, maxSubject), Deliberate: p.MessageID == "",
		Channel: Channel, Reply: m.route(u), ReceivedAt: d.receivedAt,
		Inline: u.read.Inline, Text: u.read.New, Reader: extract.Version(),
		Meetings: u.read.Meetings, Mute: u.mute(d), Note: readingNote(p),
		NotALead: u.read.Class == extract.ClassNotALead,
		Subject:  clipRunes(p.Subject, maxSubject),
		Case:     u.answers.caseNumber(), CaseHint: subjectHint(p.Subject),
		Raw: raw,
	}
	if s.Case == "" {
		s.Answers = u.answers.message
	}
	if u.found.class.treatment() != toMuteLeads { // a program asks for nothing in a word
		s.Commands, s.Agrees = m.commands(u), command.Agrees(u.read.New)
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

// commands are what a mail asks for in a word: in its text, or in the subject of one that
// says nothing else. What was read of the signature of such a mail is no registration.
func (m *Mailbox) commands(u *understood) []intake.Command {
	if !m.deps.Extractor.SaysNothing(u.read.New, extractInput(&u.mail).SenderName) {
		return command.Parse(u.read.New)
	}
	subject := clipRunes(u.mail.Subject, maxSubject)
	for replyPrefix.MatchString(subject) {
		subject = replyPrefix.ReplaceAllString(subject, "")
	}
	found := command.Subject(subject)
	if len(found) > 0 && !registered(u.read.Leads, true) {
		u.read.Leads = nil
	}
	return found
}

// perCase makes a submission of each part of a mail that begins with a case number, as the
// answers to our summaries do. There is none unless such a part says something in a form or
// asks for something in a word: whoever mentions a case in a sentence writes about one. Lines
// that were filled in within the quotation of a summary only answer what it asks.
func (m *Mailbox) perCase(s intake.Submission, u *understood) []intake.Submission {
	all, said := m.parts(s, u, command.Sections(u.read.New))
	if !said && s.Answers != "" {
		s.Inline = true
		all, said = m.parts(s, u, command.Filled(u.read.Text))
		s.Inline = false
	}
	if !said {
		return nil
	}
	all[0].Text = u.read.New // with what stands above the first number
	for _, l := range attached(u.read.Leads) {
		all = append(all, plain(s, l))
	}
	return together(all, u.read.Faults)
}

// parts makes a submission of each section, and of each further lead below one. said reports
// whether one of them is more than a sentence.
func (m *Mailbox) parts(s intake.Submission, u *understood, sections []command.Section) (all []intake.Submission, said bool) {
	for _, section := range sections {
		part := s
		part.Case, part.CaseHint, part.About, part.Answers = "", section.Case, section.Case, ""
		part.Text, part.Commands, part.Agrees = section.Text, nil, false
		part.Unclear = m.deps.Extractor.Unclear(section.Text)
		if u.found.class.treatment() != toMuteLeads {
			part.Commands = command.Parse(section.Text)
		}
		read := m.readPart(section.Text, u)
		if len(read) > 0 {
			part = withLead(part, read[0])
		}
		said = said || len(part.Commands)+len(part.Unclear) > 0 || len(read) > 0 && registered(read[:1], true)
		all = append(all, part)
		for _, l := range read[min(1, len(read)):] {
			all = append(all, plain(s, l))
		}
	}
	return all, said
}

// plain is the submission of a lead that no case number stands above.
func plain(s intake.Submission, l extract.Lead) intake.Submission {
	s.Case, s.CaseHint, s.Answers, s.Commands = "", "", "", nil
	return withLead(s, l)
}

// attached returns the leads that were read from files.
func attached(leads []extract.Lead) []extract.Lead {
	var out []extract.Lead
	for _, l := range leads {
		for _, e := range l.Evidence {
			if e.End == 0 && (e.Method == "table" || e.Method == "card") {
				out = append(out, l)
				break
			}
		}
	}
	return out
}

// readPart reads the leads of a part of a mail.
func (m *Mailbox) readPart(text string, u *understood) []extract.Lead {
	in := extractInput(&u.mail)
	read := m.deps.Extractor.Extract(extract.Input{
		Text: text, SenderName: in.SenderName, SenderAddress: in.SenderAddress, SenderDomain: in.SenderDomain,
	})
	return read.Leads
}

// together numbers the parts of one mail, and has those that register something answered by
// one message. A command is answered by itself.
func together(all []intake.Submission, faults []intake.RowFault) []intake.Submission {
	size := 0
	for i := range all {
		if len(all[i].Commands) == 0 {
			size++
		}
	}
	id := all[0].Key
	for i := range all {
		if (size > 1 || len(faults) > 0) && len(all[i].Commands) == 0 {
			all[i].Batch = intake.Batch{ID: id, Size: size, Faults: faults}
		}
		if i > 0 {
			follow(&all[i], i)
		}
	}
	return all
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

// perLead makes a submission of each lead that was read.
func perLead(s intake.Submission, read *extract.Result) []intake.Submission {
	if len(read.Leads) > 1 || len(read.Faults) > 0 {
		s.Batch = intake.Batch{ID: s.Key, Size: max(1, len(read.Leads)), Faults: read.Faults}
	}
	if len(read.Leads) == 0 {
		return []intake.Submission{s}
	}
	all := make([]intake.Submission, len(read.Leads))
	for i, l := range read.Leads {
		all[i] = withLead(s, l)
		if i > 0 {
			follow(&all[i], i)
			all[i].Commands = nil
		}
	}
	return all
}

// partOf returns what a mail says about the i-th of its leads: all that is new, if there is
// one lead alone, else what stands between where it begins and where the next does.
func partOf(read *extract.Result, i int) string {
	if len(read.Leads) < 2 {
		return read.New
	}
	from, to := beginning(read.Leads[i]), len(read.Text)
	if i+1 < len(read.Leads) {
		to = beginning(read.Leads[i+1])
	}
	if from < 0 || to < from || to > len(read.Text) {
		return ""
	}
	return read.Text[from:to]
}

// beginning is the offset of the first line of a lead, -1 if it was not read from lines.
func beginning(l extract.Lead) int {
	first := -1
	for _, e := range l.Evidence {
		if e.Method == "label" && (first < 0 || e.Start < first) {
			first = e.Start
		}
	}
	return first
}

// withLead is s with what was read of a lead.
func withLead(s intake.Submission, l extract.Lead) intake.Submission {
	s.Lead, s.Problems = l.Fields, l.Problems
	s.Evidence, s.Weak = make(map[intake.Field]string, len(l.Evidence)), nil
	for f, e := range l.Evidence {
		s.Evidence[f] = e.Words
		if !inForm(e) {
			s.Weak = append(s.Weak, f)
		}
	}
	slices.Sort(s.Weak)
	return s
}

// follow makes s the submission of a mail that comes after i others. What is there once for
// all of them goes with the first.
func follow(s *intake.Submission, i int) {
	s.Key = fmt.Sprintf("%s#%d", s.Key, i+1)
	s.Meetings, s.MessageID = nil, ""
	if s.Content != "" {
		s.Content = fmt.Sprintf("%s#%d", s.Content, i+1)
	}
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
	return intake.Route{Channel: Channel, Address: m.replyAddress(&u.mail), Thread: m.threadOf(&u.mail)}
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
