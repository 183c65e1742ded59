package slackbot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"leadgate/channels/chat"
	"leadgate/intake"
)

// sent answers a form that was sent: with what is wrong with it, or once it is stored.
func (b *Bot) sent(ctx context.Context, p person, c slack.InteractionCallback) answer {
	m, err := readMetadata(c.View.PrivateMetadata)
	if err != nil || c.View.State == nil {
		return answer{status: http.StatusBadRequest}
	}
	// The team beside it is the person's own; in a shared channel the app is in another one.
	p.Team = first(c.View.AppInstalledTeamID, m.Team, c.Team.ID)
	p.Home = first(c.User.TeamID, c.Team.ID)
	p.Channel, p.Reply = m.Channel, m.Reply
	i, err := b.installation(ctx, p.Enterprise, p.Team)
	if err != nil {
		b.log.Error("a form from a workspace without the app", "channel", Channel, "team", p.Team, "err", err)
		return b.wrong(c.View, chat.Say(b.cfg.Locale, "failed"))
	}
	switch c.View.CallbackID {
	case callbackRegister:
		return b.register(ctx, p, i, m, c.View)
	case callbackAnswer:
		return b.fillIn(ctx, p, i, m, c.View)
	case callbackStaff:
		return b.decide(ctx, p, i, m, c.View)
	}
	return answer{status: http.StatusOK, body: slack.NewClearViewSubmissionResponse()}
}

// typed are the values of a form by the names of its questions.
func typed(v slack.View) map[string]string {
	values := make(map[string]string)
	for name, inputs := range v.State.Values {
		for _, in := range inputs {
			switch {
			case in.SelectedOption.Value != "":
				values[name] = in.SelectedOption.Value
			case len(in.SelectedOptions) > 0:
				values[name] = in.SelectedOptions[0].Value
			default:
				values[name] = in.Value
			}
		}
	}
	return values
}

// wrong keeps a form open, with words at its first question.
func (b *Bot) wrong(v slack.View, words string) answer {
	for _, block := range v.Blocks.BlockSet {
		if in, is := block.(*slack.InputBlock); is {
			return errorsAt(map[string]string{in.BlockID: words})
		}
	}
	for name := range v.State.Values {
		return errorsAt(map[string]string{name: words})
	}
	return answer{status: http.StatusOK, body: slack.NewUpdateViewSubmissionResponse(ptr(done(b.cfg.Locale, words, "")))}
}

func ptr[T any](v T) *T { return &v }

func errorsAt(words map[string]string) answer {
	for name, w := range words {
		words[name] = clip(w, maxError)
	}
	return answer{status: http.StatusOK, body: slack.NewErrorsViewSubmissionResponse(words)}
}

func problemsAt(problems []intake.Problem) answer {
	words := make(map[string]string)
	for _, p := range problems {
		if words[string(p.Field)] == "" {
			words[string(p.Field)] = p.Message
		}
	}
	return errorsAt(words)
}

// viewKey names what is sent from one opened form, however often Slack delivers it.
func viewKey(team string, v slack.View) string {
	return "slack:" + team + ":view:" + first(v.RootViewID, v.ID)
}

// register takes a registration in.
func (b *Bot) register(ctx context.Context, p person, i Installation, m metadata, v slack.View) answer {
	k, err := b.who(ctx, p, i)
	if err != nil {
		b.log.Error("who speaks can't be told", "channel", Channel, "err", err)
		return b.wrong(v, chat.Say(b.cfg.Locale, "failed"))
	}
	key := viewKey(p.Team, v)
	if r, err := b.gateway.Accepted(ctx, key); err == nil {
		return b.thanks(ctx, k, r, v, nil)
	} else if !errors.Is(err, intake.ErrNotFound) {
		return b.notStored(k, v, err)
	}
	f := b.form(k.Locale, m.Asks)
	partner := k.Partner
	answers, problems, err := b.check.Check(ctx, f, partner, "", typed(v))
	if err != nil {
		return b.notStored(k, v, err)
	}
	if len(problems) > 0 {
		return problemsAt(problems)
	}
	s := intake.Submission{
		Key: key, Channel: Channel, Sender: p.sender(k), Partner: k.Partner, Reply: b.route(p, k), ReceivedAt: b.now(),
		Lead: answers.Lead, Evidence: answers.Evidence, Payload: payload(p, v), Raw: intake.Raw{Media: "application/json"},
		Admission: intake.Admission{Limits: []intake.Limit{
			{Name: "slack:" + p.name(), Max: b.cfg.Limits.UserHour, Per: time.Hour},
			{Name: "slack:" + first(p.Home, p.Team), Max: b.cfg.Limits.TeamHour, Per: time.Hour},
		}},
	}
	switch {
	case k.Disputed:
		s.Note = "two things tell for whom it is, and disagree: " + k.How
	case k.Known() && k.Internal:
		s.Note = "registered for the partner by somebody of our own workspace"
	case !k.Known() && answers.Email != "":
		s.Sender.Address, s.Typed = answers.Email, true
		if b.mailName != "" { // whoever has the address is asked there
			s.Reply = intake.Route{Channel: b.mailName, Address: answers.Email}
		}
	}
	r, err := b.accept(ctx, s)
	var over *intake.LimitError
	if errors.As(err, &over) {
		return b.wrong(v, chat.Busy(k.Locale, over.After))
	}
	if err != nil {
		return b.notStored(k, v, err)
	}
	return b.thanks(ctx, k, r, v, &s)
}

// notStored keeps a form open: nothing of it is lost to who filled it in.
func (b *Bot) notStored(k known, v slack.View, err error) answer {
	b.log.Error("a registration was not stored; its form stays open", "channel", Channel, "err", err)
	return b.wrong(v, chat.Say(k.Locale, "failed"))
}

// thanks is the form after it was taken in.
func (b *Bot) thanks(ctx context.Context, k known, r intake.Receipt, v slack.View, s *intake.Submission) answer {
	link, company := "", typed(v)[string(intake.FieldCompanyName)]
	phrase, with := "received", []string{r.Case, company}
	switch {
	case r.Known:
		phrase = "known"
	case k.Disputed:
		phrase = "disputed"
	case !k.Known() && s != nil && s.Typed && b.mailName != "":
		phrase, with = "unproven", append(with, s.Sender.Address)
	case !k.Known():
		phrase = "disputed"
	}
	if r.Case == "" {
		phrase, with = "noted", nil
	}
	if k.Known() && r.Case != "" {
		look := b.gateway.ReceivedCase
		if r.Known {
			look = b.gateway.OwnCase
		}
		if own, err := look(ctx, k.Partner, r.Case); err == nil {
			link = own.StatusLink
		}
	}
	return answer{status: http.StatusOK, body: slack.NewUpdateViewSubmissionResponse(ptr(done(k.Locale, chat.Say(k.Locale, phrase, with...), link)))}
}

// payload is what is kept of a form: what was typed, and by whom, without the words by which Slack
// lets us act.
func payload(p person, v slack.View) []byte {
	text, err := json.Marshal(map[string]any{
		"team": p.Team, "user_team": p.Home, "user": p.User, "channel": p.Channel, "view": v.ID, "callback": v.CallbackID, "values": typed(v),
	})
	if err != nil {
		panic(err) // texts
	}
	return text
}

// fillIn adds to a case what it waits for.
func (b *Bot) fillIn(ctx context.Context, p person, i Installation, m metadata, v slack.View) answer {
	k, err := b.who(ctx, p, i)
	if err == nil {
		k, err = b.asked(ctx, p, k, m.Case)
	}
	if err != nil {
		return b.notStored(k, v, err)
	}
	if !k.Known() {
		return b.wrong(v, chat.Say(k.Locale, "who"))
	}
	key := viewKey(p.Team, v)
	if r, err := b.gateway.Accepted(ctx, key); err == nil {
		return b.thanks(ctx, k, r, v, nil)
	}
	values := typed(v)
	var asked []intake.Problem
	for name := range values {
		asked = append(asked, intake.Problem{Field: intake.Field(name), Code: intake.ProblemMissing})
	}
	answers, problems, err := b.check.Check(ctx, chat.AnswerForm(k.Locale, asked), k.Partner, m.Case, values)
	switch {
	case errors.Is(err, intake.ErrNotFound):
		return b.wrong(v, chat.Say(k.Locale, "unknown_case"))
	case errors.Is(err, intake.ErrCaseOver):
		return b.wrong(v, chat.Say(k.Locale, "over"))
	case err != nil:
		return b.notStored(k, v, err)
	case len(problems) > 0:
		return problemsAt(problems)
	}
	s := b.addition(p, k, m.Case, key)
	s.Lead, s.Evidence, s.Payload = answers.Lead, answers.Evidence, payload(p, v)
	if _, err := b.accept(ctx, s); err != nil {
		return b.notStored(k, v, err)
	}
	return answer{status: http.StatusOK, body: slack.NewClearViewSubmissionResponse()}
}

// addition is what belongs to a case of the person's partner.
func (b *Bot) addition(p person, k known, number, key string) intake.Submission {
	return intake.Submission{
		Key: key, Channel: Channel, Sender: p.sender(k), Partner: k.Partner, Reply: b.route(p, k), ReceivedAt: b.now(),
		CaseHint: number, About: number, Raw: intake.Raw{Media: "application/json"},
	}
}

func (b *Bot) accept(ctx context.Context, s intake.Submission) (intake.Receipt, error) {
	b.mu.Lock()
	sink := b.sink
	b.mu.Unlock()
	return sink.Accept(ctx, s)
}

// obey has a command carried out. number is the case in whose thread it was written, "" for none.
func (b *Bot) obey(ctx context.Context, p person, k known, c intake.Command, number, key string) answer {
	if c.Case == "" {
		c.Case = number
	}
	if c.Case != "" {
		if _, err := b.gateway.OwnCase(ctx, k.Partner, c.Case); errors.Is(err, intake.ErrNotFound) {
			return whisper(chat.Say(k.Locale, "unknown_case"))
		}
	}
	s := b.addition(p, k, c.Case, "slack:"+key)
	s.Commands, s.Text = []intake.Command{c}, c.Words
	s.Payload, _ = json.Marshal(map[string]any{"team": p.Team, "user": p.User, "channel": p.Channel, "command": c})
	if _, err := b.accept(ctx, s); err != nil {
		b.log.Error("a command was not stored", "channel", Channel, "err", err)
		return answer{status: http.StatusOK, body: whisper(chat.Say(k.Locale, "failed.command")).body}
	}
	return whisper(chat.Say(k.Locale, "noted"))
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

// mayPost reports whether an address for answers is one of Slack's.
func (b *Bot) mayPost(url string) bool {
	return strings.HasPrefix(url, b.cfg.ResponseURL) && len(url) < maxURL/2
}
