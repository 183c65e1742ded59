package intake

import (
	"context"
	"errors"
)

// Errors that callers branch on.
var (
	// ErrNotFound: no such record.
	ErrNotFound = errors.New("not found")
	// ErrStale: the record changed since it was read, or a lease was lost.
	ErrStale = errors.New("changed in the meantime")
	// ErrFull: the store can take no more; nothing was written.
	ErrFull = errors.New("the store is full")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("the store is closed")
)

// Store is the only state there is. Update runs fn in one serializable transaction and may
// run it again after a conflict: fn has no effect but through Tx, keeps nothing of an
// earlier run, and waits for no network. It returns nil only once all that fn wrote is
// durable; after any other result nothing of it is visible, except that a cancelled context
// leaves the outcome unknown. An error of fn is returned as it is.
//
// View runs fn over one consistent snapshot; every write in it is an error. Both must be
// short: lists are paged. Values passed in and out are copies. Times are UTC, to the
// microsecond.
type Store interface {
	Update(ctx context.Context, fn func(Tx) error) error
	View(ctx context.Context, fn func(Tx) error) error
	Close() error
}

// Tx is what a transaction can do. It is used by one goroutine, and only until fn returns.
type Tx interface {
	Cases
	Journal
	Tasks
	Records
}

// Cases holds the registrations.
type Cases interface {
	// Case returns a registration by number; ErrNotFound.
	Case(number string) (Registration, error)
	// PutCase stores r. r.Revision must be that of the stored one plus one, 1 if there is
	// none; else ErrStale. Number and Seq of a stored case never change.
	PutCase(r Registration) error
	// CasesByKey returns up to limit registrations whose IndexKeys hold key, by (Claim, Seq).
	CasesByKey(key string, limit int) ([]Registration, error)
	// ListCases returns up to q.Limit cases by descending Seq, those with Seq < q.Before
	// if that is not 0.
	ListCases(q CaseQuery) ([]Registration, error)
	// Next returns 1, 2, 3 … for a series name. A rolled-back number is given again.
	Next(series string) (uint64, error)
}

// CaseQuery selects cases for lists. Empty fields select all.
type CaseQuery struct {
	Status  Status
	Partner string
	Before  uint64
	Limit   int
}

// Journal holds the events of cases.
type Journal interface {
	// AppendEvent stores e. e.N must be that of the case's last event plus one; else ErrStale.
	AppendEvent(e Event) error
	// Events returns all events of a case, by N.
	Events(caseNumber string) ([]Event, error)
}

// Records holds small values of any kind, each space private to the code that names it.
type Records interface {
	// Record returns a value; ErrNotFound.
	Record(space, key string) ([]byte, error)
	PutRecord(space, key string, value []byte) error
	// DeleteRecord removes a value; a missing one is no error.
	DeleteRecord(space, key string) error
	// ScanRecords returns up to limit entries whose key has the prefix and is greater than
	// after, by key in byte order.
	ScanRecords(space, prefix, after string, limit int) ([]Entry, error)
}

// Entry is a key and its value.
type Entry struct {
	Key   string
	Value []byte
}
