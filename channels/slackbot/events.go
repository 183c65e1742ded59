package slackbot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"leadgate/channels/chat"
	"leadgate/intake"
)

// envelope is what an event comes in.
// https://docs.slack.dev/apis/events-api/#event-type-structure
type envelope struct {
	Type           string `json:"type"`
	Challenge      string `json:"challenge"`
	TeamID         string `json:"team_id"`
	EnterpriseID   string `json:"enterprise_id"`
	EventID        string `json:"event_id"`
	EventTime      int64  `json:"event_time"` // the same in every delivery
	Authorizations []struct {
		EnterpriseID string `json:"enterprise_id"`
		TeamID       string `json:"team_id"`
	} `json:"authorizations"`
	Event struct {
		Type       string `json:"type"`
		Subtype    string `json:"subtype"`
		User       string `json:"user"`
		BotID      string `json:"bot_id"`
		Text       string `json:"text"`
		TS         string `json:"ts"`
		Thread     string `json:"thread_ts"`
		Kind       string `json:"channel_type"`
		Channel    string `json:"-"`
		RawChannel any    `json:"channel"`
		Team       string `json:"team"`
		UserTeam   string `json:"user_team"`
		SourceTeam string `json:"source_team"`
		Tokens     struct {
			Bot []string `json:"bot"`
		} `json:"tokens"`
	} `json:"event"`
}

// eventLife is how long Slack may deliver an event again.
const eventLife = 24 * time.Hour

// event takes an event in. Any answer but 200 has Slack deliver it again.
func (b *Bot) event(ctx context.Context, body []byte) answer {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return answer{status: http.StatusBadRequest}
	}
	switch e.Type {
	case "url_verification":
		return answer{status: http.StatusOK, body: map[string]string{"challenge": e.Challenge}}
	case "event_callback":
	default:
		return ok
	}
	if e.EventID == "" || e.EventTime == 0 {
		return answer{status: http.StatusBadRequest}
	}
	e.Event.Channel, _ = e.Event.RawChannel.(string)
	// The team of an event is that of a shared channel's host, or the person's; the app is in the
	// one that it was authorized for.
	p := person{Enterprise: e.EnterpriseID, Team: e.TeamID, User: e.Event.User, Channel: e.Event.Channel}
	if len(e.Authorizations) > 0 && e.Authorizations[0].TeamID != "" {
		p.Team, p.Enterprise = e.Authorizations[0].TeamID, e.Authorizations[0].EnterpriseID
	}
	p.Home = first(e.Event.UserTeam, e.Event.SourceTeam, e.Event.Team, p.Team)
	var err error
	switch e.Event.Type {
	case "app_uninstalled":
		err = b.removed(ctx, p, e, "the app was removed")
	case "tokens_revoked":
		if len(e.Event.Tokens.Bot) > 0 {
			err = b.removed(ctx, p, e, "its token was taken back")
		}
	case "app_mention":
		err = b.mentioned(ctx, p, e)
	case "message":
		if e.Event.Kind == "im" && e.Event.Subtype == "" { // to us alone: as good as a mention
			err = b.mentioned(ctx, p, e)
			break
		}
		err = b.written(ctx, p, e)
	}
	if err != nil {
		b.log.Error("an event was not taken in; Slack delivers it again", "channel", Channel, "event", e.Event.Type, "err", err)
		return answer{status: http.StatusServiceUnavailable}
	}
	return ok
}

// removed ends an installation, unless it was made after what is told of.
func (b *Bot) removed(ctx context.Context, p person, e envelope, why string) error {
	i, err := b.installation(ctx, p.Enterprise, p.Team)
	if errors.Is(err, errNotInstalled) {
		return nil
	}
	if err != nil {
		return err
	}
	if !i.home && time.Unix(e.EventTime, 0).Before(i.At.Truncate(time.Second)) {
		return nil
	}
	if i.home && i.Team == "" {
		i.Team = p.Team
	}
	if err := b.disable(ctx, i, why); err != nil {
		return err
	}
	if i.home {
		b.note(errNotInstalled)
	}
	return nil
}

var mention = regexp.MustCompile(`<@[UW][A-Z0-9]+(?:\|[^>]*)?>`)

// mentioned answers who mentions the app: a command, what a case waits for, or the wish to
// register.
func (b *Bot) mentioned(ctx context.Context, p person, e envelope) error {
	if e.Event.BotID != "" || e.Event.User == "" {
		return nil
	}
	i, err := b.installation(ctx, p.Enterprise, p.Team)
	if errors.Is(err, errNotInstalled) {
		return nil
	}
	if err != nil {
		return err
	}
	text := strings.TrimSpace(mention.ReplaceAllString(e.Event.Text, ""))
	number, err := b.caseOf(ctx, p.Channel, e.Event.Thread)
	if err != nil {
		return err
	}
	line := chat.Read(text)
	asks := line.Wish == chat.WishCommand && line.Command.Verb != intake.VerbHelp && line.Command.Verb != intake.VerbStatus
	if number != "" || asks {
		return b.inThread(ctx, p, i, e, number, text)
	}
	again, err := b.seenEvent(ctx, e)
	if again || err != nil {
		return err
	}
	b.after("a mention was not answered", func(ctx context.Context) error { return b.reply(ctx, p, i, e, line, text) })
	return nil
}

// seenEvent reports whether an event that stores nothing was answered before.
func (b *Bot) seenEvent(ctx context.Context, e envelope) (bool, error) {
	err := b.gateway.Admit(ctx, intake.Admission{Once: "slack:event:" + e.EventID, Until: time.Unix(e.EventTime, 0).Add(eventLife)})
	if errors.Is(err, intake.ErrSpent) {
		return true, nil
	}
	return false, err
}

// reply answers a mention where it was, to the person alone; the button that is asked for by its
// name is for all, to be pinned.
func (b *Bot) reply(ctx context.Context, p person, i Installation, e envelope, line chat.Line, text string) error {
	if strings.EqualFold(strings.Trim(text, " .!"), "button") {
		k, _, err := b.at(ctx, p, i)
		if err != nil {
			return err
		}
		words, blocks := b.invitation(k.Locale, nil)
		_, _, err = b.post(i).PostMessageContext(ctx, p.Channel, quiet(words, blocks)...)
		return err
	}
	var a answer
	if line.Wish == chat.WishRegister {
		k, _, err := b.at(ctx, p, i)
		if err != nil {
			return err
		}
		words, blocks := b.invitation(k.Locale, line.Lead)
		a = whisper(words, blocks...)
	} else {
		a = b.tell(ctx, p, i, line)
	}
	said, _ := a.body.(map[string]any)
	return b.whisperTo(ctx, p, i, e.Event.Thread, said)
}

// whisperTo shows an answer to one person in a channel.
func (b *Bot) whisperTo(ctx context.Context, p person, i Installation, thread string, said map[string]any) error {
	text, _ := said["text"].(string)
	if text == "" {
		return nil
	}
	options := []slack.MsgOption{slack.MsgOptionText(text, false), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl()}
	if blocks, is := said["blocks"].([]slack.Block); is {
		options = append(options, slack.MsgOptionBlocks(blocks...))
	}
	if thread != "" {
		options = append(options, slack.MsgOptionTS(thread))
	}
	if strings.HasPrefix(p.Channel, "D") { // nobody else reads it, and it stays
		_, _, err := b.post(i).PostMessageContext(ctx, p.Channel, options...)
		return err
	}
	_, err := b.post(i).PostEphemeralContext(ctx, p.Channel, p.User, options...)
	return err
}

// written takes in what somebody writes into the thread of a card without a mention.
func (b *Bot) written(ctx context.Context, p person, e envelope) error {
	if e.Event.BotID != "" || e.Event.User == "" || e.Event.Subtype != "" || e.Event.Thread == "" {
		return nil
	}
	number, err := b.caseOf(ctx, p.Channel, e.Event.Thread)
	if err != nil || number == "" {
		return err
	}
	i, err := b.installation(ctx, p.Enterprise, p.Team)
	if errors.Is(err, errNotInstalled) {
		return nil
	}
	if err != nil {
		return err
	}
	if i.Bot == "" && mention.MatchString(e.Event.Text) || i.Bot != "" && strings.Contains(e.Event.Text, "<@"+i.Bot) {
		return nil // it comes as a mention too
	}
	return b.inThread(ctx, p, i, e, number, e.Event.Text)
}

// inThread stores what was written about a case: a command, or what it waits for. Words that are
// neither are kept with the case, for staff to read, if the app was mentioned or the case waits for
// an answer; else people talk with each other. The event is the same however often it is delivered.
func (b *Bot) inThread(ctx context.Context, p person, i Installation, e envelope, number, text string) error {
	k, err := b.who(ctx, p, i)
	if err != nil {
		return err
	}
	line := chat.Read(text)
	if line.Wish != chat.WishCommand {
		if k, err = b.asked(ctx, p, k, number); err != nil {
			return err
		}
	}
	// Our own people talk in the thread too; only for commands of theirs a word is meant for us.
	if !k.Known() || number == "" && k.Internal {
		again, err := b.seenEvent(ctx, e)
		if again || err != nil {
			return err
		}
		said, _ := whisper(chat.Say(k.Locale, "who")).body.(map[string]any)
		b.after("an answer was not said", func(ctx context.Context) error { return b.whisperTo(ctx, p, i, e.Event.Thread, said) })
		return nil
	}
	text = chat.Unwrap(text)
	waits := false
	if number != "" {
		own, err := b.gateway.OwnCase(ctx, k.Partner, number)
		if errors.Is(err, intake.ErrNotFound) {
			return nil // the thread of somebody else's case
		} else if err != nil {
			return err
		}
		waits = own.Status == intake.StatusNeedsInfo
	}
	addressed := e.Event.Type == "app_mention" || e.Event.Kind == "im"
	if !addressed && k.Internal {
		return nil
	}
	if addressed && line.Wish == chat.WishList || line.Wish == chat.WishCommand && (line.Command.Verb == intake.VerbStatus || line.Command.Verb == intake.VerbHelp) {
		if line.Command.Case == "" {
			line.Command.Case = number
		}
		again, err := b.seenEvent(ctx, e)
		if again || err != nil {
			return err
		}
		b.after("an answer was not said", func(ctx context.Context) error {
			said, _ := b.tell(ctx, p, i, line).body.(map[string]any)
			return b.whisperTo(ctx, p, i, e.Event.Thread, said)
		})
		return nil
	}
	s := b.addition(p, k, number, "slack:event:"+e.EventID)
	s.Text = text
	if line.Wish == chat.WishCommand {
		if line.Command.Case == "" {
			line.Command.Case = number
		}
		s.Commands, s.CaseHint, s.About = []intake.Command{line.Command}, line.Command.Case, line.Command.Case
	} else if b.fill != nil {
		s.Lead, s.Evidence = b.fill(text)
	}
	if !addressed && !waits && len(s.Commands) == 0 && s.Lead.Empty() {
		return nil
	}
	s.Payload, err = json.Marshal(map[string]string{"team": p.Team, "user": p.User, "user_team": p.Home, "channel": p.Channel, "thread": e.Event.Thread, "ts": e.Event.TS, "text": text})
	if err != nil {
		return err
	}
	_, err = b.accept(ctx, s)
	return err
}
