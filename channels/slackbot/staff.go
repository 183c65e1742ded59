package slackbot

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"leadgate/channels/chat"
	"leadgate/intake"
	"leadgate/templates"
)

// Tell posts a message to staff in their channel, once for all of them: what one is told about a
// case, others are told too. It does nothing without a channel for them. What Slack does not take now
// is posted once it does, as long as the process lives.
func (b *Bot) Tell(ctx context.Context, m intake.Message) error {
	err := b.tellStaff(ctx, m)
	if _, soon := intake.RetryDelay(err); !soon && passes(err) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if name := staffName(m); len(b.missed) < maxMissed && !slices.ContainsFunc(b.missed, func(o intake.Message) bool { return staffName(o) == name }) {
			b.missed = append(b.missed, m)
		}
	}
	return err
}

// maxMissed is how many messages to staff wait for Slack.
const maxMissed = 100

// passes reports whether an error may be none later: Slack was not reached, or is in trouble itself.
func passes(err error) bool {
	switch code(err) {
	case "":
		return err != nil && !errors.Is(err, errNotInstalled)
	case "internal_error", "fatal_error", "service_unavailable", "request_timeout":
		return true
	}
	return false
}

// tellMissed posts what staff could not be told before.
func (b *Bot) tellMissed(ctx context.Context) {
	for {
		b.mu.Lock()
		missed := b.missed
		b.mu.Unlock()
		if len(missed) == 0 {
			return
		}
		err := b.tellStaff(ctx, missed[0])
		if wait, soon := intake.RetryDelay(err); soon {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			continue
		}
		if passes(err) {
			return
		}
		if err != nil {
			b.log.Warn("staff were not told", "channel", Channel, "message", missed[0].ID, "err", err)
		}
		b.mu.Lock()
		b.missed = b.missed[1:]
		b.mu.Unlock()
	}
}

// staffName names what staff are told, whoever of them it is for.
func staffName(m intake.Message) string {
	about, _, _ := strings.Cut(m.ID, "."+string(m.Kind)+".")
	return "slack-staff:" + about + "." + string(m.Kind)
}

func (b *Bot) tellStaff(ctx context.Context, m intake.Message) error {
	if b.cfg.Staff.Channel == "" || m.Brief == nil {
		return nil
	}
	name := staffName(m)
	if posted, err := recall[string](ctx, b.memory, name); err != nil || posted != "" {
		return err
	}
	i, err := b.home(ctx)
	if err != nil {
		return err
	}
	if err := i.usable(); err != nil {
		return err
	}
	c, err := chat.StaffCardOf(b.words, m)
	if err != nil {
		return err
	}
	if wait := b.pace.wait("staff/"+b.cfg.Staff.Channel, name); wait > 0 {
		return intake.RetryAfter(wait, errors.New("a message a second goes to a channel of Slack"))
	}
	var buttons []slack.BlockElement
	for _, a := range c.Acts {
		if b.links == nil || len(b.cfg.Staff.Users) == 0 {
			break
		}
		style := slack.StyleDefault
		switch a.Act {
		case intake.ActApprove:
			style = slack.StylePrimary
		case intake.ActDecline:
			style = slack.StyleDanger
		}
		value, err := json.Marshal(metadata{Case: c.Number, Revision: c.Revision})
		if err != nil {
			return err
		}
		buttons = append(buttons, button(actionStaff+string(a.Act), a.Words, string(value), style))
	}
	_, ts, err := b.post(i).PostMessageContext(ctx, b.cfg.Staff.Channel, quiet(c.Text(), cardOf(c.Card, c.Number, buttons))...)
	var slow *slack.RateLimitedError
	if errors.As(err, &slow) {
		b.pace.block("staff/"+b.cfg.Staff.Channel, slow.RetryAfter)
		return intake.RetryAfter(slow.RetryAfter, err)
	}
	if err != nil {
		return err
	}
	return keep(ctx, b.memory, name, ts)
}

// mayDecide returns the member of staff that a user is, in the channel of staff at home and nowhere
// else.
func (b *Bot) mayDecide(p person, i Installation, channel string) (string, bool) {
	name := b.cfg.Staff.Users[p.User]
	return name, name != "" && i.home && p.Home == first(i.Team, p.Home) && channel == b.cfg.Staff.Channel && b.links != nil
}

// The questions of the form on which staff decide.
const (
	staffReason    = "reason"
	staffRationale = "rationale"
	staffMessage   = "message"
)

// openStaff opens the form of a decision, if the person may decide.
func (b *Bot) openStaff(ctx context.Context, p person, i Installation, c slack.InteractionCallback, act intake.StaffAct, value string) answer {
	locale := b.cfg.Locale
	name, may := b.mayDecide(p, i, p.Channel)
	if !may || !slices.Contains(chat.Decisions(), act) {
		return whisper(chat.Say(locale, "staff.role"))
	}
	m, err := readMetadata(value)
	if err != nil {
		return answer{status: http.StatusBadRequest}
	}
	m.Team, m.Channel, m.Act, m.Message, m.Reply = p.Team, p.Channel, act, c.Container.MessageTs, ""
	view, err := b.gateway.Linked(ctx, b.link(m, name))
	switch {
	case errors.Is(err, intake.ErrLinkStale):
		return whisper(chat.Say(locale, "staff.changed"))
	case err != nil || !view.May:
		return whisper(chat.Say(locale, "staff.role"))
	}
	r := view.Dossier.Registration
	m.Shown = r.Revision
	opened := slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: callbackStaff, Title: plain(templates.Act(templates.Language(locale), act), maxTitle),
		Submit: plain(chat.Say(locale, "staff.submit"), maxTitle), Close: plain(chat.Say(locale, "form.close"), maxTitle), PrivateMetadata: m.String(),
	}
	add := func(blocks ...slack.Block) { opened.Blocks.BlockSet = append(opened.Blocks.BlockSet, blocks...) }
	add(section(r.Number + " · " + first(r.Lead[intake.FieldCompanyName], r.Lead[intake.FieldCompanyDomain]) + " · " + first(view.Dossier.Partner.Name, r.Partner)))
	if since := b.since(locale, view); since != "" {
		add(section(chat.Say(locale, "staff.since") + "\n" + since))
	}
	for _, f := range view.Against {
		add(section(string(f.Reason) + ": " + f.Evidence))
	}
	input := func(name, label string, required bool) {
		block := slack.NewInputBlock(name, plain(label, maxLabel), nil, &slack.PlainTextInputBlockElement{Type: slack.METPlainTextInput, ActionID: actionValue, Multiline: true, MaxLength: maxInput})
		block.Optional = !required
		add(block)
	}
	switch act {
	case intake.ActApprove:
		if len(view.Against) > 0 {
			input(staffRationale, chat.Say(locale, "staff.rationale"), true)
		}
		input(staffMessage, chat.Say(locale, "staff.message"), false)
	case intake.ActDecline:
		var options []*slack.OptionBlockObject
		for _, reason := range intake.DeclineReasons() {
			options = append(options, slack.NewOptionBlockObject(string(reason), plain(templates.Reason(locale, reason), maxOption), nil))
		}
		add(slack.NewInputBlock(staffReason, plain(chat.Say(locale, "staff.reason"), maxLabel), nil, slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, actionValue, options...)))
		input(staffRationale, chat.Say(locale, "staff.rationale"), true)
		input(staffMessage, chat.Say(locale, "staff.message"), false)
	case intake.ActAsk:
		input(staffMessage, chat.Say(locale, "staff.question"), true)
	}
	if _, err := b.fast(i).OpenViewContext(ctx, c.TriggerID, opened); err != nil {
		b.failed(i, err)
		return whisper(chat.Say(locale, "late.plain"))
	}
	return ok
}

// since tells what came to a case after its card was posted, a line for each; "" for nothing.
func (b *Bot) since(locale string, v intake.View) string {
	var lines []string
	for _, e := range v.Since {
		said := []string{e.At.In(b.zone).Format("2006-01-02 15:04") + " " + e.Actor}
		for _, f := range e.Fields {
			if value := v.Dossier.Registration.Lead[f]; value != "" {
				said = append(said, templates.Label(locale, f)+": "+value)
			}
		}
		if n := e.Submission - 1; n >= 0 && n < len(v.Dossier.Submissions) && v.Dossier.Submissions[n].Text != "" {
			said = append(said, v.Dossier.Submissions[n].Text)
		}
		if e.Note != "" {
			said = append(said, e.Note)
		}
		lines = append(lines, strings.Join(said, " · "))
	}
	return strings.Join(lines, "\n")
}

// link is what a member of staff would have been sent for an act on a case as a card shows it. All
// that counts for a link counts for a button: roles, what happened since, and once.
func (b *Bot) link(m metadata, by string) string {
	g := intake.Grant{Case: m.Case, Act: m.Act, By: by, Revision: m.Revision, Expires: b.now().Add(intake.LinkLife).Unix()}
	at, err := url.Parse(b.links.Desk(g))
	if err != nil {
		return ""
	}
	return at.Path[strings.LastIndexByte(at.Path, '/')+1:]
}

// decide carries a decision out.
func (b *Bot) decide(ctx context.Context, p person, i Installation, m metadata, v slack.View) answer {
	locale := b.cfg.Locale
	name, may := b.mayDecide(p, i, m.Channel)
	if !may {
		return b.wrong(v, chat.Say(locale, "staff.role"))
	}
	values := typed(v)
	deed := intake.Deed{
		Verdict: intake.Verdict{By: name, Reason: intake.Reason(values[staffReason]), Rationale: strings.TrimSpace(values[staffRationale]), Message: strings.TrimSpace(values[staffMessage])},
		Shown:   m.Shown,
	}
	r, err := b.gateway.ActLinked(ctx, b.link(m, name), deed)
	var input *intake.ErrInput
	switch {
	case errors.Is(err, intake.ErrLinkStale), errors.Is(err, intake.ErrCaseChanged):
		return b.wrong(v, chat.Say(locale, "staff.changed"))
	case errors.Is(err, intake.ErrNotAllowed), errors.Is(err, intake.ErrLinkRevoked):
		return b.wrong(v, chat.Say(locale, "staff.role"))
	case errors.As(err, &input):
		return b.wrong(v, input.Problem)
	case errors.As(err, new(*intake.HeldError)), errors.As(err, new(*intake.IllegalTransition)):
		return b.wrong(v, err.Error())
	case err != nil:
		b.log.Error("a decision was not stored", "channel", Channel, "err", err)
		return b.wrong(v, chat.Say(locale, "failed"))
	}
	if m.Message != "" {
		words := chat.Say(locale, "staff.decided", templates.StatusWord(locale, r.Status), name)
		b.after("a decision was not told", func(ctx context.Context) error {
			_, _, err := b.post(i).PostMessageContext(ctx, m.Channel, append(quiet(words, nil), slack.MsgOptionTS(m.Message))...)
			return err
		})
	}
	return answer{status: http.StatusOK, body: slack.NewClearViewSubmissionResponse()}
}
