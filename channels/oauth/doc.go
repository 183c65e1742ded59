// Package oauth gets access tokens for channels, and shows them to mail servers.
//
// A Source keeps one token and renews it when 80 % of its life is over, or at once when a
// server refused it. Tokens come from a token endpoint (RFC 6749), with a refresh token or
// with the client's own credentials, or from a command that prints one. Mechanism says how
// a token is shown: XOAUTH2 where the server offers it, else OAUTHBEARER (RFC 7628).
//
// The package writes no log, and no error of it holds a token or a secret.
package oauth
