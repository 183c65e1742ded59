package slackbot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/slack-go/slack"

	"leadgate/channels/chat"
	"leadgate/intake"
	"leadgate/templates"
)

// command answers a slash command: it opens the form, or tells what was asked for.
func (b *Bot) command(ctx context.Context, c slack.SlashCommand) answer {
	p := person{Enterprise: c.EnterpriseID, Team: c.TeamID, Home: c.TeamID, User: c.UserID, Channel: c.ChannelID, Reply: c.ResponseURL}
	i, err := b.installation(ctx, p.Enterprise, p.Team)
	if err != nil {
		b.log.Error("a command from a workspace without the app", "channel", Channel, "team", p.Team, "err", err)
		return b.late(b.cfg.Locale)
	}
	line := chat.Read(c.Text)
	if line.Wish != chat.WishRegister {
		return b.tell(ctx, p, i, line)
	}
	return b.open(ctx, p, i, c.TriggerID, line.Lead)
}

// open opens the form for a person. What is known by the store alone decides what it asks, so that
// it opens at once; what his profile tells comes after.
func (b *Bot) open(ctx context.Context, p person, i Installation, trigger string, lead intake.Lead) answer {
	k, _, err := b.at(ctx, p, i)
	if err != nil {
		b.log.Error("who speaks can't be told", "channel", Channel, "err", err)
		return b.late(b.cfg.Locale)
	}
	view := b.formFor(ctx, p, k, lead)
	opened, err := b.fast(i).OpenViewContext(ctx, trigger, view)
	if err != nil {
		b.failed(i, err)
		b.log.Warn("a form did not open", "channel", Channel, "team", p.Team, "err", reason(err))
		return b.late(k.Locale)
	}
	if !k.Known() && !k.Disputed && k.Internal { // a guest of ours may have an address that speaks for itself
		b.after("a form could not be changed", func(ctx context.Context) error {
			now, err := b.who(ctx, p, i)
			if err != nil || !now.Known() {
				return err
			}
			_, err = b.fast(i).UpdateViewContext(ctx, b.formFor(ctx, p, now, lead), "", opened.Hash, opened.ID)
			if code(err) == "hash_conflict" || code(err) == "not_found" {
				return nil // it was sent or closed meanwhile
			}
			return err
		})
	}
	return ok
}

func (b *Bot) formFor(ctx context.Context, p person, k known, lead intake.Lead) slack.ModalViewRequest {
	asks := !k.Known() && !k.Disputed
	intro := ""
	if k.Internal && k.Known() {
		if who, err := b.gateway.Partner(ctx, k.Partner); err == nil {
			intro = chat.Say(k.Locale, "behalf", who.Name)
		}
	}
	return registration(b.form(k.Locale, asks), metadata{Team: p.Team, Channel: p.Channel, Reply: b.answerable(p.Reply), Asks: asks}, lead, intro)
}

func (b *Bot) form(locale string, asks bool) chat.Form {
	return chat.NewForm(chat.FormOptions{Locale: locale, More: b.cfg.Fields, AskEmail: asks, Consent: b.cfg.Consent[templates.Language(locale)]})
}

// answerable is an address for answers, if it is one of Slack's.
func (b *Bot) answerable(url string) string {
	if b.mayPost(url) {
		return url
	}
	return ""
}

// late says that the form did not open, and where there is another.
func (b *Bot) late(locale string) answer {
	if b.formURL == "" {
		return whisper(chat.Say(locale, "late.plain"))
	}
	return whisper(chat.Say(locale, "late", b.formURL))
}

// failed notes an error of Slack that is about the installation.
func (b *Bot) failed(i Installation, err error) {
	switch {
	case revoked(err):
		b.after("an installation could not be ended", func(ctx context.Context) error { return b.disable(ctx, i, code(err)) })
		if i.home {
			b.note(err)
		}
	case code(err) == "" && i.home && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled):
		b.note(err)
	}
}

// shown is how many cases a list shows.
const shown = 10

// tell answers what can be told at once, to the person alone.
func (b *Bot) tell(ctx context.Context, p person, i Installation, line chat.Line) answer {
	if line.Wish == chat.WishCommand && line.Command.Verb == intake.VerbHelp {
		k, _, err := b.at(ctx, p, i)
		if err != nil {
			return whisper(chat.Say(b.cfg.Locale, "late.plain"))
		}
		text, blocks := b.invitation(k.Locale, nil)
		help := chat.Say(k.Locale, "help", b.cfg.Command)
		return whisper(help+"\n"+text, append([]slack.Block{section(help)}, blocks...)...)
	}
	k, err := b.who(ctx, p, i)
	if err != nil {
		b.log.Error("who speaks can't be told", "channel", Channel, "err", err)
		return whisper(chat.Say(b.cfg.Locale, "late.plain"))
	}
	if !k.Known() {
		return whisper(chat.Say(k.Locale, "who"))
	}
	if k.Barred {
		return whisper(chat.Say(k.Locale, "barred"))
	}
	switch {
	case line.Wish == chat.WishList, line.Command.Verb == intake.VerbStatus && line.Command.Case == "":
		return b.list(ctx, k)
	case line.Command.Verb == intake.VerbStatus:
		return b.status(ctx, k, line.Command.Case)
	}
	return b.obey(ctx, p, k, line.Command, "", b.once(p, line))
}

// once names a command that is no event: what the same person asks for again within a minute is
// the same.
func (b *Bot) once(p person, line chat.Line) string {
	c := line.Command
	return strings.Join([]string{"command", p.Team, p.User, string(c.Verb), c.Case, digest(c.Words), b.now().UTC().Format("200601021504")}, ":")
}

// status tells how a case stands in the words of the answer to STATUS.
func (b *Bot) status(ctx context.Context, k known, number string) answer {
	m, err := b.gateway.StatusMessage(ctx, k.Partner, number)
	var c chat.Card
	if err == nil {
		c, err = chat.CardOf(b.words, m)
	}
	switch {
	case errors.Is(err, intake.ErrNotFound):
		return whisper(chat.Say(k.Locale, "unknown_case"))
	case err != nil:
		b.log.Error("a case can't be told", "channel", Channel, "err", err)
		return whisper(chat.Say(k.Locale, "late.plain"))
	}
	return whisper(c.Text(), card(c)...)
}

func (b *Bot) list(ctx context.Context, k known) answer {
	all, next, err := b.gateway.OwnCases(ctx, k.Partner, "", shown)
	if err != nil {
		b.log.Error("the cases can't be listed", "channel", Channel, "err", err)
		return whisper(chat.Say(k.Locale, "late.plain"))
	}
	if len(all) == 0 {
		return whisper(chat.Say(k.Locale, "nothing"))
	}
	lines := []string{chat.Say(k.Locale, "list")}
	var blocks []slack.Block
	for _, own := range all {
		line := own.Case + " · " + tones[chat.ToneOf(own.Status)] + " " + templates.StatusWord(templates.Language(k.Locale), own.Status) + " · " + own.Company
		lines = append(lines, line)
		blocks = append(blocks, section(line))
	}
	if next != "" {
		lines = append(lines, chat.Say(k.Locale, "more"))
		blocks = append(blocks, section(lines[len(lines)-1]))
	}
	return whisper(strings.Join(lines, "\n"), append([]slack.Block{section(lines[0])}, blocks...)...)
}

// interaction answers what was pressed or sent.
func (b *Bot) interaction(ctx context.Context, payload []byte) answer {
	var c slack.InteractionCallback
	if err := json.Unmarshal(payload, &c); err != nil {
		b.log.Warn("an interaction can't be read", "channel", Channel, "err", err)
		return answer{status: http.StatusBadRequest}
	}
	p := person{
		Enterprise: c.Enterprise.ID, Team: c.Team.ID, User: c.User.ID, Home: first(c.User.TeamID, c.Team.ID),
		Channel: first(c.Channel.ID, c.Container.ChannelID), Reply: c.ResponseURL,
	}
	switch c.Type {
	case slack.InteractionTypeViewSubmission:
		return b.sent(ctx, p, c)
	case slack.InteractionTypeBlockActions:
		return b.pressed(ctx, p, c)
	case slack.InteractionTypeShortcut, slack.InteractionTypeMessageAction:
		i, err := b.installation(ctx, p.Enterprise, p.Team)
		if err != nil {
			return ok
		}
		return silent(b.open(ctx, p, i, c.TriggerID, nil))
	}
	return ok
}

// silent is an answer to what is not a command: Slack shows no words there.
func silent(a answer) answer { return answer{status: a.status} }

// pressed answers a button.
func (b *Bot) pressed(ctx context.Context, p person, c slack.InteractionCallback) answer {
	if len(c.ActionCallback.BlockActions) == 0 {
		return ok
	}
	a := c.ActionCallback.BlockActions[0]
	i, err := b.installation(ctx, p.Enterprise, p.Team)
	if err != nil {
		b.log.Error("a button in a workspace without the app", "channel", Channel, "team", p.Team, "err", err)
		return ok
	}
	switch name, act, _ := strings.Cut(a.ActionID, ":"); {
	case name == actionRegister:
		var lead intake.Lead
		if a.Value != "" {
			if err := json.Unmarshal([]byte(a.Value), &lead); err != nil {
				lead = nil
			}
		}
		return b.orSay(p, b.open(ctx, p, i, c.TriggerID, lead))
	case name == actionAnswer:
		return b.orSay(p, b.openAnswer(ctx, p, i, c.TriggerID, a.Value))
	case strings.HasPrefix(a.ActionID, actionStaff):
		return b.orSay(p, b.openStaff(ctx, p, i, c, intake.StaffAct(act), a.Value))
	}
	return ok
}

// orSay has the words of an answer said where the button was: Slack shows none in the answer to a
// button.
func (b *Bot) orSay(p person, a answer) answer {
	if a.body != nil && b.mayPost(p.Reply) {
		body := a.body
		b.after("an answer was not said", func(ctx context.Context) error { return b.respond(ctx, p.Reply, body) })
	}
	return silent(a)
}

// openAnswer opens the form of what a case waits for.
func (b *Bot) openAnswer(ctx context.Context, p person, i Installation, trigger, number string) answer {
	k, _, err := b.at(ctx, p, i)
	if err != nil {
		return whisper(chat.Say(b.cfg.Locale, "late.plain"))
	}
	if !k.Known() {
		if k, err = b.who(ctx, p, i); err == nil {
			k, err = b.asked(ctx, p, k, number)
		}
		if err != nil || !k.Known() {
			return whisper(chat.Say(k.Locale, "who"))
		}
	}
	if _, err := b.gateway.OwnCase(ctx, k.Partner, number); err != nil || k.Barred {
		return whisper(chat.Say(k.Locale, "unknown_case"))
	}
	at, err := recall[place](ctx, b.memory, placeName(number))
	if err != nil {
		return whisper(chat.Say(k.Locale, "late.plain"))
	}
	f := chat.AnswerForm(k.Locale, at.Asked)
	if len(f.Questions) == 0 {
		return b.status(ctx, k, number)
	}
	view := modal(f, callbackAnswer, chat.Say(f.Locale, "answer.title"), chat.Say(f.Locale, "answer.submit"),
		metadata{Team: p.Team, Channel: p.Channel, Case: number, Reply: b.answerable(p.Reply)}, nil, number)
	if _, err := b.fast(i).OpenViewContext(ctx, trigger, view); err != nil {
		b.failed(i, err)
		return whisper(chat.Say(k.Locale, "late.plain"))
	}
	return ok
}
