// Package api takes registrations from partners' own programs: JSON over HTTP, under a key that
// proves the partner. It is for managed service providers and others who build registration
// into their own platform, so that nobody there has to write a mail.
//
// Set-up: `api: {enabled: true}` in the configuration, beside the pages, and for each program
// a key of its own, `leadgate partners keys create PARTNER --name NAME`. The key goes into
// Authorization: Bearer. openapi.yaml, which is served without a key, says everything else.
//
// What it owns: who may call, how a body is read, that a request that is sent again is done
// once, and what the answers look like. What is registered, joined and decided is intake's, as
// for any other channel. Answers about a case also go by mail to the person whom the program
// names as the submitter.
//
// What it refuses: a body that is not exactly of the documented form, with all that is wrong
// with it at once; a registration that would only be asked about; a submitter who is not of the
// key's partner; and to tell cases of others from cases that are not there. The answer to a
// registration says that it was taken in, and nothing of what a check finds: no other partner
// can be found out by it.
//
// What happens on failure: a 2xx answer is given only after the commit. A program that got none
// sends the same again under the same Idempotency-Key and gets the answer to the first, also if
// the gateway was killed in between. Without such a header the same content of the same person
// is the same registration for 30 days, as in every channel.
package api
