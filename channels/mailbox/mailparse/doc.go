// Package mailparse reads e-mail as it really comes: with broken headers, wrong labels and
// missing ends. There is no message that it refuses. It reads in one pass and in bounded
// memory, and it only reads: who sent a mail and what it means is decided elsewhere.
//
// It owns the way from bytes to [Parsed]: the header (RFC 5322), encoded words (RFC 2047),
// parameters (RFC 2231), parts (RFC 2045, 2046) and their character sets, flowed text
// (RFC 3676), messages within messages, reports about earlier mail (RFC 3464, 8098, 5965),
// the contents of tables, calendars and cards, and whether a mail is sealed. It does not
// read HTML, unpack or decrypt anything, fetch anything or check signatures.
//
// What is beyond a limit is passed over and named in Parsed.Limits; it never makes the rest
// unreadable. Where a mail contradicts the standards, what most programs mean by it counts.
package mailparse
