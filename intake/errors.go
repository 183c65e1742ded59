package intake

import (
	"errors"
	"time"
)

// Permanent marks err as one that no retry will heal: the task is parked for staff.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

// IsPermanent reports whether err or what it wraps was marked by Permanent.
func IsPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// OwnFault marks err as Permanent, and as one that whoever was written to has no part in: the
// same would happen with any other address.
func OwnFault(err error) error {
	if err == nil {
		return nil
	}
	return Permanent(&ownFault{err})
}

// isOwnFault reports whether err or what it wraps was marked by OwnFault.
func isOwnFault(err error) bool {
	var o *ownFault
	return errors.As(err, &o)
}

type ownFault struct{ err error }

func (e *ownFault) Error() string { return e.err.Error() }
func (e *ownFault) Unwrap() error { return e.err }

// Unauthorized marks err as a refusal of ourselves, whatever the case: a key that is not valid any
// more, a right that is missing. All work with the CRM waits, and is kept, until it lets us in.
func Unauthorized(err error) error {
	if err == nil {
		return nil
	}
	return &unauthorizedError{err}
}

// IsUnauthorized reports whether err or what it wraps was marked by Unauthorized.
func IsUnauthorized(err error) bool {
	var u *unauthorizedError
	return errors.As(err, &u)
}

type unauthorizedError struct{ err error }

func (e *unauthorizedError) Error() string { return e.err.Error() }
func (e *unauthorizedError) Unwrap() error { return e.err }

// Conflicting marks err as Permanent, and as one that comes of what is in the CRM already: a
// person has to say which of two records is right.
func Conflicting(err error) error {
	if err == nil {
		return nil
	}
	return Permanent(&conflictError{err})
}

// IsConflicting reports whether err or what it wraps was marked by Conflicting.
func IsConflicting(err error) bool {
	var c *conflictError
	return errors.As(err, &c)
}

type conflictError struct{ err error }

func (e *conflictError) Error() string { return e.err.Error() }
func (e *conflictError) Unwrap() error { return e.err }

// Gone marks err as one of a record that a Ref names and that people have deleted, or made one with
// another. Nothing more is written of the case until staff say so.
func Gone(err error) error {
	if err == nil {
		return nil
	}
	return &goneError{err}
}

// IsGone reports whether err or what it wraps was marked by Gone.
func IsGone(err error) bool {
	var g *goneError
	return errors.As(err, &g)
}

type goneError struct{ err error }

func (e *goneError) Error() string { return e.err.Error() }
func (e *goneError) Unwrap() error { return e.err }

// RetryAfter marks err as one that is to be retried after d at the earliest.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retryError{after: d, err: err}
}

// RetryDelay returns the delay that RetryAfter gave to err or to what it wraps.
func RetryDelay(err error) (time.Duration, bool) {
	var r *retryError
	if errors.As(err, &r) {
		return r.after, true
	}
	return 0, false
}

type retryError struct {
	after time.Duration
	err   error
}

func (e *retryError) Error() string { return e.err.Error() }
func (e *retryError) Unwrap() error { return e.err }
