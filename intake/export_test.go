package intake

import (
	"context"
	"fmt"
)

// Work makes one attempt at each task that is due, one after the other and without a worker,
// until nothing is due or limit attempts were made. It returns how many that were.
func (g *Gateway) Work(ctx context.Context, limit int) (attempts int, err error) {
	for busy := true; busy && attempts < limit; {
		busy = false
		for _, l := range g.lanes() {
			tasks, _, err := g.claim(ctx, l, 1)
			if err != nil {
				return attempts, fmt.Errorf("claim in lane %s: %w", l.name, err)
			}
			for _, t := range tasks {
				g.attempt(ctx, l, t)
				attempts++
				busy = true
			}
		}
	}
	return attempts, nil
}

// Transitions is the one table, for tests that look at all of it.
func Transitions() map[Status]map[Status][]Trigger { return transitions }
