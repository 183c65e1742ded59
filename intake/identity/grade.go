package identity

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Grade says how sure we are that two of something are one company.
type Grade string

// The grades, from nothing to certainty.
const (
	GradeNone     Grade = ""         // nothing speaks for it
	GradePossible Grade = "possible" // a person should look
	GradeProbable Grade = "probable" // same name, same country
	GradeRelated  Grade = "related"  // one group by CRM or alias; never from names
	GradeCertain  Grade = "certain"  // same domain or address; never from names
)

// Grades returns all grades, the weakest first.
func Grades() []Grade {
	return []Grade{GradeNone, GradePossible, GradeProbable, GradeRelated, GradeCertain}
}

// Valid reports whether g is one of Grades.
func (g Grade) Valid() bool { return slices.Contains(Grades(), g) }

// Compare orders grades: negative if g is weaker than h, 0 if equal. A value that is no
// grade is weaker than all.
func (g Grade) Compare(h Grade) int {
	return slices.Index(Grades(), g) - slices.Index(Grades(), h)
}

// shortName is the number of letters below which an equal key is no more than possible;
// longName the number from which one different letter still makes it possible.
const (
	shortName = 4
	longName  = 8
)

// CompareNames grades two names. countryA and countryB are ISO 3166-1 alpha-2 codes or
// "" where unknown; a stated country goes before the one that the legal form points at.
// The result is never above GradeProbable. The string tells a person in a few words what
// the grade rests on; it is empty for GradeNone. Swapping a and b changes nothing.
func CompareNames(a, b Name, countryA, countryB string) (Grade, string) {
	switch {
	case a.Key == "" || b.Key == "":
		return GradeNone, ""
	case a.Key == b.Key:
		return compareSame(a, b, country(countryA, a), country(countryB, b))
	case a.Skeleton == b.Skeleton && a.Skeleton != "":
		return GradePossible, "look-alike spelling: different letters that look the same"
	case a.Alt == b.Key || b.Alt == a.Key || a.Alt != "" && a.Alt == b.Alt:
		return GradePossible, "same name in another spelling"
	case utf8.RuneCountInString(a.Key) >= longName && utf8.RuneCountInString(b.Key) >= longName && oneEdit(a.Key, b.Key):
		return GradePossible, "names differ by one letter"
	default:
		return GradeNone, ""
	}
}

// compareSame grades two names with one key. Each doubt keeps it at possible.
func compareSame(a, b Name, ca, cb string) (Grade, string) {
	switch {
	case letters(a.Key) < shortName:
		return GradePossible, "same name, but a very short one"
	case a.Weak || b.Weak:
		return GradePossible, "same name apart from a general word or an ambiguous legal form"
	case ca == "" || cb == "":
		return GradePossible, "same name, country not known"
	case ca != cb:
		return GradePossible, "same name, different countries (" + pair(ca, cb) + "): perhaps sister companies"
	case a.Country != "" && b.Country != "" && a.Country != b.Country:
		return GradePossible, "same name, legal forms of different countries (" + pair(a.Country, b.Country) + "): perhaps sister companies"
	case a.Form != "" && b.Form != "" && a.Form != b.Form:
		return GradeProbable, "same name and country (" + ca + "), different legal forms (" + pair(a.Form, b.Form) + "): perhaps one group"
	default:
		return GradeProbable, "same name and country (" + ca + ")"
	}
}

// country prefers what was stated. UK is what people write for GB.
func country(stated string, n Name) string {
	stated = strings.ToUpper(strings.TrimSpace(stated))
	switch stated {
	case "":
		return n.Country
	case "UK":
		return "GB"
	default:
		return stated
	}
}

// pair lists two values in an order that does not depend on theirs.
func pair(a, b string) string { return min(a, b) + ", " + max(a, b) }

func letters(key string) int {
	return utf8.RuneCountInString(key) - strings.Count(key, " ")
}

// oneEdit reports whether one letter added, dropped or changed turns a into b.
func oneEdit(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(y)-len(x) > 1 {
		return false
	}
	i := 0
	for i < len(x) && x[i] == y[i] {
		i++
	}
	if len(x) == len(y) {
		return i < len(x) && slices.Equal(x[i+1:], y[i+1:])
	}
	return slices.Equal(x[i:], y[i+1:])
}
