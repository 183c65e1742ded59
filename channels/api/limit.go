package api

import (
	"net/netip"
	"sync"
	"time"
)

// limitVisitors is how many are remembered at least, and half of how many at most.
const limitVisitors = 8192

// limiter is a token bucket for each name, in memory. Whoever was not seen for long is
// forgotten, so that its size is bounded whoever comes.
type limiter struct {
	now   func() time.Time
	burst time.Duration
	every time.Duration

	mu            sync.Mutex
	recent, older map[string]time.Time // when the bucket is full again
}

func newLimiter(now func() time.Time, burst int, every time.Duration) *limiter {
	return &limiter{now: now, burst: time.Duration(burst) * every, every: every, recent: make(map[string]time.Time)}
}

// take takes a token and returns 0, or how long to wait for the next.
func (l *limiter) take(who string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	full, ok := l.recent[who]
	if !ok {
		full = l.older[who]
		if len(l.recent) >= limitVisitors {
			l.recent, l.older = make(map[string]time.Time), l.recent
		}
	}
	now := l.now()
	if full.Before(now) {
		full = now
	}
	wait := full.Add(l.every).Sub(now) - l.burst
	if wait <= 0 {
		full, wait = full.Add(l.every), 0
	}
	l.recent[who] = full
	return wait
}

// visitor names where somebody comes from: an address, or for IPv6 the network that one customer
// gets. All that is no address is one visitor.
func visitor(address string) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}
