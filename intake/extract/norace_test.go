//go:build !race

package extract

// slowdown leaves room for a busy machine.
const slowdown = 2
