package crmtest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"leadgate/intake"
)

// known is what a feed has told, by case and by field.
type known map[string]map[string]string

// take takes changes in, in their order, and returns in words what was new in them.
func (k known) take(changes []intake.Change) (news []string) {
	for _, c := range changes {
		if c.Own || c.Deal != nil {
			continue
		}
		if k[c.Case] == nil {
			k[c.Case] = make(map[string]string)
		}
		for _, f := range slices.Sorted(maps.Keys(c.Fields)) {
			if was, there := k[c.Case][f]; !there && c.Fields[f] != "" || was != c.Fields[f] {
				news = append(news, fmt.Sprintf("%s of %s is %q", f, c.Case, c.Fields[f]))
			}
			k[c.Case][f] = c.Fields[f]
		}
	}
	return news
}

// maxReads is how often a feed is read until it has no more to tell.
const maxReads = 20

// drain reads the feed to its end, and reports one that is out of order.
func drain(r Reporter, s System, cursor string) (all []intake.Change, next string) {
	r.Helper()
	for range maxReads {
		changes, next, err := s.CRM.Changes(context.Background(), cursor)
		if err != nil {
			r.Fatalf("the feed from %q: %v", cursor, err)
		}
		for i, c := range changes {
			if c.At.IsZero() || i > 0 && c.At.Before(changes[i-1].At) {
				r.Errorf("the feed tells of %v after it told of %v", c.At, changes[max(i-1, 0)].At)
			}
		}
		all = append(all, changes...)
		if len(changes) == 0 || next == cursor {
			return all, next
		}
		cursor = next
	}
	return all, cursor // one that tells again what it told has no end
}

// start returns the cursor from which on a feed tells what happens now.
func start(r Reporter, s System) string {
	r.Helper()
	changes, cursor, err := s.CRM.Changes(context.Background(), "")
	if err != nil || len(changes) > 0 {
		r.Fatalf("the feed from now on: %v, %v; want nothing yet", changes, err)
	}
	return cursor
}
