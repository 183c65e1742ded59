// Package crmtest is the conformance suite that every connector passes, and the unreliable
// server that it passes it against.
//
// A connector's test builds a System (the connector and the fake of its remote side) and
// calls Run. A fake is an ordinary http.Handler with a memory; NewServer puts it behind a
// Server that fails on demand: after the work was done, before it, or never answering.
//
// A System with People is one in which people work: it is also held to leaving alone what they
// did, to telling of it, and to making nothing twice when another process goes on after a crash.
//
// The checks report to a small interface and not to testing.T, so that the suite itself is
// tested: connectors that are broken on purpose must be reported.
package crmtest
