package teamsbot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"leadgate/channels/chat"
	"leadgate/channels/teamsbot/connector"
	"leadgate/intake"
	"leadgate/templates"
)

func link(words, url string) templates.PlainButton {
	return templates.PlainButton{Words: words, URL: url}
}

// Reply implements intake.Replier. The card that shows the case is changed where it is, and what
// happened is said below it. What concerns the one who registered alone goes to his personal chat,
// or by mail. So does all where the bot is not any more.
//
// Teams knows no name for a message before it is sent: if the answer to a call is lost, the same
// message may be there twice.
func (b *Bot) Reply(ctx context.Context, m intake.Message) (json.RawMessage, error) {
	th, err := b.route(ctx, m)
	if err != nil {
		return nil, err
	}
	if th == nil {
		th := &thread{}
		if len(m.To.Thread) > 0 {
			if *th, err = readThread(m.To.Thread); err != nil {
				return nil, intake.Permanent(err)
			}
		}
		return b.byMail(ctx, m, th, errors.New("nothing is known of where the person is in Teams"))
	}
	// The directory may have changed since: whose tenant the conversation is in counts now.
	if !alone(th.Ref) && th.Partner != "" {
		if th.Foreign, err = b.foreign(ctx, th.Partner, th.Ref); err != nil {
			return nil, err
		}
	}
	if err := b.updateCard(ctx, m, th); err != nil {
		return nil, err
	}
	to, discreet := th.Ref, b.discreet(m, th)
	if discreet {
		own, found, err := b.personalOf(ctx, th.Tenant, th.Object)
		if err != nil {
			return nil, err
		}
		if !found {
			return b.byMail(ctx, m, th, errors.New("others read along where it was registered"))
		}
		to = own
	}
	told, err := b.told(ctx, m)
	if err != nil || told {
		return b.again(th, err)
	}
	if m.Kind == intake.MessageReceived && !m.Unprompted && th.Card != "" && !discreet {
		return json.Marshal(th) // the card says it
	}
	to, lives, err := b.current(ctx, to)
	if err != nil {
		return nil, err
	}
	if !lives {
		return b.byMail(ctx, m, th, errors.New("the bot was removed there"))
	}
	o, err := b.outgoing(m)
	if err != nil {
		return nil, intake.Permanent(err)
	}
	id, err := b.send(ctx, to, o)
	switch {
	case errors.Is(err, connector.ErrGone), errors.Is(err, connector.ErrHost):
		if buryErr := b.bury(ctx, to); buryErr != nil {
			return nil, buryErr
		}
		return b.byMail(ctx, m, th, err)
	case err != nil:
		return nil, err
	}
	if th.Card == "" && m.Facts.Case != "" && !discreet {
		th.Card = id
	}
	if err := b.kept(ctx, m, th, to); err != nil { // it was sent
		b.Log.Warn("where a case is shown was not kept", "channel", Channel, "case", m.Facts.Case, "err", err)
	}
	return json.Marshal(th)
}

// route is where a message goes; nil if that is not known.
func (b *Bot) route(ctx context.Context, m intake.Message) (*thread, error) {
	if len(m.To.Thread) > 0 {
		th, err := readThread(m.To.Thread)
		if err != nil {
			return nil, intake.Permanent(fmt.Errorf("thread of %s: %w", m.ID, err))
		}
		if th.Ref.Conversation != "" {
			return &th, nil
		}
	}
	ref, found, err := b.byAddress(ctx, m.To.Address)
	if err != nil || !found {
		return nil, err
	}
	return &thread{Ref: ref, Tenant: ref.Tenant}, nil
}

// discreet reports whether a message is not for those who read along.
func (b *Bot) discreet(m intake.Message, th *thread) bool {
	return !alone(th.Ref) && (th.Foreign || chat.Discreet(m.Kind) || chat.DiscreetStatus(m.Facts.Status) || m.Facts.Case == "")
}

// updateCard brings the card of a case up to date. One that is not there any more is forgotten.
func (b *Bot) updateCard(ctx context.Context, m intake.Message, th *thread) error {
	if th.Card == "" {
		return nil
	}
	c, tracked, err := chat.Tracked(b.Words, m, alone(th.Ref))
	if err != nil {
		return intake.Permanent(err)
	}
	ref, lives, err := b.current(ctx, th.Ref)
	if err != nil || !tracked || !lives {
		return err
	}
	if th.Foreign {
		c = chat.Card{Locale: c.Locale, Case: c.Case, Title: c.Case, Lines: []string{say(c.Locale, "quiet")}}
	}
	err = b.connector.Update(ctx, ref, th.Card, connector.Outgoing{Text: c.Text(), Card: caseCard(c, nil)})
	if errors.Is(err, connector.ErrGone) || errors.Is(err, connector.ErrHost) || intake.IsPermanent(err) {
		b.Log.Info("the card of a case could not be changed", "channel", Channel, "case", m.Facts.Case, "err", err)
		th.Card = ""
		return nil
	}
	if err != nil {
		b.failed(err)
	}
	return err
}

// outgoing is a message as it is sent. One that asks for something brings the form for it.
func (b *Bot) outgoing(m intake.Message) (connector.Outgoing, error) {
	c, err := chat.CardOf(b.Words, m)
	if err != nil {
		return connector.Outgoing{}, err
	}
	var ask *draft
	if len(c.Fields) > 0 {
		form := chat.AnswerForm(c.Locale, c.Fields)
		if len(form.Questions) > 0 {
			// The same message has the same form, however often it is sent.
			ask = &draft{form: form, id: hashed("answer", m.ID), verb: verbAnswer, number: m.Facts.Case}
		}
	}
	return connector.Outgoing{Text: c.Text(), Card: caseCard(c, ask)}, nil
}

// maxTold is how many messages of a case are remembered.
const maxTold = 20

// told reports whether a message was sent already: what came after it failed.
func (b *Bot) told(ctx context.Context, m intake.Message) (bool, error) {
	if m.Facts.Case == "" {
		return false, nil
	}
	ids, _, err := recall[[]string](ctx, b.Memory, toldName(m.Facts.Case))
	return slices.Contains(ids, m.ID), err
}

func (b *Bot) tell(ctx context.Context, m intake.Message) error {
	ids, _, err := recall[[]string](ctx, b.Memory, toldName(m.Facts.Case))
	if err != nil {
		return err
	}
	ids = append(ids, m.ID)
	return keep(ctx, b.Memory, toldName(m.Facts.Case), ids[max(0, len(ids)-maxTold):])
}

// again is the thread of a message that was sent before.
func (b *Bot) again(th *thread, err error) (json.RawMessage, error) {
	if err != nil {
		return nil, err
	}
	return json.Marshal(th)
}

// kept notes what a message that was sent leaves behind: the card that shows the case, and
// whether something is asked there.
func (b *Bot) kept(ctx context.Context, m intake.Message, th *thread, to connector.Reference) error {
	if m.Facts.Case == "" {
		return nil
	}
	if err := b.tell(ctx, m); err != nil {
		return err
	}
	if err := b.shows(ctx, m.Facts.Case, *th); err != nil {
		return err
	}
	return b.change(ctx, to, func(p *place) {
		switch asks := m.Facts.Status == intake.StatusNeedsInfo; {
		case asks:
			p.Asked = m.Facts.Case
		case p.Asked == m.Facts.Case:
			p.Asked = ""
		}
	})
}

// byMail sends what can't be sent here to the person's address, or to a contact of the partner for
// whom he spoke, and returns his thread, in which that of the mail goes on.
func (b *Bot) byMail(ctx context.Context, m intake.Message, th *thread, why error) (json.RawMessage, error) {
	to, err := chat.MailFor(ctx, b.Gateway, m.To.Address, th.Partner)
	if err != nil {
		return nil, err
	}
	if b.Mail == nil || b.MailChannel == "" || to == "" {
		// Staff are told: no other contact could be written to either.
		return nil, intake.OwnFault(fmt.Errorf("message %s: no way to write to the person is left: %w", m.ID, why))
	}
	b.Log.Info("an answer goes by mail instead of Teams", "channel", Channel, "case", m.Facts.Case, "err", why)
	m.To = intake.Route{Channel: b.MailChannel, Address: to, Thread: th.Mail}
	if th.Mail, err = b.Mail.Reply(ctx, m); err != nil {
		return nil, fmt.Errorf("by mail: %w", err)
	}
	return json.Marshal(th)
}
