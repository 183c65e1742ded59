//go:build !race

package intake_test

// raceDetector says that the race detector is on.
const raceDetector = false
