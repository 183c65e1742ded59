//go:build race

package intake_test

// raceDetector says that the race detector is on, which makes the code many times slower.
const raceDetector = true
