//go:build race

package extract

// slowdown is how much slower the race detector may make the code.
const slowdown = 25
