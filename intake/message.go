package intake

import (
	"context"
	"encoding/json"
	"time"
)

// MessageKind says what a partner is told.
type MessageKind string

// The kinds of messages to partners.
const (
	MessageReceived   MessageKind = "received"   // in review, with what was understood
	MessageNeedsInfo  MessageKind = "needs_info" // what is missing or was asked
	MessageApproved   MessageKind = "approved"
	MessageDeclined   MessageKind = "declined"
	MessageWaitlisted MessageKind = "waitlisted"
	MessageKnown      MessageKind = "known"     // we have it already: the case and its state
	MessageStatus     MessageKind = "status"    // the state, for who asked for it
	MessageChanged    MessageKind = "changed"   // a correction was applied: the new values
	MessageRequested  MessageKind = "requested" // what staff were asked for, and what holds meanwhile
	MessageExtended   MessageKind = "extended"  // the hold ends later than it was told
	MessageExpired    MessageKind = "expired"
	MessageClosed     MessageKind = "closed" // what was asked for did not come in time
	MessageWithdrawn  MessageKind = "withdrawn"
	MessageSummary    MessageKind = "summary" // several cases in one message
	MessageNotice     MessageKind = "notice"  // about mail that is no registration
	MessageHelp       MessageKind = "help"    // what can be written to us
	MessageConfirm    MessageKind = "confirm" // whether a mail really came from there
)

// MessageKinds is the full set.
func MessageKinds() []MessageKind {
	return []MessageKind{
		MessageReceived, MessageNeedsInfo, MessageApproved, MessageDeclined,
		MessageWaitlisted, MessageKnown, MessageStatus, MessageChanged, MessageRequested, MessageExtended, MessageExpired, MessageClosed,
		MessageWithdrawn, MessageSummary, MessageNotice, MessageHelp, MessageConfirm,
	}
}

// Message is an answer to a partner. It holds nothing that is not the partner's own.
type Message struct {
	// ID is the same in every attempt and unique for each message of a case: "<case>.<n>".
	ID   string      `json:"id"`
	Kind MessageKind `json:"kind"`
	To   Route       `json:"to"`
	// Facts are about the case; in a message about none or several, only about the programme.
	Facts Facts `json:"facts"`
	// Cases are what a summary tells of, Faults the rows that came to no case.
	Cases  []Facts    `json:"cases,omitempty"`
	Faults []RowFault `json:"faults,omitempty"`
	// Request is what was asked for, Changed the fields that have new values now.
	Request Verb    `json:"request,omitempty"`
	Changed []Field `json:"changed,omitempty"`
	// Notice says what was wrong with the mail that a notice is about.
	Notice Notice `json:"notice,omitempty"`
	// Unprompted says that nothing the partner just sent is being answered: a timer or a
	// person caused the message.
	Unprompted bool `json:"unprompted,omitempty"`
	// At is when the message came to be; a mail is dated so.
	At time.Time `json:"at"`
}

// Facts is all that a message may say. Adding a field here is a decision about disclosure.
type Facts struct {
	Case    string `json:"case"`
	Program string `json:"program"` // the vendor's name
	// Company is the prospect as this partner typed it.
	Company string      `json:"company,omitempty"`
	Status  Status      `json:"status"`
	Reason  Reason      `json:"reason,omitempty"`
	Fields  []FieldFact `json:"fields,omitempty"`
	Missing []Problem   `json:"missing,omitempty"`
	// Question is in the vendor's own words.
	Question string `json:"question,omitempty"`
	// Note is a person's words to the partner on a decision.
	Note string `json:"note,omitempty"`
	// Due is when the vendor decides or the partner has to act, by Status.
	Due      time.Time `json:"due,omitzero"`
	Zone     string    `json:"zone"`           // IANA name, for showing times
	Until    time.Time `json:"until,omitzero"` // end of protection
	Received time.Time `json:"received"`
	Contact  Contact   `json:"contact"`
	Locale   string    `json:"locale,omitempty"`
}

// FieldFact is a field as it was understood, and the words that it was read from.
type FieldFact struct {
	Field Field  `json:"field"`
	Value string `json:"value"`
	Words string `json:"words,omitempty"`
}

// Replier delivers messages through one channel.
type Replier interface {
	// Reply delivers m and returns the thread to use from now on. It may be called again
	// with the same m after an error or a crash, and then produces the identical message.
	Reply(ctx context.Context, m Message) (json.RawMessage, error)
}
