package templates

import (
	"fmt"
	"strings"
	"time"

	"leadgate/intake"
)

// moment writes an instant in full: weekday, date, time of day, and the zone by its
// abbreviation and distance from UTC, as "Tuesday 24 November 2026, 16:30 CET (UTC+1)". The
// zero time is "".
func (l *locale) moment(t time.Time, at *time.Location) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(at)
	return strings.NewReplacer(
		"{weekday}", l.weekdays[t.Weekday()],
		"{day}", fmt.Sprint(t.Day()),
		"{month}", l.months[t.Month()-1],
		"{year}", fmt.Sprint(t.Year()),
		"{clock}", t.Format("15:04"),
		"{zone}", l.zoneName(t),
	).Replace(l.form)
}

// day writes a day in full, without the time of day. What is exactly one in UTC was given as a
// day, and is that one everywhere.
func (l *locale) day(t time.Time, at *time.Location) string {
	if t.Equal(t.Truncate(24 * time.Hour)) {
		at = time.UTC
	}
	return strings.SplitN(l.moment(t, at), t.In(at).Format(", 15:04"), 2)[0]
}

// location is a zone by its IANA name, UTC if this machine does not know it.
func location(zone string) *time.Location {
	at, err := time.LoadLocation(zone)
	if err != nil || zone == "" || zone == "Local" {
		return time.UTC
	}
	return at
}

// left says how many days of the zone it is from a message to the deadline that it shows, or
// to the end of the hold; "" if neither lies ahead.
func (l *locale) left(m intake.Message, at *time.Location) string {
	end := m.Facts.Due
	if end.IsZero() || m.Kind == intake.MessageWindowReminder {
		end = m.Facts.Until
	}
	if m.At.IsZero() || !end.After(m.At) {
		return ""
	}
	day := func(t time.Time) time.Time {
		y, month, d := t.In(at).Date()
		return time.Date(y, month, d, 0, 0, 0, 0, time.UTC)
	}
	n := int(day(end).Sub(day(m.At)) / (24 * time.Hour))
	return strings.ReplaceAll(l.away[min(n, 2)], "{n}", fmt.Sprint(n))
}

// zoneName writes "CET (UTC+1)", "UTC", or "UTC-3" where the zone has no abbreviation.
func (l *locale) zoneName(t time.Time) string {
	name, seconds := t.Zone()
	if name == "UTC" {
		return name
	}
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	offset := fmt.Sprintf("UTC%s%d", sign, seconds/3600)
	if minutes := seconds % 3600 / 60; minutes != 0 {
		offset += fmt.Sprintf(":%02d", minutes)
	}
	if own := l.zones[name]; own != "" {
		name = own
	}
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		return offset
	}
	return name + " (" + offset + ")"
}
