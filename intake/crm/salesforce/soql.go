package salesforce

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Values reach a query by bind alone, and what they are is said by their type: a string or a like
// becomes a literal, an id is checked, a time is written as SOQL has it. The templates are constants
// and names that Config.Validate has checked.
type (
	like string // what stands inside the pattern of LIKE, taken as it is
	ids  []string
)

// bind puts args in the place of the question marks of a template. A like stands where the
// template has '…?…' in quotes of its own.
func bind(template string, args ...any) string {
	var b strings.Builder
	for _, arg := range args {
		before, after, found := strings.Cut(template, "?")
		if !found {
			panic("salesforce: more values than places in a query")
		}
		b.WriteString(before)
		b.WriteString(literal(arg))
		template = after
	}
	if strings.Contains(template, "?") {
		panic("salesforce: fewer values than places in a query")
	}
	b.WriteString(template)
	return b.String()
}

func literal(arg any) string {
	switch v := arg.(type) {
	case string:
		return "'" + escape(v) + "'"
	case like:
		return strings.NewReplacer("%", `\%`, "_", `\_`).Replace(escape(string(v)))
	case ids:
		var all []string
		for _, id := range v {
			if isID(id) {
				all = append(all, "'"+id+"'")
			}
		}
		if len(all) == 0 {
			return "('000000000000000AAA')" // no record has it
		}
		return "(" + strings.Join(all, ", ") + ")"
	case []string:
		all := make([]string, len(v))
		for i, s := range v {
			all[i] = literal(s)
		}
		return "(" + strings.Join(all, ", ") + ")"
	case time.Time:
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	panic(fmt.Sprintf("salesforce: a %T in a query", arg))
}

// onSite is a condition that a field which holds a website is of a domain, which stands in it three
// times. What else it lets through has the domain at the beginning of a host or of one of its parts:
// of 'x.co' no company whose name only ends so, or they would crowd out the one that is asked for.
func onSite(field string) string {
	return field + " LIKE '?%' OR " + field + " LIKE '%/?%' OR " + field + " LIKE '%.?%'"
}

// escape is the one place where what others wrote becomes part of a query. SOQL knows \' \\ \" \n \r
// \t \b \f and \uXXXX; a backslash before anything else is an error:
// https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_quotedstringescapes.htm
func escape(s string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(s, "") {
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029:
			fmt.Fprintf(&b, `\u%04x`, r)
		case r == utf8.RuneError:
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// idForm is that of a record's id: 15 characters, or 18 with the three that check the case.
var idForm = regexp.MustCompile(`^[a-zA-Z0-9]{15}([a-zA-Z0-9]{3})?$`)

func isID(s string) bool { return idForm.MatchString(s) }

// sameID compares ids of 15 and of 18 characters.
func sameID(a, b string) bool { return isID(a) && isID(b) && a[:15] == b[:15] }
