// Package extract reads a lead out of what a person wrote: labelled lines, tables, answers
// under questions, in the languages of its dictionary. It is deterministic (same text, same
// lead), names for every value the words that it was read from, and leaves out what is not
// clear: a field that is absent is asked for, a field that was guessed wrong is not noticed.
//
// It refuses to use quoted text and signatures, in which other people's data stand, with
// one exception: a reply that fills in our own questions within the quotation.
//
// The dictionary is data: see the files in data.
package extract
