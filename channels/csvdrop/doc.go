// Package csvdrop takes in lists of prospects: files of rows, each row a registration.
//
// A file is kept as it came, and the import of it is a durable job: whoever hands a file in has
// it acknowledged once it is kept, and a gateway that was killed goes on at the row where it
// stopped. Package sheet reads files, package result writes what a sender gets back, and
// intake.Gateway takes the rows in; here they come together, for all ways in: the page of this
// package, the folder that it watches, mail, the REST interface and the command line.
//
// It answers nobody by itself. The one message about a file goes through the channel that the
// sender is told by.
package csvdrop
