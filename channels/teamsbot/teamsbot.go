package teamsbot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"leadgate/channels"
	"leadgate/channels/chat"
	"leadgate/channels/teamsbot/connector"
	"leadgate/intake"
	"leadgate/intake/extract"
	"leadgate/intake/identity"
)

// Channel is the name of the channel.
const Channel = "teams"

// Path is where the Bot Connector service calls us: the messaging endpoint of the bot.
const Path = "/teams/messages"

// Gateway is what the bot needs of the pipeline: an intake.Gateway.
type Gateway interface {
	chat.Examiner
	PartnerOfTeams(ctx context.Context, t intake.Teams) (string, error)
	PartnerOfAddress(ctx context.Context, address string) (string, error)
	Partner(ctx context.Context, id string) (intake.Partner, error)
	OwnCase(ctx context.Context, partnerID, number string) (intake.OwnCase, error)
	ReceivedCase(ctx context.Context, partnerID, number string) (intake.OwnCase, error)
	OwnCases(ctx context.Context, partnerID, after string, limit int) ([]intake.OwnCase, string, error)
}

// Deps are what a bot is made with.
type Deps struct {
	Gateway   Gateway
	Memory    Memory
	Words     chat.Words
	Identity  *identity.Lists
	Extractor *extract.Extractor
	// Mail is the channel by which people are answered whom the bot can't reach, and asked to
	// confirm who are nobody's; MailChannel is its name, "" if there is none.
	Mail        intake.Replier
	MailChannel string
	Now         func() time.Time // time.Now if nil
	Log         *slog.Logger     // discarded if nil
}

// Bot is the channel.
type Bot struct {
	Deps
	c         Config
	connector *connector.Connector
	checker   chat.Checker

	places  sync.Mutex // held while what is kept of a place is changed
	refused atomic.Int64
	problem atomic.Pointer[trouble]
}

// trouble is why nothing could be sent, and since when.
type trouble struct {
	words string
	at    time.Time
}

var (
	_ channels.Channel = (*Bot)(nil)
	_ channels.Mounter = (*Bot)(nil)
	_ intake.Watched   = (*Bot)(nil)
	_ Gateway          = (*intake.Gateway)(nil)
)

// New returns a bot for a configuration that was validated. It fails without an app id.
func New(c Config, d Deps) (*Bot, error) {
	if c.Hour == 0 {
		c.Hour = DefaultHour
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	b := &Bot{Deps: d, c: c, checker: chat.Checker{Gateway: d.Gateway, Identity: d.Identity, Read: d.Extractor.Value}}
	var err error
	b.connector, err = newConnector(c, b.admits, d.Now)
	return b, err
}

// Name implements channels.Channel.
func (b *Bot) Name() string { return Channel }

// admits reports whether people of a tenant are let in: it is our own, a partner's, or listed.
func (b *Bot) admits(ctx context.Context, tenant string) (bool, error) {
	if tenant == "" {
		return false, nil
	}
	if strings.EqualFold(tenant, b.c.Tenant) {
		return true, nil
	}
	for _, t := range b.c.Tenants {
		if t == AnyTenant || strings.EqualFold(t, tenant) {
			return true, nil
		}
	}
	id, err := b.Gateway.PartnerOfTeams(ctx, intake.Teams{Tenant: tenant})
	return id != "", err
}

// Mount implements channels.Mounter.
func (b *Bot) Mount(g *echo.Group, sink intake.Sink) {
	g.POST(Path, func(c echo.Context) error { return b.take(c, sink) })
}

// botPrefix begins the ids of bots; those of people begin with "29:".
const botPrefix = "28:"

// turn is one activity at work.
type turn struct {
	*Bot
	*connector.Activity
	sink intake.Sink
}

// take answers one call. What is answered in the response itself are invokes; anything else is
// answered by calls of ours.
func (b *Bot) take(c echo.Context, sink intake.Sink) error {
	a, err := b.connector.Read(c.Response(), c.Request())
	if err != nil {
		return b.refuse(c, err)
	}
	ctx := c.Request().Context()
	if err := b.seen(ctx, a); err != nil {
		return fmt.Errorf("keep where an activity came from: %w", err)
	}
	if a.Type == "message" && strings.HasPrefix(a.From.ID, botPrefix) { // two robots would talk for ever
		return c.NoContent(http.StatusOK)
	}
	t := turn{b, a, sink}
	switch string(a.Type) {
	case "invoke":
		status, answer, err := t.invoke(ctx)
		if err != nil {
			b.Log.Warn("an invoke of Teams failed", "channel", Channel, "err", err)
			return c.NoContent(http.StatusInternalServerError)
		}
		if answer == nil {
			return c.NoContent(status)
		}
		return c.JSON(status, answer)
	case "message":
		err = t.message(ctx)
	case "conversationUpdate", "installationUpdate":
		err = t.membership(ctx)
	}
	if err != nil {
		b.failed(err)
		b.Log.Warn("an activity of Teams was not answered", "channel", Channel, "type", string(a.Type), "err", err)
		return c.NoContent(http.StatusBadGateway)
	}
	return c.NoContent(http.StatusOK)
}

// refuse answers to who is not let in. Why stays with us.
func (b *Bot) refuse(c echo.Context, err error) error {
	var refused *connector.Refusal
	if !errors.As(err, &refused) {
		return err
	}
	b.refused.Add(1)
	level := slog.LevelInfo
	if refused.Status == http.StatusServiceUnavailable {
		level = slog.LevelError
		if !errors.Is(err, connector.ErrNoKeys) { // what is with the keys they tell themselves
			b.failed(err)
		}
	}
	b.Log.Log(c.Request().Context(), level, "a call of the bot of Teams was refused", "channel", Channel, "status", refused.Status, "err", refused.Err)
	if refused.Status == http.StatusForbidden {
		c.Response().Header().Set(challenge, scheme)
	}
	return c.NoContent(refused.Status)
}

// failed and worked keep what staff are told of. What the service asks to be sent later is no
// trouble, nor is one conversation that is gone.
func (b *Bot) failed(err error) {
	if _, later := intake.RetryDelay(err); later || errors.Is(err, context.Canceled) || errors.Is(err, connector.ErrGone) {
		return
	}
	since := b.Now()
	if was := b.problem.Load(); was != nil {
		since = was.at
	}
	b.problem.Store(&trouble{err.Error(), since})
}

func (b *Bot) worked() { b.problem.Store(nil) }

// Health is how the bot is.
type Health struct {
	Problem string // in words without secrets, "" if there is none
	// Down says that nobody is let in, or that nothing can be sent. A problem without it can
	// wait, but not for long: keys that grow old.
	Down bool
	// Refused counts the calls that were not let in since the start.
	Refused int64
	// KeysAge is how old the keys are by which calls are checked; 0 before the first call.
	KeysAge time.Duration
}

// Health tells how the bot is.
func (b *Bot) Health() Health {
	h := Health{Refused: b.refused.Load()}
	if p := b.problem.Load(); p != nil {
		h.Problem, h.Down = p.words, true
	}
	age, err := b.connector.Keys()
	h.KeysAge = age
	if err != nil && h.Problem == "" {
		h.Problem, h.Down = err.Error(), age == 0 || age > connector.KeysStale
	}
	return h
}

// Condition implements intake.Watched.
func (b *Bot) Condition() intake.Condition {
	h := b.Health()
	return intake.Condition{Name: "teams bot", Down: h.Down, Problem: h.Problem}
}

// Verify checks a configuration that was validated: whether the keys of the Bot Connector service
// can be fetched, whether the bot's own credentials are good, and whether the bot answers at url,
// the address of the pages. It changes nothing.
func Verify(ctx context.Context, c Config, url string) []Check {
	speaks, err := newConnector(c, func(context.Context, string) (bool, error) { return false, nil }, time.Now)
	if err != nil {
		return []Check{{"the configuration", err}}
	}
	all := []Check{
		{"the keys of the Bot Connector service", speaks.FetchKeys(ctx)},
		{"a token for app " + c.AppID + " in tenant " + c.Tenant, speaks.Token(ctx)},
	}
	if all[0].Err != nil {
		all[0].Err = fmt.Errorf("%w. Let https out to login.botframework.com", all[0].Err)
	}
	if all[1].Err != nil {
		all[1].Err = fmt.Errorf("%w. Look whether teams.app_id and teams.tenant are those of the app registration, and whether teams.secret has run out", all[1].Err)
	}
	at := strings.TrimSuffix(url, "/") + Path
	return append(all, Check{"the messaging endpoint " + at, reach(ctx, at)})
}

// reach asks for the messaging endpoint as somebody who has no token, whom the bot refuses.
func reach(ctx context.Context, at string) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader("{}"))
	if err != nil {
		return fmt.Errorf("pages.url: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("can't be reached from here: %w. Start the gateway, and let https in", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden || resp.Header.Get(challenge) != scheme {
		return fmt.Errorf("answers %s, and not as the gateway does. Let your proxy pass %s on", resp.Status, Path)
	}
	return nil
}

const (
	reachTimeout = 20 * time.Second
	// Who is refused is told how to show who he is (RFC 9110, section 11.6.1).
	challenge = "WWW-Authenticate"
	scheme    = "Bearer"
)

// Check is one thing that was looked at, and what is wrong with it and what to do; nil for nothing.
type Check struct {
	What string
	Err  error
}

func newConnector(c Config, admit func(context.Context, string) (bool, error), now func() time.Time) (*connector.Connector, error) {
	return connector.New(connector.Options{
		AppID: c.AppID, Secret: c.Secret, Tenant: c.Tenant, Admit: admit,
		Metadata: c.metadata, Login: c.login, Loopback: c.loopback, Now: now,
	})
}

// send writes into a conversation and keeps how that went.
func (b *Bot) send(ctx context.Context, ref connector.Reference, o connector.Outgoing) (string, error) {
	id, err := b.connector.Send(ctx, ref, o)
	if err != nil {
		b.failed(err)
		return "", err
	}
	b.worked()
	return id, nil
}

// say answers in the conversation of a turn.
func (t turn) say(ctx context.Context, o connector.Outgoing) (string, error) {
	o.ReplyTo = t.ID
	return t.send(ctx, t.Reference(), o)
}

// membership welcomes where the bot was added, and forgets where it was removed.
func (t turn) membership(ctx context.Context) error {
	added, removed := t.Action == "add" || t.Action == "add-upgrade", t.Action == "remove" || t.Action == "remove-upgrade"
	for _, m := range t.MembersAdded {
		added = added || m.ID == t.Recipient.ID
	}
	for _, m := range t.MembersRemoved {
		removed = removed || m.ID == t.Recipient.ID
	}
	ref := t.Reference()
	switch {
	case removed:
		return t.bury(ctx, ref)
	case !added:
		return nil
	}
	first := false
	if err := t.change(ctx, ref, func(p *place) { first, p.Welcomed = !p.Welcomed, true }); err != nil || !first {
		return err
	}
	card := adaptive(noteBody(chat.Say(t.Locale, "register"), []string{chat.Say(t.Locale, "register.how")}), []any{openButton(t.Locale)})
	_, err := t.send(ctx, ref, connector.Outgoing{Text: chat.Say(t.Locale, "register.how"), Card: card})
	if err != nil {
		return errors.Join(err, t.change(ctx, ref, func(p *place) { p.Welcomed = false }))
	}
	return nil
}
