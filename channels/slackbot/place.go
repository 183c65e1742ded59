package slackbot

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"leadgate/intake"
)

// thread is what a route of this channel has: where a person is reached.
type thread struct {
	Enterprise string `json:"enterprise,omitempty"`
	Team       string `json:"team"` // of the installation
	User       string `json:"user"`
	Home       string `json:"home,omitempty"` // the workspace of the person
	// Channel is where the card is kept, "" for a direct message.
	Channel string `json:"channel,omitempty"`
	Partner string `json:"partner,omitempty"`
	// Reply takes an answer, until ReplyEnds.
	Reply     string    `json:"reply,omitempty"`
	ReplyEnds time.Time `json:"reply_ends,omitzero"`
	// Mail is the thread of the answers that went by mail.
	Mail json.RawMessage `json:"mail,omitempty"`
	// TS is the card of the case, for people who look at the store.
	TS string `json:"ts,omitempty"`
}

// named reads whom an address of this channel names, where a route has nothing else.
func (t *thread) named(address string) bool {
	at, found := strings.CutPrefix(address, addressPrefix)
	team, user, whole := strings.Cut(at, "/")
	if !found || !whole || team == "" || user == "" {
		return false
	}
	t.Team, t.User = team, user
	return true
}

// replyLife is for how long, and somewhat less, Slack takes answers after something was sent.
const replyLife = 29 * time.Minute

func (t thread) encode() json.RawMessage {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // texts, times and what was JSON
	}
	return text
}

// place is the card of a case.
type place struct {
	Team    string `json:"team"`
	Channel string `json:"channel"` // of a direct message too
	TS      string `json:"ts"`
	Direct  bool   `json:"direct,omitempty"`
	// Partner is whose case it was then. Who has it later gets a card of his own.
	Partner string `json:"partner,omitempty"`
	// Told are the messages that were told in its thread, by Message.ID: the newest.
	Told []told `json:"told,omitempty"`
	// Asked is what the case waits for, of the person who is User in the workspace Home.
	Asked []intake.Problem `json:"asked,omitempty"`
	User  string           `json:"user,omitempty"`
	Home  string           `json:"home,omitempty"`
}

// told is a message that was posted, so that it is not posted twice.
type told struct {
	ID string `json:"id"`
	TS string `json:"ts"`
}

const maxTold = 20

func placeName(number string) string { return "slack-card:" + number }

// threadName names a thread. A channel that is shared has one id on all sides, and the app may be on
// several of them.
func threadName(channel, ts string) string { return fmt.Sprintf("slack-thread:%s:%s", channel, ts) }

// caseOf is the case in whose thread something was written, "" for none.
func (b *Bot) caseOf(ctx context.Context, channel, ts string) (string, error) {
	if ts == "" {
		return "", nil
	}
	return recall[string](ctx, b.memory, threadName(channel, ts))
}

// anew is what is known of a case whose card is to be posted anew. told keeps what was told of it.
func (p place) anew(told bool) place {
	next := place{Asked: p.Asked, User: p.User, Home: p.Home}
	if told {
		next.Told = p.Told
	}
	return next
}

func (p place) told(id string) bool {
	return slices.ContainsFunc(p.Told, func(t told) bool { return t.ID == id })
}

func (p *place) tell(id, ts string) {
	if p.Told = append(p.Told, told{id, ts}); len(p.Told) > maxTold {
		p.Told = slices.Clone(p.Told[len(p.Told)-maxTold:])
	}
}
