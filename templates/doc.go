// Package templates owns the words that partners and staff read: a subject, a text and an HTML
// page for each kind of message, in each locale, and the plain facts for channels that have a
// layout of their own.
//
// The words of a locale stand in <locale>/phrases.tmpl: the sentences, which texts and pages
// share. kinds/<kind>.txt.tmpl and kinds/<kind>.html.tmpl put them in order and hold no words,
// so that they serve all locales. A sentence that "de-AT" does not have is taken from "de",
// and then from "en". An operator replaces sentences by a phrases.tmpl of his own, and a whole
// message by <locale>/<kind>.txt.tmpl, in a directory of his. A text that is replaced without
// its page goes out as text alone, so that the two never say different things; one that is
// replaced in English leaves German as it is.
//
// Labels of fields and words for states are in Go, because they are also read: a partner
// who fills in "Company domain: " and replies is understood by the same label.
//
// What an operator wrote is parsed, executed for every kind, status and reason and checked at
// start, so that a broken override is an error then and not a message that is not sent.
//
// What a message may disclose is decided before a template runs: a table says what a partner
// may read by the kind, templates see a view in which the rest is empty and reasons that
// concern others do not appear, and in which text of partners is one line of visible
// characters. What staff are told is another view, which no template of a message to a partner
// ever gets.
package templates
