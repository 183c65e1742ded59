package intake

import (
	"context"
	"net/http"
	"time"
)

// CRM is a system of record. All calls honour the context and are safe for concurrent use.
//
// What becomes of an error is said by its class: one marked Unauthorized pauses all work with
// the CRM until it lets us in again; one marked Permanent or Conflicting is not retried, and its
// words are for staff to act on ("property X is required"); RetryAfter says when; all others are
// retried by the schedule of the queue. No error holds a secret or repeats an answer's body as
// it came.
//
// What a CRM can do beyond is what else it implements: Scheduled, Verifier, Preparer, Comparer,
// Hinted.
type CRM interface {
	// Name is unique among the configured CRMs and stable: it is part of stored keys.
	Name() string
	// Lookup tells what the CRM knows of the company: open deals, customers. A connector
	// that cannot look up returns nothing. Called by the check, within a few seconds.
	Lookup(ctx context.Context, lead Lead) ([]Match, error)
	// Push is an upsert by case number of all that the CRM has of the case: repeated, in part or
	// in whole, by this process or another, it leaves one company, one contact and one record.
	// A company or contact that is there is adopted, and only what is empty there is filled.
	// What people changed there stays; the case's own fields (status, protection, partner) are
	// ours and are written. An older revision than the one there changes nothing. Where the record
	// that the case's Ref names is not there any more, nothing is made in its place: the error is
	// marked Gone, if the connector can tell.
	Push(ctx context.Context, r Record) (Ref, error)
	// Note adds an entry to the record's timeline, once for each Event.N.
	Note(ctx context.Context, ref Ref, n Note) error
	// Changes returns what people did there since cursor, in the order in which it happened, and
	// the next cursor. An empty cursor starts now. A connector without a feed returns nothing.
	// What it tells may be told again, and may be an echo of our own pushes: Apply takes in only
	// what is new. Called every half minute or so, by one process at a time.
	Changes(ctx context.Context, cursor string) ([]Change, string, error)
}

// Scheduled is implemented by a CRM whose retries follow a schedule of its own.
type Scheduled interface {
	// RetryDelay returns how long to wait after the attempt (1, 2, …) failed.
	RetryDelay(attempt int) time.Duration
}

// Verifier is implemented by a CRM that can say whether it is set up.
type Verifier interface {
	// Verify looks at the credentials, the rights and the schema that the mapping names, and
	// returns all that is missing; nothing if all is well. It writes nothing. The error says that
	// it could not look.
	Verify(ctx context.Context) ([]Lack, error)
}

// Lack is something that a CRM misses.
type Lack struct {
	// What is missing, as the CRM calls it: "deal property leadgate_case", "scope crm.objects.deals.write".
	What string `json:"what"`
	// Mend says what to do about it.
	Mend string `json:"mend"`
	// Setup says that Prepare makes it.
	Setup bool `json:"setup,omitempty"`
}

// Preparer is implemented by a CRM in which what we need can be made from here.
type Preparer interface {
	// Prepare makes what is missing, and returns what it made, in words; dry makes nothing and
	// returns what would be made. Repeated, it makes nothing twice.
	Prepare(ctx context.Context, dry bool) ([]string, error)
}

// Comparer is implemented by a CRM whose records can be held against ours.
type Comparer interface {
	// Compare returns where the CRM differs from what Push would leave there, in the order of
	// the records; nothing for those that are alike. It writes nothing. Called for one case by
	// people, and for all that are live every night, some hundred at a time.
	Compare(ctx context.Context, all []Record) ([]Difference, error)
}

// Difference is one between a CRM and a case.
type Difference struct {
	Case string `json:"case"`
	// Object is what of the case it is about, as the CRM calls it: "company", "deal"; ID its id
	// there, "" if it is not there.
	Object string `json:"object"`
	ID     string `json:"id,omitempty"`
	Field  string `json:"field,omitempty"`
	There  string `json:"there"`
	Ours   string `json:"ours"`
	// Stays says why a push leaves it as it is: "changed there by hand"; "" if a push mends it.
	Stays string `json:"stays,omitempty"`
}

// Hinted is implemented by a CRM that calls us when something happens there. A call is a hint
// and no more: what happened is read again.
type Hinted interface {
	// Hints checks who calls, and returns what to read again; none for a call that is of no
	// matter. url is the public one at which the CRM calls. An error says that the call is not
	// proven.
	Hints(url string, r *http.Request, body []byte) ([]string, error)
	// Reread returns what hints tell of as it is now.
	Reread(ctx context.Context, hints []string) ([]Change, error)
}

// HintAnswering is implemented by a Hinted CRM whose caller takes no bare 200 for an answer.
type HintAnswering interface {
	Hinted
	// HintAnswer is what to answer a call with, with status 200, once its hints are kept.
	HintAnswer() (mediaType string, body []byte)
}

// Record is what a CRM is told about a case.
type Record struct {
	Registration Registration
	Partner      Partner
	// Program is the vendor's name of the programme.
	Program string
}

// Note is an entry of a record's timeline.
type Note struct {
	Event Event
	// From, Subject and Text are who wrote what, if the event is that the partner wrote: plain
	// text, cleaned, up to 8 KiB. Text is empty otherwise.
	From, Subject, Text string
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
	// Case is the number of the case that the record carries; "" for a Deal of others.
	Case string    `json:"case"`
	At   time.Time `json:"at"`
	// Fields holds the new values of what may have changed, by the names of ChangeStatus and its
	// like. "" says that it is empty now; what is not there is not known.
	Fields map[string]string `json:"fields"`
	// Deal is a deal that carries no case number: somebody of direct sales made it. It tells by
	// Account which company it is of.
	Deal *Match `json:"deal,omitempty"`
	// Account is the company, as far as the CRM knows it: its domain and its name.
	Account Lead `json:"account,omitempty"`
	// Gone says that the record was deleted there, or made one with another.
	Gone bool `json:"gone,omitempty"`
	// Own says that the change is the echo of a push of ours, where the CRM tells so.
	Own bool `json:"own,omitempty"`
}
