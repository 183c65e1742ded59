package captcha

import (
	"sync"
	"time"
)

const (
	// breakAfter failures in a row, nobody is asked for breakFor. Then one may ask, and what
	// comes of that holds for all.
	breakAfter = 5
	breakFor   = 60 * time.Second
)

// breaker keeps visitors from waiting for a provider that is down.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex
	failures int       // in a row
	until    time.Time // nobody asks before; zero if all may
	round    int       // counts openings and closings
	probing  bool      // one asks for all
}

// turn is the right to ask once. Its holder has to end it.
type turn struct {
	round int
	probe bool
}

// result is what came of a turn.
type result int

const (
	answered result = iota
	failed
	unknown // the holder stopped waiting; says nothing of the provider
)

// change is what a turn did to the breaker.
type change int

const (
	changedNothing change = iota
	opened
	closed
)

// begin gives a turn, unless nobody may ask now.
func (b *breaker) begin() (turn, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return turn{round: b.round}, true
	}
	if b.probing || b.now().Before(b.until) {
		return turn{}, false
	}
	b.probing = true
	return turn{round: b.round, probe: true}, true
}

// end takes a turn back. What comes of one that began before the breaker last changed is old
// news and is dropped.
func (b *breaker) end(t turn, r result) change {
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.round != b.round {
		return changedNothing
	}
	if t.probe {
		b.probing = false
	}
	switch {
	case r == answered:
		b.failures = 0
		if t.probe {
			b.until = time.Time{}
			b.round++
			return closed
		}
	case r == failed && t.probe:
		b.until = b.now().Add(breakFor)
	case r == failed:
		if b.failures++; b.failures >= breakAfter {
			b.until = b.now().Add(breakFor)
			b.round++
			return opened
		}
	}
	return changedNothing
}
