package sheet

import "strings"

// starters are what makes a spreadsheet take a cell for a formula or a command, by OWASP's list
// and with their full-width forms, which some programs fold to the others.
const starters = "=+-@\t\r\n\x00＝＋－＠"

// Neutralise makes a cell that a spreadsheet would take for a formula into text, by an
// apostrophe in front. Text that is like the outcome gets one more, so that Restore finds what
// was there before.
func Neutralise(cell string) string {
	if starts(cell) {
		return "'" + cell
	}
	return cell
}

// Restore undoes Neutralise.
func Restore(cell string) string {
	if strings.HasPrefix(cell, "'") && starts(cell) {
		return cell[1:]
	}
	return cell
}

// starts reports whether a cell begins with a starter, behind apostrophes or at once.
func starts(cell string) bool {
	rest := strings.TrimLeft(cell, "'")
	return rest != "" && strings.IndexAny(rest[:min(len(rest), 4)], starters) == 0
}
