package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// EventKind says what happened to a case.
type EventKind string

// The kinds of events.
const (
	EventAccepted    EventKind = "accepted"    // a submission opened the case
	EventJoined      EventKind = "joined"      // a further submission was added
	EventMoved       EventKind = "moved"       // the status changed
	EventJudged      EventKind = "judged"      // judged again, status unchanged
	EventAmended     EventKind = "amended"     // staff changed what the case says
	EventPushed      EventKind = "pushed"      // a CRM has the record
	EventNotified    EventKind = "notified"    // the partner was answered
	EventUndelivered EventKind = "undelivered" // an answer or a push was given up
	EventReported    EventKind = "reported"    // a mail server reported on an answer
	EventRequested   EventKind = "requested"   // the partner asked for something that staff decide
	EventMeeting     EventKind = "meeting"     // an invitation to a meeting came in
	EventExtended    EventKind = "extended"    // staff moved the end of the hold
	EventSeen        EventKind = "seen"        // staff have read what was unread
	EventRang        EventKind = "rang"        // the time for a reminder or an alarm came
	EventProgress    EventKind = "progress"    // an introduction or a meeting was proven
	EventDisputed    EventKind = "disputed"    // the case became part of a dispute, or left one
	EventRefused     EventKind = "refused"     // staff refused what the partner asked for
	EventProposed    EventKind = "proposed"    // one of two persons decided
	EventElevated    EventKind = "elevated"    // a deal came of the lead
	EventActivity    EventKind = "activity"    // something happened to the deal in the CRM
	EventDeal        EventKind = "deal"        // sales changed the deal in the CRM: which of its fields
	EventGone        EventKind = "gone"        // the record in a CRM was deleted, or is to be made again
	EventUnlinked    EventKind = "unlinked"    // the links to the status page were revoked
	EventAttributed  EventKind = "attributed"  // staff said who gets which part of the credit
	EventHeld        EventKind = "held"        // an answer was held back; it comes with others in a summary
)

// EventKinds is the full set.
func EventKinds() []EventKind {
	return []EventKind{
		EventAccepted, EventJoined, EventMoved, EventJudged, EventAmended,
		EventPushed, EventNotified, EventUndelivered, EventReported, EventRequested, EventExtended, EventMeeting, EventSeen,
		EventRang, EventProgress, EventDisputed, EventRefused, EventProposed, EventElevated, EventActivity, EventDeal, EventGone,
		EventAttributed, EventUnlinked, EventHeld,
	}
}

// Event is one entry of a case's history. Events are only ever appended. They hold ids,
// codes and field names, and no personal data: the words of people stand in submissions.
type Event struct {
	Case string    `json:"case"`
	N    int       `json:"n"` // 1, 2, 3 … without gaps
	At   time.Time `json:"at"`
	Kind EventKind `json:"kind"`
	// Actor is who did it: "partner:<id>", "staff:<name>", "policy", "timer", "crm:<name>",
	// "channel:<name>".
	Actor   string  `json:"actor"`
	From    Status  `json:"from,omitempty"`
	To      Status  `json:"to,omitempty"`
	Trigger Trigger `json:"trigger,omitempty"`
	Reason  Reason  `json:"reason,omitempty"`
	Policy  string  `json:"policy,omitempty"`
	// Submission is the number of the submission concerned, counted from 1.
	Submission int       `json:"submission,omitempty"`
	Fields     []Field   `json:"fields,omitempty"`
	Findings   []Finding `json:"findings,omitempty"`
	Note       string    `json:"note,omitempty"`
	// Bind is the hash of the case as the event left it, Kept those of the submissions and
	// judgements that were stored with the event, by space and number; see binding.go.
	Bind string            `json:"bind,omitempty"`
	Kept map[string]string `json:"kept,omitempty"`
	// Prev is the hash of event N-1 ("" for the first), Hash that of this one.
	Prev string `json:"prev,omitempty"`
	Hash string `json:"hash,omitempty"`
}

// stirs reports whether the event is somebody's doing about the deal, not the gateway's own.
func (e Event) stirs() bool {
	switch e.Kind {
	case EventAccepted, EventJoined, EventAmended, EventRequested, EventMeeting, EventExtended, EventProgress, EventDeal:
		return true
	case EventMoved:
		who, _, _ := strings.Cut(e.Actor, ":")
		return who == "partner" || who == "staff" || who == "crm"
	}
	return false
}

// Seal sets Prev and Hash: hex SHA-256 over prev and the event's JSON without its hash.
func (e *Event) Seal(prev string) {
	e.Prev, e.Hash = prev, ""
	e.Hash = e.digest()
}

func (e Event) digest() string {
	e.Hash = ""
	e.At = e.At.UTC()
	b, err := json.Marshal(e)
	if err != nil { // all fields are plain data
		panic(fmt.Sprintf("event of case %s does not encode: %v", e.Case, err))
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// ChainError says where a history breaks.
type ChainError struct {
	Case string
	// Event is the number of the event that is wrong, or the last if the end is.
	Event   int
	Problem string
}

func (e *ChainError) Error() string { return "case " + e.Case + ": " + e.Problem }

// VerifyChain checks that events are the whole history of r: numbered without a gap, each
// hash right, each following from the one before, the last the one that r names. The error
// is a *ChainError.
func VerifyChain(r Registration, events []Event) error {
	broken := func(n int, format string, args ...any) error {
		return &ChainError{Case: r.Number, Event: n, Problem: fmt.Sprintf(format, args...)}
	}
	prev := ""
	for i, e := range events {
		switch {
		case e.Case != r.Number:
			return broken(i+1, "event %d belongs to case %s", i+1, e.Case)
		case e.N != i+1:
			return broken(i+1, "event %d is numbered %d", i+1, e.N)
		case e.Prev != prev:
			return broken(e.N, "event %d does not follow from event %d", e.N, i)
		case e.Hash != e.digest():
			return broken(e.N, "event %d was changed", e.N)
		}
		prev = e.Hash
	}
	if len(events) != r.Events || prev != r.Head {
		return broken(len(events), "history ends at event %d, the case names event %d", len(events), r.Events)
	}
	return nil
}
