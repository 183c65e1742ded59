// Package webform is the public form: the door for everyone without a mail template at hand. It
// is one page, works without scripts and cookies, and answers at once with a case number.
//
// Nobody logs in. An address that is typed proves nothing, so that such a registration counts
// once the link that is mailed to the address has confirmed it (intake.Submission.Typed). The
// page is the same whether the address is a partner's or not. A partner's own signed link to
// the form proves who registers; `leadgate partners link PARTNER` prints one. That of --embed is
// for the partner's pages, where everybody can read it, and proves nothing.
//
// A submission passes, in this order: the limit of requests of its visitor, the origin of the
// form, the room that there is for submissions at work, the honeypot, the signed time at which the
// form was opened, what came in before, the fields, the captcha, which is good once and so comes
// last, and the limits that all processes count together. What is taken in is durable before
// the visitor is told so.
//
// The form can stand in a frame of a partner's site, by an iframe or by the loader that /embed.js
// is. No script of ours runs in the partner's page but that.
package webform
