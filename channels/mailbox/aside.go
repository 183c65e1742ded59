package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"

	"leadgate/channels/mailbox/mailparse"
	"leadgate/intake"
)

// aside is what staff are given of a message that is no registration.
func (m *Mailbox) aside(ctx context.Context, u *understood, v verdict, d delivery, raw intake.Raw) intake.Aside {
	a := intake.Aside{
		Key: d.key, Channel: Channel, Reason: v.reason, Detail: v.detail,
		From: firstAddress(&u.mail), Subject: clipRunes(u.mail.Subject, maxSubject), ReceivedAt: d.receivedAt, Raw: raw,
		Delivery: m.report(&u.mail, u.found, d.recipients),
	}
	if number := u.answers.caseNumber(); number != "" && u.found.class == classVacation {
		a.Detail += "; it answers " + number
	}
	if notice := noticeOf(u, v); notice != intake.NoticeNone && u.found.class == classPerson && u.mute(d) == "" {
		a.Notice, a.Reply = notice, m.route(u)
		a.Sender, _ = m.sender(ctx, u, d)
	}
	return a
}

// noticeOf is what a person may be told about a message that is set aside.
func noticeOf(u *understood, v verdict) intake.Notice {
	switch {
	case v.reason == intake.AsideTooLarge:
		return intake.NoticeTooLarge
	case v.reason == intake.AsideSealed && u.mail.Sealed == mailparse.SealTNEF:
		return intake.NoticeWinmail
	case v.reason == intake.AsideSealed:
		return intake.NoticeSealed
	}
	return intake.NoticeNone
}

func firstAddress(p *mailparse.Parsed) string {
	if len(p.From) == 0 {
		return ""
	}
	return p.From[0].Address
}

var (
	_ intake.Rereader = (*Mailbox)(nil)
	_ intake.Rereader = Repliers(nil)
)

// ErrNoSender says that a mail names nobody who could have sent it.
var ErrNoSender = errors.New("the mail names no sender")

// Reread implements intake.Rereader: it reads a set-aside mail as if a person had sent it, of
// whom staff say who it is. What a machine wrote is answered nowhere all the same.
func (m *Mailbox) Reread(_ context.Context, a intake.Aside, raw io.ReadSeeker) ([]intake.Submission, error) {
	if _, err := raw.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read what was set aside as %s: %w", a.ID, err)
	}
	d := delivery{key: "accepted:" + a.ID, receivedAt: a.ReceivedAt, content: raw, vouched: true}
	u, err := m.understand(d)
	if err != nil {
		return nil, fmt.Errorf("read what was set aside as %s: %w", a.ID, err)
	}
	address := or(firstAddress(&u.mail), a.From)
	if address == "" {
		return nil, fmt.Errorf("read what was set aside as %s: %w", a.ID, ErrNoSender)
	}
	s := m.submission(&u, d, a.Raw)
	s.Mute, s.NotALead = "", false
	s.Sender = intake.Sender{Address: address, Strength: intake.StrengthOperator, How: "accepted by staff"}
	if len(u.mail.From) > 0 {
		s.Sender.Name = clipRunes(u.mail.From[0].Name, maxName)
	}
	return perLead(s, &u.read), nil
}

// Reread implements intake.Rereader: the mailbox that a mail came to reads it.
func (r Repliers) Reread(ctx context.Context, a intake.Aside, raw io.ReadSeeker) ([]intake.Submission, error) {
	if len(r) == 0 {
		return nil, fmt.Errorf("read what was set aside as %s: no mailbox is configured", a.ID)
	}
	p, err := mailparse.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("read what was set aside as %s: %w", a.ID, err)
	}
	for _, m := range r {
		if m.wasSent(&p) {
			return m.Reread(ctx, a, raw)
		}
	}
	return r[0].Reread(ctx, a, raw)
}

// wasSent reports whether one of the addresses that p went to is of this mailbox.
func (m *Mailbox) wasSent(p *mailparse.Parsed) bool {
	for _, address := range p.DeliveredTo() {
		if m.own.has(address) {
			return true
		}
	}
	return false
}
