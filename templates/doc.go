// Package templates owns the words that partners read: a subject, a text and an HTML page
// for each kind of message, in each locale.
//
// The words of a locale stand in files: phrases.tmpl holds the sentences, which texts and
// pages share, and <kind>.txt.tmpl and <kind>.html.tmpl put them in order. What has no file
// in "de-AT" is taken from "de", and then from "en". An operator overrides a file by one of
// the same name in a directory of his own. A text that is overridden without its page goes
// out as text alone, so that the two never say different things.
//
// Labels of fields and words for states are in Go, because they are also read: a partner
// who fills in "Company domain: " and replies is understood by the same label.
//
// Everything is parsed, executed for every kind, status and reason and checked at start, so
// that a broken override is an error then and not a message that is not sent.
//
// What a message may disclose is decided before a template runs: templates see a view in
// which reasons that concern others do not appear, and in which text of partners is one
// line of visible characters.
package templates
