package sheet

import (
	"slices"
	"strings"

	"github.com/gocarina/gocsv"
)

// Answer is what the result file says about a row, in columns behind the sender's own. The tags
// are the English names of these columns. By their names a corrected result that is dropped again is
// told from a first list.
type Answer struct {
	Case   string `csv:"Case"`
	Result string `csv:"Result"`
	Status string `csv:"Status"`
	Code   string `csv:"Code"`
	Mend   string `csv:"What to do"`
}

// cell returns the cell of a column of AnswerColumns.
func (a *Answer) cell(i int) *string {
	return []*string{&a.Case, &a.Result, &a.Status, &a.Code, &a.Mend}[i]
}

// Empty reports whether nothing was answered.
func (a Answer) Empty() bool { return a == Answer{} }

// answerNames are the names of the columns of an Answer, in their order, by language.
var answerNames = map[string][]string{
	"en": englishAnswer(),
	"de": {"Vorgangsnummer", "Ergebnis", "Stand", "Code", "Was zu tun ist"},
}

func englishAnswer() []string {
	line, err := gocsv.MarshalString([]Answer{})
	if err != nil {
		panic(err) // the tags above
	}
	return strings.Split(strings.TrimSpace(line), ",")
}

// Language returns that of the languages in which lists are written that a locale, "de-AT", asks
// for; "en" if none.
func Language(locale string) string {
	lang, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	if answerNames[lang] == nil {
		return "en"
	}
	return lang
}

// AnswerColumns are the names of the columns of an Answer, in their order, as a locale has them.
func AnswerColumns(locale string) []string { return slices.Clone(answerNames[Language(locale)]) }

// isAnswer reports whether a name is that of column j of an Answer, in any language.
func isAnswer(name string, j int) bool {
	name = strings.TrimSpace(name)
	for _, names := range answerNames {
		if strings.EqualFold(name, names[j]) {
			return true
		}
	}
	return false
}

// caseNumber are further names by which people call the column of case numbers.
var caseNumber = map[string]bool{"case number": true, "case no": true, "case no.": true}

// answerColumns returns which of the columns with these names hold which part of an answer, as
// the index of AnswerColumns, -1 for none. A single name may be the sender's own, "Code"; the
// number of the case and one more are ours. Of two with one name that behind is ours, unless ours
// stand together as they were written.
func answerColumns(names []string) (parts []int, ours bool) {
	parts = make([]int, len(names))
	for i := range parts {
		parts[i] = -1
	}
	all := answerNames["en"]
	for at := len(names) - len(all); at >= 0; at-- {
		j := 0
		for j < len(all) && isAnswer(names[at+j], j) {
			j++
		}
		if j < len(all) {
			continue
		}
		for j := range all {
			parts[at+j] = j
		}
		return parts, true
	}
	seen := make(map[int]bool)
	for i, name := range slices.Backward(names) {
		for j := range all {
			if !seen[j] && (isAnswer(name, j) || j == 0 && caseNumber[strings.ToLower(strings.TrimSpace(name))]) {
				parts[i], seen[j] = j, true
			}
		}
	}
	if !seen[0] || len(seen) < 2 {
		for i := range parts {
			parts[i] = -1
		}
		return parts, false
	}
	return parts, true
}
