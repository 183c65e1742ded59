//go:build unix

// Package cputime is for tests that bound what a piece of work costs.
package cputime

import (
	"syscall"
	"time"
)

// Used is what this process has used of the processors; others that are busy do not count.
func Used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
