// Package webhook forwards registrations to any system that takes a signed HTTP request: a
// CRM without a connector of its own, an integration platform, an own service.
//
// It sends a POST in the form of Standard Webhooks (standardwebhooks.com): a JSON body
// {type, timestamp, data}, and the headers webhook-id, webhook-timestamp and
// webhook-signature. The types are registration.created, registration.updated and
// registration.note_added.
//
// What the receiver has to do: check the signature with the secret, answer 2xx within the
// time-out, treat a webhook-id that it has seen as done, and ignore a data.revision older
// than the one it has. Delivery is at least once, and may be out of order after an outage.
// The answer may be a JSON object {"external_id": "...", "url": "https://..."}; both are kept
// with the case, and external_id is sent along from then on.
//
// On failure: 2xx alone is success. 410 and the answers that a repeat cannot heal (400, 401,
// 403, 404, 422 and the like) park the work for staff. All else is retried by the schedule
// of Standard Webhooks, or when Retry-After says. Redirects are never followed.
//
// The connector refuses to connect to addresses that are not public, so that an address
// typed or resolved wrongly cannot be turned against the vendor's own network; see
// Config.AllowPrivate. It takes no proxy from the environment.
package webhook
