package slackbot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"leadgate/channels/chat"
	"leadgate/intake"
)

// Reply implements intake.Replier. A message about a case changes the card of the case and is told
// in its thread; any other goes to the person. What Slack can't deliver goes by mail.
func (b *Bot) Reply(ctx context.Context, m intake.Message) (json.RawMessage, error) {
	var t thread
	if len(m.To.Thread) > 0 {
		if err := json.Unmarshal(m.To.Thread, &t); err != nil {
			return nil, intake.Permanent(fmt.Errorf("message %s: its thread: %w", m.ID, err))
		}
	}
	if t.User == "" && !t.named(m.To.Address) { // a contact who never wrote from Slack
		return b.byMail(ctx, m, t, errNotInstalled)
	}
	i, err := b.installation(ctx, t.Enterprise, t.Team)
	if errors.Is(err, errNotInstalled) && len(m.To.Thread) == 0 { // his workspace has no app; ours has
		i, err = b.installation(ctx, "", "")
		t.Team = i.Team
	}
	if errors.Is(err, errNotInstalled) {
		return b.byMail(ctx, m, t, err)
	}
	if err != nil {
		return nil, err
	}
	if t.Channel != "" {
		// The directory may have changed since: whose channel it is counts now.
		of, err := b.owner(ctx, t.Channel)
		if err != nil {
			return nil, err
		}
		if of != t.Partner {
			t.Channel = ""
		}
	}
	d := &delivery{Bot: b, m: m, t: t, i: i, api: b.post(i)}
	if wait := b.pace.wait(d.lane(), m.ID); wait > 0 {
		return nil, intake.RetryAfter(wait, errors.New("a message a second goes to a channel of Slack"))
	}
	if m.Facts.Case != "" {
		err = d.track(ctx)
	} else {
		err = d.direct(ctx)
	}
	var slow *slack.RateLimitedError
	switch {
	case err == nil:
		return d.t.encode(), nil
	case errors.As(err, &slow):
		b.pace.block(d.lane(), slow.RetryAfter)
		return nil, intake.RetryAfter(slow.RetryAfter, err)
	case revoked(err):
		if err := b.disable(ctx, i, code(err)); err != nil {
			return nil, err
		}
		if i.home {
			b.note(err)
		}
		return b.byMail(ctx, m, d.t, err)
	case unreachable(err):
		return d.lastWay(ctx, err)
	}
	return nil, err
}

// unreachable reports whether an error of Slack says that nothing can be posted there.
// https://docs.slack.dev/reference/methods/chat.postMessage#errors
func unreachable(err error) bool {
	switch code(err) {
	case "not_in_channel", "channel_not_found", "is_archived", "restricted_action", "restricted_action_read_only_channel", "cannot_reply_to_message",
		"user_not_found", "user_disabled", "users_not_found", "cannot_dm_bot", "user_not_visible", "not_enough_users", "no_permission", "missing_scope", "messages_tab_disabled",
		"ekm_access_denied", "method_not_supported_for_channel_type", "team_not_found", "user_not_in_channel":
		return true
	}
	return false
}

// owner is the partner to whom a channel belongs now, "" for none.
func (b *Bot) owner(ctx context.Context, channel string) (string, error) {
	of, _, err := b.gateway.PartnersOfSlack(ctx, intake.Slack{Channel: channel})
	return of, err
}

// delivery is one message on its way.
type delivery struct {
	*Bot
	m   intake.Message
	t   thread
	i   Installation
	api *slack.Client
}

// lane is where messages have to wait for each other.
func (d *delivery) lane() string { return d.t.Team + "/" + first(d.t.Channel, d.t.User) }

// quiet are the parts of a message that nobody is alerted by but who reads it, and that shows
// no previews.
func quiet(text string, blocks []slack.Block) []slack.MsgOption {
	options := []slack.MsgOption{slack.MsgOptionText(clip(text, maxText), true), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl()}
	if len(blocks) > 0 {
		options = append(options, slack.MsgOptionBlocks(blocks...))
	}
	return options
}

// track shows the state of a case in its card and tells the message.
func (d *delivery) track(ctx context.Context) error {
	at, err := recall[place](ctx, d.memory, placeName(d.m.Facts.Case))
	if err != nil {
		return err
	}
	if at.told(d.m.ID) {
		d.t.TS = at.TS
		return nil
	}
	words, err := chat.CardOf(d.words, d.m)
	if err != nil {
		return err
	}
	at.Asked, at.User, at.Home = words.Fields, d.t.User, d.t.Home
	if at.TS != "" && at.Partner != d.t.Partner {
		if d.m.Kind == intake.MessagePassedOn {
			return d.direct(ctx)
		}
		at = at.anew(false)
	}
	if at.TS != "" && !at.Direct && at.Channel != d.t.Channel {
		of, err := d.owner(ctx, at.Channel)
		if err != nil {
			return err
		}
		if of != d.t.Partner { // its card stays as it was: others read there now
			at = at.anew(true)
		}
	}
	fresh := at.TS == ""
	if !fresh && at.Team != d.t.Team { // its card is in another workspace
		return d.direct(ctx)
	}
	if err := d.show(ctx, &at); err != nil {
		return err
	}
	d.t.TS = at.TS
	switch {
	case fresh && d.m.Kind == intake.MessageReceived: // the card says it
	case !at.Direct && chat.Discreet(d.m.Kind):
		err = d.confide(ctx, words)
	default:
		var ts string
		_, ts, err = d.api.PostMessageContext(ctx, at.Channel, append(quiet(words.Text(), card(words)), slack.MsgOptionTS(at.TS))...)
		if err == nil {
			at.tell(d.m.ID, ts)
			return keep(ctx, d.memory, placeName(d.m.Facts.Case), at)
		}
	}
	if err != nil {
		return err
	}
	at.tell(d.m.ID, at.TS)
	return keep(ctx, d.memory, placeName(d.m.Facts.Case), at)
}

// show posts the card of the case, or changes it in its place.
func (d *delivery) show(ctx context.Context, at *place) error {
	if at.TS != "" {
		blocks, text, err := d.tracked(at.Direct)
		if err != nil {
			return err
		}
		_, _, _, err = d.api.UpdateMessageContext(ctx, at.Channel, at.TS, quiet(text, blocks)...)
		switch code(err) {
		case "message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found", "is_archived", "not_in_channel", "is_inactive":
			*at = at.anew(true)
		default:
			return err
		}
	}
	if d.t.Channel != "" {
		err := d.postCard(ctx, at, d.t.Channel, false)
		if !unreachable(err) {
			return err
		}
	}
	c, _, _, err := d.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{d.t.User}})
	if err != nil {
		return err
	}
	return d.postCard(ctx, at, c.ID, true)
}

func (d *delivery) tracked(alone bool) ([]slack.Block, string, error) {
	c, _, err := chat.Tracked(d.words, d.m, alone)
	if err != nil {
		return nil, "", err
	}
	c.Asks = nil // asked in the thread, or of the person
	return card(c), c.Text(), nil
}

func (d *delivery) postCard(ctx context.Context, at *place, channel string, direct bool) error {
	blocks, text, err := d.tracked(direct)
	if err != nil {
		return err
	}
	in, ts, err := d.api.PostMessageContext(ctx, channel, quiet(text, blocks)...)
	if err != nil {
		return err
	}
	at.Team, at.Channel, at.TS, at.Direct, at.Partner = d.t.Team, in, ts, direct, d.t.Partner
	// At once: a crash behind it must not make a second card.
	if err := keep(ctx, d.memory, placeName(d.m.Facts.Case), *at); err != nil {
		return err
	}
	return keep(ctx, d.memory, threadName(at.Channel, at.TS), d.m.Facts.Case)
}

// confide tells the person alone what others who read the channel must not see.
func (d *delivery) confide(ctx context.Context, words chat.Card) error {
	options := quiet(words.Text(), card(words))
	c, _, _, err := d.api.OpenConversationContext(ctx, &slack.OpenConversationParameters{Users: []string{d.t.User}})
	if err == nil {
		var in, ts string
		if in, ts, err = d.api.PostMessageContext(ctx, c.ID, options...); err == nil && d.m.Facts.Case != "" {
			return keep(ctx, d.memory, threadName(in, ts), d.m.Facts.Case) // an answer there is about the case
		}
	}
	if unreachable(err) && d.t.Channel != "" {
		_, err = d.api.PostEphemeralContext(ctx, d.t.Channel, d.t.User, options...)
	}
	return err
}

// direct tells the person a message that belongs to no card.
func (d *delivery) direct(ctx context.Context) error {
	words, err := chat.CardOf(d.words, d.m)
	if err != nil {
		return err
	}
	return d.confide(ctx, words)
}

// lastWay is for who can't be reached in Slack any more: the address for answers, once, and mail.
func (d *delivery) lastWay(ctx context.Context, cause error) (json.RawMessage, error) {
	if d.t.Reply == "" || !d.mayPost(d.t.Reply) || d.now().After(d.t.ReplyEnds) {
		return d.byMail(ctx, d.m, d.t, cause)
	}
	words, err := chat.CardOf(d.words, d.m)
	if err != nil {
		return nil, err
	}
	if err := d.respond(ctx, d.t.Reply, whisper(words.Text(), card(words)...).body); err != nil {
		return d.byMail(ctx, d.m, d.t, err)
	}
	d.t.Reply = ""
	return d.t.encode(), nil
}

// respond posts an answer to one of Slack's addresses for answers.
func (b *Bot) respond(ctx context.Context, to string, body any) error {
	if !b.mayPost(to) {
		return errors.New("an address for answers that is none of Slack's")
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(text))
	if err != nil {
		return errors.New("an address for answers that is none")
	}
	req.Header.Set("Content-Type", "application/json")
	client := *b.patient
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("answer: %s", reason(err)) // without the address, which is a secret
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusTooManyRequests {
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		return intake.RetryAfter(max(1, time.Duration(seconds))*time.Second, errors.New("slack wants fewer answers"))
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("slack did not take an answer: %s", resp.Status)
	}
	return nil
}

// byMail delivers a message by mail: to the address of who registered, if it is the partner's,
// else to the first contact of the partner.
func (b *Bot) byMail(ctx context.Context, m intake.Message, t thread, cause error) (json.RawMessage, error) {
	to, err := chat.MailFor(ctx, b.gateway, m.To.Address, t.Partner)
	if err != nil {
		return nil, err
	}
	if b.mail == nil || to == "" {
		// Staff are told: no other contact could be written to either.
		return nil, intake.OwnFault(fmt.Errorf("message %s: nobody can be reached by Slack (%w), and there is no address to write to", m.ID, cause))
	}
	m.To = intake.Route{Channel: b.mailName, Address: to, Thread: t.Mail}
	next, err := b.mail.Reply(ctx, m)
	if err != nil {
		return nil, err
	}
	t.Mail = next
	return t.encode(), nil
}
