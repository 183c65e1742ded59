package channeltest

import (
	"slices"
	"testing"
	"time"
)

// slowest is what a channel may add to what its peer takes, for 19 of 20 registrations.
const slowest = 300 * time.Millisecond

// Word is the n-th name that no other looks like.
func Word(n int) string {
	s := ""
	for ; n > 0 || s == ""; n /= 26 {
		s += string(rune('a' + n%26))
	}
	return s
}

// Latencies prints, in milliseconds, how long forms took to open, and all took from the wish to
// register to the card of the case. It fails where that is too long for more than one of 20.
func Latencies(b *testing.B, forms, all []time.Duration) {
	slices.Sort(forms)
	slices.Sort(all)
	at := func(took []time.Duration, q float64) time.Duration { return took[int(q*float64(len(took)-1))] }
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(at(forms, 0.95)), "form-p95-ms")
	b.ReportMetric(ms(at(all, 0.5)), "p50-ms")
	b.ReportMetric(ms(at(all, 0.95)), "p95-ms")
	b.ReportMetric(0, "ns/op")
	if p95 := at(all, 0.95); p95 > slowest {
		b.Errorf("%v for 19 of 20, want %v or less", p95, slowest)
	}
}
