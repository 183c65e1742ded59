//go:build !unix

// Package cputime is for tests that bound what a piece of work costs.
package cputime

import "time"

var began = time.Now()

// Used is the time that went by, for want of better.
func Used() time.Duration { return time.Since(began) }
