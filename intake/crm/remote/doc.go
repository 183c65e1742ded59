// Package remote is what connectors that speak HTTP share: a client that connects to no address
// that it should not, keeps to the rates that the other side allows, and sorts what goes wrong
// into the classes of package intake. No error of it repeats a secret, or an answer as it came.
package remote
