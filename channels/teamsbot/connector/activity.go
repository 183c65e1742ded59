package connector

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/infracloudio/msbotbuilder-go/connector/auth"
	"github.com/infracloudio/msbotbuilder-go/core"
	"github.com/infracloudio/msbotbuilder-go/schema"
)

// MaxActivity is the most that an activity may have, in bytes.
const MaxActivity = 256 << 10

// maxID bounds ids of conversations, users and activities, which become parts of keys and paths.
const maxID = 1000

// Activity is one that was let in.
type Activity struct {
	// Activity is the library's view. Its Value is empty: that of Teams is not always an object.
	schema.Activity
	// Tenant is the conversation's, in lower case; From.AadObjectID is a person's in it.
	Tenant string
	// SenderTenant is that of who wrote; in a shared channel it may be another one.
	SenderTenant string
	Mentions     []Mention
	// Value is as it came, nil without one.
	Value json.RawMessage
	// Raw is all of it as it came.
	Raw []byte
	// Event is the name of a conversationUpdate of Teams.
	Event string
}

// Mention is somebody who is named in the text.
type Mention struct {
	ID   string // of who is named
	Text string // the words in the text, <at>Leadgate</at>
}

// wire is what is read of an activity beside what the library reads.
type wire struct {
	Type         schema.ActivityTypes       `json:"type"`
	ID           string                     `json:"id"`
	Timestamp    time.Time                  `json:"timestamp"`
	ServiceURL   string                     `json:"serviceUrl"`
	ChannelID    string                     `json:"channelId"`
	From         schema.ChannelAccount      `json:"from"`
	Recipient    schema.ChannelAccount      `json:"recipient"`
	Conversation schema.ConversationAccount `json:"conversation"`
	Text         string                     `json:"text"`
	Name         string                     `json:"name"`
	Action       string                     `json:"action"`
	Locale       string                     `json:"locale"`
	ReplyToID    string                     `json:"replyToId"`
	Added        []schema.ChannelAccount    `json:"membersAdded"`
	Removed      []schema.ChannelAccount    `json:"membersRemoved"`
}

type beside struct {
	Value    json.RawMessage `json:"value"`
	Entities []struct {
		Type      string `json:"type"`
		Text      string `json:"text"`
		Mentioned struct {
			ID string `json:"id"`
		} `json:"mentioned"`
	} `json:"entities"`
	ChannelData struct {
		Tenant struct {
			ID string `json:"id"`
		} `json:"tenant"`
		Event string `json:"eventType"`
	} `json:"channelData"`
	From struct {
		Tenant string `json:"tenantId"`
	} `json:"from"`
}

// Refusal is why a request is answered with a status other than 200.
type Refusal struct {
	Status int
	Err    error
}

func (r *Refusal) Error() string { return fmt.Sprintf("%d: %v", r.Status, r.Err) }

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Err }

// Read takes an activity from a request: it is authenticated, its tenant is let in, and its
// service is one that may be sent to. The error is a *Refusal; its words are for the log.
func (c *Connector) Read(w http.ResponseWriter, req *http.Request) (*Activity, error) {
	if req.Method != http.MethodPost {
		return nil, &Refusal{http.StatusMethodNotAllowed, errors.New("not a POST")}
	}
	if _, err := bearer(req.Header.Get("Authorization")); err != nil {
		return nil, &Refusal{http.StatusForbidden, err} // before anything is read
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, MaxActivity))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &Refusal{http.StatusRequestEntityTooLarge, err}
	case err != nil:
		return nil, &Refusal{http.StatusBadRequest, err}
	}
	var head wire
	var more beside
	if err := errors.Join(json.Unmarshal(raw, &head), json.Unmarshal(raw, &more)); err != nil {
		return nil, &Refusal{http.StatusBadRequest, fmt.Errorf("read the activity: %w", err)}
	}
	a, err := c.authenticate(req, head)
	if err != nil {
		return nil, err
	}
	in := &Activity{Activity: a, Value: more.Value, Raw: raw, Event: more.ChannelData.Event}
	in.Tenant = strings.ToLower(a.Conversation.TenantID)
	if in.Tenant == "" {
		in.Tenant = strings.ToLower(more.ChannelData.Tenant.ID)
	}
	if in.SenderTenant = strings.ToLower(more.From.Tenant); in.SenderTenant == "" {
		in.SenderTenant = in.Tenant
	}
	for _, e := range more.Entities {
		if e.Type == "mention" {
			in.Mentions = append(in.Mentions, Mention{e.Mentioned.ID, e.Text})
		}
	}
	return in, c.admit(req.Context(), in)
}

// authenticate has the library read what it reads well, and our validator judge it.
func (c *Connector) authenticate(req *http.Request, head wire) (schema.Activity, error) {
	b, err := json.Marshal(head)
	if err != nil {
		return schema.Activity{}, &Refusal{http.StatusBadRequest, err}
	}
	plain := req.Clone(req.Context())
	plain.Body, plain.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	a, err := c.adapter(nil).ParseRequest(req.Context(), plain)
	switch {
	case err == nil:
		return a, nil
	case errors.Is(err, ErrNoKeys):
		return a, &Refusal{http.StatusServiceUnavailable, err}
	case errors.Is(err, ErrRefused):
		return a, &Refusal{http.StatusForbidden, err}
	case req.Context().Err() != nil:
		return a, &Refusal{http.StatusServiceUnavailable, err}
	}
	return a, &Refusal{http.StatusBadRequest, err}
}

// admit refuses what is signed and yet not to be worked with.
func (c *Connector) admit(ctx context.Context, a *Activity) error {
	if _, err := serviceURL(a.ServiceURL, c.loopback); err != nil {
		return &Refusal{http.StatusForbidden, err}
	}
	for what, id := range map[string]string{"conversation": a.Conversation.ID, "sender": a.From.ID, "activity": a.ID} {
		if len(id) > maxID || what != "activity" && id == "" {
			return &Refusal{http.StatusBadRequest, fmt.Errorf("the id of the %s has %d bytes", what, len(id))}
		}
	}
	for _, tenant := range []string{a.Tenant, a.SenderTenant} {
		ok, err := c.admits(ctx, tenant)
		if err != nil {
			return &Refusal{http.StatusServiceUnavailable, fmt.Errorf("look up the tenant %.60q: %w", tenant, err)}
		}
		if !ok || tenant == "" {
			return &Refusal{http.StatusForbidden, fmt.Errorf("%w: the tenant %.60q is not let in", ErrRefused, tenant)}
		}
	}
	return nil
}

// adapter makes the library's adapter for one call. It is never made by core.NewBotAdapter.
func (c *Connector) adapter(call *call) *core.BotFrameworkAdapter {
	a := &core.BotFrameworkAdapter{
		AdapterSetting: core.AdapterSetting{AppID: c.appID, CredentialProvider: credentials(c.appID), ChannelService: auth.ChannelService},
		TokenValidator: c.validator,
	}
	if call != nil {
		a.Client = call
	}
	return a
}

// credentials tells the library who we are; it is never told the secret.
type credentials string

func (c credentials) IsValidAppID(id string) bool    { return id == string(c) }
func (c credentials) GetAppID() string               { return string(c) }
func (c credentials) GetAppPassword() string         { return "" }
func (c credentials) IsAuthenticationDisabled() bool { return false }

// Said returns the text without the mentions of the bot, wherever they stand, and without the
// markup that Teams puts around others.
func (a *Activity) Said() string {
	text := a.Text
	for _, m := range a.Mentions {
		if m.ID == a.Recipient.ID && m.Text != "" {
			text = strings.ReplaceAll(text, m.Text, " ")
		}
	}
	text = mentionTag.ReplaceAllString(text, "$1")
	text = breakTag.ReplaceAllString(text, "\n")
	text = anyTag.ReplaceAllString(text, "")
	text = strings.ReplaceAll(html.UnescapeString(text), "\u00a0", " ")
	return strings.TrimSpace(text)
}

var (
	mentionTag = regexp.MustCompile(`(?is)<at[^>]*>(.*?)</at>`)
	breakTag   = regexp.MustCompile(`(?i)<(?:br|/p|/div)\s*/?>`)
	// anyTag is markup, and no address in angle brackets.
	anyTag = regexp.MustCompile(`(?i)</?(?:p|div|span|b|i|strong|em|a|u|ul|ol|li|blockquote|attachment)(?:\s[^>]*)?/?>`)
)

// Mentioned reports whether the bot is named.
func (a *Activity) Mentioned() bool {
	for _, m := range a.Mentions {
		if m.ID == a.Recipient.ID {
			return true
		}
	}
	return false
}

// outgoing is the JSON of an activity without what the library writes for fields that are not
// set: times of the year 1 and empty objects. What stands inside attachments is left as it is.
func outgoing(a schema.Activity) ([]byte, error) {
	b, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return nil, err
	}
	for name, v := range members {
		switch string(v) {
		case `"0001-01-01T00:00:00Z"`, "{}", "null", `""`:
			delete(members, name)
		}
	}
	// A reference that holds nothing but empty objects.
	for _, name := range []string{"relatesTo", "semanticAction", "suggestedActions"} {
		if hollow(members[name]) {
			delete(members, name)
		}
	}
	return json.Marshal(members)
}

// hollow reports whether JSON is an object with nothing in it at any depth.
func hollow(b json.RawMessage) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(b, &members) != nil {
		return false
	}
	for _, v := range members {
		if string(v) != "null" && string(v) != `""` && !hollow(v) {
			return false
		}
	}
	return true
}
