package intake

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"leadgate/intake/identity"
)

const (
	maxLongRunes    = 4000
	maxShortRunes   = 200
	maxListEntries  = 20
	maxWordsRunes   = 300
	maxGivenRunes   = 80
	minProblemRunes = 10
)

var (
	countryCode = regexp.MustCompile(`^[A-Z]{2}$`)
	revenue     = regexp.MustCompile(`^[0-9]{1,13}(\.[0-9]{1,2})? [A-Z]{3}$`)
)

// Clean brings the values of a lead into the form that Lead describes. A value that can't
// be is left out and named in a problem; the words of a problem quote only what the sender
// wrote. Clean of a clean lead changes nothing.
func Clean(ids *identity.Lists, l Lead) (Lead, []Problem) {
	out := make(Lead, len(l))
	var problems []Problem
	for _, f := range Fields() {
		v := cleanText(l[f], f)
		if v == "" {
			continue
		}
		value, problem := cleanValue(ids, f, v, out[FieldCountry])
		if problem != nil {
			problem.Field, problem.Given = f, cleanGiven(v)
			problems = append(problems, *problem)
			continue
		}
		out[f] = value
	}
	return out, problems
}

// cleanValue cleans one value. country is the lead's, which Fields puts before the telephone
// number: it says what a number without country code means.
func cleanValue(ids *identity.Lists, f Field, v, country string) (string, *Problem) {
	switch f {
	case FieldCompanyDomain:
		return cleanDomain(ids, v)
	case FieldContactEmail:
		addr, err := cleanAddress(v)
		if err != nil {
			return "", &Problem{Code: ProblemInvalid, Message: fmt.Sprintf("%q is not an e-mail address", v)}
		}
		return addr, nil
	case FieldCountry:
		v = strings.ToUpper(v)
		if !countryCode.MatchString(v) {
			return "", &Problem{Code: ProblemInvalid, Message: fmt.Sprintf("%q is not a country we know; the two-letter code is safest", v)}
		}
	case FieldContactPhone:
		number, ok := identity.Phone(v, country)
		if !ok {
			return "", &Problem{Code: ProblemInvalid, Message: fmt.Sprintf("%q is not a telephone number that we can dial; write it with its country code, like +49 30 123456", v)}
		}
		return number, nil
	case FieldStage:
		if !slices.Contains(Stages(), v) {
			return "", &Problem{Code: ProblemInvalid, Message: fmt.Sprintf("%q: choose new intro, discovery scheduled or evaluation", v)}
		}
	case FieldConsent:
		if v != ConsentYes && v != ConsentNo {
			return "", &Problem{Code: ProblemInvalid, Message: fmt.Sprintf("%q: answer yes or no", v)}
		}
	case FieldKind:
		if !slices.Contains(Kinds(), v) {
			return "", &Problem{Code: ProblemInvalid, Message: fmt.Sprintf("%q: choose lead or deal", v)}
		}
	case FieldTargetRevenue:
		if !revenue.MatchString(v) {
			return "", &Problem{Code: ProblemInvalid, Message: fmt.Sprintf("%q is not an amount with a currency, like 120000 EUR", v)}
		}
	case FieldCompanyName:
		if !strings.ContainsFunc(v, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			return "", &Problem{Code: ProblemInvalid, Message: fmt.Sprintf("%q has no letter or digit", v)}
		}
	case FieldProblem:
		if utf8.RuneCountInString(v) < minProblemRunes {
			return "", &Problem{Code: ProblemTooShort, Message: fmt.Sprintf("%q is too short to act on; one sentence is enough", v)}
		}
	}
	return v, nil
}

func cleanDomain(ids *identity.Lists, v string) (string, *Problem) {
	d, err := ids.Domain(v)
	if err != nil {
		code := ProblemInvalidDomain
		if e, ok := err.(*identity.Error); ok {
			code = e.Code
		}
		return "", &Problem{Code: code, Message: err.Error()}
	}
	if d.FreeMail {
		return "", &Problem{Code: ProblemFreeMail, Message: fmt.Sprintf("%s is a mail provider; what is the company's own domain?", d.Host)}
	}
	return d.Key, nil
}

func cleanAddress(v string) (string, error) {
	a, err := identity.Email(v)
	if err != nil {
		return "", err
	}
	return a.Local + "@" + a.Domain, nil
}

// longField reports whether a field may have several lines.
func longField(f Field) bool { return f == FieldProblem || f == FieldSolutionFit }

// cleanText drops what is not text, folds white space, and bounds the length.
func cleanText(v string, f Field) string {
	limit := maxShortRunes
	if longField(f) {
		limit = maxLongRunes
	}
	if len(v) <= limit && isLine(v) {
		return v
	}
	v = strings.ToValidUTF8(v, "\uFFFD")
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(v, "\r\n", "\n")) {
		line = strings.Join(strings.Fields(strings.Map(printable, line)), " ")
		if line != "" {
			lines = append(lines, line)
		}
	}
	sep := " "
	if longField(f) {
		sep = "\n"
	}
	return cut(strings.Join(lines, sep), limit)
}

// isLine reports whether v is a line of what can be seen of ASCII, with single blanks between
// its words: most values are, and stay as they are.
func isLine(v string) bool {
	for i := range len(v) {
		switch c := v[i]; {
		case c > ' ' && c <= '~':
		case c == ' ' && i > 0 && i < len(v)-1 && v[i-1] != ' ':
		default:
			return false
		}
	}
	return true
}

// printable maps white space to a blank and drops control and formatting characters, among
// them those that turn the direction of text.
func printable(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case !unicode.IsGraphic(r):
		return -1
	}
	return r
}

// cut returns the first n runes of s.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:n]))
}

// cutWords returns the first words of s, n runes of it at most, with "…" for the rest.
func cutWords(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	head := string([]rune(s)[:n-1])
	if i := strings.LastIndexByte(head, ' '); i > len(head)/2 {
		head = head[:i]
	}
	return strings.TrimRight(head, " ,;:") + "…"
}

// cleanGiven makes one short line of what a sender gave.
func cleanGiven(v string) string {
	return cutWords(strings.Join(strings.Fields(cleanText(v, FieldProblem)), " "), maxGivenRunes)
}

func cleanUnclear(given map[Field]string) map[Field]string {
	if len(given) == 0 {
		return nil
	}
	out := make(map[Field]string, len(given))
	for _, f := range Fields() {
		if v := cleanGiven(given[f]); v != "" {
			out[f] = v
		}
	}
	return out
}

// cleanEvidence bounds the words that values were read from, at a word's end.
func cleanEvidence(e map[Field]string) map[Field]string {
	out := make(map[Field]string, len(e))
	for f, words := range e {
		if words = strings.Join(strings.Fields(cleanText(words, FieldProblem)), " "); words != "" {
			out[f] = cutWords(words, maxWordsRunes)
		}
	}
	return out
}

// The prefixes of account keys.
const (
	keyDomain  = "domain:"
	keyContact = "contact:"
	keyName    = "name:"
)

// AccountKeys returns the keys under which a case is found by others about the same company:
// its domain, its name without legal form and in other spellings, and the exact address of
// a contact who is elsewhere. Only the domain identifies an account by itself.
func AccountKeys(ids *identity.Lists, l Lead) []string {
	var keys []string
	domain, address := l[FieldCompanyDomain], strings.ToLower(l[FieldContactEmail])
	if domain != "" {
		keys = append(keys, keyDomain+domain)
	}
	if address != "" && !strings.HasSuffix(address, "@"+domain) {
		keys = append(keys, keyContact+address)
	}
	if n := l[FieldCompanyName]; n != "" {
		name := ids.Name(n)
		for _, k := range []string{name.Key, name.Alt} {
			if k != "" && !slices.Contains(keys, keyName+k) {
				keys = append(keys, keyName+k)
			}
		}
	}
	return keys
}

// searchKeys returns the keys under which to look for other cases about the company of r:
// its own, those of the further domains, and those of cases that share its contact.
func searchKeys(r *Registration, domains []string) []string {
	keys := slices.Clone(r.Identity)
	for _, d := range domains {
		keys = append(keys, keyDomain+d)
	}
	address := strings.ToLower(r.Lead[FieldContactEmail])
	if _, domain, found := strings.Cut(address, "@"); found {
		keys = append(keys, keyContact+address, keyDomain+domain)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
