package teamsbot

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"leadgate/channels/chat"
	"leadgate/channels/teamsbot/connector"
	"leadgate/intake"
	"leadgate/intake/command"
	"leadgate/intake/extract"
	"leadgate/templates"
)

// message answers what somebody wrote, or a button that sends a message.
func (t turn) message(ctx context.Context) error {
	if press, ok := readPress(t.Value); ok && t.Text == "" {
		return t.pressed(ctx, press)
	}
	text := t.Said()
	if t.Recipient.Name != "" { // typed by hand, it is no mention
		text = strings.TrimSpace(strings.TrimPrefix(text, "@"+t.Recipient.Name))
	}
	p, err := t.who(ctx, t.Activity)
	if err != nil {
		return t.again(ctx, err)
	}
	line := chat.Read(text)
	switch line.Wish {
	case chat.WishList:
		return t.list(ctx, p)
	case chat.WishCommand:
		return t.command(ctx, p, line.Command, text)
	}
	asked, err := t.asked(ctx)
	if err != nil {
		return err
	}
	if !registers(text, line.Lead) {
		if asked != "" && p.Known() && !p.barred {
			return t.answers(ctx, p, asked, text)
		}
		return t.help(ctx)
	}
	d := t.newDraft(p, line.Lead)
	_, err = t.say(ctx, connector.Outgoing{Text: d.title, Card: d.card()})
	return err
}

// again asks somebody to write again who could not be looked up.
func (t turn) again(ctx context.Context, err error) error {
	if !errors.Is(err, errWho) {
		return err
	}
	_, sendErr := t.say(ctx, connector.Outgoing{Text: say(t.Locale, "again")})
	return errors.Join(sendErr, ignore(sendErr, err))
}

// ignore returns err only where the other one is nil: it was told already.
func ignore(other, err error) error {
	if other == nil {
		return nil
	}
	return err
}

// registers reports whether a line means to register: it says so, says nothing, or names a
// company. What people say to each other opens no form.
func registers(text string, lead intake.Lead) bool {
	if text == "" || lead[intake.FieldCompanyDomain] != "" || lead[intake.FieldContactEmail] != "" {
		return true
	}
	return lead[intake.FieldProblem] != strings.TrimSpace(chat.Unwrap(text))
}

func (t turn) help(ctx context.Context) error {
	name := "@" + t.Recipient.Name
	_, err := t.say(ctx, connector.Outgoing{Text: chat.Say(t.Locale, "help", name)})
	return err
}

// asked is the case that a line here can only be about: that of the thread, or the one of which
// something is asked in this conversation; "" for none.
func (t turn) asked(ctx context.Context) (string, error) {
	ref := t.Reference()
	number, found, err := recall[string](ctx, t.Memory, threadName(ref))
	if err != nil || found {
		return number, err
	}
	if !alone(ref) {
		return "", nil
	}
	p, _, err := recall[place](ctx, t.Memory, placeName(ref))
	return p.Asked, err
}

// said names what somebody wrote: the same activity is the same, however often it comes.
func (t turn) said() string {
	id := t.ID
	if id == "" {
		id = string(t.Raw)
	}
	return "said:" + hashed(t.Tenant, t.Conversation.ID, id)
}

// command has the gateway do what is asked for in a word; its answer comes by Reply.
func (t turn) command(ctx context.Context, p person, c intake.Command, text string) error {
	if c.Verb == intake.VerbHelp {
		return t.help(ctx)
	}
	if told, err := t.turnAway(ctx, p); told {
		return err
	}
	if c.Case == "" && !alone(t.Reference()) {
		number, found, err := recall[string](ctx, t.Memory, threadName(t.Reference()))
		if err != nil {
			return err
		}
		if found {
			c.Case = number
		}
	}
	if c.Case != "" {
		own, err := t.Gateway.OwnCase(ctx, p.Partner, c.Case)
		if errors.Is(err, intake.ErrNotFound) {
			_, err = t.say(ctx, connector.Outgoing{Text: chat.Say(t.Locale, "unknown_case")})
			return err
		}
		if err != nil {
			return err
		}
		c.Case = own.Case
	}
	s, err := t.submission(ctx, p, t.said())
	if err != nil {
		return err
	}
	s.Commands, s.CaseHint, s.Text = []intake.Command{c}, c.Case, text
	if s.Reply.Thread, err = t.thread(ctx, p, c.Case, ""); err != nil {
		return err
	}
	_, err = t.accept(ctx, s)
	return err
}

// accept stores what somebody wrote. If that fails he is told, so that he writes it again.
func (t turn) accept(ctx context.Context, s intake.Submission) (stored bool, err error) {
	if _, err := t.sink.Accept(ctx, s); err != nil {
		t.Log.Error("what was written in Teams was not stored", "channel", Channel, "err", err)
		_, err := t.say(ctx, connector.Outgoing{Text: chat.Say(t.Locale, "failed.command")})
		return false, err
	}
	return true, nil
}

// turnAway tells who speaks for nobody, or for a partner who takes no part, that he is told nothing.
func (t turn) turnAway(ctx context.Context, p person) (told bool, err error) {
	phrase := "who"
	switch {
	case p.barred:
		phrase = "barred"
	case p.Known():
		return false, nil
	}
	_, err = t.say(ctx, connector.Outgoing{Text: chat.Say(t.Locale, phrase)})
	return true, err
}

// answers adds what somebody wrote to a case of his partner.
func (t turn) answers(ctx context.Context, p person, number, text string) error {
	s, err := t.submission(ctx, p, t.said())
	if err != nil {
		return err
	}
	read := t.Extractor.Extract(extract.Input{Text: text, SenderName: p.name, SenderAddress: p.address})
	s.CaseHint, s.Text, s.Agrees, s.Reader = number, text, command.Agrees(text), extract.Version()
	if len(read.Leads) > 0 {
		l := read.Leads[0]
		s.Lead, s.Problems, s.Evidence = l.Fields, l.Problems, make(map[intake.Field]string)
		for f, e := range l.Evidence {
			s.Evidence[f] = e.Words
		}
	}
	s.Unclear = t.Extractor.Unclear(text)
	if s.Reply.Thread, err = t.thread(ctx, p, number, ""); err != nil {
		return err
	}
	if stored, err := t.accept(ctx, s); !stored {
		return err
	}
	_, err = t.say(ctx, connector.Outgoing{Text: chat.Say(t.Locale, "noted")})
	if err != nil {
		t.Log.Warn("an answer was stored and not confirmed", "channel", Channel, "case", number, "err", err)
	}
	return nil
}

// listed is how many cases a list has.
const listed = 10

// list shows the partner's cases, where nobody reads along.
func (t turn) list(ctx context.Context, p person) error {
	if told, err := t.turnAway(ctx, p); told {
		return err
	}
	if !alone(t.Reference()) {
		_, err := t.say(ctx, connector.Outgoing{Text: say(t.Locale, "personal")})
		return err
	}
	cases, next, err := t.Gateway.OwnCases(ctx, p.Partner, "", listed)
	if err != nil {
		return err
	}
	if len(cases) == 0 {
		_, err := t.say(ctx, connector.Outgoing{Text: chat.Say(t.Locale, "nothing")})
		return err
	}
	title := chat.Say(t.Locale, "list")
	var lines []string
	for _, c := range cases {
		lines = append(lines, c.Case+" · "+c.Company+" · "+templates.StageWord(t.Locale, c.Stage))
	}
	if next != "" {
		lines = append(lines, chat.Say(t.Locale, "more"))
	}
	_, err = t.say(ctx, connector.Outgoing{Text: strings.Join(append([]string{title}, lines...), "\n"), Card: note(title, lines...)})
	return err
}

// pressed answers a button that sends a message: the fallback of old clients, and the one that
// asks for a form.
func (t turn) pressed(ctx context.Context, press press) error {
	if press.verb == verbOpen {
		p, err := t.who(ctx, t.Activity)
		if err != nil {
			return t.again(ctx, err)
		}
		d := t.newDraft(p, nil)
		_, err = t.say(ctx, connector.Outgoing{Text: d.title, Card: d.card()})
		return err
	}
	card, title, err := t.submit(ctx, press, t.ReplyToID)
	if err != nil {
		return err
	}
	if t.ReplyToID != "" {
		err := t.connector.Update(ctx, t.Reference(), t.ReplyToID, connector.Outgoing{Text: title, Card: card})
		if err == nil {
			t.worked()
			return nil
		}
		t.Log.Info("the card of a form could not be replaced", "channel", Channel, "err", err)
	}
	_, err = t.say(ctx, connector.Outgoing{Text: title, Card: card})
	return err
}

// press is a pressed button: what it brings along, and what was typed.
type press struct {
	verb, draft, number string
	values              map[string]string
}

// readPress reads the data of a button; false if it is none of ours.
func readPress(data json.RawMessage) (press, bool) {
	var members map[string]any
	if json.Unmarshal(data, &members) != nil {
		return press{}, false
	}
	p := press{values: make(map[string]string)}
	for name, v := range members {
		text, ok := v.(string)
		if is, yes := v.(bool); yes && is {
			text, ok = intake.ConsentYes, true
		}
		if !ok {
			continue
		}
		switch name {
		case dataVerb:
			p.verb = text
		case dataDraft:
			p.draft = text
		case dataCase:
			p.number = text
		default:
			p.values[name] = text
		}
	}
	return p, p.verb != ""
}
