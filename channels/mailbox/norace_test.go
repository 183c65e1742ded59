//go:build !race

package mailbox

// slowdown is that of the race detector, which is off.
const slowdown = 1
