package pages

import (
	"net/netip"
	"sync"
	"time"
)

// A visitor may load so many pages at once, and one more every so often.
const (
	limitBurst = 30
	limitEvery = time.Second
)

const (
	// limitVisitors is how many visitors are remembered at least, and half of how many at most.
	limitVisitors = 8192
)

// Limiter is a token bucket for each visitor. Whoever was not seen for long is forgotten, so
// that its size is bounded whoever comes: the visitors of before are dropped as soon as there
// are limitVisitors newer ones.
type Limiter struct {
	now           func() time.Time
	burst         int
	every         time.Duration
	mu            sync.Mutex
	recent, older map[netip.Prefix]bucket
}

// bucket is when it is full again: the later, the fewer tokens are left.
type bucket struct{ full time.Time }

// NewLimiter returns a limiter that lets a visitor do burst things at once, and one more every so
// often.
func NewLimiter(now func() time.Time, burst int, every time.Duration) *Limiter {
	return &Limiter{now: now, burst: burst, every: every, recent: make(map[netip.Prefix]bucket)}
}

// Take takes a token of a visitor and returns 0, or how long to wait for the next.
func (l *Limiter) Take(address string) time.Duration {
	who := visitor(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.recent[who]
	if !ok {
		b = l.older[who]
		if len(l.recent) >= limitVisitors {
			l.recent, l.older = make(map[netip.Prefix]bucket), l.recent
		}
	}
	now := l.now()
	if b.full.Before(now) {
		b.full = now
	}
	wait := b.full.Add(l.every).Sub(now) - time.Duration(l.burst)*l.every
	if wait <= 0 {
		b.full, wait = b.full.Add(l.every), 0
	}
	l.recent[who] = b
	return wait
}

// visitor is an address, or for IPv6 the network that one customer gets. All that is no
// address is one visitor.
func visitor(address string) netip.Prefix {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
