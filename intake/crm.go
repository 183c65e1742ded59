package intake

import (
	"context"
	"time"
)

// CRM is a system of record. All calls honour the context and are safe for concurrent use.
// An error marked Permanent is not retried; RetryAfter says when; all others are retried
// by the schedule of the queue.
type CRM interface {
	// Name is unique among the configured CRMs and stable: it is part of stored keys.
	Name() string
	// Lookup tells what the CRM knows of the company: open deals, customers. A connector
	// that cannot look up returns nothing. Called by the check, within a few seconds.
	Lookup(ctx context.Context, lead Lead) ([]Match, error)
	// Push is an upsert by case number: repeated, in part or in whole, it leaves one record.
	Push(ctx context.Context, r Record) (Ref, error)
	// Note adds an event to the record's timeline, once for each Event.N.
	Note(ctx context.Context, ref Ref, e Event) error
	// Changes returns what people did there since cursor, our own pushes included, and the
	// next cursor. An empty cursor starts now. A connector without a feed returns nothing.
	Changes(ctx context.Context, cursor string) ([]Change, string, error)
}

// Scheduled is implemented by a CRM whose retries follow a schedule of its own.
type Scheduled interface {
	// RetryDelay returns how long to wait after the attempt (1, 2, …) failed.
	RetryDelay(attempt int) time.Duration
}

// Record is what a CRM is told about a case.
type Record struct {
	Registration Registration
	Partner      Partner
}

// Match is something that a CRM knows about a company.
type Match struct {
	CRM  string    `json:"crm"`
	Kind MatchKind `json:"kind"`
	Ref  Ref       `json:"ref"`
	// Case is the case number that the record carries, if any.
	Case string `json:"case,omitempty"`
	// Partner is the id of the partner whom the record names, if any.
	Partner  string    `json:"partner,omitempty"`
	Activity time.Time `json:"activity,omitzero"`
}

// MatchKind says what a Match is.
type MatchKind string

// The kinds of matches.
const (
	MatchOpenDeal MatchKind = "open_deal"
	MatchCustomer MatchKind = "customer"
	MatchAccount  MatchKind = "account"
)

// MatchKinds is the full set.
func MatchKinds() []MatchKind { return []MatchKind{MatchOpenDeal, MatchCustomer, MatchAccount} }

// Change is something that happened to a record in the CRM.
type Change struct {
	Case string    `json:"case"`
	At   time.Time `json:"at"`
	// Fields holds the new values of what changed, by the connector's published names:
	// status, owner, stage, amount, close_date, next_step.
	Fields map[string]string `json:"fields"`
	// Own says that the change is the echo of a push of ours.
	Own bool `json:"own,omitempty"`
}
