package intake

import (
	"fmt"
	"strconv"
	"strings"
)

// Span is a length of time in the programme: "72 hours", "14 days" or "2 business days". What
// it means at a moment, in a zone with its holidays, is for Policy.End to say.
type Span struct {
	Value int
	Unit  Unit
}

// Unit is what a Span counts.
type Unit string

// The units.
const (
	// Hours go by the clock.
	Hours Unit = "hours"
	// Days are calendar days of the programme's zone; the last one counts to its end.
	Days Unit = "days"
	// BusinessDays keep the time of day and skip what the calendar leaves out.
	BusinessDays Unit = "business days"
)

// Units is the full set.
func Units() []Unit { return []Unit{Hours, Days, BusinessDays} }

// maxSpan is more than any programme needs, in each unit but hours.
const maxSpan = 3650

func (s Span) String() string {
	if s == (Span{}) {
		return ""
	}
	unit := string(s.Unit)
	if s.Value == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return strconv.Itoa(s.Value) + " " + unit
}

// MarshalText writes s as String does.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what String writes; the empty text is the zero Span.
func (s *Span) UnmarshalText(text []byte) error {
	words := strings.Fields(strings.ToLower(string(text)))
	if len(words) == 0 {
		*s = Span{}
		return nil
	}
	n, err := strconv.Atoi(words[0])
	unit := Unit(strings.TrimSuffix(strings.Join(words[1:], " "), "s") + "s")
	known := unit == Hours || unit == Days || unit == BusinessDays
	if err != nil || n < 0 || n > maxSpan*24 || (n > maxSpan && unit != Hours) || !known {
		return fmt.Errorf("%q is not a length of time like 72 hours, 14 days or 2 business days", text)
	}
	*s = Span{n, unit}
	return nil
}
