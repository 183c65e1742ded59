package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
	"leadgate/intake/extract"
)

// Lists takes in lists of prospects that come attached: a csvdrop.Drop and its Gateway. A list is
// taken in behind the scenes and told of by one message, however many rows it has.
type Lists interface {
	Files
	// PartnerOf returns intake.ErrNotFound if an address speaks for nobody.
	PartnerOf(ctx context.Context, address string) (intake.Partner, error)
	// TellImport has who sent a list that was known told what became of it, once for a key.
	TellImport(ctx context.Context, id, key string, to intake.Route) error
	// RefuseFile has a partner told why a file can't be read, once for a key.
	RefuseFile(context.Context, intake.RefusedFile) error
}

// Files reads lists. What can't be read is an *intake.FileError.
type Files interface {
	Recognise(r *io.SectionReader, f intake.ImportFile, most int) (rows int, answered bool, err error)
	Offer(context.Context, *io.SectionReader, intake.ImportFile) (intake.Import, error)
	Start(ctx context.Context, id string) (intake.Import, error)
	// Enclosure is the result that goes with the message about a list; without Content if there
	// is none of at most so many bytes, 0 for no limit.
	Enclosure(ctx context.Context, m intake.Message, most int) (intake.Enclosure, error)
}

const (
	// maxEnclosed is how large a result may be to go with a mail that has a link to it, in bytes.
	maxEnclosed = 2 << 20
	// coverWords is how many words a covering letter has, coverRunes how many characters of it are
	// kept with the list.
	coverWords = 30
	coverRunes = 2000
	// CodeFilesTooLarge is why one of several files was not read.
	CodeFilesTooLarge = "files_too_large"
)

// attachedLists are the lists of a mail that are taken in as such, and whose they are.
type attachedLists struct {
	files   []mailparse.Attachment
	partner intake.Partner
	sender  intake.Sender
	reply   intake.Route
	// key names the mail, wherever it is found again.
	key string
}

// lists finds the lists of a mail: those of a person who is proven to write for a partner. A
// table of a few rows is none, but part of the conversation: each of its rows is asked about and
// answered in the mail's own words. Two files that are the same are one.
func (m *Mailbox) lists(ctx context.Context, u *understood, d delivery, sender intake.Sender) (l attachedLists, err error) {
	if m.deps.Lists == nil || u.found.class != classPerson || d.vouched || u.mute(d) != "" || !sender.Strength.Proven() {
		return l, nil
	}
	var sheets, tables []mailparse.Attachment
	for _, a := range attachments(&u.mail) {
		switch a.Kind() {
		case mailparse.KindSheet:
			sheets = append(sheets, a)
		case mailparse.KindCSV:
			tables = append(tables, a)
		}
	}
	if len(sheets)+len(tables) == 0 {
		return l, nil
	}
	l.partner, err = m.deps.Lists.PartnerOf(ctx, sender.Address)
	if errors.Is(err, intake.ErrNotFound) {
		return l, nil
	}
	if err != nil {
		return l, fmt.Errorf("whose list it is: %w", err)
	}
	l.files, err = m.longTables(u, tables)
	if err != nil {
		return l, fmt.Errorf("read an attached list: %w", err)
	}
	l.files = append(l.files, sheets...)
	l.sender, l.reply, l.key = sender, m.route(u), d.key
	if u.mail.MessageID != "" { // a mail server may number all its messages anew
		l.key = "mail:" + u.mail.Fingerprint()
	}
	return l, nil
}

// attachments returns those of a mail and of the mails within it, each content once.
func attachments(p *mailparse.Parsed) (all []mailparse.Attachment) {
	add := func(more []mailparse.Attachment) {
		for _, a := range more {
			if !slices.ContainsFunc(all, func(b mailparse.Attachment) bool { return a.SHA256 == b.SHA256 && a.Kind() == b.Kind() }) {
				all = append(all, a)
			}
		}
	}
	add(p.Attachments)
	for i := range p.Forwarded {
		add(p.Forwarded[i].Attachments)
	}
	return all
}

// longTables returns the files of separated values that are lists: results of ours that come
// back, all of them if they have more rows than a conversation takes, and what can't be read
// where nothing else was read either.
func (m *Mailbox) longTables(u *understood, tables []mailparse.Attachment) (long []mailparse.Attachment, err error) {
	var short []mailparse.Attachment
	total := 0
	for _, a := range tables {
		rows, answered, err := m.deps.Lists.Recognise(section(a), file(a), extract.MaxLeads)
		var unreadable *intake.FileError
		switch {
		case errors.As(err, &unreadable):
			if a.Content == nil || !named(u.read.Leads) || len(u.read.Leads) >= extract.MaxLeads {
				long = append(long, a)
			}
		case err != nil:
			return nil, err
		case answered:
			long = append(long, a)
		default:
			total += rows
			short = append(short, a)
		}
	}
	if total > extract.MaxLeads {
		long = append(long, short...)
	}
	return long, nil
}

// section is the content of an attachment. Of one that was not kept it has the size, so that who
// reads it says what is too large.
func section(a mailparse.Attachment) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(a.Content), 0, a.Size)
}

// file is an attachment as a list.
func file(a mailparse.Attachment) intake.ImportFile {
	f := intake.ImportFile{Name: clipRunes(a.Name, maxName), Raw: intake.Raw{Media: a.Media}}
	if f.Name == "" {
		f.Name = map[mailparse.Kind]string{mailparse.KindCSV: "list.csv", mailparse.KindSheet: "list.xlsx"}[a.Kind()]
	}
	if a.Charset != "" {
		if media := mime.FormatMediaType(a.Media, map[string]string{"charset": a.Charset}); media != "" {
			f.Raw.Media = media
		}
	}
	return f
}

// takeLists has the lists of a mail taken in, and told of. The mail may be acknowledged once it
// returns nil: what was started goes on after a crash, and in a redelivery nothing is done twice.
// What can't be read is answered, unless the mail is about something else: then it is returned,
// for staff.
func (m *Mailbox) takeLists(ctx context.Context, l attachedLists, d delivery, note string, more bool) (unread []string, err error) {
	for i, a := range l.files {
		key := l.key
		if i > 0 {
			key = fmt.Sprintf("%s#%d", key, i+1)
		}
		f := file(a)
		f.Partner, f.Sender, f.Reply, f.ReceivedAt, f.Key, f.Note = l.partner.ID, l.sender, l.reply, d.receivedAt, key, note
		f.AtOnce = true
		err := m.takeList(ctx, a, f)
		var unreadable *intake.FileError
		switch {
		case errors.As(err, &unreadable) && more && a.Kind() == mailparse.KindSheet:
			unread = append(unread, unreadable.Problem.Code)
		case errors.As(err, &unreadable):
			err = m.deps.Lists.RefuseFile(ctx, intake.RefusedFile{Key: key, Partner: f.Partner, Name: f.Name, Reply: f.Reply, Why: unreadable})
			if err != nil {
				return unread, fmt.Errorf("refuse an attached list: %w", err)
			}
		case err != nil:
			return unread, fmt.Errorf("take an attached list in: %w", err)
		}
	}
	return unread, nil
}

// takeList has one list taken in.
func (m *Mailbox) takeList(ctx context.Context, a mailparse.Attachment, f intake.ImportFile) (err error) {
	if a.Content == nil && a.Size <= mailparse.MaxTable {
		return &intake.FileError{Err: errors.New("the files of the mail are too large together"), Problem: intake.Problem{
			Code: CodeFilesTooLarge, Message: "the files of this mail are too large together, and this one was not read; send it in a mail of its own",
		}}
	}
	im, err := m.deps.Lists.Offer(ctx, section(a), f)
	if err != nil {
		return err
	}
	if im.Key != f.Key || im.State == intake.ImportPreviewed { // a redelivery starts nothing anew
		if im, err = m.deps.Lists.Start(ctx, im.ID); err != nil {
			return err
		}
	}
	m.deps.Log.Info("a list was taken in", "key", f.Key, "import", im.ID, "partner", im.Partner, "state", string(im.State))
	return m.deps.Lists.TellImport(ctx, im.ID, f.Key, f.Reply)
}

// without reads a mail again, as if it had come without the lists.
func (m *Mailbox) without(u *understood, l attachedLists) {
	drop := func(p *mailparse.Parsed) {
		p.Attachments = slices.DeleteFunc(slices.Clone(p.Attachments), func(a mailparse.Attachment) bool {
			return slices.ContainsFunc(l.files, func(b mailparse.Attachment) bool { return a.SHA256 == b.SHA256 })
		})
	}
	tables := slices.ContainsFunc(l.files, func(a mailparse.Attachment) bool { return a.Kind() == mailparse.KindCSV })
	drop(&u.mail)
	u.mail.Forwarded = slices.Clone(u.mail.Forwarded)
	for i := range u.mail.Forwarded {
		drop(&u.mail.Forwarded[i])
	}
	if tables {
		u.read = m.deps.Extractor.Extract(extractInput(&u.mail))
		notOfBounces(u)
	}
}

// saysMore reports whether a mail that brought lists says something beside them that is to be
// taken in: a registration, a command, an invitation, or an answer in the thread of a case. A
// company that a covering letter mentions is none.
func (m *Mailbox) saysMore(u *understood, all []intake.Submission) bool {
	if len(all) > 1 || all[0].About != "" || registered(u.read.Leads, false) {
		return true
	}
	if named(u.read.Leads) && slices.ContainsFunc(u.read.Leads, func(l extract.Lead) bool {
		return l.Fields[intake.FieldContactEmail] != "" || l.Fields[intake.FieldCompanyDomain] != ""
	}) {
		return true
	}
	s := all[0]
	inThread := s.Case != "" && (registered(u.read.Leads, true) || s.Agrees || !m.covers(u))
	return len(s.Commands) > 0 || len(s.Meetings) > 0 || inThread
}

// covers reports whether the text of a mail only goes with what is attached: it is empty, or a few
// words that ask nothing.
func (m *Mailbox) covers(u *understood) bool {
	text := u.read.New
	if m.deps.Extractor.SaysNothing(text, extractInput(&u.mail).SenderName) {
		return true
	}
	return len(strings.Fields(text)) <= coverWords && utf8.RuneCountInString(text) <= 12*coverWords && !strings.ContainsAny(text, "?？")
}

// takeWithLists takes a mail in that brought lists.
func (m *Mailbox) takeWithLists(ctx context.Context, sink intake.Sink, u *understood, l attachedLists, d delivery, raw intake.Raw) (outcome, error) {
	m.without(u, l)
	all := m.submissionsOf(u, d, raw, l.sender)
	more := m.saysMore(u, all)
	evidence := more || u.answers.caseNumber() != "" // a workbook in the thread of a case need not be a list
	unread, err := m.takeLists(ctx, l, d, clipRunes(u.read.New, coverRunes), evidence)
	if err != nil {
		return outcome{}, err
	}
	if len(unread) > 0 {
		more = true
		for i := range all {
			all[i].Note = strings.TrimPrefix(all[i].Note+"; a workbook was attached that is no list ("+strings.Join(unread, ", ")+")", "; ")
		}
	}
	switch {
	case more:
		return m.accept(ctx, sink, d, all)
	case m.covers(u):
		return outcome{proven: true}, nil
	}
	receipt, err := sink.SetAside(ctx, intake.Aside{
		Key: d.key, Channel: Channel, Reason: intake.AsideNotALead, From: firstAddress(&u.mail), Subject: clipRunes(u.mail.Subject, maxSubject),
		Detail: "the lists that came with it were taken in; the mail says something beside them", ReceivedAt: d.receivedAt, Raw: raw,
	})
	if err != nil {
		return outcome{}, fmt.Errorf("set the words beside a list aside: %w", err)
	}
	return outcome{receipt: receipt, proven: true}, nil
}

// unprovenList is what becomes of a mail that brings nothing but workbooks, of which nobody knows
// who sent them: they are not read. Whoever is at the address is told so, if it is a partner's.
func (m *Mailbox) unprovenList(u *understood, d delivery, sender intake.Sender, all []intake.Submission, raw intake.Raw) (intake.Aside, bool) {
	isSheet := func(a mailparse.Attachment) bool { return a.Kind() == mailparse.KindSheet }
	if m.deps.Lists == nil || u.found.class != classPerson || d.vouched || u.mute(d) != "" || sender.Strength.Proven() ||
		!slices.ContainsFunc(attachments(&u.mail), isSheet) || len(u.read.Leads) > 0 || m.saysMore(u, all) {
		return intake.Aside{}, false
	}
	return intake.Aside{
		Key: d.key, Channel: Channel, Reason: intake.AsideNoLead, From: firstAddress(&u.mail), Subject: clipRunes(u.mail.Subject, maxSubject),
		Detail: "a workbook that was not read: its sender is no proven partner", ReceivedAt: d.receivedAt, Raw: raw,
		Notice: intake.NoticeUnprovenList, Sender: sender, Reply: m.route(u),
	}, true
}
