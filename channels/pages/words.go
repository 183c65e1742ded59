package pages

import (
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/language"

	"leadgate/intake"
)

// Languages is the full set of languages that there are pages in; the first is for who wants
// none of them.
func Languages() []string { return []string{"en", "de"} }

var matcher = language.NewMatcher([]language.Tag{language.English, language.German})

// Language is the one that a visitor wants: by ?lang=, else one of those that he is known by
// (as in BCP 47), else by his browser's word.
func Language(r *http.Request, known ...string) string {
	wanted := append([]string{r.URL.Query().Get("lang")}, known...)
	_, i := language.MatchStrings(matcher, append(wanted, r.Header.Get("Accept-Language"))...)
	return Languages()[i]
}

// OtherLanguage is the one that a page is not in.
func OtherLanguage(lang string) string {
	if lang == "de" {
		return "en"
	}
	return "de"
}

var weekdays = map[string][7]string{
	"en": {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	"de": {"Sonntag", "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"},
}

var months = map[string][12]string{
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"de": {"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"},
}

// zones are the German names of zones, as in our mails.
var zones = map[string]string{"CET": "MEZ", "CEST": "MESZ"}

// units are the words for one and for several of a unit.
var units = map[string]map[intake.Unit][2]string{
	"en": {intake.Hours: {"hour", "hours"}, intake.Days: {"day", "days"}, intake.BusinessDays: {"business day", "business days"}},
	"de": {intake.Hours: {"Stunde", "Stunden"}, intake.Days: {"Tag", "Tage"}, intake.BusinessDays: {"Arbeitstag", "Arbeitstage"}},
}

func (s *Site) funcs(lang string) template.FuncMap {
	return template.FuncMap{
		"moment": func(t any) template.HTML { return moment(lang, t, s.zone) },
		"span":   func(sp intake.Span) string { return span(lang, sp) },
		"text":   func(v any) string { return Text(fmt.Sprint(v)) },
		"number": func(n int) string { return Number(lang, n) },
	}
}

// moment writes a time.Time, or one that is pointed to, in full and in a zone: weekday, date,
// time of day and zone.
func moment(lang string, v any, zone *time.Location) template.HTML {
	var t time.Time
	switch v := v.(type) {
	case time.Time:
		t = v
	case *time.Time:
		if v != nil {
			t = *v
		}
	}
	if t.IsZero() {
		return "–"
	}
	t = t.In(zone)
	words := together.Replace(template.HTMLEscapeString(written(lang, t)))
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, t.Format(time.RFC3339), words))
}

// together keeps on one line what belongs together in German.
var together = strings.NewReplacer(". ", ".\u00a0", " Uhr ", "\u00a0Uhr\u00a0")

// Moment is a time in full, in the zone of the site: weekday, date, time of day and zone.
func (s *Site) Moment(lang string, t time.Time) string { return written(lang, t.In(s.zone)) }

func written(lang string, t time.Time) string {
	clock, zone := t.Format("15:04"), t.Format("MST")
	if lang == "de" {
		if own, ok := zones[zone]; ok {
			zone = own
		}
		return fmt.Sprintf("%s, %d. %s %d, %s Uhr %s", weekdays[lang][t.Weekday()], t.Day(), months[lang][t.Month()-1], t.Year(), clock, zone)
	}
	return fmt.Sprintf("%s %d %s %d, %s %s", weekdays[lang][t.Weekday()], t.Day(), months[lang][t.Month()-1], t.Year(), clock, zone)
}

// span writes "2 business days".
func span(lang string, s intake.Span) string {
	words, ok := units[lang][s.Unit]
	if !ok {
		return "–"
	}
	if s.Value == 1 {
		return "1 " + words[0]
	}
	return fmt.Sprintf("%d %s", s.Value, words[1])
}

// thousands stands between groups of three digits, by language.
var thousands = map[string]string{"en": ",", "de": "."}

// Number writes 12,500, or 12.500 in German.
func Number(lang string, n int) string {
	s := strconv.Itoa(n)
	sign := len(s) - len(strings.TrimPrefix(s, "-"))
	for i := len(s) - 3; i > sign; i -= 3 {
		s = s[:i] + thousands[lang] + s[i:]
	}
	return s
}

// Text is what somebody wrote, without what takes part in text unseen: controls, what turns
// the direction of text, and what has no width. Line breaks stay.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r):
			return -1
		case r == 0x115F || r == 0x1160 || r == 0x3164 || r == 0xFFA0 || r == 0x2800: // blanks that count as letters
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
