package connector

import (
	"github.com/infracloudio/msbotbuilder-go/schema"
)

// Reference is where a conversation goes on: what has to be known to write into it without
// having been asked. It is stored as JSON.
type Reference struct {
	ServiceURL   string `json:"service_url"`
	Tenant       string `json:"tenant"`
	Conversation string `json:"conversation"`
	// Kind is personal, groupChat or channel.
	Kind string `json:"kind,omitempty"`
	// Bot is our own id in the conversation, User who wrote.
	Bot  string `json:"bot"`
	User string `json:"user,omitempty"`
}

// Reference is the place where the activity came in.
func (a *Activity) Reference() Reference {
	return Reference{
		ServiceURL: a.ServiceURL, Tenant: a.Tenant, Conversation: a.Conversation.ID, Kind: a.Conversation.ConversationType,
		Bot: a.Recipient.ID, User: a.From.ID,
	}
}

// library is the reference as the library has it.
func (r Reference) library() schema.ConversationReference {
	return schema.ConversationReference{
		ServiceURL: r.ServiceURL, ChannelID: channelID,
		Conversation: schema.ConversationAccount{ID: r.Conversation, ConversationType: r.Kind, TenantID: r.Tenant},
		Bot:          schema.ChannelAccount{ID: r.Bot},
		User:         schema.ChannelAccount{ID: r.User},
	}
}
