// Package webhook is the channel of programs that call us: a partner's own system, a HubSpot
// workflow or app, a booking page at Calendly, anything that can send JSON. Each source has a
// path of its own, POST /hooks/NAME on the listener of the pages.
//
// # Proof
//
// A source proves a request by one of the schemes; see package signature. Signatures are compared in
// constant time, over the bytes as they came, for each of two secrets while one gives way to the
// other. One that is older than the tolerance is refused, and one from the future. The scheme
// bearer proves nothing about the body: use it over TLS, where the other side can't sign. A
// signature names no source, so that no two sources may have one secret; only those of a HubSpot
// app may, which signs the address too.
//
// That a request is the source's says nothing of what visitors have typed into its form. Whose
// registration it is, says either the configuration (partner: all of it is theirs) or a
// reference that we have signed, found at partner_pointer; `leadgate partners reference` prints
// it. An id, a code or a domain in its place is a claim: the case waits for staff. A reference
// that was changed, or was signed for another programme, registers nothing and is left to staff.
//
// # What is answered
//
// 200 once all of the request is stored, and for a repeat; the body names the cases:
//
//	{"results":[{"case":"LG-2026-384207-D","status":"submitted"},{"case":"…","known":true}]}
//
// 400 what can't be read; it is kept for staff. 401 no good signature, and nothing is kept; also
// a reference that does not count, which is kept, unless the source is Calendly or HubSpot: they
// switch off who refuses what their visitors typed. 404 there is no such source. 413 too large.
// 429 too many, with Retry-After. 503 it was not stored, or too many came at the same time: send
// it again. Partners are answered by
// mail, at the address at submitter_email if it is theirs, else at their first contact's.
//
// A list is taken apart, each element an event of its own. An event with an id is known by that
// for good; one without is known by all that it says, for 30 days.
//
// # Bookings
//
// A payload that tells of a meeting is evidence for the open case that it is about: that of the
// signed reference to a case, else the one whose contact is the attendee, if no two partners have
// such a case. The policy's key invitation says whether it counts as the next step. Without such
// a case it registers, if it names a company and a contact. A new date is a cancellation with a
// mark and a booking, in any order: only the booking counts. What a page in a visitor's browser
// says of a booking is no proof and has no way in here.
//
// # Set-up: anything, with openssl and curl
//
//	t=$(date +%s)
//	sig=$( { printf '%s.' "$t"; cat lead.json; } | openssl dgst -sha256 -hmac "$SECRET" -hex | sed 's/^.* //')
//	curl https://partners.vendor.example/hooks/NAME -H "Leadgate-Signature: t=$t,v1=$sig" --data-binary @lead.json
//
// # Set-up: HubSpot workflow
//
//  1. Settings > Properties: make the contact properties leadgate_partner_id and leadgate_program,
//     and put them into the form as hidden fields.
//  2. Give the partner the form's address with ?leadgate_partner_id=REFERENCE.
//  3. Automation > Workflows: on the submission of the form, add the action "Send a webhook",
//     method POST, to /hooks/NAME, request body: the properties that the source maps.
//  4. Authentication type "API key": name X-Leadgate-Token, in the header, the secret as value.
//  5. Here: scheme bearer, header X-Leadgate-Token. The test button of the action shows the body
//     that it sends; the paths in fields have to fit it.
//
// # Set-up: HubSpot app
//
//  1. In the app's webhooks set the target URL to /hooks/NAME, exactly as pages.url begins: the
//     URL is part of the signature. Then subscribe.
//  2. Here: scheme hubspot-v3, secret: the app's client secret, id: [/portalId, /subscriptionId,
//     /eventId], and a filter on /subscriptionType.
//  3. Events hold ids and single properties. They say that something happened; who needs the
//     whole record takes a workflow, or reads the form (package meetings).
//
// # Set-up: Calendly
//
//  1. Make a signing key of 16 characters or more, and a personal access token.
//  2. POST https://api.calendly.com/webhook_subscriptions with {"url": ".../hooks/NAME",
//     "events": ["invitee.created", "invitee.canceled"], "organization": "...", "scope":
//     "organization", "signing_key": "..."}.
//  3. Give partners the address of the booking page with ?utm_content=REFERENCE.
//  4. Here: scheme calendly-v1, secret: the signing key, and the questions of the page in fields.
//
// # What happens on failure
//
// Nothing is acknowledged that is not stored, so that the source sends it again; what was stored
// of a list is known then. A reference can't be revoked for one partner: it lives as long as the
// gateway's store, and what comes by it is judged like all else.
package webhook
