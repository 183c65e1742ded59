package webhook

import (
	"math/rand/v2"
	"time"
)

// schedule is the one that Standard Webhooks recommends, without the immediate first
// attempt: ten attempts in three days.
var schedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// RetryDelay returns the wait after the given failed attempt, spread by a fifth either way
// so that an endpoint that comes back is not met by all cases at once. Attempts beyond the
// table go on once a day; whether there are any is the queue's matter.
func (w *Webhook) RetryDelay(attempt int) time.Duration {
	d := schedule[min(max(attempt, 1), len(schedule))-1]
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}
