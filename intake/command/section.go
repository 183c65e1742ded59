package command

import (
	"regexp"
	"strings"
)

// maxSections bounds the sections of one text.
const maxSections = 200

// Section is what a text says about one case.
type Section struct {
	// Case is the number as it was written, in capitals.
	Case string
	// Text is what stands behind and below it.
	Text string
}

// numbered is a line that begins with a case number, in a list or not.
var numbered = regexp.MustCompile(`(?i)^[\s>]*(?:[-*•·]\s*)?#?[\[(]?([A-Z0-9]{1,8}-[0-9]{4}-[0-9]{6,7}-[0-9A-Z])\b[\])]?\s*[:,–—-]?\s*(.*?)\s*$`)

// leadingNumber cuts a case number off the beginning of a line; it is "" if there is none.
func leadingNumber(line string) (number, rest string) {
	m := numbered.FindStringSubmatch(line)
	if m == nil {
		return "", line
	}
	return strings.ToUpper(m[1]), m[2]
}

// Sections splits a text that is about several cases: each section begins with a line that
// begins with a case number, as "LG-2026-000123-K Stage: evaluation" or the number alone, and
// goes on to the next one. Sections of the same case are one. What stands before the first is
// in none; a text without any such line has no section.
func Sections(text string) []Section {
	var all []Section
	at := -1
	for line := range strings.Lines(text) {
		number, rest := leadingNumber(line)
		if number != "" {
			if at = indexOf(all, number); at < 0 && len(all) == maxSections {
				break
			}
			if at < 0 {
				at, all = len(all), append(all, Section{Case: number})
			}
		}
		if at >= 0 {
			all[at].Text += strings.TrimSpace(rest) + "\n"
		}
	}
	for i := range all {
		all[i].Text = strings.TrimSpace(all[i].Text)
	}
	return all
}

// filled is a line with a case number, a label and a value, quoted once at most.
var filled = regexp.MustCompile(`(?i)^\s*>?\s*([A-Z0-9]{1,8}-[0-9]{4}-[0-9]{6,7}-[0-9A-Z])\s+([^\s:][^:]{0,60}:\s*\S.*?)\s*$`)

// Filled returns the lines that were filled in where we left them open, in what is quoted of
// us: a case number, a label and a value each.
func Filled(text string) []Section {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if m := filled.FindStringSubmatch(line); m != nil {
			lines.WriteString(m[1] + " " + m[2] + "\n")
		}
	}
	return Sections(lines.String())
}

func indexOf(all []Section, number string) int {
	for i := range all {
		if all[i].Case == number {
			return i
		}
	}
	return -1
}
