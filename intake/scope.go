package intake

import (
	"slices"
	"strings"
)

// ScopesOverlap reports whether two claims are to the same part of an account. Scopes are
// entries joined by ListSeparator; the empty one is the whole account, and in the way of every
// other.
func ScopesOverlap(a, b string) bool {
	if a == "" || b == "" {
		return true
	}
	others := strings.Split(b, ListSeparator)
	return slices.ContainsFunc(strings.Split(a, ListSeparator), func(s string) bool { return slices.Contains(others, s) })
}
