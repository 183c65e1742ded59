// Package sheet reads the lists of prospects that spreadsheets write: delimited text in the
// separators and encodings of any country, and XLSX workbooks. It finds the row that names the
// columns, knows their names by the dictionary by which mails are read, and hands out one row
// after the other, in memory that does not grow with the file.
//
// It owns what a cell says. Whether a row is registered, and what is required of one, is for its
// caller. It refuses what it can't read for sure: a file without names of columns, two columns
// for one field, other formats; and it evaluates no formula. Each refusal says where it is and
// what to do about it, in words that may be shown to the sender.
package sheet
