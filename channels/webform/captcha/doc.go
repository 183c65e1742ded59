// Package captcha is the gate of a public form against robots: eight ways to ask, behind one
// interface, and one rule for what becomes of a submission.
//
// A Provider judges one token. An error of it means that nobody could be asked, and never
// that the visitor is a robot: people must not pay for an outage or for a wrong key of ours.
// A Gate asks a provider and decides: the submission passes, has to be confirmed by mail, is
// refused, or the form is closed for now. It stops asking a provider that is down.
//
// What the caller does: ask last, after the fields are valid, because a token is good once;
// spend Decision.Spend in its store, if there is one, in the transaction that stores the
// submission; count outcomes by Options.Observe.
//
// The package asks the provider of the configuration and nobody else. It follows no redirect,
// and no token, secret or address of a visitor is in an error or a log line.
package captcha
