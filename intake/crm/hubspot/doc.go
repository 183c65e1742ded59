// Package hubspot keeps cases in HubSpot, both ways, by the dated API (2026-09; v3 where an account has
// no other).
//
// A case is a deal with properties of ours, leadgate_case among them, whose values are unique: the deal
// is found by it, and HubSpot makes no second one. Its company is the one that has the domain; one that
// we make has it in leadgate_domain as well, which is unique too. The contact is the one with the
// address, and HubSpot makes no second one either. A case without a company or an address has none. So
// nothing is ever asked for its absence: what is to be made is made together with its associations, and
// a refusal because it is there has it adopted, whatever a search has not found yet. A crash between
// any two calls leaves one of each. A company that somebody made by hand a moment before, so that no
// search knows it, is doubled nevertheless; that is for people to merge, who see both.
//
// What is the case's own stands in leadgate_ properties of the deal, and is written at every push.
// Name, amount, owner and what the mapping fills are written while they are empty, or what we wrote;
// companies and contacts, which are of many cases, are filled once where they are empty; those that people
// tie to the deal in the place of ours are not, nor any for a case that nobody has proven. What the
// partner wrote becomes an e-mail on the timeline that came in, all else a note; its text is escaped.
//
// The feed are two searches by the time of the last change, of deals and of meetings, with an overlap of
// ten minutes. Owner, stage, amount, close date and next step of a case's deal are told, won and lost
// by what the mapping says of its stage, else by hs_is_closed and hs_is_closed_won; open deals without a
// case, with their company; the first meeting of the deal or of its contact; and cases whose deals were
// merged into others. A deleted deal is in no search: a webhook tells of it, or Compare. Webhooks are
// proven by their signature of version 3, and are hints: what they tell of is read again.
//
// The token is a service key, the static token of an app of a project or of a legacy private app, which
// are one to us; or an app of OAuth has a refresh token. Scopes: crm.objects.{companies,contacts,deals}
// .read and .write, crm.objects.owners.read, crm.schemas.{companies,contacts,deals}.read, and for Prepare
// crm.schemas.{companies,deals}.write. A service key has no webhooks.
//
// What fails: 401 and 403 pause all work (an OAuth token is renewed once before); 423, 429, 477 and all
// of 5xx but 525 and 526 are retried, when the answer says or the limit that it names begins anew; the
// rest is for staff, in HubSpot's words. 429 has all calls wait.
//
// Not supported: the object Lead, custom objects, and registrations in them.
package hubspot
