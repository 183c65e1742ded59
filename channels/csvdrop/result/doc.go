// Package result writes the file that a sender of a list gets back: the columns as they came,
// and behind them what became of each row. It writes row after row and holds none.
//
// No cell of it is taken for a formula by a spreadsheet; package sheet undoes what that needs,
// so that a result file can be corrected and sent again. What the answers say is for the caller.
package result
