//go:build race

package mailbox

// slowdown is how much slower the race detector may make the code.
const slowdown = 25
