//go:build !race

package mailparse

// slowdown is that of the race detector, which is off.
const slowdown = 1
