package slackbot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/slack-go/slack"

	"leadgate/channels"
	"leadgate/channels/chat"
	"leadgate/intake"
	"leadgate/intake/identity"
)

// Channel is the name of the channel.
const Channel = "slack"

// The paths below the pages at which Slack, and who installs the app, reach us.
const (
	PathCommands     = "/slack/commands"
	PathInteractions = "/slack/interactions"
	PathEvents       = "/slack/events"
	PathInstall      = "/slack/install"
	PathOAuth        = "/slack/oauth"
)

// Gateway is what the channel asks beside the sink.
type Gateway interface {
	chat.Directory
	chat.Examiner
	Partner(ctx context.Context, id string) (intake.Partner, error)
	OwnCase(ctx context.Context, partnerID, number string) (intake.OwnCase, error)
	ReceivedCase(ctx context.Context, partnerID, number string) (intake.OwnCase, error)
	OwnCases(ctx context.Context, partnerID, after string, limit int) ([]intake.OwnCase, string, error)
	StatusMessage(ctx context.Context, partnerID, number string) (intake.Message, error)
	Accepted(ctx context.Context, key string) (intake.Receipt, error)
	Admit(context.Context, intake.Admission) error
	Linked(ctx context.Context, token string) (intake.View, error)
	ActLinked(ctx context.Context, token string, d intake.Deed) (intake.Registration, error)
}

// Deps are what a Bot is made of.
type Deps struct {
	Gateway  Gateway
	Identity *identity.Lists
	Words    chat.Words
	Secrets  Secrets
	Memory   Memory
	// Links sign what staff do by a button; nil for no buttons.
	Links *intake.Links
	// Fill reads the lines that somebody filled in, "Contact role: Head of IT"; nil for none.
	Fill func(text string) (intake.Lead, map[intake.Field]string)
	// Read reads a value as people write it, "Germany"; nil takes it as it was typed.
	Read func(f intake.Field, given string) string
	// Mail answers where Slack can't, through the channel MailChannel; nil for nobody.
	Mail        intake.Replier
	MailChannel string
	// URL is where the world finds the pages, FormURL the public form; "" without.
	URL, FormURL string
	Zone         *time.Location
	Client       *http.Client     // one with time-outs if nil
	Now          func() time.Time // time.Now if nil
	Log          *slog.Logger     // discarded if nil
}

// Bot is the app.
type Bot struct {
	cfg      Config
	gateway  Gateway
	check    chat.Checker
	words    chat.Words
	secrets  Secrets
	memory   Memory
	links    *intake.Links
	fill     func(string) (intake.Lead, map[intake.Field]string)
	mail     intake.Replier
	mailName string
	url      string
	formURL  string
	zone     *time.Location
	// quick is for what Slack waits for, patient for what it does not.
	quick, patient *http.Client
	now            func() time.Time
	log            *slog.Logger

	pace pacer

	mu       sync.Mutex
	sink     intake.Sink
	stopping bool
	later    sync.WaitGroup
	end      context.CancelFunc
	life     context.Context // of what goes on after an answer
	problem  string
	missed   []intake.Message // what staff were not told yet
	warned   time.Time        // when the log was told of a request that was refused
}

var (
	_ channels.Channel = (*Bot)(nil)
	_ channels.Mounter = (*Bot)(nil)
	_ channels.Runner  = (*Bot)(nil)
	_ intake.Watched   = (*Bot)(nil)
	_ Gateway          = (*intake.Gateway)(nil)
)

// How long Slack waits, and how long we do.
const (
	patience     = 2500 * time.Millisecond // of all that is done before an answer
	slowPatience = 20 * time.Second
)

// New returns the app of a configuration.
func New(c Config, d Deps) (*Bot, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if d.Gateway == nil || d.Identity == nil || d.Words == nil || d.Secrets == nil || d.Memory == nil {
		return nil, errors.New("slack needs a gateway, identity lists, words and a store")
	}
	b := &Bot{
		cfg: c, gateway: d.Gateway, check: chat.Checker{Gateway: d.Gateway, Identity: d.Identity, Read: d.Read}, words: d.Words,
		secrets: d.Secrets, memory: d.Memory, links: d.Links, fill: d.Fill, mail: d.Mail, mailName: d.MailChannel,
		url: d.URL, formURL: d.FormURL, zone: d.Zone, now: d.Now, log: d.Log,
	}
	if b.now == nil {
		b.now = time.Now
	}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.zone == nil {
		b.zone = time.UTC
	}
	client := d.Client
	if client == nil {
		client = &http.Client{}
	}
	quick, patient := *client, *client
	quick.Timeout, patient.Timeout = patience, slowPatience
	b.quick, b.patient = &quick, &patient
	b.pace = newPacer(b.now, everyMessage)
	b.life, b.end = context.WithCancel(context.Background())
	return b, nil
}

// Name implements channels.Channel.
func (b *Bot) Name() string { return Channel }

// fast is a client for what Slack waits for: it tries once.
func (b *Bot) fast(i Installation) *slack.Client { return b.client(i, b.quick) }

// post is a client for what nobody waits for. It tries again what never arrived; how long to wait
// after "too many requests" is for who called.
func (b *Bot) post(i Installation) *slack.Client {
	retry := slack.RetryConfig{MaxRetries: 1, BackoffInitial: 100 * time.Millisecond, BackoffMax: time.Second, Handlers: []slack.RetryHandler{slack.NewConnectionErrorRetryHandler()}}
	return b.client(i, b.patient, slack.OptionRetryConfig(retry))
}

func (b *Bot) client(i Installation, over *http.Client, more ...slack.Option) *slack.Client {
	return slack.New(i.Token, append([]slack.Option{slack.OptionAPIURL(b.cfg.APIURL), slack.OptionHTTPClient(over)}, more...)...)
}

// maxBody is the largest request that is read.
const maxBody = 1 << 20

// answer is what Slack is told at once. Body is JSON, nil for nothing.
type answer struct {
	status int
	body   any
}

var ok = answer{status: http.StatusOK}

// Mount adds the routes that Slack calls. In ModeSocket there are those of the installation alone.
func (b *Bot) Mount(g *echo.Group, sink intake.Sink) {
	b.setSink(sink)
	if b.cfg.Mode == ModeHTTP {
		g.POST(PathCommands, b.serve(b.serveCommand))
		g.POST(PathInteractions, b.serve(b.serveInteraction))
		g.POST(PathEvents, b.serve(b.serveEvent))
	}
	if b.cfg.ClientID != "" {
		g.GET(PathInstall, b.install)
		g.GET(PathOAuth, b.installed)
	}
}

func (b *Bot) setSink(sink intake.Sink) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sink = sink
}

// serve reads and proves a request before anything in it counts.
func (b *Bot) serve(handle func(ctx context.Context, body []byte, by proof) answer) echo.HandlerFunc {
	return func(c echo.Context) error {
		req := c.Request()
		c.Response().Header().Set("Cache-Control", "no-store")
		body, err := io.ReadAll(http.MaxBytesReader(c.Response(), req.Body, maxBody))
		if err != nil {
			return c.NoContent(http.StatusBadRequest)
		}
		by, err := verify(b.cfg.SigningSecret, req.Header, body, b.now())
		if err != nil {
			b.refused(err)
			return c.NoContent(http.StatusUnauthorized)
		}
		req.URL.RawQuery = "" // nobody has signed it
		ctx, cancel := context.WithTimeout(req.Context(), patience)
		defer cancel()
		a := handle(ctx, body, by)
		if a.body == nil {
			return c.NoContent(a.status)
		}
		return c.JSON(a.status, a.body)
	}
}

// refused notes a request that is not Slack's. Anybody can make them, so that the log is told once
// a minute.
func (b *Bot) refused(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := b.now(); now.Sub(b.warned) >= time.Minute {
		b.warned = now
		b.log.Warn("a request was refused", "channel", Channel, "err", err)
	}
}

// replayed reports whether a request was there before. Commands and interactions are never sent
// again by Slack; events have names of their own.
func (b *Bot) replayed(ctx context.Context, by proof) (bool, error) {
	err := b.gateway.Admit(ctx, intake.Admission{Once: "slack:" + by.signature, Until: by.at.Add(3 * tolerance)})
	if errors.Is(err, intake.ErrSpent) {
		return true, nil
	}
	return false, err
}

func (b *Bot) serveCommand(ctx context.Context, body []byte, by proof) answer {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("command") == "" || form.Get("team_id") == "" {
		return answer{status: http.StatusBadRequest}
	}
	if again, err := b.replayed(ctx, by); again {
		return answer{status: http.StatusUnauthorized}
	} else if err != nil {
		b.log.Error("a command was not noted", "channel", Channel, "err", err)
		return whisper(chat.Say(b.cfg.Locale, "late.plain"))
	}
	return b.command(ctx, slack.SlashCommand{
		TeamID: form.Get("team_id"), EnterpriseID: form.Get("enterprise_id"), ChannelID: form.Get("channel_id"), UserID: form.Get("user_id"),
		Command: form.Get("command"), Text: form.Get("text"), ResponseURL: form.Get("response_url"), TriggerID: form.Get("trigger_id"),
	})
}

func (b *Bot) serveInteraction(ctx context.Context, body []byte, by proof) answer {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("payload") == "" {
		return answer{status: http.StatusBadRequest}
	}
	if again, err := b.replayed(ctx, by); again {
		return answer{status: http.StatusUnauthorized}
	} else if err != nil {
		b.log.Error("an interaction was not noted", "channel", Channel, "err", err)
		return answer{status: http.StatusServiceUnavailable}
	}
	return b.interaction(ctx, []byte(form.Get("payload")))
}

func (b *Bot) serveEvent(ctx context.Context, body []byte, _ proof) answer {
	return b.event(ctx, body)
}

// whisper is an answer to a command that only its sender sees.
func whisper(text string, blocks ...slack.Block) answer {
	m := map[string]any{"response_type": slack.ResponseTypeEphemeral, "text": escaped(text)}
	if len(blocks) > 0 {
		m["blocks"] = blocks
	}
	return answer{status: http.StatusOK, body: m}
}

// after does something once Slack has its answer. It is bound to the life of the app.
func (b *Bot) after(what string, do func(context.Context) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopping {
		return
	}
	b.later.Add(1)
	go func() {
		defer b.later.Done()
		ctx, cancel := context.WithTimeout(b.life, slowPatience)
		defer cancel()
		if err := do(ctx); err != nil {
			b.log.Warn(what, "channel", Channel, "err", err)
		}
	}()
}

// lookEvery is how often Slack is asked whether the token of home is good.
const lookEvery = 5 * time.Minute

// Run keeps watch over the token and, in ModeSocket, keeps the connection open.
func (b *Bot) Run(ctx context.Context, sink intake.Sink) error {
	b.setSink(sink)
	defer b.stop()
	if b.cfg.Mode == ModeSocket {
		var watching sync.WaitGroup
		watching.Go(func() { b.watchToken(ctx) })
		defer watching.Wait()
		return b.listen(ctx)
	}
	b.watchToken(ctx)
	return nil
}

func (b *Bot) watchToken(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if b.look(ctx) {
			b.tellMissed(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look asks Slack how the token of home is. It reports whether that is good.
func (b *Bot) look(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, slowPatience)
	defer cancel()
	err := b.learn(ctx)
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) {
		return false
	}
	b.note(err)
	if err != nil {
		b.log.Warn("Slack does not answer as it should", "channel", Channel, "err", err)
	}
	return err == nil
}

// note keeps how it is, for Condition.
func (b *Bot) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil:
		b.problem = ""
	case revoked(err):
		b.problem = fmt.Sprintf("Slack does not take the bot token (%s); install the app again and put the new token into slack.bot_token", code(err))
	case errors.Is(err, errNotInstalled):
		b.problem = "the app was removed from your workspace; install it again and put the new token into slack.bot_token"
	case errors.As(err, new(*slack.RateLimitedError)):
	default:
		b.problem = "Slack can't be reached: " + reason(err)
	}
}

// reason is an error without the address that it is about, which may hold a token.
func reason(err error) string {
	var at *url.Error
	if errors.As(err, &at) {
		return at.Err.Error()
	}
	return err.Error()
}

// Condition implements intake.Watched.
func (b *Bot) Condition() intake.Condition {
	b.mu.Lock()
	defer b.mu.Unlock()
	return intake.Condition{Name: Channel, Down: b.problem != "", Problem: b.problem}
}

// stopPatience is how long what goes on after answers may take at the end.
const stopPatience = time.Second

// stop ends what goes on after answers.
func (b *Bot) stop() {
	b.mu.Lock()
	b.stopping = true
	b.mu.Unlock()
	done := make(chan struct{})
	go func() { b.later.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(stopPatience):
	}
	b.end()
	<-done
}

// recall reads a value of the memory; the zero value if there is none.
func recall[T any](ctx context.Context, m Memory, name string) (v T, err error) {
	text, err := m.Recall(ctx, name)
	if err == nil && text != "" {
		err = json.Unmarshal([]byte(text), &v)
	}
	return v, err
}

func keep[T any](ctx context.Context, m Memory, name string, v T) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return m.Keep(ctx, name, string(text))
}
