package teamsbot

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"leadgate/channels/chat"
	"leadgate/channels/teamsbot/connector"
	"leadgate/intake"
)

var draftID = regexp.MustCompile(`^[0-9a-f]{32}$`)

func newDraftID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err) // documented never to happen
	}
	return hex.EncodeToString(b[:])
}

// newDraft is a form with what is known already.
func (t turn) newDraft(p person, lead intake.Lead) draft {
	d := t.draft(p, press{draft: newDraftID(), values: make(map[string]string)})
	for f, v := range lead {
		d.values[string(f)] = v
	}
	if !p.Known() && !p.Disputed {
		d.values[chat.NameEmail] = p.suggested
	}
	return d
}

// draft is the form that a button belongs to.
func (t turn) draft(p person, press press) draft {
	d := draft{id: press.draft, verb: verbRegister, title: chat.Say(t.Locale, "form.title"), values: press.values, behalf: p.partner.Name}
	if !draftID.MatchString(d.id) {
		d.id = newDraftID()
	}
	if press.verb == verbAnswer {
		d.verb, d.number, d.title = verbAnswer, press.number, chat.Say(t.Locale, "answer.title")
		d.form = chat.AnswerForm(t.Locale, askedOf(press.values))
		return d
	}
	d.form = chat.NewForm(chat.FormOptions{Locale: t.Locale, More: t.c.Fields, AskEmail: !p.Known() && !p.Disputed})
	return d
}

// askedOf are the fields that a form has asked for.
func askedOf(values map[string]string) (asked []intake.Problem) {
	for _, f := range intake.Fields() {
		if _, ok := values[string(f)]; ok {
			asked = append(asked, intake.Problem{Field: f, Code: intake.ProblemMissing})
		}
	}
	return asked
}

// submit takes a form in and returns the card that stands in its place: the case, or the form with
// what is wrong with it and all that was typed. shown is the message that has the form, "" for
// none. An error is left only where no form can be shown.
func (t turn) submit(ctx context.Context, press press, shown string) (card json.RawMessage, title string, err error) {
	again := func(d draft, trouble string) (json.RawMessage, string, error) {
		d.trouble = trouble
		return d.card(), d.title, nil
	}
	p, err := t.who(ctx, t.Activity)
	if err != nil {
		t.Log.Warn("who sent a form could not be looked up", "channel", Channel, "err", err)
		return again(t.draft(p, press), say(t.Locale, "again"))
	}
	d := t.draft(p, press)
	d.dialog = t.inDialog()
	answers, wrong, err := t.checker.Check(ctx, d.form, p.Partner, d.number, d.values)
	switch {
	case errors.Is(err, intake.ErrNotFound):
		return note(chat.Say(t.Locale, "unknown_case")), d.title, nil
	case err != nil:
		return again(d, chat.Say(t.Locale, "failed"))
	case len(wrong) > 0:
		d.wrong = wrong
		return again(d, "")
	}
	switch {
	case d.verb == verbAnswer && !p.Known():
		return note(chat.Say(t.Locale, "who")), d.title, nil
	case d.verb == verbAnswer && p.barred:
		return note(chat.Say(t.Locale, "barred")), d.title, nil
	}
	s, err := t.formSubmission(ctx, p, d, answers, shown)
	if err != nil {
		return again(d, chat.Say(t.Locale, "failed"))
	}
	r, err := t.sink.Accept(ctx, s)
	var over *intake.LimitError
	switch {
	case errors.As(err, &over):
		return again(d, chat.Busy(t.Locale, over.After))
	case err != nil:
		t.Log.Error("a form of Teams was not stored", "channel", Channel, "err", err)
		return again(d, chat.Say(t.Locale, "failed"))
	}
	if err := t.stored(ctx, s, r); err != nil { // the case is safe
		t.Log.Warn("where a case is shown was not kept", "channel", Channel, "case", r.Case, "err", err)
	}
	card, title = t.receipt(ctx, p, answers, r)
	return card, title, nil
}

// key names a form that was sent: a second press with the same words is the same one, whoever
// of the partner's people presses.
func (d draft) key(p person, tenant string) string {
	parts := []string{p.Partner, d.id, d.verb, d.number}
	if p.Partner == "" {
		parts[0] = "tenant " + tenant
	}
	for _, name := range slices.Sorted(maps.Keys(d.values)) {
		if _, asked := d.form.Question(name); asked {
			parts = append(parts, name, strings.TrimSpace(d.values[name]))
		}
	}
	return "form:" + d.id + ":" + hashed(parts...)
}

// formSubmission is what a form registers, or adds to a case.
func (t turn) formSubmission(ctx context.Context, p person, d draft, answers chat.Answers, shown string) (intake.Submission, error) {
	s, err := t.submission(ctx, p, d.key(p, t.SenderTenant))
	if err != nil {
		return s, err
	}
	s.Lead, s.Evidence, s.CaseHint, s.Told = answers.Lead, answers.Evidence, d.number, true
	s.Admission = intake.Admission{By: s.Key, Limits: []intake.Limit{{Name: "teams:partner:" + p.Partner, Max: t.c.Hour, Per: time.Hour}}}
	if p.Known() {
		s.Reply.Thread, err = t.thread(ctx, p, d.number, shown)
		return s, err
	}
	s.Admission.Limits[0].Name = "teams:tenant:" + hashed(t.SenderTenant)
	s.Reply = intake.Route{}
	if p.Disputed {
		s.Note = p.How
		return s, nil
	}
	// Whoever reads what is sent to the address says whether it is his.
	s.Typed, s.Sender.Address = true, answers.Email
	s.Sender.How = "typed into the form in Teams, tenant " + t.SenderTenant
	if t.MailChannel != "" {
		s.Reply = intake.Route{Channel: t.MailChannel, Address: answers.Email}
	}
	return s, nil
}

// submission is what all that is taken in has in common.
func (t turn) submission(ctx context.Context, p person, key string) (intake.Submission, error) {
	s := intake.Submission{
		Key: Channel + ":" + key, Deliberate: true, Channel: Channel, ReceivedAt: t.Now(),
		Sender:  intake.Sender{Address: p.address, Name: p.name, Strength: p.Strength, How: p.How},
		Partner: p.Partner, Reply: intake.Route{Channel: Channel, Address: p.address},
		Raw: intake.Raw{Media: "application/json"},
	}
	if len(t.Raw) <= intake.MaxPayload {
		s.Payload = t.Raw
		return s, nil
	}
	raw, err := t.sink.Keep(ctx, strings.NewReader(string(t.Raw)))
	raw.Media = s.Raw.Media
	s.Raw = raw
	return s, err
}

// receipt is the card for what was taken in.
func (t turn) receipt(ctx context.Context, p person, answers chat.Answers, r intake.Receipt) (json.RawMessage, string) {
	company := answers.Lead[intake.FieldCompanyName]
	if company == "" {
		company = answers.Lead[intake.FieldCompanyDomain]
	}
	c := chat.Card{Locale: t.Locale, Case: r.Case, Title: r.Case, Tone: chat.TonePending}
	if foreign, err := t.foreign(ctx, p.Partner, t.Reference()); err != nil || foreign && !t.inDialog() {
		c.Lines = []string{say(t.Locale, "quiet")}
		return caseCard(c, nil), c.Text()
	}
	switch {
	case r.Case == "":
		c.Title = chat.Say(t.Locale, "noted")
	case p.Disputed:
		c.Lines = []string{chat.Say(t.Locale, "disputed", r.Case, company)}
	case !p.Known():
		c.Tone = chat.ToneAction
		c.Lines = []string{chat.Say(t.Locale, "unproven", r.Case, company, answers.Email)}
	case r.Known:
		c.Lines = []string{chat.Say(t.Locale, "known", r.Case)}
	default:
		c.Tone = chat.ToneGood
		if company == "" {
			c.Lines = []string{chat.Say(t.Locale, "noted")}
		} else {
			c.Lines = []string{chat.Say(t.Locale, "received", r.Case, company)}
		}
	}
	if p.Known() && r.Case != "" {
		own, err := t.Gateway.ReceivedCase(ctx, p.Partner, r.Case)
		if err == nil && own.StatusLink != "" {
			c.Links = append(c.Links, link(say(t.Locale, "open"), own.StatusLink))
		}
	}
	return caseCard(c, nil), c.Text()
}

// stored keeps where a case is shown, and which thread is about it.
func (t turn) stored(ctx context.Context, s intake.Submission, r intake.Receipt) error {
	if r.Case == "" || s.Reply.Channel != Channel {
		return nil
	}
	th, err := readThread(s.Reply.Thread)
	if err != nil {
		return err
	}
	return t.shows(ctx, r.Case, th)
}

// shows keeps which message of which conversation shows a case.
func (b *Bot) shows(ctx context.Context, number string, th thread) error {
	if th.Card != "" {
		if err := keep(ctx, b.Memory, cardName(number), th); err != nil {
			return err
		}
	}
	if strings.Contains(th.Ref.Conversation, ";messageid=") {
		return keep(ctx, b.Memory, threadName(th.Ref), number)
	}
	return nil
}

// thread is the route to where a case goes on. shown is the message that shows it, "" for the one
// that is known to.
func (t turn) thread(ctx context.Context, p person, number, shown string) (json.RawMessage, error) {
	th := thread{Ref: t.Reference(), Tenant: p.tenant, Object: p.object, Partner: p.Partner, Card: shown}
	if t.viaExtension() { // the bot may not be where that was opened
		ref, found, err := t.personalOf(ctx, p.tenant, p.object)
		if err != nil {
			return nil, err
		}
		if found {
			th.Ref = ref
		}
	}
	var err error
	if th.Foreign, err = t.foreign(ctx, p.Partner, th.Ref); err != nil {
		return nil, err
	}
	if number != "" {
		known, found, err := recall[thread](ctx, t.Memory, cardName(number))
		if err != nil {
			return nil, err
		}
		if found && known.Ref.Conversation == th.Ref.Conversation {
			th.Card = known.Card
		}
	}
	return json.Marshal(th)
}

// foreign reports whether a conversation is in the tenant of somebody else than a partner.
func (b *Bot) foreign(ctx context.Context, partner string, ref connector.Reference) (bool, error) {
	if alone(ref) {
		return false, nil
	}
	of, err := b.Gateway.PartnerOfTeams(ctx, intake.Teams{Tenant: ref.Tenant})
	return of != partner || of == "", err
}

// thread is what stands in intake.Route.Thread.
type thread struct {
	Ref connector.Reference `json:"ref"`
	// Tenant and Object are who registered: what others may not read goes to him alone.
	Tenant string `json:"tenant,omitempty"`
	Object string `json:"object,omitempty"`
	// Partner is for whom he spoke.
	Partner string `json:"partner,omitempty"`
	// Card is the message that shows the case, "" for none.
	Card string `json:"card,omitempty"`
	// Foreign says that the conversation is not in the partner's own tenant: people of others
	// may read along, of competing partners too.
	Foreign bool `json:"foreign,omitempty"`
	// Mail is the thread of the answers that went by mail.
	Mail json.RawMessage `json:"mail,omitempty"`
}

func readThread(raw json.RawMessage) (th thread, err error) {
	err = json.Unmarshal(raw, &th)
	return th, err
}
