package intake

import (
	"errors"
	"fmt"
	"slices"
)

// EntryFault is one thing wrong with an entry of a list that was given to be stored.
type EntryFault struct {
	// Entry is the entry's place in the list, counted from 0.
	Entry int `json:"entry"`
	// Field is where in the entry, as in contacts[0].email.
	Field string `json:"field"`
	// Problem says what is wrong and what mends it.
	Problem string `json:"problem"`
}

func (f *EntryFault) Error() string { return f.Field + ": " + f.Problem }

// entryFaults collects what is wrong with one entry.
type entryFaults []error

func (f *entryFaults) add(field, format string, a ...any) {
	*f = append(*f, &EntryFault{Field: field, Problem: fmt.Sprintf(format, a...)})
}

// faultsOf places the faults of one entry in the list.
func faultsOf(entry int, wrong []error) []EntryFault {
	var placed []EntryFault
	for _, err := range wrong {
		f := EntryFault{Problem: err.Error()}
		var known *EntryFault
		if errors.As(err, &known) {
			f = *known
		}
		f.Entry = entry
		placed = append(placed, f)
	}
	return placed
}

// sortedFaults are faults by entry.
func sortedFaults(faults []EntryFault) []EntryFault {
	slices.SortStableFunc(faults, func(a, b EntryFault) int { return a.Entry - b.Entry })
	return faults
}
