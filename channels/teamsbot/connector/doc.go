// Package connector speaks with the Bot Connector service of Microsoft Teams: it authenticates what
// comes from there, and sends what goes there.
//
// It stands on msbotbuilder-go, of which it takes the schema and the adapter alone. That library's
// own validator and client ask for the keys of Microsoft with every request, keep them for days,
// race, let everybody in without an app id and send the bot's token wherever an activity says. So
// each call here has an adapter of its own with our validator and a client of ours, and invokes,
// which are answered in the response itself, never go through the library.
//
// # What is let in
//
// The rules are those of
// https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication:
// the scheme Bearer, a signature by RS256 with a key that Microsoft publishes for the channel,
// issuer, audience, an end (with 5 minutes for clocks that differ), and the service URL that the
// activity names. Beyond that the tenant has to be one of the list, if there is one, and the host
// of the service URL one of Microsoft's. There is no mode without it.
//
// # What is sent
//
// Nothing goes to a host that is not on the list, whatever was stored; redirects are not followed.
// An answer that says to come back is an error that intake.RetryAfter marks; one that says that the
// bot is not there any more is ErrGone.
package connector
