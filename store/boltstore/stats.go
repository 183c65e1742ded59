package boltstore

import (
	"os"
	"time"
)

// Stats is what the metrics tell of a store. Counts are since it was opened.
type Stats struct {
	Size      int64   // of the file, in bytes
	FreeRatio float64 // share of the file's pages that hold nothing
	Commits   uint64
	Updates   uint64 // fns that were run; Updates/Commits is the size of a group
	Views     uint64
	// LongestView is how long a View took at most.
	LongestView time.Duration
	// Failed is why the store can no longer write, Damaged what the check that Open left
	// running found; nil if all is well.
	Failed, Damaged error
}

// Stats returns the figures of this moment, zeroes once the store is closed.
func (s *Store) Stats() Stats {
	if s.enter() != nil {
		return Stats{}
	}
	defer s.views.Done()
	st := Stats{
		Commits:     s.commits.Load(),
		Updates:     s.updates.Load(),
		Views:       s.viewsCount.Load(),
		LongestView: time.Duration(s.longest.Load()),
		Failed:      s.failure(),
	}
	if d := s.damage.Load(); d != nil {
		st.Damaged = *d
	}
	if info, err := os.Stat(s.o.Path); err == nil && info.Size() > 0 {
		st.Size = info.Size()
		b := s.db.Stats()
		pages := st.Size / int64(s.db.Info().PageSize)
		st.FreeRatio = float64(b.FreePageN+b.PendingPageN) / float64(pages)
	}
	return st
}
