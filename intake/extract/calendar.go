package extract

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"leadgate/intake"
)

// Limits of what is read of a calendar.
const (
	maxEvents    = 10
	maxAttendees = 100
)

// readCalendar reads the events of an iCalendar file; nil if it is none. Of a series only
// the first meeting counts.
func readCalendar(a Attachment) []intake.Meeting {
	c := newCalendar(properties(decodeText(a)))
	var out []intake.Meeting
	for _, e := range c.events {
		m := c.meeting(e)
		if m.UID != "" || !m.Start.IsZero() || m.Title != "" {
			out = append(out, m)
		}
	}
	return out
}

// calendar is what a file says, before zones are looked up.
type calendar struct {
	method, zone string
	zones        map[string][]observance
	events       [][]property
}

// newCalendar sorts properties by the component that they stand in. What stands in another
// component, such as an alarm, is left out.
func newCalendar(all []property) *calendar {
	c := &calendar{method: "PUBLISH", zones: make(map[string][]observance)}
	var open []string // components, the outermost first
	depth := 0        // of components that are not kept
	zone := ""
	for _, p := range all {
		kind := strings.ToUpper(strings.TrimSpace(p.value))
		switch {
		case p.name == "BEGIN" && (depth > 0 || len(open) == 3):
			depth++
		case p.name == "BEGIN":
			open = append(open, kind)
			c.begin(open, zone)
		case p.name == "END" && depth > 0:
			depth--
		case p.name == "END" && len(open) > 0:
			open = open[:len(open)-1]
		case depth == 0:
			if p.name == "TZID" && path(open) == "VCALENDAR/VTIMEZONE" {
				zone = p.text()
			}
			c.add(path(open), zone, p)
		}
	}
	return c
}

func path(open []string) string { return strings.Join(open, "/") }

func (c *calendar) begin(open []string, zone string) {
	switch path(open) {
	case "VCALENDAR/VEVENT":
		if len(c.events) <= maxEvents {
			c.events = append(c.events, nil)
		}
	case "VCALENDAR/VTIMEZONE/STANDARD", "VCALENDAR/VTIMEZONE/DAYLIGHT":
		if len(c.zones) < maxEvents && len(c.zones[zone]) < 50 {
			c.zones[zone] = append(c.zones[zone], observance{daylight: open[2] == "DAYLIGHT"})
		}
	}
}

func (c *calendar) add(at, zone string, p property) {
	switch at {
	case "VCALENDAR":
		switch p.name {
		case "METHOD":
			if m := strings.ToUpper(short(normalise(p.text()))); m != "" {
				c.method = m
			}
		case "X-WR-TIMEZONE":
			c.zone = p.text()
		}
	case "VCALENDAR/VEVENT":
		if n := len(c.events); n > 0 && n <= maxEvents {
			c.events[n-1] = append(c.events[n-1], p)
		}
	case "VCALENDAR/VTIMEZONE/STANDARD", "VCALENDAR/VTIMEZONE/DAYLIGHT":
		if z := c.zones[zone]; len(z) > 0 {
			z[len(z)-1].set(p)
		}
	}
	if len(c.events) > maxEvents {
		c.events = c.events[:maxEvents]
	}
}

// meeting reads one event.
func (c *calendar) meeting(event []property) intake.Meeting {
	m := intake.Meeting{Method: c.method}
	for _, p := range event {
		switch p.name {
		case "UID":
			m.UID = short(normalise(p.text()))
		case "SUMMARY":
			m.Title = short(normalise(p.text()))
		case "DTSTART":
			m.Start = c.start(p)
		case "ORGANIZER":
			m.Organizer = mailbox(p)
		case "ATTENDEE":
			kind := strings.ToUpper(p.param("CUTYPE"))
			if a := mailbox(p); a != "" && kind != "ROOM" && kind != "RESOURCE" && len(m.Attendees) < maxAttendees && !contains(m.Attendees, a) {
				m.Attendees = append(m.Attendees, a)
			}
		}
	}
	return m
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

// mailbox returns the address of an organiser or an attendee.
func mailbox(p property) string {
	v := strings.TrimSpace(p.text())
	if i := len("mailto:"); len(v) > i && strings.EqualFold(v[:i], "mailto:") {
		v = v[i:]
	}
	v, _, _ = strings.Cut(v, "?")
	for _, s := range []string{v, p.param("EMAIL")} {
		if addr, ok := address(s); ok {
			return addr
		}
	}
	return ""
}

// start returns the beginning of an event in UTC; zero if it can't be told. A time of no zone
// is that of the calendar, or else UTC; a whole day begins at midnight UTC.
func (c *calendar) start(p property) time.Time {
	v := strings.TrimSpace(p.value)
	if t, err := time.Parse("20060102T150405Z", strings.ToUpper(v)); err == nil {
		return sane(t)
	}
	if t, err := time.Parse("20060102", v); err == nil {
		return sane(t)
	}
	local, err := time.Parse("20060102T150405", strings.ToUpper(v))
	if err != nil {
		return time.Time{}
	}
	zone := p.param("TZID")
	if zone == "" {
		if zone = c.zone; zone == "" {
			return sane(local)
		}
	}
	if loc := location(zone); loc != nil {
		t := time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), 0, loc)
		return sane(t.UTC())
	}
	if offset, ok := offsetAt(c.zones[zone], local); ok {
		return sane(local.Add(-offset))
	}
	return time.Time{}
}

// sane returns a time that JSON and people can show, else zero.
func sane(t time.Time) time.Time {
	if t.Year() < 1900 || t.Year() > 9000 {
		return time.Time{}
	}
	return t
}

// windowsZones are the zones by the names that Windows gives them.
var windowsZones = sync.OnceValue(func() map[string]string {
	m := make(map[string]string)
	for _, row := range rows("data/zones.tsv", 2) {
		m[strings.ToLower(row[0])] = row[1]
	}
	return m
})

// location returns the zone of a name; nil if nobody but the file knows it.
func location(name string) *time.Location {
	name = strings.Trim(strings.TrimSpace(name), `"/`)
	if iana, ok := windowsZones()[strings.ToLower(name)]; ok {
		name = iana
	}
	if name == "" || len(name) > 200 || strings.EqualFold(name, "local") {
		return nil
	}
	parts := strings.Split(name, "/")
	for _, n := range []int{len(parts), 3, 2} { // "/mozilla.org/20050126_1/Europe/Berlin"
		if n > len(parts) {
			continue
		}
		if loc, err := time.LoadLocation(strings.Join(parts[len(parts)-n:], "/")); err == nil {
			return loc
		}
	}
	return nil
}

// observance is a part of a zone's definition: from its start on, and on the same day of each
// year, clocks show offset.
type observance struct {
	start    time.Time
	offset   time.Duration
	known    bool
	daylight bool
	yearly   bool
	month    time.Month
	weekday  time.Weekday
	nth      int // of the month's; negative from its end
}

func (o *observance) set(p property) {
	v := strings.TrimSpace(p.value)
	switch p.name {
	case "DTSTART":
		if t, err := time.Parse("20060102T150405", strings.TrimSuffix(strings.ToUpper(v), "Z")); err == nil {
			o.start = t
		}
	case "TZOFFSETTO":
		o.offset, o.known = parseOffset(v)
	case "RRULE":
		o.rule(strings.ToUpper(v))
	}
}

// parseOffset reads "+0130".
func parseOffset(s string) (time.Duration, bool) {
	if len(s) != 5 && len(s) != 7 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:5], 10, 32)
	if err != nil || n > 1500 || n%100 > 59 {
		return 0, false
	}
	d := time.Duration(n/100)*time.Hour + time.Duration(n%100)*time.Minute
	if s[0] == '-' {
		d = -d
	}
	return d, true
}

var weekdays = map[string]time.Weekday{"SU": 0, "MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6}

// rule reads the one form of rule by which clocks are changed: the nth weekday of a month.
func (o *observance) rule(s string) {
	yearly, month, day, nth := false, 0, "", 0
	for part := range strings.SplitSeq(s, ";") {
		k, v, _ := strings.Cut(part, "=")
		switch k {
		case "FREQ":
			yearly = v == "YEARLY"
		case "BYMONTH":
			month, _ = strconv.Atoi(v)
		case "BYDAY":
			if len(v) > 2 {
				nth, _ = strconv.Atoi(v[:len(v)-2])
				day = v[len(v)-2:]
			}
		}
	}
	weekday, ok := weekdays[day]
	if yearly && ok && month >= 1 && month <= 12 && nth >= -5 && nth <= 5 && nth != 0 {
		o.yearly, o.month, o.weekday, o.nth = true, time.Month(month), weekday, nth
	}
}

// onset returns the last time at or before t at which the observance began.
func (o *observance) onset(t time.Time) (time.Time, bool) {
	if !o.yearly {
		return o.start, !o.start.After(t)
	}
	for year := t.Year(); year >= t.Year()-1; year-- {
		if on := o.in(year); !on.After(t) {
			return on, !on.Before(o.start)
		}
	}
	return time.Time{}, false
}

// in returns when the observance begins in a year.
func (o *observance) in(year int) time.Time {
	first := time.Date(year, o.month, 1, o.start.Hour(), o.start.Minute(), o.start.Second(), 0, time.UTC)
	if o.nth > 0 {
		days := (int(o.weekday) - int(first.Weekday()) + 7) % 7
		return first.AddDate(0, 0, days+7*(o.nth-1))
	}
	last := first.AddDate(0, 1, -1)
	days := (int(last.Weekday()) - int(o.weekday) + 7) % 7
	return last.AddDate(0, 0, -days+7*(o.nth+1))
}

// offsetAt returns what clocks of a zone are ahead of UTC at a local time.
func offsetAt(zone []observance, local time.Time) (time.Duration, bool) {
	var best *observance
	var since time.Time
	for i := range zone {
		o := &zone[i]
		if !o.known {
			continue
		}
		on, ok := o.onset(local)
		switch {
		case ok && (best == nil || on.After(since)):
			best, since = o, on
		case best == nil && !o.daylight:
			best = o
		}
	}
	if best == nil {
		return 0, false
	}
	return best.offset, true
}
