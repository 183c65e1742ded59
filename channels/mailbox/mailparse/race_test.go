//go:build race

package mailparse

// slowdown is how much slower the race detector may make the code.
const slowdown = 10
