// Package mailparse reads e-mail as it really comes: with broken headers, wrong labels and
// missing ends. There is no message that it refuses. It reads in one pass and in bounded
// memory, and it only reads: who sent a mail and what it means is decided elsewhere.
package mailparse
