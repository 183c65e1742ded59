package connector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/core/activity"
	"github.com/infracloudio/msbotbuilder-go/schema"

	"leadgate/channels/oauth"
	"leadgate/intake"
)

// The addresses of the public cloud, and what tokens from and to the service say.
const (
	DefaultMetadata = "https://login.botframework.com/v1/.well-known/openidconfiguration"
	DefaultIssuer   = "https://api.botframework.com"
	DefaultScope    = "https://api.botframework.com/.default"
	// DefaultLogin is where a tenant's tokens are; {tenant} stands for it.
	DefaultLogin = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
)

// Options are what a Connector is made with.
type Options struct {
	// AppID and Secret are those of the app registration, Tenant is where it lives.
	AppID, Secret, Tenant string
	// Admit says whether people of a tenant, an id in lower case, are let in.
	Admit func(ctx context.Context, tenant string) (bool, error)
	// Metadata and Login replace the addresses of the public cloud.
	Metadata, Login string
	// Loopback lets a service on this machine be sent to, for tests and proxies.
	Loopback bool
	Client   *http.Client     // one of its own if nil
	Now      func() time.Time // time.Now if nil
}

// Connector speaks with the service in the name of one bot. It may be used by many goroutines.
type Connector struct {
	appID     string
	validator *validator
	tokens    *oauth.Source
	client    *http.Client
	admits    func(ctx context.Context, tenant string) (bool, error)
	loopback  bool
}

// New returns a connector; it asks for nothing yet. Without an app id nobody could be told from
// anybody else, so that there is none.
func New(o Options) (*Connector, error) {
	if strings.TrimSpace(o.AppID) == "" || o.Secret == "" || o.Tenant == "" {
		return nil, errors.New("a bot needs an app id, a secret and a tenant; without them it would let everybody in")
	}
	if o.Admit == nil {
		return nil, errors.New("nobody says which tenants are let in")
	}
	if o.Metadata == "" {
		o.Metadata = DefaultMetadata
	}
	if o.Login == "" {
		o.Login = DefaultLogin
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Connector{appID: o.AppID, admits: o.Admit, loopback: o.Loopback, client: &http.Client{}}
	if o.Client != nil {
		own := *o.Client
		c.client = &own
	}
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.validator = newValidator(o.AppID, DefaultIssuer, &keySet{url: o.Metadata, client: c.client, now: o.Now}, o.Now)
	c.tokens = oauth.New(oauth.Config{
		TokenURL: strings.ReplaceAll(o.Login, "{tenant}", url.PathEscape(o.Tenant)),
		ClientID: o.AppID, ClientSecret: o.Secret, Scopes: []string{DefaultScope},
	}, oauth.Options{Now: o.Now})
	return c, nil
}

// Keys tells how old the keys are that tokens are checked with, 0 if none were needed yet, and
// why newer ones could not be fetched.
func (c *Connector) Keys() (age time.Duration, err error) { return c.validator.keys.age() }

// FetchKeys fetches the published keys, if there are none yet.
func (c *Connector) FetchKeys(ctx context.Context) error {
	_, err := c.validator.keys.find(ctx, "-")
	if errors.Is(err, errUnknownKey) {
		return nil
	}
	return err
}

// Token gets a token of the bot, as a check of its credentials.
func (c *Connector) Token(ctx context.Context) error {
	_, err := c.tokens.Token(ctx)
	return err
}

// MayStore reports whether a reference may be kept and used: its host is one of the service.
func (c *Connector) MayStore(ref Reference) bool {
	_, err := serviceURL(ref.ServiceURL, c.loopback)
	return err == nil && ref.Conversation != "" && ref.Bot != ""
}

// Outgoing is what is sent: words, or a card with words for where no card can be shown.
type Outgoing struct {
	Text string
	// Card is an Adaptive Card as JSON; nil for none.
	Card json.RawMessage
	// ReplyTo is the id of the activity that is answered, "" for none.
	ReplyTo string
}

// CardType is the media type of an Adaptive Card.
const CardType = "application/vnd.microsoft.card.adaptive"

func (o Outgoing) options() []activity.MsgOption {
	opts := []activity.MsgOption{func(a *schema.Activity) error {
		a.TextFormat, a.ReplyToID = schema.PLAIN, o.ReplyTo
		return nil
	}}
	if o.Card == nil {
		return append(opts, activity.MsgOptionText(o.Text))
	}
	opts = append(opts, activity.MsgOptionAttachments([]schema.Attachment{{ContentType: CardType, Content: o.Card}}))
	return append(opts, func(a *schema.Activity) error { a.Summary = o.Text; return nil })
}

// Send writes into a conversation and returns what the service calls the message. The error is
// ErrHost, ErrGone, or marked by intake as one to retry or not.
func (c *Connector) Send(ctx context.Context, ref Reference, o Outgoing) (id string, err error) {
	cl := &call{c: c, ctx: ctx, ref: ref}
	err = c.adapter(cl).ProactiveMessage(ctx, ref.library(), activity.HandlerFuncs{
		OnMessageFunc: func(turn *activity.TurnContext) (schema.Activity, error) { return turn.SendActivity(o.options()...) },
	})
	return cl.id, err
}

// Update replaces a message that was sent.
func (c *Connector) Update(ctx context.Context, ref Reference, id string, o Outgoing) error {
	r := ref.library()
	r.ActivityID = ""
	a := activity.ApplyConversationReference(schema.Activity{Type: schema.Message, ID: id}, r, false)
	for _, opt := range o.options() {
		if err := opt(&a); err != nil {
			return err
		}
	}
	cl := &call{c: c, ctx: ctx, ref: ref}
	return c.adapter(cl).UpdateActivity(ctx, a)
}

// Member is a person in a conversation.
type Member struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	UPN    string `json:"userPrincipalName"`
	Tenant string `json:"tenantId"`
	Object string `json:"aadObjectId"`
}

// Member asks who somebody in a conversation is:
// https://learn.microsoft.com/microsoftteams/platform/bots/how-to/get-teams-context
func (c *Connector) Member(ctx context.Context, ref Reference, user string) (m Member, err error) {
	b, err := c.do(ctx, ref, http.MethodGet, []string{"members", user}, nil)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, intake.Permanent(fmt.Errorf("read who somebody is: %w", err))
	}
	return m, nil
}
