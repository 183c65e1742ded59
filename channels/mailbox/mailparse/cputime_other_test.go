//go:build !unix

package mailparse

import "time"

var began = time.Now()

// cpuTime is the time that went by, for want of better.
func cpuTime() time.Duration { return time.Since(began) }
